//! Rewriting in place: what did not change stays byte for byte, whatever escapes surround it.

use std::borrow::Cow;
use std::ops::Range;

/// A range of a text without the white space at either end; empty, at the start of the range, if there is nothing else.
pub(in crate::redact) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let raw = text.get(range.clone()).unwrap_or_default();
    match raw.trim().len() {
        0 => range.start..range.start,
        len => {
            let start = range.start + (raw.len() - raw.trim_start().len());
            start..start + len
        }
    }
}

/// A text and what replaces ranges of it.
pub(in crate::redact) struct Patch<'t> {
    text: &'t str,
    puts: Vec<(Range<usize>, String)>,
}

impl<'t> Patch<'t> {
    /// No replacements yet.
    pub fn new(text: &'t str) -> Self {
        Self { text, puts: Vec::new() }
    }

    /// The whole text as it was.
    pub fn whole(&self) -> &'t str {
        self.text
    }

    /// A range of the text as it was.
    pub fn original(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    /// Replaces a range; ranges may come in any order and do not overlap.
    pub fn put(&mut self, range: Range<usize>, fresh: impl Into<String>) {
        self.puts.push((range, fresh.into()));
    }

    /// The text with everything replaced.
    pub fn done(mut self) -> String {
        self.puts.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = String::with_capacity(self.text.len());
        let mut copied = 0;
        for (range, fresh) in self.puts {
            out.push_str(self.text.get(copied..range.start).unwrap_or_default());
            out.push_str(&fresh);
            copied = range.end.max(copied);
        }
        out.push_str(self.text.get(copied..).unwrap_or_default());
        out
    }
}

/// A stretch of the raw text that stands for a stretch of the plain one.
#[derive(Debug)]
struct Escape {
    raw: Range<usize>,
    plain: Range<usize>,
}

/// A text with its escapes undone, that remembers where they stood.
pub(in crate::redact) struct Unescaped<'t> {
    raw: &'t str,
    /// The plain text.
    pub text: Cow<'t, str>,
    escapes: Vec<Escape>,
}

impl<'t> Unescaped<'t> {
    /// A raw text in which a sign stands before every character that it escapes; `undone` says what such a character
    /// means, and nothing for one whose escape stays.
    pub fn escaped(raw: &'t str, sign: char, undone: impl Fn(char) -> Option<char>) -> Self {
        let mut plain = Self::new(raw);
        let mut at = 0;
        while let Some(start) = raw[at..].find(sign).map(|step| at + step) {
            let first = start + sign.len_utf8();
            let Some(c) = raw[first..].chars().next() else { break };
            at = first + c.len_utf8();
            if let Some(meant) = undone(c) {
                plain.undo(start..at, meant.encode_utf8(&mut [0; 4]));
            }
        }
        plain.done()
    }

    /// Starts with a raw text in which nothing is undone.
    pub fn new(raw: &'t str) -> Self {
        Self { raw, text: Cow::Borrowed(raw), escapes: Vec::new() }
    }

    /// Undoes one escape, which stands after those undone before.
    pub fn undo(&mut self, raw: Range<usize>, plain: &str) {
        let copied = self.escapes.last().map_or(0, |last| last.raw.end);
        if self.escapes.is_empty() {
            self.text = Cow::Owned(String::with_capacity(self.raw.len()));
        }
        let text = self.text.to_mut();
        text.push_str(&self.raw[copied..raw.start]);
        let start = text.len();
        text.push_str(plain);
        let plain = start..text.len();
        self.escapes.push(Escape { raw, plain });
    }

    /// Nothing more to undo.
    pub fn done(mut self) -> Self {
        if let Some(last) = self.escapes.last() {
            let tail = &self.raw[last.raw.end..];
            self.text.to_mut().push_str(tail);
        }
        self
    }

    /// The raw text for `fresh`: what `fresh` has in common with the plain text at either end stays as it was written,
    /// the rest is encoded.
    pub fn graft(&self, fresh: &str, encode: impl FnOnce(&str) -> String) -> String {
        let (head, tail) = common(&self.text, fresh);
        let (raw_head, head) = self.before(head);
        let (raw_tail, plain_tail) = self.after(self.text.len() - tail);
        let middle = head..fresh.len() - (self.text.len() - plain_tail);
        let middle = fresh.get(middle).unwrap_or(fresh);
        [&self.raw[..raw_head], &encode(middle), &self.raw[raw_tail..]].concat()
    }

    /// The last raw place at or before a place in the plain text that splits no escape, and its place in the plain text.
    fn before(&self, at: usize) -> (usize, usize) {
        match self.escape_before(at) {
            Some(escape) if at < escape.plain.end => (escape.raw.start, escape.plain.start),
            Some(escape) => (escape.raw.end + (at - escape.plain.end), at),
            None => (at, at),
        }
    }

    /// The first raw place at or after a place in the plain text that splits no escape, and its place in the plain text.
    fn after(&self, at: usize) -> (usize, usize) {
        match self.escape_before(at) {
            Some(escape) if at < escape.plain.end => (escape.raw.end, escape.plain.end),
            Some(escape) => (escape.raw.end + (at - escape.plain.end), at),
            None => (at, at),
        }
    }

    fn escape_before(&self, at: usize) -> Option<&Escape> {
        let after = self.escapes.partition_point(|escape| escape.plain.start < at);
        after.checked_sub(1).map(|index| &self.escapes[index])
    }
}

/// How many bytes two texts have in common at their start and at their end, without overlap and without splitting a
/// character.
fn common(a: &str, b: &str) -> (usize, usize) {
    let mut head = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    while !(a.is_char_boundary(head) && b.is_char_boundary(head)) {
        head -= 1;
    }
    let most = a.len().min(b.len()) - head;
    let mut tail = a.bytes().rev().zip(b.bytes().rev()).take(most).take_while(|(x, y)| x == y).count();
    while !(a.is_char_boundary(a.len() - tail) && b.is_char_boundary(b.len() - tail)) {
        tail -= 1;
    }
    (head, tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_replaced_in_any_order() {
        let mut patch = Patch::new("one two three");
        patch.put(8..13, "3");
        patch.put(0..3, "1");
        assert_eq!(patch.done(), "1 two 3");
    }

    #[test]
    fn what_did_not_change_keeps_its_escapes() {
        // `&amp;` stands for `&`.
        let raw = "a&amp;b old c&amp;d";
        let mut plain = Unescaped::new(raw);
        plain.undo(1..6, "&");
        plain.undo(13..18, "&");
        let plain = plain.done();
        assert_eq!(plain.text, "a&b old c&d");
        assert_eq!(plain.graft("a&b new<> c&d", |middle| format!("[{middle}]")), "a&amp;b [new<>] c&amp;d");
        assert_eq!(plain.graft("a&b old c&d", str::to_owned), raw);
        assert_eq!(plain.graft("", str::to_owned), "");
        assert_eq!(plain.graft("x", |middle| middle.to_uppercase()), "X");
    }
}
