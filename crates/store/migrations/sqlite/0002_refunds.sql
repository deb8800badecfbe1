-- Refunds, and jobs that are about them.

CREATE TABLE refunds (
    -- The payment's key and the refund's place, as of attempts.
    key                INTEGER NOT NULL PRIMARY KEY,
    merchant_key       INTEGER NOT NULL,
    payment_key        INTEGER NOT NULL,
    attempt_key        INTEGER NOT NULL REFERENCES attempts (key),
    channel_key        INTEGER NOT NULL,
    id                 TEXT    NOT NULL,
    merchant_refund_no TEXT, -- none for the money of a case
    out_refund_no      TEXT    NOT NULL,
    amount             INTEGER NOT NULL CHECK (amount > 0),
    currency           TEXT    NOT NULL,
    reason             TEXT,
    case_kind          TEXT,
    state              TEXT    NOT NULL,
    refund_no          TEXT, -- the platform's
    failure            TEXT, -- JSON
    refused            INTEGER NOT NULL CHECK (refused = 0 OR refused = 1),
    starts_at          INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    ended_at           INTEGER,
    hinted_at          INTEGER,
    UNIQUE (merchant_key, id),
    UNIQUE (merchant_key, merchant_refund_no),
    UNIQUE (channel_key, out_refund_no),
    CHECK (key / 128 = payment_key),
    CHECK (attempt_key / 32 = payment_key),
    FOREIGN KEY (merchant_key, payment_key) REFERENCES payments (merchant_key, key),
    FOREIGN KEY (merchant_key, channel_key) REFERENCES channels (merchant_key, key)
) STRICT;

CREATE TRIGGER refunds_ask_for_one_thing
BEFORE UPDATE OF key, merchant_key, payment_key, attempt_key, channel_key, id, merchant_refund_no,
    out_refund_no, amount, currency, case_kind ON refunds
BEGIN
    SELECT raise(ABORT, 'what a refund asks for never changes, its number least of all');
END;

CREATE TRIGGER refunds_stay
BEFORE DELETE ON refunds
BEGIN
    SELECT raise(ABORT, 'a refund is never deleted');
END;

-- Of an attempt or of a refund; empty for a job of the payment itself.
ALTER TABLE jobs RENAME COLUMN attempt_id TO subject_id;

CREATE VIEW readable_refunds AS
SELECT merchants.id AS merchant_id, payments.id AS payment_id, attempts.id AS attempt_id, refunds.id,
    merchant_refund_no, out_refund_no, channels.id AS channel_id, refunds.amount, refunds.currency, reason,
    case_kind, refunds.state, refund_no, refunds.failure, refused, starts_at, refunds.created_at, refunds.ended_at,
    refunds.hinted_at
FROM refunds
JOIN merchants ON merchants.key = refunds.merchant_key
JOIN payments ON payments.key = refunds.payment_key
JOIN attempts ON attempts.key = refunds.attempt_key
JOIN channels ON channels.key = refunds.channel_key;
