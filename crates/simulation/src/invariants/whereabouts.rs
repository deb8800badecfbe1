//! Where to look when an invariant does not hold.

use tongbao_core::{Event, Outcome, Source};

/// The file of this folder that has the invariant.
pub fn file_of(invariant: &str) -> &'static str {
    match invariant {
        "E3" | "E4" | "E5" | "E10" | "E11" | "W5" => {
            "crates/simulation/src/invariants/at_boundary.rs"
        }
        "M8" | "M14" | "L1" | "L9" | "L10" | "E8" | "W1" | "W6" | "X5" => {
            "crates/simulation/src/invariants/at_rest.rs"
        }
        "S6" | "W2" | "W4" => "crates/simulation/src/invariants/over_history.rs",
        "W0" => "crates/simulation/src/world/network.rs",
        "K1" => "crates/simulation/src/world/merchant.rs",
        "X1" => "crates/simulation/src/secrets.rs",
        "X2" | "X7" | "E9" | "L4" | "L8" => "crates/simulation/src/world.rs",
        _ => "crates/simulation/src/invariants/at_commit.rs",
    }
}

/// A function of the core, and its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decider {
    function: &'static str,
    file: &'static str,
}

impl std::fmt::Display for Decider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in crates/core/src/{}", self.function, self.file)
    }
}

macro_rules! deciders {
    ($($name:ident: $function:literal in $file:literal;)+) => {
        $(const $name: Decider = Decider { function: $function, file: $file };)+
        #[cfg(test)]
        const ALL: &[Decider] = &[$($name),+];
    };
}

deciders! {
    CREATE: "create" in "payment.rs";
    STARTED: "attempt_started" in "payment/decide.rs";
    CLOSE_REQUESTED: "close_requested" in "payment/decide.rs";
    EXPIRED: "expired" in "payment/decide.rs";
    REPORTED_MONEY: "paid" in "payment/decide/money.rs";
    ACCEPTED: "accepted" in "payment/decide/standing.rs";
    NOT_PAID: "not_paid" in "payment/decide/standing.rs";
    ENDED: "ended" in "payment/decide/standing.rs";
    NOT_FOUND: "not_found" in "payment/decide/standing.rs";
    UNKNOWN: "unknown" in "payment/decide/standing.rs";
    REVERSED: "reverse_answered" in "payment/decide/till.rs";
    REFUND_REQUESTED: "refund_requested" in "payment/decide/refunds.rs";
    REFUND_REPORTED: "proven" in "refund/decide.rs";
    CASE_DUE: "case_due" in "payment/decide/cases.rs";
    CASE_STOPPED: "case_stopped" in "payment/decide/cases.rs";
    CASE_DECIDED: "case_decided" in "payment/decide/cases.rs";
}

/// The function that decides about an event; none is the payment's creation.
pub fn decided_by(event: Option<&Event>) -> Decider {
    let report = match event {
        None => return CREATE,
        Some(Event::AttemptStarted { .. }) => return STARTED,
        Some(Event::RefundRequested { .. }) => return REFUND_REQUESTED,
        Some(Event::RefundReported { .. }) => return REFUND_REPORTED,
        Some(Event::CaseDue { .. }) => return CASE_DUE,
        Some(Event::CaseStopped { .. }) => return CASE_STOPPED,
        Some(Event::CaseDecided { .. }) => return CASE_DECIDED,
        Some(Event::CloseRequested) => return CLOSE_REQUESTED,
        Some(Event::Expired) => return EXPIRED,
        Some(Event::Reported { report }) => report,
    };
    if report.source == Source::Reverse {
        return REVERSED;
    }
    match report.outcome {
        Outcome::Success { .. } => REPORTED_MONEY,
        Outcome::Accepted { .. } => ACCEPTED,
        Outcome::NotPaid | Outcome::UserPaying => NOT_PAID,
        Outcome::Closed | Outcome::Revoked | Outcome::PayError { .. } | Outcome::Refused { .. } => {
            ENDED
        }
        Outcome::NotFound => NOT_FOUND,
        Outcome::Unknown { .. } => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn every_invariant_is_in_the_file_that_is_named() {
        let ids = [
            "L10", "M4", "M12", "M13", "M14", "C1", "M1", "M5", "M6", "M8", "M9", "M10", "M11",
            "E3", "E4", "E5", "E6", "E8", "E9", "E10", "E11", "K1", "L0", "L1", "L4", "L8", "L9",
            "S1", "S3", "S4", "S6", "W0", "W1", "W2", "W4", "W5", "W6", "X1", "X2", "X7",
        ];
        for id in ids {
            let file = workspace().join(file_of(id));
            let text = std::fs::read_to_string(&file).expect("the file is there");
            let names = [
                format!("\"{id}\""),
                format!("fn {}_", id.to_lowercase()),
                format!("//! {id}"),
            ];
            let found = names.iter().any(|name| text.contains(name));
            assert!(found, "{id} is not in {}", file.display());
        }
    }

    #[test]
    fn every_function_that_decides_is_where_it_is_said_to_be() {
        for Decider { function, file } in ALL {
            let path = workspace().join("crates/core/src").join(file);
            let text = std::fs::read_to_string(&path).expect("the file is there");
            assert!(
                text.contains(&format!("fn {function}(")),
                "{function} in {file}"
            );
        }
    }
}
