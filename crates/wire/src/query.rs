//! The query part of an address.

use std::collections::BTreeMap;

/// The text as the value of a parameter, spaces as `%20`: a page that decodes it takes a `+`
/// for a plus.
pub(crate) fn encode(text: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20")
}

/// Names and values, decoded. `None` when a name occurs twice or a value is not UTF-8: readers
/// differ in what that means.
pub(crate) fn read(query: &str) -> Option<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if value.contains('\u{fffd}') || pairs.insert(name.into(), value.into()).is_some() {
            return None;
        }
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reads_back_whatever_it_is() {
        for value in ["", "a b+c", "?a=b&c=d#e", "通宝", "%2B", "https://a/b?c=d"] {
            let read = read(&format!("x=1&v={}", encode(value))).unwrap();
            assert_eq!(read["v"], value);
        }
        assert_eq!(encode("a b+c"), "a%20b%2Bc");
    }

    #[test]
    fn what_readers_disagree_about_is_refused() {
        assert_eq!(read("a=1&a=1"), None);
        assert_eq!(read("a=%ff"), None);
        assert_eq!(read("").unwrap().len(), 0);
    }
}
