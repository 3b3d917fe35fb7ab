//! The guard of the request's framing takes any bytes, in any pieces, to the same end, and lets no head pass whose body
//! could be delimited in two ways.

#![no_main]

#[path = "../../../src/proxy/guard/fields.rs"]
mod fields;
#[path = "../../../src/proxy/guard/framing.rs"]
mod framing;

// The names under which the two files know the rest of the product.
mod exchange {
    pub use darklaunch::exchange::Refused;
}
mod http1 {
    pub use darklaunch::http1::*;
}
mod proxy {
    pub mod guard {
        pub(crate) use crate::fields;
    }
}

use framing::{Framing, Step};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Default, PartialEq)]
struct Seen {
    heads: Vec<Vec<u8>>,
    passed: Vec<u8>,
    end: Option<String>,
}

fn feed(pieces: &[&[u8]]) -> Seen {
    let (mut framing, mut held, mut seen) = (Framing::new(8192, 100), Vec::new(), Seen::default());
    for piece in pieces {
        held.extend_from_slice(piece);
        loop {
            let taken = match framing.step(&held) {
                Step::Need => break,
                Step::Data(bytes) | Step::Skip(bytes) | Step::End(bytes) => bytes,
                Step::Head(head) => {
                    seen.heads.push(held[..head.bytes].to_vec());
                    head.bytes
                }
                Step::Opaque => held.len(),
                Step::Refuse(refusal) => {
                    seen.end = Some(format!("{refusal:?}"));
                    return seen;
                }
                Step::Broken(text) => {
                    seen.end = Some(text.to_owned());
                    return seen;
                }
            };
            assert!(taken > 0 && taken <= held.len(), "every step but the first two takes something");
            seen.passed.extend(held.drain(..taken));
        }
    }
    seen
}

/// The lines of a good head, judged anew and simply.
fn is_clear(head: &[u8]) {
    let text: Vec<u8> = head.to_ascii_lowercase();
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let counted = |name: &[u8]| lines.iter().filter(|line| line.starts_with(name)).count();
    let (lengths, codings) = (counted(b"content-length:"), counted(b"transfer-encoding:"));
    assert!(lengths <= 1 && (lengths == 0 || codings == 0), "two ways to tell the body's end");
    assert!(counted(b"host:") <= 1, "two hosts");
    assert!(!lines.iter().skip(1).any(|line| line.starts_with(b" ") || line.starts_with(b"\t")), "a folded line");
    assert!(lines.iter().take(lines.len() - 1).all(|line| line.ends_with(b"\r")), "a bare line feed");
    assert!(!text.contains(&0), "a zero");
}

fuzz_target!(|input: &[u8]| {
    let Some((cuts, stream)) = input.split_at_checked(4) else { return };
    let mut at: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut) * (stream.len() + 1) / 256).collect();
    at.extend([0, stream.len()]);
    at.sort_unstable();
    let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
    let whole = feed(&[stream]);
    assert_eq!(whole, feed(&pieces));
    assert!(stream.starts_with(&whole.passed));
    whole.heads.iter().for_each(|head| is_clear(head));
});
