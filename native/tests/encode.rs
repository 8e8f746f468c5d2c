//! The exact bytes of answers and frames.

use fechatter_native::batch::{Columns, Origin};
use fechatter_native::message::encode::{Stored, encode, write_string};
use fechatter_native::message::parse_message;

fn columns(bodies: &[&str]) -> Columns {
    let mut columns = Columns::default();
    for body in bodies {
        let message = parse_message(body.as_bytes(), None, true).expect("a valid message");
        columns.push(Origin { chat_id: 2, thread_id: 0, sender_id: 4, session_id: 9 }, &message, message.fingerprint());
    }
    columns
}

const CREATED_AT: &str = "2026-01-02T03:04:05.678Z";

#[test]
fn only_the_answer_contains_the_key() {
    let columns = columns(&[r#"{"content":"d\u00e9j\u00e0 \"vu\"\n","idempotency_key":"k\u00e9\""}"#]);
    let stored = Stored { row: 0, id: 1, number: 3, sequence: 7, workspace_id: 5 };
    let encoded = encode(&columns, &[stored], CREATED_AT, "x9");
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
fn extras_are_written_as_they_are_into_answer_and_frame() {
    let columns = columns(&["{\"content\":\"a\",\"extras\":{ \"b\":\n[1.0, \"\\u00e9\"]},\"idempotency_key\":\"k\"}"]);
    let stored = Stored { row: 0, id: 1, number: 1, sequence: 1, workspace_id: 1 };
    let encoded = encode(&columns, &[stored], CREATED_AT, "e");
    let (answer, frame) = encoded.pairs().next().expect("one pair");
    let end = r#""deleted_at":null,"extras":{ "b":[1.0, "\u00e9"]}"#;
    assert!(String::from_utf8_lossy(answer).ends_with(&format!(r#"{end},"idempotency_key":"k"}}"#)));
    assert!(String::from_utf8_lossy(frame).ends_with(&format!("{end}}}}}}}\n\n")));
}

#[test]
fn only_the_requested_rows_are_encoded_in_the_requested_order() {
    let columns = columns(&[r#"{"content":"a"}"#, r#"{"content":"b"}"#, r#"{"content":"c"}"#]);
    let stored = [2, 0].map(|row| Stored { row, id: i64::MAX, number: 1, sequence: 1, workspace_id: 1 });
    let encoded = encode(&columns, &stored, CREATED_AT, "e");
    let answers: Vec<_> = encoded.pairs().map(|(answer, _)| String::from_utf8_lossy(answer)).collect();
    assert_eq!(answers.len(), 2);
    assert!(answers[0].contains(r#""id":9223372036854775807"#) && answers[0].contains(r#""content":"c""#));
    assert!(answers[1].contains(r#""content":"a""#) && !answers[1].contains("idempotency_key"));
    assert_eq!(encode(&columns, &[], CREATED_AT, "e").pairs().count(), 0);
}

#[test]
fn strings_escape_only_what_json_requires() {
    let written = |text: &str| {
        let mut out = Vec::new();
        write_string(&mut out, text);
        String::from_utf8(out).expect("UTF-8 stays UTF-8")
    };
    assert_eq!(written("\"\\/\u{8}\u{c}\n\r\t"), r#""\"\\/\b\f\n\r\t""#);
    assert_eq!(written("\0\u{1f}\u{7f}\u{80}\u{2028}é😀"), "\"\\u0000\\u001f\u{7f}\u{80}\u{2028}é😀\"");
    assert_eq!(written(""), "\"\"");
}
