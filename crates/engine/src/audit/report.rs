//! What was found, for people and for programs.

use std::collections::BTreeMap;

use tongbao_core::merchant::Merchant;
use tongbao_core::{Case, MerchantId, Timestamp};

use super::money::{self, Sums};

/// So many findings of one rule are kept; the rest is counted.
const KEPT: u64 = 100;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot be so: something was changed, lost, or decided wrongly.
    Wrong,
    /// It can be so, and a person should act.
    Attention,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $severity:ident, $id:literal, $title:literal, $cure:literal;)*) => {
        /// What is looked at.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[$doc])* $rule,)*
        }

        impl Rule {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$rule),*];

            /// How bad it is when it does not hold.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$rule => Severity::$severity,)*
                }
            }

            /// Stable: programs decide by it.
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$rule => $id,)*
                }
            }

            /// What holds, in words.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$rule => $title,)*
                }
            }

            /// What to do when it does not.
            pub const fn cure(self) -> &'static str {
                match self {
                    $(Self::$rule => $cure,)*
                }
            }
        }
    };
}

rules! {
    /// See [`tongbao_store::snapshot::Part::Pages`].
    Pages = Wrong, "pages", "the file's pages and indexes are sound",
        "stop the gateway, copy the data directory, check the disk and its memory, and restore the \
         last backup; what was paid since is found again by asking the platforms";
    /// See [`tongbao_store::snapshot::Part::Schema`].
    Schema = Wrong, "schema", "tables, indexes and guards are this program's",
        "somebody changed the database by hand; stop the gateway and restore what is missing from \
         a database that `tongbao migrate` made, or restore a backup";
    /// See [`tongbao_store::snapshot::Part::References`].
    References = Wrong, "S5", "every row belongs to rows of the same merchant",
        "do not delete anything; compare the row with a backup, and restore what it belongs to";
    /// See [`tongbao_store::snapshot::Part::Numbers`].
    Numbers = Wrong, "S4", "numbers that are unique are there once",
        "look up the trade in the platform's back office: one of the attempts did not lead to it";
    /// See [`tongbao_store::snapshot::Part::Links`].
    Links = Wrong, "links", "what a row names is there",
        "compare with a backup: a row was deleted by hand";
    /// A row cannot be read as what it should be.
    Unreadable = Wrong, "unreadable", "every row can be read",
        "compare the row with a backup: it was changed by hand, or by a newer program";
    /// Amounts.
    M1 = Wrong, "M1", "amounts are in range",
        "compare the payment with a backup and with the platform's back office";
    /// Refunds.
    M3 = Wrong, "M3", "no more goes back than came",
        "look the refunds up in the platform's back office, and ask the payer for what was paid \
         back too much";
    /// Received money.
    M5 = Wrong, "M5", "received money is accepted once, or a case",
        "look the trade up in the platform's back office; if the money is there and should not be, \
         give it back there";
    /// Cases' money.
    M12 = Wrong, "M12", "a case sends its money back once, and nobody else's",
        "look the refunds up in the platform's back office, and ask the payer for what was paid \
         back twice";
    /// Limits.
    M13 = Wrong, "M13", "what goes back without a person stays within the day's limit",
        "switch automatic refunds off (PATCH /v1/merchant) and look at the refunds of that day";
    /// Cases.
    C1 = Wrong, "C1", "every case is what its payment's timeline says",
        "trust the timeline (GET /v1/payments/{id}/events); a row of a case was changed by hand";
    /// Versions.
    S3 = Wrong, "S3", "timelines have no gap",
        "a line of the timeline was lost or changed; compare the payment with a backup and with \
         the platform's back office";
    /// State.
    S6 = Wrong, "S6", "every payment is what its timeline says",
        "trust neither: look the order up in the platform's back office, and restore the row from \
         a backup";
    /// Jobs.
    L0 = Wrong, "L0", "everything open will be asked about",
        "ask by hand, GET /v1/payments/{id}?refresh=true, until it has an end; or close it, POST \
         /v1/payments/{id}/close";
    /// Events.
    Told = Wrong, "W1", "every fact has its event",
        "tell the merchant's people; a lost event is not sent again by itself";
    /// Bodies.
    Words = Wrong, "W5", "webhooks say what is written down",
        "tell the merchant's people what is true; an event is never rewritten";
    /// Messages.
    Evidence = Wrong, "evidence", "messages of platforms are as they came",
        "the message proves nothing any more; compare it with a backup";
    /// Secrets.
    Secrets = Wrong, "secrets", "sealed secrets open, and accounts can be used",
        "put the right master key back, or enter the settings again (PATCH /v1/channels/{id}); an \
         endpoint whose secret is lost is made anew";
    /// A case is open.
    Cases = Attention, "cases", "no case is open",
        "what needs a person says why: decide with POST /v1/cases/{id}/resolve; GET \
         /v1/cases?state=unresolved lists all";
    /// A delivery gave up.
    Exhausted = Attention, "exhausted", "every webhook was delivered",
        "mend the endpoint, then POST /v1/webhook_endpoints/{id}/replay, or for one event POST \
         /v1/events/{id}/redeliver";
    /// A delivery waits for an endpoint that is off.
    Off = Attention, "off", "no webhook waits for an endpoint that is off",
        "mend the endpoint and turn it on: PATCH /v1/webhook_endpoints/{id} {\"enabled\": true}";
    /// A job was laid aside.
    Aside = Attention, "aside", "no job is laid aside",
        "mend the channel's settings (PATCH /v1/channels/{id}), or POST /v1/channels/{id}/check \
         when they are right again; for one payment, GET /v1/payments/{id}?refresh=true";
    /// Nobody does what is due.
    Late = Attention, "late", "nothing has been due for more than an hour",
        "start the gateway; if it is running, its log says why it does not get to it";
}

/// One thing that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What does not hold.
    pub rule: Rule,
    /// Whose, when it is somebody's.
    pub merchant: Option<MerchantId>,
    /// Of which row: an id; empty when it is of none.
    pub subject: String,
    /// What was seen.
    pub what: String,
}

/// Findings while they come in.
#[derive(Default)]
pub(super) struct Findings {
    kept: BTreeMap<Rule, Vec<Finding>>,
    counts: BTreeMap<Rule, u64>,
}

impl Findings {
    pub(super) fn add(
        &mut self,
        rule: Rule,
        merchant: Option<MerchantId>,
        subject: String,
        what: String,
    ) {
        let count = self.counts.entry(rule).or_default();
        *count += 1;
        if *count <= KEPT {
            self.kept.entry(rule).or_default().push(Finding {
                rule,
                merchant,
                subject,
                what,
            });
        }
    }

    pub(super) fn add_open_case(&mut self, case: &Case) {
        let what = format!(
            "{}: {} as {}, {}{}",
            case.kind.as_str(),
            case.receipt.amount,
            case.receipt.transaction_id,
            case.state.as_str(),
            case.need
                .map(|need| format!(" ({})", need.as_str()))
                .unwrap_or_default()
        );
        self.add(Rule::Cases, Some(case.merchant), case.id.to_string(), what);
    }
}

/// Everything that was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The state of this moment was looked at.
    pub as_of: Timestamp,
    /// How many payments there are.
    pub payments: u64,
    /// How many lines their timelines have.
    pub lines: u64,
    /// How many messages of platforms there are.
    pub messages: u64,
    /// Money, by merchant and currency.
    pub sums: money::All,
    /// The merchants, oldest first.
    pub merchants: Vec<Merchant>,
    /// The first hundred of each rule.
    pub findings: Vec<Finding>,
    /// How many there are of each rule.
    pub counts: BTreeMap<Rule, u64>,
}

impl Report {
    pub(super) fn new(as_of: Timestamp) -> Self {
        Self {
            as_of,
            payments: 0,
            lines: 0,
            messages: 0,
            sums: BTreeMap::new(),
            merchants: Vec::new(),
            findings: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    pub(super) fn with(self, findings: Findings, merchants: Vec<Merchant>) -> Self {
        Self {
            merchants,
            findings: findings.kept.into_values().flatten().collect(),
            counts: findings.counts,
            ..self
        }
    }

    /// How many findings are as bad as that.
    pub fn count(&self, severity: Severity) -> u64 {
        let counts = self.counts.iter();
        counts
            .filter(|(rule, _)| rule.severity() == severity)
            .map(|(_, count)| count)
            .sum()
    }

    /// A merchant's money, currency by currency.
    pub fn sums_of(&self, merchant: MerchantId) -> impl Iterator<Item = (&str, &Sums)> {
        let all = self.sums.iter();
        all.filter(move |((owner, _), _)| *owner == merchant)
            .map(|((_, currency), sums)| (currency.as_str(), sums))
    }
}
