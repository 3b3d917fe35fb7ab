//! What a provider says before the request is sent: interim answers, and answers whose request goes on behind them.

use super::*;
use hyper::body::{Body, Frame};
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// A body that comes when the test says so.
struct Slow(mpsc::Receiver<&'static [u8]>);

impl Body for Slow {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|part| part.map(|part| Ok(Frame::data(Bytes::from_static(part)))))
    }
}

fn slow(server: &TcpListener) -> (Origin<Slow>, Request<Slow>, mpsc::Sender<&'static [u8]>) {
    let url = format!("http://{}", server.local_addr().unwrap()).parse().unwrap();
    let target = Target::new(&url, reach(HttpVersion::Auto, 20_000)).unwrap();
    let (to, parts) = mpsc::channel(1);
    let request = Request::post("http://a.test/p").header("Host", "a.test").body(Slow(parts)).unwrap();
    (Origin::new(Arc::new(target), settings(), Clock), request, to)
}

async fn sent(client: &Origin<Slow>, request: Request<Slow>) -> Response<AnswerBody<Slow>> {
    let timer = Timer::new(Clock.now());
    tokio::time::timeout(LIMIT, client.request(Box::new(request), Ask::default(), &timer)).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_answer_comes_before_its_request_is_sent_and_the_connection_serves_again_behind_both() {
    let server = server();
    let (client, request, to) = slow(&server);
    let (answer, stream) =
        tokio::join!(sent(&client, request), async { serve(accept(&server).await, "\r\n\r\n", HI).await });
    assert_eq!(&answer.into_body().collect().await.unwrap().to_bytes()[..], b"hi");
    for part in [&b"abc"[..], b"de"] {
        to.send(part).await.unwrap();
    }
    drop(to);
    let mut stream = spawn_blocking(move || {
        let mut stream = stream;
        assert_eq!(hear(&mut stream, "0\r\n\r\n"), "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
        stream
    })
    .await
    .unwrap();
    let (_, again, more) = slow(&server);
    drop(more);
    // The task that sent the rest gives the connection back.
    while client.0.idle().is_empty() {
        tokio::task::yield_now().await;
    }
    let (answer, back) = tokio::join!(sent(&client, again), serve(stream, "0\r\n\r\n", HI));
    assert_eq!(answer.status(), 200);
    stream = back;
    assert!(nobody_waits(&server));
    drop((answer, stream));
}

#[tokio::test]
async fn a_long_answer_arrives_while_its_request_goes_on_and_whoever_drops_it_ends_both() {
    let server = server();
    let (client, request, to) = slow(&server);
    let half = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    let (answer, mut stream) =
        tokio::join!(sent(&client, request), async { serve(accept(&server).await, "\r\n\r\n", half).await });
    let mut body = answer.into_body();
    assert_eq!(&body.frame().await.unwrap().unwrap().into_data().unwrap()[..], b"half");
    to.send(b"abc").await.unwrap();
    let heard = spawn_blocking(move || {
        assert_eq!(hear(&mut stream, "\r\nabc\r\n"), "3\r\nabc\r\n");
        stream.write_all(b"4\r\nmore\r\n").unwrap();
        stream
    });
    let mut stream = heard.await.unwrap();
    assert_eq!(&body.frame().await.unwrap().unwrap().into_data().unwrap()[..], b"more");
    drop(body);
    tokio::time::timeout(LIMIT, to.closed()).await.unwrap();
    assert!(matches!(spawn_blocking(move || stream.read(&mut [0; 9])).await.unwrap(), Ok(0) | Err(_)));
}

#[tokio::test]
async fn interim_answers_are_heard_and_a_request_that_is_not_taken_is_answered_all_the_same() {
    let server = server();
    let client = client(&server, settings());
    let heard = Mutex::new(Vec::new());
    let hears = |status: http::StatusCode, headers: &http::HeaderMap| {
        heard.lock().unwrap().push((status.as_u16(), headers.contains_key("link")));
    };
    let answer = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
    // More than the system holds for a side that does not read.
    let mut large = request("");
    *large.body_mut() = Full::new(Bytes::from(vec![b'x'; 16 << 20]));
    let timer = Timer::new(Clock.now());
    let (call, stream) =
        tokio::join!(client.request(Box::new(large), Ask { interim: &hears, ..Ask::default() }, &timer), async {
            let mut stream = accept(&server).await;
            let said = spawn_blocking(move || {
                stream.set_read_timeout(Some(LIMIT)).unwrap();
                stream.read_exact(&mut [0; 100]).unwrap();
                stream.write_all(answer).unwrap();
                stream
            });
            said.await.unwrap()
        });
    let answer = call.unwrap();
    assert_eq!((answer.status().as_u16(), heard.into_inner().unwrap()), (413, vec![(103, true), (102, false)]));
    assert_eq!(&answer.into_body().collect().await.unwrap().to_bytes()[..], b"hi");
    drop(stream);
}
