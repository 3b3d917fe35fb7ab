//! What so many calls can tell: which percentiles may be printed, which timeout keeps its promise, what a retry is worth.
//!
//! Pure functions over [`Timeline`](crate::latency::Timeline)s; each says where its formula comes from. Nothing here
//! assumes a distribution. Calls are not taken as independent where intervals show that they are not: see
//! [`effect`].

mod binomial;
mod capacity;
mod compare;
mod episodes;
mod modes;
mod quantile;
mod retry;
mod survival;
mod timeout;

pub use binomial::{Share, beta_binomial_at_least, poisson_quantile, share, share_at_most, share_of_few};
pub use capacity::{Breaker, breaker, connections, false_trips_per_day};
pub use compare::{Ratio, Weeks, confidence_of_look, ratio, weeks};
pub(crate) use episodes::Clusters;
pub use episodes::{CLUSTERS_MIN, Effect, correlation, effect};
pub use modes::{Mode, explained, modes};
pub use quantile::{Estimate, LADDER, Level, days_until, estimate, min_calls, min_stretches};
pub use retry::{Budget, Hedge, Plan, hedge, success_within};
pub use survival::{Survival, survival};
pub use timeout::{Advice, Cell, Refusal, Timeout, WhatIf, Worst, advise, hours, what_if};

/// The confidence of every interval unless another is said, and of the one-sided bound that a printed percentile needs.
pub const CONFIDENCE: f64 = 0.95;
