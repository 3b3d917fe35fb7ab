//! `dl-bench`: the load generator and the stand-in providers of darklaunch's benchmark.

mod client;
mod load;
mod message;
mod parse;
mod poll;
mod schedule;
mod serve;
mod tally;
mod upstream;

use std::process::ExitCode;

use clap::Parser;

/// Load and stand-in providers for measuring proxies on loopback.
#[derive(Parser, Debug)]
#[command(version, about)]
enum Command {
    /// Sends calls and prints what came of them as JSON, latencies in microseconds from the intended instants
    Load(load::LoadArgs),
    /// Answers as a provider does, or fails in the way that its control port was told
    Upstream(serve::UpstreamArgs),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Load(args) => load::run(&args).map(|result| println!("{result}")),
        Command::Upstream(args) => serve::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dl-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
