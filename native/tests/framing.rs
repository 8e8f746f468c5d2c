//! The framing of HTTP/1.1 under random inputs: it never depends on how the bytes arrive, and agrees with httparse.

mod fuzzing;

use fechatter_native::gateway::framing::{Framing, Verdict};
use fechatter_native::gateway::head::{self, Body, HeadLimits};
use fechatter_native::gateway::refusal::Refusal::{HeadTooLarge, UriTooLong};
use fuzzing::fuzz;

const LIMITS: HeadLimits = HeadLimits { bytes: 512, headers: 8, uri_bytes: 128 };
const SEEDS: [&[u8]; 7] = [
    b"GET /a?b=c HTTP/1.1\r\nhost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nx: y\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"\r\nGET http://a/b HTTP/1.1\r\nhost: a\r\nx: \t y \r\n\r\n",
    b"GET / HTTP/1.1\nhost: a\r\n folded: b\r\n\r\n",
];
const PIECES: [&[u8]; 16] = [
    b"\r",
    b"\n",
    b"\r\n",
    b" ",
    b"\t",
    b":",
    b"\0",
    b"\x80",
    b"0",
    b"f",
    b";",
    b",",
    b"chunked",
    b"content-length: 1\r\n",
    b"transfer-encoding: chunked\r\n",
    b"host: b\r\n",
];

/// What an input consists of: sizes of heads and of other correct bytes, and how it ends.
#[derive(Debug, PartialEq)]
struct Outcome {
    heads: Vec<Vec<u8>>,
    correct: usize,
    ending: Option<Verdict>,
}

fn judge(input: &[u8], mut step: impl FnMut() -> usize) -> Outcome {
    let mut framing = Framing::new(LIMITS);
    let (mut held, mut arrived) = (Vec::new(), 0);
    let mut outcome = Outcome { heads: Vec::new(), correct: 0, ending: None };
    loop {
        match framing.judge(&held) {
            Verdict::More if arrived == input.len() => return outcome,
            Verdict::More => {
                let end = input.len().min(arrived + step());
                held.extend_from_slice(&input[arrived..end]);
                arrived = end;
            }
            Verdict::Pass(count) => {
                outcome.correct += count;
                held.drain(..count);
            }
            Verdict::Head(count) => {
                outcome.correct += count;
                outcome.heads.push(held.drain(..count).collect());
            }
            refused => {
                outcome.ending = Some(refused);
                return outcome;
            }
        }
    }
}

#[test]
fn the_framing_does_not_depend_on_how_the_bytes_arrive_and_httparse_agrees_with_it() {
    fuzz(&SEEDS, &PIECES, |input, random| {
        let whole = judge(input, || usize::MAX >> 1);
        let single = judge(input, || 1);
        let parts = judge(input, || 1 + random.below(40));
        assert_eq!(whole.heads, single.heads, "{:?}", String::from_utf8_lossy(input));
        assert_eq!(whole.heads, parts.heads, "{:?}", String::from_utf8_lossy(input));
        // Single bytes may be refused before a whole head would be, but never differently.
        assert_eq!(whole.ending.is_some(), single.ending.is_some(), "{:?}", String::from_utf8_lossy(input));
        for head in &whole.heads {
            agree(head);
        }
        !whole.heads.is_empty()
    });
}

/// Hyper parses with httparse. A head that the gateway accepts means the same to it.
fn agree(bytes: &[u8]) {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut request = httparse::Request::new(&mut headers);
    let parsed = request.parse(bytes).expect("httparse accepts the head");
    assert_eq!(parsed, httparse::Status::Complete(bytes.len()));
    let values = |name: &str| -> Vec<&[u8]> {
        let named = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value).collect()
    };
    let (lengths, encodings) = (values("content-length"), values("transfer-encoding"));
    match head::check(bytes, &LIMITS).expect("the head was accepted before") {
        Body::Chunked => assert!(lengths.is_empty() && encodings.len() == 1),
        Body::Length(length) => {
            assert!(encodings.is_empty() && lengths.len() <= 1);
            let stated = lengths.first().map(|value| std::str::from_utf8(value).expect("digits").trim());
            assert_eq!(stated.map_or(0, |digits| digits.parse::<u64>().expect("a number")), length);
        }
    }
    let hosts = values("host").len();
    assert!(hosts == 1 || (hosts == 0 && request.version == Some(0)));
}

#[test]
fn a_head_has_at_most_the_allowed_bytes_headers_and_target() {
    let refused = |head: Vec<u8>| judge(&head, || 7).ending;
    let refusal = |refusal| Some(Verdict::Refuse(refusal));
    let long = "a".repeat(129);
    assert_eq!(refused(format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n").into_bytes()), refusal(UriTooLong));
    assert_eq!(refused(format!("GET /{}", "a".repeat(600)).into_bytes()), refusal(UriTooLong));
    let many = "x: y\r\n".repeat(8);
    assert_eq!(refused(format!("GET / HTTP/1.1\r\nhost: a\r\n{many}\r\n").into_bytes()), refusal(HeadTooLarge));
    let large = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}", "y".repeat(600));
    assert_eq!(refused(large.clone().into_bytes()), refusal(HeadTooLarge));
    assert_eq!(refused(format!("{large}\r\n\r\n").into_bytes()), refusal(HeadTooLarge));
}
