//! What is printed without anything running.

use crate::program::Home;

#[test]
fn help_names_every_command_and_shows_examples() {
    let said = Home::new("").run(&["--help"]);
    assert_eq!(said.code, 0);
    for word in [
        "serve",
        "attack",
        "simulate",
        "pay",
        "check",
        "audit",
        "migrate",
        "merchant",
        "key",
        "completions",
        "Examples:",
        "--config",
    ] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
    let overview = said.out;
    for command in ["serve", "simulate", "pay", "check", "audit", "migrate"] {
        let said = Home::new("").run(&[command, "--help"]);
        assert_eq!(said.code, 0, "{command}");
        let what = said.out.lines().next().unwrap().trim_end_matches('.');
        assert!(overview.contains(what), "{command}: {what}");
    }
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let said = Home::new("").run(&["completions", shell]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.out.contains("simulate"), "{shell}");
    }
}

#[test]
fn an_error_in_the_configuration_says_where() {
    let home = Home::new("datadir = \"x\"\n");
    for command in ["serve", "check", "audit", "migrate"] {
        let said = home.run(&[command]);
        assert_eq!(said.code, 2);
        let words = "tongbao.toml, line 2: `datadir` is not a setting";
        assert!(said.err.contains(words), "{}", said.err);
    }
}

#[test]
fn a_configuration_that_was_named_must_be_there() {
    let said = Home::new("").run(&["check", "--config", "elsewhere.toml"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("elsewhere.toml: cannot be read"),
        "{}",
        said.err
    );
}

#[test]
fn a_variable_that_is_no_setting_is_an_error() {
    let home = Home::new("");
    let output = home
        .command(&["check"])
        .env("TONGBAO_LISTENN", "x")
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err.contains("environment variable TONGBAO_LISTENN"),
        "{err}"
    );
}

#[test]
fn an_amount_that_is_no_amount_is_refused_before_anything_is_asked() {
    let said = Home::new("").run(&["pay", "12.345", "--key", "sk_x"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("for example 12.34"), "{}", said.err);
}
