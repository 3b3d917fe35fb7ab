//! Subcommands and printing; the only printer.
