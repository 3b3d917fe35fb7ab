//! Subcommands and printing; the only printer.
//!
//! Data goes to stdout, talk to stderr. Exit codes: 0 done · 1 the command's own "no" · 2 wrong usage or configuration ·
//! 3 cannot say (too little data) · 4 server or engine unreachable.

mod canary;
mod demo;
mod export;
mod filter;
mod fixtures;
mod gate;
mod print;
mod read;
mod recorder;
mod recordings;
mod redo;
mod report;
mod review;
mod rules;
mod run;
mod selftest;
mod server;
mod store;
mod stub;
mod token;

use crate::config::{self, Loaded};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

/// Mirrors real requests to a new provider without affecting users; records redacted answers and latencies.
#[derive(Parser)]
#[command(name = "darklaunch", version, after_help = EXIT_CODES, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 the command's own \"no\", 2 wrong usage or configuration, \
3 cannot say (too little data), 4 server unreachable.";

#[derive(Subcommand)]
enum Command {
    /// Run the recorder: traffic listener, mirror, recorder and console
    Run(run::RunArgs),
    /// See the whole product on two sample providers: no configuration, no network
    Demo(demo::DemoArgs),
    /// Check the configuration, the redaction rules and the database without starting anything
    Check(run::CheckArgs),
    /// Send marked requests through the real configuration, to local stand-ins, and say what came of them
    Selftest(selftest::SelftestArgs),
    /// Write a commented example configuration to stdout
    Init(run::InitArgs),
    /// State, ledger and switches of a running recorder
    Status(server::StatusArgs),
    /// Start mirroring an integration; asks for the reason
    Enable(server::EnableArgs),
    /// Stop mirroring at once: calls in flight to the shadow are aborted
    Stop(server::StopArgs),
    /// Who may log in at the console: make, list and revoke tokens; a link for a browser
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Latency percentiles of both providers, and what a timeout would cut
    Latency(read::LatencyArgs),
    /// The go-live review: GO, NO-GO or CANNOT SAY, with the fifteen checks behind it
    Review(review::ReviewArgs),
    /// What the new providers did since, with every distinct 4xx: for a day or a week
    Report(report::ReportArgs),
    /// Alert rules for Prometheus, or a Grafana dashboard, to stdout
    Alerts(report::AlertsArgs),
    /// Export recorded answers as fixtures for a test tool
    Export(export::ExportArgs),
    /// Serve exported fixtures, or a store's recordings, as a stand-in for the provider
    Stub(stub::StubArgs),
    /// Look after exported fixtures
    #[command(subcommand)]
    Fixtures(fixtures::FixturesCommand),
    /// Redact stdin to stdout through the recorder's own engine
    Redact(filter::RedactArgs),
    /// List the redaction rules, run their own examples, or explain what they do with a document
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Look after what was recorded as a whole
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// List, show or follow what was recorded; forget a person
    #[command(subcommand)]
    Recordings(recordings::RecordingsCommand),
}

/// Which configuration.
#[derive(Args, Clone)]
struct ConfigArg {
    /// Configuration file [default: $DARKLAUNCH_CONFIG, else ./darklaunch.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArg {
    fn load(&self) -> Result<Loaded, Failure> {
        config::load(self.config.as_deref(), config::process_environment()).map_err(Failure::usage)
    }
}

/// How a command prints its data.
#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
enum Output {
    /// For people
    Text,
    /// For programs: stable names, durations as integer microseconds
    Json,
}

/// The `--output` of every command that prints data.
#[derive(Args, Clone, Copy)]
struct OutputArg {
    /// How to print
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Why a command did not do what it was asked to, with the exit code that says so.
struct Failure {
    code: u8,
    text: String,
}

impl Failure {
    /// The command's own "no": a finding, a difference.
    fn no(text: impl Into<String>) -> Self {
        Self { code: 1, text: text.into() }
    }

    /// Wrong usage or configuration.
    fn usage(text: impl ToString) -> Self {
        Self { code: 2, text: text.to_string() }
    }

    /// Too little data.
    fn cannot_say(text: impl ToString) -> Self {
        Self { code: 3, text: text.to_string() }
    }

    /// Nobody answers.
    fn unreachable(text: impl Into<String>) -> Self {
        Self { code: 4, text: text.into() }
    }
}

type Done = Result<(), Failure>;

/// Runs the command line the process was started with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Demo(args) => demo::demo(&args),
        Command::Check(args) => run::check(&args),
        Command::Selftest(args) => selftest::selftest(&args),
        Command::Init(args) => run::init(&args),
        Command::Status(args) => server::status(&args),
        Command::Enable(args) => server::enable(&args),
        Command::Stop(args) => server::stop(&args),
        Command::Token(command) => token::token(&command),
        Command::Latency(args) => read::latency(&args),
        Command::Review(args) => review::review(&args),
        Command::Export(args) => export::export(&args),
        Command::Stub(args) => stub::stub(&args),
        Command::Fixtures(command) => fixtures::fixtures(&command),
        Command::Report(args) => report::report(&args),
        Command::Alerts(args) => report::alerts(&args),
        Command::Redact(args) => filter::redact(&args),
        Command::Rules(command) => rules::rules(&command),
        Command::Store(command) => store::store(&command),
        Command::Recordings(command) => recordings::recordings(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print::talk(&failure.text);
            ExitCode::from(failure.code)
        }
    }
}
