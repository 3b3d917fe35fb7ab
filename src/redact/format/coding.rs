//! Content codings (RFC 9110, section 8.4.1), undone within limits. What is cut short, or goes on after its end, is no
//! body we know.

use crate::exchange::DropReason;
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use std::io::Read;

/// Codings on top of each other, at most.
const CODINGS_MAX: usize = 3;
/// Largest window of a zstd frame, as a power of two.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
const BROTLI_BUFFER_BYTES: usize = 1 << 16;

/// Undoes the content codings of a body; `max` bounds the size after each of them, in bytes.
pub(in crate::redact) fn content(headers: &HeaderMap, bytes: &[u8], max: usize) -> Result<Vec<u8>, DropReason> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = value.to_str().map_err(|_| DropReason::Undecodable)?;
        codings.extend(value.split(',').map(|coding| coding.trim().to_ascii_lowercase()));
    }
    codings.retain(|coding| !coding.is_empty() && coding != "identity");
    if codings.len() > CODINGS_MAX {
        return Err(DropReason::Bomb);
    }
    let mut bytes = bytes.to_vec();
    for coding in codings.iter().rev() {
        bytes = undo(coding, &bytes, max)?;
    }
    Ok(bytes)
}

/// What begins every stream of gzip (RFC 1952).
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// Undoes gzip, if that is what bytes begin with.
pub(in crate::redact) fn gunzip(bytes: &[u8], max: usize) -> Option<Result<Vec<u8>, DropReason>> {
    bytes.starts_with(&GZIP).then(|| undo("gzip", bytes, max))
}

/// A stream of gzip without a name or a time, so that equal texts become equal streams.
pub(in crate::redact) fn gzip(text: &str) -> Result<Vec<u8>, DropReason> {
    let mut encoder = flate2::bufread::GzEncoder::new(text.as_bytes(), flate2::Compression::default());
    let mut out = Vec::new();
    encoder.read_to_end(&mut out).map_err(|_| DropReason::Internal)?;
    Ok(out)
}

fn undo(coding: &str, bytes: &[u8], max: usize) -> Result<Vec<u8>, DropReason> {
    match coding {
        "gzip" | "x-gzip" => limited(&mut flate2::bufread::MultiGzDecoder::new(bytes), max),
        // Both meanings of `deflate` are in use: with the zlib frame, and without.
        "deflate" => match zlib(bytes, max) {
            Err(DropReason::Undecodable) => {
                let mut decoder = flate2::bufread::DeflateDecoder::new(bytes);
                let out = limited(&mut decoder, max)?;
                ended(decoder.into_inner(), out)
            }
            other => other,
        },
        "br" => brotli(bytes, max),
        "zstd" => {
            let mut decoder = zstd::stream::read::Decoder::new(bytes).map_err(|_| DropReason::Undecodable)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|_| DropReason::Undecodable)?;
            limited(&mut decoder, max)
        }
        _ => Err(DropReason::Undecodable),
    }
}

fn zlib(bytes: &[u8], max: usize) -> Result<Vec<u8>, DropReason> {
    let mut decoder = flate2::bufread::ZlibDecoder::new(bytes);
    let out = limited(&mut decoder, max)?;
    ended(decoder.into_inner(), out)
}

fn brotli(bytes: &[u8], max: usize) -> Result<Vec<u8>, DropReason> {
    let alloc = StandardAlloc::default();
    let mut state = BrotliState::new(alloc, alloc, alloc);
    let (mut left, mut read, mut total) = (bytes.len(), 0, 0);
    let mut out = Vec::new();
    let mut buffer = vec![0; BROTLI_BUFFER_BYTES];
    loop {
        let (mut room, mut written) = (buffer.len(), 0);
        // The reader would not tell what stands after the stream's end; this does.
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            bytes,
            &mut room,
            &mut written,
            &mut buffer,
            &mut total,
            &mut state,
        );
        out.extend_from_slice(&buffer[..written]);
        match result {
            _ if out.len() > max => return Err(DropReason::Bomb),
            BrotliResult::ResultSuccess => return ended(&bytes[read..], out),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput | BrotliResult::ResultFailure => return Err(DropReason::Undecodable),
        }
    }
}

/// The result, if nothing follows what was decoded.
fn ended(rest: &[u8], out: Vec<u8>) -> Result<Vec<u8>, DropReason> {
    if rest.is_empty() { Ok(out) } else { Err(DropReason::Undecodable) }
}

fn limited(reader: &mut impl Read, max: usize) -> Result<Vec<u8>, DropReason> {
    let mut out = Vec::new();
    reader.take(max as u64 + 1).read_to_end(&mut out).map_err(|_| DropReason::Undecodable)?;
    if out.len() > max { Err(DropReason::Bomb) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use std::io::Write;

    const TEXT: &[u8] = b"a text of some length, of some length, of some length";

    fn encoded(coding: &str) -> Vec<u8> {
        let level = flate2::Compression::default();
        match coding {
            "gzip" => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(TEXT).unwrap();
                encoder.finish().unwrap()
            }
            "zlib" => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(TEXT).unwrap();
                encoder.finish().unwrap()
            }
            "raw" => {
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(TEXT).unwrap();
                encoder.finish().unwrap()
            }
            // One uncompressed block: a stream that any decoder reads.
            "br" => {
                let len = TEXT.len() as u32 - 1;
                // Window of 16 bits; not the last block; four nibbles of length; uncompressed.
                let bits: u64 = u64::from(len) << 4 | 1 << 20;
                let mut out = bits.to_le_bytes()[..3].to_vec();
                out.extend_from_slice(TEXT);
                out.push(0b11);
                out
            }
            _ => zstd::encode_all(TEXT, 3).unwrap(),
        }
    }

    fn decode(coding: &str, bytes: &[u8]) -> Result<Vec<u8>, DropReason> {
        let mut headers = HeaderMap::new();
        let name = if matches!(coding, "zlib" | "raw") { "deflate" } else { coding };
        headers.insert(CONTENT_ENCODING, HeaderValue::from_str(name).unwrap());
        content(&headers, bytes, 1 << 20)
    }

    #[test]
    fn whole_bodies_decode_and_no_others() {
        for coding in ["gzip", "zlib", "raw", "br", "zstd"] {
            let bytes = encoded(coding);
            assert_eq!(decode(coding, &bytes).as_deref(), Ok(TEXT), "{coding}");
            for cut in 0..bytes.len() {
                assert_eq!(decode(coding, &bytes[..cut]), Err(DropReason::Undecodable), "{coding} cut at {cut}");
            }
            let long = [&bytes[..], b"garbage"].concat();
            assert_eq!(decode(coding, &long), Err(DropReason::Undecodable), "{coding} goes on");
        }
    }

    #[test]
    fn codings_are_few() {
        let four = "gzip, gzip, gzip, gzip";
        assert_eq!(decode(four, b""), Err(DropReason::Bomb));
        let twice = {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&encoded("gzip")).unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(decode("gzip, identity, x-gzip", &twice).as_deref(), Ok(TEXT));
    }
}
