//! The application that payers meet: who reads its page, who uses its mini-program.

use bytes::Bytes;
use http::{Method, Request, Response};
use tongbao_core::Scene;
use tongbao_wire::secret::Secret;
use tongbao_wire::wechat_openid::authorize::{self, Authorize, Scope};
use tongbao_wire::wechat_openid::{self, ErrCode, Reply, access_token, jscode2session};

use super::answers::cut;
use crate::channel::ChannelError;
use crate::login::{Login, NoPayer};
use crate::registry::{Addresses, Site};
use crate::settings::{Settings, SettingsError};

pub(super) const EXCHANGES: Site = Site {
    name: "wechat_api",
    usual: wechat_openid::HOST,
};

pub(super) const PAGES: Site = Site {
    name: "wechat_open",
    usual: authorize::HOST,
};

pub(super) const NO_APP_SECRET: &str = "this channel has no app_secret, and WeChat tells nobody \
    without it whose code this is; enter the AppSecret of app_id (of sub_appid, if there is one) with PATCH /v1/channels/{id}, or \
    exchange the code yourself and send payer.openid";

pub(super) const NO_PAGES: &str = "this channel's app_kind is mini_program, and WeChat does not \
    tell a mini-program who reads a web page; send the code of wx.login with scene mini_program, \
    or use a channel with an official account's app_id";

/// The platform's are at most this long today, by far.
const OPENID_MAX: usize = 128;

/// Its name, its secret, and where to ask.
pub(super) struct App {
    id: String,
    secret: Secret,
    exchanges: String,
    pages: String,
}

impl App {
    /// `None` for an account without the secret.
    pub(super) fn read(
        settings: &Settings,
        addresses: &Addresses,
    ) -> Result<Option<Self>, SettingsError> {
        let Some(secret) = settings.get("app_secret") else {
            return Ok(None);
        };
        let looks_right =
            (16..=64).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_alphanumeric());
        if !looks_right {
            let detail = "is not 16 to 64 letters and digits (WeChat gives out 32); copy it again";
            return Err(SettingsError::new("app_secret", detail));
        }
        // Payers meet the sub-merchant's own application, if it has one.
        let met = match settings.get("sub_appid") {
            Some(_) => "sub_appid",
            None => "app_id",
        };
        Ok(Some(Self {
            id: super::number(settings, met)?,
            secret: Secret::new(secret),
            exchanges: addresses.of(&EXCHANGES).to_owned(),
            pages: addresses.of(&PAGES).to_owned(),
        }))
    }
}

impl Login for App {
    fn authorize(&self, back: &str, state: &str) -> Result<String, ChannelError> {
        let question = Authorize {
            appid: self.id.clone(),
            redirect_uri: back.to_owned(),
            scope: Scope::Base,
            state: state.to_owned(),
        };
        question
            .to_url_on(&self.pages)
            .map_err(|error| ChannelError::Unsendable {
                field: "public_url",
                detail: format!("makes no address that WeChat comes back to: {error}"),
            })
    }

    fn encode(&self, scene: Scene, code: &str) -> Result<Request<Bytes>, ChannelError> {
        let (appid, secret) = (self.id.clone(), self.secret.clone());
        let (path, query) = if scene == Scene::MiniProgram {
            let js_code = code.to_owned();
            let question = jscode2session::Request {
                appid,
                secret,
                js_code,
            };
            (jscode2session::PATH, question.to_query())
        } else {
            let code = code.to_owned();
            let question = access_token::Request {
                appid,
                secret,
                code,
            };
            (access_token::PATH, question.to_query())
        };
        let request = Request::builder()
            .method(Method::GET)
            .uri(format!("{}{path}?{}", self.exchanges, query.expose()))
            .body(Bytes::new());
        // The error's own text could repeat the address.
        request.map_err(|_| ChannelError::Unsendable {
            field: "platforms.wechat_api",
            detail: "is not an address".to_owned(),
        })
    }

    fn decode(&self, scene: Scene, response: &Response<Bytes>) -> Result<String, NoPayer> {
        let unknown = |why: String| NoPayer::Unknown(cut(why));
        if response.status().is_server_error() {
            return Err(unknown(format!("HTTP {}", response.status().as_u16())));
        }
        let openid = if scene == Scene::MiniProgram {
            let reply = jscode2session::Reply::from_json(response.body());
            let session = content(reply.map_err(|error| unknown(error.to_string()))?)?;
            session.openid
        } else {
            let reply = access_token::Reply::from_json(response.body());
            let token = content(reply.map_err(|error| unknown(error.to_string()))?)?;
            if !token.is_of_a_person() {
                return Err(NoPayer::Preview);
            }
            token.openid
        };
        if openid.len() > OPENID_MAX || !openid.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(unknown("the openid is not visible ASCII".to_owned()));
        }
        Ok(openid)
    }
}

fn content<T>(reply: Reply<T>) -> Result<T, NoPayer> {
    let (errcode, errmsg) = match reply {
        Reply::Done(content) => return Ok(content),
        Reply::Failed { errcode, errmsg } => (errcode, errmsg),
    };
    let said = cut(format!("{errcode} {errmsg}").trim_end().to_owned());
    Err(match errcode {
        ErrCode::CodeUsed => NoPayer::CodeUsed(said),
        ErrCode::CodeExpired => NoPayer::CodeExpired(said),
        ErrCode::InvalidCode => NoPayer::CodeInvalid(said),
        ErrCode::InvalidSecret | ErrCode::InvalidCredential => NoPayer::WrongSecret(said),
        ErrCode::InvalidAppid | ErrCode::NotPermitted | ErrCode::AppLimited => {
            NoPayer::AppRefused(said)
        }
        ErrCode::TooFrequent | ErrCode::DailyLimit => NoPayer::TooFrequent(said),
        ErrCode::SystemBusy => NoPayer::Busy(said),
        ErrCode::CodeBlocked => NoPayer::PayerBlocked(said),
        ErrCode::Other(_) => NoPayer::Unknown(said),
    })
}
