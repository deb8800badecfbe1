//! Saying what has become of refunds.

use tongbao_wire::wechat_v2::order_query::OrderNo;
use tongbao_wire::wechat_v2::refund_query::{self, PAGE, RefundNo, Refunds, Request};
use tongbao_wire::wechat_v2::refunded::{RefundAccount, RefundChannel, RefundStatus};
use tongbao_wire::wechat_v2::{BeijingTime, ErrorCode, Fields};

use super::super::refund::{Refund, RefundKey, RefundSource, RefundState};
use super::super::trade::Trade;
use super::caller::Caller;
use super::failure::{Failure, malformed};
use super::order_query;
use crate::platform::Platform;

/// Where the money goes, for people.
pub(super) const RECEIVED_BY: &str = "支付用户零钱";

pub(super) fn look_up(
    platform: &Platform,
    fields: &Fields<'_>,
    caller: &Caller,
) -> Result<Refunds, Failure> {
    let request = Request::from_fields(fields).map_err(malformed)?;
    let one = |key: Option<RefundKey>| {
        let key = key.ok_or(NONE)?;
        let trade = platform.trades.get(key.trade);
        let trade = trade.filter(|trade| order_query::is_of(trade, caller));
        let trade = trade.ok_or(NONE)?;
        Ok((trade, trade.refunds.get(key.place).into_iter().collect()))
    };
    let all = |order: OrderNo| {
        let trade =
            order_query::find(platform, &order, caller).map_err(|failure| match failure {
                Failure::Signed(ErrorCode::OrderNotExist, _) => NONE,
                other => other,
            })?;
        Ok((trade, trade.refunds.iter().collect()))
    };
    let (trade, refunds): (&Trade, Vec<&Refund>) = match request.refund {
        RefundNo::RefundId(id) => one(platform.trades.refund_by_id(&id)),
        RefundNo::OutRefundNo(number) => {
            let mch_id = &caller.head.mch_id;
            one(platform.trades.refund_by_number(mch_id, &number))
        }
        RefundNo::TransactionId(id) => all(OrderNo::TransactionId(id)),
        RefundNo::OutTradeNo(number) => all(OrderNo::OutTradeNo(number)),
    }?;
    let paid = trade.paid().filter(|_| !refunds.is_empty()).ok_or(NONE)?;
    let offset = usize::try_from(request.offset.unwrap_or(0)).unwrap_or(usize::MAX);
    if offset >= refunds.len() {
        let text = "offset超过退款总笔数";
        return Err(Failure::Signed(ErrorCode::ParamError, text));
    }
    let page: Vec<_> = refunds.iter().skip(offset).take(PAGE).copied().collect();
    let refunded = refunds.iter().filter(|refund| refund.counts());
    let refunded: u64 = refunded.map(|refund| refund.fen).sum();
    Ok(Refunds {
        transaction_id: paid.transaction_id.clone(),
        out_trade_no: trade.out_trade_no.clone(),
        total_refund_count: Some(refunds.len() as u64),
        refund_count: page.len() as u64,
        total_fee: trade.amount_fen,
        settlement_total_fee: None,
        fee_type: None,
        cash_fee: Some(trade.amount_fen),
        refund_fee: Some(refunded),
        coupon_refund_fee: None,
        cash_refund_fee: Some(refunded),
        refunds: page.into_iter().map(view).collect(),
    })
}

const NONE: Failure = Failure::Signed(ErrorCode::RefundNotExist, "not exist");

fn view(refund: &Refund) -> refund_query::Refund {
    let at = match refund.state {
        RefundState::Success { at } => BeijingTime::from_unix_secs(at.wall.as_secs()),
        RefundState::Processing | RefundState::Change { .. } | RefundState::Closed { .. } => None,
    };
    refund_query::Refund {
        out_refund_no: refund.out_refund_no.clone(),
        refund_id: refund.refund_id.clone(),
        refund_channel: Some(RefundChannel::Original),
        refund_fee: refund.fen,
        settlement_refund_fee: None,
        coupon_refund_fee: None,
        coupon_refund_count: None,
        coupons: Vec::new(),
        refund_status: status(refund),
        refund_account: Some(account(refund)),
        refund_recv_accout: Some(RECEIVED_BY.into()),
        refund_success_time: at,
    }
}

pub(super) fn status(refund: &Refund) -> RefundStatus {
    match refund.state {
        RefundState::Processing => RefundStatus::Processing,
        RefundState::Success { .. } => RefundStatus::Success,
        RefundState::Change { .. } => RefundStatus::Change,
        RefundState::Closed { .. } => RefundStatus::RefundClose,
    }
}

pub(super) fn account(refund: &Refund) -> RefundAccount {
    match refund.source {
        RefundSource::Unsettled => RefundAccount::UnsettledFunds,
        RefundSource::Recharge => RefundAccount::RechargeFunds,
    }
}
