//! How many connections, and when a breaker opens by chance.

use crate::latency::stats::{beta_binomial_at_least, poisson_quantile};

/// Connections that suffice 99.9 % of the time at `rate` calls a second that each hold one for `held_us` microseconds on
/// average: the mean number is their product (Little 1961), and the number at one moment is Poisson around it whatever
/// the distribution of the times is (M/G/infinity).
pub fn connections(rate: f64, held_us: f64) -> u64 {
    poisson_quantile(rate * held_us / 1e6, 0.999)
}

/// A breaker: it opens when so many of the last calls failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breaker {
    /// Calls that are looked at.
    pub window: u64,
    /// Failures among them that open it.
    pub failures: u64,
    /// How often a day it opens although the provider is as it always is.
    pub false_trips_per_day: f64,
}

/// How often a day a breaker opens by chance, with `rate` calls a second of which `share` fail (0 to 1) and correlate by
/// `rho`: windows that follow each other, so a sliding window opens somewhat more often.
pub fn false_trips_per_day(window: u64, failures: u64, rate: f64, share: f64, rho: f64) -> f64 {
    if window == 0 {
        return 0.0;
    }
    rate * 86_400.0 / window as f64 * beta_binomial_at_least(failures, window, share, rho)
}

/// The lowest threshold over `window` calls that opens by chance at most once in a hundred days; `None` where none is
/// low enough, because failures are too frequent or come together too much.
pub fn breaker(window: u64, rate: f64, share: f64, rho: f64) -> Option<Breaker> {
    const TRIPS_PER_DAY: f64 = 0.01;
    (1..=window)
        .map(|failures| {
            let false_trips_per_day = false_trips_per_day(window, failures, rate, share, rho);
            Breaker { window, failures, false_trips_per_day }
        })
        .find(|breaker| breaker.false_trips_per_day <= TRIPS_PER_DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_those_of_the_table() {
        let table = [(0.001, 4, 5), (0.005, 5, 7), (0.01, 6, 9), (0.03, 8, 15)];
        for (share, of_20, of_100) in table {
            assert_eq!(breaker(20, 10.0, share, 0.0).unwrap().failures, of_20, "{share}");
            assert_eq!(breaker(100, 10.0, share, 0.0).unwrap().failures, of_100, "{share}");
        }
        assert!((false_trips_per_day(20, 2, 10.0, 0.01, 0.0) - 728.0).abs() < 1.0);
        assert!((false_trips_per_day(100, 10, 10.0, 0.03, 0.0) - 7.6).abs() < 0.1);
        assert_eq!(breaker(20, 10.0, 0.9, 0.0), None);
        assert!(breaker(100, 10.0, 0.01, 0.1).unwrap().failures > 20);
        assert_eq!((false_trips_per_day(0, 1, 1.0, 0.5, 0.0), connections(100.0, 136_000.0)), (0.0, 26));
    }
}
