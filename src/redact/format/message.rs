//! Messages in a message: an HTTP request or answer as text, a mail, a part of a multipart body. Header lines are
//! redacted as those of the capture are, the body by its own content type.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::media::MediaType;
use crate::redact::format::mime::Transfer;
use crate::redact::format::splice::{Patch, Unescaped};
use crate::redact::format::{decode, form, headers, url};
use crate::redact::pass::{NESTED_DEPTH_MAX, Pass, Place};
use std::ops::Range;

/// Redacts a message: a start line if there is one, header lines, a body.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, bytes: &[u8], place: Place<'_>) -> Result<Vec<u8>, DropReason> {
    if place.depth >= NESTED_DEPTH_MAX {
        return Err(DropReason::TooDeep);
    }
    let message = Message::read(bytes).ok_or(DropReason::Unparseable)?;
    let inner = Place { key: None, parents: &[], depth: place.depth + 1 };
    for (name, known) in [("content-encoding", "identity"), ("transfer-encoding", "identity")] {
        if message.header(name).is_some_and(|value| !value.eq_ignore_ascii_case(known)) {
            return Err(DropReason::Undecodable);
        }
    }
    let body = message.body(pass, inner)?;
    message.write(pass, body, inner.depth, false)
}

/// Redacts one part of a multipart body: its name is the key of its text. What cannot be read inside becomes a marker,
/// so that the other parts stay.
pub(in crate::redact) fn part(pass: &mut Pass<'_>, bytes: &[u8], place: Place<'_>) -> Result<Vec<u8>, DropReason> {
    let message = Message::read(bytes).filter(|message| message.start.is_none()).ok_or(DropReason::Unparseable)?;
    let disposition = MediaType::of(&message.header("content-disposition").unwrap_or_default());
    let mut names: Vec<Key<'_>> = place.parents.to_vec();
    names.extend(place.key.cloned());
    let key = disposition.parameter("name").and_then(|name| {
        names.extend(form::path(pass, name));
        names.pop()
    });
    let inner = Place { key: key.as_ref(), parents: &names, depth: place.depth };
    let plain = match message.header("content-type").map(|value| MediaType::of(&value)) {
        None => true,
        Some(media) => media.essence == "text/plain" && media.parameter("charset").is_none(),
    };
    let file = disposition.parameter("filename").or(disposition.parameter("filename*")).is_some();
    let body = match message.field(pass, inner, plain && !file) {
        Err(
            reason @ (DropReason::UnknownType
            | DropReason::UnknownCharset
            | DropReason::Unparseable
            | DropReason::Undecodable),
        ) => {
            pass.parts_dropped[reason as usize] += 1;
            let transfer = message.transfer().unwrap_or(Transfer::Identity);
            Some(transfer.encode(marker(reason, message.body.len()).as_bytes(), message.body))
        }
        other => other?,
    };
    message.write(pass, body, place.depth, true)
}

/// What stands for a body that was dropped.
pub(in crate::redact) fn marker(reason: DropReason, len: usize) -> String {
    format!("[dropped: {}, {len} bytes]", reason.name())
}

/// Whether bytes are a marker.
pub(in crate::redact) fn is_marker(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let inside = text.strip_prefix("[dropped: ").and_then(|rest| rest.strip_suffix(" bytes]"));
    inside.and_then(|inside| inside.split_once(", ")).is_some_and(|(reason, len)| {
        DropReason::ALL.iter().any(|known| known.name() == reason)
            && len.len() <= 20
            && len.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Whether a text of unknown kind is a message: a start line and header lines, or at least two header lines of which one
/// has a name that HTTP or mail knows.
pub(in crate::redact) fn is_message(text: &str) -> bool {
    Message::read(text.as_bytes()).is_some_and(|message| {
        let known = |line: &Line| {
            let name = message.head[line.name.clone()].to_ascii_lowercase();
            name.starts_with("content-")
                || name.starts_with("x-")
                || ["host", "user-agent", "accept", "authorization", "cookie", "set-cookie", "date", "from", "subject"]
                    .contains(&name.as_str())
        };
        message.start.is_some() || message.lines.len() > 1 && message.lines.iter().any(known)
    })
}

/// A header line: where its name and its value stand.
struct Line {
    name: Range<usize>,
    value: Range<usize>,
}

struct Message<'b> {
    /// Everything before the body, the blank line included.
    head: String,
    /// Whether the head is no UTF-8 and was read as Latin-1.
    latin1: bool,
    start: Option<Range<usize>>,
    lines: Vec<Line>,
    body: &'b [u8],
}

impl<'b> Message<'b> {
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let end = head_end(bytes);
        let (head, body) = bytes.split_at(end);
        let utf8 = std::str::from_utf8(head).ok().map(str::to_owned);
        let latin1 = utf8.is_none();
        let head = utf8.unwrap_or_else(|| head.iter().map(|b| char::from(*b)).collect());
        let mut message = Self { head, latin1, start: None, lines: Vec::new(), body };
        message.read_head().then_some(message)
    }

    /// Reads start line and header lines; `false` if a line is neither.
    fn read_head(&mut self) -> bool {
        let mut at = 0;
        let head = std::mem::take(&mut self.head);
        let ok = head.split_inclusive('\n').all(|raw| {
            let (start, line) = (at, raw.trim_end_matches(['\r', '\n']));
            at += raw.len();
            let end = start + line.len();
            if line.is_empty() {
                return true;
            }
            if line.starts_with([' ', '\t']) {
                return self.lines.last_mut().map(|last| last.value.end = end).is_some();
            }
            if start == 0 && is_start_line(line) {
                self.start = Some(start..end);
                return true;
            }
            let Some((name, value)) = line.split_once(':').filter(|(name, _)| is_token(name)) else { return false };
            let value_start = end - value.trim_start().len();
            self.lines.push(Line { name: start..start + name.len(), value: value_start..end });
            true
        });
        self.head = head;
        ok
    }

    fn header(&self, name: &str) -> Option<String> {
        let line = self.lines.iter().find(|line| self.head[line.name.clone()].eq_ignore_ascii_case(name))?;
        Some(unfolded(&self.head[line.value.clone()]).text.trim().to_owned())
    }

    fn transfer(&self) -> Option<Transfer> {
        Transfer::of(&self.header("content-transfer-encoding").unwrap_or_default())
    }

    /// The redacted body, encoded for transfer; `None` if nothing changes.
    fn body(&self, pass: &mut Pass<'_>, place: Place<'_>) -> Result<Option<Vec<u8>>, DropReason> {
        self.field(pass, place, false)
    }

    fn field(&self, pass: &mut Pass<'_>, place: Place<'_>, plain: bool) -> Result<Option<Vec<u8>>, DropReason> {
        let transfer = self.transfer().ok_or(DropReason::Undecodable)?;
        let bytes = transfer.decode(self.body).ok_or(DropReason::Undecodable)?;
        if bytes.is_empty() || is_marker(&bytes) {
            return Ok(None);
        }
        let text = if plain { std::str::from_utf8(&bytes).ok() } else { None };
        let fresh = match text {
            // A field of a form: one value under one name.
            Some(text) if !text.contains('\0') => pass.value(text, place)?.map(String::into_bytes),
            _ => {
                let content_type = self.header("content-type");
                Some(decode::part(pass, content_type.as_deref(), &bytes, place)?).filter(|fresh| *fresh != bytes)
            }
        };
        Ok(fresh.map(|fresh| transfer.encode(&fresh, self.body)))
    }

    /// Puts the message together, its header lines redacted. `upload` says that file names come from a person's disk.
    fn write(
        &self,
        pass: &mut Pass<'_>,
        body: Option<Vec<u8>>,
        depth: u8,
        upload: bool,
    ) -> Result<Vec<u8>, DropReason> {
        let mut patch = Patch::new(&self.head);
        if let Some(start) = &self.start {
            patch.put(start.clone(), start_line(pass, &self.head[start.clone()], depth)?);
        }
        for line in &self.lines {
            let name = &self.head[line.name.clone()];
            let plain = unfolded(&self.head[line.value.clone()]);
            let fresh = match (name.to_ascii_lowercase().as_str(), &body) {
                ("content-length", Some(body)) if plain.text == self.body.len().to_string() => {
                    Some(body.len().to_string())
                }
                ("content-disposition", _) if upload => headers::disposition(pass, &plain.text, true)?,
                _ => pass.header(name, &plain.text)?,
            };
            if let Some(fresh) = fresh {
                patch.put(line.value.clone(), plain.graft(&fresh, |text| text.replace(['\r', '\n'], " ")));
            }
        }
        let head = patch.done();
        let mut out = match self.latin1 {
            true => {
                head.chars().map(|c| u8::try_from(c).map_err(|_| DropReason::Internal)).collect::<Result<_, _>>()?
            }
            false => head.into_bytes(),
        };
        out.extend_from_slice(body.as_deref().unwrap_or(self.body));
        Ok(out)
    }
}

/// Where the body starts: after the first blank line, or at the end.
fn head_end(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(len) = memchr::memchr(b'\n', &bytes[at..]) {
        let line = &bytes[at..at + len];
        at += len + 1;
        if line.is_empty() || line == b"\r" {
            return at;
        }
    }
    bytes.len()
}

/// A value with its folds undone.
fn unfolded(raw: &str) -> Unescaped<'_> {
    let mut plain = Unescaped::new(raw);
    for (at, _) in raw.match_indices('\n') {
        let from = if raw[..at].ends_with('\r') { at - 1 } else { at };
        let blank = raw[at + 1..].bytes().take_while(|b| matches!(b, b' ' | b'\t')).count();
        plain.undo(from..at + 1 + blank, " ");
    }
    plain.done()
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn is_start_line(line: &str) -> bool {
    if line.starts_with("HTTP/") {
        return true;
    }
    let mut words = line.split(' ');
    let method = words.next().is_some_and(is_token);
    method
        && words.next().is_some()
        && words.next().is_some_and(|version| version.starts_with("HTTP/"))
        && words.next().is_none()
}

/// `METHOD target HTTP/1.1`, `HTTP/1.1 200 OK`.
fn start_line(pass: &mut Pass<'_>, line: &str, depth: u8) -> Result<String, DropReason> {
    if line.starts_with("HTTP/") {
        let place = Place { key: None, parents: &[], depth };
        return Ok(pass.value(line, place)?.unwrap_or_else(|| line.to_owned()));
    }
    let (method, rest) = line.split_once(' ').ok_or(DropReason::Unparseable)?;
    let (target, version) = rest.rsplit_once(' ').ok_or(DropReason::Unparseable)?;
    Ok(format!("{method} {} {version}", url::target(pass, target, depth)?))
}
