//! `/_sim/trades`: orders, as the platform has them in its books.

use axum::extract::State;
use axum::routing::get;
use axum::{Json as Answer, Router};
use serde::{Deserialize, Serialize};

use super::refunds::RefundView;
use crate::server::Simulator;
use crate::server::problem::{InPath, InQuery, Problem};
use crate::{ClosedBy, Moment, PayFailure, RevokedBy, Trade, TradeState, WalletPlatform};

/// The newest are enough to look at; one is found by its number.
const LISTED: usize = 100;

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/trades", get(list))
        .route("/trades/{out_trade_no}", get(read))
}

/// Times are by the clock outside; `state` is in the platform's words.
#[derive(Serialize)]
struct TradeView {
    out_trade_no: String,
    transaction_id: Option<String>,
    mch_id: String,
    app_id: String,
    sub_mch_id: Option<String>,
    platform: WalletPlatform,
    trade_type: String,
    state: &'static str,
    amount: u64,
    currency: &'static str,
    subject: String,
    attach: Option<String>,
    notify_url: Option<String>,
    prepay_id: Option<String>,
    code_url: Option<String>,
    mweb_url: Option<String>,
    code_expires_at: Option<String>,
    created_at: String,
    expires_at: Option<String>,
    paid_at: Option<String>,
    payer: Option<Payer>,
    closed_at: Option<String>,
    closed_by: Option<ClosedBy>,
    /// Of a code payment that came to nothing.
    failure: Option<PayFailure>,
    revoked_at: Option<String>,
    revoked_by: Option<RevokedBy>,
    /// Fen that were asked back and did not come to nothing.
    amount_refunded: u64,
    refunds: Vec<RefundView>,
}

#[derive(Serialize)]
struct Payer {
    wallet: String,
    openid: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    mch_id: Option<String>,
}

async fn list(
    State(simulator): State<Simulator>,
    InQuery(of): InQuery<Of>,
) -> Answer<Vec<TradeView>> {
    Answer(simulator.look(|platform, now| {
        let at = platform.moment(now);
        let newest_first = platform.truth().trades().rev();
        newest_first
            .filter(|trade| of.fits(trade))
            .take(LISTED)
            .map(|trade| view(at, trade))
            .collect()
    }))
}

async fn read(
    State(simulator): State<Simulator>,
    InPath(number): InPath<String>,
    InQuery(of): InQuery<Of>,
) -> Result<Answer<TradeView>, Problem> {
    let found = simulator.look(|platform, now| {
        let at = platform.moment(now);
        let books = platform.truth();
        let mut merchants = books.accounts.keys();
        let trade = match &of.mch_id {
            Some(mch_id) => books.trade(mch_id, &number),
            None => merchants.find_map(|mch_id| books.trade(mch_id, &number)),
        };
        trade.map(|trade| view(at, trade))
    });
    found.map(Answer).ok_or_else(|| {
        Problem::not_found(format!(
            "no order `{number}` was placed; GET /_sim/trades lists the last {LISTED}, and \
             GET /_sim/requests says why a request was refused"
        ))
    })
}

impl Of {
    fn fits(&self, trade: &Trade) -> bool {
        self.mch_id.as_ref().is_none_or(|id| *id == trade.mch_id)
    }
}

fn view(at: Moment, trade: &Trade) -> TradeView {
    let paid = trade.ever_paid();
    let prepay = trade.prepay.as_ref();
    let (closed_at, closed_by) = match &trade.state {
        TradeState::Closed { at, by } => (Some(at.wall.to_string()), Some(*by)),
        _ => (None, None),
    };
    let (revoked_at, revoked_by) = match &trade.state {
        TradeState::Revoked { at, by, .. } => (Some(at.wall.to_string()), Some(*by)),
        _ => (None, None),
    };
    let failure = match &trade.state {
        TradeState::PayError { why, .. } => Some(*why),
        _ => None,
    };
    TradeView {
        out_trade_no: trade.out_trade_no.clone(),
        transaction_id: paid.map(|paid| paid.transaction_id.clone()),
        mch_id: trade.mch_id.clone(),
        app_id: trade.app_id.clone(),
        sub_mch_id: trade.sub_mch_id.clone(),
        platform: WalletPlatform::Wechat,
        trade_type: trade.trade_type.to_string(),
        state: trade.word(),
        amount: trade.amount_fen,
        currency: "CNY",
        subject: trade.subject.clone(),
        attach: trade.attach.clone(),
        notify_url: trade.notify_url.clone(),
        prepay_id: prepay.map(|prepay| prepay.prepay_id.clone()),
        code_url: prepay.and_then(|prepay| prepay.code_url.clone()),
        mweb_url: prepay.and_then(|prepay| prepay.mweb_url.clone()),
        code_expires_at: prepay.map(|prepay| at.on_wall(prepay.until_inside).to_string()),
        created_at: trade.created.wall.to_string(),
        expires_at: trade
            .expires_inside
            .map(|expires| at.on_wall(expires).to_string()),
        paid_at: paid.map(|paid| paid.at.wall.to_string()),
        payer: paid.map(|paid| Payer {
            wallet: paid.wallet.clone(),
            openid: paid.openid.clone(),
        }),
        closed_at,
        closed_by,
        failure,
        revoked_at,
        revoked_by,
        amount_refunded: trade.refunded_fen(),
        refunds: trade.refunds.iter().map(RefundView::from).collect(),
    }
}
