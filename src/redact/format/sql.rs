//! SQL in a text (a dump, a log of statements, an error that quotes one): a literal stands under the name of its column,
//! which a list of columns, an assignment or a comparison tells. The words are those of ISO 9075; what MySQL, SQL Server
//! and PostgreSQL add in quotes, casts and `COPY` is read as well.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::splice::{Unescaped, trimmed};
use crate::redact::matching::gate::{Kinds, LOWER, SPACE, STRUCTURE, UPPER};
use crate::redact::pass::{NESTED_DEPTH_MAX, Pass, Place};
use std::collections::HashMap;
use std::ops::Range;

mod lex;

use lex::{Lexer, Token};

/// Words of which every statement with a value has one.
const STATEMENTS: [&str; 5] = ["into", "set", "where", "values", "having"];
/// Words that compare what stands before them with what stands after.
const COMPARISONS: [&str; 9] = ["like", "ilike", "in", "is", "between", "similar", "regexp", "rlike", "contains"];
/// Words that end a comparison or an assignment.
const ENDS: [&str; 18] = [
    "and",
    "or",
    "where",
    "set",
    "from",
    "order",
    "group",
    "limit",
    "having",
    "values",
    "returning",
    "join",
    "on",
    "when",
    "then",
    "else",
    "union",
    "select",
];
/// First words of a line of a table's definition that is no column.
const CONSTRAINTS: [&str; 10] =
    ["constraint", "primary", "unique", "key", "foreign", "check", "index", "exclude", "fulltext", "period"];
/// Columns of a table, at most, and tables whose definition is remembered for one text.
const COLUMNS_MAX: usize = 512;
const TABLES_MAX: usize = 64;
/// Columns that are looked at as what stands beside a value, at most.
const COLUMNS_BESIDE_MAX: usize = 32;

/// Whether a text may hold a statement with a value in quotes.
pub(in crate::redact) fn may_hold(text: &str, kinds: Kinds) -> bool {
    kinds & STRUCTURE != 0
        && kinds & SPACE != 0
        && kinds & (LOWER | UPPER) != 0
        && memchr::memchr2(b'\'', b'"', text.as_bytes()).is_some()
        && text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| is_one_of(word, &STATEMENTS))
}

fn is_one_of(word: &str, list: &[&str]) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Where a literal stands, and what it becomes if it changes.
pub(in crate::redact) type Literal = (Range<usize>, Option<String>);

/// The literals of a text that stand under the name of a column that rules know, in order. What is around them is
/// not read.
pub(in crate::redact) fn literals(
    pass: &mut Pass<'_>,
    text: &str,
    place: Place<'_>,
) -> Result<Vec<Literal>, DropReason> {
    if place.depth >= NESTED_DEPTH_MAX {
        return Ok(Vec::new());
    }
    let mut walk = Walk {
        pass,
        text,
        place: Place { depth: place.depth + 1, ..place },
        found: Vec::new(),
        depth: 0,
        last: None,
        compared: None,
        in_between: false,
        stage: Stage::Elsewhere,
        tables: HashMap::new(),
    };
    let mut lexer = Lexer::of(text);
    while let Some((token, range)) = lexer.next() {
        if let Some(at) = walk.token(token, range)? {
            lexer.at = at;
        }
    }
    Ok(walk.found)
}

/// Columns, in order.
type Columns<'r> = Vec<Key<'r>>;

/// Where the walk is in a statement that lists columns.
enum Stage<'t, 'r> {
    Elsewhere,
    /// After `INTO`, `COPY`, `CREATE TABLE`: the name of a table comes.
    Table {
        table: &'t str,
        defines: bool,
    },
    /// In the list of its columns.
    Columns {
        table: &'t str,
        columns: Columns<'r>,
    },
    /// In its definition; whether a column's name comes next.
    Definition {
        table: &'t str,
        columns: Columns<'r>,
        next: bool,
    },
    /// After the list: `VALUES` or `FROM stdin` comes.
    Listed {
        table: &'t str,
        columns: Columns<'r>,
        from_input: bool,
    },
    /// Among the rows: the place in the row at hand, if it is in one.
    Rows {
        table: Key<'r>,
        columns: Columns<'r>,
        column: usize,
    },
}

struct Walk<'t, 'p, 'r> {
    pass: &'p mut Pass<'r>,
    text: &'t str,
    place: Place<'p>,
    found: Vec<Literal>,
    /// How many brackets are open.
    depth: usize,
    /// The last name seen.
    last: Option<&'t str>,
    /// What literals are compared with or assigned to, and the depth where that began.
    compared: Option<(&'t str, usize)>,
    /// Whether the next `AND` belongs to a `BETWEEN`.
    in_between: bool,
    stage: Stage<'t, 'r>,
    /// The columns of tables that the text defines.
    tables: HashMap<&'t str, Columns<'r>>,
}

impl<'t, 'r> Walk<'t, '_, 'r> {
    /// Takes one token; `Some` if the next one begins elsewhere than after it.
    fn token(&mut self, token: Token, range: Range<usize>) -> Result<Option<usize>, DropReason> {
        match token {
            Token::Word => self.word(&self.text[range]),
            Token::Quoted if self.is_value_place() && self.text[range.clone()].starts_with('"') => {
                // MySQL has texts in double quotes.
                self.literal(range.start + 1..(range.end - 1).max(range.start + 1), '"')?;
            }
            Token::Quoted => {
                let name = &self.text[range.start + 1..range.end - 1];
                // A quote of something else, in which the statement stands: `"query": "INSERT INTO ..`.
                if name.contains(['(', ';', '=']) {
                    return Ok(Some(range.start + 1));
                }
                self.name(name);
            }
            Token::Text { closed } => {
                let end = if closed { range.end - 1 } else { range.end };
                self.literal(range.start + 1..end, '\'')?;
            }
            Token::Field => {
                // `data->>'email'`: the text is the name.
                self.compared = None;
                self.last = self.text.get(range.start + 1..range.end - 1);
            }
            Token::Number => self.number(range),
            Token::Comparison => self.compare(),
            Token::Sign(b';') => {
                self.compared = None;
                let copied = matches!(self.stage, Stage::Listed { from_input: true, .. });
                if !copied {
                    self.stage = Stage::Elsewhere;
                }
                self.depth = 0;
                return if copied { self.copied_rows(range.end).map(Some) } else { Ok(None) };
            }
            Token::Sign(sign) => self.sign(sign),
        }
        Ok(None)
    }

    /// Whether a literal may stand here.
    fn is_value_place(&self) -> bool {
        self.compared.is_some() || matches!(self.stage, Stage::Rows { .. }) && self.depth > 0
    }

    fn word(&mut self, word: &'t str) {
        if is_one_of(word, &ENDS) && !(self.in_between && word.eq_ignore_ascii_case("and")) {
            self.compared = None;
        }
        if word.eq_ignore_ascii_case("and") {
            self.in_between = false;
        }
        match &mut self.stage {
            _ if is_one_of(word, &["into", "copy"]) => self.stage = Stage::Table { table: "", defines: false },
            Stage::Elsewhere if word.eq_ignore_ascii_case("table") => {
                self.stage = Stage::Table { table: "", defines: true };
            }
            Stage::Table { table, .. } if is_one_of(word, &["values", "value"]) => {
                let table = *table;
                let known = self.tables.get(table).cloned();
                self.stage = known.map_or(Stage::Elsewhere, |columns| self.rows(table, columns));
            }
            // `CREATE TABLE IF NOT EXISTS`, `INTO t AS new`.
            Stage::Table { .. } if is_one_of(word, &["if", "not", "exists", "as", "only"]) => {}
            Stage::Table { .. } if is_one_of(word, &ENDS) => self.stage = Stage::Elsewhere,
            Stage::Table { .. } | Stage::Columns { .. } | Stage::Definition { .. } => self.name(word),
            Stage::Listed { from_input, .. } if is_one_of(word, &["stdin"]) => *from_input = true,
            Stage::Listed { table, columns, .. } if is_one_of(word, &["values", "value"]) => {
                let (table, columns) = (*table, std::mem::take(columns));
                self.stage = self.rows(table, columns);
            }
            Stage::Rows { .. } if self.depth == 0 && !word.eq_ignore_ascii_case("row") => self.stage = Stage::Elsewhere,
            _ => {}
        }
        if is_one_of(word, &COMPARISONS) {
            self.in_between |= word.eq_ignore_ascii_case("between");
            self.compare();
        } else if !is_one_of(word, &ENDS) && !word.eq_ignore_ascii_case("not") {
            self.last = Some(word);
        }
    }

    fn rows(&mut self, table: &str, columns: Columns<'r>) -> Stage<'t, 'r> {
        Stage::Rows { table: self.pass.key_in_text(table), columns, column: 0 }
    }

    /// The name of a table, a column, or something else.
    fn name(&mut self, name: &'t str) {
        self.last = Some(name);
        match &mut self.stage {
            // Of a composed name the last part stands.
            Stage::Table { table, .. } => *table = name,
            Stage::Columns { columns, .. } if columns.len() < COLUMNS_MAX => columns.push(self.pass.key_in_text(name)),
            Stage::Definition { columns, next, .. } if self.depth == 1 => {
                let is_column = std::mem::take(next) && !is_one_of(name, &CONSTRAINTS);
                if is_column && columns.len() < COLUMNS_MAX {
                    columns.push(self.pass.key_in_text(name));
                }
            }
            _ => {}
        }
    }

    fn compare(&mut self) {
        if let Some(name) = self.last.take() {
            self.compared = Some((name, self.depth));
        }
    }

    fn sign(&mut self, sign: u8) {
        match sign {
            b'(' => {
                self.depth += 1;
                match &mut self.stage {
                    Stage::Table { table, defines: true } => {
                        self.stage = Stage::Definition { table, columns: Vec::new(), next: true };
                        self.depth = 1;
                    }
                    Stage::Table { table, defines: false } => {
                        self.stage = Stage::Columns { table, columns: Vec::new() };
                        self.depth = 1;
                    }
                    Stage::Rows { column, .. } if self.depth == 1 => *column = 0,
                    _ => {}
                }
            }
            b')' => {
                self.depth = self.depth.saturating_sub(1);
                if self.compared.is_some_and(|(_, depth)| depth > self.depth) {
                    self.compared = None;
                }
                match &mut self.stage {
                    Stage::Columns { table, columns } => {
                        let columns = std::mem::take(columns);
                        self.stage = Stage::Listed { table, columns, from_input: false };
                    }
                    Stage::Definition { table, columns, .. } if self.depth == 0 => {
                        if self.tables.len() < TABLES_MAX {
                            self.tables.insert(table, std::mem::take(columns));
                        }
                        self.stage = Stage::Elsewhere;
                    }
                    _ => {}
                }
            }
            b',' => {
                if self.compared.is_some_and(|(_, depth)| depth == self.depth) {
                    self.compared = None;
                }
                match &mut self.stage {
                    Stage::Rows { column, .. } if self.depth == 1 => *column += 1,
                    Stage::Definition { next, .. } => *next = self.depth == 1,
                    _ => {}
                }
            }
            // What is calculated is not compared with a literal.
            _ => self.compared = None,
        }
    }

    /// The names above a literal at hand, and those beside it.
    fn names(&mut self) -> Option<(Vec<Key<'r>>, Columns<'r>)> {
        match &self.stage {
            Stage::Rows { table, columns, column } if self.depth > 0 => {
                let beside = columns.iter().take(COLUMNS_BESIDE_MAX).cloned().collect();
                Some((vec![table.clone(), columns.get(*column)?.clone()], beside))
            }
            _ => self.compared.map(|(name, _)| (vec![self.pass.key_in_text(name)], Vec::new())),
        }
    }

    fn literal(&mut self, range: Range<usize>, quote: char) -> Result<(), DropReason> {
        self.last = None;
        let Some((names, beside)) = self.names() else { return Ok(()) };
        let raw = &self.text[range.clone()];
        // What `LIKE` takes for any characters is none of the value's, nor are blanks that fill a column.
        let start = range.start + (raw.len() - raw.trim_start_matches('%').len());
        let range = trimmed(self.text, start..start + self.text[start..range.end].trim_end_matches('%').len());
        let raw = &self.text[range.clone()];
        let mut plain = Unescaped::new(raw);
        let doubled = [quote, quote].iter().collect::<String>();
        raw.match_indices(&doubled).for_each(|(at, _)| plain.undo(at..at + 2, &doubled[..1]));
        let plain = plain.done();
        let (is_read, fresh) = self.value(&plain.text, &names, beside)?;
        if is_read {
            let fresh = fresh.map(|fresh| plain.graft(&fresh, |text| text.replace(quote, &doubled)));
            self.found.push((range, fresh));
        }
        Ok(())
    }

    /// Whether rules know the name of a value's column; and what the value becomes, if it changes.
    fn value(
        &mut self,
        plain: &str,
        names: &[Key<'r>],
        beside: Columns<'r>,
    ) -> Result<(bool, Option<String>), DropReason> {
        let mut parents = self.place.parents.to_vec();
        parents.extend(self.place.key.cloned());
        parents.extend_from_slice(names);
        let Some(key) = parents.pop().filter(|key| key.is_listed()) else { return Ok((false, None)) };
        if self.pass.looks_beside(&key, plain.as_bytes()) {
            self.pass.beside = beside;
        }
        let fresh = self.pass.value(plain, Place { key: Some(&key), parents: &parents, depth: self.place.depth });
        self.pass.beside.clear();
        Ok((true, fresh?))
    }

    fn number(&mut self, range: Range<usize>) {
        self.last = None;
        let raw = &self.text[range.clone()];
        let before = self.text[..range.start].trim_end();
        let is_whole = raw.bytes().all(|b| b.is_ascii_digit()) && before.ends_with(['=', '(', ',', '<', '>']);
        let Some((mut names, _)) = self.names().filter(|_| is_whole) else { return };
        let Some(key) = names.pop().filter(|key| !key.said().values.is_empty()) else { return };
        let place = Place { key: Some(&key), parents: &names, depth: self.place.depth };
        let fresh = self.pass.number(raw, place, None);
        self.found.push((range, fresh));
    }

    /// The rows of `COPY .. FROM stdin`, up to `\.`: tabs between the values. Returns where they end.
    fn copied_rows(&mut self, start: usize) -> Result<usize, DropReason> {
        let Stage::Listed { table, columns, .. } = std::mem::replace(&mut self.stage, Stage::Elsewhere) else {
            return Ok(start);
        };
        let table = self.pass.key_in_text(table);
        let mut at = start;
        for line in self.text[start..].split_inclusive('\n') {
            let row = line.trim_end_matches(['\r', '\n']);
            if row == "\\." {
                return Ok(at + line.len());
            }
            let mut cell_at = at;
            for (cell, column) in row.split('\t').zip(&columns) {
                let range = trimmed(self.text, cell_at..cell_at + cell.len());
                cell_at += cell.len() + 1;
                let cell = &self.text[range.clone()];
                let beside = columns.iter().take(COLUMNS_BESIDE_MAX).cloned().collect();
                let (is_read, fresh) = match cell {
                    "" | "\\N" => (false, None),
                    _ => self.value(cell, &[table.clone(), column.clone()], beside)?,
                };
                if is_read {
                    self.found.push((range, fresh.map(|fresh| fresh.replace(['\t', '\r', '\n'], " "))));
                }
            }
            at += line.len();
        }
        Ok(at)
    }
}
