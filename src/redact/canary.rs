//! Canaries: values nobody has, derived from the key, that redaction must find in a capture made for the purpose and that
//! no file may ever hold.
//!
//! A set is made anew from the pseudonym key and the label of a run whenever it is needed, so none is stored anywhere, and
//! whoever holds the key can look for the canaries of every run. They are real to every rule: the card passes its
//! checksum, the IBAN has its check digits.

use crate::exchange::{BodyCopy, Capture, CaptureId, Exchange, Outcome, RequestCopy, ResponseCopy, Role, Timings};
use crate::redact::engine::Redactor;
use crate::redact::rule::rules::PseudonymKey;
use crate::redact::sealed::{Part, Recording, Side};
use crate::redact::validators::{iban_check_digits, luhn_digit};
use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use hmac::Mac;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, REFERER};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What is planted, by the names in messages.
const WHAT: [&str; 4] = ["e-mail", "card", "IBAN", "token"];
/// The issuer digits of the best-known test card: valid, and handed out to nobody.
const CARD_HEAD: &str = "411111";

/// The canaries of one run.
pub struct Canaries {
    values: [String; 4],
}

impl Canaries {
    /// The set of the run with this label (see [`Canaries::label`]); the same key and label give the same set.
    pub fn of_run(key: &PseudonymKey, label: &str) -> Self {
        let digest = |what: &str| -> [u8; 32] {
            let mut mac = key.0.clone();
            for part in ["canary", label, what] {
                mac.update(&(part.len() as u64).to_be_bytes());
                mac.update(part.as_bytes());
            }
            mac.finalize().into_bytes().into()
        };
        let [email, card, iban, token] = WHAT.map(digest);
        let mut number = format!("{CARD_HEAD}{}", decimals(&card, 9));
        number.push(luhn_digit(&number));
        // A bank code does not begin with a zero.
        let account = format!("{}{}", 1 + iban[31] % 8, decimals(&iban, 17));
        // The account is made of digits, for which there always are check digits.
        let check = iban_check_digits("DE", &account).unwrap_or_default();
        let values = [
            format!("canary.{}@example.org", letters(&email, 14)),
            number,
            format!("DE{check:02}{account}"),
            letters(&token, 30),
        ];
        Self { values }
    }

    /// The label of a run: what the database keeps of it, and a merge of databases does not change.
    pub fn label(instance: &str, started_unix_us: i64) -> String {
        format!("{instance} {started_unix_us}")
    }

    /// What is planted and its value, for a person who sends them through on purpose.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, &str)> {
        WHAT.into_iter().zip(self.values.iter().map(String::as_str))
    }

    /// Redacts a capture full of canaries and tells which can still be read, and where. A redactor that panics keeps
    /// nothing back.
    pub fn survivors(&self, redactor: &Redactor) -> Vec<Leak> {
        let capture = self.capture();
        let redacted = catch_unwind(AssertUnwindSafe(|| redactor.capture(capture)));
        let Ok(recording) = redacted else {
            return vec![Leak { what: "panic", side: Side::Request, part: Part::Body }];
        };
        let Some(search) = CanarySearch::new([(Arc::from(""), self)]) else {
            return vec![Leak { what: "search", side: Side::Request, part: Part::Body }];
        };
        let mut leaks = Vec::new();
        for (side, part, text) in pieces(&recording) {
            leaks.extend(search.find_in(text).into_iter().map(|found| Leak { what: found.what, side, part }));
        }
        leaks.sort_unstable();
        leaks.dedup();
        leaks
    }

    /// The capture: every canary in path, query, headers and bodies of several kinds. What has a shape stands in texts and
    /// under names that tell nothing, so that its shape must be known; the token stands under its names.
    fn capture(&self) -> Capture {
        let [email, card, iban, token] = &self.values;
        let json = format!(
            r#"{{"memo":"write to {email} today","text":"paid with {card} today","note":"to {iban} today","api_key":"{token}","inner":"{{\"memo\":\"write to {email} today\",\"api_key\":\"{token}\"}}"}}"#
        );
        let form = format!(
            "memo=write+to+{}+today&text=paid+with+{card}+today&note=to+{iban}+today&access_token={token}",
            encoded(email)
        );
        let lines = |more: &[(HeaderName, &str)]| {
            let line = |(name, value): &(HeaderName, &str)| {
                HeaderValue::from_str(value).ok().map(|value| (name.clone(), value))
            };
            more.iter().filter_map(line).collect::<HeaderMap>()
        };
        let shadow = match zipped(json.as_bytes()) {
            Ok(zipped) => (lines(&[(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, "gzip")]), zipped),
            Err(_) => (lines(&[(CONTENT_TYPE, "application/json")]), json.clone().into_bytes()),
        };
        let primary = (lines(&[(CONTENT_TYPE, "application/x-www-form-urlencoded")]), form.into_bytes());
        let (bearer, note) = (format!("Bearer {token}"), format!("https://app.example/?memo={}", encoded(email)));
        Capture {
            id: CaptureId::fresh(),
            integration: "canary".into(),
            endpoint: "POST /canaries/{id}".into(),
            received_unix_us: 0,
            request: RequestCopy {
                method: Method::POST,
                target: format!("/canaries/{}?memo={}&access_token={token}", encoded(email), encoded(email)),
                headers: lines(&[
                    (CONTENT_TYPE, "application/json"),
                    (AUTHORIZATION, &bearer),
                    (REFERER, &note),
                    (HeaderName::from_static("x-api-key"), token),
                ]),
                body: BodyCopy::complete(json.into_bytes().into()),
            },
            primary: Some(exchange(Role::Primary, primary)),
            shadow: exchange(Role::Shadow, shadow),
        }
    }
}

fn exchange(role: Role, (headers, body): (HeaderMap, Vec<u8>)) -> Exchange {
    let body = BodyCopy::complete(body.into());
    Exchange {
        role,
        started_unix_us: 0,
        response: Some(ResponseCopy { status: 200, headers, body }),
        failure: None,
        outcome: Outcome::Ok,
        timings: Timings::default(),
    }
}

fn zipped(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Every text of a recording that would be stored, with its place.
fn pieces(recording: &Recording) -> Vec<(Side, Part, &[u8])> {
    let Capture { request, primary, shadow, endpoint, .. } = &recording.capture;
    let mut pieces = vec![
        (Side::Request, Part::Target, request.target.as_bytes()),
        (Side::Request, Part::Target, endpoint.as_bytes()),
        (Side::Request, Part::Body, &request.body.bytes[..]),
    ];
    pieces.extend(request.headers.values().map(|value| (Side::Request, Part::Headers, value.as_bytes())));
    for (side, exchange) in [(Side::Primary, primary.as_ref()), (Side::Shadow, Some(shadow))] {
        let Some(response) = exchange.and_then(|exchange| exchange.response.as_ref()) else { continue };
        pieces.push((side, Part::Body, &response.body.bytes[..]));
        pieces.extend(response.headers.values().map(|value| (side, Part::Headers, value.as_bytes())));
    }
    pieces
}

/// A canary that redaction let through. Names, never the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// What was planted: `e-mail`, `card`, `IBAN`, `token`; `panic` where redaction broke down.
    pub what: &'static str,
    /// The message it can be read in.
    pub side: Side,
    /// The part of the message.
    pub part: Part,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = match self.side {
            Side::Request => "the request",
            Side::Primary => "the primary's answer",
            Side::Shadow => "the shadow's answer",
        };
        write!(f, "{} is readable in the {} of {message}", self.what, self.part.name())
    }
}

/// A canary found in bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CanaryFound {
    /// The label of its run.
    pub run: Arc<str>,
    /// What was planted.
    pub what: &'static str,
    /// How often it is there.
    pub count: u64,
}

/// A search for the canaries of many runs at once: as they are, percent-encoded, with JSON escapes, in groups of four, in
/// base64 at every offset, and in UTF-16. One pass over the bytes, however many runs.
pub struct CanarySearch {
    automaton: AhoCorasick,
    /// Of each pattern: run and what.
    meaning: Vec<(Arc<str>, &'static str)>,
}

impl CanarySearch {
    /// A search for these sets by the labels of their runs; `None` if they are too many for one automaton.
    pub fn new<'a>(sets: impl IntoIterator<Item = (Arc<str>, &'a Canaries)>) -> Option<Self> {
        let (mut patterns, mut meaning) = (Vec::new(), Vec::new());
        for (run, set) in sets {
            for (what, value) in set.values() {
                for spelling in spellings(value) {
                    patterns.push(spelling);
                    meaning.push((Arc::clone(&run), what));
                }
            }
        }
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(patterns).ok()?;
        Some(Self { automaton, meaning })
    }

    /// The canaries in a piece.
    pub fn find_in(&self, bytes: &[u8]) -> Vec<CanaryFound> {
        self.counted(self.automaton.find_overlapping_iter(bytes).map(|found| found.pattern().as_usize()))
    }

    /// The canaries in a file of any size, in one pass and a bounded buffer.
    ///
    /// # Errors
    /// What the system says.
    pub fn find_in_stream(&self, reader: impl Read) -> io::Result<Vec<CanaryFound>> {
        let found = self.automaton.stream_find_iter(reader).map(|found| found.map(|found| found.pattern().as_usize()));
        let patterns: Vec<usize> = found.collect::<io::Result<_>>()?;
        Ok(self.counted(patterns.into_iter()))
    }

    fn counted(&self, patterns: impl Iterator<Item = usize>) -> Vec<CanaryFound> {
        let mut counts: BTreeMap<(Arc<str>, &'static str), u64> = BTreeMap::new();
        for (run, what) in patterns.filter_map(|pattern| self.meaning.get(pattern)) {
            *counts.entry((Arc::clone(run), what)).or_default() += 1;
        }
        counts.into_iter().map(|((run, what), count)| CanaryFound { run, what, count }).collect()
    }
}

/// How a value may be written.
fn spellings(value: &str) -> Vec<Vec<u8>> {
    let mut all = vec![value.as_bytes().to_vec()];
    if value.contains('@') {
        all.push(encoded(value).into_bytes());
        all.push(encoded(&encoded(value)).into_bytes());
        all.push(value.replace('@', "\\u0040").into_bytes());
    } else {
        all.extend([' ', '-'].map(|separator| grouped(value, separator).into_bytes()));
    }
    all.push(value.encode_utf16().flat_map(u16::to_le_bytes).collect());
    all.push(value.encode_utf16().flat_map(u16::to_be_bytes).collect());
    all.extend((0..3).filter_map(|offset| base64_at(value, offset)));
    all
}

fn grouped(value: &str, separator: char) -> String {
    let mut text = String::new();
    for (at, c) in value.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push(separator);
        }
        text.push(c);
    }
    text
}

/// The letters that stand for the value in base64 when so many bytes (modulo three) are before it, without those that
/// depend on its neighbours.
fn base64_at(value: &str, offset: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(value.as_bytes());
    let text = STANDARD_NO_PAD.encode(&bytes);
    let whole = bytes.len() / 3 * 4;
    let from = if offset == 0 { 0 } else { 4 };
    text.get(from..whole).filter(|inner| inner.len() >= 8).map(|inner| inner.as_bytes().to_vec())
}

fn decimals(digest: &[u8; 32], count: usize) -> String {
    digest.iter().take(count).map(|byte| char::from(b'0' + byte % 10)).collect()
}

fn letters(digest: &[u8; 32], count: usize) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    digest.iter().take(count).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::validators::{is_iban, is_luhn};
    use crate::redact::{RuleFile, Settings, builtin};

    fn key(byte: u8) -> PseudonymKey {
        PseudonymKey::new([byte; 32])
    }

    fn canaries() -> Canaries {
        Canaries::of_run(&key(7), &Canaries::label("host", 1_700_000_000_000_000))
    }

    fn search(of: &Canaries) -> CanarySearch {
        CanarySearch::new([(Arc::from("run"), of)]).unwrap()
    }

    #[test]
    fn a_run_has_the_same_canaries_wherever_they_are_derived_and_no_other_run_has_them() {
        let all = |set: &Canaries| set.values().map(|(_, value)| value.to_owned()).collect::<Vec<_>>();
        assert_eq!(all(&canaries()), all(&canaries()));
        let other_run = Canaries::of_run(&key(7), &Canaries::label("host", 1_700_000_000_000_001));
        let other_key = Canaries::of_run(&key(8), &Canaries::label("host", 1_700_000_000_000_000));
        for (at, value) in all(&canaries()).iter().enumerate() {
            assert!(!all(&other_run).contains(value) && !all(&other_key).contains(value), "{at}");
        }
    }

    #[test]
    fn they_are_what_they_seem() {
        for run in 0..200 {
            let set = Canaries::of_run(&key(3), &Canaries::label("host", run));
            let [email, card, iban, token] = &set.values;
            assert!(is_luhn(card) && card.len() == 16, "{card}");
            assert!(is_iban(iban) && iban.len() == 22, "{iban}");
            assert!(email.ends_with("@example.org") && token.len() == 30);
        }
    }

    #[test]
    fn the_rules_of_the_product_let_none_through() {
        for run in 0..50 {
            let redactor = Redactor::compile(&builtin(), key(7), Settings::default()).unwrap();
            assert_eq!(Canaries::of_run(&key(7), &Canaries::label("h", run)).survivors(&redactor), []);
        }
        let strict = Settings { kept_paths: Some(vec!["id".into()]), ..Settings::default() };
        assert_eq!(canaries().survivors(&Redactor::compile(&builtin(), key(7), strict).unwrap()), []);
    }

    #[test]
    fn what_rules_let_through_is_told_by_place_without_the_value() {
        let none = Redactor::compile(&[], key(7), Settings::default()).unwrap();
        let leaks = canaries().survivors(&none);
        for what in WHAT {
            assert!(leaks.iter().any(|leak| leak.what == what), "{what}: {leaks:?}");
        }
        for part in [Part::Target, Part::Headers, Part::Body] {
            assert!(leaks.iter().any(|leak| leak.part == part), "{part:?}: {leaks:?}");
        }
        let text = format!("{leaks:?}");
        assert!(canaries().values().all(|(_, value)| !text.contains(value)));

        let without_email = |file: RuleFile| {
            let kept: Vec<&str> = file.text.split("[[rule]]").filter(|rule| !rule.contains("id = \"email\"")).collect();
            RuleFile { text: kept.join("[[rule]]"), ..file }
        };
        let files: Vec<RuleFile> = builtin().into_iter().map(without_email).collect();
        let leaks = canaries().survivors(&Redactor::compile(&files, key(7), Settings::default()).unwrap());
        assert!(!leaks.is_empty() && leaks.iter().all(|leak| leak.what == "e-mail"), "{leaks:?}");
    }

    #[test]
    fn they_are_found_however_they_are_written_and_wherever_a_buffer_ends() {
        let set = canaries();
        let [email, card, iban, _] = &set.values;
        let base64 = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
        let texts = [
            ("e-mail", email.to_uppercase()),
            ("e-mail", encoded(email)),
            ("e-mail", encoded(&encoded(email))),
            ("e-mail", email.replace('@', "\\u0040")),
            ("e-mail", base64(format!("{{\"e\":\"{email}\"}}"))),
            ("e-mail", base64(format!(" {{\"e\":\"{email}\"}}"))),
            ("e-mail", base64(format!("  {{\"e\":\"{email}\"}}"))),
            ("card", format!("x{card}y")),
            ("card", grouped(card, ' ')),
            ("IBAN", grouped(iban, '-')),
            ("IBAN", iban.to_lowercase()),
        ];
        for (what, text) in texts {
            let found = search(&set).find_in(text.as_bytes());
            assert!(found.iter().any(|found| found.what == what), "{what}");
            for before in [0, 1, 65_530, 65_536 * 3 - 7] {
                let mut file = vec![b'x'; before];
                file.extend_from_slice(text.as_bytes());
                file.extend_from_slice(&[b' '; 100]);
                let found = search(&set).find_in_stream(&file[..]).unwrap();
                assert!(found.iter().any(|found| found.what == what && found.count == 1), "{what} after {before}");
            }
        }
        assert_eq!(search(&set).find_in(b"ada@example.org 4111111111111111 nothing of ours"), []);
    }

    #[test]
    fn many_runs_are_one_search() {
        let sets: Vec<(Arc<str>, Canaries)> =
            (0..1_000).map(|run| (Arc::from(run.to_string()), Canaries::of_run(&key(1), &run.to_string()))).collect();
        let search = CanarySearch::new(sets.iter().map(|(run, set)| (Arc::clone(run), set))).unwrap();
        let found = search.find_in(sets[777].1.values[1].as_bytes());
        assert_eq!(found, [CanaryFound { run: Arc::from("777"), what: "card", count: 1 }]);
    }
}
