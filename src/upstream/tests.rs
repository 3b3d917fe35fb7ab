//! The client over real sockets, against a server that does one thing at a time, when the test says so.

mod early;

use super::*;
use crate::exchange::{Clock, FailureKind};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// Far beyond what any step takes.
const LIMIT: Duration = Duration::from_secs(10);
const HI: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

type Client = Origin<Full<Bytes>>;

fn settings() -> OriginSettings {
    OriginSettings { idle_connections_max: 8, idle_timeout_ms: 600_000, retry_unsent: true }
}

fn reach(http: HttpVersion, connect_timeout_ms: u64) -> TargetSettings {
    TargetSettings { socket: None, http, tls: Tls::default(), connect_timeout_ms }
}

fn client(server: &TcpListener, settings: OriginSettings) -> Client {
    let url = format!("http://{}", server.local_addr().unwrap()).parse().unwrap();
    let target = Target::new(&url, reach(HttpVersion::Auto, 20_000)).unwrap();
    Origin::new(Arc::new(target), settings, Clock)
}

fn server() -> TcpListener {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    // An accept in vain ends too.
    socket2::SockRef::from(&server).set_read_timeout(Some(LIMIT)).unwrap();
    server
}

fn request(body: &'static str) -> Request<Full<Bytes>> {
    let request = Request::builder().method(Method::POST).uri("http://a.test/p?q=1").header("Host", "a.test");
    request.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap()
}

/// Reads one request whose body ends in `end`.
fn hear(stream: &mut TcpStream, end: &str) -> String {
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut heard = Vec::new();
    while !heard.ends_with(end.as_bytes()) {
        let mut some = [0; 4096];
        let length = stream.read(&mut some).unwrap();
        assert!(length > 0, "closed after {:?}", String::from_utf8_lossy(&heard));
        heard.extend_from_slice(&some[..length]);
    }
    String::from_utf8(heard).unwrap()
}

/// Hears one request on a connection and answers it.
async fn serve(mut stream: TcpStream, end: &'static str, answer: &'static [u8]) -> TcpStream {
    let served = spawn_blocking(move || {
        hear(&mut stream, end);
        stream.write_all(answer).unwrap();
        stream
    });
    served.await.unwrap()
}

async fn accept(server: &TcpListener) -> TcpStream {
    let server = server.try_clone().unwrap();
    spawn_blocking(move || server.accept().unwrap().0).await.unwrap()
}

/// Whether nobody else has connected.
fn nobody_waits(server: &TcpListener) -> bool {
    server.set_nonblocking(true).unwrap();
    let nobody = server.accept().is_err();
    server.set_nonblocking(false).unwrap();
    nobody
}

async fn call(
    client: &Client,
    body: &'static str,
    timer: &Timer,
) -> Result<Response<AnswerBody<Full<Bytes>>>, CallError> {
    tokio::time::timeout(LIMIT, client.request(Box::new(request(body)), Ask::default(), timer)).await.unwrap()
}

/// One whole call; whether it made a connection.
async fn whole(client: &Client, body: &'static str) -> Result<bool, FailureKind> {
    let timer = Timer::new(Clock.now());
    let answer = call(client, body, &timer).await.map_err(|error| failure_of(&error))?;
    let bytes = answer.into_body().collect().await.map_err(|error| failure_of(&error))?.to_bytes();
    assert_eq!(&bytes[..], b"hi");
    Ok(timer.connect_us().is_some())
}

#[tokio::test]
async fn one_connection_serves_call_after_call_and_says_when_it_is_new() {
    let server = server();
    let client = client(&server, settings());
    let (first, mut stream) =
        tokio::join!(whole(&client, "one"), async { serve(accept(&server).await, "one", HI).await });
    assert_eq!(first, Ok(true));
    for _ in 0..20 {
        let (again, back) = tokio::join!(whole(&client, "again"), serve(stream, "again", HI));
        assert_eq!(again, Ok(false));
        stream = back;
    }
    assert!(nobody_waits(&server));
}

#[tokio::test]
async fn a_request_that_was_never_written_takes_another_connection() {
    let server = server();
    let client = client(&server, settings());
    let (first, stream) = tokio::join!(whole(&client, "one"), async { serve(accept(&server).await, "one", HI).await });
    assert_eq!(first, Ok(true));
    drop(stream);
    // The runtime learns of the close now, but this task runs before the connection's: the connection finds out with
    // the request in its hands.
    tokio::task::yield_now().await;
    let second = async { serve(accept(&server).await, "two", HI).await };
    assert_eq!(tokio::join!(whole(&client, "two"), second).0, Ok(true));
}

#[tokio::test]
async fn a_request_that_was_written_is_never_sent_again() {
    let server = server();
    let client = client(&server, settings());
    let (_, mut stream) = tokio::join!(whole(&client, "one"), async { serve(accept(&server).await, "one", HI).await });
    let reads_and_leaves = spawn_blocking(move || {
        hear(&mut stream, "two");
        drop(stream);
    });
    assert_eq!(whole(&client, "two").await, Err(FailureKind::Reset));
    reads_and_leaves.await.unwrap();
    assert!(nobody_waits(&server));
}

#[tokio::test]
async fn a_connection_whose_answer_was_not_read_to_its_end_is_closed() {
    let server = server();
    let client = client(&server, settings());
    let timer = Timer::new(Clock.now());
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    let (answer, mut stream) =
        tokio::join!(call(&client, "one", &timer), async { serve(accept(&server).await, "one", half).await });
    let mut body = answer.unwrap().into_body();
    assert_eq!(&body.frame().await.unwrap().unwrap().into_data().unwrap()[..], b"half");
    drop(body);
    let (second, _) = tokio::join!(whole(&client, "two"), async { serve(accept(&server).await, "two", HI).await });
    assert_eq!(second, Ok(true));
    let closed = spawn_blocking(move || stream.read(&mut [0; 9]));
    assert!(matches!(closed.await.unwrap(), Ok(0) | Err(_)));
}

#[tokio::test]
async fn a_connection_that_waits_too_long_is_closed() {
    let server = server();
    let client = client(&server, OriginSettings { idle_timeout_ms: 30, ..settings() });
    let (first, mut stream) =
        tokio::join!(whole(&client, "one"), async { serve(accept(&server).await, "one", HI).await });
    assert_eq!(first, Ok(true));
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    assert_eq!(spawn_blocking(move || stream.read(&mut [0; 9]).unwrap()).await.unwrap(), 0);
}

#[tokio::test]
async fn no_more_than_the_maximum_waits_and_the_end_of_the_client_closes_all() {
    let server = server();
    let client = client(&server, OriginSettings { idle_connections_max: 1, ..settings() });
    let both = async { tokio::join!(whole(&client, "one"), whole(&client, "one")) };
    let (calls, mut streams) = tokio::join!(both, async {
        let (one, two) = (accept(&server).await, accept(&server).await);
        let (one, two) = tokio::join!(serve(one, "one", HI), serve(two, "one", HI));
        [one, two]
    });
    assert_eq!(calls, (Ok(true), Ok(true)));
    let open = |stream: &mut TcpStream| {
        stream.set_nonblocking(true).unwrap();
        stream.read(&mut [0; 9]).is_err()
    };
    let until = async |count: usize, streams: &mut [TcpStream; 2]| {
        while streams.iter_mut().filter_map(|stream| open(stream).then_some(())).count() != count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, until(1, &mut streams)).await.unwrap();
    drop(client);
    tokio::time::timeout(LIMIT, until(0, &mut streams)).await.unwrap();
}

#[tokio::test]
async fn each_origin_has_its_own_limit_for_a_connect() {
    // The kernel accepts; nobody ever says a word of TLS.
    let server = server();
    let url = format!("https://{}", server.local_addr().unwrap()).parse().unwrap();
    for http in [HttpVersion::Auto, HttpVersion::Http1] {
        let client: Client = Origin::new(Arc::new(Target::new(&url, reach(http, 40)).unwrap()), settings(), Clock);
        // Also those that wait for somebody else's connect end in their own time.
        let calls = tokio::join!(whole(&client, "one"), whole(&client, "two"), whole(&client, "three"));
        let late = Err(FailureKind::ConnectTimeout);
        assert_eq!(calls, (late, late, late));
    }
}

#[tokio::test]
async fn what_is_no_http_is_told_from_a_reset() {
    let server = server();
    let cases: [(&'static [u8], FailureKind); 4] = [
        (b"HTTP/1.1 200 OK\r\nX-A: 1\r\n folded\r\nContent-Length: 2\r\n\r\nhi", FailureKind::Protocol),
        (b"SSH-2.0-x\r\n\r\n", FailureKind::Protocol),
        (b"HTTP/1.1 200 OK\r\nContent-", FailureKind::Reset),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", FailureKind::Reset),
    ];
    for (answer, expected) in cases {
        let client = client(&server, settings());
        let (call, ()) = tokio::join!(whole(&client, "one"), async {
            drop(serve(accept(&server).await, "one", answer).await);
        });
        assert_eq!(call, Err(expected), "{}", String::from_utf8_lossy(answer));
    }
    let nowhere = client(&server, settings());
    drop(server);
    assert_eq!(whole(&nowhere, "one").await, Err(FailureKind::Connect));
}

#[tokio::test]
async fn an_origin_that_only_speaks_http1_is_told_from_a_reset_when_http2_was_wanted() {
    let server = server();
    let url = format!("http://{}", server.local_addr().unwrap()).parse().unwrap();
    let target = Target::new(&url, reach(HttpVersion::Http2, 20_000)).unwrap();
    let client: Client = Origin::new(Arc::new(target), settings(), Clock);
    let (call, ()) = tokio::join!(whole(&client, "one"), async {
        let mut stream = accept(&server).await;
        let refused = spawn_blocking(move || {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").unwrap();
            stream
        });
        drop(refused.await.unwrap());
    });
    assert!(matches!(call, Err(FailureKind::Protocol | FailureKind::Reset)), "{call:?}");
}

#[tokio::test]
async fn an_upgraded_connection_is_the_callers_and_http2_only_has_none() {
    let server = server();
    let client = client(&server, settings());
    let upgrade = || {
        let mut request = request("");
        request.headers_mut().insert("connection", http::HeaderValue::from_static("upgrade"));
        request.headers_mut().insert("upgrade", http::HeaderValue::from_static("echo"));
        request
    };
    let timer = Timer::new(Clock.now());
    let switching = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    let (answer, mut stream) = tokio::join!(client.request(Box::new(upgrade()), Ask::default(), &timer), async {
        serve(accept(&server).await, "\r\n\r\n", switching).await
    });
    let mut upgraded = answer.unwrap().into_body().into_upgraded().unwrap();
    let echo = spawn_blocking(move || {
        hear(&mut stream, "ping");
        stream.write_all(b"pong").unwrap();
    });
    let mut pong = [0; 4];
    tokio::io::AsyncWriteExt::write_all(&mut upgraded, b"ping").await.unwrap();
    tokio::io::AsyncReadExt::read_exact(&mut upgraded, &mut pong).await.unwrap();
    assert_eq!(&pong, b"pong");
    echo.await.unwrap();
    let (next, _) = tokio::join!(whole(&client, "two"), async { serve(accept(&server).await, "two", HI).await });
    assert_eq!(next, Ok(true), "it is not used for other calls");
    let url = format!("http://{}", server.local_addr().unwrap()).parse().unwrap();
    let http2: Client =
        Origin::new(Arc::new(Target::new(&url, reach(HttpVersion::Http2, 20_000)).unwrap()), settings(), Clock);
    let refused = http2.request(Box::new(upgrade()), Ask::default(), &timer).await.unwrap_err();
    assert_eq!(failure_of(&refused), FailureKind::Protocol);
    assert!(nobody_waits(&server));
}
