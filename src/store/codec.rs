//! How header lines and bodies lie in their columns.

use http::HeaderMap;
use std::fmt;
use zstd::bulk::Compressor;

/// zstd level 1: half the bytes at hundreds of MB/s; higher levels cost more than they save on bodies of a few KiB.
const LEVEL: i32 = 1;
/// Header blocks are a few hundred bytes: below zero zstd leaves out the tables of letters, whose making costs more than
/// they save there.
const HEADER_LEVEL: i32 = -3;
/// Below this compression does not pay for its frame, bytes.
const PLAIN_BYTES_MAX: usize = 64;
/// The most a stored header block may expand to, bytes: more than any header block the proxy accepts.
const HEADER_BLOCK_BYTES_MAX: usize = 4 << 20;

/// Packs one body after the other: making zstd's context ready costs more than packing a body of a few KiB with it.
#[derive(Default)]
pub struct Packer {
    bodies: Option<Compressor<'static>>,
    headers: Option<Compressor<'static>>,
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packer")
    }
}

impl Packer {
    /// Header lines as stored: names and values with their lengths, repeated names in order, any bytes, then zstd.
    pub fn headers(&mut self, headers: &HeaderMap) -> std::io::Result<Vec<u8>> {
        compress(&mut self.headers, HEADER_LEVEL, &header_block(headers))
    }

    /// The coding (0 plain, 1 zstd) and the bytes of a body as stored: whichever is smaller.
    pub fn body(&mut self, body: &[u8]) -> std::io::Result<(i64, Vec<u8>)> {
        if body.len() > PLAIN_BYTES_MAX {
            let packed = compress(&mut self.bodies, LEVEL, body)?;
            if packed.len() < body.len() {
                return Ok((1, packed));
            }
        }
        Ok((0, body.to_vec()))
    }
}

fn compress(kept: &mut Option<Compressor<'static>>, level: i32, plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let compressor = match kept.take() {
        Some(compressor) => compressor,
        None => Compressor::new(level)?,
    };
    kept.insert(compressor).compress(plain)
}

fn header_block(headers: &HeaderMap) -> Vec<u8> {
    let mut plain = Vec::new();
    for (name, value) in headers {
        let (name, value) = (name.as_str().as_bytes(), value.as_bytes());
        let (Ok(name_bytes), Ok(value_bytes)) = (u16::try_from(name.len()), u32::try_from(value.len())) else {
            continue;
        };
        plain.extend_from_slice(&name_bytes.to_be_bytes());
        plain.extend_from_slice(name);
        plain.extend_from_slice(&value_bytes.to_be_bytes());
        plain.extend_from_slice(value);
    }
    plain
}

/// The lines of a stored block; values that are no UTF-8 become their Latin-1 characters, as RFC 9110 reads them.
pub fn unpack_headers(block: &[u8]) -> Result<Vec<(String, String)>, String> {
    let plain = zstd::bulk::decompress(block, HEADER_BLOCK_BYTES_MAX).map_err(|e| format!("header block: {e}"))?;
    let mut rest = plain.as_slice();
    let mut lines = Vec::new();
    while !rest.is_empty() {
        let name = take_counted::<2>(&mut rest).ok_or("header block: a name is cut")?;
        let value = take_counted::<4>(&mut rest).ok_or("header block: a value is cut")?;
        lines.push((text(name), text(value)));
    }
    Ok(lines)
}

fn take_counted<'a, const WIDTH: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (count, after) = rest.split_first_chunk::<WIDTH>()?;
    let count = count.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let (taken, after) = after.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// The body of a stored row.
pub fn unpack_body(coding: i64, size: i64, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let size = usize::try_from(size).map_err(|_| format!("body of {size} bytes"))?;
    let body = match coding {
        0 => bytes,
        1 => {
            // The frame states its size; asking for more than that would let a damaged row allocate what it likes.
            let stated = zstd::zstd_safe::get_frame_content_size(&bytes).ok().flatten();
            if stated != Some(size as u64) {
                return Err("body: its frame states another size than its row".to_owned());
            }
            // zstd cannot pack more than this ratio, so a larger claim is damage.
            if size / 50_000 > bytes.len() {
                return Err("body: its row claims an impossible size".to_owned());
            }
            zstd::bulk::decompress(&bytes, size).map_err(|e| format!("body: {e}"))?
        }
        other => return Err(format!("body: unknown coding {other}")),
    };
    if body.len() == size { Ok(body) } else { Err(format!("body: {} bytes, its row says {size}", body.len())) }
}
