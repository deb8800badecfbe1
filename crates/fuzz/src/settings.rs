//! What an operator types for an account: nothing unknown is taken, nothing secret is shown, and
//! what is split for the database is put together again.

use serde_json::Value;
use tongbao_channels::{Addresses, Kind, Settings, kinds};

/// Names and keys.
pub const WORDS: &[&str] = &[
    "{",
    "}",
    ",",
    ":",
    "\"",
    "null",
    "7",
    "\"app_id\"",
    "\"mch_id\"",
    "\"api_v2_key\"",
    "\"sign_type\"",
    "\"MD5\"",
    "\"HMAC-SHA256\"",
    "wx7e57000000000001",
    "1900007357",
    "TongbaoSimulatorTestKey000000001",
    "192006250b4c09247ec02edce69f6a2d",
    "00000000000000000000000000000000",
    " ",
    "\\n",
    "\\u0000",
    "é",
];

/// See the module.
pub fn run(input: &[u8]) {
    let Ok(typed) = serde_json::from_slice::<Value>(input) else {
        return;
    };
    for kind in kinds() {
        read(kind, &typed);
    }
}

fn read(kind: &Kind, typed: &Value) {
    let secrets: Vec<&str> = kind
        .fields
        .iter()
        .filter(|field| field.secret)
        .filter_map(|field| typed.get(field.name)?.as_str())
        .collect();
    let shows_a_secret = |text: &str| {
        // A short one may stand in any sentence.
        secrets
            .iter()
            .any(|secret| secret.len() > 16 && text.contains(secret))
    };
    let settings = match Settings::read(kind.fields, typed.clone()) {
        Ok(settings) => settings,
        Err(error) => {
            let named = typed
                .get(&error.field)
                .is_some_and(|_| shows_a_secret(&error.field));
            assert!(named || !shows_a_secret(&error.detail), "{error}");
            return;
        }
    };
    assert!(!shows_a_secret(&format!("{settings:?}")));
    let (open, secret) = settings.clone().split(kind.fields);
    assert!(!shows_a_secret(&open.to_string()) || repeats_a_secret(&open, &secrets));
    let joined = Settings::join(open, secret);
    for field in kind.fields {
        assert_eq!(joined.get(field.name), settings.get(field.name));
        assert_eq!(
            joined.get(field.name),
            typed.get(field.name).and_then(Value::as_str)
        );
    }
    match (kind.open)(&joined, &Addresses::default()) {
        Ok(channel) => {
            for secret in &secrets {
                let strong = secret.len() == 32 && secret.bytes().all(|b| b.is_ascii_graphic());
                assert!(strong, "a key that everybody can guess");
            }
            assert!(!channel.scenes().is_empty());
        }
        Err(error) => assert!(!shows_a_secret(&error.to_string()), "{error}"),
    }
    let again = settings.clone().overlaid(joined, kind.fields);
    assert!(again.is_ok(), "the same settings are another account's");
}

/// The operator typed the same text twice.
fn repeats_a_secret(open: &Value, secrets: &[&str]) -> bool {
    let texts = open.as_object().into_iter().flat_map(|open| open.values());
    texts
        .filter_map(Value::as_str)
        .any(|text| secrets.iter().any(|secret| text.contains(secret)))
}
