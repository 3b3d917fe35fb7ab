//! Shares of single endpoints: caps beside the integration's own share.

use crate::control::SAMPLE_ALL_PPM;

/// One endpoint's share. The integration's live share caps it, so that a lowered share holds everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointShare {
    /// Uppercase; `None` for every method.
    pub method: Option<String>,
    /// Begins with `/`; `{name}` stands for one whole segment.
    pub path: String,
    /// Share of the keys mirrored, parts per million.
    pub share_ppm: u32,
}

impl EndpointShare {
    /// As it is written: `POST /orders/{id}`.
    pub fn endpoint(&self) -> String {
        self.method.iter().chain([&self.path]).map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        if self.method.as_deref().is_some_and(|own| own != method) {
            return false;
        }
        let mut got = path.split('/');
        let variable = |want: &str| want.starts_with('{') && want.ends_with('}');
        let same = |want: &str| got.next().is_some_and(|got| want == got || (variable(want) && !got.is_empty()));
        self.path.split('/').all(same) && got.next().is_none()
    }
}

/// The smallest share of those that fit a request; the whole where none does.
pub(crate) fn cap_ppm(shares: &[EndpointShare], method: &str, path: &str) -> u32 {
    let fitting = shares.iter().filter(|share| share.fits(method, path)).map(|share| share.share_ppm);
    fitting.min().unwrap_or(SAMPLE_ALL_PPM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_share_that_fits_counts() {
        let share = |method: Option<&str>, path: &str, share_ppm| EndpointShare {
            method: method.map(str::to_owned),
            path: path.to_owned(),
            share_ppm,
        };
        let shares = [
            share(Some("GET"), "/health", 10_000),
            share(None, "/orders/{id}", 500_000),
            share(Some("POST"), "/orders/{key}", 20_000),
        ];
        for (method, path, cap) in [
            ("GET", "/health", 10_000),
            ("POST", "/health", SAMPLE_ALL_PPM),
            ("GET", "/orders/7", 500_000),
            ("POST", "/orders/7", 20_000),
            ("POST", "/orders/", SAMPLE_ALL_PPM),
            ("POST", "/orders", SAMPLE_ALL_PPM),
            ("POST", "/orders/7/lines", SAMPLE_ALL_PPM),
        ] {
            assert_eq!(cap_ppm(&shares, method, path), cap, "{method} {path}");
        }
        assert_eq!(shares.map(|share| share.endpoint())[1], "/orders/{id}");
    }
}
