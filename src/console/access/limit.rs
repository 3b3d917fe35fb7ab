//! How often somebody may try to log in. Tokens cannot be guessed; the limit keeps the log and the processor quiet.

use crate::console::access::address::place;
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// Attempts at once from one place, then one every [`PLACE_EVERY_S`].
const PLACE_BURST: u32 = 10;
const PLACE_EVERY_S: u64 = 6;
/// Attempts at once from everywhere, then one a second.
const ALL_BURST: u32 = 100;
/// Places remembered; when all have tried lately, the limit over all of them holds alone.
const PLACES_MAX: usize = 1_024;

/// Counts attempts.
pub(crate) struct Attempts {
    places: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>,
    all: RateLimiter<NotKeyed, InMemoryState, DefaultClock>,
    clock: DefaultClock,
}

impl Attempts {
    pub(crate) fn new() -> Self {
        let a_second = NonZeroU32::MIN;
        let burst = |attempts| NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN);
        let slow = Quota::with_period(Duration::from_secs(PLACE_EVERY_S)).unwrap_or(Quota::per_second(a_second));
        Self {
            places: RateLimiter::hashmap(slow.allow_burst(burst(PLACE_BURST))),
            all: RateLimiter::direct(Quota::per_second(a_second).allow_burst(burst(ALL_BURST))),
            clock: DefaultClock::default(),
        }
    }

    /// Counts one more.
    ///
    /// # Errors
    /// Too many: whole seconds until the next.
    pub(crate) fn one_more(&self, from: IpAddr) -> Result<(), u64> {
        if self.places.len() >= PLACES_MAX {
            self.places.retain_recent();
        }
        let wait_s = |wait: Duration| wait.as_secs() + 1;
        if self.places.len() < PLACES_MAX
            && let Err(not_yet) = self.places.check_key(&place(from))
        {
            return Err(wait_s(not_yet.wait_time_from(self.clock.now())));
        }
        self.all.check().map_err(|not_yet| wait_s(not_yet.wait_time_from(self.clock.now())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_place_is_held_back_alone_and_says_until_when() {
        let attempts = Attempts::new();
        let (one, other) = (IpAddr::from([203, 0, 113, 1]), IpAddr::from([203, 0, 113, 2]));
        for _ in 0..PLACE_BURST {
            assert_eq!(attempts.one_more(one), Ok(()));
        }
        let wait_s = attempts.one_more(one).unwrap_err();
        assert!((1..=PLACE_EVERY_S + 1).contains(&wait_s), "{wait_s}");
        assert_eq!(attempts.one_more(other), Ok(()));
    }

    #[test]
    fn many_places_together_are_held_back_and_memory_is_bounded() {
        let attempts = Attempts::new();
        let tries = (0..5_000_u32).map(|n| attempts.one_more(IpAddr::V4(Ipv4Addr::from_bits(n))));
        let taken = u32::try_from(tries.filter(Result::is_ok).count()).unwrap();
        // One a second is added while the test runs.
        assert!((ALL_BURST..ALL_BURST + 60).contains(&taken), "{taken}");
        assert!(attempts.places.len() <= PLACES_MAX);
    }
}
