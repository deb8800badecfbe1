//! Document types and entities, and what is small to send and large to read.

use super::documents::{inside, replace};
use super::letter::joined;
use super::table::Table;

pub(super) fn add(table: &mut Table<'_>) {
    doctypes(table);
    bombs(table);
}

/// A10: document types and entities, the hole of 2018.
fn doctypes(table: &mut Table<'_>) {
    let genuine = table.genuine().lines();
    let attach = table.sign(table.letter().with("attach", "x")).lines();
    let with = |entity: &str| replace(&attach, "attach", entity);
    for (what, text) in [
        ("an empty document type", format!("<!DOCTYPE xml>{genuine}")),
        (
            "a document type in small letters",
            format!("<!doctype xml>{genuine}"),
        ),
        (
            "a document type with an element",
            format!("<!DOCTYPE xml [<!ELEMENT xml ANY>]>{genuine}"),
        ),
        (
            "an entity of the document",
            format!("<!DOCTYPE xml [<!ENTITY e \"x\">]>{}", with("&e;")),
        ),
        (
            "an entity of this machine",
            format!(
                "<!DOCTYPE xml [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{}",
                with("&e;")
            ),
        ),
        (
            "an entity of the network",
            format!(
                "<!DOCTYPE xml [<!ENTITY e SYSTEM \"http://127.0.0.1:9/\">]>{}",
                with("&e;")
            ),
        ),
        (
            "a public entity",
            format!(
                "<!DOCTYPE xml [<!ENTITY e PUBLIC \"x\" \"http://127.0.0.1:9/\">]>{}",
                with("&e;")
            ),
        ),
        (
            "a parameter entity",
            format!("<!DOCTYPE xml [<!ENTITY % p SYSTEM \"http://127.0.0.1:9/\"> %p;]>{genuine}"),
        ),
        (
            "a document type elsewhere",
            format!("<!DOCTYPE xml SYSTEM \"http://127.0.0.1:9/x.dtd\">{genuine}"),
        ),
        (
            "a document type behind the declaration",
            format!("<?xml version=\"1.0\"?><!DOCTYPE xml [<!ENTITY e \"x\">]>{genuine}"),
        ),
        (
            "an attribute list that fills in a field",
            format!("<!DOCTYPE xml [<!ATTLIST xml a CDATA \"1\">]>{genuine}"),
        ),
        (
            "a document type without an end",
            format!("<!DOCTYPE xml [{genuine}"),
        ),
        (
            "a document type behind the root",
            format!("{genuine}<!DOCTYPE xml>"),
        ),
        (
            "an entity's declaration among the fields",
            inside(&genuine, "<!ENTITY e \"x\">"),
        ),
        (
            "a document type among the fields",
            inside(&genuine, "<!DOCTYPE xml>"),
        ),
        ("an entity that nobody declared", with("&e;")),
        ("an entity of HTML", with("&nbsp;")),
        ("an entity in capitals", with("&LT;")),
        ("an entity without a name", with("&;")),
        ("an entity without an end", with("&lt")),
        ("an ampersand", with("a & b")),
        (
            "another file included",
            inside(
                &genuine,
                "<xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"file:///etc/passwd\"/>",
            ),
        ),
    ] {
        table.refuse("A10", what, text);
    }
}

/// A11: small to send, large to read.
fn bombs(table: &mut Table<'_>) {
    let genuine = table.genuine().lines();
    let laughs = joined(
        (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))),
    );
    let attributes = joined((0..4_000).map(|n| format!(" a{n}=\"\"")));
    let many = |count: usize| {
        let extra = joined((0..count).map(|n| format!("<x{n}/>")));
        inside(&genuine, &extra)
    };
    let long = table.sign(table.letter().with("attach", &"x".repeat(70_000)));
    for (what, text) in [
        (
            "a thousand million laughs",
            format!("<!DOCTYPE xml [<!ENTITY l0 \"ha\">{laughs}]><xml><attach>&l9;</attach></xml>"),
        ),
        (
            "one long entity, many times",
            format!(
                "<!DOCTYPE xml [<!ENTITY l \"{}\">]><xml><attach>{}</attach></xml>",
                "x".repeat(10_000),
                "&l;".repeat(10_000)
            ),
        ),
        (
            "10,000 elements in each other",
            format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(5_000)),
        ),
        (
            "10,000 elements in each other, in a field",
            inside(&genuine, &"<a>".repeat(10_000)),
        ),
        (
            "4,000 attributes",
            genuine.replacen("<xml>", &format!("<xml{attributes}>"), 1),
        ),
        ("600 fields more", many(600)),
        ("6,000 fields more", many(6_000)),
        (
            "a name of 65 characters",
            inside(&genuine, &format!("<{}/>", "n".repeat(65))),
        ),
        (
            "a name of 20,000 characters",
            inside(&genuine, &format!("<{}/>", "n".repeat(20_000))),
        ),
        (
            "10,000 references",
            replace(&genuine, "bank_type", &"&#0;".repeat(10_000)),
        ),
        (
            "10,000 CDATA sections, none closed",
            format!("<xml><attach>{}", "<![CDATA[".repeat(6_000)),
        ),
        ("10,000 opening brackets", "<".repeat(10_000)),
        ("more than 64 KiB, and signed", long.lines()),
        (
            "more than 64 KiB of spaces behind",
            format!("{genuine}{}", " ".repeat(66_000)),
        ),
        (
            "more than 64 KiB of spaces before",
            format!("{}{genuine}", " ".repeat(66_000)),
        ),
        (
            "a megabyte",
            format!("<xml><attach>{}</attach></xml>", "x".repeat(1 << 20)),
        ),
    ] {
        table.refuse("A11", what, text);
    }
}
