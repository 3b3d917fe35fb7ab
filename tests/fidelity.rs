//! The user's path carries what was said, both ways; what is no HTTP is refused and the process lives.

use crate::support::{Raw, Recorder, Upstream, config_text, connect, eventually, hear, talk};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Less than one of the bodies that pass.
const GROWTH_MAX_BYTES: u64 = 14 << 20;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

async fn between(primary: &Raw, shadow: &Upstream) -> Recorder {
    Recorder::with(&config_text(&primary.url, &shadow.url, "mirror.allow = [\"POST /up\"]"))
}

fn ledger(one: &Value) -> (u64, u64) {
    assert_eq!(one["ledger"]["adds_up"], true, "{one}");
    let arrived = one["ledger"]["arrived"].as_u64().unwrap();
    (arrived, one["ledger"]["mirrored"]["ok"].as_u64().unwrap())
}

#[tokio::test]
async fn malformed_requests_are_refused_and_the_process_lives() {
    let (primary, shadow) = (Raw::says(OK).await, Upstream::replies("{}").await);
    let recorder = between(&primary, &shadow).await;
    let malformed: [&[u8]; 11] = [
        b"nonsense\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\nab",
        b"GET /a HTTP/1.1\r\nHost: a\r\nX-Folded: a\r\n b\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nX Space: a\r\n\r\n",
        b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        b"GET /a HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nX-Nul: \0\r\n\r\n",
    ];
    for request in malformed {
        let answer = talk(&recorder.traffic, request).await;
        let said = String::from_utf8_lossy(request);
        assert!(answer.starts_with("HTTP/1.1 400") && answer.matches("HTTP/1.1 ").count() == 1, "{said:?}: {answer}");
    }
    assert!(primary.seen().is_empty(), "nothing malformed reaches the provider: {:?}", primary.seen());
    let answer = talk(&recorder.traffic, b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer.ends_with("hi"), "{answer}");
    assert_eq!(ledger(&recorder.at_rest().await), (1, 1));
}

#[tokio::test]
async fn a_request_with_both_lengths_cannot_smuggle_another() {
    let (primary, shadow) = (Raw::says(OK).await, Upstream::replies("{}").await);
    let recorder = between(&primary, &shadow).await;
    let both = b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = talk(&recorder.traffic, both).await;
    for request in primary.seen() {
        let head = request.to_lowercase();
        assert!(!(head.contains("content-length") && head.contains("transfer-encoding")), "{request}");
    }
    assert!(answer.starts_with("HTTP/1.1 400") || !primary.seen().is_empty(), "{answer}");
    recorder.at_rest().await;
}

#[tokio::test]
async fn bare_line_feeds_and_broken_chunks_never_reach_a_provider_as_they_are() {
    let (primary, shadow) = (Raw::says(OK).await, Upstream::replies("{}").await);
    let recorder = between(&primary, &shadow).await;
    let answer = talk(&recorder.traffic, b"GET /a HTTP/1.1\nHost: a\nConnection: close\n\n").await;
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    for request in primary.seen() {
        assert!(!request.replace("\r\n", "").contains('\n'), "{request:?}");
    }
    let chunks = b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nZZ\r\n";
    let answer = talk(&recorder.traffic, chunks).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("darklaunch-error: request_body"), "{answer}");
    let one = recorder.at_rest().await;
    assert_eq!((&one["ledger"]["not_mirrored"]["upload_aborted"], &one["primary"]["aborted"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn large_bodies_stream_through_unchanged_in_bounded_memory() {
    const SIZE: usize = 20 << 20;
    let body: Vec<u8> = (0..SIZE).map(|at| (at % 251) as u8).collect();
    let primary = Upstream::answers(|seen| Some(axum::response::IntoResponse::into_response(seen.body.clone()))).await;
    let shadow = Upstream::replies("{}").await;
    let recorder = Recorder::between(&primary, &shadow, "mirror.allow = [\"POST /up\"]");
    let client = reqwest::Client::new();
    for _ in 0..3 {
        let answer = client.post(format!("{}/up", recorder.traffic)).body(body.clone()).send().await.unwrap();
        assert!(answer.bytes().await.unwrap() == body, "the body came back changed");
    }
    let one = recorder.at_rest().await;
    assert_eq!((ledger(&one), &one["ledger"]["not_mirrored"]["body_too_large"]), ((3, 0), &json!(3)), "{one}");
    assert!(recorder.memory_growth_bytes() < GROWTH_MAX_BYTES, "{}", recorder.memory_growth_bytes());
}

#[tokio::test]
async fn headers_keep_case_order_and_repetition_both_ways() {
    let answer = "HTTP/1.1 200 Fine\r\nX-CaSe: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nhi";
    let (primary, shadow) = (Raw::says(answer).await, Upstream::replies("{}").await);
    let recorder = between(&primary, &shadow).await;
    let request =
        "GET /a?x=%2F&&y HTTP/1.1\r\nHost: app\r\nX-CaSe: 1\r\nX-List: a\r\nX-List: b\r\nConnection: close\r\n\r\n";
    let said = talk(&recorder.traffic, request.as_bytes()).await;
    assert_eq!(said.replace("connection: close\r\n", "").replace("Connection: close\r\n", ""), answer);
    let seen = primary.seen().remove(0);
    let host = primary.url.trim_start_matches("http://");
    assert_eq!(seen, request.replace("Host: app", &format!("Host: {host}")).replace("Connection: close\r\n", ""));
    let many: String = (0..150).map(|n| format!("X-{n}: {n}\r\n")).collect();
    let many = Raw::says(format!("HTTP/1.1 200 OK\r\n{many}Content-Length: 0\r\n\r\n")).await;
    let recorder = between(&many, &shadow).await;
    let said = talk(&recorder.traffic, b"GET /a HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 200") && said.contains("X-149: 149"), "{said}");
}

#[tokio::test]
async fn answers_without_a_body_keep_their_heads() {
    let cases = [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nX-Unsized: 1\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"),
        // It is the length of what is not sent.
        ("GET", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 1234\r\n\r\n"),
    ];
    for (method, answer) in cases {
        let (primary, shadow) = (Raw::says(answer).await, Upstream::replies("{}").await);
        let recorder = between(&primary, &shadow).await;
        let said =
            talk(&recorder.traffic, format!("{method} /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
                .await;
        assert_eq!(said.replace("connection: close\r\n", ""), answer, "{method}");
        assert_eq!(ledger(&recorder.at_rest().await), (1, 1));
    }
}

#[tokio::test]
async fn one_connection_carries_many_requests_also_at_once() {
    let (primary, shadow) = (Raw::says(OK).await, Upstream::replies("{}").await);
    let recorder = between(&primary, &shadow).await;
    let mut stream = connect(&recorder.traffic).await;
    for _ in 0..3 {
        stream.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert_eq!(hear(&mut stream, "\r\n\r\nhi").await.unwrap(), OK);
    }
    drop(stream);
    let pipelined = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let said = talk(&recorder.traffic, pipelined.as_bytes()).await;
    assert_eq!(said.matches("HTTP/1.1 200").count(), 3, "{said}");
    let lines: Vec<_> = primary.seen().iter().skip(3).map(|seen| seen[..6].to_owned()).collect();
    assert_eq!(lines, ["GET /1", "GET /2", "GET /3"]);
    assert_eq!(ledger(&recorder.at_rest().await), (6, 6));
}

#[tokio::test]
async fn an_upload_that_expects_100_continue_gets_it() {
    let (primary, shadow) = (Raw::says(OK).await, Upstream::replies("{}").await);
    let recorder = between(&primary, &shadow).await;
    let mut stream = connect(&recorder.traffic).await;
    let head = b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head).await.unwrap();
    hear(&mut stream, "100 Continue\r\n\r\n").await.unwrap();
    stream.write_all(b"abc").await.unwrap();
    assert_eq!(hear(&mut stream, "hi").await.unwrap(), OK);
    assert!(primary.seen()[0].ends_with("\r\n\r\nabc"), "{:?}", primary.seen());
    assert_eq!(ledger(&recorder.at_rest().await), (1, 1));
    assert_eq!(shadow.seen()[0].body, "abc");
}

#[tokio::test]
async fn http_2_with_prior_knowledge_is_served_and_its_cookies_are_joined() {
    let (primary, shadow) = (Raw::says(OK).await, Upstream::replies("{}").await);
    let recorder = between(&primary, &shadow).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let request = client.get(format!("{}/a", recorder.traffic)).header("cookie", "a=1").header("cookie", "b=2");
    let answer = request.send().await.unwrap();
    assert_eq!((answer.version(), answer.text().await.unwrap().as_str()), (reqwest::Version::HTTP_2, "hi"));
    let seen = primary.seen().remove(0);
    assert!(seen.starts_with("GET /a HTTP/1.1\r\n") && seen.contains("cookie: a=1; b=2\r\n"), "{seen}");
    assert_eq!(ledger(&recorder.at_rest().await), (1, 1));
}

#[tokio::test]
async fn connect_is_refused_by_name_and_counted_beside_the_integrations() {
    let (primary, shadow) = (Raw::says(OK).await, Upstream::replies("{}").await);
    let recorder = between(&primary, &shadow).await;
    let connect = talk(&recorder.traffic, b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n\r\n").await;
    assert!(connect.starts_with("HTTP/1.1 501") && connect.contains("darklaunch-error: connect_method"), "{connect}");
    let options = talk(&recorder.traffic, b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(options.ends_with("hi") && primary.seen()[0].starts_with("OPTIONS * HTTP/1.1"), "{:?}", primary.seen());
    let one = recorder.at_rest().await;
    assert_eq!(ledger(&one), (1, 0), "{one}");
    assert_eq!(recorder.status().await["refused_requests"]["connect_method"], 1);
    assert_eq!(primary.seen().len(), 1);
}

#[tokio::test]
async fn a_primary_that_closes_after_each_answer_without_saying_so_is_never_a_502() {
    let primary = Raw::speaks(|mut stream| async move {
        stream.write_all(OK.as_bytes()).await.ok()?;
        stream.shutdown().await.ok()?;
        None
    })
    .await;
    let shadow = Upstream::replies("{}").await;
    let recorder = between(&primary, &shadow).await;
    let client = reqwest::Client::new();
    for n in 0..200 {
        let answer = client.get(format!("{}/a", recorder.traffic)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "call {n}: {:?}", answer.headers());
    }
    let one = recorder.at_rest().await;
    assert_eq!((ledger(&one), primary.seen().len()), ((200, 200), 200), "nothing is sent twice");
}

#[tokio::test]
async fn integrations_are_told_apart_by_prefix_and_by_host() {
    let (first, second, shadow) = (Raw::says(OK).await, Raw::says(OK).await, Upstream::replies("{}").await);
    let config = config_text(&first.url, &shadow.url, "match.strip_prefix = true")
        .replace("match.path_prefix = \"/\"", "match.path_prefix = \"/pay\"");
    let more = format!(
        "[integrations.geo]\nmatch.host = \"geo.internal\"\nprimary.url = \"{}/base\"\nshadow.url = \"{}\"\nmirror.enabled = true\n",
        second.url, shadow.url
    );
    let recorder = Recorder::with(&format!("{config}\n{more}"));
    for (target, host) in [("/pay/a?x=1", "app"), ("/pay", "app"), ("/b", "GEO.internal:8080"), ("/payments", "app")] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let said = talk(&recorder.traffic, request.as_bytes()).await;
        match target {
            "/payments" => {
                assert!(said.starts_with("HTTP/1.1 404") && said.contains("darklaunch-error: no_integration"))
            }
            _ => assert!(said.ends_with("hi"), "{target}: {said}"),
        }
    }
    let targets =
        |raw: &Raw| raw.seen().iter().map(|seen| seen.split(' ').nth(1).unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(
        (targets(&first), targets(&second)),
        (vec!["/a?x=1".to_owned(), "/".to_owned()], vec!["/base/b".to_owned()])
    );
    eventually("three copies", async || (shadow.seen().len() == 3).then_some(())).await;
    let status = recorder.status().await;
    let arrived: Vec<_> = [0, 1].map(|at| status["integrations"][at]["ledger"]["arrived"].as_u64().unwrap()).into();
    assert_eq!(arrived.iter().sum::<u64>(), 3, "{status}");
}

#[tokio::test]
async fn a_sink_answers_at_once_and_the_shadow_gets_the_copy() {
    let shadow = Upstream::hangs().await;
    let config = config_text(
        "http://127.0.0.1:1",
        &shadow.url,
        "mirror.allow = [\"POST /up\"]\nshadow.total_timeout = \"300ms\"",
    );
    let config = config.replace("primary.url = \"http://127.0.0.1:1\"\n", "");
    let recorder = Recorder::with(&config);
    let upload = b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
    assert!(talk(&recorder.traffic, upload).await.starts_with("HTTP/1.1 204"));
    let broken = b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n";
    assert!(talk(&recorder.traffic, broken).await.starts_with("HTTP/1.1 400"), "a body that is none is not taken");
    let one = recorder.at_rest().await;
    assert_eq!(
        (&one["ledger"]["mirrored"]["timeout"], &one["ledger"]["not_mirrored"]["upload_aborted"]),
        (&json!(1), &json!(1)),
        "{one}"
    );
    assert_eq!((shadow.seen().len(), shadow.seen()[0].body.as_ref()), (1, b"abc".as_slice()));
}

#[tokio::test]
async fn a_stop_signal_lets_the_answer_under_way_arrive_whole() {
    let (say, said) = tokio::sync::watch::channel(false);
    let primary = Raw::speaks(move |mut stream| {
        let mut said = said.clone();
        async move {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf,").await.ok()?;
            said.wait_for(|go| *go).await.ok()?;
            stream.write_all(b"half").await.ok().map(|()| stream)
        }
    })
    .await;
    let shadow = Upstream::replies("{}").await;
    let recorder = between(&primary, &shadow).await;
    let mut stream = connect(&recorder.traffic).await;
    stream.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    hear(&mut stream, "half,").await.unwrap();
    recorder.terminate();
    // It has heard the signal when it takes no new connections.
    let address = recorder.traffic.trim_start_matches("http://").to_owned();
    eventually("a closed door", async || tokio::net::TcpStream::connect(&address).await.err()).await;
    say.send(true).unwrap();
    let mut rest = String::new();
    tokio::time::timeout(Duration::from_secs(9), stream.read_to_string(&mut rest)).await.unwrap().unwrap();
    assert_eq!(rest, "half");
    let (code, line) = recorder.last_words();
    assert_eq!((code, line.as_str()), (Some(0), "closed: 1 requests, 1 recorded, the ledger adds up"));
}

#[tokio::test]
async fn a_request_that_crosses_the_end_of_a_connection_is_never_sent_twice() {
    // Answers the first request of each connection; the second crosses with the end of the connection.
    let primary = Raw::speaks(|mut stream| async move {
        stream.write_all(OK.as_bytes()).await.ok()?;
        stream.read_u8().await.ok();
        None
    })
    .await;
    let shadow = Upstream::replies("{}").await;
    let config = config_text(&primary.url, &shadow.url, "");
    // One worker, so that every call finds the connection of the one before.
    let recorder = Recorder::with(&format!("limits.workers = 1\n{config}"));
    let get = b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut answered = 0;
    for n in 0..20 {
        let said = talk(&recorder.traffic, get).await;
        let reset = said.starts_with("HTTP/1.1 502") && said.contains("darklaunch-error: primary_reset");
        assert!(reset || said.starts_with("HTTP/1.1 200") && said.ends_with("hi"), "call {n}: {said}");
        answered += usize::from(!reset);
    }
    assert!(answered < 20, "some calls cross, or this story shows nothing");
    assert_eq!(primary.seen().len(), answered);
    let one = recorder.at_rest().await;
    assert_eq!((ledger(&one), shadow.seen().len()), ((20, 20), 20), "the shadow is called once each: {one}");
}

#[tokio::test]
async fn an_answer_before_the_upload_has_ended_reaches_the_application() {
    let early = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig";
    let primary = Raw::hears_heads_and_says(early).await;
    let shadow = Upstream::replies("{}").await;
    let recorder = between(&primary, &shadow).await;
    let mut stream = connect(&recorder.traffic).await;
    stream.write_all(b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegin").await.unwrap();
    let said = hear(&mut stream, "big").await.unwrap();
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
    drop(stream);
    let one = recorder.at_rest().await;
    assert_eq!((&one["ledger"]["not_mirrored"]["upload_aborted"], shadow.seen().len()), (&json!(1), 0), "{one}");
    assert_eq!(one["primary"]["client_4xx"], 1, "{one}");
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let answer =
        "HTTP/1.1 200 OK\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 7\r\n\r\n";
    let (primary, shadow) = (Raw::says(answer).await, Upstream::replies("{}").await);
    let recorder = between(&primary, &shadow).await;
    let request = b"POST /up HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: x-up\r\nTransfer-Encoding: chunked\r\nConnection: close, te\r\n\r\n3\r\nabc\r\n0\r\nx-up: 9\r\n\r\n";
    let said = talk(&recorder.traffic, request).await;
    assert!(said.ends_with("2\r\nhi\r\n0\r\nx-sum: 7\r\n\r\n"), "{said}");
    assert!(primary.seen()[0].ends_with("3\r\nabc\r\n0\r\nx-up: 9\r\n\r\n"), "{:?}", primary.seen());
    let one = recorder.at_rest().await;
    assert_eq!((ledger(&one), &one["primary"]["ok"]), ((1, 1), &json!(1)), "{one}");
    assert_eq!(shadow.seen()[0].body, "abc");
}

#[tokio::test]
async fn a_stop_signal_waits_no_longer_than_the_drain_and_the_ledger_adds_up() {
    let primary = Raw::speaks(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").await.ok()?;
        stream.read_u8().await.ok();
        None
    })
    .await;
    let shadow = Upstream::hangs().await;
    let config = config_text(&primary.url, &shadow.url, "");
    let recorder = Recorder::with(&format!("limits.drain = \"1s\"\n{config}"));
    let mut stream = connect(&recorder.traffic).await;
    stream.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    hear(&mut stream, "half").await.unwrap();
    eventually("the copy at the shadow", async || (shadow.seen().len() == 1).then_some(())).await;
    let (code, line) = recorder.last_words();
    assert_eq!((code, line.as_str()), (Some(0), "closed: 1 requests, 1 recorded, the ledger adds up"));
}
