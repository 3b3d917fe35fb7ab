//! What a write may say: a small body, JSON or form, with bounded texts.

use crate::console::access::CSRF_FIELD;
use crate::console::problem::Problem;
use crate::control::Share;
use axum::extract::Request;
use http::{StatusCode, header};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The largest request body read, bytes.
pub(crate) const BODY_BYTES_MAX: usize = 16 * 1024;

const WHO_CHARS_MAX: usize = 100;
const REASON_CHARS_MAX: usize = 500;

/// The body of a stop or a start; unknown fields are refused, so that a misspelt `sample` never starts everything.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    who: Option<String>,
    reason: Option<String>,
    sample: Option<String>,
    #[serde(default)]
    resume_ramp: bool,
    /// The rules that were looked at, for a sign-off.
    pub(crate) rules_hash: Option<String>,
    /// The switch's revision that was looked at; a stop ignores it.
    #[serde(default, deserialize_with = "whole_number")]
    pub(crate) revision: Option<u64>,
}

impl Change {
    /// Reads a request's body. No body at all is an empty change: `curl -X POST …/stop` must work.
    pub(crate) async fn read(request: Request) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| {
            let detail = format!("the body could not be read, or is over {BODY_BYTES_MAX} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        })?;
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let kind = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let bad = |what: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, what);
        match kind.as_str() {
            "application/json" => {
                serde_json::from_slice(&bytes).map_err(|error| bad(format!("the JSON body is not understood: {error}")))
            }
            "application/x-www-form-urlencoded" => Self::from_form(&bytes).map_err(bad),
            _ => {
                let detail = format!("content-type \"{kind}\" is not read here; send application/json or a form");
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
            }
        }
    }

    fn from_form(bytes: &[u8]) -> Result<Self, String> {
        let mut change = Self::default();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            match &*name {
                "who" => change.who = Some(value.into_owned()),
                "reason" => change.reason = Some(value.into_owned()),
                "sample" => change.sample = Some(value.into_owned()),
                // Of a session that ended while the page was open.
                CSRF_FIELD => {}
                "rules_hash" => change.rules_hash = Some(value.into_owned()),
                "resume_ramp" => change.resume_ramp = value == "true",
                "revision" => {
                    let read = value.parse().map_err(|_| "revision is no whole number; reload the page".to_owned());
                    change.revision = Some(read?);
                }
                other => {
                    return Err(format!(
                        "field \"{other}\" is unknown; known are who, reason, sample, resume_ramp, revision, rules_hash"
                    ));
                }
            }
        }
        Ok(change)
    }

    /// Who asks, in their own words; possibly empty.
    pub(crate) fn who(&self) -> String {
        clean(self.who.as_deref().unwrap_or(""), WHO_CHARS_MAX)
    }

    /// Why, possibly empty.
    pub(crate) fn reason(&self) -> String {
        clean(self.reason.as_deref().unwrap_or(""), REASON_CHARS_MAX)
    }

    /// The share to start with; none given keeps the present one.
    pub(crate) fn share(&self) -> Result<Share, Problem> {
        let Some(text) = self.sample.as_deref().map(str::trim).filter(|text| !text.is_empty()) else {
            return Ok(if self.resume_ramp { Share::ResumeRamp } else { Share::AsItWas });
        };
        if self.resume_ramp {
            let detail = "a share set by hand ends a ramp; send either sample or resume_ramp";
            return Err(Problem::new(StatusCode::CONFLICT, detail));
        }
        parse_percent(text).map(Share::Fixed).ok_or_else(|| {
            let text = clean(text, 40);
            let detail = format!("sample \"{text}\" is no share; write a percentage from 0.0001% to 100%, such as 10%");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        })
    }
}

/// The largest integer that every JSON tool reads exactly (RFC 8259, section 6).
pub(crate) const JSON_INTEGER_MAX: u64 = (1 << 53) - 1;

/// JSON knows no integers: `5.0` is 5.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else { return Ok(None) };
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && (0.0..=JSON_INTEGER_MAX as f64).contains(float));
    let whole = number.as_u64().or_else(|| float.map(|float| float as u64)).filter(|whole| *whole <= JSON_INTEGER_MAX);
    let why = || D::Error::custom(format!("{number} is no whole number from 0 to {JSON_INTEGER_MAX}"));
    whole.map(Some).ok_or_else(why)
}

/// One line, no control characters, bounded.
pub(crate) fn clean(text: &str, chars_max: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(chars_max).collect();
    line.trim().to_owned()
}

/// `12.5%` → 125000; exact, with at most four decimals. Without the unit it is not clear what `0.5` means: refused.
fn parse_percent(text: &str) -> Option<u32> {
    let number = text.strip_suffix('%')?.trim_end();
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || whole.len() > 3 || decimals.len() > 4 {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let decimals: u32 = format!("{decimals:0<4}").parse().ok()?;
    let ppm = whole * 10_000 + decimals;
    (1..=1_000_000).contains(&ppm).then_some(ppm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_carry_their_unit_and_stay_within_the_whole() {
        for (text, ppm) in
            [("10%", 100_000), ("100 %", 1_000_000), ("0.5%", 5_000), ("0.0001%", 1), ("12.25%", 122_500)]
        {
            assert_eq!(parse_percent(text), Some(ppm), "{text}");
        }
        for text in ["", "10", "0.5", "0%", "101%", "-1%", "1e1%", "%", ".5%", "5.%", "100.0001%", "0.00001%", "٣%"] {
            assert_eq!(parse_percent(text), None, "{text}");
        }
    }
}
