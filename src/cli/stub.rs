//! The stand-in provider of the command line.

use crate::cli::export::{ChoiceArgs, export_failure};
use crate::cli::read::StoreArg;
use crate::cli::{Done, Failure, gate, print};
use crate::fixtures::{Speed, Stub, StubSettings, bind, open};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Args)]
pub(crate) struct StubArgs {
    /// A folder that `darklaunch export` wrote, in any format
    #[arg(
        value_name = "DIR",
        conflicts_with_all = ["store", "config", "per_endpoint", "since", "outcome", "slower_than", "ids"],
    )]
    folder: Option<PathBuf>,
    /// Of a store: the integration [default: the only one]
    #[arg(long, value_name = "NAME", conflicts_with = "folder")]
    integration: Option<String>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8089")]
    listen: SocketAddr,
    /// How slow it answers: `real`, as the provider was recorded; `x2`, twice as slow; `none`, at once
    #[arg(long, default_value = "real", value_parser = speed)]
    latency: Speed,
    /// Whether failures come on their own
    #[arg(long, value_enum, default_value_t = Faults::Asked)]
    faults: Faults,
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    store: StoreArg,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Faults {
    /// Only for the requests they were recorded with, and those that ask with `Darklaunch-Fixture`
    Asked,
    /// In the share in which each endpoint's calls failed
    Real,
}

fn speed(text: &str) -> Result<Speed, String> {
    const TIMES_MAX: f64 = 1_000.0;
    match text {
        "real" => return Ok(Speed::Real(1.0)),
        "none" => return Ok(Speed::Instant),
        _ => {}
    }
    let times = text.strip_prefix(['x', '\u{d7}']).and_then(|times| times.parse::<f64>().ok());
    let times = times.filter(|times| (0.0..=TIMES_MAX).contains(times));
    times.map(Speed::Real).ok_or_else(|| "is none of real, none, x2, x0.5 (up to x1000)".to_owned())
}

pub(crate) fn stub(args: &StubArgs) -> Done {
    let settings = StubSettings { speed: args.latency, faults: args.faults == Faults::Real };
    let stub = match &args.folder {
        Some(folder) => Stub::of_folder(open(folder).map_err(Failure::usage)?, settings),
        None => of_store(args, settings)?,
    };
    // One thread: what it serves is looked up, not computed.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::usage)?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let fixtures = stub.fixtures();
        let listening = bind(stub, args.listen).await;
        let listening = listening.map_err(|why| Failure::usage(format!("cannot listen on {}: {why}", args.listen)))?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::usage)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::usage)?;
        print::data(&format!("{fixtures} fixtures on http://{}", listening.addr))?;
        let stop = async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        listening.serve(stop).await;
        Ok(())
    })
}

fn of_store(args: &StubArgs, settings: StubSettings) -> Result<Stub, Failure> {
    let reader = args.store.reader()?;
    let known = reader.integrations().map_err(Failure::usage)?;
    let integration = match (&args.integration, known.as_slice()) {
        (Some(name), _) => name.clone(),
        (None, [only]) => only.clone(),
        (None, _) => {
            return Err(Failure::usage(format!("name one of the integrations: --integration {}", known.join(" | "))));
        }
    };
    let rules = gate::rules(&args.store)?;
    let request = args.choice.request(&integration)?;
    Stub::of_store(&reader, rules.of(&integration), &request, settings).map_err(export_failure)
}
