//! Secrets: what their structure or their disorder tells.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Longest text whose disorder is measured, in bytes: more tells no more.
const ENTROPY_BYTES_MAX: usize = 256;

/// A signed or encrypted token in its compact form (RFC 7519, RFC 7516): at least three parts, the first a JSON object in
/// base64url that names an algorithm.
pub(in crate::redact) fn is_jwt(text: &str) -> bool {
    let head = text.split('.').next().unwrap_or_default();
    let decoded = URL_SAFE_NO_PAD.decode(head.trim_end_matches('=')).unwrap_or_default();
    text.bytes().filter(|b| *b == b'.').count() >= 2
        && decoded.first() == Some(&b'{')
        && decoded.windows(5).any(|part| part == b"\"alg\"" || part == b"\"typ\"" || part == b"\"enc\"")
}

/// A text without a pattern: at least 16 characters, letters and digits, 3 bits a character (C. E. Shannon, 1948) and
/// neither a UUID nor words joined by signs.
pub(in crate::redact) fn is_random(text: &str) -> bool {
    let text = text.trim_end_matches('=');
    let bytes = &text.as_bytes()[..text.len().min(ENTROPY_BYTES_MAX)];
    let count = |class: fn(&u8) -> bool| bytes.iter().filter(|b| class(b)).count();
    let (letters, digits) = (count(u8::is_ascii_alphabetic), count(u8::is_ascii_digit));
    bytes.len() >= 16
        && letters > 0
        && digits > 0
        && letters + digits >= bytes.len() * 8 / 10
        && !is_uuid(text)
        && !is_of_words(text)
        && entropy(bytes) >= 3.0
}

/// Bits a character, from how often each comes.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for b in bytes {
        counts[usize::from(*b)] += 1;
    }
    let len = bytes.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / len).map(|p| -p * p.log2()).sum()
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// `order-created-2024`, `getUserById`: runs of lower-case letters, or of digits alone, each joined to the next.
fn is_of_words(text: &str) -> bool {
    text.split(['-', '_', '.', '/', ':', ' ']).all(|word| {
        let (head, tail) = word.split_at(word.bytes().take_while(u8::is_ascii_uppercase).count());
        let plain = tail.bytes().all(|b| b.is_ascii_lowercase()) || tail.bytes().all(|b| b.is_ascii_digit());
        head.len() <= 1 && plain || tail.is_empty()
    })
}

/// A key in base64 as long as ciphers and digests have them: 16, 24, 32, 48 or 64 bytes.
pub(in crate::redact) fn is_base64_key(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    let decoded =
        STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(bare)).or_else(|_| URL_SAFE_NO_PAD.decode(bare));
    let mixed = bare.bytes().any(|b| b.is_ascii_uppercase())
        && bare.bytes().any(|b| b.is_ascii_lowercase())
        && bare.bytes().any(|b| !b.is_ascii_alphabetic());
    mixed && decoded.is_ok_and(|key| matches!(key.len(), 16 | 24 | 32 | 48 | 64))
}

/// Credentials in the Basic scheme (RFC 7617): base64 of a name, a colon and a password.
pub(in crate::redact) fn is_basic(text: &str) -> bool {
    let decoded = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text.trim_end_matches('=')));
    decoded.is_ok_and(|pair| std::str::from_utf8(&pair).is_ok_and(|pair| pair.contains(':') && pair.len() >= 3))
}

/// No words with blanks between them: a caption or a message, which no token is.
pub(in crate::redact) fn is_no_words(text: &str) -> bool {
    !text.trim().contains(' ') || text.chars().any(|c| !c.is_alphabetic() && !" .!?,'’".contains(c))
}

/// No number of a resource as Twilio has them: two capital letters for what it is, 32 hex digits.
pub(in crate::redact) fn is_no_resource(text: &str) -> bool {
    let (head, hex) = text.split_at_checked(2).unwrap_or_default();
    !(head.bytes().all(|b| b.is_ascii_uppercase()) && hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use crate::redact::validators::Validator;
    use crate::redact::validators::tests::judge;
    use proptest::prelude::*;

    #[test]
    fn tokens_have_a_structure() {
        judge(
            Validator::Jwt,
            &[
                "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
                "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
            ],
            &["eyJhbGciOiJIUzI1NiJ9.eyJzdWIi", "eyJ.a.b", "version.1.2.3", "eyJhIjoxfQ.eyJzdWIiOiIxIn0.abc"],
        );
        judge(
            Validator::Basic,
            &["YWxhZGRpbjpvcGVuc2VzYW1l", "dXNlcjpwYXNz"],
            &["plan", "bm9jb2xvbg==", "a:b", "dXNlcjpwYXNz!"],
        );
    }

    #[test]
    fn disorder_is_told_from_words_and_identifiers() {
        judge(
            Validator::Random,
            &["4eC39HqLyjWDarjtT1zdp7dc", "9a8f7c6e5d4b3a2918f7e6d5c4b3a291", "Zm9vYmFyMTIzNDU2Nzg5MA=="],
            &[
                "123e4567-e89b-12d3-a456-426614174000",
                "order-created-2024-01",
                "aaaaaaaaaaaaaaaa1",
                "short1",
                "internationalization",
            ],
        );
        judge(
            Validator::Base64Key,
            &["c2VjcmV0LWtleS1zZWNyZXQta2V5LXNlY3JldC0xMjM=", "ndTkYSaMgDT1yFZOFVxnpg=="],
            &["c2hvcnQ=", "not base64 at all", "QUJDREVGR0hJSktMTU5P", "=="],
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,80}") {
            for validator in [Validator::Jwt, Validator::Random, Validator::Base64Key, Validator::Basic] {
                let _ = validator.check(&text);
            }
        }
    }
}
