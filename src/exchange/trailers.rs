//! Trailers: field lines that follow a body. An exchange keeps them behind its header lines, and names them in `Trailer`.

use http::header::{CONNECTION, HOST, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Appends the trailers of an answer to its header lines; `Trailer` then names exactly those that were appended.
///
/// Left out are fields that may not follow a body (RFC 9110, section 6.5.1), because they would change how the body is read,
/// and names that the head has as well, which could not be told from it.
pub fn append_trailers(head: &mut HeaderMap, trailers: &HeaderMap) {
    head.remove(TRAILER);
    let may = |name: &HeaderName| is_trailer(name) && !head.contains_key(name);
    let names: Vec<HeaderName> = trailers.keys().filter(|name| may(name)).cloned().collect();
    let text = names.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(", ");
    let Ok(named) = HeaderValue::from_str(&text) else { return };
    if names.is_empty() || head.try_append(TRAILER, named).is_err() {
        return;
    }
    for (name, value) in
        names.iter().flat_map(|name| trailers.get_all(name).into_iter().map(move |value| (name, value)))
    {
        // A map that is full has more lines than any answer we take.
        let _ = head.try_append(name, value.clone());
    }
}

fn is_trailer(name: &HeaderName) -> bool {
    const NEVER: [HeaderName; 7] = [CONNECTION, HOST, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
    !NEVER.contains(name) && !name.as_str().starts_with("content-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_was_appended_is_named_and_nothing_else() {
        let mut head = map(&[("trailer", "x-sum, x-never"), ("etag", "a")]);
        append_trailers(
            &mut head,
            &map(&[("x-sum", "7"), ("etag", "b"), ("content-type", "text/html"), ("host", "h")]),
        );
        assert_eq!(head, map(&[("trailer", "x-sum"), ("etag", "a"), ("x-sum", "7")]));
        append_trailers(&mut head, &HeaderMap::new());
        assert!(!head.contains_key(TRAILER));
    }

    #[test]
    fn a_name_that_came_twice_keeps_both_values() {
        let mut head = HeaderMap::new();
        let mut trailers = map(&[("x-sum", "1")]);
        trailers.append("x-sum", HeaderValue::from_static("2"));
        append_trailers(&mut head, &trailers);
        assert_eq!(head.get_all("x-sum").into_iter().collect::<Vec<_>>(), ["1", "2"]);
    }
}
