//! The names beside a value in a JSON object: a bare `name` with a price beside it is a product's, with a birth date it
//! is a person's.

use std::ops::Range;

/// How far an object is looked at, in bytes: keeps the search linear however many values ask.
const OBJECT_BYTES_MAX: usize = 2048;
/// Names looked at, at most.
const NAMES_MAX: usize = 32;
/// Longest string of a pair that is looked at as a name, bytes.
const TOLD_BYTES_MAX: usize = 40;

/// The first bytes of a string, looked at one by one.
const NEAR_BYTES: usize = 24;
/// Names of the member that says what an object is about.
const LABELS: [&str; 3] = ["text", "display", "label"];

/// The names of an object's own members, as written; `object` begins after its brace. Names with escapes are left out.
pub(in crate::redact) fn names(object: &str) -> Vec<&str> {
    members(object).into_iter().filter_map(|name| object.get(name)).collect()
}

/// Where the string stands that says what an object is about: `{"coding": [..], "text": "SSN"}`.
pub(in crate::redact) fn label(object: &str) -> Option<usize> {
    let is_label = |name: &Range<usize>| object.get(name.clone()).is_some_and(|name| LABELS.contains(&name));
    let name = members(object).into_iter().find(is_label)?;
    let after = object.get(name.end + 1..)?;
    let value = after.trim_start().strip_prefix(':')?.trim_start();
    value.starts_with('"').then(|| object.len() - value.len())
}

/// Where the names of an object's own members stand.
fn members(object: &str) -> Vec<Range<usize>> {
    let bytes = &object.as_bytes()[..object.len().min(OBJECT_BYTES_MAX)];
    let mut names = Vec::new();
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let start = at + 1;
                let Some(end) = closing(bytes, start) else { break };
                at = end;
                let is_name = depth == 0 && bytes[end + 1..].iter().find(|b| !b.is_ascii_whitespace()) == Some(&b':');
                if is_name && object.get(start..end).is_some_and(|name| !name.contains('\\')) {
                    names.push(start..end);
                    if names.len() == NAMES_MAX {
                        break;
                    }
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => break,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    names
}

/// Longest object that is looked at as a pair, bytes.
const PAIR_BYTES_MAX: usize = 300;
/// Names of members that tell something about a field, and are not its value.
const ABOUT: [&str; 40] = [
    "message",
    "msg",
    "error",
    "reason",
    "description",
    "hint",
    "status",
    "action",
    "format",
    "title",
    "help",
    "tooltip",
    "placeholder",
    "rule",
    "constraint",
    "order",
    "direction",
    "sort",
    "dir",
    "operator",
    "op",
    "class",
    "locale",
    "lang",
    "language",
    "currency",
    "unit",
    "url",
    "href",
    "icon",
    "color",
    "type",
    "kind",
    "datatype",
    "mode",
    "severity",
    "code",
    "id",
    "label",
    "issue",
];

/// The two members of an object that has no others, both strings; `object` begins after its brace.
pub(in crate::redact) fn pair(object: &str) -> Option<[(&str, &str); 2]> {
    let bytes = &object.as_bytes()[..object.len().min(PAIR_BYTES_MAX)];
    let space =
        |at: usize| at + bytes.get(at..).unwrap_or_default().iter().take_while(|b| b.is_ascii_whitespace()).count();
    let mut at = 0;
    let mut string = |sign: u8| {
        let start = space(at);
        // One with escapes is not looked at.
        let end = (bytes.get(start) == Some(&b'"')).then(|| closing(bytes, start + 1)).flatten()?;
        let next = space(end + 1);
        at = next + 1;
        let text = object.get(start + 1..end).filter(|text| !text.as_bytes().contains(&b'\\'))?;
        (bytes.get(next) == Some(&sign)).then_some(text)
    };
    Some([(string(b':')?, string(b',')?), (string(b':')?, string(b'}')?)])
}

/// The strings of a list of pairs that may name what stands beside them, of either member: `list` begins after its
/// bracket. Empty if its first object is no pair.
pub(in crate::redact) fn told(list: &str) -> Vec<&str> {
    let head = &list[..list.floor_char_boundary(OBJECT_BYTES_MAX)];
    let mut told = Vec::new();
    for object in head.strip_prefix('{').into_iter().flat_map(|objects| objects.split('{')) {
        let strings = pair(object).into_iter().flatten().map(|(_, string)| string);
        told.extend(strings.filter(|text| text.starts_with(char::is_alphabetic) && text.len() <= TOLD_BYTES_MAX));
        if told.len() >= NAMES_MAX || !object.trim_end().ends_with(',') {
            break;
        }
    }
    told
}

/// Which member of a pair names the other one by its value: `{"prop": "email", "is": ".."}`. Both orders; the namer's
/// value first.
pub(in crate::redact) fn namings<'t>(pair: [(&'t str, &'t str); 2]) -> impl Iterator<Item = (&'t str, &'t str)> {
    let [first, second] = pair;
    [(first, second), (second, first)].into_iter().filter_map(|(namer, named)| {
        let last = named.0.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
        let is_name = namer.1.len() <= 40
            && namer.1.starts_with(|c: char| c.is_alphabetic())
            // A code of a currency or a country.
            && (namer.1.len() > 3 || namer.1.bytes().any(|b| b.is_ascii_lowercase()))
            && namer.1.chars().all(|c| c.is_alphanumeric() || "_-. []".contains(c));
        (is_name && !ABOUT.contains(&last.as_str())).then_some((namer.1, named.0))
    })
}

/// Where the string that began before `at` ends.
fn closing(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let rest = bytes.get(at..)?;
        let is_end = |b: &u8| matches!(b, b'"' | b'\\');
        // Most strings are shorter than what a jump is worth.
        at += match rest[..rest.len().min(NEAR_BYTES)].iter().position(is_end) {
            Some(near) => near,
            None => NEAR_BYTES + memchr::memchr2(b'"', b'\\', rest.get(NEAR_BYTES..)?)?,
        };
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_objects_own_names_are_given() {
        assert_eq!(names(r#" "a": {"x": 1}, "b" : ["y", {"z": 2}], "c": "d:", "e\"f": 1} , "g": 2"#), ["a", "b", "c"]);
        assert_eq!(names("}"), [""; 0]);
        let about = r#""coding": [{"text": "x"}], "text" : "SSN"}, "text": "y""#;
        assert_eq!(label(about).map(|at| &about[at..at + 5]), Some("\"SSN\""));
        assert_eq!(label(r#""text": 1}"#), None);
        let many: String = (0..100).map(|n| format!("\"k{n}\":{n},")).collect();
        assert_eq!(names(&many).len(), NAMES_MAX);
    }

    #[test]
    fn a_pair_has_two_strings_and_nothing_else() {
        assert_eq!(pair(r#" "a": "b" , "c":"d" }, "#), Some([("a", "b"), ("c", "d")]));
        for no in [
            r#""a":"b"}"#,
            r#""a":"b","c":1}"#,
            r#""a":"b","c":"d","e":"f"}"#,
            r#""a":"b","c":"d"#,
            r#""a":{"c":"d"}}"#,
        ] {
            assert_eq!(pair(no), None, "{no}");
        }
        let of = |pair| namings(pair).collect::<Vec<_>>();
        assert_eq!(of([("prop", "email"), ("is", "x@y")]), [("email", "is")]);
        assert_eq!(of([("field", "email"), ("message", "too short!")]), []);
    }

    #[test]
    fn a_list_of_pairs_tells_its_names() {
        let list = r#"{"k":"dob","v":"1980-01-01"}, {"k": "ref", "v": "A-17"}]"#;
        assert_eq!(told(list), ["dob", "ref", "A-17"]);
        assert_eq!(told(r#"{"k":"dob","v":1}]"#), [""; 0]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\"\\\\{}\\[\\]:,a-zé ]{0,80}") {
            let _ = names(&text);
            let _ = pair(&text).map(|pair| namings(pair).count());
            let _ = (told(&text), label(&text));
        }
    }
}
