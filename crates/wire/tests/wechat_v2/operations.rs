//! Every operation at once: what holds for all requests and all answers.

use proptest::prelude::*;
use proptest::sample::Index;
use tongbao_wire::wechat_v2::head::{Content, Reply};
use tongbao_wire::wechat_v2::limits::{self, Form, Limit};
use tongbao_wire::wechat_v2::{
    FieldError, Fields, auth_code_to_openid, close_order, micropay, notification, order_query,
    refund, refund_query, reverse, unified_order,
};

/// One operation, from fields through its struct and back to fields.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) limits: &'static [Limit],
    pub(crate) request: fn(&Fields<'_>) -> Result<Fields<'static>, FieldError>,
    pub(crate) answer: fn(&Fields<'_>) -> Result<Fields<'static>, FieldError>,
    /// Of these numbers a request has one; the first wins.
    numbers: &'static [&'static str],
}

const OF_AN_ORDER: &[&str] = &["transaction_id", "out_trade_no"];

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "unifiedorder",
        limits: limits::UNIFIED_ORDER,
        request: |f| {
            Ok(unified_order::Request::from_fields(f)?
                .to_fields()
                .into_owned())
        },
        answer: answer::<unified_order::Prepaid>,
        numbers: &[],
    },
    Operation {
        name: "orderquery",
        limits: limits::ORDER_QUERY,
        request: |f| {
            Ok(order_query::Request::from_fields(f)?
                .to_fields()
                .into_owned())
        },
        answer: answer::<order_query::Order>,
        numbers: OF_AN_ORDER,
    },
    Operation {
        name: "closeorder",
        limits: limits::CLOSE_ORDER,
        request: |f| {
            Ok(close_order::Request::from_fields(f)?
                .to_fields()
                .into_owned())
        },
        answer: answer::<close_order::Closed>,
        numbers: &[],
    },
    Operation {
        name: "micropay",
        limits: limits::MICROPAY,
        request: |f| Ok(micropay::Request::from_fields(f)?.to_fields().into_owned()),
        answer: answer::<micropay::Paid>,
        numbers: &[],
    },
    Operation {
        name: "reverse",
        limits: limits::REVERSE,
        request: |f| Ok(reverse::Request::from_fields(f)?.to_fields().into_owned()),
        answer: |f| Ok(reverse::Answer::from_fields(f)?.to_fields().into_owned()),
        numbers: OF_AN_ORDER,
    },
    Operation {
        name: "refund",
        limits: limits::REFUND,
        request: |f| Ok(refund::Request::from_fields(f)?.to_fields().into_owned()),
        answer: answer::<refund::Accepted>,
        numbers: OF_AN_ORDER,
    },
    Operation {
        name: "refundquery",
        limits: limits::REFUND_QUERY,
        request: |f| {
            Ok(refund_query::Request::from_fields(f)?
                .to_fields()
                .into_owned())
        },
        answer: answer::<refund_query::Refunds>,
        numbers: &[
            "refund_id",
            "out_refund_no",
            "transaction_id",
            "out_trade_no",
        ],
    },
    Operation {
        name: "authcodetoopenid",
        limits: limits::AUTH_CODE_TO_OPENID,
        request: |f| {
            Ok(auth_code_to_openid::Request::from_fields(f)?
                .to_fields()
                .into_owned())
        },
        answer: answer::<auth_code_to_openid::Holder>,
        numbers: &[],
    },
];

fn answer<T: Content>(fields: &Fields<'_>) -> Result<Fields<'static>, FieldError> {
    Ok(Reply::<T>::from_fields(fields)?.to_fields().into_owned())
}

proptest! {
    #[test]
    fn every_request_within_the_limits_survives_its_struct(
        (operation, fields) in request(),
    ) {
        let sent: Fields<'_> = fields.iter().map(|(n, v)| (*n, &**v)).collect();
        prop_assert_eq!(limits::check(&sent, operation.limits), Ok(()));

        let written = (operation.request)(&sent).unwrap();
        let mut expected: Vec<_> = sent.iter().filter(|(name, _)| *name != "sign").collect();
        expected.sort_unstable();
        let written: Vec<_> = written.iter_by_name().collect();
        prop_assert_eq!(written, expected, "{}", operation.name);
    }

    #[test]
    fn a_request_with_one_value_out_of_its_limit_is_refused(
        (operation, mut fields) in request(),
        at in any::<Index>(),
    ) {
        let at = at.index(fields.len());
        let (name, value) = &mut fields[at];
        let limit = operation.limits.iter().find(|limit| limit.field == *name).unwrap();
        *value = "9".repeat(limit.max_chars + 1);
        let sent: Fields<'_> = fields.iter().map(|(n, v)| (*n, &**v)).collect();

        prop_assert_eq!(
            limits::check(&sent, operation.limits),
            Err(FieldError::Malformed(limit.field))
        );
    }

    #[test]
    fn a_request_without_a_required_field_is_read_by_no_operation(
        (operation, fields) in request(),
    ) {
        for limit in operation.limits.iter().filter(|limit| limit.required) {
            let without: Fields<'_> = fields
                .iter()
                .filter(|(name, _)| *name != limit.field)
                .map(|(name, value)| (*name, &**value))
                .collect();
            let missing = FieldError::Missing(limit.field);
            prop_assert_eq!(limits::check(&without, operation.limits), Err(missing));
            // The signature is not the struct's affair.
            if limit.field != "sign" {
                let read = (operation.request)(&without);
                prop_assert_eq!(read, Err(missing), "{}", operation.name);
            }
        }
    }

    #[test]
    fn an_answer_that_is_read_reads_the_same_when_written_again(
        operation in proptest::sample::select(OPERATIONS.iter().collect::<Vec<_>>()),
        fields in proptest::collection::vec((answer_name(), answer_value()), 0..30),
    ) {
        let whole = whole_answer(operation);
        prop_assert!((operation.answer)(&whole.iter().copied().collect()).is_ok());
        let whole = whole.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let fields: Fields<'_> = whole.chain(fields).collect();
        if let Ok(written) = (operation.answer)(&fields) {
            prop_assert_eq!((operation.answer)(&written), Ok(written.clone()));
            for (name, value) in written.iter() {
                prop_assert_eq!(fields.get(name), Some(value), "{} {}", operation.name, name);
            }
        }
    }
}

#[test]
fn a_request_is_no_answer_and_no_notification() {
    for operation in OPERATIONS {
        let fields: Fields<'_> = operation.limits.iter().map(|l| (l.field, "1")).collect();

        let missing = FieldError::Missing("return_code");
        assert_eq!(
            (operation.answer)(&fields),
            Err(missing),
            "{}",
            operation.name
        );
        let notification = notification::Notification::from_fields(&fields);
        assert_eq!(notification, Err(missing), "{}", operation.name);
    }
}

type Sent = Vec<(&'static str, String)>;

/// An operation, with all of its required fields, some of its optional ones and one number.
fn request() -> impl Strategy<Value = (&'static Operation, Sent)> {
    proptest::sample::select(OPERATIONS.iter().collect::<Vec<_>>())
        .prop_flat_map(|operation: &'static Operation| {
            let fields: Vec<_> = operation.limits.iter().map(field).collect();
            (Just(operation), fields, any::<Index>())
        })
        .prop_map(|(operation, fields, number)| {
            let kept = (!operation.numbers.is_empty())
                .then(|| operation.numbers[number.index(operation.numbers.len())]);
            let fields = fields
                .into_iter()
                .filter_map(|(limit, is_there, value)| {
                    let is_there = if operation.numbers.contains(&limit.field) {
                        limit.required || kept == Some(limit.field)
                    } else {
                        limit.required || is_there
                    };
                    is_there.then_some((limit.field, value))
                })
                .collect();
            (operation, fields)
        })
}

fn field(limit: &'static Limit) -> impl Strategy<Value = (&'static Limit, bool, String)> {
    let text = match limit.form {
        Form::Text => "[a-z图&<\\]{}\"]{1,40}".boxed(),
        Form::Amount => "[1-9][0-9]{0,17}".boxed(),
        Form::Count => "0|[1-9][0-9]{0,17}".boxed(),
        Form::Time => {
            "20[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])(0[0-9]|1[0-9]|2[0-3])([0-5][0-9]){2}"
                .boxed()
        }
        Form::OutTradeNo => "[A-Za-z0-9_|*@-]{6,32}".boxed(),
        Form::OutRefundNo => "[A-Za-z0-9_|*@-]{1,64}".boxed(),
        Form::NotifyUrl => "https?://[a-z.]{1,20}(/[a-z]{1,20})?".boxed(),
        Form::SignType => "MD5|HMAC-SHA256".boxed(),
        Form::Address => any::<std::net::IpAddr>()
            .prop_map(|ip| ip.to_string())
            .boxed(),
        Form::AuthCode => "1[0-5][0-9]{16}".boxed(),
    };
    let value = text.prop_map(|text| text.chars().take(limit.max_chars).collect());
    (Just(limit), any::<bool>(), value)
}

/// What every answer of this operation has, and those of the others.
fn whole_answer(operation: &Operation) -> Vec<(&'static str, &'static str)> {
    let mut fields = vec![
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", "wx1"),
        ("mch_id", "1"),
        ("nonce_str", "n"),
        ("openid", "o"),
        ("prepay_id", "p"),
        ("trade_type", "NATIVE"),
        ("transaction_id", "1"),
        ("out_trade_no", "1"),
        ("out_refund_no", "1"),
        ("refund_id", "1"),
        ("refund_count", "0"),
        ("total_fee", "2"),
        ("refund_fee", "1"),
        ("time_end", "20260101120000"),
    ];
    if operation.name == "orderquery" {
        fields.push(("trade_state", "SUCCESS"));
    }
    fields
}

fn answer_name() -> impl Strategy<Value = String> {
    let fen = "(total|cash|coupon|refund|settlement_total|settlement_refund|cash_refund|coupon_refund)_fee(_[01](_[01])?)?";
    let count = "(refund|coupon|coupon_refund|total_refund)_count(_[01])?";
    let number = "(out_trade_no|transaction_id|out_refund_no|refund_id)(_[01])?";
    let other = "(refund_status|refund_channel|coupon_type|coupon_id|coupon_refund_id)_[01](_[01])?|trade_type|trade_state|recall|time_end|code_url|sub_openid|err_code|new_field";
    prop_oneof![3 => fen, 3 => count, 3 => number, 2 => other]
}

fn answer_value() -> impl Strategy<Value = String> {
    prop_oneof![5 => "[0-2]", 1 => Just(String::new()), 1 => "20260101120000", 1 => "[A-Z]{1,8}|-1|01"]
}
