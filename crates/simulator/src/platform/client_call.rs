//! What opens the wallet: a code, a page, an app or a browser.

use tongbao_wire::wechat_v2::mweb;
use tongbao_wire::wechat_v2::{ApiKey, AppCall, CallError, JsapiCall};

use super::Platform;
use super::cashier::{Refusal, Target};
use super::trade::Trade;
use crate::UnixMillis;

/// What a person's phone is handed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A code or a prepay id as it stands, unsigned.
    Bare(Target),
    /// The object that a page or a mini-program hands to the wallet, as JSON.
    Jsapi {
        /// `appId` may be missing from it, `timeStamp` may be `timestamp`.
        json: String,
    },
    /// The object that an app hands to the wallet, as JSON.
    App {
        /// All names in lower case.
        json: String,
    },
    /// A mobile browser was sent there.
    MwebUrl(String),
}

/// An order that the phone was opened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What to scan and pay.
    pub target: Target,
    /// Where the browser goes afterwards.
    pub redirect_url: Option<String>,
}

impl Platform {
    /// Checks what the phone is handed, second signature included.
    pub fn open(&self, now: UnixMillis, opening: &Opening) -> Result<Opened, Refusal> {
        match opening {
            Opening::Bare(target) => Ok(opened(target.clone())),
            Opening::Jsapi { json } => self.open_call(json, "package", |json, trade, key| {
                let app_id = trade.client_app_id();
                JsapiCall::from_json(json, app_id, trade.sign_type, key).map(|_| ())
            }),
            Opening::App { json } => self.open_call(json, "prepayid", |json, trade, key| {
                let call = AppCall::from_json(json, trade.sign_type, key)?;
                let is_of = call.appid == trade.client_app_id() && call.partnerid == trade.payee();
                is_of.then_some(()).ok_or(CallError::Json)
            }),
            Opening::MwebUrl(url) => self.open_browser(now, url),
        }
    }

    fn open_call(
        &self,
        json: &str,
        field: &str,
        verify: impl FnOnce(&str, &Trade, &ApiKey) -> Result<(), CallError>,
    ) -> Result<Opened, Refusal> {
        let unreadable = || Refusal::BadCall("not an object of texts".to_owned());
        let object: serde_json::Value = serde_json::from_str(json).map_err(|_| unreadable())?;
        let said = object[field].as_str().ok_or_else(unreadable)?;
        let prepay_id = said.strip_prefix("prepay_id=").unwrap_or(said).to_owned();
        let trade = self.trades.by_handle(&prepay_id);
        let trade = trade.ok_or(Refusal::UnknownCode)?;
        let key = self.accounts.get(&trade.mch_id);
        let key = key.and_then(|account| ApiKey::new(&account.api_v2_key.0).ok());
        let key = key.ok_or_else(unreadable)?;
        verify(json, trade, &key).map_err(|error| Refusal::BadCall(error.to_string()))?;
        Ok(opened(Target::PrepayId(prepay_id)))
    }

    fn open_browser(&self, now: UnixMillis, url: &str) -> Result<Opened, Refusal> {
        let at = self.moment(now);
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let named = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("prepay_id="));
        let trade = named.and_then(|id| self.trades.by_handle(id));
        let prepay = trade.and_then(|trade| trade.prepay.as_ref());
        let prepay = prepay
            .filter(|prepay| {
                prepay
                    .mweb_url
                    .as_deref()
                    .is_some_and(|own| leads_to(url, own))
            })
            .ok_or(Refusal::UnknownCode)?;
        if prepay.mweb_until_inside <= at.inside {
            return Err(Refusal::BrowserTooLate);
        }
        Ok(Opened {
            target: Target::PrepayId(prepay.prepay_id.clone()),
            redirect_url: mweb::redirect_url(url),
        })
    }
}

fn opened(target: Target) -> Opened {
    Opened {
        target,
        redirect_url: None,
    }
}

/// Whether it is the same page, on whatever host, with or without a page to come back to.
fn leads_to(url: &str, own: &str) -> bool {
    let path = |url: &str| url.find("/cgi-bin/").map(|start| url[start..].to_owned());
    let (asked, own) = (path(url), path(own));
    asked.is_some_and(|asked| own.is_some_and(|own| asked.starts_with(&own)))
}
