//! Placing an order, for the first time or again.

use std::collections::BTreeSet;
use std::time::Duration;

use tongbao_wire::wechat_v2::unified_order::{Prepaid, Request};
use tongbao_wire::wechat_v2::{BeijingTime, ErrorCode, Fields, TradeType};

use super::super::timer::Timer;
use super::super::trade::{Prepay, Trade, TradeState};
use super::caller::Caller;
use super::failure::{Failure, lacks, malformed};
use crate::UnixMillis;
use crate::platform::{Moment, Platform};

/// How long a `prepay_id` and a `code_url` live.
const PREPAY_LIFE: Duration = Duration::from_hours(2);
/// How long a `mweb_url` lives.
const MWEB_LIFE: Duration = Duration::from_mins(5);
/// The least time between an order and its `time_expire`.
const LEAST_TO_EXPIRY: Duration = Duration::from_mins(1);

/// What may differ when an order is repeated: the envelope, and readings of the clock or of an
/// address, which are the caller's and not the order's. The first `time_expire` stands.
const NOT_TERMS: [&str; 6] = [
    "nonce_str",
    "sign",
    "sign_type",
    "spbill_create_ip",
    "time_expire",
    "time_start",
];

pub(super) fn place(
    platform: &mut Platform,
    at: Moment,
    fields: &Fields<'_>,
    caller: &Caller,
) -> Result<Prepaid, Failure> {
    let order = Request::from_fields(fields).map_err(malformed)?;
    check_trade_type(&order)?;
    check_payer(platform, &order)?;
    check_scene(&order)?;
    check_currency(order.optional.fee_type.as_deref())?;
    if order.notify_url.parse::<http::Uri>().is_err() {
        return Err(Failure::unsigned("invalid notify_url"));
    }
    let terms = terms(fields);
    let known = platform
        .trades
        .by_number(&order.head.mch_id, &order.out_trade_no);
    if let Some(trade) = known {
        let trade = may_repeat(trade, &terms)?.clone();
        return Ok(repeat(platform, at, trade));
    }
    let expires_inside = expiry(at, order.optional.time_expire)?;
    Ok(first(platform, at, order, caller, terms, expires_inside))
}

fn first(
    platform: &mut Platform,
    at: Moment,
    order: Request,
    caller: &Caller,
    terms: String,
    expires_inside: Option<UnixMillis>,
) -> Prepaid {
    let prepay = fresh_prepay(platform, at, &order.trade_type);
    let optional = order.optional;
    let trade = Trade {
        id: platform.trades.next_id(),
        mch_id: order.head.mch_id,
        app_id: order.head.appid,
        sub_mch_id: order.head.sub_mch_id,
        sub_app_id: order.head.sub_appid,
        out_trade_no: order.out_trade_no,
        trade_type: order.trade_type,
        amount_fen: order.total_fee,
        subject: order.body,
        attach: optional.attach,
        device_info: optional.device_info,
        version: optional.version,
        openid: optional.openid,
        sub_openid: optional.sub_openid,
        notify_url: Some(order.notify_url),
        sign_type: caller.sign_type,
        terms,
        created: at,
        expires_inside,
        handles: prepay.handles().collect(),
        prepay: Some(prepay.clone()),
        scanned: None,
        in_cashier: BTreeSet::new(),
        state: TradeState::NotPay,
        refunds: Vec::new(),
    };
    let id = trade.id;
    let prepaid = prepaid(&trade.trade_type, prepay);
    platform.trades.insert(trade);
    let settings = &platform.settings;
    let close = match expires_inside {
        Some(expires) => expires + Duration::from_secs(settings.expiry_lag_secs),
        None => at.inside + Duration::from_secs(settings.unpaid_close_secs),
    };
    platform.timers.set(close, Timer::CloseUnpaid(id));
    platform.forge_if_asked(at, id);
    prepaid
}

fn may_repeat<'t>(trade: &'t Trade, terms: &str) -> Result<&'t Trade, Failure> {
    match trade.state {
        TradeState::Success(_) => Err(Failure::Signed(ErrorCode::OrderPaid, "该订单已支付")),
        TradeState::Closed { .. } => Err(Failure::Signed(ErrorCode::OrderClosed, "该订单已关闭")),
        TradeState::NotPay if trade.terms == terms => Ok(trade),
        TradeState::NotPay
        | TradeState::UserPaying { .. }
        | TradeState::PayError { .. }
        | TradeState::Revoked { .. } => Err(Failure::Signed(
            ErrorCode::InvalidRequest,
            "201 商户订单号重复",
        )),
    }
}

fn repeat(platform: &mut Platform, at: Moment, trade: Trade) -> Prepaid {
    let prepay = match trade.prepay {
        Some(prepay) if at.inside < prepay.until_inside => {
            if trade.trade_type != TradeType::Mweb {
                return prepaid(&trade.trade_type, prepay);
            }
            // The link is made anew each time, and leads to the same prepay.
            Prepay {
                mweb_url: Some(mweb_url(platform, &prepay.prepay_id)),
                mweb_until_inside: at.inside + MWEB_LIFE,
                ..prepay
            }
        }
        _ => fresh_prepay(platform, at, &trade.trade_type),
    };
    platform.trades.renew(trade.id, prepay.clone());
    prepaid(&trade.trade_type, prepay)
}

fn mweb_url(platform: &mut Platform, prepay_id: &str) -> String {
    let site = platform.settings.public_url.as_deref();
    let site = site.unwrap_or("https://wx.tenpay.com").to_owned();
    let package = platform.chance.digits(10);
    format!("{site}/cgi-bin/mmpayweb-bin/checkmweb?prepay_id={prepay_id}&package={package}")
}

fn check_trade_type(order: &Request) -> Result<(), Failure> {
    match order.trade_type {
        TradeType::Native | TradeType::Jsapi | TradeType::App | TradeType::Mweb => {}
        TradeType::Micropay | TradeType::Facepay | TradeType::Other(_) => {
            return Err(Failure::unsigned("invalid trade_type"));
        }
    }
    match order.lacks() {
        Some("openid") => Err(Failure::unsigned("JSAPI支付必须传openid")),
        Some(field) => Err(lacks(field)),
        None => Ok(()),
    }
}

/// An openid is somebody's, and has a meaning only under its own application.
fn check_payer(platform: &Platform, order: &Request) -> Result<(), Failure> {
    if order.trade_type != TradeType::Jsapi {
        return Ok(());
    }
    let is_of = |openid: &str, app_id: &str| {
        let mut wallets = platform.wallets.values();
        wallets.any(|wallet| wallet.openid_in(app_id) == openid)
    };
    let optional = &order.optional;
    let openid = optional.openid.as_deref();
    let sub_openid = optional.sub_openid.as_deref();
    let sub_app_id = order.head.sub_appid.as_deref().unwrap_or_default();
    if openid.is_some_and(|openid| !is_of(openid, &order.head.appid))
        || sub_openid.is_some_and(|openid| !is_of(openid, sub_app_id))
    {
        return Err(Failure::unsigned("appid and openid not match"));
    }
    Ok(())
}

fn check_scene(order: &Request) -> Result<(), Failure> {
    if order.trade_type != TradeType::Mweb {
        return Ok(());
    }
    let scene = order.scene_info().map_err(malformed)?;
    match scene.and_then(|scene| scene.h5_info) {
        Some(h5_info) => h5_info.lacks().map_or(Ok(()), |field| Err(lacks(field))),
        None => Err(lacks("h5_info")),
    }
}

pub(super) fn check_currency(fee_type: Option<&str>) -> Result<(), Failure> {
    match fee_type {
        None | Some("CNY") => Ok(()),
        Some(_) => Err(Failure::unsigned("invalid fee_type")),
    }
}

/// Both clocks are the merchant's: what counts is the time that remains.
pub(super) fn expiry(
    at: Moment,
    time_expire: Option<BeijingTime>,
) -> Result<Option<UnixMillis>, Failure> {
    let Some(expires) = time_expire else {
        return Ok(None);
    };
    let remains = UnixMillis::from_secs(expires.unix_secs()).since(at.wall);
    if remains < LEAST_TO_EXPIRY {
        let text = "time_expire时间过短，刷卡至少1分钟，其他5分钟";
        return Err(Failure::unsigned(text));
    }
    Ok(Some(at.inside + remains))
}

/// The order without what may differ, in a spelling that has one reading.
pub(super) fn terms(fields: &Fields<'_>) -> String {
    let mut terms = Fields::new();
    for (name, value) in fields.iter_by_name() {
        if !value.is_empty() && !NOT_TERMS.contains(&name) {
            terms.insert(name, value);
        }
    }
    terms.write()
}

fn fresh_prepay(platform: &mut Platform, at: Moment, trade_type: &TradeType) -> Prepay {
    // `wx`, day and time, then digits: the form of real ones.
    let stamp = BeijingTime::from_unix_secs(at.wall.as_secs()).map_or_else(
        || "01000000".into(),
        |time| time.to_string()[6..].to_owned(),
    );
    let chance = &mut platform.chance;
    let prepay_id = format!("wx{stamp}{}{}0000", chance.digits(6), chance.hex(16));
    let code_url = (*trade_type == TradeType::Native)
        .then(|| format!("weixin://wxpay/bizpayurl?pr={}", chance.alphanumeric(9)));
    let mweb_url = (*trade_type == TradeType::Mweb).then(|| mweb_url(platform, &prepay_id));
    Prepay {
        prepay_id,
        code_url,
        mweb_url,
        until_inside: at.inside + PREPAY_LIFE,
        mweb_until_inside: at.inside + MWEB_LIFE,
    }
}

fn prepaid(trade_type: &TradeType, prepay: Prepay) -> Prepaid {
    Prepaid {
        trade_type: trade_type.clone(),
        prepay_id: prepay.prepay_id,
        code_url: prepay.code_url,
        mweb_url: prepay.mweb_url,
    }
}
