//! National numbers of northern Europe and the Baltic.

use crate::redact::validators::checksum::{luhn, weighted};
use crate::redact::validators::compact::{digits, digits_of, is_date, is_short_date, number};

/// Sweden, personnummer and samordningsnummer (Skatteverket, SKV 704): date (a coordination number adds 60 to the day),
/// serial, Luhn over the last ten digits. `+` marks people past 100.
pub(in crate::redact) fn is_personnummer(text: &str) -> bool {
    let mut plain = [0u8; 12];
    let mut len = 0;
    for b in text.bytes() {
        if matches!(b, b'-' | b'+' | b' ') {
            continue;
        }
        let Some(place) = plain.get_mut(len) else { return false };
        *place = b;
        len += 1;
    }
    let short = match len {
        10 => digits_of::<10>(&plain[..10]),
        12 if plain.starts_with(b"19") || plain.starts_with(b"20") || plain.starts_with(b"18") => {
            digits_of::<10>(&plain[2..])
        }
        _ => None,
    };
    short.is_some_and(|d| {
        let day = number(&d[4..6]);
        is_short_date(number(&d[..2]), number(&d[2..4]), if day > 60 { day - 60 } else { day }) && luhn(&d)
    })
}

/// Norway, fødselsnummer and D-number (Skatteetaten): date (D-numbers add 40 to the day, hospital numbers 40 to the
/// month), then two digits mod 11.
pub(in crate::redact) fn is_fodselsnummer(text: &str) -> bool {
    let Some(d) = digits::<11>(text) else { return false };
    let (day, month) = (number(&d[..2]), number(&d[2..4]));
    let day = if day > 40 { day - 40 } else { day };
    let month = if month > 40 { month - 40 } else { month };
    is_short_date(number(&d[4..6]), month, day)
        && weighted(&d[..10], &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// Denmark, CPR number (CPR-kontoret): the date only, since numbers without the mod 11 digit are handed out since 2007.
pub(in crate::redact) fn is_cpr(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| is_short_date(number(&d[4..6]), number(&d[2..4]), number(&d[..2])))
}

/// Finland, henkilötunnus (DVV): date, a sign of the century, serial, a character mod 31.
pub(in crate::redact) fn is_hetu(text: &str) -> bool {
    const CHECKS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let bytes = text.as_bytes();
    let (Some(date), Some(serial)) =
        (bytes.get(..6).and_then(digits_of::<6>), bytes.get(7..10).and_then(digits_of::<3>))
    else {
        return false;
    };
    bytes.len() == 11
        && matches!(bytes[6].to_ascii_uppercase(), b'+' | b'-' | b'A'..=b'F' | b'U'..=b'Y')
        && is_short_date(number(&date[4..]), number(&date[2..4]), number(&date[..2]))
        && number(&serial) > 1
        && bytes[10].to_ascii_uppercase() == CHECKS[((number(&date) * 1000 + number(&serial)) % 31) as usize]
}

/// Estonia, isikukood, and Lithuania, asmens kodas: century and sex, date, serial, two rounds of weights mod 11.
pub(in crate::redact) fn is_isikukood(text: &str) -> bool {
    let Some(d) = digits::<11>(text) else { return false };
    let century = 1800 + (u64::from(d[0]).saturating_sub(1)) / 2 * 100;
    let dated = is_date(century + number(&d[1..3]), number(&d[3..5]), number(&d[5..7]));
    let first = weighted(&d[..10], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let check = if first < 10 { first } else { weighted(&d[..10], &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10 };
    matches!(d[0], 1..=8) && dated && check == d[10]
}

/// Latvia, personas kods (PMLP): date, century, serial, weights mod 11; numbers from 32 (since 2017) tell nothing and
/// carry the same digit.
pub(in crate::redact) fn is_personas_kods(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let check = (1 + weighted(&d[..10], &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11 % 10;
        let dated = d[6] < 3 && is_short_date(number(&d[4..6]), number(&d[2..4]), number(&d[..2]));
        check == d[10] && (dated || (d[0] == 3 && d[1] >= 2))
    })
}

/// Iceland, kennitala (Þjóðskrá): date (companies add 40 to the day), serial, digit mod 11, century.
pub(in crate::redact) fn is_kennitala(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        let day = number(&d[..2]);
        is_short_date(number(&d[4..6]), number(&d[2..4]), if day > 40 { day - 40 } else { day })
            && matches!(d[9], 0 | 8 | 9)
            && weighted(&d[..9], &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    })
}

#[cfg(test)]
mod tests {
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;

    #[test]
    fn northern_numbers() {
        judge(
            Validator::Personnummer,
            &["880320-0016", "19880320-0016", "530728-6954", "650612-0283"],
            &["170320-5999", "430902-6083", "730106-8831"],
        );
        judge(
            Validator::Fodselsnummer,
            &["15108695088", "27011892995", "14064146832"],
            &["13127493359", "16067889031", "13038983730"],
        );
        judge(
            Validator::Cpr,
            &["211062-5629", "150765-1234", "2111733484", "2707858231"],
            &["320765-1234", "151365-1234", "15076-1234"],
        );
        judge(
            Validator::Hetu,
            &["131052-308T", "271057+271X", "190294-285A"],
            &["010638A0781", "130864A003J", "030110+350C"],
        );
        judge(
            Validator::Isikukood,
            &["37605030299", "33309240064", "58507101183", "33308280175"],
            &["39606157020", "54610239417", "44701090157"],
        );
        judge(
            Validator::PersonasKods,
            &["161175-19997", "18073811994", "26073909756"],
            &["11056524681", "21068210176", "12060306065"],
        );
        judge(
            Validator::Kennitala,
            &["120174-3399", "0301861689", "2002045220"],
            &["0302390640", "2307925090", "0506391899"],
        );
    }
}
