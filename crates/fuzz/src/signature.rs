//! What is signed: the same text and digest as by hand, good for this message alone, and
//! ambiguous exactly when the text can be split into other fields.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use tongbao_wire::wechat_v2::sign::{self, SignTypeError, sign_type_of_notification};
use tongbao_wire::wechat_v2::{Fields, SignError, SignType};

use crate::account;

/// Pieces that shift a boundary.
pub const WORDS: &[&str] = &[
    "&amp;",
    "=",
    "<attach>x&amp;out_trade_no=VICTIM</attach>",
    "<![CDATA[x&zz=1]]>",
    "<sign>",
    "</sign>",
    "<sign/>",
    "<sign_type>MD5</sign_type>",
    "<sign_type>HMAC-SHA256</sign_type>",
    "<sign_type>none</sign_type>",
    "<a></a>",
    "0123456789ABCDEF0123456789ABCDEF",
    "0123456789abcdef0123456789abcdef",
    "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF",
];

/// See the module.
pub fn run(input: &[u8]) {
    let Ok(received) = Fields::read(input) else {
        return;
    };
    let by_hand: BTreeMap<&str, &str> = received
        .iter()
        .filter(|(name, value)| *name != "sign" && !value.is_empty())
        .collect();
    let text = sign::string_to_sign(&received);
    let lines: Vec<String> = by_hand.iter().map(|(n, v)| format!("{n}={v}")).collect();
    assert_eq!(text, lines.join("&"));
    assert_eq!(
        sign::is_unambiguous(&received),
        splits_into(&text, &by_hand)
    );
    let digest = hmac(format!("{text}&key={}", account::KEY).as_bytes());
    let key = account::key();
    assert_eq!(sign::sign(&received, &key, SignType::HmacSha256), digest);

    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        let genuine = sign::sign(&received, &key, sign_type);
        if sign::verify(&received, &key, sign_type).is_ok() {
            assert_eq!(received.get("sign"), Some(&*genuine));
        }
        let mut signed = received.clone();
        sign::insert_sign(&mut signed, &key, sign_type);
        assert_eq!(sign::verify(&signed, &key, sign_type), Ok(()));
        forgeries_are_refused(signed, &genuine, sign_type);
    }
    the_algorithm_is_never_the_messages_choice(&received);
}

/// Whether the text, cut at `&` and at the first `=`, is these fields and no others.
fn splits_into(text: &str, fields: &BTreeMap<&str, &str>) -> bool {
    let pairs = text
        .split('&')
        .filter(|pair| !text.is_empty() || !pair.is_empty());
    let split: Option<Vec<_>> = pairs.map(|pair| pair.split_once('=')).collect();
    split.is_some_and(|split| split.into_iter().eq(fields.iter().map(|(n, v)| (*n, *v))))
}

fn hmac(text: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, account::KEY.as_bytes());
    hex::encode_upper(hmac::sign(&key, text))
}

fn forgeries_are_refused(mut signed: Fields<'_>, genuine: &str, sign_type: SignType) {
    let key = account::key();
    let other = match sign_type {
        SignType::Md5 => SignType::HmacSha256,
        SignType::HmacSha256 => SignType::Md5,
    };
    assert_eq!(
        sign::verify(&signed, &key, other),
        Err(SignError::Form),
        "the length tells them apart"
    );
    let lower = genuine.to_lowercase();
    let longer = format!("{genuine}0");
    for (forged, why) in [
        ("", SignError::Missing),
        (&genuine[1..], SignError::Form),
        (&longer, SignError::Form),
        (&*lower, SignError::Form),
    ] {
        signed.insert("sign", forged.to_owned());
        let refused = sign::verify(&signed, &key, sign_type);
        assert!(refused == Err(why) || forged == genuine, "{forged:?}");
    }
    signed.insert("sign", genuine.to_owned());
    signed.insert("zz_one_more", "1");
    assert_eq!(
        sign::verify(&signed, &key, sign_type),
        Err(SignError::Mismatch)
    );
}

fn the_algorithm_is_never_the_messages_choice(received: &Fields<'_>) {
    for order in [SignType::Md5, SignType::HmacSha256] {
        match sign_type_of_notification(received, order) {
            Ok(chosen) => assert_eq!(chosen, order),
            Err(SignTypeError::Differs(other)) => assert_ne!(other, order),
            Err(SignTypeError::Unknown | SignTypeError::Contradiction) => {}
        }
    }
}
