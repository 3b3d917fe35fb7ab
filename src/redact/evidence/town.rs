//! What follows a street in a text: its town with a postal code, in the order and the spelling of the country. Patterns
//! find streets by their words; how towns are written is the same for all of them and stands here once.

use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// How far after a street a town is looked for, bytes.
const REACH_BYTES_MAX: usize = 120;

/// A street's place in a text with the town behind it, if there is one.
pub(in crate::redact) fn with_town(text: &str, street: Range<usize>) -> Range<usize> {
    let near = &text[street.end..text.floor_char_boundary(street.end + REACH_BYTES_MAX)];
    // Most streets stand at the end of a clause.
    if !near.starts_with([',', ' ', '.', ';', '\n', '\r', '(']) {
        return street;
    }
    let groups = TOWN.as_ref().and_then(|town| town.captures(near));
    let tail = groups.and_then(|groups| groups.get(1)).map_or(0, |tail| tail.end());
    street.start..street.end + tail
}

/// Postal codes that nothing else looks like, and those of digits alone.
const LETTERED: &str = r"(?:[A-Z]{1,3}-[0-9]{4,5}|[0-9]{2}-[0-9]{3}|[0-9]{5}-[0-9]{3,4}|[0-9]{3,4}-[0-9]{3,4}|[A-Z][0-9]{4}(?:[A-Z]{3})?|[0-9]{4} [A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}|[A-Z][0-9]{2} [0-9A-Z]{4})";
const DIGITS: &str = r"(?:[0-9]{3} [0-9]{2}|[0-9]{4,7})";
/// A word of a town's name. A dot ends it, but behind what is always cut short.
macro_rules! word {
    () => {
        r"(?:(?:St|Sta|Ste|Sto|Sv|Bd|Mt|Ft|Pt)\.|[\p{Lu}\p{Lo}][\p{L}\p{M}'’-]+)"
    };
}
/// A town: a word, and what belongs to it before another capital letter.
const NAME: &str = concat!(
    word!(),
    r"(?:(?:[ -](?:am|an|der|im|in|bei|la|le|les|los|las|lo|de|del|do|da|dos|du|des|sur|sous|en|aux|upon|on|di|pri|nad|pod|v|na|ob))*[ -]",
    word!(),
    r"){0,2}"
);

static TOWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // `Apt 4`, `2. tv`, `lgh 1102`, `bl. A3, sc. 2`, `3º B`
    let floor = r"(?:,? (?:(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Room|Wohnung|Whg|piso|int|apto|lok|lgh|bl|sc|ap|et|m|kv|кв)\.? ?[0-9A-Za-z-]{1,6}\b|(?:[0-9]{1,2}|st)\.? ?(?:tv|th|mf|sal)\b\.?|[0-9]{1,2}[ºª°](?: ?[A-Z]\b)?)){0,3}";
    let state = r"(?:,? [A-Z]{2,3})?(?:,| [–-])? ?";
    let gap = r"(?:[,;.]? |,| [–-] | \(| in )";
    let line = r"(?:[,;.]?\r?\n ?)";
    let ways = [
        // `10115 Berlin`, also on the next line
        format!("(?:{gap}|{line})(?:{LETTERED}|{DIGITS}),? {NAME}"),
        // `London SW1Y 4JH`, also on the next line; `Springfield, IL 62701` and `Lucknow - 226001` on the same one, where a
        // number is no other line's
        format!("(?:{gap}|{line}){NAME}{state}{LETTERED}"),
        format!("{gap}{NAME}{state}{DIGITS}"),
        format!("{gap}(?:[A-Z]{{2,3}},? )?(?:{LETTERED}|{DIGITS})"),
    ];
    // What goes on as a word, a number or a date is none.
    Regex::new(&format!(r"^({floor}(?:{}))(?:[^\p{{L}}0-9/:-]|$)", ways.join("|"))).ok()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn towns_of_many_countries_are_taken_with_their_street() {
        for tail in [
            ", 10115 Berlin",
            "\n31000 Osijek",
            ", 5090000 Valdivia",
            ", V1Y 6N5 Kelowna",
            ", 126 43 Stockholm",
            " 35-030 Rzeszów",
            ", LV-3001 Jelgava",
            ", 40000 ขอนแก่น",
            ", 15258 العين",
            ", Springfield, IL 62701",
            ", London SW1Y 4JH",
            ", Lucknow - 226001",
            ", 60311 Frankfurt am Main",
            ", 78000 San Luis Potosí",
            " in 1017 CJ Amsterdam",
            "\nLondon SW1Y 4JH",
            ", Apt 4, Boise, ID 83786",
            ", 2. tv, 5700 Svendborg",
            " lgh 1102, 722 11 Västerås",
            " bl. A3, 500030 Brașov",
            ", 3º B, 33201 Gijón",
            ", S2000 Rosario",
            ", 7000-508 Évora",
            ", 9000 St. Gallen",
        ] {
            let text = format!("Hauptstr. 5{tail}, danke");
            assert_eq!(&text[with_town(&text, 0..11)], format!("Hauptstr. 5{tail}"));
        }
    }

    #[test]
    fn the_next_sentence_is_no_town() {
        for town in [", 24103 Kiel", ", 31400 Toulouse", " in 37073 Göttingen"] {
            let text = format!("Hauptstr. 5{town}. Mobil ist es");
            assert_eq!(&text[with_town(&text, 0..11)], format!("Hauptstr. 5{town}"));
        }
    }

    #[test]
    fn what_is_no_town_stays() {
        for tail in [
            " at noon",
            ". Thanks, Ada",
            ", please",
            "",
            " 3 items",
            ", 12 Uhr",
            "\nOrder ORD-7",
            "\n2022-12-30T03:39:03Z INFO",
            "\nInvoice 12345",
        ] {
            let text = format!("Hauptstr. 5{tail}");
            assert_eq!(with_town(&text, 0..11), 0..11, "{tail}");
        }
    }
}
