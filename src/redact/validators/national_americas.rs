//! National numbers of the Americas outside the United States.

use crate::redact::validators::checksum::{luhn, weighted};
use crate::redact::validators::compact::{Compact, digits, digits_of, is_short_date, number};

/// Brazil, CPF (Receita Federal): two check digits mod 11, weights from 10 and 11 down; not all digits alike.
pub(in crate::redact) fn is_cpf(text: &str) -> bool {
    let Some(d) = digits::<11>(text) else { return false };
    let check = |len: usize| {
        let weights = (2..=len as u32 + 1).rev();
        d[..len].iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>() * 10 % 11 % 10
    };
    d.iter().any(|digit| *digit != d[0]) && check(9) == d[9] && check(10) == d[10]
}

/// Brazil, CNPJ (Receita Federal): two check digits mod 11. Since July 2026 the first twelve places may hold letters,
/// which count as their ASCII code less 48. A sole trader's is personal.
pub(in crate::redact) fn is_cnpj(text: &str) -> bool {
    const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() == 14) else { return false };
    let values: [u32; 14] = std::array::from_fn(|at| u32::from(compact[at] - b'0'));
    let check = |len: usize| {
        let rest = weighted(&values[..len], &WEIGHTS[13 - len..]) % 11;
        if rest < 2 { 0 } else { 11 - rest }
    };
    compact.iter().any(|b| *b != compact[0]) && check(12) == values[12] && check(13) == values[13]
}

/// Argentina, CUIT and CUIL (AFIP): a prefix of the kind of person, then mod 11 with weights 5 4 3 2 7 6 5 4 3 2
/// (10 becomes 9).
pub(in crate::redact) fn is_cuit(text: &str) -> bool {
    let Some(d) = digits::<11>(text) else { return false };
    let check = (11 - weighted(&d[..10], &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    matches!(number(&d[..2]), 20 | 23..=27 | 30 | 33 | 34) && check.min(9) == d[10]
}

/// Chile, RUT (Registro Civil): mod 11, weights 2 to 7 from the right; K stands for 10.
pub(in crate::redact) fn is_rut(text: &str) -> bool {
    let Some(compact) = Compact::of(text) else { return false };
    let Some((check, body)) = compact.split_last() else { return false };
    let weights = [2, 3, 4, 5, 6, 7, 2, 3];
    let sum: u32 = body.iter().rev().zip(weights).map(|(b, weight)| u32::from(b.wrapping_sub(b'0')) * weight).sum();
    let expected = match (11 - sum % 11) % 11 {
        10 => b'K',
        digit => b'0' + digit as u8,
    };
    matches!(body.len(), 7 | 8) && body.iter().all(u8::is_ascii_digit) && *check == expected
}

/// Mexico, CURP (RENAPO): name letters, date, sex, state, consonants, then a digit mod 10 over an alphabet with Ñ.
pub(in crate::redact) fn is_curp(text: &str) -> bool {
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() == 18) else { return false };
    // Ñ takes the place after N.
    let value = |b: u8| match b {
        b'0'..=b'9' => u32::from(b - b'0'),
        b'A'..=b'N' => u32::from(b - b'A') + 10,
        _ => u32::from(b - b'A') + 11,
    };
    let sum: u32 = compact[..17].iter().zip((2..=18).rev()).map(|(b, weight)| value(*b) * weight).sum();
    has_mexican_head(&compact)
        && matches!(compact[10], b'H' | b'M' | b'X')
        && compact[11..16].iter().all(u8::is_ascii_uppercase)
        && u32::from(compact[17].wrapping_sub(b'0')) == (10 - sum % 10) % 10
}

/// Mexico, RFC of a person (SAT): name letters, date, three characters. The last is a check digit, but the authority
/// itself has handed out others, so the structure decides.
pub(in crate::redact) fn is_rfc(text: &str) -> bool {
    Compact::of(text).is_some_and(|compact| {
        compact.len() == 13
            && has_mexican_head(&compact)
            && matches!(compact[12], b'0'..=b'9' | b'A')
            && compact[10..12].iter().all(u8::is_ascii_alphanumeric)
    })
}

fn has_mexican_head(compact: &[u8]) -> bool {
    let date = compact.get(4..10).and_then(digits_of::<6>);
    compact[..4].iter().all(u8::is_ascii_uppercase)
        && date.is_some_and(|d| is_short_date(number(&d[..2]), number(&d[2..4]), number(&d[4..])))
}

/// Colombia, NIT (DIAN): mod 11 with prime weights from the right; 9 digits and the check digit.
pub(in crate::redact) fn is_nit(text: &str) -> bool {
    let Some(d) = digits::<10>(text) else { return false };
    let rest = weighted(&d[..9], &[41, 37, 29, 23, 19, 17, 13, 7, 3]) % 11;
    number(&d) > 0 && d[9] == if rest < 2 { rest } else { 11 - rest }
}

/// Canada, social insurance number (Service Canada): Luhn over nine digits; none begins with 8.
pub(in crate::redact) fn is_sin(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| d[0] != 8 && number(&d) != 0 && luhn(&d))
}

/// Ecuador, cédula (Registro Civil): province 01 to 24 (or 30), third digit below 6, then Luhn.
pub(in crate::redact) fn is_ec_cedula(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| matches!(number(&d[..2]), 1..=24 | 30) && d[2] < 6 && luhn(&d))
}

/// Uruguay, cédula de identidad: mod 10 with weights 2 9 8 7 6 3 4.
pub(in crate::redact) fn is_uy_cedula(text: &str) -> bool {
    digits::<8>(text)
        .is_some_and(|d| number(&d) != 0 && (10 - weighted(&d[..7], &[2, 9, 8, 7, 6, 3, 4]) % 10) % 10 == d[7])
}

#[cfg(test)]
mod tests {
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;

    #[test]
    fn southern_numbers() {
        judge(
            Validator::Cpf,
            &["111.444.777-35", "52998224725", "390.533.447-05"],
            &["111.444.777-36", "111.111.111-11", "529982247", "111.444.777-3x"],
        );
        judge(
            Validator::Cnpj,
            &["11.222.333/0001-81", "16727230000197", "12.ABC.345/01DE-35"],
            &["11.222.333/0001-82", "00000000000000", "1122233300018", "12.ABC.345/01DE-36"],
        );
        judge(
            Validator::Cuit,
            &["20-05536168-2", "23926990429"],
            &["20-05536168-3", "21-05536168-2", "2005536168", "20-0553616A-2"],
        );
        judge(
            Validator::Rut,
            &["12.531.909-2", "125319092", "30.686.957-4", "6-450-720-6", "51251183K", "51251183k"],
            &["12.531.909-3", "12.531.909-K", "1", "12a531909-2"],
        );
        judge(
            Validator::Nit,
            &["213.123.432-1", "800197268-4"],
            &["213.123.432-2", "000.000.000-0", "213123432", "213.123.432-K"],
        );
        judge(Validator::EcCedula, &["1714307103", "0926687856"], &["1714307104", "2514307103", "1774307103", "17143"]);
        judge(Validator::UyCedula, &["1.234.567-2", "4.788.143-9"], &["1.234.567-3", "0", "00000000", "1.234.56a-2"]);
    }

    #[test]
    fn northern_numbers() {
        judge(
            Validator::Curp,
            &["BOXW310820HNERXN09", "boxw310820hnerxn09", "HEGG560427MVZRRL04"],
            &["BOXW310820HNERXN08", "BOXW311320HNERXN09", "BOXW310820ZNERXN09", "BOXW310820HNERXN0"],
        );
        judge(
            Validator::Rfc,
            &["GODE561231GR8", "VACE-460910-SX6"],
            &["GODE561331GR8", "GOD5561231GR8", "GODE561231GRB", "GODE561231G"],
        );
        judge(
            Validator::Sin,
            &["046 454 286", "130692544", "123-456-782"],
            &["046 454 287", "800000002", "000000000", "04645428"],
        );
    }
}
