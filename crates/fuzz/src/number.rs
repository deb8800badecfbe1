//! Amounts: the platform's fen, an operator's yuan, and money as people read it, each held
//! against arithmetic done by hand in 128 bits.

use tongbao::yuan::Yuan;
use tongbao_core::Money;
use tongbao_wire::wechat_v2::number;

/// Spellings that somebody's parser takes.
pub const WORDS: &[&str] = &[
    "0",
    "00",
    "1",
    "9",
    ".",
    ",",
    "+",
    "-",
    "e",
    "E",
    "_",
    " ",
    "０",
    "１",
    "٣",
    "0x",
    "NaN",
    "inf",
    "999999999999999999",
    "1000000000000000000",
    "9223372036854775807",
    "18446744073709551616",
    "100000000.00",
    "100000000.01",
    "0.01",
    "¥",
];

/// See the module.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let fen = number::parse(text);
    assert_eq!(fen.map(u128::from), fen_by_hand(text), "{text:?}");
    if let Some(fen) = fen {
        assert_eq!(fen.to_string(), text);
    }
    let yuan = text.parse::<Yuan>().ok();
    let as_fen = yuan.map(|Yuan(money)| i128::from(money.minor()));
    assert_eq!(as_fen, yuan_by_hand(text), "{text:?}");
    if let Ok(bytes) = <[u8; 8]>::try_from(input) {
        printed_money_says_its_amount(i64::from_le_bytes(bytes));
    }
}

fn digits(text: &str) -> Option<u128> {
    if text.is_empty() || text.len() > 30 {
        return None;
    }
    text.chars().try_fold(0, |sum, c| match c {
        '0'..='9' => Some(sum * 10 + u128::from(u32::from(c) - u32::from('0'))),
        _ => None,
    })
}

/// At most 18 digits, no leading zero.
fn fen_by_hand(text: &str) -> Option<u128> {
    let number = digits(text)?;
    let leading_zero = text.len() > 1 && text.starts_with('0');
    (number < 10_u128.pow(18) && !leading_zero).then_some(number)
}

/// From one fen to a hundred million yuan, at most two places.
fn yuan_by_hand(text: &str) -> Option<i128> {
    // Leading zeros are nothing wrong in what a person types.
    let trimmed = text.trim_start_matches('0');
    let (whole, places) = match text.split_once('.') {
        None => (trimmed, "00".to_owned()),
        Some((_, places)) if places.len() == 1 => {
            (trimmed.split('.').next()?, format!("{places}0"))
        }
        Some((_, places)) if places.len() == 2 => (trimmed.split('.').next()?, places.to_owned()),
        Some(_) => return None,
    };
    let whole = match (whole, text.starts_with('0')) {
        ("", true) => 0,
        (whole, _) => digits(whole)?,
    };
    let fen = i128::try_from(whole * 100 + digits(&places)?).ok()?;
    (1..=i128::from(Money::MAX_FEN))
        .contains(&fen)
        .then_some(fen)
}

fn printed_money_says_its_amount(minor: i64) {
    let text = Money::fen(minor).to_string();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, &*text),
    };
    let (yuan, fen) = rest
        .strip_prefix('¥')
        .and_then(|rest| rest.split_once('.'))
        .expect("¥yuan.fen");
    let groups: Vec<_> = yuan.split(',').collect();
    assert!(groups[1..].iter().all(|group| group.len() == 3) && groups[0].len() <= 3);
    assert_eq!(fen.len(), 2);
    let plain: i128 = format!("{}{fen}", groups.concat()).parse().expect("digits");
    assert_eq!(sign * plain, i128::from(minor));
}
