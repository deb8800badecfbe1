//! `GET /_sim/notifications`: what merchants were told, and what they answered.

use axum::extract::State;
use axum::routing::get;
use axum::{Json as Answer, Router};
use serde::{Deserialize, Serialize};

use crate::server::Simulator;
use crate::server::problem::InQuery;
use crate::{
    Moment, News, Notification, NotificationId, NotificationKind, NotificationState, Outcome, Try,
};

/// Without a number, the newest are enough to look at.
const LISTED: usize = 100;

pub(super) fn router() -> Router<Simulator> {
    Router::new().route("/notifications", get(list))
}

/// Times are by the clock outside.
#[derive(Serialize)]
struct NotificationView {
    id: NotificationId,
    out_trade_no: String,
    mch_id: String,
    /// `payment` or `refund`.
    news: &'static str,
    kind: NotificationKind,
    url: String,
    body: String,
    /// `waiting`, `sent`, `accepted` or `given_up`.
    state: &'static str,
    created_at: String,
    next_try_at: Option<String>,
    tries: Vec<TryView>,
}

#[derive(Serialize)]
struct TryView {
    number: u32,
    sent_at: String,
    /// `pending`, `accepted`, `refused`, `no_answer` or `lost`.
    verdict: &'static str,
    /// What is wrong with the answer.
    reason: Option<String>,
    status: Option<u16>,
    /// The beginning of the answer.
    answer: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    out_trade_no: Option<String>,
}

/// Of one order all, the oldest first; of all orders the newest, the newest first.
async fn list(
    State(simulator): State<Simulator>,
    InQuery(of): InQuery<Of>,
) -> Answer<Vec<NotificationView>> {
    Answer(simulator.look(|platform, now| {
        let at = platform.moment(now);
        match of.out_trade_no {
            Some(number) => platform
                .notifications()
                .filter(|notification| notification.out_trade_no == number)
                .map(|notification| view(at, notification))
                .collect(),
            None => platform
                .notifications()
                .rev()
                .take(LISTED)
                .map(|notification| view(at, notification))
                .collect(),
        }
    }))
}

fn view(at: Moment, notification: &Notification) -> NotificationView {
    let next_try_at = match notification.state {
        NotificationState::Waiting(due) => Some(at.on_wall(due).to_string()),
        NotificationState::Sent | NotificationState::Accepted | NotificationState::GivenUp => None,
    };
    NotificationView {
        id: notification.id,
        out_trade_no: notification.out_trade_no.clone(),
        mch_id: notification.mch_id.clone(),
        news: match notification.news {
            News::Payment => "payment",
            News::Refund(_) => "refund",
        },
        kind: notification.kind,
        url: notification.url.clone(),
        body: notification.body.clone(),
        state: notification.state.word(),
        created_at: notification.created.wall.to_string(),
        next_try_at,
        tries: notification.tries.iter().map(try_view).collect(),
    }
}

fn try_view(try_: &Try) -> TryView {
    let (reason, status, answer) = match &try_.outcome {
        Some(Outcome::Answered {
            status,
            excerpt,
            verdict,
        }) => (verdict.clone().err(), Some(*status), Some(excerpt.clone())),
        Some(Outcome::NoAnswer { why }) => (Some(why.clone()), None, None),
        Some(Outcome::Lost) => (Some("a fault swallowed it".to_owned()), None, None),
        None => (None, None, None),
    };
    TryView {
        number: try_.number,
        sent_at: try_.sent.wall.to_string(),
        verdict: try_.verdict(),
        reason,
        status,
        answer,
    }
}
