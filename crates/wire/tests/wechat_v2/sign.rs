use serde::Deserialize;
use tongbao_wire::wechat_v2::sign::{
    self, ApiKey, ApiKeyError, SignError, SignType, SignTypeError, sign_type_of_notification,
    string_to_sign, verify,
};
use tongbao_wire::wechat_v2::{Fields, XmlError};

use crate::fixture;

#[test]
fn every_published_and_computed_signature_is_ours() {
    for example in fixture::signed().iter().chain(&fixture::second_signed()) {
        let fields = example.fields();

        let signed = format!("{}&key={}", string_to_sign(&fields), example.key);
        assert_eq!(signed, example.string_to_sign, "{}", example.id);
        let sign = sign::sign(&fields, &example.key(), example.sign_type());
        assert_eq!(sign, example.sign, "{}", example.id);
    }
}

#[test]
fn what_is_signed_verifies_after_a_journey_in_either_hand() {
    for example in fixture::signed() {
        let mut fields = example.fields();
        sign::insert_sign(&mut fields, &example.key(), example.sign_type());

        for body in [fields.write(), fields.write_lines()] {
            let received = Fields::read(body.as_bytes()).unwrap();
            let verdict = verify(&received, &example.key(), example.sign_type());
            assert_eq!(verdict, Ok(()), "{}", example.id);
        }
    }
}

#[test]
fn common_mistakes_give_signatures_that_do_not_verify() {
    #[derive(Deserialize)]
    struct File {
        of: String,
        right_sign: String,
        mistakes: Vec<Mistake>,
    }
    #[derive(Deserialize)]
    struct Mistake {
        id: String,
        sign: String,
    }
    let file: File = fixture::read(include_str!("../../fixtures/wechat_v2/sign_mistakes.json"));
    let examples = fixture::signed();
    let example = examples
        .iter()
        .find(|example| example.id == file.of)
        .unwrap();
    let verdict = |sign: &str| {
        let mut fields = example.fields();
        fields.insert("sign", sign.to_owned());
        verify(&fields, &example.key(), example.sign_type())
    };

    assert_eq!(verdict(&file.right_sign), Ok(()));
    for mistake in &file.mistakes {
        assert_eq!(
            verdict(&mistake.sign),
            Err(SignError::Mismatch),
            "{}",
            mistake.id
        );
    }
}

#[test]
fn only_the_whole_signature_in_its_one_form_verifies() {
    let key = test_key();
    for (sign_type, other) in [
        (SignType::Md5, SignType::HmacSha256),
        (SignType::HmacSha256, SignType::Md5),
    ] {
        let fields = Fields::from_iter([("total_fee", "888")]);
        let right = sign::sign(&fields, &key, sign_type);
        let refused = |sign: String| {
            let mut fields = fields.clone();
            fields.insert("sign", sign);
            verify(&fields, &key, sign_type).unwrap_err()
        };

        assert_eq!(refused(String::new()), SignError::Missing);
        assert_eq!(verify(&fields, &key, sign_type), Err(SignError::Missing));
        let malformed = [
            right[..right.len() - 1].to_owned(),
            format!("{right}0"),
            format!("{right}{right}"),
            format!("{right}\n"),
            format!(" {}", &right[1..]),
            right.to_lowercase(),
            "G".repeat(right.len()),
            "v1,".to_owned(),
            sign::sign(&fields, &key, other),
        ];
        for sign in malformed {
            assert_eq!(refused(sign), SignError::Form);
        }
        let last = if right.ends_with('0') { "1" } else { "0" };
        assert_eq!(
            refused(format!("{}{last}", &right[..right.len() - 1])),
            SignError::Mismatch
        );
        assert_eq!(refused("0".repeat(right.len())), SignError::Mismatch);
    }
}

#[test]
fn two_messages_can_share_a_signature_and_the_ambiguous_one_is_told_apart() {
    let key = test_key();
    let genuine = Fields::from_iter([
        ("attach", "x&out_trade_no=VICTIM&zz=1"),
        ("bank_type", "OTHERS"),
        ("out_trade_no", "T20260101000001"),
        ("total_fee", "888"),
    ]);
    let forged = Fields::from_iter([
        ("attach", "x"),
        ("out_trade_no", "VICTIM"),
        (
            "zz",
            "1&bank_type=OTHERS&out_trade_no=T20260101000001&total_fee=888",
        ),
    ]);

    assert_eq!(
        sign::sign(&genuine, &key, SignType::Md5),
        sign::sign(&forged, &key, SignType::Md5)
    );
    assert!(!sign::is_unambiguous(&forged));
    assert!(
        !sign::is_unambiguous(&genuine),
        "sent by a merchant who let a & into attach"
    );
}

#[test]
fn an_equals_sign_in_a_value_is_harmless_because_no_name_may_have_one() {
    let genuine = Fields::from_iter([("attach", "a=b"), ("total_fee", "1")]);

    assert!(sign::is_unambiguous(&genuine));
    assert!(!sign::is_unambiguous(&Fields::from_iter([
        ("attach=a", "b"),
        ("total_fee", "1")
    ])));
    assert_eq!(
        Fields::read(b"<xml><attach=a>b</attach=a></xml>"),
        Err(XmlError::Name)
    );
}

#[test]
fn what_is_not_signed_cannot_make_a_message_ambiguous() {
    assert!(sign::is_unambiguous(&Fields::from_iter([
        ("sign", "a&b"),
        ("a&b", "")
    ])));
}

#[test]
fn a_key_is_32_printable_characters() {
    let refusal = |key: &str| ApiKey::new(key).map(|_| ()).unwrap_err();

    assert_eq!(refusal(""), ApiKeyError::Empty);
    assert_eq!(
        refusal("0123456789abcdef0123456789abcde"),
        ApiKeyError::Length
    );
    assert_eq!(
        refusal("0123456789abcdef0123456789abcdef0"),
        ApiKeyError::Length
    );
    assert_eq!(refusal(&" ".repeat(32)), ApiKeyError::Character);
    assert_eq!(
        refusal("0123456789abcdef0123456789abcdef\n"),
        ApiKeyError::Character
    );
    assert_eq!(
        refusal("0123456789abcdef 123456789abcdef"),
        ApiKeyError::Character
    );
    assert_eq!(
        refusal("0123456789abcdef0123456789abcdé"),
        ApiKeyError::Character
    );
    assert_eq!(refusal(&"0".repeat(32)), ApiKeyError::Repeated);
    assert!(ApiKey::new("0123456789abcdef0123456789abcdef").is_ok());
}

#[test]
fn a_key_from_the_manual_is_known_as_such() {
    let manual = ApiKey::new("192006250b4c09247ec02edce69f6a2d").unwrap();

    assert!(manual.is_published_sample());
    assert!(!test_key().is_published_sample());
}

#[test]
fn an_algorithm_prints_as_its_word() {
    assert_eq!(SignType::Md5.to_string(), "MD5");
    assert_eq!(SignType::HmacSha256.to_string(), "HMAC-SHA256");
}

#[test]
fn a_key_does_not_print() {
    assert_eq!(format!("{:?}", test_key()), "ApiKey(****)");
}

#[test]
fn the_order_decides_the_algorithm_and_the_message_may_only_agree() {
    use SignType::{HmacSha256, Md5};
    let (short, long) = ("0".repeat(32), "0".repeat(64));
    let decide = |sign_type: Option<&str>, sign: &str, order| {
        let mut fields = Fields::from_iter([("sign", sign)]);
        if let Some(word) = sign_type {
            fields.insert("sign_type", word);
        }
        sign_type_of_notification(&fields, order)
    };

    assert_eq!(decide(None, &short, Md5), Ok(Md5));
    assert_eq!(decide(None, &long, HmacSha256), Ok(HmacSha256));
    assert_eq!(decide(Some("MD5"), &short, Md5), Ok(Md5));
    assert_eq!(decide(Some(""), &long, HmacSha256), Ok(HmacSha256));
    assert_eq!(
        decide(Some("HMAC-SHA256"), &long, HmacSha256),
        Ok(HmacSha256)
    );

    assert_eq!(
        decide(None, &short, HmacSha256),
        Err(SignTypeError::Differs(Md5))
    );
    assert_eq!(
        decide(None, &long, Md5),
        Err(SignTypeError::Differs(HmacSha256))
    );
    assert_eq!(
        decide(Some("MD5"), &short, HmacSha256),
        Err(SignTypeError::Differs(Md5))
    );
    assert_eq!(
        decide(Some("MD5"), "", HmacSha256),
        Err(SignTypeError::Differs(Md5))
    );
    assert_eq!(
        decide(Some("MD5"), &long, HmacSha256),
        Err(SignTypeError::Contradiction)
    );
    assert_eq!(
        decide(Some("HMAC-SHA256"), &short, Md5),
        Err(SignTypeError::Contradiction)
    );
    for word in ["md5", "HMAC_SHA256", "none", "RSA2", "MD5 "] {
        assert_eq!(decide(Some(word), &short, Md5), Err(SignTypeError::Unknown));
    }

    // No usable signature: for `verify` to refuse.
    assert_eq!(decide(None, "", HmacSha256), Ok(HmacSha256));
    assert_eq!(decide(None, "0", Md5), Ok(Md5));
}

fn test_key() -> ApiKey {
    ApiKey::new("GatewayTestKeyForVectors00000001").unwrap()
}
