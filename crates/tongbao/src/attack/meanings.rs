//! What does it say? All of it is signed with the right key, as somebody can
//! who has leaked it. What cannot be of the platform is refused; what cannot be
//! right is for a person to look at.

use super::table::Table;

pub(super) fn add(table: &mut Table<'_>) {
    accounts(table);
    numbers(table);
    amounts(table);
    times(table);
    words(table);
    absent(table);
    refunds(table);
    not_right(table);
}

/// B3: of another account.
fn accounts(table: &mut Table<'_>) {
    let mch_id = table.target.account.mch_id.clone();
    let app_id = table.target.account.app_id.clone();
    for (name, value) in [
        ("mch_id", "1900000109".to_owned()),
        ("mch_id", format!("{mch_id}0")),
        ("mch_id", format!("0{mch_id}")),
        ("mch_id", format!(" {mch_id}")),
        ("mch_id", format!("{mch_id} ")),
        ("mch_id", format!("{mch_id}\n")),
        ("mch_id", format!("{mch_id},1900000109")),
        ("mch_id", app_id.clone()),
        ("appid", "wx0000000000000000".to_owned()),
        ("appid", app_id.to_uppercase()),
        ("appid", format!("{app_id} ")),
        ("appid", format!("{app_id}0")),
        ("appid", mch_id.clone()),
        ("sub_mch_id", "1900000209".to_owned()),
        ("sub_mch_id", mch_id.clone()),
    ] {
        let body = table.sign(table.letter().with(name, &value)).xml();
        table.refuse("B3", format!("{name} is {value:?}"), body);
    }
    let swapped = table
        .letter()
        .with("mch_id", &app_id)
        .with("appid", &mch_id);
    let body = table.sign(swapped).xml();
    table.refuse("B3", "mch_id and appid in each other's place", body);
}

/// A33: what no platform takes for an order's number.
fn numbers(table: &mut Table<'_>) {
    let number = table.target.out_trade_no.clone();
    let wide: String = number
        .chars()
        .map(|c| char::from_u32(u32::from(c) - 0x20 + 0xff00).unwrap_or(c))
        .collect();
    for value in [
        wide,
        format!("{number} "),
        format!(" {number}"),
        format!("{number}\n"),
        format!("\t{number}"),
        format!("{number}\u{200b}"),
        format!("\u{feff}{number}"),
        format!("{number}\u{202e}"),
        format!("{}\u{430}", &number[..number.len() - 1]),
        format!("{number}'--"),
        format!("{number}\" OR 1=1"),
        format!("{number}%"),
        format!("{number}/../x"),
        format!("{number}#"),
        format!("{number}<b>"),
        "x".repeat(33),
        "x".repeat(4_000),
        "通宝通宝通宝".to_owned(),
        "😀😀😀😀😀😀".to_owned(),
    ] {
        let what: String = value.chars().take(40).collect();
        let body = table
            .sign(table.letter().with("out_trade_no", &value))
            .xml();
        table.refuse("A33", format!("the order's number is {what:?}"), body);
    }
}

/// C3, A36: numbers in other grammars.
fn amounts(table: &mut Table<'_>) {
    let odd = [
        "+1",
        "-1",
        "-0",
        " 1",
        "1 ",
        "1\n",
        "01",
        "00",
        "1.0",
        "1.",
        ".5",
        "1,000",
        "1_000",
        "1e2",
        "1E2",
        "0x1",
        "0b1",
        "1/1",
        "NaN",
        "Infinity",
        "null",
        "true",
        "１００",
        "١٠٠",
        "一百",
        "¥1",
        "1元",
        "9223372036854775808",
        "18446744073709551616",
        "1000000000000000000",
        "9999999999999999999999999999999999999999",
    ];
    for value in odd {
        let body = table.sign(table.letter().with("total_fee", value)).xml();
        table.refuse("C3", format!("total_fee is {value:?}"), body);
    }
    for name in [
        "cash_fee",
        "settlement_total_fee",
        "coupon_fee",
        "coupon_count",
    ] {
        for value in ["+1", "-1", "1.5", "1e2", " 1", "99999999999999999999"] {
            let body = table.sign(table.letter().with(name, value)).xml();
            table.refuse("C3", format!("{name} is {value:?}"), body);
        }
    }
    let coupon = table
        .letter()
        .with("coupon_count", "1")
        .with("coupon_fee_0", "+1");
    let body = table.sign(coupon).xml();
    table.refuse("C3", "coupon_fee_0 is \"+1\"", body);
    for (name, value) in [("total_fee", ""), ("total_fee", "١")] {
        let body = table.sign(table.letter().with(name, value)).xml();
        table.refuse("C3", format!("{name} is {value:?}"), body);
    }
    for currency in ["cny", "CN", "CNYY", "CNY ", "人民币", "156", "¥"] {
        let body = table.sign(table.letter().with("fee_type", currency)).xml();
        table.refuse("B6", format!("fee_type is {currency:?}"), body);
    }
}

/// H5, H6: times that there are not.
fn times(table: &mut Table<'_>) {
    for time in [
        "20260229120000",
        "20261301120000",
        "20260001120000",
        "20261132120000",
        "20261100120000",
        "20261121240000",
        "20261121126000",
        "20261121120060",
        "00000000000000",
        "99999999999999",
        "2026112112000",
        "202611211200000",
        "2026-11-21 12:00:00",
        "2026-11-21T12:00:00+08:00",
        "20261121120000+0800",
        " 20261121120000",
        "20261121120000 ",
        "+2026112112000",
        "２０２６１１２１１２００００",
        "1795233600",
        "1795233600000",
        "now",
        "20261121T120000",
    ] {
        let body = table.sign(table.letter().with("time_end", time)).xml();
        table.refuse("H5", format!("time_end is {time:?}"), body);
    }
}

/// B8: words other than the one that says "paid".
fn words(table: &mut Table<'_>) {
    for name in ["return_code", "result_code"] {
        for word in [
            "success",
            "Success",
            "SUCCESS ",
            " SUCCESS",
            "SUCCESS\n",
            "SUCCES",
            "SUCCESSS",
            "OK",
            "TRUE",
            "1",
            "0",
            "FAIL",
            "fail",
            "PAID",
            "ＳＵＣＣＥＳＳ",
            "SUCCESS,FAIL",
        ] {
            let body = table.sign(table.letter().with(name, word)).xml();
            table.refuse("B8", format!("{name} is {word:?}"), body);
        }
    }
    let failed = table
        .letter()
        .with("result_code", "FAIL")
        .with("err_code", "ORDERPAID")
        .with("err_code_des", "x");
    let body = table.sign(failed).xml();
    table.refuse("B8", "failed, because it is paid", body);
}

/// What every message about a payment has is not there, or empty.
fn absent(table: &mut Table<'_>) {
    for name in [
        "return_code",
        "result_code",
        "appid",
        "mch_id",
        "nonce_str",
        "out_trade_no",
        "transaction_id",
        "total_fee",
        "time_end",
    ] {
        let gone = table.sign(table.letter().without(name)).xml();
        table.refuse("B21", format!("no {name}"), gone);
        let empty = table
            .sign(table.letter().without(name).last(name, ""))
            .xml();
        // Empty fields are not signed: this differs from the last in its bytes.
        table.refuse("B21", format!("{name} is empty"), empty);
    }
}

/// B10, B11: a refund's message has no signature at all.
fn refunds(table: &mut Table<'_>) {
    let letter = table.letter();
    let head = super::Letter::new([
        ("return_code", "SUCCESS"),
        ("appid", letter.get("appid")),
        ("mch_id", letter.get("mch_id")),
        ("nonce_str", letter.get("nonce_str")),
    ]);
    for (what, secret) in [
        ("nothing", ""),
        (
            "base64",
            "T87GAHG17TGAHG1TGHAHAHA1Y1CIOA9UGJH1GAHV871HAGAGQYQQPOOJMXNBCXBVNMNMAJAA",
        ),
        ("no base64", "******"),
        ("one block", "AAAAAAAAAAAAAAAAAAAAAA=="),
        (
            "the refund in clear text",
            "<root><refund_status>SUCCESS</refund_status></root>",
        ),
    ] {
        let body = head.clone().with("req_info", secret).xml();
        table.refuse("B10", format!("a refund, its secret part is {what}"), body);
    }
    let both = table
        .letter()
        .with("req_info", "AAAAAAAAAAAAAAAAAAAAAA==")
        .xml();
    table.refuse(
        "B11",
        "a payment with a refund's secret part, unsigned",
        both,
    );
}

/// B5, B6, B7: in every way as the platform would write it, but for what it says.
fn not_right(table: &mut Table<'_>) {
    let amount = table.target.amount_fen;
    let mut wrong = vec![
        0,
        1,
        amount.saturating_sub(1),
        amount + 1,
        amount * 100,
        999_999_999_999_999_999,
    ];
    wrong.retain(|other| *other != amount);
    wrong.dedup();
    for other in wrong {
        let fen = other.to_string();
        let letter = table
            .letter()
            .with("total_fee", &fen)
            .with("cash_fee", &fen);
        let body = table.sign(letter).xml();
        table.case("B5", format!("{other} fen of an order of {amount}"), body);
    }
    for currency in ["USD", "HKD", "JPY"] {
        let body = table.sign(table.letter().with("fee_type", currency)).xml();
        table.case("B6", format!("fee_type is {currency}"), body);
    }
    let number = table.target.out_trade_no.clone();
    for (unknown, transaction) in [
        (
            "T00000000000000000".to_owned(),
            "4200000000202611210000000007",
        ),
        (swap_case(&number), "4200000000202611210000000008"),
    ] {
        let letter = table.letter().with("out_trade_no", &unknown);
        let body = table.sign(letter.with("transaction_id", transaction)).xml();
        table.case(
            "B7",
            format!("of an order that nobody placed, {unknown}"),
            body,
        );
    }
}

fn swap_case(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}
