//! Answers and frames, byte by byte.

use fechatter_native::batch::{Columns, Origin};
use fechatter_native::message::encode::{Stored, encode, write_string};
use fechatter_native::message::parse_message;
use fechatter_native::message::timestamp::Timestamp;

fn columns(bodies: &[&str]) -> Columns {
    let mut columns = Columns::default();
    for body in bodies {
        let message = parse_message(body.as_bytes(), None).expect("a valid message");
        columns.push(Origin { chat_id: 2, sender_id: 4, session_id: 9 }, &message, message.content.fingerprint());
    }
    columns
}

fn moment() -> Timestamp {
    Timestamp::from_unix(1_767_323_045_678).expect("a year of four digits")
}

#[test]
fn an_answer_shows_the_key_and_a_frame_does_not() {
    let columns = columns(&[r#"{"content":"d\u00e9j\u00e0 \"vu\"\n","idempotency_key":"k\u00e9\""}"#]);
    let stored = Stored { row: 0, id: 1, number: 3, sequence: 7, workspace_id: 5 };
    let encoded = encode(&columns, &[stored], moment(), "x9");
    let (answer, frame) = encoded.pairs().next().expect("one pair");
    let message = concat!(
        r#"{"id":1,"chat_id":2,"number":3,"sender_id":4,"content":"déjà \"vu\"\n","revision":1,"#,
        r#""created_at":"2026-01-02T03:04:05.678Z","edited_at":null,"deleted_at":null"#,
    );
    assert_eq!(String::from_utf8_lossy(answer), format!(r#"{message},"idempotency_key":"ké\""}}"#));
    let expected = [
        "id: x9.7\nevent: message.created\ndata: ",
        r#"{"type":"message.created","seq":7,"workspace_id":5,"chat_id":2,"at":"2026-01-02T03:04:05.678Z","#,
        &format!("\"data\":{{\"message\":{message}}}}}}}\n\n"),
    ];
    assert_eq!(String::from_utf8_lossy(frame), expected.concat());
}

#[test]
fn rows_are_encoded_in_the_order_asked_for_and_others_left_out() {
    let columns = columns(&[r#"{"content":"a"}"#, r#"{"content":"b"}"#, r#"{"content":"c"}"#]);
    let stored = [2, 0].map(|row| Stored { row, id: i64::MAX, number: 1, sequence: 1, workspace_id: 1 });
    let encoded = encode(&columns, &stored, moment(), "e");
    let answers: Vec<_> = encoded.pairs().map(|(answer, _)| String::from_utf8_lossy(answer)).collect();
    assert_eq!(answers.len(), 2);
    assert!(answers[0].contains(r#""id":9223372036854775807"#) && answers[0].contains(r#""content":"c""#));
    assert!(answers[1].contains(r#""content":"a""#) && !answers[1].contains("idempotency_key"));
    assert_eq!(encode(&columns, &[], moment(), "e").pairs().count(), 0);
}

#[test]
fn strings_escape_what_json_asks_for_and_no_more() {
    let written = |text: &str| {
        let mut out = Vec::new();
        write_string(&mut out, text);
        String::from_utf8(out).expect("UTF-8 stays UTF-8")
    };
    assert_eq!(written("\"\\/\u{8}\u{c}\n\r\t"), r#""\"\\/\b\f\n\r\t""#);
    assert_eq!(written("\0\u{1f}\u{7f}\u{80}\u{2028}é😀"), "\"\\u0000\\u001f\u{7f}\u{80}\u{2028}é😀\"");
    assert_eq!(written(""), "\"\"");
}
