//! The names beside a value in a JSON object: a bare `name` with a price beside it is a product's, with a birth date it
//! is a person's.

/// How far an object is looked at, in bytes: keeps the search linear however many values ask.
const OBJECT_BYTES_MAX: usize = 2048;
/// Names looked at, at most.
const NAMES_MAX: usize = 32;

/// The names of an object's own members, as written; `object` begins after its brace. Names with escapes are left out.
pub(in crate::redact) fn names(object: &str) -> Vec<&str> {
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
                if is_name && let Some(name) = object.get(start..end).filter(|name| !name.contains('\\')) {
                    names.push(name);
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

/// Where the string that began before `at` ends.
fn closing(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
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
        let many: String = (0..100).map(|n| format!("\"k{n}\":{n},")).collect();
        assert_eq!(names(&many).len(), NAMES_MAX);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\"\\\\{}\\[\\]:,a-zé ]{0,80}") {
            let _ = names(&text);
        }
    }
}
