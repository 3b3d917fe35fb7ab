//! The live switchboard: on or off, sample, budgets and breaker per integration, read lock-free on the user's path.
