//! What one call costs, exactly: money is no floating-point number.

use serde::Serialize;

const MILLION: u64 = 1_000_000;
const DECIMALS_MAX: usize = 6;
const CURRENCY_CHARS_MAX: usize = 8;

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Price {
    /// In millionths of the currency.
    pub millionths: u64,
    /// As it was written: `EUR`, `$`.
    pub currency: String,
}

impl Price {
    /// `0.002 EUR`: a number with at most six decimals, a space, a currency.
    pub fn parse(text: &str) -> Option<Self> {
        let (amount, currency) = text.trim().split_once(' ')?;
        let (whole, decimals) = amount.split_once('.').unwrap_or((amount, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let currency = currency.trim();
        let named = !currency.is_empty() && currency.chars().count() <= CURRENCY_CHARS_MAX;
        if !digits(whole) || !digits(decimals) || decimals.len() > DECIMALS_MAX || !named {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let decimals: u64 = format!("{decimals:0<6}").parse().ok()?;
        let millionths = whole.checked_mul(MILLION)?.checked_add(decimals)?;
        Some(Self { millionths, currency: currency.to_owned() })
    }

    /// What so many calls cost: `96.04 EUR`, with as many decimals as the amount needs to be read.
    pub(crate) fn times(&self, calls: u64) -> String {
        let all = u128::from(self.millionths) * u128::from(calls);
        let (whole, rest) = (all / u128::from(MILLION), all % u128::from(MILLION));
        match whole {
            0 if all > 0 => format!("0.{} {}", format!("{rest:06}").trim_end_matches('0'), self.currency),
            _ => format!("{whole}.{:02} {}", rest / 10_000, self.currency),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_exactly_and_multiplied_exactly() {
        let price = Price::parse("0.002 EUR").unwrap();
        assert_eq!(
            (price.millionths, price.times(48_019), price.times(3)),
            (2_000, "96.03 EUR".into(), "0.006 EUR".into())
        );
        assert_eq!((price.times(0), Price::parse("1 $").unwrap().times(2)), ("0.00 EUR".into(), "2.00 $".into()));
        for bad in ["", "0.002", "EUR 1", "-1 EUR", "0.0000001 EUR", ".5 EUR", "1 ", "1e3 EUR"] {
            assert_eq!(Price::parse(bad), None, "{bad}");
        }
    }
}
