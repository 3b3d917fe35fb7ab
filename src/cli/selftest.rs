//! `selftest`: marked requests through the real configuration, a line for every question.

use crate::cli::{ConfigArg, Done, Failure, Output, OutputArg, print};
use crate::selftest::{self, Live, Report};
use clap::{Args, ValueEnum};

#[derive(Args)]
pub(crate) struct SelftestArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Call the real providers of one integration instead of local stand-ins, with one harmless request
    #[arg(long, requires = "integration", requires = "path")]
    live: bool,
    /// With --live: which integration
    #[arg(long, value_name = "NAME", requires = "live")]
    integration: Option<String>,
    /// With --live: path and query of a request that does no harm, such as /status
    #[arg(long, value_name = "PATH", requires = "live")]
    path: Option<String>,
    /// With --live: the request's method
    #[arg(long, value_enum, default_value_t = Method::Get, requires = "live")]
    method: Method,
    #[command(flatten)]
    output: OutputArg,
}

/// What does no harm at a provider.
#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
enum Method {
    Get,
    Head,
}

pub(crate) fn selftest(args: &SelftestArgs) -> Done {
    let loaded = args.config.load()?;
    for warning in &loaded.warnings {
        print::talk(&format!("warning: {warning}"));
    }
    let live = match (args.live, &args.integration, &args.path) {
        (true, Some(integration), Some(path)) => Some(Live {
            integration: integration.clone(),
            method: if args.method == Method::Get { "GET" } else { "HEAD" },
            path: path.clone(),
        }),
        _ => None,
    };
    let report = selftest::run(&loaded.config, live.as_ref()).map_err(Failure::usage)?;
    match args.output.output {
        Output::Json => print::json(&report.to_json())?,
        Output::Text => print::data(&text(&report))?,
    }
    match report.failed() {
        0 => Ok(()),
        1 => Err(Failure::no("1 check failed")),
        failed => Err(Failure::no(format!("{failed} checks failed"))),
    }
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    for one in &report.integrations {
        out.extend(one.checks.iter().map(|check| line(&one.integration, check)));
    }
    out + &line("(all)", &report.store_removed)
}

fn line(integration: &str, check: &selftest::Check) -> String {
    format!("{:<11} {integration} {}: {}\n", check.verdict.word(), check.name, check.detail)
}
