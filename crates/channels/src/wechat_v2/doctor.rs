//! The key doctor: reads the answer to a harmless question.

use bytes::Bytes;
use http::Response;
use tongbao_core::Timestamp;
use tongbao_wire::wechat_v2::{ErrorCode, Reply, order_query};

use super::app_kind::AppKind;
use super::{Account, answers, refunds};
use crate::channel::{Channel, Diagnosis};

pub(super) fn diagnose(account: &Account, response: &Response<Bytes>, now: Timestamp) -> Diagnosis {
    let fields = match answers::fields(response) {
        Ok(fields) => fields,
        Err(why) => {
            return ill(
                "unreadable_answer",
                format!("the platform's address answered, but not as WeChat Pay v2 does: {why}"),
                "check platforms.wechat_pay in the configuration, and any proxy in between",
            );
        }
    };
    let reply: Reply<order_query::Order> = match Reply::from_fields(&fields) {
        Ok(reply) => reply,
        Err(error) => {
            return ill(
                "unreadable_answer",
                format!("the answer is not a query's: {error}"),
                "check platforms.wechat_pay in the configuration",
            );
        }
    };
    if let Reply::Refused { return_msg } = &reply {
        let said = return_msg.as_deref().unwrap_or("nothing");
        return if said.contains("签") || said.to_ascii_lowercase().contains("sign") {
            bad_key(account, said, now)
        } else if said.contains("sub_") {
            sub_merchant(account, said)
        } else {
            ill(
                "refused",
                format!("the platform refused: {said}"),
                "check app_id and mch_id, and that the two are bound to each other",
            )
        };
    }
    if account.verify(&fields, account.sign_type, now).is_err() {
        return ill(
            "bad_answer_signature",
            "the answer's signature does not fit our key".to_owned(),
            "something between us and the platform changes answers, or the address is not the \
             platform's",
        );
    }
    match reply {
        Reply::Failed {
            err_code: Some(ErrorCode::OrderNotExist),
            ..
        } => well(account, now),
        Reply::Failed {
            err_code:
                Some(
                    code @ (ErrorCode::AppidNotExist
                    | ErrorCode::MchidNotExist
                    | ErrorCode::AppidMchidNotMatch),
                ),
            ..
        } => ill(
            "unknown_account",
            format!("the platform says {code}"),
            "check app_id and mch_id, and bind the two in the merchant platform",
        ),
        Reply::Failed {
            err_code: Some(code @ (ErrorCode::NoAuth | ErrorCode::ParamError)),
            err_code_des,
            ..
        } if account.sub.is_some() => sub_merchant(
            account,
            &format!("{code} {}", err_code_des.unwrap_or_default()),
        ),
        Reply::Failed {
            err_code,
            err_code_des,
            ..
        } => ill(
            "refused",
            format!(
                "the platform says {} {}",
                err_code.map(|code| code.to_string()).unwrap_or_default(),
                err_code_des.unwrap_or_default()
            ),
            "look the code up in the platform's manual; SYSTEMERROR passes by itself",
        ),
        Reply::Done { .. } | Reply::Refused { .. } => ill(
            "unreadable_answer",
            "the platform knows an order that nobody made".to_owned(),
            "check platforms.wechat_pay in the configuration",
        ),
    }
}

fn bad_key(account: &Account, said: &str, now: Timestamp) -> Diagnosis {
    if account.is_changing_keys(now) {
        return ill(
            "new_key_not_yet",
            format!("the platform does not accept the new api_v2_key yet: {said}"),
            "set the same key in the merchant platform under API security, where it takes about \
             15 minutes; until then no order is placed, and none is taken for failed",
        );
    }
    ill(
        "bad_key",
        format!("the platform does not accept our signature: {said}"),
        "copy api_v2_key again, or set a new one in the merchant platform under API security (it \
         takes about 15 minutes); check that sign_type is spelled right",
    )
}

/// The account is known and the key is right: it is about whom it acts for.
fn sub_merchant(account: &Account, said: &str) -> Diagnosis {
    let cure = match &account.sub {
        None => {
            "mch_id is a service provider's, which asks for a sub-merchant: add a channel with \
             sub_mch_id for each"
        }
        Some(_) => {
            "check sub_mch_id and sub_appid: the sub-merchant has to be signed up by this \
             provider and to have authorised it in its own merchant platform, and sub_appid has \
             to be bound to it"
        }
    };
    let cause = format!("the platform does not let this account act for the sub-merchant: {said}");
    ill("sub_merchant_refused", cause, cure)
}

/// A certificate that ends sooner is to be renewed by now.
const SOON_DAYS: u64 = 30;

const RENEW: &str = "request a new one in the merchant platform under API security, API \
    certificate, and enter it; both are good for a while";

/// What refunds need cannot be tried without one; that it is missing can be said.
fn well(account: &Account, now: Timestamp) -> Diagnosis {
    let knows = match &account.sub {
        None => "the platform knows the account and accepts the key".to_owned(),
        Some(sub) => format!(
            "the platform knows the account, accepts the key and lets it act for sub-merchant {}",
            sub.mch_id
        ),
    };
    let knows = match &account.previous {
        Some((_, until)) if now < *until => {
            format!("{knows}; the previous key is believed until {until}")
        }
        _ => knows,
    };
    let (cause, cure) = match (account.certificate_until(), refunds::can(account)) {
        (Some(until), _) if until <= now => {
            return ill(
                "certificate_expired",
                format!("{knows}; but the client certificate ended at {until}"),
                RENEW,
            );
        }
        (Some(until), _) => {
            let days = until.since(now).as_secs() / 86_400;
            let soon = if days < SOON_DAYS { RENEW } else { "" };
            (
                format!("{knows}; the client certificate is good for {days} days"),
                soon.to_owned(),
            )
        }
        (None, Ok(())) => (knows, String::new()),
        (None, Err(missing)) => (
            format!("{knows}; orders can be placed, and nothing can be refunded"),
            missing.to_string(),
        ),
    };
    let (cause, cure) = with_pages(account, cause, cure);
    Diagnosis {
        healthy: true,
        code: "ok",
        cause,
        cure,
    }
}

const WHICH_KIND: &str = "the checkout page inside WeChat asks WeChat who reads it, and only an \
    official account is told: enter app_kind, official_account or mini_program";

/// Whether WeChat names a page's reader to the application shows only in a payer's
/// hand; what was entered can be said.
fn with_pages(account: &Account, cause: String, cure: String) -> (String, String) {
    match (account.app_kind, &account.app) {
        (Some(AppKind::MiniProgram), _) => {
            let shows = "the application is a mini-program, so the checkout page inside WeChat \
                         shows a code";
            (format!("{cause}; {shows}"), cure)
        }
        (None, Some(_)) if cure.is_empty() => (cause, WHICH_KIND.to_owned()),
        (None, Some(_)) => (cause, format!("{cure}; {WHICH_KIND}")),
        (Some(AppKind::OfficialAccount), _) | (None, None) => (cause, cure),
    }
}

fn ill(code: &'static str, cause: String, cure: &str) -> Diagnosis {
    Diagnosis {
        healthy: false,
        code,
        cause,
        cure: cure.to_owned(),
    }
}
