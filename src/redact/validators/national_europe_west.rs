//! National numbers of western and southern Europe.

use crate::redact::validators::checksum::{doubled, iso7064_mod11_10, luhn, weighted};
use crate::redact::validators::compact::{Compact, alphanumeric, digits, digits_of, is_date, is_short_date, number};

/// United Kingdom, NHS number (NHS Data Dictionary): mod 11, weights 10 to 2.
pub(in crate::redact) fn is_nhs(text: &str) -> bool {
    digits::<10>(text)
        .is_some_and(|d| number(&d) != 0 && (11 - weighted(&d[..9], &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 == d[9])
}

/// United Kingdom, national insurance number (HMRC, NIM39110): the prefixes that are handed out, six digits, A to D. The
/// form `ZZ000000T` of made-up numbers counts too, since test data are full of it.
pub(in crate::redact) fn is_nino(text: &str) -> bool {
    let Some(compact) = Compact::of(text).filter(|compact| matches!(compact.len(), 8 | 9)) else { return false };
    let (first, second) = (compact[0], compact[1]);
    let made_up = compact.starts_with(b"ZZ") && compact.get(8) == Some(&b'T');
    let digits = compact[2..8].iter().all(u8::is_ascii_digit);
    digits && made_up
        || first.is_ascii_uppercase()
            && second.is_ascii_uppercase()
            && !b"DFIQUV".contains(&first)
            && !b"DFIOQUV".contains(&second)
            && ![b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"].iter().any(|prefix| compact.starts_with(*prefix))
            && digits
            && compact.get(8).is_none_or(|b| matches!(b, b'A'..=b'D'))
}

/// United Kingdom, unique taxpayer reference (HMRC): the first digit checks the others, mod 11.
pub(in crate::redact) fn is_utr(text: &str) -> bool {
    digits::<10>(text.trim_end_matches(['K', 'k'])).is_some_and(|d| {
        let rest = weighted(&d[1..], &[6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11;
        d[0] == [2, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1][rest as usize]
    })
}

/// Germany, Steuer-Identifikationsnummer (BZSt): among the first ten digits one comes twice or thrice and the others once
/// at most; ISO 7064 MOD 11,10.
pub(in crate::redact) fn is_steuer_id(text: &str) -> bool {
    let Some(d) = digits::<11>(text) else { return false };
    let mut counts = [0; 10];
    for digit in &d[..10] {
        counts[*digit as usize] += 1;
    }
    let repeated = counts.iter().filter(|count| **count > 1).count();
    d[0] != 0 && repeated == 1 && counts.iter().all(|count| *count < 4) && iso7064_mod11_10(&d)
}

/// Germany, identity card and passport (ICAO Doc 9303 weights 7 3 1): nine characters without vowels, then the digit.
pub(in crate::redact) fn is_de_document(text: &str) -> bool {
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() >= 10) else { return false };
    let (serial, rest) = compact.split_at(9);
    let allowed = |b: &u8| b.is_ascii_digit() || b"CFGHJKLMNPRTVWXYZ".contains(b);
    b"CFGHJKLMNPRTVWXYZ".contains(&serial[0])
        && serial.iter().all(allowed)
        && icao_digit(serial) == alphanumeric(rest[0])
        && rest[0].is_ascii_digit()
        && (rest.len() == 1 || rest[1..] == *b"D")
}

/// The check digit of machine-readable documents (ICAO Doc 9303-3, 4.9): weights 7 3 1, fillers count as 0.
pub(in crate::redact) fn icao_digit(field: &[u8]) -> u32 {
    field.iter().zip([7, 3, 1].into_iter().cycle()).map(|(b, weight)| alphanumeric(*b) * weight).sum::<u32>() % 10
}

/// Germany, Rentenversicherungsnummer (VKVV, section 4): area, date, letter, serial, digit.
pub(in crate::redact) fn is_de_pension(text: &str) -> bool {
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() == 12) else { return false };
    let (Some(head), Some(tail)) = (digits_of::<8>(&compact[..8]), digits_of::<3>(&compact[9..])) else { return false };
    let letter = u32::from(compact[8].wrapping_sub(b'A')) + 1;
    let all = [
        head[0],
        head[1],
        head[2],
        head[3],
        head[4],
        head[5],
        head[6],
        head[7],
        letter / 10,
        letter % 10,
        tail[0],
        tail[1],
    ];
    let cross = |product: u32| product / 10 + product % 10;
    let weights = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
    compact[8].is_ascii_uppercase()
        && matches!(number(&head[4..6]), 1..=12)
        && all.iter().zip(weights).map(|(digit, weight)| cross(digit * weight)).sum::<u32>() % 10 == tail[2]
}

/// France, NIR (INSEE): sex, year, month, place (Corsica 2A and 2B), order, then 97 less the remainder by 97.
pub(in crate::redact) fn is_nir(text: &str) -> bool {
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() == 15) else { return false };
    let mut plain = [0; 15];
    plain.copy_from_slice(&compact);
    // Corsica: 2A counts as 19, 2B as 18.
    match &compact[5..7] {
        b"2A" => plain[5..7].copy_from_slice(b"19"),
        b"2B" => plain[5..7].copy_from_slice(b"18"),
        _ => {}
    }
    let Some(d) = digits_of::<15>(&plain) else { return false };
    matches!(d[0], 1..=4 | 7 | 8)
        && matches!(number(&d[3..5]), 1..=12 | 20..=42 | 50..=99)
        && number(&d[..13]) % 97 + number(&d[13..]) == 97
}

/// France, numéro fiscal (DGFiP): 13 digits from 0 to 3; the last three are the remainder of the others by 511.
pub(in crate::redact) fn is_fr_tax(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| d[0] < 4 && number(&d[..10]) % 511 == number(&d[10..]))
}

/// Spain, DNI and NIE (Ministerio del Interior): the letter is the number's remainder by 23; X, Y, Z open a foreigner's.
pub(in crate::redact) fn is_dni(text: &str) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() == 9) else { return false };
    let mut plain = [0; 8];
    plain.copy_from_slice(&compact[..8]);
    match plain[0] {
        letter @ b'X'..=b'Z' => plain[0] = letter - b'X' + b'0',
        b'K' | b'L' | b'M' => plain[0] = b'0',
        _ => {}
    }
    digits_of::<8>(&plain).is_some_and(|d| compact[8] == LETTERS[(number(&d) % 23) as usize])
}

/// Italy, codice fiscale (DM 23 December 1976): odd and even tables mod 26; omocodia letters stand for digits.
pub(in crate::redact) fn is_codice_fiscale(text: &str) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() == 16) else { return false };
    let letter = u8::is_ascii_uppercase;
    let digit = |b: &u8| b.is_ascii_digit() || b"LMNPQRSTUV".contains(b);
    let shaped = compact[..6].iter().all(letter)
        && compact[6..8].iter().all(digit)
        && b"ABCDEHLMPRST".contains(&compact[8])
        && compact[9..11].iter().all(digit)
        && letter(&compact[11])
        && compact[12..15].iter().all(digit);
    // Digits have the values of the first ten letters.
    let index = |b: u8| u32::from(if b.is_ascii_digit() { b - b'0' } else { b - b'A' });
    let value = |(at, b): (usize, &u8)| if at % 2 == 0 { ODD[index(*b) as usize] } else { index(*b) };
    shaped
        && letter(&compact[15])
        && compact[..15].iter().enumerate().map(value).sum::<u32>() % 26 == index(compact[15])
}

/// Italy, partita IVA (Agenzia delle Entrate): Luhn over eleven digits. A sole trader's is personal.
pub(in crate::redact) fn is_partita_iva(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| number(&d[..7]) != 0 && luhn(&d))
}

/// Netherlands, BSN (RvIG): weights 9 to 2 and -1, mod 11.
pub(in crate::redact) fn is_bsn(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| number(&d) > 0 && weighted(&d[..8], &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == d[8])
}

/// Belgium, Rijksregisternummer (IBZ): date, serial, 97 less the remainder by 97, with a leading 2 for births from 2000.
/// Numbers of non-residents add 20 or 40 to the month; an unknown day or month is 0.
pub(in crate::redact) fn is_rrn_be(text: &str) -> bool {
    let Some(d) = digits::<11>(text) else { return false };
    let (body, check) = (number(&d[..9]), number(&d[9..]));
    let born = |from: u64| 97 - (from + body) % 97 == check;
    matches!(number(&d[2..4]) % 20, 0..=12)
        && number(&d[2..4]) < 53
        && number(&d[4..6]) < 32
        && number(&d[6..9]) > 0
        && (born(0) || born(2_000_000_000))
}

/// Portugal, NIF (Autoridade Tributária): mod 11, weights 9 to 2; 10 and 11 become 0.
pub(in crate::redact) fn is_nif_pt(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| {
        let check = 11 - weighted(&d[..8], &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        d[0] != 0 && d[8] == if check > 9 { 0 } else { check }
    })
}

/// Portugal, cartão de cidadão (AMA): Luhn over twelve characters, letters from 10.
pub(in crate::redact) fn is_cartao_cidadao(text: &str) -> bool {
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() == 12) else { return false };
    let value = |(at, b): (usize, &u8)| {
        let value = alphanumeric(*b);
        if at % 2 == 0 { if value > 4 { value * 2 - 9 } else { doubled(value) } } else { value }
    };
    compact[..9].iter().all(u8::is_ascii_digit)
        && compact[9..11].iter().all(u8::is_ascii_uppercase)
        && compact[11].is_ascii_digit()
        && compact.iter().enumerate().map(value).sum::<u32>().is_multiple_of(10)
}

/// Switzerland, AHV number (ZAS): 756, then as EAN-13.
pub(in crate::redact) fn is_ahv(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let sum = weighted(&d, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
        d[..3] == [7, 5, 6] && sum.is_multiple_of(10)
    })
}

/// Austria, Sozialversicherungsnummer (Dachverband): serial, digit mod 11 over the rest, date with months to 15.
pub(in crate::redact) fn is_svnr(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        let check = weighted(&d, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11;
        d[0] != 0 && d[3] == check && matches!(number(&d[4..6]), 1..=31) && matches!(number(&d[6..8]), 1..=15)
    })
}

/// Ireland, PPSN (Department of Social Protection): mod 23 over seven digits and a second letter; A to W.
pub(in crate::redact) fn is_ppsn(text: &str) -> bool {
    let Some(compact) = Compact::of(text).filter(|compact| matches!(compact.len(), 8 | 9)) else { return false };
    let Some(d) = digits_of::<7>(&compact[..7]) else { return false };
    let second = match compact.get(8) {
        None | Some(b'W') => 0,
        Some(letter @ b'A'..=b'I') => u32::from(letter - b'A') + 1,
        Some(_) => return false,
    };
    let rest = (weighted(&d, &[8, 7, 6, 5, 4, 3, 2]) + second * 9) % 23;
    compact[7] == if rest == 0 { b'W' } else { b'A' + rest as u8 - 1 }
}

/// Luxembourg, matricule (CTIE): date of birth, serial, then a Luhn digit and a Verhoeff digit over the first eleven.
pub(in crate::redact) fn is_matricule(text: &str) -> bool {
    use crate::redact::validators::checksum::verhoeff;
    digits::<13>(text).is_some_and(|d| {
        let mut second = [0; 12];
        second.copy_from_slice(&d[..12]);
        second[11] = d[12];
        is_date(number(&d[..4]), number(&d[4..6]), number(&d[6..8]))
            && matches!(number(&d[..4]), 1850..=2099)
            && luhn(&d[..12])
            && verhoeff(&second)
    })
}

/// Greece, AMKA (IDIKA): date of birth, serial, Luhn.
pub(in crate::redact) fn is_amka(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| is_short_date(number(&d[4..6]), number(&d[2..4]), number(&d[..2])) && luhn(&d))
}

/// Greece, AFM (AADE): powers of two, mod 11, mod 10.
pub(in crate::redact) fn is_afm(text: &str) -> bool {
    digits::<9>(text)
        .is_some_and(|d| number(&d) != 0 && weighted(&d[..8], &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == d[8])
}

#[cfg(test)]
mod tests {
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;

    #[test]
    fn western_numbers() {
        judge(
            Validator::SteuerId,
            &["86095742719", "65929970489"],
            &["86095742718", "12345678903", "06095742719", "8609574271"],
        );
        judge(
            Validator::Nino,
            &["AB 12 34 56 C", "JG103759A", "ce123456d", "ZZ 12 34 56 T"],
            &["BG123456C", "DA123456C", "AB123456E", "AB12345"],
        );
        judge(
            Validator::DeDocument,
            &["T220001293", "T22000129 3"],
            &["T220001294", "A220001293", "T22000129", "2220001293"],
        );
        judge(
            Validator::DePension,
            &["15070649C103", "65 170839 J 003"],
            &["15070649C104", "15071349C103", "15070649C10", "150706491103"],
        );
        judge(
            Validator::FrTax,
            &["3023217600053", "0701987765493"],
            &["3023217600054", "9023217600053", "30232176000"],
        );
        judge(
            Validator::Matricule,
            &["1893120105732", "1893 12 01 057 32"],
            &["1893120105733", "1893130105732", "189312010573"],
        );
        judge(
            Validator::Nir,
            &["2550814168025 38", "181062B13023985"],
            &["255081416802539", "955081416802538", "255131416802538"],
        );
        judge(
            Validator::Nhs,
            &["943 476 5919", "401 023 2137", "6091390996", "9078666617"],
            &["943 476 5918", "0000000000", "9434765919x", "94347659"],
        );
        judge(Validator::Utr, &["1702619649", "1675063778"], &["0224330641", "1288126307", "6612924010"]);
        judge(
            Validator::Nir,
            &["255081416802538", "2 55 08 14 168 025 38", "258113701673663", "181062B13023985"],
            &["142102A27334511", "150032544269333", "232072A36255348"],
        );
        judge(
            Validator::Dni,
            &["12345678Z", "X1234567L", "Y8876171W", "X3278004K"],
            &["X8916636F", "X7081967V", "Z6165320G"],
        );
    }

    #[test]
    fn southern_and_smaller_numbers() {
        judge(
            Validator::CodiceFiscale,
            &["RSSMRA85T10A562S", "PKTTLZ51D08K476A", "MVEQOX82E06B757B"],
            &["CGQEFQ87L14J754X", "GIYLRH09C19G448H", "ASPWMF79H11Y632I"],
        );
        judge(Validator::PartitaIva, &["33803100230", "16675980656"], &["33803100231", "00000000000", "3380310023"]);
        judge(Validator::Bsn, &["111222333", "951399627", "703200963"], &["346899409", "636081930", "885149345"]);
        judge(
            Validator::RrnBe,
            &["85.07.30-033.28", "07020542602", "46031442644"],
            &["85.07.30-033.29", "85.13.30-033.28", "85.07.30-000.28", "8507303"],
        );
        judge(Validator::NifPt, &["123456789", "915342332", "486483622"], &["574331438", "630009807", "856552806"]);
        judge(
            Validator::CartaoCidadao,
            &["00000000 0 ZZ4", "033756025PL6", "013984899OE5"],
            &["814704262QO0", "280401513YT9", "086729480DX5"],
        );
        judge(
            Validator::Ahv,
            &["756.9217.0769.85", "7564313824065", "7569667775711"],
            &["7563265496224", "7563468915011", "7563881177813"],
        );
        judge(
            Validator::Svnr,
            &["1237 010180", "2059070766", "9667210998"],
            &["7699240883", "4933010845", "5802011266"],
        );
        judge(
            Validator::Ppsn,
            &["1234567T", "1234567FA", "0037427T", "4988091E"],
            &["6418855JW", "2856236S", "0795029PW"],
        );
        judge(
            Validator::Amka,
            &["01013099997", "27126025892", "23055088357"],
            &["06110736099", "18090538668", "17035499547"],
        );
        judge(Validator::Afm, &["094259216", "783483582", "533449555"], &["116330230", "938814615", "321138621"]);
    }
}
