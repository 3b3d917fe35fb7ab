//! National numbers of central and eastern Europe.

use crate::redact::validators::checksum::{iso7064_mod11_10, weighted};
use crate::redact::validators::compact::{Compact, alphanumeric, digits, is_date, is_short_date, number};

/// Poland, PESEL (Ministerstwo Cyfryzacji): date with the century in the month, serial, weights 1 3 7 9 mod 10.
pub(in crate::redact) fn is_pesel(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let month = number(&d[2..4]);
        let century = [1900, 2000, 2100, 2200, 1800][(month / 20) as usize % 5];
        is_date(century + number(&d[..2]), month % 20, number(&d[4..6]))
            && weighted(&d, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
    })
}

/// Poland, NIP (Ministerstwo Finansów): mod 11, weights 6 5 7 2 3 4 5 6 7. A sole trader's is personal.
pub(in crate::redact) fn is_nip(text: &str) -> bool {
    digits::<10>(text)
        .is_some_and(|d| number(&d[..3]) > 0 && weighted(&d[..9], &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == d[9])
}

/// Poland, identity card (three letters, digit, five digits) and passport (two letters, digit, six digits): mod 10.
pub(in crate::redact) fn is_pl_document(text: &str) -> bool {
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() == 9) else { return false };
    let letters = compact.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let weights = if letters == 3 { [7, 3, 1, 9, 7, 3, 1, 7, 3] } else { [7, 3, 9, 1, 7, 3, 1, 7, 3] };
    matches!(letters, 2 | 3)
        && compact[letters..].iter().all(u8::is_ascii_digit)
        && compact.iter().zip(weights).map(|(b, weight)| alphanumeric(*b) * weight).sum::<u32>().is_multiple_of(10)
}

/// Czechia and Slovakia, rodné číslo: date (women add 50 to the month, later series 20), serial; ten digits divide by 11
/// (until 1985 a remainder of 10 became 0); nine digits, until 1953, have no check.
pub(in crate::redact) fn is_rodne_cislo(text: &str) -> bool {
    let Some(compact) = Compact::of(text) else { return false };
    let mut d = [0; 10];
    if !matches!(compact.len(), 9 | 10) || !compact.iter().all(u8::is_ascii_digit) {
        return false;
    }
    for (place, b) in d.iter_mut().zip(compact.iter()) {
        *place = alphanumeric(*b);
    }
    let month = number(&d[2..4]) % 50;
    let month = if month > 20 { month - 20 } else { month };
    let dated = is_short_date(number(&d[..2]), month, number(&d[4..6]));
    match compact.len() {
        10 => {
            let rest = number(&d[..9]) % 11;
            dated && u64::from(d[9]) == rest % 10
        }
        _ => dated && number(&d[..2]) < 54,
    }
}

/// Hungary, adóazonosító jel (NAV): begins with 8, weights 1 to 9 mod 11.
pub(in crate::redact) fn is_hu_tax(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| d[0] == 8 && weighted(&d[..9], &[1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11 == d[9])
}

/// Hungary, személyi azonosító: sex and century, date, serial, mod 11 with weights from 1 up, since 1997 down.
pub(in crate::redact) fn is_hu_personal(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let up = weighted(&d[..10], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) % 11 == d[10];
        let down = weighted(&d[..10], &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 == d[10];
        matches!(d[0], 1..=8) && is_short_date(number(&d[1..3]), number(&d[3..5]), number(&d[5..7])) && (up || down)
    })
}

/// Hungary, TAJ number (NEAK): weights 3 and 7, mod 10.
pub(in crate::redact) fn is_taj(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| number(&d) > 0 && weighted(&d[..8], &[3, 7, 3, 7, 3, 7, 3, 7]) % 10 == d[8])
}

/// Romania, CNP (DEPABD): sex and century, date, county, serial, mod 11 (10 becomes 1).
pub(in crate::redact) fn is_cnp(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let rest = weighted(&d[..12], &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
        d[0] != 0
            && is_short_date(number(&d[1..3]), number(&d[3..5]), number(&d[5..7]))
            && matches!(number(&d[7..9]), 1..=48 | 51 | 52 | 70)
            && d[12] == if rest == 10 { 1 } else { rest }
    })
}

/// Bulgaria, EGN (GRAO): date (months add 20 for the 1800s, 40 for the 2000s), serial, mod 11 mod 10.
pub(in crate::redact) fn is_egn(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        let (century, month) = match number(&d[2..4]) {
            month @ 41.. => (2000, month - 40),
            month @ 21.. => (1800, month - 20),
            month => (1900, month),
        };
        is_date(century + number(&d[..2]), month, number(&d[4..6]))
            && weighted(&d[..9], &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == d[9]
    })
}

/// Croatia, OIB (Porezna uprava): ISO 7064 MOD 11,10 over eleven digits.
pub(in crate::redact) fn is_oib(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| number(&d) > 0 && iso7064_mod11_10(&d))
}

/// Slovenia, EMŠO, and the JMBG of the other successors of Yugoslavia: date with three digits of the year, region, serial,
/// mod 11 with weights 7 to 2 twice.
pub(in crate::redact) fn is_jmbg(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let year = number(&d[4..7]);
        let check = (11 - weighted(&d[..12], &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10;
        !(100..=850).contains(&year)
            && is_date(if year > 850 { 1000 } else { 2000 } + year, number(&d[2..4]), number(&d[..2]))
            && check == d[12]
    })
}

/// Russia, SNILS (SFR): weights 9 to 1, mod 101, of which 100 becomes 0.
pub(in crate::redact) fn is_snils(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let check = weighted(&d[..9], &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100;
        number(&d[..9]) > 1_001_998 && u64::from(check) == number(&d[9..])
    })
}

/// Russia, INN of a person (FNS): two digits mod 11 mod 10.
pub(in crate::redact) fn is_inn(text: &str) -> bool {
    const WEIGHTS: [u32; 11] = [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8];
    digits::<12>(text).is_some_and(|d| {
        number(&d) > 0
            && weighted(&d[..10], &WEIGHTS[1..]) % 11 % 10 == d[10]
            && weighted(&d[..11], &WEIGHTS) % 11 % 10 == d[11]
    })
}

/// Ukraine, RNOKPP (DPS): days since 1899, serial, weights mod 11 mod 10.
pub(in crate::redact) fn is_rnokpp(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        // The first weight is -1, which is 10 to the modulus.
        number(&d[..5]) > 0 && weighted(&d[..9], &[10, 5, 7, 9, 4, 6, 10, 5, 7]) % 11 % 10 == d[9]
    })
}

#[cfg(test)]
mod tests {
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;

    #[test]
    fn eastern_numbers() {
        judge(
            Validator::PlDocument,
            &["ABS123456", "ZS 0000177"],
            &["ABS123457", "A12345678", "ABS12345", "ABCD12345"],
        );
        judge(Validator::HuTax, &["8071592153", "8000000008"], &["8071592154", "7071592153", "807159215"]);
        judge(Validator::HuPersonal, &["18001010016", "29901010029"], &["18001010019", "18013010018", "1800101001"]);
        judge(Validator::Taj, &["123456788", "111 111 110"], &["123456789", "000000000", "12345678"]);
        judge(Validator::Snils, &["112-233-445 95", "08765430300"], &["112-233-445 96", "00000000000", "112-233-445"]);
        judge(
            Validator::Pesel,
            &["44051401359", "98121386255", "54081418511"],
            &["19072799990", "66050542584", "42082017115"],
        );
        judge(
            Validator::Nip,
            &["123-456-32-18", "8230092234", "2475895342"],
            &["0221187679", "8068970652", "8324159194"],
        );
        judge(
            Validator::RodneCislo,
            &["710319/2745", "6808114467", "7109192882"],
            &["6705022765", "7601172292", "2406267618"],
        );
        judge(
            Validator::Cnp,
            &["1630615123457", "1751228035528", "5570713432909"],
            &["5970515454538", "2520405425107", "5730116050093"],
        );
        judge(Validator::Egn, &["7523169263", "3503231603", "5604269067"], &["8910125733", "6001263637", "5709116111"]);
        judge(
            Validator::Oib,
            &["33392005961", "29346098617", "96212545710"],
            &["97316460191", "35145164731", "38344977232"],
        );
        judge(
            Validator::Jmbg,
            &["0101006500006", "1903922742387", "2211020519051"],
            &["2512018788354", "0706913417931", "2806925546058"],
        );
        judge(
            Validator::Inn,
            &["500100732259", "887693808282", "373378375815"],
            &["393156591621", "031019071418", "224813904453"],
        );
        judge(
            Validator::Rnokpp,
            &["1759013776", "2069768615", "0727358845"],
            &["5194395581", "3047437763", "9175655230"],
        );
    }
}
