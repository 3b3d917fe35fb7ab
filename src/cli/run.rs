//! `run`, `check` and `init`.

use crate::app::{self, App};
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

pub(crate) fn run(args: &ConfigArg) -> Done {
    let loaded = args.load()?;
    for warning in &loaded.warnings {
        print::talk(&format!("warning: {warning}"));
    }
    let running = App::start(&loaded.config).map_err(Failure::usage)?;
    for listen in running.traffic() {
        print::talk(&format!("traffic on {}", listen.url()));
    }
    print::talk(&format!("console on http://{}", running.console()));
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
            "warnings": loaded.warnings,
        })),
        Output::Text => {
            for warning in &loaded.warnings {
                print::talk(&format!("warning: {warning}"));
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

pub(crate) fn init(args: &InitArgs) -> Done {
    match args.keys {
        true => print::data(&config::reference()),
        false => print::data(config::example()),
    }
}
