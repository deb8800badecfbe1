//! Closing an order that nobody has paid.

use std::time::Duration;

use tongbao_wire::wechat_v2::close_order::{Closed, Request};
use tongbao_wire::wechat_v2::{ErrorCode, Fields};

use super::super::settings::EarlyClose;
use super::super::trade::{ClosedBy, TradeState};
use super::caller::Caller;
use super::failure::{Failure, malformed};
use super::order_query;
use crate::platform::{Moment, Platform};

/// A close should not come sooner after the order than this.
const EARLY: Duration = Duration::from_mins(5);

pub(super) fn close(
    platform: &mut Platform,
    at: Moment,
    fields: &Fields<'_>,
    caller: &Caller,
) -> Result<Closed, Failure> {
    let request = Request::from_fields(fields).map_err(malformed)?;
    let trade = platform
        .trades
        .by_number(&caller.head.mch_id, &request.out_trade_no)
        .filter(|trade| order_query::is_of(trade, caller))
        .ok_or(Failure::Signed(ErrorCode::OrderNotExist, "订单不存在"))?;
    match trade.state {
        TradeState::Success(_) => {
            return Err(Failure::Signed(ErrorCode::OrderPaid, "订单已支付"));
        }
        TradeState::Closed { .. } | TradeState::Revoked { .. } => {
            return Err(Failure::Signed(ErrorCode::OrderClosed, "订单已关闭"));
        }
        TradeState::UserPaying { .. } | TradeState::PayError { .. } => {
            let text = "付款码支付的订单请调用撤销订单接口";
            return Err(Failure::Signed(ErrorCode::TradeStateError, text));
        }
        TradeState::NotPay => {}
    }
    let early = at.inside.since(trade.created.inside) < EARLY;
    let id = trade.id;
    match platform.settings.early_close {
        EarlyClose::Refused if early => {
            let text = "订单生成后不能马上调用关单接口，最短调用时间间隔为5分钟";
            return Err(Failure::Signed(ErrorCode::TradeStateError, text));
        }
        EarlyClose::WithoutEffect if early => {}
        EarlyClose::Accepted | EarlyClose::Refused | EarlyClose::WithoutEffect => {
            if let Some(trade) = platform.trades.get_mut(id) {
                trade.in_cashier.clear();
                trade.state = TradeState::Closed {
                    at,
                    by: ClosedBy::Merchant,
                };
            }
        }
    }
    Ok(Closed {
        result_msg: Some("OK".into()),
    })
}
