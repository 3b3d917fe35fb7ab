//! Lists of the lines that a machine read from a paper: texts, or objects that hold one each.

use crate::redact::format::json::tokens::{Kind, Tokens};

/// Fewer lines are no paper.
const LINES_MIN: usize = 4;
/// Lines that are looked at, at most.
const LINES_MAX: usize = 256;
/// Members of a line that are looked at, at most.
const MEMBERS_MAX: usize = 8;
/// The member that holds the text of a line (Textract, Rekognition, Vision, Document AI, Form Recognizer).
const TEXTS: [&str; 8] = ["text", "Text", "content", "description", "DetectedText", "mentionText", "line", "rawText"];

/// The texts of the lines in the list at a token; none if it is no such list. A line without a text is passed over.
pub(super) fn lines(tokens: &Tokens<'_>, list: usize) -> Vec<usize> {
    let line = |at: usize| match tokens.get(at)?.kind {
        Kind::Plain => Some(at),
        Kind::Object => {
            let mut members = tokens.members(at).take(MEMBERS_MAX);
            let is_text = |name: usize| tokens.plain(name).is_some_and(|name| TEXTS.contains(&name));
            members.find(|(name, value)| is_text(*name) && tokens.plain(*value).is_some()).map(|(_, value)| value)
        }
        _ => None,
    };
    // Most lists end here. Of a page's blocks the first may be the page.
    let mut head = tokens.elements(list).take(2);
    if !head.any(|element| line(element).is_some()) {
        return Vec::new();
    }
    let lines: Vec<usize> = tokens.elements(list).take(LINES_MAX).filter_map(line).collect();
    if lines.len() < LINES_MIN { Vec::new() } else { lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_texts_or_hold_one() {
        let read = |text: &str| {
            let tokens = Tokens::of(text, 16).unwrap();
            lines(&tokens, 0).into_iter().filter_map(|at| tokens.plain(at)).collect::<Vec<_>>().join("|")
        };
        assert_eq!(read(r#"["a","b","c","d"]"#), "a|b|c|d");
        assert_eq!(read(r#"[{"p":1},{"n":1,"Text":"a"},{"Text":"b"},{"Text":"c","x":{}},{"Text":"d"}]"#), "a|b|c|d");
        for none in [r#"["a","b","c"]"#, r#"[1,2,3,4]"#, r#"[{"a":"b"},{"a":"c"},{"a":"d"},{"a":"e"}]"#, "[]"] {
            assert_eq!(read(none), "", "{none}");
        }
    }
}
