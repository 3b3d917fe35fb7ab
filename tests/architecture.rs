//! Holds the shape of the code: which room may name which, and what no file may contain.
//!
//! Every rule is a pure function over a path and a text that returns what it found, so that each has a check below that
//! a planted violation is found: a rule that finds nothing anywhere would be no rule.

use std::fs;
use std::path::{Path, PathBuf};

/// What the commands that show recordings may name: the store's reader and what is built on it. `redact` is here for
/// the filter, the rules commands and the export gate, `exchange` and `latency` for the words and figures in answers.
const READ_SIDE: &[&str] = &["exchange", "latency", "redact", "compare", "store", "review", "fixtures"];

/// Room → rooms it may name. Only earlier rows may be named, so there are no cycles.
const ROOMS: &[(&str, &[&str])] = &[
    ("exchange", &[]),
    // A metric as data: written for Prometheus by the console, for a collector by otlp.
    ("measure", &["exchange"]),
    ("latency", &["exchange"]),
    ("telemetry", &["exchange"]),
    ("control", &["exchange"]),
    ("adapt", &["exchange"]),
    // Spoken with the application and with the providers: one codec for both.
    ("http1", &[]),
    ("upstream", &["exchange", "http1"]),
    ("mirror", &["exchange", "latency", "telemetry", "control", "adapt", "upstream"]),
    ("proxy", &["exchange", "latency", "telemetry", "control", "http1", "upstream", "mirror"]),
    ("redact", &["exchange"]),
    ("compare", &["exchange", "redact"]),
    ("store", &["exchange", "redact", "compare", "latency"]),
    ("recorder", &["exchange", "latency", "telemetry", "redact", "compare", "store"]),
    ("review", &["exchange", "latency", "store"]),
    ("fixtures", &["exchange", "redact", "store"]),
    ("fleet", &["exchange", "control", "redact", "latency", "store"]),
    // Watches the counters and the store, judges by the review's rules, and tells webhooks.
    ("alerting", &["exchange", "telemetry", "control", "store", "review"]),
    // Exports metrics, and traces of what is redacted.
    ("otlp", &["exchange", "measure", "telemetry", "redact"]),
    // Latency: charts over time are drawn from the intervals as they are stored.
    ("console", &["exchange", "measure", "latency", "telemetry", "control", "store", "review", "fixtures"]),
    ("config", &[EVERYTHING_EARLIER]),
    ("app", &[EVERYTHING_EARLIER]),
    ("demo", &["app", THE_READ_SIDE]),
    // The self-test starts a whole recorder from the user's configuration and reads back what was stored.
    ("selftest", &["app", "config", THE_READ_SIDE]),
    ("cli", &["app", "demo", "selftest", "config", THE_READ_SIDE]),
];
const EVERYTHING_EARLIER: &str = "(everything earlier)";
const THE_READ_SIDE: &str = "(the read side)";

/// Lints whose exceptions are listed here, one by one.
const GUARDED_LINTS: &[&str] = &[
    "disallowed_macros",
    "disallowed_methods",
    "disallowed_types",
    "exit",
    "expect_used",
    "panic",
    "print_stderr",
    "print_stdout",
    "unwrap_used",
];

/// (file, or folder ending in `/`; lint): where an `#[expect]` of a guarded lint is right.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("src/exchange/clock.rs", "disallowed_methods"), // the one place that reads the clocks
    ("src/store/", "disallowed_types"),              // the one room that knows SQL
    ("src/config/", "disallowed_methods"),           // the one reader of the environment
    ("src/cli/", "print_stdout"),                    // the one printer
    ("src/cli/", "print_stderr"),
    ("src/latency/series.rs", "expect_used"), // constant bounds that the library accepts
    ("src/fixtures/stand_in.rs", "expect_used"), // constant patterns
    ("src/fixtures/class.rs", "expect_used"),
];

/// Longest file, in lines.
const FILE_LINES_MAX: usize = 600;

#[test]
fn the_repository_keeps_its_shape() {
    let mut found = Vec::new();
    for (path, text) in files() {
        found.extend(violations(&path, &text));
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn the_table_names_only_earlier_rows() {
    for (row, (room, _)) in ROOMS.iter().enumerate() {
        for named in allowed(room) {
            let earlier = ROOMS[..row].iter().any(|(other, _)| *other == named);
            assert!(earlier, "{room} may name {named}, which is no earlier row");
        }
    }
}

/// Everything wrong with one file, a line each.
fn violations(path: &str, text: &str) -> Vec<String> {
    // A lock file names where packages come from, and is written by Cargo; golden files are written by the exports.
    let locked = path.ends_with("Cargo.lock");
    let written = locked || path.starts_with("tests/golden/");
    let mut found: Vec<String> = too_long(path, text).into_iter().filter(|_| !written).collect();
    if path.ends_with(".rs") {
        found.extend(purpose_missing(path, text));
        found.extend(sleeping_or_ignored(path, text));
    }
    if path.starts_with("src/") && path.ends_with(".rs") {
        found.extend(wrong_room(path, text));
        found.extend(parent_paths(path, text));
        found.extend(unlisted_exceptions(path, text));
        found.extend(printing(path, text));
    }
    let holds_the_rule = path == "tests/architecture.rs";
    // Bodies as an API sends them are full of addresses; they are only redacted, and nothing there opens a connection.
    let corpus = path.starts_with("scripts/redaction-bench/");
    if (path.starts_with("tests/") || path.starts_with("scripts/")) && !holds_the_rule && !locked && !corpus {
        found.extend(foreign_addresses(path, text));
    }
    found
}

fn too_long(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > FILE_LINES_MAX).then(|| format!("{path}: {lines} lines; past {FILE_LINES_MAX} a file is two"))
}

fn purpose_missing(path: &str, text: &str) -> Option<String> {
    let first = text.lines().next().unwrap_or_default();
    let said = first.strip_prefix("//! ").is_some_and(|purpose| !purpose.trim().is_empty());
    (!said).then(|| format!("{path}:1: the first line is not a `//!` purpose"))
}

fn wrong_room(path: &str, text: &str) -> Vec<String> {
    let Some(room) = room_of(path) else { return Vec::new() };
    if !ROOMS.iter().any(|(known, _)| *known == room) {
        return vec![format!("{path}: {room} is no room of the table")];
    }
    let may = allowed(&room);
    let mut found = Vec::new();
    for (line, named) in named_rooms(&production(path, text)) {
        if named != room && !may.contains(&named.as_str()) {
            found.push(format!("{path}:{line}: {room} may not name {named}"));
        }
    }
    found
}

fn parent_paths(path: &str, text: &str) -> Vec<String> {
    let production_lines = production(path, text).lines().count();
    let mut found = Vec::new();
    for (number, line) in numbered(text) {
        let in_tests = number > production_lines;
        let whole_parent = line.trim() == "use super::*;" && in_tests;
        if line.contains("super::") && !whole_parent {
            found.push(format!("{path}:{number}: `super::`: name it from the crate, `crate::room::..`"));
        }
    }
    found
}

fn unlisted_exceptions(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("[expect(") {
        // `expect(a, b, reason = "..")` may span lines: everything up to the reason or the bracket is the lint list.
        let list = &text[at + "[expect(".len()..];
        let list = &list[..list.find("reason").or_else(|| list.find(']')).unwrap_or(list.len())];
        for lint in list.split(',').map(|lint| lint.trim().trim_end_matches(')').trim_start_matches("clippy::")) {
            let listed = EXCEPTIONS.iter().any(|(place, of)| {
                *of == lint && (path == *place || (place.ends_with('/') && path.starts_with(place)))
            });
            if GUARDED_LINTS.contains(&lint) && !listed {
                let line = text[..at].lines().count();
                found.push(format!("{path}:{line}: an exception to {lint} that EXCEPTIONS does not list"));
            }
        }
    }
    found
}

fn printing(path: &str, text: &str) -> Vec<String> {
    if path.starts_with("src/cli/") || path == "src/cli.rs" {
        return Vec::new();
    }
    let code = production(path, text);
    let prints = |line: &str| ["println!(", "print!(", "eprintln!(", "eprint!("].iter().any(|word| line.contains(word));
    let lines = numbered(&code).into_iter().filter(|(_, line)| prints(line));
    lines.map(|(number, _)| format!("{path}:{number}: only cli prints")).collect()
}

fn sleeping_or_ignored(path: &str, text: &str) -> Vec<String> {
    let first = if path.starts_with("src/") { production(path, text).lines().count() } else { 0 };
    // Put together here, so that the words of the rule are not found in the rule.
    let words = [concat!("sleep", "("), concat!("sleep", "_until("), concat!("#[", "ignore")];
    let mut found = Vec::new();
    for (number, line) in numbered(text) {
        if number > first && words.iter().any(|word| line.contains(word)) {
            found.push(format!("{path}:{number}: a test waits for the fact, with a limit, and is never ignored"));
        }
    }
    found
}

/// Addresses in tests and scripts that are not on this machine and could be reached: a test talks to loopback only.
fn foreign_addresses(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        let pinned = path.ends_with("requirements.txt");
        let hosts = url_hosts(line).into_iter().chain(if pinned { Vec::new() } else { ipv4_literals(line) });
        for host in hosts.filter(|host| !harmless(host)) {
            found.push(format!("{path}:{number}: {host} is not on this machine"));
        }
    }
    found
}

fn url_hosts(line: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    for (at, scheme) in line.match_indices("://") {
        let rest = &line[at + scheme.len()..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".-_@:[]".contains(c))).unwrap_or(rest.len());
        let authority = rest[..end].rsplit('@').next().unwrap_or_default();
        let host = match authority.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        };
        // `http://{addr}` and the like: the address is a value, its literal is judged where it stands.
        if !host.is_empty() {
            hosts.push(host.trim_end_matches('.').to_owned());
        }
    }
    hosts
}

fn ipv4_literals(line: &str) -> Vec<String> {
    let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'));
    words.filter(|word| word.parse::<std::net::Ipv4Addr>().is_ok()).map(str::to_owned).collect()
}

/// On this machine, or reserved so that it never resolves (names) or routes (documentation addresses).
fn harmless(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
        return address.is_loopback() || address.is_documentation() || address.is_unspecified();
    }
    let reserved = ["localhost", "example", "invalid", "test", "internal", "example.com", "example.org", "example.net"];
    host == "::1" || reserved.iter().any(|name| host == *name || host.ends_with(&format!(".{name}")))
}

/// `src/store/sql.rs` and `src/store.rs` → `store`; the crate's roots belong to no room.
fn room_of(path: &str) -> Option<String> {
    let inside = path.strip_prefix("src/")?;
    let room = inside.split('/').next()?.trim_end_matches(".rs");
    (inside != "lib.rs" && inside != "main.rs").then(|| room.to_owned())
}

fn allowed(room: &str) -> Vec<&'static str> {
    let mut may = Vec::new();
    let Some(row) = ROOMS.iter().position(|(name, _)| *name == room) else { return may };
    for named in ROOMS[row].1 {
        match *named {
            EVERYTHING_EARLIER => may.extend(ROOMS[..row].iter().map(|(name, _)| *name)),
            THE_READ_SIDE => may.extend(READ_SIDE),
            name => may.push(name),
        }
    }
    may
}

/// The part of a file that ships: up to its inline test module, which stands last; nothing of a test file.
fn production(path: &str, text: &str) -> String {
    if path.ends_with("/tests.rs") || path.contains("/tests/") {
        return String::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    let starts_tests = |at: &usize| {
        let next = lines[at + 1..].iter().find(|line| !line.trim_start().starts_with("#["));
        lines[*at].trim() == "#[cfg(test)]"
            && next.is_some_and(|next| next.starts_with("mod ") && next.trim_end().ends_with('{'))
    };
    let end = (0..lines.len()).find(starts_tests).unwrap_or(lines.len());
    lines[..end].iter().map(|line| format!("{line}\n")).collect()
}

/// Lines with their numbers, comments taken out (a link in a doc comment is no import).
fn numbered(text: &str) -> Vec<(usize, String)> {
    let code = |line: &str| match line.trim_start().starts_with("//") {
        true => String::new(),
        false => line.split(" // ").next().unwrap_or_default().to_owned(),
    };
    text.lines().enumerate().map(|(index, line)| (index + 1, code(line))).collect()
}

/// Every `crate::room`, in a `use` (plain or grouped) or inline, with its line.
fn named_rooms(text: &str) -> Vec<(usize, String)> {
    let code: String = numbered(text).into_iter().map(|(_, line)| line + "\n").collect();
    let mut rooms = Vec::new();
    for (at, word) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        if before.is_alphanumeric() || before == '_' {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + word.len()..];
        match rest.strip_prefix('{') {
            Some(group) => rooms.extend(group_heads(group).into_iter().map(|room| (line, room))),
            None => rooms.push((line, head(rest))),
        }
    }
    rooms
}

/// The first names of a group's members: `a::b, c::{d, e}}` → `a`, `c`.
fn group_heads(group: &str) -> Vec<String> {
    let mut depth = 1;
    let mut member = 0;
    let mut heads = Vec::new();
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && letter == ',') {
            heads.push(head(group[member..at].trim()));
            member = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

fn head(path: &str) -> String {
    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Every text file of `src`, `tests` and `scripts`, by its path from the repository's root.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut waiting: Vec<PathBuf> = ["src", "tests", "scripts"].map(|folder| root.join(folder)).to_vec();
    let mut files = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let inside = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                files.push((inside, text));
            }
        }
    }
    assert!(files.len() > 20, "only {} files found: the rules would hold over nothing", files.len());
    files.sort();
    files
}

// ---- each rule finds a planted violation ----

fn found(path: &str, text: &str) -> String {
    violations(path, &format!("//! A purpose.\n{text}")).join("\n")
}

#[test]
fn a_room_that_names_another_is_found_however_it_is_written() {
    for planted in [
        "use crate::store::Writer;",
        "use crate::{exchange::Clock, store::{Reader, Writer}};",
        "use crate::{\n    exchange::Clock,\n    store,\n};",
        "fn f() -> crate::store::Reader { todo() }",
        "pub(crate) use crate::store;",
    ] {
        assert!(found("src/proxy/tee.rs", planted).contains("proxy may not name store"), "{planted}");
    }
    assert!(found("src/telemetry.rs", "use crate::latency::Series;").contains("telemetry may not name latency"));
    assert!(found("src/demo/mod.rs", "use crate::proxy::Proxy;").contains("demo may not name proxy"));
    assert!(found("src/cli/run.rs", "use crate::mirror::Door;").contains("cli may not name mirror"));
    assert_eq!(found("src/app.rs", "use crate::{config, proxy::Proxy};"), "");
    assert_eq!(found("src/proxy/tee.rs", "//! See [`crate::store`].\nuse crate::mirror::{Door, Ticket};"), "");
    assert_eq!(found("src/proxy/tee.rs", "#[cfg(test)]\nmod tests {\n    use super::*;\n}"), "");
    assert!(found("src/utils/mod.rs", "").contains("utils is no room of the table"));
}

#[test]
fn the_words_no_file_may_hold_are_found() {
    assert!(found("src/proxy/tee.rs", "use super::Door;").contains(":2: `super::`"));
    assert!(found("src/proxy/tee.rs", "use super::*;").contains(":2: `super::`"));
    assert_eq!(found("src/proxy/tests.rs", "use super::*;"), "");
    assert!(found("src/store/mod.rs", "fn f() { println!(\"x\"); }").contains("only cli prints"));
    assert!(found("src/store/mod.rs", "fn f() { eprintln!(\"x\"); }").contains("only cli prints"));
    assert_eq!(found("src/cli/mod.rs", "fn f() { println!(\"x\"); }"), "");
    assert!(violations("src/app.rs", "use std::fmt;\n").join("").contains("not a `//!` purpose"));
    assert!(found("src/app.rs", &"\n".repeat(FILE_LINES_MAX)).contains("601 lines"));
    assert!(found("scripts/check", &"\n".repeat(FILE_LINES_MAX)).contains("601 lines"));
}

#[test]
fn an_exception_outside_the_list_is_found() {
    let planted = "#[expect(clippy::disallowed_methods, reason = \"I am special\")]\nfn f() {}";
    assert!(found("src/proxy/tee.rs", planted).contains(":2: an exception to disallowed_methods"));
    assert_eq!(found("src/exchange/clock.rs", planted), "");
    let spread = "#![expect(\n    clippy::too_many_lines,\n    clippy::unwrap_used,\n    reason = \"two\"\n)]";
    assert!(found("src/store/mod.rs", spread).contains("an exception to unwrap_used"));
    assert_eq!(found("src/store/mod.rs", "#[expect(clippy::disallowed_types, reason = \"SQL lives here\")]"), "");
}

#[test]
fn sleeps_ignored_tests_and_foreign_addresses_are_found() {
    let sleeping = concat!("async fn t() { tokio::time::sleep", "(LONG).await; }");
    assert!(found("tests/story.rs", sleeping).contains("waits for the fact"));
    assert!(found("src/mirror/tests.rs", sleeping).contains("waits for the fact"));
    assert!(found("src/mirror/mod.rs", &format!("#[cfg(test)]\nmod tests {{\n{sleeping}\n}}")).contains("the fact"));
    assert_eq!(found("src/mirror/mod.rs", sleeping), "");
    assert!(found("tests/story.rs", concat!("#[", "ignore]\nfn t() {}")).contains("never ignored"));

    for planted in ["let url = \"https://api.acme.io/v1\";", "connect(\"10.1.2.3:80\")", "http://user@192.168.0.7/"] {
        assert!(found("tests/story.rs", planted).contains("is not on this machine"), "{planted}");
    }
    for fine in ["http://127.0.0.1:8080/", "http://[::1]:80/", "http://{addr}/x", "https://api.new.example", "1.2.3"] {
        assert_eq!(found("tests/story.rs", fine), "", "{fine}");
    }
    assert_eq!(violations("tests/outside/requirements.txt", "brotlicffi==1.2.1.0\n"), Vec::<String>::new());
}
