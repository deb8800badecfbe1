//! The account that messages are made for: the one that the simulator has, too.

use bytes::Bytes;
use http::Request;
use tongbao_channels::{Addresses, Channel, Settings, kind};
use tongbao_core::Timestamp;
use tongbao_simulator::Account;
use tongbao_wire::wechat_v2::{ApiKey, Fields, SignType, sign};

/// Public, and good for nothing outside the simulator.
pub(crate) const KEY: &str = "TongbaoSimulatorTestKey000000001";

/// Whenever it happens.
pub(crate) const NOON: Timestamp = Timestamp::from_secs(1_795_233_600);

pub(crate) fn key() -> ApiKey {
    ApiKey::new(KEY).expect("it keeps the rules")
}

/// The simulator's ready-made account, opened.
pub(crate) fn channel(sign_type: SignType) -> Box<dyn Channel> {
    let account = Account::ready_made();
    let typed = serde_json::json!({
        "app_id": account.app_id,
        "mch_id": account.mch_id,
        "api_v2_key": account.api_v2_key.0,
        "sign_type": sign_type.as_str(),
    });
    let kind = kind("wechat_v2").expect("it is in the registry");
    let settings = Settings::read(kind.fields, typed).expect("they are complete");
    (kind.open)(&settings, &Addresses::default()).expect("they are right")
}

/// The same message, signed with the account's key.
pub(crate) fn signed(fields: &Fields<'_>, sign_type: SignType) -> Bytes {
    let mut fields = fields.clone();
    sign::insert_sign(&mut fields, &key(), sign_type);
    Bytes::from(fields.write())
}

pub(crate) fn post(path: &str, body: Bytes) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = path.parse().unwrap_or_default();
    request
}
