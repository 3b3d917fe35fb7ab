//! The stories: the product as a process, between real sockets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a story fails by panicking")]

mod access;
mod alerting;
mod command_line;
mod console;
mod crash;
mod demo;
mod differential;
mod disk;
mod faults;
mod fidelity;
mod fixtures;
mod isolation;
mod listeners;
mod keeping;
mod kills;
mod load;
mod logs;
mod readme;
mod redaction;
mod review;
mod sampling;
mod schedules;
mod selftest;
mod start;
mod stopping;
mod support;
mod wire;
mod takeover;
mod upstream;
