//! The stories: the product as a process, between real sockets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a story fails by panicking")]

mod command_line;
mod console;
mod crash;
mod demo;
mod faults;
mod fidelity;
mod isolation;
mod readme;
mod start;
mod support;
mod upstream;
