//! What a bench has found out, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::latency::median;

/// Everything, each number the median of the rounds.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) settings: Settings,
    /// How long this disk takes to keep four kilobytes for certain.
    pub(super) disk_flush_micros: u64,
    pub(super) under_load: UnderLoad,
    pub(super) one_at_a_time: OneAtATime,
    pub(super) memory_kib: Option<Memory>,
    pub(super) start_micros: Start,
}

/// What was asked for.
#[derive(Debug, Serialize)]
pub(super) struct Settings {
    pub(super) requests: usize,
    pub(super) rounds: usize,
    pub(super) connections: usize,
    /// Payments that were there before anything was measured.
    pub(super) stored: usize,
    pub(super) processors: usize,
}

/// Many connections: how much goes through.
#[derive(Debug, Serialize)]
pub(super) struct UnderLoad {
    pub(super) empty: Measure,
    pub(super) notification_signature: Measure,
    /// To the empty replies of the same minute.
    pub(super) notification_signature_ratio: Ratio,
    /// The same of payments that lie all over the database.
    pub(super) notification_in_no_order: Measure,
    pub(super) notification_in_no_order_ratio: Ratio,
    pub(super) notification_query: Measure,
    pub(super) notification_query_ratio: Ratio,
    /// Until the platform was asked about every one of them, and all were paid.
    pub(super) notification_query_paid_per_second: u64,
    pub(super) payment: Measure,
    pub(super) payment_with_attempt: Measure,
}

/// One connection: how long one thing takes that waits for nothing else.
#[derive(Debug, Serialize)]
pub(super) struct OneAtATime {
    pub(super) empty: Measure,
    /// The platform's own answer to an order, without the gateway.
    pub(super) channel: Measure,
    pub(super) payment: Measure,
    pub(super) payment_with_attempt: Measure,
    /// What the gateway adds to the channel's own time, at the median.
    pub(super) added_micros: u64,
    pub(super) notification_signature: Measure,
}

/// One phase.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Measure {
    pub(super) per_second: u64,
    pub(super) median_micros: u64,
    pub(super) p99_micros: u64,
    /// Time on a processor that one request cost the server, all its threads
    /// together.
    pub(super) server_cpu_micros: Option<u64>,
}

/// Of the server process, in KiB.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Memory {
    /// Ready, before the first request.
    pub(super) at_rest: u64,
    /// After everything.
    pub(super) at_the_end: u64,
    /// At any moment.
    pub(super) most: u64,
}

/// From the exec to the first "ready".
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Start {
    /// The database is made.
    pub(super) new: u64,
    /// Everything of the bench is in the database.
    pub(super) again: u64,
}

/// A fraction in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ratio(u64);

impl Ratio {
    pub(super) fn new(part: u64, whole: u64) -> Self {
        Self(part * 1_000 / whole.max(1))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number: Result<serde_json::Number, _> = self.to_string().parse();
        number
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

impl Measure {
    /// The median of each number by itself.
    pub(super) fn median(rounds: &[Self]) -> Self {
        let of = |field: fn(&Self) -> u64| median(rounds.iter().map(field)).unwrap_or_default();
        Self {
            per_second: of(|round| round.per_second),
            median_micros: of(|round| round.median_micros),
            p99_micros: of(|round| round.p99_micros),
            server_cpu_micros: median(rounds.iter().filter_map(|round| round.server_cpu_micros)),
        }
    }
}

/// Whole microseconds.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings {
            requests,
            rounds,
            connections,
            stored,
            processors,
        } = self.settings;
        let load = &self.under_load;
        let calm = &self.one_at_a_time;
        writeln!(
            f,
            "{connections} connections, {requests} requests a phase, medians of {rounds} rounds; \
             {processors} processors shared by server, platform and load"
        )?;
        if stored > 0 {
            let stored = grouped(u64::try_from(stored).unwrap_or(u64::MAX));
            writeln!(f, "{stored} payments were there before")?;
        }
        writeln!(
            f,
            "payments are paid in the order in which they were made, unless a line says otherwise\n"
        )?;
        heading(f, "under load")?;
        row(f, "empty reply", load.empty, "")?;
        let signature = format!("{} of empty", load.notification_signature_ratio);
        row(
            f,
            "notification, confirm = signature",
            load.notification_signature,
            &signature,
        )?;
        let no_order = format!("{} of empty", load.notification_in_no_order_ratio);
        row(
            f,
            "the same, paid in no order",
            load.notification_in_no_order,
            &no_order,
        )?;
        let query = format!(
            "{} of empty; paid {}/s",
            load.notification_query_ratio,
            grouped(load.notification_query_paid_per_second)
        );
        row(
            f,
            "notification, confirm = query",
            load.notification_query,
            &query,
        )?;
        row(f, "payment", load.payment, "")?;
        row(
            f,
            "payment with a native attempt",
            load.payment_with_attempt,
            "",
        )?;
        writeln!(f)?;
        heading(f, "one at a time")?;
        row(f, "empty reply", calm.empty, "")?;
        row(f, "the channel's own answer", calm.channel, "")?;
        row(f, "payment", calm.payment, "")?;
        let added = format!("adds {} to the channel's own", readable(calm.added_micros));
        row(
            f,
            "payment with a native attempt",
            calm.payment_with_attempt,
            &added,
        )?;
        row(
            f,
            "notification, confirm = signature",
            calm.notification_signature,
            "",
        )?;
        writeln!(f)?;
        if let Some(memory) = self.memory_kib {
            writeln!(
                f,
                "memory      {} at rest, {} at the end, {} at the most",
                mebibytes(memory.at_rest),
                mebibytes(memory.at_the_end),
                mebibytes(memory.most)
            )?;
        }
        writeln!(
            f,
            "start       {} with a new database, {} with the one of this bench, after a kill",
            readable(self.start_micros.new),
            readable(self.start_micros.again)
        )?;
        writeln!(f, "disk flush  {}", readable(self.disk_flush_micros))
    }
}

fn heading(f: &mut fmt::Formatter<'_>, title: &str) -> fmt::Result {
    writeln!(
        f,
        "{title:<34} {:>9} {:>9} {:>9} {:>11}",
        "a second", "median", "p99", "server CPU"
    )
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, measure: Measure, note: &str) -> fmt::Result {
    let cpu = measure
        .server_cpu_micros
        .map_or_else(|| "-".to_owned(), readable);
    let line = format!(
        "{name:<34} {:>9} {:>9} {:>9} {cpu:>11}   {note}",
        grouped(measure.per_second),
        readable(measure.median_micros),
        readable(measure.p99_micros),
    );
    writeln!(f, "{}", line.trim_end())
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Microseconds up to a few milliseconds, then milliseconds.
fn readable(micros: u64) -> String {
    if micros < 10_000 {
        format!("{micros} µs")
    } else {
        format!("{} ms", micros / 1_000)
    }
}

fn mebibytes(kib: u64) -> String {
    format!("{} MiB", kib.div_ceil(1_024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_a_number_in_json() {
        let ratio = Ratio::new(29_000, 75_000);
        assert_eq!(ratio.to_string(), "0.386");
        assert_eq!(serde_json::to_string(&ratio).unwrap(), "0.386");
        assert_eq!(Ratio::new(0, 0).to_string(), "0.000");
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(grouped(1), "1");
        assert_eq!(grouped(123), "123");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn one_bad_round_does_not_count() {
        let round = |per_second| Measure {
            per_second,
            median_micros: 1,
            p99_micros: 2,
            server_cpu_micros: None,
        };
        let rounds = [round(10), round(1), round(11)];
        assert_eq!(Measure::median(&rounds).per_second, 10);
    }
}
