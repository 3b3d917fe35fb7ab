//! Binary bodies of the media types that an integration keeps: every text in them is judged as plain text is.
//!
//! Nothing in such a body can be replaced without breaking it, so one finding drops it whole. What a body draws, says or
//! encrypts is not read, nor is what a picture, a sound or a font compresses; zlib streams of other types are.

use crate::exchange::DropReason;
use crate::redact::format::media::{Claim, MediaType, claim};
use crate::redact::matching::gate::kinds_of;
use crate::redact::pass::{Pass, Place};
use crate::redact::stand_in::residue::decode_runs;
use flate2::bufread::ZlibDecoder;
use std::io::Read as _;

/// Shorter runs are noise, characters.
const RUN_CHARS_MIN: usize = 4;
/// A body of which more than so many percent is readable is a text, whatever it claims.
const READABLE_PERCENT_MAX: usize = 90;
/// Streams that begin within each other are read so many times over at most: a body that asks for more is hostile.
const INFLATE_WORK_MAX: usize = 8;
/// What beginning to read a stream costs, as bytes read.
const INFLATE_BYTES: usize = 256;
/// Characters of UTF-16 that make a run: Latin, Greek and Cyrillic, since every pair of bytes is a character of some script.
const WIDE_CHAR_MAX: char = '\u{52f}';

/// Whether bodies of a media type may be kept although they are binary: it is written as `type/subtype`, and is not one of
/// those that are read as text or that hold other documents.
pub(in crate::redact) fn is_keepable(essence: &str) -> bool {
    let token = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && !b"*;,\"".contains(&b));
    let shaped =
        essence.split_once('/').is_some_and(|(family, kind)| token(family) && token(kind) && !kind.contains('/'));
    let (_, kind) = essence.split_once('/').unwrap_or_default();
    let archive = [
        "zip",
        "gzip",
        "zstd",
        "x-tar",
        "x-7z-compressed",
        "x-bzip2",
        "x-gzip",
        "x-zip-compressed",
        "vnd.rar",
        "java-archive",
    ]
    .contains(&kind)
        || kind.ends_with("+zip")
        || kind.ends_with("+gzip")
        || kind.ends_with("+zstd")
        || kind.starts_with("vnd.openxmlformats")
        || kind.starts_with("vnd.oasis.opendocument");
    let lower = essence.bytes().all(|b| !b.is_ascii_uppercase());
    shaped && lower && !archive && matches!(claim(essence), Ok(Claim::Nothing) | Err(_))
}

/// Whether a body of this type is kept if nothing is found in it. One that is a text goes the way of texts.
pub(in crate::redact) fn is_kept(pass: &Pass<'_>, content_type: Option<&str>, bytes: &[u8]) -> bool {
    let kept = &pass.redactor.settings.kept_binary;
    // Strict mode keeps what stands at its paths, and nothing else.
    if kept.is_empty() || pass.redactor.strict.is_some() || bytes.is_empty() {
        return false;
    }
    let essence = MediaType::of(content_type.unwrap_or_default()).essence;
    kept.contains(&essence) && !is_text(bytes)
}

/// Judges a binary body.
///
/// # Errors
/// `BinaryFinding` if a rule strikes anywhere in it, or what another part of the capture showed is in it; `Bomb` if what is
/// compressed in it is larger than a body may become.
pub(in crate::redact) fn document(
    pass: &mut Pass<'_>,
    content_type: Option<&str>,
    bytes: &[u8],
) -> Result<Vec<u8>, DropReason> {
    judge(pass, bytes)?;
    if !is_media(content_type) {
        let mut left =
            Left { out: pass.redactor.settings.expanded_bytes_max, work: bytes.len().saturating_mul(INFLATE_WORK_MAX) };
        for at in memchr::memchr_iter(b'x', bytes) {
            judge(pass, &left.inflate(&bytes[at..])?)?;
        }
    }
    Ok(bytes.to_vec())
}

/// Pictures, sounds and fonts: what they compress is no text.
fn is_media(content_type: Option<&str>) -> bool {
    let essence = MediaType::of(content_type.unwrap_or_default()).essence;
    ["image/", "audio/", "video/", "font/"].iter().any(|family| essence.starts_with(family))
}

fn judge(pass: &mut Pass<'_>, bytes: &[u8]) -> Result<(), DropReason> {
    let mut together = String::new();
    for run in runs(bytes) {
        clean(pass.value(run, Place::BARE))?;
        together.push_str(run);
        together.push('\n');
    }
    // Words that stand apart may say together what each does not.
    clean(pass.scan_bare(&together))?;
    for wide in WIDE {
        let text = wide_runs(bytes, wide);
        if !text.is_empty() {
            clean(pass.value(&text, Place::BARE))?;
            decode_runs(&text, kinds_of(text.as_bytes()), &mut pass.decoded);
            // The search of the whole capture knows no UTF-16 and nothing compressed.
            pass.decoded.extend_from_slice(text.as_bytes());
            pass.decoded.push(b' ');
        }
    }
    pass.decoded.extend_from_slice(together.as_bytes());
    Ok(())
}

fn clean(judged: Result<Option<String>, DropReason>) -> Result<(), DropReason> {
    match judged {
        Ok(None) => Ok(()),
        Ok(Some(_)) | Err(_) => Err(DropReason::BinaryFinding),
    }
}

/// Whether a body is a text in some charset: nothing in it is a control character, or next to nothing is not readable.
fn is_text(bytes: &[u8]) -> bool {
    let marked = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.starts_with(b"\xef\xbb\xbf");
    let control = |b: &u8| b.is_ascii_control() && !b.is_ascii_whitespace();
    let readable = runs(bytes).map(str::len).sum::<usize>();
    marked || !bytes.iter().any(control) || readable * 100 > bytes.len() * READABLE_PERCENT_MAX
}

/// Runs of readable characters, ASCII and others of UTF-8.
fn runs(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let texts = bytes.utf8_chunks().flat_map(|chunk| chunk.valid().split(|c: char| c.is_control() && c != '\t'));
    texts.filter(|text| text.chars().nth(RUN_CHARS_MIN - 1).is_some())
}

/// A way in which UTF-16 may stand in a body: its order of bytes, and whether it begins at an odd place.
type Wide = (fn([u8; 2]) -> u16, usize);

const WIDE: [Wide; 4] =
    [(u16::from_le_bytes, 0), (u16::from_be_bytes, 0), (u16::from_le_bytes, 1), (u16::from_be_bytes, 1)];

/// Runs of readable characters in UTF-16, a line each.
fn wide_runs(bytes: &[u8], (unit, skipped): Wide) -> String {
    let (pairs, _) = bytes.get(skipped..).unwrap_or_default().as_chunks::<2>();
    let readable = |pair: &[u8; 2]| {
        let known = char::from_u32(u32::from(unit(*pair)));
        known.filter(|c| *c <= WIDE_CHAR_MAX && (!c.is_control() || *c == '\t'))
    };
    let mut all = String::new();
    for run in pairs.chunk_by(|a, b| readable(a).is_some() == readable(b).is_some()) {
        if run.len() >= RUN_CHARS_MIN && run.first().is_some_and(|pair| readable(pair).is_some()) {
            all.extend(run.iter().filter_map(readable));
            all.push('\n');
        }
    }
    all
}

/// What may still be spent on the zlib streams of a body, bytes.
struct Left {
    /// They may still become so much.
    out: usize,
    /// So much may still be read to find them.
    work: usize,
}

impl Left {
    /// What the zlib stream (RFC 1950) that may begin here holds, as far as it can be read; nothing if none begins.
    fn inflate(&mut self, bytes: &[u8]) -> Result<Vec<u8>, DropReason> {
        let mut out = Vec::new();
        let begins = |flags: u8| (0x7800 + u32::from(flags)).is_multiple_of(31) && flags & 0x20 == 0;
        if bytes.get(1).is_some_and(|flags| begins(*flags)) {
            let mut decoder = ZlibDecoder::new(bytes);
            // A stream that is cut, or was none, gives what it gave.
            let _ = decoder.by_ref().take(self.out as u64 + 1).read_to_end(&mut out);
            let read = usize::try_from(decoder.total_in()).unwrap_or(usize::MAX);
            self.work = self.work.checked_sub(read.saturating_add(INFLATE_BYTES)).ok_or(DropReason::Bomb)?;
            self.out = self.out.checked_sub(out.len()).ok_or(DropReason::Bomb)?;
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{BodyCopy, Capture, CaptureId, Exchange, Outcome, RequestCopy, ResponseCopy, Role, Timings};
    use crate::redact::{Canaries, PseudonymKey, Redactor, Settings, builtin};
    use http::header::CONTENT_TYPE;
    use http::{HeaderMap, HeaderValue, Method};
    use std::io::Write as _;
    use std::sync::LazyLock;

    /// Built-in rules that keep three types.
    static KEEPS: LazyLock<Redactor> = LazyLock::new(|| {
        let kept = ["image/png", "application/pdf", "application/octet-stream"].map(str::to_owned).to_vec();
        let settings = Settings { kept_binary: kept, ..Settings::default() };
        Redactor::compile(&builtin(), PseudonymKey::new([3; 32]), settings).unwrap()
    });

    /// Bytes of every value, the same each time (splitmix64).
    fn noise(length: usize, mut seed: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bytes.extend((z ^ (z >> 31)).to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }

    /// A picture with one more chunk before its pixels.
    fn png(chunk: &[u8]) -> Vec<u8> {
        let head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x20\0\0\0\x20\x08\x06\0\0\0\x73\x7a\x7a\xf4";
        [&head[..], chunk, b"\0\0\x04\0IDAT", &noise(1_024, 5), b"\0\0\0\0IEND\xaeB`\x82"].concat()
    }

    fn kept(kind: &str, bytes: &[u8]) -> Result<(), DropReason> {
        KEEPS.body(kind, bytes).map(|body| assert_eq!(*body, bytes))
    }

    fn wide(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    fn zlib(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn nothing_is_kept_without_being_named() {
        let plain = Redactor::compile(&builtin(), PseudonymKey::new([3; 32]), Settings::default()).unwrap();
        assert_eq!(plain.body("image/png", &png(b"")).unwrap_err(), DropReason::UnknownType);
        assert_eq!(kept("image/png", &png(b"")), Ok(()));
        assert_eq!(kept("image/jpeg", &png(b"")), Err(DropReason::UnknownType));
        assert_ne!(plain.hash(), KEEPS.hash(), "what was stored under either is told apart");
    }

    #[test]
    fn what_is_a_text_goes_the_way_of_texts() {
        assert_eq!(kept("image/png", b"Dear Ada Lovelace, no picture"), Err(DropReason::UnknownType));
        assert_eq!(kept("application/pdf", &wide("\u{feff}a text", u16::to_le_bytes)), Err(DropReason::UnknownType));
        let mut nearly = b"a long text with a mail to ada@example.org ".repeat(20);
        nearly.push(0);
        assert_eq!(kept("application/octet-stream", &nearly), Err(DropReason::UnknownType));
        let text = KEEPS.body("application/octet-stream", b"{\"email\":\"ada@example.org\"}").unwrap();
        assert!(text.starts_with(b"{\"email\":\"") && !text.windows(3).any(|word| word == b"ada"));
    }

    #[test]
    fn a_finding_in_any_spelling_drops_the_body() {
        let of_pdf =
            |stream: Vec<u8>| [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\nstream\n".to_vec(), stream, noise(300, 2)].concat();
        let mail = "write to ada.lovelace@corp-mail.com";
        let cases = [
            ("image/png", png(format!("\0\0\0\x30tEXtComment\0{mail}\0").as_bytes())),
            ("image/png", png(b"\0\0\0\x30tEXtComment\0card 4111 1111 1111 1111 \0")),
            ("image/png", png(b"\0\0\0\x30iTXtn\0{\"password\":\"hunter2hunter2\"}\0")),
            ("image/png", png(&wide(mail, u16::to_le_bytes))),
            ("image/png", png(&[b"x".to_vec(), wide(mail, u16::to_le_bytes)].concat())),
            ("image/png", png(&wide(mail, u16::to_be_bytes))),
            ("image/png", png(&[b"x".to_vec(), wide(mail, u16::to_be_bytes)].concat())),
            ("application/pdf", of_pdf(zlib(&format!("BT ({mail}) Tj ET")))),
        ];
        for (at, (kind, bytes)) in cases.iter().enumerate() {
            assert_eq!(kept(kind, bytes), Err(DropReason::BinaryFinding), "case {at}");
        }
        let bomb = zlib(&" ".repeat(9 << 20));
        assert_eq!(kept("application/pdf", &of_pdf(bomb)), Err(DropReason::Bomb));
        let begins = b"x\x9c\0".repeat(100_000);
        assert_eq!(
            kept("application/pdf", &begins),
            Err(DropReason::Bomb),
            "time grows with the body, not with its square"
        );
        assert_eq!(kept("application/pdf", &of_pdf(zlib("BT (Hello) Tj ET"))), Ok(()));
    }

    #[test]
    fn canaries_are_found_and_noise_is_none() {
        for (what, value) in Canaries::of_run(&PseudonymKey::new([3; 32]), "binary").values() {
            let mut body = noise(2_000, 7);
            body.splice(900..900, format!("\0{what}: {value}\0").into_bytes());
            assert_eq!(kept("application/octet-stream", &body), Err(DropReason::BinaryFinding), "{what}");
        }
        let dropped = (0..200).filter(|seed| kept("image/png", &noise(4_096, *seed)).is_err()).count();
        assert!(dropped <= 2, "{dropped} of 200 bodies of noise are dropped");
    }

    #[test]
    fn what_the_rest_of_the_capture_shows_may_not_be_in_a_body() {
        let answer = |kind: &'static str, body: Vec<u8>| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
            let response = ResponseCopy { status: 200, headers, body: BodyCopy::complete(body.into()) };
            Exchange {
                role: Role::Shadow,
                started_unix_us: 0,
                response: Some(response),
                failure: None,
                outcome: Outcome::Ok,
                timings: Timings::default(),
            }
        };
        // A name by itself is found by no rule; that it is one, the primary's answer tells.
        let json = b"{\"first_name\":\"Annabella\",\"last_name\":\"Zweistein\"}".to_vec();
        let recorded = |body: Vec<u8>| {
            let raw = Capture {
                id: CaptureId::fresh(),
                integration: "payments".into(),
                endpoint: "GET /photo".into(),
                received_unix_us: 0,
                request: RequestCopy {
                    method: Method::GET,
                    target: "/photo".into(),
                    headers: HeaderMap::new(),
                    body: BodyCopy::empty(),
                },
                primary: Some(answer("application/json", json.clone())),
                shadow: answer("image/png", body),
            };
            KEEPS.capture(raw).into_inner().capture.shadow.response.unwrap().body
        };
        assert_eq!(recorded(png(b"")).bytes, png(b""));
        let shown = [png(b"\0Zweistein\0"), png(&wide("Zweistein", u16::to_be_bytes))];
        for body in shown {
            let reason = recorded(body).drop_reason();
            assert!(matches!(reason, Some(DropReason::Residue | DropReason::BinaryFinding)), "{reason:?}");
        }
    }

    #[test]
    fn only_binary_types_may_be_named() {
        for kind in ["image/png", "application/pdf", "application/octet-stream", "font/woff2", "application/vnd.acme"] {
            assert!(is_keepable(kind), "{kind}");
        }
        let refused = [
            "",
            "png",
            "image/*",
            "IMAGE/PNG",
            "image/svg+xml",
            "application/json",
            "text/plain",
            "application/zip",
            "application/vnd.acme+zip",
            "multipart/mixed",
            "image/png; q=1",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ];
        for kind in refused {
            assert!(!is_keepable(kind), "{kind}");
        }
    }
}
