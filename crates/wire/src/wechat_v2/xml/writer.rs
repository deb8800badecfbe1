//! Fields to bytes, in the merchant's and in the platform's hand.

use super::Fields;

pub(super) fn one_line(fields: &Fields<'_>) -> String {
    let mut out = with_room_for(fields);
    out.push_str("<xml>");
    for (name, value) in fields.iter() {
        element(&mut out, name, value, Body::CData);
    }
    out.push_str("</xml>");
    out
}

pub(super) fn lines(fields: &Fields<'_>) -> String {
    let mut out = with_room_for(fields);
    out.push_str("<xml>\n");
    for (name, value) in fields.iter() {
        let body = if is_bare(name, value) {
            Body::Bare
        } else {
            Body::CData
        };
        element(&mut out, name, value, body);
        out.push('\n');
    }
    out.push_str("</xml>");
    out
}

pub(super) fn lines_in_cdata(fields: &Fields<'_>, root: &str) -> String {
    let mut out = with_room_for(fields);
    for piece in ["<", root, ">\n"] {
        out.push_str(piece);
    }
    for (name, value) in fields.iter() {
        element(&mut out, name, value, Body::CData);
        out.push('\n');
    }
    for piece in ["</", root, ">"] {
        out.push_str(piece);
    }
    out
}

#[derive(Clone, Copy)]
enum Body {
    Bare,
    CData,
}

fn element(out: &mut String, name: &str, value: &str, body: Body) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    match body {
        Body::Bare => out.push_str(value),
        Body::CData => cdata(out, value),
    }
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// `]]>` would end the section, so it is spread over two.
fn cdata(out: &mut String, value: &str) {
    out.push_str("<![CDATA[");
    let mut pieces = value.split("]]>");
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        out.push_str("]]]]><![CDATA[>");
        out.push_str(piece);
    }
    out.push_str("]]>");
}

/// The platform writes amounts and counts without CDATA, coupon ids and merchant numbers with.
fn is_bare(name: &str, value: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let counts = stem.ends_with("_fee") || stem.ends_with("_count");
    counts && !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

fn with_room_for(fields: &Fields<'_>) -> String {
    const MARKUP: usize = "<></><![CDATA[]]>\n".len();
    let elements: usize = fields
        .iter()
        .map(|(name, value)| 2 * name.len() + value.len() + MARKUP)
        .sum();
    String::with_capacity("<xml>\n</xml>".len() + elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_cdata_is_spread_over_two_sections() {
        let fields = Fields::from_iter([("attach", "x]]>y")]);

        assert_eq!(
            fields.write(),
            "<xml><attach><![CDATA[x]]]]><![CDATA[>y]]></attach></xml>"
        );
    }

    #[test]
    fn the_platform_writes_numbers_bare_and_identifiers_in_cdata() {
        let fields = Fields::from_iter([
            ("total_fee", "888"),
            ("coupon_fee_0", "60"),
            ("coupon_id_0", "10000"),
            ("mch_id", "1900000109"),
            ("attach", ""),
        ]);

        assert_eq!(
            fields.write_lines(),
            "<xml>\n<total_fee>888</total_fee>\n<coupon_fee_0>60</coupon_fee_0>\n\
             <coupon_id_0><![CDATA[10000]]></coupon_id_0>\n\
             <mch_id><![CDATA[1900000109]]></mch_id>\n<attach><![CDATA[]]></attach>\n</xml>"
        );
    }
}
