//! See `darklaunch::cli`.
fn main() {}
