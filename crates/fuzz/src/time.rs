//! The platform's times and our own, held against a calendar written out by hand.

use tongbao_core::Timestamp;
use tongbao_wire::wechat_v2::BeijingTime;

/// Edges of the calendar.
pub const WORDS: &[&str] = &[
    "20261121120000",
    "00010101000000",
    "99981231235959",
    "99991231235959",
    "20240229000000",
    "19000229000000",
    "20000229000000",
    "0229",
    "1231",
    "235959",
    "240000",
    "60",
    "+",
    "-",
    "２",
];

/// See the module.
pub fn run(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        let read = text.parse::<BeijingTime>().ok();
        assert_eq!(read.map(BeijingTime::unix_secs), by_hand(text), "{text:?}");
        if let Some(time) = read {
            assert_eq!(time.to_string(), text);
        }
    }
    if let Ok(bytes) = <[u8; 8]>::try_from(input) {
        let number = i64::from_le_bytes(bytes);
        // Most of the 64 bits are far from any year that has a spelling.
        for secs in [number, number % 300_000_000_000] {
            if let Some(time) = BeijingTime::from_unix_secs(secs) {
                assert_eq!(by_hand(&time.to_string()), Some(secs));
            }
            printed_in_utc(secs);
        }
    }
}

/// Seconds since 1970 of fourteen digits in Beijing; the years from 0001 to 9998.
fn by_hand(text: &str) -> Option<i64> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| text[from..to].parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let in_range = (1..=9998).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        return None;
    }
    Some(((days_before(year, month, day) * 24 + hour - 8) * 60 + minute) * 60 + second)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to that day.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let of_years = |year: i64| {
        let past = year - 1;
        past * 365 + past / 4 - past / 100 + past / 400
    };
    let of_months: i64 = (1..month).map(|month| days_of(year, month)).sum();
    of_years(year) - of_years(1970) + of_months + day - 1
}

/// RFC 3339, where a year has four digits.
fn printed_in_utc(secs: i64) {
    let text = Timestamp::from_secs(secs).to_string();
    let Some((date, time)) = text.split_once('T') else {
        assert!(text.ends_with("ms"), "{text}");
        return;
    };
    if date.len() != 10 || date.starts_with("0000") || date.starts_with("9999") {
        return;
    }
    let digits: String = format!("{date}{time}")
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    assert_eq!(
        by_hand(&digits).map(|beijing| beijing + 8 * 3_600),
        Some(secs),
        "{text}"
    );
}
