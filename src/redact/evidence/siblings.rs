//! A pair of strings in an object of which one may be the name of the other: `{"prop": "email", "is": ".."}`.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_from_what_is_said_about_a_field() {
        let of = |pair| namings(pair).collect::<Vec<_>>();
        assert_eq!(of([("prop", "email"), ("is", "x@y")]), [("email", "is")]);
        assert_eq!(of([("field", "email"), ("message", "too short!")]), []);
    }
}
