//! Taking a merchant's request to give money back.

use tongbao_wire::wechat_v2::refund::{Accepted, Request};
use tongbao_wire::wechat_v2::refunded::RefundAccount;
use tongbao_wire::wechat_v2::{ErrorCode, Fields};

use super::super::refund::{Refund, RefundAskedBy, RefundKey, RefundSource};
use super::super::refunding::{NewRefund, RefundRefusal};
use super::super::trade::Trade;
use super::caller::Caller;
use super::failure::{Failure, malformed};
use super::{order_query, unified_order};
use crate::platform::{Moment, Platform};

pub(super) fn refund(
    platform: &mut Platform,
    at: Moment,
    fields: &Fields<'_>,
    caller: &Caller,
) -> Result<Accepted, Failure> {
    let request = Request::from_fields(fields).map_err(malformed)?;
    unified_order::check_currency(request.optional.refund_fee_type.as_deref())?;
    let source = source(request.optional.refund_account.as_ref())?;
    let trade = order_query::find(platform, &request.order, caller)?;
    if request.total_fee != trade.amount_fen {
        let text = "订单金额与原订单金额不一致，请核实后再试";
        return Err(Failure::Signed(ErrorCode::RefundFeeMismatch, text));
    }
    let id = trade.id;
    let known = platform
        .trades
        .refund_by_number(&caller.head.mch_id, &request.out_refund_no);
    if let Some(key) = known {
        return again(platform, key, id, request.refund_fee);
    }
    let new = NewRefund {
        out_refund_no: request.out_refund_no,
        fen: request.refund_fee,
        reason: request.optional.refund_desc,
        source,
        asked_by: RefundAskedBy::Api,
        notify_url: request.optional.notify_url,
    };
    let key = platform.refund(at, id, new).map_err(refused)?;
    accepted(platform, key)
}

/// One number is one refund, however often it is asked for.
fn again(
    platform: &Platform,
    key: RefundKey,
    id: super::super::trade::TradeId,
    fen: u64,
) -> Result<Accepted, Failure> {
    let same = platform
        .trades
        .refund(key)
        .is_some_and(|known| known.fen == fen);
    if key.trade == id && same {
        accepted(platform, key)
    } else {
        let text = "订单金额或退款金额与之前请求不一致，请核实后再试";
        Err(Failure::Signed(ErrorCode::RefundFeeMismatch, text))
    }
}

fn source(account: Option<&RefundAccount>) -> Result<RefundSource, Failure> {
    match account {
        None | Some(RefundAccount::UnsettledFunds) => Ok(RefundSource::Unsettled),
        Some(RefundAccount::RechargeFunds) => Ok(RefundSource::Recharge),
        Some(RefundAccount::Other(_)) => Err(Failure::unsigned("invalid refund_account")),
    }
}

fn refused(refusal: RefundRefusal) -> Failure {
    let (code, text) = match refusal {
        RefundRefusal::Unknown | RefundRefusal::NotAbnormal => {
            (ErrorCode::OrderNotExist, "订单不存在")
        }
        RefundRefusal::NotPaid => (ErrorCode::TradeStateError, "订单状态错误"),
        RefundRefusal::Overdue => (ErrorCode::TradeOverdue, "订单已经超过退款期限"),
        RefundRefusal::AllRefunded => (ErrorCode::Error, "订单已全额退款"),
        RefundRefusal::TooMuch => (ErrorCode::RefundFeeInvalid, "累计退款金额大于支付金额"),
        RefundRefusal::TooMany => (ErrorCode::InvalidRequest, "一笔订单最多部分退款50次"),
        RefundRefusal::TooSoon => (ErrorCode::FrequencyLimited, "频率限制，请1分钟后再试"),
        RefundRefusal::NotEnough => (ErrorCode::NotEnough, "基本账户余额不足，请充值后重新发起"),
        RefundRefusal::PayerGone => (ErrorCode::UserAccountAbnormal, "用户账户异常或已注销"),
    };
    Failure::Signed(code, text)
}

fn accepted(platform: &Platform, key: RefundKey) -> Result<Accepted, Failure> {
    let trade = platform.trades.get(key.trade);
    let refund = platform.trades.refund(key);
    trade
        .zip(refund)
        .and_then(|(trade, refund)| answer(trade, refund))
        .ok_or(Failure::Signed(ErrorCode::SystemError, "系统错误"))
}

fn answer(trade: &Trade, refund: &Refund) -> Option<Accepted> {
    Some(Accepted {
        transaction_id: trade.paid()?.transaction_id.clone(),
        out_trade_no: trade.out_trade_no.clone(),
        out_refund_no: refund.out_refund_no.clone(),
        refund_id: refund.refund_id.clone(),
        refund_channel: None,
        refund_fee: refund.fen,
        settlement_refund_fee: None,
        total_fee: trade.amount_fen,
        settlement_total_fee: None,
        fee_type: None,
        cash_fee: Some(trade.amount_fen),
        cash_fee_type: None,
        cash_refund_fee: Some(refund.fen),
        coupon_refund_fee: Some(0),
        coupon_refund_count: Some(0),
        coupons: Vec::new(),
    })
}
