//! What a go-live review holds an integration against, and whom it names.

use crate::config::integration::Section;
use crate::config::raw::closest;
use crate::console::Price;
use crate::review::{Profile, Settings};
use serde::Serialize;

const PPM: f64 = 1e6;

/// What the console says of the new provider.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProviderConfig {
    /// Where its documentation is.
    pub documentation: Option<String>,
    /// What one call costs.
    pub price_per_call: Option<Price>,
}

impl Section<'_, '_> {
    /// Documentation and price.
    pub(crate) fn provider(&mut self) -> ProviderConfig {
        let documentation = self.text("provider.documentation").map(|(text, _)| text);
        let price = self.text("provider.price_per_call");
        let price_per_call = price.and_then(|(text, place)| {
            let price = Price::parse(&text);
            if price.is_none() {
                let remedy = "write an amount with at most six decimals and its currency, such as \"0.002 EUR\"";
                self.wrong((text, place), "provider.price_per_call", "is no price", remedy);
            }
            price
        });
        ProviderConfig { documentation, price_per_call }
    }

    /// The thresholds: the profile's where nothing else is written.
    pub(crate) fn review(&mut self) -> Settings {
        let mut settings = Settings::of(self.profile());
        let share = |section: &mut Self, key: &str| {
            let key = section.key(key);
            f64::from(section.reader.percent_ppm(&key)) / PPM
        };
        settings.lost_answers = share(self, "review.lost_answers");
        settings.failures = share(self, "review.failures");
        settings.client_errors = share(self, "review.client_errors");
        settings.no_success = share(self, "review.no_success");
        settings.rare_share = share(self, "review.rare_share");
        settings.slower = 1.0 + share(self, "review.slower");
        let success = share(self, "review.success");
        if success > 0.0 {
            settings.success = success;
        }
        let budget_us = self.duration_ms("review.budget").saturating_mul(1_000);
        if budget_us > 0 {
            settings.budget_us = budget_us;
        }
        settings.span_days = self.duration_ms("review.span") as f64 / 86_400_000.0;
        settings.looks = self.count("review.looks").unwrap_or(1);
        let quota = self.key("review.quota");
        settings.quota_per_s = self.reader.rate_per_s(&quota);
        let mut words = |key: &str| self.text(key).map(|(text, _)| text);
        settings.owner = words("review.owner");
        settings.support = words("provider.support");
        settings.status_page = words("provider.status_page");
        settings.expectations = words("provider.expectations");
        settings.price = words("provider.price");
        if settings.lost_answers <= 0.0 || settings.success >= 1.0 {
            let (key, place) = (self.key("review"), self.reader.whole());
            let text = "asks for certainty: review.lost_answers must be above 0% and review.success below 100%";
            self.reader.problem(place, &key, None, text, "no number of calls can show that nothing is ever lost");
        }
        settings
    }

    fn profile(&mut self) -> Profile {
        let Some((text, place)) = self.text("profile") else { return Profile::default() };
        match Profile::from_name(&text) {
            Some(profile) => profile,
            None => {
                let names = [Profile::UserFlow.name(), Profile::Background.name()];
                let remedy = match closest(&text, &names) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => format!("write one of {}", names.join(", ")),
                };
                self.wrong((text, place), "profile", "is no profile", remedy);
                Profile::default()
            }
        }
    }
}
