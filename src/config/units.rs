//! Durations, sizes, percents and rates as a person writes them; a number without its unit is refused.

/// Why a text is no quantity: what is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadUnit {
    /// What is wrong, lowercase.
    pub text: String,
    /// What to write.
    pub remedy: &'static str,
}

const DURATION_REMEDY: &str = "write a duration with its unit (ms, s, m, h, d), such as \"800ms\", \"10s\" or \"7d\"";
const SIZE_REMEDY: &str = "write a size with its unit (B, KiB, MiB, GiB, kB, MB, GB), such as \"256KiB\" or \"1MiB\"";
const PERCENT_REMEDY: &str = "write a percentage, such as \"10%\" or \"0.5%\"";
const RATE_REMEDY: &str = "write whole calls per second, such as \"15/s\"";

const DURATIONS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];
const PERCENTS: &[(&str, u64)] = &[("%", 10_000)];
const RATES: &[(&str, u64)] = &[("/s", 1)];

/// Digits behind the point that are read; more would be rounded, so they are refused.
const FRACTION_DIGITS_MAX: usize = 6;

/// Milliseconds of `"800ms"`, `"1.5s"`, `"10m"`, `"24h"`, `"7d"`.
///
/// # Errors
/// No unit, a foreign unit, a sign, a fraction of a millisecond, or more than fits.
pub fn duration_ms(text: &str) -> Result<u64, BadUnit> {
    quantity(text, DURATIONS, "duration", DURATION_REMEDY)
}

/// Bytes of `"256KiB"`, `"1MiB"`, `"20GB"`.
///
/// # Errors
/// As for [`duration_ms`].
pub fn size_bytes(text: &str) -> Result<u64, BadUnit> {
    quantity(text, SIZES, "size", SIZE_REMEDY)
}

/// Parts per million of `"10%"`, `"0.5%"`; from 0 to 1,000,000.
///
/// # Errors
/// As for [`duration_ms`], and a share beyond 100%.
pub fn percent_ppm(text: &str) -> Result<u32, BadUnit> {
    let ppm = quantity(text, PERCENTS, "percentage", PERCENT_REMEDY)?;
    match u32::try_from(ppm) {
        Ok(ppm) if ppm <= 1_000_000 => Ok(ppm),
        _ => Err(bad("is out of range: a share is between 0% and 100%", PERCENT_REMEDY)),
    }
}

/// Calls per second of `"15/s"`; at least 1.
///
/// # Errors
/// As for [`duration_ms`], and a rate of zero or beyond `u32`.
pub fn rate_per_s(text: &str) -> Result<u32, BadUnit> {
    match u32::try_from(quantity(text, RATES, "rate", RATE_REMEDY)?) {
        Ok(rate) if rate > 0 => Ok(rate),
        Ok(_) => Err(bad("is zero, which would let nothing through", RATE_REMEDY)),
        Err(_) => Err(bad("is too large", RATE_REMEDY)),
    }
}

/// The text again in the largest unit that gives a whole number, for messages and the reference.
pub fn show_duration(ms: u64) -> String {
    let (unit, factor) =
        DURATIONS.iter().rev().find(|(_, factor)| ms > 0 && ms.is_multiple_of(*factor)).unwrap_or(&("ms", 1));
    format!("{}{unit}", ms / factor)
}

/// As [`show_duration`], for bytes in binary units.
pub fn show_size(bytes: u64) -> String {
    let (unit, factor) =
        SIZES[..4].iter().rev().find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor)).unwrap_or(&("B", 1));
    format!("{}{unit}", bytes / factor)
}

fn bad(text: impl Into<String>, remedy: &'static str) -> BadUnit {
    BadUnit { text: text.into(), remedy }
}

fn quantity(text: &str, units: &[(&str, u64)], what: &str, remedy: &'static str) -> Result<u64, BadUnit> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.trim_start();
    if number.is_empty() {
        return Err(bad(format!("is no {what}: it has no number in front"), remedy));
    }
    if unit.is_empty() {
        return Err(bad(format!("is a {what} without a unit"), remedy));
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(bad(format!("is no {what}: its unit is not known"), remedy));
    };
    scaled(number, *factor, what, remedy)
}

/// `number × factor` in whole numbers: no floating point, so what is written is what is meant.
fn scaled(number: &str, factor: u64, what: &str, remedy: &'static str) -> Result<u64, BadUnit> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(bad(format!("is no {what}: its number cannot be read"), remedy));
    }
    if fraction.len() > FRACTION_DIGITS_MAX {
        return Err(bad(format!("has more than {FRACTION_DIGITS_MAX} digits behind the point"), remedy));
    }
    let too_large = || bad(format!("is a {what} that is too large"), remedy);
    let tens = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let whole: u128 = whole.parse().map_err(|_| too_large())?;
    let fraction: u128 = fraction.parse().map_err(|_| too_large())?;
    let scaled =
        whole.checked_mul(tens).and_then(|n| n.checked_add(fraction)).and_then(|n| n.checked_mul(u128::from(factor)));
    let scaled = scaled.ok_or_else(too_large)?;
    if !scaled.is_multiple_of(tens) {
        return Err(bad(format!("is finer than a {what} can be"), remedy));
    }
    u64::try_from(scaled / tens).map_err(|_| too_large())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantities_are_read_exactly() {
        assert_eq!(duration_ms("800ms"), Ok(800));
        assert_eq!(duration_ms("1.5s"), Ok(1_500));
        assert_eq!(duration_ms("7d"), Ok(604_800_000));
        assert_eq!(size_bytes("256KiB"), Ok(262_144));
        assert_eq!(size_bytes("1 MiB"), Ok(1_048_576));
        assert_eq!(size_bytes("2GB"), Ok(2_000_000_000));
        assert_eq!(percent_ppm("0.5%"), Ok(5_000));
        assert_eq!(percent_ppm("100%"), Ok(1_000_000));
        assert_eq!(rate_per_s("15/s"), Ok(15));
    }

    #[test]
    fn what_is_no_quantity_says_why() {
        let text = |result: Result<u64, BadUnit>| result.unwrap_err().text;
        assert_eq!(text(duration_ms("10")), "is a duration without a unit");
        assert_eq!(text(duration_ms("10 years")), "is no duration: its unit is not known");
        assert_eq!(text(duration_ms("s")), "is no duration: it has no number in front");
        assert_eq!(text(duration_ms("-1s")), "is no duration: it has no number in front");
        assert_eq!(text(duration_ms("1.2.3s")), "is no duration: its number cannot be read");
        assert_eq!(text(duration_ms("0.5ms")), "is finer than a duration can be");
        assert_eq!(text(size_bytes("99999999999999999999GiB")), "is a size that is too large");
        assert_eq!(text(size_bytes("1kib")), "is no size: its unit is not known");
        assert_eq!(percent_ppm("101%").unwrap_err().text, "is out of range: a share is between 0% and 100%");
        assert!(rate_per_s("0/s").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC{0,40}", number in "[0-9.]{0,45}", unit in "(ms|s|d|KiB|GiB|%|/s)") {
            for text in [text, format!("{number}{unit}")] {
                let _ = (duration_ms(&text), size_bytes(&text), percent_ppm(&text), rate_per_s(&text));
            }
        }

        #[test]
        fn what_is_shown_is_read_back(ms in any::<u64>(), bytes in any::<u64>()) {
            prop_assert_eq!(duration_ms(&show_duration(ms)), Ok(ms));
            prop_assert_eq!(size_bytes(&show_size(bytes)), Ok(bytes));
        }
    }
}
