//! A14: the string that is signed has no walls. `a=1&b=2` is the string of two
//! fields, and of one field `a` with the value `1&b=2`: whoever has a genuine
//! signature over the one has it over the other.

use super::letter::Letter;
use super::table::Table;

/// Without these a message is of no order, so that nothing is left to ask about.
const NEEDED: [&str; 9] = [
    "appid",
    "mch_id",
    "nonce_str",
    "out_trade_no",
    "result_code",
    "return_code",
    "time_end",
    "total_fee",
    "transaction_id",
];

pub(super) fn add(table: &mut Table<'_>) {
    joined(table);
    moved(table);
}

/// Neighbours of the genuine message, joined into one field each.
fn joined(table: &mut Table<'_>) {
    let letter = table.letter();
    let sign = table.genuine().get("sign").to_owned();
    let pairs = letter.pairs;
    for length in 2..=5 {
        for start in 0..=pairs.len() - length {
            let end = start + length;
            let lost: Vec<_> = pairs[start + 1..end]
                .iter()
                .map(|(name, _)| &**name)
                .collect();
            let value: Vec<_> = pairs[start + 1..end]
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let (name, first) = &pairs[start];
            let mut resplit = pairs[..start].to_vec();
            resplit.push((name.clone(), format!("{first}&{}", value.join("&"))));
            resplit.extend_from_slice(&pairs[end..]);
            let body = Letter { pairs: resplit }.last("sign", &sign).xml();
            let what = format!("{} moved into {name}", lost.join(", "));
            let reads =
                !lost.iter().any(|lost| NEEDED.contains(lost)) && !STRICT.contains(&&**name);
            // An account's number with something behind it is another account.
            if reads {
                table.ask("A14", what, body);
            } else {
                table.refuse("A14", what, body);
            }
        }
    }
}

/// Fields that have no room for another one behind their value.
const STRICT: [&str; 9] = [
    "appid",
    "cash_fee",
    "fee_type",
    "mch_id",
    "out_trade_no",
    "result_code",
    "return_code",
    "time_end",
    "total_fee",
];

/// The great one: the forger orders something of his own, hides all that a
/// message about the victim's order says in a field that he may choose, pays his
/// own order, and puts the walls elsewhere.
fn moved(table: &mut Table<'_>) {
    for rest in [
        "zz",
        "zzzz",
        "zattach",
        "trade_type_",
        "transaction_id_",
        "z.",
        "z-1",
    ] {
        for cheap in ["1", "100"] {
            let victim = table.letter();
            let hidden: Vec<_> = victim
                .pairs
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let (first, others) = hidden
                .split_first()
                .map_or(("", &[][..]), |(a, b)| (&**a, b));
            let appid = first.trim_start_matches("appid=");
            let own = Letter::new([
                ("appid", appid),
                ("attach", &format!("x&{}&{rest}=1", others.join("&"))),
                ("bank_type", "OTHERS"),
                ("cash_fee", cheap),
                ("mch_id", &table.target.account.mch_id),
                ("nonce_str", "00000000000000000000000000000001"),
                ("out_trade_no", "FORGERSOWN000000001"),
                ("result_code", "SUCCESS"),
                ("return_code", "SUCCESS"),
                ("time_end", "20261121142300"),
                ("total_fee", cheap),
                ("transaction_id", "4200000000202611210000000002"),
            ]);
            let signed = table.sign(own.clone());
            let tail: Vec<_> = own.pairs[2..]
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let resplit = victim
                .last("attach", "x")
                .last(rest, &format!("1&{}", tail.join("&")))
                .last("sign", signed.get("sign"));
            let what =
                format!("an order of {cheap} fen, re-split into this one, the rest in {rest}");
            if resplit.text() == own.text() {
                table.ask("A14", what, resplit.xml());
            } else {
                // The rest must stand last by name for the string to be the same.
                table.refuse("A14", what, resplit.xml());
            }
        }
    }
}
