//! The questions, each answered from what the stand-ins and the ledger saw.

use crate::config::IntegrationConfig;
use crate::selftest::Check;
use crate::selftest::call::{Answer, sum};
use crate::selftest::plants::{API_KEY, AUTHORIZATION, COOKIE, CREDENTIALS, Plant, QUERY_KEY, QUERY_TOKEN};
use crate::selftest::probes::Probe;
use crate::selftest::stand_in::{Seen, StandIn};
use http::header::{AUTHORIZATION as AUTHORIZATION_HEADER, COOKIE as COOKIE_HEADER};
use serde_json::Value;

pub(crate) const COPY: &str = "copy_arrived";
pub(crate) const IDENTICAL: &str = "answer_identical";
pub(crate) const UNTOUCHED: &str = "primary_untouched";
pub(crate) const WITHHELD: &str = "credentials_withheld";
pub(crate) const HEADERS: &str = "shadow_headers";
pub(crate) const STOP: &str = "stop_stops";
pub(crate) const LEDGER: &str = "ledger_adds_up";

/// How long after a stop a copy may still arrive, microseconds.
pub(crate) const STOP_US_MAX: u64 = 100_000;

/// One request through the recorder.
pub(crate) struct Visit {
    pub(crate) probe: Probe,
    pub(crate) mark: String,
    pub(crate) answer: Result<Answer, String>,
}

/// Which setting keeps copies back, for each reason that the ledger counted.
pub(crate) fn reasons(one: &IntegrationConfig, not_mirrored: &Value) -> Vec<String> {
    let counted = not_mirrored.as_object().into_iter().flatten().filter(|(_, count)| count.as_u64() > Some(0));
    let share = f64::from(one.mirror.sample_ppm) / 10_000.0;
    let text = |reason: &str| match reason {
        "off" => "mirror.enabled = false, so that nothing is mirrored until `darklaunch enable`".to_owned(),
        "not_sampled" => format!("mirror.sample = {share}% leaves it out"),
        "method" => format!("mirror.methods = {:?} leaves it out", one.mirror.methods),
        "endpoint" => "mirror.exclude leaves it out".to_owned(),
        "body_too_large" => "mirror.max_body is smaller than a body of 200 bytes".to_owned(),
        "memory" => "mirror.memory is too small for one call".to_owned(),
        other => format!("the ledger says {other}"),
    };
    counted.map(|(reason, _)| text(reason)).collect()
}

/// Every request that the rules mirror arrived at the shadow, once. `found` is what is known already.
pub(crate) fn copy(visits: &[Visit], shadow: &StandIn, mut found: Vec<String>, why: &[String], note: &str) -> Check {
    for visit in visits {
        let why = if why.is_empty() { "the ledger does not say why".to_owned() } else { why.join(", ") };
        match shadow.with_mark(&visit.mark).len() {
            1 => {}
            0 => found.push(format!("{} did not arrive: {why}", visit.probe.name())),
            more => found.push(format!("{} arrived {more} times", visit.probe.name())),
        }
    }
    let names: Vec<String> = visits.iter().map(|visit| visit.probe.name()).collect();
    Check::unless(COPY, &found, format!("{} arrived once each{note}", names.join(", ")))
}

/// What came through the recorder is what the primary says.
pub(crate) fn identical(visits: &[(&Visit, Result<Answer, String>)]) -> Check {
    let mut problems = Vec::new();
    let mut detail = Vec::new();
    for (visit, direct) in visits {
        let name = visit.probe.name();
        match (&visit.answer, direct) {
            (Ok(through), Ok(direct)) if through == direct => {
                let (lines, bytes) = (direct.head.len() - 1, direct.body.len());
                detail.push(format!(
                    "{name}: {}, {lines} headers, {bytes} bytes {}",
                    direct.status(),
                    direct.body_hash()
                ));
            }
            (Ok(through), Ok(direct)) if through.head != direct.head => {
                problems.push(format!("{name}: {}", changed(&direct.head, &through.head)));
            }
            (Ok(through), Ok(direct)) => {
                problems.push(format!("{name}: body {} became {}", direct.body_hash(), through.body_hash()));
            }
            (Err(error), _) | (_, Err(error)) => problems.push(format!("{name}: {error}")),
        }
    }
    Check::unless(IDENTICAL, &problems, detail.join("; "))
}

/// What became of an answer's lines.
fn changed(direct: &[String], through: &[String]) -> String {
    let only = |of: &[String], other: &[String]| -> Vec<String> {
        of.iter().filter(|line| !other.contains(line)).cloned().collect()
    };
    let (lost, added) = (only(direct, through), only(through, direct));
    match lost.is_empty() && added.is_empty() {
        true => "the headers came in another order or number".to_owned(),
        false => format!("lost {lost:?}, added {added:?}"),
    }
}

/// A sink answers 204 to everything.
pub(crate) fn sink(visits: &[Visit]) -> Check {
    let status = |visit: &Visit| visit.answer.as_ref().map(Answer::status).unwrap_or_default();
    let wrong: Vec<String> = visits
        .iter()
        .filter(|visit| status(visit) != 204)
        .map(|visit| format!("{} got {} instead of 204", visit.probe.name(), status(visit)))
        .collect();
    if wrong.is_empty() {
        return Check::not_checked(IDENTICAL, "a sink has no primary; every request was answered 204");
    }
    Check::fail(IDENTICAL, wrong.join("; "))
}

/// The primary got the request as it was, and nothing of ours.
pub(crate) fn untouched(one: &IntegrationConfig, visits: &[Visit], primary: &StandIn) -> Check {
    let mut problems = Vec::new();
    let credentials: [(http::HeaderName, Plant); 3] = [
        (AUTHORIZATION_HEADER, AUTHORIZATION),
        (COOKIE_HEADER, COOKIE),
        (http::HeaderName::from_static("x-api-key"), API_KEY),
    ];
    for visit in visits {
        let name = visit.probe.name();
        let all = primary.with_mark(&visit.mark);
        let [seen] = all.as_slice() else {
            problems.push(format!("{name} reached the primary {} times", all.len()));
            continue;
        };
        if let Some(ours) = seen.headers.keys().find(|header| header.as_str().contains("darklaunch")) {
            problems.push(format!("{name} reached the primary with our header {ours}"));
        }
        let path = seen.target.split('?').next().unwrap_or_default();
        let expected = expected_path(one, &visit.probe.path);
        if path != expected {
            problems.push(format!("{name} reached the primary as {path} instead of {expected}"));
        }
        let lost = credentials.iter().filter(|(header, plant)| {
            !seen.headers.get(header).is_some_and(|value| value.to_str().is_ok_and(|text| text.ends_with(plant.value)))
        });
        problems.extend(lost.map(|(header, _)| format!("{name} reached the primary without its {header}")));
        let query = [QUERY_KEY, QUERY_TOKEN];
        let lost = query.iter().filter(|plant| !seen.target.contains(plant.value));
        problems.extend(lost.map(|plant| format!("{name} reached the primary without {}", plant.what)));
    }
    let detail = "the path, the query and the credentials arrived; no header of darklaunch did";
    Check::unless(UNTOUCHED, &problems, detail)
}

/// The path behind the primary's own.
fn expected_path(one: &IntegrationConfig, path: &str) -> String {
    let base = one.primary.as_ref().map_or("", |primary| primary.url.path().trim_end_matches('/'));
    let prefix = one.matcher.path_prefix.trim_end_matches('/');
    let rest = if one.strip_prefix { path.strip_prefix(prefix).unwrap_or(path) } else { path };
    format!("{base}{}", if rest.is_empty() { "/" } else { rest })
}

/// None of the primary's credentials is anywhere in what the shadow saw.
pub(crate) fn withheld(one: &IntegrationConfig, seen: &[Seen]) -> Check {
    if seen.is_empty() {
        return Check::not_checked(WITHHELD, "no copy arrived");
    }
    let kept = |name: &str| one.shadow.keep_headers.iter().any(|kept| kept.as_str().eq_ignore_ascii_case(name));
    let leaked = CREDENTIALS.iter().filter(|plant| seen.iter().any(|one| one.holds(plant.value)));
    let problems: Vec<String> = leaked
        .map(|plant| match plant.what {
            name if kept(name) => format!("{name} reached the shadow: shadow.keep_headers lets it through"),
            name if name.contains("query") && !one.shadow.keep_query.is_empty() => {
                format!("{name} reached the shadow: shadow.keep_query = {:?} lets it through", one.shadow.keep_query)
            }
            name => format!("{name} reached the shadow"),
        })
        .collect();
    let names: Vec<&str> = CREDENTIALS.iter().map(|plant| plant.what).collect();
    Check::unless(WITHHELD, &problems, format!("not one of {} reached the shadow", names.join(", ")))
}

/// The shadow got its own headers. Their values are never shown.
pub(crate) fn own_headers(one: &IntegrationConfig, seen: &[Seen]) -> Check {
    if one.shadow.headers.is_empty() {
        return Check::not_checked(HEADERS, "shadow.headers is empty: the shadow gets no credentials of its own");
    }
    if seen.is_empty() {
        return Check::not_checked(HEADERS, "no copy arrived");
    }
    let there = |one: &Seen, name: &http::HeaderName, value: &[u8]| {
        let mut values = one.headers.get_all(name).iter();
        values.next().is_some_and(|first| first.as_bytes() == value) && values.next().is_none()
    };
    let missing =
        one.shadow.headers.iter().filter(|(name, value)| !seen.iter().all(|s| there(s, name, value.expose())));
    let problems: Vec<String> =
        missing.map(|(name, _)| format!("a copy arrived without the configured {name}")).collect();
    let names: Vec<&str> = one.shadow.headers.iter().map(|(name, _)| name.as_str()).collect();
    Check::unless(HEADERS, &problems, format!("{} as configured", names.join(", ")))
}

/// The ledger's sum, against what was sent and what the shadow counted itself (`None`: it is not ours to ask).
pub(crate) fn ledger(status: &Value, sent: u64, shadow_saw: Option<u64>) -> Check {
    let ledger = &status["ledger"];
    let (mirrored, refused) = (sum(&ledger["mirrored"]), sum(&ledger["not_mirrored"]));
    let arrived = ledger["arrived"].as_u64().unwrap_or_default();
    let aborted = ledger["mirrored"]["aborted"].as_u64().unwrap_or_default();
    let mut problems = Vec::new();
    if arrived != sent {
        problems.push(format!("{sent} requests were sent and {arrived} arrived at this integration: see match"));
    }
    if ledger["adds_up"] != true || mirrored + refused != arrived {
        problems.push(format!("{arrived} arrived, {mirrored} were mirrored, {refused} were not"));
    }
    // A call that the stop aborted may or may not have reached the shadow.
    if let Some(saw) = shadow_saw.filter(|saw| *saw > mirrored || *saw + aborted < mirrored) {
        problems.push(format!("{mirrored} were counted as mirrored and the shadow saw {saw}"));
    }
    let kept = status["recorded"].as_u64().unwrap_or_default();
    if kept != mirrored {
        problems.push(format!("{mirrored} were mirrored and {kept} recorded: {}", status["not_recorded"]));
    }
    let saw = shadow_saw.map_or_else(String::new, |saw| format!(", the shadow saw {saw}"));
    let detail = format!("{arrived} arrived = {mirrored} mirrored + {refused} not mirrored{saw}, {kept} recorded");
    Check::unless(LEDGER, &problems, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selftest::Verdict;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_changed_answer_is_told_by_its_lines() {
        let direct = lines(&["HTTP/1.1 200 OK", "a: 1", "b: 2"]);
        assert_eq!(changed(&direct, &lines(&["HTTP/1.1 200 OK", "a: 1", "c: 3"])), "lost [\"b: 2\"], added [\"c: 3\"]");
        let order = "the headers came in another order or number";
        assert_eq!(changed(&direct, &lines(&["HTTP/1.1 200 OK", "b: 2", "a: 1"])), order);
    }

    #[test]
    fn a_ledger_that_does_not_fit_the_shadows_count_is_found() {
        let status = |mirrored: u64, refused: u64| {
            serde_json::json!({
                "ledger": { "arrived": 10, "adds_up": true, "mirrored": { "ok": mirrored, "aborted": 0 },
                            "not_mirrored": { "off": refused } },
                "recorded": mirrored,
            })
        };
        let verdict = |status: &Value, sent, saw| ledger(status, sent, Some(saw)).verdict;
        assert_eq!(verdict(&status(7, 3), 10, 7), Verdict::Pass);
        assert_eq!(verdict(&status(7, 3), 10, 8), Verdict::Fail);
        assert_eq!(verdict(&status(7, 3), 10, 6), Verdict::Fail);
        assert_eq!(verdict(&status(7, 3), 11, 7), Verdict::Fail);
        assert_eq!(verdict(&status(7, 2), 10, 7), Verdict::Fail);
    }
}
