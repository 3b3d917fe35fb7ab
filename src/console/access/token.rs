//! Tokens: 256 random bits, shown once and kept as their SHA-256.
//!
//! A password is stretched (Argon2, PBKDF2) because people choose guessable ones. A token is drawn from 2^256, so nobody
//! who reads its digest can try them through, and a plain SHA-256 costs a request one microsecond instead of a tenth of a
//! second.

use crate::console::access::Role;
use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// What every token begins with, so that scanners of repositories and logs can find one.
const PREFIX: &str = "darklaunch_";
/// Random bytes of a token, a session or a link.
const SECRET_BYTES: usize = 32;
/// Longest text that is looked at as a token; a token has 54 characters.
const TEXT_BYTES_MAX: usize = 128;
/// Tokens kept, those that are no longer good included.
const TOKENS_MAX: usize = 1_000;
/// Longest name.
const NAME_CHARS_MAX: usize = 40;

/// SHA-256 of a secret.
pub(crate) type Digest = [u8; 32];

/// A secret of 256 random bits, as URL-safe text.
pub(crate) fn random_text() -> Result<String, TokenError> {
    let mut bytes = [0_u8; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|why| TokenError::NoRandom(why.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

pub(crate) fn digest(secret: &str) -> Digest {
    Sha256::digest(secret.as_bytes()).into()
}

/// The same time whatever differs.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// What is kept of one token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRecord {
    /// Whose it is; what the history of switches says.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// SHA-256 of the token's text.
    #[serde(with = "hex")]
    sha256: Digest,
    /// When it was made, microseconds since the Unix epoch.
    pub created_unix_us: i64,
    /// From when on it is refused, microseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_unix_us: Option<i64>,
    /// Since when it is refused, microseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_unix_us: Option<i64>,
}

impl TokenRecord {
    /// Whether it is good at this time.
    pub fn good_at(&self, now_unix_us: i64) -> bool {
        self.refusal(now_unix_us).is_none()
    }

    /// `good`, `expired` or `revoked`.
    pub fn state(&self, now_unix_us: i64) -> &'static str {
        match self.refusal(now_unix_us) {
            None => "good",
            Some(Refusal::Revoked(_)) => "revoked",
            Some(_) => "expired",
        }
    }

    fn refusal(&self, now_unix_us: i64) -> Option<Refusal> {
        if self.revoked_unix_us.is_some() {
            return Some(Refusal::Revoked(self.name.clone()));
        }
        let over = self.expires_unix_us.is_some_and(|end| end <= now_unix_us);
        over.then(|| Refusal::Expired(self.name.clone()))
    }

    pub(crate) fn digest(&self) -> Digest {
        self.sha256
    }
}

/// Why a token is not good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody made it, or its record is gone.
    #[error("this token is not known; `darklaunch token list` on the recorder's machine names those that are")]
    Unknown,
    /// Its time is over.
    #[error("the token {0} has expired; make a new one with `darklaunch token create`")]
    Expired(String),
    /// It was taken back.
    #[error("the token {0} was revoked; ask for a new one")]
    Revoked(String),
}

/// Why a token cannot be made or taken back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The name cannot be kept.
    #[error(
        "{0:?} cannot be a token's name; write 1 to {NAME_CHARS_MAX} letters, digits, `.`, `_`, `-` or `@`, such as ann"
    )]
    Name(String),
    /// A good token has this name.
    #[error("there is a token {0} already; revoke it first with `darklaunch token revoke {0}`, or choose another name")]
    Taken(String),
    /// No token has this name.
    #[error("no token is called {0:?}, or it is revoked already; `darklaunch token list` names them")]
    Nobody(String),
    /// The list is full.
    #[error("there are {TOKENS_MAX} good tokens; revoke those that are no longer needed")]
    Full,
    /// No random bytes.
    #[error("the system gives no random bytes: {0}; try again")]
    NoRandom(String),
}

/// All tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens(Vec<TokenRecord>);

impl Tokens {
    /// From what was kept.
    pub fn new(records: Vec<TokenRecord>) -> Self {
        Self(records)
    }

    /// In the order in which they were made.
    pub fn records(&self) -> &[TokenRecord] {
        &self.0
    }

    /// Makes a token and gives its text, which is kept nowhere.
    ///
    /// # Errors
    /// A name that is taken or cannot be kept; no room; no random bytes.
    pub fn create(
        &mut self,
        name: &str,
        role: Role,
        now_unix_us: i64,
        expires_unix_us: Option<i64>,
    ) -> Result<String, TokenError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(fits) {
            return Err(TokenError::Name(name.chars().take(NAME_CHARS_MAX).collect()));
        }
        if self.0.iter().any(|one| one.name == name && one.good_at(now_unix_us)) {
            return Err(TokenError::Taken(name.to_owned()));
        }
        if self.0.len() >= TOKENS_MAX {
            let dead = self.0.iter().position(|one| !one.good_at(now_unix_us)).ok_or(TokenError::Full)?;
            self.0.remove(dead);
        }
        let text = format!("{PREFIX}{}", random_text()?);
        self.0.push(TokenRecord {
            name: name.to_owned(),
            role,
            sha256: digest(&text),
            created_unix_us: now_unix_us,
            expires_unix_us,
            revoked_unix_us: None,
        });
        Ok(text)
    }

    /// Takes every token of a name back; the records stay, so that whoever shows one is told why it is refused.
    ///
    /// # Errors
    /// None has the name.
    pub fn revoke(&mut self, name: &str, now_unix_us: i64) -> Result<(), TokenError> {
        let mut found = false;
        for one in self.0.iter_mut().filter(|one| one.name == name && one.revoked_unix_us.is_none()) {
            one.revoked_unix_us = Some(now_unix_us);
            found = true;
        }
        if found { Ok(()) } else { Err(TokenError::Nobody(name.chars().take(NAME_CHARS_MAX).collect())) }
    }

    /// Whether anybody could log in.
    pub fn any_good(&self, now_unix_us: i64) -> bool {
        self.0.iter().any(|one| one.good_at(now_unix_us))
    }

    /// The token with this text.
    ///
    /// # Errors
    /// There is none, or it is no longer good.
    pub fn find(&self, text: &str, now_unix_us: i64) -> Result<&TokenRecord, Refusal> {
        if text.len() > TEXT_BYTES_MAX || !text.starts_with(PREFIX) {
            return Err(Refusal::Unknown);
        }
        self.find_digest(&digest(text), now_unix_us)
    }

    /// The token with this digest. Every record is looked at, so that time tells nothing.
    pub(crate) fn find_digest(&self, wanted: &Digest, now_unix_us: i64) -> Result<&TokenRecord, Refusal> {
        let mut found = None;
        for one in &self.0 {
            if same(&one.sha256, wanted) {
                found = Some(one);
            }
        }
        let one = found.ok_or(Refusal::Unknown)?;
        one.refusal(now_unix_us).map_or(Ok(one), Err)
    }
}

/// The tokens that count at this moment.
#[derive(Debug, Default)]
pub struct TokensInForce(ArcSwap<Tokens>);

impl TokensInForce {
    /// Begins with these.
    pub fn new(tokens: Tokens) -> Self {
        Self(ArcSwap::from_pointee(tokens))
    }

    /// These count from now on.
    pub fn show(&self, tokens: Tokens) {
        self.0.store(Arc::new(tokens));
    }

    /// Those that count.
    pub fn now(&self) -> Arc<Tokens> {
        self.0.load_full()
    }
}

/// A digest as hex digits.
mod hex {
    use crate::console::access::token::Digest;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&digits)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| D::Error::custom("sha256 is not 64 hex digits"))
    }

    fn parse(text: &str) -> Option<Digest> {
        let bytes = text.as_bytes();
        if bytes.len() != 64 {
            return None;
        }
        let mut digest = Digest::default();
        for (byte, pair) in digest.iter_mut().zip(bytes.chunks_exact(2)) {
            let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
            *byte = u8::try_from(high? * 16 + low?).ok()?;
        }
        Some(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_000;

    #[test]
    fn a_token_is_found_by_its_text_alone_and_its_text_is_not_kept() {
        let mut tokens = Tokens::default();
        let ann = tokens.create("ann", Role::Operator, NOW, None).unwrap();
        let bob = tokens.create("bob", Role::Viewer, NOW, None).unwrap();
        assert_eq!((ann.len(), ann.starts_with(PREFIX), ann == bob), (54, true, false));
        assert_eq!(tokens.find(&ann, NOW).map(|one| one.name.as_str()), Ok("ann"));
        assert_eq!(tokens.find(&bob, NOW).map(|one| one.role), Ok(Role::Viewer));
        let kept = format!("{tokens:?} {}", serde_json::to_string(tokens.records()).unwrap());
        assert!(!kept.contains(&ann[PREFIX.len()..]), "{kept}");
        for wrong in ["", PREFIX, &ann[1..], &ann[..53], &format!("{ann} "), &"x".repeat(10_000)] {
            assert_eq!(tokens.find(wrong, NOW), Err(Refusal::Unknown), "{wrong}");
        }
    }

    #[test]
    fn what_expired_or_was_revoked_is_refused_by_name_and_the_name_is_free_again() {
        let mut tokens = Tokens::default();
        let first = tokens.create("ann", Role::Admin, NOW, Some(NOW + 10)).unwrap();
        assert_eq!(tokens.create("ann", Role::Admin, NOW + 9, None), Err(TokenError::Taken("ann".to_owned())));
        assert!(tokens.find(&first, NOW + 9).is_ok());
        assert_eq!(tokens.find(&first, NOW + 10), Err(Refusal::Expired("ann".to_owned())));
        assert!(!tokens.any_good(NOW + 10));
        let second = tokens.create("ann", Role::Admin, NOW + 10, None).unwrap();
        tokens.revoke("ann", NOW + 11).unwrap();
        assert_eq!(tokens.find(&second, NOW + 11), Err(Refusal::Revoked("ann".to_owned())));
        assert_eq!(tokens.revoke("ann", NOW + 12), Err(TokenError::Nobody("ann".to_owned())));
        let third = tokens.create("ann", Role::Viewer, NOW + 12, None).unwrap();
        assert!(tokens.find(&third, NOW + 12).is_ok() && tokens.find(&second, NOW + 12).is_err());
    }

    #[test]
    fn the_list_is_bounded_and_dead_tokens_make_room() {
        let mut tokens = Tokens::default();
        for n in 0..TOKENS_MAX {
            tokens.create(&format!("t{n}"), Role::Viewer, NOW, (n == 7).then_some(NOW + 1)).unwrap();
        }
        assert_eq!(tokens.create("more", Role::Viewer, NOW, None), Err(TokenError::Full));
        assert!(tokens.create("more", Role::Viewer, NOW + 1, None).is_ok());
        assert_eq!(tokens.records().len(), TOKENS_MAX);
    }

    proptest! {
        #[test]
        fn no_text_but_the_tokens_own_is_found(text in "(darklaunch_)?[A-Za-z0-9_-]{0,60}", name in "\\PC{0,60}") {
            let mut tokens = Tokens::default();
            let good = tokens.create("ann", Role::Admin, NOW, None).unwrap();
            prop_assert!(text == good || tokens.find(&text, NOW).is_err());
            match tokens.create(&name, Role::Admin, NOW, None) {
                Ok(_) => prop_assert!(name.len() <= NAME_CHARS_MAX && !name.contains([' ', '(', '<', '"'])),
                Err(error) => prop_assert!(error.to_string().len() < 600),
            }
        }

        #[test]
        fn a_record_reads_back_as_it_was(expires in proptest::option::of(any::<i64>()), revoked in proptest::option::of(any::<i64>())) {
            let mut tokens = Tokens::default();
            tokens.create("ann", Role::Operator, NOW, expires).unwrap();
            let mut record = tokens.records()[0].clone();
            record.revoked_unix_us = revoked;
            let text = serde_json::to_string(&record).unwrap();
            prop_assert_eq!(serde_json::from_str::<TokenRecord>(&text).unwrap(), record);
        }
    }
}
