-- How old an order must be before its channel closes it, kept with the attempt:
-- the next thing said of the payment may come from another channel.

-- Those from before wait for the longest that a channel may ask for.
ALTER TABLE attempts ADD COLUMN close_after_secs INTEGER NOT NULL DEFAULT 300
    CHECK (close_after_secs BETWEEN 0 AND 4294967295);

CREATE TRIGGER attempts_keep_their_least_age
BEFORE UPDATE OF close_after_secs ON attempts
BEGIN
    SELECT raise(ABORT, 'when an attempt may be closed is fixed with it');
END;

DROP VIEW readable_attempts;
CREATE VIEW readable_attempts AS
SELECT merchants.id AS merchant_id, payments.id AS payment_id, attempts.id, out_trade_no,
    channels.id AS channel_id, channels.kind AS channel_kind, scene, attempts.state, action, transaction_id,
    payer, received_amount, received_currency, failure, client_ip, attempts.created_at, ended_at, hinted_at, raised,
    code_digest, patience, reversal, till AS till_id, close_after_secs
FROM attempts
JOIN payments ON payments.key = payment_key
JOIN merchants ON merchants.key = attempts.merchant_key
JOIN channels ON channels.key = channel_key;
