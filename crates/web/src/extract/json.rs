//! JSON from merchants, strictly: no field that we do not know, none twice, and
//! an error that names the field.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

use crate::problem::{
    DUPLICATE_FIELD, INVALID_FIELD, INVALID_JSON, Kind, MISSING_FIELD, Problem, UNKNOWN_FIELD,
};

/// Reads `bytes` as a `T`.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // First as any JSON: what follows may build maps, which would keep the last
    // of two fields of one name.
    read_as::<Unique>(bytes)?;
    read_as(bytes)
}

fn read_as<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        problem(&path, error.inner())
    })?;
    json.end().map_err(|error| problem(".", &error))?;
    Ok(value)
}

fn problem(path: &str, error: &serde_json::Error) -> Problem {
    if error.classify() != Category::Data {
        return Problem::new(INVALID_JSON, format!("the body is not JSON: {error}"));
    }
    named(path, &error.to_string())
}

/// A problem that names the field, from the path to where `serde` stopped and
/// what it said there.
pub(crate) fn named(path: &str, said: &str) -> Problem {
    let by_name = |start: &str| said.strip_prefix(start)?.split('`').next();
    let (kind, name): (Kind, _) = if let Some(name) = by_name("unknown field `") {
        (UNKNOWN_FIELD, Some(name))
    } else if let Some(name) = by_name("missing field `") {
        (MISSING_FIELD, Some(name))
    } else if let Some(name) = by_name("duplicate field `") {
        (DUPLICATE_FIELD, Some(name))
    } else {
        (INVALID_FIELD, None)
    };
    let field = match (path, name) {
        ("." | "?", Some(name)) => name.to_owned(),
        ("." | "?", None) => return Problem::new(kind, format!("the body: {said}")),
        (path, Some(name)) if path != name && !path.ends_with(&format!(".{name}")) => {
            format!("{path}.{name}")
        }
        (path, _) => path.to_owned(),
    };
    Problem::field(kind, field, said)
}

/// Any JSON in which no object has a field twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if names.contains(&name) {
                let said = format!("duplicate field `{name}`");
                return Err(serde::de::Error::custom(said));
            }
            map.next_value::<Unique>()?;
            names.insert(name);
        }
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Unique, A::Error> {
        while seq.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only the reading matters")]
        amount: i64,
        #[expect(dead_code, reason = "only the reading matters")]
        inner: Option<Inner>,
        #[expect(dead_code, reason = "only the reading matters")]
        #[serde(default)]
        metadata: Value,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only the reading matters")]
        scene: String,
    }

    fn refused(text: &str) -> (u16, String, Option<String>) {
        let problem = read::<Outer>(text.as_bytes()).unwrap_err();
        let view = serde_json::to_value(problem.into_view("id")).unwrap();
        let field = view
            .get("field")
            .map(|field| field.as_str().unwrap().to_owned());
        assert!(
            field
                .as_ref()
                .is_none_or(|field| view["detail"].as_str().unwrap().contains(field)),
            "{view}"
        );
        (
            view["status"].as_u64().unwrap().try_into().unwrap(),
            view["code"].as_str().unwrap().to_owned(),
            field,
        )
    }

    #[test]
    fn an_error_names_the_field() {
        for (text, code, field) in [
            (json!({"amount": 1, "amout": 1}), "unknown_field", "amout"),
            (json!({"inner": null}), "missing_field", "amount"),
            (
                json!({"amount": 1, "inner": {}}),
                "missing_field",
                "inner.scene",
            ),
            (
                json!({"amount": 1, "inner": {"scene": "x", "payee": 1}}),
                "unknown_field",
                "inner.payee",
            ),
            (
                json!({"amount": 1, "inner": {"scene": 7}}),
                "invalid_field",
                "inner.scene",
            ),
            (json!({"amount": "100"}), "invalid_field", "amount"),
            (json!({"amount": 12.5}), "invalid_field", "amount"),
            (json!({"amount": null}), "invalid_field", "amount"),
        ] {
            let expected = (422, code.to_owned(), Some(field.to_owned()));
            assert_eq!(refused(&text.to_string()), expected);
        }
    }

    #[test]
    fn a_number_that_is_not_plainly_whole_is_refused() {
        for number in ["1e2", "1.0", "-0", "9223372036854775808", "1e400"] {
            let (status, ..) = refused(&format!("{{\"amount\": {number}}}"));
            assert!(status == 422 || number == "1e400", "{number}: {status}");
        }
    }

    #[test]
    fn a_field_that_comes_twice_is_refused_at_any_depth() {
        for (text, field) in [
            (r#"{"amount": 1, "amount": 1}"#, "amount"),
            (
                r#"{"amount": 1, "metadata": {"a": {"b": 1, "b": 2}}}"#,
                "metadata.a.b",
            ),
            (
                r#"{"amount": 1, "metadata": [{"b": 1, "\u0062": 2}]}"#,
                "metadata[0].b",
            ),
        ] {
            let expected = (422, "duplicate_field".to_owned(), Some(field.to_owned()));
            assert_eq!(refused(text), expected);
        }
    }

    #[test]
    fn what_is_not_json_is_a_bad_request() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "{",
            "{\"amount\": 1}}",
            "{'amount': 1}",
            "amount=1",
            "\u{feff}{}",
            &deep,
        ] {
            assert_eq!(refused(text).0, 400, "{text:.20}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["null", "7", "\"amount\""] {
            assert_eq!(refused(text).0, 422, "{text}");
        }
    }
}
