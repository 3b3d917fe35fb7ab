//! Series as an HdrHistogram interval log (`.hlog`), which HdrHistogram's own plotter and log analysers open.

use crate::latency::Series;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, IntervalLogWriterError, Tag};
use std::io::{Error, Write};
use std::time::Duration;

/// One line of the log.
pub struct LogLine<'a> {
    /// What it is about; spaces and commas become `_` and `;`, which the format has no room for.
    pub tag: &'a str,
    /// Seconds since the Unix epoch.
    pub start_unix_s: i64,
    /// Seconds.
    pub length_s: i64,
    /// Microseconds.
    pub series: &'a Series,
}

/// Writes a log: `feed` is given a function that takes line after line. Largest values are shown in seconds, everything
/// else is in microseconds.
///
/// # Errors
/// What `out` says, and what `feed` says.
pub fn write_interval_log<W: Write, E: From<Error>>(
    out: &mut W,
    feed: impl FnOnce(&mut dyn FnMut(LogLine<'_>)) -> Result<(), E>,
) -> Result<(), E> {
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment("[darklaunch: latencies in microseconds]")
        .with_max_value_divisor(1e6)
        .begin_log_with(out, &mut serializer)?;
    let mut failed = None;
    feed(&mut |line| {
        let tag: String = line.tag.chars().map(|letter| if letter == ',' { ';' } else { letter }).collect();
        let tag = tag.replace(char::is_whitespace, "_");
        let seconds = |s: i64| Duration::from_secs(u64::try_from(s).unwrap_or_default());
        let counts = line.series.histogram();
        let written = log.write_histogram(&counts, seconds(line.start_unix_s), seconds(line.length_s), Tag::new(&tag));
        if let (Err(error), None) = (written, &failed) {
            failed = Some(match error {
                IntervalLogWriterError::IoError(error) => error,
                IntervalLogWriterError::SerializeError(_) => Error::other("a histogram cannot be written"),
            });
        }
    })?;
    failed.map_or(Ok(()), |error| Err(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    #[test]
    fn what_is_written_is_read_back() {
        let mut series = Series::new();
        (1..=1_000).for_each(|ms| series.record(ms * 1_000));
        let mut out = Vec::new();
        let tag = "GET /a,b shadow ok";
        let line = LogLine { tag, start_unix_s: 1_800_000_000, length_s: 600, series: &series };
        write_interval_log::<_, Error>(&mut out, |each| {
            each(line);
            Ok(())
        })
        .unwrap();
        let entries: Vec<_> = IntervalLogIterator::new(&out).map(Result::unwrap).collect();
        let held = entries.iter().find_map(|entry| match entry {
            LogEntry::Interval(held) => Some(held),
            _ => None,
        });
        let held = held.unwrap();
        assert_eq!(held.tag().unwrap().as_str(), "GET_/a;b_shadow_ok");
        assert_eq!((held.start_timestamp().as_secs(), held.duration().as_secs()), (1_800_000_000, 600));
        let blob = base64::engine::general_purpose::STANDARD.decode(held.encoded_histogram()).unwrap();
        let read: Histogram<u64> = Deserializer::new().deserialize(&mut &blob[..]).unwrap();
        assert_eq!((read.len(), read.value_at_quantile(0.5)), (1_000, series.quantile(1, 2).unwrap()));
    }
}
