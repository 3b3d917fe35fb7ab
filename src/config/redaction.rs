//! Where rules and key of the redaction come from: for everyone, and for one integration.

use crate::config::problem::Place;
use crate::config::reader::Reader;
use crate::config::rules;
use crate::config::secret::Reference;
use crate::config::{IntegrationRedaction, KeySecret, RedactionConfig};
use crate::redact::{RuleFile, is_keepable_binary, is_kept_path};
use std::path::PathBuf;

const BUILTIN: &str = "builtin";

/// The section for everyone.
pub(crate) fn everyone(reader: &mut Reader<'_>) -> RedactionConfig {
    let key = "redaction.rules";
    let mut folders = Folders::default();
    let mut builtin_rules = false;
    for (text, place) in reader.texts(key) {
        match text == BUILTIN {
            true => builtin_rules = true,
            false => {
                folders.read(reader, key, &text, place, "name a readable folder of *.toml rule files, or \"builtin\"")
            }
        }
    }
    let Folders { rules_folders, rule_files } = folders;
    if !builtin_rules && rules_folders.is_empty() && !reader.raw.problems.iter().any(|problem| problem.key == key) {
        let place = reader.raw.values.get(key).map_or_else(|| reader.whole(), |found| found.place.clone());
        let remedy = "write [\"builtin\"], or remove the key";
        reader.problem(place, key, None, "is empty, so that nothing would be redacted", remedy);
    }
    let body_bytes_max = reader.size_bytes("redaction.max_body");
    let alarm_bodies = reader.count("redaction.alarm_bodies").unwrap_or_default();
    let key = redaction_key(reader);
    RedactionConfig { builtin_rules, rules_folders, rule_files, key, body_bytes_max, alarm_bodies }
}

/// The section of one integration.
pub(crate) fn integration(reader: &mut Reader<'_>, name: &str) -> IntegrationRedaction {
    let key = format!("integrations.{name}.redaction.rules");
    let mut folders = Folders::default();
    for (text, place) in reader.texts(&key) {
        if text == BUILTIN {
            let remedy = "write \"builtin\" in redaction.rules; folders here are added to those";
            reader.problem(place, &key, Some(format!("{text:?}")), "is for everyone, not for one integration", remedy);
            continue;
        }
        folders.read(reader, &key, &text, place, "name a readable folder of *.toml rule files");
    }
    let Folders { rules_folders, rule_files } = folders;
    let kept_paths = kept_paths(reader, name);
    let kept_binary = kept_binary(reader, name, kept_paths.is_some());
    IntegrationRedaction { rules_folders, rule_files, kept_paths, kept_binary }
}

fn kept_binary(reader: &mut Reader<'_>, name: &str, is_strict: bool) -> Vec<String> {
    let key = format!("integrations.{name}.redaction.keep_binary");
    let mut kept = Vec::new();
    for (text, place) in reader.texts(&key) {
        if is_strict {
            let remedy = "remove one of the two keys";
            reader.problem(
                place,
                &key,
                None,
                "keeps nothing beside redaction.keep, which keeps its paths only",
                remedy,
            );
            break;
        }
        if !is_keepable_binary(&text) {
            let remedy = "write types in lower case, such as \"image/png\"; texts are kept anyway, archives never";
            reader.problem(place, &key, Some(format!("{text:?}")), "is no media type of binary bodies", remedy);
        }
        kept.push(text);
    }
    kept
}

/// The key alone, even with an empty list, begins strict mode.
fn kept_paths(reader: &mut Reader<'_>, name: &str) -> Option<Vec<String>> {
    let key = format!("integrations.{name}.redaction.keep");
    reader.raw.values.get(&key)?;
    let mut kept = Vec::new();
    for (text, place) in reader.texts(&key) {
        if !is_kept_path(&text) {
            let remedy =
                "write names with dots between them, * for any one and ** for any number, such as \"data.*.status\"";
            reader.problem(place, &key, Some(format!("{text:?}")), "is no path into a document", remedy);
        }
        kept.push(text);
    }
    Some(kept)
}

#[derive(Default)]
struct Folders {
    rules_folders: Vec<PathBuf>,
    rule_files: Vec<RuleFile>,
}

impl Folders {
    fn read(&mut self, reader: &mut Reader<'_>, key: &str, text: &str, place: Place, remedy: &str) {
        let folder = reader.path(text, &place);
        match rules::read_folder(&folder) {
            Ok(files) => self.rule_files.extend(files),
            Err(why) => reader.problem(place, key, Some(format!("{text:?}")), &why.to_string(), remedy),
        }
        self.rules_folders.push(folder);
    }
}

fn redaction_key(reader: &mut Reader<'_>) -> Option<KeySecret> {
    let key = "redaction.key";
    let remedy = "write \"env:NAME\" or \"file:PATH\" with 64 hex digits in it (openssl rand -hex 32)";
    let (text, place) = reader.text(key)?;
    let Some(reference) = Reference::parse(&text, reader.folder) else {
        reader.problem(place, key, None, "is not a reference: a secret does not stand in the file", remedy);
        return None;
    };
    match reference.resolve(reader.environment) {
        Ok(secret) => {
            let read = KeySecret::new(secret);
            if read.is_none() {
                let text = format!("refers to {reference}, which does not hold 64 hex digits");
                reader.problem(place, key, None, &text, remedy);
            }
            read
        }
        Err(why) => {
            reader.problem(place, key, None, &why.to_string(), remedy);
            None
        }
    }
}
