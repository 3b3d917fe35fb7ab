//! The new provider: whom to call, what was promised, and what mirroring has cost so far.

use crate::console::Providers;
use crate::console::words;
use maud::{Markup, html};

/// The section; `calls` were made to the new provider.
pub(crate) fn provider(providers: Option<&Providers>, calls: u64) -> Markup {
    let Some(providers) = providers else { return html! {} };
    let review = &providers.review;
    let words = [
        ("Owner here", &review.owner),
        ("Support", &review.support),
        ("Status page", &review.status_page),
        ("Documentation", &providers.documentation),
        ("Promised", &review.expectations),
        ("Price", &review.price),
    ];
    let known = words.iter().any(|(_, text)| text.is_some()) || providers.price_per_call.is_some();
    html! {
        section.card aria-labelledby="provider" {
            h2 #provider { "The new provider, " (providers.shadow) }
            @if !known { p.quiet { "Nothing is known of contact, status page and price yet. Write " code { "provider.support" } ", "
                code { "provider.status_page" } ", " code { "provider.documentation" } ", " code { "provider.price_per_call" }
                " and " code { "review.owner" } " into the configuration." } }
            @else { dl.facts {
                @for (name, text) in words { @if let Some(text) = text { dt { (name) } dd { (linked(text)) } } }
                @if let Some(price) = &providers.price_per_call {
                    dt { "Cost so far" } dd { strong { (price.times(calls)) } " " span.quiet { "for " (words::calls(calls)) " at " (price.times(1)) " each" } }
                }
            } }
        }
    }
}

/// Only addresses of the web become links; whatever else is written stays text.
fn linked(text: &str) -> Markup {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    html! { @if is_web { a href=(text) rel="noopener noreferrer" { (text) } } @else { (text) } }
}
