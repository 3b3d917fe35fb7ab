//! HTML and other markup, read leniently: what is no tag is text. Scripts are texts, or JSON where they say so. What a text
//! is may be said by its element, by a caption before it, by the column of its table, or by what people call their classes.

mod hints;
mod tags;

use crate::exchange::DropReason;
use crate::redact::evidence::captions;
use crate::redact::evidence::names::Key;
use crate::redact::format::markup::{self, escape, is_naming, local, unescape};
use crate::redact::format::rows::Table;
use crate::redact::format::splice::{Patch, Unescaped, trimmed};
use crate::redact::format::{json, sniff};
use crate::redact::pass::{Pass, Place};
use std::ops::Range;
use tags::{Tag, is_tag, line_break};

/// Elements without an end tag.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// What a form asks with, apart from a text of its own.
const CONTROLS: [&str; 4] = ["input", "select", "option", "button"];
/// Elements whose text has no tags; of these, the first have no references either.
const RAW: [&str; 7] = ["script", "style", "xmp", "iframe", "noembed", "textarea", "title"];
const RAW_WITHOUT_REFERENCES: usize = 5;
/// Elements whose first words may be the caption of what follows: `<li><b>Town</b> Ustrzyki`.
const BLOCKS: [&str; 5] = ["li", "p", "td", "div", "dd"];
/// Elements within a line.
const INLINE: [&str; 5] = ["span", "b", "strong", "em", "i"];
/// Longest value behind words that lead a block, in words.
const VALUE_WORDS_MAX: usize = 6;
/// Elements that an open one of the same name ends.
const LISTED: [&str; 8] = ["p", "li", "td", "th", "tr", "dt", "dd", "option"];
/// Lines that are looked at together, at most.
const LINES_MAX: usize = 16;
/// How many levels up an end tag looks for its start.
const LEVELS_MAX: usize = 32;

/// Redacts markup of any kind.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let base = place.parents.iter().chain(place.key).cloned().collect::<Vec<_>>();
    let mut walk = Walk {
        text,
        at: 0,
        patch: Patch::new(text),
        depth: place.depth,
        pass,
        base: base.len(),
        names: base,
        open: Vec::new(),
        next: None,
        captioned: false,
        last: String::new(),
        texts: 0,
        begins: false,
        tables: Vec::new(),
    };
    while walk.at < text.len() {
        walk.step()?;
    }
    Ok(walk.patch.done())
}

struct Walk<'t, 'k, 'p, 'r> {
    text: &'t str,
    at: usize,
    patch: Patch<'t>,
    depth: u8,
    pass: &'p mut Pass<'r>,
    /// How many names stand above the document.
    base: usize,
    names: Vec<Key<'k>>,
    open: Vec<Open<'t>>,
    /// What `<dt>`, `<th>`, `<label>` or `<key>` said the name of the next text is.
    next: Option<Key<'r>>,
    /// Whether that was a caption, which is of one text only.
    captioned: bool,
    /// The last short text.
    last: String,
    /// How many texts stood in the element or cell at hand.
    texts: usize,
    /// Whether nothing stands between the start of the innermost element and the cursor.
    begins: bool,
    tables: Vec<Table<'r>>,
}

/// An element that is open.
#[derive(Clone, Copy)]
struct Open<'t> {
    name: &'t str,
    /// Whether its text gives a name to what comes next.
    names: bool,
    /// Whether it stands first in a block, and its text may be the caption of the rest.
    leads: bool,
}

impl Open<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl<'t, 'k, 'r: 'k> Walk<'t, 'k, '_, 'r> {
    fn step(&mut self) -> Result<(), DropReason> {
        let rest = &self.text[self.at..];
        for (head, tail, plain) in
            [("<!--", "-->", true), ("<![CDATA[", "]]>", false), ("<?", ">", true), ("<!", ">", true)]
        {
            if let Some(inside) = rest.strip_prefix(head) {
                let len = inside.find(tail).unwrap_or(inside.len());
                let start = self.at + head.len();
                self.at = (start + len + tail.len()).min(self.text.len());
                return if plain { self.aside(start..start + len) } else { self.value(start..start + len, false) };
            }
        }
        let tag = rest.strip_prefix('<').map(|rest| rest.strip_prefix('/').unwrap_or(rest));
        if tag.is_some_and(is_tag) {
            return if rest.starts_with("</") { self.end() } else { self.start() };
        }
        let lines = self.lines();
        self.at = lines.last().map_or(self.text.len(), |line| line.end);
        if lines.len() > 1 && self.next.is_none() && self.paragraph(&lines)? {
            return Ok(());
        }
        lines.into_iter().try_for_each(|line| self.value(line, true))
    }

    /// The text at the cursor up to the next tag, and the lines after it that nothing but `<br>` parts from it.
    fn lines(&self) -> Vec<Range<usize>> {
        let mut lines = Vec::new();
        let mut at = self.at;
        while lines.len() < LINES_MAX {
            let rest = &self.text[at..];
            let skip = usize::from(lines.is_empty() && rest.starts_with('<'));
            let len = memchr::memchr(b'<', &rest.as_bytes()[skip..]).map_or(rest.len(), |len| skip + len);
            if len == 0 {
                break;
            }
            lines.push(at..at + len);
            at += len;
            let Some(len) = line_break(&self.text[at..]) else { break };
            at += len;
        }
        lines
    }

    /// Redacts lines as one text: an address goes over several of them. Whether something was found, and in the same
    /// number of lines.
    fn paragraph(&mut self, lines: &[Range<usize>]) -> Result<bool, DropReason> {
        let text = self.text;
        let core = |line: &Range<usize>| {
            let core = trimmed(text, line.clone());
            (core.clone(), unescape(&text[core]))
        };
        let cores: Vec<(Range<usize>, Unescaped<'_>)> = lines.iter().map(core).collect();
        let whole = cores.iter().map(|(_, plain)| &*plain.text).collect::<Vec<_>>().join("\n");
        let parents = &self.names[..self.names.len().saturating_sub(1)];
        let place = Place { key: self.names.last(), parents, depth: self.depth };
        let Some(fresh) = self.pass.value(&whole, place)? else { return Ok(false) };
        let fresh: Vec<&str> = fresh.split('\n').collect();
        let one_for_each = fresh.len() == cores.len() && !cores.iter().any(|(_, plain)| plain.text.contains('\n'));
        if !one_for_each {
            return Ok(false);
        }
        for ((core, plain), fresh) in cores.into_iter().zip(fresh) {
            // A line may also be a document by itself.
            let own = self.pass.value(fresh, place)?;
            self.patch.put(core, plain.graft(own.as_deref().unwrap_or(fresh), escape));
        }
        self.last.clear();
        Ok(true)
    }

    /// A comment, a declaration: text of its own.
    fn aside(&mut self, range: Range<usize>) -> Result<(), DropReason> {
        let place = Place { key: None, parents: &[], depth: self.depth };
        if let Some(fresh) = self.pass.value(&self.text[range.clone()], place)? {
            self.patch.put(range, fresh.replace("-->", "--"));
        }
        Ok(())
    }

    fn value(&mut self, range: Range<usize>, references: bool) -> Result<(), DropReason> {
        let raw = &self.text[range.clone()];
        let core = raw.trim();
        let core = if self.next.is_some() { markup::behind_caption(core) } else { core };
        if core.is_empty() {
            return Ok(());
        }
        let start = range.start + raw.find(core).unwrap_or_default();
        let plain = if references { unescape(core) } else { Unescaped::new(core) };
        self.last.clear();
        if plain.text.len() <= markup::NAME_BYTES_MAX {
            self.last.push_str(plain.text.trim_end_matches([':', ' ', '*']));
        }
        self.texts += 1;
        self.begins = false;
        let named = self.name_of();
        let is_caption = self.is_no_value(&plain.text);
        let parents = &self.names[..self.names.len().saturating_sub(1)];
        let key = named.as_ref().or(self.names.last()).filter(|_| !is_caption);
        if let (Some(key), Some(table)) = (key, self.tables.last())
            && self.pass.looks_beside(key, plain.text.as_bytes())
        {
            self.pass.beside.clone_from(&table.columns);
        }
        let fresh = self.pass.value(&plain.text, Place { key, parents, depth: self.depth });
        self.pass.beside.clear();
        if let Some(fresh) = fresh? {
            let fresh = plain.graft(&fresh, |text| if references { escape(text) } else { text.to_owned() });
            self.patch.put(start..start + core.len(), fresh);
        }
        Ok(())
    }

    /// Whether a text asks for a value, or is itself the caption of one: in a first row of captions none is the value of the
    /// one before, and an element of the class `address` may say no more than `Delivery address`.
    fn is_no_value(&mut self, text: &str) -> bool {
        let is_short = text.len() <= markup::NAME_BYTES_MAX;
        self.pass.redactor.strict.is_none()
            && (captions::is_caption(text) || is_short && !self.pass.key_in_text(text).said().values.is_empty())
    }

    /// The name that a text has from the texts before it.
    fn name_of(&mut self) -> Option<Key<'r>> {
        let next = match (self.names_next(), self.captioned) {
            (true, _) => return None,
            (false, true) => self.next.take(),
            (false, false) => self.next.clone(),
        };
        if next.is_some() {
            return next;
        }
        let is_inline = self.open.last().is_some_and(|open| INLINE.iter().any(|one| open.is(one)));
        let own = !is_inline && self.names.last().is_some_and(|own| !own.said().values.is_empty());
        self.tables.last().filter(|_| !own).and_then(Table::column).cloned()
    }

    /// Whether the innermost element gives a name to what comes next.
    fn names_next(&self) -> bool {
        self.open.last().is_some_and(|open| open.names)
    }

    /// Takes the last text for the name of the next one, if rules list it.
    fn name_next(&mut self) {
        let key = (!self.last.is_empty()).then(|| self.pass.key_in_text(&self.last));
        self.next = key.filter(|key| key.is_listed());
    }

    fn end(&mut self) -> Result<(), DropReason> {
        let rest = &self.text[self.at + 2..];
        let len = memchr::memchr(b'>', rest.as_bytes()).unwrap_or(rest.len());
        let name = rest[..len].split(|c: char| c.is_ascii_whitespace() || c == '/').next().unwrap_or_default();
        let name_end = self.at + 2 + name.len();
        self.at = (self.at + 2 + len + 1).min(self.text.len());
        self.aside(name_end..name_end + (len - name.len()))?;
        let levels = self.open.iter().rev().take(LEVELS_MAX).position(|open| open.is(name));
        let Some(levels) = levels else { return Ok(()) };
        let inside = &self.text[..name_end - name.len() - 2];
        let is_caption = levels == 0 && self.is_caption(name, inside);
        if levels == 0 && self.names_next() || is_caption {
            self.name_next();
            self.captioned = is_caption;
        } else if self.next.is_some() && !INLINE.contains(&name) {
            self.next = None;
        }
        let ended = self.open.len() - levels - 1;
        self.cell_ends(ended);
        self.begins = false;
        self.open.truncate(ended);
        self.names.truncate(self.base + ended);
        while self.tables.last().is_some_and(|table| table.level >= ended) {
            self.tables.pop();
        }
        Ok(())
    }

    /// Whether the innermost element, which ends here, holds the caption of the text behind it.
    fn is_caption(&self, name: &str, inside: &str) -> bool {
        let behind = self.text[self.at..].trim_start();
        let has_colon =
            inside.ends_with(':') && self.texts == 1 && BLOCKS.iter().any(|block| name.eq_ignore_ascii_case(block));
        let leads = self.open.last().is_some_and(|open| open.leads) && self.texts == 1;
        let goes_on = || {
            let tag = behind.strip_prefix('<');
            // What describes a field is in brackets, or a sentence.
            let text = behind.split('<').next().unwrap_or_default();
            let is_value = tag.is_some()
                || text.starts_with(|c: char| c.is_alphanumeric() || c == '+')
                    && text.split_whitespace().take(VALUE_WORDS_MAX + 1).count() <= VALUE_WORDS_MAX;
            is_value
                && !behind.is_empty()
                && tag.is_none_or(|tag| ["br", "span", "em", "i>"].iter().any(|of| tag.starts_with(of)))
        };
        markup::holds_caption(name, inside, &self.text[self.at..]) || has_colon || leads && goes_on()
    }

    /// Ends the cell or row of the innermost table that is among the open elements from `level` on.
    fn cell_ends(&mut self, level: usize) {
        let Some(table) = self.tables.last_mut() else { return };
        let ended = self.open.get(level.max(table.level)..).unwrap_or_default();
        let is_part = |open: &&Open<'_>| ["td", "th", "tr"].iter().any(|part| open.is(part));
        let Some(open) = ended.iter().rfind(is_part) else { return };
        if !open.is("tr") {
            let is_name = self.texts == 1 && !self.last.is_empty() && self.pass.redactor.strict.is_none();
            let caption = if is_name { self.pass.key_in_text(&self.last) } else { Key::default() };
            if table.cell_ends(open.is("th"), caption.clone()) {
                self.next = Some(caption);
                self.captioned = true;
            }
        }
        if ended.iter().any(|open| open.is("tr")) {
            table.row_ends();
            self.next = None;
        }
    }

    fn start(&mut self) -> Result<(), DropReason> {
        let tag = Tag::of(self.text, self.at);
        self.at = tag.end;
        let follows = |open: &Open<'_>| {
            [("dt", "dd"), ("dt", "dt"), ("th", "td"), ("th", "th"), ("td", "th"), ("td", "tr"), ("th", "tr")]
                .iter()
                .any(|(before, after)| open.is(before) && tag.is(after))
        };
        // `<dt>Email<dd>ada`: the end tag may be left out.
        if self.open.last().is_some_and(follows) {
            self.cell_ends(self.open.len() - 1);
            if self.names_next() {
                self.name_next();
            }
            self.open.pop();
            self.names.pop();
        }
        self.enter(&tag);
        let own = self.pass.key(local(tag.name));
        self.names.push(own);
        let named = self.attributes(&tag)?;
        if let Some(at) = RAW.iter().position(|known| tag.is(known)) {
            let json = tag
                .attributes
                .iter()
                .any(|one| one.name.eq_ignore_ascii_case("type") && self.text[one.value.clone()].contains("json"));
            self.raw_text(tag.name, at >= RAW_WITHOUT_REFERENCES, json, named)?;
            self.names.pop();
            return Ok(());
        }
        if tag.closed || tag.is_one_of(&VOID) {
            self.names.pop();
            return Ok(());
        }
        if let (Some(named), Some(last)) = (named, self.names.last_mut()) {
            *last = named;
        }
        let is_strict = self.pass.redactor.strict.is_some();
        let open = Open {
            name: tag.name,
            names: is_naming(local(tag.name))
                || tag.is_one_of(&["dt", "th", "label"])
                || !is_strict && hints::is_caption(self.text, &tag.attributes),
            leads: !is_strict
                && self.begins
                && tag.is_one_of(&INLINE)
                && self.open.last().is_some_and(|open| BLOCKS.iter().any(|block| open.is(block))),
        };
        self.begins = true;
        if self.open.last().is_some_and(|last| last.is(tag.name)) && tag.is_one_of(&LISTED) {
            // `<li>a<li>b`: the second ends the first.
            self.cell_ends(self.open.len() - 1);
            let name = self.names.pop();
            self.names.pop();
            self.names.extend(name);
            self.open.pop();
        }
        if self.open.len() >= 4 * self.pass.redactor.settings.depth_max {
            return Err(DropReason::TooDeep);
        }
        self.open.push(open);
        self.texts = 0;
        Ok(())
    }

    /// Begins a table, or a row of one.
    fn enter(&mut self, tag: &Tag<'_>) {
        if tag.is("table") {
            self.tables.push(Table::new(self.open.len()));
        } else if let Some(table) = self.tables.last_mut().filter(|_| tag.is("tr")) {
            // The end tag of the row before may have been left out.
            table.row_ends();
        }
    }

    /// Redacts the attributes of an element, and returns the name that they give to its text.
    fn attributes(&mut self, tag: &Tag<'_>) -> Result<Option<Key<'k>>, DropReason> {
        // A label is that of the control beside it, not of what can be chosen there.
        let label: Option<Key<'r>> = if tag.is_one_of(&CONTROLS) { self.next.take() } else { None };
        let label = label.filter(|_| tag.is("input"));
        let is_strict = self.pass.redactor.strict.is_some();
        let hint = if is_strict { None } else { hints::of(self.pass, self.text, &tag.attributes).or(label) };
        let place = Place { key: None, parents: &self.names, depth: self.depth };
        let named = markup::attributes(self.pass, &mut self.patch, tag.name, &tag.attributes, hint, place)?.own;
        let is_chosen =
            || tag.is("option") && tag.attributes.iter().any(|one| one.name.eq_ignore_ascii_case("selected"));
        // What is chosen is what the control asked for.
        let chosen = |names: &[Key<'k>]| names.iter().rev().nth(1).filter(|key| !key.said().values.is_empty()).cloned();
        Ok(named.or_else(|| chosen(&self.names).filter(|_| !is_strict && is_chosen())))
    }

    /// The text of an element that knows no tags, up to its end tag.
    fn raw_text(&mut self, name: &str, references: bool, json: bool, named: Option<Key<'k>>) -> Result<(), DropReason> {
        let bytes = self.text.as_bytes();
        let mut end = self.at;
        loop {
            end += memchr::memchr(b'<', &bytes[end..]).unwrap_or(bytes.len() - end);
            let tag = bytes.get(end..end + 2 + name.len());
            if end >= bytes.len()
                || tag.is_some_and(|tag| tag[1] == b'/' && tag[2..].eq_ignore_ascii_case(name.as_bytes()))
            {
                break;
            }
            end += 1;
        }
        let range = self.at..end;
        self.at = end;
        let raw = &self.text[range.clone()];
        if json && sniff::is_json(raw) {
            let place = Place { key: None, parents: &[], depth: self.depth };
            let fresh = json::document(self.pass, raw, place)?;
            // A stand-in has no `<`, so none can end the script.
            self.patch.put(range, fresh);
            return Ok(());
        }
        if let (Some(named), Some(last)) = (named, self.names.last_mut()) {
            *last = named;
        }
        self.value(range, references)
    }
}
