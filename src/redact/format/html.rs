//! HTML and other markup, read leniently: what is no tag is text. Scripts are texts, or JSON where they say so.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::markup::{self, Attribute, escape, is_naming, local, unescape};
use crate::redact::format::splice::{Patch, Unescaped, trimmed};
use crate::redact::format::{json, sniff};
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

/// Elements without an end tag.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// What a form asks with, apart from a text of its own.
const CONTROLS: [&str; 4] = ["input", "select", "option", "button"];
/// Elements whose text has no tags; of these, the first have no references either.
const RAW: [&str; 7] = ["script", "style", "xmp", "iframe", "noembed", "textarea", "title"];
const RAW_WITHOUT_REFERENCES: usize = 5;
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
    };
    while walk.at < text.len() {
        walk.step()?;
    }
    Ok(walk.patch.done())
}

/// How many bytes of a text's start are a `<br>` without attributes.
fn line_break(text: &str) -> Option<usize> {
    let tag = text.get(..3).filter(|tag| tag.eq_ignore_ascii_case("<br"))?;
    let rest = &text[tag.len()..];
    let end = rest.find(|c: char| c != '/' && !c.is_ascii_whitespace())?;
    rest[end..].starts_with('>').then_some(tag.len() + end + 1)
}

/// Whether what stands after `<` is a tag; `<ada@example.org>` is none.
fn is_tag(text: &str) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | '.');
    let end = text.find(|c: char| !is_of_name(c)).unwrap_or(text.len());
    let after = text.as_bytes().get(end);
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && after.is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'))
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
    open: Vec<&'t str>,
    /// What `<dt>`, `<th>`, `<label>` or `<key>` said the name of the next text is.
    next: Option<Key<'k>>,
    /// Whether that was a caption, which is of one text only.
    captioned: bool,
    /// The last short text.
    last: String,
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
        let named = match (self.names_next(), self.captioned) {
            (true, _) => None,
            (false, true) => self.next.take(),
            (false, false) => self.next.clone(),
        };
        let parents = &self.names[..self.names.len().saturating_sub(1)];
        let place = Place { key: named.as_ref().or(self.names.last()), parents, depth: self.depth };
        if let Some(fresh) = self.pass.value(&plain.text, place)? {
            let fresh = plain.graft(&fresh, |text| if references { escape(text) } else { text.to_owned() });
            self.patch.put(start..start + core.len(), fresh);
        }
        Ok(())
    }

    /// Whether the innermost element gives a name to what comes next.
    fn names_next(&self) -> bool {
        self.open.last().is_some_and(|name| {
            let name = local(name);
            is_naming(name) || ["dt", "th", "label"].iter().any(|known| name.eq_ignore_ascii_case(known))
        })
    }

    /// Takes the last text for the name of the next one, if rules list it.
    fn name_next(&mut self) {
        let key = (!self.last.is_empty()).then(|| self.pass.key_in_text(&self.last));
        self.next = key.filter(|key| !key.said().values.is_empty());
    }

    fn end(&mut self) -> Result<(), DropReason> {
        let rest = &self.text[self.at + 2..];
        let len = memchr::memchr(b'>', rest.as_bytes()).unwrap_or(rest.len());
        let name = rest[..len].split(|c: char| c.is_ascii_whitespace() || c == '/').next().unwrap_or_default();
        let name_end = self.at + 2 + name.len();
        self.at = (self.at + 2 + len + 1).min(self.text.len());
        self.aside(name_end..name_end + (len - name.len()))?;
        let known = self.open.iter().rev().take(LEVELS_MAX).position(|open| open.eq_ignore_ascii_case(name));
        if let Some(levels) = known {
            let inside = &self.text[..name_end - name.len() - 2];
            let is_caption = levels == 0 && markup::holds_caption(name, inside, &self.text[self.at..]);
            if levels == 0 && self.names_next() || is_caption {
                self.name_next();
                self.captioned = is_caption;
            } else if self.next.is_some() && !["span", "b", "strong", "em", "i"].contains(&name) {
                self.next = None;
            }
            self.open.truncate(self.open.len() - levels - 1);
            self.names.truncate(self.base + self.open.len());
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), DropReason> {
        let (name, attributes, closed) = self.tag();
        let follows = |open: &&str| {
            [("dt", "dd"), ("dt", "dt"), ("th", "td"), ("th", "th")]
                .iter()
                .any(|(before, after)| open.eq_ignore_ascii_case(before) && name.eq_ignore_ascii_case(after))
        };
        // `<dt>Email<dd>ada`: the end tag may be left out.
        if self.open.last().is_some_and(follows) {
            self.name_next();
            self.open.pop();
            self.names.pop();
        }
        let own = self.pass.key(local(name));
        self.names.push(own);
        let place = Place { key: None, parents: &self.names, depth: self.depth };
        let named = markup::attributes(self.pass, &mut self.patch, name, &attributes, place)?.own;
        let is = |known: &&str| name.eq_ignore_ascii_case(known);
        if let Some(at) = RAW.iter().position(|known| name.eq_ignore_ascii_case(known)) {
            let json = attributes
                .iter()
                .any(|one| one.name.eq_ignore_ascii_case("type") && self.text[one.value.clone()].contains("json"));
            self.raw_text(name, at >= RAW_WITHOUT_REFERENCES, json, named)?;
            self.names.pop();
            return Ok(());
        }
        // A label is that of the control beside it, not of what can be chosen there.
        if CONTROLS.iter().any(is) {
            self.next = None;
        }
        if closed || VOID.iter().any(is) {
            self.names.pop();
            return Ok(());
        }
        if let (Some(named), Some(last)) = (named, self.names.last_mut()) {
            *last = named;
        }
        let again = self.open.last().is_some_and(|last| last.eq_ignore_ascii_case(name)) && LISTED.iter().any(is);
        if again {
            // `<li>a<li>b`: the second ends the first.
            let name = self.names.pop();
            self.names.pop();
            self.names.extend(name);
            return Ok(());
        }
        if self.open.len() >= 4 * self.pass.redactor.settings.depth_max {
            return Err(DropReason::TooDeep);
        }
        self.open.push(name);
        Ok(())
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

    /// The tag at the cursor: its name, its attributes, and whether it closes itself.
    fn tag(&mut self) -> (&'t str, Vec<Attribute<'t>>, bool) {
        let text = self.text;
        let bytes = text.as_bytes();
        let until = |from: usize, stop: fn(u8) -> bool| {
            bytes[from..].iter().position(|b| stop(*b)).map_or(bytes.len(), |len| from + len)
        };
        let name_end = until(self.at + 1, |b| b.is_ascii_whitespace() || b == b'>' || b == b'/');
        let name = &text[self.at + 1..name_end];
        let mut attributes = Vec::new();
        let mut at = name_end;
        loop {
            let start = until(at, |b| !b.is_ascii_whitespace() && b != b'/');
            if start >= bytes.len() || bytes[start] == b'>' {
                self.at = (start + 1).min(bytes.len());
                let closed =
                    start > name_end && bytes[start - 1] == b'/' || start == name_end && text[..start].ends_with('/');
                return (name, attributes, closed);
            }
            // A name may begin with `=`, which then is part of it.
            let end = until(start + 1, |b| b.is_ascii_whitespace() || matches!(b, b'=' | b'>' | b'/'));
            let equals = until(end, |b| !b.is_ascii_whitespace());
            if bytes.get(equals) != Some(&b'=') {
                attributes.push(Attribute {
                    name: &text[start..end],
                    name_start: start,
                    value: end..end,
                    quoted: true,
                });
                at = end;
                continue;
            }
            let open = until(equals + 1, |b| !b.is_ascii_whitespace());
            let quote = bytes.get(open).copied().filter(|b| matches!(b, b'"' | b'\''));
            let value = match quote {
                Some(quote) => {
                    let len = memchr::memchr(quote, &bytes[open + 1..]).unwrap_or(bytes.len() - open - 1);
                    open + 1..open + 1 + len
                }
                None => open..until(open, |b| b.is_ascii_whitespace() || b == b'>'),
            };
            at = if quote.is_some() { (value.end + 1).min(bytes.len()) } else { value.end };
            attributes.push(Attribute { name: &text[start..end], name_start: start, value, quoted: quote.is_some() });
        }
    }
}
