//! darklaunch, a dark-launch shadow traffic recorder: the map of the rooms, in the order of the line.
//!
//! ```text
//! application ⇄ proxy ──offer──▶ mirror ──capture──▶ recorder [ redact ▸ compare ▸ store ] ──SQLite──▶ review · fixtures · console
//!               user's path        off the path          off the path, one writer                         read side
//! ```
//!
//! **Invariants.** The user's path waits on nothing to the right of `offer`. Only `Redacted<_>` is stored, shown or
//! exported. Every request that arrives ends in one counted state. Every queue, body, batch, wait and cache has a limit.
//! Which room may name which is the table in `tests/architecture.rs`.

pub mod exchange;
pub mod measure;
pub mod latency;
pub mod telemetry;
pub mod control;
pub mod adapt;
pub mod http1;
pub mod upstream;
pub mod mirror;
pub mod proxy;
pub mod redact;
pub mod compare;
pub mod store;
pub mod recorder;
pub mod review;
pub mod fixtures;
pub mod alerting;
pub mod otlp;
pub mod console;
pub mod config;
pub mod app;
pub mod demo;
pub mod selftest;
pub mod cli;
