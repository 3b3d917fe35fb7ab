//! `run`, `check` and `init`.

use crate::app::{self, App, Predecessor};
use crate::cli::{ConfigArg, Done, Failure, Output, OutputArg, print};
use crate::config;
use clap::Args;
use serde_json::json;

#[derive(Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    output: OutputArg,
}

#[derive(Args)]
pub(crate) struct InitArgs {
    /// Instead, the table of every key with its default and meaning
    #[arg(long)]
    keys: bool,
}

#[derive(Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Take over from the recorder that runs with this configuration: no call fails, and it ends
    #[arg(long)]
    takeover: bool,
}

pub(crate) fn run(args: &RunArgs) -> Done {
    let loaded = args.config.load()?;
    for warning in &loaded.warnings {
        print::talk(&format!("warning: {warning}"));
    }
    let before = match args.takeover {
        true => Some(Predecessor::ask(&loaded.config).map_err(|error| Failure::unreachable(error.to_string()))?),
        false => None,
    };
    let mut running = App::start_after(&loaded.config, before).map_err(Failure::usage)?;
    running.offer_takeover();
    running.reload_from(&loaded.file);
    for listen in running.traffic() {
        print::talk(&format!("traffic on {}", listen.url()));
    }
    let scheme = if loaded.config.console.tls.is_some() { "https" } else { "http" };
    print::talk(&format!("console on {scheme}://{}", running.console()));
    let closed = running.wait_for_signal();
    print::talk(&closed.to_string());
    Ok(())
}

pub(crate) fn check(args: &CheckArgs) -> Done {
    let loaded = args.config.load()?;
    let checked = app::check(&loaded.config).map_err(Failure::usage)?;
    match args.output.output {
        Output::Json => print::json(&json!({
            "schema": "darklaunch.check/v1",
            "integrations": checked.integrations,
            "rules": checked.rules,
            "rule_sets": checked.rule_sets.iter().map(rules_json).collect::<Vec<_>>(),
            "self_check_failures": checked.leaks,
            "warnings": loaded.warnings,
        })),
        Output::Text => {
            for warning in &loaded.warnings {
                print::talk(&format!("warning: {warning}"));
            }
            for leak in &checked.leaks {
                print::talk(&format!("warning: {leak}; with these rules no body would be stored"));
            }
            for one in checked.rule_sets.iter().filter(|one| one.strict || one.rules != checked.rules) {
                let strict = if one.strict { ", strict" } else { "" };
                print::data(&format!("{}: {} redaction rules{strict}, hash {}", one.integration, one.rules, one.hash))?;
            }
            print::data(&format!(
                "configuration is good: {} integrations ({}), {} redaction rules pass their examples",
                checked.integrations.len(),
                checked.integrations.join(", "),
                checked.rules,
            ))
        }
    }
}

fn rules_json(one: &app::CheckedRules) -> serde_json::Value {
    json!({ "integration": one.integration, "rules": one.rules, "hash": one.hash, "strict": one.strict })
}

pub(crate) fn init(args: &InitArgs) -> Done {
    match args.keys {
        true => print::data(&config::reference()),
        false => print::data(config::example()),
    }
}
