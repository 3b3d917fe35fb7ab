//! `name: value` lines (YAML, TOML, INI, properties): names are keys, indentation and sections are their parents.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::form;
use crate::redact::format::splice::{Patch, Unescaped};
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

/// Redacts line by line. A line that is no pair is text under the nearest name.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let mut walk = Walk { patch: Patch::new(text), open: Vec::new(), section: Vec::new(), told: None, place };
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\r', '\n']);
        walk.line(pass, at..at + bare.len())?;
        at += line.len();
    }
    Ok(walk.patch.done())
}

/// Whether a text is nothing but `name: value` lines, at least two, heads of sections and comments.
pub(in crate::redact) fn is_list(text: &str) -> bool {
    let is_section =
        |line: &str| line.starts_with('[') && line.ends_with(']') && !line.contains(['"', '\'', ',', '{', ':']);
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', ';']) && !is_section(line));
    let mut named = 0;
    let all = lines.map(|line| line.trim_start_matches("- ")).all(|line| {
        let end = line.find(|c: char| !(c.is_alphanumeric() || "_-.".contains(c))).unwrap_or(line.len());
        let sign = line[end..].trim_start();
        named += 1;
        end > 0 && (sign.starts_with('=') || sign == ":" || sign.starts_with(": "))
    });
    all && named > 1
}

struct Walk<'t, 'k> {
    patch: Patch<'t>,
    /// Names without a value of their own, with their indentation.
    open: Vec<(usize, Key<'k>)>,
    section: Vec<Key<'k>>,
    /// What the line before a value says that it is, with its indentation: `- name: DB_PASSWORD`, `value: ".."`.
    told: Option<(usize, Key<'k>)>,
    place: Place<'k>,
}

impl<'k> Walk<'_, 'k> {
    fn line<'r: 'k>(&mut self, pass: &mut Pass<'r>, range: Range<usize>) -> Result<(), DropReason> {
        let raw = self.patch.original(range.clone());
        let content = raw.trim_start_matches([' ', '\t']);
        let mut indent = raw.len() - content.len();
        if content.is_empty() {
            return Ok(());
        }
        if content.starts_with(['#', ';', '!']) || content.starts_with("//") || content.starts_with("---") {
            return self.text(pass, range, &[]);
        }
        if let Some(section) = content.strip_prefix('[').and_then(|rest| rest.trim_end().strip_suffix(']'))
            && !section.contains(['"', '\'', ',', '{', ':'])
        {
            self.open.clear();
            self.section = form::path(pass, section);
            return self.text(pass, range, &[]);
        }
        // Each `- ` of a list indents what follows it.
        let mut rest = content;
        while let Some(after) = rest.strip_prefix("- ") {
            rest = after.trim_start_matches(' ');
            indent = raw.len() - rest.len();
        }
        let inside = if rest.len() < content.len() { indent } else { indent + usize::from(pair(rest).is_none()) };
        while self.open.last().is_some_and(|(at, _)| *at >= inside) {
            self.open.pop();
        }
        let mut names: Vec<Key<'_>> = self.section.clone();
        names.extend(self.open.iter().map(|(_, key)| key.clone()));
        let start = range.end - rest.len();
        let Some((name, value)) = pair(rest) else {
            return self.text(pass, start..range.end, &names);
        };
        let name_end = start + name.len();
        let plain_name = name.trim().trim_matches(['"', '\'']);
        let key = pass.key(plain_name);
        if let Some(fresh) = pass.name(plain_name, &key, self.place.depth)? {
            self.patch.put(start..name_end, name.replacen(plain_name, &fresh, 1));
        }
        if self.open.len() >= pass.redactor.settings.depth_max {
            return Err(DropReason::TooDeep);
        }
        match self.told.take().filter(|(at, _)| *at == indent && key.is_named()) {
            Some((_, told)) => names.push(told),
            None => names.extend(form::path(pass, plain_name)),
        }
        // Strict mode names its paths as the document has them.
        if key.is_naming() && !value.trim().is_empty() && pass.redactor.strict.is_none() {
            let told = pass.key_in_text(value.trim().trim_matches(['"', '\'']));
            self.told = Some((indent, told)).filter(|(_, key)| !key.said().values.is_empty());
        }
        let value_range = range.end - value.len()..range.end;
        let bare = value.trim();
        if bare.is_empty() || matches!(bare.as_bytes()[0], b'|' | b'>' | b'&') && bare.len() < 4 {
            self.open.push((indent, key));
            return Ok(());
        }
        self.text(pass, value_range, &names)
    }

    /// A value, with or without quotes; a comment after it stays its own text.
    fn text(&mut self, pass: &mut Pass<'_>, range: Range<usize>, names: &[Key<'_>]) -> Result<(), DropReason> {
        let raw = self.patch.original(range.clone());
        let start = range.start + (raw.len() - raw.trim_start().len());
        let core = raw.trim();
        let mut parents = self.place.parents.to_vec();
        parents.extend(self.place.key.cloned());
        parents.extend_from_slice(names);
        let key = if names.is_empty() { None } else { parents.pop() };
        let place = Place { key: key.as_ref(), parents: &parents, depth: self.place.depth };
        let quoted = core
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\''))
            .and_then(|quote| Some((quote, closing(core, quote)?)));
        if let Some((quote, end)) = quoted {
            let plain = unquote(&core[1..end], quote);
            if let Some(fresh) = pass.value(&plain.text, place)? {
                let escape = |text: &str| match quote {
                    '"' => text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"),
                    _ => text.replace('\'', "''"),
                };
                self.patch.put(start + 1..start + end, plain.graft(&fresh, escape));
            }
            let after = start + end + 1..start + core.len();
            return self.comment(pass, after);
        }
        let end = core.find(" #").unwrap_or(core.len());
        let value = core[..end].trim_end();
        if let Some(fresh) = pass.value(value, place)? {
            self.patch.put(start..start + value.len(), fresh.replace(['\r', '\n'], " "));
        }
        self.comment(pass, start + end..start + core.len())
    }

    fn comment(&mut self, pass: &mut Pass<'_>, range: Range<usize>) -> Result<(), DropReason> {
        let place = Place { key: None, parents: &[], depth: self.place.depth };
        if let Some(fresh) = pass.value(self.patch.original(range.clone()), place)? {
            self.patch.put(range, fresh);
        }
        Ok(())
    }
}

/// The name and the value of a line, if it has both: `name: value`, `name:`, `name = value`.
fn pair(line: &str) -> Option<(&str, &str)> {
    let quoted = line.chars().next().filter(|c| matches!(c, '"' | '\'')).and_then(|quote| closing(line, quote));
    let from = quoted.map_or(0, |end| end + 1);
    let bytes = line.as_bytes();
    let sign = bytes[from..].iter().enumerate().find(|(at, b)| match b {
        b'=' => true,
        b':' => bytes.get(from + at + 1).is_none_or(|next| matches!(next, b' ' | b'\t')),
        _ => false,
    })?;
    let at = from + sign.0;
    let name = &line[..at];
    let plain = quoted.is_some() || name.trim().chars().all(|c| c.is_alphanumeric() || "_-./ $@+".contains(c));
    (plain && !name.trim().is_empty() && name.len() <= 128).then(|| (name, &line[at + 1..]))
}

/// Where the quote that opens the text closes.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().skip(1).peekable();
    while let Some((at, b)) = bytes.next() {
        let doubled = quote == '\'' && bytes.peek().is_some_and(|(_, next)| *next == b'\'');
        if b == b'\\' && quote == '"' || b == b'\'' && doubled {
            bytes.next();
        } else if char::from(b) == quote {
            return Some(at);
        }
    }
    None
}

fn unquote(raw: &str, quote: char) -> Unescaped<'_> {
    let mut plain = Unescaped::new(raw);
    if quote == '\'' {
        raw.match_indices("''").for_each(|(at, _)| plain.undo(at..at + 2, "'"));
        return plain.done();
    }
    let mut at = 0;
    while let Some(step) = raw[at..].find('\\') {
        let start = at + step;
        let Some(c) = raw[start + 1..].chars().next() else { break };
        let hex = |len: usize| {
            let digits = raw.get(start + 2..start + 2 + len)?;
            char::from_u32(u32::from_str_radix(digits, 16).ok()?).map(|c| (c, 2 + len))
        };
        let (c, len) = match c {
            'n' => ('\n', 2),
            't' => ('\t', 2),
            'r' => ('\r', 2),
            'x' => hex(2).unwrap_or((c, 2)),
            'u' => hex(4).unwrap_or((c, 2)),
            'U' => hex(8).unwrap_or((c, 2)),
            c => (c, 1 + c.len_utf8()),
        };
        at = start + len;
        plain.undo(start..at, c.encode_utf8(&mut [0; 4]));
    }
    plain.done()
}
