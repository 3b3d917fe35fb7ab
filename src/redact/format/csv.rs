//! Comma-separated values (RFC 4180, and other separators): the header row names the columns.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::form;
use crate::redact::format::splice::{Patch, Unescaped};
use crate::redact::pass::{Pass, Place};
use crate::redact::stand_in::pseudonym;
use std::collections::HashSet;
use std::ops::Range;

/// Separators that are tried.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A cell: where it stands, quotes included, and in which row.
struct Cell {
    range: Range<usize>,
    row: usize,
    column: usize,
    quoted: bool,
}

/// Redacts a table whose separator its first row tells.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    table(pass, text, separator(text), place)
}

/// Redacts a table with tabs between its cells.
pub(in crate::redact) fn tabs(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    table(pass, text, b'\t', place)
}

fn table<'r>(pass: &mut Pass<'r>, text: &str, separator: u8, place: Place<'_>) -> Result<String, DropReason> {
    let head = header(pass, text, separator);
    // Each column's name, with what stands before it in a composed one.
    let columns: Vec<Vec<Key<'r>>> = match &head {
        Some((_, cells)) => cells.iter().map(|cell| column(pass, &cell.text)).collect(),
        None => Vec::new(),
    };
    let head = head.map_or(0, |(row, _)| row);
    let mut patch = Patch::new(text);
    for cell in Cells::of(text, separator) {
        let cell = cell?;
        let column = columns.get(cell.column).filter(|_| cell.row > head).map(Vec::as_slice).unwrap_or_default();
        let beside = || columns.iter().filter_map(|column| column.last().cloned()).take(COLUMNS_BESIDE_MAX).collect();
        if let Some((range, fresh)) = cell.redacted(pass, text, separator, column, beside, place)? {
            patch.put(range, fresh);
        }
    }
    Ok(patch.done())
}

/// Redacts one line of a table whose columns have been named elsewhere; `None` if it has another number of cells.
pub(in crate::redact) fn line<'r>(
    pass: &mut Pass<'r>,
    text: &str,
    separator: u8,
    columns: &[Key<'r>],
    place: Place<'_>,
) -> Result<Option<String>, DropReason> {
    let cells: Result<Vec<Cell>, DropReason> = Cells::of(text, separator).take(columns.len() + 1).collect();
    let Some(cells) = cells.ok().filter(|cells| cells.len() == columns.len() && cells.iter().all(|it| it.row == 0))
    else {
        return Ok(None);
    };
    let mut patch = Patch::new(text);
    for (cell, column) in cells.iter().zip(columns) {
        let beside = || columns.iter().take(COLUMNS_BESIDE_MAX).cloned().collect();
        if let Some((range, fresh)) =
            cell.redacted(pass, text, separator, std::slice::from_ref(column), beside, place)?
        {
            patch.put(range, fresh);
        }
    }
    Ok(Some(patch.done()))
}

impl Cell {
    /// What stands in for the cell under the name of its column, which may be composed of several, and where; `None` if it
    /// stays. `beside`: the names of all columns.
    fn redacted<'r>(
        &self,
        pass: &mut Pass<'r>,
        text: &str,
        separator: u8,
        column: &[Key<'r>],
        beside: impl FnOnce() -> Vec<Key<'r>>,
        place: Place<'_>,
    ) -> Result<Option<(Range<usize>, String)>, DropReason> {
        let plain = plain(text, self);
        let mut names = place.parents.to_vec();
        names.extend(place.key.cloned());
        names.extend(column.iter().cloned());
        let key = if column.is_empty() { None } else { names.pop() };
        let inner = Place { key: key.as_ref(), parents: &names, depth: place.depth };
        let core = plain.text.trim();
        if key.as_ref().is_some_and(|key| pass.looks_beside(key, core.as_bytes())) {
            pass.beside = beside();
        }
        let fresh = pass.value(core, inner);
        pass.beside.clear();
        let Some(fresh) = fresh? else { return Ok(None) };
        let fresh = plain.text.replacen(core, &fresh, 1);
        let fresh = if self.quoted {
            // The quotes are part of the raw text, not of the plain one.
            plain.graft(&fresh, |text| text.replace('"', "\"\""))
        } else if separator == b'\t' {
            fresh.replace(['\t', '\r', '\n'], " ")
        } else if fresh.starts_with('"') || fresh.contains([char::from(separator), '\r', '\n']) {
            format!("\"{}\"", fresh.replace('"', "\"\""))
        } else {
            fresh
        };
        let inside = if self.quoted { self.range.start + 1..self.range.end - 1 } else { self.range.clone() };
        Ok(Some((inside, fresh)))
    }
}

/// A column's name. Where rules list what stands before a remark in brackets, that is it: `Name (natürl. Person)`.
fn column<'r>(pass: &mut Pass<'r>, text: &str) -> Vec<Key<'r>> {
    if let Some((bare, _)) = text.split_once(" (").filter(|_| text.ends_with(')') && pass.redactor.strict.is_none()) {
        let is_of_person = text[bare.len()..].to_lowercase().contains("person");
        let key = pass.key_in_text(if is_of_person && bare == "Name" { "person name" } else { bare });
        if !key.said().values.is_empty() {
            return vec![key];
        }
    }
    form::path(pass, text)
}

/// The row that names the columns, and its cells: the first, or one near it of which rules list more (a line about the file
/// may stand before it).
fn header<'t>(pass: &mut Pass<'_>, text: &'t str, separator: u8) -> Option<(usize, Vec<Unescaped<'t>>)> {
    let mut rows: Vec<Vec<Unescaped<'t>>> = Vec::new();
    for cell in Cells::of(text, separator).map_while(Result::ok).take_while(|cell| cell.row < HEADER_ROWS_MAX) {
        if rows.len() <= cell.row {
            rows.push(Vec::new());
        }
        rows.last_mut()?.push(plain(text, &cell));
    }
    let mut listed = |cells: &[Unescaped<'_>]| {
        let cells = cells.iter().take(COLUMNS_BESIDE_MAX);
        cells.filter(|cell| pass.key_in_text(cell.text.trim()).is_listed()).count()
    };
    let of_first = rows.first().map_or(0, |cells| listed(cells));
    let told = rows.iter().skip(1).position(|cells| of_first < LISTED_MIN && listed(cells) >= LISTED_MIN);
    let told = told.map(|at| at + 1).filter(|at| is_header(pass, &rows[*at]));
    let head = told.or_else(|| rows.first().is_some_and(|cells| is_header(pass, cells)).then_some(0))?;
    Some((head, rows.swap_remove(head)))
}

/// Rows among which the header is looked for, and how many names rules list in one that is not the first, at least.
const HEADER_ROWS_MAX: usize = 4;
const LISTED_MIN: usize = 2;
/// Columns that are looked at as what stands beside a cell, at most.
const COLUMNS_BESIDE_MAX: usize = 32;
/// Digits of a column's name, at most: stand-ins have more.
const NAME_DIGITS_MAX: usize = 5;

/// A first row is a header if its cells are distinct, none is a number, and none is a value in itself or was one before
/// it was redacted.
fn is_header(pass: &mut Pass<'_>, cells: &[Unescaped<'_>]) -> bool {
    let mut seen = HashSet::new();
    cells.iter().all(|cell| {
        let text = cell.text.trim();
        // In strict mode every value is one that would be redacted.
        let is_name = pass.redactor.strict.is_some() || pass.key(text).is_clean();
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        is_name
            && digits <= NAME_DIGITS_MAX
            && text.parse::<f64>().is_err()
            && !text.contains('@')
            && !words.any(pseudonym::is_word_stand_in)
            && (text.is_empty() || seen.insert(text.to_owned()))
    }) && !seen.is_empty()
}

/// Whether the first row of a table has a name by which rules claim values.
pub(in crate::redact) fn has_listed_column(pass: &mut Pass<'_>, text: &str) -> bool {
    let first = Cells::of(text, separator(text)).map_while(|cell| cell.ok().filter(|cell| cell.row == 0));
    first.take(COLUMNS_BESIDE_MAX).any(|cell| {
        let path = form::path(pass, &plain(text, &cell).text);
        path.last().is_some_and(|key| !key.said().values.is_empty())
    })
}

fn plain<'t>(text: &'t str, cell: &Cell) -> Unescaped<'t> {
    if !cell.quoted {
        return Unescaped::new(&text[cell.range.clone()]);
    }
    let raw = &text[cell.range.start + 1..cell.range.end - 1];
    let mut plain = Unescaped::new(raw);
    for (at, _) in raw.match_indices("\"\"") {
        plain.undo(at..at + 2, "\"");
    }
    plain.done()
}

/// Every cell in order; the last is an error if the text is no table.
struct Cells<'t> {
    text: &'t str,
    separator: u8,
    at: usize,
    row: usize,
    column: usize,
    /// Whether a separator was the last thing seen, so that a cell follows even at the end.
    open: bool,
}

impl<'t> Cells<'t> {
    fn of(text: &'t str, separator: u8) -> Self {
        Self { text, separator, at: 0, row: 0, column: 0, open: false }
    }
}

impl Iterator for Cells<'_> {
    type Item = Result<Cell, DropReason>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        if self.at >= bytes.len() && !std::mem::take(&mut self.open) {
            return None;
        }
        let start = self.at;
        let strict = bytes.get(start) == Some(&b'"') && self.separator != b'\t';
        let end = if strict {
            match closing(bytes, start + 1) {
                Some(end) => end,
                None => {
                    self.at = bytes.len();
                    return Some(Err(DropReason::Unparseable));
                }
            }
        } else {
            let ends = |b: &u8| *b == self.separator || matches!(b, b'\r' | b'\n');
            bytes[start..].iter().position(ends).map_or(bytes.len(), |len| start + len)
        };
        // Tab-separated values know no quotes; where they are used all the same, a cell is quoted as a whole.
        let inner = self.text[start..end].strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let quoted = strict || inner.is_some_and(|inner| !inner.replace("\"\"", "").contains('"'));
        let cell = Cell { range: start..end, row: self.row, column: self.column, quoted };
        self.at = end;
        self.open = false;
        match bytes.get(end) {
            None => {}
            Some(b) if *b == self.separator => {
                self.at += 1;
                self.column += 1;
                self.open = true;
            }
            Some(b'\r' | b'\n') => {
                self.at += bytes[end..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
                self.row += 1;
                self.column = 0;
            }
            // Something after a closing quote.
            Some(_) => {
                self.at = bytes.len();
                return Some(Err(DropReason::Unparseable));
            }
        }
        Some(Ok(cell))
    }
}

/// Where a quoted cell that began before `at` ends, its closing quote included.
fn closing(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr(b'"', &bytes[at..])? + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

/// The separator that the first row has most of, outside quotes.
pub(in crate::redact) fn separator(text: &str) -> u8 {
    let mut counts = [0_usize; SEPARATORS.len()];
    let mut quoted = false;
    for b in text.bytes() {
        match b {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            b if !quoted => {
                if let Some(index) = SEPARATORS.iter().position(|known| *known == b) {
                    counts[index] += 1;
                }
            }
            _ => {}
        }
    }
    let best = counts.iter().enumerate().rev().max_by_key(|(_, count)| **count);
    best.map_or(b',', |(index, _)| SEPARATORS[index])
}

/// Whether a text of unknown kind is a table beyond doubt: a header of plain names, and rows as long as it.
pub(in crate::redact) fn is_table(text: &str) -> bool {
    let separator = separator(text);
    let is_name = |cell: &str| {
        let cell = cell.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(cell);
        (1..=40).contains(&cell.len())
            && cell.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && cell.ends_with(|c: char| c.is_alphanumeric() || "_).°º".contains(c))
            && cell.chars().all(|c| c.is_alphanumeric() || "_-./ ()[]°º'’#&".contains(c))
    };
    let first = text.lines().next().unwrap_or_default();
    let header: Vec<&str> = first.split(char::from(separator)).collect();
    if header.len() < 2 || !header.iter().all(|cell| is_name(cell)) {
        return false;
    }
    let (mut rows, mut count) = (0, 0);
    for cell in Cells::of(text, separator) {
        let Ok(cell) = cell else { return false };
        if cell.column >= header.len() {
            return false;
        }
        rows = cell.row + 1;
        count += 1;
    }
    rows > 1 && count == rows * header.len()
}
