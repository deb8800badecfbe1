//! Undoing a code payment, whatever has become of it.

use std::time::Duration;

use tongbao_wire::wechat_v2::reverse::{Recall, Request};
use tongbao_wire::wechat_v2::{ErrorCode, Fields, TradeType};

use super::super::trade::{RevokedBy, Trade, TradeState};
use super::caller::Caller;
use super::failure::{Failure, malformed};
use super::order_query;
use crate::platform::{Moment, Platform};

/// An older payment can only be refunded.
const REVERSIBLE: Duration = Duration::from_hours(7 * 24);

pub(super) fn reverse(
    platform: &mut Platform,
    at: Moment,
    fields: &Fields<'_>,
    caller: &Caller,
) -> Result<(), Failure> {
    let request = Request::from_fields(fields).map_err(malformed)?;
    let trade = order_query::find(platform, &request.order, caller)?;
    if trade.trade_type != TradeType::Micropay {
        let text = "非付款码支付订单，不能撤销";
        return Err(Failure::Signed(ErrorCode::InvalidRequest, text));
    }
    let early = Duration::from_secs(platform.settings.early_reverse_secs);
    match &trade.state {
        TradeState::Revoked { .. } => return Ok(()),
        TradeState::UserPaying { .. } if age(trade, at) < early => {
            let text = "正在支付中不能发起撤销";
            return Err(Failure::Signed(ErrorCode::UserPaying, text));
        }
        TradeState::Success(_) if !trade.refunds.is_empty() => {
            let text = "订单已发生退款，不能撤销";
            return Err(Failure::Signed(ErrorCode::TradeError, text));
        }
        _ if age(trade, at) > REVERSIBLE => {
            let text = "订单已超过撤销期限，请使用退款";
            return Err(Failure::Signed(ErrorCode::ReverseExpire, text));
        }
        _ => {}
    }
    let id = trade.id;
    if platform.revoke(at, id, RevokedBy::Merchant) {
        Ok(())
    } else {
        Err(Failure::Signed(ErrorCode::TradeError, "商户余额不足"))
    }
}

/// What a failure says of calling again.
pub(super) fn recall_after(code: &ErrorCode) -> Recall {
    match code {
        ErrorCode::SystemError | ErrorCode::UserPaying => Recall::Yes,
        _ => Recall::No,
    }
}

fn age(trade: &Trade, at: Moment) -> Duration {
    at.inside.since(trade.created.inside)
}
