//! Tables of pages and of spreadsheets: the row that names the columns, and cells whose text is the caption of the cell behind them.

use crate::redact::evidence::names::Key;

/// Columns that are remembered for one table.
const COLUMNS_MAX: usize = 64;

/// A table as far as it was read.
#[derive(Default)]
pub(in crate::redact) struct Table<'k> {
    /// How many elements were open where it began.
    pub level: usize,
    /// Names of the columns; empty if no row gave them.
    pub columns: Vec<Key<'k>>,
    row: Vec<Cell<'k>>,
    rows: usize,
}

/// A cell of the row at hand.
struct Cell<'k> {
    is_heading: bool,
    /// What its whole text would name.
    caption: Key<'k>,
}

impl<'k> Table<'k> {
    pub fn new(level: usize) -> Self {
        Self { level, ..Self::default() }
    }

    /// Takes the cell that ends, and what its whole text would name, if it is a name at all. Whether the cell is the
    /// caption of the next one.
    pub fn cell_ends(&mut self, is_heading: bool, caption: Key<'k>) -> bool {
        let is_caption = !caption.said().values.is_empty()
            && self.columns.is_empty()
            && self.row.len().is_multiple_of(2)
            && !self.row.iter().any(|cell| cell.is_heading);
        if self.row.len() < COLUMNS_MAX {
            self.row.push(Cell { is_heading, caption });
        }
        is_caption
    }

    /// Ends the row, if one is open: it names the columns if all of it are headings, or if it is the first and at least half of it are names
    /// that rules list.
    pub fn row_ends(&mut self) {
        if self.row.is_empty() {
            return;
        }
        let listed = self.row.iter().filter(|cell| !cell.caption.said().values.is_empty()).count();
        let is_header = self.row.len() > 1
            && (self.row.iter().all(|cell| cell.is_heading)
                || self.rows == 0 && listed > 1 && 2 * listed >= self.row.len());
        if is_header {
            self.columns = self.row.drain(..).map(|cell| cell.caption).collect();
        }
        self.rows += 1;
        self.row.clear();
    }

    /// The name of the column of the cell at hand, if rules list it.
    pub fn column(&self) -> Option<&Key<'k>> {
        self.columns.get(self.row.len()).filter(|key| key.is_listed())
    }
}
