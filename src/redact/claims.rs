//! Which rule claims a value by its name: by what the names above it say, by what stands beside it, and by the value.

use crate::redact::engine::{Redactor, Registry};
use crate::redact::evidence::names::{Key, Said};
use crate::redact::evidence::words::Words;
use crate::redact::evidence::{epoch, path, shape};
use crate::redact::format::url;
use crate::redact::matching::find::Doubt;
use crate::redact::matching::gate::kinds_of;
use crate::redact::matching::spots::{Claimants, Spot};
use crate::redact::pass::{Pass, Place};
use crate::redact::rule::rules::{Action, Rule};
use crate::redact::stand_in::kind::Kind;
use crate::redact::stand_in::pseudonym;
use regex::bytes::Regex;

/// Names that say nothing but that the value of the object is here.
const PLAIN_VALUES: [&str; 13] = [
    "value",
    "val",
    "v",
    "text",
    "content",
    "data",
    "valuestring",
    "stringvalue",
    "string",
    "answer",
    "old",
    "new",
    "current",
];
/// Names that say nothing but that the values of the object above are here, and how many of them are passed over.
const PLAIN_HOLDERS: [&str; 9] =
    ["answers", "textanswers", "values", "value", "items", "list", "entries", "versions", "history"];
const HOLDERS_MAX: usize = 4;
/// Blanks and other signs in a caption, at most, bytes.
const CAPTION_SIGNS_MAX: usize = 8;
/// Hebrew's hyphen.
const MAQAF: char = '\u{5be}';
/// Shorter numbers are nobody's unless their name says so.
const NUMBER_BYTES_MIN: usize = 8;

impl<'r> Pass<'r> {
    /// The place at the top of a document, if its places are remembered: not where somebody wants to know every decision.
    pub fn top(&self, place: Place<'_>) -> Option<Spot> {
        let is_top = place.key.is_none() && place.parents.is_empty() && place.depth == 0;
        (is_top && self.trace.is_none() && self.only.is_none()).then_some(Spot::TOP)
    }

    /// The place under a name, below names that lead to another place.
    pub fn spot_below(&mut self, spot: Option<Spot>, key: &Key<'_>, parents: &[Key<'_>]) -> Option<Spot> {
        let name = match key {
            Key::Known(name) => *name,
            Key::Class(name, true) => name,
            Key::New(_) | Key::Class(_, false) => return None,
        };
        let redactor = self.redactor;
        self.memo.below(spot?, name.serial(), || {
            let stands = |rule: &u16| redactor.doubt_of_name(*rule, key, parents).is_none();
            let by_name = name.said().values.iter().copied().filter(stands).collect();
            Claimants::of(by_name, redactor.registry.of_any_name.iter().copied().filter(stands))
        })
    }

    /// Whether some rule claims values under a name for what stands above it.
    pub fn is_claimed_below(&self, key: &Key<'_>, parents: &[Key<'_>]) -> bool {
        let redactor = self.redactor;
        let asks = |rule: u16| {
            let Rule { has_parents, paths, .. } = &redactor.rules[usize::from(rule)];
            *has_parents || !paths.is_empty()
        };
        let mut asking = key.said().values.iter().filter(|rule| asks(**rule));
        asking.any(|rule| redactor.doubt_of_name(*rule, key, parents).is_none())
    }

    /// Whether a rule finds numbers of papers.
    pub fn is_of_paper(&self, rule: u16) -> bool {
        self.redactor.rules[usize::from(rule)].kind.is_of_paper()
    }

    /// Whether a rule that may claim a value under the name asks what stands beside it. Rules of any name ask for
    /// numbers only: `value` begins as the value does, and may go on.
    pub fn looks_beside(&self, key: &Key<'_>, value: &[u8]) -> bool {
        let Said { values, vetoes, .. } = key.said();
        let asks = |rule: &u16| self.redactor.rules[usize::from(*rule)].looks_beside;
        let is_number = || {
            let mut head = value.iter().take(NUMBER_BYTES_MIN);
            value.len() >= NUMBER_BYTES_MIN
                && head.all(|b| b.is_ascii_digit() || b" ./-".contains(b))
                && value[4] != b'-'
        };
        let of_any_name = &self.redactor.registry.of_any_name;
        values.iter().any(asks) || is_number() && of_any_name.iter().any(|rule| asks(rule) && !vetoes.contains(rule))
    }

    /// The first rule that claims values under this name.
    pub fn name_rule(&mut self, raw: &str, key: &Key<'_>, parents: &[Key<'_>]) -> Option<u16> {
        self.rule_at(raw, key, parents, None)
    }

    /// The same at a place that may be remembered.
    pub fn rule_at(&mut self, raw: &str, key: &Key<'_>, parents: &[Key<'_>], spot: Option<Spot>) -> Option<u16> {
        let by_name = &key.said().values;
        if !by_name.is_empty() && is_own_caption(raw, key) {
            return None;
        }
        let Registry { of_any_name, any_name_needs_digit, .. } = &self.redactor.registry;
        // Somebody who wants to know every decision hears of these too.
        let can = !any_name_needs_digit || self.trace.is_some() || raw.bytes().any(|b| b.is_ascii_digit());
        let of_any_name = if can { &of_any_name[..] } else { &[] };
        if let Some(spot) = spot {
            let mut asked = (0..).map_while(|at| self.memo.claimant(spot, at, can));
            let own = asked.find(|rule| self.doubt_here(*rule, raw, key).is_none());
            if own.is_some() {
                return own;
            }
        } else if !(by_name.is_empty() && of_any_name.is_empty()) {
            let own = by_name.iter().chain(of_any_name).copied().find(|&rule| self.claims(rule, raw, key, parents));
            if own.is_some() {
                return own;
            }
        }
        // `{"firstname": {"value": ".."}}`: the name is the one above.
        if key.is_named() && !parents.is_empty() { self.rule_above(raw, key, parents) } else { None }
    }

    /// The first rule that claims a value of an object whose name stands above: its own says only that it is the value.
    fn rule_above(&mut self, raw: &str, key: &Key<'_>, parents: &[Key<'_>]) -> Option<u16> {
        if !PLAIN_VALUES.contains(&key.joined()) {
            return None;
        }
        // `{"phone": {"textAnswers": {"answers": [{"value": ".."}]}}}`
        let is_name = |above: &Key<'_>| !above.is_class() && !PLAIN_HOLDERS.contains(&above.joined());
        let at = parents.iter().rev().take(HOLDERS_MAX).position(is_name)?;
        let (above, rest) = parents[..parents.len() - at].split_last()?;
        above.said().values.iter().copied().find(|&rule| self.claims(rule, raw, above, rest))
    }

    /// The first rule that claims header lines of this name.
    pub fn header_rule(&mut self, raw: &str, key: &Key<'_>) -> Option<u16> {
        key.said().headers.iter().copied().find(|&rule| self.claims(rule, raw, key, &[]))
    }

    /// The first rule that claims parameters of this name.
    pub fn parameter_rule(&mut self, raw: &str, key: &Key<'_>, parents: &[Key<'_>]) -> Option<u16> {
        if raw.is_empty() {
            return None;
        }
        key.said().params.iter().copied().find(|&rule| self.claims(rule, raw, key, parents))
    }

    /// Whether a rule that lists a name claims a value there.
    fn claims(&mut self, at: u16, raw: &str, key: &Key<'_>, parents: &[Key<'_>]) -> bool {
        if !self.allows(at) {
            return false;
        }
        let doubt = self.redactor.doubt_of_name(at, key, parents).or_else(|| self.doubt_here(at, raw, key));
        if let Some(doubt) = doubt {
            self.doubt(at, raw, doubt);
        }
        doubt.is_none()
    }

    /// Why a rule claims no such value under a name, given what stands beside it.
    fn doubt_here(&self, at: u16, raw: &str, key: &Key<'_>) -> Option<Doubt> {
        let rule = &self.redactor.rules[usize::from(at)];
        let beside = || {
            rule.has_beside && !self.beside.iter().any(|name| name.said().beside.contains(&at))
                || self.beside.iter().any(|name| name.said().not_beside.contains(&at))
        };
        if rule.has_beside && self.beside.is_empty() {
            return Some(Doubt::Place);
        }
        self.doubt_of_value(at, raw, key).or_else(|| beside().then_some(Doubt::Place))
    }

    /// Why a rule claims no such value under a name, wherever the name stands.
    fn doubt_of_value(&self, at: u16, raw: &str, key: &Key<'_>) -> Option<Doubt> {
        let rule = &self.redactor.rules[usize::from(at)];
        // Hebrew's hyphen joins names as any other does.
        let fits = |shape: &Regex| {
            shape.is_match(raw.as_bytes())
                || !raw.is_ascii() && raw.contains(MAQAF) && shape.is_match(raw.replace(MAQAF, "-").as_bytes())
        };
        Some(if rule.shape.as_ref().is_some_and(|shape| !fits(shape)) {
            Doubt::Shape
        } else if rule.shape.is_none()
            && rule.kind.is_never_a_shape()
            && shape::is_harmless(raw, kinds_of(raw.as_bytes()))
            || rule.kind.is_guarded() && (epoch::is_instant(raw, key.joined()) || shape::is_too_long(rule.kind, raw))
            || rule.kind.is_numbered() && shape::is_opaque(raw)
            || matches!(rule.kind, Kind::Id | Kind::Digits | Kind::Ssn | Kind::Phone) && shape::is_day(raw)
            // A stand-in has digits, which make no number and no date of the words around it.
            || (rule.kind == Kind::Date || rule.kind.is_guarded()) && holds_stand_in(raw)
            || matches!(rule.kind, Kind::Person | Kind::Address) && is_of_stand_ins(raw)
            || is_template(raw)
            || rule.kind.has_no_sentence() && is_sentence(raw)
        {
            Doubt::OtherShape
        } else if rule.check.is_some_and(|check| check.check(raw).is_none()) {
            Doubt::Validator
        } else if rule.action == Action::Drop && raw.is_empty() {
            Doubt::StandIn
        } else {
            return None;
        })
    }
}

impl Redactor {
    /// Why a rule that lists a name claims no value there, as far as the names above it tell.
    fn doubt_of_name(&self, at: u16, key: &Key<'_>, parents: &[Key<'_>]) -> Option<Doubt> {
        let rule = &self.rules[usize::from(at)];
        if key.said().vetoes.contains(&at) {
            return Some(Doubt::ExcludedName);
        }
        let is_elsewhere = rule.has_parents && !path::near(parents).any(|parent| parent.said().below.contains(&at))
            || path::is_not_below(parents, at)
            || !rule.paths.is_empty() && !rule.paths.iter().any(|path| path.is_at(parents, Some(key)));
        is_elsewhere.then_some(Doubt::Place)
    }
}

/// Schemes of databases, queues and the like.
const STORES: &str = "postgres postgresql mysql mariadb mongodb redis rediss amqp amqps sqlserver mssql clickhouse cockroachdb nats \
    kafka smtp smtps ldap ldaps ftp ftps sftp cassandra couchbase neo4j bolt mqtt mqtts";

/// Whether a value is a link to a store in which a name and a password stand before the host, and nothing else hides: they
/// are found there, and the host stays.
pub(in crate::redact) fn is_link_with_password(raw: &str) -> bool {
    let Some((scheme, rest)) = raw.split_once("://") else { return false };
    let Some((who, place)) = rest.split_once('@') else { return false };
    let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%!$*+:".contains(&b));
    let host = place.split(['/', '?', '#']).next().unwrap_or_default();
    STORES.split(' ').any(|store| scheme.split('+').next() == Some(store))
        // Two parts, or what stands in for them.
        && (who == url::USER_MASK || who.split(':').count() == 2)
        && is_plain(who)
        && is_plain(host)
        && !place.contains(['@', '#'])
}

/// Whether a stand-in is one of the words of a text.
pub(in crate::redact) fn holds_stand_in(raw: &str) -> bool {
    let is_of_word = |c: char| c.is_alphanumeric() || c == '-';
    raw.contains('-') && raw.split(|c| !is_of_word(c)).any(pseudonym::is_word_stand_in)
}

/// Whether a text is nothing but stand-ins, what stands between them left aside: its parts were replaced.
fn is_of_stand_ins(raw: &str) -> bool {
    let is_of_word = |c: char| c.is_alphanumeric() || c == '-';
    let mut words = raw.split(|c| !is_of_word(c)).filter(|word| !word.is_empty()).peekable();
    raw.contains('-') && words.peek().is_some() && words.all(pseudonym::is_word_stand_in)
}

/// Openings and ends of a place that a template fills in; GitHub's is told by its opening, since texts end at a brace.
const TEMPLATES: [(&str, &str); 3] = [("${{", ""), ("{{", "}}"), ("${", "}")];

/// Whether a value is a place for one: `{{reset_token}}`, `${PASSWORD}`, `${{ secrets.KEY }}`.
fn is_template(raw: &str) -> bool {
    let inside = TEMPLATES.iter().find_map(|(opening, end)| raw.strip_prefix(opening)?.strip_suffix(end));
    // A single brace is around a GUID too, which has digits.
    let single = || raw.strip_prefix('{')?.strip_suffix('}').filter(|name| !name.bytes().any(|b| b.is_ascii_digit()));
    inside.or_else(single).is_some_and(|name| {
        let name = name.trim_end_matches('}');
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b" _.-".contains(&b))
    })
}

/// Words of a sentence, at least, and those of small letters among them.
const SENTENCE_WORDS_MIN: usize = 5;
const SMALL_WORDS_MIN: usize = 4;

/// Whether a value is a sentence about a field, as a message of an error is: no number and no date.
fn is_sentence(raw: &str) -> bool {
    let words = || raw.split(' ');
    let is_small = |word: &&str| word.chars().all(char::is_lowercase);
    raw.starts_with(char::is_uppercase)
        && words().take(SENTENCE_WORDS_MIN).count() == SENTENCE_WORDS_MIN
        && words().filter(is_small).take(SMALL_WORDS_MIN).count() == SMALL_WORDS_MIN
}

/// Whether a value only repeats the name of its field, as a caption does: `{"login.password": "Password"}`.
fn is_own_caption(raw: &str, key: &Key<'_>) -> bool {
    // Most values end here, without a copy: a sign may stand behind a caption, a letter beyond ASCII loses its accent.
    let ends_alike = || match (raw.bytes().last(), key.joined().bytes().last()) {
        (Some(own), Some(of_key)) if own.is_ascii_alphanumeric() => own.eq_ignore_ascii_case(&of_key),
        _ => true,
    };
    raw.starts_with(|c: char| c.is_uppercase())
        && raw.len() <= key.joined().len() + CAPTION_SIGNS_MAX
        && ends_alike()
        && key.ends_with(&Words::of(raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_told_by_both_their_ends() {
        assert!(
            ["{{reset_token}}", "${PASSWORD}", "${{ secrets.KEY }}", "${{ secrets.KEY"]
                .iter()
                .all(|it| is_template(it))
        );
        assert!(
            ![
                "{{",
                "{{}}",
                "{{ada",
                "${hunter2",
                "{6f9619ff-8b86-d011-b42d-00c04fc964ff}",
                "{{a}} and {{b}}",
                "$ecret}",
                ""
            ]
            .iter()
            .any(|it| is_template(it))
        );
    }

    #[test]
    fn sentences_are_told_from_numbers_and_dates() {
        assert!(is_sentence("El DNI debe tener 8 números y una letra"));
        assert!(!is_sentence("12 March 1980") && !is_sentence("The 3rd of May") && !is_sentence("AB 12 34 56 C"));
    }
}
