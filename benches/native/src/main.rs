//! Prints the nanoseconds per message of each native function and of the plain way in Rust, as JSON.
//!
//! `benches/test_claims.py` contains the plain way in Python, with the same messages.

mod fechatter;
mod plain;
mod turns;

use std::hint::black_box;

use fechatter_native::batch::Columns;
use fechatter_native::message::parse_message;
use fechatter_native::pool::Pool;

/// Number of messages in a batch.
const ROWS: usize = 256;
/// Seven of these make a content of 200 bytes.
const CONTENT: &str = "Shall we meet at noon, then? ";
/// A text in several scripts, which is repeated.
const MIXED: &str = "We meet at noon; 我们中午见面吧; встретимся 😀 ";
const MIXED_CHARACTERS: usize = 4000;

fn main() {
    let bodies: Vec<String> = (0..ROWS).map(body).collect();
    let parsed = bodies.iter().map(|body| parse_message(body.as_bytes(), None, false).expect("valid"));
    let messages: Vec<_> = parsed.collect();
    let contents: Vec<String> = (0..ROWS).map(|_| CONTENT.repeat(7)).collect();
    let mixed: String = MIXED.chars().cycle().take(MIXED_CHARACTERS).collect();
    let columns = fechatter::columns(&messages);
    let rows = plain::rows(&contents);
    let pool = Pool::<Columns>::default();

    let figures = [
        turns::measure("arena", ROWS, || fechatter::gather(&pool, &messages), || plain::gather(&contents)),
        turns::measure("pool", ROWS, || fechatter::reuse(&pool, &messages), || fechatter::allocate(&messages)),
        turns::measure("zero_copy", ROWS, || fechatter::parse(&bodies), || plain::parse(&bodies)),
        turns::measure("columns", ROWS, || fechatter::count(black_box(&columns)), || plain::count(black_box(&rows))),
        turns::measure("simd", 1, || fechatter::check_utf8(mixed.as_bytes()), || plain::check_utf8(mixed.as_bytes())),
    ];
    println!("{{{}}}", figures.join(", "));
}

/// Returns the body of a message.
fn body(number: usize) -> String {
    let content = CONTENT.repeat(7);
    format!(r#"{{"content":"{content}","idempotency_key":"0192f0c1-2345-7abc-8def-{number:012x}"}}"#)
}
