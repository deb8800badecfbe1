//! Is it really from the platform? The signature and its key.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

use super::letter::{Algorithm, Letter};
use super::table::Table;

pub(super) fn add(table: &mut Table<'_>) {
    keys(table);
    missing(table);
    parts(table);
    spellings(table);
    other_algorithm(table);
    unknown_words(table);
    other_digests(table);
}

/// A1, A2: keys that somebody may try, or that a gateway may hold by mistake.
fn keys(table: &mut Table<'_>) {
    let target = table.target;
    let key = table.key();
    let reversed: String = key.chars().rev().collect();
    let mut keys: Vec<(&'static str, &str, String)> = vec![
        ("A1", "an empty key", String::new()),
        ("A1", "one space for a key", " ".to_owned()),
        ("A1", "32 spaces for a key", " ".repeat(32)),
        ("A1", "the key with a line end", format!("{key}\n")),
        ("A1", "the key with a space behind", format!("{key} ")),
        ("A1", "the key with a space before", format!(" {key}")),
        (
            "A1",
            "the key without its last character",
            key[..key.len() - 1].to_owned(),
        ),
        (
            "A1",
            "the first half of the key",
            key[..key.len() / 2].to_owned(),
        ),
        ("A1", "the key twice", key.repeat(2)),
        ("A1", "the key backwards", reversed),
        ("A1", "the key in lower case", key.to_lowercase()),
        ("A1", "the key in upper case", key.to_uppercase()),
        (
            "A1",
            "the key in hexadecimal digits",
            hex::encode_upper(key),
        ),
        ("A1", "the key in base64", STANDARD.encode(key)),
        ("A1", "the MD5 of the key", Algorithm::Md5.digest("", key)),
        (
            "A1",
            "the merchant's number for a key",
            target.account.mch_id.clone(),
        ),
        (
            "A1",
            "the application's id for a key",
            target.account.app_id.clone(),
        ),
        (
            "A1",
            "the order's number for a key",
            target.out_trade_no.clone(),
        ),
    ];
    for word in [
        "null",
        "undefined",
        "None",
        "key",
        "secret",
        "123456",
        "test",
        "false",
    ] {
        keys.push(("A1", "a word for a key", word.to_owned()));
    }
    for one in ["0", "1", "x", "a"] {
        keys.push(("A2", "32 times one character for a key", one.repeat(32)));
    }
    for sample in [
        "192006250b4c09247ec02edce69f6a2d",
        "qazwsxedcrfvtgbyhnujmikolp111111",
        "exposed_your_key_here_have_risks",
        "OF4Ne3znh8KqL0V4NqmALQa0uXMYKcEk",
    ] {
        keys.push(("A2", "a key that is printed in a manual", sample.to_owned()));
    }
    for (attack, what, other) in keys {
        // A key may be its own upper case.
        if other == key {
            continue;
        }
        for algorithm in Algorithm::ALL {
            let body = table.letter().signed(&other, algorithm).xml();
            table.refuse(attack, format!("{what}, {}", algorithm.word()), body);
        }
    }
}

/// A3: no signature.
fn missing(table: &mut Table<'_>) {
    let bare = table.letter();
    table.refuse("A3", "no sign", bare.xml());
    for gone in ["return_code", "result_code", "mch_id", "appid", "nonce_str"] {
        let letter = bare.clone().without(gone);
        table.refuse("A3", format!("no sign, no {gone}"), letter.xml());
    }
    let only = Letter::new([("out_trade_no", bare.get("out_trade_no"))]);
    table.refuse("A3", "nothing but the order's number", only.xml());
    let empty = bare.lines().replace("</xml>", "<sign/></xml>");
    table.refuse("A3", "an empty sign element", empty);
    for value in [
        "",
        " ",
        "null",
        "undefined",
        "None",
        "0",
        "1",
        "true",
        "SUCCESS",
        "*",
        "%",
        "' OR '1'='1",
    ] {
        let body = bare.clone().with("sign", value).xml();
        table.refuse("A3", format!("sign is {value:?}"), body);
    }
    let genuine = table.genuine();
    for name in ["Sign", "SIGN", "signature", "sign_", "paySign"] {
        let letter = bare.clone().with(name, genuine.get("sign"));
        table.refuse("A3", format!("the right sign, named {name}"), letter.xml());
    }
    let sign = genuine.get("sign").to_owned();
    let row = table.refuse("A3", "the right sign in a header", bare.xml());
    row.headers.push(("sign", sign.clone()));
    let row = table.refuse("A3", "the right sign in the address", bare.xml());
    row.query = format!("?sign={sign}");
}

/// A4: nearly the right signature.
fn parts(table: &mut Table<'_>) {
    let genuine = table.genuine();
    let right = genuine.get("sign").to_owned();
    let signs = |table: &mut Table<'_>, what: String, sign: &str| {
        table.refuse("A4", what, genuine.clone().with("sign", sign).xml());
    };
    for length in [1, 2, 8, 16, 31, right.len() / 2, right.len() - 1] {
        if length < right.len() {
            signs(
                table,
                format!("its first {length} digits"),
                &right[..length],
            );
        }
    }
    for (what, sign) in [
        ("with a digit more", format!("{right}0")),
        ("with a digit before", format!("0{right}")),
        ("twice", right.repeat(2)),
        ("with v1, before", format!("v1,{right}")),
        (
            "with the algorithm before",
            format!("{}={right}", table.algorithm().word()),
        ),
        (
            "with a comma and another",
            format!("{right},{}", "0".repeat(right.len())),
        ),
        ("with zeros for all digits", "0".repeat(right.len())),
        ("with F for all digits", "F".repeat(right.len())),
        ("backwards", right.chars().rev().collect()),
    ] {
        signs(table, format!("the right sign {what}"), &sign);
    }
    for place in 0..right.len() {
        if place % 4 != 0 && place != right.len() - 1 {
            continue;
        }
        let digit = if &right[place..=place] == "0" {
            "1"
        } else {
            "0"
        };
        let wrong = format!("{}{digit}{}", &right[..place], &right[place + 1..]);
        signs(table, format!("digit {place} is another"), &wrong);
    }
}

/// A5: the right signature in another spelling.
fn spellings(table: &mut Table<'_>) {
    let genuine = table.genuine();
    let right = genuine.get("sign").to_owned();
    let bytes = hex::decode(&right).unwrap_or_default();
    let half: String = right
        .char_indices()
        .map(|(place, c)| {
            if place % 2 == 0 {
                c.to_ascii_lowercase()
            } else {
                c
            }
        })
        .collect();
    let wide: String = right
        .chars()
        .map(|c| char::from_u32(u32::from(c) - 0x20 + 0xff00).unwrap_or(c))
        .collect();
    let colons: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    for (what, sign) in [
        ("in lower case", right.to_lowercase()),
        ("in both cases", half),
        ("with a space before", format!(" {right}")),
        ("with a space behind", format!("{right} ")),
        ("with a line feed behind", format!("{right}\n")),
        ("with a line feed before", format!("\n{right}")),
        (
            "with a tab inside",
            format!("{}\t{}", &right[..8], &right[8..]),
        ),
        ("with 0x before", format!("0x{right}")),
        ("with colons", colons.join(":")),
        ("in base64", STANDARD.encode(&bytes)),
        ("in base64 without padding", STANDARD_NO_PAD.encode(&bytes)),
        ("in base64 for addresses", URL_SAFE.encode(&bytes)),
        ("in full-width digits", wide),
        ("with a zero-width space", format!("{right}\u{200b}")),
        ("with a Cyrillic A", format!("\u{410}{}", &right[1..])),
    ] {
        let body = genuine.clone().with("sign", &sign).xml();
        table.refuse("A5", format!("the right sign {what}"), body);
    }
}

/// A6: the right key, and another algorithm than the order's. Seen from the
/// platform too, so that it may be worth a question.
fn other_algorithm(table: &mut Table<'_>) {
    let (right, other) = (table.algorithm(), table.algorithm().other());
    let key = table.key();
    let bare = table.letter();
    table.ask(
        "A6",
        "the other algorithm, unsaid",
        bare.clone().signed(key, other).xml(),
    );
    let said = bare.clone().with("sign_type", other.word());
    table.ask(
        "A6",
        "the other algorithm, and says so",
        said.clone().signed(key, other).xml(),
    );
    let empty = bare.clone().with("sign_type", "").signed(key, other);
    table.ask("A6", "the other algorithm, sign_type empty", empty.xml());

    table.refuse(
        "A6",
        "says the other algorithm, signed with the order's",
        said.signed(key, right).xml(),
    );
    let claims = bare.clone().with("sign_type", right.word());
    table.refuse(
        "A6",
        "says the order's algorithm, signed with the other",
        claims.signed(key, other).xml(),
    );
    let late = bare
        .clone()
        .signed(key, right)
        .with("sign_type", other.word());
    table.refuse(
        "A6",
        "the other algorithm's name, added after signing",
        late.xml(),
    );
    let late = bare.signed(key, other).with("sign_type", right.word());
    table.refuse(
        "A6",
        "the order's algorithm's name, added after signing",
        late.xml(),
    );
}

/// A7: words that are no algorithm, signed with the right key.
fn unknown_words(table: &mut Table<'_>) {
    for word in [
        "none",
        "NONE",
        "plain",
        "RSA",
        "RSA2",
        "SM3",
        "SHA256",
        "HMAC-SHA1",
        "HMAC_SHA256",
        "hmac-sha256",
        "md5",
        "MD5 ",
        " MD5",
        "HMAC-SHA256\n",
        "MD5,HMAC-SHA256",
        "0",
    ] {
        for algorithm in Algorithm::ALL {
            let letter = table.letter().with("sign_type", word);
            let body = letter.signed(table.key(), algorithm).xml();
            let what = format!("sign_type is {word:?}, signed with {}", algorithm.word());
            table.refuse("A7", what, body);
        }
    }
    let unsigned = table.letter().with("sign_type", "none").with("sign", "");
    table.refuse("A7", "sign_type is \"none\", and no sign", unsigned.xml());
}

/// A32: digests that need no key, or use it in another way.
fn other_digests(table: &mut Table<'_>) {
    let key = table.key();
    let text = table.letter().text();
    let by_arrival: Vec<_> = table
        .letter()
        .pairs
        .iter()
        .rev()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    for (what, text) in [
        ("no key at all", text.clone()),
        ("an empty key behind", format!("{text}&key=")),
        ("the key before the text", format!("{key}{text}")),
        ("the key behind the text", format!("{text}{key}")),
        ("the key as a field before", format!("key={key}&{text}")),
        ("the key in capitals' name", format!("{text}&KEY={key}")),
        (
            "the fields backwards",
            format!("{}&key={key}", by_arrival.join("&")),
        ),
        (
            "only the order's number",
            format!("out_trade_no={}&key={key}", table.target.out_trade_no),
        ),
        ("nothing but the key", format!("key={key}")),
    ] {
        for algorithm in Algorithm::ALL {
            // HMAC takes the key beside the text: somebody without it has none.
            let used = if text.contains(key) { key } else { "" };
            let sign = algorithm.digest(used, &text);
            let body = table.letter().with("sign", &sign).xml();
            table.refuse("A32", format!("{} of {what}", algorithm.word()), body);
        }
    }
}
