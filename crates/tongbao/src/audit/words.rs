//! The report for people.

use std::fmt;

use tongbao_core::{Currency, Money};
use tongbao_engine::audit::{Finding, Report, Rule, Severity, Sums};

/// So many findings of one rule are printed; the others are counted.
const SHOWN: usize = 10;

/// Everything: what was looked at, the money, each rule, the verdict.
pub(crate) struct Words<'a> {
    pub(crate) report: &'a Report,
    /// Why the secrets were not tried.
    pub(crate) no_key: Option<&'a str>,
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report;
        writeln!(
            f,
            "{} payments with {} lines of timeline and {} messages, as of {}",
            report.payments, report.lines, report.messages, report.as_of
        )?;
        for merchant in &report.merchants {
            for (currency, sums) in report.sums_of(merchant.id) {
                writeln!(f, "\n{} ({}), {currency}", merchant.name, merchant.id)?;
                money(f, currency, sums)?;
            }
        }
        writeln!(f)?;
        for rule in Rule::ALL {
            match self.no_key {
                Some(why) if *rule == Rule::Secrets => {
                    writeln!(f, "note   {}: not tried, {why}", rule.title())?;
                }
                _ => self.rule(f, *rule)?,
            }
        }
        write!(f, "\n{}", Verdict(report))
    }
}

fn money(f: &mut fmt::Formatter<'_>, currency: &str, sums: &Sums) -> fmt::Result {
    let amount = |minor: i128| amount(currency, minor);
    writeln!(
        f,
        "  received    {:>20}  by the attempts of {} payments",
        amount(sums.received),
        sums.payments
    )?;
    writeln!(
        f,
        "  accepted    {:>20}  {} payments are paid",
        amount(sums.accepted),
        sums.paid
    )?;
    writeln!(
        f,
        "  in cases    {:>20}  should not be there",
        amount(sums.in_cases)
    )?;
    writeln!(
        f,
        "  difference  {:>20}  {}",
        amount(sums.difference()),
        if sums.difference() == 0 {
            "nothing is missing"
        } else {
            "must be nothing; see M5 and S6 below"
        }
    )?;
    if sums.refunded != 0 || sums.refunding != 0 {
        writeln!(
            f,
            "  refunded    {:>20}  payers have it back",
            amount(sums.refunded)
        )?;
        writeln!(
            f,
            "  refunding   {:>20}  on its way back",
            amount(sums.refunding)
        )?;
    }
    if sums.unknown != 0 {
        writeln!(
            f,
            "  unknown     {:>20}  for orders that are not here, see the cases",
            amount(sums.unknown)
        )?;
    }
    Ok(())
}

fn amount(currency: &str, minor: i128) -> String {
    match (currency.parse::<Currency>(), i64::try_from(minor)) {
        (Ok(currency), Ok(minor)) => Money::new(minor, currency).to_string(),
        _ => minor.to_string(),
    }
}

impl Words<'_> {
    fn rule(&self, f: &mut fmt::Formatter<'_>, rule: Rule) -> fmt::Result {
        let count = self.report.counts.get(&rule).copied().unwrap_or_default();
        if count == 0 {
            return writeln!(f, "ok     {} ({})", rule.title(), rule.id());
        }
        let word = match rule.severity() {
            Severity::Wrong => "WRONG",
            Severity::Attention => "LOOK ",
        };
        writeln!(f, "{word}  {} ({}): {count}", rule.title(), rule.id())?;
        let findings = self.report.findings.iter();
        let shown = findings.filter(|found| found.rule == rule).take(SHOWN);
        let mut rest = count;
        for Finding { subject, what, .. } in shown {
            if what.contains(subject.as_str()) {
                writeln!(f, "       {what}")?;
            } else {
                writeln!(f, "       {subject}: {what}")?;
            }
            rest -= 1;
        }
        if rest > 0 {
            writeln!(f, "       and {rest} more; --json has up to a hundred")?;
        }
        writeln!(f, "       cure: {}", rule.cure())
    }
}

/// One sentence.
pub(crate) struct Verdict<'a>(pub(crate) &'a Report);

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrong = self.0.count(Severity::Wrong);
        let attention = self.0.count(Severity::Attention);
        match wrong {
            0 => write!(f, "Sound: everything adds up, nothing is missing.")?,
            1 => write!(f, "WRONG: one thing cannot be as it is.")?,
            _ => write!(f, "WRONG: {wrong} things cannot be as they are.")?,
        }
        match attention {
            0 => Ok(()),
            1 => write!(f, " One thing waits for a person."),
            _ => write!(f, " {attention} things wait for a person."),
        }
    }
}
