//! What XML and HTML share: character references, attributes, and the many ways in which an element says what the name
//! of its text is.

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::format::splice::{Patch, Unescaped};
use crate::redact::format::{directory, url};
use crate::redact::pass::{Pass, Place};
use std::ops::Range;

/// Elements whose attribute or child names a value: `<field name="email">..`.
const CARRIERS: [&str; 32] = [
    "entry",
    "field",
    "property",
    "prop",
    "param",
    "parameter",
    "attribute",
    "attr",
    "item",
    "data",
    "arg",
    "argument",
    "input",
    "textarea",
    "select",
    "button",
    "output",
    "meta",
    "header",
    "variable",
    "var",
    "setting",
    "add",
    "tag",
    "pair",
    "string",
    "element",
    "column",
    "cell",
    "value",
    "option",
    "claim",
];
/// Attributes that name a value.
const NAMING: [&str; 9] = ["key", "name", "n", "field", "param", "property", "attribute", "itemprop", "friendlyname"];
/// Attributes that say in words what the text of their element is: `<e17 bez="Wohnort">..`.
const TITLING: [&str; 12] = [
    "bez",
    "bezeichnung",
    "libelle",
    "label",
    "caption",
    "etykieta",
    "etiqueta",
    "etichetta",
    "opis",
    "reptext",
    "nazwapola",
    "displayname",
];
/// Elements that do, in languages other than English, and those that hold the value then.
const NAMING_WORDS: [&str; 8] =
    ["тип", "название", "libelle", "bezeichnung", "etiqueta", "etykieta", "label", "caption"];
const NAMED_WORDS: [&str; 8] = ["значение", "valeur", "wert", "valor", "valore", "wartosc", "waarde", "hodnota"];
/// Attributes of SVG's shapes that are numbers of a picture, and the shapes (SVG 2, chapters 9 and 10).
const DRAWN: [&str; 4] = ["d", "points", "viewBox", "transform"];
const SHAPES: [&str; 10] =
    ["path", "polygon", "polyline", "svg", "g", "symbol", "rect", "circle", "clipPath", "linearGradient"];
/// Attributes that name the value in an element below, or in an element that says itself that it is a value:
/// `<error field="phone"><rejectedValue>..`.
const TELLING: [&str; 7] = ["field", "fieldname", "param", "property", "attribute", "path", "propertypath"];
/// Last words of elements that hold a value, whatever stands around it.
const GIVEN: [&str; 3] = ["value", "input", "received"];
/// Attributes and elements that hold a named value.
const NAMED: [&str; 11] =
    ["value", "val", "v", "content", "text", "string", "data", "default", "attributevalue", "stringvalue", "cell"];
/// Attributes that hold a URL.
const LINKS: [&str; 12] = [
    "href",
    "src",
    "action",
    "formaction",
    "poster",
    "cite",
    "background",
    "longdesc",
    "ping",
    "manifest",
    "codebase",
    "xlink:href",
];
/// Names that are looked at as what stands beside a value, at most.
pub(in crate::redact) const BESIDE_MAX: usize = 32;
/// Longest text of an element that is taken for the name of its sibling, bytes.
pub(in crate::redact) const NAME_BYTES_MAX: usize = 64;

/// How far an element is looked at for the names of its children, in bytes.
const CHILDREN_BYTES_MAX: usize = 2048;

/// An attribute: its name, where its value stands (without quotes), and whether it has quotes.
pub(in crate::redact) struct Attribute<'t> {
    pub name: &'t str,
    pub name_start: usize,
    pub value: Range<usize>,
    pub quoted: bool,
}

/// A name without its prefix.
pub(in crate::redact) fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or_default()
}

/// The local names of the elements that begin in an element, whose content this text starts with; nothing below them, and
/// only those near the start, which keeps the search linear.
pub(in crate::redact) fn children(inside: &str) -> Vec<&str> {
    let mut rest = &inside[..inside.floor_char_boundary(CHILDREN_BYTES_MAX)];
    let (mut names, mut depth) = (Vec::new(), 0_usize);
    while names.len() < BESIDE_MAX
        && let Some((_, tag)) = rest.split_once('<')
    {
        let aside = [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>")].iter().find(|(head, _)| tag.starts_with(head));
        let end = aside.map_or(">", |(_, end)| end);
        let Some((tag, behind)) = tag.split_once(end) else { break };
        rest = behind;
        if tag.starts_with('/') {
            let Some(outer) = depth.checked_sub(1) else { break };
            depth = outer;
        } else if aside.is_none() {
            let name = tag.split(|c: char| c.is_ascii_whitespace() || c == '/').next().unwrap_or_default();
            names.extend(Some(local(name)).filter(|_| depth == 0));
            depth += usize::from(!tag.ends_with('/'));
        }
    }
    names
}

/// Whether an element's text is the name of the next one's.
pub(in crate::redact) fn is_naming(element: &str) -> bool {
    NAMING.iter().chain(&["header"]).any(|known| element.eq_ignore_ascii_case(known)) || is_word(element, &NAMING_WORDS)
}

/// Elements that may hold the caption of the text behind them.
const CAPTIONS: [&str; 5] = ["strong", "b", "em", "i", "span"];

/// Whether an element holds the caption of the text behind it, given what it ends with and what follows its end:
/// `<strong>Email</strong>: ada`, `<b>Email:</b> ada`.
pub(in crate::redact) fn holds_caption(element: &str, inside: &str, behind: &str) -> bool {
    const COLONS: [char; 2] = [':', '：'];
    CAPTIONS.iter().any(|known| element.eq_ignore_ascii_case(known))
        && (behind.starts_with(COLONS) || inside.trim_end().ends_with(COLONS))
}

/// A text without the colon that a caption before it left.
pub(in crate::redact) fn behind_caption(text: &str) -> &str {
    text.trim_start_matches([':', '：', ' ', '\u{a0}'])
}

/// Whether an element's text is named by its sibling or its parent.
pub(in crate::redact) fn is_named(element: &str) -> bool {
    NAMED.iter().any(|known| element.eq_ignore_ascii_case(known)) || is_word(element, &NAMED_WORDS)
}

/// Whether an element is called by one of some words, in capitals or not.
fn is_word(element: &str, words: &[&str]) -> bool {
    words.iter().any(|word| element.len() == word.len() && element.to_lowercase() == *word)
}

/// Whether an element says that its text is a value that somebody gave: `rejectedValue`.
pub(in crate::redact) fn is_given(element: &str) -> bool {
    let ends = |end: &&str| element.len().checked_sub(end.len()).and_then(|at| element.get(at..));
    GIVEN.iter().any(|end| ends(end).is_some_and(|last| last.eq_ignore_ascii_case(end)))
}

/// The name that an attribute's value tells; assertions tell it as an object identifier or a URI.
fn told<'r>(pass: &mut Pass<'r>, element: &str, value: &str) -> Key<'r> {
    let name = match directory::identified(value) {
        Some(name) => name,
        None if local(element) == "Attribute" => directory::meaning(value),
        None => value,
    };
    pass.key_in_text(name)
}

/// The names that the attributes of an element give.
#[derive(Default)]
pub(in crate::redact) struct Named<'r> {
    /// To its text, and to that of an element below which says that it is the value.
    pub own: Option<Key<'r>>,
    /// Only to what an element below was given.
    pub below: Option<Key<'r>>,
}

/// Redacts the attributes of an element, and returns the names that they give. `hint`: the name that holds where they give
/// none that rules list.
pub(in crate::redact) fn attributes<'r>(
    pass: &mut Pass<'r>,
    patch: &mut Patch<'_>,
    element: &str,
    attributes: &[Attribute<'_>],
    hint: Option<Key<'r>>,
    place: Place<'_>,
) -> Result<Named<'r>, DropReason> {
    let carrier = CARRIERS.iter().any(|known| local(element).eq_ignore_ascii_case(known)) || is_given(local(element));
    let is_one_of =
        |one: &Attribute<'_>, names: &[&str]| names.iter().any(|name| local(one.name).eq_ignore_ascii_case(name));
    let valued = attributes.iter().any(|one| is_one_of(one, &NAMED));
    // `<x key="email">` names its text whatever the element is; `<customer name="Ada">` does not.
    let mut naming: Option<(usize, Key<'r>)> = None;
    // What names it less surely: `<field id="firstName">`, most of which are identifiers, and titles.
    let mut titled: Option<(usize, Key<'r>)> = None;
    let mut below = None;
    for (at, one) in attributes.iter().enumerate() {
        let names = is_one_of(one, &NAMING) && (carrier || valued || is_one_of(one, &["key"]));
        let may_name = carrier && is_one_of(one, &["id"]) || is_one_of(one, &TITLING);
        if !names && !may_name && !is_one_of(one, &TELLING) {
            continue;
        }
        let plain = unescape(patch.original(one.value.clone()));
        if may_name {
            let key = Some(told(pass, element, &plain.text)).filter(|key| !key.said().values.is_empty());
            titled = titled.or(key.map(|key| (at, key)));
        } else if names {
            // Of several names the first that rules know: `Name="urn:oid:2.5.4.42" FriendlyName="givenName"`.
            let known = naming.as_ref().is_some_and(|(_, key)| !key.said().values.is_empty());
            let key = if known { None } else { Some(told(pass, element, &plain.text)) };
            if let Some(key) = key.filter(|key| naming.is_none() || !key.said().values.is_empty()) {
                naming = Some((at, key));
            }
        } else if below.is_none() {
            let last = plain.text.rsplit(['.', '/', ']']).next().unwrap_or_default();
            below = Some(pass.key_in_text(last));
        }
    }
    let is_known = |key: &Key<'_>| !key.said().values.is_empty();
    let naming = if naming.as_ref().is_some_and(|(_, key)| is_known(key)) { naming } else { titled.or(naming) };
    let (naming, named) = naming.unzip();
    let (naming, named) = match hint.filter(|_| !named.as_ref().is_some_and(is_known)) {
        Some(hint) => (None, Some(hint)),
        None => (naming, named),
    };
    for (at, attribute) in attributes.iter().enumerate() {
        let is_of_markup = |name: &str| name.starts_with("xmlns") || name.starts_with("xsi:") || name == "accesskey";
        // Numbers of a picture: `<path d="M165.9 397.4c0 2-2.3 ..">`.
        let is_drawn =
            DRAWN.contains(&attribute.name) && SHAPES.iter().any(|shape| local(element).eq_ignore_ascii_case(shape));
        if is_of_markup(attribute.name) || is_drawn {
            continue;
        }
        let own = pass.key(local(attribute.name));
        if let Some(fresh) = pass.name(attribute.name, &own, place.depth)? {
            patch.put(attribute.name_start..attribute.name_start + attribute.name.len(), fresh);
        }
        let plain = unescape(patch.original(attribute.value.clone()));
        let name = local(attribute.name);
        let fresh = if let (true, Some(key)) = (naming == Some(at), &named) {
            pass.name(&plain.text, key, place.depth)?
        } else if LINKS.iter().any(|known| attribute.name.eq_ignore_ascii_case(known)) {
            Some(url::reference(pass, &plain.text, place.depth)?).filter(|fresh| *fresh != plain.text)
        } else {
            let key = named.as_ref().filter(|_| is_named(name)).unwrap_or(&own);
            if pass.looks_beside(key, plain.text.as_bytes()) {
                let names = attributes.iter().take(BESIDE_MAX).map(|one| local(one.name));
                pass.beside = names.map(|name| pass.key_in_text(name)).collect();
            }
            let fresh = pass.value(&plain.text, Place { key: Some(key), ..place });
            pass.beside.clear();
            fresh?
        };
        if let Some(fresh) = fresh {
            let fresh = plain.graft(&fresh, escape);
            let bare = attribute.quoted || fresh.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
            patch.put(attribute.value.clone(), if bare { fresh } else { format!("\"{fresh}\"") });
        }
    }
    Ok(Named { own: named, below })
}

/// Undoes character references; what is none stays.
pub(in crate::redact) fn unescape(raw: &str) -> Unescaped<'_> {
    let mut plain = Unescaped::new(raw);
    let mut at = 0;
    while let Some(step) = memchr::memchr(b'&', &raw.as_bytes()[at..]) {
        let start = at + step;
        at = match reference(&raw[start..]) {
            Some((c, len)) => {
                plain.undo(start..start + len, c.encode_utf8(&mut [0; 4]));
                start + len
            }
            None => start + 1,
        };
    }
    plain.done()
}

/// The character of the reference at the start, and the reference's length.
pub(in crate::redact) fn reference(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(12).position(|b| b == b';')?;
    let name = text.get(1..end)?;
    let c = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16).ok()?,
                None if number.bytes().all(|b| b.is_ascii_digit()) => number.parse().ok()?,
                _ => return None,
            };
            char::from_u32(code).filter(|c| *c != '\0')?
        }
        None => NAMED_CHARACTERS.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((c, end + 1))
}

/// References by name: the five of XML first, then those of HTML that stand in names, addresses and mail addresses.
const NAMED_CHARACTERS: [(&str, char); 62] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("commat", '@'),
    ("period", '.'),
    ("comma", ','),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("plus", '+'),
    ("lowbar", '_'),
    ("hyphen", '\u{2010}'),
    ("num", '#'),
    ("percnt", '%'),
    ("sol", '/'),
    ("bsol", '\\'),
    ("lpar", '('),
    ("rpar", ')'),
    ("quest", '?'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("rsquo", '’'),
    ("lsquo", '‘'),
    ("szlig", 'ß'),
    ("auml", 'ä'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("Auml", 'Ä'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
    ("agrave", 'à'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("atilde", 'ã'),
    ("aring", 'å'),
    ("aelig", 'æ'),
    ("ccedil", 'ç'),
    ("egrave", 'è'),
    ("eacute", 'é'),
    ("ecirc", 'ê'),
    ("euml", 'ë'),
    ("igrave", 'ì'),
    ("iacute", 'í'),
    ("icirc", 'î'),
    ("iuml", 'ï'),
    ("ntilde", 'ñ'),
    ("ograve", 'ò'),
    ("oacute", 'ó'),
    ("ocirc", 'ô'),
    ("otilde", 'õ'),
    ("oslash", 'ø'),
    ("ugrave", 'ù'),
    ("uacute", 'ú'),
    ("ucirc", 'û'),
    ("yacute", 'ý'),
    ("yuml", 'ÿ'),
    ("Eacute", 'É'),
    ("Ccedil", 'Ç'),
    ("Aring", 'Å'),
];

/// A text with what markup would read replaced by references.
pub(in crate::redact) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&apos;")
}

/// How many of the references by name XML knows without a document type.
pub(in crate::redact) fn is_of_xml(c: char) -> bool {
    matches!(c, '&' | '<' | '>' | '"' | '\'')
}
