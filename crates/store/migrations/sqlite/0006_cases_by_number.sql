-- A case is of a number. Under the old key a claim about one order could take the
-- place of another's case, for whoever knew the trade in advance.

DROP VIEW readable_cases;

CREATE TABLE cases_by_number (
    merchant_key   INTEGER NOT NULL,
    id             TEXT    NOT NULL,
    channel_key    INTEGER NOT NULL,
    kind           TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    remedy         TEXT    NOT NULL,
    payment_key    INTEGER,
    attempt_key    INTEGER REFERENCES attempts (key),
    out_trade_no   TEXT    NOT NULL,
    amount         INTEGER NOT NULL,
    currency       TEXT    NOT NULL,
    transaction_id TEXT    NOT NULL,
    payer          TEXT,
    paid_at        INTEGER,
    source         TEXT    NOT NULL,
    opened_at      INTEGER NOT NULL,
    need           TEXT, -- why a person must look
    refund_key     INTEGER REFERENCES refunds (key),
    resolution     TEXT,
    resolved_at    INTEGER,
    decision       TEXT, -- JSON: what a person decided last, who, why and when
    PRIMARY KEY (merchant_key, id),
    -- Platforms repeat themselves; a case is opened once. Of a channel, a number is
    -- one attempt's.
    UNIQUE (channel_key, out_trade_no, kind, transaction_id, amount, currency),
    CHECK (attempt_key IS NULL OR attempt_key / 32 = payment_key),
    FOREIGN KEY (merchant_key, channel_key) REFERENCES channels (merchant_key, key),
    FOREIGN KEY (merchant_key, payment_key) REFERENCES payments (merchant_key, key)
) STRICT, WITHOUT ROWID;

INSERT INTO cases_by_number
SELECT merchant_key, id, channel_key, kind, state, remedy, payment_key, attempt_key, out_trade_no, amount, currency,
    transaction_id, payer, paid_at, source, opened_at, need, refund_key, resolution, resolved_at, decision
FROM cases;

DROP TABLE cases;
ALTER TABLE cases_by_number RENAME TO cases;

CREATE INDEX cases_unresolved ON cases (merchant_key, id) WHERE state <> 'resolved';
CREATE INDEX cases_by_payment ON cases (payment_key, id) WHERE payment_key IS NOT NULL;

CREATE TRIGGER cases_are_of_one_thing
BEFORE UPDATE OF merchant_key, id, channel_key, kind, payment_key, attempt_key, out_trade_no, amount, currency,
    transaction_id, opened_at ON cases
BEGIN
    SELECT raise(ABORT, 'what a case is about never changes');
END;

CREATE TRIGGER cases_stay
BEFORE DELETE ON cases
BEGIN
    SELECT raise(ABORT, 'a case is never deleted');
END;

-- Until 0005 a payment kept of its cases only what they were of; since then it says
-- when they came, and whether the platform stands by them. Those from before were
-- read as claims that nobody had proven.
UPDATE cases SET state = 'needs_person', need = 'refund_abnormal',
    refund_key = (
        SELECT key FROM refunds
        WHERE refunds.attempt_key = cases.attempt_key AND refund_no = transaction_id AND refunds.amount = cases.amount
    )
WHERE kind = 'refund_abnormal' AND state = 'open';

UPDATE attempts SET raised = (
    SELECT json_group_array(json(CASE
        WHEN coalesce(one.value ->> 'at', 0) <> 0 THEN one.value
        ELSE json_patch(one.value, json_object(
            'at', coalesce(opened_at, 0),
            'paid_at', coalesce(one.value ->> 'paid_at', cases.paid_at),
            'proven', json(CASE
                WHEN one.value ->> 'proven' OR one.value ->> 'kind' = 'refund_abnormal' OR remedy = 'refund' THEN 'true'
                WHEN received_amount = one.value ->> '$.amount.minor'
                    AND received_currency = one.value ->> '$.amount.currency'
                    AND attempts.transaction_id = one.value ->> 'transaction_id' THEN 'true'
                ELSE 'false'
            END),
            'state', coalesce(cases.state, one.value ->> 'state', 'open'),
            'need', coalesce(need, one.value ->> 'need'),
            'refund', coalesce(refunds.id, one.value ->> 'refund')
        ))
    END))
    FROM json_each(attempts.raised) AS one
    LEFT JOIN cases ON cases.attempt_key = attempts.key AND cases.kind = one.value ->> 'kind'
        AND cases.transaction_id = one.value ->> 'transaction_id'
        AND cases.amount = one.value ->> '$.amount.minor' AND cases.currency = one.value ->> '$.amount.currency'
    LEFT JOIN refunds ON refunds.key = refund_key
)
WHERE EXISTS (SELECT 1 FROM json_each(raised) AS one WHERE coalesce(one.value ->> 'at', 0) = 0);

-- Somebody looks at each that is open, and asks about those that nothing has proven.
INSERT OR IGNORE INTO jobs (payment_key, kind, subject_id, due, lease_until, asked, fence)
SELECT cases.payment_key, 'case', attempts.id, 0, NULL, 1, 0
FROM cases JOIN attempts ON attempts.key = attempt_key
WHERE cases.state <> 'resolved';
INSERT OR IGNORE INTO jobs (payment_key, kind, subject_id, due, lease_until, asked, fence)
SELECT cases.payment_key, 'query', attempts.id, 0, NULL, 1, 0
FROM cases JOIN attempts ON attempts.key = attempt_key
WHERE cases.state = 'open' AND remedy = 'review';

CREATE VIEW readable_cases AS
SELECT merchants.id AS merchant_id, cases.id, channels.id AS channel_id, cases.kind, cases.state, need, remedy,
    payments.id AS payment_id, attempts.id AS attempt_id, cases.out_trade_no, cases.amount, cases.currency,
    cases.transaction_id, cases.payer, cases.paid_at, source, opened_at, refunds.id AS refund_id, resolution,
    resolved_at, decision
FROM cases
JOIN merchants ON merchants.key = cases.merchant_key
JOIN channels ON channels.key = cases.channel_key
LEFT JOIN payments ON payments.key = cases.payment_key
LEFT JOIN attempts ON attempts.key = cases.attempt_key
LEFT JOIN refunds ON refunds.key = refund_key;
