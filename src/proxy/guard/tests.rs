//! The guard's core: shapes that must pass or be refused, however their bytes are split.

use crate::exchange::Refused;
use crate::proxy::guard::framing::{Framing, Step};
use proptest::prelude::*;

const HEAD_BYTES_MAX: usize = 8192;
const HEAD_LINES_MAX: usize = 100;

/// What came of a stream: heads seen, bytes passed, and how it ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    heads: usize,
    passed: Vec<u8>,
    refused: Option<Refused>,
    broken: Option<&'static str>,
    opaque: bool,
}

/// Feeds the pieces as they would arrive: what is needed again is held.
fn feed(pieces: &[&[u8]]) -> Seen {
    let (mut framing, mut held, mut seen) = (Framing::new(HEAD_BYTES_MAX, HEAD_LINES_MAX), Vec::new(), Seen::default());
    for piece in pieces {
        held.extend_from_slice(piece);
        loop {
            let taken = match framing.step(&held) {
                Step::Need => break,
                Step::Data(bytes) | Step::Skip(bytes) | Step::End(bytes) => bytes,
                Step::Head(head) => {
                    seen.heads += 1;
                    head.bytes
                }
                Step::Opaque => {
                    seen.opaque = true;
                    held.len()
                }
                Step::Refuse(refusal) => {
                    seen.refused = Some(refusal.kind);
                    return seen;
                }
                Step::Broken(text) => {
                    seen.broken = Some(text);
                    return seen;
                }
            };
            seen.passed.extend(held.drain(..taken));
        }
    }
    seen
}

fn post(fields: &str, body: &str) -> String {
    format!("POST /up HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}")
}

fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", body)
}

#[test]
fn good_messages_pass_whole_and_what_follows_begins_where_it_should() {
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET / HTTP/1.0\r\n\r\n".to_owned(),
        "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n".to_owned(),
        "GET http://a/b?c=d HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET /a|b{c}\" HTTP/1.1\r\nHost: [::1]:80\r\nX-Old: \u{e4}\r\n\r\n".to_owned(),
        post("Content-Length: 3\r\n", "abc"),
        post("Content-Length: 0\r\n", ""),
        post("Content-Length: 0003\r\n", "abc"),
        chunked("0\r\n\r\n"),
        post("transfer-encoding:\tCHUNKED \r\n", "3\r\nabc\r\n0\r\n\r\n"),
        chunked("00000000000000a;x=\"y\"\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n"),
    ] {
        let twice = format!("{request}{request}GET /last HTTP/1.1\r\nHost: a\r\n\r\n");
        let seen = feed(&[twice.as_bytes()]);
        let want = Seen { heads: 3, passed: twice.into_bytes(), ..Seen::default() };
        assert_eq!(seen, want, "{request:?}");
    }
}

fn get(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// Bodies whose end can be told in two ways, or in none.
fn doubtful_bodies() -> Vec<(String, Refused)> {
    use Refused::{RequestFraming, RequestHead, TransferCoding};
    let coding = |coding: &str| get(&format!("Transfer-Encoding: {coding}\r\n"));
    let length = |length: &str| get(&format!("Content-Length: {length}\r\n"));
    vec![
        (get("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), RequestFraming),
        (get("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), RequestFraming),
        (get("Content-Length: 3\r\nContent-Length: 3\r\n"), RequestFraming),
        (get("Content-Length: 3\r\ncontent-length: 4\r\n"), RequestFraming),
        (length("3, 3"), RequestFraming),
        (length("+3"), RequestFraming),
        (length("-1"), RequestFraming),
        (length("0x3"), RequestFraming),
        (length("3 3"), RequestFraming),
        (length(""), RequestFraming),
        (length("18446744073709551616"), RequestFraming),
        (coding("gzip"), RequestFraming),
        (coding("identity"), RequestFraming),
        (coding("chunked, gzip"), RequestFraming),
        (coding("chunked, chunked"), RequestFraming),
        (coding("chunked, identity"), RequestFraming),
        (coding("xchunked"), RequestFraming),
        (coding("chunked;q=1"), RequestFraming),
        (coding("\"chunked\""), RequestFraming),
        (coding(""), RequestFraming),
        (coding(",chunked"), TransferCoding),
        (coding("gzip, chunked"), TransferCoding),
        (get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), RequestFraming),
        (get("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), RequestFraming),
        (get("Transfer-Encoding: \u{b}chunked\r\n"), RequestHead),
        (get("Transfer-Encoding : chunked\r\n"), RequestHead),
        (get("Transfer-Encoding\t: chunked\r\n"), RequestHead),
        (get(" Transfer-Encoding: chunked\r\n"), RequestHead),
        (get("Transfer-Encoding:\r\n chunked\r\n"), RequestHead),
    ]
}

fn doubtful_heads() -> Vec<(String, Refused)> {
    use Refused::{ConnectMethod, HeadTooLarge, Host, RequestFraming, RequestHead};
    vec![
        (get("X: a\r\n b\r\n"), RequestHead),
        (get("X: a\nTransfer-Encoding: chunked\r\n"), RequestHead),
        (get("X: a\rTransfer-Encoding: chunked\r\n"), RequestHead),
        (get("X: a\0b\r\n"), RequestHead),
        (get("X: a\u{7f}b\r\n"), RequestHead),
        (get(": a\r\n"), RequestHead),
        (get("no colon\r\n"), RequestHead),
        (get("X\0Y: a\r\n"), RequestHead),
        (get("(x): a\r\n"), RequestHead),
        (get("Host: b\r\n"), Host),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), Host),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(), Host),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n".to_owned(), Host),
        ("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n".to_owned(), Host),
        ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n".to_owned(), Host),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), RequestFraming),
        ("GET / HTTP/1.1\nHost: a\n\n".to_owned(), RequestHead),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n".to_owned(), RequestHead),
        ("GET /\r\n\r\n".to_owned(), RequestHead),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), RequestHead),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), RequestHead),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n".to_owned(), RequestHead),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n".to_owned(), RequestHead),
        ("GET / http/1.1\r\nHost: a\r\n\r\n".to_owned(), RequestHead),
        ("GET /#b HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), RequestHead),
        ("GET a HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), RequestHead),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), RequestHead),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), RequestHead),
        (" GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), RequestHead),
        ("\u{16}\u{3}\u{1}".to_owned(), RequestHead),
        ("\r\n".repeat(5), RequestHead),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n".to_owned(), ConnectMethod),
        (get(&"X: a\r\n".repeat(HEAD_LINES_MAX)), HeadTooLarge),
        (get(&format!("X: {}\r\n", "a".repeat(HEAD_BYTES_MAX))), HeadTooLarge),
        ("G".repeat(HEAD_BYTES_MAX + 1), HeadTooLarge),
    ]
}

#[test]
fn heads_that_can_be_read_in_two_ways_are_refused() {
    for (request, kind) in doubtful_bodies().into_iter().chain(doubtful_heads()) {
        let before = post("Content-Length: 3\r\n", "abc");
        for (stream, heads) in [(request.clone(), 0), (format!("{before}{request}"), 1)] {
            let want = Seen { heads, refused: Some(kind), ..Seen::default() };
            let whole = feed(&[stream.as_bytes()]);
            assert_eq!(Seen { passed: Vec::new(), ..whole }, want, "{request:?}");
            assert_eq!(feed(&[stream.as_bytes()]).passed.len(), heads * before.len(), "nothing of it is passed");
            let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
            assert_eq!(feed(&bytes), feed(&[stream.as_bytes()]), "byte by byte: {request:?}");
        }
    }
}

#[test]
fn chunks_that_are_none_break_the_body() {
    for body in [
        "\r\n",
        "z\r\n",
        "-1\r\n",
        "+1\r\n",
        "0x1\r\n",
        " 1\r\na",
        "1 \r\na",
        "1 ;x\r\na",
        "1\na\n",
        "1\n",
        "\n",
        "00000000000000001\r\na",
        "fffffffffffffffff\r\n",
        "1\r\nab",
        "1\r\na\n",
        "1\r\na\r\r",
        "1\r\na0\r\n\r\n",
        "1;\0\r\n",
        "1;a\rb\r\n",
        "0\r\n\n",
        "0\r\nContent-Length: 1\r\n\r\n",
        "0\r\ntransfer-encoding: chunked\r\n\r\n",
        "0\r\nHost: b\r\n\r\n",
        "0\r\nAuthorization: x\r\n\r\n",
        "0\r\n a: b\r\n\r\n",
        "0\r\na : b\r\n\r\n",
        "0\r\na: b\n\r\n",
    ] {
        let seen = feed(&[chunked(body).as_bytes()]);
        assert!(seen.broken.is_some() && seen.heads == 1, "{body:?}: {seen:?}");
    }
    let long = [
        format!("1;{}\r\n", "x".repeat(300)),
        "x".repeat(300),
        format!("1;{}\r\na\r\n", "x".repeat(200)).repeat(21),
        format!("0\r\n{}\r\n", "a: b\r\n".repeat(65)),
        format!("0\r\na: {}\r\n\r\n", "x".repeat(9000)),
    ];
    for body in long {
        assert!(feed(&[chunked(&body).as_bytes()]).broken.is_some(), "{body}");
    }
}

#[test]
fn http_2_is_let_through_only_as_a_beginning() {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nanything at all \0";
    let seen = feed(&[&preface[..10], &preface[10..]]);
    assert!(seen.opaque && seen.passed == preface, "{seen:?}");
    let later = [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".as_slice(), preface].concat();
    assert_eq!(feed(&[&later]).refused, Some(Refused::RequestHead));
}

/// Messages, broken ones among them, and pieces that make them.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec![
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nhello, hello",
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "5;x=y\r\nhello\r\n",
        "0\r\n\r\n",
        "0\r\nX-A: b\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\r\n",
        "\n",
        "x",
        "Content-Length: 3\r\n",
        "\0",
    ]);
    prop::collection::vec(part, 1..12).prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_split_gives_the_same(stream in streams(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let (whole, split) = (feed(&[&stream]), feed(&pieces));
        prop_assert!(stream.starts_with(&whole.passed));
        prop_assert_eq!(whole, split);
    }

    #[test]
    fn any_bytes_are_judged_without_a_panic(stream in prop::collection::vec(any::<u8>(), 0..400)) {
        let seen = feed(&[&stream]);
        prop_assert!(seen.passed.len() <= stream.len());
    }
}
