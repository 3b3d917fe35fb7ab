//! Numbers of the United States' tax and social security authorities.

use crate::redact::validators::compact::{digits, number};

/// Social security and taxpayer numbers. Social Security Administration, POMS RM 10201: no area 000, 666 or 900 to 999,
/// no group 00, no serial 0000. Areas from 900 are taxpayer numbers (ITIN) in some groups; in the groups below 50 lie our
/// stand-ins, which must be seen to be left alone.
pub(in crate::redact) fn is_ssn(text: &str) -> bool {
    let Some(d) = digits::<9>(text) else { return false };
    let (area, group, serial) = (number(&d[..3]), number(&d[3..5]), number(&d[5..]));
    let numbered = group != 0 && serial != 0;
    match area {
        0 | 666 => false,
        900.. => numbered && (group < 50 || is_itin(text)),
        _ => numbered,
    }
}

/// Individual taxpayer identification numbers: 9xx with groups 50-65, 70-88, 90-92 and 94-99 (IRS, Publication 1915).
pub(in crate::redact) fn is_itin(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| d[0] == 9 && matches!(number(&d[3..5]), 50..=65 | 70..=88 | 90..=92 | 94..=99))
}

/// Employer identification numbers: the prefixes that IRS campuses and the web site assign. A sole trader's is personal.
pub(in crate::redact) fn is_ein(text: &str) -> bool {
    digits::<9>(text).is_some_and(
        |d| !matches!(number(&d[..2]), 0 | 7..=9 | 17..=19 | 28 | 29 | 49 | 69 | 70 | 78 | 79 | 89 | 96 | 97),
    )
}

/// Medicare beneficiary identifiers (CMS, MBI format): 11 characters, digits and letters without S, L, O, I, B, Z in fixed
/// places.
pub(in crate::redact) fn is_mbi(text: &str) -> bool {
    const PLACES: &[u8; 11] = b"CANNANNAANN";
    let Some(compact) = crate::redact::validators::compact::Compact::of(text) else { return false };
    let letter = |b: u8| b.is_ascii_uppercase() && !b"SLOIBZ".contains(&b);
    compact.len() == PLACES.len()
        && compact.iter().zip(PLACES).enumerate().all(|(at, (b, place))| match place {
            b'C' => matches!(b, b'1'..=b'9'),
            b'A' if at == 1 || at == 4 || at >= 7 => letter(*b),
            _ => b.is_ascii_digit() || (matches!(at, 2 | 5) && letter(*b)),
        })
}

#[cfg(test)]
mod tests {
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;

    #[test]
    fn areas_groups_and_serials() {
        judge(
            Validator::Ssn,
            &["078-05-1120", "219099999", "899-99-9999", "912-70-1234", "999-40-1234"],
            &["000-05-1120", "666-05-1120", "078-00-1120", "078-05-0000", "912-69-1234", "07805112"],
        );
        judge(Validator::Itin, &["912-70-1234", "900-94-0001"], &["912-69-1234", "812-70-1234", "912-93-1234", "9127"]);
        judge(Validator::Ein, &["12-3456789", "912345678"], &["07-3456789", "00-0000000", "97-1234567", "12345678"]);
        judge(
            Validator::Mbi,
            &["1EG4-TE5-MK73", "1EG4TE5MK72"],
            &["0EG4-TE5-MK73", "1SG4-TE5-MK73", "1EG4-TE5-MKA3", "1EG4"],
        );
    }
}
