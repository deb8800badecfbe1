//! `/v1/payments/{id}/events`

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tongbao_core::refund::RefundReport;
use tongbao_core::{CaseKey, Event, Outcome, PaymentId, RefundOutcome, Report};
use tongbao_engine::EngineError;
use tongbao_store::LogEntry;
use utoipa::ToSchema;

use super::listed::Listed;
use crate::app::App;
use crate::extract::{Id, Seller};
use crate::problem::{Problem, ProblemView};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/v1/payments/{id}/events", get(read))
}

/// One line of a payment's timeline.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct TimelineEntry {
    /// The payment's `sequence` that it led to.
    sequence: i64,
    /// When, RFC 3339.
    at: String,
    /// `created`, `attempt_started`, `reported`, `refund_requested`,
    /// `refund_reported`, `case_due`, `case_stopped`, `case_decided`,
    /// `close_requested` or `expired`.
    r#type: &'static str,
    /// The payment's state afterwards.
    state: String,
    /// Of which attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<String>,
    /// Of which refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<String>,
    /// Which till started the attempt or asked for the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    till: Option<String>,
    /// How a report came: `answer`, `query`, `close`, `reverse`,
    /// `notification`, `bill` or `operator`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    source: Option<tongbao_core::Source>,
    /// How much a report proves: `weak`, `shared` or `strong`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    grade: Option<tongbao_core::Grade>,
    /// What a report says: `accepted`, `success`, `not_paid`, `user_paying`,
    /// `closed`, `revoked`, `pay_error`, `refused`, `not_found` or `unknown`; of a
    /// refund also `processing`, `succeeded`, `abnormal` or `not_yet`.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    /// What came, or is to go back, in fen.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    /// The platform's number of the trade.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
    /// Why it came to nothing, or why nothing is known; of a person's decision, the
    /// reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// What a person decided about a case: `refund`, `accept` or `dismiss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    /// Who decided: the API key, `key_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// Reads a payment's timeline.
///
/// Everything that happened to it, oldest first.
#[utoipa::path(
    get,
    path = "/v1/payments/{id}/events",
    operation_id = "read_timeline",
    tag = "payments",
    params(("id" = String, Path, description = "`pay_…`")),
    responses(
        (status = 200, description = "Oldest first", body = Listed<TimelineEntry>),
        (status = 404, description = "There is none, or it is another merchant's, or, for a till, another store's", body = ProblemView, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(app): State<App>,
    seller: Seller,
    Id(id): Id<PaymentId>,
) -> Result<Json<Listed<TimelineEntry>>, Problem> {
    let payment = app.engine.payment(seller.merchant.id, id).await?;
    if !seller.may_see(&payment) {
        return Err(EngineError::NotFound("payment").into());
    }
    let merchant = seller.merchant;
    let log = app.engine.store().timeline(merchant.id, id).await?;
    Ok(Json(Listed::all(&log, TimelineEntry::from)))
}

impl From<&LogEntry> for TimelineEntry {
    fn from(entry: &LogEntry) -> Self {
        let line = Self {
            sequence: entry.version,
            at: entry.at.to_string(),
            state: entry.state.clone(),
            ..Self::default()
        };
        match &entry.event {
            None => Self {
                r#type: "created",
                ..line
            },
            Some(Event::AttemptStarted { attempt }) => Self {
                r#type: "attempt_started",
                attempt: Some(attempt.id.to_string()),
                till: attempt.till.map(|id| id.to_string()),
                ..line
            },
            Some(Event::Reported { report }) => line.with_report(report),
            Some(Event::RefundRequested { refund }) => Self {
                r#type: "refund_requested",
                attempt: Some(refund.attempt.to_string()),
                refund: Some(refund.id.to_string()),
                till: refund.till.map(|id| id.to_string()),
                amount: Some(refund.amount.minor()),
                detail: refund.reason.clone(),
                ..line
            },
            Some(Event::RefundReported { report }) => line.with_refund_report(report),
            Some(Event::CaseDue { attempt, refund }) => Self {
                r#type: "case_due",
                attempt: Some(attempt.to_string()),
                refund: refund.as_ref().map(|refund| refund.id.to_string()),
                amount: refund.as_ref().map(|refund| refund.amount.minor()),
                ..line
            },
            Some(Event::CaseStopped { case, need }) => Self {
                detail: Some(need.detail().to_owned()),
                ..line.with_case("case_stopped", case)
            },
            Some(Event::CaseDecided {
                case,
                decision,
                refund,
            }) => Self {
                refund: refund.as_ref().map(|refund| refund.id.to_string()),
                detail: Some(decision.reason.clone()),
                action: Some(decision.action.as_str()),
                by: Some(decision.by.clone()),
                ..line.with_case("case_decided", case)
            },
            Some(Event::CloseRequested) => Self {
                r#type: "close_requested",
                ..line
            },
            Some(Event::Expired) => Self {
                r#type: "expired",
                ..line
            },
        }
    }
}

impl TimelineEntry {
    fn with_case(self, r#type: &'static str, case: &CaseKey) -> Self {
        Self {
            r#type,
            attempt: Some(case.attempt.to_string()),
            amount: Some(case.amount.minor()),
            transaction_id: Some(case.transaction_id.clone()),
            ..self
        }
    }

    fn with_refund_report(self, report: &RefundReport) -> Self {
        let line = Self {
            r#type: "refund_reported",
            refund: Some(report.refund.to_string()),
            source: Some(report.source),
            grade: Some(report.grade),
            ..self
        };
        let (outcome, detail) = match &report.outcome {
            RefundOutcome::Processing { .. } => ("processing", None),
            RefundOutcome::Succeeded { .. } => ("succeeded", None),
            RefundOutcome::Abnormal { .. } => ("abnormal", None),
            RefundOutcome::Closed { .. } => ("closed", None),
            RefundOutcome::Refused { failure } => ("refused", Some(failure.detail.clone())),
            RefundOutcome::NotYet { failure } => ("not_yet", Some(failure.detail.clone())),
            RefundOutcome::NotFound => ("not_found", None),
            RefundOutcome::Unknown { why } => ("unknown", Some(why.clone())),
        };
        Self {
            outcome: Some(outcome),
            detail,
            ..line
        }
    }

    fn with_report(self, report: &Report) -> Self {
        let line = Self {
            r#type: "reported",
            attempt: Some(report.attempt.to_string()),
            source: Some(report.source),
            grade: Some(report.grade),
            ..self
        };
        let says = |outcome| Self {
            outcome: Some(outcome),
            ..line
        };
        match &report.outcome {
            Outcome::Accepted { .. } => says("accepted"),
            Outcome::Success { receipt } => Self {
                amount: Some(receipt.amount.minor()),
                transaction_id: Some(receipt.transaction_id.clone()),
                ..says("success")
            },
            Outcome::NotPaid => says("not_paid"),
            Outcome::UserPaying => says("user_paying"),
            Outcome::Closed => says("closed"),
            Outcome::Revoked => says("revoked"),
            Outcome::PayError { failure } => Self {
                detail: Some(failure.detail.clone()),
                ..says("pay_error")
            },
            Outcome::Refused { failure } => Self {
                detail: Some(failure.detail.clone()),
                ..says("refused")
            },
            Outcome::NotFound => says("not_found"),
            Outcome::Unknown { why, .. } => Self {
                detail: Some(why.clone()),
                ..says("unknown")
            },
        }
    }
}
