//! A notice as a receiver reads it.

use crate::alerting::Format;
use crate::alerting::watch::{Happens, Notice};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// The body of the POST.
pub(in crate::alerting) fn body(notice: &Notice, format: Format) -> Value {
    match format {
        Format::Slack => json!({ "text": text(notice) }),
        Format::Json => {
            let contacts: Map<String, Value> =
                notice.contacts.iter().map(|(what, who)| ((*what).to_owned(), Value::from(who.as_str()))).collect();
            json!({
                "schema": "darklaunch.alert/v1",
                "alert": notice.rule,
                "state": notice.state.name(),
                "severity": notice.severity,
                "integration": &*notice.integration,
                "summary": notice.summary,
                "remedy": notice.remedy,
                "contacts": contacts,
                "since": moment(notice.since_unix_us),
                "at": moment(notice.at_unix_us),
            })
        }
    }
}

fn moment(unix_us: i64) -> String {
    jiff::Timestamp::from_microsecond(unix_us).unwrap_or_default().to_string()
}

/// Slack's own marks (`&`, `<`, `>`) are escaped as its documentation asks for.
fn text(notice: &Notice) -> String {
    let head = match notice.state {
        Happens::Begins => "ALERT",
        Happens::GoesOn => "STILL",
        Happens::Ends => "OVER",
    };
    let mut text = format!("[{head}] {}", notice.summary);
    if notice.state == Happens::Ends {
        let _ = write!(text, "\nThis does not hold any more. It had begun at {}.", moment(notice.since_unix_us));
    } else {
        let _ = write!(text, "\nWhat to do: {}", notice.remedy);
        for (what, who) in &notice.contacts {
            let _ = write!(text, "\n{}: {who}", what.replace('_', " "));
        }
        if notice.contacts.is_empty() {
            text.push_str("\nNobody is named to be called: set review.owner and provider.support.");
        }
    }
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn both_formats_say_what_to_do_and_whom_to_call() {
        let notice = Notice {
            integration: Arc::from("pay"),
            rule: "DarklaunchProviderFails",
            state: Happens::Begins,
            severity: "page",
            summary: "pay: more than 5 % fail".to_owned(),
            remedy: "call".to_owned(),
            contacts: vec![("status_page", "<status> & more".to_owned())],
            since_unix_us: 0,
            at_unix_us: 60_000_000,
        };
        let slack = body(&notice, Format::Slack);
        let expected = "[ALERT] pay: more than 5 % fail\nWhat to do: call\nstatus page: &lt;status&gt; &amp; more";
        assert_eq!(slack, json!({ "text": expected }));
        let plain = body(&notice, Format::Json);
        assert_eq!(
            (&plain["state"], &plain["contacts"]["status_page"], &plain["since"]),
            (&json!("firing"), &json!("<status> & more"), &json!("1970-01-01T00:00:00Z"))
        );
        let over = body(&Notice { state: Happens::Ends, ..notice }, Format::Slack);
        assert!(over["text"].as_str().unwrap().contains("does not hold any more"), "{over}");
    }
}
