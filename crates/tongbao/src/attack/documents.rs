//! Is it one message? XML that two readers read in two ways, or that costs more
//! to read than to send. All of it bears the right signature, as far as there
//! is one: whoever parses first and asks later is caught by it.

use std::collections::BTreeMap;

use super::letter::Letter;
use super::table::Table;

pub(super) fn add(table: &mut Table<'_>) {
    twice(table);
    between(table);
    shapes(table);
    no_documents(table);
}

/// A8: a field that comes twice. The signature is over the one value or the
/// other, so that it is good for a reader that keeps the first and for one that
/// keeps the last.
fn twice(table: &mut Table<'_>) {
    let letter = table.letter();
    let cheap = "1";
    for (name, other) in [
        ("total_fee", cheap),
        ("out_trade_no", "T00000000000000000"),
        ("mch_id", "1900000109"),
        ("appid", "wx0000000000000000"),
        ("result_code", "FAIL"),
        ("return_code", "FAIL"),
        ("transaction_id", "4200000000000000000000000000"),
        ("time_end", "20200101000000"),
        ("nonce_str", "00000000000000000000000000000000"),
        ("fee_type", "USD"),
    ] {
        let genuine = table.genuine();
        let same = genuine.get(name).to_owned();
        let lie = table.sign(letter.clone().with(name, other));
        for (what, body) in [
            (
                "before, signed over the right one",
                genuine.clone().first(name, other),
            ),
            (
                "behind, signed over the right one",
                genuine.clone().last(name, other),
            ),
            (
                "before, signed over the wrong one",
                lie.clone().first(name, &same),
            ),
            ("behind, signed over the wrong one", lie.last(name, &same)),
        ] {
            table.refuse("A8", format!("a second {name} {what}"), body.xml());
        }
    }
    let genuine = table.genuine();
    let wrong = "0".repeat(genuine.get("sign").len());
    for (what, body) in [
        (
            "a wrong sign before the right one",
            genuine.clone().first("sign", &wrong),
        ),
        (
            "a wrong sign behind the right one",
            genuine.clone().last("sign", &wrong),
        ),
        (
            "an empty sign before the right one",
            genuine.clone().first("sign", ""),
        ),
        (
            "an empty sign behind the right one",
            genuine.clone().last("sign", ""),
        ),
        (
            "an empty total_fee behind the right one",
            genuine.clone().last("total_fee", ""),
        ),
        (
            "the same total_fee twice",
            genuine.clone().last("total_fee", genuine.get("total_fee")),
        ),
        (
            "a sign_type twice",
            genuine
                .clone()
                .last("sign_type", "MD5")
                .last("sign_type", "HMAC-SHA256"),
        ),
        (
            "an unknown field twice",
            genuine.clone().last("x", "").last("x", ""),
        ),
    ] {
        table.refuse("A8", what, body.xml());
    }
    let mut all = genuine.clone();
    all.pairs.extend(genuine.pairs.clone());
    table.refuse("A8", "every field twice", all.xml());
}

/// A9: comments and instructions inside values. Readers differ in what is left.
fn between(table: &mut Table<'_>) {
    let (number, amount) = (
        table.target.out_trade_no.clone(),
        table.target.amount_fen.to_string(),
    );
    for (name, value) in [("total_fee", &amount), ("out_trade_no", &number)] {
        let (head, tail) = value.split_at(1.min(value.len()));
        for (piece, said) in [
            ("<!--x-->", "a comment"),
            ("<!---->", "an empty comment"),
            ("<?x y?>", "an instruction"),
        ] {
            for (signed, over) in [
                (&**value, "all of it"),
                (head, "its beginning"),
                (tail, "its end"),
            ] {
                let letter = table.sign(table.letter().with(name, signed));
                let text = replace(&letter.lines(), name, &format!("{head}{piece}{tail}"));
                table.refuse("A9", format!("{said} in {name}, signed over {over}"), text);
            }
        }
        for (signed, over) in [(head, "the text"), (tail, "the section")] {
            let letter = table.sign(table.letter().with(name, signed));
            let text = replace(&letter.lines(), name, &format!("{head}<![CDATA[{tail}]]>"));
            table.refuse(
                "A9",
                format!("{name} in text and CDATA, signed over {over}"),
                text,
            );
        }
    }
    let genuine = table.genuine().lines();
    for (what, text) in [
        ("a comment between fields", inside(&genuine, "<!-- x -->")),
        (
            "a comment before the document",
            format!("<!-- x -->{genuine}"),
        ),
        (
            "a comment behind the document",
            format!("{genuine}<!-- x -->"),
        ),
        (
            "a field in a comment",
            inside(&genuine, "<!--<total_fee>1</total_fee>-->"),
        ),
        (
            "a comment with two dashes in it",
            inside(&genuine, "<!-- a -- b -->"),
        ),
        ("a comment without an end", inside(&genuine, "<!-- x")),
        (
            "an instruction between fields",
            inside(&genuine, "<?php echo 1 ?>"),
        ),
        (
            "an instruction behind the document",
            format!("{genuine}<?x?>"),
        ),
        (
            "a style sheet",
            format!("<?xml-stylesheet href=\"file:///etc/passwd\"?>{genuine}"),
        ),
    ] {
        table.refuse("A9", what, text);
    }
}

/// A13: other shapes than one flat list.
fn shapes(table: &mut Table<'_>) {
    let genuine = table.genuine().lines();
    let lie = Letter::new([("result_code", "FAIL")]).lines();
    let renamed = |root: &str| {
        let opened = genuine.replacen("<xml>", &format!("<{root}>"), 1);
        opened.replace(
            "</xml>",
            &format!("</{}>", root.split(' ').next().unwrap_or(root)),
        )
    };
    for (what, text) in [
        ("an attribute at the root", renamed("xml a=\"1\"")),
        (
            "a namespace at the root",
            renamed("xml xmlns=\"http://example.com/\""),
        ),
        ("a prefix at the root", renamed("w:xml")),
        ("a root in capitals", renamed("XML")),
        ("a root of another name", renamed("root")),
        ("a root of a longer name", renamed("xml2")),
        (
            "an attribute at a field",
            genuine.replacen("<total_fee>", "<total_fee a=\"1\">", 1),
        ),
        (
            "an attribute without a value",
            genuine.replacen("<total_fee>", "<total_fee a>", 1),
        ),
        ("a prefix at a field", prefixed(&genuine)),
        (
            "a field in a field",
            replace(&genuine, "total_fee", "<total_fee>1</total_fee>"),
        ),
        (
            "an empty element in a field",
            replace(&genuine, "out_trade_no", "<x/>"),
        ),
        (
            "the whole message in a field",
            format!("<xml><data>{genuine}</data></xml>"),
        ),
        (
            "the whole message in an envelope",
            format!("<Envelope><Body>{genuine}</Body></Envelope>"),
        ),
        ("another document behind", format!("{genuine}{lie}")),
        ("another document before", format!("{lie}{genuine}")),
        ("text behind the document", format!("{genuine}x")),
        ("text before the document", format!("x{genuine}")),
        ("a NUL behind the document", format!("{genuine}\0")),
        ("text among the fields", inside(&genuine, "x")),
        ("CDATA among the fields", inside(&genuine, "<![CDATA[x]]>")),
        ("a reference among the fields", inside(&genuine, "&#65;")),
        ("no end", genuine.trim_end_matches("</xml>").to_owned()),
        (
            "the end of another element",
            genuine.replace("</total_fee>", "</cash_fee>"),
        ),
        (
            "no beginning",
            genuine.trim_start_matches("<xml>").to_owned(),
        ),
        (
            "the end of CDATA in a text",
            replace(&genuine, "bank_type", "a]]>b"),
        ),
        ("a name that begins with a digit", inside(&genuine, "<1a/>")),
        (
            "a name with a Chinese character",
            inside(&genuine, "<金额/>"),
        ),
        ("a name with an equals sign", inside(&genuine, "<a=b/>")),
        ("a name with an ampersand", inside(&genuine, "<a&b/>")),
        ("an empty name", inside(&genuine, "<>1</>")),
        ("a space before a name", inside(&genuine, "< x/>")),
    ] {
        table.refuse("A13", what, text);
    }
}

/// A13: no document, or nothing in it.
fn no_documents(table: &mut Table<'_>) {
    let letter = table.genuine();
    let json = serde_json::json!(letter.pairs.iter().cloned().collect::<BTreeMap<_, _>>());
    let form: Vec<_> = letter
        .pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    for (what, text) in [
        ("an empty root", "<xml></xml>".to_owned()),
        ("a root that is closed at once", "<xml/>".to_owned()),
        ("nothing", String::new()),
        ("spaces", "   \n".to_owned()),
        ("JSON", json.to_string()),
        ("a form", form.join("&")),
        ("the word SUCCESS", "SUCCESS".to_owned()),
        (
            "an answer's words",
            "<xml><return_code>SUCCESS</return_code><return_msg>OK</return_msg></xml>".to_owned(),
        ),
    ] {
        table.refuse("A13", what, text);
    }
}

fn prefixed(genuine: &str) -> String {
    let opened = genuine.replacen("<total_fee>", "<w:total_fee>", 1);
    opened.replacen("</total_fee>", "</w:total_fee>", 1)
}

/// With this in front of the first field.
pub(super) fn inside(text: &str, extra: &str) -> String {
    text.replacen("<xml>", &format!("<xml>{extra}"), 1)
}

/// With this for what the field holds.
pub(super) fn replace(text: &str, name: &str, content: &str) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = text
        .split_once(&open)
        .and_then(|(before, rest)| Some((before, rest.split_once(&close)?.1)));
    parts.map_or_else(
        || text.to_owned(),
        |(before, after)| format!("{before}{open}{content}{close}{after}"),
    )
}
