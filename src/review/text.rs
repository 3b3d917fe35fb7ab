//! The report as text for a terminal. Returned, never printed.

use crate::latency::stats::{LADDER, WhatIf};
use crate::review::plot::percentile_plot;
use crate::review::{LatencyReport, Rung, Section};
use comfy_table::{CellAlignment, Table, presets};
use std::fmt::Write as _;

impl LatencyReport {
    /// The report for a person: percentiles, outcomes, what-if, ledger.
    pub fn to_text(&self) -> String {
        format!("{}\nledger since recording began\n{}", self.tables_text(), self.ledger.to_text())
    }

    /// The same without the ledger, for where it is shown already.
    pub fn tables_text(&self) -> String {
        let mut text = format!("latency of {}", self.integration);
        if let Some(endpoint) = &self.endpoint {
            let _ = write!(text, ", {endpoint}");
        }
        text.push_str(": time to the answer's last byte, successful calls [95 % interval]\n");
        let _ = writeln!(text, "{}", ladder_table(&self.sections));
        text.push_str(&notes(&self.sections));
        let _ = writeln!(text, "\noutcomes, every call\n{}", outcome_table(&self.sections));
        if self.sections.iter().any(|section| !section.what_if.is_empty()) {
            let _ = writeln!(text, "\nwhat a timeout would cut [95 % interval]\n{}", what_if_table(&self.sections));
        }
        text
    }

    /// Where the time of the successful calls went.
    pub fn phases_text(&self) -> String {
        let mut header = vec!["endpoint", "provider", "part of the call", "calls"];
        header.extend(LADDER.iter().map(|level| level.name));
        let mut table = table(&header, 3);
        for section in &self.sections {
            for (name, ladder) in &section.phases {
                let calls = ladder.calls.to_string();
                let mut row = vec![section.endpoint.clone(), section.role.name().to_owned(), (*name).to_owned(), calls];
                row.extend(ladder.rungs.iter().map(rung_text));
                table.add_row(row);
            }
        }
        format!("where the time went, successful calls [95 % interval, calls taken as independent]\n{table}\n")
    }

    /// A drawing of each percentile curve, as far as its calls support it.
    pub fn curves_text(&self) -> String {
        let mut text = String::new();
        for section in self.sections.iter().filter(|section| !section.answered.is_empty()) {
            let supported =
                section.success.rungs.iter().filter(|rung| rung.estimate.is_some()).map(|rung| rung.quantile);
            let plot = percentile_plot(&section.answered, supported.fold(0.5, f64::max));
            let _ =
                writeln!(text, "{} {}, {} calls\n{plot}", section.endpoint, section.role.name(), section.success.calls);
        }
        text
    }
}

pub(crate) fn table(header: &[&str], first_number: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(header.iter().copied());
    for column in table.column_iter_mut().skip(first_number) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn ladder_table(sections: &[Section]) -> Table {
    let mut header = vec!["endpoint", "provider", "calls"];
    header.extend(LADDER.iter().map(|level| level.name));
    let mut table = table(&header, 2);
    for section in sections {
        let mut row = vec![section.endpoint.clone(), section.role.name().to_owned(), section.success.calls.to_string()];
        row.extend(section.success.rungs.iter().map(rung_text));
        table.add_row(row);
    }
    table
}

pub(crate) fn rung_text(rung: &Rung) -> String {
    let Some(estimate) = rung.estimate else {
        return format!("needs {}", rung.needs_calls);
    };
    let sign = if estimate.at_least { "≥ " } else { "" };
    format!("{sign}{}\n[{}]", human_us(estimate.value_us), interval_text(estimate.low_us, estimate.high_us))
}

/// `13.2, 13.8 ms`: the unit once where both ends share it, since five of these stand side by side.
fn interval_text(low_us: Option<u64>, high_us: Option<u64>) -> String {
    let low = low_us.map_or_else(|| "–".to_owned(), human_us);
    let high = high_us.map_or_else(|| "open".to_owned(), human_us);
    match (low.split_once(' '), high.split_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => format!("{number}, {high}"),
        _ => format!("{low}, {high}"),
    }
}

fn notes(sections: &[Section]) -> String {
    let mut text = String::new();
    let censored: u64 = sections.iter().map(|section| section.success.censored_calls).sum();
    if censored > 0 {
        let _ = writeln!(
            text,
            "{censored} calls ended by our own timeout, the kill-switch or shutdown are counted as at least that long."
        );
    }
    if sections.iter().any(|section| section.success.rungs.iter().any(|rung| rung.estimate.is_none())) {
        text.push_str(
            "needs N: fewer than N calls do not support this percentile, so it is not shown; p99.9 and beyond want two days of calls.\n",
        );
    }
    text.push_str(&rare_episodes(sections));
    let deff = sections.iter().map(|section| section.success.deff()).fold(1.0, f64::max);
    if !sections.iter().all(|section| section.success.sees_episodes()) {
        text.push_str(
            "Intervals take calls as independent where fewer than twenty stretches of ten minutes hold any.\n",
        );
    } else if deff >= 1.5 {
        let _ = writeln!(text, "Slow calls come in episodes: up to {deff:.0} of them tell as much as one alone would.");
    }
    text
}

/// A percentile that is one call in a thousand, of a recording that could not show an episode in a hundred.
fn rare_episodes(sections: &[Section]) -> String {
    const ENOUGH: usize = 432;
    let far = |section: &&Section| {
        let ladder = &section.success;
        let given = ladder.rungs.iter().any(|rung| rung.quantile >= 0.999 && rung.estimate.is_some());
        given && ladder.sees_episodes() && ladder.intervals < ENOUGH
    };
    // Three over n: what has not been seen in n tries happens at most so often, with 95 % confidence.
    match sections.iter().filter(far).map(|section| section.success.intervals).min() {
        None => String::new(),
        Some(n) => format!(
            "p99.9 and beyond rest on {n} stretches of ten minutes: slow ones rarer than one in {} may not have been met.\n",
            n / 3
        ),
    }
}

fn outcome_table(sections: &[Section]) -> Table {
    let mut table = table(&["endpoint", "provider", "outcome", "calls", "share"], 3);
    for section in sections {
        for (index, (outcome, calls)) in section.outcomes.iter().enumerate() {
            let (endpoint, role) = if index == 0 { (section.endpoint.as_str(), section.role.name()) } else { ("", "") };
            let share = percent(*calls as f64 / section.calls.max(1) as f64);
            table.add_row([endpoint, role, outcome.name(), &calls.to_string(), &share]);
        }
    }
    table
}

fn what_if_table(sections: &[Section]) -> Table {
    let mut table = table(&["timeout", "endpoint", "provider", "calls cut", "of", "share", "interval"], 3);
    let mut timeouts: Vec<u64> =
        sections.iter().flat_map(|section| &section.what_if).map(|row| row.timeout_us).collect();
    timeouts.sort_unstable();
    timeouts.dedup();
    for timeout_us in timeouts {
        for section in sections {
            for row in section.what_if.iter().filter(|row| row.timeout_us == timeout_us).take(1) {
                table.add_row(what_if_row(section, row));
            }
        }
    }
    table
}

fn what_if_row(section: &Section, row: &WhatIf) -> [String; 7] {
    let (surely, at_most) = (row.surely, row.at_most);
    let cut = if surely.k == at_most.k { surely.k.to_string() } else { format!("{}–{}", surely.k, at_most.k) };
    let share = if at_most.k == 0 { format!("at most {}", percent(at_most.high)) } else { percent(surely.value()) };
    let interval = format!("[{}, {}]", percent(surely.low), percent(at_most.high));
    let role = section.role.name().to_owned();
    [human_us(row.timeout_us), section.endpoint.clone(), role, cut, surely.n.to_string(), share, interval]
}

/// A share of 0–1 as percent with as many digits as it needs to not read as zero.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        0.0 => "0 %".to_owned(),
        // Nor does what is missing read as nothing.
        p if p < 100.0 && p > 99.9 => format!("{p:.3} %"),
        p if p < 100.0 && p > 99.0 => format!("{p:.2} %"),
        p if p < 0.1 => format!("{p:.3} %"),
        p if p < 1.0 => format!("{p:.2} %"),
        p => format!("{p:.1} %"),
    }
}

/// Microseconds for a person: `870 µs`, `12.4 ms`, `350 ms`, `1.25 s`, `90.0 s`.
pub fn human_us(us: u64) -> String {
    let float = us as f64;
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..100_000 => format!("{:.1} ms", float / 1e3),
        100_000..1_000_000 => format!("{:.0} ms", float / 1e3),
        1_000_000..10_000_000 => format!("{:.2} s", float / 1e6),
        _ => format!("{:.1} s", float / 1e6),
    }
}
