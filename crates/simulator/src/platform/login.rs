//! Codes that say who a person is to an application, before any order.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tongbao_wire::wechat_openid::authorize::{Authorize, Callback};

use super::cashier::Refusal;
use super::wallet::WalletPlatform;
use super::{Moment, Platform};
use crate::UnixMillis;

/// How long a code lives.
const LIFE: Duration = Duration::from_mins(5);
/// How long a code that has ended is known as one that has.
const REMEMBERED: Duration = Duration::from_hours(1);

/// One code of one person for one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LoginCode {
    pub(super) wallet: String,
    pub(super) app_id: String,
    pub(super) given_to: GivenTo,
    pub(super) until_inside: UnixMillis,
    pub(super) spent: bool,
}

/// Who has the code, and so what it is exchanged for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum GivenTo {
    MiniProgram,
    Page { scope: String },
}

/// By code.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct LoginCodes {
    given_out: BTreeMap<String, LoginCode>,
}

impl LoginCodes {
    pub(super) fn get_mut(&mut self, code: &str) -> Option<&mut LoginCode> {
        self.given_out.get_mut(code)
    }
}

impl LoginCode {
    pub(super) fn is_expired(&self, at: Moment) -> bool {
        self.until_inside <= at.inside
    }
}

impl Platform {
    /// The person opens a mini-program: the code that `wx.login` gives it.
    pub fn login_code(
        &mut self,
        now: UnixMillis,
        wallet: &str,
        app_id: &str,
    ) -> Result<String, Refusal> {
        self.give_code(now, wallet, app_id, GivenTo::MiniProgram)
    }

    /// The person reads a page in WeChat, and lets it know who reads: where the browser is sent
    /// back to.
    pub fn authorize(
        &mut self,
        now: UnixMillis,
        wallet: &str,
        asked: &Authorize,
    ) -> Result<String, Refusal> {
        let scope = asked.scope.to_string();
        let code = self.give_code(now, wallet, &asked.appid, GivenTo::Page { scope })?;
        let callback = Callback {
            code: Some(code),
            state: asked.state.clone(),
        };
        Ok(callback.to_url(&asked.redirect_uri))
    }

    fn give_code(
        &mut self,
        now: UnixMillis,
        wallet: &str,
        app_id: &str,
        given_to: GivenTo,
    ) -> Result<String, Refusal> {
        let at = self.moment(now);
        if self.wallet(wallet)?.platform != WalletPlatform::Wechat {
            return Err(Refusal::OtherPlatform);
        }
        if self.app_secret(app_id).is_none() {
            return Err(Refusal::UnknownApp(app_id.to_owned()));
        }
        let code = format!("0{}", self.chance.alphanumeric(31));
        let codes = &mut self.login_codes.given_out;
        codes.retain(|_, code| at.inside.since(code.until_inside) < REMEMBERED);
        codes.insert(
            code.clone(),
            LoginCode {
                wallet: wallet.to_owned(),
                app_id: app_id.to_owned(),
                given_to,
                until_inside: at.inside + LIFE,
                spent: false,
            },
        );
        Ok(code)
    }

    /// Of a merchant's application or of a sub-merchant's.
    pub(super) fn app_secret(&self, app_id: &str) -> Option<&str> {
        self.accounts.values().find_map(|account| {
            if account.app_id == app_id {
                return Some(&*account.app_secret.0);
            }
            let mut apps = account
                .sub_merchants
                .iter()
                .filter_map(|sub| sub.app.as_ref());
            let app = apps.find(|app| app.app_id == app_id)?;
            Some(&*app.app_secret.0)
        })
    }
}
