//! From the bytes on the wire to text of a known kind, within limits; what stays unclear is dropped.

use crate::exchange::DropReason;
use crate::redact::pass::{Pass, Place};
use crate::redact::{form, json, xml};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use std::io::Read;

/// Undoes the content codings of a body.
pub(in crate::redact) fn content(headers: &HeaderMap, bytes: &[u8], max: usize) -> Result<Vec<u8>, DropReason> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = value.to_str().map_err(|_| DropReason::Undecodable)?;
        codings.extend(value.split(',').map(|coding| coding.trim().to_ascii_lowercase()));
    }
    codings.retain(|coding| !coding.is_empty() && coding != "identity");
    if codings.len() > 3 {
        return Err(DropReason::Bomb);
    }
    let mut bytes = bytes.to_vec();
    for coding in codings.iter().rev() {
        bytes = match coding.as_str() {
            "gzip" | "x-gzip" => limited(flate2::read::MultiGzDecoder::new(&bytes[..]), max)?,
            // Both meanings of `deflate` are in use: with the zlib frame, and without.
            "deflate" => match limited(flate2::read::ZlibDecoder::new(&bytes[..]), max) {
                Err(DropReason::Undecodable) => limited(flate2::read::DeflateDecoder::new(&bytes[..]), max)?,
                other => other?,
            },
            "br" => limited(brotli_decompressor::Decompressor::new(&bytes[..], 4096), max)?,
            "zstd" => {
                let decoder = zstd::stream::read::Decoder::new(&bytes[..]);
                let mut decoder = decoder.map_err(|_| DropReason::Undecodable)?;
                decoder.window_log_max(27).map_err(|_| DropReason::Undecodable)?;
                limited(decoder, max)?
            }
            _ => return Err(DropReason::Undecodable),
        };
    }
    Ok(bytes)
}

fn limited(reader: impl Read, max: usize) -> Result<Vec<u8>, DropReason> {
    let mut out = Vec::new();
    reader.take(max as u64 + 1).read_to_end(&mut out).map_err(|_| DropReason::Undecodable)?;
    if out.len() > max { Err(DropReason::Bomb) } else { Ok(out) }
}

/// The kinds of body we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    JsonLines,
    Events,
    Form,
    Markup,
    Text,
}

/// Redacts a body without content coding.
pub(in crate::redact) fn body(
    pass: &mut Pass<'_>,
    content_type: Option<&str>,
    bytes: &[u8],
) -> Result<Vec<u8>, DropReason> {
    if bytes.len() > pass.redactor.settings.expanded_bytes_max {
        return Err(DropReason::OverCap);
    }
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let content_type = content_type.unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    let latin1 = match charset.as_deref() {
        None | Some("" | "utf-8" | "utf8" | "us-ascii" | "ascii") => false,
        Some("iso-8859-1" | "latin1" | "iso8859-1") => true,
        Some(_) => return Err(DropReason::UnknownCharset),
    };
    let claimed = format(&essence)?;
    let text = if latin1 {
        bytes.iter().map(|b| char::from(*b)).collect()
    } else {
        let wrong = if claimed.is_some() { DropReason::Unparseable } else { DropReason::UnknownType };
        std::str::from_utf8(bytes).map_err(|_| wrong)?.to_owned()
    };
    let format = match claimed {
        Some(Format::Text) | None => sniff(&text, claimed)?,
        Some(format) => format,
    };
    let fresh = as_format(pass, format, &text)?;
    if latin1 {
        return fresh.chars().map(|c| u8::try_from(u32::from(c)).map_err(|_| DropReason::Internal)).collect();
    }
    Ok(fresh.into_bytes())
}

/// What a media type claims; `None` if there is no claim.
fn format(essence: &str) -> Result<Option<Format>, DropReason> {
    Ok(Some(match essence {
        "" => return Ok(None),
        "application/json" | "text/json" | "application/csp-report" => Format::Json,
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonlines"
        | "application/jsonlines" => Format::JsonLines,
        "text/event-stream" => Format::Events,
        "application/x-www-form-urlencoded" => Format::Form,
        "application/xml" | "text/xml" | "text/html" => Format::Markup,
        "application/graphql"
        | "application/javascript"
        | "application/yaml"
        | "application/x-yaml"
        | "application/toml" => Format::Text,
        other if other.ends_with("+json") => Format::Json,
        other if other.ends_with("+xml") => Format::Markup,
        other if other.starts_with("text/") => Format::Text,
        _ => return Err(DropReason::UnknownType),
    }))
}

fn sniff(text: &str, claimed: Option<Format>) -> Result<Format, DropReason> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(start).is_ok() {
        return Ok(Format::Json);
    }
    if start.starts_with('<') {
        return Ok(Format::Markup);
    }
    let control = text.chars().any(|c| c.is_control() && !c.is_whitespace());
    if claimed.is_none() && control { Err(DropReason::UnknownType) } else { Ok(Format::Text) }
}

fn as_format(pass: &mut Pass<'_>, format: Format, text: &str) -> Result<String, DropReason> {
    match format {
        Format::Json => {
            let start = text.strip_prefix('\u{feff}').unwrap_or(text);
            json::document(pass, start, Place::BARE)
        }
        Format::JsonLines => lines(text, |line| match line.trim().is_empty() {
            true => Ok(line.to_owned()),
            false => json::document(pass, line, Place::BARE),
        }),
        Format::Events => lines(text, |line| {
            let Some((field, rest)) = line.split_once(':') else { return Ok(line.to_owned()) };
            let data = rest.trim_start_matches(' ');
            let space = &rest[..rest.len() - data.len()];
            let fresh = pass.value(data, Place::BARE)?;
            Ok(format!("{field}:{space}{}", fresh.as_deref().unwrap_or(data)))
        }),
        Format::Form => form::form(pass, text.trim_end_matches(['\r', '\n']), 0),
        Format::Markup => xml::document(pass, text),
        Format::Text => Ok(pass.value(text, Place::BARE)?.unwrap_or_else(|| text.to_owned())),
    }
}

fn lines(text: &str, mut each: impl FnMut(&str) -> Result<String, DropReason>) -> Result<String, DropReason> {
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let bare = line.strip_suffix('\r').unwrap_or(line);
        out.push_str(&each(bare)?);
        out.push_str(&line[bare.len()..]);
    }
    Ok(out)
}
