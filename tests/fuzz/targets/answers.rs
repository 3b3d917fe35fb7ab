//! A provider's answer reads the same however its bytes are split, ends where it says, and its lines are written as they came.

#![no_main]

use darklaunch::http1::{Content, Input, put_fields, read_answer};
use libfuzzer_sys::fuzz_target;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncReadExt, join, sink};

#[derive(Debug, Default, PartialEq)]
struct Seen {
    heads: Vec<(u16, Vec<u8>)>,
    body: Vec<u8>,
    trailers: usize,
    keeps: bool,
    end: Option<String>,
}

fn feed(pieces: [&[u8]; 3], to_head: bool, verbatim: bool) -> Seen {
    let [first, second, third] = pieces;
    let mut io = join(first.chain(second).chain(third), sink());
    // What is read is there: nothing here ever waits.
    let mut cx = Context::from_waker(Waker::noop());
    let (mut input, mut looked, mut seen) = (Input::default(), 0, Seen::default());
    let head = loop {
        match read_answer(&mut input, to_head, &mut looked, verbatim) {
            Ok(Some(head)) => {
                let mut lines = Vec::new();
                put_fields(&mut lines, &head.headers, Some(&head.spelling), |_, _| true);
                assert!(httparse::parse_headers(&[&lines[..], b"\r\n"].concat(), &mut [httparse::EMPTY_HEADER; 256]).is_ok());
                seen.heads.push((head.status.as_u16(), lines));
                if !head.status.is_informational() {
                    break head;
                }
            }
            Ok(None) => match input.poll_fill(&mut io, &mut cx, 0) {
                Poll::Ready(Ok(1..)) => {}
                _ => {
                    looked = 0;
                    seen.end = read_answer(&mut input, to_head, &mut looked, verbatim).err().map(|error| error.to_string());
                    return seen;
                }
            },
            Err(error) => {
                seen.end = Some(error.to_string());
                return seen;
            }
        }
    };
    seen.keeps = head.keeps;
    let mut content = Content::new(head.length);
    loop {
        match content.poll_frame(&mut input, &mut io, &mut cx) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => seen.body.extend_from_slice(&data),
                Err(frame) => seen.trailers = frame.trailers_ref().map_or(0, |trailers| trailers.len()),
            },
            Poll::Ready(Some(Err(error))) => {
                seen.end = Some(error.to_string());
                return seen;
            }
            Poll::Ready(None) | Poll::Pending => {
                assert!(content.is_over());
                return seen;
            }
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some(([how, one, two], stream)) = input.split_first_chunk() else { return };
    let mut cuts = [one, two].map(|cut| usize::from(*cut) * (stream.len() + 1) / 256);
    cuts.sort_unstable();
    let pieces = [&stream[..cuts[0]], &stream[cuts[0]..cuts[1]], &stream[cuts[1]..]];
    let to_head = how & 1 == 1;
    let whole = feed([stream, &[], &[]], to_head, false);
    assert_eq!(whole, feed(pieces, to_head, false));
    // What passes as it came says the same.
    let verbatim = feed([stream, &[], &[]], to_head, true);
    assert_eq!((whole.body, whole.trailers, whole.keeps, whole.end), (verbatim.body, verbatim.trailers, verbatim.keeps, verbatim.end));
    assert_eq!(whole.heads.len(), verbatim.heads.len());
});
