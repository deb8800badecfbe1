-- A merchant's shops (the API says stores) and their tills.
--
-- `store` in payments, endpoints and events is the id of a shop of the same
-- merchant; triggers hold that, since a column that is there gets no reference.

CREATE TABLE stores (
    key          INTEGER NOT NULL PRIMARY KEY,
    merchant_key INTEGER NOT NULL REFERENCES merchants (key),
    id           TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    UNIQUE (merchant_key, key),
    UNIQUE (merchant_key, name)
) STRICT;

CREATE TABLE tills (
    key          INTEGER NOT NULL PRIMARY KEY,
    merchant_key INTEGER NOT NULL,
    store_key    INTEGER NOT NULL,
    id           TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    hash         BLOB    NOT NULL UNIQUE, -- SHA-256 of the whole key
    hint         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    revoked_at   INTEGER,
    FOREIGN KEY (merchant_key, store_key) REFERENCES stores (merchant_key, key)
) STRICT;

-- A till whose key was lost is revoked, and another one gets its name.
CREATE UNIQUE INDEX tills_by_name ON tills (store_key, name) WHERE revoked_at IS NULL;

CREATE TRIGGER tills_stay_where_they_are
BEFORE UPDATE OF key, merchant_key, store_key, id, hash ON tills
BEGIN
    SELECT raise(ABORT, 'a till never moves, and its key never changes');
END;

CREATE TRIGGER tills_stay_revoked
BEFORE UPDATE OF revoked_at ON tills WHEN OLD.revoked_at IS NOT NEW.revoked_at AND OLD.revoked_at IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'a key that was revoked never opens anything again');
END;

-- What was free text until now becomes a shop of that name. Its id is a number
-- that no mint makes: theirs begin with the time.
INSERT INTO stores (merchant_key, id, name, created_at)
SELECT merchant_key, 'sto_' || printf('%026d', row_number() OVER (ORDER BY merchant_key, store)), store, min(created_at)
FROM (
    SELECT merchant_key, store, created_at FROM payments WHERE store IS NOT NULL
    UNION ALL SELECT merchant_key, store, created_at FROM endpoints WHERE store IS NOT NULL
    UNION ALL SELECT merchant_key, store, created_at FROM events WHERE store IS NOT NULL
)
GROUP BY merchant_key, store;

DROP TRIGGER events_are_facts;

UPDATE payments SET store = (SELECT id FROM stores WHERE stores.merchant_key = payments.merchant_key AND name = store)
WHERE store IS NOT NULL;
UPDATE endpoints SET store = (SELECT id FROM stores WHERE stores.merchant_key = endpoints.merchant_key AND name = store)
WHERE store IS NOT NULL;
UPDATE events SET store = (SELECT id FROM stores WHERE stores.merchant_key = events.merchant_key AND name = store)
WHERE store IS NOT NULL;

CREATE TRIGGER events_are_facts BEFORE UPDATE ON events
BEGIN
    SELECT raise(ABORT, 'an event is told in the same words every time');
END;

CREATE TRIGGER payments_are_of_a_store_of_the_merchant
BEFORE INSERT ON payments
WHEN NEW.store IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM stores WHERE id = NEW.store AND merchant_key = NEW.merchant_key)
BEGIN
    SELECT raise(ABORT, 'the store is not one of the merchant');
END;

CREATE TRIGGER payments_stay_in_their_store
BEFORE UPDATE OF store ON payments
BEGIN
    SELECT raise(ABORT, 'a payment never moves to another store');
END;

CREATE TRIGGER endpoints_are_of_a_store_of_the_merchant
BEFORE INSERT ON endpoints
WHEN NEW.store IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM stores WHERE id = NEW.store AND merchant_key = NEW.merchant_key)
BEGIN
    SELECT raise(ABORT, 'the store is not one of the merchant');
END;

CREATE TRIGGER endpoints_move_within_the_merchant
BEFORE UPDATE OF store ON endpoints
WHEN NEW.store IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM stores WHERE id = NEW.store AND merchant_key = NEW.merchant_key)
BEGIN
    SELECT raise(ABORT, 'the store is not one of the merchant');
END;

CREATE TRIGGER events_are_of_a_store_of_the_merchant
BEFORE INSERT ON events
WHEN NEW.store IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM stores WHERE id = NEW.store AND merchant_key = NEW.merchant_key)
BEGIN
    SELECT raise(ABORT, 'the store is not one of the merchant');
END;

-- A shop's lists and takings, as a merchant's: one run of rows for each state.
CREATE INDEX payments_of_store ON payments (store, state, created_at) WHERE store IS NOT NULL;

CREATE VIEW readable_stores AS
SELECT merchants.id AS merchant_id, stores.id, stores.name, stores.created_at
FROM stores JOIN merchants ON merchants.key = merchant_key;

CREATE VIEW readable_tills AS
SELECT merchants.id AS merchant_id, stores.id AS store_id, tills.id, tills.name, hint, tills.created_at, revoked_at
FROM tills
JOIN merchants ON merchants.key = tills.merchant_key
JOIN stores ON stores.key = store_key;
