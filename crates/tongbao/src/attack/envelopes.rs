//! What is around the message: the address, the headers, another encoding.

use super::letter::joined;
use super::table::Table;

pub(super) fn add(table: &mut Table<'_>) {
    addresses(table);
    encodings(table);
    forms(table);
    origins(table);
}

/// A16, A17: a query string. No platform sends one with a message, and what
/// stands in it is signed by nobody.
fn addresses(table: &mut Table<'_>) {
    let genuine = table.genuine().xml();
    let number = table.target.out_trade_no.clone();
    for query in [
        "?a=1".to_owned(),
        format!("?out_trade_no={number}"),
        "?total_fee=1".to_owned(),
        "?out_trade_no[]=x".to_owned(),
        "?out_trade_no%5B%5D=x".to_owned(),
        "?confirm=signature".to_owned(),
        "?debug=1".to_owned(),
        "?skip_verify=true".to_owned(),
        "?sign_type=none".to_owned(),
        "?%00".to_owned(),
        "?a=1&a=2".to_owned(),
    ] {
        let row = table.refuse("A17", format!("the address has {query}"), genuine.clone());
        row.query = query;
    }
    let pairs: Vec<_> = table
        .genuine()
        .pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace(' ', "%20")))
        .collect();
    for (what, body) in [
        ("and an empty body", Vec::new()),
        ("and an unsigned body", table.letter().xml()),
    ] {
        let row = table.refuse("A16", format!("all fields in the address, {what}"), body);
        row.query = format!("?{}", pairs.join("&"));
    }
}

/// A platform compresses nothing (K4).
fn encodings(table: &mut Table<'_>) {
    let genuine = table.genuine().xml();
    for encoding in ["gzip", "deflate", "br", "zstd", "identity", "x", ""] {
        let row = table.refuse(
            "K4",
            format!("Content-Encoding is {encoding:?}"),
            genuine.clone(),
        );
        row.headers.push(("content-encoding", encoding.to_owned()));
    }
}

/// A17, A18: other notations of the same fields.
fn forms(table: &mut Table<'_>) {
    let letter = table.genuine();
    let xml = letter.lines();
    let form: Vec<_> = letter
        .pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let form = form.join("&");
    let escaped = joined(xml.bytes().map(|byte| format!("%{byte:02x}")));
    let part =
        format!("--x\r\nContent-Disposition: form-data; name=\"xml\"\r\n\r\n{xml}\r\n--x--\r\n");
    for (attack, what, kind, body) in [
        (
            "A17",
            "a form",
            "application/x-www-form-urlencoded",
            form.clone(),
        ),
        (
            "A17",
            "a form with a second amount",
            "application/x-www-form-urlencoded",
            format!("{form}&total_fee=1"),
        ),
        (
            "A17",
            "a form with brackets",
            "application/x-www-form-urlencoded",
            form.replace('=', "[]="),
        ),
        (
            "A17",
            "a form with one field xml",
            "application/x-www-form-urlencoded",
            format!("xml={escaped}"),
        ),
        (
            "A17",
            "a form of parts",
            "multipart/form-data; boundary=x",
            part,
        ),
        ("A18", "percent-encoded", "text/xml", escaped.clone()),
        (
            "A18",
            "percent-encoded twice",
            "text/xml",
            escaped.replace('%', "%25"),
        ),
        (
            "A18",
            "plus signs for spaces",
            "text/xml",
            xml.replace('<', "%3C+"),
        ),
        (
            "A18",
            "in quotation marks",
            "application/json",
            format!("{xml:?}"),
        ),
    ] {
        let row = table.refuse(attack, what, body);
        row.headers.push(("content-type", kind.to_owned()));
    }
}

/// B18: who sends it is nobody's proof.
fn origins(table: &mut Table<'_>) {
    // An address of the platform's.
    let platform = "101.226.103.0";
    let unsigned = table.letter().with("sign", &"0".repeat(32)).xml();
    for (name, value) in [
        ("x-forwarded-for", platform.to_owned()),
        ("x-forwarded-for", format!("{platform}, 127.0.0.1")),
        ("x-real-ip", platform.to_owned()),
        (
            "forwarded",
            format!("for={platform};host=api.mch.weixin.qq.com"),
        ),
        ("x-forwarded-host", "api.mch.weixin.qq.com".to_owned()),
        ("x-client-ip", platform.to_owned()),
        ("true-client-ip", platform.to_owned()),
        ("cf-connecting-ip", platform.to_owned()),
        ("x-original-url", "/healthz".to_owned()),
        ("x-http-method-override", "GET".to_owned()),
        ("user-agent", "Mozilla/4.0".to_owned()),
        ("wechatpay-signature-type", "none".to_owned()),
        ("authorization", "Bearer admin".to_owned()),
        ("x-tongbao-verified", "true".to_owned()),
    ] {
        let what = format!("a wrong sign, and the header {name}: {value}");
        let row = table.refuse("B18", what, unsigned.clone());
        row.headers.push((name, value));
    }
}
