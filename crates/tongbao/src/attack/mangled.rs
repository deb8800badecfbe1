//! Was it written for this? Genuine messages with a change in them, and genuine
//! messages of another kind: the same key signs in both directions.

use super::letter::Letter;
use super::table::Table;

pub(super) fn add(table: &mut Table<'_>) {
    changed(table);
    grown(table);
    our_own(table);
    answers(table);
}

/// A25: changed after signing.
fn changed(table: &mut Table<'_>) {
    let genuine = table.genuine();
    let names: Vec<_> = table.letter().pairs;
    for (name, value) in &names {
        let mut characters: Vec<_> = value.chars().collect();
        if let Some(last) = characters.last_mut() {
            *last = if *last == '0' { '1' } else { '0' };
        }
        let other: String = characters.into_iter().collect();
        let renamed = genuine
            .pairs
            .iter()
            .map(|(known, value)| {
                let new = if known == name {
                    format!("{name}x")
                } else {
                    known.clone()
                };
                (new, value.clone())
            })
            .collect();
        for (what, letter) in [
            (
                "ends in another character",
                genuine.clone().with(name, &other),
            ),
            (
                "is longer by one character",
                genuine.clone().with(name, &format!("{value}0")),
            ),
            ("is empty", genuine.clone().with(name, "")),
            (
                "has a space behind",
                genuine.clone().with(name, &format!("{value} ")),
            ),
            ("is gone", genuine.clone().without(name)),
            ("has another name", Letter { pairs: renamed }),
        ] {
            table.refuse(
                "A25",
                format!("{name} {what} since it was signed"),
                letter.xml(),
            );
        }
    }
    for two in names.windows(2) {
        let [(one, first), (other, second)] = two else {
            continue;
        };
        let letter = genuine.clone().with(one, second).with(other, first);
        if first != second {
            table.refuse(
                "A25",
                format!("{one} and {other} changed places"),
                letter.xml(),
            );
        }
    }
    let other = genuine.clone().with("out_trade_no", "T00000000000000000");
    table.refuse("A25", "of another order", other.xml());
}

/// A37: with more than was signed.
fn grown(table: &mut Table<'_>) {
    let genuine = table.genuine();
    for (name, value) in [
        ("attach", "x"),
        ("version", "1.0"),
        ("sub_mch_id", "1900000209"),
        ("sub_appid", "wx7777777777777777"),
        ("device_info", "WEB"),
        ("return_msg", "OK"),
        ("coupon_fee", "1"),
        ("settlement_total_fee", "1"),
        ("trade_state", "SUCCESS"),
        ("err_code", "SUCCESS"),
        ("a", "1"),
        ("zz", "1"),
    ] {
        let letter = genuine.clone().last(name, value);
        table.refuse(
            "A37",
            format!("with a {name} that was not signed"),
            letter.xml(),
        );
    }
}

/// A15: what we send ourselves, sent back to us.
fn our_own(table: &mut Table<'_>) {
    let letter = table.letter();
    let head = [
        ("appid", letter.get("appid")),
        ("mch_id", letter.get("mch_id")),
        ("nonce_str", letter.get("nonce_str")),
        ("out_trade_no", letter.get("out_trade_no")),
    ];
    let fee = letter.get("total_fee");
    let requests: [(&str, &[(&str, &str)]); 7] = [
        (
            "order",
            &[
                ("body", "tea"),
                ("notify_url", "http://127.0.0.1/notify"),
                ("spbill_create_ip", "127.0.0.1"),
                ("total_fee", fee),
                ("trade_type", "NATIVE"),
            ],
        ),
        ("query", &[]),
        ("close", &[("sign_type", table.algorithm().word())]),
        (
            "reversal",
            &[("transaction_id", letter.get("transaction_id"))],
        ),
        (
            "refund",
            &[
                ("out_refund_no", "R1"),
                ("refund_fee", fee),
                ("total_fee", fee),
            ],
        ),
        ("query of a refund", &[("out_refund_no", "R1")]),
        (
            "barcode payment",
            &[
                ("auth_code", "120061098828009406"),
                ("body", "tea"),
                ("spbill_create_ip", "127.0.0.1"),
                ("total_fee", fee),
            ],
        ),
    ];
    for (what, fields) in requests {
        let mut request = Letter::new(head);
        for (name, value) in fields {
            request = request.with(name, value);
        }
        let body = table.sign(request).xml();
        table.refuse("A15", format!("our own {what}, sent back"), body);
    }
}

/// A15: what the platform says to our questions, told as news.
fn answers(table: &mut Table<'_>) {
    let paid = table.letter();
    let mut states = Vec::new();
    for state in [
        "SUCCESS",
        "REFUND",
        "NOTPAY",
        "CLOSED",
        "REVOKED",
        "USERPAYING",
        "PAYERROR",
        "ACCEPT",
        "",
    ] {
        let letter = paid.clone().with("trade_state", state);
        states.push((format!("answer to a query, trade_state {state:?}"), letter));
    }
    let unpaid = paid
        .clone()
        .without("time_end")
        .without("transaction_id")
        .without("openid");
    let short = unpaid.clone().without("total_fee").without("cash_fee");
    for (what, letter) in [
        (
            "answer to an order",
            short
                .clone()
                .with("prepay_id", "wx21142400000000000000000000000000000")
                .with("code_url", "weixin://wxpay/bizpayurl?pr=abcdefg"),
        ),
        (
            "answer to a close",
            short
                .clone()
                .without("out_trade_no")
                .with("result_msg", "OK"),
        ),
        ("answer to a reversal", short.with("recall", "N")),
        (
            "answer to a refund",
            unpaid
                .clone()
                .with("out_refund_no", "R1")
                .with("refund_id", "50000000000000000000000000001")
                .with("refund_fee", paid.get("total_fee")),
        ),
        (
            "answer to a query of a refund",
            unpaid
                .with("refund_count", "1")
                .with("out_refund_no_0", "R1")
                .with("refund_status_0", "SUCCESS")
                .with("refund_success_time_0", "2026-11-21 14:24:00"),
        ),
    ] {
        states.push((what.to_owned(), letter));
    }
    for (what, letter) in states {
        let body = table.sign(letter).xml();
        table.refuse("A15", format!("the platform's {what}, told as news"), body);
    }
}
