//! One integration's alerts over time: told once when they have lasted, again when they go on, and once when they end.

use crate::exchange::{Instant, Integration};
use crate::review::{self, AlertRule, AlertTimes, Watched, contacts, rules_of};
use std::sync::Arc;
use std::time::Duration;

/// An alert has ended when it did not hold for so long, or for as long as it must last where that is less: what comes
/// and goes is one alert.
const CLEAR_FOR: Duration = Duration::from_secs(60);

/// What is told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::alerting) enum Happens {
    /// It has lasted.
    Begins,
    /// It goes on.
    GoesOn,
    /// It does not hold any more.
    Ends,
}

impl Happens {
    /// The stable name.
    pub(in crate::alerting) fn name(self) -> &'static str {
        match self {
            Self::Begins => "firing",
            Self::GoesOn => "still_firing",
            Self::Ends => "resolved",
        }
    }
}

/// One message, for every receiver.
#[derive(Clone, Debug)]
pub(in crate::alerting) struct Notice {
    pub integration: Integration,
    pub rule: &'static str,
    pub state: Happens,
    pub severity: &'static str,
    pub summary: String,
    pub remedy: String,
    /// Whom to call: what for, and who.
    pub contacts: Vec<(&'static str, String)>,
    /// When it began to hold, microseconds since the Unix epoch.
    pub since_unix_us: i64,
    pub at_unix_us: i64,
}

/// Since when a rule holds, when it was told last, since when it does not hold any more.
#[derive(Default)]
struct Course {
    holds_since: Option<(Instant, i64)>,
    told: Option<Instant>,
    clear_since: Option<Instant>,
}

/// See the file.
pub(in crate::alerting) struct Watch {
    integration: Integration,
    contacts: Vec<(&'static str, String)>,
    rules: Vec<(AlertRule, Course)>,
    repeat: Duration,
}

impl Watch {
    pub(in crate::alerting) fn new(
        integration: &Integration,
        review: &review::Settings,
        times: AlertTimes,
        repeat_s: u64,
    ) -> Self {
        let rules = rules_of(integration, review, times).into_iter().map(|rule| (rule, Course::default())).collect();
        let contacts = contacts(review).into_iter().map(|(what, who)| (what, who.to_owned())).collect();
        Self { integration: Arc::clone(integration), contacts, rules, repeat: Duration::from_secs(repeat_s) }
    }

    pub(in crate::alerting) fn integration(&self) -> &Integration {
        &self.integration
    }

    /// What is to be told now.
    pub(in crate::alerting) fn look(&mut self, watched: &Watched, now: Instant, now_unix_us: i64) -> Vec<Notice> {
        let mut notices = Vec::new();
        for (rule, course) in &mut self.rules {
            let lasts = Duration::from_secs(rule.lasts_s);
            let happens = match rule.holds(watched) {
                true => course.holding(now, now_unix_us, lasts, self.repeat),
                false => course.clear(now, lasts.min(CLEAR_FOR)),
            };
            let Some((state, since_unix_us)) = happens else { continue };
            notices.push(Notice {
                integration: Arc::clone(&self.integration),
                rule: rule.name,
                state,
                severity: rule.severity,
                summary: rule.summary.clone(),
                remedy: rule.remedy.clone(),
                contacts: self.contacts.clone(),
                since_unix_us,
                at_unix_us: now_unix_us,
            });
        }
        notices
    }
}

impl Course {
    fn holding(&mut self, now: Instant, unix_us: i64, lasts: Duration, repeat: Duration) -> Option<(Happens, i64)> {
        self.clear_since = None;
        let (since, since_unix_us) = *self.holds_since.get_or_insert((now, unix_us));
        let state = match self.told {
            None if now.saturating_duration_since(since) >= lasts => Happens::Begins,
            Some(told) if now.saturating_duration_since(told) >= repeat => Happens::GoesOn,
            _ => return None,
        };
        self.told = Some(now);
        Some((state, since_unix_us))
    }

    fn clear(&mut self, now: Instant, enough: Duration) -> Option<(Happens, i64)> {
        if self.told.is_none() {
            self.holds_since = None;
            return None;
        }
        let since = *self.clear_since.get_or_insert(now);
        if now.saturating_duration_since(since) < enough {
            return None;
        }
        let (_, since_unix_us) = self.holds_since?;
        *self = Self::default();
        Some((Happens::Ends, since_unix_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{Clock, Outcome};

    fn failing(yes: bool) -> Watched {
        let mut now = Watched { arrived: 100, ..Watched::default() };
        let outcome = if yes { Outcome::Server5xx } else { Outcome::Ok };
        now.mirrored[usize::from(outcome.code())] = 100;
        now
    }

    /// Minute by minute: whether calls fail; and in which minutes what is told.
    fn told(minutes: &[bool]) -> Vec<(usize, Happens)> {
        let review = review::Settings::default();
        let mut watch = Watch::new(&Arc::from("pay"), &review, AlertTimes::default(), 3_600);
        let start = Clock.now();
        let mut all = Vec::new();
        for (minute, fails) in minutes.iter().enumerate() {
            let at = start + Duration::from_secs(minute as u64 * 60);
            for notice in watch.look(&failing(*fails), at, minute as i64) {
                assert_eq!(notice.rule, "DarklaunchProviderFails");
                all.push((minute, notice.state));
            }
        }
        all
    }

    #[test]
    fn what_does_not_last_is_not_told() {
        assert_eq!(told(&[true; 10]), []);
        assert_eq!(told(&[true, true, true, true, true, false, true, true, true, true, true, true, true]), []);
    }

    #[test]
    fn it_is_told_once_again_after_the_repeat_and_when_it_ends() {
        let minutes: Vec<bool> = (0..100).map(|minute| minute < 80).collect();
        assert_eq!(told(&minutes), [(10, Happens::Begins), (70, Happens::GoesOn), (81, Happens::Ends)]);
    }

    #[test]
    fn what_comes_and_goes_is_one_alert() {
        let minutes: Vec<bool> = (0..60).map(|minute| minute < 11 || minute % 2 == 0).collect();
        assert_eq!(told(&minutes), [(10, Happens::Begins)]);
    }
}
