//! What the page of one integration says of redaction: which rules are in force, what they found and where, and what was
//! not kept.

use crate::console::access::{Caller, May};
use crate::console::tables::Details;
use crate::console::view::{IntegrationView, PlaceView, RecorderView};
use crate::console::words;
use crate::exchange::DropReason;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// The section.
pub(crate) fn redaction(
    now: &IntegrationView,
    recorder: &RecorderView,
    details: Option<&Details>,
    by: &Caller,
) -> Markup {
    let live = now.redaction_hits.iter().map(|(rule, count)| (rule.clone(), *count)).collect();
    let mut hits: Vec<(String, u64)> = details.map_or(live, |details| details.hits.clone());
    hits.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let all = hits.iter().map(|(_, count)| count).sum();
    html! {
        section.card aria-labelledby="redaction" {
            h2 id="redaction" { "Personal data and secrets" }
            @for failure in &now.rules.self_check_failures {
                p.notice.bad role="status" { "The redaction rules failed their self-check, so no body is stored: a planted " (failure) "." }
            }
            @if let Some(alarm) = &now.redaction_alarm { p.notice.bad role="status" { "Please look at this: " (alarm) "." } }
            @if hits.is_empty() { p.quiet { "No redaction rule has found anything yet." } }
            @else {
                p { strong { (words::count(all)) } " values were replaced before anything was stored. By redaction rule:" }
                ul.hits { @for (rule, count) in &hits { li { code { (rule) } span.n { (words::count(*count)) } } } }
            }
            (places(&now.redaction_places))
            (bodies(now))
            p.quiet { (words::count(now.rules.count as u64)) " rules"
                @if now.rules.strict { ", strict: only listed fields are kept" }
                @if !now.rules.hash.is_empty() { ", fingerprint " code { (short(&now.rules.hash)) } } "." }
            (last_look(now, recorder))
            (sign_off(now, by))
        }
    }
}

/// When the rules were last held against planted values.
fn last_look(now: &IntegrationView, recorder: &RecorderView) -> Markup {
    html! {
        @if !now.rules.hash.is_empty() {
            p { "Last self-check: " (words::time(recorder.rules_since_unix_us)) ", "
                @if now.rules.self_check_failures.is_empty() { span.good { "✓ every planted value was found" } }
                @else { strong.bad { "✗ " (now.rules.self_check_failures.len()) " planted values stayed readable" } }
                "." }
        }
        @match &recorder.last_scan {
            Some(scan) => { p { "Last search of everything stored: " (words::time(scan.at_unix_us)) ", "
                @if scan.good { span.good { "✓ " (scan.found) } } @else { strong.bad { "✗ " (scan.found) } }
                " (" code { "darklaunch " (scan.command) } ", " (words::count(scan.recordings)) " recordings)." } }
            None => { p.quiet { "What is stored has not been searched yet; " code { "darklaunch store check" } " does it." } }
        }
    }
}

/// Who vouches for the rules in force, or the form to do so.
fn sign_off(now: &IntegrationView, by: &Caller) -> Markup {
    html! {
        h3 { "Sign-off" }
        @match &now.signed_off {
            Some(signed) => {
                p.full { span.good { "✓ " } strong { (signed.who) } " signed off the rules " code { (short(&signed.rules_hash)) } ", "
                    (words::time(signed.at_unix_us)) ". When the rules change, this is void." }
            }
            None => {
                p.full { span.bad { "✗ " } "Nobody has signed off the rules in force." }
                @if by.may(May::Start) { form.start method="post" action={ "/integrations/" (now.name) "/sign-off" } {
                    (by.csrf_field())
                    input type="hidden" name="rules_hash" value=(now.rules.hash);
                    @if by.named().is_none() {
                        label { "Your name (is kept in the history)" input type="text" name="who" required maxlength="100" autocomplete="name"; }
                    }
                    button type="submit" { "Sign off the rules " (short(&now.rules.hash)) }
                } }
            }
        }
    }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn places(places: &[PlaceView]) -> Markup {
    let mut by_place: BTreeMap<(&str, &str), Vec<(&str, u64)>> = BTreeMap::new();
    for one in places {
        by_place.entry((one.side, one.part)).or_default().push((&one.rule, one.count));
    }
    by_place.values_mut().for_each(|rules| rules.sort_by_key(|(_, count)| std::cmp::Reverse(*count)));
    html! {
        @if !by_place.is_empty() {
            details {
                summary { "Where they were found, since the recorder started" }
                @for ((side, part), rules) in by_place {
                    h3 { (place_words(side, part)) }
                    ul.hits { @for (rule, count) in rules { li { code { (rule) } span.n { (words::count(count)) } } } }
                }
            }
        }
    }
}

/// Where a rule struck.
pub(crate) fn place_words(side: &str, part: &str) -> String {
    let message = match side {
        "request" => "the request",
        "primary" => "today’s provider’s answer",
        _ => "the new provider’s answer",
    };
    let part = match part {
        "target" => "The address",
        "headers" => "The headers",
        _ => "The body",
    };
    format!("{part} of {message}")
}

fn bodies(now: &IntegrationView) -> Markup {
    let reasons = |counts: &BTreeMap<&'static str, u64>| {
        let of = |reason: &DropReason| (*reason, counts.get(reason.name()).copied().unwrap_or_default());
        let told = |(reason, count): (DropReason, u64)| format!(" {} {};", words::count(count), reason.meaning());
        DropReason::ALL.iter().map(of).filter(|(_, count)| *count > 0).map(told).collect::<String>()
    };
    let [bodies, parts]: [u64; 2] = [&now.body_dropped, &now.part_dropped].map(|counts| counts.values().sum());
    html! {
        p.quiet { (words::count(now.bodies_kept)) " bodies were kept since the recorder started"
            @if bodies > 0 { ", " (words::count(bodies)) " were not, only what is known about them:" (reasons(&now.body_dropped)) }
            @else { "." }
            @if parts > 0 { " Of those kept, " (words::count(parts)) " parts of forms and mails were left out:"
                (reasons(&now.part_dropped)) } }
    }
}
