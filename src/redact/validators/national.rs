//! National numbers of any country, for rules that cannot tell which one they meet.
//!
//! A check digit mod 10 or 11 lets every tenth identifier pass, so a bare number counts only where a scheme promises more:
//! two check digits, or one and a date. Groups of a country's own layout, or letters in its places, count as the second
//! proof. Everything else needs a word nearby, and is a matter of the rules.

use crate::redact::validators::compact::{Compact, digits, digits_of, number};
use crate::redact::validators::national_americas as americas;
use crate::redact::validators::national_asia as asia;
use crate::redact::validators::national_europe_east as east;
use crate::redact::validators::national_europe_north as north;
use crate::redact::validators::national_europe_west as west;
use std::ops::Range;

/// A run of digits that proves itself: at most about one in a hundred identifiers of its length passes.
pub(in crate::redact) fn is_bare_national(text: &str) -> bool {
    match text.len() {
        11 => {
            americas::is_cpf(text)
                || asia::is_tckn(text)
                || north::is_fodselsnummer(text)
                || north::is_isikukood(text)
                || west::is_rrn_be(text)
                || west::is_steuer_id(text)
                || west::is_amka(text)
                // Births from 1900 to 2099: the months of other centuries let too much pass.
                || (text.as_bytes()[2] < b'4' && east::is_pesel(text))
        }
        // A century, a day and a check digit.
        12 => text.starts_with(['1', '2']) && matches!(&text[..2], "19" | "20") && north::is_personnummer(text),
        13 => west::is_ahv(text) || (!is_of_shops_or_clocks(text) && (east::is_cnp(text) || asia::is_za_id(text))),
        15 => west::is_nir(text),
        18 => asia::is_cn_id(text),
        _ => false,
    }
}

/// An identity number of Hong Kong has six digits; of all numbers in groups none is longer than this, bytes.
const DIGITS_MIN: usize = 6;
const BYTES_MAX: usize = 24;
/// Seconds since 1970, from 2020 to 2027: far more often than a person's number of ten digits that begins so.
const INSTANTS_S: Range<u64> = 1_577_836_800..1_830_000_000;

/// Whether a whole value passes the check of any country, in whatever spelling: proof enough where a name already says
/// that it is somebody's number. Two in five numbers of nine digits pass, and fewer of the longer ones.
pub(in crate::redact) fn is_any_national(text: &str) -> bool {
    const OF_LENGTH: [(usize, &[Check]); 7] = [
        (
            9,
            &[
                americas::is_rut,
                americas::is_sin,
                asia::is_tfn,
                asia::is_ird,
                west::is_bsn,
                west::is_nif_pt,
                west::is_afm,
                east::is_taj,
                east::is_rodne_cislo,
            ],
        ),
        (
            10,
            &[
                americas::is_nit,
                americas::is_ec_cedula,
                asia::is_medicare,
                west::is_nhs,
                west::is_utr,
                west::is_svnr,
                north::is_personnummer,
                north::is_kennitala,
                east::is_egn,
                east::is_nip,
                east::is_inn,
                east::is_rnokpp,
                east::is_hu_tax,
                east::is_rodne_cislo,
            ],
        ),
        (
            11,
            &[
                americas::is_cuit,
                asia::is_abn,
                north::is_personas_kods,
                east::is_hu_personal,
                east::is_oib,
                east::is_pesel,
                east::is_snils,
            ],
        ),
        (12, &[asia::is_aadhaar, asia::is_my_number, north::is_personnummer, east::is_inn]),
        (13, &[asia::is_rrn_kr, asia::is_th_id, asia::is_za_id, east::is_cnp, east::is_jmbg, west::is_matricule]),
        (14, &[americas::is_cnpj]),
        (15, &[west::is_nir]),
    ];
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_instant = || digits_of::<10>(text.as_bytes()).is_some_and(|d| INSTANTS_S.contains(&number(&d)));
    if digits < DIGITS_MIN || text.len() > BYTES_MAX || is_dated(text) || is_instant() {
        return false;
    }
    let checks = OF_LENGTH.iter().find(|(length, _)| *length == digits).map(|(_, checks)| *checks).unwrap_or_default();
    is_bare_national(text)
        || is_lettered_national(text)
        || grouped_within(text) == Some(0..text.len())
        || checks.iter().any(|check| check(text))
}

/// Thirteen digits that prove to be a person's number in a country that has such numbers, whatever else they look like.
pub(in crate::redact) fn is_thirteen_digit_national(text: &str) -> bool {
    text.len() == 13 && (east::is_cnp(text) || asia::is_za_id(text) || east::is_jmbg(text) || asia::is_th_id(text))
}

/// A bar code (GS1 EAN-13, ISBN-13) or milliseconds since 1970 between 2014 and 2030: thirteen digits, and far more often.
fn is_of_shops_or_clocks(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let sum: u32 = d.iter().enumerate().map(|(at, digit)| if at % 2 == 0 { *digit } else { digit * 3 }).sum();
        sum.is_multiple_of(10) || (1_400_000_000_000..1_900_000_000_000).contains(&number(&d))
    })
}

/// A check of a whole number.
type Check = fn(&str) -> bool;

/// Layouts, as lengths of groups with what stands between them, and whose they are.
const LAYOUTS: [(&str, Check); 41] = [
    ("3.3.3-2", americas::is_cpf),
    ("2.3.3/4-2", americas::is_cnpj),
    ("2-8-1", americas::is_cuit),
    ("1.3.3-1", is_southern_cone),
    ("2.3.3-1", americas::is_rut),
    ("3.3.3-1", americas::is_nit),
    ("3 3 3", is_nine_with_luhn),
    ("3-3-3", is_nine_with_luhn),
    ("3 3 4", west::is_nhs),
    ("3-3-4", west::is_nhs),
    ("5 5", west::is_utr),
    ("4 4 4", is_twelve_in_fours),
    ("4-4-4", is_twelve_in_fours),
    ("2 3 3 3", west::is_steuer_id),
    ("1 2 2 2 3 3 2", west::is_nir),
    ("13 2", west::is_nir),
    ("4.2.3", west::is_bsn),
    ("2.2.2-3.2", west::is_rrn_be),
    ("6-3-2", west::is_rrn_be),
    ("6-3.2", west::is_rrn_be),
    ("3 3 3 3", west::is_cartao_cidadao),
    ("3.4.4.2", west::is_ahv),
    ("4 6", is_six_and_four),
    ("6-4", is_six_and_four),
    ("6+4", north::is_personnummer),
    ("8-4", north::is_personnummer),
    ("8+4", north::is_personnummer),
    ("6 4", is_six_and_four),
    ("6 5", north::is_fodselsnummer),
    ("6-5", north::is_personas_kods),
    ("6/4", east::is_rodne_cislo),
    ("6/3", east::is_rodne_cislo),
    ("3-3-2-2", east::is_nip),
    ("3-2-2-3", east::is_nip),
    ("3-3-3 2", east::is_snils),
    ("3-3-3-2", east::is_snils),
    ("6-7", asia::is_rrn_kr),
    ("6-2-4", asia::is_mykad),
    ("1-4-5-2-1", asia::is_th_id),
    ("6 4 3", asia::is_za_id),
    ("4 5 1", asia::is_medicare),
];

/// Longest layout looked at, in bytes.
const LAYOUT_MAX: usize = 16;

/// Groups in the layout of a country, with its check; groups behind them are left out.
pub(in crate::redact) fn grouped_within(text: &str) -> Option<Range<usize>> {
    let mut layout = [0u8; LAYOUT_MAX];
    let (mut len, mut group, mut found) = (0, 0, None);
    let bytes = text.as_bytes();
    for (at, b) in bytes.iter().enumerate() {
        let digit = b.is_ascii_digit() || (matches!(b, b'k' | b'K') && group == 0 && len > 4);
        if digit {
            group += 1;
            if bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) {
                continue;
            }
            for count in [group / 10, group % 10].into_iter().skip(usize::from(group < 10)) {
                *layout.get_mut(len)? = b'0' + count.min(9);
                len += 1;
            }
            let whole = &text[..at + 1];
            // Groups of one length that go on are a longer number of the same kind: a card's four fours.
            let goes_on = bytes
                .get(at + 1)
                .is_some_and(|b| matches!(b, b' ' | b'-') && bytes.get(at + 2).is_some_and(u8::is_ascii_digit));
            if goes_on && is_uniform(&layout[..len]) {
                group = 0;
                continue;
            }
            if LAYOUTS.iter().any(|(known, check)| known.as_bytes() == &layout[..len] && check(whole)) {
                found = Some(0..at + 1);
            }
            group = 0;
        } else if matches!(b, b' ' | b'.' | b'-' | b'/' | b'+') {
            let Some(place) = layout.get_mut(len) else { break };
            *place = *b;
            len += 1;
        } else {
            break;
        }
        if len >= LAYOUT_MAX - 2 {
            break;
        }
    }
    found
}

/// `4-4-4`: equal groups.
fn is_uniform(layout: &[u8]) -> bool {
    layout.len() > 2 && layout.iter().step_by(2).all(|group| *group == layout[0])
}

fn is_southern_cone(text: &str) -> bool {
    americas::is_rut(text) || americas::is_uy_cedula(text)
}

fn is_nine_with_luhn(text: &str) -> bool {
    americas::is_sin(text) || asia::is_tfn(text) || asia::is_ird(text)
}

fn is_twelve_in_fours(text: &str) -> bool {
    asia::is_aadhaar(text) || asia::is_my_number(text)
}

/// Six and four digits: Sweden and Iceland with their check, Denmark with its date; Austria the other way round.
fn is_six_and_four(text: &str) -> bool {
    north::is_personnummer(text) || north::is_kennitala(text) || north::is_cpr(text) || west::is_svnr(text)
}

/// Letters and digits in the places of a country that uses both, with its check.
pub(in crate::redact) fn is_lettered_national(text: &str) -> bool {
    let Some(compact) = Compact::with(text, |b| b.is_ascii_alphanumeric() || matches!(b, b'(' | b')' | b'+')) else {
        return false;
    };
    match compact.len() {
        8 => west::is_ppsn(text),
        9 => west::is_dni(text) || west::is_nino(text) || asia::is_nric(text) || west::is_ppsn(text),
        10 if compact.ends_with(b")") => asia::is_hkid(text),
        10 => asia::is_pan(text) || asia::is_tw_id(text) || north::is_hetu(text),
        11 => north::is_hetu(text) || (compact.ends_with(b")") && asia::is_hkid(text)),
        12 => west::is_de_pension(text) || west::is_cartao_cidadao(text),
        13 => americas::is_rfc(text),
        15 => west::is_nir(text),
        16 => west::is_codice_fiscale(text),
        18 => americas::is_curp(text) || asia::is_cn_id(text),
        _ => false,
    }
}

/// A number where a word says what it is: 5 to 18 digits among at most 24 characters, no date and no time. The words
/// after it are not part of it (`CA3594890 of Henry Miller`), one or two capitals may be (`AB 12 34 56 C`).
pub(in crate::redact) fn announced_within(text: &str) -> Option<Range<usize>> {
    let is_of_number = |word: &str| {
        word.bytes().any(|b| b.is_ascii_digit()) || word.len() <= 2 && word.bytes().all(|b| !b.is_ascii_lowercase())
    };
    let mut starts = text.match_indices(' ').map(|(at, _)| at);
    let ends = |at: &usize| {
        let word = text[at + 1..].split(' ').next().unwrap_or_default();
        text[..*at].bytes().any(|b| b.is_ascii_digit()) && !is_of_number(word)
    };
    let part = text[..starts.find(ends).unwrap_or(text.len())].trim_end();
    let count = part.bytes().filter(u8::is_ascii_digit).count();
    ((5..=18).contains(&count) && part.len() <= 24 && !is_dated(part)).then_some(0..part.len())
}

/// A date, with or without a time behind it.
fn is_dated(text: &str) -> bool {
    let b = text.as_bytes();
    let sign_at = |at: usize, signs: &[u8]| b.get(at).is_some_and(|b| signs.contains(b));
    (b.len() == 10 || sign_at(10, b"T "))
        && ((sign_at(4, b"-/.") && sign_at(7, b"-/.")) || (sign_at(2, b"-/.") && sign_at(5, b"-/.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;

    #[test]
    fn bare_numbers_prove_themselves_twice() {
        judge(
            Validator::NationalBare,
            &["52998224725", "17291716060", "15108695088", "7503305044089", "255081416802538", "11010519491231002X"],
            &["52998224726", "1700000000000", "9780306406157", "9434765919", "12345678901", "4012345678901"],
        );
    }

    #[test]
    fn groups_follow_a_country() {
        judge(
            Validator::NationalGrouped,
            &[
                "529.982.247-25",
                "11.222.333/0001-81",
                "20-05536168-2",
                "12.531.909-2",
                "943 476 5919",
                "2341 2341 2346",
                "86 095 742 719",
                "2 55 08 14 168 025 38",
                "85.07.30-033.28",
                "756.9217.0769.85",
                "880320-0016",
                "710319/2745",
                "123-456-32-18",
                "112-233-445 95",
                "971013-9019902",
                "770305-02-1234",
                "6.450.720-6",
            ],
            &["2024-01-15", "1.2.3", "943 476 5918", "192.168.1.10", "12.345.678", "415-555-0132", "12-34"],
        );
        assert_eq!(grouped_within("943 476 5919 12"), Some(0..12));
        assert_eq!(grouped_within("2341 2341 2346 1111"), None);
        assert_eq!(grouped_within("529.982.247-25."), Some(0..14));
    }

    #[test]
    fn letters_stand_in_their_places() {
        judge(
            Validator::NationalLettered,
            &[
                "12345678Z",
                "X1234567L",
                "RSSMRA85T10A562S",
                "BOXW310820HNERXN09",
                "GODE561231GR8",
                "AB123456C",
                "131052-308T",
                "ABCPE1234F",
                "S1234567D",
                "A123456789",
                "G123456(A)",
                "1234567T",
            ],
            &["12345678A", "ORDER123456", "AB123456X", "SKU1234567", "deadbeefcafe", "product"],
        );
    }

    #[test]
    fn a_number_of_any_country_passes() {
        judge(
            Validator::NationalAny,
            &[
                "943 476 5919",
                "123456782",
                "234123412346",
                "7501020018",
                "12345678Z",
                "12.531.909-2",
                "11010519491231002X",
            ],
            &["943 476 5918", "1234", "12345678A", "2024-01-15", "15.01.2024", "1700000008", "hello world"],
        );
    }

    #[test]
    fn announced_numbers_are_no_dates() {
        judge(
            Validator::NumberAnnounced,
            &["X1234567", "943 476 5919", "AB 12 34 56 C", "12345678 Z"],
            &["2024-01-15", "2024-01-15T10:00:00", "1234", "15.01.2024", "1234 and 5678"],
        );
        let part = |text| Validator::NumberAnnounced.check(text).map(|part| &text[part]);
        assert_eq!(part("CA3594890 of Henry"), Some("CA3594890"));
        assert_eq!(part("AB 12 34 56 C ok"), Some("AB 12 34 56 C"));
    }
}
