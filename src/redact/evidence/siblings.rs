//! A pair of strings in an object of which one may be the name of the other: `{"prop": "email", "is": ".."}`.

/// Names of members that tell something about a field, and are not its value.
const ABOUT: [&str; 46] = [
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
    "field",
    "param",
    "parameter",
    "property",
    "pointer",
    "column",
];

/// Names of members that say what is wrong with a field.
const VERDICTS: [&str; 10] =
    ["message", "msg", "reason", "description", "detail", "details", "error", "diagnostics", "issue", "title"];

/// Whether a member of this name may say what is wrong with the field that a sibling names.
pub(in crate::redact) fn is_verdict(name: &str) -> bool {
    VERDICTS.contains(&name)
}

/// Whether what stands below a name is wrong with fields.
pub(in crate::redact) fn is_of_errors(name: &str) -> bool {
    ["error", "errors", "violations", "fielderrors", "formerrors", "validationerrors", "validation", "validations"]
        .contains(&name)
}

/// The name of the paper that a register of numbers stands for, by its object identifier (HL7's and the national registers
/// of them).
pub(in crate::redact) fn paper_of_register(urn: &str) -> Option<&'static str> {
    let oid = urn.strip_prefix("urn:oid:")?;
    REGISTERS.iter().find(|(register, _)| *register == oid).map(|(_, paper)| *paper)
}

const REGISTERS: [(&str, &str); 11] = [
    ("2.16.840.1.113883.4.1", "ssn"),
    ("2.16.840.1.113883.2.1.4.1", "nhs-number"),
    ("2.16.840.1.113883.2.4.6.3", "bsn"),
    ("2.16.840.1.113883.2.9.4.3.2", "codice-fiscale"),
    ("1.2.752.129.2.1.3.1", "personnummer"),
    ("1.2.208.176.1.2", "cpr-number"),
    ("1.2.246.21", "hetu"),
    ("2.16.578.1.12.4.1.4.1", "fodselsnummer"),
    ("2.16.756.5.32", "ahv-nummer"),
    ("1.2.250.1.213.1.4.8", "nir-number"),
    ("1.2.40.0.10.1.4.3.1", "svnr"),
];

/// Longer strings are no names, bytes.
const NAME_BYTES_MAX: usize = 40;
/// More digits than this, or in more places, and a string is no name.
const NAME_DIGITS_MAX: usize = 4;
const NAME_NUMBERS_MAX: usize = 2;
/// From so many letters and digits in a row on their order tells a name from an identifier.
const RANDOM_BYTES_MIN: usize = 12;

/// Whether a string may be the name of something: identifiers are none, told by their digits and their mixed letters.
pub(in crate::redact) fn may_be_name(text: &str) -> bool {
    let parts = text.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
    let (digits, numbers) = parts
        .filter(|part| part[0].is_ascii_digit())
        .fold((0, 0), |(digits, numbers), part| (digits + part.len(), numbers + 1));
    digits <= NAME_DIGITS_MAX
        && numbers <= NAME_NUMBERS_MAX
        && !text.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| is_random(run.as_bytes()))
}

/// Whether in a run new words and numbers begin more often than in a name.
fn is_random(run: &[u8]) -> bool {
    let begins = |two: &&[u8]| {
        two[0].is_ascii_digit() != two[1].is_ascii_digit() || two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase()
    };
    run.len() >= RANDOM_BYTES_MIN && run.windows(2).filter(begins).count() * 3 > run.len()
}

/// Which member of a pair names the other one by its value: `{"prop": "email", "is": ".."}`. Both orders; the namer's
/// value first.
pub(in crate::redact) fn namings<'t>(pair: [(&'t str, &'t str); 2]) -> impl Iterator<Item = (&'t str, &'t str)> {
    let [first, second] = pair;
    [(first, second), (second, first)].into_iter().filter_map(|(namer, named)| {
        let is_name = namer.1.len() <= NAME_BYTES_MAX
            && namer.1.starts_with(|c: char| c.is_alphabetic())
            // A code of a currency or a country.
            && (namer.1.len() > 3 || namer.1.bytes().any(|b| b.is_ascii_lowercase()))
            && namer.1.chars().all(|c| c.is_alphanumeric() || "_-. []".contains(c));
        let is_about = || {
            let last = named.0.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            ABOUT.iter().any(|word| word.eq_ignore_ascii_case(last))
        };
        (is_name && !is_about()).then_some((namer.1, named.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_no_names() {
        for text in [
            "customer email",
            "FirstGivenName",
            "addressLine1",
            "iso3166Country",
            "Line1Text2",
            "krankenversichertennummer",
            "SSN",
        ] {
            assert!(may_be_name(text), "{text}");
        }
        for text in ["sub_1ICYAHmYSlSXECvz8admsX1", "0196-9577-b03b", "12345"] {
            assert!(!may_be_name(text), "{text}");
        }
    }

    #[test]
    fn a_register_stands_for_a_paper() {
        assert_eq!(paper_of_register("urn:oid:2.16.840.1.113883.4.1"), Some("ssn"));
        assert_eq!(paper_of_register("urn:oid:2.16.840.1.113883.4.9"), None);
        assert_eq!(paper_of_register("2.16.840.1.113883.4.1"), None);
    }

    #[test]
    fn a_name_is_told_from_what_is_said_about_a_field() {
        let of = |pair| namings(pair).collect::<Vec<_>>();
        assert_eq!(of([("prop", "email"), ("is", "x@y")]), [("email", "is")]);
        assert_eq!(of([("field", "email"), ("message", "too short!")]), []);
    }
}
