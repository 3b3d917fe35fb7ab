//! The ledger of an integration: every request that arrived, in the one state where it ended.

use comfy_table::{CellAlignment, Table, presets};
use std::collections::BTreeMap;

/// The counters of one integration, summed over all runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerTally {
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests on their way to an end state.
    pub pending: u64,
    /// Repeated to the shadow, by outcome.
    pub mirrored: BTreeMap<String, u64>,
    /// Not repeated to the shadow, by reason.
    pub not_mirrored: BTreeMap<String, u64>,
    /// The primary's answers, by outcome.
    pub primary: BTreeMap<String, u64>,
    /// Captures stored.
    pub recorded: u64,
    /// Captures not stored, by reason.
    pub not_recorded: BTreeMap<String, u64>,
    /// Bodies left out of stored captures, by reason.
    pub body_dropped: BTreeMap<String, u64>,
    /// Parts of multipart bodies not kept, by reason.
    pub part_dropped: BTreeMap<String, u64>,
    /// By how much the wall clock was set meanwhile: `ahead_ms` and `back_ms`, milliseconds.
    pub clock_steps: BTreeMap<String, u64>,
}

impl LedgerTally {
    /// Sums `(state, count)` rows as the store names them; states this version does not know are left out.
    pub fn from_rows<'a>(rows: impl IntoIterator<Item = (&'a str, u64)>) -> Self {
        let mut tally = Self::default();
        for (state, count) in rows {
            tally.add(state, count);
        }
        tally
    }

    fn add(&mut self, state: &str, count: u64) {
        let (kind, name) = state.split_once('.').unwrap_or((state, ""));
        let by_name = match kind {
            "arrived" => return self.arrived += count,
            "pending" => return self.pending += count,
            "recorded" => return self.recorded += count,
            "mirrored" => &mut self.mirrored,
            "not_mirrored" => &mut self.not_mirrored,
            "primary" => &mut self.primary,
            "not_recorded" => &mut self.not_recorded,
            "body_dropped" => &mut self.body_dropped,
            "part_dropped" => &mut self.part_dropped,
            "clock_step" => &mut self.clock_steps,
            _ => return,
        };
        if count > 0 {
            *by_name.entry(name.to_owned()).or_default() += count;
        }
    }

    /// Requests repeated to the shadow, whatever came of it.
    pub fn mirrored_total(&self) -> u64 {
        self.mirrored.values().sum()
    }

    /// Requests not repeated to the shadow, for whatever reason.
    pub fn not_mirrored_total(&self) -> u64 {
        self.not_mirrored.values().sum()
    }

    /// Whether every request that arrived is in exactly one state.
    pub fn adds_up(&self) -> bool {
        self.arrived == self.mirrored_total() + self.not_mirrored_total() + self.pending
    }

    /// The sum in one line, and whether it is right.
    pub fn sum_line(&self) -> String {
        let (mirrored, not_mirrored) = (self.mirrored_total(), self.not_mirrored_total());
        let counted = mirrored + not_mirrored + self.pending;
        let sum = format!("{mirrored} mirrored + {not_mirrored} not mirrored + {} pending", self.pending);
        if self.adds_up() {
            format!("adds up: {} arrived = {sum}", self.arrived)
        } else {
            format!("DOES NOT ADD UP: {} arrived, but {sum} = {counted}", self.arrived)
        }
    }

    /// The counters as a table and the line that says whether they add up.
    pub fn to_text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_header(["ledger", "", "requests"]);
        let mut row = |what: &str, name: &str, count: u64| {
            table.add_row([what, name, &count.to_string()]);
        };
        row("arrived", "", self.arrived);
        let groups = [
            ("mirrored", &self.mirrored),
            ("not mirrored", &self.not_mirrored),
            ("primary answered", &self.primary),
            ("not recorded", &self.not_recorded),
            ("body dropped", &self.body_dropped),
            ("part of a body dropped", &self.part_dropped),
        ];
        for (what, counts) in groups {
            counts.iter().for_each(|(name, count)| row(what, name, *count));
            if what == "not mirrored" {
                row("pending", "", self.pending);
            }
            if what == "primary answered" {
                row("recorded", "", self.recorded);
            }
        }
        if let Some(column) = table.column_mut(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        format!("{table}\n{}\n", self.sum_line())
    }
}

/// The ledger rows of the store, `(integration, state, count)`, as one table per integration, each with a line that
/// says whether it adds up (arrived = mirrored + not mirrored + pending).
pub fn ledger_text(rows: &[(String, String, u64)]) -> String {
    let mut by_integration: BTreeMap<&str, LedgerTally> = BTreeMap::new();
    for (integration, state, count) in rows {
        by_integration.entry(integration).or_default().add(state, *count);
    }
    if by_integration.is_empty() {
        return "ledger: no request has arrived yet\n".to_owned();
    }
    let text = |(integration, tally): (&&str, &LedgerTally)| format!("{integration}\n{}", tally.to_text());
    by_integration.iter().map(text).collect::<Vec<_>>().join("\n")
}
