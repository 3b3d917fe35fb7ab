//! The machine-readable zone of a passport or an identity card (ICAO 9303) in a text: each of its lines is a value of its
//! own, so that as many lines stand there as before.

use crate::redact::matching::find::splice;
use crate::redact::pass::Pass;
use std::ops::Range;

/// Characters of a line: three formats have 30, 36 or 44; what was recognised from print may lack or add some.
const LINE_BYTES: std::ops::RangeInclusive<usize> = 28..=46;
/// Bytes between two lines, at most: an ending, written out or not.
const BETWEEN_BYTES_MAX: usize = 4;

/// Replaces the lines of zones with several; `Some` if one changed.
pub(in crate::redact) fn lines(pass: &mut Pass<'_>, text: &str) -> Option<String> {
    // Fillers in a row: nearly every text ends here.
    memchr::memmem::find(text.as_bytes(), b"<<")?;
    let runs = runs(text);
    let mut spans = Vec::new();
    let follows = |a: &Range<usize>, b: &Range<usize>| {
        let between = &text[a.end..b.start];
        between.len() <= BETWEEN_BYTES_MAX && between.trim_matches(['\\', 'n', 'r', '\r', '\n', ' ']).is_empty()
    };
    for zone in runs.chunk_by(follows) {
        let is_zone = zone.len() > 1 && text[zone[0].clone()].starts_with(['P', 'V', 'I', 'A', 'C']);
        for range in zone.iter().filter(|_| is_zone) {
            let key = pass.key_in_text("mrz-line");
            let line = &text[range.clone()];
            if let Some(rule) = pass.name_rule(line, &key, &[])
                && let Some(fresh) = pass.apply(rule, line)
            {
                spans.push((range.clone(), fresh));
            }
        }
    }
    splice(text, spans)
}

/// Runs of capital letters, digits and fillers that are as long as a line.
fn runs(text: &str) -> Vec<Range<usize>> {
    let is_of_line = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'<';
    let mut at = 0;
    let all = text.as_bytes().chunk_by(|a, b| is_of_line(*a) == is_of_line(*b)).map(|run| {
        at += run.len();
        (at - run.len()..at, is_of_line(run[0]))
    });
    all.filter(|(range, is)| *is && LINE_BYTES.contains(&range.len())).map(|(range, _)| range).collect()
}
