//! Wallets: addresses of chains that carry a checksum, so that they are known without a name.

use sha2::{Digest, Sha256};

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BASE58_XRP: &[u8; 58] = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Version, a hash of 20 bytes, four bytes of checksum.
const PAYLOAD_BYTES: usize = 25;
const BECH32_CHARS_MAX: usize = 110;

/// An address of Bitcoin and its kin (base58check, BIP 173 and 350), of the XRP Ledger, or of Ethereum and its kin.
pub(in crate::redact) fn is_wallet(text: &str) -> bool {
    is_base58check(text, BASE58) || is_base58check(text, BASE58_XRP) || is_bech32(text) || is_ethereum(text)
}

/// Twenty-five bytes in base 58 whose last four are the head of a double SHA-256 of the others.
fn is_base58check(text: &str, alphabet: &[u8; 58]) -> bool {
    if !(26..=35).contains(&text.len()) {
        return false;
    }
    let mut bytes = [0_u8; PAYLOAD_BYTES];
    for c in text.bytes() {
        let Some(digit) = alphabet.iter().position(|known| *known == c) else { return false };
        let mut carry = digit;
        for byte in bytes.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return false;
        }
    }
    let (payload, check) = bytes.split_at(PAYLOAD_BYTES - 4);
    Sha256::digest(Sha256::digest(payload)).starts_with(check)
}

/// A human-readable part, `1`, and words of five bits with a checksum of six of them (BIP 173; BIP 350 has another constant).
fn is_bech32(text: &str) -> bool {
    if !(14..=BECH32_CHARS_MAX).contains(&text.len()) || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return false;
    }
    let Some((head, words)) = text.rsplit_once('1').filter(|(head, words)| !head.is_empty() && words.len() >= 30)
    else {
        return false;
    };
    let mut check = 1_u32;
    let mut feed = |value: u32| {
        let top = check >> 25;
        check = (check & 0x01ff_ffff) << 5 ^ value;
        for (bit, generator) in
            [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].into_iter().enumerate()
        {
            if top >> bit & 1 == 1 {
                check ^= generator;
            }
        }
    };
    head.bytes().for_each(|b| feed(u32::from(b) >> 5));
    feed(0);
    head.bytes().for_each(|b| feed(u32::from(b) & 31));
    for c in words.bytes() {
        let Some(word) = BECH32.iter().position(|known| *known == c) else { return false };
        feed(word as u32);
    }
    matches!(check, 1 | 0x2bc8_30a3)
}

/// `0x` and forty hex digits: no checksum, but nothing else is written so.
fn is_ethereum(text: &str) -> bool {
    text.strip_prefix("0x").is_some_and(|hex| {
        hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit()) && hex.bytes().any(|b| b != b'0')
    })
}

#[cfg(test)]
mod tests {
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;

    #[test]
    fn wallets_prove_themselves() {
        judge(
            Validator::Wallet,
            &[
                "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
                "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
                "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
                "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
                "0x52908400098527886E0F7030069857D2E4169EE7",
            ],
            &[
                "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
                "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
                "0x52908400098527886E0F7030069857D2E4169EE",
                "0x0000000000000000000000000000000000000000",
                "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
                "1234567890123456789012345678",
            ],
        );
    }
}
