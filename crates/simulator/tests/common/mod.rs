//! A merchant that speaks API v2 through `tongbao-wire`, for tests of the platform.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(dead_code, reason = "every test binary uses its own part of this")]

use bytes::Bytes;
use http::Request;
use tongbao_simulator::{Account, Target, UnixMillis};
use tongbao_wire::wechat_v2::{ApiKey, Fields, SignType, sign};

pub(crate) const NOON: UnixMillis = UnixMillis::from_secs(1_795_233_600);
pub(crate) const NOTIFY_URL: &str = "http://shop.test/notify/1";

/// The ready-made account's owner.
pub(crate) struct Merchant {
    pub(crate) mch_id: String,
    pub(crate) app_id: String,
    pub(crate) key: ApiKey,
    pub(crate) sign_type: SignType,
    /// Whom a service provider acts for.
    pub(crate) sub: Vec<(&'static str, String)>,
}

impl Merchant {
    pub(crate) fn ready_made() -> Self {
        Self::of(&Account::ready_made())
    }

    pub(crate) fn of(account: &Account) -> Self {
        Self {
            mch_id: account.mch_id.clone(),
            app_id: account.app_id.clone(),
            key: ApiKey::new(&account.api_v2_key.0).unwrap(),
            sign_type: SignType::Md5,
            sub: Vec::new(),
        }
    }

    /// The service provider, acting for this one.
    pub(crate) fn provider(sub: &[(&'static str, &str)]) -> Self {
        let owned = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
        Self {
            sub: sub.iter().map(owned).collect(),
            ..Self::of(&Account::service_provider())
        }
    }

    pub(crate) fn with_hmac() -> Self {
        Self {
            sign_type: SignType::HmacSha256,
            ..Self::ready_made()
        }
    }

    /// The fields of a `NATIVE` order, still without head and signature.
    pub(crate) fn order(number: &str, fen: u64) -> Fields<'static> {
        let pairs = [
            ("body", "豆浆".to_owned()),
            ("out_trade_no", number.to_owned()),
            ("total_fee", fen.to_string()),
            ("spbill_create_ip", "127.0.0.1".to_owned()),
            ("notify_url", NOTIFY_URL.to_owned()),
            ("trade_type", "NATIVE".to_owned()),
            ("product_id", "p1".to_owned()),
        ];
        pairs.into_iter().collect()
    }

    /// The fields of a code payment, still without head and signature.
    pub(crate) fn charge(number: &str, fen: u64, auth_code: &str) -> Fields<'static> {
        let pairs = [
            ("body", "豆浆".to_owned()),
            ("out_trade_no", number.to_owned()),
            ("total_fee", fen.to_string()),
            ("spbill_create_ip", "127.0.0.1".to_owned()),
            ("auth_code", auth_code.to_owned()),
        ];
        pairs.into_iter().collect()
    }

    pub(crate) fn number(number: &str) -> Fields<'static> {
        Fields::from_iter([("out_trade_no", number.to_owned())])
    }

    /// With head and signature.
    pub(crate) fn sign(&self, fields: &Fields<'_>) -> String {
        let mut all = fields.clone();
        all.insert("appid", &*self.app_id);
        all.insert("mch_id", &*self.mch_id);
        for (name, value) in &self.sub {
            all.insert(*name, &**value);
        }
        all.insert("nonce_str", "ibuaiVcKdpRxkhJA");
        if self.sign_type == SignType::HmacSha256 {
            all.insert("sign_type", self.sign_type.as_str());
        }
        sign::insert_sign(&mut all, &self.key, self.sign_type);
        all.write()
    }

    pub(crate) fn request(&self, path: &str, fields: &Fields<'_>) -> Request<Bytes> {
        post(path, self.sign(fields))
    }
}

pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post(path).body(body.into()).unwrap()
}

pub(crate) fn read(body: &[u8]) -> Fields<'static> {
    Fields::read(body).unwrap().into_owned()
}

pub(crate) fn code(fields: &Fields<'_>) -> Target {
    Target::CodeUrl(fields.get("code_url").unwrap().to_owned())
}

/// A merchant's "heard", in the platform's form.
pub(crate) const HEARD: &[u8] =
    b"<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";
