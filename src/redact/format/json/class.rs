//! What an object says it is: `{"@type": "Customer", "name": ".."}`, `{"type": "contacts", "attributes": {"name": ".."}}`.
//! What rules look for below such a name, they look for in it too.

use crate::redact::evidence::names::{Classing, Key};
use crate::redact::evidence::words::Words;
use crate::redact::format::json::Walk;
use crate::redact::format::json::beside;
use crate::redact::format::json::tokens::Kind;
use std::borrow::Cow;

/// A member that says what the object itself is, as written: without their sign they may be about another.
const OWN_AS_WRITTEN: [&str; 3] = ["@type", "_type", "$type"];
/// Names of the object below that has what is told of it.
const HOLDERS: [&str; 32] = [
    "attribute",
    "attributes",
    "field",
    "fields",
    "property",
    "properties",
    "data",
    "payload",
    "traits",
    "record",
    "records",
    "row",
    "rows",
    "new",
    "old",
    "before",
    "after",
    "current",
    "previous",
    "newvalues",
    "oldvalues",
    "newimage",
    "oldimage",
    "snapshot",
    "state",
    "detail",
    "entity",
    "object",
    "resource",
    "subject",
    "result",
    "results",
];
/// Last words that say how it is sent, or what became of it.
const TAILS: [&str; 37] = [
    "node",
    "type",
    "payload",
    "response",
    "request",
    "dto",
    "model",
    "entity",
    "record",
    "resource",
    "details",
    "info",
    "input",
    "view",
    "object",
    "data",
    "event",
    "v1",
    "v2",
    "created",
    "updated",
    "deleted",
    "registered",
    "added",
    "changed",
    "modified",
    "identified",
    "invited",
    "enrolled",
    "admitted",
    "verified",
    "imported",
    "synced",
    "merged",
    "removed",
    "signed",
    "up",
];
/// Longest text that is looked at, bytes.
const CLASS_BYTES_MAX: usize = 64;

/// What the object at hand says.
pub(super) struct Class<'r> {
    /// What it is itself, by what it says or else the one around it.
    own: Option<Key<'r>>,
    /// What the object below it is that holds its members.
    held: Option<Key<'r>>,
}

impl<'r> Class<'r> {
    /// What the object under this name is, by what the one around it says.
    pub fn below(&self, name: &Key<'_>) -> Option<Key<'r>> {
        self.held.as_ref().or(self.own.as_ref()).filter(|_| HOLDERS.contains(&name.joined())).cloned()
    }

    /// What it is itself.
    pub fn own(&self) -> Option<Key<'r>> {
        self.own.clone()
    }
}

impl<'k, 'r: 'k> Walk<'_, '_, 'k, '_, 'r> {
    /// What the object at a token says that it is. `keys`: where those of its members begin; `around`: what the object
    /// around it says. Strict mode asks no rules.
    pub(super) fn class(&mut self, at: usize, keys: usize, around: Option<Key<'r>>) -> Class<'r> {
        let mut class = Class { own: around, held: None };
        if self.pass.redactor.strict.is_some() {
            return class;
        }
        let tokens = self.tokens;
        // Nearly every object ends here.
        if self.keys[keys..].iter().all(|key| key.classing().is_none()) {
            return class;
        }
        let mut own = None;
        for (place, name, value) in beside::members(tokens, at) {
            let Some(classing) = self.keys.get(keys + place).and_then(|key| key.classing()) else { continue };
            let is_own = classing == Classing::Own || OWN_AS_WRITTEN.contains(&name);
            let told = if is_own { &mut own } else { &mut class.held };
            let is_string = tokens.get(value).is_some_and(|value| value.kind == Kind::Plain);
            if told.is_some() || !is_string {
                continue;
            }
            *told = tokens.plain(value).and_then(core).and_then(|told| self.pass.class(&told));
        }
        class.own = own.or(class.own);
        class
    }
}

/// What a text says that something is, without what it says besides: `crm.customer`, `CustomerNode`, `user_signed_up`.
fn core(text: &str) -> Option<Cow<'_, str>> {
    if text.len() <= CLASS_BYTES_MAX && text.bytes().all(|b| b.is_ascii_lowercase()) {
        return Some(Cow::Borrowed(text));
    }
    if text.len() > CLASS_BYTES_MAX || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/:#$".contains(&b)) {
        return None;
    }
    text.rsplit(['.', '/', ':', '#']).find_map(|part| {
        let Words { joined, starts } = Words::of(part);
        let is_tail = |start: &usize, end: usize| TAILS.contains(&&joined[*start..end]);
        let mut end = joined.len();
        for start in starts.iter().rev() {
            if !is_tail(start, end) {
                break;
            }
            end = *start;
        }
        (end > 0).then(|| Cow::Owned(joined[..end].to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_told_without_what_became_of_it() {
        for (text, class) in [
            ("Customer", Some("customer")),
            ("crm.customer", Some("customer")),
            ("customer.created", Some("customer")),
            ("user_signed_up", Some("user")),
            ("com.acme.users.UserRegistered", Some("user")),
            ("CustomerNode", Some("customer")),
            ("#microsoft.graph.user", Some("user")),
            ("Ada Lovelace", None),
        ] {
            assert_eq!(core(text).as_deref(), class, "{text}");
        }
    }
}
