//! From bytes to named leaves and back: the charset, the format by claim and by looks, then the format's own parser.

use crate::exchange::DropReason;
use crate::redact::format::charset::Text;
use crate::redact::format::media::{Claim, Format, MediaType, claim};
use crate::redact::format::{
    assignments, binary, card, csv, dsn, edifact, events, form, gedcom, graphql, hl7, html, json, jwt, ldif, lines,
    message, multipart, nacha, ofx, sniff, swift, x12, xdt, xml, zpl,
};
use crate::redact::pass::{NESTED_DEPTH_MAX, Pass, Place};
use std::borrow::Cow;

pub(in crate::redact) use crate::redact::format::coding::content;

/// Redacts a body without content coding.
pub(in crate::redact) fn body(
    pass: &mut Pass<'_>,
    content_type: Option<&str>,
    bytes: &[u8],
) -> Result<Vec<u8>, DropReason> {
    if bytes.len() > pass.redactor.settings.expanded_bytes_max {
        return Err(DropReason::OverCap);
    }
    pass.expanded_bytes = 0;
    if binary::is_kept(pass, content_type, bytes) {
        return binary::document(pass, content_type, bytes);
    }
    part(pass, content_type, bytes, Place::BARE)
}

/// Redacts a body that may be a part of another one, and so may have a name.
pub(in crate::redact) fn part(
    pass: &mut Pass<'_>,
    content_type: Option<&str>,
    bytes: &[u8],
    place: Place<'_>,
) -> Result<Vec<u8>, DropReason> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let media = MediaType::of(content_type.unwrap_or_default());
    let claim = claim(&media.essence)?;
    match claim {
        // These hold parts with charsets of their own.
        Claim::Format(Format::Multipart) => return multipart::document(pass, &media, bytes, place),
        Claim::Format(Format::Message) => return message::document(pass, bytes, place),
        _ => {}
    }
    let label = media.parameter("charset");
    // Without a claim a body is text only if it says so itself, or is UTF-8.
    let unknown = |reason| if claim == Claim::Nothing && label.is_none() { DropReason::UnknownType } else { reason };
    let markup = matches!(claim, Claim::Format(Format::Xml | Format::Html) | Claim::Text | Claim::Nothing);
    let decoded = Text::decode(bytes, label, markup).map_err(unknown)?;
    if let Some(seen) = decoded.ascii_seen(bytes)
        && pass.value(&seen, Place::BARE)?.is_some()
    {
        return Err(DropReason::Unparseable);
    }
    let format = chosen(pass, claim, &decoded.text)?;
    let fresh = match format {
        Format::Multipart => utf8(multipart::document(pass, &media, decoded.text.as_bytes(), place)?)?,
        Format::Message => utf8(message::document(pass, decoded.text.as_bytes(), place)?)?,
        format => text(pass, format, &decoded.text, place)?,
    };
    let mentioned = || {
        pass.residue().is_some_and(|residue| residue.is_mentioned(fresh.as_bytes()) || residue.is_in(fresh.as_bytes()))
    };
    if decoded.is_hard_to_search() && pass.known.is_none() && mentioned() {
        return Err(DropReason::Residue);
    }
    // Most bodies are UTF-8 and come out as they went in.
    if fresh == decoded.text { Ok(bytes.to_vec()) } else { decoded.encode(fresh) }
}

fn utf8(bytes: Vec<u8>) -> Result<String, DropReason> {
    String::from_utf8(bytes).map_err(|_| DropReason::Internal)
}

/// The format that a body is read in.
fn chosen(pass: &Pass<'_>, claim: Claim, text: &str) -> Result<Format, DropReason> {
    let depth_max = pass.redactor.settings.depth_max;
    let control = |c: char| c.is_control() && !c.is_whitespace() && c != '\u{1e}';
    match claim {
        // Clients that mean JSON or XML often claim the form that their library claims by default.
        Claim::Format(Format::Form) => match sniff::format(text, depth_max)? {
            found @ (Format::Json | Format::JsonLines | Format::Html | Format::Multipart) => Ok(found),
            _ if text.contains('\0') => Err(DropReason::Unparseable),
            _ => Ok(Format::Form),
        },
        Claim::Format(format) if text.contains('\0') && format != Format::Json => Err(DropReason::Unparseable),
        Claim::Format(format) => Ok(format),
        Claim::Text if text.contains('\0') => Err(DropReason::Unparseable),
        Claim::Nothing if text.contains(control) => Err(DropReason::UnknownType),
        Claim::Text | Claim::Nothing => sniff::format(text, depth_max),
    }
}

/// Redacts a text in a format.
fn text(pass: &mut Pass<'_>, format: Format, text: &str, place: Place<'_>) -> Result<String, DropReason> {
    match format {
        Format::Json => json::document(pass, text, place),
        Format::JsonLines => lines::json_lines(pass, text, place),
        Format::JsonSequence => lines::json_sequence(pass, text, place),
        Format::Events => events::document(pass, text, place),
        Format::Form => form::document(pass, text, place),
        Format::Xml => xml::document(pass, text, place),
        Format::Html => html::document(pass, text, place),
        Format::Csv => csv::document(pass, text, place),
        Format::Tsv => csv::tabs(pass, text, place),
        Format::Graphql => graphql::document(pass, text, place),
        Format::UriList => lines::links(pass, text, place),
        Format::Card => card::document(pass, text, place),
        Format::Hl7 => hl7::document(pass, text, place),
        Format::Edifact => edifact::document(pass, text, place),
        Format::X12 => x12::document(pass, text, place),
        Format::Ofx => ofx::document(pass, text, place),
        Format::Gedcom => gedcom::document(pass, text, place),
        Format::Nacha => nacha::document(pass, text, place),
        Format::Xdt => xdt::document(pass, text, place),
        Format::Zpl => zpl::document(pass, text, place),
        Format::Swift => swift::document(pass, text, place),
        Format::Dsn => dsn::document(pass, text, place),
        Format::Ldif => ldif::document(pass, text, place),
        Format::Assignments => assignments::document(pass, text, place),
        Format::Jwt => token(pass, text),
        Format::Text | Format::Multipart | Format::Message => {
            Ok(pass.value(text, place)?.unwrap_or_else(|| text.to_owned()))
        }
    }
}

/// A body that is one token.
fn token(pass: &mut Pass<'_>, text: &str) -> Result<String, DropReason> {
    let core = text.trim();
    if !core.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.=".contains(&b)) {
        return Err(DropReason::Unparseable);
    }
    let fresh = jwt::replace(pass, core).map_or(Cow::Borrowed(core), |replaced| Cow::Owned(replaced.fresh));
    Ok(text.replacen(core, &fresh, 1))
}

/// A document inside a string: `Some` if the string is one, then what it becomes, if it changes.
///
/// # Errors
/// It is nested too deep. What only looked like a document is left to be read as a text.
pub(in crate::redact) fn nested(
    pass: &mut Pass<'_>,
    raw: &str,
    place: Place<'_>,
) -> Result<Option<Option<String>>, DropReason> {
    let Some(format) = sniff::inside(raw).filter(|format| *format != Format::Csv || csv::has_listed_column(pass, raw))
    else {
        return graphql::within(pass, raw, place);
    };
    if place.depth >= NESTED_DEPTH_MAX {
        // Pairs and tables are texts as well, in which the rules find values by their names.
        return if matches!(format, Format::Form | Format::Csv) { Ok(None) } else { Err(DropReason::TooDeep) };
    }
    let inner = Place { depth: place.depth + 1, ..place };
    let fresh = match format {
        // XML tells more of its names than what browsers read.
        Format::Html => xml::document(pass, raw.trim(), inner)
            .map_or_else(|_| html::document(pass, raw, inner), |fresh| Ok(raw.replacen(raw.trim(), &fresh, 1))),
        Format::Multipart => multipart::document(pass, &MediaType::of(""), raw.as_bytes(), inner).and_then(utf8),
        Format::Message => message::document(pass, raw.as_bytes(), inner).and_then(utf8),
        // Some lists of lines are told by the rules for texts: entries of directories, settings of programs.
        Format::Assignments => {
            text(pass, format, raw, inner).and_then(|fresh| Ok(pass.scan_bare(&fresh)?.unwrap_or(fresh)))
        }
        format => text(pass, format, raw, inner),
    };
    match fresh {
        Ok(fresh) => Ok(Some((fresh != raw).then_some(fresh))),
        Err(DropReason::TooDeep) => Err(DropReason::TooDeep),
        Err(_) => Ok(None),
    }
}
