//! The report as text for a terminal. Returned, never printed.

use crate::review::ladder::{LADDER, Rung};
use crate::review::{LatencyReport, Section, WhatIf};
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
}

fn table(header: &[&str], first_number: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(header.iter().copied());
    for column in table.column_iter_mut().skip(first_number) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn ladder_table(sections: &[Section]) -> Table {
    let mut header = vec!["endpoint", "provider", "calls"];
    header.extend(LADDER.iter().map(|(name, ..)| *name));
    let mut table = table(&header, 2);
    for section in sections {
        let mut row = vec![section.endpoint.clone(), section.role.name().to_owned(), section.success.calls.to_string()];
        row.extend(section.success.rungs.iter().map(rung_text));
        table.add_row(row);
    }
    table
}

fn rung_text(rung: &Rung) -> String {
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
        text.push_str("needs N: fewer than N calls do not support this percentile, so it is not shown.\n");
    }
    text.push_str("Intervals take calls as independent; slow episodes of the provider make the true ones wider.\n");
    text
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
    let cut = if row.cut_calls == row.cut_calls_most {
        row.cut_calls.to_string()
    } else {
        format!("{}–{}", row.cut_calls, row.cut_calls_most)
    };
    let share = if row.cut_calls == 0 && row.cut_calls_most == 0 {
        format!("at most {}", percent(row.share_high))
    } else {
        percent(row.share)
    };
    let interval = format!("[{}, {}]", percent(row.share_low), percent(row.share_high));
    let role = section.role.name().to_owned();
    [human_us(row.timeout_us), section.endpoint.clone(), role, cut, row.calls.to_string(), share, interval]
}

/// A share of 0–1 as percent with as many digits as it needs to not read as zero.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        0.0 => "0 %".to_owned(),
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
