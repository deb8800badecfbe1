//! XML to fields: bounded, and what we take is XML that another reader reads the same.

use tongbao_wire::wechat_v2::Fields;
use tongbao_wire::wechat_v2::xml::{MAX_BODY_BYTES, MAX_ELEMENTS};

/// Pieces of documents.
pub const WORDS: &[&str] = &[
    "<xml>",
    "</xml>",
    "<xml/>",
    "<a>",
    "</a>",
    "<a/>",
    "<b >",
    "</b >",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?xml version=\"1.0\"?>",
    "<?xml version='1.0' encoding='utf-8' standalone=\"no\" ?>",
    "encoding=\"GBK\"",
    "<?a?>",
    "<!DOCTYPE xml [<!ENTITY a \"1\">]>",
    "&lt;",
    "&amp;",
    "&#38;",
    "&#x4E2D;",
    "&#13;",
    "&#0;",
    "&#xFFFF;",
    "&#x110000;",
    "&a;",
    "xmlns=\"x\"",
    "x:",
    "\u{feff}",
    "\r\n",
    "\t",
    "\u{85}",
    "\u{2028}",
    "\u{fffe}",
    "中",
    "total_fee",
    "<total_fee>1</total_fee>",
];

/// See the module.
pub fn run(input: &[u8]) {
    let Ok(fields) = Fields::read(input) else {
        return;
    };
    let text = std::str::from_utf8(input).expect("what was read is UTF-8");
    let pairs = pairs(&fields);
    assert!(input.len() <= MAX_BODY_BYTES && pairs.len() <= MAX_ELEMENTS);
    let kept: usize = pairs.iter().map(|(n, v)| n.len() + v.len()).sum();
    assert!(kept <= input.len(), "more than there was");
    assert_eq!(second_opinion(text), pairs);
    for (name, value) in &pairs {
        assert_eq!(fields.get(name), Some(&**value));
    }
    for body in [fields.write(), fields.write_lines()] {
        assert_eq!(second_opinion(&body), pairs);
        if body.len() <= MAX_BODY_BYTES {
            assert_eq!(Fields::read(body.as_bytes()).as_ref(), Ok(&fields));
        }
    }
}

/// What another reader finds.
fn second_opinion(body: &str) -> Vec<(String, String)> {
    let document = roxmltree::Document::parse(body).expect("we take less than XML");
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "xml");
    let elements = root.children().filter(roxmltree::Node::is_element);
    elements
        .map(|element| {
            let texts = element.children().map(|child| {
                assert!(child.is_text(), "something else than text: {child:?}");
                child.text().unwrap_or_default()
            });
            (element.tag_name().name().to_owned(), texts.collect())
        })
        .collect()
}

fn pairs(fields: &Fields<'_>) -> Vec<(String, String)> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    fields.iter().map(owned).collect()
}
