//! Bank accounts and routing codes outside the IBAN.

use crate::redact::validators::checksum::weighted;
use crate::redact::validators::compact::{Compact, digits, number};

/// United States routing number (ABA; Federal Reserve prefixes 00-12, 21-32, 61-72, 80): weights 3 7 1, mod 10.
pub(in crate::redact) fn is_aba(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| {
        number(&d) > 0
            && matches!(number(&d[..2]), 0..=12 | 21..=32 | 61..=72 | 80)
            && weighted(&d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
    })
}

/// Mexico, CLABE (ABM): bank, place, account, weights 3 7 1 mod 10 before the sum.
pub(in crate::redact) fn is_clabe(text: &str) -> bool {
    digits::<18>(text).is_some_and(|d| {
        let sum: u32 =
            d[..17].iter().zip([3, 7, 1].into_iter().cycle()).map(|(digit, weight)| digit * weight % 10).sum();
        number(&d[..3]) > 1 && (10 - sum % 10) % 10 == d[17]
    })
}

/// Canada, transit and institution (Payments Canada, Rule 013): 5 and 3 digits, or 0 and 3 and 5; institutions below 1000.
pub(in crate::redact) fn is_ca_routing(text: &str) -> bool {
    let dashed = text.as_bytes().get(5) == Some(&b'-') && digits::<8>(text).is_some();
    let run = digits::<9>(text).filter(|_| text.len() == 9);
    dashed || run.is_some_and(|d| d[0] == 0 && matches!(number(&d[1..4]), 1..=899) && number(&d[4..]) > 0)
}

/// United Kingdom, sort code and account number side by side: 6 and 8 digits, apart by something (Vocalink).
pub(in crate::redact) fn is_uk_account(text: &str) -> bool {
    let sort_code = text.get(..8).is_some_and(|head| {
        let b = head.as_bytes();
        let sign = b[2];
        matches!(sign, b'-' | b' ') && b[5] == sign && digits::<6>(head).is_some()
    });
    let len = if sort_code { 8 } else { 6 };
    let (Some(head), Some(tail)) = (text.get(..len), text.get(len..)) else { return false };
    digits::<6>(head).is_some_and(|d| number(&d) > 9_999)
        && (tail.is_empty() && sort_code
            || digits::<8>(tail).is_some() && !tail.starts_with(|c: char| c.is_ascii_digit()))
}

/// Australia, bank state branch (AusPayNet): 3 and 3 digits with a dash; the third digit is the state.
pub(in crate::redact) fn is_bsb(text: &str) -> bool {
    text.as_bytes().get(3) == Some(&b'-') && digits::<6>(text).is_some_and(|d| number(&d[..2]) > 0 && d[2] < 8)
}

/// Business identifier codes (ISO 9362): four letters or digits, a country, place, branch. The country decides.
pub(in crate::redact) fn is_bic(text: &str) -> bool {
    const COUNTRIES: &[u8] = b"ADAEAFAGAIALAMAOARATAUAWAZBABBBDBEBFBGBHBIBJBMBNBOBRBSBTBWBYBZCACDCFCGCHCICLCMCNCOCRCUCVCW\
CYCZDEDJDKDMDODZECEEEGERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGTGUGWGYHKHNHRHTHUIDIEILIMINIQIRISITJEJMJOJPKEKGKHKIKM\
KNKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMGMHMKMLMMMNMOMRMSMTMUMVMWMXMYMZNANCNENGNINLNONPNZOMPAPEPFPGPHPKPLPRPSPTPYQARERORSRU\
RWSASBSCSDSESGSHSISKSLSMSNSRSTSVSYSZTCTDTGTHTJTLTMTNTOTRTTTVTWTZUAUGUSUYUZVAVCVEVGVIVNVUWSXKYEYTZAZMZW";
    let Some(compact) = Compact::of(text).filter(|compact| matches!(compact.len(), 8 | 11)) else { return false };
    compact.len() == text.len()
        && text.bytes().all(|b| !b.is_ascii_lowercase())
        && compact[..4].iter().all(u8::is_ascii_uppercase)
        && COUNTRIES.chunks(2).any(|country| country == &compact[4..6])
}

/// India, IFSC (RBI): four letters, 0, six letters or digits.
pub(in crate::redact) fn is_ifsc(text: &str) -> bool {
    Compact::of(text).is_some_and(|compact| {
        compact.len() == 11 && compact[..4].iter().all(u8::is_ascii_uppercase) && compact[4] == b'0'
    })
}

#[cfg(test)]
mod tests {
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;

    #[test]
    fn american_codes() {
        judge(
            Validator::Aba,
            &["021000021", "122105155", "0260-0959-3"],
            &["021000022", "991000021", "000000000", "02100002"],
        );
        judge(
            Validator::Clabe,
            &["032180000118359719", "002010077777777771"],
            &["032180000118359718", "000000000000000000", "03218000011835971", "03218000011835971a"],
        );
        judge(Validator::CaRouting, &["00011-001", "000100011"], &["100100011", "0001100", "00011-0011", "099900011"]);
    }

    #[test]
    fn other_codes() {
        judge(
            Validator::UkAccount,
            &["12-34-56 12345678", "123456 12345678", "12-34-56", "20 00 00 55779911"],
            &["123456", "12345612345678", "12-34-5 12345678", "00-00-00 12345678"],
        );
        judge(Validator::Bsb, &["062-000", "733-123"], &["000-000", "068-000", "062000", "062-00"]);
        judge(Validator::Bic, &["DEUTDEFF", "BNPAFRPPXXX"], &["DEUTXXFF", "MARKETING", "deutdeff", "DEUT DEFF"]);
        judge(
            Validator::Ifsc,
            &["SBIN0001234", "HDFC0CAGSBK"],
            &["SBIN1001234", "SBI00001234", "SBIN000123", "S1IN0001234"],
        );
    }
}
