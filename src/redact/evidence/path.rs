//! Dotted paths of names, as rules and strict mode write them: `customer.contacts.value`, `*.id`, `data.**.total`; and which of
//! the names above a value tell whose it is.

use crate::redact::evidence::names::Key;
use crate::redact::evidence::words::Words;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A name, compared as names are.
    Name(String),
    /// `*`: any one name.
    One,
    /// `**`: any number of names, none included.
    Many,
}

/// A pattern over the names above a value and its own. Array indexes have no names, so `items[].id` is `items.id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::redact) struct PathPattern(Vec<Step>);

/// How many names above a value tell whose it is.
const NEAR: usize = 2;
/// Steps of a path at most.
const STEPS_MAX: usize = 32;

impl PathPattern {
    /// Reads a path; `None` if it is empty, has an empty step or too many.
    pub fn of(text: &str) -> Option<Self> {
        let steps: Option<Vec<Step>> = text
            .split('.')
            .map(|step| match step.trim_end_matches("[]").trim() {
                "" => None,
                "*" => Some(Step::One),
                "**" => Some(Step::Many),
                name => Some(Step::Name(Words::of(name).joined().to_owned())).filter(|s| *s != Step::Name("".into())),
            })
            .collect();
        steps.filter(|steps| steps.len() <= STEPS_MAX).map(Self)
    }

    /// The name that a value must have itself; `None` if any will do.
    pub fn last_name(&self) -> Option<&str> {
        match self.0.last() {
            Some(Step::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether a value under these names, outermost first, is at the path.
    pub fn is_at(&self, parents: &[Key<'_>], key: Option<&Key<'_>>) -> bool {
        if self.0 == [Step::Many] {
            return true;
        }
        let parents = parents.iter().filter(|parent| !parent.is_class());
        let names: Vec<&str> = parents.chain(key).map(|name| name.joined()).collect();
        // Wildcards as in file names: on a mismatch the last `**` takes one name more.
        let (mut step, mut at, mut retry) = (0, 0, None);
        while at < names.len() {
            match self.0.get(step) {
                Some(Step::Many) => {
                    step += 1;
                    retry = Some((step, at));
                    continue;
                }
                Some(Step::One) => {}
                Some(Step::Name(name)) if name == names[at] => {}
                _ => match &mut retry {
                    Some((after, from)) => {
                        *from += 1;
                        (step, at) = (*after, *from);
                        continue;
                    }
                    None => return false,
                },
            }
            step += 1;
            at += 1;
        }
        self.0[step..].iter().all(|step| *step == Step::Many)
    }
}

/// The names right above a value that tell whose it is: two, and what its object says it is. `parents`: outermost first.
pub(in crate::redact) fn near<'a, 'k>(parents: &'a [Key<'k>]) -> impl Iterator<Item = &'a Key<'k>> {
    let class = parents.last().filter(|last| last.is_class());
    class.into_iter().chain(parents.iter().rev().filter(|parent| !parent.is_class()).take(NEAR))
}

/// Whether a rule leaves alone what is right below the last of these names. What an object says it is outweighs its name.
pub(in crate::redact) fn is_not_below(parents: &[Key<'_>], rule: u16) -> bool {
    let is_said = |class: &Key<'_>| class.is_class() && class.said().below.contains(&rule);
    let mut names = parents.iter().rev().filter(|parent| !parent.is_class());
    names.next().is_some_and(|name| name.said().not_below.contains(&rule)) && !parents.last().is_some_and(is_said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::evidence::names::{Name, Said};
    use std::sync::Arc;

    fn is_at(pattern: &str, path: &str) -> bool {
        let key = |name: &str| Key::New(Arc::new(Name::new(Words::of(name), Said::default(), true)));
        let mut names: Vec<Key<'_>> = path.split('.').map(key).collect();
        let last = names.pop();
        PathPattern::of(pattern).unwrap().is_at(&names, last.as_ref())
    }

    #[test]
    fn paths_match_by_names_and_wildcards() {
        assert!(is_at("customer.contacts[].value", "customer.Contacts.value"));
        assert!(is_at("*.id", "order.id") && !is_at("*.id", "id") && !is_at("*.id", "a.b.id"));
        assert!(is_at("**.id", "id") && is_at("**.id", "a.b.id") && is_at("data.**", "data.a.b"));
        assert!(is_at("a.**.b.c", "a.x.b.b.c") && !is_at("a.**.b.c", "a.x.b.d"));
        assert!(PathPattern::of("a..b").is_none() && PathPattern::of("").is_none());
    }
}
