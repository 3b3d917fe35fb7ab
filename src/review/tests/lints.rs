//! Settings held against a recording.

use crate::review::tests::go_live::{Recording, settings};
use crate::review::{LintError, LintFinding, Review, lint};

/// Nights without calls would have no quiet hours: one call in three seconds, a failure in a hundred.
fn review() -> Review {
    Recording { days: 8, failure_each: 100, ..Recording::default() }.review(&settings())
}

fn says(found: &[LintFinding]) -> Vec<String> {
    found.iter().map(|one| format!("{}:{}={} {}", one.line, one.key, one.value, one.says)).collect()
}

#[test]
fn settings_that_the_recording_disproves_are_told_with_line_and_figure() {
    let review = review();
    let yaml = "resilience4j:
  circuitbreaker:
    instances:
      pay:
        slidingWindowSize: 20
        minimumNumberOfCalls: 20
        failureRateThreshold: 10
      quiet:
        slidingWindowType: TIME_BASED
        slidingWindowSize: 30
        minimumNumberOfCalls: 100
  timelimiter:
    instances:
      pay:
        timeoutDuration: 200ms
  retry:
    instances:
      pay:
        maxAttempts: 10
        waitDuration: 500ms
";
    let found = lint(yaml, &review).unwrap();
    let all = says(&found);
    let one = |part: &str| all.iter().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {all:#?}"));
    assert!(one("trips").contains("pay.failureRateThreshold=10") && one("trips").starts_with("7:"), "{all:#?}");
    assert!(one("good answers").starts_with("15:") && one("good answers").contains("GET /items/{id}"), "{all:#?}");
    assert!(one("never works at night").contains("quiet.minimumNumberOfCalls=100"), "{all:#?}");
    assert!(one("with all attempts").contains("6.50 s"), "{all:#?}");
    assert!(one("no call is ever that slow").contains("60s (the default)"), "{all:#?}");
}

#[test]
fn polly_is_understood_and_good_settings_are_left_alone() {
    let review = review();
    let bad = r#"{ "Payments": {
        "TotalRequestTimeout": { "Timeout": "00:00:02" },
        "AttemptTimeout": { "Timeout": "00:00:01.5" },
        "Retry": { "MaxRetryAttempts": 3, "Delay": "00:00:00.1" },
        "CircuitBreaker": { "FailureRatio": 0.1, "MinimumThroughput": 100, "SamplingDuration": "00:00:01" }
    } }"#;
    let all = says(&lint(bad, &review).unwrap());
    for part in ["total smaller than attempts x per-try", "at least twice", "never works"] {
        assert!(all.iter().any(|line| line.contains(part)), "{part}: {all:#?}");
    }
    let advised = crate::review::paste(&review);
    let text = |client: &str| advised.iter().find(|one| one.client == client).map(|one| one.text.clone()).unwrap();
    let own = lint(&text("resilience4j"), &review).unwrap();
    let trips: Vec<_> =
        own.iter().filter(|one| one.says.contains("trips") || one.says.contains("good answers")).collect();
    assert!(trips.is_empty(), "our own advice is disproved: {trips:#?}");
}

#[test]
fn what_is_no_settings_file_is_said_with_the_remedy() {
    let review = review();
    assert_eq!(lint("a: 1", &review), Err(LintError::Nothing));
    assert!(matches!(lint("a: [", &review), Err(LintError::Syntax { .. })));
    let wrong = lint("resilience4j.timelimiter.instances.x.timeoutDuration=soon", &review).unwrap_err();
    let said = wrong.to_string();
    assert!(said.contains("line 1") && said.contains("timeoutDuration") && said.contains("write 800ms"), "{said}");
}
