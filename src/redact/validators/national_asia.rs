//! National numbers of Asia, Africa and Oceania.

use crate::redact::validators::checksum::{iso7064_mod11_2, luhn, verhoeff, weighted};
use crate::redact::validators::compact::{Compact, alphanumeric, digits, digits_of, is_date, is_short_date, number};

/// India, Aadhaar (UIDAI): twelve digits, the first 2 to 9, Verhoeff; no palindrome.
pub(in crate::redact) fn is_aadhaar(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| d[0] > 1 && (0..6).any(|at| d[at] != d[11 - at]) && verhoeff(&d))
}

/// India, PAN (Income Tax Department): five letters, the fourth of them the kind of holder, four digits, a letter.
pub(in crate::redact) fn is_pan(text: &str) -> bool {
    Compact::of(text).is_some_and(|compact| {
        compact.len() == 10
            && compact[..5].iter().all(u8::is_ascii_uppercase)
            && b"ABCFGHJLPTK".contains(&compact[3])
            && digits_of::<4>(&compact[5..9]).is_some_and(|d| number(&d) > 0)
            && compact[9].is_ascii_uppercase()
    })
}

/// Turkey, kimlik numarası (NVİ): two check digits mod 10; the first digit is not 0.
pub(in crate::redact) fn is_tckn(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let odd = d[0] + d[2] + d[4] + d[6] + d[8];
        let even = d[1] + d[3] + d[5] + d[7];
        d[0] != 0 && (odd * 7 + 40 - even) % 10 == d[9] && (odd + even + d[9]) % 10 == d[10]
    })
}

/// Israel, teudat zehut (Population Authority): Luhn over nine digits.
pub(in crate::redact) fn is_teudat_zehut(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| number(&d) > 9 && luhn(&d))
}

/// South Africa, identity number (Department of Home Affairs): date, serial, citizenship 0 to 2, Luhn.
pub(in crate::redact) fn is_za_id(text: &str) -> bool {
    digits::<13>(text)
        .is_some_and(|d| is_short_date(number(&d[..2]), number(&d[2..4]), number(&d[4..6])) && d[10] < 3 && luhn(&d))
}

/// China, resident identity number (GB 11643): region, date, serial, ISO 7064 MOD 11-2.
pub(in crate::redact) fn is_cn_id(text: &str) -> bool {
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() == 18) else { return false };
    let Some(body) = digits_of::<17>(&compact[..17]) else { return false };
    let mut d = [0; 18];
    d[..17].copy_from_slice(&body);
    d[17] = match compact[17] {
        b'X' => 10,
        digit @ b'0'..=b'9' => u32::from(digit - b'0'),
        _ => return false,
    };
    let year = number(&d[6..10]);
    matches!(number(&d[..2]), 11..=82)
        && (1850..2100).contains(&year)
        && is_date(year, number(&d[10..12]), number(&d[12..14]))
        && iso7064_mod11_2(&d)
}

/// Japan, My Number (Ordinance 85 of 2014, article 5): mod 11 with weights 6 to 2 and 7 to 2.
pub(in crate::redact) fn is_my_number(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| {
        let rest = weighted(&d[..11], &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
        number(&d) > 0 && d[11] == if rest < 2 { 0 } else { 11 - rest }
    })
}

/// South Korea, resident registration number (MOIS): date, sex and century, serial, mod 11. Numbers handed out since
/// October 2020 are random behind the date, so for births from then on the date decides.
pub(in crate::redact) fn is_rrn_kr(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let century = [1800, 1900, 1900, 2000, 2000, 1900, 1900, 2000, 2000, 1800][d[6] as usize];
        let (year, month) = (century + number(&d[..2]), number(&d[2..4]));
        let check = (11 - weighted(&d[..12], &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10;
        is_date(year, month, number(&d[4..6])) && (check == d[12] || (year, month) >= (2020, 10))
    })
}

/// Taiwan, national identification number (MOI): a letter of two digits, sex (or 8, 9 for residents), weights mod 10.
pub(in crate::redact) fn is_tw_id(text: &str) -> bool {
    // The values of A to Z: the places in the order in which the cities got theirs.
    const VALUES: [u32; 26] =
        [10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33];
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() == 10) else { return false };
    let Some(d) = digits_of::<9>(&compact[1..]) else { return false };
    let Some(value) = compact[0].checked_sub(b'A').and_then(|at| VALUES.get(usize::from(at))) else { return false };
    let sum = value / 10 + value % 10 * 9 + weighted(&d, &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
    matches!(d[0], 1 | 2 | 8 | 9) && sum.is_multiple_of(10)
}

/// Hong Kong, identity card (Immigration Department): one or two letters, six digits, a digit or A in brackets, mod 11.
pub(in crate::redact) fn is_hkid(text: &str) -> bool {
    let Some(compact) = Compact::with(text, |b| b.is_ascii_alphanumeric() || matches!(b, b'(' | b')')) else {
        return false;
    };
    let mut plain = [0u8; 9];
    let mut len = 0;
    for b in compact.iter().filter(|b| b.is_ascii_alphanumeric()) {
        let Some(place) = plain.get_mut(len) else { return false };
        *place = *b;
        len += 1;
    }
    let (letters, body) = match len {
        8 => ([36, alphanumeric(plain[0])], &plain[1..8]),
        9 => ([alphanumeric(plain[0]), alphanumeric(plain[1])], &plain[2..9]),
        _ => return false,
    };
    let Some(d) = digits_of::<6>(&body[..6]) else { return false };
    let check = match body[6] {
        b'A' => 10,
        digit @ b'0'..=b'9' => u32::from(digit - b'0'),
        _ => return false,
    };
    letters[1] > 9
        && letters[0] > 9
        && (letters[0] * 9 + letters[1] * 8 + weighted(&d, &[7, 6, 5, 4, 3, 2]) + check).is_multiple_of(11)
}

/// Singapore, NRIC and FIN (ICA): S and T for citizens, F, G and M for foreigners, seven digits, a letter mod 11.
pub(in crate::redact) fn is_nric(text: &str) -> bool {
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() == 9) else { return false };
    let Some(d) = digits_of::<7>(&compact[1..8]) else { return false };
    let (offset, letters) = match compact[0] {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    let rest = (weighted(&d, &[2, 7, 6, 5, 4, 3, 2]) + offset) % 11;
    compact[8] == letters[rest as usize]
}

/// Thailand, citizen number (DOPA): mod 11, weights 13 to 2.
pub(in crate::redact) fn is_th_id(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let sum = weighted(&d[..12], &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
        matches!(d[0], 1..=8) && (11 - sum % 11) % 10 == d[12]
    })
}

/// Malaysia, MyKad (JPN): date and place of birth; there is no check digit.
pub(in crate::redact) fn is_mykad(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| {
        let place = matches!(number(&d[6..8]), 1..=16 | 21..=68 | 71 | 72 | 74..=79 | 82..=93 | 98 | 99);
        is_short_date(number(&d[..2]), number(&d[2..4]), number(&d[4..6])) && place
    })
}

/// Indonesia, NIK (Dukcapil): province, date of birth (women add 40 to the day); there is no check digit.
pub(in crate::redact) fn is_nik(text: &str) -> bool {
    digits::<16>(text).is_some_and(|d| {
        let day = number(&d[6..8]);
        matches!(number(&d[..2]), 11..=21 | 31..=36 | 51..=53 | 61..=65 | 71..=76 | 81 | 82 | 91..=97)
            && is_short_date(number(&d[10..12]), number(&d[8..10]), if day > 40 { day - 40 } else { day })
            && number(&d[12..]) > 0
    })
}

/// Australia, tax file number (ATO): mod 11, weights 1 4 3 7 5 8 6 9 10.
pub(in crate::redact) fn is_tfn(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| number(&d) > 0 && weighted(&d, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11))
}

/// Australia, Medicare number (Services Australia): first digit 2 to 6, weights 1 3 7 9 mod 10, an issue number.
pub(in crate::redact) fn is_medicare(text: &str) -> bool {
    let ten = digits::<10>(text);
    let eleven = digits::<11>(text).and_then(|d| d.first_chunk::<10>().copied());
    ten.or(eleven).is_some_and(|d| {
        matches!(d[0], 2..=6) && d[9] != 0 && weighted(&d[..8], &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == d[8]
    })
}

/// Australia, business number (ABR): mod 89. A sole trader's is personal.
pub(in crate::redact) fn is_abn(text: &str) -> bool {
    digits::<11>(text).is_some_and(|mut d| {
        let first = d[0];
        d[0] = first.saturating_sub(1);
        first > 0 && weighted(&d, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]).is_multiple_of(89)
    })
}

/// New Zealand, IRD number (Inland Revenue): mod 11 with one set of weights, another where that gives 10.
pub(in crate::redact) fn is_ird(text: &str) -> bool {
    let eight = digits::<8>(text).map(|d| [0, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]]);
    digits::<9>(text).or(eight).is_some_and(|d| {
        let check = |weights: &[u32; 8]| (11 - weighted(&d[..8], weights) % 11) % 11;
        let first = check(&[3, 2, 7, 6, 5, 4, 3, 2]);
        let digit = if first == 10 { check(&[7, 4, 3, 2, 5, 2, 7, 6]) } else { first };
        (10_000_000..200_000_000).contains(&number(&d)) && digit == d[8]
    })
}

#[cfg(test)]
mod tests {
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;

    #[test]
    fn asian_numbers() {
        judge(Validator::TwId, &["A123456789", "F131104093"], &["A123456788", "A323456789", "123456789A"]);
        judge(
            Validator::Hkid,
            &["G123456(A)", "A123456(3)", "AB987654(3)"],
            &["G123456(1)", "1123456(A)", "G12345(A)"],
        );
        judge(Validator::Nric, &["S1234567D", "F1234567N", "M1234567K"], &["S1234567A", "A1234567D", "S123456D"]);
        judge(Validator::Medicare, &["2123 45670 1", "21234567011"], &["2123 45671 1", "7123456701", "212345670"]);
        judge(
            Validator::Aadhaar,
            &["2341 2341 2346", "365491352264", "977458425428"],
            &["626699550022", "885479013052", "327319687467"],
        );
        judge(Validator::Pan, &["ABCPE1234F", "DOHTG9015D", "OWUAV0254Q"], &["ABCDE1234F", "ABCPE0000F", "ABCPE1234"]);
        judge(
            Validator::Tckn,
            &["17291716060", "10000000146", "73783988452", "38493740806"],
            &["53217213631", "05848971593", "98898635028"],
        );
        judge(
            Validator::TeudatZehut,
            &["039337423", "693676363", "063392161"],
            &["985195482", "217451872", "955726268"],
        );
        judge(
            Validator::ZaId,
            &["7503305044089", "8001015009087", "7308047538152", "4411074780045"],
            &["3312186154119", "5408030892045", "7104251732052"],
        );
        judge(
            Validator::CnId,
            &["11010519491231002X", "110105192104274770", "110105191902025360"],
            &["440305196412179140", "440305197011272040", "440305197209166542"],
        );
        judge(
            Validator::MyNumber,
            &["123456789018", "688662084826", "505731528491"],
            &["075347948580", "998834489491", "100764186781"],
        );
        judge(
            Validator::RrnKr,
            &["971013-9019902", "271227-1375706", "930912-2059654"],
            &["530907-2572164", "420622-2594252", "201103-2781992"],
        );
        judge(
            Validator::ThId,
            &["7226053840331", "1022074545469"],
            &["7318195104879", "2515027363951", "4053672190876"],
        );
        judge(
            Validator::Mykad,
            &["770305-02-1234", "580128126433", "100606019750"],
            &["771305-02-1234", "770305-17-1234", "770305-02-123"],
        );
        judge(
            Validator::Nik,
            &["3171011708450001", "3174020806109005", "3174541905865157"],
            &["9971011708450001", "3171013208450001", "317101170845000"],
        );
        judge(Validator::Tfn, &["123 456 782", "610050577", "186491768"], &["171289821", "212404074", "849351263"]);
        judge(
            Validator::Abn,
            &["51 824 753 556", "44470183671", "76695885612"],
            &["03021586410", "17366882612", "67926414989"],
        );
        judge(
            Validator::Ird,
            &["49091850", "136410132", "142567895", "064474863"],
            &["698060324", "480051361", "837720673"],
        );
    }
}
