-- Cases from opened to resolved, and what may go back of them without a person.

-- `auto_refund`: whether money of cases goes back without a person, and at most
-- how much of one case and in one day of China, in fen.
ALTER TABLE merchants ADD COLUMN auto_refund INTEGER NOT NULL DEFAULT 0 CHECK (auto_refund IN (0, 1));
ALTER TABLE merchants ADD COLUMN refund_per_case INTEGER NOT NULL DEFAULT 50000;
ALTER TABLE merchants ADD COLUMN refund_per_day INTEGER NOT NULL DEFAULT 500000;

-- Nobody asked for it: it counts against the day's limit.
ALTER TABLE refunds ADD COLUMN automatic INTEGER NOT NULL DEFAULT 0 CHECK (automatic = 0 OR automatic = 1);

-- What went back in a day is summed from here alone.
CREATE INDEX refunds_automatic ON refunds (merchant_key, created_at, amount) WHERE automatic = 1;

DROP TRIGGER refunds_ask_for_one_thing;
CREATE TRIGGER refunds_ask_for_one_thing
BEFORE UPDATE OF key, merchant_key, payment_key, attempt_key, channel_key, id, merchant_refund_no,
    out_refund_no, amount, currency, case_kind, automatic, created_at ON refunds
BEGIN
    SELECT raise(ABORT, 'what a refund asks for never changes, its number least of all');
END;

ALTER TABLE cases ADD COLUMN need TEXT; -- why a person must look
ALTER TABLE cases ADD COLUMN refund_key INTEGER REFERENCES refunds (key);
ALTER TABLE cases ADD COLUMN resolution TEXT;
ALTER TABLE cases ADD COLUMN resolved_at INTEGER;
ALTER TABLE cases ADD COLUMN decision TEXT; -- JSON: what a person decided last, who, why and when

DROP INDEX cases_open;
CREATE INDEX cases_unresolved ON cases (merchant_key, id) WHERE state <> 'resolved';

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

-- Those from before: a person decides, or a look at them says why one must.
UPDATE cases SET state = 'needs_person', need = 'unknown_payment' WHERE payment_key IS NULL AND state = 'open';
INSERT OR IGNORE INTO jobs (payment_key, kind, subject_id, due, lease_until, asked, fence)
SELECT cases.payment_key, 'case', attempts.id, 0, NULL, 1, 0
FROM cases JOIN attempts ON attempts.key = attempt_key
WHERE cases.state = 'open' AND remedy = 'refund';

DROP VIEW readable_cases;
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

DROP VIEW readable_refunds;
CREATE VIEW readable_refunds AS
SELECT merchants.id AS merchant_id, payments.id AS payment_id, attempts.id AS attempt_id, refunds.id,
    merchant_refund_no, out_refund_no, channels.id AS channel_id, refunds.amount, refunds.currency, reason,
    case_kind, automatic, refunds.state, refund_no, refunds.failure, refused, starts_at, refunds.created_at,
    refunds.ended_at, refunds.hinted_at, refunds.till AS till_id
FROM refunds
JOIN merchants ON merchants.key = refunds.merchant_key
JOIN payments ON payments.key = refunds.payment_key
JOIN attempts ON attempts.key = refunds.attempt_key
JOIN channels ON channels.key = refunds.channel_key;
