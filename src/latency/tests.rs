//! The figures held against sorted lists, the tables of the literature, and hostile blobs.

mod simulation;

use super::*;
use crate::exchange::{Outcome, Role, Timings};
use proptest::prelude::*;
use statrs::function::erf::erf_inv;

/// `n` calls at the quantiles of a log-normal distribution: the distribution itself, without chance.
pub(crate) fn lognormal(median_us: f64, sigma: f64, n: u64) -> Slots {
    let at = |rank: u64| (rank as f64 + 0.5) / n as f64;
    let z = |p: f64| std::f64::consts::SQRT_2 * erf_inv(2.0 * p - 1.0);
    Slots::from_counts((0..n).map(|rank| ((median_us * (sigma * z(at(rank))).exp()) as u64, 1)))
}

fn series(values: &[u64]) -> Series {
    let mut series = Series::new();
    values.iter().for_each(|us| series.record(*us));
    series
}

fn latencies() -> impl Strategy<Value = Vec<u64>> {
    let one = prop_oneof![0..2_000_u64, 0..HIGHEST_US, Just(0), Just(u64::MAX), Just(HIGHEST_US + 1)];
    // Few enough to be held one by one, and more.
    proptest::collection::vec(one, 0..600)
}

#[test]
fn a_series_costs_what_its_calls_cost_and_never_more_than_25_kb() {
    let mut one = Series::new();
    let mut largest = 0;
    for us in 0..100_000_u64 {
        one.record(us * 5_000);
        largest = largest.max(one.heap_bytes());
        assert!(us >= 10 || one.heap_bytes() <= 128, "{us}: {}", one.heap_bytes());
    }
    assert!(largest <= 25_000, "{largest}");
}

proptest! {
    #[test]
    fn merging_is_recording_both(a in latencies(), b in latencies()) {
        let mut merged = series(&a);
        merged.merge(&series(&b));
        prop_assert_eq!(merged, series(&[a, b].concat()));
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_list(mut values in latencies(), num in 0..=1_000_u64) {
        values.retain(|us| *us <= HIGHEST_US);
        let got = series(&values).quantile(num, 1_000);
        values.sort_unstable();
        let rank = (values.len() as u64 * num).div_ceil(1_000).max(1) as usize;
        match values.get(rank - 1) {
            None => prop_assert_eq!(got, None),
            Some(truth) => {
                let got = got.unwrap();
                prop_assert!(got >= *truth && got as f64 <= *truth as f64 * 1.01 + 1.0, "{} for {}", got, truth);
            }
        }
    }

    #[test]
    fn never_fewer_above_a_limit_than_there_are(values in latencies(), limit in 0..HIGHEST_US) {
        let got = series(&values).count_above(limit);
        prop_assert!(got >= values.iter().filter(|us| **us > limit).count() as u64);
        let clearly = values.iter().filter(|us| **us as f64 > limit as f64 * 0.99 - 1.0).count() as u64;
        prop_assert!(got <= clearly);
    }

    #[test]
    fn decoding_undoes_encoding(values in latencies()) {
        let series = series(&values);
        let blob = series.encode();
        prop_assert_eq!(Slots::decode(&blob, series.exact(&blob)).unwrap(), Slots::of(&series));
        prop_assert_eq!(Series::decode(&blob, series.exact(&blob)).unwrap(), series);
    }

    #[test]
    fn a_changed_blob_is_refused(values in latencies(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let series = series(&values);
        let mut blob = series.encode();
        let exact = series.exact(&blob);
        let at = at.index(blob.len());
        blob[at] ^= flip;
        prop_assert!(Series::decode(&blob, exact).is_err());
    }

    /// With a checksum that fits: only the checks of header and counts stand between the blob and the decoder.
    #[test]
    fn a_hostile_blob_never_panics(
        values in latencies(),
        at in any::<prop::sample::Index>(),
        junk in proptest::collection::vec(any::<u8>(), 1..40),
        n in any::<u64>(),
    ) {
        let series = series(&values);
        let mut blob = series.encode();
        let at = at.index(blob.len());
        blob.splice(at.., junk);
        let exact = Exact { n, crc32: crc32_of(&blob), ..series.exact(&blob) };
        let _ = Series::decode(&blob, exact);
        if blob.len() > 40 {
            let payload = (blob.len() - 40) as u32;
            let mut header = series.encode();
            header.truncate(40);
            header[4..8].copy_from_slice(&payload.to_be_bytes());
            blob[..40].copy_from_slice(&header);
            let _ = Series::decode(&blob, Exact { crc32: crc32_of(&blob), ..exact });
        }
    }

    #[test]
    fn any_bytes_are_no_panic(blob in proptest::collection::vec(any::<u8>(), 0..200)) {
        let exact = Exact { n: 1, sum_us: 1, min_us: Some(1), max_us: Some(1), crc32: crc32_of(&blob) };
        prop_assert!(Series::decode(&blob, exact).is_err());
    }
}

#[test]
fn headers_that_claim_too_much_are_refused_before_decoding() {
    let series = series(&[1, 2, 3]);
    let changed = |at: usize, byte: u8| {
        let mut blob = series.encode();
        blob[at] = byte;
        Series::decode(&blob, Exact { crc32: crc32_of(&blob), ..series.exact(&blob) })
    };
    // Payload of 2 GiB, five digits, highest value near the end of u64, another cookie.
    for (at, byte) in [(4, 0x7f), (15, 5), (24, 0x7f), (0, 0)] {
        assert!(matches!(changed(at, byte), Err(BadBlob::Header { .. })), "byte {at}");
    }
    let long = vec![0; 1 << 20];
    assert!(matches!(Series::decode(&long, series.exact(&long)), Err(BadBlob::Size { .. })));
    let blob = series.encode();
    for wrong in [
        Exact { n: 4, ..series.exact(&blob) },
        Exact { min_us: Some(9), ..series.exact(&blob) },
        Exact { max_us: None, ..series.exact(&blob) },
        Exact { sum_us: 99, ..series.exact(&blob) },
    ] {
        assert!(matches!(Series::decode(&blob, wrong), Err(BadBlob::Exact { .. })), "{wrong:?}");
    }
}

#[test]
fn a_run_of_two_to_the_sixty_third_empty_slots_is_refused() {
    let mut blob = Series::new().encode();
    blob.truncate(40);
    blob[4..8].copy_from_slice(&9_u32.to_be_bytes());
    blob.extend([0xFF; 9]);
    let exact = Exact { n: 0, sum_us: 0, min_us: None, max_us: None, crc32: crc32_of(&blob) };
    assert_eq!(Series::decode(&blob, exact).unwrap_err(), BadBlob::Counts);
}

#[test]
fn ranks_are_whole_numbers_and_nothing_is_not_zero() {
    let thousand = series(&(1..=1_000).map(|n| n * 1_000).collect::<Vec<_>>());
    // In floating point this is rank 1000.
    assert!(thousand.quantile(999, 1_000).unwrap() < 1_000_000);
    assert_eq!(thousand.quantile(1, 1), Some(1_000_000));
    assert_eq!(series(&[]).quantile(1, 2), None);
    assert_eq!((series(&[]).min_us(), series(&[]).max_us()), (None, None));
    assert_eq!(thousand.quantile(2, 1), None);
    assert_eq!(thousand.quantile(0, 0), None);
    assert_eq!(series(&[u64::MAX]).quantile(1, 2), Some(u64::MAX));
    assert_eq!(series(&[700_000_000, u64::MAX]).count_above(HIGHEST_US * 2), 1);
}

#[test]
fn a_shard_records_the_phases_that_happened_and_hands_over() {
    let mut shard = Shard::new();
    let timings = Timings { queue_wait_us: 1, connect_us: None, ttfb_us: Some(2), total_us: 3 };
    let (integration, endpoint) = ("pay".into(), "GET /a".into());
    for _ in 0..2 {
        shard.record_exchange(&integration, &endpoint, Role::Shadow, Outcome::Ok, &timings);
    }
    let mut taken = shard.take();
    assert!(shard.is_empty() && !taken.is_empty());
    let opened = Timings { connect_us: Some(2), ..timings };
    shard.record_exchange(&integration, &endpoint, Role::Shadow, Outcome::Ok, &opened);
    shard.record_exchange(&integration, &endpoint, Role::Primary, Outcome::Ok, &timings);
    shard.record_difference(&integration, &endpoint, 40);
    shard.record_difference(&integration, &endpoint, -7);
    taken.merge(shard);
    let seen: std::collections::BTreeMap<_, _> =
        taken.iter().map(|(key, one)| ((key.role, key.phase), (one.len(), one.sum_us()))).collect();
    assert_eq!(seen[&(Role::Shadow, Phase::Total)], (3, 9));
    assert_eq!((seen[&(Role::Shadow, Phase::TotalNew)], seen[&(Role::Shadow, Phase::Connect)]), ((1, 3), (1, 2)));
    assert_eq!((seen[&(Role::Shadow, Phase::Slower)], seen[&(Role::Shadow, Phase::Faster)]), ((1, 40), (1, 7)));
    assert_eq!((seen[&(Role::Primary, Phase::Ttfb)], seen.len()), ((1, 2), 10));
    assert_eq!(taken.into_iter().count(), 10);
    assert!(Phase::ALL.into_iter().all(|phase| Phase::from_code(phase.code()) == Some(phase)));
}
