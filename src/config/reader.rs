//! Takes values out of what was written, by kind, and notes every problem on the way.

use std::path::{Path, PathBuf};

use crate::config::keys::{self, Kind};
use crate::config::problem::{Place, Problem};
use crate::config::raw::{Found, Raw, Value};
use crate::config::secret::Environment;
use crate::config::units::{self, BadUnit, show_duration, show_size};

/// A text with the place it came from.
pub(crate) type Placed<T> = (T, Place);

/// After a problem a getter gives a stand-in of the right type: the load fails anyway, and the walk goes on.
pub(crate) struct Reader<'a> {
    pub raw: Raw,
    pub warnings: Vec<String>,
    pub environment: &'a Environment,
    /// The folder of the file: what its relative paths count from.
    pub folder: &'a Path,
    pub file: &'a str,
}

impl Reader<'_> {
    pub fn problem(&mut self, place: Place, key: &str, value: Option<String>, text: &str, remedy: impl Into<String>) {
        let (key, text, remedy) = (key.to_owned(), text.to_owned(), remedy.into());
        self.raw.problems.push(Problem { place, key, value, text, remedy });
    }

    /// A problem of something that is not there.
    pub fn missing(&mut self, place: Place, key: &str, remedy: &str) {
        self.problem(place, key, None, "is missing", remedy);
    }

    pub fn whole(&self) -> Place {
        Place::Whole(self.file.to_owned())
    }

    /// What was written for `path`, else the default.
    fn found(&self, path: &str) -> Option<Found> {
        self.raw.values.get(path).cloned().or_else(|| {
            let default = keys::find(path)?.default;
            let value = Value::Text(default.to_owned());
            (!default.is_empty()).then_some(Found { value, place: Place::Default })
        })
    }

    fn wrong(&mut self, path: &str, found: &Found, text: &str, remedy: impl Into<String>) {
        // Someone may have put the key itself where a reference belongs.
        let value = (path != "redaction.key").then(|| found.value.shown());
        self.problem(found.place.clone(), path, value, text, remedy);
    }

    pub fn text(&mut self, path: &str) -> Option<Placed<String>> {
        let found = self.found(path)?;
        match &found.value {
            Value::Text(text) if text.trim().is_empty() => {
                self.wrong(path, &found, "is empty", "write a value, or remove the key");
                None
            }
            Value::Text(text) => Some((text.trim().to_owned(), found.place)),
            _ => {
                self.wrong(path, &found, "is not a string", "write it in double quotes");
                None
            }
        }
    }

    /// A list; from the environment its items are separated by commas.
    pub fn texts(&mut self, path: &str) -> Vec<Placed<String>> {
        let Some(found) = self.found(path) else { return Vec::new() };
        let items = match &found.value {
            Value::Text(text) if matches!(found.place, Place::File { .. }) => vec![(text.clone(), found.place.clone())],
            Value::Text(text) => text.split(',').map(|item| (item.trim().to_owned(), found.place.clone())).collect(),
            Value::List(items) => {
                let mut texts = Vec::new();
                for item in items {
                    match &item.value {
                        Value::Text(text) => texts.push((text.clone(), item.place.clone())),
                        _ => self.wrong(path, item, "is not a string", "write each item in double quotes"),
                    }
                }
                texts
            }
            _ => {
                self.wrong(path, &found, "is not a list of strings", "write it as [\"..\", \"..\"]");
                Vec::new()
            }
        };
        items.into_iter().filter(|(item, _)| !item.is_empty()).collect()
    }

    pub fn flag(&mut self, path: &str) -> bool {
        let Some(found) = self.found(path) else { return false };
        match &found.value {
            Value::Flag(flag) => *flag,
            Value::Text(text) if text == "true" && !matches!(found.place, Place::File { .. }) => true,
            Value::Text(text) if text == "false" && !matches!(found.place, Place::File { .. }) => false,
            _ => {
                self.wrong(path, &found, "is neither true nor false", "write true or false, without quotes");
                false
            }
        }
    }

    /// A quantity with its unit, within the bounds of the table.
    fn quantity<T: Default>(&mut self, path: &str, parse: fn(&str) -> Result<T, BadUnit>) -> Option<(T, Found)> {
        let found = self.found(path)?;
        let text = match &found.value {
            Value::Text(text) | Value::Number(text) => text,
            _ => "",
        };
        match parse(text) {
            Ok(quantity) => Some((quantity, found)),
            Err(bad) => {
                self.wrong(path, &found, &bad.text, bad.remedy);
                None
            }
        }
    }

    fn bounded(&mut self, path: &str, quantity: u64, found: &Found, show: fn(u64) -> String) {
        let Some(Kind::Duration(from, to) | Kind::Size(from, to) | Kind::Count(from, to)) =
            keys::find(path).map(|key| key.kind)
        else {
            return;
        };
        if quantity < from {
            self.wrong(path, found, "is too small", format!("write at least {}", show(from)));
        } else if quantity > to {
            self.wrong(path, found, "is too large", format!("write at most {}", show(to)));
        }
    }

    pub fn duration_ms(&mut self, path: &str) -> u64 {
        let Some((ms, found)) = self.quantity(path, units::duration_ms) else { return 0 };
        self.bounded(path, ms, &found, show_duration);
        ms
    }

    /// A duration that is kept in a coarser unit, refused when it would be rounded.
    pub fn duration_in(&mut self, path: &str, unit_ms: u64, units_name: &str) -> u64 {
        let ms = self.duration_ms(path);
        if !ms.is_multiple_of(unit_ms)
            && let Some(found) = self.found(path)
        {
            self.wrong(path, &found, &format!("is not in whole {units_name}"), format!("write whole {units_name}"));
        }
        ms / unit_ms
    }

    pub fn size_bytes(&mut self, path: &str) -> u64 {
        let Some((bytes, found)) = self.quantity(path, units::size_bytes) else { return 0 };
        self.bounded(path, bytes, &found, show_size);
        bytes
    }

    pub fn percent_ppm(&mut self, path: &str) -> u32 {
        self.quantity(path, units::percent_ppm).map_or(0, |(ppm, _)| ppm)
    }

    pub fn rate_per_s(&mut self, path: &str) -> Option<u32> {
        self.quantity(path, units::rate_per_s).map(|(rate, _)| rate)
    }

    pub fn count(&mut self, path: &str) -> Option<u64> {
        let found = self.found(path)?;
        let read = match &found.value {
            Value::Number(text) => text.parse().ok(),
            Value::Text(text) if !matches!(found.place, Place::File { .. }) => text.parse().ok(),
            _ => None,
        };
        match read {
            Some(count) => {
                self.bounded(path, count, &found, |count| count.to_string());
                Some(count)
            }
            None => {
                self.wrong(path, &found, "is not a whole number", "write a whole number, without quotes");
                None
            }
        }
    }

    /// A table of header names and values. Values are never repeated in a problem: they may be secret.
    pub fn headers(&mut self, path: &str) -> Vec<(String, Placed<String>)> {
        let Some(found) = self.raw.values.get(path).cloned() else { return Vec::new() };
        let Value::Table(rows) = found.value else {
            let remedy = "write it as { \"name\" = \"value\" }";
            self.problem(found.place, path, None, "is not a table of header names and values", remedy);
            return Vec::new();
        };
        let mut headers = Vec::new();
        for (name, value) in rows {
            match value.value {
                Value::Text(text) => headers.push((name, (text, value.place))),
                _ => {
                    let key = format!("{path}.{name}");
                    self.problem(value.place, &key, None, "is not a string", "write the value in double quotes");
                }
            }
        }
        headers
    }

    /// A path as meant: relative to the file's folder when the file says it, to the working directory otherwise.
    pub fn path(&self, text: &str, place: &Place) -> PathBuf {
        match place {
            Place::Environment(_) => PathBuf::from(text),
            _ => self.folder.join(text),
        }
    }
}
