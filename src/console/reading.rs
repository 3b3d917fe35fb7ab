//! The reads of the store behind the pages. Runs on a worker, never on the thread that answers.

use crate::console::tables::{
    Brief, Call, Change, Details, EndpointFigures, Figure, HISTORY_MAX, Overview, RECENT_MAX, Recent, RoleFigures,
};
use crate::exchange::{Outcome, Role};
use crate::review::{LatencyReport, ReviewError, Section, human_us};
use crate::store::{CaptureFilter, CaptureSummary, ExchangeSummary, Reader, SeriesFilter, StoreError};
use std::path::Path;

/// "The answer never came", microseconds: the top of what a series holds.
const NEVER_US: u64 = 600_000_000;

/// The percentiles of the list: name, rank as a fraction, and the calls without which a one-sided 95 % bound does not
/// exist (ln 0.05 / ln q), the rule of the review.
const BRIEF: [(&str, u64, u64, u64); 2] = [("p50", 1, 2, 5), ("p99", 99, 100, 299)];

/// Figures of both providers over all endpoints, per integration.
pub(crate) fn overview(path: &Path, integrations: &[String]) -> Result<Overview, String> {
    let reader = Reader::open(path).map_err(|error| error.to_string())?;
    let one = |name: &String| Ok((name.clone(), brief(&reader, name)?));
    integrations.iter().map(one).collect::<Result<_, StoreError>>().map_err(|error| error.to_string())
}

/// Everything the page of one integration shows.
pub(crate) fn details(path: &Path, integration: &str) -> Result<Details, String> {
    let reader = Reader::open(path).map_err(|error| error.to_string())?;
    read_details(&reader, integration).map_err(|error| error.to_string())
}

fn read_details(reader: &Reader, integration: &str) -> Result<Details, ReviewError> {
    let sections = match LatencyReport::build(reader, integration, None, None, &[]) {
        Ok(report) => report.sections,
        Err(ReviewError::Store(error)) => return Err(ReviewError::Store(error)),
        // Nothing recorded yet is an empty table, not an error.
        Err(_) => Vec::new(),
    };
    let wanted = CaptureFilter { integration: Some(integration.to_owned()), limit: RECENT_MAX, ..Default::default() };
    let change = |row: crate::store::SwitchRow| Change {
        at_unix_us: row.at_unix_us,
        on: row.on,
        sample_ppm: row.sample_ppm,
        who: row.who,
        reason: row.reason,
    };
    Ok(Details {
        endpoints: endpoints(sections),
        hits: reader.hits(integration)?,
        recent: reader.captures(&wanted)?.into_iter().map(recent).collect(),
        history: reader.switches(integration, HISTORY_MAX)?.into_iter().map(change).collect(),
    })
}

/// Sections come by endpoint, the primary before the shadow.
fn endpoints(sections: Vec<Section>) -> Vec<EndpointFigures> {
    let mut rows: Vec<EndpointFigures> = Vec::new();
    for section in sections {
        let figures = figures_of(&section);
        if rows.last().is_none_or(|row| row.endpoint != section.endpoint) {
            rows.push(EndpointFigures { endpoint: section.endpoint, ..EndpointFigures::default() });
        }
        if let Some(row) = rows.last_mut() {
            match section.role {
                Role::Primary => row.primary = Some(figures),
                Role::Shadow => row.shadow = Some(figures),
            }
        }
    }
    rows
}

fn figures_of(section: &Section) -> RoleFigures {
    let ladder = &section.success;
    let figure = |rung: &crate::review::Rung| Figure {
        name: rung.name,
        text: rung.estimate.map(|estimate| figure_text(estimate.value_us, estimate.at_least)),
        needs_calls: rung.needs_calls,
        has_calls: ladder.calls,
    };
    RoleFigures {
        calls: section.calls,
        censored_calls: ladder.censored_calls,
        figures: ladder.rungs.iter().map(figure).collect(),
    }
}

fn figure_text(us: u64, at_least: bool) -> String {
    format!("{}{}", if at_least { "≥ " } else { "" }, human_us(us))
}

fn brief(reader: &Reader, integration: &str) -> Result<Brief, StoreError> {
    let filter = SeriesFilter { integration: integration.to_owned(), ..SeriesFilter::default() };
    let all = reader.series(&filter)?;
    let of = |role: Role| {
        let (mut least, mut most, mut calls, mut censored_calls) = (None, None, 0, 0);
        for (key, series) in all.iter().filter(|(key, _)| key.role == role && key.phase.name() == "total") {
            calls += series.len();
            // As in the review: successful calls, and the ones we ended ourselves as "at least this long".
            if key.outcome != Outcome::Ok && !key.outcome.is_censored() {
                continue;
            }
            let (least, most) =
                (least.get_or_insert_with(|| empty_like(series)), most.get_or_insert_with(|| empty_like(series)));
            least.merge(series);
            if key.outcome.is_censored() {
                censored_calls += series.len();
                (0..series.len()).for_each(|_| most.record(NEVER_US));
            } else {
                most.merge(series);
            }
        }
        let has_calls = least.as_ref().map_or(0, |series| series.len());
        let figure = |(name, num, den, needs_calls): (&'static str, u64, u64, u64)| {
            let low = least.as_ref().filter(|_| has_calls >= needs_calls).and_then(|series| series.quantile(num, den));
            let high = most.as_ref().and_then(|series| series.quantile(num, den));
            Figure { name, text: low.map(|us| figure_text(us, high != Some(us))), needs_calls, has_calls }
        };
        let figures = if calls == 0 { Vec::new() } else { BRIEF.into_iter().map(figure).collect() };
        RoleFigures { calls, censored_calls, figures }
    };
    Ok(Brief { primary: of(Role::Primary), shadow: of(Role::Shadow) })
}

/// An empty series; its room is not one that the console may name.
fn empty_like<T: Default>(_: &T) -> T {
    T::default()
}

fn recent(row: CaptureSummary) -> Recent {
    Recent {
        received_unix_us: row.received_unix_us,
        endpoint: row.endpoint,
        primary: row.primary.as_ref().map(call),
        shadow: call(&row.shadow),
        verdict: row.verdict,
    }
}

fn call(exchange: &ExchangeSummary) -> Call {
    let answer = match (exchange.status, exchange.failure) {
        (Some(status), None) => status.to_string(),
        (_, Some(failure)) => failure.name().replace('_', " "),
        (None, None) => exchange.outcome.name().replace('_', " "),
    };
    Call { answer, took: human_us(exchange.total_us), good: exchange.outcome == Outcome::Ok }
}
