-- Times are milliseconds since 1970-01-01T00:00:00Z, amounts are in the smallest
-- unit of their currency (fen).
--
-- Inside, rows know each other by small numbers (`key`); the ids that the API
-- prints are columns of the rows that they name. The views `readable_…` at the
-- end show ids in the place of keys: read those.
--
-- A row that names two things of a merchant carries the merchant besides, and
-- both references include it: a row cannot belong to another merchant than what
-- it refers to. A row that names one thing belongs to whom that belongs to.
--
-- Rows lie in the order in which they came. What is only ever added about a
-- payment (timeline, messages, events) hangs on it by a chain: the payment names
-- the last one, and each names the one before. So all of it is appended, and a
-- step of a payment changes the payment, its attempt, and no page of an index
-- that lies anywhere.

CREATE TABLE merchants (
    key         INTEGER NOT NULL PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    name        TEXT    NOT NULL,
    accept_late INTEGER NOT NULL CHECK (accept_late IN (0, 1)),
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    merchant_key INTEGER NOT NULL REFERENCES merchants (key),
    id           TEXT    NOT NULL,
    hash         BLOB    NOT NULL UNIQUE, -- SHA-256 of the whole key
    hint         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (merchant_key, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE data_keys (
    id           INTEGER NOT NULL PRIMARY KEY,
    merchant_key INTEGER NOT NULL REFERENCES merchants (key),
    wrapped      BLOB    NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE channels (
    key            INTEGER NOT NULL PRIMARY KEY,
    merchant_key   INTEGER NOT NULL REFERENCES merchants (key),
    id             TEXT    NOT NULL UNIQUE, -- a notification names no merchant
    kind           TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    enabled        INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    confirm        TEXT    NOT NULL,
    settings       TEXT    NOT NULL, -- JSON object
    sealed_secrets BLOB    NOT NULL,
    version        INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    UNIQUE (merchant_key, key)
) STRICT;

CREATE TABLE payments (
    key               INTEGER NOT NULL PRIMARY KEY,
    merchant_key      INTEGER NOT NULL REFERENCES merchants (key),
    id                TEXT    NOT NULL UNIQUE,
    merchant_order_no TEXT    NOT NULL,
    amount            INTEGER NOT NULL CHECK (amount > 0),
    currency          TEXT    NOT NULL,
    subject           TEXT    NOT NULL,
    metadata          TEXT    NOT NULL, -- JSON object
    store             TEXT,
    return_url        TEXT,
    -- The API's word. A pending payment with a close_reason is being closed.
    -- (`IN` would build a table of the words for every row that is written.)
    state             TEXT    NOT NULL CHECK (state = 'created' OR state = 'pending' OR state = 'paid' OR state = 'closed'),
    paid_by           TEXT, -- the attempt that paid it
    paid_at           INTEGER,
    close_reason      TEXT,
    closed_at         INTEGER,
    version           INTEGER NOT NULL,
    checkout_token    TEXT    NOT NULL UNIQUE,
    created_at        INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL,
    last_line         INTEGER, -- of the timeline
    last_event        INTEGER, -- that the merchant was told
    last_message      INTEGER, -- of the inbox
    UNIQUE (merchant_key, merchant_order_no),
    UNIQUE (merchant_key, key)
) STRICT;

-- Lists are merged from one run of rows for each state, newest first.
CREATE INDEX payments_created ON payments (merchant_key, created_at) WHERE state = 'created';
CREATE INDEX payments_pending ON payments (merchant_key, created_at) WHERE state = 'pending';
CREATE INDEX payments_paid ON payments (merchant_key, created_at) WHERE state = 'paid';
CREATE INDEX payments_closed ON payments (merchant_key, created_at) WHERE state = 'closed';

CREATE TRIGGER payments_ask_for_one_thing
BEFORE UPDATE OF key, merchant_key, id, merchant_order_no, amount, currency ON payments
BEGIN
    SELECT raise(ABORT, 'what a payment asks for never changes');
END;

CREATE TRIGGER payments_stay
BEFORE DELETE ON payments
BEGIN
    SELECT raise(ABORT, 'a payment is never deleted');
END;

CREATE TABLE attempts (
    -- The payment's key and the attempt's place: the attempts of a payment lie
    -- side by side, and no index is needed to find them.
    key               INTEGER NOT NULL PRIMARY KEY,
    merchant_key      INTEGER NOT NULL,
    payment_key       INTEGER NOT NULL,
    id                TEXT    NOT NULL,
    out_trade_no      TEXT    NOT NULL,
    channel_key       INTEGER NOT NULL,
    scene             TEXT    NOT NULL,
    state             TEXT    NOT NULL,
    action            TEXT, -- JSON
    transaction_id    TEXT,
    payer             TEXT,
    received_amount   INTEGER,
    received_currency TEXT,
    failure           TEXT, -- JSON
    client_ip         TEXT,
    created_at        INTEGER NOT NULL,
    ended_at          INTEGER,
    hinted_at         INTEGER,
    raised            TEXT    NOT NULL, -- JSON array
    code_digest       TEXT, -- of the code that the payer showed
    patience          TEXT, -- JSON: how long a payer at a till is waited for
    reversal          TEXT, -- JSON: its channel was asked to take it back
    UNIQUE (channel_key, out_trade_no),
    CHECK (key / 32 = payment_key),
    FOREIGN KEY (merchant_key, payment_key) REFERENCES payments (merchant_key, key),
    FOREIGN KEY (merchant_key, channel_key) REFERENCES channels (merchant_key, key)
) STRICT;

CREATE TRIGGER attempts_keep_their_number
BEFORE UPDATE OF key, merchant_key, payment_key, id, out_trade_no, channel_key ON attempts
BEGIN
    SELECT raise(ABORT, 'the number that a channel knows never changes');
END;

CREATE TRIGGER attempts_stay
BEFORE DELETE ON attempts
BEGIN
    SELECT raise(ABORT, 'an attempt is never deleted');
END;

-- The timeline: folding a payment's lines gives the payment.
CREATE TABLE payment_log (
    key         INTEGER NOT NULL PRIMARY KEY,
    payment_key INTEGER NOT NULL REFERENCES payments (key),
    version     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    event       TEXT, -- JSON; none for the payment's creation
    rules       TEXT    NOT NULL, -- JSON
    state       TEXT    NOT NULL,
    previous    INTEGER -- the line before
) STRICT;

CREATE TRIGGER payment_log_is_not_rewritten BEFORE UPDATE ON payment_log
BEGIN
    SELECT raise(ABORT, 'the timeline is not rewritten');
END;

CREATE TRIGGER payment_log_stays BEFORE DELETE ON payment_log
BEGIN
    SELECT raise(ABORT, 'the timeline is not rewritten');
END;

CREATE TABLE idempotency (
    merchant_key INTEGER NOT NULL REFERENCES merchants (key),
    key          TEXT    NOT NULL,
    fingerprint  BLOB    NOT NULL,
    resource     TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (merchant_key, key)
) STRICT, WITHOUT ROWID;

-- What the world is still to be asked.
CREATE TABLE jobs (
    payment_key INTEGER NOT NULL REFERENCES payments (key),
    kind        TEXT    NOT NULL,
    attempt_id  TEXT    NOT NULL, -- empty for a job of the payment itself
    due         INTEGER NOT NULL,
    lease_until INTEGER,
    asked       INTEGER NOT NULL,
    fence       INTEGER NOT NULL,
    ready_at    INTEGER NOT NULL GENERATED ALWAYS AS (max(due, coalesce(lease_until, due))) VIRTUAL,
    PRIMARY KEY (payment_key, kind, attempt_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX jobs_by_readiness ON jobs (ready_at);

-- Rises with every claim of a job or a delivery. A job's row goes and comes
-- again; a number of its own would begin anew, and a claimer who wakes late
-- would hold the next one's lease.
CREATE TABLE fence (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    last INTEGER NOT NULL
) STRICT;

INSERT INTO fence VALUES (1, 0);

CREATE TABLE endpoints (
    key           INTEGER NOT NULL PRIMARY KEY,
    merchant_key  INTEGER NOT NULL REFERENCES merchants (key),
    id            TEXT    NOT NULL,
    url           TEXT    NOT NULL,
    enabled       INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    event_types   TEXT    NOT NULL, -- JSON array; empty means all
    store         TEXT,
    sealed_secret BLOB    NOT NULL,
    created_at    INTEGER NOT NULL,
    deleted       INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)), -- kept for what it was told
    UNIQUE (merchant_key, id),
    UNIQUE (merchant_key, key)
) STRICT;

CREATE TABLE events (
    key          INTEGER NOT NULL PRIMARY KEY,
    merchant_key INTEGER NOT NULL REFERENCES merchants (key),
    id           TEXT    NOT NULL,
    payment_key  INTEGER,
    store        TEXT,
    type         TEXT    NOT NULL,
    sequence     INTEGER NOT NULL,
    body         TEXT    NOT NULL, -- the bytes that are signed and sent
    created_at   INTEGER NOT NULL,
    previous     INTEGER, -- the event of this payment before
    UNIQUE (merchant_key, id),
    UNIQUE (merchant_key, key),
    FOREIGN KEY (merchant_key, payment_key) REFERENCES payments (merchant_key, key)
) STRICT;

CREATE INDEX events_by_type ON events (merchant_key, type, created_at);

CREATE TRIGGER events_are_facts BEFORE UPDATE ON events
BEGIN
    SELECT raise(ABORT, 'an event is told in the same words every time');
END;

CREATE TABLE deliveries (
    merchant_key INTEGER NOT NULL,
    event_key    INTEGER NOT NULL,
    endpoint_key INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK (state = 'pending' OR state = 'delivered' OR state = 'exhausted'),
    due          INTEGER NOT NULL,
    lease_until  INTEGER,
    tries        INTEGER NOT NULL, -- since it was scheduled
    fence        INTEGER NOT NULL,
    PRIMARY KEY (event_key, endpoint_key),
    FOREIGN KEY (merchant_key, event_key) REFERENCES events (merchant_key, key),
    FOREIGN KEY (merchant_key, endpoint_key) REFERENCES endpoints (merchant_key, key)
) STRICT, WITHOUT ROWID;

-- A lane for each endpoint: what is leased, and what is due next.
CREATE INDEX deliveries_by_lane ON deliveries (endpoint_key, lease_until, due) WHERE state = 'pending';
CREATE INDEX deliveries_exhausted ON deliveries (merchant_key) WHERE state = 'exhausted';

CREATE TABLE delivery_tries (
    key             INTEGER NOT NULL PRIMARY KEY,
    event_key       INTEGER NOT NULL,
    endpoint_key    INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    request_headers TEXT    NOT NULL,
    status          INTEGER,
    answer          TEXT    NOT NULL,
    took_millis     INTEGER NOT NULL,
    FOREIGN KEY (event_key, endpoint_key) REFERENCES deliveries ON DELETE CASCADE
) STRICT;

CREATE INDEX delivery_tries_by_delivery ON delivery_tries (event_key, endpoint_key);

CREATE TABLE cases (
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
    PRIMARY KEY (merchant_key, id),
    -- Platforms repeat themselves; a case is opened once.
    UNIQUE (channel_key, kind, transaction_id, amount, currency),
    CHECK (attempt_key IS NULL OR attempt_key / 32 = payment_key),
    FOREIGN KEY (merchant_key, channel_key) REFERENCES channels (merchant_key, key),
    FOREIGN KEY (merchant_key, payment_key) REFERENCES payments (merchant_key, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX cases_open ON cases (merchant_key, id) WHERE state = 'open';
CREATE INDEX cases_by_payment ON cases (payment_key, id) WHERE payment_key IS NOT NULL;

-- What came in from platforms.
CREATE TABLE inbox (
    key          INTEGER NOT NULL PRIMARY KEY,
    merchant_key INTEGER NOT NULL,
    channel_key  INTEGER NOT NULL,
    id           TEXT    NOT NULL,
    received_at  INTEGER NOT NULL,
    verdict      TEXT    NOT NULL,
    reason       TEXT,
    payment_key  INTEGER,
    body_hash    BLOB    NOT NULL, -- SHA-256
    body         BLOB    NOT NULL,
    copies       INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    previous     INTEGER, -- the message of this payment before
    UNIQUE (channel_key, id),
    FOREIGN KEY (merchant_key, channel_key) REFERENCES channels (merchant_key, key),
    FOREIGN KEY (merchant_key, payment_key) REFERENCES payments (merchant_key, key)
) STRICT;

-- Finds copies of what names no payment; the others hang on theirs. Hashes lie
-- anywhere: an index of all of them would be one more page to write for every
-- message.
CREATE INDEX inbox_of_nobody ON inbox (channel_key, body_hash) WHERE payment_key IS NULL;

-- For people. The program itself reads the tables.

CREATE VIEW readable_payments AS
SELECT merchants.id AS merchant_id, payments.id, merchant_order_no, amount, currency, subject, metadata,
    store, return_url, state, paid_by, paid_at, close_reason, closed_at, version, payments.created_at, expires_at
FROM payments JOIN merchants ON merchants.key = merchant_key;

CREATE VIEW readable_attempts AS
SELECT merchants.id AS merchant_id, payments.id AS payment_id, attempts.id, out_trade_no,
    channels.id AS channel_id, channels.kind AS channel_kind, scene, attempts.state, action, transaction_id,
    payer, received_amount, received_currency, failure, client_ip, attempts.created_at, ended_at, hinted_at, raised,
    code_digest, patience, reversal
FROM attempts
JOIN payments ON payments.key = payment_key
JOIN merchants ON merchants.key = attempts.merchant_key
JOIN channels ON channels.key = channel_key;

CREATE VIEW readable_timeline AS
SELECT merchants.id AS merchant_id, payments.id AS payment_id, payment_log.version, at, event, rules, payment_log.state
FROM payment_log
JOIN payments ON payments.key = payment_key
JOIN merchants ON merchants.key = merchant_key;

CREATE VIEW readable_jobs AS
SELECT merchants.id AS merchant_id, payments.id AS payment_id, kind, attempt_id, due, lease_until, asked
FROM jobs
JOIN payments ON payments.key = payment_key
JOIN merchants ON merchants.key = merchant_key;

CREATE VIEW readable_events AS
SELECT merchants.id AS merchant_id, events.id, payments.id AS payment_id, events.store, type, sequence, body, events.created_at
FROM events
JOIN merchants ON merchants.key = events.merchant_key
LEFT JOIN payments ON payments.key = payment_key;

CREATE VIEW readable_deliveries AS
SELECT merchants.id AS merchant_id, events.id AS event_id, endpoints.id AS endpoint_id, url, deliveries.state, due, lease_until, tries
FROM deliveries
JOIN merchants ON merchants.key = deliveries.merchant_key
JOIN events ON events.key = event_key
JOIN endpoints ON endpoints.key = endpoint_key;

CREATE VIEW readable_cases AS
SELECT merchants.id AS merchant_id, cases.id, channels.id AS channel_id, cases.kind, cases.state, remedy,
    payments.id AS payment_id, attempts.id AS attempt_id, cases.out_trade_no, cases.amount, cases.currency,
    cases.transaction_id, cases.payer, cases.paid_at, source, opened_at
FROM cases
JOIN merchants ON merchants.key = cases.merchant_key
JOIN channels ON channels.key = cases.channel_key
LEFT JOIN payments ON payments.key = cases.payment_key
LEFT JOIN attempts ON attempts.key = attempt_key;

CREATE VIEW readable_inbox AS
SELECT merchants.id AS merchant_id, channels.id AS channel_id, inbox.id, received_at, verdict, reason,
    payments.id AS payment_id, body_hash, body, copies, last_at
FROM inbox
JOIN merchants ON merchants.key = inbox.merchant_key
JOIN channels ON channels.key = channel_key
LEFT JOIN payments ON payments.key = payment_key;
