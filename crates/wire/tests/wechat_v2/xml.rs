use indexmap::IndexMap;
use serde::Deserialize;
use tongbao_wire::wechat_v2::xml::{MAX_BODY_BYTES, MAX_ELEMENTS};
use tongbao_wire::wechat_v2::{Fields, XmlError};

use crate::fixture;

#[test]
fn hostile_documents_are_refused_each_for_its_reason() {
    #[derive(Deserialize)]
    struct Refused {
        id: String,
        error: String,
        body: String,
    }
    let documents: Vec<Refused> = fixture::read(include_str!(
        "../../fixtures/wechat_v2/xml_must_reject.json"
    ));
    let given: Vec<_> = documents
        .iter()
        .map(|document| {
            let error = Fields::read(document.body.as_bytes()).err();
            (&*document.id, error.map_or("accepted", XmlError::label))
        })
        .collect();
    let expected: Vec<_> = documents
        .iter()
        .map(|document| (&*document.id, &*document.error))
        .collect();
    assert_eq!(given, expected);
}

#[test]
fn harmless_documents_are_read_in_their_order() {
    #[derive(Deserialize)]
    struct Accepted {
        id: String,
        body: String,
        fields: IndexMap<String, String>,
    }
    let documents: Vec<Accepted> = fixture::read(include_str!(
        "../../fixtures/wechat_v2/xml_must_accept.json"
    ));
    for document in &documents {
        let expected = document
            .fields
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(
            Fields::read(document.body.as_bytes()),
            Ok(expected),
            "{}",
            document.id
        );
    }
}

#[test]
fn other_encodings_are_refused() {
    let utf16: Vec<u8> = "<xml/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with_mark = [b"\xff\xfe".as_slice(), &utf16].concat();
    let gbk = b"<xml><body>\xb2\xe2\xca\xd4</body></xml>";
    let overlong = b"<xml><a>\xc0\xbc</a></xml>";
    let surrogate = b"<xml><a>\xed\xa0\x80</a></xml>";

    assert_eq!(Fields::read(&utf16), Err(XmlError::ControlCharacter));
    for body in [with_mark.as_slice(), gbk, overlong, surrogate] {
        assert_eq!(Fields::read(body), Err(XmlError::NotUtf8));
    }
}

#[test]
fn a_body_may_fill_the_limit_and_not_pass_it() {
    let frame = "<xml><a></a></xml>".len();
    let body = |len: usize| format!("<xml><a>{}</a></xml>", "1".repeat(len - frame));

    assert!(Fields::read(body(MAX_BODY_BYTES).as_bytes()).is_ok());
    assert_eq!(
        Fields::read(body(MAX_BODY_BYTES + 1).as_bytes()),
        Err(XmlError::TooLarge)
    );
    assert_eq!(Fields::read(&vec![b'<'; 2 << 20]), Err(XmlError::TooLarge));
}

#[test]
fn a_message_may_have_many_elements_and_not_too_many() {
    let body = |count: usize| {
        let elements: Vec<_> = (0..count).map(|n| format!("<a{n}/>")).collect();
        format!("<xml>{}</xml>", elements.concat())
    };

    assert_eq!(
        Fields::read(body(MAX_ELEMENTS).as_bytes()).unwrap().len(),
        MAX_ELEMENTS
    );
    assert_eq!(
        Fields::read(body(MAX_ELEMENTS + 1).as_bytes()),
        Err(XmlError::TooManyElements)
    );
}

#[test]
fn a_comment_is_refused_also_when_it_has_no_end() {
    for body in [&b"<xml><a>1<!--"[..], b"<xml><!-- ", b"<!--<xml/>"] {
        assert_eq!(Fields::read(body), Err(XmlError::Comment));
    }
}

#[test]
fn a_very_long_name_is_refused() {
    let name = "a".repeat(65);

    assert_eq!(
        Fields::read(format!("<xml><{name}>1</{name}></xml>").as_bytes()),
        Err(XmlError::Name)
    );
}

#[test]
fn deep_nesting_is_refused_at_its_second_level() {
    let deep = format!("<xml>{}", "<a>".repeat(10_000));

    assert_eq!(Fields::read(deep.as_bytes()), Err(XmlError::Nested));
}

#[test]
fn a_thousand_attributes_are_refused_like_one() {
    let attributes: Vec<_> = (0..1_000).map(|n| format!(" a{n}=\"1\"")).collect();

    let body = format!("<xml><a{}>1</a></xml>", attributes.concat());
    assert_eq!(Fields::read(body.as_bytes()), Err(XmlError::Attribute));
}

#[test]
fn errors_say_nothing_of_the_content() {
    let error = Fields::read(b"<xml><a>secret</a>secret</xml>").unwrap_err();

    assert_eq!(format!("{error} {error:?}"), "xml_stray_text StrayText");
}
