//! The plain way: one allocation per text, one struct per message, the standard library and serde.

use std::hint::black_box;

use serde::Deserialize;

/// One message that owns its texts.
#[expect(dead_code, reason = "the unread fields separate the others in memory")]
#[derive(Debug)]
pub struct Row {
    pub chat_id: i64,
    pub sender_id: i64,
    pub session_id: i64,
    pub fingerprint: i64,
    pub content: String,
    pub key: Option<String>,
}

/// A body that owns its texts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    content: String,
    idempotency_key: Option<String>,
}

/// Returns messages as structs, in 20 chats.
pub fn rows(contents: &[String]) -> Vec<Row> {
    (0..20).cycle().zip(contents).map(|(chat_id, content)| row(chat_id, content)).collect()
}

fn row(chat_id: i64, content: &str) -> Row {
    let key = Some("0192f0c1-2345-7abc-8def-000000000000".to_owned());
    Row { chat_id, sender_id: 2, session_id: 3, fingerprint: 4, content: content.to_owned(), key }
}

/// Gathers a batch as a vector of structs that own their texts.
pub fn gather(contents: &[String]) {
    black_box(rows(contents));
}

/// Parses messages into their own texts with serde, and checks their length and characters.
pub fn parse(bodies: &[String]) {
    for body in bodies {
        let body: Body = serde_json::from_slice(body.as_bytes()).expect("valid");
        assert!((1..=4000).contains(&body.content.chars().count()) && !body.content.chars().all(char::is_whitespace));
        assert!(!body.content.chars().any(|each| each.is_control() && !matches!(each, '\t' | '\n' | '\r')));
        assert!(body.idempotency_key.as_ref().is_none_or(|key| (1..=64).contains(&key.chars().count())));
        black_box(body);
    }
}

/// Counts the messages of one chat, struct by struct.
pub fn count(rows: &[Row]) {
    let wanted = black_box(7);
    black_box(rows.iter().filter(|row| row.chat_id == wanted).count());
}

/// Checks UTF-8 with the standard library.
pub fn check_utf8(bytes: &[u8]) {
    black_box(std::str::from_utf8(black_box(bytes)).is_ok());
}
