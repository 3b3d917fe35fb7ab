//! What the attributes of an element say its text is: forms, microformats and the class names of people who write pages by
//! hand.

use crate::redact::evidence::names::Key;
use crate::redact::format::markup::{Attribute, unescape};
use crate::redact::pass::Pass;

/// Attributes that say it, the surest first.
const SAYING: [&str; 14] = [
    "itemprop",
    "data-label",
    "data-th",
    "data-title",
    "data-header",
    "data-field",
    "data-name",
    "data-key",
    "data-column",
    "autocomplete",
    "placeholder",
    "aria-label",
    "id",
    "class",
];
/// Those of them that hold several words, of which one may say it.
const LISTS: [&str; 3] = ["autocomplete", "id", "class"];
/// Classes of elements that hold the caption of their next sibling.
const CAPTIONS: [&str; 10] =
    ["label", "key", "term", "caption", "field-label", "field-name", "row-label", "lbl", "form-label", "dt"];
/// Classes that say how a text looks or what a block is about, not what the text is.
const VAGUE: [&str; 14] = [
    "name", "title", "state", "user", "username", "customer", "account", "code", "number", "token", "secret",
    "password", "login", "pin",
];
/// Words of one class attribute that are looked at.
const WORDS_MAX: usize = 6;
/// Longer words are no names, bytes.
const WORD_BYTES_MAX: usize = 48;

/// The name that the attributes give, if rules list one.
pub(super) fn of<'r>(pass: &mut Pass<'r>, text: &str, attributes: &[Attribute<'_>]) -> Option<Key<'r>> {
    SAYING.iter().find_map(|known| {
        let one = attributes.iter().find(|one| one.name.eq_ignore_ascii_case(known))?;
        let said = unescape(&text[one.value.clone()]);
        if !LISTS.contains(known) {
            return listed(pass, said.text.trim_end_matches([':', '*', ' ']));
        }
        let words = said.text.split_ascii_whitespace().take(WORDS_MAX);
        words.filter_map(meaning).find_map(|word| listed(pass, word))
    })
}

fn listed<'r>(pass: &mut Pass<'r>, word: &str) -> Option<Key<'r>> {
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    Some(pass.key_in_text(word)).filter(|key| !key.said().values.is_empty())
}

/// A class without the kind that microformats put before it: `p-locality`.
fn meaning(class: &str) -> Option<&str> {
    let own = ["p-", "dt-", "u-", "js-"].iter().find_map(|kind| class.strip_prefix(kind)).unwrap_or(class);
    (!own.is_empty() && !VAGUE.iter().any(|vague| own.eq_ignore_ascii_case(vague))).then_some(own)
}

/// Whether an element holds the caption of its next sibling: `<div class="label">Town</div><div>..`.
pub(super) fn is_caption(text: &str, attributes: &[Attribute<'_>]) -> bool {
    let class = attributes.iter().find(|one| one.name.eq_ignore_ascii_case("class"));
    class.is_some_and(|class| {
        let words = text[class.value.clone()].split_ascii_whitespace().take(WORDS_MAX);
        let mut words = words.map(|word| word.rsplit("__").next().unwrap_or_default());
        words.any(|word| CAPTIONS.iter().any(|known| word.eq_ignore_ascii_case(known)))
    })
}
