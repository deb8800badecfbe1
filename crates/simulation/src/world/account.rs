//! The merchant's accounts at the platform, and ours for them.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tongbao_core::ChannelId;
use tongbao_simulator::{
    Account as PlatformAccount, Books, CLIENT_CERTIFICATE, Funds, SubMerchant, Trade,
};
use tongbao_wire::wechat_v2::{ApiKey, Fields, Merchants, SignType, sign};

use crate::seed::Plan;

/// So many accounts are the merchant's own, in every world.
pub(super) const OWN: usize = 2;

/// For so many sub-merchants the service provider acts, where there is one.
pub(super) const SUB_MERCHANTS: usize = 3;

/// One account at the platform, or one sub-merchant of a service provider's, and
/// our channel for it.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) channel: ChannelId,
    pub(crate) mch_id: String,
    pub(crate) app_id: String,
    /// Whom the account acts for.
    pub(crate) sub: Option<Sub>,
    /// Of the application where payers are met.
    pub(crate) app_secret: String,
    pub(crate) key: String,
}

/// A sub-merchant.
#[derive(Clone)]
pub(crate) struct Sub {
    pub(crate) mch_id: String,
    /// Its own application, if it has one.
    pub(crate) app_id: Option<String>,
}

/// The provider with three sub-merchants. Only one has an application of its own:
/// the others are told apart by their numbers alone.
pub(super) fn provider() -> PlatformAccount {
    let mut provider = PlatformAccount::service_provider();
    provider.sub_merchants.push(SubMerchant {
        sub_mch_id: "1900007403".to_owned(),
        name: "第三家".to_owned(),
        app: None,
        funds: Funds::default(),
    });
    provider
}

impl Account {
    /// What the account at the platform is to us: itself, or one for each of those
    /// that it acts for. The channels are yet to be made.
    pub(super) fn all_of(there: &PlatformAccount) -> Vec<Self> {
        let own = Self {
            channel: tongbao_core::id::Id::from_bits(0),
            mch_id: there.mch_id.clone(),
            app_id: there.app_id.clone(),
            sub: None,
            app_secret: there.app_secret.0.clone(),
            key: there.api_v2_key.0.clone(),
        };
        let for_sub = |sub: &SubMerchant| Self {
            sub: Some(Sub {
                mch_id: sub.sub_mch_id.clone(),
                app_id: sub.app.as_ref().map(|app| app.app_id.clone()),
            }),
            app_secret: match &sub.app {
                Some(app) => app.app_secret.0.clone(),
                None => own.app_secret.clone(),
            },
            ..own.clone()
        };
        if there.is_service_provider() {
            there.sub_merchants.iter().map(for_sub).collect()
        } else {
            vec![own]
        }
    }

    /// What an operator types in.
    pub(super) fn settings(&self, plan: &Plan) -> Value {
        let mut settings = json!({
            "app_id": self.app_id,
            "mch_id": self.mch_id,
            "api_v2_key": self.key,
            "app_secret": self.app_secret,
            "close_after_secs": plan.close_after_secs.to_string(),
            "sign_type": if plan.md5 { "MD5" } else { "HMAC-SHA256" },
            // Nobody looks at it where there is no TLS; without one no refund is sent.
            "client_certificate": CLIENT_CERTIFICATE[0],
            "client_key": CLIENT_CERTIFICATE[1],
        });
        let Merchants {
            sub_mch_id,
            sub_appid,
            ..
        } = self.merchants();
        for (name, value) in [("sub_mch_id", sub_mch_id), ("sub_appid", sub_appid)] {
            if let Some(value) = value {
                settings[name] = json!(value);
            }
        }
        settings
    }

    /// The names in the head of every message about it.
    pub(crate) fn merchants(&self) -> Merchants<'_> {
        Merchants {
            appid: &self.app_id,
            mch_id: &self.mch_id,
            sub_appid: self.sub.as_ref().and_then(|sub| sub.app_id.as_deref()),
            sub_mch_id: self.sub.as_ref().map(|sub| &*sub.mch_id),
        }
    }

    /// The application where payers are met, and whose names they bear.
    pub(super) fn payers_app(&self) -> &str {
        self.merchants().sub_appid.unwrap_or(&self.app_id)
    }

    /// What came and has not gone back, by the platform's books.
    pub(super) fn gained(&self, books: &Books<'_>) -> Option<i64> {
        let there = books.accounts.get(&self.mch_id)?;
        let funds = match &self.sub {
            Some(sub) => &there.sub_merchant(&sub.mch_id)?.funds,
            None => &there.funds,
        };
        let [now, first] = [funds.total_fen(), funds.opening_fen()].map(i64::try_from);
        Some(now.ok()? - first.ok()?)
    }

    /// Whether the trade's money is this account's, or this sub-merchant's.
    pub(super) fn has(&self, trade: &Trade) -> bool {
        let Merchants {
            mch_id, sub_mch_id, ..
        } = self.merchants();
        trade.mch_id == mch_id && trade.sub_mch_id.as_deref() == sub_mch_id
    }
}

/// The mistake of not comparing whose a message is: one that bears a good signature
/// is read as if it were this account's.
pub(super) fn not_compared(request: Request<Bytes>, account: &Account) -> Request<Bytes> {
    let (Ok(fields), Ok(key)) = (Fields::read(request.body()), ApiKey::new(&account.key)) else {
        return request;
    };
    let mut types = [SignType::Md5, SignType::HmacSha256].into_iter();
    let signed = types.find(|by| sign::verify(&fields, &key, *by).is_ok());
    let mut ours = fields.clone();
    let Merchants {
        sub_mch_id,
        sub_appid,
        ..
    } = account.merchants();
    for (name, value) in [("sub_mch_id", sub_mch_id), ("sub_appid", sub_appid)] {
        match value {
            Some(value) => ours.insert(name, value),
            None => drop(ours.remove(name)),
        }
    }
    if let Some(sign_type) = signed {
        sign::insert_sign(&mut ours, &key, sign_type);
    }
    let body = Bytes::from(ours.write());
    request.map(|_| body)
}
