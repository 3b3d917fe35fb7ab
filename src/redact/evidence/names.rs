//! Indexes of field names, and a memory of the names an API uses again and again.

use crate::redact::evidence::words::Words;
use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Names remembered at most; an API has a few hundred.
const NAMES_MAX: usize = 4096;
/// Longest name that is remembered, bytes.
const NAME_BYTES_MAX: usize = 48;
/// More digits than this, and a name is somebody's identifier used as one: not worth a place in the memory.
const NAME_DIGITS_MAX: usize = 3;
/// From this length on, a listed ending is also recognised inside a run of letters (`billingfirstname`).
const LONG_ENDING_BYTES: usize = 8;

/// A name with what the rule set says of it.
#[derive(Debug, Default)]
pub(in crate::redact) struct Name {
    words: Words,
    said: Said,
    /// Whether the name as a text of its own is left alone by every rule.
    clean: bool,
    /// Whether its value may name the value of a sibling: `type` in `{"type": "email", "value": ".."}`.
    naming: bool,
    /// Whether its value may be named by a sibling's.
    named: bool,
    /// Whether its value may say what the object is that has it, or one below it.
    classing: Option<Classing>,
    /// Whether it may list the names of columns.
    of_columns: bool,
    /// Which name it is: no other of this process has the number.
    serial: u64,
}

/// Of what a member may say what it is: `type` in `{"type": "contacts", "attributes": {"name": ".."}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) enum Classing {
    /// The object that has it.
    Own,
    /// Some object below that has what it is about: the own name of such an object may be another's.
    Held,
}

/// The number of the next name.
static NEXT_NAME: AtomicU64 = AtomicU64::new(1);

/// Last words of names whose value names the value of a sibling.
const NAMING: [&str; 62] = [
    "key",
    "name",
    "field",
    "type",
    "kind",
    "system",
    "label",
    "property",
    "attribute",
    "attr",
    "param",
    "parameter",
    "header",
    "claim",
    "question",
    "id",
    "code",
    "column",
    "scheme",
    "element",
    "title",
    "term",
    "tag",
    "prompt",
    "use",
    "slug",
    "variable",
    "path",
    "loc",
    "selector",
    "sel",
    "xpath",
    "reptext",
    "scrtext",
    "caption",
    "libelle",
    "bezeichnung",
    "feld",
    "frage",
    "champ",
    "etiqueta",
    "campo",
    "pregunta",
    "pergunta",
    "etichetta",
    "domanda",
    "etykieta",
    "pole",
    "pytanie",
    "veld",
    "vraag",
    "falt",
    "fraga",
    "soru",
    "тип",
    "поле",
    "название",
    "вопрос",
    "项目",
    "項目",
    "字段",
    "質問",
];
/// Last words of names whose values are named so.
const NAMED: [&str; 66] = [
    "value",
    "val",
    "content",
    "text",
    "answer",
    "data",
    "valuestring",
    "response",
    "input",
    "entry",
    "reply",
    "string",
    "old",
    "new",
    "before",
    "after",
    "current",
    "previous",
    "oldvalue",
    "newvalue",
    "definition",
    "contents",
    "body",
    "display",
    "values",
    "vals",
    "answers",
    "rejected",
    "rejectedvalue",
    "received",
    "recu",
    "recibido",
    "ricevuto",
    "erhalten",
    "ontvangen",
    "otrzymano",
    "from",
    "to",
    "valeur",
    "reponse",
    "wert",
    "antwort",
    "inhalt",
    "valor",
    "respuesta",
    "resposta",
    "valore",
    "risposta",
    "wartosc",
    "odpowiedz",
    "waarde",
    "antwoord",
    "varde",
    "verdi",
    "vaerdi",
    "svar",
    "hodnota",
    "deger",
    "yanit",
    "cevap",
    "значение",
    "ответ",
    "值",
    "値",
    "答案",
    "回答",
];
/// Names of lists of the names of columns.
pub(in crate::redact) const COLUMNS: [&str; 10] = [
    "columns",
    "fields",
    "header",
    "headers",
    "schema",
    "cols",
    "columnnames",
    "fieldnames",
    "columnheaders",
    "layout",
];
/// Names of members that say what their object is, and what one below it is.
const CLASSING_OWN: [&str; 8] =
    ["typename", "odatatype", "resourcetype", "object", "objecttype", "entitytype", "recordtype", "sobjecttype"];
const CLASSING_HELD: [&str; 15] = [
    "type",
    "kind",
    "event",
    "eventtype",
    "eventname",
    "action",
    "topic",
    "entity",
    "model",
    "table",
    "tablename",
    "collection",
    "resource",
    "aggregatetype",
    "aggregate",
];
/// So many names of values also as the end of a longer name.
const NAMED_AS_ENDINGS: usize = 12;
/// One-letter names of the same.
const SHORT: [(&str, &str); 2] = [("k", "v"), ("n", "v")];

/// What a rule set says of a name: rules by number, in the order of precedence.
#[derive(Debug, Default)]
pub(in crate::redact) struct Said {
    /// Rules that list the name for values.
    pub values: Vec<u16>,
    /// Rules that list the name for header lines.
    pub headers: Vec<u16>,
    /// Rules that list the name for parameters.
    pub params: Vec<u16>,
    /// Pattern rules that leave values under this name alone.
    pub vetoes: Vec<u16>,
    /// Pattern rules that find one of their keywords in the name.
    pub keywords: Vec<u16>,
    /// Rules that strike below the name.
    pub below: Vec<u16>,
    /// Rules that leave alone what is right below the name.
    pub not_below: Vec<u16>,
    /// Rules that strike beside the name.
    pub beside: Vec<u16>,
    /// Rules that leave alone what is beside the name.
    pub not_beside: Vec<u16>,
}

impl Said {
    fn list(&mut self, role: Role) -> &mut Vec<u16> {
        match role {
            Role::Value => &mut self.values,
            Role::Header => &mut self.headers,
            Role::Param => &mut self.params,
            Role::Veto => &mut self.vetoes,
            Role::Keyword => &mut self.keywords,
            Role::Below => &mut self.below,
            Role::NotBelow => &mut self.not_below,
            Role::Beside => &mut self.beside,
            Role::NotBeside => &mut self.not_beside,
        }
    }

    /// Whether some rule says something of values under the name.
    pub fn is_listed(&self) -> bool {
        !(self.values.is_empty() && self.vetoes.is_empty() && self.keywords.is_empty())
    }

    /// Whether some rule asks whether the name stands beside a value.
    pub fn speaks_of_others(&self) -> bool {
        !(self.beside.is_empty() && self.not_beside.is_empty())
    }

    /// Each rule once, in the order of precedence.
    pub fn in_order(&mut self) {
        let Self { values, headers, params, vetoes, keywords, below, not_below, beside, not_beside } = self;
        for rules in [values, headers, params, vetoes, keywords, below, not_below, beside, not_beside] {
            rules.sort_unstable();
            rules.dedup();
        }
    }
}

impl Name {
    /// A name, what is said of it, and whether it is clean as a text.
    pub fn new(words: Words, said: Said, clean: bool) -> Self {
        let ends = |list: &[&str]| list.iter().any(|word| words.joined.ends_with(word));
        let naming = ends(&NAMING) || SHORT.iter().any(|(name, _)| words.joined == *name);
        let whole = |word: &str| words.joined == word;
        // A longer name that rules list themselves (`phoneValue`) needs no sibling.
        let plain = NAMED.iter().any(|word| whole(word)) || SHORT.iter().any(|(_, value)| whole(value));
        let named = plain || ends(&NAMED[..NAMED_AS_ENDINGS]) && said.values.is_empty() && !naming;
        let classing = if CLASSING_OWN.contains(&words.joined()) {
            Some(Classing::Own)
        } else {
            CLASSING_HELD.contains(&words.joined()).then_some(Classing::Held)
        };
        let of_columns = COLUMNS.contains(&words.joined());
        let serial = NEXT_NAME.fetch_add(1, Ordering::Relaxed);
        Self { words, said, clean, naming, named, classing, of_columns, serial }
    }

    /// The whole name, its words joined.
    pub fn joined(&self) -> &str {
        &self.words.joined
    }

    /// Whether its last words are these, no part of one.
    pub fn ends_with(&self, last: &Words) -> bool {
        let Words { joined, starts } = &self.words;
        let start = joined.len().checked_sub(last.joined.len());
        joined.ends_with(&last.joined) && start.is_some_and(|start| starts.contains(&start))
    }

    /// Its words behind this one, the last time it stands there.
    pub fn after(&self, word: &str) -> Option<&str> {
        let Words { joined, starts } = &self.words;
        let is_word = |ends: &&[usize]| joined.get(ends[0]..ends[1]) == Some(word);
        starts.windows(2).rev().find(is_word).map(|ends| &joined[ends[1]..])
    }

    /// What the rule set says of it.
    pub fn said(&self) -> &Said {
        &self.said
    }

    /// Whether its value may name the value of a sibling.
    pub fn is_naming(&self) -> bool {
        self.naming
    }

    /// Whether its value may be named by a sibling's.
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// Whether its value may say what the object is that has it, or one below it.
    pub fn classing(&self) -> Option<Classing> {
        self.classing
    }

    /// Whether it may list the names of columns.
    pub fn is_of_columns(&self) -> bool {
        self.of_columns
    }

    /// Whether some rule says something of it.
    pub fn is_listed(&self) -> bool {
        self.said.is_listed()
    }

    /// Which name it is: no other of this process has the number.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// Whether the name as a text of its own is left alone by every rule.
    pub fn is_clean(&self) -> bool {
        self.clean
    }
}

/// A name at hand: one of those remembered, or a new one. Clones are cheap.
#[derive(Clone, Debug)]
pub(in crate::redact) enum Key<'k> {
    /// Remembered.
    Known(&'k Name),
    /// Seen for the first time, or not worth remembering.
    New(Arc<Name>),
    /// No name above a value, but what the object that holds it says it is: `{"@type": "Customer", "name": ".."}`; and
    /// whether that is remembered.
    Class(Arc<Name>, bool),
}

impl Key<'_> {
    /// Whether it is no name of the document's structure.
    pub fn is_class(&self) -> bool {
        matches!(self, Self::Class(..))
    }
}

impl Default for Key<'_> {
    fn default() -> Self {
        Self::New(Arc::default())
    }
}

impl Deref for Key<'_> {
    type Target = Name;

    fn deref(&self) -> &Name {
        match self {
            Self::Known(name) => name,
            Self::New(name) | Self::Class(name, _) => name,
        }
    }
}

/// What a rule wants of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) enum Role {
    /// Its values.
    Value,
    /// The values of header lines.
    Header,
    /// The values of parameters.
    Param,
    /// That a pattern leaves its values alone.
    Veto,
    /// That a pattern finds its keyword there.
    Keyword,
    /// What is below it.
    Below,
    /// That what is right below it is left alone.
    NotBelow,
    /// What is beside it.
    Beside,
    /// That what is beside it is left alone.
    NotBeside,
}

/// Marks of the first bytes of listed names, a power of two: most parts of a name are told by one look to be none.
const STARTS: usize = 1 << 15;

/// Names with the rules that list them.
#[derive(Default)]
struct Listed {
    names: HashMap<String, Vec<(Role, u16)>, RandomState>,
    /// One bit for the first three bytes of each name.
    starts: Vec<u64>,
}

impl Listed {
    fn add(&mut self, name: String, role: Role, rule: u16) {
        self.starts.resize(STARTS / 64, 0);
        let start = start_of(&name);
        self.starts[start / 64] |= 1 << (start % 64);
        self.names.entry(name).or_default().push((role, rule));
    }

    fn get(&self, name: &str) -> Option<&Vec<(Role, u16)>> {
        let start = start_of(name);
        self.starts.get(start / 64).filter(|marks| *marks & 1 << (start % 64) != 0)?;
        self.names.get(name)
    }
}

/// The mark of a name's first three bytes.
fn start_of(name: &str) -> usize {
    let three = name.bytes().take(3).fold(0_usize, |three, byte| three << 8 | usize::from(byte));
    three.wrapping_mul(0x9E37_79B1) >> 8 & (STARTS - 1)
}

/// From names to the rules that list them. A listed name matches whole; `*x` also as the last words of a longer name,
/// `x*` as its first words, `*x*` as words anywhere in it.
#[derive(Default)]
pub(in crate::redact) struct NameIndex {
    whole: Listed,
    last: Listed,
    first: Listed,
    within: Listed,
}

impl NameIndex {
    /// Adds a name of a rule.
    pub fn add(&mut self, name: &str, role: Role, rule: u16) {
        let (map, name) = match (name.strip_prefix('*'), name.strip_suffix('*')) {
            (Some(_), Some(_)) => (&mut self.within, name.trim_matches('*')),
            (Some(rest), None) => (&mut self.last, rest),
            (None, Some(rest)) => (&mut self.first, rest),
            (None, None) => (&mut self.whole, name),
        };
        map.add(Words::of(name).joined, role, rule);
    }

    /// What the rules say of a name: each list has its rules once, in the order of precedence.
    pub fn say(&self, words: &Words) -> Said {
        let mut said = Said::default();
        for form in words.forms() {
            let mut note = |listed: Option<&Vec<(Role, u16)>>| {
                listed.into_iter().flatten().for_each(|(role, rule)| said.list(*role).push(*rule));
            };
            let ends = || words.starts.iter().copied().filter(|start| *start < form.len());
            note(self.whole.get(&form));
            ends().for_each(|start| note(self.last.get(&form[start..])));
            let long = 1..form.len().saturating_sub(LONG_ENDING_BYTES - 1);
            long.filter(|at| form.is_char_boundary(*at)).for_each(|at| note(self.last.get(&form[at..])));
            ends().chain([form.len()]).for_each(|end| note(self.first.get(&form[..end])));
            for start in ends() {
                let after = ends().filter(|end| *end > start).chain([form.len()]);
                after.for_each(|end| note(self.within.get(&form[start..end])));
            }
        }
        said.in_order();
        said
    }
}

/// The names seen so far, as one map to read without a lock.
pub(in crate::redact) type Known = HashMap<Box<str>, Arc<Name>, RandomState>;

/// Remembers names, since an API's bodies have the same few hundred again and again. Only names that no rule changes are
/// remembered, so nothing personal is.
#[derive(Default)]
pub(in crate::redact) struct Names {
    known: ArcSwap<Known>,
    adding: Mutex<()>,
}

impl Names {
    /// The names seen so far.
    pub fn known(&self) -> Arc<Known> {
        self.known.load_full()
    }

    /// Whether a name is worth remembering.
    pub fn is_worth(text: &str, name: &Name) -> bool {
        name.is_clean()
            && text.len() <= NAME_BYTES_MAX
            && text.bytes().filter(u8::is_ascii_digit).count() <= NAME_DIGITS_MAX
    }

    /// Remembers names while there is room: all of a capture at once, since the whole map is copied.
    pub fn learn(&self, fresh: Vec<(Box<str>, Arc<Name>)>) {
        if fresh.is_empty() || self.known.load().len() >= NAMES_MAX {
            return;
        }
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = Known::clone(&self.known.load());
        let room = NAMES_MAX.saturating_sub(known.len());
        known.extend(fresh.into_iter().take(room));
        self.known.store(Arc::new(known));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(names: &[&str]) -> NameIndex {
        let mut index = NameIndex::default();
        for (rule, name) in names.iter().enumerate() {
            index.add(name, Role::Value, rule as u16);
        }
        index
    }

    fn name(text: &str) -> Name {
        Name::new(Words::of(text), Said::default(), true)
    }

    #[test]
    fn spellings_are_one_name() {
        for name in ["firstName", "first_name", "First-Name", "FIRST_NAME", "first name"] {
            assert_eq!(Words::of(name).joined(), "firstname", "{name}");
        }
        assert_eq!(Words::of("prénomÉlève").joined(), "prenomeleve");
        assert_eq!(Words::of("Straße").joined(), "strasse");
        assert_eq!(Words::of("İsim").joined(), "isim");
    }

    #[test]
    fn names_match_whole_or_by_their_words() {
        let index = index(&["email", "*iban", "tax*", "*phone*"]);
        let rules = |name: &str| index.say(&Words::of(name)).values;
        assert_eq!(rules("email"), [0]);
        assert_eq!(rules("emails"), [0]);
        assert_eq!(rules("email_2"), [0]);
        assert_eq!(rules("contactEmail"), [0; 0]);
        assert_eq!(rules("customerIban"), [1]);
        assert_eq!(rules("urban"), [0; 0]);
        assert_eq!(rules("tax_number"), [2]);
        assert_eq!(rules("myPhoneType"), [3]);
        assert_eq!(rules("telephoneless"), [0; 0]);
    }

    #[test]
    fn long_endings_are_found_inside_a_run_of_letters() {
        let index = index(&["*first-name", "*name"]);
        assert_eq!(index.say(&Words::of("billingfirstname")).values, [0]);
        assert_eq!(index.say(&Words::of("filename")).values, [0; 0]);
    }

    #[test]
    fn identifiers_as_names_are_not_remembered() {
        assert!(Names::is_worth("customer_email", &name("customer_email")));
        assert!(!Names::is_worth("cus_9s612345", &name("cus_9s612345")));
    }
}
