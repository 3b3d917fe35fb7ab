//! Figures as people read them.

use crate::exchange::Outcome;

/// Microseconds since the epoch as RFC 3339 in UTC, whole seconds.
pub(crate) fn rfc3339(unix_us: i64) -> String {
    let seconds = unix_us.div_euclid(1_000_000);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "unknown".to_owned(), |time| time.to_string())
}

/// The same for pages: `2026-11-23 11:45:03 UTC`.
pub(crate) fn moment(unix_us: i64) -> String {
    if unix_us <= 0 {
        return "at the start".to_owned();
    }
    rfc3339(unix_us).replace('T', " ").replace('Z', " UTC")
}

/// For lists: `23 Nov, 11:45:03`, in UTC.
fn short_moment(unix_us: i64) -> String {
    let time = jiff::Timestamp::from_second(unix_us.div_euclid(1_000_000));
    time.map_or_else(|_| "unknown".to_owned(), |time| time.strftime("%-d %b, %H:%M:%S").to_string())
}

/// Below a chart: the day where it spans several, else the hour and minute; in UTC.
pub(crate) fn axis_moment(unix_s: i64, day: bool) -> String {
    let time = jiff::Timestamp::from_second(unix_s);
    let format = if day { "%-d %b" } else { "%H:%M" };
    time.map_or_else(|_| String::new(), |time| time.strftime(format).to_string())
}

/// A moment that the script shows in the reader's own zone.
pub(crate) fn time(unix_us: i64) -> maud::Markup {
    maud::html! { time datetime=(rfc3339(unix_us)) { (moment(unix_us)) } }
}

/// The same, short: where a list is about the last minutes.
pub(crate) fn short_time(unix_us: i64) -> maud::Markup {
    maud::html! { time.short datetime=(rfc3339(unix_us)) { (short_moment(unix_us)) } }
}

/// Beside the state: how much is copied.
pub(crate) fn brief_state(state: &str, sample: &str) -> String {
    match state {
        "on" => format!("{sample} of the calls"),
        "paused" => format!("{sample} of the calls once it goes on"),
        _ => "nothing is copied".to_owned(),
    }
}

/// How the answers compare, with a symbol: `≠ differs`.
pub(crate) fn verdict(verdict: &str) -> String {
    match verdict.split_once(": ") {
        _ if verdict == "same" => "= same".to_owned(),
        _ if verdict == "differs" => "≠ differs".to_owned(),
        Some(("cannot_say", why)) => format!("? cannot say: {}", plain(why)),
        _ => format!("? {}", plain(verdict)),
    }
}

fn plain(text: &str) -> String {
    text.replace('_', " ").replace("the primary", "today’s provider").replace("the shadow", "the new provider")
}

/// Parts per million as a percentage: `10%`, `0.5%`.
pub(crate) fn percent_of_ppm(ppm: u32) -> String {
    let (whole, rest) = (ppm / 10_000, ppm % 10_000);
    if rest == 0 {
        return format!("{whole}%");
    }
    format!("{whole}.{}%", format!("{rest:04}").trim_end_matches('0'))
}

/// A share of a whole, one decimal, never rounded up to all or down to none.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    if part == 0 {
        return "0%".to_owned();
    }
    if part >= whole {
        return "100%".to_owned();
    }
    let tenths = (u128::from(part) * 1000 / u128::from(whole)) as u64;
    if tenths == 0 { "< 0.1%".to_owned() } else { format!("{}.{}%", tenths / 10, tenths % 10) }
}

/// A count with thin spaces between thousands.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `1 call`, `2 calls`.
pub(crate) fn calls(n: u64) -> String {
    format!("{} {}", count(n), if n == 1 { "call" } else { "calls" })
}

/// What an outcome means.
pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "succeeded",
        Outcome::OkButError => "answered 200, but with an error inside",
        Outcome::Client4xx => "refused the request (4xx)",
        Outcome::Throttled429 => "asked for fewer calls (429)",
        Outcome::Server5xx => "failed on their side (5xx)",
        Outcome::NetworkError => "could not be reached, or broke off",
        Outcome::Timeout => "took longer than our limit",
        Outcome::Aborted => "ended by the stop switch or shutdown",
        Outcome::Unknown => "in flight when the recorder died",
    }
}

/// As a sentence begins.
pub(crate) fn first_upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_people_write_them() {
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!((count(0), count(999), count(1000)), ("0".into(), "999".into(), "1\u{202f}000".into()));
        assert_eq!(
            (percent_of_ppm(100_000), percent_of_ppm(5_000), percent_of_ppm(1)),
            ("10%".into(), "0.5%".into(), "0.0001%".into())
        );
        assert_eq!(
            (share(999_999, 1_000_000), share(1, 1_000_000), share(0, 0)),
            ("99.9%".into(), "< 0.1%".into(), "–".into())
        );
        assert_eq!(short_moment(1_700_000_000_999_999), "14 Nov, 22:13:20");
        assert_eq!(
            (verdict("same"), verdict("cannot_say: no_body")),
            ("= same".into(), "? cannot say: no body".into())
        );
        assert_eq!(moment(1_700_000_000_999_999), "2023-11-14 22:13:20 UTC");
    }
}
