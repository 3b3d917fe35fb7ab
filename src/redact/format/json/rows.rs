//! The walk through tables: rows whose columns are named beside them or by their first one, lists of names with their
//! values, and header lines.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::card;
use crate::redact::format::csv;
use crate::redact::format::json::tables;
use crate::redact::format::json::tokens::Kind;
use crate::redact::format::json::{Walk, quoted};
use crate::redact::pass::Place;
use crate::redact::stand_in::pseudonym::is_word_stand_in;

/// Digits of a column's name, at most: the stand-ins of numbers have more.
const NAME_DIGITS_MAX: usize = 5;

/// What an object says of rows.
pub(super) struct Table<'r> {
    pub columns: Vec<Key<'r>>,
    /// Where the rows are, or the only one.
    pub rows: usize,
    pub is_row: bool,
    /// What stands between the cells of rows that are texts.
    pub separator: Option<u8>,
    /// Where the list of names is, which are no values.
    pub names: Option<usize>,
}

impl<'k, 'r: 'k> Walk<'_, '_, 'k, '_, 'r> {
    /// Header lines, each under its name as the capture's own are, and else as a member of that name would be.
    pub(super) fn header_lines(&mut self, lines: &[(usize, usize)]) -> Result<(), DropReason> {
        for (name_at, value) in lines {
            self.value(*name_at, None)?;
            let (Some(name), Some(token)) = (self.tokens.plain(*name_at), self.tokens.get(*value)) else { continue };
            let fresh = self.pass.header(name, &self.tokens.string(&token)?.0)?;
            if let Some(fresh) = fresh {
                self.splice(token.range(), &quoted(&fresh));
                continue;
            }
            let key = self.pass.key_in_text(name);
            // What the header's own rules claim and leave as it is they made once.
            if self.pass.header_rule(&self.tokens.string(&token)?.0, &key).is_none() {
                self.value(*value, Some(&key))?;
            }
        }
        Ok(())
    }

    /// A jCard's property, whose values stand under a name; those of an address each under their own.
    pub(super) fn property(&mut self, at: usize, name: &str, key: Option<&Key<'k>>) -> Result<(), DropReason> {
        let tokens = self.tokens;
        let own = self.pass.key(name);
        for (element, place) in tokens.elements(at).zip(0..) {
            let parts: Vec<usize> = tokens.elements(element).take(card::ADDRESS_PARTS.len() + 1).collect();
            let is_list = tokens.get(element).is_some_and(|element| element.kind == Kind::Array);
            if place < tables::PROPERTY_HEAD {
                self.value(element, key)?;
            } else if is_list && name == "address" && parts.len() == card::ADDRESS_PARTS.len() {
                for (part, name) in parts.into_iter().zip(card::ADDRESS_PARTS) {
                    let own = self.pass.key(name);
                    self.value(part, Some(&own))?;
                }
            } else {
                self.value(element, Some(&own))?;
            }
        }
        Ok(())
    }

    /// The list at a token as pairs of a name and its value, if rules list two of the names: `[["Surname", ".."], ..]`.
    pub(super) fn pairs(&mut self, at: usize) -> Option<Vec<(usize, usize, Key<'r>)>> {
        let pairs = tables::pairs(self.tokens, at).filter(|_| self.pass.redactor.strict.is_none())?;
        let name = |name: usize| self.tokens.plain(name).unwrap_or_default();
        // What was a value may be a stand-in by now.
        if pairs.iter().any(|(at, _)| is_word_stand_in(name(*at))) {
            return None;
        }
        let pairs: Vec<_> = pairs.iter().map(|(at, value)| (*at, *value, self.pass.key_in_text(name(*at)))).collect();
        (pairs.iter().filter(|(.., key)| !key.said().values.is_empty()).count() > 1).then_some(pairs)
    }

    /// Each value of such pairs under its name.
    pub(super) fn named_pairs(&mut self, pairs: &[(usize, usize, Key<'r>)]) -> Result<(), DropReason> {
        let tokens = self.tokens;
        for (name, value, key) in pairs {
            self.value(*name, None)?;
            let Some(token) = tokens.get(*value) else { continue };
            let raw = if token.kind.is_string() { tokens.inside(&token) } else { tokens.slice(&token) };
            if self.pass.looks_beside(key, raw.as_bytes()) {
                self.pass.beside = pairs.iter().map(|(.., key)| key.clone()).collect();
            }
            let done = self.value(*value, Some(key));
            self.pass.beside.clear();
            done?;
        }
        Ok(())
    }

    fn columns(&mut self, names: &[&str]) -> Vec<Key<'r>> {
        names.iter().map(|name| self.pass.key_in_text(name)).collect()
    }

    /// The table that the object at a token is, or the lists of names and of their values. `keys`: where those of its
    /// members begin.
    pub(super) fn table(&mut self, object: usize, keys: usize) -> Option<Table<'r>> {
        if let Some((names, rows)) = tables::columns(self.tokens, object) {
            return Some(Table { columns: self.columns(&names), rows, is_row: false, separator: None, names: None });
        }
        if self.keys[keys..].iter().any(|key| key.is_of_columns())
            && let Some((names, rows, separator)) = tables::lined(self.tokens, object)
            && self.pass.redactor.strict.is_none()
            && let Some(columns) = self.header(&names)
        {
            return Some(Table { columns, rows, is_row: false, separator: Some(separator), names: None });
        }
        if let Some((names, rows)) = tables::call(self.tokens, object) {
            let strict = self.pass.redactor.strict.is_some();
            return (!strict).then(|| Table {
                columns: self.columns(&names),
                rows,
                is_row: true,
                separator: None,
                names: None,
            });
        }
        if let Some((names, rows)) = tables::texts_beside_rows(self.tokens, object)
            && self.pass.redactor.strict.is_none()
            && let Some(columns) = self.header(&names)
        {
            return Some(Table { columns, rows, is_row: false, separator: None, names: None });
        }
        let (names, list, rows) = tables::parallel(self.tokens, object)?;
        Some(Table { columns: self.header(&names)?, rows, is_row: true, separator: None, names: Some(list) })
    }

    /// The keys of a first row that names columns: rules list two of them, and nothing there is a value in itself.
    pub(super) fn header(&mut self, names: &[&str]) -> Option<Vec<Key<'r>>> {
        let columns = self.columns(names);
        let listed = columns.iter().filter(|key| !key.said().values.is_empty()).count();
        // What was a value may be a stand-in by now.
        let is_name = |name: &&str| {
            name.bytes().filter(u8::is_ascii_digit).count() <= NAME_DIGITS_MAX
                && !is_word_stand_in(name)
                && matches!(self.pass.scan_bare(name), Ok(None))
        };
        (listed > 1 && names.iter().all(is_name)).then_some(columns)
    }

    /// Rows of cells, each under the name of its column.
    pub(super) fn rows(
        &mut self,
        rows: impl Iterator<Item = usize>,
        columns: &[Key<'r>],
        key: Option<&Key<'k>>,
    ) -> Result<(), DropReason> {
        let tokens = self.tokens;
        for row in rows {
            let cells: Vec<usize> = tables::cells(tokens, row).into_iter().flatten().take(columns.len() + 1).collect();
            if cells.len() != columns.len() {
                self.value(row, key)?;
                continue;
            }
            for (cell, column) in cells.into_iter().zip(columns) {
                let Some(token) = tokens.get(cell) else { continue };
                let raw = if token.kind.is_string() { tokens.inside(&token) } else { tokens.slice(&token) };
                if self.pass.looks_beside(column, raw.as_bytes()) {
                    self.pass.beside = columns.to_vec();
                }
                let done = self.value(cell, Some(column));
                self.pass.beside.clear();
                done?;
            }
        }
        Ok(())
    }

    /// Rows that are texts with something between their cells.
    pub(super) fn lines(
        &mut self,
        list: usize,
        separator: u8,
        columns: &[Key<'r>],
        key: &Key<'k>,
    ) -> Result<(), DropReason> {
        let tokens = self.tokens;
        // One row may stand without a list.
        let one = tokens.get(list).filter(|token| token.kind.is_string()).map(|_| list);
        for row in tokens.elements(list).chain(one) {
            let Some(token) = tokens.get(row).filter(|token| token.kind.is_string()) else {
                self.value(row, Some(key))?;
                continue;
            };
            let place = Place { key: Some(key), parents: &self.parents, depth: self.nested };
            let raw = tokens.string(&token)?.0;
            match csv::line(self.pass, &raw, separator, columns, place)? {
                Some(fresh) if fresh != raw => self.splice(token.range(), &quoted(&fresh)),
                Some(_) => {}
                None => self.value(row, Some(key))?,
            }
        }
        Ok(())
    }
}
