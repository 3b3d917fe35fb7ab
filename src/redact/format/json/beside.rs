//! What stands beside a value in a JSON document: the names of the same object, and what pairs tell of each other.

use crate::redact::evidence::looks;
use crate::redact::evidence::names::Key;
use crate::redact::format::json::tokens::{Kind, Tokens};

/// How far an object or a list is looked at, in bytes: keeps the search linear however many values ask.
const LOOKED_AT_BYTES_MAX: usize = 2048;
/// Names looked at, at most.
const NAMES_MAX: usize = 32;
/// Longest string of a pair that is looked at as a name, bytes.
const TOLD_BYTES_MAX: usize = 40;
/// Longest object that is looked at as a pair, bytes.
const PAIR_BYTES_MAX: usize = 300;
/// Names of the member that says what an object is about.
const LABELS: [&str; 4] = ["text", "display", "label", "ref"];
/// How the names of lists end that say so.
pub(super) const LISTS: [&str; 7] = ["list", "liste", "lista", "lijst", "listado", "array", "set"];
/// Words of the names of objects behind which stands what their members are called by, and ends that say the same.
const HEADS: [&str; 2] = ["by", "per"];
const TAILS: [&str; 3] = ["index", "map", "lookup"];

/// Names that are the type of a value, where it has no other: of DynamoDB, MongoDB's extended JSON, Avro, Firestore, FHIR;
/// and how a query compares it.
const TYPED: [&str; 57] = [
    "$eq",
    "$ne",
    "$in",
    "$nin",
    "$like",
    "$ilike",
    "$regex",
    "$contains",
    "$startsWith",
    "_eq",
    "_in",
    "_like",
    "_ilike",
    "eq",
    "in",
    "like",
    "equals",
    "contains",
    "startsWith",
    "S",
    "N",
    "B",
    "M",
    "L",
    "SS",
    "NS",
    "$date",
    "$numberLong",
    "$numberInt",
    "$numberDouble",
    "$numberDecimal",
    "string",
    "int",
    "long",
    "float",
    "double",
    "bytes",
    "array",
    "map",
    "stringValue",
    "integerValue",
    "doubleValue",
    "timestampValue",
    "dateValue",
    "mapValue",
    "arrayValue",
    "fields",
    "values",
    "string_value",
    "int_value",
    "valueString",
    "valueDate",
    "valueDateTime",
    "valueInteger",
    "StringValue",
    "DateValue",
    "NumberValue",
];

/// The own members of the object at a token whose names stand as they are: the member's place, its name, and the token of
/// its value.
pub(super) fn members<'t>(tokens: &Tokens<'t>, object: usize) -> impl Iterator<Item = (usize, &'t str, usize)> {
    let end = tokens.get(object).map_or(0, |token| token.range().start + LOOKED_AT_BYTES_MAX);
    let is_near =
        move |(_, (name, _)): &(usize, (usize, usize))| tokens.get(*name).is_some_and(|name| name.range().end <= end);
    let plain = |(place, (name, value))| Some((place, tokens.plain(name)?, value));
    tokens.members(object).enumerate().take_while(is_near).filter_map(plain).take(NAMES_MAX)
}

/// The names of the own members of the object at a token, as written, each with the member's place; those with escapes are
/// left out.
pub(super) fn names<'t>(tokens: &Tokens<'t>, object: usize) -> impl Iterator<Item = (usize, &'t str)> {
    members(tokens, object).map(|(place, name, _)| (place, name))
}

/// The value of an object that only says its type: `{"S": ".."}`, `{"$date": ..}`, `{"mapValue": {"fields": {..}}}`.
pub(super) fn typed(tokens: &Tokens<'_>, object: usize) -> Option<usize> {
    let mut members = tokens.members(object);
    let (name, value) = members.next().filter(|_| members.next().is_none())?;
    tokens.plain(name).filter(|name| TYPED.contains(name)).map(|_| value)
}

/// Last words of names under which members are called by persons, without the plural's `s`.
const PEOPLE: [&str; 33] = [
    "presence",
    "roster",
    "leaderboard",
    "employee",
    "staff",
    "worker",
    "person",
    "people",
    "user",
    "member",
    "player",
    "vote",
    "voter",
    "attendee",
    "participant",
    "customer",
    "guest",
    "driver",
    "patient",
    "student",
    "teacher",
    "candidate",
    "applicant",
    "assignee",
    "contributor",
    "colleague",
    "speaker",
    "reviewer",
    "approver",
    "mitarbeiter",
    "teilnehmer",
    "spieler",
    "empleado",
];

/// What the members of the object at a token are called by, if it is persons: each of their names is written as one of a
/// person, and the object's own name says so or one of them is surely somebody's; or each is made as names to sign in with
/// are, in an object of people.
pub(super) fn of_people(tokens: &Tokens<'_>, object: usize, name: &str) -> Option<&'static str> {
    let first = tokens.plain(object + 1)?;
    let names = || names(tokens, object).map(|(_, name)| name);
    let is_named = || PEOPLE.iter().any(|people| name.trim_end_matches('s').ends_with(people));
    // Nearly every object ends here.
    if first.contains(' ') {
        let are_written = names().all(looks::is_written_as_name);
        return (are_written && (is_named() || names().any(looks::is_known_person))).then_some("fullname");
    }
    let is_login = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.ends_with(|c: char| c.is_ascii_alphanumeric())
            && name.bytes().filter(u8::is_ascii_digit).count() > 1
    };
    (is_login(first) && is_named() && names().all(is_login)).then_some("user")
}

/// What the members of an object are called by, if its own name says so: `by_email`, `quota_by_api_key`,
/// `account_number_index`.
pub(super) fn called_by<'k>(key: &'k Key<'_>) -> Option<&'k str> {
    let name = key.joined();
    let tail = || TAILS.iter().find_map(|tail| name.strip_suffix(tail));
    HEADS.iter().find_map(|head| key.after(head)).or_else(tail).filter(|name| name.len() > 1)
}

/// The string that says what the object at a token is about: `{"coding": [..], "text": "SSN"}`.
pub(super) fn label(tokens: &Tokens<'_>, object: usize) -> Option<usize> {
    let (.., value) = members(tokens, object).find(|(_, name, _)| LABELS.contains(name))?;
    tokens.get(value).filter(|token| token.kind.is_string()).map(|_| value)
}

/// The two members of the object at a token that has no others, both strings without escapes.
pub(super) fn pair<'t>(tokens: &Tokens<'t>, object: usize) -> Option<[(&'t str, &'t str); 2]> {
    let token = tokens.get(object).filter(|token| token.kind == Kind::Object)?;
    // Two names and two strings: five tokens with the object's own.
    if token.tokens(object) != 5 || token.range().len() > PAIR_BYTES_MAX {
        return None;
    }
    let member = |name| Some((tokens.plain(name)?, tokens.plain(name + 1)?));
    Some([member(object + 1)?, member(object + 3)?])
}

/// The strings of a list of pairs that may name what stands beside them, of either member. What comes after an object
/// that holds others is not looked at.
pub(super) fn told<'t>(tokens: &Tokens<'t>, list: usize) -> Vec<&'t str> {
    let Some(end) = tokens.get(list).map(|token| token.range().start + LOOKED_AT_BYTES_MAX) else { return Vec::new() };
    let mut told = Vec::new();
    for element in tokens.elements(list) {
        let is_near = tokens.get(element).is_some_and(|token| token.kind == Kind::Object && token.range().end <= end);
        let is_scalar = |(_, value)| tokens.get(value).is_some_and(|value| value.kind.is_scalar());
        if !is_near || !tokens.members(element).all(is_scalar) || told.len() >= NAMES_MAX {
            break;
        }
        let strings = pair(tokens, element).into_iter().flatten().map(|(_, string)| string);
        told.extend(strings.filter(|text| text.starts_with(char::is_alphabetic) && text.len() <= TOLD_BYTES_MAX));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Tokens<'_> {
        Tokens::of(text, 16).unwrap()
    }

    #[test]
    fn only_the_objects_own_names_are_given() {
        let names = |text: &str| names(&tokens(text), 0).map(|(_, name)| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(names(r#"{ "a": {"x": 1}, "b" : ["y", {"z": 2}], "c": "d:", "e\"f": 1}"#), ["a", "b", "c"]);
        assert!(names("{}").is_empty());
        let many = (0..100).map(|n| format!("\"k{n}\":{n}")).collect::<Vec<_>>().join(",");
        assert_eq!(names(&format!("{{{many}}}")).len(), NAMES_MAX);
        let far = format!(r#"{{"a":"{}","b":1}}"#, "x".repeat(LOOKED_AT_BYTES_MAX));
        assert_eq!(names(&far), ["a"]);
    }

    #[test]
    fn names_are_told_with_the_place_of_their_member() {
        let tokens = tokens(r#"{"a":1,"\u0062":2,"c":3}"#);
        assert_eq!(names(&tokens, 0).collect::<Vec<_>>(), [(0, "a"), (2, "c")]);
    }

    #[test]
    fn members_may_be_called_by_persons() {
        let of_people = |name, text| of_people(&tokens(text), 0, name);
        for (name, text) in [
            ("hoursbyemployee", r#"{"Ludvig Åkerlund": {}, "Дмитрий Громыко": {}}"#),
            ("votes", r#"{"Nerys Sidebottom": 1}"#),
            ("tasks", r#"{"Nerys Sidebottom": [], "Ada Lovelace": []}"#),
        ] {
            assert_eq!(of_people(name, text), Some("fullname"), "{text}");
        }
        assert_eq!(of_people("presence", r#"{"quitten33": 1, "ada.l42": 2}"#), Some("user"));
        for (name, text) in [
            ("options", r#"{"Nerys Sidebottom": 1}"#),
            ("votes", r#"{"yes": 1, "Nerys Sidebottom": 2}"#),
            ("votes", r#"{"Nerys Sidebottom": 1, "total": 2}"#),
            ("votes", "{}"),
            ("presence", r#"{"quitten33": 1, "count": 2}"#),
            ("versions", r#"{"release33": 1}"#),
        ] {
            assert_eq!(of_people(name, text), None, "{text}");
        }
    }

    #[test]
    fn an_object_tells_what_it_is_about() {
        let label = |text| {
            let tokens = tokens(text);
            label(&tokens, 0).and_then(|at| tokens.plain(at)).map(str::to_owned)
        };
        assert_eq!(label(r#"{"coding": [{"text": "x"}], "text" : "SSN"}"#).as_deref(), Some("SSN"));
        assert_eq!(label(r#"{"text": 1}"#), None);
    }

    #[test]
    fn a_pair_has_two_strings_and_nothing_else() {
        let pair = |text| pair(&tokens(text), 0);
        assert_eq!(pair(r#"{ "a": "b" , "c":"d" }"#), Some([("a", "b"), ("c", "d")]));
        for no in [
            r#"{"a":"b"}"#,
            r#"{"a":"b","c":1}"#,
            r#"{"a":"b","c":"d","e":"f"}"#,
            r#"{"a":"b","c":"\u0064"}"#,
            r#"{"a":{"c":"d"}}"#,
            r#"{"a":{"c":"d"},"e":"f"}"#,
            r#"["a","b","c","d"]"#,
        ] {
            assert_eq!(pair(no), None, "{no}");
        }
    }

    #[test]
    fn a_list_of_pairs_tells_its_names() {
        let told = |text| told(&tokens(text), 0);
        assert_eq!(told(r#"[{"k":"dob","v":"1980-01-01"}, {"k": "ref", "v": "A-17"}]"#), ["dob", "ref", "A-17"]);
        assert_eq!(told(r#"[{"k":"dob","v":1}]"#), [""; 0]);
        assert_eq!(told(r#"[{"k":"dob","v":"x"}, {"k": {"a": "b"}}, {"k":"ref","v":"y"}]"#), ["dob", "x"]);
    }
}
