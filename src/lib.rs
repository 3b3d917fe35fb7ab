//! darklaunch, a dark-launch shadow traffic recorder.

pub mod exchange;
