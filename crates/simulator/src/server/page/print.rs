//! Numbers and times as people read them.

use jiff::tz::{self, Offset};

use crate::UnixMillis;

const BEIJING: Offset = tz::offset(8);

/// `¥10,000.00`
pub(super) fn yuan(fen: u64) -> String {
    let digits = (fen / 100).to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("¥{grouped}.{:02}", fen % 100)
}

/// `12:00` in Beijing.
pub(super) fn clock(time: UnixMillis) -> String {
    civil(time, "%H:%M")
}

/// `12:00:05` in Beijing.
pub(super) fn time(time: UnixMillis) -> String {
    civil(time, "%H:%M:%S")
}

/// `2026-11-21 12:00:05` in Beijing.
pub(super) fn date_time(time: UnixMillis) -> String {
    civil(time, "%Y-%m-%d %H:%M:%S")
}

fn civil(time: UnixMillis, format: &str) -> String {
    jiff::Timestamp::from_millisecond(time.as_millis()).map_or_else(
        |_| String::from("–"),
        |instant| BEIJING.to_datetime(instant).strftime(format).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_are_grouped_by_thousands() {
        let cases = [
            (0, "¥0.00"),
            (5, "¥0.05"),
            (99_999, "¥999.99"),
            (100_000, "¥1,000.00"),
            (1_000_000, "¥10,000.00"),
            (123_456_789_012, "¥1,234,567,890.12"),
        ];
        for (fen, text) in cases {
            assert_eq!(yuan(fen), text);
        }
    }

    #[test]
    fn times_are_beijings() {
        let noon = UnixMillis::from_secs(1_795_233_605);
        assert_eq!(date_time(noon), "2026-11-21 12:00:05");
        assert_eq!(clock(noon), "12:00");
    }
}
