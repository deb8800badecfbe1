-- Times are milliseconds since 1970-01-01T00:00:00Z, amounts are in the smallest
-- unit of their currency (fen), ids are written as the API prints them and begin
-- with the time, so that new rows lie behind old ones.
--
-- Every key begins with the merchant, and every reference carries the merchant
-- with it: a row cannot belong to another merchant than what it refers to.

CREATE TABLE merchants (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    accept_late INTEGER NOT NULL CHECK (accept_late IN (0, 1)),
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    merchant_id TEXT    NOT NULL REFERENCES merchants (id),
    id          TEXT    NOT NULL,
    hash        BLOB    NOT NULL UNIQUE, -- SHA-256 of the whole key
    hint        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE data_keys (
    id          INTEGER NOT NULL PRIMARY KEY,
    merchant_id TEXT    NOT NULL REFERENCES merchants (id),
    wrapped     BLOB    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE channels (
    merchant_id    TEXT    NOT NULL REFERENCES merchants (id),
    id             TEXT    NOT NULL UNIQUE, -- a notification names no merchant
    kind           TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    enabled        INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    confirm        TEXT    NOT NULL,
    settings       TEXT    NOT NULL, -- JSON object
    sealed_secrets BLOB    NOT NULL,
    version        INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE payments (
    merchant_id       TEXT    NOT NULL REFERENCES merchants (id),
    id                TEXT    NOT NULL,
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
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, merchant_order_no)
) STRICT, WITHOUT ROWID;

-- Lists are merged from one run of rows for each state, newest first.
CREATE INDEX payments_by_state ON payments (merchant_id, state, created_at);

CREATE TRIGGER payments_ask_for_one_thing
BEFORE UPDATE OF merchant_id, id, merchant_order_no, amount, currency ON payments
BEGIN
    SELECT raise(ABORT, 'what a payment asks for never changes');
END;

CREATE TRIGGER payments_stay
BEFORE DELETE ON payments
BEGIN
    SELECT raise(ABORT, 'a payment is never deleted');
END;

CREATE TABLE attempts (
    merchant_id       TEXT    NOT NULL,
    payment_id        TEXT    NOT NULL,
    id                TEXT    NOT NULL,
    place             INTEGER NOT NULL, -- the order in which they were started
    out_trade_no      TEXT    NOT NULL,
    channel_id        TEXT    NOT NULL,
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
    PRIMARY KEY (merchant_id, payment_id, id),
    UNIQUE (channel_id, out_trade_no),
    FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
    FOREIGN KEY (merchant_id, channel_id) REFERENCES channels (merchant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER attempts_keep_their_number
BEFORE UPDATE OF merchant_id, payment_id, id, out_trade_no, channel_id ON attempts
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
    merchant_id TEXT    NOT NULL,
    payment_id  TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    event       TEXT, -- JSON; none for the payment's creation
    rules       TEXT    NOT NULL, -- JSON
    state       TEXT    NOT NULL,
    event_id    TEXT, -- what the merchant was told in the same transaction
    inbox_id    TEXT, -- the message that led to it
    PRIMARY KEY (merchant_id, payment_id, version),
    FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER payment_log_is_not_rewritten BEFORE UPDATE ON payment_log
BEGIN
    SELECT raise(ABORT, 'the timeline is not rewritten');
END;

CREATE TRIGGER payment_log_stays BEFORE DELETE ON payment_log
BEGIN
    SELECT raise(ABORT, 'the timeline is not rewritten');
END;

CREATE TABLE idempotency (
    merchant_id TEXT    NOT NULL REFERENCES merchants (id),
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    resource    TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, key)
) STRICT, WITHOUT ROWID;

-- What the world is still to be asked.
CREATE TABLE jobs (
    merchant_id TEXT    NOT NULL,
    payment_id  TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    attempt_id  TEXT    NOT NULL, -- empty for a job of the payment itself
    due         INTEGER NOT NULL,
    lease_until INTEGER,
    asked       INTEGER NOT NULL,
    fence       INTEGER NOT NULL,
    ready_at    INTEGER NOT NULL GENERATED ALWAYS AS (max(due, coalesce(lease_until, due))) VIRTUAL,
    PRIMARY KEY (merchant_id, payment_id, kind, attempt_id),
    FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
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
    merchant_id   TEXT    NOT NULL REFERENCES merchants (id),
    id            TEXT    NOT NULL,
    url           TEXT    NOT NULL,
    enabled       INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    event_types   TEXT    NOT NULL, -- JSON array; empty means all
    store         TEXT,
    sealed_secret BLOB    NOT NULL,
    created_at    INTEGER NOT NULL,
    deleted       INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)), -- kept for what it was told
    PRIMARY KEY (merchant_id, id)
) STRICT, WITHOUT ROWID;

-- Rows with a long text lie in the order in which they came, and the keys point
-- to them.
CREATE TABLE events (
    merchant_id TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    payment_id  TEXT,
    store       TEXT,
    type        TEXT    NOT NULL,
    sequence    INTEGER NOT NULL,
    body        TEXT    NOT NULL, -- the bytes that are signed and sent
    created_at  INTEGER NOT NULL,
    logged      INTEGER NOT NULL CHECK (logged IN (0, 1)), -- the timeline leads to it
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id) REFERENCES merchants (id),
    FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
) STRICT;

CREATE INDEX events_by_type ON events (merchant_id, type, created_at, id);

-- Nearly all of a payment's events are found by its timeline, which is written
-- anyway; this is for the others.
CREATE INDEX events_by_payment ON events (merchant_id, payment_id)
WHERE payment_id IS NOT NULL AND logged = 0;

CREATE TRIGGER events_are_facts BEFORE UPDATE ON events
BEGIN
    SELECT raise(ABORT, 'an event is told in the same words every time');
END;

CREATE TABLE deliveries (
    merchant_id TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    endpoint_id TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state = 'pending' OR state = 'delivered' OR state = 'exhausted'),
    due         INTEGER NOT NULL,
    lease_until INTEGER,
    tries       INTEGER NOT NULL, -- since it was scheduled
    fence       INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, event_id, endpoint_id),
    FOREIGN KEY (merchant_id, event_id) REFERENCES events (merchant_id, id),
    FOREIGN KEY (merchant_id, endpoint_id) REFERENCES endpoints (merchant_id, id)
) STRICT, WITHOUT ROWID;

-- A lane for each endpoint: what is leased, and what is due next.
CREATE INDEX deliveries_by_lane ON deliveries (endpoint_id, lease_until, due) WHERE state = 'pending';
CREATE INDEX deliveries_exhausted ON deliveries (merchant_id) WHERE state = 'exhausted';

CREATE TABLE delivery_tries (
    id              INTEGER NOT NULL PRIMARY KEY,
    merchant_id     TEXT    NOT NULL,
    event_id        TEXT    NOT NULL,
    endpoint_id     TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    request_headers TEXT    NOT NULL,
    status          INTEGER,
    answer          TEXT    NOT NULL,
    took_millis     INTEGER NOT NULL,
    FOREIGN KEY (merchant_id, event_id, endpoint_id) REFERENCES deliveries ON DELETE CASCADE
) STRICT;

CREATE INDEX delivery_tries_by_delivery ON delivery_tries (merchant_id, event_id, endpoint_id);

CREATE TABLE cases (
    merchant_id    TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    channel_id     TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    remedy         TEXT    NOT NULL,
    payment_id     TEXT,
    attempt_id     TEXT,
    out_trade_no   TEXT    NOT NULL,
    amount         INTEGER NOT NULL,
    currency       TEXT    NOT NULL,
    transaction_id TEXT    NOT NULL,
    payer          TEXT,
    paid_at        INTEGER,
    source         TEXT    NOT NULL,
    opened_at      INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id),
    -- Platforms repeat themselves; a case is opened once.
    UNIQUE (channel_id, kind, transaction_id, amount, currency),
    FOREIGN KEY (merchant_id, channel_id) REFERENCES channels (merchant_id, id),
    FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
    FOREIGN KEY (merchant_id, payment_id, attempt_id)
        REFERENCES attempts (merchant_id, payment_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX cases_open ON cases (merchant_id, id) WHERE state = 'open';
CREATE INDEX cases_by_payment ON cases (merchant_id, payment_id) WHERE payment_id IS NOT NULL;

-- What came in from platforms.
CREATE TABLE inbox (
    merchant_id TEXT    NOT NULL,
    channel_id  TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    verdict     TEXT    NOT NULL,
    reason      TEXT,
    payment_id  TEXT,
    body_hash   BLOB    NOT NULL, -- SHA-256
    body        BLOB    NOT NULL,
    copies      INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    logged      INTEGER NOT NULL CHECK (logged IN (0, 1)), -- the timeline leads to it
    PRIMARY KEY (merchant_id, channel_id, id),
    FOREIGN KEY (merchant_id, channel_id) REFERENCES channels (merchant_id, id),
    FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
) STRICT;

-- Finds copies, and the messages that no timeline leads to. Hashes lie anywhere:
-- an index of all of them would be one more page to write for every message.
CREATE INDEX inbox_by_payment ON inbox (merchant_id, payment_id, body_hash) WHERE logged = 0;
