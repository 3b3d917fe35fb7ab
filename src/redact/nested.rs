//! Documents inside strings: JSON as text, and base64 of JSON.

use crate::exchange::DropReason;
use crate::redact::json;
use crate::redact::pass::{NESTED_DEPTH_MAX, Pass, Place};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// `Some` if the string holds a document: then what it becomes, if it changes.
pub(in crate::redact) fn document(
    pass: &mut Pass<'_>,
    raw: &str,
    place: Place<'_>,
) -> Result<Option<Option<String>>, DropReason> {
    let text = raw.trim();
    if is_json_like(text) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return inner(pass, raw, place).map(|fresh| Some((fresh != raw).then_some(fresh)));
    }
    if text.len() < 12 || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/-_=".contains(&b)) {
        return Ok(None);
    }
    for engine in [&STANDARD, &URL_SAFE, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        let Some(decoded) = engine.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else { continue };
        if decoded.chars().any(|c| c.is_control() && !c.is_whitespace()) {
            continue;
        }
        if place.depth >= NESTED_DEPTH_MAX {
            return if is_json_like(decoded.trim()) { Err(DropReason::TooDeep) } else { Ok(None) };
        }
        let fresh = pass.value(&decoded, Place { depth: place.depth + 1, ..place })?;
        // A plain word may decode to text by chance; only what changes inside is taken for base64.
        return Ok(fresh.map(|fresh| Some(engine.encode(fresh))));
    }
    Ok(None)
}

fn is_json_like(text: &str) -> bool {
    text.len() > 2 && (text.starts_with('{') && text.ends_with('}') || text.starts_with('[') && text.ends_with(']'))
}

fn inner(pass: &mut Pass<'_>, raw: &str, place: Place<'_>) -> Result<String, DropReason> {
    if place.depth >= NESTED_DEPTH_MAX {
        return Err(DropReason::TooDeep);
    }
    json::document(pass, raw, Place { depth: place.depth + 1, ..place })
}
