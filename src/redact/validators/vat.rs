//! Value added tax numbers of the European Union and its neighbours (European Commission, VIES; the algorithms that the
//! national authorities publish). Those of sole traders are personal, and nothing tells them apart.

use crate::redact::validators::checksum::{doubled, iso7064_mod11_10, luhn, weighted};
use crate::redact::validators::compact::{Compact, digits_of, number};
use crate::redact::validators::national_europe_east as east;
use crate::redact::validators::national_europe_west as west;

/// Whether the text is a VAT number with its country in front.
pub(in crate::redact) fn is_vat(text: &str) -> bool {
    let Some(compact) = Compact::of(text) else { return false };
    let Some((country, body)) = compact.split_at_checked(2) else { return false };
    let Ok(plain) = std::str::from_utf8(body) else { return false };
    match country {
        b"AT" => body.first() == Some(&b'U') && is_austrian(&body[1..]),
        b"BE" => is_belgian(body),
        b"BG" => plain.len() == 9 && is_bulgarian(body) || east::is_egn(plain),
        b"CZ" => is_czech(body) || east::is_rodne_cislo(plain),
        b"DE" => digits_of::<9>(body).is_some_and(|d| d[0] != 0 && iso7064_mod11_10(&d)),
        b"DK" => by_remainder(body, [2, 7, 6, 5, 4, 3, 2, 1]),
        b"EE" => digits_of::<9>(body).is_some_and(|d| weighted(&d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)),
        b"EL" | b"GR" => west::is_afm(plain),
        b"ES" => west::is_dni(plain) || is_cif(body),
        b"FI" => by_remainder(body, [7, 9, 10, 5, 8, 4, 2, 1]),
        b"FR" => is_french(body),
        b"GB" | b"XI" => is_british(body),
        b"HR" => east::is_oib(plain),
        b"HU" => digits_of::<8>(body)
            .is_some_and(|d| number(&d) > 0 && weighted(&d, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10)),
        b"IE" => west::is_ppsn(plain),
        b"IT" => west::is_partita_iva(plain),
        b"LU" => digits_of::<8>(body).is_some_and(|d| number(&d) > 99 && number(&d[..6]) % 89 == number(&d[6..])),
        b"NL" => is_dutch(body),
        b"PL" => east::is_nip(plain),
        b"PT" => west::is_nif_pt(plain),
        b"RO" => is_romanian(body),
        b"SE" => digits_of::<12>(body).is_some_and(|d| number(&d[..10]) > 0 && luhn(&d[..10]) && d[10..] == [0, 1]),
        b"SI" => digits_of::<8>(body).is_some_and(|d| {
            let check = 11 - weighted(&d[..7], &[8, 7, 6, 5, 4, 3, 2]) % 11;
            d[0] != 0 && check != 11 && check % 10 == d[7]
        }),
        b"SK" => digits_of::<10>(body)
            .is_some_and(|d| d[0] != 0 && matches!(d[2], 2..=4 | 7..=9) && number(&d).is_multiple_of(11)),
        _ => false,
    }
}

/// Eight digits whose weighted sum divides by 11.
fn by_remainder(body: &[u8], weights: [u32; 8]) -> bool {
    digits_of::<8>(body).is_some_and(|d| number(&d) > 0 && weighted(&d, &weights).is_multiple_of(11))
}

fn is_austrian(body: &[u8]) -> bool {
    digits_of::<8>(body).is_some_and(|d| {
        let sum = d[0] + doubled(d[1]) + d[2] + doubled(d[3]) + d[4] + doubled(d[5]) + d[6];
        (96 - sum) % 10 == d[7]
    })
}

fn is_belgian(body: &[u8]) -> bool {
    digits_of::<10>(body)
        .is_some_and(|d| d[0] < 2 && number(&d[..8]) > 0 && (number(&d[..8]) + number(&d[8..])).is_multiple_of(97))
}

fn is_bulgarian(body: &[u8]) -> bool {
    digits_of::<9>(body).is_some_and(|d| {
        let first = weighted(&d[..8], &[1, 2, 3, 4, 5, 6, 7, 8]) % 11;
        let check = if first < 10 { first } else { weighted(&d[..8], &[3, 4, 5, 6, 7, 8, 9, 10]) % 11 % 10 };
        number(&d) > 0 && check == d[8]
    })
}

fn is_czech(body: &[u8]) -> bool {
    digits_of::<8>(body).is_some_and(|d| {
        let rest = (11 - weighted(&d[..7], &[8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        d[0] != 9 && d[7] == if rest == 0 { 1 } else { rest % 10 }
    })
}

/// Spain, NIF of companies: a letter, seven digits, a digit or the letter that stands for it.
fn is_cif(body: &[u8]) -> bool {
    if body.len() != 9 || !b"ABCDEFGHJNPQRSUVW".contains(&body[0]) {
        return false;
    }
    digits_of::<7>(&body[1..8]).is_some_and(|d| {
        let sum = doubled(d[0]) + d[1] + doubled(d[2]) + d[3] + doubled(d[4]) + d[5] + doubled(d[6]);
        let check = (10 - sum % 10) % 10;
        u32::from(body[8].wrapping_sub(b'0')) == check || body[8] == b"JABCDEFGHI"[check as usize]
    })
}

/// France: two digits from the SIREN, which carries a Luhn digit; newer keys hold letters, and are not computed.
fn is_french(body: &[u8]) -> bool {
    let Some((key, siren)) = body.split_at_checked(2) else { return false };
    digits_of::<9>(siren).is_some_and(|d| {
        let siren = number(&d);
        siren > 0
            && luhn(&d)
            && digits_of::<2>(key)
                .map_or(key.iter().all(|b| b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ".contains(b)), |key| {
                    number(&key) == (12 + 3 * (siren % 97)) % 97
                })
    })
}

/// United Kingdom: weights 8 to 2 and the last two digits by 97, since 2010 shifted by 55.
fn is_british(body: &[u8]) -> bool {
    let body = body.get(..9).filter(|_| body.len() == 12).unwrap_or(body);
    digits_of::<9>(body).is_some_and(|d| {
        let sum = u64::from(weighted(&d[..7], &[8, 7, 6, 5, 4, 3, 2])) + number(&d[7..]);
        number(&d) > 0 && (sum.is_multiple_of(97) || (sum + 55).is_multiple_of(97))
    })
}

/// Netherlands: the BSN's rule, or since 2020 ISO 7064 MOD 97-10 over the whole, then B and two digits.
fn is_dutch(body: &[u8]) -> bool {
    use crate::redact::validators::checksum::mod97;
    let shaped = body.len() == 12
        && body[9] == b'B'
        && body[..9].iter().all(u8::is_ascii_digit)
        && digits_of::<2>(&body[10..]).is_some_and(|d| number(&d) > 0);
    let old = || std::str::from_utf8(&body[..9]).is_ok_and(west::is_bsn);
    shaped && (old() || mod97(b"NL".iter().chain(body).copied()) == Some(1))
}

/// Romania, CUI: 2 to 10 digits, mod 11 after a factor of ten.
fn is_romanian(body: &[u8]) -> bool {
    const WEIGHTS: [u32; 9] = [7, 5, 3, 2, 1, 7, 5, 3, 2];
    let Some((check, head)) = body.split_last() else { return false };
    let digit = |b: &u8| u32::from(b.wrapping_sub(b'0'));
    if !(1..=9).contains(&head.len()) || !body.iter().all(u8::is_ascii_digit) || head[0] == b'0' {
        return false;
    }
    let sum: u32 = head.iter().zip(&WEIGHTS[9 - head.len()..]).map(|(b, weight)| digit(b) * weight).sum();
    sum * 10 % 11 % 10 == digit(check)
}

#[cfg(test)]
mod tests {
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;

    #[test]
    fn countries_have_their_own_check() {
        let right = [
            "ATU13585627",
            "BE0428759497",
            "DE136695976",
            "DK13585628",
            "EL094259216",
            "FI20774740",
            "FR40303265045",
            "IE6433435F",
            "IT00743110157",
            "LU15027442",
            "NL004495445B01",
            "PL8567346215",
            "PT501964843",
            "RO18547290",
            "SE123456789701",
            "SI50223054",
            "SK2022749619",
            "HU12892312",
            "HR33392005961",
            "EE100931558",
            "CZ25123891",
            "GB980780684",
            "ESJ99216582",
            "ESB58378431",
            "BG175074752",
            "DE 136 695 976",
        ];
        let wrong = [
            "DK40917287",
            "PL2732131471",
            "EE041647179",
            "BG305448817",
            "IE9427379O",
            "NL161050146B01",
            "DK99054266",
            "EL139808661",
            "EL990402927",
            "PT888863515",
            "FI77364947",
            "HU74186258",
        ];
        judge(Validator::Vat, &right, &wrong);
    }
}
