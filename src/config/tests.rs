//! The loader as a user meets it.

use super::*;
use proptest::prelude::*;
use std::path::Path;

mod redaction;

const SMALLEST: &str = r#"
[listen]
traffic = "127.0.0.1:8080"
console = "127.0.0.1:9090"

[store]
path = "darklaunch.db"

[integrations.payments]
match.path_prefix = "/"
primary.url = "https://api.current.example"
shadow.url  = "https://api.new.example"
mirror.enabled = true
mirror.sample  = "100%"
mirror.methods = ["GET", "HEAD"]
"#;

fn environment(variables: &[(&str, &str)]) -> Environment {
    Environment::new(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
}

fn parse_with(text: &str, variables: &[(&str, &str)]) -> Result<(Config, Vec<String>), Problems> {
    parse("darklaunch.toml", Path::new("/etc/dl"), text, &environment(variables))
}

fn config(text: &str) -> Config {
    parse_with(text, &[]).unwrap_or_else(|problems| panic!("{problems}")).0
}

fn message(text: &str) -> String {
    parse_with(text, &[]).unwrap_err().to_string()
}

#[test]
fn the_smallest_file_works() {
    let config = config(SMALLEST);
    assert_eq!(config.listen_traffic, [Listen::parse("127.0.0.1:8080").unwrap()]);
    assert_eq!(config.store.path, Path::new("/etc/dl/darklaunch.db"));
    assert_eq!(config.store.commit_interval_ms, 200);
    assert_eq!(config.store.age_days_max, 30);
    assert!(config.redaction.builtin_rules && config.redaction.rule_files.is_empty());
    let [payments] = &config.integrations[..] else { panic!("one integration") };
    assert_eq!(payments.matcher, Matcher { path_prefix: "/".into(), ..Matcher::default() });
    assert_eq!(payments.shadow.url, "https://api.new.example");
    assert_eq!(payments.mirror.sample_ppm, 1_000_000);
    assert_eq!(payments.mirror.methods, ["GET", "HEAD"]);
    assert_eq!(payments.mirror.memory_bytes_max, 64 << 20);
    assert_eq!(payments.breaker.failures_share_ppm, 500_000);
}

#[test]
fn the_example_works_and_names_every_key() {
    let (_, warnings) = parse_with(EXAMPLE, &[]).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(warnings, [""; 0]);
    for key in keys::KEYS {
        let name = key.path.strip_prefix("integrations.NAME.").unwrap_or(key.path.rsplit('.').next().unwrap());
        assert!(EXAMPLE.contains(&format!("{name} = ")) || name == "match.host", "{}", key.path);
        assert!(reference().contains(key.path));
    }
}

#[test]
fn the_shadows_share_is_a_count_of_cores_and_a_priority() {
    let limits = |line: &str| config(&format!("{line}\n{SMALLEST}")).limits;
    assert_eq!((limits("").shadow_cores, limits("").shadow_priority), (None, Priority::Low));
    let chosen = limits("limits = { shadow_cores = 1, shadow_priority = \"idle\" }");
    assert_eq!((chosen.shadow_cores, chosen.shadow_priority), (Some(1), Priority::Idle));
    for bad in ["cores = 0", "cores = 257", "cores = \"two\"", "priority = \"high\""] {
        let problem = message(&format!("limits.shadow_{bad}\n{SMALLEST}"));
        assert!(problem.contains("darklaunch.toml:1:") && problem.contains("limits.shadow_"), "{problem}");
    }
}

#[test]
fn providers_have_names_for_people() {
    let with = |name: &str| {
        format!(
            "[listen]\ntraffic = \"127.0.0.1:0\"\n[integrations.a]\nmatch.path_prefix = \"/\"\nshadow.url = \"http://s.example\"\nshadow.name = \"{name}\"\n"
        )
    };
    let (config, _) = parse_with(&with(" NewPay "), &[]).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.integrations[0].shadow.name.as_deref(), Some("NewPay"));
    for bad in ["a\\tb", &"x".repeat(41)] {
        let problems = parse_with(&with(bad), &[]).unwrap_err().to_string();
        assert!(problems.contains("integrations.a.shadow.name") && problems.contains("1 to 40"), "{bad}: {problems}");
    }
}

#[test]
fn what_the_primary_sees_is_one_of_a_few_words() {
    let with = |more: &str| {
        format!(
            "[listen]\ntraffic = \"127.0.0.1:0\"\n[integrations.a]\nmatch.path_prefix = \"/\"\nprimary.url = \"http://p.example\"\nshadow.url = \"http://s.example\"\n{more}\n"
        )
    };
    let good = with("primary.host = \"keep\"\nprimary.forwarded = \"x-forwarded\"");
    let primary = config(&good).integrations[0].primary.clone().unwrap();
    assert_eq!((primary.keep_host, primary.forwarded), (true, crate::proxy::Forwarded::XForwarded));
    for (bad, remedy) in [
        ("primary.host = \"app\"", "write one of \"provider\", \"keep\""),
        ("primary.forwarded = \"on\"", "\"pass\", \"append\", \"x-forwarded\", \"remove\""),
    ] {
        let problems = message(&with(bad));
        assert!(problems.contains(":7:") && problems.contains(remedy), "{bad}: {problems}");
    }
}

#[test]
fn how_a_provider_is_reached_is_checked_with_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let identity = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let file = |name: &str, text: String| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).display().to_string()
    };
    let (cert, key) = (file("cert", identity.cert.pem()), file("key", identity.signing_key.serialize_pem()));
    let (other, none) = (file("other", other), file("none", "nothing".to_owned()));
    let with = |url: &str, more: &str| {
        format!(
            "[listen]\ntraffic = \"127.0.0.1:0\"\n[integrations.a]\nmatch.path_prefix = \"/\"\nshadow.url = \"{url}\"\n{more}\n"
        )
    };
    let pair = |cert: &str, key: &str| {
        format!("shadow.tls.client_cert_file = \"{cert}\"\nshadow.tls.client_key_file = \"{key}\"")
    };
    let good = format!(
        "shadow.http = \"2\"\nshadow.socket = \"s.sock\"\nshadow.tls.ca_file = \"{cert}\"\n\
         shadow.tls.server_name = \"b.example\"\n{}",
        pair(&cert, &key)
    );
    let text = with("https://a.example", &good);
    let (config, _) = parse_with(&text, &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let reach = &config.integrations[0].shadow.reach;
    assert_eq!(reach.http, crate::upstream::HttpVersion::Http2);
    assert_eq!(reach.socket.as_deref(), Some(Path::new("/etc/dl/s.sock")));
    assert_eq!(reach.server_name.as_deref(), Some("b.example"));
    let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
    assert!(!shown.contains("PRIVATE"), "{shown}");
    let long = "s".repeat(120);
    let cases = [
        ("shadow.http = \"3\"".to_owned(), "a.shadow.http = \"3\" is no version"),
        (format!("shadow.socket = \"{long}\""), "is a path of 128 bytes"),
        ("shadow.tls.ca_file = \"absent\"".to_owned(), "shadow.tls.ca_file = \"absent\" cannot be read: No such file"),
        (format!("shadow.tls.ca_file = \"{none}\""), "holds no PEM certificate"),
        (format!("shadow.tls.client_cert_file = \"{cert}\""), "stands alone"),
        (format!("shadow.tls.client_key_file = \"{key}\""), "give shadow.tls.client_cert_file too"),
        (pair(&cert, &other), "is not the key of the client certificate"),
        (pair(&cert, &cert), "holds no PEM private key"),
        ("shadow.tls.server_name = \"a b\"".to_owned(), "is neither a DNS name nor an IP address"),
    ];
    for (more, expected) in cases {
        let problems = parse_with(&with("https://a.example", &more), &[]).unwrap_err().to_string();
        assert!(problems.contains(expected) && problems.contains("1 problem"), "{more}: {problems}");
    }
    let problems = parse_with(&with("http://a.example", &good), &[]).unwrap_err().to_string();
    assert!(problems.contains("4 problems") && problems.contains("has no effect, since the URL is http"), "{problems}");
}

const BAD: &str = r##"
[listen]
traffic = ["127.0.0.1:8080", "localhost:81"]
console = "0.0.0.0:9090"
[store]
pat = "x.db"
commit_interval = 200
max_size = "5 gigs"
[redaction]
rules = ["nowhere"]
[integrations.one]
match.path_prefix = "/a"
primary.url = "https://ada:pw-hunter2@api.example"
shadow.url = "https://api.new.example/#top"
shadow.headers = { authorization = "Bearer env:ABSENT", x-key = "file:absent" }
sample = "10%"
mirror.sample = "101%"
mirror.methods = ["get", "POST"]
mirror.queue = 0
[integrations.two]
match.path_prefix = "/a/"
shadow.url = "ftp://api.new.example"
[integrations.three]
match.path_prefix = "/a"
shadow.url = "http://x.example"
[integrations.four]
match.path_prefix = "/a/"
shadow.url = "http://x.example"
[integrations.Five]
[integrations.six]
match.host = "six"
"##;

const BAD_MESSAGE: &str = r#"the configuration has 21 problems
  darklaunch.toml:3:30: listen.traffic = "localhost:81" is no address to listen on
    remedy: write IP:PORT, tls:IP:PORT or unix:PATH, such as "127.0.0.1:8080", "tls:0.0.0.0:8443" or "unix:/run/dl.sock"
  darklaunch.toml:4:11: listen.console = "0.0.0.0:9090" is open to other machines and has no TLS
    remedy: write listen.console_tls.cert_file and key_file, or listen.console_behind_proxy = true if a proxy in front of it terminates TLS, or a loopback address such as "127.0.0.1:9090"
  darklaunch.toml:6:1: store.pat is not a known key
    remedy: did you mean `path`?
  darklaunch.toml:7:19: store.commit_interval = 200 is a duration without a unit
    remedy: write a duration with its unit (ms, s, m, h, d), such as "800ms", "10s" or "7d"
  darklaunch.toml:8:12: store.max_size = "5 gigs" is no size: its unit is not known
    remedy: write a size with its unit (B, KiB, MiB, GiB, kB, MB, GB), such as "256KiB" or "1MiB"
  darklaunch.toml:10:10: redaction.rules = "nowhere" names the folder /etc/dl/nowhere, which cannot be read: No such file or directory (os error 2)
    remedy: name a readable folder of *.toml rule files, or "builtin"
  darklaunch.toml:13:15: integrations.one.primary.url carries credentials in its URL
    remedy: take them out of the URL; the shadow's own stand in shadow.headers as "env:NAME"
  darklaunch.toml:14:14: integrations.one.shadow.url = "https://api.new.example/#top" has a fragment, which is never sent
    remedy: write scheme, host and path only, such as "https://api.new.example"
  darklaunch.toml:15:36: integrations.one.shadow.headers.authorization refers to env:ABSENT, which is not set (or is not UTF-8)
    remedy: set the variable or write the file before the start
  darklaunch.toml:15:65: integrations.one.shadow.headers.x-key refers to file:/etc/dl/absent, which cannot be read: No such file or directory (os error 2)
    remedy: set the variable or write the file before the start
  darklaunch.toml:16:1: integrations.one.sample is not a known key
    remedy: did you mean `integrations.one.mirror.sample`?
  darklaunch.toml:17:17: integrations.one.mirror.sample = "101%" is out of range: a share is between 0% and 100%
    remedy: write a percentage, such as "10%" or "0.5%"
  darklaunch.toml:18:19: integrations.one.mirror.methods = "get" is no method: they are uppercase
    remedy: did you mean "GET"?
  darklaunch.toml:18:26: integrations.one.mirror.methods = "POST" changes data, and the shadow would do the work a second time
    remedy: name the endpoints in mirror.allow, such as "POST /orders"
  darklaunch.toml:19:16: integrations.one.mirror.queue = 0 is too small
    remedy: write at least 1
  darklaunch.toml:20:15: integrations.two.match is the same as that of integrations.one (darklaunch.toml:11:15)
    remedy: give each integration a match.path_prefix, match.host, match.header or match.listener of its own
  darklaunch.toml:22:14: integrations.two.shadow.url = "ftp://api.new.example" is neither http nor https
    remedy: write scheme, host and path only, such as "https://api.new.example"
  darklaunch.toml:23:15: integrations.three.match is the same as that of integrations.one (darklaunch.toml:11:15)
    remedy: give each integration a match.path_prefix, match.host, match.header or match.listener of its own
  darklaunch.toml:26:15: integrations.four.match is the same as that of integrations.one (darklaunch.toml:11:15)
    remedy: give each integration a match.path_prefix, match.host, match.header or match.listener of its own
  darklaunch.toml:29:15: integrations."Five" is no name for an integration
    remedy: begin with a letter a-z and go on with a-z, 0-9 and _, since environment names carry no more
  darklaunch.toml:30:15: integrations.six.shadow.url is missing
    remedy: write the new provider, such as shadow.url = "https://api.new.example""#;

#[test]
fn all_problems_come_in_one_message() {
    assert_eq!(message(BAD), BAD_MESSAGE);
}

#[test]
fn a_text_that_is_no_toml_points_at_the_line() {
    let message = message("[listen]\ntraffic = \n");
    assert!(message.contains("darklaunch.toml:2:"), "{message}");
    assert!(message.contains("is no TOML"), "{message}");
}

#[test]
fn an_empty_file_says_what_is_needed() {
    let expected = "the configuration has 2 problems
  darklaunch.toml: listen.traffic is missing
    remedy: write IP:PORT, such as \"127.0.0.1:8080\"
  darklaunch.toml: integrations is missing
    remedy: add a section such as [integrations.payments] with match.path_prefix and shadow.url";
    assert_eq!(message(""), expected);
}

#[test]
fn one_line_can_be_wrong_in_many_ways() {
    for (wrong, expected) in [
        ("mirror = 5", "9:10: integrations.a.mirror = 5 is a section, not a value"),
        ("mirror.enabled = \"yes\"", "integrations.a.mirror.enabled = \"yes\" is neither true nor false"),
        ("mirror.queue = \"many\"", "mirror.queue = \"many\" is not a whole number"),
        ("mirror.rate = 15", "mirror.rate = 15 is a rate without a unit"),
        ("mirror.sample = 10", "mirror.sample = 10 is a percentage without a unit"),
        ("mirror.max_body = \"64MiB\"\nmirror.memory = \"1MiB\"", "mirror.memory holds less than one body"),
        ("mirror.methods = []", "mirror.methods is empty, so that nothing would be mirrored"),
        ("mirror.allow = [\"/orders\"]", "mirror.allow = \"/orders\" is no endpoint: it has no method"),
        ("mirror.endpoints = [\"GET /a{b}\"]", "{name} stands for one whole segment"),
        ("mirror.sample_key = \"customer\"", "mirror.sample_key = \"customer\" is no key to sample by"),
        ("mirror.sample_key = \"json:customer\"", "mirror.sample_key = \"json:customer\" has no JSON pointer"),
        ("mirror.sample_key = \"json:/a~2\"", "has no JSON pointer (RFC 6901)"),
        ("mirror.shares = [\"POST /orders\"]", "mirror.shares = \"POST /orders\" has a share that is no percentage"),
        ("mirror.shares = [\"orders 5%\"]", "mirror.shares = \"orders 5%\" is no endpoint: its path must begin with /"),
        (
            "mirror.ramp = \"25% -> 1% over 5d\"",
            "mirror.ramp = \"25% -> 1% over 5d\" does not rise\n    remedy: write two",
        ),
        ("mirror.ramp = 5", "mirror.ramp = 5 is not a string"),
        ("mirror.ramp_gates.failures_share = \"200%\"", "ramp_gates.failures_share = \"200%\" is out of range"),
        ("mirror.ramp_gates.min_calls = 0", "mirror.ramp_gates.min_calls = 0 is too small"),
        (
            "[limits]\nmirror_memory = \"1B\"",
            "limits.mirror_memory = \"1B\" is too small\n    remedy: write at least 1KiB",
        ),
        ("breaker.window = \"1500ms\"", "breaker.window = \"1500ms\" is not in whole seconds"),
        ("shadow.total_timeout = \"1h\"", "shadow.total_timeout = \"1h\" is too large\n    remedy: write at most 10m"),
        ("shadow.success.error_pointers = \"error\"", "\"error\" is no JSON pointer"),
        ("shadow.drop_headers = [\"a b\"]", "\"a b\" is no header name"),
        ("primary.url = \"http://127.0.0.1:80\"", "an address that darklaunch itself listens on: a loop"),
        ("mirror.sampel = \"1%\"", "did you mean `sample`?"),
    ] {
        let text = format!(
            "[listen]\ntraffic = \"127.0.0.1:80\"\n\n\n\n[integrations.a]\nmatch.host = \"A\"\nshadow.url = \"http://s\"\n{wrong}\n"
        );
        let problems = parse_with(&text, &[]).unwrap_err();
        assert!(problems.to_string().contains(expected), "{wrong}: {problems}");
        assert_eq!(problems.0.len(), 1, "{problems}");
    }
}

#[test]
fn what_mirrors_nothing_or_does_nothing_is_warned_of() {
    let sample = "mirror.sample  = \"100%\"";
    for (instead, expected) in [
        ("mirror.sample = \"0%\"", "integrations.payments: mirror.sample is 0%, so nothing is mirrored"),
        (
            "mirror.sample = \"1%\"\nmirror.ramp = \"1% -> 2% over 1d\"",
            "mirror.sample has no effect beside mirror.ramp",
        ),
        (
            "mirror.sample = \"5%\"\nmirror.shares = [\"GET /a 6%\"]",
            "mirror.shares: GET /a asks for more than mirror.sample",
        ),
        ("", ""),
        ("mirror.ramp = \"0% -> 2% over 1d\"", ""),
        ("mirror.shares = [\"GET /a 6%\", \"/b 0%\"]", ""),
    ] {
        let warnings = parse_with(&SMALLEST.replace(sample, instead), &[]).unwrap().1;
        assert_eq!(warnings.len(), usize::from(!expected.is_empty()), "{warnings:?}");
        assert!(warnings.iter().all(|warning| warning.contains(expected)), "{warnings:?}");
    }
    for shut in ["mirror.exclude = [\"/a\"]", "mirror.shares = [\"POST /a 0%\"]"] {
        let instead = format!("mirror.methods = []\nmirror.allow = [\"POST /a\"]\n{shut}");
        let warnings = parse_with(&SMALLEST.replace("mirror.methods = [\"GET\", \"HEAD\"]", &instead), &[]).unwrap().1;
        assert!(warnings[0].contains("every endpoint of mirror.allow is excluded or has 0%"), "{warnings:?}");
    }
}

#[test]
fn addresses_must_differ() {
    for (from, to, expected) in [
        (":9090", ":8080", "listen.console = \"127.0.0.1:8080\" is the address of listen.traffic too"),
        ("\"127.0.0.1:8080\"", "[\"127.0.0.1:8080\", \"0.0.0.0:8080\"]", "\"0.0.0.0:8080\" is listed twice"),
    ] {
        let message = message(&SMALLEST.replace(from, to));
        assert!(message.contains(expected), "{message}");
    }
    config(&SMALLEST.replace(":8080", ":0").replace(":9090", ":0"));
}

#[test]
fn the_environment_overrides_the_file() {
    let (config, _) = parse_with(
        SMALLEST,
        &[
            ("DARKLAUNCH__INTEGRATIONS__PAYMENTS__MIRROR__SAMPLE", "0.5%"),
            ("DARKLAUNCH__INTEGRATIONS__PAYMENTS__MIRROR__METHODS", "GET, OPTIONS"),
            ("DARKLAUNCH__INTEGRATIONS__PAYMENTS__MIRROR__ENABLED", "false"),
            ("DARKLAUNCH__INTEGRATIONS__PAYMENTS__MIRROR__QUEUE", "7"),
            ("DARKLAUNCH__INTEGRATIONS__PAYMENTS__SHADOW__HEADERS__X_API_KEY", "env:KEY"),
            ("DARKLAUNCH__STORE__PATH", "here.db"),
            ("KEY", "s3cr3t"),
        ],
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    let payments = &config.integrations[0];
    assert_eq!(payments.mirror.sample_ppm, 5_000);
    assert_eq!(payments.mirror.methods, ["GET", "OPTIONS"]);
    assert!(!payments.mirror.enabled);
    assert_eq!(payments.mirror.queue_calls_max, 7);
    assert_eq!(config.store.path, Path::new("here.db"));
    let (name, secret) = &payments.shadow.headers[0];
    assert_eq!((name.as_str(), secret.expose()), ("x-api-key", &b"s3cr3t"[..]));
}

#[test]
fn an_override_that_names_nothing_is_a_problem() {
    let variables = [
        ("DARKLAUNCH__INTEGRATIONS__PAYMENT__MIRROR__SAMPLE", "5%"),
        ("DARKLAUNCH__STORE__PAHT", "x"),
        ("DARKLAUNCH__STORE__MAX_AGE", "5"),
    ];
    let expected = "the configuration has 3 problems
  environment DARKLAUNCH__INTEGRATIONS__PAYMENT__MIRROR__SAMPLE: names no integration of the file
    remedy: add the integration to the file, or use one of: payments
  environment DARKLAUNCH__STORE__MAX_AGE: store.max_age = \"5\" is a duration without a unit
    remedy: write a duration with its unit (ms, s, m, h, d), such as \"800ms\", \"10s\" or \"7d\"
  environment DARKLAUNCH__STORE__PAHT: names no known key (store.paht)
    remedy: did you mean the key `store.path`?";
    assert_eq!(parse_with(SMALLEST, &variables).unwrap_err().to_string(), expected);
}

#[test]
fn secrets_are_never_shown() {
    let key = "ab".repeat(32);
    let text = format!(
        "{SMALLEST}shadow.headers = {{ authorization = \"Bearer env:TOKEN\", x-api-key = \"literal-hunter2\" }}\n[redaction]\nkey = \"env:KEY\"\n"
    );
    let (config, warnings) = parse_with(&text, &[("TOKEN", "hunter2"), ("KEY", &key)]).unwrap();
    assert_eq!(config.integrations[0].shadow.headers[0].1.expose(), b"Bearer hunter2");
    assert_eq!(config.redaction.key.as_ref().unwrap().expose(), [0xab; 32]);
    let shown = format!("{config:?} {} {warnings:?}", serde_json::to_string(&config).unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains(&key) && !shown.contains("171"), "{shown}");
    assert!(shown.contains("Bearer env:TOKEN"));
    assert!(warnings[0].contains("shadow.headers.x-api-key holds a literal value"), "{warnings:?}");
    for bad in ["KEY-hunter2", "hunter2\u{7}"] {
        let problems = parse_with(&text, &[("TOKEN", bad), ("KEY", bad)]).unwrap_err().to_string();
        assert!(problems.contains("redaction.key refers to env:KEY, which does not hold 64 hex digits"), "{problems}");
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}

#[test]
fn a_misplaced_secret_is_not_repeated() {
    for wrong in [
        "shadow.url = \"https://s.example/?api_key=hunter2\"",
        "shadow.url = \"https://ada:hunter2@\"",
        "shadow = \"https://ada:hunter2@s.example\"",
        "shadow.headers = \"hunter2\"",
        "shadow.headers = { x-key = [\"hunter2\"] }",
        "redaction.key = [\"hunter2\"]",
        "redaction.key = \"hunter2\"",
    ] {
        let line = if wrong.starts_with('s') { format!("integrations.a.{wrong}") } else { wrong.to_owned() };
        let message = message(&line);
        let key = line.split(" =").next().unwrap();
        assert!(message.contains(key) && !message.contains("hunter2"), "{wrong}: {message}");
    }
}

#[test]
fn the_hash_follows_the_meaning() {
    let hash = |text: &str, token: &str| parse_with(text, &[("TOKEN", token)]).unwrap().0.hash();
    let with_token = format!("{SMALLEST}shadow.headers.x-token = \"env:TOKEN\"\n");
    assert_eq!(hash(&with_token, "a"), hash(&with_token, "b"));
    assert_eq!(hash(SMALLEST, ""), hash(&format!("{SMALLEST}mirror.in_flight = 64\n"), ""));
    assert_ne!(hash(SMALLEST, ""), hash(&SMALLEST.replace("100%", "99%"), ""));
    assert_eq!(hash(SMALLEST, "").len(), 64);
}

#[test]
fn the_file_is_found_or_its_absence_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dl.toml");
    let missing = load(Some(&path), []).unwrap_err().to_string();
    assert!(
        missing.contains("dl.toml: cannot be read: No such file") && missing.contains("darklaunch demo"),
        "{missing}"
    );
    std::fs::write(&path, SMALLEST).unwrap();
    let loaded = load(None, [("DARKLAUNCH_CONFIG".into(), path.clone().into())]).unwrap();
    assert_eq!(loaded.file, path);
    assert_eq!(loaded.config.store.path, folder.path().join("darklaunch.db"));
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    std::fs::write(folder.path().join("rules/mine.toml"), "x").unwrap();
    std::fs::write(&path, format!("{SMALLEST}[redaction]\nrules = [\"builtin\", \"rules\"]\n")).unwrap();
    let redaction = load(Some(&path), []).unwrap().config.redaction;
    assert!(redaction.builtin_rules);
    assert_eq!(redaction.rule_files[0].text, "x");
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in "\\PC{0,200}", lines in "([a-z\\[\\]\\.=\"' {},0-9\n#é]{0,20}\n){0,20}") {
        let _ = parse_with(&text, &[]);
        let _ = parse_with(&lines, &[]);
    }

    #[test]
    fn no_value_makes_the_loader_panic(index in 0..keys::KEYS.len(), value in "(\"\\PC{0,20}\"|[0-9.]{1,20}|\\[\"[A-Z /{}]{0,9}\"\\]|\\{a=1\\})") {
        let path = keys::KEYS[index].path.replace("NAME", "payments");
        let _ = parse_with(&format!("{path} = {value}"), &[]);
        let variable = format!("DARKLAUNCH__{}", path.replace('.', "__").to_uppercase());
        let _ = parse_with(SMALLEST, &[(&variable, &value)]);
    }
}

#[test]
fn traffic_is_taken_by_tcp_tls_and_unix_sockets() {
    let with = |listen: &str| SMALLEST.replace("traffic = \"127.0.0.1:8080\"", listen);
    let config = config(&with("traffic = [\"127.0.0.1:8080\", \"unix:dl.sock\", \"unix:/run/dl.sock\"]"));
    let spelled: Vec<String> = config.listen_traffic.iter().map(ToString::to_string).collect();
    assert_eq!(spelled, ["127.0.0.1:8080", "unix:/etc/dl/dl.sock", "unix:/run/dl.sock"]);
    for (listen, words) in [
        ("traffic = \"tls:localhost:1\"", "darklaunch.toml:3:11: listen.traffic = \"tls:localhost:1\" is no address"),
        ("traffic = [\"unix:/a\", \"unix:/a\"]", "\"unix:/a\" is listed twice"),
        ("traffic = [\"tls:0.0.0.0:80\", \"127.0.0.1:80\"]", "\"127.0.0.1:80\" is listed twice"),
        ("traffic = \"tls:127.0.0.1:1\"", "has no certificate\n    remedy: write listen.tls.cert_file"),
        ("traffic = \"tls:127.0.0.1:1\"\ntls.cert_file = \"nowhere.pem\"", "cannot be read"),
        ("traffic = \"127.0.0.1:1\"\ntls.handshake_timeout = \"1ms\"", "write at least 100ms"),
    ] {
        let message = message(&with(listen));
        assert!(message.contains(words), "{words:?} is missing in:\n{message}");
    }
}

#[test]
fn files_that_make_no_certificate_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let key = own.signing_key.serialize_pem();
    for (name, text) in [("cert", own.cert.pem()), ("key", key.clone()), ("other", other), ("empty", String::new())] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let load = |cert: &str, key: &str, ca: &str| {
        let files = format!("tls.cert_file = \"{cert}\"\ntls.key_file = \"{key}\"\n{ca}");
        let text = SMALLEST.replace("\"127.0.0.1:8080\"", &format!("\"tls:127.0.0.1:8443\"\n{files}"));
        parse("darklaunch.toml", folder.path(), &text, &environment(&[]))
    };
    let (good, _) =
        load("cert", "key", "tls.client_ca_file = \"cert\"").unwrap_or_else(|problems| panic!("{problems}"));
    let shown = serde_json::to_string(&good).unwrap();
    assert!(shown.contains("tls:127.0.0.1:8443") && shown.contains("key\"") && !shown.contains("PRIVATE"), "{shown}");
    for (cert, key, ca, words) in [
        ("empty", "key", "", "listen.tls.cert_file"),
        ("cert", "empty", "", "listen.tls.key_file"),
        ("cert", "other", "", "listen.tls.cert_file"),
        ("cert", "key", "tls.client_ca_file = \"empty\"", "listen.tls.client_ca_file"),
    ] {
        let message = load(cert, key, ca).unwrap_err().to_string();
        assert!(message.contains(words) && !message.contains("BEGIN"), "{words:?} is missing in:\n{message}");
    }
}

#[test]
fn an_integration_is_chosen_by_listener_and_header() {
    let with = |matches: &str| {
        let traffic = "traffic = [\"127.0.0.1:81\", \"[::1]:81\", \"127.0.0.1:82\", \"unix:a.sock\"]";
        SMALLEST.replace("traffic = \"127.0.0.1:8080\"", traffic).replace("match.path_prefix = \"/\"", matches)
    };
    let matcher = |matches: &str| config(&with(matches)).integrations[0].matcher.clone();
    for (text, positions) in
        [("81", vec![0, 1]), ("127.0.0.1:82", vec![2]), ("[::1]:81", vec![1]), ("unix:a.sock", vec![3])]
    {
        assert_eq!(matcher(&format!("match.listener = \"{text}\"")).listeners, Some(positions), "{text}");
    }
    let header = |text: &str| matcher(&format!("match.header = \"{text}\"")).header;
    assert_eq!(header("X-Provider: NewPay"), Some(("x-provider".to_owned(), Some("NewPay".to_owned()))));
    assert_eq!(header("x-provider"), Some(("x-provider".to_owned(), None)));
    for (bad, words) in [
        ("match.listener = \"83\"", "is none of listen.traffic\n    remedy: write one of 127.0.0.1:81, "),
        ("match.header = \"x y: z\"", "is no header"),
        ("match.header = \"x-provider:\"", "is no header"),
    ] {
        let message = message(&with(bad));
        assert!(message.contains(words), "{words:?} is missing in:\n{message}");
    }
    let twin = "\n[integrations.twin]\nmatch.listener = \"82\"\nshadow.url = \"https://t.example\"\n";
    let text = with("match.listener = \"127.0.0.1:82\"") + twin;
    assert!(message(&text).contains("is the same as that of integrations.payments"), "{}", message(&text));
}

#[test]
fn an_integration_adds_rules_and_keeps_paths_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mine")).unwrap();
    std::fs::write(folder.path().join("mine/a.toml"), "x").unwrap();
    let path = folder.path().join("darklaunch.toml");
    let keys = "redaction.rules = [\"mine\"]\nredaction.keep = [\"id\", \"data.*.status\", \"**.currency\"]\n";
    std::fs::write(&path, format!("{SMALLEST}{keys}")).unwrap();
    let own = load(Some(&path), []).unwrap().config.integrations.remove(0).redaction;
    assert_eq!(own.rule_files[0].text, "x");
    assert_eq!(own.rules_folders, [folder.path().join("mine")]);
    assert_eq!(own.kept_paths.unwrap(), ["id", "data.*.status", "**.currency"]);

    assert_eq!(config(SMALLEST).integrations[0].redaction.kept_paths, None, "without the key the rules decide");
    let nothing = config(&format!("{SMALLEST}redaction.keep = []\n"));
    assert_eq!(nothing.integrations[0].redaction.kept_paths, Some(Vec::new()), "an empty list keeps nothing");
    assert_ne!(nothing.hash(), config(SMALLEST).hash());

    let binary = config(&format!("{SMALLEST}redaction.keep_binary = [\"image/png\", \"application/octet-stream\"]\n"));
    assert_eq!(binary.integrations[0].redaction.kept_binary, ["image/png", "application/octet-stream"]);
    assert_eq!(
        config(SMALLEST).integrations[0].redaction.kept_binary,
        [""; 0],
        "without the key no binary body is kept"
    );
}
