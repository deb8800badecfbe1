//! Taking money with the code that a payer shows.

use std::collections::BTreeSet;

use tongbao_wire::wechat_v2::micropay::{Paid, Request};
use tongbao_wire::wechat_v2::{BeijingTime, ErrorCode, Fields, TradeType};

use super::super::payment_code::PaymentCode;
use super::super::trade::{PayFailure, Trade, TradeId, TradeState};
use super::caller::Caller;
use super::failure::{Failure, malformed};
use super::{order_query, unified_order};
use crate::platform::{Moment, Platform};

pub(super) fn pay(
    platform: &mut Platform,
    at: Moment,
    fields: &Fields<'_>,
    caller: &Caller,
) -> Result<Paid, Failure> {
    let request = Request::from_fields(fields).map_err(malformed)?;
    unified_order::check_currency(request.optional.fee_type.as_deref())?;
    let terms = terms(fields);
    let digits = request.auth_code.as_str();
    let known = platform
        .trades
        .by_number(&request.head.mch_id, &request.out_trade_no);
    if let Some(trade) = known {
        return Err(again(trade, &terms, platform.payment_codes.get(digits)));
    }
    unified_order::expiry(at, request.optional.time_expire)?;
    let wallet = spend(platform, at, digits, &caller.head.mch_id)?;
    let id = place(platform, at, request, caller, terms, &wallet);
    platform.charge(at, id, &wallet);
    let trade = platform.trades.get(id);
    trade.map_or(
        Err(Failure::Signed(ErrorCode::SystemError, "系统错误")),
        outcome,
    )
}

/// The order without the code: a repetition brings the same one, or is another payer's.
fn terms(fields: &Fields<'_>) -> String {
    let mut without = fields.clone();
    without.remove("auth_code");
    unified_order::terms(&without)
}

/// Nothing is taken twice under one number: a repetition hears how it stands.
fn again(trade: &Trade, terms: &str, code: Option<&PaymentCode>) -> Failure {
    let standing = match outcome(trade) {
        Ok(_) => Failure::Signed(ErrorCode::OrderPaid, "该订单已支付"),
        Err(failure) => failure,
    };
    let Some(wallet) = trade.scanned.as_ref().filter(|_| !trade.is_over()) else {
        return standing;
    };
    if code.is_some_and(|code| code.wallet != *wallet) {
        Failure::Signed(ErrorCode::BuyerMismatch, "支付帐号错误")
    } else if trade.terms != terms {
        Failure::Signed(ErrorCode::OutTradeNoUsed, "商户订单号重复")
    } else {
        standing
    }
}

/// Whose code it is. It is spent from here on, even if the payment fails.
fn spend(
    platform: &mut Platform,
    at: Moment,
    digits: &str,
    mch_id: &str,
) -> Result<String, Failure> {
    let code = usable(platform, at, digits, mch_id)?;
    code.spent = true;
    Ok(code.wallet.clone())
}

/// The code, unless it was made up, used, has expired or is another merchant's.
pub(super) fn usable<'p>(
    platform: &'p mut Platform,
    at: Moment,
    digits: &str,
    mch_id: &str,
) -> Result<&'p mut PaymentCode, Failure> {
    let refuse = |code, text| Err(Failure::Signed(code, text));
    match platform.payment_codes.get_mut(digits) {
        None => refuse(ErrorCode::AuthCodeError, "授权码参数错误"),
        Some(code) if code.spent => refuse(
            ErrorCode::AuthCodeInvalid,
            "101 每个二维码仅限使用一次，请刷新再试",
        ),
        Some(code) if code.is_expired(at) => refuse(
            ErrorCode::AuthCodeExpire,
            "二维码已过期，请用户在微信上刷新后再试",
        ),
        Some(code) if code.only_for.as_deref().is_some_and(|only| only != mch_id) => {
            refuse(ErrorCode::AuthCodeInvalid, "该付款码已绑定其他商户")
        }
        Some(code) => Ok(code),
    }
}

fn place(
    platform: &mut Platform,
    at: Moment,
    request: Request,
    caller: &Caller,
    terms: String,
    wallet: &str,
) -> TradeId {
    let optional = request.optional;
    let id = platform.trades.next_id();
    platform.trades.insert(Trade {
        id,
        mch_id: request.head.mch_id,
        app_id: request.head.appid,
        sub_mch_id: request.head.sub_mch_id,
        sub_app_id: request.head.sub_appid,
        out_trade_no: request.out_trade_no,
        trade_type: TradeType::Micropay,
        amount_fen: request.total_fee,
        subject: request.body,
        attach: optional.attach,
        device_info: optional.device_info,
        version: optional.version,
        openid: None,
        sub_openid: None,
        notify_url: None,
        sign_type: caller.sign_type,
        terms,
        created: at,
        expires_inside: None,
        prepay: None,
        scanned: Some(wallet.to_owned()),
        handles: Vec::new(),
        in_cashier: BTreeSet::new(),
        state: TradeState::NotPay,
        refunds: Vec::new(),
    });
    id
}

/// How a code payment stands, in this call's words.
fn outcome(trade: &Trade) -> Result<Paid, Failure> {
    let (code, text) = match &trade.state {
        TradeState::Success(paid) => {
            return Ok(Paid {
                out_trade_no: trade.out_trade_no.clone(),
                transaction_id: paid.transaction_id.clone(),
                payer: order_query::payer(paid),
                trade_type: Some(TradeType::Micropay),
                bank_type: Some("OTHERS".into()),
                amounts: order_query::amounts(trade.amount_fen),
                attach: trade.attach.clone(),
                time_end: BeijingTime::from_unix_secs(paid.at.wall.as_secs())
                    .or_else(|| BeijingTime::from_unix_secs(0))
                    .expect("1970 has a spelling"),
                promotion_detail: None,
            });
        }
        TradeState::UserPaying { .. } => (ErrorCode::UserPaying, "需要用户输入支付密码"),
        TradeState::PayError { why, .. } => match why {
            PayFailure::NotEnough => (ErrorCode::NotEnough, "余额不足，请更换银行卡再试"),
            PayFailure::Declined => (ErrorCode::TradeError, "用户取消支付"),
            PayFailure::AccountClosed => (ErrorCode::TradeError, "用户账户异常"),
        },
        TradeState::NotPay => (ErrorCode::OutTradeNoUsed, "商户订单号重复"),
        TradeState::Closed { .. } => (ErrorCode::OrderClosed, "该订单已关闭"),
        TradeState::Revoked { .. } => (ErrorCode::OrderReversed, "该订单已撤销"),
    };
    Err(Failure::Signed(code, text))
}
