//! The simulated platform: whatever a merchant's client sends, it answers in its own words, and
//! what it signs can be verified.
//!
//! An input is a line with the path, then the body.

use bytes::Bytes;
use tongbao_simulator::{Platform, UnixMillis};
use tongbao_wire::wechat_v2::{Fields, SignType, sign};

use crate::account;

pub use crate::messages::WORDS;

/// See the module.
pub fn run(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n');
    let Some((path, body)) = end.map(|end| (&input[..end], &input[end + 1..])) else {
        return;
    };
    let path = String::from_utf8_lossy(path);
    let mut platform = Platform::new(7);
    is_answered(&mut platform, &path, Bytes::copy_from_slice(body));
    if let Ok(fields) = Fields::read(body) {
        let said = fields.present("sign_type").and_then(SignType::from_word);
        let signed = account::signed(&fields, said.unwrap_or_default());
        let first = is_answered(&mut platform, &path, signed.clone());
        let second = is_answered(&mut platform, &path, signed);
        // Asking again with the same words changes nothing for who asks.
        if path == "/pay/unifiedorder" && first.as_deref() == Some("SUCCESS") {
            assert_eq!(second, first);
        }
    }
}

/// The answer's `result_code`.
fn is_answered(platform: &mut Platform, path: &str, body: Bytes) -> Option<String> {
    let now = UnixMillis::from_secs(1_795_233_600);
    let response = platform.handle(now, &account::post(path, body));
    let response = response.answer()?;
    if !path.starts_with("/pay/") || response.status() != 200 {
        return None;
    }
    let fields = Fields::read(response.body()).expect("it answers in XML");
    if fields.get("return_code") != Some("SUCCESS") {
        return None;
    }
    let good = [SignType::Md5, SignType::HmacSha256]
        .into_iter()
        .any(|sign_type| sign::verify(&fields, &account::key(), sign_type).is_ok());
    assert!(good, "an answer that nobody can verify");
    fields.get("result_code").map(str::to_owned)
}
