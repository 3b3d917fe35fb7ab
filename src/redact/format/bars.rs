//! Tables in running text, whose cells stand between bars under a rule of dashes: Markdown, `psql`, `mysql`. A cell stands
//! under the name of its column.

use crate::redact::evidence::names::Key;
use crate::redact::format::splice::trimmed;
use crate::redact::matching::find::splice;
use crate::redact::matching::gate::{DASH, Kinds, OTHER, SPACE};
use crate::redact::pass::Pass;
use std::ops::Range;

/// Shorter words are no names of what comes next, bytes.
const NAME_BYTES_MIN: usize = 3;
/// Columns of a table, at most.
const COLUMNS_MAX: usize = 64;

/// Whether a text may hold such a table.
pub(in crate::redact) fn may_hold(text: &str, kinds: Kinds) -> bool {
    // A rule of dashes, or more lines than one.
    kinds & OTHER != 0 && kinds & SPACE != 0 && text.contains('|') && (kinds & DASH != 0 || text.contains('\n'))
}

/// Whether a text may hold a table whose columns stand apart by wide space alone.
pub(in crate::redact) fn may_be_spaced(text: &str, kinds: Kinds) -> bool {
    kinds & SPACE != 0 && text.contains('\n') && (text.contains("  ") || text.contains('\t'))
}

/// Columns that rules list among the names of such a table, at least: two lines of a letter may look like one.
const LISTED_MIN: usize = 2;

/// Replaces what rules claim in the cells of tables without bars: lines of as many cells as the names above them; `Some` if
/// one changed.
pub(in crate::redact) fn spaced_cells(pass: &mut Pass<'_>, text: &str) -> Option<String> {
    let mut spans = Vec::new();
    let (mut columns, mut start): (Vec<Key<'_>>, usize) = (Vec::new(), 0);
    let mut before = 0;
    for line in text.split_inclusive('\n') {
        let range = start..start + line.len();
        start = range.end;
        if is_rule(line) {
            continue;
        }
        let cells = apart(text, range);
        // Below a line of as many cells it is a row, if of a table whose columns no rule lists.
        let is_row = std::mem::replace(&mut before, cells.len()) == cells.len();
        if cells.len() > 1 && cells.len() == columns.len() {
            let row = cells.into_iter().zip(&columns);
            spans.extend(
                row.filter_map(|(cell, column)| Some((cell.clone(), replaced(pass, &text[cell], column, &columns)?))),
            );
            continue;
        }
        columns = if is_row { Vec::new() } else { listed(pass, text, &cells) };
    }
    splice(text, spans)
}

/// Where the cells of a line stand that wide space keeps apart.
fn apart(text: &str, line: Range<usize>) -> Vec<Range<usize>> {
    let line = trimmed(text, line);
    let mut cells: Vec<Range<usize>> = Vec::new();
    let mut start = line.start;
    let mut add = |cell: Range<usize>| {
        let cell = trimmed(text, cell);
        if !cell.is_empty() && cells.len() < COLUMNS_MAX {
            cells.push(cell);
        }
    };
    let bytes = text.as_bytes();
    for at in line.clone() {
        if bytes[at] == b'\t' || bytes[at] == b' ' && bytes.get(at + 1) == Some(&b' ') {
            add(start..at);
            start = at + 1;
        }
    }
    add(start..line.end);
    cells
}

/// Replaces what rules claim in the cells of tables; `Some` if one changed.
pub(in crate::redact) fn cells(pass: &mut Pass<'_>, text: &str) -> Option<String> {
    let mut spans = Vec::new();
    let mut columns: Vec<Key<'_>> = Vec::new();
    let (mut before, mut start): (Option<Range<usize>>, usize) = (None, 0);
    for line in text.split_inclusive('\n') {
        let range = start..start + line.len();
        start = range.end;
        if is_rule(line) {
            // The rule above a header and the one below a table have no names before them.
            if let Some(header) = before.take() {
                let names = split(text, header);
                columns = names.into_iter().map(|name| pass.key_in_text(&text[name])).collect();
            }
            continue;
        }
        if !line.contains('|') {
            columns.clear();
            before = None;
            continue;
        }
        let cells = split(text, range.clone());
        before = Some(range);
        if cells.len() != columns.len() {
            // Without a rule of dashes the names of the columns tell themselves, or each value has its own before it.
            columns = listed(pass, text, &cells);
            if columns.is_empty() {
                spans.extend(in_turn(pass, text, &cells));
            }
            continue;
        }
        if columns.len() > 1 && cells.len() == columns.len() {
            // `| Field | Value |`: the first cell of a row names the second.
            if let ([naming, named, ..], [name, value, ..]) = (&columns[..], &cells[..])
                && naming.is_naming()
                && named.is_named()
            {
                let own = pass.key_in_text(&text[name.clone()]);
                let fresh = replaced(pass, &text[value.clone()], &own, &columns);
                spans.extend(fresh.map(|fresh| (value.clone(), fresh)));
                continue;
            }
            let row = cells.into_iter().zip(&columns);
            spans.extend(
                row.filter_map(|(cell, column)| Some((cell.clone(), replaced(pass, &text[cell], column, &columns)?))),
            );
        }
    }
    splice(text, spans)
}

/// The keys of cells that are nothing but names, if rules list some of them: the first line of a table.
fn listed<'r>(pass: &mut Pass<'r>, text: &str, cells: &[Range<usize>]) -> Vec<Key<'r>> {
    let is_name = |cell: &Range<usize>| {
        let name = &text[cell.clone()];
        name.starts_with(char::is_alphabetic) && name.chars().all(|c| c.is_alphanumeric() || " _-./()'".contains(c))
    };
    if cells.len() <= LISTED_MIN || !cells.iter().all(is_name) {
        return Vec::new();
    }
    let keys: Vec<Key<'r>> = cells.iter().map(|name| pass.key_in_text(&text[name.clone()])).collect();
    let listed = keys.iter().filter(|key| !key.said().values.is_empty()).count();
    if listed < LISTED_MIN { Vec::new() } else { keys }
}

/// What becomes of cells that the one before them names: `SURNAME|Lovelace|BORN|1815-12-10`.
fn in_turn(pass: &mut Pass<'_>, text: &str, cells: &[Range<usize>]) -> Vec<(Range<usize>, String)> {
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some([name, value]) = cells.get(at..at + 2) {
        at += 1;
        let word = &text[name.clone()];
        // In capitals, or it could be a value itself.
        if word.len() < NAME_BYTES_MIN || word.chars().any(|c| c.is_lowercase() || c.is_numeric()) {
            continue;
        }
        let key = pass.key_in_text(word);
        if let Some(fresh) = replaced(pass, &text[value.clone()], &key, &[]) {
            spans.push((value.clone(), fresh));
            at += 1;
        }
    }
    spans
}

/// What a cell becomes, if a rule claims it by its column.
fn replaced<'r>(pass: &mut Pass<'r>, cell: &str, column: &Key<'r>, columns: &[Key<'r>]) -> Option<String> {
    if cell.is_empty() {
        return None;
    }
    if pass.looks_beside(column, cell.as_bytes()) {
        pass.beside = columns.to_vec();
    }
    let rule = pass.name_rule(cell, column, &[]);
    pass.beside.clear();
    pass.apply(rule?, cell)
}

/// Whether a line is nothing but dashes and the signs of corners and alignment.
fn is_rule(line: &str) -> bool {
    line.contains("---") && line.bytes().all(|b| b"-:|+= \t\r\n".contains(&b))
}

/// Where the cells of a line stand.
fn split(text: &str, line: Range<usize>) -> Vec<Range<usize>> {
    let mut line = trimmed(text, line);
    if text[line.clone()].starts_with('|') {
        line.start += 1;
    }
    if text[line.clone()].ends_with('|') {
        line.end -= 1;
    }
    let mut start = line.start;
    let cells = text[line].split('|').map(|cell| {
        let range = trimmed(text, start..start + cell.len());
        start += cell.len() + 1;
        range
    });
    cells.take(COLUMNS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_what_stands_between_bars() {
        let cells =
            |line: &str| split(line, 0..line.len()).into_iter().map(|cell| line[cell].to_owned()).collect::<Vec<_>>();
        assert_eq!(cells("| a |  b c | |\n"), ["a", "b c", ""]);
        assert_eq!(cells(" a | b\r\n"), ["a", "b"]);
        assert_eq!(cells("|"), [""]);
        assert!(is_rule("|------|:---:|") && is_rule("-----+----\r\n") && is_rule("+---+"));
        assert!(!is_rule("| a |") && !is_rule("--") && !is_rule("--- a"));
    }
}
