//! A histogram of any bytes is decoded or refused, also when its checksum is right.

#![no_main]

use darklaunch::latency::{Exact, Series, crc32_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u64, u64, u64, u64, &[u8])| {
    let (n, sum_us, min_us, max_us, tail) = input;
    let exact = |blob: &[u8]| Exact { n, sum_us, min_us: Some(min_us), max_us: Some(max_us), crc32: crc32_of(blob) };
    let _ = Series::decode(tail, exact(tail));
    // With the header that this version writes, so that what is behind it is reached.
    let mut blob = Series::new().encode();
    blob.truncate(40);
    blob.extend_from_slice(tail);
    if let Some(length) = blob.get_mut(4..8) {
        length.copy_from_slice(&(tail.len() as u32).to_be_bytes());
    }
    if let Ok(series) = Series::decode(&blob, exact(&blob)) {
        assert_eq!(series.len(), n);
        assert!(series.quantile(1, 2).is_none_or(|us| us <= darklaunch::latency::HIGHEST_US.max(max_us)));
    }
});
