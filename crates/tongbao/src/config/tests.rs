use super::*;

const FILE: &str = "tongbao.toml";

fn read(text: &str) -> Result<Config, ConfigError> {
    read_with(text, &[])
}

fn read_with(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Config::read(Path::new(FILE), text, environment.iter().map(owned))
}

fn complaint(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn nothing_needs_to_be_set() {
    let config = read("").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_url(), "http://127.0.0.1:8080");
    assert_eq!(config.key_file(), Path::new("data/master.key"));
}

#[test]
fn an_unknown_setting_is_named_with_its_line_and_its_neighbours() {
    let text = complaint("listen = \"127.0.0.1:1\"\n\n[webhooks]\nallow_htp = true\n");
    assert!(
        text.starts_with("tongbao.toml, line 4: `allow_htp` is not a setting"),
        "{text}"
    );
    assert!(text.contains("`allow_networks`, `allow_http`"), "{text}");
}

#[test]
fn every_error_says_where_and_what_would_be_right() {
    for (text, words) in [
        (
            "listen = \"here\"",
            "line 1: listen: invalid socket address syntax",
        ),
        (
            "public_url = \"pay.example.com\"",
            "line 1: public_url: is not an http or https",
        ),
        ("public_url = \"https://a.example/?x=1\"", "without a query"),
        (
            "public_url = \"https://127.0.0.256\"",
            "public_url: has an invalid IPv4 address",
        ),
        ("channel_timeout_secs = 0", "line 1: channel_timeout_secs"),
        (
            "channel_timeout_secs = 46",
            "channel_timeout_secs is 46; write at most 45",
        ),
        (
            "[till]\nreverse_after_secs = 10",
            "till.reverse_after_secs is 10; write 15 to 60",
        ),
        (
            "[webhooks]\nallow_networks = [\"10.0.0.1\"]",
            "line 2: allow_networks",
        ),
        ("[log]\nlevel = \"=\"", "line 2: level"),
        ("[log]\nformat = \"xml\"", "`text` or `json`"),
        ("listen = ", "line 1: listen"),
        (
            "[platforms]\nalipy = \"https://a.example\"",
            "platforms.alipy is not a platform",
        ),
        ("[[merchants]]\n", "missing field `name`"),
        (
            "[[merchants]]\nname = \"a\"\n[[merchants]]\nname = \"a\"",
            "is there twice",
        ),
        (
            "[[merchants]]\nname = \"a\"\n[[merchants.channels]]\nkind = \"x\"\nname = \"y\"",
            "kind \"x\" is not known; there are: wechat_v2",
        ),
    ] {
        let complaint = complaint(text);
        assert!(complaint.starts_with(FILE), "{complaint}");
        assert!(complaint.contains(words), "{text}: {complaint}");
    }
}

#[test]
fn an_error_in_a_secret_does_not_show_it() {
    for text in [
        "[[merchants]]\nname = \"a\"\napi_key = 8675309",
        "[[merchants]]\nname = \"a\"\napi_key = hunter8675309",
        "[[merchants]]\nname = \"a\"\n[[merchants.channels]]\nkind = \"wechat_v2\"\n\
         name = \"b\"\nsettings = { api_v2_key = 8675309 }",
    ] {
        let complaint = complaint(text);
        assert!(!complaint.contains("8675309"), "{complaint}");
    }
}

#[test]
fn the_environment_is_above_the_file() {
    let config = read_with(
        "listen = \"127.0.0.1:1\"\n[log]\nlevel = \"warn\"",
        &[
            ("TONGBAO_LISTEN", "127.0.0.1:2"),
            ("TONGBAO_LOG__LEVEL", "debug"),
            ("TONGBAO_WEBHOOKS__ALLOW_HTTP", "true"),
            ("TONGBAO_WEBHOOKS__ALLOW_NETWORKS", "10.0.0.0/8, fd00::/8"),
            ("TONGBAO_PLATFORMS__WECHAT_PAY", "http://127.0.0.1:8100/"),
            ("TONGBAO_KEY", "not a setting"),
            ("TONGBAO_SERVICE_PORT_HTTP", "what Kubernetes sets"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.log.level.as_str(), "debug");
    assert!(config.webhooks.allow_http);
    assert_eq!(config.webhooks.allow_networks.as_slice().len(), 2);
    assert_eq!(
        config.platforms["wechat_pay"].to_string(),
        "http://127.0.0.1:8100"
    );
}

#[test]
fn an_error_in_the_environment_names_the_variable() {
    for (name, value, words) in [
        ("TONGBAO_LISTENN", "1", "is not a setting"),
        ("TONGBAO_LISTEN", "here", "invalid socket address"),
        ("TONGBAO_LOG__FORMAT", "xml", "`text` or `json`"),
        (
            "TONGBAO_LISTEN__PORT",
            "1",
            "listen has no settings below it",
        ),
    ] {
        let complaint = read_with("listen = \"127.0.0.1:1\"", &[(name, value)]);
        let complaint = complaint.unwrap_err().to_string();
        assert!(
            complaint.starts_with(&format!("environment variable {name}")),
            "{complaint}"
        );
        assert!(complaint.contains(words), "{complaint}");
    }
}

#[test]
fn a_secret_may_lie_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    std::fs::write(&file, "K3y\r\n").unwrap();
    let declared = |more: &str| {
        format!(
            "[[merchants]]\nname = \"a\"\n[[merchants.channels]]\nkind = \"wechat_v2\"\n\
             name = \"b\"\n[merchants.channels.settings]\napi_v2_key_file = {:?}\n{more}",
            file.display().to_string()
        )
    };

    let config = read(&declared("")).unwrap();
    assert_eq!(
        config.merchants[0].channels[0].settings["api_v2_key"].expose(),
        "K3y"
    );

    let complaint = complaint(&declared("api_v2_key = \"other\""));
    assert!(complaint.contains("keep one of them"), "{complaint}");
}

#[test]
fn debug_output_shows_no_secret() {
    let config = read(
        "[[merchants]]\nname = \"a\"\napi_key = \"sk_hunter2\"\n[[merchants.channels]]\n\
         kind = \"wechat_v2\"\nname = \"b\"\nsettings = { api_v2_key = \"hunter2\" }",
    )
    .unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

mod example {
    use super::*;

    const EXAMPLE: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tongbao.example.toml"
    ));

    /// `#name = …` and `#[table]` are settings that are switched off; `# text` explains.
    fn switched_on() -> String {
        let on = |line: &'static str| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()) => rest,
            _ => line,
        };
        EXAMPLE.lines().map(on).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn it_loads_as_it_is_and_means_the_defaults() {
        let config = read(EXAMPLE).unwrap();
        assert_eq!(config.listen, Config::default().listen);
        assert_eq!(
            config.limits.connections,
            Config::default().limits.connections
        );
        assert_eq!(
            config.channel_timeout_secs,
            Config::default().channel_timeout_secs
        );
        assert!(config.merchants.is_empty());
    }

    #[test]
    fn it_loads_with_everything_switched_on() {
        let config = toml::from_str::<Config>(&switched_on()).unwrap();
        assert!(!config.merchants[0].channels.is_empty());
        assert!(config.admin_listen.is_some() && config.key.file.is_some());
    }

    #[test]
    fn every_setting_appears_in_it() {
        let text = switched_on();
        for table in [
            "",
            "[till]",
            "[webhooks]",
            "[limits]",
            "[log]",
            "[key]",
            "[[merchants]]",
            "[[merchants]]\nname = \"a\"\n[[merchants.channels]]",
        ] {
            for name in settings_of(table) {
                let found = text.lines().any(|line| {
                    let line = line.trim_start_matches('[');
                    let head = line.split(['=', ']']).next().unwrap_or_default().trim();
                    head == name || head.ends_with(&format!(".{name}"))
                });
                assert!(found, "{name} of {table:?} is not explained");
            }
        }
        for site in kinds().iter().flat_map(|kind| kind.sites) {
            let line = format!("\n{} = \"{}\"\n", site.name, site.usual);
            assert!(text.contains(&line), "{line}");
        }
        for field in kinds().iter().flat_map(|kind| kind.fields) {
            assert!(text.contains(field.name), "{} is not explained", field.name);
        }
    }

    /// The parser's own list, out of its complaint about a setting that is none.
    fn settings_of(table: &str) -> Vec<String> {
        let error = toml::from_str::<Config>(&format!("{table}\nnone = 1")).unwrap_err();
        let names: Vec<_> = error
            .message()
            .split('`')
            .skip(3)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        assert!(!names.is_empty(), "{}", error.message());
        names
    }
}
