//! The exchange of codes for the `openid`, from WeChat's side.

use bytes::Bytes;
use http::{Method, Request};
use tongbao_wire::secret::Secret;
use tongbao_wire::wechat_openid::access_token::{self, Token};
use tongbao_wire::wechat_openid::jscode2session::{self, Session};
use tongbao_wire::wechat_openid::reply::{Content, Reply};
use tongbao_wire::wechat_openid::{ErrCode, ParamError};

use super::fault::{Fault, FaultKind};
use super::login::GivenTo;
use super::{Moment, Platform};

/// What an application's server can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    Session,
    Token,
}

impl Exchange {
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            jscode2session::PATH => Some(Self::Session),
            access_token::PATH => Some(Self::Token),
            _ => None,
        }
    }
}

/// JSON, and what to write down about it.
pub(super) fn answer(
    platform: &mut Platform,
    at: Moment,
    exchange: Exchange,
    request: &Request<Bytes>,
    fault: Option<&Fault>,
) -> (String, String) {
    let number = fault.and_then(|fault| fault.asked.err_code.as_ref()?.parse::<i64>().ok());
    let early = match fault.map(|fault| fault.asked.kind) {
        Some(FaultKind::SystemError) => Some(number.unwrap_or(-1).into()),
        Some(FaultKind::FrequencyLimited) => Some(ErrCode::TooFrequent),
        _ => None,
    };
    let query = request.uri().query().unwrap_or_default();
    match (exchange, early) {
        _ if request.method() != Method::GET => write::<Session>(Err(ErrCode::Other(43001))),
        (_, Some(code)) => write::<Session>(Err(code)),
        (Exchange::Session, None) => write(session(platform, at, query)),
        (Exchange::Token, None) => write(token(platform, at, query)),
    }
}

fn session(platform: &mut Platform, at: Moment, query: &str) -> Result<Session, ErrCode> {
    let asked = jscode2session::Request::from_query(query).map_err(unreadable)?;
    let (openid, given_to) = spend(platform, at, &asked.appid, &asked.secret, &asked.js_code)?;
    if given_to != GivenTo::MiniProgram {
        return Err(ErrCode::InvalidCode);
    }
    Ok(Session {
        openid,
        session_key: Secret::new(format!("{}==", platform.chance.alphanumeric(22))),
        unionid: None,
    })
}

fn token(platform: &mut Platform, at: Moment, query: &str) -> Result<Token, ErrCode> {
    let asked = access_token::Request::from_query(query).map_err(unreadable)?;
    let (openid, given_to) = spend(platform, at, &asked.appid, &asked.secret, &asked.code)?;
    let GivenTo::Page { scope } = given_to else {
        return Err(ErrCode::InvalidCode);
    };
    Ok(Token {
        access_token: Secret::new(platform.chance.alphanumeric(86)),
        expires_in: 7200,
        refresh_token: Some(Secret::new(platform.chance.alphanumeric(86))),
        openid,
        scope: Some(scope),
        unionid: None,
        is_snapshotuser: None,
    })
}

/// Whose code it is. It is spent by the first question about it, also by one that fails.
fn spend(
    platform: &mut Platform,
    at: Moment,
    app_id: &str,
    secret: &Secret,
    code: &str,
) -> Result<(String, GivenTo), ErrCode> {
    let known = platform.login_codes.get_mut(code);
    let known = known.map(|code| {
        let before = code.clone();
        code.spent = true;
        before
    });
    let right = platform.app_secret(app_id).ok_or(ErrCode::InvalidAppid)?;
    if Secret::new(right) != *secret {
        return Err(ErrCode::InvalidSecret);
    }
    let known = known.ok_or(ErrCode::InvalidCode)?;
    if known.spent {
        return Err(ErrCode::CodeUsed);
    }
    if known.is_expired(at) || known.app_id != app_id {
        return Err(ErrCode::InvalidCode);
    }
    let wallet = platform.wallets.get(&known.wallet);
    let openid = wallet.ok_or(ErrCode::InvalidCode)?.openid_in(app_id);
    Ok((openid, known.given_to))
}

/// 41002 to 41008 name what is missing; 41000 and a text will do here.
fn unreadable(error: ParamError) -> ErrCode {
    match error {
        ParamError::Missing("appid") => ErrCode::Other(41002),
        ParamError::Missing("secret") => ErrCode::Other(41004),
        ParamError::Missing("code" | "js_code") => ErrCode::Other(41008),
        _ => ErrCode::Other(40002),
    }
}

fn write<T: Content>(outcome: Result<T, ErrCode>) -> (String, String) {
    match outcome {
        Ok(content) => (Reply::Done(content).to_json(), "SUCCESS".to_owned()),
        Err(errcode) => {
            let errmsg = match errcode {
                ErrCode::SystemBusy => "system error",
                ErrCode::InvalidAppid => "invalid appid",
                ErrCode::InvalidCode => "invalid code",
                ErrCode::InvalidSecret => "invalid appsecret",
                ErrCode::CodeUsed => "code been used",
                ErrCode::CodeBlocked => "code blocked",
                ErrCode::CodeExpired => "code expired",
                ErrCode::TooFrequent => "api minute-quota reach limit",
                ErrCode::DailyLimit => "api freq out of limit",
                ErrCode::InvalidCredential => "invalid credential",
                ErrCode::NotPermitted => "api unauthorized",
                ErrCode::AppLimited => "user limited",
                ErrCode::Other(_) => "invalid request",
            };
            let reply = Reply::<T>::Failed {
                errcode,
                errmsg: format!("{errmsg}, rid: 00000000-00000000-00000000"),
            };
            (reply.to_json(), errcode.to_string())
        }
    }
}
