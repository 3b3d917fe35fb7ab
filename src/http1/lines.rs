//! Lines up to an empty one, told from the bytes alone, however they are split.

use memchr::memchr;

/// Remembers between calls what was looked at, so that no byte is looked at twice.
#[derive(Debug, Default)]
pub struct Lines {
    scanned: usize,
    line_start: usize,
    lines: usize,
    empty: usize,
}

/// What is wrong with lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// One does not end in CRLF, or is empty where none may be.
    LineEnd,
    /// More bytes or lines than may be.
    TooMuch,
}

impl Lines {
    /// The bytes up to and with the empty line, if it is there; `leading` empty lines are passed over before the first.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn end(
        &mut self,
        bytes: &[u8],
        bytes_max: usize,
        lines_max: usize,
        leading: usize,
    ) -> Result<Option<usize>, Fault> {
        while let Some(at) = bytes.get(self.scanned..).and_then(|rest| memchr(b'\n', rest)) {
            let feed = self.scanned + at;
            if feed >= bytes_max {
                return Err(Fault::TooMuch);
            }
            if feed == self.line_start || bytes.get(feed - 1) != Some(&b'\r') {
                return Err(Fault::LineEnd);
            }
            let empty = feed - 1 == self.line_start;
            self.scanned = feed + 1;
            self.line_start = feed + 1;
            match (empty, self.lines) {
                (true, 0) if self.empty < leading => self.empty += 1,
                (true, 0) if leading > 0 => return Err(Fault::LineEnd),
                (true, _) => return Ok(Some(feed + 1)),
                (false, _) => self.lines += 1,
            }
            if self.lines > lines_max {
                return Err(Fault::TooMuch);
            }
        }
        self.scanned = bytes.len();
        if bytes.len() > bytes_max { Err(Fault::TooMuch) } else { Ok(None) }
    }
}
