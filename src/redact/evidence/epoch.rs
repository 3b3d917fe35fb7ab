//! Instants written as numbers, which look like identifiers of ten, thirteen, sixteen or nineteen digits.

use crate::redact::validators::is_thirteen_digit_national;

/// Seconds between which instants of today's APIs lie: 2014 to 2030.
const SECONDS: std::ops::Range<u64> = 1_400_000_000..1_900_000_000;
/// Last words of names that hold instants.
const TIME_WORDS: [&str; 34] = [
    "at",
    "time",
    "timestamp",
    "ts",
    "epoch",
    "since",
    "until",
    "date",
    "millis",
    "ms",
    "micros",
    "nanos",
    "sec",
    "secs",
    "second",
    "created",
    "updated",
    "modified",
    "expires",
    "expiry",
    "expiration",
    "exp",
    "iat",
    "nbf",
    "run",
    "seen",
    "login",
    "start",
    "end",
    "from",
    "to",
    "on",
    "unix",
    "instant",
];

/// Whether a number is an instant under this name (its words joined, in lower case). Milliseconds and finer ones are
/// recognised by themselves unless they prove to be a person's number; seconds need a name of time.
pub(in crate::redact) fn is_instant(raw: &str, name: &str) -> bool {
    if !matches!(raw.len(), 10 | 13 | 16 | 19) || !raw.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let seconds = raw.get(..10).and_then(|head| head.parse::<u64>().ok());
    seconds.is_some_and(|seconds| SECONDS.contains(&seconds))
        && match raw.len() {
            10 => is_time(name),
            13 => is_time(name) || !is_thirteen_digit_national(raw),
            _ => true,
        }
}

fn is_time(name: &str) -> bool {
    TIME_WORDS.iter().any(|word| name.ends_with(word))
}

/// Whether a text is an instant and at most a few short marks beside it, as the cookies of analytics are that say when
/// they were made (`GA1.2.1700000000`): there is no room for a secret.
pub(in crate::redact) fn is_only_instants(text: &str) -> bool {
    let parts = || text.split(['.', '-', '_', ':', '|']);
    let marks = parts().filter(|part| !is_instant(part, "at"));
    text.len() <= 40
        && parts().any(|part| is_instant(part, "at"))
        && marks.clone().all(|mark| mark.len() <= 3)
        && marks.count() <= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_told_from_identifiers() {
        assert!(
            is_instant("1700000000123", "run")
                && is_instant("1700000000123456", "id")
                && is_instant("1700000000", "lastrun")
        );
        assert!(
            !is_instant("1700000000", "accountnumber")
                && !is_instant("4242424242424242", "ts")
                && !is_instant("170000000", "ts")
        );
        assert!(is_only_instants("GA1.2.1700000000") && is_only_instants("1700000000123"));
        assert!(!is_only_instants("GA1.2.123456789.1700000000") && !is_only_instants("abc"));
        // A Romanian personal code with a right check digit.
        assert!(!is_instant("1800101221144", "cnp"));
    }
}
