//! Which recordings a page shows, as its address says it. What is not understood is told, not guessed.

use crate::console::words;
use crate::exchange::{CaptureId, Outcome};
use crate::review::human_us;
use crate::store::{CaptureFilter, CaptureSummary};
use serde::Deserialize;
use uuid::Uuid;

/// Rows of a page.
pub(crate) const PAGE_ROWS: usize = 50;
/// Newest recordings that are sorted by time taken.
pub(crate) const SORTED_MAX: usize = 1_000;

/// The address's query; everything may be absent or empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    pub(crate) integration: String,
    pub(crate) endpoint: String,
    pub(crate) outcome: String,
    /// Seconds since the Unix epoch.
    pub(crate) from: String,
    /// Seconds since the Unix epoch.
    pub(crate) until: String,
    pub(crate) slower_than_us: String,
    pub(crate) at_most_us: String,
    /// The same in milliseconds, as people write it.
    pub(crate) slower_than_ms: String,
    pub(crate) redacted: String,
    pub(crate) sort: String,
    /// The last id of the page before.
    pub(crate) before: String,
}

/// In which order the rows stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Newest,
    Slowest,
    FirstByte,
}

impl Sort {
    pub(crate) const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Newest, "newest", "newest first"),
        (Self::Slowest, "slowest", "slowest first"),
        (Self::FirstByte, "first_byte", "latest first byte first"),
    ];
}

impl Query {
    /// What the store is asked for, or what is wrong.
    pub(crate) fn filter(&self) -> Result<(CaptureFilter, Sort), String> {
        let number = |name: &str, text: &str| match text.trim() {
            "" => Ok(None),
            text => text.parse::<i64>().map(Some).map_err(|_| format!("{name} \"{}\" is no whole number", clip(text))),
        };
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let outcome = match text(&self.outcome) {
            Some(name) => Some(Outcome::from_name(&name).ok_or_else(|| {
                let names: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
                format!("outcome \"{}\" is unknown; one of {}", clip(&name), names.join(", "))
            })?),
            None => None,
        };
        let before = match text(&self.before) {
            Some(id) => {
                Some(CaptureId(Uuid::parse_str(&id).map_err(|_| format!("before \"{}\" is no id", clip(&id)))?))
            }
            None => None,
        };
        let sort = match text(&self.sort) {
            Some(name) => Sort::ALL
                .iter()
                .find(|(_, known, _)| *known == name)
                .map(|(sort, ..)| *sort)
                .ok_or_else(|| format!("sort \"{}\" is unknown; one of newest, slowest, first_byte", clip(&name)))?,
            None => Sort::Newest,
        };
        let us = number("slower_than_us", &self.slower_than_us)?;
        let ms = match self.slower_than_ms.trim() {
            "" => None,
            text => Some(
                text.parse::<f64>()
                    .ok()
                    .filter(|ms| ms.is_finite() && *ms >= 0.0)
                    .ok_or_else(|| format!("slower_than_ms \"{}\" is no number of milliseconds", clip(text)))?,
            ),
        };
        // As a number of this type the largest stays the largest.
        let ms = ms.map(|ms| (ms * 1_000.0).round() as i64);
        let unix_us = |s: Option<i64>| s.map(|s| s.saturating_mul(1_000_000));
        let filter = CaptureFilter {
            integration: text(&self.integration),
            endpoint: text(&self.endpoint),
            outcome,
            at_most_us: number("at_most_us", &self.at_most_us)?.and_then(|us| u64::try_from(us).ok()),
            slower_than_us: ms.or(us).and_then(|us| u64::try_from(us).ok()),
            redacted_by: text(&self.redacted),
            since_unix_us: unix_us(number("from", &self.from)?),
            until_unix_us: unix_us(number("until", &self.until)?),
            before,
            limit: if sort == Sort::Newest { PAGE_ROWS } else { SORTED_MAX },
            ..CaptureFilter::default()
        };
        Ok((filter, sort))
    }

    /// The address of the page after `last`.
    pub(crate) fn after(&self, last: &CaptureSummary) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let all = [
            ("integration", &self.integration),
            ("endpoint", &self.endpoint),
            ("outcome", &self.outcome),
            ("from", &self.from),
            ("until", &self.until),
            ("slower_than_us", &self.slower_than_us),
            ("at_most_us", &self.at_most_us),
            ("slower_than_ms", &self.slower_than_ms),
            ("redacted", &self.redacted),
        ];
        for (name, value) in all.iter().filter(|(_, value)| !value.trim().is_empty()) {
            query.append_pair(name, value);
        }
        query.append_pair("before", &last.id.to_string());
        format!("/recordings?{}", query.finish())
    }

    /// Bounds that the form has no field for in words; empty without any.
    pub(crate) fn bounds(&self) -> String {
        let at_most = self.at_most_us.trim().parse::<u64>().ok().map(|us| format!("{} at most", human_us(us)));
        let all: Vec<String> = [self.times(), at_most].into_iter().flatten().collect();
        all.join(", ")
    }

    fn times(&self) -> Option<String> {
        let moment = |text: &str| text.trim().parse::<i64>().ok().map(|s| words::moment(s.saturating_mul(1_000_000)));
        match (moment(&self.from), moment(&self.until)) {
            (Some(from), Some(until)) => Some(format!("from {from} to {until}")),
            (Some(from), None) => Some(format!("since {from}")),
            (None, Some(until)) => Some(format!("before {until}")),
            (None, None) => None,
        }
    }
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Puts the rows in order, and keeps a page of them.
pub(crate) fn sorted(mut rows: Vec<CaptureSummary>, sort: Sort) -> Vec<CaptureSummary> {
    match sort {
        Sort::Newest => {}
        Sort::Slowest => rows.sort_by_key(|row| std::cmp::Reverse(row.shadow.total_us)),
        Sort::FirstByte => rows.sort_by_key(|row| std::cmp::Reverse(row.shadow.ttfb_us)),
    }
    rows.truncate(PAGE_ROWS);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_understood_or_refused_by_name() {
        let asked = Query { outcome: "ok".into(), slower_than_ms: "20".into(), from: "5".into(), ..Query::default() };
        let (filter, sort) = asked.filter().unwrap();
        assert_eq!(
            (filter.outcome, filter.slower_than_us, filter.since_unix_us),
            (Some(Outcome::Ok), Some(20_000), Some(5_000_000))
        );
        assert_eq!(
            (sort, filter.limit, asked.bounds().as_str()),
            (Sort::Newest, PAGE_ROWS, "since 1970-01-01 00:00:05 UTC")
        );
        let cell = Query { slower_than_us: "999".into(), at_most_us: "1413".into(), ..Query::default() };
        let (filter, _) = cell.filter().unwrap();
        assert_eq!((filter.slower_than_us, filter.at_most_us), (Some(999), Some(1_413)));
        assert_eq!(cell.bounds(), "1.4 ms at most");
        let part = Query { slower_than_ms: "0.999".into(), ..Query::default() };
        assert_eq!(part.filter().unwrap().0.slower_than_us, Some(999));
        for (bad, names) in [
            (Query { outcome: "fine".into(), ..Query::default() }, "outcome \"fine\""),
            (Query { before: "../../etc".into(), ..Query::default() }, "before"),
            (Query { slower_than_ms: "soon".into(), ..Query::default() }, "slower_than_ms"),
            (Query { sort: "random".into(), ..Query::default() }, "sort \"random\""),
        ] {
            let error = bad.filter().unwrap_err();
            assert!(error.contains(names), "{error}");
        }
    }
}
