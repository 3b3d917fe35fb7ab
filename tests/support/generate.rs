//! Requests and answers as strange as HTTP/1.1 lets them be, and never malformed: what is malformed has its own stories.

use crate::support::Dice;
use std::io::Write;

/// The field that carries a request's id, so that the upstream knows which answer belongs to it.
pub const ID: &str = "X-Case-Id";

/// One request and the answer it gets.
#[derive(Clone, Debug)]
pub struct Case {
    pub id: u64,
    pub head: Vec<u8>,
    pub body: Vec<u8>,
    pub is_head: bool,
    /// The client waits for `100 Continue` before the body.
    pub waits: bool,
    /// The client ends the connection after it.
    pub closes: bool,
    pub answer: Plan,
}

/// The answer's bytes, and whether the upstream closes after them.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub bytes: Vec<u8>,
    pub closes: bool,
}

const METHODS: [&str; 12] =
    ["GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "M-SEARCH"];
const SEGMENTS: [&str; 22] = [
    "a",
    "customers",
    "42",
    "..",
    ".",
    "",
    "%2F",
    "%2f",
    "%2e%2E",
    "a%20b",
    "%C3%A4",
    "%ff",
    "%zz",
    "%",
    "a+b",
    "x;y=1",
    "~",
    "@:!$&'()*,=",
    "[1]",
    "a|b",
    "{x}",
    "%00",
];
const QUERIES: [&str; 16] = [
    "a=1",
    "a=2",
    "a",
    "=",
    "",
    "=v",
    "a=",
    "x=%2F",
    "q=a+b",
    "q=%zz",
    "é=1",
    "a[]=1",
    "u=http://h.example/?y",
    "?",
    "k=%26",
    "z={j:1}",
];
const NAMES: [&str; 16] = [
    "X-One",
    "x-one",
    "X-ONE",
    "X-List",
    "Accept",
    "accept-LANGUAGE",
    "User-Agent",
    "X_under",
    "x.dot",
    "!#$%&'*+^`|~",
    "Cookie",
    "Cache-Control",
    "If-None-Match",
    "Range",
    "Via",
    "Forwarded",
];
const ANSWER_NAMES: [&str; 14] = [
    "X-One",
    "x-one",
    "Set-Cookie",
    "set-cookie",
    "SET-COOKIE",
    "ETag",
    "Vary",
    "Date",
    "Server",
    "Retry-After",
    "Location",
    "WWW-Authenticate",
    "x_Under",
    "Content-Language",
];
const REASONS: [&[u8]; 6] = [b"OK", b"Very Fine Indeed", b"", b"not what\tthe code says", b"Sch\xF6n", b"200"];
const STATUSES: [u16; 22] =
    [200, 200, 200, 200, 201, 202, 203, 204, 206, 299, 301, 302, 304, 307, 400, 401, 404, 418, 429, 500, 503, 599];

impl Case {
    /// `plain` is one that other requests may follow on the same connection.
    pub fn generate(id: u64, dice: &mut Dice, plain: bool) -> Self {
        Self::with(id, dice, plain, target)
    }

    /// For stories that watch memory: each endpoint has latency series of its own, 25 kB each.
    pub fn to_few_endpoints(id: u64, dice: &mut Dice) -> Self {
        Self::with(id, dice, false, |_, dice| format!("/{}?{}", dice.pick(&["a", "b", "c"]), dice.pick(&QUERIES)))
    }

    fn with(id: u64, dice: &mut Dice, plain: bool, target: fn(&str, &mut Dice) -> String) -> Self {
        let http10 = !plain && dice.once_in(8);
        let method = dice.pick(&METHODS);
        let mut head = Vec::new();
        let version = if http10 { "1.0" } else { "1.1" };
        let _ = write!(head, "{method} {} HTTP/{version}\r\n", target(method, dice));
        let mut fields =
            vec![(ID.to_owned(), id.to_string().into_bytes()), ("Host".to_owned(), b"app.example".to_vec())];
        for _ in 0..dice.below(12) {
            fields.push((dice.pick(&NAMES).to_owned(), value(dice)));
        }
        let closes = !plain && dice.once_in(6);
        match (http10, closes) {
            (false, true) => fields.push(("Connection".to_owned(), b"close".to_vec())),
            (true, false) => fields.push(("Connection".to_owned(), b"Keep-Alive".to_vec())),
            (false, false) if dice.once_in(10) => {
                fields.push(("connection".to_owned(), b"x-hop , keep-alive".to_vec()));
                fields.push(("X-Hop".to_owned(), b"of this connection".to_vec()));
            }
            _ => {}
        }
        if dice.once_in(3) {
            fields.push(("TE".to_owned(), b"trailers".to_vec()));
            fields.push(("Connection".to_owned(), b"TE".to_vec()));
        }
        let (framing, body) = body(dice, !http10, matches!(method, "GET" | "HEAD"));
        let waits = !plain && !http10 && body.len() > 5 && dice.once_in(3);
        if waits {
            fields.push(("Expect".to_owned(), b"100-continue".to_vec()));
        }
        fields.extend(framing);
        shuffle(&mut fields, dice);
        put(&mut head, &fields, dice);
        let is_head = method == "HEAD";
        let answer = Plan::generate(id, dice, is_head, http10, plain);
        Self { id, head, body, is_head, waits, closes, answer }
    }
}

impl Plan {
    fn generate(id: u64, dice: &mut Dice, to_head: bool, to_http10: bool, plain: bool) -> Self {
        let status = dice.pick(&STATUSES);
        let from_http10 = !plain && dice.once_in(12);
        let mut fields = vec![(ID.to_owned(), id.to_string().into_bytes())];
        for _ in 0..dice.below(10) {
            fields.push((dice.pick(&ANSWER_NAMES).to_owned(), value(dice)));
        }
        let bodiless = matches!(status, 204 | 304);
        let mut closes = from_http10 || (!plain && dice.once_in(8));
        let (framing, mut body) = match bodiless {
            true => (Vec::new(), Vec::new()),
            false if !plain && dice.once_in(6) => {
                closes = true;
                let count = size(dice);
                (Vec::new(), dice.bytes(count))
            }
            false => body(dice, !to_http10 && !from_http10, false),
        };
        let unframed = framing.is_empty() && !bodiless && !to_head;
        closes |= unframed;
        if unframed && plain {
            fields.push(("Content-Length".to_owned(), b"0".to_vec()));
            closes = false;
        }
        fields.extend(framing);
        if status == 304 && dice.once_in(2) {
            fields.push(("Content-Length".to_owned(), b"1234".to_vec()));
        }
        match (closes, to_http10) {
            (true, _) => fields.push(("Connection".to_owned(), b"close".to_vec())),
            (false, true) => fields.push(("Connection".to_owned(), b"keep-alive".to_vec())),
            _ => {}
        }
        if to_head {
            body.clear();
        }
        shuffle(&mut fields, dice);
        let mut bytes = format!("HTTP/1.{} {status} ", u8::from(!from_http10)).into_bytes();
        bytes.extend_from_slice(dice.pick(&REASONS));
        bytes.extend_from_slice(b"\r\n");
        put(&mut bytes, &fields, dice);
        bytes.extend(body);
        Self { bytes, closes }
    }
}

fn target(method: &str, dice: &mut Dice) -> String {
    if method == "OPTIONS" && dice.once_in(3) {
        return "*".to_owned();
    }
    let mut target = if dice.once_in(15) { "http://app.example".to_owned() } else { String::new() };
    for _ in 0..=dice.below(5) {
        target += "/";
        target += dice.pick(&SEGMENTS);
    }
    if dice.once_in(2) {
        target += "?";
        let pairs: Vec<&str> = (0..dice.below(5)).map(|_| dice.pick(&QUERIES)).collect();
        target += &pairs.join("&");
    }
    target
}

/// Printable, empty, with tabs and spaces within, or with obsolete bytes.
fn value(dice: &mut Dice) -> Vec<u8> {
    let count = dice.below(30);
    let mut value = match dice.below(5) {
        0 => Vec::new(),
        1 => dice.bytes(count).into_iter().map(|b| b | 0x80).collect(),
        2 => b"a  b\tc, \"d,e\" ;q=0.1".to_vec(),
        _ => dice.bytes(count).into_iter().map(|b| 0x21 + b % 0x5E).collect(),
    };
    if dice.once_in(60) {
        value = vec![b'v'; 4_000];
    }
    value
}

/// Mostly small; now and then 200 KiB.
fn size(dice: &mut Dice) -> usize {
    match dice.below(40) {
        0 => dice.below(200 << 10),
        1..=8 => dice.below(20_000),
        9..=12 => 0,
        _ => dice.below(300),
    }
}

type Fields = Vec<(String, Vec<u8>)>;

/// The framing fields and the body's bytes on the wire.
fn body(dice: &mut Dice, may_chunk: bool, mostly_none: bool) -> (Fields, Vec<u8>) {
    if mostly_none && !dice.once_in(6) {
        return (Vec::new(), Vec::new());
    }
    let count = size(dice);
    let mut body = dice.bytes(count);
    let mut fields = Vec::new();
    if dice.once_in(6) {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&body).unwrap();
        body = gzip.finish().unwrap();
        fields.push(("Content-Encoding".to_owned(), b"gzip".to_vec()));
    }
    fields.push(("content-Type".to_owned(), dice.pick(&["application/json", "text/plain", "image/png"]).into()));
    match may_chunk && dice.once_in(2) {
        false => {
            fields.push(("Content-length".to_owned(), body.len().to_string().into_bytes()));
            (fields, body)
        }
        true => {
            fields.push(("transfer-Encoding".to_owned(), b"chunked".to_vec()));
            let trailers = dice.once_in(3);
            if trailers {
                fields.push(("Trailer".to_owned(), b"X-Sum, X-More".to_vec()));
            }
            (fields, chunked(&body, trailers, dice))
        }
    }
}

fn chunked(body: &[u8], trailers: bool, dice: &mut Dice) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), body);
    while !rest.is_empty() {
        let most = dice.pick(&[1, 7, 100, 5_000, 70_000]);
        let size = (1 + dice.below(most)).max(body.len() / 200).min(rest.len());
        let (chunk, after) = rest.split_at(size);
        let extension = dice.pick(&["", "", "", ";a=b", ";x=\"q\""]);
        let _ = match dice.below(3) {
            0 => write!(out, "{size:X}{extension}\r\n"),
            1 => write!(out, "000{size:x}{extension}\r\n"),
            _ => write!(out, "{size:x}{extension}\r\n"),
        };
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
        rest = after;
    }
    out.extend_from_slice(b"0\r\n");
    if trailers {
        out.extend_from_slice(b"X-Sum: 1\r\nX-More: two words\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn shuffle(fields: &mut Fields, dice: &mut Dice) {
    for at in (1..fields.len()).rev() {
        fields.swap(at, dice.below(at + 1));
    }
}

fn put(head: &mut Vec<u8>, fields: &Fields, dice: &mut Dice) {
    for (name, value) in fields {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(dice.pick(&[": ", ": ", ":", ":   "]).as_bytes());
        head.extend_from_slice(value);
        head.extend_from_slice(dice.pick(&["", "", " "]).as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
}
