//! Tables in JSON: rows whose columns are named beside them or by the first row, and the properties of a jCard (RFC 7095),
//! whose first string names what comes after it.

use crate::redact::evidence::names;
use crate::redact::format::card;
use crate::redact::format::csv;
use crate::redact::format::json::TYPES;
use crate::redact::format::json::tokens::{Kind, Tokens};

/// Columns of a table, at most.
pub(super) const COLUMNS_MAX: usize = 128;
/// Members whose object has such a list.
const ABOUT: [&str; 5] = ["meta", "metadata", "definition", "structure", "resultmetadata"];
/// Members that list names, and members that list their values, where there is one row only.
const NAME_LISTS: [&str; 8] =
    ["names", "keys", "labels", "params", "parameters", "parameternames", "properties", "attributes"];
const VALUE_LISTS: [&str; 8] = ["values", "vals", "row", "data", "args", "arguments", "cells", "parametervalues"];
/// The longest name that is compared with those, bytes.
const NAME_BYTES_MAX: usize = 24;
/// Signs in such a name, at most.
const SIGNS_MAX: usize = 4;
/// Members of an object that are looked at for such lists, at most.
const MEMBERS_MAX: usize = 16;
/// Header lines in a list, at most, and their longest name in bytes.
const HEADER_LINES_MAX: usize = 128;
const HEADER_BYTES_MAX: usize = 64;
/// Members in which a column tells its name.
const NAMES: [&str; 5] = ["name", "field", "columnname", "fieldname", "label"];

/// The names of the columns of the rows that the object at a token holds, and where the rows are.
pub(super) fn columns<'t>(tokens: &Tokens<'t>, object: usize) -> Option<(Vec<&'t str>, usize)> {
    let (_, rows) = tokens.members(object).find(|(_, value)| width(tokens, *value).is_some())?;
    let lists = |object| {
        tokens.members(object).filter(|(name, _)| is_called(tokens, *name, &names::COLUMNS)).map(|(_, list)| list)
    };
    let named = |list| names(tokens, list).or_else(|| lists(list).find_map(|inner| names(tokens, inner)));
    // `schema` may be a name of its own, and the columns come after it.
    let about = tokens.members(object).filter(|(name, _)| is_called(tokens, *name, &ABOUT)).map(|(_, about)| about);
    let mut named_there = about.flat_map(lists).filter_map(|list| names(tokens, list));
    let named_here = lists(object).filter(|list| *list != rows).find_map(named);
    let names = named_here.or_else(|| named_there.next())?;
    (width(tokens, rows) == Some(names.len())).then_some((names, rows))
}

/// A list of as many texts as the rows have cells, whatever it is called, and where the rows are.
pub(super) fn texts_beside_rows<'t>(tokens: &Tokens<'t>, object: usize) -> Option<(Vec<&'t str>, usize)> {
    let members = || tokens.members(object).take(MEMBERS_MAX);
    let (_, rows) = members().find(|(_, value)| width(tokens, *value).is_some_and(|width| width > 1))?;
    let texts = |list: usize| {
        tokens.get(list).filter(|token| token.kind == Kind::Array)?;
        let texts: Option<Vec<&str>> =
            tokens.elements(list).take(COLUMNS_MAX + 1).map(|text| tokens.plain(text)).collect();
        texts.filter(|texts| width(tokens, rows) == Some(texts.len()))
    };
    members().find_map(|(_, list)| texts(list)).map(|texts| (texts, rows))
}

/// The names in one list of the object at a token, where that list is, and where the list of their values is:
/// `{"names": ["a", "b"], "values": [1, 2]}`.
pub(super) fn parallel<'t>(tokens: &Tokens<'t>, object: usize) -> Option<(Vec<&'t str>, usize, usize)> {
    let is_list = |at: usize| tokens.get(at).is_some_and(|token| token.kind == Kind::Array);
    // Nearly every object ends here.
    tokens.members(object).take(MEMBERS_MAX).filter(|(_, value)| is_list(*value)).nth(1)?;
    let list = |names: &[&str]| {
        let mut members = tokens.members(object).take(MEMBERS_MAX);
        members.find(|(name, _)| is_called(tokens, *name, names)).map(|(_, list)| list)
    };
    let (list, values) = (list(&NAME_LISTS).or_else(|| list(&names::COLUMNS))?, list(&VALUE_LISTS)?);
    let names = names(tokens, list)?;
    let is_one =
        is_list(values) && names.len() > 1 && tokens.elements(values).take(COLUMNS_MAX + 1).count() == names.len();
    is_one.then_some((names, list, values))
}

/// The names of the columns that one text of the object at a token lists, where the lines of cells are, and what stands
/// between them: `{"header": "id|last_name", "lines": ["7|.."]}`, `{"layout": "id|last_name", "record": "7|.."}`.
pub(super) fn lined<'t>(tokens: &Tokens<'t>, object: usize) -> Option<(Vec<&'t str>, usize, u8)> {
    let members = || tokens.members(object).take(MEMBERS_MAX);
    let (_, list) = members().find(|(name, _)| is_called(tokens, *name, &names::COLUMNS))?;
    let header = tokens.plain(list)?;
    let separator = csv::separator(header);
    let first = |at: usize| match tokens.get(at)?.kind {
        Kind::Array => tokens.plain(tokens.elements(at).next()?),
        // A text is a row if it has as many cells.
        Kind::Plain if at != list => {
            let cells = |text: &str| text.split(char::from(separator)).count();
            tokens.plain(at).filter(|line| cells(line) == cells(header))
        }
        _ => None,
    };
    let (line, rows) = members().find_map(|(_, value)| Some((first(value)?, value)))?;
    let names: Vec<&str> = header.split(char::from(separator)).take(COLUMNS_MAX + 1).collect();
    ((2..=COLUMNS_MAX).contains(&names.len()) && line.contains(char::from(separator)))
        .then_some((names, rows, separator))
}

/// Calls whose arguments stand without names: the last word of the method, and what they are.
const CALLS: [(&str, usize, &[&str]); 8] = [
    ("login", 2, &["login", "password"]),
    ("login", 3, &["db", "login", "password"]),
    ("signin", 2, &["login", "password"]),
    ("logon", 2, &["login", "password"]),
    ("authenticate", 2, &["login", "password"]),
    ("authenticate", 4, &["db", "login", "password"]),
    // Odoo's external API.
    ("execute", 4, &["db", "number", "password"]),
    ("execute_kw", 5, &["db", "number", "password"]),
];
const METHODS: [&str; 4] = ["method", "function", "procedure", "operation"];
const ARGUMENTS: [&str; 3] = ["params", "args", "arguments"];

/// What the arguments of the call are that the object at a token makes, and where they are: `{"method": "auth.login",
/// "params": ["ada", ".."]}`.
pub(super) fn call<'t>(tokens: &Tokens<'t>, object: usize) -> Option<(Vec<&'t str>, usize)> {
    let members = || tokens.members(object).take(MEMBERS_MAX);
    // Nearly every object ends here.
    members().find(|(_, value)| tokens.get(*value).is_some_and(|value| value.kind == Kind::Array))?;
    let (_, method) = members().find(|(name, _)| is_called(tokens, *name, &METHODS))?;
    let method = tokens.plain(method)?.rsplit(['.', '/', ':']).next()?;
    let (_, arguments) = members().find(|(name, _)| is_called(tokens, *name, &ARGUMENTS))?;
    tokens.get(arguments).filter(|token| token.kind == Kind::Array)?;
    let count = tokens.elements(arguments).take(COLUMNS_MAX + 1).count();
    // Those that go on have more for the method itself.
    let fits = |(name, least, _): &&(&str, usize, &[&str])| {
        method.eq_ignore_ascii_case(name) && if *least < 4 { count == *least } else { count >= *least }
    };
    let (.., names) = CALLS.iter().find(fits).filter(|_| count <= COLUMNS_MAX)?;
    let rest = std::iter::repeat_n("", count - names.len());
    Some((names.iter().copied().chain(rest).collect(), arguments))
}

/// The names and values of the pairs in the array at a token, if it is one of pairs whose first ones are short texts.
pub(super) fn pairs(tokens: &Tokens<'_>, array: usize) -> Option<Vec<(usize, usize)>> {
    // Nearly every list ends here.
    let first = tokens.elements(array).next().and_then(|first| tokens.get(first))?;
    if first.kind != Kind::Array {
        return None;
    }
    let pair = |element: usize| {
        tokens.get(element).filter(|token| token.kind == Kind::Array)?;
        let mut parts = tokens.elements(element);
        let (name, value) = (parts.next()?, parts.next()?);
        let is_name = tokens.plain(name).is_some_and(|name| (1..=HEADER_BYTES_MAX).contains(&name.len()));
        let is_scalar = tokens.get(value).is_some_and(|value| value.kind.is_scalar());
        (is_name && is_scalar && parts.next().is_none()).then_some((name, value))
    };
    let pairs: Option<Vec<(usize, usize)>> = tokens.elements(array).take(COLUMNS_MAX + 1).map(pair).collect();
    // `[["surname", "string"], ..]` describes columns.
    let is_type = |value: &usize| tokens.plain(*value).is_some_and(|value| TYPES.contains(&value));
    pairs.filter(|pairs| pairs.len() > 1 && pairs.len() <= COLUMNS_MAX && !pairs.iter().all(|(_, it)| is_type(it)))
}

/// The names and values of header lines in the array at a token, one after the other or in pairs: Node's `rawHeaders`,
/// `[["Host", ".."], ..]`.
pub(super) fn header_lines(tokens: &Tokens<'_>, array: usize) -> Option<Vec<(usize, usize)>> {
    let is_text = |at: &usize| tokens.get(*at).is_some_and(|token| token.kind.is_string());
    let elements: Vec<usize> = tokens.elements(array).take(2 * HEADER_LINES_MAX + 1).collect();
    let lines: Option<Vec<(usize, usize)>> = if elements.iter().all(is_text) {
        let (pairs, rest) = elements.as_chunks::<2>();
        rest.is_empty().then(|| pairs.iter().map(|[name, value]| (*name, *value)).collect())
    } else {
        let pair = |element: &usize| {
            tokens.get(*element).filter(|token| token.kind == Kind::Array)?;
            let mut parts = tokens.elements(*element).filter(is_text);
            Some((parts.next()?, parts.next()?)).filter(|_| parts.next().is_none())
        };
        elements.iter().map(pair).collect()
    };
    let is_name = |(name, _): &(usize, usize)| {
        let name = tokens.plain(*name).unwrap_or_default();
        (1..=HEADER_BYTES_MAX).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    // A list of columns has names too, but none with a hyphen.
    let has_hyphen = |(name, _): &(usize, usize)| tokens.plain(*name).is_some_and(|name| name.contains('-'));
    lines.filter(|lines| lines.len() <= HEADER_LINES_MAX && lines.iter().all(is_name) && lines.iter().any(has_hyphen))
}

/// The first row of the array at a token, if it is one of texts and another row is as long.
pub(super) fn header<'t>(tokens: &Tokens<'t>, array: usize) -> Option<Vec<&'t str>> {
    let mut rows = tokens.elements(array).take(2);
    let (first, second) = (rows.next()?, rows.next()?);
    let is_row = |at: usize| tokens.get(at).is_some_and(|token| token.kind == Kind::Array);
    if !is_row(first) || !is_row(second) {
        return None;
    }
    let names: Option<Vec<&str>> =
        tokens.elements(first).take(COLUMNS_MAX + 1).map(|cell| tokens.plain(cell)).collect();
    let names = names.filter(|names| (2..=COLUMNS_MAX).contains(&names.len()))?;
    // `[["surname", "string"], ..]`: a list of columns, each with its type.
    if matches!(names[..], [_, second] if TYPES.contains(&second)) {
        return None;
    }
    (tokens.elements(second).take(COLUMNS_MAX + 1).count() == names.len()).then_some(names)
}

/// The only member of an object that is a row.
const ROWS: [&str; 6] = ["f", "values", "cells", "row", "columns", "c"];

/// The cells of a row: an array, or `{"f": [..]}`.
pub(super) fn cells(tokens: &Tokens<'_>, row: usize) -> Option<impl Iterator<Item = usize>> {
    let token = tokens.get(row)?;
    let array = match token.kind {
        Kind::Array => row,
        // The array of its only member is two tokens behind it.
        Kind::Object if is_called(tokens, row + 1, &ROWS) && tokens.members(row).nth(1).is_none() => row + 2,
        _ => return None,
    };
    tokens.get(array).filter(|token| token.kind == Kind::Array)?;
    Some(tokens.elements(array))
}

/// The name that a jCard gives to the values of the property at a token: `["bday", {}, "date", "1980-02-01"]`.
pub(super) fn property(tokens: &Tokens<'_>, array: usize) -> Option<&'static str> {
    let name = tokens.plain(array + 1)?;
    let mut elements = tokens.elements(array).take(PROPERTY_HEAD + 1).filter_map(|element| tokens.get(element));
    let kinds = [Kind::Plain, Kind::Object, Kind::Plain];
    let is_property = kinds.iter().all(|kind| elements.next().is_some_and(|element| element.kind == *kind));
    if is_property && elements.next().is_some() { card::meaning(name) } else { None }
}

/// Elements of a jCard's property before its values: name, parameters, type.
pub(super) const PROPERTY_HEAD: usize = 3;

/// How many cells the first row of the array at a token has.
fn width(tokens: &Tokens<'_>, array: usize) -> Option<usize> {
    tokens.get(array).filter(|token| token.kind == Kind::Array)?;
    let row = tokens.elements(array).next()?;
    Some(cells(tokens, row)?.take(COLUMNS_MAX + 1).count()).filter(|count| (1..=COLUMNS_MAX).contains(count))
}

/// The names in a list: texts, or objects that have one.
fn names<'t>(tokens: &Tokens<'t>, list: usize) -> Option<Vec<&'t str>> {
    tokens.get(list).filter(|token| token.kind == Kind::Array)?;
    let name = |column: usize| {
        tokens.plain(column).or_else(|| {
            tokens.get(column).filter(|token| token.kind == Kind::Object)?;
            let (_, name) = tokens.members(column).find(|(name, _)| is_called(tokens, *name, &NAMES))?;
            tokens.plain(name)
        })
    };
    tokens.elements(list).take(COLUMNS_MAX + 1).map(name).collect()
}

fn is_called(tokens: &Tokens<'_>, name: usize, names: &[&str]) -> bool {
    let Some(text) = tokens.plain(name).filter(|text| text.len() <= NAME_BYTES_MAX) else { return false };
    // Most names end here: a few signs at most stand between the words.
    let lengths = |name: &str| name.len()..=name.len() + SIGNS_MAX;
    let letters = || text.bytes().filter(u8::is_ascii_alphabetic).map(|b| b.to_ascii_lowercase());
    names.iter().any(|name| lengths(name).contains(&text.len()) && letters().eq(name.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Tokens<'_> {
        Tokens::of(text, 16).unwrap()
    }

    #[test]
    fn columns_are_named_beside_the_rows() {
        let columns = |text| columns(&tokens(text), 0).map(|(names, _)| names.join(","));
        for text in [
            r#"{"columns":["a","b"],"rows":[[1,"x"],[2,"y"]]}"#,
            r#"{"schema":"t/2","columns":["a","b"],"rows":[[1,"x"]]}"#,
            r#"{"data":[[1,"x"]],"column_names":["a","b"]}"#,
            r#"{"fields":[{"name":"a","type":"int"},{"type":"text","name":"b"}],"values":[[1,2]]}"#,
            r#"{"schema":{"fields":[{"name":"a"},{"name":"b"}]},"rows":[{"f":[{"v":1},{"v":"x"}]}]}"#,
            r#"{"headers":["a","b"],"data":[{"values":[1,"x"]}]}"#,
            r#"{"rows":[[1,"x"]],"meta":{"n":1,"fields":[{"pos":0,"name":"a"},{"name":"b"}]}}"#,
        ] {
            assert_eq!(columns(text).as_deref(), Some("a,b"), "{text}");
        }
        for text in [
            r#"{"columns":["a","b"],"rows":[[1,"x",2]]}"#,
            r#"{"columns":["a","b"],"rows":[]}"#,
            r#"{"columns":[1,2],"rows":[[1,2]]}"#,
            r#"{"columns":[["a","b"]],"x":1}"#,
            r#"{"a":["a","b"],"rows":[[1,2]]}"#,
            r#"{"columns":["a","b"],"rows":[{"f":[1,2],"g":3}]}"#,
            "{}",
        ] {
            assert_eq!(columns(text), None, "{text}");
        }
    }

    #[test]
    fn a_list_of_texts_beside_rows_may_be_their_columns() {
        let texts = |text| texts_beside_rows(&tokens(text), 0).map(|(names, _)| names.join(","));
        assert_eq!(texts(r#"{"rindas":[[1,"x"]],"n":2,"kolonnas":["a","b"]}"#).as_deref(), Some("a,b"));
        for text in [r#"{"r":[[1,"x"]],"k":["a"]}"#, r#"{"r":[[1,"x"]],"k":[1,"b"]}"#, r#"{"r":[[1]],"k":["a"]}"#] {
            assert_eq!(texts(text), None, "{text}");
        }
    }

    #[test]
    fn a_list_of_names_may_stand_beside_a_list_of_values() {
        let parallel = |text| parallel(&tokens(text), 0).map(|(names, ..)| names.join(","));
        for text in [r#"{"names":["a","b"],"x":1,"values":[1,null]}"#, r#"{"data":[1,2],"fields":["a","b"]}"#] {
            assert_eq!(parallel(text).as_deref(), Some("a,b"), "{text}");
        }
        for text in [
            r#"{"names":["a","b"],"values":[1]}"#,
            r#"{"names":["a"],"values":[1]}"#,
            r#"{"names":[1,2],"values":[1,2]}"#,
            r#"{"names":["a","b"],"values":{}}"#,
        ] {
            assert_eq!(parallel(text), None, "{text}");
        }
    }

    #[test]
    fn a_first_row_of_texts_may_name_the_columns() {
        let header = |text| header(&tokens(text), 0).map(|names| names.join(","));
        assert_eq!(header(r#"[["a","b"],[1,"x"],[2]]"#).as_deref(), Some("a,b"));
        for text in [r#"[["a"],["x"]]"#, r#"[["a","b"]]"#, r#"[["a",1],["x",2]]"#, r#"[["a","b"],["x"]]"#, "[]"] {
            assert_eq!(header(text), None, "{text}");
        }
        let wide = serde_json::json!([vec!["a"; COLUMNS_MAX + 1], vec!["x"; COLUMNS_MAX + 1]]).to_string();
        assert_eq!(header(&wide), None);
    }

    #[test]
    fn a_call_has_its_arguments_in_order() {
        let call = |text| call(&tokens(text), 0).map(|(names, _)| names.join(","));
        assert_eq!(call(r#"{"method":"auth.login","params":["a","b"]}"#).as_deref(), Some("login,password"));
        assert_eq!(
            call(r#"{"service":"object","method":"execute_kw","args":["d",2,"p","m","create",[]]}"#).as_deref(),
            Some("db,number,password,,,")
        );
        for text in [
            r#"{"method":"auth.login","params":{"a":"b"}}"#,
            r#"{"method":"auth.login","params":["a"]}"#,
            r#"{"method":"cart.add","params":["a","b"]}"#,
            r#"{"params":["a","b"]}"#,
        ] {
            assert_eq!(call(text), None, "{text}");
        }
    }

    #[test]
    fn a_list_may_be_one_of_pairs() {
        let named = |text| {
            let tokens = tokens(text);
            let names = |pairs: Vec<(usize, usize)>| pairs.iter().filter_map(|(name, _)| tokens.plain(*name)).collect();
            pairs(&tokens, 0).map(names).map(|names: Vec<&str>| names.join(","))
        };
        assert_eq!(named(r#"[["a","x"],["b",1]]"#).as_deref(), Some("a,b"));
        for text in [
            r#"[["a","string"],["b","int"]]"#,
            r#"[["a","x"]]"#,
            r#"[["a","x",1],["b","y"]]"#,
            r#"[[1,"x"],["b","y"]]"#,
            r#"[["a",{}],["b","y"]]"#,
            r#"["a","x"]"#,
        ] {
            assert_eq!(named(text), None, "{text}");
        }
    }

    #[test]
    fn a_jcard_names_its_values() {
        let property = |text| property(&tokens(text), 0);
        assert_eq!(property(r#"["bday",{},"date","1980-02-01"]"#), Some("birth-date"));
        assert_eq!(property(r#"["fn",{"a":["b"]},"text","Ada","Bob"]"#), Some("full-name"));
        for text in [r#"["bday",{},"date"]"#, r#"["x-a",{},"text","b"]"#, r#"["bday","a","b","c"]"#, "[]", "[1]"] {
            assert_eq!(property(text), None, "{text}");
        }
    }
}
