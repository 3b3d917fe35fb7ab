//! The product from outside: thousands of generated requests go to an upstream directly and through the recorder, and
//! what the upstream saw and what the client got are compared byte by byte, after the few changes that HTTP allows an
//! intermediary. Each such change is a function below with its reason. A failing case names its seed; run it alone with
//! `DIFFERENTIAL_SEED=n`.

use crate::support::generate::Case;
use crate::support::{Dice, Message, PATIENCE, Reading, Recorder, Scribe, connect, write_in_pieces};
use serde_json::json;
use std::collections::BTreeMap;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

const CLIENTS: u64 = 8;
const BATCHES_PER_CLIENT: u64 = 400;
const PIPELINED_MAX: usize = 4;

/// Fields by lower-case name: within a name the order, the case as written and the value all count.
type Fields = BTreeMap<Vec<u8>, Vec<(Vec<u8>, Vec<u8>)>>;

/// A message after the allowed changes.
#[derive(PartialEq, Eq)]
pub struct Normal {
    line: Vec<u8>,
    fields: Fields,
    body: Vec<u8>,
    trailers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Fields of different names may change places (RFC 9110, 5.3); those of one name may not.
fn by_name(message: &Message) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in &message.fields {
        fields.entry(name.to_ascii_lowercase()).or_default().push((name.clone(), value.clone()));
    }
    fields
}

/// `Connection`, what it names, and the fields of one connection are not forwarded (RFC 9110, 7.6.1). Chunks are among
/// them: the message's content is compared without its framing (RFC 9112, 7.1).
fn without_hop_by_hop(fields: &mut Fields, message: &Message) {
    let mut gone: Vec<Vec<u8>> = ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"]
        .map(|name| name.as_bytes().to_vec())
        .into();
    for value in message.values("connection") {
        gone.extend(value.split(|b| *b == b',').map(|name| name.trim_ascii().to_ascii_lowercase()));
    }
    fields.retain(|name, _| !gone.contains(name));
}

/// The primary gets its own name as `Host` (RFC 9112, 3.2): exactly one.
fn without_host(fields: &mut Fields) {
    let host = fields.remove(&b"host"[..]).unwrap_or_default();
    assert_eq!(host.len(), 1, "one Host");
}

/// A request without a body may say so with a length of zero, or not at all (RFC 9110, 8.6).
fn without_zero_length(fields: &mut Fields) {
    if fields.get(&b"content-length"[..]).is_some_and(|lengths| lengths.iter().all(|(_, value)| value == b"0")) {
        fields.remove(&b"content-length"[..]);
    }
}

/// Each connection has the version its two ends speak (RFC 9110, 6.2).
fn without_version(line: &[u8]) -> Vec<u8> {
    match line.strip_prefix(b"HTTP/1.") {
        Some(answer) => answer[1..].to_vec(),
        None => line.rsplitn(2, |b| *b == b' ').last().unwrap_or_default().to_vec(),
    }
}

/// A target in absolute form goes to the next server in origin form (RFC 9112, 3.2.1).
fn in_origin_form(line: Vec<u8>) -> Vec<u8> {
    String::from_utf8_lossy(&line).replacen(" http://app.example", " ", 1).into_bytes()
}

/// Trailer fields may be dropped where the receiver did not say that it takes them (RFC 9110, 6.5.1).
fn without_unasked_trailers(answer: &mut Normal, case: &Case) {
    if !String::from_utf8_lossy(&case.head).contains("trailers") {
        answer.trailers.clear();
    }
}

/// Names are compared in any case (RFC 9110, 5.1). Header fields keep their spelling; trailers pass in lower case.
fn trailers(message: &Message) -> Vec<(Vec<u8>, Vec<u8>)> {
    message.trailers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
}

/// An answer to HEAD has no trailers to announce; HEAD need not send fields that only tell of the content (RFC 9110, 9.3.2).
fn without_trailer_of_head(fields: &mut Fields, case: &Case) {
    if case.is_head {
        fields.remove(&b"trailer"[..]);
    }
}

pub fn request(message: &Message) -> Normal {
    let mut fields = by_name(message);
    without_hop_by_hop(&mut fields, message);
    without_host(&mut fields);
    without_zero_length(&mut fields);
    let line = in_origin_form(without_version(&message.line));
    Normal { line, fields, body: message.body.clone(), trailers: trailers(message) }
}

pub fn answer(message: &Message, case: &Case) -> Normal {
    let mut fields = by_name(message);
    without_hop_by_hop(&mut fields, message);
    without_trailer_of_head(&mut fields, case);
    let line = without_version(&message.line);
    let mut answer = Normal { line, fields, body: message.body.clone(), trailers: trailers(message) };
    without_unasked_trailers(&mut answer, case);
    answer
}

/// One client's connection to one side, made anew when it was closed as announced.
pub struct Client {
    url: String,
    open: Option<(Reading<OwnedReadHalf>, OwnedWriteHalf)>,
}

impl Client {
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned(), open: None }
    }

    /// Sends the cases in one go and hears the answers; fewer when the connection ended before.
    pub async fn send(&mut self, cases: &[Case], dice: &mut Dice) -> Vec<Message> {
        let (mut reading, mut write) = match self.open.take() {
            Some(open) => open,
            None => {
                let stream: TcpStream = connect(&self.url).await;
                stream.set_nodelay(true).unwrap();
                let (read, write) = stream.into_split();
                (Reading::new(read), write)
            }
        };
        let mut heard = Vec::new();
        let mut first_interim = Vec::new();
        if let [case] = cases
            && case.waits
        {
            let _ = write_in_pieces(&mut write, &case.head, dice).await;
            let Some(interim) = reading.head().await else { return heard };
            first_interim.push(interim.status());
        }
        let bytes: Vec<u8> = match cases {
            [case] if case.waits => case.body.clone(),
            _ => cases.iter().flat_map(|case| [&case.head[..], &case.body].concat()).collect(),
        };
        let hearing = async {
            for case in cases {
                let Some(mut answer) = reading.answer(case.is_head).await else { return };
                answer.interim.append(&mut first_interim);
                let ends = !answer.keeps();
                heard.push(answer);
                if ends {
                    return;
                }
            }
        };
        // Both at once: an answer may come before the last request is written.
        let _ = tokio::join!(write_in_pieces(&mut write, &bytes, dice), hearing);
        if heard.len() == cases.len() && heard.iter().all(Message::keeps) && !cases.iter().any(|case| case.closes) {
            self.open = Some((reading, write));
        } else {
            let _ = write.shutdown().await;
        }
        heard
    }
}

fn generated(client: u64, batch: u64, dice: &mut Dice) -> Vec<Case> {
    let pipelined = if dice.once_in(4) { 1 + dice.below(PIPELINED_MAX) } else { 1 };
    let id = |at: usize| (client << 32) | (batch << 8) | at as u64;
    (0..pipelined).map(|at| Case::generate(id(at), dice, at + 1 < pipelined)).collect()
}

/// What differs, in words.
pub fn difference(what: &str, direct: &Normal, through: &Normal) -> Option<String> {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    if direct.line != through.line {
        return Some(format!("{what}: line {} became {}", text(&direct.line), text(&through.line)));
    }
    let names = direct.fields.keys().chain(through.fields.keys());
    for name in names {
        let (a, b) = (direct.fields.get(name), through.fields.get(name));
        if a != b {
            let show = |fields: Option<&Vec<(Vec<u8>, Vec<u8>)>>| {
                let each = fields.into_iter().flatten().map(|(n, v)| format!("{}: {}", text(n), text(v)));
                each.collect::<Vec<_>>().join(" | ")
            };
            return Some(format!("{what}: field [{}] became [{}]", show(a), show(b)));
        }
    }
    if direct.body != through.body {
        let at = direct.body.iter().zip(&through.body).take_while(|(a, b)| a == b).count();
        let (a, b) = (direct.body.len(), through.body.len());
        return Some(format!("{what}: body of {a} bytes became {b} bytes, different from byte {at}"));
    }
    (direct.trailers != through.trailers)
        .then(|| format!("{what}: {} trailers became {}", direct.trailers.len(), through.trailers.len()))
}

/// One client's whole life; the differences it found, with their seeds.
async fn client(seed: u64, upstream: &Scribe, traffic: &str) -> (u64, Vec<String>) {
    let (mut direct, mut through) = (Client::new(&upstream.url), Client::new(traffic));
    let (mut exchanges, mut found) = (0, Vec::new());
    for batch in 0..BATCHES_PER_CLIENT {
        let mut dice = Dice::new((seed << 32) ^ batch);
        let cases = generated(seed, batch, &mut dice);
        for case in &cases {
            upstream.will_answer(case.id, case.answer.clone());
        }
        let place = format!("seed {seed} batch {batch}");
        let patient = |side| format!("{place}: no answer {side}");
        let mut other = dice.clone();
        let straight = timeout(PATIENCE, direct.send(&cases, &mut dice))
            .await
            .unwrap_or_else(|_| panic!("{}", patient("directly")));
        let recorded = timeout(PATIENCE, through.send(&cases, &mut other))
            .await
            .unwrap_or_else(|_| panic!("{}", patient("through")));
        exchanges += cases.len() as u64;
        if straight.len() != cases.len() {
            found.push(format!("{place}: the story itself: {} of {} answers directly", straight.len(), cases.len()));
        }
        for (at, case) in cases.iter().enumerate() {
            let seen = upstream.take(case.id);
            let mut tell = |text: String| {
                let head = case.head.escape_ascii().to_string();
                found.push(format!(
                    "{place} case {at} of {}: {text}\n    {}",
                    cases.len(),
                    &head[..head.len().min(600)]
                ));
            };
            let (Some(a), Some(b)) = (straight.get(at), recorded.get(at)) else {
                tell(format!("answers: {} directly, {} through", straight.len(), recorded.len()));
                continue;
            };
            if a.interim != b.interim {
                tell(format!("interim answers {:?} became {:?}", a.interim, b.interim));
            }
            difference("answer", &answer(a, case), &answer(b, case)).into_iter().for_each(&mut tell);
            match &seen[..] {
                [a, b] => difference("request", &request(a), &request(b)).into_iter().for_each(&mut tell),
                _ => tell(format!("the upstream saw it {} times, not twice", seen.len())),
            }
        }
    }
    (exchanges, found)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_upstream_sees_and_the_client_gets_is_the_same_directly_and_through_the_recorder() {
    let (upstream, shadow) = (Scribe::start().await, Scribe::start().await);
    let recorder = Recorder::with(&crate::support::config_text(&upstream.url, &shadow.url, ""));
    #[expect(clippy::disallowed_methods, reason = "a person asks for one seed")]
    let wanted = std::env::var("DIFFERENTIAL_SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
    let seeds: Vec<u64> = wanted.map_or_else(|| (1..=CLIENTS).collect(), |seed| vec![seed]);
    let (upstream, traffic) = (&upstream, recorder.traffic.as_str());
    let clients = seeds.into_iter().map(|seed| client(seed, upstream, traffic));
    let (mut exchanges, mut found) = (0, Vec::new());
    for (count, differences) in joined(clients).await {
        exchanges += count;
        found.extend(differences);
    }
    let many = found.len();
    found.truncate(20);
    assert!(found.is_empty(), "{many} differences in {exchanges} exchanges:\n{}", found.join("\n"));
    let one = recorder.at_rest().await;
    assert_eq!((&one["ledger"]["arrived"], &one["ledger"]["adds_up"]), (&json!(exchanges), &json!(true)), "{one}");
}

/// Runs them all at once on this task.
pub async fn joined<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        let mut all = true;
        for (future, done) in &mut running {
            if done.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *done = Some(value),
                    std::task::Poll::Pending => all = false,
                }
            }
        }
        if all { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, done)| done).collect()
}
