//! What holds for every input, not only for the examples.

use proptest::prelude::*;
use tongbao_wire::wechat_v2::{ApiKey, BeijingTime, Fields, SignType, number, sign};

proptest! {
    #[test]
    fn what_is_written_is_read_back(fields in fields()) {
        let fields: Fields<'_> = fields.into_iter().collect();

        for body in [fields.write(), fields.write_lines()] {
            let received = Fields::read(body.as_bytes());
            prop_assert_eq!(received.as_ref(), Ok(&fields));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = Fields::read(&body);
    }

    #[test]
    fn near_documents_are_read_without_a_panic_and_as_another_reader_does(body in near_xml()) {
        if let Ok(fields) = Fields::read(body.as_bytes()) {
            prop_assert_eq!(second_opinion(&body), owned(&fields));
        }
    }

    #[test]
    fn another_reader_agrees_on_what_we_write(fields in fields()) {
        let fields: Fields<'_> = fields.into_iter().collect();

        for body in [fields.write(), fields.write_lines()] {
            prop_assert_eq!(second_opinion(&body), owned(&fields));
        }
    }

    #[test]
    fn the_order_of_fields_does_not_change_the_signature(
        (fields, shuffled) in fields().prop_flat_map(|fields| {
            let distinct: Fields<'_> = fields.into_iter().collect();
            let pairs = owned(&distinct);
            (Just(pairs.clone()), Just(pairs).prop_shuffle())
        }),
    ) {
        let sign_of = |pairs: Vec<(String, String)>| {
            sign::sign(&pairs.into_iter().collect(), &key(), SignType::HmacSha256)
        };

        prop_assert_eq!(sign_of(fields), sign_of(shuffled));
    }

    #[test]
    fn a_signature_holds_for_its_message_alone(fields in fields(), name in name(), value in value()) {
        let mut fields: Fields<'_> = fields.into_iter().collect();
        sign::insert_sign(&mut fields, &key(), SignType::Md5);
        prop_assert_eq!(sign::verify(&fields, &key(), SignType::Md5), Ok(()));

        let before = sign::string_to_sign(&fields);
        fields.insert(name, value);
        if sign::string_to_sign(&fields) != before {
            prop_assert!(sign::verify(&fields, &key(), SignType::Md5).is_err());
        }
    }

    #[test]
    fn an_unambiguous_message_splits_back_into_itself(fields in fields()) {
        let fields: Fields<'_> = fields.into_iter().collect();
        let signed: Vec<_> =
            fields.iter_by_name().filter(|(name, value)| *name != "sign" && !value.is_empty()).collect();
        let text = sign::string_to_sign(&fields);
        let split: Option<Vec<_>> = if text.is_empty() {
            Some(Vec::new())
        } else {
            text.split('&').map(|pair| pair.split_once('=')).collect()
        };

        prop_assert_eq!(sign::is_unambiguous(&fields), split == Some(signed));
    }

    #[test]
    fn a_number_reads_back(number in 0_u64..1_000_000_000_000_000_000) {
        prop_assert_eq!(number::parse(&number.to_string()), Some(number));
    }

    #[test]
    fn a_number_has_one_spelling(text in "[+ -]?[0-9]{0,20}[.]?[0-9]?") {
        if let Some(number) = number::parse(&text) {
            prop_assert_eq!(number.to_string(), text);
        }
    }

    #[test]
    fn a_time_reads_back(unix_secs in -62_135_625_600_i64..=253_370_735_999) {
        let time = BeijingTime::from_unix_secs(unix_secs).unwrap();

        prop_assert_eq!(time.to_string().parse(), Ok(time));
    }

    #[test]
    fn a_time_has_one_spelling(text in "[0-9]{12,15}") {
        if let Ok(time) = text.parse::<BeijingTime>() {
            prop_assert_eq!(time.to_string(), text);
        }
    }
}

fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::vec((name(), value()), 0..24)
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c_]{1,3}",
        "[A-Za-z_][A-Za-z0-9_.-]{0,20}",
        "(coupon|total)_fee(_[0-9])?"
    ]
}

/// Everything that XML can carry, with a leaning to what breaks it.
fn value() -> impl Strategy<Value = String> {
    let allowed = |c: &char| {
        matches!(c, '\t' | '\n') || !(c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
    };
    let any_text = proptest::collection::vec(any::<char>(), 0..20)
        .prop_map(move |chars| chars.into_iter().filter(allowed).collect::<String>());
    let pieces = prop_oneof![
        "]]>",
        "<!\\[CDATA\\[",
        "&amp;",
        "[\\]<>&=]",
        "[0-9]{1,3}",
        "[ \n\t]",
        "图"
    ];
    let awkward = proptest::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat());
    prop_oneof![any_text, awkward]
}

/// Documents made of the pieces that documents are made of, in any order.
fn near_xml() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "<[ab]>",
        8 => "</[ab] ?>",
        4 => "[12 \n\t]{1,2}",
        4 => "<!\\[CDATA\\[[12\\]]?\\]\\]>",
        4 => "&(lt|gt|amp|quot|apos|#65|#x4E2D|#13|nbsp);",
        2 => "<[ab] ?/>",
        1 => Just("<!--x-->".to_owned()),
        1 => Just("<?x?>".to_owned()),
        1 => Just("<!DOCTYPE xml>".to_owned()),
        1 => "[\\]>&<\r'\"]{1,3}",
        1 => "<a b=['\"]1['\"]>",
    ];
    let whole = prop_oneof!["<c>", "<xml ?>"];
    (
        prop_oneof![3 => Just(String::new()), 1 => Just("<?xml version='1.0'?>".to_owned())],
        prop_oneof![1 => whole, 6 => Just("<xml>".to_owned())],
        proptest::collection::vec(
            prop_oneof![1 => piece.clone(), 3 => in_element(piece)],
            0..6,
        ),
    )
        .prop_map(|(prolog, open, pieces)| format!("{prolog}{open}{}</xml>", pieces.concat()))
}

fn in_element(piece: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    ("[a-h]", proptest::collection::vec(piece, 0..3))
        .prop_map(|(name, pieces)| format!("<{name}>{}</{name}>", pieces.concat()))
}

/// What roxmltree finds in a document that it takes.
fn second_opinion(body: &str) -> Vec<(String, String)> {
    let document = roxmltree::Document::parse(body).expect("we accept less than XML");
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "xml");
    root.children()
        .filter(roxmltree::Node::is_element)
        .map(|element| {
            let texts = element
                .children()
                .filter_map(|child| child.text())
                .collect();
            (element.tag_name().name().to_owned(), texts)
        })
        .collect()
}

fn owned(fields: &Fields<'_>) -> Vec<(String, String)> {
    fields
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn key() -> ApiKey {
    ApiKey::new("GatewayTestKeyForVectors00000001").unwrap()
}
