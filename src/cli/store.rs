//! `store`: what is done to a database as a whole.

use crate::cli::canary::{self, CanaryArgs};
use crate::cli::read::StoreArg;
use crate::cli::{Done, OutputArg};
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Look for canaries: planted values of every run, derived anew from its key, that no file may ever hold
    Canaries {
        #[command(flatten)]
        canaries: CanaryArgs,
        /// Instead, show those of the running recorder, to be sent through it on purpose
        #[arg(long, conflicts_with = "folders")]
        show: bool,
        #[command(flatten)]
        store: StoreArg,
        #[command(flatten)]
        output: OutputArg,
    },
}

pub(crate) fn store(command: &StoreCommand) -> Done {
    match command {
        StoreCommand::Canaries { show: true, store, output, .. } => canary::show(store, *output),
        StoreCommand::Canaries { canaries, store, output, .. } => canary::check(store, canaries, *output),
    }
}
