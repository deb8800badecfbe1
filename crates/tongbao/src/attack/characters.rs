//! A12: characters and encodings.

use super::documents::replace;
use super::table::Table;

pub(super) fn add(table: &mut Table<'_>) {
    let genuine = table.genuine().lines();
    let attach = table.sign(table.letter().with("attach", "x")).lines();
    let raw = |bytes: &[u8]| {
        let (before, after) = attach.split_once("<![CDATA[x]]>").unwrap_or((&attach, ""));
        [
            before.as_bytes(),
            b"<![CDATA[",
            bytes,
            b"]]>",
            after.as_bytes(),
        ]
        .concat()
    };
    let wide =
        |bytes: fn(u16) -> [u8; 2]| genuine.encode_utf16().flat_map(bytes).collect::<Vec<_>>();
    for (what, body) in [
        (
            "a byte order mark",
            [b"\xef\xbb\xbf", genuine.as_bytes()].concat(),
        ),
        ("UTF-16, little end first", wide(u16::to_le_bytes)),
        ("UTF-16, big end first", wide(u16::to_be_bytes)),
        (
            "UTF-16 with its mark",
            [b"\xff\xfe".to_vec(), wide(u16::to_le_bytes)].concat(),
        ),
        ("a byte that is no UTF-8", raw(b"\xff")),
        ("a slash in two bytes", raw(b"\xc0\xaf")),
        ("NUL in two bytes", raw(b"\xc0\x80")),
        ("half of a pair", raw(b"\xed\xa0\x80")),
        ("a character that is cut off", raw(b"\xe4\xb8")),
        ("five bytes for one character", raw(b"\xf8\x88\x80\x80\x80")),
        ("NUL", raw(b"\0")),
        ("a bell", raw(b"\x07")),
        ("a backspace", raw(b"1\x08")),
        ("DEL", raw(b"\x7f")),
        ("a control of Latin-1", raw("\u{85}".as_bytes())),
        ("a carriage return", raw(b"x\r")),
        ("a character that is none", raw("\u{fffe}".as_bytes())),
        ("Chinese in GBK", raw(b"\xcd\xa8\xb1\xa6")),
    ] {
        table.refuse("A12", what, body);
    }
    for reference in [
        "&#0;",
        "&#1;",
        "&#8;",
        "&#13;",
        "&#x1f;",
        "&#xFFFE;",
        "&#xD800;",
        "&#55296;",
        "&#x110000;",
        "&#99999999999;",
        "&#-1;",
        "&#x;",
        "&#;",
        "&#X41;",
        "&# 65;",
    ] {
        let text = replace(&attach, "attach", reference);
        table.refuse("A12", format!("the reference {reference}"), text);
    }
    for encoding in [
        "GBK",
        "gb2312",
        "ISO-8859-1",
        "UTF-16",
        "utf-7",
        "US-ASCII",
        "",
        "utf8",
    ] {
        let text = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>{genuine}");
        table.refuse("A12", format!("a declaration of {encoding:?}"), text);
    }
    for (what, declaration) in [
        ("of XML 1.1", "<?xml version=\"1.1\"?>"),
        ("of XML 2.0", "<?xml version=\"2.0\"?>"),
        ("without a version", "<?xml encoding=\"UTF-8\"?>"),
        ("with a line before it", "\n<?xml version=\"1.0\"?>"),
        ("twice", "<?xml version=\"1.0\"?><?xml version=\"1.0\"?>"),
        ("with something more", "<?xml version=\"1.0\" x=\"y\"?>"),
        ("in capitals", "<?XML version=\"1.0\"?>"),
    ] {
        table.refuse(
            "A12",
            format!("a declaration {what}"),
            format!("{declaration}{genuine}"),
        );
    }
    // Decoded once it is text; twice, and the signature is good.
    for (once, decoded) in [("&amp;amp;", "&"), ("&amp;lt;", "<"), ("&amp;#65;", "A")] {
        let letter = table.sign(table.letter().with("attach", decoded));
        let text = replace(&letter.lines(), "attach", once);
        table.refuse("A12", format!("{once}, signed as if decoded twice"), text);
    }
}
