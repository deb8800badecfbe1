//! Looking through a whole database: does everything that must hold hold?
//!
//! Nothing is written and nobody is asked. One payment at a time is in memory,
//! so a million of them take as much of it as one.

mod money;
mod report;
pub mod rules;
mod secrets;
mod webhooks;

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use tongbao_core::job::NEVER;
use tongbao_core::merchant::Merchant;
use tongbao_core::webhook::EventType;
use tongbao_core::{CaseState, ChannelId, Event, MerchantId, Timestamp};
use tongbao_store::snapshot::{Dossier, Part, Snapshot};
use tongbao_store::{CaseFilter, EventFilter, InboxFilter, StoreError};

pub use money::Sums;
pub use report::{Finding, Report, Rule, Severity};

use money::count;
use report::Findings;
pub use secrets::Keys;

/// Payments whose ids are read at once.
const PAGE: usize = 512;

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Begins to look at a part of the database.
    Part(Part),
    /// Begins to look at so many payments.
    Payments(u64),
    /// Another payment has been looked at.
    Payment,
    /// Begins to look at what is not a payment's: messages, cases, secrets.
    Rest,
}

/// Looks through everything.
///
/// `now` is when the snapshot was taken. An error means that it could not look;
/// what it finds wrong is in the report.
pub fn audit(
    snapshot: &dyn Snapshot,
    keys: &Keys,
    now: Timestamp,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, StoreError> {
    let mut audit = Audit {
        snapshot,
        now,
        findings: Findings::default(),
        report: Report::new(now),
        days: BTreeMap::new(),
    };
    for part in Part::ALL {
        progress(Progress::Part(part));
        audit.part(part)?;
    }
    let merchants = audit
        .readable(None, snapshot.merchants())?
        .unwrap_or_default();
    progress(Progress::Payments(snapshot.count_payments()?));
    for merchant in &merchants {
        audit.days.clear();
        audit.payments(merchant, progress)?;
        audit.limits(merchant.id);
    }
    progress(Progress::Rest);
    for merchant in &merchants {
        audit.unknown_payments(merchant.id)?;
        audit.messages(merchant.id)?;
    }
    secrets::look(snapshot, keys, &merchants, &mut audit.findings)?;
    Ok(audit.report.with(audit.findings, merchants))
}

struct Audit<'a> {
    snapshot: &'a dyn Snapshot,
    now: Timestamp,
    findings: Findings,
    report: Report,
    /// One merchant's, by their first moments.
    days: BTreeMap<Timestamp, Day>,
}

/// What went back in one day without a person.
#[derive(Clone, Copy, Default)]
struct Day {
    fen: i128,
    /// The highest limit by which any of it was judged.
    most_fen: i64,
}

impl Audit<'_> {
    fn part(&mut self, part: Part) -> Result<(), StoreError> {
        let rule = match part {
            Part::Pages => Rule::Pages,
            Part::Schema => Rule::Schema,
            Part::References => Rule::References,
            Part::Numbers => Rule::Numbers,
            Part::Links => Rule::Links,
        };
        let findings = &mut self.findings;
        let looked = self.snapshot.damage(part, &mut |line| {
            findings.add(rule, None, String::new(), line);
        });
        self.readable(None, looked).map(|_| ())
    }

    /// What cannot be read is a finding, not the end.
    fn readable<T>(
        &mut self,
        merchant: Option<MerchantId>,
        read: Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Corrupt(what)) => {
                self.findings
                    .add(Rule::Unreadable, merchant, String::new(), what);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn payments(
        &mut self,
        merchant: &Merchant,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), StoreError> {
        let endpoints = self.snapshot.endpoints(merchant.id);
        let endpoints = self
            .readable(Some(merchant.id), endpoints)?
            .unwrap_or_default();
        let mut after = None;
        loop {
            let page = self.snapshot.payment_ids(merchant.id, after, PAGE);
            let page = self.readable(Some(merchant.id), page)?.unwrap_or_default();
            for id in &page {
                match self.snapshot.dossier(merchant.id, *id) {
                    Ok(dossier) => {
                        self.payment(&dossier);
                        webhooks::look(&dossier, &endpoints, self.now, &mut self.findings);
                    }
                    Err(StoreError::Corrupt(what)) => {
                        let subject = id.to_string();
                        self.findings
                            .add(Rule::Unreadable, Some(merchant.id), subject, what);
                    }
                    Err(error) => return Err(error),
                }
                progress(Progress::Payment);
            }
            match page.last() {
                Some(last) => after = Some(*last),
                None => return Ok(()),
            }
        }
    }

    /// Each automatic refund was held against the limit of its moment.
    fn limits(&mut self, merchant: MerchantId) {
        for (day, sum) in &self.days {
            if sum.fen > i128::from(sum.most_fen) {
                let what = format!(
                    "{} fen went back in the day from {day}, and no limit was above {}",
                    sum.fen, sum.most_fen
                );
                self.findings
                    .add(Rule::M13, Some(merchant), String::new(), what);
            }
        }
    }

    fn count_automatic(&mut self, dossier: &Dossier) {
        for line in &dossier.timeline {
            let Some(Event::CaseDue {
                refund: Some(refund),
                ..
            }) = &line.event
            else {
                continue;
            };
            let written = dossier.payment.refund(refund.id);
            if let Some(refund) = written.filter(|refund| refund.automatic) {
                let day = refund.created_at.china_day().0;
                let day = self.days.entry(day).or_default();
                day.fen += i128::from(refund.amount.minor());
                day.most_fen = day.most_fen.max(line.rules.policy.auto_refund.per_day_fen);
            }
        }
    }

    fn payment(&mut self, dossier: &Dossier) {
        self.count_automatic(dossier);
        let Dossier {
            payment,
            timeline,
            jobs,
            cases,
            ..
        } = dossier;
        self.report.payments += 1;
        self.report.lines += timeline.len() as u64;
        count(&mut self.report.sums, dossier);
        let mut check = |rule, holds: rules::Verdict| {
            if let Err(what) = holds {
                let subject = payment.id.to_string();
                self.findings
                    .add(rule, Some(payment.merchant), subject, what);
            }
        };
        check(Rule::M1, rules::m1_amounts_are_in_range(payment));
        check(Rule::M3, rules::m3_no_more_goes_back_than_came(payment));
        check(
            Rule::M5,
            rules::m5_one_attempt_is_accepted_and_other_money_has_a_case(payment, cases.iter()),
        );
        check(
            Rule::M12,
            rules::m12_a_case_sends_its_money_back_once(payment),
        );
        check(
            Rule::C1,
            rules::c1_cases_are_what_their_payment_says(payment, cases.iter()),
        );
        let whole = rules::s3_versions_have_no_gap(payment, timeline);
        let is_whole = whole.is_ok();
        check(Rule::S3, whole);
        if is_whole {
            check(Rule::S6, rules::s6_state_is_a_fold(payment, timeline));
        }
        check(
            Rule::L0,
            rules::l0_no_open_attempt_is_forgotten(payment, jobs.iter().map(|job| job.key)),
        );
        for case in cases
            .iter()
            .filter(|case| case.state != CaseState::Resolved)
        {
            self.findings.add_open_case(case);
        }
        for job in jobs {
            if job.due >= NEVER {
                let what = format!("the job to {} it is laid aside", job.key.kind.as_str());
                let subject = payment.id.to_string();
                self.findings
                    .add(Rule::Aside, Some(payment.merchant), subject, what);
            }
            let ready = job.lease_until.map_or(job.due, |until| until.max(job.due));
            if self.now.since(ready) > rules::LATE {
                let what = format!(
                    "the job to {} it has been due since {ready}, and nobody does it",
                    job.key.kind.as_str()
                );
                self.findings.add(
                    Rule::Late,
                    Some(payment.merchant),
                    payment.id.to_string(),
                    what,
                );
            }
        }
    }

    /// Money for orders that nobody here knows.
    fn unknown_payments(&mut self, merchant: MerchantId) -> Result<(), StoreError> {
        let mut filter = CaseFilter {
            merchant,
            state: None,
            unresolved: false,
            payment: None,
            cursor: None,
            limit: PAGE,
        };
        loop {
            let page = self.snapshot.cases(&filter);
            let Some(page) = self.readable(Some(merchant), page)? else {
                break;
            };
            for case in page.rows.iter().filter(|case| case.payment.is_none()) {
                money::claimed(&mut self.report.sums, case);
                if case.state != CaseState::Resolved {
                    self.findings.add_open_case(case);
                }
            }
            match page.next {
                Some(next) => filter.cursor = Some(next),
                None => break,
            }
        }
        self.events_of_no_payment(merchant, EventType::CaseOpened)?;
        self.events_of_no_payment(merchant, EventType::CaseResolved)
    }

    fn events_of_no_payment(
        &mut self,
        merchant: MerchantId,
        kind: EventType,
    ) -> Result<(), StoreError> {
        let mut filter = EventFilter {
            merchant,
            kind: Some(kind),
            payment: None,
            cursor: None,
            limit: PAGE,
        };
        loop {
            let page = self.snapshot.events(&filter);
            let Some(page) = self.readable(Some(merchant), page)? else {
                return Ok(());
            };
            for event in page.rows.iter().filter(|event| event.payment.is_none()) {
                let standings = self.snapshot.standings(merchant, event.id);
                if let Some(standings) = self.readable(Some(merchant), standings)? {
                    webhooks::standings(event, &standings, &mut self.findings);
                }
            }
            match page.next {
                Some(next) => filter.cursor = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// What platforms sent is evidence: it is what it was when it came.
    fn messages(&mut self, merchant: MerchantId) -> Result<(), StoreError> {
        let channels = self.snapshot.channels(merchant);
        let channels = self.readable(Some(merchant), channels)?.unwrap_or_default();
        for channel in channels {
            self.messages_of(merchant, channel.id)?;
        }
        Ok(())
    }

    fn messages_of(&mut self, merchant: MerchantId, channel: ChannelId) -> Result<(), StoreError> {
        let mut filter = InboxFilter {
            merchant,
            channel: Some(channel),
            payment: None,
            cursor: None,
            limit: PAGE,
        };
        loop {
            let page = self.snapshot.inbox(&filter);
            let Some(page) = self.readable(Some(merchant), page)? else {
                return Ok(());
            };
            for row in &page.rows {
                self.report.messages += 1;
                let hash = digest::digest(&digest::SHA256, &row.entry.body);
                if hash.as_ref() != row.entry.body_hash {
                    let (subject, what) = (row.entry.id.to_string(), "its body was changed");
                    self.findings
                        .add(Rule::Evidence, Some(merchant), subject, what.to_owned());
                }
            }
            match page.next {
                Some(next) => filter.cursor = Some(next),
                None => return Ok(()),
            }
        }
    }
}
