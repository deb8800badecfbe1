//! `tongbao merchant settings`, at a running gateway.

use crate::program::{API_KEY, Home};

#[test]
fn settings_are_shown_and_changed_one_by_one() {
    let home = Home::new(&format!(
        "[[merchants]]\nname = \"茶馆\"\napi_key = {API_KEY:?}\n"
    ));
    let gateway = home.serve();
    let settings = |more: &[&str]| {
        let args = [&["merchant", "settings", "--gateway", &gateway.url], more].concat();
        let mut command = home.command(&args);
        let said = command.env("TONGBAO_API_KEY", API_KEY).output().unwrap();
        let text = [said.stdout, said.stderr].concat();
        (said.status.code(), String::from_utf8(text).unwrap())
    };
    let stand = |late, auto, case, day| {
        format!(
            "accept late  {late}\nauto refund  {auto}\nper case     {case}\nper day      {day}\n"
        )
    };

    let (code, text) = settings(&[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("mer_") && text.contains("茶馆"), "{text}");
    assert!(
        text.ends_with(&stand("off", "off", "¥500.00", "¥5,000.00")),
        "{text}"
    );

    let (_, text) = settings(&[
        "--auto-refund",
        "on",
        "--per-case",
        "0.5",
        "--accept-late",
        "on",
    ]);
    assert!(
        text.ends_with(&stand("on", "on", "¥0.50", "¥5,000.00")),
        "{text}"
    );
    let (_, text) = settings(&["--auto-refund", "off", "--per-day", "20"]);
    assert!(
        text.ends_with(&stand("on", "off", "¥0.50", "¥20.00")),
        "{text}"
    );
    let (_, text) = settings(&[]);
    assert!(
        text.ends_with(&stand("on", "off", "¥0.50", "¥20.00")),
        "{text}"
    );

    let (code, text) = settings(&["--auto-refund", "perhaps"]);
    assert_eq!(code, Some(2), "{text}");
    let (code, text) = settings(&["--key", "sk_0000000000000000000000000000000000000000"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("unauthorized"), "{text}");
}
