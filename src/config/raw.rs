//! What a user wrote, with its places: the file and the environment, walked against the table of keys.
//!
//! The walk is our own because serde stops at the first unknown key, and `config` loses lines and lower-cases names.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::keys::{self, Kind};
use crate::config::problem::{Place, Problem};
use crate::config::secret::Environment;

/// The prefix of environment overrides.
const PREFIX: &str = "DARKLAUNCH__";
/// Names this similar (Jaro-Winkler) are offered as what was meant.
const SIMILAR: f64 = 0.8;

/// A value as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    /// A number, as its digits stand.
    Number(String),
    Flag(bool),
    List(Vec<Found>),
    Table(Vec<(String, Found)>),
    /// A date: no key takes one.
    Date(String),
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub value: Value,
    pub place: Place,
}

impl Value {
    /// As a message repeats it.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => shown_text(text),
            Self::Number(digits) | Self::Date(digits) => digits.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(|item| item.value.shown()).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Table(_) => "{…}".to_owned(),
        }
    }
}

/// A text as a message repeats it; a URL that may carry a password or a key in its query is not repeated.
pub(crate) fn shown_text(text: &str) -> String {
    if text.contains(['@', '?']) && text.contains("//") { "(not shown)".to_owned() } else { format!("{text:?}") }
}

/// File and environment together.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    /// By dotted path.
    pub values: BTreeMap<String, Found>,
    /// The integrations' names and where each begins.
    pub integrations: BTreeMap<String, Place>,
    pub problems: Vec<Problem>,
}

struct Walk<'a> {
    file: &'a str,
    text: &'a str,
    raw: Raw,
}

/// Reads the file's text. A text that is no TOML gives the syntax problems alone: all else would be guesses.
pub(crate) fn read(file: &str, text: &str) -> Result<Raw, Vec<Problem>> {
    let mut walk = Walk { file, text, raw: Raw::default() };
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        walk.raw.problems.push(Problem {
            place: walk.place(error.span().map_or(0, |span| span.start)),
            key: String::new(),
            value: None,
            text: format!("is no TOML: {}", error.message().replace('\n', ", ")),
            remedy: "correct the line; strings stand in double quotes, sections in [brackets]".to_owned(),
        });
    }
    if !walk.raw.problems.is_empty() {
        return Err(walk.raw.problems);
    }
    walk.table(document.get_ref(), "");
    Ok(walk.raw)
}

impl Walk<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place::File {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    fn table(&mut self, table: &DeTable<'_>, path: &str) {
        for (name, value) in table {
            let place = self.place(name.span().start);
            let name = name.get_ref().as_ref();
            let below = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            if path == "integrations" && !self.integration(name, &place) {
                continue;
            }
            if name.contains('.') {
                self.raw.problems.push(unknown(path, name, place));
            } else if keys::find(&below).is_some() {
                let found = self.found(value);
                self.raw.values.insert(below, found);
            } else if keys::is_section(&below) {
                match value.get_ref() {
                    DeValue::Table(inner) => self.table(inner, &below),
                    _ => {
                        let found = self.found(value);
                        self.raw.problems.push(not_a_section(&below, &found));
                    }
                }
            } else {
                self.raw.problems.push(unknown(path, name, place));
            }
        }
    }

    fn integration(&mut self, name: &str, place: &Place) -> bool {
        let mut bytes = name.bytes();
        let good = bytes.next().is_some_and(|b| b.is_ascii_lowercase())
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if good {
            self.raw.integrations.insert(name.to_owned(), place.clone());
        } else {
            self.raw.problems.push(Problem {
                place: place.clone(),
                key: format!("integrations.{name:?}"),
                value: None,
                text: "is no name for an integration".to_owned(),
                remedy: "begin with a letter a-z and go on with a-z, 0-9 and _, since environment names carry no more"
                    .to_owned(),
            });
        }
        good
    }

    fn found(&self, value: &Spanned<DeValue<'_>>) -> Found {
        let place = self.place(value.span().start);
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(read) => Value::Number(read.to_string()),
                Err(_) => Value::Number(number.to_string()),
            },
            DeValue::Float(number) => Value::Number(number.to_string()),
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Datetime(date) => Value::Date(date.to_string()),
            DeValue::Array(items) => Value::List(items.iter().map(|item| self.found(item)).collect()),
            DeValue::Table(table) => Value::Table(
                table.iter().map(|(name, value)| (name.get_ref().to_string(), self.found(value))).collect(),
            ),
        };
        Found { value, place }
    }
}

fn not_a_section(path: &str, found: &Found) -> Problem {
    Problem {
        place: found.place.clone(),
        key: path.to_owned(),
        value: Some(found.value.shown()),
        text: "is a section, not a value".to_owned(),
        remedy: format!("write its keys below [{path}]: {}", keys::children(path).join(", ")),
    }
}

fn unknown(section: &str, name: &str, place: Place) -> Problem {
    let key = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
    let general = keys::general(section);
    let siblings = keys::children(section);
    let remedy = if let Some(meant) = closest(name, &siblings) {
        format!("did you mean `{meant}`?")
    } else if let Some(elsewhere) = elsewhere(&general, name) {
        let name = section.split('.').nth(1).unwrap_or("NAME");
        format!("did you mean `{}`?", elsewhere.replace("NAME", name))
    } else if siblings.is_empty() {
        "remove it".to_owned()
    } else {
        format!("remove it, or use one of: {}", siblings.join(", "))
    };
    Problem { place, key, value: None, text: "is not a known key".to_owned(), remedy }
}

/// A key of this very name in another section, best one below the same parent.
fn elsewhere(section: &str, name: &str) -> Option<&'static str> {
    let suffix = format!(".{name}");
    let named = || keys::KEYS.iter().map(|key| key.path).filter(|path| path.ends_with(&suffix));
    named().find(|path| !section.is_empty() && path.starts_with(section)).or_else(|| named().next())
}

/// The candidate that `name` is most likely a slip of.
pub(crate) fn closest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let scored = candidates.iter().map(|candidate| (strsim::jaro_winkler(name, candidate), *candidate));
    scored.filter(|(score, _)| *score >= SIMILAR).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}

/// Lays the environment over the file. An override never makes an integration: a slip in a name would go unseen.
pub(crate) fn overlay(raw: &mut Raw, environment: &Environment) {
    for (rest, value) in environment.with_prefix(PREFIX) {
        let place = Place::Environment(format!("{PREFIX}{rest}"));
        match path_of(&raw.integrations, rest) {
            Ok((path, None)) => {
                raw.values.insert(path, Found { value: Value::Text(value.to_owned()), place });
            }
            Ok((path, Some(header))) => {
                let found = Found { value: Value::Text(value.to_owned()), place: place.clone() };
                let table = raw.values.entry(path).or_insert(Found { value: Value::Table(Vec::new()), place });
                if let Value::Table(rows) = &mut table.value {
                    rows.retain(|(name, _)| !name.eq_ignore_ascii_case(&header));
                    rows.push((header, found));
                }
            }
            Err((text, remedy)) => {
                raw.problems.push(Problem { place, key: String::new(), value: None, text, remedy });
            }
        }
    }
}

/// The dotted path that a variable names, and the header when it names one below `shadow.headers`.
fn path_of(known: &BTreeMap<String, Place>, rest: &str) -> Result<(String, Option<String>), (String, String)> {
    let lower = rest.to_ascii_lowercase();
    let path = match lower.strip_prefix("integrations__") {
        None => lower.replace("__", "."),
        Some(below) => {
            let named = |name: &&String| below.strip_prefix(name.as_str()).is_some_and(|r| r.starts_with("__"));
            let Some(name) = known.keys().filter(named).max_by_key(|name| name.len()) else {
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                return Err((
                    "names no integration of the file".to_owned(),
                    format!("add the integration to the file, or use one of: {}", names.join(", ")),
                ));
            };
            format!("integrations.{name}.{}", below[name.len() + 2..].replace("__", "."))
        }
    };
    if let Some((table, header)) = path.rsplit_once('.')
        && keys::find(table).is_some_and(|key| key.kind == Kind::Headers)
        && !header.is_empty()
    {
        return Ok((table.to_owned(), Some(header.replace('_', "-"))));
    }
    match keys::find(&path) {
        Some(key) if key.kind != Kind::Headers => Ok((path, None)),
        Some(_) => Err(("names a table".to_owned(), format!("write {PREFIX}{rest}__NAME for one header"))),
        None => {
            let all: Vec<&str> = keys::KEYS.iter().map(|key| key.path).collect();
            let remedy = closest(&keys::general(&path), &all)
                .map_or("remove it".to_owned(), |meant| format!("did you mean the key `{meant}`?"));
            Err((format!("names no known key ({path})"), remedy))
        }
    }
}
