//! Machine-readable travel documents and vehicles.

use crate::redact::validators::checksum::luhn;
use crate::redact::validators::compact::{Compact, digits};
use crate::redact::validators::national_europe_west::icao_digit;

/// A machine-readable zone or one line of it (ICAO Doc 9303, parts 4 to 6): 30, 36 or 44 characters, fields with check
/// digits. One line that passes is enough, since exports keep lines apart.
pub(in crate::redact) fn is_mrz(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || c == '\\').any(|line| {
        let line = line.strip_prefix('n').filter(|rest| rest.len() >= 30).unwrap_or(line);
        line.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'<')
            && match line.len() {
                30 => is_td1_first(line.as_bytes()) || is_td1_second(line.as_bytes()),
                36 | 44 => is_second_of_two(line.as_bytes()) || is_name_line(line.as_bytes()),
                _ => false,
            }
    })
}

/// Whether the field at `from..to` has its check digit behind it.
fn checked(line: &[u8], from: usize, to: usize) -> bool {
    let (Some(field), Some(check)) = (line.get(from..to), line.get(to)) else { return false };
    check.is_ascii_digit() && icao_digit(field) == u32::from(check - b'0')
}

fn is_td1_first(line: &[u8]) -> bool {
    line[0].is_ascii_uppercase() && checked(line, 5, 14)
}

fn is_td1_second(line: &[u8]) -> bool {
    checked(line, 0, 6) && checked(line, 8, 14)
}

fn is_second_of_two(line: &[u8]) -> bool {
    checked(line, 0, 9) && checked(line, 13, 19) && checked(line, 21, 27)
}

/// `P<UTOERIKSSON<<ANNA<MARIA<<<`: no digits, names apart by two fillers.
fn is_name_line(line: &[u8]) -> bool {
    matches!(line[0], b'P' | b'V' | b'I' | b'A' | b'C')
        && line[5..].windows(2).any(|pair| pair == b"<<")
        && !line.iter().any(u8::is_ascii_digit)
}

/// Vehicle identification numbers (ISO 3779; the check digit of 49 CFR 565.15, which North America and China demand):
/// 17 characters without I, O and Q, mod 11.
pub(in crate::redact) fn is_vin(text: &str) -> bool {
    // The values of A to Z; I, O and Q have none.
    const VALUES: [u32; 26] = [1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 0, 7, 0, 9, 2, 3, 4, 5, 6, 7, 8, 9];
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let Some(compact) = Compact::of(text).filter(|compact| compact.len() == 17) else { return false };
    let value = |b: u8| match b {
        b'0'..=b'9' => u32::from(b - b'0'),
        _ => VALUES[usize::from(b - b'A')],
    };
    let sum: u32 = compact.iter().zip(WEIGHTS).map(|(b, weight)| value(*b) * weight).sum();
    let check = if sum % 11 == 10 { b'X' } else { b'0' + (sum % 11) as u8 };
    !compact.iter().any(|b| b"IOQ".contains(b)) && compact[8] == check && compact.iter().any(u8::is_ascii_digit)
}

/// International mobile equipment identity (3GPP TS 23.003, 6.2): 15 digits with Luhn.
pub(in crate::redact) fn is_imei(text: &str) -> bool {
    digits::<15>(text).is_some_and(|d| d.iter().any(|digit| *digit != 0) && luhn(&d))
}

#[cfg(test)]
mod tests {
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;

    #[test]
    fn zones_have_check_digits() {
        // The specimens of ICAO Doc 9303.
        judge(
            Validator::Mrz,
            &[
                "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
                "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
                "I<UTOD231458907<<<<<<<<<<<<<<<",
                "7408122F1204159UTO<<<<<<<<<<<6",
                "D231458907UTO7408122F1204159<<<<<<<6",
            ],
            &[
                "L898902C35UTO7408122F1204159ZE184226B<<<<<10",
                "I<UTOD231458906<<<<<<<<<<<<<<<",
                "P<UTO<<",
                "0123456789ABCDEF0123456789ABCDEF0123ABCD0000",
            ],
        );
    }

    #[test]
    fn vehicles_and_handsets() {
        judge(
            Validator::Vin,
            &["1HGCM82633A004352", "1M8GDM9AXKP042788", "1m8gdm9axkp042788"],
            &["1HGCM82633A004353", "1HGCM82633A00435", "IHGCM82633A004352", "1HGCM82733A004352"],
        );
        judge(
            Validator::Imei,
            &["490154203237518", "35-209900-176148-1"],
            &["490154203237519", "000000000000000", "4901542032375", "49015420323751a"],
        );
    }
}
