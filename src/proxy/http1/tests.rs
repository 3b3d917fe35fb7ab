//! A client's connection: how long a head is waited for, and where requests begin and end on it.

use super::*;
use crate::exchange::Refused;
use crate::proxy::Settings;
use crate::proxy::alarm::Alarm;
use crate::proxy::http1::line::Next;
use http_body_util::BodyExt;
use std::future::poll_fn;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

fn line(room: usize) -> (Line, DuplexStream) {
    let (client, server) = duplex(room);
    let settings = Settings { header_read_timeout_ms: 20, ..Settings::default() };
    (Line::new(Box::new(server), &settings, Alarm::default()), client)
}

async fn next(line: &Line) -> Next {
    poll_fn(|cx| line.state().poll_next(cx)).await
}

/// The next request's method and body; `None` at the end.
async fn whole(line: &Line) -> Option<(String, Vec<u8>)> {
    let Next::Request(head, _) = next(line).await else { return None };
    let body = RequestBody::behind(&head, line);
    let bytes = body.collect().await.unwrap().to_bytes();
    Some((head.method.to_string(), bytes.to_vec()))
}

#[tokio::test]
async fn a_head_that_does_not_arrive_in_time_is_refused_and_silence_is_the_end() {
    let (slow, mut client) = line(64);
    client.write_all(b"GET / HT").await.unwrap();
    assert!(matches!(next(&slow).await, Next::Refused(refusal) if refusal.kind == Refused::HeadTimeout));
    let (silent, _client) = line(64);
    assert!(matches!(next(&silent).await, Next::End));
    // Behind a request too.
    let (idle, mut client) = line(64);
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(whole(&idle).await.unwrap().0, "GET");
    assert!(matches!(next(&idle).await, Next::End));
}

#[tokio::test]
async fn requests_follow_each_other_wherever_their_bytes_are_split() {
    let stream = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcPUT /2 HTTP/1.1\r\nHost: a\r\n\
        Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nde\r\n1\r\nf\r\n0\r\n\r\nDELETE /3 HTTP/1.1\r\nHost: a\r\n\r\n";
    let want = [("POST", "abc"), ("PUT", "def"), ("DELETE", "")].map(|(method, body)| (method.to_owned(), body.into()));
    for cut in 0..stream.len() {
        let (line, mut client) = line(1 << 10);
        let (first, second) = stream.split_at(cut);
        let writing = async {
            client.write_all(first.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
            client.write_all(second.as_bytes()).await.unwrap();
            drop(client);
        };
        let reading = async {
            let mut requests = Vec::new();
            while let Some(request) = whole(&line).await {
                requests.push(request);
            }
            requests
        };
        assert_eq!(tokio::join!(reading, writing).0, want, "cut at {cut}");
    }
}

#[tokio::test]
async fn a_100_is_said_when_the_body_is_read_and_not_before() {
    let (line, mut client) = line(1 << 10);
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
    client.write_all(head).await.unwrap();
    let Next::Request(head, _) = next(&line).await else { panic!("no request") };
    let body = RequestBody::behind(&head, &line);
    let mut said = [0; 25];
    let saying = async {
        client.read_exact(&mut said).await.unwrap();
        client.write_all(b"ab").await.unwrap();
    };
    let (body, ()) = tokio::join!(body.collect(), saying);
    assert_eq!((&body.unwrap().to_bytes()[..], &said), (&b"ab"[..], b"HTTP/1.1 100 Continue\r\n\r\n"));
}

#[tokio::test]
async fn a_body_that_nobody_wants_leaves_the_connection_usable_only_if_it_is_here() {
    for (sent, usable) in [("abc", true), ("a", false)] {
        let (line, mut client) = line(1 << 10);
        let request = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n{sent}");
        client.write_all(request.as_bytes()).await.unwrap();
        let Next::Request(head, _) = next(&line).await else { panic!("no request") };
        drop(RequestBody::behind(&head, &line));
        assert_eq!(poll_fn(|cx| line.state().poll_left(cx)).await, usable, "{sent}");
    }
}
