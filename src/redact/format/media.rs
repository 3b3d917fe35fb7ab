//! Media types (RFC 9110, section 8.3): what a content type claims.

use crate::exchange::DropReason;

/// A content type.
#[derive(Clone, Debug, Default)]
pub(in crate::redact) struct MediaType {
    /// `type/subtype` in lower case; empty if there is none.
    pub essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads a content type; what is malformed is left out.
    pub fn of(text: &str) -> Self {
        let (essence, rest) = text.split_once(';').unwrap_or((text, ""));
        Self { essence: essence.trim().to_ascii_lowercase(), parameters: parameters(rest) }
    }

    /// The first parameter of a name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// `name=value; name="value"`: names in lower case, quotes and backslashes undone.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        // A parameter without a value stands before this name.
        let name = name.rsplit(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let after = after.trim_start();
        let mut value = String::new();
        if let Some(quoted) = after.strip_prefix('"') {
            let mut chars = quoted.char_indices();
            let mut end = quoted.len();
            while let Some((at, c)) = chars.next() {
                match c {
                    '"' => {
                        end = at + 1;
                        break;
                    }
                    '\\' => value.extend(chars.next().map(|(_, c)| c)),
                    c => value.push(c),
                }
            }
            rest = &quoted[end..];
            rest = rest.split_once(';').map_or("", |(_, rest)| rest);
        } else {
            let (plain, after) = after.split_once(';').unwrap_or((after, ""));
            value.push_str(plain.trim());
            rest = after;
        }
        all.push((name, value));
    }
    all
}

/// The kinds of body we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) enum Format {
    Json,
    /// A JSON document a line.
    JsonLines,
    /// A JSON document after each record separator (RFC 7464).
    JsonSequence,
    /// Server-sent events.
    Events,
    Form,
    Xml,
    Html,
    /// Comma-separated values, or another separator.
    Csv,
    /// Tab-separated values, which know no quotes.
    Tsv,
    Graphql,
    Multipart,
    /// A start line (perhaps), header lines, a body.
    Message,
    Jwt,
    UriList,
    /// vCard and iCalendar: `NAME;PARAM=x:value`.
    Card,
    /// HL7 version 2: fields between bars.
    Hl7,
    /// UN/EDIFACT: segments of elements and components.
    Edifact,
    /// ANSI X12: segments of elements.
    X12,
    /// Open Financial Exchange 1: values after tags that nothing ends.
    Ofx,
    /// GEDCOM: lines of a level, a tag, a value.
    Gedcom,
    Nacha,
    Xdt,
    Zpl,
    /// SWIFT: fields of a tag between colons.
    Swift,
    /// DSN: lines of a heading and a value in quotes.
    Dsn,
    /// Entries of directories: `attribute: value`.
    Ldif,
    /// `name: value` lines: YAML, TOML, INI, properties.
    Assignments,
    Text,
}

/// What a content type says of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) enum Claim {
    /// The body is of this format, or it is dropped.
    Format(Format),
    /// The body is text; of which kind, its first characters tell.
    Text,
    /// Nothing; text is read as what it looks like, the rest is dropped.
    Nothing,
}

/// What a media type claims.
///
/// # Errors
/// `UnknownType` for what is certainly no text.
pub(in crate::redact) fn claim(essence: &str) -> Result<Claim, DropReason> {
    let format = match essence {
        "application/json" | "text/json" | "application/csp-report" | "application/x-json" => Format::Json,
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/json-lines"
        | "application/x-jsonlines"
        | "application/jsonlines"
        | "application/json-l"
        | "text/x-ndjson"
        | "application/x-ldjson" => Format::JsonLines,
        "application/json-seq" => Format::JsonSequence,
        "text/event-stream" => Format::Events,
        "application/x-www-form-urlencoded" => Format::Form,
        "application/xml" | "text/xml" | "application/xml-dtd" | "application/xml-external-parsed-entity" => {
            Format::Xml
        }
        "text/html" => Format::Html,
        "text/csv" | "application/csv" | "text/comma-separated-values" => Format::Csv,
        "text/tab-separated-values" => Format::Tsv,
        "application/graphql" => Format::Graphql,
        "message/http" | "application/http" | "message/rfc822" | "text/rfc822-headers" => Format::Message,
        "application/jwt" | "application/jose" => Format::Jwt,
        "text/uri-list" => Format::UriList,
        "text/vcard" | "text/x-vcard" | "text/directory" | "text/calendar" => Format::Card,
        "application/hl7-v2" | "x-application/hl7-v2+er7" | "application/edi-hl7v2" => Format::Hl7,
        "application/yaml"
        | "application/x-yaml"
        | "text/yaml"
        | "text/x-yaml"
        | "application/toml"
        | "text/x-java-properties"
        | "text/x-ini"
        | "application/x-ini"
        | "text/x-toml" => Format::Assignments,
        "" => return Ok(Claim::Nothing),
        other => return by_family(other),
    };
    Ok(Claim::Format(format))
}

fn by_family(essence: &str) -> Result<Claim, DropReason> {
    let (family, kind) = essence.split_once('/').unwrap_or((essence, ""));
    if let Some((_, suffix)) = kind.rsplit_once('+') {
        match suffix {
            "json" => return Ok(Claim::Format(Format::Json)),
            "xml" => return Ok(Claim::Format(Format::Xml)),
            "json-seq" => return Ok(Claim::Format(Format::JsonSequence)),
            "yaml" => return Ok(Claim::Format(Format::Assignments)),
            "jwt" => return Ok(Claim::Format(Format::Jwt)),
            "zip" | "gzip" | "zstd" | "cbor" | "protobuf" | "der" | "ber" => return Err(DropReason::UnknownType),
            _ => {}
        }
    }
    match (family, kind) {
        ("multipart", _) => Ok(Claim::Format(Format::Multipart)),
        ("text", _) => Ok(Claim::Text),
        ("image" | "audio" | "video" | "font" | "model" | "haptics", _) => Err(DropReason::UnknownType),
        (
            "application",
            "pdf" | "zip" | "gzip" | "x-protobuf" | "protobuf" | "grpc" | "x-thrift" | "cbor" | "msgpack" | "x-msgpack"
            | "wasm" | "java-archive" | "msword" | "x-tar" | "zstd" | "grpc-web",
        ) => Err(DropReason::UnknownType),
        _ => Ok(Claim::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read() {
        let media = MediaType::of("Multipart/Form-Data ; flag; Boundary=\"a;\\\"b\" ; charset = utf-8;x");
        assert_eq!(media.essence, "multipart/form-data");
        assert_eq!(media.parameter("boundary"), Some("a;\"b"));
        assert_eq!(media.parameter("charset"), Some("utf-8"));
        assert_eq!(media.parameter("flag"), None);
        for text in ["", ";", "a/b;=;=;\"", "a/b; c=\"", "a/b; c=\"\\", "é;é=é"] {
            let _ = MediaType::of(text);
        }
    }

    #[test]
    fn claims_are_known() {
        assert_eq!(claim("application/problem+json"), Ok(Claim::Format(Format::Json)));
        assert_eq!(claim("image/svg+xml"), Ok(Claim::Format(Format::Xml)));
        assert_eq!(claim("application/vnd.acme"), Ok(Claim::Nothing));
        assert_eq!(claim("application/vnd.acme+zip"), Err(DropReason::UnknownType));
        assert_eq!(claim("image/png"), Err(DropReason::UnknownType));
    }
}
