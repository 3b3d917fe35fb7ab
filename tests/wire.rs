//! What the bytes on the user's path mean: what is refused before anyone sees it, and what passes although it is rare.

use crate::support::{Raw, Recorder, Upstream, config_text, connect, eventually, hear, talk};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

async fn between(primary: &Raw, shadow: &Upstream, more: &str) -> Recorder {
    let more = format!("mirror.allow = [\"POST /up\"]\n{more}");
    Recorder::with(&config_text(&primary.url, &shadow.url, &more))
}

/// A recorder before a primary, with a shadow that answers.
async fn before(primary: &Raw, more: &str) -> (Recorder, Upstream) {
    let shadow = Upstream::replies("{}").await;
    (between(primary, &shadow, more).await, shadow)
}

fn not_mirrored(one: &Value, reason: &str) -> u64 {
    assert_eq!(one["ledger"]["adds_up"], true, "{one}");
    one["ledger"]["not_mirrored"][reason].as_u64().unwrap()
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_answered_in_its_turn_counted_and_never_forwarded() {
    let primary = Raw::says(OK).await;
    let (recorder, _shadow) = before(&primary, "").await;
    let shapes = [
        ("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n", 400, "request_framing"),
        ("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n", 400, "request_framing"),
        ("POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n", 501, "transfer_coding"),
        ("GET /a HTTP/1.1\r\nHost: a\r\nX : b\r\n", 400, "request_head"),
        ("GET /a HTTP/1.1\nHost: a\n", 400, "request_head"),
        ("GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n", 400, "host"),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n", 501, "connect_method"),
    ];
    for (at, (head, status, kind)) in shapes.iter().enumerate() {
        // What follows is a request to whoever reads the shape in the other way.
        let said =
            format!("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n{head}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = talk(&recorder.traffic, said.as_bytes()).await;
        let (first, second) = answer.split_at(OK.len().min(answer.len()));
        assert_eq!(first, OK, "the request before it is served: {head:?}");
        assert!(second.starts_with(&format!("HTTP/1.1 {status} ")), "{head:?}: {answer}");
        assert!(
            second.contains(&format!("darklaunch-error: {kind}\r\n")) && second.contains("connection: close"),
            "{second}"
        );
        assert_eq!((answer.matches("HTTP/1.1 ").count(), primary.seen().len()), (2, at + 1), "{head:?}: {answer}");
    }
    let large = format!("GET /a HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(300 << 10));
    assert!(talk(&recorder.traffic, large.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    assert!(talk(&recorder.traffic, &[0x16, 3, 1, 2]).await.contains("darklaunch-error: request_head"));
    let refused = recorder.status().await["refused_requests"].clone();
    let want = json!({"no_integration": 0, "host": 1, "connect_method": 1, "request_head": 3, "request_framing": 2,
        "transfer_coding": 1, "head_too_large": 1, "head_timeout": 0});
    assert_eq!(refused, want);
    let metrics = reqwest::get(format!("{}/metrics", recorder.console)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("darklaunch_refused_requests_total{kind=\"request_head\"} 3"), "{metrics}");
    recorder.at_rest().await;
    let (_, line) = recorder.last_words();
    assert!(line.contains("7 requests") && line.contains("9 refused"), "{line}");
}

#[tokio::test]
async fn a_head_in_single_bytes_and_a_body_in_odd_pieces_arrive_as_they_were_meant() {
    let primary = Raw::says(OK).await;
    let (recorder, _shadow) = before(&primary, "").await;
    let mut stream = connect(&recorder.traffic).await;
    stream.set_nodelay(true).unwrap();
    let request =
        "POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    for byte in request.as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(hear(&mut stream, "hi").await.unwrap(), OK);
    let seen = primary.seen().remove(0);
    assert!(seen.contains("abc") && seen.contains("de") && !seen.contains("x=y"), "{seen}");
    let broken =
        "POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcGET /smuggled HTTP/1.1\r\n\r\n";
    let answer = talk(&recorder.traffic, broken.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("darklaunch-error: request_body"), "{answer}");
    assert_eq!(not_mirrored(&recorder.at_rest().await, "upload_aborted"), 1);
}

/// Agrees to the upgrade, greets, and sends back what it hears.
async fn echo() -> Raw {
    Raw::speaks(|mut stream| async move {
        let agreed =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Key: k\r\n\r\n\0hello";
        stream.write_all(agreed.as_bytes()).await.ok()?;
        let mut buffer = [0; 64];
        loop {
            let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
            stream.write_all(&buffer[..read]).await.ok()?;
        }
    })
    .await
}

const UPGRADE: &str = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";

#[tokio::test]
async fn an_upgrade_is_passed_through_both_ways_and_not_mirrored() {
    let primary = echo().await;
    let (recorder, shadow) = before(&primary, "").await;
    let mut stream = connect(&recorder.traffic).await;
    // The frame behind the head is no HTTP, and comes too early.
    stream.write_all(format!("{UPGRADE}\0early\n\n").as_bytes()).await.unwrap();
    let heard = hear(&mut stream, "\0early\n\n").await.unwrap();
    assert!(heard.starts_with("HTTP/1.1 101 ") && heard.contains("\r\n\r\n\0hello"), "{heard:?}");
    let head = heard.to_lowercase();
    assert!(
        head.contains("upgrade: websocket") && head.contains("connection: upgrade") && head.contains("x-key: k"),
        "{head}"
    );
    stream.write_all(b"\xff\0 GET / HTTP/1.1\n\nlast").await.unwrap();
    hear(&mut stream, "last").await.unwrap();
    let seen = primary.seen().remove(0).to_lowercase();
    assert!(seen.contains("upgrade: websocket\r\n") && seen.contains("connection: upgrade\r\n"), "{seen}");
    drop(stream);
    let one = recorder.at_rest().await;
    assert_eq!((not_mirrored(&one, "streaming"), &one["primary"]["ok"], shadow.seen().len()), (1, &json!(1), 0));
}

#[tokio::test]
async fn an_upgrade_that_is_not_agreed_to_is_an_ordinary_answer_and_the_connection_goes_on() {
    let primary = Raw::says(OK).await;
    let (recorder, _shadow) = before(&primary, "").await;
    let mut stream = connect(&recorder.traffic).await;
    // The second request waits behind the decision.
    stream.write_all(format!("{UPGRADE}GET /b HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
    assert_eq!(hear(&mut stream, &format!("hi{OK}")).await.unwrap(), format!("{OK}{OK}"));
    assert_eq!(not_mirrored(&recorder.at_rest().await, "streaming"), 1);
}

#[tokio::test]
async fn an_unasked_switch_is_no_answer() {
    let primary = echo().await;
    let (recorder, _shadow) = before(&primary, "").await;
    let answer = talk(&recorder.traffic, b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 502") && answer.contains("darklaunch-error: primary_protocol"), "{answer}");
}

const EXPECTS: &[u8] = b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";

#[tokio::test]
async fn the_primary_decides_whether_an_expected_body_is_sent() {
    let refusal = "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 4\r\n\r\nlate";
    let primary = Raw::hears_heads_and_says(refusal).await;
    let (recorder, shadow) = before(&primary, "").await;
    let mut stream = connect(&recorder.traffic).await;
    stream.write_all(EXPECTS).await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    assert!(heard.starts_with("HTTP/1.1 417 ") && heard.ends_with("late") && !heard.contains(" 100 "), "{heard}");
    assert!(primary.seen()[0].contains("Expect: 100-continue\r\n"), "{:?}", primary.seen());
    let one = recorder.at_rest().await;
    assert_eq!(
        (not_mirrored(&one, "upload_aborted"), &one["primary"]["client_4xx"], shadow.seen().len()),
        (1, &json!(1), 0)
    );
}

#[tokio::test]
async fn a_100_comes_from_the_primary_and_then_the_body_goes() {
    let (go, gone) = watch::channel(false);
    let primary = Raw::hears_heads(move |mut stream| {
        let mut gone = gone.clone();
        async move {
            gone.wait_for(|go| *go).await.ok()?;
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.ok()?;
            let mut body = [0; 3];
            stream.read_exact(&mut body).await.ok()?;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n").await.ok()?;
            stream.write_all(&body).await.ok().map(|()| stream)
        }
    })
    .await;
    let (recorder, shadow) = before(&primary, "").await;
    let mut stream = connect(&recorder.traffic).await;
    stream.write_all(EXPECTS).await.unwrap();
    eventually("the head at the primary", async || (primary.seen().len() == 1).then_some(())).await;
    go.send_replace(true);
    hear(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    stream.write_all(b"abc").await.unwrap();
    assert!(hear(&mut stream, "abc").await.unwrap().starts_with("HTTP/1.1 200 OK\r\n"));
    recorder.at_rest().await;
    assert_eq!(shadow.seen()[0].body, "abc");
}

#[tokio::test]
async fn interim_answers_come_before_their_answer_and_only_where_they_are_understood() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\nX: y\r\n\r\n";
    let (go, gone) = watch::channel(false);
    let primary = Raw::speaks(move |mut stream| {
        let mut gone = gone.clone();
        async move {
            stream.write_all(hints.as_bytes()).await.ok()?;
            gone.wait_for(|go| *go).await.ok()?;
            stream.write_all(OK.as_bytes()).await.ok().map(|()| stream)
        }
    })
    .await;
    let (recorder, _shadow) = before(&primary, "").await;
    let passed = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n";
    let mut stream = connect(&recorder.traffic).await;
    stream.write_all(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(hear(&mut stream, "\r\n\r\n").await.unwrap(), passed, "it does not wait for the answer");
    go.send_replace(true);
    assert_eq!(hear(&mut stream, &format!("{passed}{OK}")).await.unwrap(), format!("{OK}{passed}{OK}"));
    let old = talk(&recorder.traffic, b"GET /3 HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.") && old.contains(" 200 OK") && !old.contains("103"), "{old}");
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let answer = client.get(format!("{}/4", recorder.traffic)).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "hi"));
}

#[tokio::test]
async fn what_belongs_to_one_hop_stays_there_and_nothing_else() {
    let primary = Raw::says(
        "HTTP/1.1 200 OK\r\nKeep-Alive: 9\r\nProxy-Authenticate: x\r\nConnection: x-a, cache-control\r\nX-A: 1\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nhi",
    )
    .await;
    let (recorder, shadow) = before(&primary, "").await;
    let request = "GET /a HTTP/1.1\r\nHost: app\r\nTE: gzip, Trailers\r\nKeep-Alive: 5\r\nProxy-Authorization: x\r\nProxy-Connection: x\r\nX-Gone: 1\r\nCookie: c=d\r\nConnection: close, X-Gone, Host, cookie, authorization\r\nAuthorization: t\r\n\r\n";
    let answer = talk(&recorder.traffic, request.as_bytes())
        .await
        .replace("connection: close\r\n", "")
        .replace("Connection: close\r\n", "");
    assert_eq!(answer, "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nhi");
    let host = primary.url.trim_start_matches("http://");
    let want = format!(
        "GET /a HTTP/1.1\r\nHost: {host}\r\nCookie: c=d\r\nAuthorization: t\r\nTE: trailers\r\nConnection: TE\r\n\r\n"
    );
    assert_eq!(primary.seen()[0], want);
    recorder.at_rest().await;
    assert_eq!((shadow.seen()[0].header("te"), shadow.seen()[0].header("connection")), ("", ""));
    for (left, reaches) in [("2", Some("Max-Forwards: 1\r\n")), ("0", None)] {
        let before = primary.seen().len();
        let options = format!("OPTIONS /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: {left}\r\nConnection: close\r\n\r\n");
        let answer = talk(&recorder.traffic, options.as_bytes()).await;
        match reaches {
            Some(line) => assert!(primary.seen()[before].contains(line), "{:?}", primary.seen()),
            None => assert!(answer.starts_with("HTTP/1.1 204") && primary.seen().len() == before, "{answer}"),
        }
    }
}

#[tokio::test]
async fn trailers_pass_to_a_client_that_takes_them() {
    let chunked =
        "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n";
    let primary = Raw::says(chunked).await;
    let (recorder, _shadow) = before(&primary, "").await;
    let upload = "POST /up HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: X-Up\r\nTransfer-Encoding: chunked\r\nConnection: close, TE\r\n\r\n2\r\nab\r\n0\r\nX-Up: 8\r\n\r\n";
    let answer = talk(&recorder.traffic, upload.as_bytes()).await.to_lowercase();
    assert!(answer.ends_with("0\r\nx-sum: 7\r\n\r\n"), "{answer}");
    assert!(primary.seen()[0].to_lowercase().ends_with("0\r\nx-up: 8\r\n\r\n"), "{:?}", primary.seen());
}

#[tokio::test]
async fn who_called_is_passed_appended_or_removed_and_never_told_to_the_shadow() {
    let request = "GET /a HTTP/1.1\r\nHost: app:81\r\nX-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\nConnection: close\r\n\r\n";
    let theirs = "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\n";
    let ours = "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1, for=127.0.0.1;host=\"app:81\";proto=http\r\nX-Real-IP: 192.0.2.1\r\n";
    let x = "X-Forwarded-For: 192.0.2.1, 127.0.0.1\r\nForwarded: for=192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\nx-forwarded-host: app:81\r\nx-forwarded-proto: http\r\n";
    for (more, host, headers) in [
        ("", None, theirs),
        ("primary.host = \"keep\"", Some("app:81"), theirs),
        ("primary.forwarded = \"append\"", None, ours),
        ("primary.forwarded = \"x-forwarded\"", None, x),
        ("primary.forwarded = \"remove\"\nprimary.host = \"keep\"", Some("app:81"), ""),
    ] {
        let primary = Raw::says(OK).await;
        let (recorder, shadow) = before(&primary, more).await;
        assert!(talk(&recorder.traffic, request.as_bytes()).await.ends_with("hi"));
        let host = host.unwrap_or(primary.url.trim_start_matches("http://"));
        assert_eq!(primary.seen()[0], format!("GET /a HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n"), "{more}");
        recorder.at_rest().await;
        let told = format!("{:?}", shadow.seen()[0].headers);
        assert!(!told.contains("192.0.2.1") && !told.contains("forwarded"), "{more}: {told}");
    }
}

#[tokio::test]
async fn a_stream_of_events_passes_unbuffered_and_is_not_mirrored() {
    let (go, gone) = watch::channel(false);
    let primary = Raw::speaks(move |mut stream| {
        let mut gone = gone.clone();
        async move {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n").await.ok()?;
            gone.wait_for(|go| *go).await.ok()?;
            stream.write_all(b"data: 2\n\n").await.ok()?;
            None
        }
    })
    .await;
    let (recorder, shadow) = before(&primary, "").await;
    let mut stream = connect(&recorder.traffic).await;
    stream.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n").await.unwrap();
    hear(&mut stream, "data: 1\n\n").await.unwrap();
    go.send_replace(true);
    hear(&mut stream, "data: 2\n\n").await.unwrap();
    assert_eq!((not_mirrored(&recorder.at_rest().await, "streaming"), shadow.seen().len()), (1, 0));
}

#[tokio::test]
async fn the_applications_cancellation_closes_the_primarys_connection() {
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"] {
        let (to, closed) = watch::channel(0_u32);
        let to = Arc::new(to);
        let primary = Raw::speaks(move |mut stream| {
            let to = Arc::clone(&to);
            async move {
                stream.write_all(answer.as_bytes()).await.ok()?;
                // Nothing more is sent: the end of the stream is the recorder's close.
                stream.read_u8().await.ok();
                to.send_modify(|closed| *closed += 1);
                None
            }
        })
        .await;
        let (recorder, _shadow) = before(&primary, "").await;
        let mut stream = connect(&recorder.traffic).await;
        stream.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        match answer {
            "" => eventually("the request at the primary", async || (primary.seen().len() == 1).then_some(())).await,
            _ => drop(hear(&mut stream, "half").await.unwrap()),
        }
        drop(stream);
        eventually("the primary's connection closed", async || (*closed.borrow() == 1).then_some(())).await;
    }
}

#[tokio::test]
async fn the_primarys_reset_is_a_cut_connection_and_no_end() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\n\r\nhalf",
    ] {
        let (to, heard) = watch::channel(false);
        let to = Arc::new(to);
        let waiting = heard.clone();
        let primary = Raw::speaks(move |mut stream| {
            let mut waiting = waiting.clone();
            async move {
                stream.write_all(answer.as_bytes()).await.ok()?;
                waiting.wait_for(|heard| *heard).await.ok()?;
                stream.set_zero_linger().ok()?;
                None
            }
        })
        .await;
        let (recorder, _shadow) = before(&primary, "").await;
        let mut stream = connect(&recorder.traffic).await;
        stream.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        hear(&mut stream, "half").await.unwrap();
        to.send_replace(true);
        let mut rest = Vec::new();
        // Reset or closed: but no last chunk, and not the bytes that were promised.
        let _ = stream.read_to_end(&mut rest).await;
        assert!(!String::from_utf8_lossy(&rest).contains("0\r\n"), "{answer:?}: {rest:?}");
        let one = recorder.at_rest().await;
        assert_eq!(one["primary"]["network_error"], 1, "{answer:?}: {one}");
    }
}

#[tokio::test]
async fn an_upgraded_connection_that_is_silent_or_outlives_the_drain_is_ended() {
    let primary = echo().await;
    let (recorder, _shadow) = before(&primary, "primary.read_timeout = \"300ms\"").await;
    let mut stream = connect(&recorder.traffic).await;
    stream.write_all(UPGRADE.as_bytes()).await.unwrap();
    hear(&mut stream, "hello").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
    let shadow = Upstream::replies("{}").await;
    let config = config_text(&primary.url, &shadow.url, "");
    let recorder = Recorder::with(&format!("{config}\n[limits]\ndrain = \"1s\"\n"));
    let mut stream = connect(&recorder.traffic).await;
    stream.write_all(UPGRADE.as_bytes()).await.unwrap();
    hear(&mut stream, "hello").await.unwrap();
    let (code, line) = recorder.last_words();
    assert!(code == Some(0) && line.ends_with("the ledger adds up"), "{code:?} {line}");
}
