//! The intake keeps its order and bounds, loses no message and reuses memory.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use fechatter_native::batch::Origin;
use fechatter_native::intake::{BATCH_ROWS, Intake, Taken};
use fechatter_native::message::parse_message;

const ORIGIN: Origin = Origin { chat_id: 1, thread_id: 0, sender_id: 2, session_id: 3 };

fn body(content: &str) -> Vec<u8> {
    format!("{{\"content\":\"{content}\"}}").into_bytes()
}

/// Pushes a message. Returns whether the writer must be woken, or `None` if the intake is full.
fn push(intake: &Intake<usize>, content: &str, ticket: usize) -> Option<bool> {
    let body = body(content);
    let message = parse_message(&body, None, true).expect("a valid message");
    intake.push(ORIGIN, &message, ticket).ok()
}

/// Pushes all messages or none, with the tickets 0, 1, 2 …
fn push_all(intake: &Intake<usize>, contents: &[&str]) -> Option<bool> {
    let bodies: Vec<_> = contents.iter().map(|content| body(content)).collect();
    let messages = bodies.iter().map(|body| parse_message(body, None, true).expect("a valid message"));
    intake.push_all(ORIGIN, messages.zip(0..).collect()).ok()
}

fn contents<T>(taken: &Taken<T>) -> Vec<&str> {
    (0..taken.columns.len()).map(|row| taken.columns.content(row)).collect()
}

#[test]
fn a_taken_batch_contains_the_pushed_rows() {
    let intake = Intake::new(10, 100);
    let bytes = r#"{"content":"h\u00e9","idempotency_key":"k","extras":{"a":1}}"#.as_bytes();
    let message = parse_message(bytes, None, true).expect("a valid message");
    let origin = Origin { chat_id: i64::MAX, thread_id: 5, sender_id: -1, session_id: 0 };
    intake.push(origin, &message, 7).expect("the message fits");
    push(&intake, "😀", 8);
    let taken = intake.take().expect("two rows wait");
    assert_eq!(contents(&taken), ["hé", "😀"]);
    assert_eq!(taken.tickets, [7, 8]);
    assert_eq!(taken.columns.chat_ids, [i64::MAX, 1]);
    assert_eq!(taken.columns.sender_ids, [-1, 2]);
    assert_eq!(taken.columns.session_ids, [0, 3]);
    assert_eq!(taken.columns.thread_ids, [5, 0]);
    assert_eq!(taken.columns.fingerprints[0], message.fingerprint());
    assert_eq!((taken.columns.extras(0), taken.columns.extras(1)), (Some(r#"{"a":1}"#), None));
    assert_eq!((taken.columns.len_bytes(), taken.columns.has_extras()), (14, true));
    assert_eq!((taken.columns.key(0), taken.columns.key(1)), (Some("k"), None));
}

#[test]
fn only_a_push_into_an_empty_intake_wakes_the_writer() {
    let intake = Intake::new(10, 100);
    assert_eq!(push(&intake, "a", 0), Some(true));
    assert_eq!(push(&intake, "b", 1), Some(false));
    assert_eq!(push_all(&intake, &["c"]), Some(false));
    intake.take();
    assert_eq!(push_all(&intake, &[]), Some(false));
    assert_eq!(push_all(&intake, &["d", "e"]), Some(true));
    assert_eq!(push(&intake, "f", 2), Some(false));
}

#[test]
fn the_oldest_rows_are_taken_first() {
    let rows = 3 * BATCH_ROWS + 17;
    let intake = Intake::new(rows, usize::MAX);
    for ticket in 0..rows {
        push(&intake, &format!("message {ticket}"), ticket).expect("the message fits");
    }
    let mut next = 0;
    while let Some(taken) = intake.take() {
        assert_eq!(taken.tickets.len(), BATCH_ROWS.min(rows - next));
        let expected: Vec<_> = (next..).take(taken.tickets.len()).collect();
        assert_eq!(taken.tickets, expected);
        assert!(contents(&taken).iter().zip(expected).all(|(content, row)| *content == format!("message {row}")));
        next += taken.tickets.len();
        assert_eq!(intake.len(), rows - next);
    }
    assert_eq!((next, intake.waiting_bytes()), (rows, 0));
}

#[test]
fn rows_are_bounded() {
    let intake = Intake::new(2, 100);
    assert_eq!((push(&intake, "a", 0), push(&intake, "b", 1), push(&intake, "c", 2)), (Some(true), Some(false), None));
    assert_eq!(intake.take().expect("two rows wait").tickets, [0, 1]);
    assert_eq!(push(&intake, "c", 3), Some(true));
}

#[test]
fn decoded_bytes_are_bounded() {
    let intake = Intake::new(10, 8);
    assert_eq!(push(&intake, r"\ud83d\ude00", 0), Some(true));
    assert_eq!(push(&intake, "12345", 1), None);
    assert_eq!(push(&intake, "1234", 2), Some(false));
    assert_eq!((intake.len(), intake.waiting_bytes()), (2, 8));
}

#[test]
fn extras_count_against_the_bytes() {
    let intake = Intake::new(10, 8);
    let with_extras = |extras: &str| {
        let body = format!(r#"{{"content":"a","extras":{extras}}}"#);
        let message = parse_message(body.as_bytes(), None, true).expect("a valid message");
        intake.push(ORIGIN, &message, 0).ok()
    };
    assert_eq!(with_extras(r#"{"a":10}"#), None);
    assert_eq!(with_extras("{\n\"a\": 1\r\n}"), None);
    assert_eq!(with_extras("{\n\"a\":1\r\n}"), Some(true));
    assert_eq!(intake.waiting_bytes(), 8);
    intake.take();
    assert_eq!(intake.waiting_bytes(), 0);
}

#[test]
fn a_batch_that_does_not_fit_leaves_nothing_behind() {
    let intake = Intake::new(3, 10);
    push(&intake, "a", 0);
    assert_eq!(push_all(&intake, &["b", "c", "d"]), None);
    assert_eq!(push_all(&intake, &["b", "123456789"]), None);
    assert_eq!((intake.len(), intake.waiting_bytes()), (1, 1));
    assert_eq!(push_all(&intake, &["b", "c"]), Some(false));
}

#[test]
fn a_full_intake_returns_the_ticket() {
    let intake = Intake::new(1, 100);
    push(&intake, "a", 0);
    let body = body("b");
    let message = parse_message(&body, None, true).expect("a valid message");
    assert_eq!(intake.push(ORIGIN, &message, 42).map_err(|(_, ticket)| ticket), Err(42));
}

#[test]
fn the_memory_of_a_dropped_batch_is_reused() {
    let intake = Intake::new(10, 1000);
    push(&intake, "a first message", 0);
    let first = intake.take().expect("one row waits");
    let address = first.columns.content(0).as_ptr();
    assert_eq!(intake.spare(), 0);
    drop(first);
    assert_eq!(intake.spare(), 1);
    push(&intake, "the second", 1);
    let second = intake.take().expect("one row waits");
    assert_eq!(second.columns.content(0).as_ptr(), address);
    assert_eq!(contents(&second), ["the second"]);
}

#[test]
fn threads_lose_and_duplicate_no_message() {
    const SENDERS: usize = 4;
    const EACH: usize = 5_000;
    let intake = Arc::new(Intake::<usize>::new(300, 1 << 20));
    let sending = Arc::new(AtomicBool::new(true));
    let writer = thread::spawn({
        let (intake, sending) = (Arc::clone(&intake), Arc::clone(&sending));
        move || {
            let mut tickets = Vec::new();
            // Reading the flag first ensures that the last check of the intake follows the last push.
            while sending.load(Ordering::SeqCst) || !intake.is_empty() {
                if let Some(taken) = intake.take() {
                    assert!(
                        contents(&taken).iter().zip(&taken.tickets).all(|(content, row)| *content == row.to_string())
                    );
                    tickets.extend(taken.tickets);
                }
            }
            tickets
        }
    });
    let senders = (0..SENDERS).map(|sender| {
        let intake = Arc::clone(&intake);
        thread::spawn(move || {
            for ticket in sender * EACH..(sender + 1) * EACH {
                while push(&intake, &ticket.to_string(), ticket).is_none() {
                    thread::yield_now();
                }
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.join().expect("a sender does not panic");
    }
    sending.store(false, Ordering::SeqCst);
    let tickets = writer.join().expect("the writer does not panic");
    assert_eq!(tickets.len(), SENDERS * EACH);
    assert_eq!(tickets.iter().collect::<HashSet<_>>().len(), SENDERS * EACH);
    for sender in 0..SENDERS {
        let own: Vec<_> = tickets.iter().filter(|&&ticket| ticket / EACH == sender).collect();
        assert!(own.is_sorted(), "each sender's messages keep their order");
    }
}
