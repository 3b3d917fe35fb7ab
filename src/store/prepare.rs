//! What can be done of storing a capture before the one writer: packing, hashing, naming. On as many threads as there are.

use crate::compare::{self, Examined, NO_SHAPE, Names, Verdict};
use crate::exchange::{BodyCopy, DropReason, Exchange, FailureKind, Integration, Outcome};
use crate::redact::{Hit, Recording, Redacted};
use crate::store::block;
use crate::store::codec::{Dictionary, Packed, Packer};
use crate::store::training::{Dictionaries, Samples};
use crate::store::window::{Digest, Met, Sight, Window};
use bytes::Bytes;
use http::{HeaderMap, Method};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the threads that prepare share with the writer.
#[derive(Debug, Default)]
pub struct Shared {
    /// The bodies of the recent past.
    pub window: Window,
    /// What bodies are packed with.
    pub dictionaries: Dictionaries,
}

/// A capture as the writer stores it: only columns are left. Made from a redacted recording and from nothing else.
#[derive(Debug)]
pub struct Prepared {
    pub(in crate::store) id: [u8; 16],
    pub(in crate::store) integration: Integration,
    pub(in crate::store) endpoint: Arc<str>,
    pub(in crate::store) rules: Arc<str>,
    pub(in crate::store) received_us: i64,
    pub(in crate::store) method: Method,
    pub(in crate::store) target: String,
    pub(in crate::store) verdict: Cow<'static, str>,
    pub(in crate::store) body: Part,
    pub(in crate::store) primary: Option<Side>,
    pub(in crate::store) shadow: Side,
    pub(in crate::store) shape: u64,
    pub(in crate::store) hits: Vec<(Arc<str>, u64)>,
    /// The rules that struck, in their order, with commas.
    pub(in crate::store) hit_set: String,
    pub(in crate::store) details: Packed,
    pub(in crate::store) subjects: Vec<u8>,
}

/// One exchange.
#[derive(Debug)]
pub(in crate::store) struct Side {
    /// The call's start, after the request's arrival.
    pub after_us: i64,
    pub status: Option<u16>,
    pub outcome: Outcome,
    pub failure: Option<i64>,
    pub queue_wait_us: u64,
    pub connect_us: Option<u64>,
    pub ttfb_us: Option<u64>,
    pub total_us: u64,
    pub part: Part,
}

/// One body with what is known of it.
#[derive(Debug)]
pub(in crate::store) struct Part {
    pub seen: u64,
    pub dropped: Option<i64>,
    pub body: Option<Body>,
    /// There was one, and it was pruned where this capture comes from.
    pub pruned: bool,
}

impl Part {
    /// There was a body, and it was pruned.
    pub(in crate::store) fn let_go(&mut self) {
        (self.dropped, self.body, self.pruned) = (None, None, true);
    }
}

/// The bytes of a body.
#[derive(Debug)]
pub(in crate::store) struct Body {
    pub digest: Digest,
    pub size: usize,
    pub bytes: Content,
}

#[derive(Debug)]
pub(in crate::store) enum Content {
    /// As stored.
    Packed(i64, Box<[u8]>),
    /// It was met before: most likely it has a row, and else the writer packs it. Where it was seen to lie.
    Seen(Bytes, Option<Sight>),
    /// The primary's answer in the same capture has the same bytes, and this one its row.
    Twin,
}

impl Prepared {
    /// Whose capture it is.
    pub fn integration(&self) -> &Integration {
        &self.integration
    }

    /// Bytes it holds, about.
    pub fn bytes(&self) -> usize {
        let sides = self.primary.iter().chain([&self.shadow]).map(|side| &side.part);
        let bodies = sides.chain([&self.body]).filter_map(|part| part.body.as_ref()).map(|body| match &body.bytes {
            Content::Packed(_, bytes) => bytes.len(),
            Content::Seen(bytes, _) => bytes.len(),
            Content::Twin => 0,
        });
        size_of::<Self>() + self.target.len() + self.hit_set.len() + self.details.1.len() + bodies.sum::<usize>()
    }
}

/// One thread's tools for preparing.
#[derive(Debug)]
pub struct Preparer {
    shared: Arc<Shared>,
    packer: Packer,
    names: Names,
    block: Vec<u8>,
}

impl Preparer {
    pub(in crate::store) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, packer: Packer::default(), names: Names::default(), block: Vec::new() }
    }

    /// Compares the answers of a capture and makes it ready for the writer. From time to time there is something to be
    /// trained from what was seen; see [`Samples::train`].
    pub fn prepare(&mut self, recording: &Redacted<Recording>) -> (Prepared, Option<Samples>) {
        let examined = self.examine(recording);
        self.parts(recording, &examined)
    }

    /// Compares the answers of a capture.
    pub(in crate::store) fn examine(&mut self, recording: &Redacted<Recording>) -> Examined {
        compare::examine(recording, &mut self.names)
    }

    /// Makes a capture ready that was compared before.
    pub(in crate::store) fn with_verdict(&mut self, recording: &Redacted<Recording>, verdict: Verdict) -> Prepared {
        self.parts(recording, &Examined { verdict, shape: None }).0
    }

    /// Apart so that the tests of this room can hand in what redaction would not let through.
    pub(in crate::store) fn parts(&mut self, of: &Recording, examined: &Examined) -> (Prepared, Option<Samples>) {
        let capture = &of.capture;
        let dictionary = self.shared.dictionaries.of(&capture.integration);
        let with = dictionary.as_deref();
        let differences = match &examined.verdict {
            Verdict::Differs(differences) => differences.as_slice(),
            _ => &[],
        };
        fn answer(side: Option<&Exchange>) -> Option<&HeaderMap> {
            side.and_then(|side| side.response.as_ref()).map(|answer| &answer.headers)
        }
        let mut block = std::mem::take(&mut self.block);
        let headers = [Some(&capture.request.headers), answer(capture.primary.as_ref()), answer(Some(&capture.shadow))];
        block::write(&mut block, headers, &of.hits, differences);
        let details = self.packer.pack(&block, with);
        let (body, _) = self.part(&capture.request.body, with, None);
        let primary =
            capture.primary.as_ref().map(|primary| self.side(primary, capture.received_unix_us, with, None).0);
        // Where both answer the same, it is looked at once.
        let twin = capture.primary.as_ref().and_then(|of| of.response.as_ref()).map(|answer| &answer.body.bytes);
        let twin = twin.zip(primary.as_ref().and_then(|primary| primary.part.body.as_ref()));
        let (shadow, met) = self.side(&capture.shadow, capture.received_unix_us, with, twin);
        let shape = self.shape(&capture.shadow, &shadow, met, examined.shape);
        let samples = match with {
            Some(_) => None,
            None => self.sample(of, &block),
        };
        self.block = block;
        let (hits, hit_set) = hits(&of.hits);
        let prepared = Prepared {
            id: *capture.id.0.as_bytes(),
            integration: Arc::clone(&capture.integration),
            endpoint: Arc::clone(&capture.endpoint),
            rules: Arc::clone(&of.rules_hash),
            received_us: capture.received_unix_us,
            method: capture.request.method.clone(),
            target: capture.request.target.clone(),
            verdict: match examined.verdict {
                Verdict::CannotSay(why) => format!("cannot_say: {why}").into(),
                Verdict::Same => "same".into(),
                Verdict::Differs(_) => "differs".into(),
            },
            body,
            primary,
            shadow,
            shape,
            hits,
            hit_set,
            details,
            subjects: of.subjects.concat(),
        };
        (prepared, samples)
    }

    fn side(
        &mut self,
        of: &Exchange,
        received_us: i64,
        with: Option<&Dictionary>,
        twin: Option<(&Bytes, &Body)>,
    ) -> (Side, Met) {
        let absent = BodyCopy::empty();
        let copy = of.response.as_ref().map_or(&absent, |response| &response.body);
        let (part, met) = self.part(copy, with, twin);
        let failure = of.failure.and_then(|failure| FailureKind::ALL.iter().position(|kind| *kind == failure.kind));
        let side = Side {
            after_us: of.started_unix_us.saturating_sub(received_us),
            status: of.response.as_ref().map(|response| response.status),
            outcome: of.outcome,
            failure: failure.map(|at| at as i64),
            queue_wait_us: of.timings.queue_wait_us,
            connect_us: of.timings.connect_us,
            ttfb_us: of.timings.ttfb_us,
            total_us: of.timings.total_us,
            part,
        };
        (side, met)
    }

    fn part(&mut self, copy: &BodyCopy, with: Option<&Dictionary>, twin: Option<(&Bytes, &Body)>) -> (Part, Met) {
        let dropped = copy.drop_reason();
        let code = dropped.and_then(|reason| DropReason::ALL.iter().position(|known| *known == reason));
        let mut part = Part { seen: copy.seen_bytes, dropped: code.map(|at| at as i64), body: None, pruned: false };
        if copy.bytes.is_empty() || dropped.is_some() {
            return (part, Met::Known(None, Some(NO_SHAPE)));
        }
        let twin = twin.filter(|(bytes, _)| copy.bytes == *bytes).map(|(_, body)| body.digest);
        let digest: Digest = twin.unwrap_or_else(|| Sha256::digest(&copy.bytes).into());
        let met = self.shared.window.meet(&digest);
        let bytes = match met {
            _ if twin.is_some() => Content::Twin,
            Met::Known(sight, _) => Content::Seen(copy.bytes.clone(), sight),
            Met::New => {
                let (coding, bytes) = self.packer.pack(&copy.bytes, with);
                Content::Packed(coding, bytes)
            }
        };
        part.body = Some(Body { digest, size: copy.bytes.len(), bytes });
        (part, met)
    }

    /// The shape of the shadow's answer: known from the same body before, or from comparing, or looked at now.
    fn shape(&mut self, shadow: &Exchange, side: &Side, met: Met, examined: Option<u64>) -> u64 {
        if let Met::Known(_, Some(shape)) = met {
            return shape;
        }
        let Some(answer) = &shadow.response else { return NO_SHAPE };
        let shape = examined.unwrap_or_else(|| compare::shape(answer, &mut self.names));
        if let Some(body) = &side.part.body {
            self.shared.window.has_shape(&body.digest, shape);
        }
        shape
    }

    /// The shadow's answer and the block, for an integration that has no dictionary yet.
    fn sample(&self, of: &Recording, block: &[u8]) -> Option<Samples> {
        let capture = &of.capture;
        let (dictionaries, integration) = (&self.shared.dictionaries, &capture.integration);
        let request = &capture.request.body.bytes;
        let answer = capture.shadow.response.as_ref().map(|answer| &answer.body.bytes);
        let block = Bytes::copy_from_slice(block);
        let bodies = [Some(request), answer, Some(&block)].into_iter().flatten().filter(|body| !body.is_empty());
        bodies.filter_map(|body| dictionaries.collect(integration, body)).last()
    }
}

/// Counts by rule, and the rules by name.
pub fn hits(hits: &[Hit]) -> (Vec<(Arc<str>, u64)>, String) {
    let mut counts: BTreeMap<&Arc<str>, u64> = BTreeMap::new();
    for hit in hits {
        *counts.entry(&hit.rule).or_default() += u64::from(hit.count);
    }
    let mut names = String::new();
    for rule in counts.keys() {
        if !names.is_empty() {
            names.push(',');
        }
        names.push_str(rule);
    }
    (counts.into_iter().map(|(rule, count)| (Arc::clone(rule), count)).collect(), names)
}
