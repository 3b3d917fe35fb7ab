//! How much is mirrored: the sample's key, shares of endpoints, the ramp, and what makes all of it nothing.

use crate::config::integration::mirroring::template;
use crate::config::integration::{EndpointShare, EndpointTemplate, MirrorConfig, RampConfig, SampleKey, Section};
use crate::config::units::{duration_ms, percent_ppm};
use http::HeaderName;

const SHARE_REMEDY: &str = "write a method, a path and a percentage, such as \"POST /orders/{id} 50%\"";
const RAMP_REMEDY: &str = "write two percentages and a duration, such as \"1% -> 25% over 5d\"";
const KEY_REMEDY: &str =
    "write \"capture\", \"target\", \"header:NAME\", \"query:NAME\", \"cookie:NAME\" or \"json:/POINTER\"";
/// A faster ramp is a switch.
const RAMP_MIN_MS: u64 = 1_000;
const RAMP_MAX_MS: u64 = 366 * 86_400_000;

impl Section<'_, '_> {
    pub(crate) fn sample_key(&mut self) -> SampleKey {
        let key = "mirror.sample_key";
        let Some((text, place)) = self.text(key) else { return SampleKey::Capture };
        match text.split_once(':') {
            None if text == "capture" => return SampleKey::Capture,
            None if text == "target" => return SampleKey::Target,
            Some(("header", name)) if name.parse::<HeaderName>().is_ok() => {
                return SampleKey::Header(name.to_ascii_lowercase());
            }
            Some(("query", name)) if !name.is_empty() => return SampleKey::Query(name.to_owned()),
            Some(("cookie", name)) if !name.is_empty() => return SampleKey::Cookie(name.to_owned()),
            Some(("json", pointer)) if is_pointer(pointer) => return SampleKey::Json(pointer.to_owned()),
            Some(("json", _)) => {
                let remedy = "begin it with /, such as \"json:/customer/id\"";
                self.wrong((text, place), key, "has no JSON pointer (RFC 6901)", remedy);
                return SampleKey::Capture;
            }
            _ => {}
        }
        self.wrong((text, place), key, "is no key to sample by", KEY_REMEDY);
        SampleKey::Capture
    }

    pub(crate) fn shares(&mut self) -> Vec<EndpointShare> {
        let key = "mirror.shares";
        let mut shares = Vec::new();
        for (text, place) in self.texts(key) {
            match share(&text) {
                Ok(share) => shares.push(share),
                Err(why) => self.wrong((text, place), key, &why, SHARE_REMEDY),
            }
        }
        shares
    }

    pub(crate) fn ramp(&mut self) -> Option<RampConfig> {
        let key = "mirror.ramp";
        let (text, place) = self.text(key)?;
        match ramp(&text) {
            Ok(ramp) => Some(ramp),
            Err(why) => {
                self.wrong((text, place), key, &why, RAMP_REMEDY);
                None
            }
        }
    }

    /// Warns where what is written does nothing, or makes that nothing is mirrored.
    pub(crate) fn warn_of_shares(&mut self, mirror: &MirrorConfig) {
        let name = self.name;
        let sample_written = self.reader.raw.values.contains_key(&self.key("mirror.sample"));
        let mut warnings = Vec::new();
        match &mirror.ramp {
            Some(_) if sample_written => warnings.push("mirror.sample has no effect beside mirror.ramp".to_owned()),
            None if mirror.sample_ppm == 0 => {
                warnings.push("mirror.sample is 0%, so nothing is mirrored until a share is set".to_owned());
            }
            _ => {}
        }
        let capped = |one: &&EndpointShare| mirror.sample_ppm > 0 && one.share_ppm > mirror.sample_ppm;
        for one in mirror.shares.iter().filter(capped).filter(|_| mirror.ramp.is_none()) {
            let EndpointTemplate { method, path } = &one.endpoint;
            let endpoint = method.iter().chain([path]).map(String::as_str).collect::<Vec<_>>().join(" ");
            warnings.push(format!("mirror.shares: {endpoint} asks for more than mirror.sample, which caps it"));
        }
        if all_shut(mirror) {
            warnings.push("every endpoint of mirror.allow is excluded or has 0%, so nothing is mirrored".to_owned());
        }
        self.reader.warnings.extend(warnings.into_iter().map(|text| format!("integrations.{name}: {text}")));
    }
}

/// Whether every endpoint that may be mirrored is shut out again. With a method allowed everywhere there is always an
/// endpoint left that no list names.
fn all_shut(mirror: &MirrorConfig) -> bool {
    let shut = |one: &EndpointTemplate| {
        let hits = |by: &EndpointTemplate| by.path == one.path && (by.method.is_none() || by.method == one.method);
        mirror.exclude.iter().any(hits) || mirror.shares.iter().any(|by| by.share_ppm == 0 && hits(&by.endpoint))
    };
    mirror.methods.is_empty() && !mirror.allow.is_empty() && mirror.allow.iter().all(shut)
}

/// RFC 6901, but not the empty pointer, which names the whole body.
fn is_pointer(text: &str) -> bool {
    let escapes = |text: &str| text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.starts_with('/') && text.len() > 1 && escapes(text)
}

fn share(text: &str) -> Result<EndpointShare, String> {
    let Some((endpoint, percent)) = text.trim().rsplit_once(' ') else {
        return Err("is no endpoint with a share".to_owned());
    };
    let share_ppm = percent_ppm(percent).map_err(|bad| format!("has a share that {}", bad.text))?;
    let endpoint = template(endpoint.trim_end(), true)?;
    Ok(EndpointShare { endpoint, share_ppm })
}

fn ramp(text: &str) -> Result<RampConfig, String> {
    let parts = text.split_once("->").or_else(|| text.split_once('→')).and_then(|(from, rest)| {
        let (to, over) = rest.split_once(" over ")?;
        Some((from.trim(), to.trim(), over.trim()))
    });
    let Some((from, to, over)) = parts else { return Err("is no ramp".to_owned()) };
    let share = |text: &str| percent_ppm(text).map_err(|bad| format!("has a share that {}", bad.text));
    let (from_ppm, to_ppm) = (share(from)?, share(to)?);
    let over_ms = duration_ms(over).map_err(|bad| format!("has a time that {}", bad.text))?;
    if to_ppm <= from_ppm {
        return Err("does not rise".to_owned());
    }
    if !(RAMP_MIN_MS..=RAMP_MAX_MS).contains(&over_ms) {
        return Err("lasts less than a second or more than a year".to_owned());
    }
    Ok(RampConfig { from_ppm, to_ppm, over_ms })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ramps_and_shares_are_read_as_written() {
        let five_days = RampConfig { from_ppm: 10_000, to_ppm: 250_000, over_ms: 5 * 86_400_000 };
        for text in ["1% -> 25% over 5d", "1%->25% over 120h", "1% → 25%  over  5d"] {
            assert_eq!(ramp(text), Ok(five_days.clone()), "{text}");
        }
        for (text, why) in [
            ("1% to 25% over 5d", "is no ramp"),
            ("1% -> 25%", "is no ramp"),
            ("1 -> 25% over 5d", "has a share that is a percentage without a unit"),
            ("25% -> 1% over 5d", "does not rise"),
            ("1% -> 25% over 5", "has a time that is a duration without a unit"),
            ("1% -> 101% over 5d", "has a share that is out of range: a share is between 0% and 100%"),
            ("1% -> 25% over 10ms", "lasts less than a second or more than a year"),
        ] {
            assert_eq!(ramp(text), Err(why.to_owned()), "{text}");
        }
        let read = share("POST /orders/{id}  50%").unwrap();
        assert_eq!((read.endpoint.method.as_deref(), read.endpoint.path.as_str()), (Some("POST"), "/orders/{id}"));
        assert_eq!(share("/health 1%").unwrap().endpoint.method, None);
        for text in ["", "50%", "POST /orders", "POST orders 5%", "GOT /x 5%", "POST /orders 5", "POST /a b 5%"] {
            assert!(share(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC{0,40}", near in "[0-9%> od→-]{0,30}") {
            for text in [text, near] {
                let _ = (ramp(&text), share(&text), is_pointer(&text));
            }
        }
    }
}
