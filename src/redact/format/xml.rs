//! XML, read strictly and rewritten in place: an element's local name is the key of its text, an attribute's name the
//! key of its value. What is not well formed, or declares entities of its own, is dropped.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::directory;
use crate::redact::format::markup::{self, Attribute, escape, is_naming, local, reference, unescape};
use crate::redact::format::rows::Table;
use crate::redact::format::splice::{Patch, Unescaped, trimmed};
use crate::redact::pass::{Pass, Place};
use std::collections::HashSet;
use std::ops::Range;

/// Elements that are rows of a table.
const ROWS: [&str; 3] = ["row", "tr", "zeile"];

/// Redacts a well-formed document.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let names = place.parents.iter().chain(place.key).cloned().collect();
    let mut walk = Walk {
        text: body,
        at: 0,
        patch: Patch::new(body),
        depth: place.depth,
        pass,
        open: Vec::new(),
        names,
        pieces: Vec::new(),
        tables: Vec::new(),
        typed: false,
        rooted: false,
    };
    while walk.at < body.len() {
        walk.step()?;
    }
    if !walk.open.is_empty() || !walk.rooted {
        return Err(DropReason::Unparseable);
    }
    Ok([&text[..text.len() - body.len()], &walk.patch.done()].concat())
}

/// An element that is open.
struct Open<'t, 'k, 'r> {
    name: &'t str,
    /// The name that an attribute gives to its text.
    named: Option<Key<'k>>,
    /// The name that an attribute gives to what an element below was given.
    told: Option<Key<'k>>,
    /// What a child said the next child's name is: `<key>email</key><value>..`.
    next: Option<Key<'k>>,
    /// What a child said the name of the text behind it is: `<b>Email</b>: ada`.
    captioned: Option<Key<'k>>,
    /// Its own short text, which may be such a name.
    text: String,
    /// Where its content begins.
    inside: usize,
    /// The names of its children, once one of them asked what stands beside it.
    children: Option<Vec<Key<'r>>>,
}

struct Walk<'t, 'k, 'p, 'r> {
    text: &'t str,
    at: usize,
    patch: Patch<'t>,
    depth: u8,
    pass: &'p mut Pass<'r>,
    open: Vec<Open<'t, 'k, 'r>>,
    /// The keys of the open elements, below those the document stands under.
    names: Vec<Key<'k>>,
    /// Text and CDATA since the last tag, which together are one value.
    pieces: Vec<(Range<usize>, Piece)>,
    /// Tables whose rows are open, each with the elements around its rows.
    tables: Vec<Table<'r>>,
    /// Whether there is a document type, so that unknown references may be defined elsewhere.
    typed: bool,
    rooted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Text,
    Cdata,
}

fn bad<T>() -> Result<T, DropReason> {
    Err(DropReason::Unparseable)
}

impl<'t, 'k, 'r: 'k> Walk<'t, 'k, '_, 'r> {
    fn step(&mut self) -> Result<(), DropReason> {
        let rest = &self.text[self.at..];
        if !rest.starts_with('<') {
            return self.characters();
        }
        if let Some(comment) = rest.strip_prefix("<!--") {
            let len =
                comment.find("--").filter(|at| comment[*at..].starts_with("-->")).ok_or(DropReason::Unparseable)?;
            return self.aside(4, len, 3, "--");
        }
        if let Some(cdata) = rest.strip_prefix("<![CDATA[") {
            let len = cdata.find("]]>").filter(|_| !self.open.is_empty()).ok_or(DropReason::Unparseable)?;
            check_characters(&cdata[..len])?;
            let start = self.at + 9;
            self.pieces.push((start..start + len, Piece::Cdata));
            self.at = start + len + 3;
            return Ok(());
        }
        if let Some(instruction) = rest.strip_prefix("<?") {
            let len = instruction.find("?>").ok_or(DropReason::Unparseable)?;
            let target = instruction[..len].split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
            if !is_name(target) || target.eq_ignore_ascii_case("xml") && self.at != 0 {
                return bad();
            }
            if target.eq_ignore_ascii_case("xml") {
                self.at += len + 4;
                return Ok(());
            }
            return self.aside(2, len, 2, "?>");
        }
        if rest.starts_with("<!") {
            return self.document_type();
        }
        self.value()?;
        if rest.starts_with("</") { self.end() } else { self.start() }
    }

    /// A comment or an instruction: text of its own, in which `forbidden` may not appear.
    fn aside(&mut self, head: usize, len: usize, tail: usize, forbidden: &str) -> Result<(), DropReason> {
        let start = self.at + head;
        let range = start..start + len;
        let raw = &self.text[range.clone()];
        check_characters(raw)?;
        self.at = range.end + tail;
        let place = Place { key: None, parents: &[], depth: self.depth };
        if let Some(fresh) = self.pass.value(raw, place)? {
            if fresh.contains(forbidden) || forbidden == "--" && fresh.ends_with('-') {
                return Err(DropReason::Internal);
            }
            self.patch.put(range, fresh);
        }
        Ok(())
    }

    /// `<!DOCTYPE name SYSTEM "..">`; one with declarations inside is refused, since they may hide any text.
    fn document_type(&mut self) -> Result<(), DropReason> {
        let rest = &self.text[self.at..];
        let len = rest.find(['>', '[']).ok_or(DropReason::Unparseable)?;
        let declares = rest.as_bytes()[len] == b'[';
        if !rest.starts_with("<!DOCTYPE") || declares || self.typed || self.rooted {
            return bad();
        }
        self.typed = true;
        self.aside(9, len - 9, 1, ">")
    }

    fn characters(&mut self) -> Result<(), DropReason> {
        let rest = &self.text[self.at..];
        let len = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
        let raw = &rest[..len];
        check_characters(raw)?;
        if self.open.is_empty() {
            if !raw.trim().is_empty() {
                return bad();
            }
        } else {
            check_references(raw, self.typed)?;
            if raw.contains("]]>") {
                return bad();
            }
            self.pieces.push((self.at..self.at + len, Piece::Text));
        }
        self.at += len;
        Ok(())
    }

    /// The text since the last tag, as one value; it is put back into its first piece.
    fn value(&mut self) -> Result<(), DropReason> {
        let mut pieces = std::mem::take(&mut self.pieces);
        if let [(range, _)] = &mut pieces[..] {
            *range = trimmed(self.text, range.clone());
        }
        pieces.retain(|(range, _)| !range.is_empty());
        let plain = |(range, piece): &(Range<usize>, Piece)| {
            let raw = &self.text[range.clone()];
            if *piece == Piece::Text { unescape(raw) } else { Unescaped::new(raw) }
        };
        let Some(first) = pieces.first() else { return Ok(()) };
        let head = plain(first);
        let joined = match pieces.len() {
            1 => head.text.clone(),
            _ => pieces.iter().map(|piece| plain(piece).text.into_owned()).collect::<String>().into(),
        };
        if let Some(open) = self.open.last_mut()
            && joined.len() <= markup::NAME_BYTES_MAX
        {
            open.text = joined.trim().to_owned();
        }
        let core = trimmed(&joined, 0..joined.len());
        let core = core.start + directory::value_start(&joined[core.clone()])..core.end;
        let captioned = self.open.last_mut().and_then(|open| open.captioned.take());
        let core = match captioned {
            Some(_) => core.end - markup::behind_caption(&joined[core.clone()]).len()..core.end,
            None => core,
        };
        let fresh = if self.is_member_name() {
            let key = self.pass.key_in_text(&joined[core.clone()]);
            self.pass.name(&joined[core.clone()], &key, self.depth)?
        } else {
            self.tell_beside(&joined[core.clone()]);
            let column = if captioned.is_none() { self.column() } else { None };
            // In a first row of captions none is the value of the one before.
            let is_caption = self.table_of_cell().is_some()
                && !self.pass.key_in_text(&joined[core.clone()]).said().values.is_empty();
            if let (Some(key), Some(table)) = (&column, self.tables.last())
                && self.pass.looks_beside(key, joined[core.clone()].as_bytes())
            {
                self.pass.beside.clone_from(&table.columns);
            }
            let place = Place {
                key: captioned.as_ref().or(column.as_ref()).or(self.names.last()).filter(|_| !is_caption),
                parents: &self.names[..self.names.len().saturating_sub(1)],
                depth: self.depth,
            };
            let fresh = self.pass.value(&joined[core.clone()], place);
            self.pass.beside.clear();
            fresh?
        };
        let Some(fresh) = fresh else { return Ok(()) };
        let fresh = [&joined[..core.start], &fresh, &joined[core.end..]].concat();
        let written = match first.1 {
            Piece::Text => head.graft(&fresh, escape),
            Piece::Cdata if fresh.contains("]]>") => return Err(DropReason::Internal),
            Piece::Cdata => fresh,
        };
        self.patch.put(first.0.clone(), written);
        for (range, _) in &pieces[1..] {
            self.patch.put(range.clone(), "");
        }
        Ok(())
    }

    /// The name of the column in which the text at hand stands, if its own element says nothing.
    fn column(&self) -> Option<Key<'r>> {
        let table = self.table_of_cell()?;
        let is_vague = self.open.last().is_some_and(|open| markup::is_named(local(open.name)));
        let is_told = !is_vague && self.names.last().is_some_and(|own| !own.said().values.is_empty());
        table.column().filter(|_| !is_told).cloned()
    }

    /// The table in a cell of which the cursor stands.
    fn table_of_cell(&self) -> Option<&Table<'r>> {
        let is_in_row = |table: &&Table<'_>| self.open.get(table.level).is_some_and(|open| is_row(open.name));
        self.tables.last().filter(|table| self.open.len() > table.level + 1).filter(is_in_row)
    }

    /// Begins the row of a table, if the element that starts is one.
    fn row_begins(&mut self, name: &str) {
        if self.pass.redactor.strict.is_some() || !is_row(name) {
            return;
        }
        let level = self.open.len();
        if self.tables.last().is_none_or(|table| table.level < level) {
            self.tables.push(Table::new(level));
        }
        if let Some(table) = self.tables.last_mut() {
            table.row_ends();
        }
    }

    /// Ends what an element was of a table: a cell, a row, or the table.
    fn row_ends(&mut self, name: &str, text: &str) {
        let level = self.open.len();
        while self.tables.last().is_some_and(|table| table.level > level) {
            self.tables.pop();
        }
        let Some(table) = self.tables.last_mut() else { return };
        let is_in_row = self.open.get(table.level).is_some_and(|open| is_row(open.name));
        if level == table.level && is_row(name) {
            table.row_ends();
        } else if !is_in_row {
            // Something else beside the rows.
        } else if level == table.level + 1 {
            let caption = if text.is_empty() { Key::default() } else { self.pass.key_in_text(text) };
            if table.cell_ends(false, caption.clone())
                && let Some(row) = self.open.last_mut()
            {
                row.next = Some(caption);
            }
        } else if let Some(cell) = self.open.last_mut().filter(|cell| cell.text.is_empty()) {
            text.clone_into(&mut cell.text);
        }
    }

    /// Tells the pass which elements stand beside the one whose text this is, if a rule asks for it.
    fn tell_beside(&mut self, text: &str) {
        let asks = self.names.last().is_some_and(|key| self.pass.looks_beside(key, text.as_bytes()));
        let [.., parent, _] = &mut self.open[..] else { return };
        if !asks {
            return;
        }
        let children = parent.children.get_or_insert_with(|| {
            let names = markup::children(&self.text[parent.inside..]);
            names.into_iter().map(|name| self.pass.key_in_text(name)).collect()
        });
        self.pass.beside.clone_from(children);
    }

    /// Whether the text at hand is the name of a structure's member, as XML-RPC writes it.
    fn is_member_name(&self) -> bool {
        let mut open = self.open.iter().rev().map(|open| local(open.name));
        ["name", "member", "struct"].iter().all(|name| open.next() == Some(name))
    }

    fn end(&mut self) -> Result<(), DropReason> {
        let rest = &self.text[self.at + 2..];
        let len = rest.find('>').ok_or(DropReason::Unparseable)?;
        let open = self.open.pop().ok_or(DropReason::Unparseable)?;
        if rest[..len].trim_ascii_end() != open.name {
            return bad();
        }
        self.names.pop();
        self.at += 2 + len + 1;
        if markup::holds_caption(local(open.name), &open.text, &self.text[self.at..]) {
            let key = self.pass.key_in_text(open.text.trim_end_matches([':', '：', ' ']));
            if let Some(parent) = self.open.last_mut() {
                parent.captioned = Some(key).filter(|key| key.is_listed());
            }
        }
        self.closed(open.name, &open.text);
        self.row_ends(open.name, &open.text);
        Ok(())
    }

    /// Remembers an element's text as the name of the next one, if it is of the kind that names.
    fn closed(&mut self, name: &str, text: &str) {
        // `<entry><string>email</string><string>..`
        let is_of_entry = || name == "string" && self.open.last().is_some_and(|parent| parent.name == "entry");
        let names = !text.is_empty() && (is_naming(local(name)) || is_of_entry());
        let next = names.then(|| self.pass.key_in_text(text));
        let next = next.filter(|key| key.is_listed());
        if let Some(parent) = self.open.last_mut()
            && next.is_some()
        {
            parent.next = next;
        }
    }

    fn start(&mut self) -> Result<(), DropReason> {
        if self.open.is_empty() && self.rooted {
            return bad();
        }
        self.rooted = true;
        let (name, attributes, closed) = self.tag()?;
        let is_cell = self.tables.last().is_some_and(|table| self.open.len() == table.level + 1)
            && self.open.last().is_some_and(|parent| is_row(parent.name));
        let parent = self.open.last_mut();
        let given = parent.and_then(|parent| {
            let is_value = markup::is_named(local(name)) || is_cell;
            let next = if is_value { parent.next.take().or_else(|| parent.named.clone()) } else { None };
            next.or_else(|| parent.told.clone().filter(|_| markup::is_given(local(name))))
        });
        self.row_begins(local(name));
        let own = self.pass.key(local(name));
        self.names.push(own);
        let place = Place { key: None, parents: &self.names, depth: self.depth };
        let named = markup::attributes(self.pass, &mut self.patch, name, &attributes, None, place)?;
        let told: Option<Key<'k>> = named.below;
        let named: Option<Key<'k>> = named.own.or(given);
        if closed {
            self.names.pop();
            return Ok(());
        }
        if self.open.len() >= self.pass.redactor.settings.depth_max {
            return Err(DropReason::TooDeep);
        }
        if let (Some(key), Some(last)) = (&named, self.names.last_mut()) {
            *last = key.clone();
        }
        self.open.push(Open {
            name,
            named,
            told,
            next: None,
            captioned: None,
            text: String::new(),
            inside: self.at,
            children: None,
        });
        Ok(())
    }

    /// The tag at the cursor: its name, its attributes, and whether it closes itself.
    fn tag(&mut self) -> Result<(&'t str, Vec<Attribute<'t>>, bool), DropReason> {
        let text = self.text;
        let bytes = text.as_bytes();
        let until = |from: usize, stop: fn(u8) -> bool| {
            bytes[from..].iter().position(|b| stop(*b)).map_or(bytes.len(), |len| from + len)
        };
        let name_end = until(self.at + 1, |b| b.is_ascii_whitespace() || b == b'>' || b == b'/');
        let name = &text[self.at + 1..name_end];
        if !is_name(name) {
            return bad();
        }
        let mut attributes: Vec<Attribute<'t>> = Vec::new();
        let mut seen = HashSet::new();
        let mut at = name_end;
        loop {
            let start = until(at, |b| !b.is_ascii_whitespace());
            match bytes.get(start) {
                Some(b'>') => {
                    self.at = start + 1;
                    return Ok((name, attributes, false));
                }
                Some(b'/') if bytes.get(start + 1) == Some(&b'>') => {
                    self.at = start + 2;
                    return Ok((name, attributes, true));
                }
                Some(_) if start > at => {}
                _ => return bad(),
            }
            let end = until(start, |b| b.is_ascii_whitespace() || b == b'=' || b == b'>');
            let attribute = &text[start..end];
            let equals = until(end, |b| !b.is_ascii_whitespace());
            let open = until((equals + 1).min(bytes.len()), |b| !b.is_ascii_whitespace());
            let quote =
                bytes.get(open).copied().filter(|b| matches!(b, b'"' | b'\'')).ok_or(DropReason::Unparseable)?;
            if bytes.get(equals) != Some(&b'=') || !is_name(attribute) || !seen.insert(attribute) {
                return bad();
            }
            let len = memchr::memchr(quote, &bytes[open + 1..]).ok_or(DropReason::Unparseable)?;
            let value = open + 1..open + 1 + len;
            let raw = &text[value.clone()];
            check_characters(raw)?;
            check_references(raw, self.typed)?;
            if raw.contains('<') {
                return bad();
            }
            at = value.end + 1;
            attributes.push(Attribute { name: attribute, name_start: start, value, quoted: true });
        }
    }
}

/// Whether an element is a row of a table.
fn is_row(name: &str) -> bool {
    ROWS.iter().any(|row| local(name).eq_ignore_ascii_case(row))
}

/// Whether a text is a name (the finer classes of letters are not told apart).
fn is_name(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':') || c as u32 >= 0xc0;
    text.starts_with(first) && text.chars().all(|c| first(c) || c.is_ascii_digit() || matches!(c, '-' | '.' | '\u{b7}'))
}

/// Refuses characters that no XML document has.
fn check_characters(text: &str) -> Result<(), DropReason> {
    let wrong = |b: &u8| matches!(b, 0..=8 | 11 | 12 | 14..=31);
    let noncharacter = || text.contains(['\u{fffe}', '\u{ffff}']);
    if text.as_bytes().iter().any(wrong) || noncharacter() { bad() } else { Ok(()) }
}

/// Refuses an `&` that begins no reference, and references that nothing defines.
fn check_references(text: &str, typed: bool) -> Result<(), DropReason> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        rest = &rest[at..];
        let end = rest.bytes().take(64).position(|b| b == b';').ok_or(DropReason::Unparseable)?;
        let numeric = rest[1..].starts_with('#');
        match reference(rest) {
            Some((c, _)) if numeric || typed || markup::is_of_xml(c) => {}
            None if typed && !numeric && is_name(rest.get(1..end).unwrap_or_default()) => {}
            _ => return bad(),
        }
        rest = &rest[end..];
    }
    Ok(())
}
