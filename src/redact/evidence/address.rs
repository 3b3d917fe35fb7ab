//! What the words of a run of words and numbers say about whether it is an address.

use std::ops::Range;

/// Whether a run of words and numbers can be an address: a number that is not of the postal code, and no word of
/// orders, dates and versions.
pub(in crate::redact) fn may_be_address(value: &str) -> bool {
    let numbers =
        value.split(|c: char| !c.is_alphanumeric()).filter(|run| run.starts_with(|c: char| c.is_ascii_digit()));
    let lower = value.to_lowercase();
    let small_or_bare = numbers.clone().count() >= 2 || lower.contains("s/n") || value.contains(',');
    small_or_bare
        && numbers.clone().any(|run| run.len() <= 5)
        && !lower.split(|c: char| !c.is_alphanumeric()).any(|word| NO_ADDRESS.split(' ').any(|other| word == other))
}

/// The part of such a run that can be an address: what leads to one (`send the Polo to ..`) is not part of it.
pub(in crate::redact) fn address_within(value: &str) -> Option<Range<usize>> {
    let street = value.split([',', '\n']).next().unwrap_or(value);
    let (mut start, mut end) = (0, 0);
    for word in street.split_inclusive(' ') {
        end += word.len();
        if LEADS.split(' ').any(|lead| word.trim_end() == lead) {
            start = end;
        }
    }
    let start = start + (value[start..].len() - value[start..].trim_start().len());
    may_be_address(&value[start..]).then_some(start..value.len())
}

/// Words that numbers stand beside without an address.
const NO_ADDRESS: &str = "order invoice version build release total amount january february march april may june july august \
    september october november december monday tuesday wednesday thursday friday saturday sunday ticket error \
    code reference ref chrome safari mozilla windows linux page item items row line rechnung bestellung \
    commande facture pedido batch units users pieces points results records subtotal uhr stück euro requests \
    rows lines";
/// Words right before an address.
const LEADS: &str = "to at from is address nach zu zur zum adresse chez à til till på para hacia dirección w pod адрес";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_to_an_address_is_not_part_of_it() {
        let within = |text: &'static str| address_within(text).map(|part| &text[part]);
        assert_eq!(within("Tommy Hilfiger Polo to Pikk tn 120, 80010 Pärnu"), Some("Pikk tn 120, 80010 Pärnu"));
        assert_eq!(within("Ilica 53\n31000 Osijek"), Some("Ilica 53\n31000 Osijek"));
        assert_eq!(within("Order 53, 31000 Total"), None);
        assert_eq!(within("To 5"), None);
    }
}
