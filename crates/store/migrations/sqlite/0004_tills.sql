-- Which till took the money, and which one gave it back.
--
-- `till` is the id of a till of the payment's own store; triggers hold that, as
-- they do of `store`.

ALTER TABLE attempts ADD COLUMN till TEXT;
ALTER TABLE refunds ADD COLUMN till TEXT;

CREATE TRIGGER attempts_are_of_a_till_of_the_payments_store
BEFORE INSERT ON attempts
WHEN NEW.till IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM tills
        JOIN stores ON stores.key = store_key
        JOIN payments ON payments.store = stores.id AND payments.merchant_key = stores.merchant_key
        WHERE tills.id = NEW.till AND payments.key = NEW.payment_key
    )
BEGIN
    SELECT raise(ABORT, 'the till is not one of the payment''s store');
END;

CREATE TRIGGER refunds_are_of_a_till_of_the_payments_store
BEFORE INSERT ON refunds
WHEN NEW.till IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM tills
        JOIN stores ON stores.key = store_key
        JOIN payments ON payments.store = stores.id AND payments.merchant_key = stores.merchant_key
        WHERE tills.id = NEW.till AND payments.key = NEW.payment_key
    )
BEGIN
    SELECT raise(ABORT, 'the till is not one of the payment''s store');
END;

CREATE TRIGGER attempts_keep_their_till
BEFORE UPDATE OF till ON attempts
BEGIN
    SELECT raise(ABORT, 'who took the money never changes');
END;

CREATE TRIGGER refunds_keep_their_till
BEFORE UPDATE OF till ON refunds
BEGIN
    SELECT raise(ABORT, 'who gave the money back never changes');
END;

-- A shop's day: what was paid, by when, and what went back, by when.
CREATE INDEX payments_taken ON payments (store, paid_at) WHERE store IS NOT NULL AND paid_at IS NOT NULL;
CREATE INDEX refunds_given ON refunds (merchant_key, ended_at) WHERE state = 'succeeded';

DROP VIEW readable_attempts;

CREATE VIEW readable_attempts AS
SELECT merchants.id AS merchant_id, payments.id AS payment_id, attempts.id, out_trade_no,
    channels.id AS channel_id, channels.kind AS channel_kind, scene, attempts.state, action, transaction_id,
    payer, received_amount, received_currency, failure, client_ip, attempts.created_at, ended_at, hinted_at, raised,
    code_digest, patience, reversal, till AS till_id
FROM attempts
JOIN payments ON payments.key = payment_key
JOIN merchants ON merchants.key = attempts.merchant_key
JOIN channels ON channels.key = channel_key;

DROP VIEW readable_refunds;

CREATE VIEW readable_refunds AS
SELECT merchants.id AS merchant_id, payments.id AS payment_id, attempts.id AS attempt_id, refunds.id,
    merchant_refund_no, out_refund_no, channels.id AS channel_id, refunds.amount, refunds.currency, reason,
    case_kind, refunds.state, refund_no, refunds.failure, refused, starts_at, refunds.created_at, refunds.ended_at,
    refunds.hinted_at, refunds.till AS till_id
FROM refunds
JOIN merchants ON merchants.key = refunds.merchant_key
JOIN payments ON payments.key = refunds.payment_key
JOIN attempts ON attempts.key = refunds.attempt_key
JOIN channels ON channels.key = refunds.channel_key;
