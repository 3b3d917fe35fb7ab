//! A file of settings as flat keys and values with their lines: YAML, JSON (which is YAML too) and properties.

use crate::review::lint::LintError;
use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

/// Sections within each other, at most.
const DEPTH_MAX: usize = 32;

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The dotted key, in lower case and without hyphens and underscores.
    pub(crate) path: String,
    /// The dotted key as it is written.
    pub(crate) written: String,
    /// The value as text.
    pub(crate) value: String,
    /// From 1.
    pub(crate) line: usize,
}

impl Entry {
    fn new(written: String, value: String, line: usize) -> Self {
        // .NET writes sections of environment-like keys with colons.
        let path = written.replace(':', ".").chars().filter(|letter| !matches!(letter, '-' | '_')).collect::<String>();
        Self { path: path.to_lowercase(), written, value, line }
    }

    pub(crate) fn wrong(&self, expected: &'static str) -> LintError {
        LintError::Value { line: self.line, key: self.written.clone(), value: self.value.clone(), expected }
    }
}

/// Every setting of a file, in its order.
pub(crate) fn entries(text: &str) -> Result<Vec<Entry>, LintError> {
    if let Some(entries) = properties(text) {
        return Ok(entries);
    }
    let documents = MarkedYaml::load_from_str(text)
        .map_err(|error| LintError::Syntax { line: error.marker().line(), why: error.info().to_owned() })?;
    let mut all = Vec::new();
    documents.iter().for_each(|document| flatten(document, String::new(), 0, &mut all));
    Ok(all)
}

/// The lines of a properties file; `None` where one of them is something else.
fn properties(text: &str) -> Option<Vec<Entry>> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let told = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', '!']));
    let entry = |(line, text): (usize, &str)| {
        let (key, value) = text.split_once('=')?;
        let key = key.trim();
        let is_key = !key.is_empty() && key.chars().all(|letter| letter.is_alphanumeric() || "._-:[]".contains(letter));
        is_key.then(|| Entry::new(key.to_owned(), value.trim().to_owned(), line))
    };
    told.map(entry).collect()
}

fn flatten(node: &MarkedYaml<'_>, path: String, depth: usize, all: &mut Vec<Entry>) {
    if depth > DEPTH_MAX {
        return;
    }
    match &node.data {
        YamlData::Mapping(rows) => {
            for (key, value) in rows {
                let Some(name) = scalar(key) else { continue };
                let below = if path.is_empty() { name } else { format!("{path}.{name}") };
                flatten(value, below, depth + 1, all);
            }
        }
        YamlData::Sequence(items) => {
            for (at, item) in items.iter().enumerate() {
                flatten(item, format!("{path}[{at}]"), depth + 1, all);
            }
        }
        _ => {
            if let Some(value) = scalar(node) {
                all.push(Entry::new(path, value, node.span.start.line()));
            }
        }
    }
}

fn scalar(node: &MarkedYaml<'_>) -> Option<String> {
    match &node.data {
        YamlData::Representation(text, ..) => Some(text.to_string()),
        YamlData::Value(Scalar::Null) => Some(String::new()),
        YamlData::Value(Scalar::Boolean(flag)) => Some(flag.to_string()),
        YamlData::Value(Scalar::Integer(number)) => Some(number.to_string()),
        YamlData::Value(Scalar::FloatingPoint(number)) => Some(number.to_string()),
        YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
        _ => None,
    }
}

/// Microseconds of a duration as Spring (`800ms`, `2s`, `PT0.8S`, plain milliseconds) or .NET (`00:00:00.8`) writes it.
pub(crate) fn duration_us(text: &str) -> Option<u64> {
    let us =
        |seconds: f64| (seconds.is_finite() && (0.0..1e9).contains(&seconds)).then(|| (seconds * 1e6).round() as u64);
    if let Some(rest) = text.strip_prefix("PT") {
        let (number, unit) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
        let factor = match unit {
            "S" => 1.0,
            "M" => 60.0,
            "H" => 3_600.0,
            _ => return None,
        };
        return us(number.parse::<f64>().ok()? * factor);
    }
    if text.contains(':') {
        let parts: Vec<f64> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let [hours, minutes, seconds] = parts[..] else { return None };
        return us(hours * 3_600.0 + minutes * 60.0 + seconds);
    }
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = match unit.trim() {
        "" | "ms" => 0.001,
        "us" => 0.000_001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return None,
    };
    us(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_same_settings_are_the_same_in_every_form() {
        let yaml = "resilience4j:\n  circuitbreaker:\n    instances:\n      pay:\n        sliding-window-size: 20\n";
        let properties = "# today\nresilience4j.circuitbreaker.instances.pay.slidingWindowSize=20\n";
        let json = r#"{"resilience4j":{"circuitbreaker":{"instances":{"pay":{"slidingWindowSize":20}}}}}"#;
        for (text, line) in [(yaml, 5), (properties, 2), (json, 1)] {
            let found = entries(text).unwrap();
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].path, "resilience4j.circuitbreaker.instances.pay.slidingwindowsize");
            assert_eq!((found[0].value.as_str(), found[0].line), ("20", line), "{text}");
        }
        assert!(matches!(entries("a: [1\nb: }"), Err(LintError::Syntax { .. })));
    }

    #[test]
    fn durations_are_read_as_spring_and_dotnet_write_them() {
        let read = ["800ms", "2s", "PT0.8S", "1500", "00:00:01.5", "00:02:00", "1h", "soon", "PT", "1:2", ""];
        let us = read.map(duration_us);
        let ms = |ms: u64| Some(ms * 1_000);
        let all =
            [ms(800), ms(2_000), ms(800), ms(1_500), ms(1_500), ms(120_000), ms(3_600_000), None, None, None, None];
        assert_eq!(us, all);
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "\\PC{0,60}", more in "[a-z:{}\\[\\] \\n\"'&*-]{0,80}") {
            let _ = (entries(&text), entries(&more), duration_us(&text));
        }
    }
}
