//! The reads of the store behind the pages. Runs on a worker, never on the thread that answers.

use crate::console::tables::{
    Call, Change, Details, EndpointFigures, Figure, HISTORY_MAX, Overview, RECENT_MAX, Recent, RoleFigures,
};
use crate::exchange::{Outcome, Role};
use crate::review::{self, LatencyReport, ReviewError, Section, human_us};
use crate::store::{CaptureFilter, CaptureSummary, ExchangeSummary, Reader};
use std::path::Path;

/// Figures of both providers over all endpoints, per integration.
pub(crate) fn overview(path: &Path, integrations: &[String]) -> Result<Overview, String> {
    let reader = Reader::open(path).map_err(|error| error.to_string())?;
    let one = |name: &String| Ok((name.clone(), overall(&reader, name)?));
    integrations.iter().map(one).collect::<Result<_, ReviewError>>().map_err(|error| error.to_string())
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
        overall: overall(reader, integration)?,
        endpoints: endpoints(sections),
        hits: reader.hits(integration)?,
        recent: reader.captures(&wanted)?.into_iter().map(recent).collect(),
        history: reader.switches(integration, HISTORY_MAX)?.into_iter().map(change).collect(),
    })
}

fn overall(reader: &Reader, integration: &str) -> Result<EndpointFigures, ReviewError> {
    Ok(endpoints(review::overall(reader, integration)?).pop().unwrap_or_default())
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
    let figure = |rung: &review::Rung| Figure {
        name: rung.name,
        text: rung.estimate.map(|estimate| figure_text(estimate.value_us, estimate.at_least)),
        needs_calls: rung.needs_calls,
    };
    let ok_calls = section.outcomes.iter().filter(|(outcome, _)| *outcome == Outcome::Ok).map(|(_, calls)| calls).sum();
    RoleFigures {
        calls: section.calls,
        ok_calls,
        counted_calls: ladder.calls,
        censored_calls: ladder.censored_calls,
        figures: ladder.rungs.iter().map(figure).collect(),
    }
}

fn figure_text(us: u64, at_least: bool) -> String {
    format!("{}{}", if at_least { "≥ " } else { "" }, human_us(us))
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
