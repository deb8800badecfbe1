//! What the platform's side of WeChat Pay v2 needs in several tests.

use bytes::Bytes;
use http::Response;
use tongbao_channels::Stamp;
use tongbao_core::Timestamp;
use tongbao_wire::wechat_v2::sign::insert_sign;
use tongbao_wire::wechat_v2::{ApiKey, Fields, SignType};

pub(crate) fn stamp(now: Timestamp) -> Stamp {
    Stamp {
        now,
        nonce: "5K8264ILTKCH16CQ2502SI8ZNMTM67VS".into(),
    }
}

/// The platform's head about an application and its merchant, and `more`, which
/// stands in its place where the names are the same; signed.
pub(crate) fn signed(
    [app_id, mch_id]: [&'static str; 2],
    more: &[(&'static str, &'static str)],
    key: &str,
    by: SignType,
) -> Response<Bytes> {
    let mut fields = Fields::from_iter([
        ("return_code", "SUCCESS"),
        ("appid", app_id),
        ("mch_id", mch_id),
        ("nonce_str", "nonce"),
        ("result_code", "SUCCESS"),
    ]);
    for (name, value) in more {
        fields.insert(*name, *value);
    }
    insert_sign(&mut fields, &ApiKey::new(key).unwrap(), by);
    Response::new(Bytes::from(fields.write()))
}
