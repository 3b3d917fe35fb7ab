//! Every integration's redactor, a whole generation at a time.
//!
//! **Invariants.** A generation is compiled whole or not at all, and swapped whole; a capture is redacted by one
//! generation from its first byte to its last. Integrations with equal rules and limits share one redactor. Until a
//! redactor has proven that it finds the canaries, what it lets through is not trusted: bodies are withheld.

use crate::exchange::{BodyCopy, Capture, DropReason, Integration};
use crate::redact::canary::{Canaries, Leak};
use crate::redact::engine::Redactor;
use crate::redact::evidence::path::PathPattern;
use crate::redact::format::binary;
use crate::redact::rule::rules::{PseudonymKey, RuleFile, RuleProblem, Settings};
use crate::redact::sealed::{Part, Recording, Redacted};
use crate::redact::stand_in::pseudonym::MASK;
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a redactor is compiled from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSource {
    /// The rule files, in order.
    pub files: Vec<RuleFile>,
    /// The limits, and what is kept besides.
    pub settings: Settings,
}

/// Whether strict mode understands a path: dotted names, `*` for one, `**` for any number.
pub fn is_kept_path(text: &str) -> bool {
    PathPattern::of(text).is_some()
}

/// Whether binary bodies of a media type may be kept: `image/png`, `application/octet-stream`; no text, no archive.
pub fn is_keepable_binary(essence: &str) -> bool {
    binary::is_keepable(essence)
}

/// A redactor and what it is trusted with.
struct Set {
    redactor: Arc<Redactor>,
    trust: Trust,
}

enum Trust {
    /// It was not asked yet.
    Unproven,
    /// It found every canary.
    Proven,
    /// It let these through.
    Leaks(Vec<Leak>),
}

/// All redactors of one moment.
pub struct Generation {
    /// Counts the generations of a process, from 1.
    pub number: u64,
    sets: Vec<Set>,
    /// Positions in `sets`. The first set is for whatever has no rules of its own.
    own: BTreeMap<Integration, usize>,
}

impl Generation {
    /// Compiles the set for everyone and the sets that integrations have of their own; equal ones once.
    ///
    /// # Errors
    /// Every problem of every set, each told once.
    pub fn compile(
        everyone: &RuleSource,
        own: &[(Integration, RuleSource)],
        key: &PseudonymKey,
    ) -> Result<Self, Vec<RuleProblem>> {
        let mut sources = vec![everyone];
        let mut positions = BTreeMap::new();
        for (integration, source) in own {
            let known = sources.iter().position(|known| *known == source);
            let at = known.unwrap_or_else(|| {
                sources.push(source);
                sources.len() - 1
            });
            positions.insert(Arc::clone(integration), at);
        }
        let (mut sets, mut problems) = (Vec::new(), Vec::new());
        for source in sources {
            match Redactor::compile(&source.files, key.clone(), source.settings.clone()) {
                Ok(redactor) => sets.push(Set { redactor: Arc::new(redactor), trust: Trust::Unproven }),
                Err(found) => {
                    problems.extend(found.into_iter().filter(|one| !problems.contains(one)).collect::<Vec<_>>());
                }
            }
        }
        if problems.is_empty() { Ok(Self { number: 1, sets, own: positions }) } else { Err(problems) }
    }

    /// Sends the canaries through every redactor and trusts those that let none through.
    #[must_use]
    pub fn proven(mut self, canaries: &Canaries) -> Self {
        for set in &mut self.sets {
            let leaks = canaries.survivors(&set.redactor);
            set.trust = if leaks.is_empty() { Trust::Proven } else { Trust::Leaks(leaks) };
        }
        self
    }

    /// The canaries that rules let through, with the integrations that have these rules; none where they are only for
    /// what has no rules of its own.
    pub fn leaks(&self) -> Vec<(Vec<Integration>, &[Leak])> {
        let users =
            |set: usize| self.own.iter().filter(|(_, at)| **at == set).map(|(name, _)| Arc::clone(name)).collect();
        let all = (0..self.sets.len()).map(|at| (users(at), self.leaks_at(at)));
        all.filter(|(_, leaks)| !leaks.is_empty()).collect()
    }

    /// The canaries that an integration's rules let through.
    pub fn leaks_of(&self, integration: &str) -> &[Leak] {
        self.leaks_at(self.position(integration))
    }

    fn leaks_at(&self, at: usize) -> &[Leak] {
        match &self.sets[at].trust {
            Trust::Leaks(leaks) => leaks,
            Trust::Unproven | Trust::Proven => &[],
        }
    }

    /// The redactor of an integration; one without rules of its own has everyone's.
    pub fn of(&self, integration: &str) -> &Arc<Redactor> {
        &self.set(integration).redactor
    }

    /// The redactor for everyone.
    pub fn everyone(&self) -> &Arc<Redactor> {
        &self.sets[0].redactor
    }

    /// Every redactor, each once.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Redactor>> {
        self.sets.iter().map(|set| &set.redactor)
    }

    /// Redacts a capture by its integration's rules. Rules that are not trusted keep no body.
    pub fn capture(&self, capture: Capture) -> Redacted<Recording> {
        let set = self.set(&capture.integration);
        let recording = set.redactor.capture(capture);
        match &set.trust {
            Trust::Proven => recording,
            Trust::Unproven => withheld(recording, &[]),
            Trust::Leaks(leaks) => withheld(recording, leaks),
        }
    }

    fn set(&self, integration: &str) -> &Set {
        &self.sets[self.position(integration)]
    }

    fn position(&self, integration: &str) -> usize {
        self.own.get(integration).copied().unwrap_or_default()
    }
}

/// The recording without its bodies, and without the parts where a canary came through.
fn withheld(recording: Redacted<Recording>, leaks: &[Leak]) -> Redacted<Recording> {
    let leaky = |part: Part| leaks.iter().any(|leak| leak.part == part);
    let mut recording = recording.into_inner();
    let capture = &mut recording.capture;
    if leaky(Part::Target) {
        capture.request.target = format!("/{MASK}");
        capture.endpoint = MASK.into();
    }
    let answers = capture.primary.iter_mut().chain([&mut capture.shadow]).filter_map(|one| one.response.as_mut());
    let answers = answers.map(|answer| (&mut answer.headers, &mut answer.body));
    for (headers, body) in answers.chain([(&mut capture.request.headers, &mut capture.request.body)]) {
        if leaky(Part::Headers) {
            headers.clear();
        }
        if body.drop_reason().is_none() && !body.bytes.is_empty() {
            *body = BodyCopy::dropped(DropReason::SelfCheck, body.seen_bytes);
        }
    }
    Redacted::seal(recording)
}

/// The generation in force, read lock-free and swapped whole.
pub struct Redactors {
    current: ArcSwap<Generation>,
}

impl Redactors {
    /// Begins with a generation.
    pub fn new(first: Generation) -> Self {
        Self { current: ArcSwap::from_pointee(first) }
    }

    /// The generation in force; whoever holds it finishes with it, whatever comes after.
    pub fn now(&self) -> Arc<Generation> {
        self.current.load_full()
    }

    /// Puts the next generation in force and gives its number.
    pub fn swap(&self, mut next: Generation) -> u64 {
        next.number = self.current.load().number + 1;
        let number = next.number;
        self.current.store(Arc::new(next));
        number
    }

    /// Redacts a capture by the rules in force at this moment for its integration.
    pub fn capture(&self, capture: Capture) -> Redacted<Recording> {
        self.now().capture(capture)
    }

    /// The redactor of an integration.
    pub fn of(&self, integration: &str) -> Arc<Redactor> {
        Arc::clone(self.now().of(integration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{CaptureId, Exchange, Outcome, RequestCopy, ResponseCopy, Role, Timings};
    use crate::redact::builtin;
    use http::{HeaderMap, HeaderValue, Method};

    fn key() -> PseudonymKey {
        PseudonymKey::new([5; 32])
    }

    fn canaries() -> Canaries {
        Canaries::of_run(&key(), "run")
    }

    fn source(files: Vec<RuleFile>, kept: Option<&[&str]>) -> RuleSource {
        let kept_paths = kept.map(|kept| kept.iter().map(|path| (*path).to_owned()).collect());
        RuleSource { files, settings: Settings { kept_paths, ..Settings::default() } }
    }

    fn with_rule(id: &str, pattern: &str) -> RuleSource {
        let rule = format!(
            "[[rule]]\nid = \"{id}\"\ntype = \"token\"\nwhy = \"test\"\npattern = '{pattern}'\nhits = [\"zz-1234\"]\nmisses = [\"zz\"]\n"
        );
        let mut files = builtin();
        files.push(RuleFile { name: format!("{id}.toml"), text: rule });
        source(files, None)
    }

    fn capture(integration: &str, body: &str) -> Capture {
        let headers =
            HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Capture {
            id: CaptureId::fresh(),
            integration: integration.into(),
            endpoint: "GET /a".into(),
            received_unix_us: 0,
            request: RequestCopy {
                method: Method::GET,
                target: "/a".to_owned(),
                headers: HeaderMap::new(),
                body: BodyCopy::empty(),
            },
            primary: None,
            shadow: Exchange {
                role: Role::Shadow,
                started_unix_us: 0,
                response: Some(ResponseCopy { status: 200, headers, body: BodyCopy::complete(body.to_owned().into()) }),
                failure: None,
                outcome: Outcome::Ok,
                timings: Timings::default(),
            },
        }
    }

    fn answer(recording: &Recording) -> (String, Option<DropReason>) {
        let body = &recording.capture.shadow.response.as_ref().unwrap().body;
        (String::from_utf8_lossy(&body.bytes).into_owned(), body.drop_reason())
    }

    #[test]
    fn equal_sets_are_one_redactor_and_each_integration_has_its_own_hash() {
        let mine = with_rule("mine", "zz-[0-9]{4}");
        let strict = source(builtin(), Some(&["id", "data.*.status"]));
        let own = [
            (Integration::from("a"), mine.clone()),
            ("b".into(), mine),
            ("c".into(), strict),
            ("d".into(), source(builtin(), None)),
        ];
        let all = Generation::compile(&source(builtin(), None), &own, &key()).unwrap();
        assert!(Arc::ptr_eq(all.of("a"), all.of("b")) && Arc::ptr_eq(all.of("d"), all.everyone()));
        assert!(Arc::ptr_eq(all.of("unheard of"), all.everyone()));
        assert_eq!(all.all().count(), 3);
        let mut hashes: Vec<_> = all.all().map(|one| one.hash()).collect();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), 3, "strict paths are part of the hash");

        let redactors = Redactors::new(all.proven(&canaries()));
        let body = r#"{"id":"zz-1234","total":10.50}"#;
        let kept = |integration: &str| answer(&redactors.capture(capture(integration, body))).0;
        assert!(!kept("a").contains("zz-1234") && kept("a").contains("10.50"), "{}", kept("a"));
        assert_eq!(kept("d"), body);
        assert!(kept("c").contains("zz-1234") && !kept("c").contains("10.50"), "{}", kept("c"));
    }

    #[test]
    fn every_problem_of_every_set_is_told_once() {
        let broken = |name: &str| RuleFile { name: name.to_owned(), text: "[[rule]]\nid = 7\n".to_owned() };
        let own = [
            ("a".into(), source(vec![broken("shared"), broken("mine")], None)),
            ("b".into(), source(vec![broken("shared"), broken("theirs")], None)),
        ];
        let problems = Generation::compile(&source(vec![broken("shared")], None), &own, &key()).err().unwrap();
        let files: Vec<&str> = problems.iter().map(|problem| problem.file.as_str()).collect();
        assert_eq!(files, ["shared", "mine", "theirs"]);
    }

    #[test]
    fn a_body_is_kept_only_by_rules_that_found_the_canaries() {
        let lax = source(Vec::new(), None);
        let own = [("a".into(), source(builtin(), None))];
        let unproven = Generation::compile(&lax, &own, &key()).unwrap();
        assert_eq!(answer(&unproven.capture(capture("a", "{}"))).1, Some(DropReason::SelfCheck));
        let proven = unproven.proven(&canaries());
        assert_eq!(answer(&proven.capture(capture("a", "{}"))), ("{}".to_owned(), None));
        assert!(proven.leaks_of("a").is_empty() && !proven.leaks_of("b").is_empty());
        assert!(proven.leaks().iter().all(|(who, _)| who.is_empty()));

        let mut one = capture("b", "{}");
        one.request.target = "/people/ada@example.org".to_owned();
        one.request.headers.insert("x-note", HeaderValue::from_static("ada"));
        let recording = proven.capture(one);
        assert_eq!(answer(&recording).1, Some(DropReason::SelfCheck));
        assert_eq!(recording.capture.request.target, "/masked");
        assert!(recording.capture.request.headers.is_empty());
    }

    #[test]
    fn a_capture_ends_with_the_generation_it_began_with() {
        let first = Generation::compile(&source(builtin(), None), &[], &key()).unwrap().proven(&canaries());
        let redactors = Redactors::new(first);
        let began = redactors.now();
        let next = Generation::compile(&with_rule("mine", "zz-[0-9]{4}"), &[], &key()).unwrap();
        assert_eq!(redactors.swap(next.proven(&canaries())), 2);
        let (before, after) = (began.capture(capture("a", "{}")), redactors.capture(capture("a", "{}")));
        assert_ne!(before.rules_hash, after.rules_hash);
        assert_eq!(
            (before.rules_hash.clone(), after.rules_hash.clone()),
            (began.everyone().hash(), redactors.of("a").hash())
        );
    }
}
