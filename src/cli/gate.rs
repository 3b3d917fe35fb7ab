//! The gate of the command line: what was recorded is printed only if today's rules find nothing in it.

use crate::app;
use crate::cli::read::StoreArg;
use crate::cli::{Done, Failure};
use crate::config;
use crate::fixtures::{Finding, findings, list_findings};
use crate::redact::{Generation, PseudonymKey, RuleSource, Settings, builtin};
use crate::store::{CaptureSummary, Reader, StoredCapture};

/// What is stored was within the limits of its time; those of today must not make it unreadable.
const STORED_BYTES_MAX: usize = 1 << 40;

/// The rules that what is stored is held against: the configuration's, or the built-in ones where only a file is named.
/// They only tell whether a rule would still match, so the key of the pseudonyms is not needed.
pub(crate) fn rules(store: &StoreArg) -> Result<Generation, Failure> {
    let key = config::key_for_once().map_err(Failure::usage)?;
    rules_with_key(store, key)
}

/// The same with a key.
pub(crate) fn rules_with_key(store: &StoreArg, key: [u8; 32]) -> Result<Generation, Failure> {
    if store.is_configured() {
        let mut loaded = store.load()?;
        loaded.config.redaction.body_bytes_max = STORED_BYTES_MAX as u64;
        return app::generation(&loaded.config, key).map_err(Failure::usage);
    }
    let settings =
        Settings { body_bytes_max: STORED_BYTES_MAX, expanded_bytes_max: STORED_BYTES_MAX, ..Settings::default() };
    let source = RuleSource { files: builtin(), settings };
    Generation::compile(&source, &[], &PseudonymKey::new(key))
        .map_err(|problems| Failure::usage(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

/// Lets a recording pass whole, or refuses it.
pub(crate) fn pass(rules: &Generation, capture: &StoredCapture) -> Done {
    refuse(findings(rules.of(&capture.summary.integration), capture))
}

/// Lets pass what a list shows of recordings, or refuses the list.
pub(crate) fn pass_summaries(rules: &Generation, reader: &Reader, summaries: &[CaptureSummary]) -> Done {
    let mut found = Vec::new();
    for summary in summaries {
        let Some(capture) = reader.capture(&summary.id).map_err(Failure::usage)? else { continue };
        let all = findings(rules.of(&summary.integration), &capture).into_iter();
        found.extend(all.filter(|one| one.is_about_other_rules() || matches!(one.place, "endpoint" | "target")));
    }
    refuse(found)
}

/// Lets the names of endpoints pass that today's rules would store, or refuses them all.
pub(crate) fn pass_endpoints(rules: &Generation, integration: &str, names: &[String]) -> Done {
    let redactor = rules.of(integration);
    match names.iter().filter(|name| redactor.endpoint(name) != **name).count() {
        0 => Ok(()),
        count => Err(Failure::no(format!(
            "not shown: today's rules replace something in the names of {count} endpoints; bring them under today's rules: darklaunch store redact"
        ))),
    }
}

fn refuse(found: Vec<Finding>) -> Done {
    if found.is_empty() {
        return Ok(());
    }
    let changed = found.iter().any(Finding::is_about_other_rules);
    let remedy = match changed {
        true => {
            "name the configuration it was recorded with (--config), or bring it under today's rules: darklaunch store redact"
        }
        false => "bring it under today's rules: darklaunch store redact",
    };
    Err(Failure::no(format!("not shown: redaction does not vouch for it: {}; {remedy}", list_findings(&found))))
}
