//! What is told of a refund: it is not signed, only encrypted, so whatever opens is read as
//! strictly as if anybody could have written it. Another implementation of AES opens the same.
//!
//! An input is the inner document, or the encrypted text itself.

use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tongbao_wire::wechat_v2::refund_notification::{Envelope, Refund};
use tongbao_wire::wechat_v2::req_info;

use crate::account;

/// Names and words of the inner document.
pub const WORDS: &[&str] = &[
    "<root>",
    "</root>",
    "<xml>",
    "<transaction_id>42</transaction_id>",
    "<refund_id>50</refund_id>",
    "<out_trade_no>A1001x</out_trade_no>",
    "<out_refund_no>R1001x</out_refund_no>",
    "<total_fee>888</total_fee>",
    "<refund_fee>1</refund_fee>",
    "<refund_status>SUCCESS</refund_status>",
    "<refund_status>CHANGE</refund_status>",
    "<success_time>2026-11-21 12:00:00</success_time>",
    "<success_time>20261121120000</success_time>",
    "<settlement_refund_fee>1</settlement_refund_fee>",
    "<refund_recv_accout><![CDATA[x]]></refund_recv_accout>",
    "=",
    "AAAA",
    "\u{1}",
    "\u{10}",
];

/// MD5 of the key, in lower-case hexadecimal; computed with Python's `hashlib`.
const AES_KEY: &[u8; 32] = b"b6191d4aa0469d2ecaf745da64d6c9c4";

/// See the module.
pub fn run(input: &[u8]) {
    let key = account::key();
    let sealed = req_info::seal(input, &key);
    assert_eq!(sealed, BASE64_STANDARD.encode(encrypted(input)));
    assert_eq!(
        &*req_info::open(&sealed, &key).expect("it was just sealed"),
        input
    );
    if let Ok(text) = std::str::from_utf8(input) {
        let opened = req_info::open(text, &key).ok().map(|text| text.to_vec());
        let by_other = BASE64_STANDARD.decode(text).ok().and_then(decrypted);
        assert_eq!(opened, by_other);
    }
    if let Ok(refund) = envelope(sealed).open(&key) {
        comes_back(&refund);
    }
}

fn comes_back(refund: &Refund) {
    let plain = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-|*@".contains(&b))
    };
    assert!(plain(&refund.out_trade_no) && refund.out_trade_no.len() <= 32);
    assert!(plain(&refund.out_refund_no) && refund.out_refund_no.len() <= 64);
    let key = account::key();
    assert_eq!(envelope(refund.seal(&key)).open(&key).as_ref(), Ok(refund));
}

fn envelope(req_info: String) -> Envelope {
    Envelope {
        return_msg: None,
        appid: "wx7e57000000000001".to_owned(),
        mch_id: "1900007357".to_owned(),
        sub_appid: None,
        sub_mch_id: None,
        nonce_str: "n".to_owned(),
        req_info,
    }
}

fn encrypted(text: &[u8]) -> Vec<u8> {
    let key = UnboundCipherKey::new(&AES_256, AES_KEY).expect("32 bytes");
    let key = PaddedBlockEncryptingKey::ecb_pkcs7(key).expect("a key");
    let mut bytes = text.to_vec();
    key.encrypt(&mut bytes).expect("any bytes can be encrypted");
    bytes
}

fn decrypted(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let key = UnboundCipherKey::new(&AES_256, AES_KEY).expect("32 bytes");
    let key = PaddedBlockDecryptingKey::ecb_pkcs7(key).expect("a key");
    let text = key.decrypt(&mut bytes, DecryptionContext::None).ok()?;
    Some(text.to_vec())
}
