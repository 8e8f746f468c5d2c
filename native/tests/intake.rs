//! The waiting batch keeps order and bounds, loses nothing and reuses its memory.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use fechatter_native::batch::Origin;
use fechatter_native::intake::{Intake, SEGMENT_ROWS, Taken};
use fechatter_native::message::parse_message;

const ORIGIN: Origin = Origin { chat_id: 1, sender_id: 2, session_id: 3 };

fn body(content: &str) -> Vec<u8> {
    format!("{{\"content\":\"{content}\"}}").into_bytes()
}

/// Pushes a message; whether the writer is to be woken, `None` when the intake is full.
fn push(intake: &Intake<usize>, content: &str, ticket: usize) -> Option<bool> {
    let body = body(content);
    let message = parse_message(&body, None).expect("a valid message");
    intake.push(ORIGIN, &message, ticket).ok()
}

/// Pushes all or none, with tickets 0, 1, 2 …
fn push_all(intake: &Intake<usize>, contents: &[&str]) -> Option<bool> {
    let bodies: Vec<_> = contents.iter().map(|content| body(content)).collect();
    let messages = bodies.iter().map(|body| parse_message(body, None).expect("a valid message"));
    intake.push_all(ORIGIN, messages.zip(0..).collect()).ok()
}

fn contents<T>(taken: &Taken<T>) -> Vec<&str> {
    (0..taken.columns.len()).map(|row| taken.columns.content(row)).collect()
}

#[test]
fn a_taken_batch_holds_the_rows_as_they_were_pushed() {
    let intake = Intake::new(10, 100);
    let bytes = r#"{"content":"h\u00e9","idempotency_key":"k"}"#.as_bytes();
    let message = parse_message(bytes, None).expect("a valid message");
    let origin = Origin { chat_id: i64::MAX, sender_id: -1, session_id: 0 };
    intake.push(origin, &message, 7).expect("there is room");
    push(&intake, "😀", 8);
    let taken = intake.take(256).expect("two rows wait");
    assert_eq!(contents(&taken), ["hé", "😀"]);
    assert_eq!(taken.tickets, [7, 8]);
    assert_eq!(taken.columns.chat_ids, [i64::MAX, 1]);
    assert_eq!(taken.columns.sender_ids, [-1, 2]);
    assert_eq!(taken.columns.session_ids, [0, 3]);
    assert_eq!(taken.columns.content_offsets, [0, 3, 7]);
    assert_eq!(taken.columns.fingerprints[0], message.content.fingerprint());
    assert_eq!((taken.columns.key(0), taken.columns.key(1)), (Some("k"), None));
}

#[test]
fn only_the_first_message_of_a_batch_wakes_the_writer() {
    let intake = Intake::new(10, 100);
    assert_eq!(push(&intake, "a", 0), Some(true));
    assert_eq!(push(&intake, "b", 1), Some(false));
    assert_eq!(push_all(&intake, &["c"]), Some(false));
    intake.take(256);
    assert_eq!(push_all(&intake, &[]), Some(false));
    assert_eq!(push_all(&intake, &["d", "e"]), Some(true));
    intake.take(1);
    assert_eq!(push(&intake, "f", 2), Some(false));
}

#[test]
fn the_oldest_rows_leave_first_whatever_the_limits() {
    let rows = 3 * SEGMENT_ROWS + 17;
    for limit in [1, 7, SEGMENT_ROWS - 1, SEGMENT_ROWS, SEGMENT_ROWS + 1, 600, usize::MAX] {
        let intake = Intake::new(rows, usize::MAX);
        for ticket in 0..rows {
            push(&intake, &format!("message {ticket}"), ticket).expect("there is room");
        }
        let mut next = 0;
        while let Some(taken) = intake.take(limit) {
            assert_eq!(taken.tickets.len(), limit.min(rows - next));
            let expected: Vec<_> = (next..).take(taken.tickets.len()).collect();
            assert_eq!(taken.tickets, expected);
            assert!(contents(&taken).iter().zip(expected).all(|(content, row)| *content == format!("message {row}")));
            next += taken.tickets.len();
            assert_eq!(intake.len(), rows - next);
        }
        assert_eq!((next, intake.waiting_bytes()), (rows, 0));
    }
}

#[test]
fn rows_are_bounded() {
    let intake = Intake::new(2, 100);
    assert_eq!((push(&intake, "a", 0), push(&intake, "b", 1), push(&intake, "c", 2)), (Some(true), Some(false), None));
    assert_eq!(intake.take(1).expect("two wait").tickets, [0]);
    assert_eq!(push(&intake, "c", 3), Some(false));
    assert_eq!(intake.take(9).expect("two wait").tickets, [1, 3]);
}

#[test]
fn bytes_are_bounded_as_they_lie_in_the_arena() {
    let intake = Intake::new(10, 8);
    assert_eq!(push(&intake, r"\ud83d\ude00", 0), Some(true));
    assert_eq!(push(&intake, "12345", 1), None);
    assert_eq!(push(&intake, "1234", 2), Some(false));
    assert_eq!((intake.len(), intake.waiting_bytes()), (2, 8));
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
fn a_refused_ticket_comes_back_to_its_sender() {
    let intake = Intake::new(1, 100);
    push(&intake, "a", 0);
    let body = body("b");
    let message = parse_message(&body, None).expect("a valid message");
    assert_eq!(intake.push(ORIGIN, &message, 42).map_err(|(_, ticket)| ticket), Err(42));
}

#[test]
fn memory_returns_when_a_batch_is_dropped() {
    let intake = Intake::new(10, 1000);
    push(&intake, "a first message", 0);
    let first = intake.take(256).expect("one waits");
    let address = first.columns.arena.as_ptr();
    assert_eq!(intake.spare(), 0);
    drop(first);
    assert_eq!(intake.spare(), 1);
    push(&intake, "the second", 1);
    let second = intake.take(256).expect("one waits");
    assert_eq!(second.columns.arena.as_ptr(), address);
    assert_eq!(contents(&second), ["the second"]);
}

#[test]
fn nothing_is_lost_or_doubled_between_threads() {
    const SENDERS: usize = 4;
    const EACH: usize = 5_000;
    let intake = Arc::new(Intake::<usize>::new(300, 1 << 20));
    let sending = Arc::new(AtomicBool::new(true));
    let writer = thread::spawn({
        let (intake, sending) = (Arc::clone(&intake), Arc::clone(&sending));
        move || {
            let mut tickets = Vec::new();
            // The flag is read first, so that the last look comes after the last push.
            while sending.load(Ordering::SeqCst) || !intake.is_empty() {
                if let Some(taken) = intake.take(100) {
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
        sender.join().expect("a sender ends well");
    }
    sending.store(false, Ordering::SeqCst);
    let tickets = writer.join().expect("the writer ends well");
    assert_eq!(tickets.len(), SENDERS * EACH);
    assert_eq!(tickets.iter().collect::<HashSet<_>>().len(), SENDERS * EACH);
    for sender in 0..SENDERS {
        let own: Vec<_> = tickets.iter().filter(|&&ticket| ticket / EACH == sender).collect();
        assert!(own.is_sorted(), "each sender's messages keep their order");
    }
}
