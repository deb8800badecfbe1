//! Saying what has become of an order.

use tongbao_wire::wechat_v2::order_query::{Order, OrderNo, Request};
use tongbao_wire::wechat_v2::trade::{Amounts, Payer};
use tongbao_wire::wechat_v2::{BeijingTime, ErrorCode, Fields, TradeState};

use super::super::trade::{Paid, Trade, TradeState as State};
use super::caller::Caller;
use super::failure::{Failure, malformed};
use crate::platform::Platform;

/// The order, and the `device_info` that real replies carry in some states: empty while unpaid
/// without one.
pub(super) fn look_up(
    platform: &Platform,
    fields: &Fields<'_>,
    caller: &Caller,
) -> Result<(Order, Option<String>), Failure> {
    let request = Request::from_fields(fields).map_err(malformed)?;
    let trade = find(platform, &request.order, caller)?;
    Ok(match &trade.state {
        State::NotPay => (not_paid(trade), Some(device_info(trade))),
        State::Success(paid) => {
            let state = if trade.refunds.is_empty() {
                (TradeState::Success, "支付成功")
            } else {
                let text = "订单发生过退款，退款详情请查询退款单";
                (TradeState::Refund, text)
            };
            (paid_order(trade, paid, state), trade.device_info.clone())
        }
        State::Revoked {
            paid: Some(paid), ..
        } => {
            let state = (TradeState::Revoked, "订单已撤销");
            (paid_order(trade, paid, state), trade.device_info.clone())
        }
        State::Revoked { paid: None, .. } => {
            (unpaid(trade, TradeState::Revoked, "订单已撤销"), None)
        }
        State::Closed { .. } => (unpaid(trade, TradeState::Closed, "订单已关闭"), None),
        State::UserPaying { .. } => {
            let text = "需要用户输入支付密码";
            (unpaid(trade, TradeState::UserPaying, text), None)
        }
        State::PayError { .. } => {
            let text = "支付失败，请撤销订单";
            (unpaid(trade, TradeState::PayError, text), None)
        }
    })
}

/// The caller's own order.
pub(super) fn find<'p>(
    platform: &'p Platform,
    order: &OrderNo,
    caller: &Caller,
) -> Result<&'p Trade, Failure> {
    let found = match order {
        OrderNo::TransactionId(id) if !id.bytes().all(|byte| byte.is_ascii_digit()) => {
            let text = "微信订单号非法";
            return Err(Failure::Signed(ErrorCode::InvalidTransactionId, text));
        }
        OrderNo::TransactionId(id) => platform.trades.by_transaction(id),
        OrderNo::OutTradeNo(number) => platform.trades.by_number(&caller.head.mch_id, number),
    };
    found
        .filter(|trade| is_of(trade, caller))
        .ok_or(Failure::Signed(ErrorCode::OrderNotExist, "order not exist"))
}

/// Whether the caller placed it.
pub(super) fn is_of(trade: &Trade, caller: &Caller) -> bool {
    trade.mch_id == caller.head.mch_id && trade.sub_mch_id == caller.head.sub_mch_id
}

fn not_paid(trade: &Trade) -> Order {
    Order {
        amounts: Some(Amounts {
            total_fee: trade.amount_fen,
            ..Amounts::default()
        }),
        ..bare(trade, TradeState::NotPay, "订单未支付")
    }
}

fn unpaid(trade: &Trade, state: TradeState, desc: &str) -> Order {
    Order {
        attach: Some(trade.attach.clone().unwrap_or_default()),
        ..bare(trade, state, desc)
    }
}

fn paid_order(trade: &Trade, paid: &Paid, (state, desc): (TradeState, &str)) -> Order {
    Order {
        transaction_id: Some(paid.transaction_id.clone()),
        payer: payer(paid),
        trade_type: Some(trade.trade_type.clone()),
        bank_type: Some("OTHERS".into()),
        amounts: Some(Amounts {
            cash_fee_type: Some("CNY".into()),
            ..amounts(trade.amount_fen)
        }),
        attach: Some(trade.attach.clone().unwrap_or_default()),
        time_end: BeijingTime::from_unix_secs(paid.at.wall.as_secs()),
        ..bare(trade, state, desc)
    }
}

fn bare(trade: &Trade, trade_state: TradeState, desc: &str) -> Order {
    Order {
        trade_state,
        trade_state_desc: Some(desc.to_owned()),
        out_trade_no: trade.out_trade_no.clone(),
        transaction_id: None,
        payer: Payer::default(),
        trade_type: None,
        bank_type: None,
        amounts: None,
        attach: None,
        time_end: None,
        promotion_detail: None,
        consume_fee: None,
    }
}

fn device_info(trade: &Trade) -> String {
    trade.device_info.clone().unwrap_or_default()
}

/// Who paid, to the merchant.
pub(super) fn payer(paid: &Paid) -> Payer {
    Payer {
        openid: Some(paid.openid.clone()),
        is_subscribe: Some("N".into()),
        sub_openid: paid.sub_openid.clone(),
        sub_is_subscribe: paid.sub_openid.as_ref().map(|_| "N".into()),
    }
}

/// All of it from the payer's own money.
pub(super) fn amounts(total_fee: u64) -> Amounts {
    Amounts {
        total_fee,
        fee_type: Some("CNY".into()),
        cash_fee: Some(total_fee),
        ..Amounts::default()
    }
}
