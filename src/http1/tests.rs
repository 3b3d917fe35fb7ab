//! The codec: what is read is the same however its bytes are split, what is written is read again as it was meant.

use super::*;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use std::future::poll_fn;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

/// A whole answer as it was read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    interim: Vec<u16>,
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    reason: Vec<u8>,
    body: Vec<u8>,
    trailers: Vec<(String, Vec<u8>)>,
    keeps: bool,
    /// What follows it.
    rest: Vec<u8>,
}

fn list(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
}

async fn read(mut io: DuplexStream, to_head: bool) -> Result<Seen, String> {
    let (mut input, mut looked, mut seen) = (Input::default(), 0, Seen::default());
    let head = loop {
        match read_answer(&mut input, to_head, &mut looked, false).map_err(|error| error.to_string())? {
            Some(head) if head.status.is_informational() => seen.interim.push(head.status.as_u16()),
            Some(head) => break head,
            None => {
                if poll_fn(|cx| input.poll_fill(&mut io, cx, 0)).await.unwrap() == 0 {
                    looked = 0;
                    read_answer(&mut input, to_head, &mut looked, false).map_err(|error| error.to_string())?;
                    return Err("cut".to_owned());
                }
            }
        }
    };
    seen.status = head.status.as_u16();
    seen.headers = list(&head.headers);
    seen.reason = head.spelling.reason().to_vec();
    seen.keeps = head.keeps;
    let mut content = Content::new(head.length);
    while let Some(frame) = poll_fn(|cx| content.poll_frame(&mut input, &mut io, cx)).await {
        match frame.map_err(|error| error.to_string())?.into_data() {
            Ok(data) => seen.body.extend_from_slice(&data),
            Err(frame) => seen.trailers = list(&frame.into_trailers().unwrap()),
        }
    }
    assert!(content.is_over() && content.left() == Some(0));
    seen.rest = input.take(usize::MAX).to_vec();
    io.read_to_end(&mut seen.rest).await.unwrap();
    Ok(seen)
}

/// Reads what is sent in pieces.
async fn pieces(sent: &[&[u8]], to_head: bool) -> Result<Seen, String> {
    let (mut from, to) = duplex(1 << 20);
    let writing = async {
        for piece in sent {
            from.write_all(piece).await.unwrap();
            // The reader takes it before the next one comes.
            tokio::task::yield_now().await;
        }
        drop(from);
    };
    tokio::join!(read(to, to_head), writing).0
}

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A:  b \r\n\r\n\
    3;x=\"y\"\r\nabc\r\n000a \r\n0123456789\r\n0\r\nX-Sum: 7\r\nContent-Length: 9\r\n\r\nHTTP";

fn answers() -> Vec<&'static [u8]> {
    vec![
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 404",
        CHUNKED,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 201 \r\nContent-Length: 0\r\n\r\nx",
        b"HTTP/1.1 200 Sch\xF6n\r\nX: \xE4\xFF\r\n\r\nto the end\r\n\r\n",
        b"HTTP/1.0 200 OK\nConnection: Keep-Alive\nContent-Length: 1\n\nx",
        b"\r\nHTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\nHTTP/1.1",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nmore than three",
    ]
}

#[tokio::test]
async fn an_answer_reads_the_same_wherever_its_bytes_are_split() {
    for answer in answers() {
        let whole = pieces(&[answer], false).await.unwrap();
        for cut in 0..answer.len() {
            let (first, second) = answer.split_at(cut);
            assert_eq!(pieces(&[first, second], false).await.as_ref(), Ok(&whole), "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = answer.chunks(1).collect();
        assert_eq!(pieces(&bytes, false).await, Ok(whole));
    }
}

#[tokio::test]
async fn content_ends_where_the_rfc_says() {
    let seen = |answer, to_head| async move { pieces(&[answer], to_head).await.unwrap() };
    let chunked = seen(CHUNKED, false).await;
    assert_eq!((&chunked.body[..], &chunked.rest[..], chunked.keeps), (&b"abc0123456789"[..], &b"HTTP"[..], true));
    assert_eq!(chunked.trailers, [("x-sum".to_owned(), b"7".to_vec())], "a length is no trailer");
    assert_eq!(chunked.headers[1], ("x-a".to_owned(), b"b".to_vec()));
    let interim = seen(answers()[2], false).await;
    assert_eq!((interim.interim, interim.status, &interim.rest[..]), (vec![100, 103], 201, &b"x"[..]));
    let open = seen(answers()[3], false).await;
    assert_eq!((&open.reason[..], &open.body[..], open.keeps), (&b"Sch\xF6n"[..], &b"to the end\r\n\r\n"[..], false));
    let old = seen(answers()[4], false).await;
    assert_eq!((&old.body[..], old.keeps), (&b"x"[..], true));
    let none = seen(answers()[5], false).await;
    assert_eq!((&none.body[..], &none.rest[..]), (&b""[..], &b"HTTP/1.1"[..]));
    let coded = seen(answers()[6], false).await;
    assert_eq!((&coded.body[..], coded.keeps), (&b"more than three"[..], false));
    assert_eq!(coded.headers.len(), 1, "a length beside a coding says nothing");
    let head = seen(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true).await;
    assert_eq!((&head.body[..], head.headers.len()), (&b""[..], 1));
}

#[tokio::test]
async fn a_connection_serves_again_only_where_both_sides_know_it() {
    for (head, keeps) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: a, Close\r\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\nConnection: keep-alive\r\n", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n", true),
        ("HTTP/1.1 200 OK\r\n", false),
        ("HTTP/1.1 304 Not Modified\r\n", true),
    ] {
        assert_eq!(pieces(&[format!("{head}\r\n").as_bytes()], false).await.unwrap().keeps, keeps, "{head}");
    }
}

#[tokio::test]
async fn what_is_no_answer_or_breaks_off_is_an_error() {
    let with = |fields: &str, body: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}");
    let chunks = |body: &str| with("Transfer-Encoding: chunked\r\n", body);
    for answer in [
        "SSH-2.0-x\r\n\r\n".to_owned(),
        "HTTP/2.0 200 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 20 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nX a\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n".to_owned(),
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        with("Content-Length: 1, 2\r\n", "ab"),
        with("Content-Length: 1\r\nContent-Length: 2\r\n", "ab"),
        with("Content-Length: +1\r\n", "a"),
        with("Content-Length: 18446744073709551616\r\n", ""),
        with(&"X: y\r\n".repeat(201), ""),
        with(&format!("X: {}\r\n", "y".repeat(300 << 10)), ""),
        chunks("z\r\n"),
        chunks("00000000000000001\r\na"),
        chunks("1\na\n0\r\n\r\n"),
        chunks("1\r\nab"),
        chunks("1x\r\na\r\n0\r\n\r\n"),
        chunks(&format!("1;{}\r\na\r\n", "x".repeat(300))),
        chunks(&format!("1;{}\r\na\r\n", "x".repeat(200)).repeat(90)),
        chunks(&format!("0\r\n{}\r\n", "a: b\r\n".repeat(65))),
        chunks(&format!("0\r\na: {}\r\n\r\n", "x".repeat(17 << 10))),
    ] {
        let told = pieces(&[answer.as_bytes()], false).await.err().unwrap_or_default();
        assert!(told.starts_with("this is no HTTP/1: "), "{}: {told}", &answer[..answer.len().min(80)]);
    }
    for answer in
        [with("Content-Length: 5\r\n", "hell"), chunks("ffffffffffffffff\r\nsome of it"), chunks("1\r\na\r\n0\r\n")]
    {
        let told = pieces(&[answer.as_bytes()], false).await.unwrap_err();
        assert!(told.starts_with("the connection ended"), "{told}");
    }
    assert_eq!(pieces(&[b"HTTP/1.1 200 OK\r\nContent-"], false).await.unwrap_err(), "cut");
    // Told before a line ends, and however it comes.
    let long = [&b"HTTP/1.1 200 \0"[..], &[b'x'; 5_000]].concat();
    let (first, second) = long.split_at(10);
    for pieces_of in
        [&[&b"SSH-2.0"[..]][..], &[b"\n", b"S"], &[b"HTTP/1.1 200 OK\r\n", b"\0"], &[&long], &[first, second]]
    {
        assert!(pieces(pieces_of, false).await.unwrap_err().starts_with("this is no HTTP/1"), "{pieces_of:?}");
    }
}

/// The fields of a head, and how they were spelled.
fn parsed(head: &'static [u8]) -> (HeaderMap, Spelling) {
    let mut slots = [httparse::EMPTY_HEADER; 16];
    let mut answer = httparse::Response::new(&mut slots);
    assert!(answer.parse(head).unwrap().is_complete());
    let lines: Vec<Line> = answer.headers.iter().map(|header| Line::within(head, header)).collect();
    let head = Bytes::from_static(head);
    (fields(&head, &lines, false).unwrap(), Spelling::new(head, lines, (0, 0)))
}

fn put(headers: &HeaderMap, spelling: Option<&Spelling>) -> String {
    let mut to = Vec::new();
    put_fields(&mut to, headers, spelling, |_, _| true);
    String::from_utf8(to).unwrap()
}

#[test]
fn lines_are_written_as_they_came_and_changed_ones_with_their_spelling() {
    let head = b"HTTP/1.1 200 OK\r\nX-CaSe:1\r\nset-Cookie: a\r\nSet-cookie:  b \r\nHOST: app\r\nX-Empty:\r\nx-EMPTY:  \r\n\r\n";
    let (mut headers, spelling) = parsed(head);
    let lines = "X-CaSe:1\r\nset-Cookie: a\r\nSet-cookie:  b\r\nHOST: app\r\nX-Empty:\r\nx-EMPTY: \r\n";
    assert_eq!(put(&headers, Some(&spelling)), lines);
    headers.insert("host", HeaderValue::from_static("other"));
    headers.append("set-cookie", HeaderValue::from_static("c"));
    headers.append("x-new", HeaderValue::from_static("n"));
    let changed = "X-CaSe:1\r\nset-Cookie: a\r\nSet-cookie:  b\r\nset-cookie: c\r\nHOST: other\r\nX-Empty:\r\nx-EMPTY: \r\nx-new: n\r\n";
    assert_eq!(put(&headers, Some(&spelling)), changed);
    // Out of order, and without those before them.
    let mut other = HeaderMap::new();
    for name in ["x-empty", "set-cookie", "x-case"] {
        other.extend(headers.get_all(name).iter().map(|value| (HeaderName::from_static(name), value.clone())));
    }
    let moved = "X-Empty:\r\nx-EMPTY: \r\nset-Cookie: a\r\nSet-cookie:  b\r\nset-cookie: c\r\nX-CaSe:1\r\n";
    assert_eq!(put(&other, Some(&spelling)), moved);
    assert_eq!(
        put(&other, None),
        "x-empty: \r\nx-empty: \r\nset-cookie: a\r\nset-cookie: b\r\nset-cookie: c\r\nx-case: 1\r\n"
    );
}

/// Encodes the parts, written through a pipe with room for so many bytes.
async fn encoded(mut encoder: Encoder, parts: &[Bytes], trailers: Option<&HeaderMap>, room: usize) -> Vec<u8> {
    let (mut io, mut to) = duplex(room);
    let writing = async {
        let mut output = Output::default();
        for part in parts {
            encoder.put(&mut output, part.clone());
            if output.is_full() {
                poll_fn(|cx| output.poll_flush(&mut io, cx)).await.unwrap();
            }
        }
        encoder.end(&mut output, trailers).unwrap();
        poll_fn(|cx| output.poll_flush(&mut io, cx)).await.unwrap();
        assert!(output.is_empty());
        drop(io);
    };
    let mut written = Vec::new();
    let (_, read) = tokio::join!(writing, to.read_to_end(&mut written));
    read.unwrap();
    written
}

#[tokio::test]
async fn content_is_written_as_it_was_announced() {
    let parts = [Bytes::from_static(b"hello"), Bytes::new(), Bytes::from(vec![b'x'; 0x1F]), Bytes::from_static(b"!")];
    let (x, whole) = ("x".repeat(0x1F), 5 + 0x1F + 1);
    assert_eq!(encoded(Encoder::Sized(whole), &parts, None, 64).await, format!("hello{x}!").into_bytes());
    assert_eq!(encoded(Encoder::Sized(7), &parts, None, 64).await, b"helloxx", "no more than was announced");
    assert_eq!(encoded(Encoder::ToEnd, &parts, None, 64).await, format!("hello{x}!").into_bytes());
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("7"));
    trailers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
    let chunked = format!("5\r\nhello\r\n1F\r\n{x}\r\n1\r\n!\r\n0\r\nx-sum: 7\r\n\r\n");
    assert_eq!(encoded(Encoder::Chunked, &parts, Some(&trailers), 3).await, chunked.into_bytes());
    assert!(matches!(Encoder::Sized(1).end(&mut Output::default(), None), Err(Error::Short)));
}

#[test]
fn what_waits_to_be_written_is_bounded() {
    let (mut output, mut encoder) = (Output::default(), Encoder::Chunked);
    let mut parts = 0;
    while !output.is_full() {
        encoder.put(&mut output, Bytes::from_static(&[0; 1_000]));
        parts += 1;
    }
    assert!((10..20).contains(&parts), "{parts}");
    let mut large = Output::default();
    encoder.put(&mut large, Bytes::from(vec![0; 100_000]));
    assert!(large.is_full());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Small and large parts, through pipes of any size, in chunks: read again they are the same.
    #[test]
    fn chunks_that_were_written_are_read_again(
        sizes in prop::collection::vec(prop_oneof![0_usize..40, 8_000_usize..9_000, 15_000_usize..40_000], 0..7),
        room in prop_oneof![1_usize..20, 1_000_usize..100_000],
        trailer in any::<bool>(),
    ) {
        let parts: Vec<Bytes> = sizes.iter().enumerate().map(|(at, size)| Bytes::from(vec![at as u8; *size])).collect();
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", HeaderValue::from_static("7"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let seen = runtime.block_on(async {
            let chunks = encoded(Encoder::Chunked, &parts, Some(&trailers).filter(|_| trailer), room).await;
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let (mut from, to) = duplex(room);
            let writing = async {
                from.write_all(head).await.unwrap();
                from.write_all(&chunks).await.unwrap();
                drop(from);
            };
            tokio::join!(read(to, false), writing).0.unwrap()
        });
        prop_assert_eq!(seen.body, parts.concat());
        prop_assert_eq!(seen.trailers.len(), usize::from(trailer));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), good in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let head: &[u8] = if good { b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" } else { b"" };
        let _told = runtime.block_on(pieces(&[head, &bytes], false));
    }
}
