//! JSON, read strictly and rewritten in place: replacements are spliced into the original text, every other byte stays.

mod beside;
mod class;
mod read;
mod rows;
mod tables;
mod tokens;

use crate::exchange::DropReason;
use crate::redact::evidence::names::Key;
use crate::redact::evidence::{captions, siblings};
use crate::redact::format::json::class::Class;
use crate::redact::format::json::rows::Table;
use crate::redact::format::json::tokens::{Kind, Token, Tokens};
use crate::redact::format::markup;
use crate::redact::format::turns;
use crate::redact::matching::spots::Spot;
use crate::redact::pass::{Pass, Place};
use crate::redact::stand_in::kind::Kind as ValueKind;
use crate::redact::stand_in::pseudonym::is_word_stand_in;
use std::ops::Range;

/// Redacts one JSON document.
pub(in crate::redact) fn document(pass: &mut Pass<'_>, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    let tokens = Tokens::of(text, pass.redactor.settings.depth_max)?;
    let parents = place.parents.to_vec();
    let (out, keys, told, captioned, beside) = (String::new(), Vec::new(), Vec::new(), Vec::new(), (None, Vec::new()));
    let (spot, nested) = (pass.top(place), place.depth);
    let (around, tokens) = (None, &tokens);
    let mut walk = Walk { tokens, copied: 0, out, parents, spot, keys, told, captioned, beside, around, nested, pass };
    walk.value(0, place.key)?;
    if walk.copied == 0 {
        return Ok(text.to_owned());
    }
    walk.out.push_str(&text[walk.copied..]);
    Ok(walk.out)
}

/// A text as a JSON string, quotes included.
pub(in crate::redact) fn quoted(text: &str) -> String {
    if text.bytes().any(|b| b < b' ' || b == b'"' || b == b'\\') {
        return serde_json::Value::from(text).to_string();
    }
    ["\"", text, "\""].concat()
}

/// Members of an object that may name another one's value, at most on each side of it: keeps the walk linear.
const NAMINGS_MAX: usize = 4;
/// Texts that tell what type a value has, and not what it is.
const TYPES: [&str; 16] = [
    "string",
    "str",
    "text",
    "date",
    "datetime",
    "timestamp",
    "time",
    "number",
    "integer",
    "int",
    "float",
    "decimal",
    "bool",
    "boolean",
    "array",
    "object",
];

struct Walk<'d, 't, 'k, 'p, 'r> {
    tokens: &'d Tokens<'t>,
    /// How much of the text is in `out` already.
    copied: usize,
    out: String,
    parents: Vec<Key<'k>>,
    /// The place where they lead, if it is remembered.
    spot: Option<Spot>,
    /// The keys of the members of every object that is open, an inner one's after those of the outer.
    keys: Vec<Key<'r>>,
    /// The names that the pairs of the list at hand tell.
    told: Vec<Key<'r>>,
    /// The texts of the list at hand that the line before them names, in order, and the name.
    captioned: Vec<(usize, Key<'r>)>,
    /// The names beside the members of an object, by the object's token, made when a value first asks for them.
    beside: (Option<usize>, Vec<Key<'r>>),
    /// What the object that is come to is, as the one around it says.
    around: Option<Key<'r>>,
    nested: u8,
    pass: &'p mut Pass<'r>,
}

/// What the walk through an object knows of it.
struct Object<'t, 'r> {
    at: usize,
    /// Where its keys begin.
    keys: usize,
    /// The strings that may name a sibling's value, the nearest last.
    naming: Vec<usize>,
    /// Whether it has two members, and both are strings.
    is_pair: bool,
    /// The member of a pair that the other one names, and its name.
    by_structure: Option<(&'t str, Key<'r>)>,
    /// What it says it is.
    class: Class<'r>,
}

impl<'t, 'k, 'r: 'k> Walk<'_, 't, 'k, '_, 'r> {
    fn splice(&mut self, place: Range<usize>, fresh: &str) {
        let text = self.tokens.text();
        if self.out.capacity() == 0 {
            self.out.reserve(text.len() + text.len() / 8 + fresh.len());
        }
        self.out.push_str(&text[self.copied..place.start]);
        self.out.push_str(fresh);
        self.copied = place.end;
    }

    fn value(&mut self, at: usize, key: Option<&Key<'k>>) -> Result<(), DropReason> {
        let Some(token) = self.tokens.get(at) else { return Ok(()) };
        match token.kind {
            Kind::Plain if !self.captioned.is_empty() => {
                let caption = self.captioned.binary_search_by_key(&at, |(text, _)| *text);
                let caption = caption.ok().map(|found| self.captioned[found].1.clone());
                self.string(&token, caption.as_ref().map_or(key, Some))
            }
            Kind::Plain | Kind::Escaped => self.string(&token, key),
            Kind::Number => self.number(&token, key),
            Kind::Object => self.object(at, key),
            Kind::Array => self.array(at, key),
            Kind::Word => Ok(()),
        }
    }

    fn object(&mut self, at: usize, key: Option<&Key<'k>>) -> Result<(), DropReason> {
        let tokens = self.tokens;
        // Strict mode names its paths as the document has them.
        if self.pass.redactor.strict.is_none()
            && let Some(value) = beside::typed(tokens, at)
        {
            return self.value(value, key);
        }
        let (outer, depth, around) = (self.spot, self.parents.len(), self.around.take());
        self.spot = self.spot_of(key);
        self.parents.extend(key.cloned());
        let pair = beside::pair(tokens, at);
        let by_structure = pair.and_then(|pair| self.pass.named_in_pair(pair));
        let keys = self.keys.len();
        for (name, _) in tokens.members(at) {
            let text = tokens.get(name).map(|name| tokens.string(&name)).transpose()?.unwrap_or_default().0;
            self.keys.push(self.pass.key(&text));
        }
        let class = self.class(at, keys, around.clone());
        if let Some(class) = class.own() {
            self.spot = self.spot_of(Some(&class));
            self.parents.push(class);
        }
        let object = Object { at, keys, naming: Vec::new(), is_pair: pair.is_some(), by_structure, class };
        self.members(object, key)?;
        self.keys.truncate(keys);
        self.parents.truncate(depth);
        (self.spot, self.around) = (outer, around);
        Ok(())
    }

    /// The members of an object, in their order. `key`: its own name.
    fn members(&mut self, mut object: Object<'t, 'r>, key: Option<&Key<'k>>) -> Result<(), DropReason> {
        let (tokens, at, keys) = (self.tokens, object.at, object.keys);
        let table = self.table(at, keys);
        let called_by =
            key.and_then(|key| beside::of_people(tokens, at, key.joined()).or_else(|| beside::called_by(key)));
        let called_by = called_by.map(|name| self.pass.key_in_text(name)).filter(|key| !key.said().values.is_empty());
        let mut members = tokens.members(at).enumerate();
        while let Some((place, (name, value))) = members.next() {
            let (Some(name), Some(token)) = (tokens.get(name), tokens.get(value)) else { break };
            let text = tokens.string(&name)?.0;
            let own: Key<'k> = self.keys[keys + place].clone();
            let fresh = match (self.pass.name(&text, &own, self.nested)?, &called_by) {
                (None, Some(key)) => self.called(&text, key),
                (fresh, _) => fresh,
            };
            if let Some(fresh) = fresh {
                self.splice(name.range(), &quoted(&fresh));
            }
            let after = members.clone().map(|(_, after)| after);
            let (key, is_value) = self.named(&mut object, (&text, own), (value, &token), after);
            self.around = object.class.below(&self.keys[keys + place]);
            match &table {
                Some(Table { columns, rows, is_row, separator, .. }) if *rows == value => {
                    match is_row {
                        _ if let Some(separator) = separator => self.lines(value, *separator, columns, &key)?,
                        true => self.rows(std::iter::once(value), columns, Some(&key))?,
                        false => self.rows(tokens.elements(value), columns, Some(&key))?,
                    }
                    continue;
                }
                Some(Table { names: Some(names), .. }) if *names == value => {
                    self.value(value, None)?;
                    continue;
                }
                _ => {}
            }
            // `{"name": {"S": ".."}, "email": {"S": ".."}}`
            let typed = beside::typed(tokens, value).filter(|_| token.kind == Kind::Object);
            let asks = self.tell_beside(&object, &key, is_value, &typed.and_then(|it| tokens.get(it)).unwrap_or(token));
            let done = match is_value && token.kind.is_string() && markup::is_given(&text) {
                true => self.given(value, &key),
                false => self.value(value, Some(&key)),
            };
            if asks {
                self.pass.beside.clear();
            }
            done?;
        }
        Ok(())
    }

    /// A value that somebody gave: under `errors` are texts about fields, but `{"field": "password", "rejectedValue": ".."}`
    /// there has one.
    fn given(&mut self, value: usize, key: &Key<'k>) -> Result<(), DropReason> {
        if self.pass.redactor.strict.is_some() {
            return self.value(value, Some(key));
        }
        let bare = self.parents.iter().filter(|parent| !siblings::is_of_errors(parent.joined())).cloned().collect();
        let (parents, spot) = (std::mem::replace(&mut self.parents, bare), self.spot.take());
        let done = self.value(value, Some(key));
        (self.parents, self.spot) = (parents, spot);
        done
    }

    /// What stands in for the value that a member is called by; `None` if no rule claims it, or it is a stand-in already.
    fn called(&mut self, name: &str, key: &Key<'r>) -> Option<String> {
        let rule = self.pass.name_rule(name, key, &[])?;
        // Counts by town are about nobody.
        let is_place = self.pass.redactor.rules[usize::from(rule)].kind == ValueKind::Address;
        if is_place { None } else { self.pass.apply(rule, name) }
    }

    /// The place of what stands under a key here, if it is remembered.
    fn spot_of(&mut self, key: Option<&Key<'k>>) -> Option<Spot> {
        match key {
            Some(key) => self.pass.spot_below(self.spot, key, &self.parents),
            None => self.spot,
        }
    }

    /// The key under which a member's value is looked at, and whether its own name says no more than that it is a value.
    /// `after`: the members after it.
    fn named(
        &mut self,
        object: &mut Object<'_, 'r>,
        (name, own): (&str, Key<'k>),
        (value, token): (usize, &Token),
        after: impl Iterator<Item = (usize, usize)>,
    ) -> (Key<'k>, bool) {
        let tokens = self.tokens;
        let is_nameable = is_nameable(tokens, token);
        if is_nameable && let Some((_, named)) = object.by_structure.as_ref().filter(|(member, _)| *member == name) {
            return (named.clone(), true);
        }
        // `{"type": "date", "date": "..", "field": {"ref": "birthday"}}`
        if is_nameable && name == "date" {
            let is_field = |(_, value): &(usize, usize)| tokens.get(*value).is_some_and(|it| it.kind == Kind::Object);
            if let Some(named) = after.take(NAMINGS_MAX).filter(is_field).find_map(|it| self.name_after(it, token)) {
                return (named, true);
            }
            return (own, false);
        }
        // `{"key": "email", "value": {"stringValue": ".."}}`, `{"name": "email", "values": [".."]}`: what an object or a list
        // holds is named too.
        if own.is_named() && (is_nameable || matches!(token.kind, Kind::Object | Kind::Array)) {
            let before = self.named_before(&object.naming, token);
            let may_follow = token.kind.is_string() && object.naming.len() < NAMINGS_MAX;
            let named = before.or_else(|| {
                let mut after = after.take(NAMINGS_MAX).filter(|_| may_follow);
                after.find_map(|it| self.name_after(it, token))
            });
            if is_nameable || named.is_some() {
                return (named.unwrap_or(own), true);
            }
        }
        if let Some(named) = self.told_by_sibling(object, name, token) {
            return (named, false);
        }
        if is_nameable && own.is_naming() && object.naming.len() < NAMINGS_MAX {
            object.naming.push(value);
        } else if token.kind == Kind::Object && own.is_naming() {
            // `"type": {"text": "SSN"}`
            object.naming.extend(beside::label(self.tokens, value).filter(|_| object.naming.len() < NAMINGS_MAX));
        } else if token.kind == Kind::Array && own.is_naming() {
            // `"loc": ["body", "customer", "family_name"]`
            let last = self.tokens.elements(value).last();
            object.naming.extend(last.filter(|_| object.naming.len() < NAMINGS_MAX));
        }
        let is_value = own.is_named();
        (own, is_value)
    }

    /// The name of the field that a sentence is about: `{"name": "dateOfBirth", "reason": "'04.07.1987' is not a valid date"}`.
    fn told_by_sibling(&mut self, object: &Object<'_, 'r>, name: &str, token: &Token) -> Option<Key<'r>> {
        let is_strict = self.pass.redactor.strict.is_some();
        if is_strict || object.naming.is_empty() || !token.kind.is_string() || !siblings::is_verdict(name) {
            return None;
        }
        let text = self.tokens.string(token).ok()?.0;
        if !captions::is_verdict(&text) {
            return None;
        }
        let named = self.named_before(&object.naming, token)?;
        // A sentence that could be the field's value stays what its own name says.
        let rule = self.pass.name_rule(&text, &named, &self.parents);
        rule.is_none_or(|rule| self.pass.tells_of(&named, &text, rule)).then_some(named)
    }

    /// The name that members before a value give it: where several do, one by which a rule claims it, else the nearest.
    fn named_before(&mut self, naming: &[usize], value: &Token) -> Option<Key<'r>> {
        let told: Vec<Key<'r>> = naming.iter().rev().filter_map(|naming| self.name_at(*naming)).collect();
        if let [_, _, ..] = told[..]
            && let Ok((raw, _)) =
                if value.kind.is_string() { self.tokens.string(value) } else { Ok(Default::default()) }
            && let Some(key) = told.iter().find(|key| self.pass.name_rule(&raw, key, &self.parents).is_some())
        {
            return Some(key.clone());
        }
        told.into_iter().next()
    }

    /// Tells the pass what stands beside a value, if a rule asks for it; whether one does.
    fn tell_beside(&mut self, object: &Object<'_, 'r>, key: &Key<'k>, is_value: bool, value: &Token) -> bool {
        let tokens = self.tokens;
        let raw = if value.kind.is_string() { tokens.inside(value) } else { tokens.slice(value) };
        if !is_nameable(tokens, value) || !self.pass.looks_beside(key, raw.as_bytes()) {
            return false;
        }
        // In a list of pairs the names beside a value stand in the other pairs.
        let is_of_pairs =
            !self.told.is_empty() && (is_value || object.is_pair && raw.starts_with(|c: char| c.is_ascii_digit()));
        let Self { pass, keys, told, beside: (made_for, made), .. } = self;
        if *made_for != Some(object.at) {
            let own = beside::names(tokens, object.at).map(|(place, name)| (name, &keys[object.keys + place]));
            let own = own.filter(|(_, key)| key.said().speaks_of_others());
            // What was a name may be a stand-in by now: then it says nothing. Those remembered are none.
            let own = own.filter(|(name, key)| matches!(key, Key::Known(_)) || !is_word_stand_in(name));
            made.clear();
            made.extend(own.map(|(_, key)| key.clone()));
            *made_for = Some(object.at);
        }
        pass.beside.clone_from(made);
        if is_of_pairs {
            pass.beside.extend(told.iter().cloned());
        }
        true
    }

    /// A string as a name, if rules list it. The type of a value is no name for it, and no address of a register is.
    fn name_at(&mut self, at: usize) -> Option<Key<'r>> {
        let token = self.tokens.get(at).filter(|token| token.kind.is_string())?;
        let text = self.tokens.string(&token).ok()?.0;
        if let Some(paper) = siblings::paper_of_register(&text) {
            return Some(self.pass.key_in_text(paper));
        }
        if !siblings::may_be_name(&text) || text.starts_with("urn:") {
            return None;
        }
        // Of the address of a register the last part says what its numbers are: `https://fhir.nhs.uk/Id/nhs-number`.
        if let Some((_, register)) = text.split_once("://") {
            let last = register.rsplit(['/', '#']).next().filter(|last| last.len() < register.len())?;
            let key = self.pass.key_in_text(last);
            return key.said().values.iter().any(|rule| self.pass.is_of_paper(*rule)).then_some(key);
        }
        let key = self.pass.key_in_text(&text);
        (key.is_listed() && !TYPES.contains(&key.joined())).then_some(key)
    }

    /// The name of a value where the member after it tells it: `{"value": "..", "type": "email"}`.
    fn name_after(&mut self, (name, value): (usize, usize), named: &Token) -> Option<Key<'r>> {
        let name = self.tokens.string(&self.tokens.get(name)?).ok()?.0;
        if !self.pass.key_in_text(&name).is_naming() {
            return None;
        }
        // `{"text": "..", "field": {"ref": "full_name"}}`; what begins with a small letter says what is wrong with the field.
        let holds = self.tokens.get(value).is_some_and(|value| value.kind == Kind::Object);
        let says = holds && self.tokens.slice(named).trim_start_matches('"').starts_with(char::is_lowercase);
        let value = if holds { beside::label(self.tokens, value).filter(|_| !says)? } else { value };
        self.name_at(value)
    }

    fn array(&mut self, at: usize, key: Option<&Key<'k>>) -> Result<(), DropReason> {
        let tokens = self.tokens;
        if let Some(name) = tables::property(tokens, at) {
            return self.property(at, name, key);
        }
        if let Some(columns) = tables::header(tokens, at).and_then(|names| self.header(&names)) {
            // The first row is one of names, and a row of texts like any other.
            if let Some(first) = tokens.elements(at).next() {
                self.value(first, key)?;
            }
            return self.rows(tokens.elements(at).skip(1), &columns, key);
        }
        if key.is_some_and(|key| key.joined().ends_with("headers"))
            && let Some(lines) = tables::header_lines(tokens, at)
        {
            return self.header_lines(&lines);
        }
        if let Some(pairs) = self.pairs(at) {
            return self.named_pairs(&pairs);
        }
        let told = beside::told(tokens, at).into_iter();
        self.told = told.map(|name| self.pass.key_in_text(name)).collect();
        let lines = read::lines(tokens, at);
        let texts: Vec<&str> = lines.iter().filter_map(|line| tokens.plain(*line)).collect();
        let named = turns::named(self.pass, &texts, &self.parents);
        let captioned = named.into_iter().map(|(line, key)| (lines[line], key)).collect();
        let outer = std::mem::replace(&mut self.captioned, captioned);
        let listed = key.and_then(|key| self.listed(key));
        for element in tokens.elements(at) {
            self.value(element, listed.as_ref().or(key))?;
        }
        self.told.clear();
        self.captioned = outer;
        Ok(())
    }

    /// What a list is of, if its name says that it is a list of what rules know: `city_list`, `plaatsLijst`.
    fn listed(&mut self, key: &Key<'k>) -> Option<Key<'k>> {
        if !key.said().values.is_empty() {
            return None;
        }
        let name = beside::LISTS.iter().find_map(|end| key.joined().strip_suffix(end))?;
        let name = name.to_owned();
        Some(self.pass.key_in_text(&name)).filter(|key: &Key<'r>| !key.said().values.is_empty())
    }

    fn number(&mut self, token: &Token, key: Option<&Key<'k>>) -> Result<(), DropReason> {
        let spot = self.spot_of(key);
        let place = Place { key, parents: &self.parents, depth: self.nested };
        if let Some(fresh) = self.pass.number(self.tokens.slice(token), place, spot) {
            self.splice(token.range(), &fresh);
        }
        Ok(())
    }

    fn string(&mut self, token: &Token, key: Option<&Key<'k>>) -> Result<(), DropReason> {
        let (raw, kinds) = self.tokens.string(token)?;
        let spot = self.spot_of(key);
        let place = Place { key, parents: &self.parents, depth: self.nested };
        if let Some(fresh) = self.pass.leaf(&raw, kinds, place, spot)? {
            self.splice(token.range(), &quoted(&fresh));
        }
        Ok(())
    }
}

/// Whether a value may be named by what stands beside it, and be a name for it: texts, and numbers without a sign.
fn is_nameable(tokens: &Tokens<'_>, value: &Token) -> bool {
    value.kind.is_string() || value.kind == Kind::Number && !tokens.slice(value).starts_with('-')
}
