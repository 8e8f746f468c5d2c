//! A client that does not read costs the others nothing, and little memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use fechatter_native::hub::block::Block;
use fechatter_native::hub::lanes::{Message, Signal};
use fechatter_native::hub::limits::{BLOCKED, StreamLimits};
use fechatter_native::hub::stream::Stream;
use fechatter_native::hub::streams::{Attached, Notice, Patience, Streams};

const CHAT: i64 = 1;
const KIB: usize = 1 << 10;
const LATER: Patience =
    Patience { attach: Duration::from_secs(3600), stuck: Duration::from_secs(3600), quiet: Duration::from_secs(3600) };

fn streams(limits: StreamLimits) -> Streams {
    Streams::new(limits).expect("two descriptors")
}

fn limits() -> StreamLimits {
    StreamLimits::new(20_000, 32 << 20)
}

/// Opens a stream that the gateway writes and that sees the chat.
fn listen(streams: &Streams) -> (Arc<Stream>, Attached) {
    let stream = streams.open();
    stream.hand_over();
    streams.lanes().enter(&[CHAT], &stream, 0);
    let attached = streams.attach(stream.id()).expect("it was handed over");
    (stream, attached)
}

/// Makes the socket of a stream accept nothing for as long as a blocked one.
fn block(attached: &Attached) {
    attached.set_blocked(true);
    thread::sleep(BLOCKED);
}

fn publish(streams: &Streams, seq: u64, size: usize) {
    streams.lanes().publish([Message { chat_id: CHAT, seq, content: vec![b'x'; size] }]);
}

fn signal(streams: &Streams, content: &str, except: &[u64]) {
    let (content, except) = (content.as_bytes().to_vec(), except.to_vec());
    streams.lanes().signal(Signal { chat_id: CHAT, content, except });
}

fn take(attached: &Attached) -> Vec<u8> {
    let mut taken = VecDeque::new();
    match attached.poll_take(&Context::from_waker(Waker::noop()), &mut taken, usize::MAX) {
        Poll::Ready(true) => taken.iter().flat_map(|block| block.content().to_vec()).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_client_that_never_reads_keeps_at_most_1_mib_while_the_others_receive_everything() {
    const EVENTS: u64 = 6_000;
    let streams = streams(limits());
    let (slow, never_reads) = listen(&streams);
    let others: Vec<_> = (0..20).map(|_| listen(&streams)).collect();
    block(&never_reads);
    let (mut most, mut received) = (0, 0);
    for seq in 1..=EVENTS {
        publish(&streams, seq, 300);
        most = most.max(slow.pending_bytes());
        received += others.iter().map(|(_, attached)| take(attached).len()).sum::<usize>();
    }
    assert_eq!(received, 20 * 300 * usize::try_from(EVENTS).expect("it is small"));
    assert!(((1 << 20) - 300..=1 << 20).contains(&most), "{most}");
    assert_eq!((slow.pending(), streams.notices()), (0, vec![(slow.id(), Notice::Full)]));
}

#[test]
fn a_client_whose_socket_accepts_bytes_may_lag_further() {
    let streams = streams(limits());
    let (stream, attached) = listen(&streams);
    block(&attached);
    attached.set_blocked(false);
    attached.set_blocked(true);
    for seq in 1..=20 {
        publish(&streams, seq, 100 * KIB);
    }
    assert_eq!((stream.pending(), streams.notices()), (20, vec![]));
}

#[test]
fn an_overrun_stream_still_sends_the_reason() {
    let streams = streams(limits());
    let (stream, attached) = listen(&streams);
    block(&attached);
    publish(&streams, 1, 600 * KIB);
    publish(&streams, 2, 600 * KIB);
    publish(&streams, 3, 10);
    assert_eq!(streams.notices(), [(stream.id(), Notice::Full)]);
    assert!(!attached.has_ended(), "until Python ends it");
    stream.end(Some(Block::new(b"closing")), true);
    assert_eq!(take(&attached), b"closing");
}

#[test]
fn signals_are_dropped_before_a_stream_is_closed() {
    let streams = streams(limits());
    let (stream, attached) = listen(&streams);
    publish(&streams, 1, 400 * KIB);
    for _ in 0..100 {
        signal(&streams, &"s".repeat(KIB), &[]);
    }
    assert_eq!(stream.pending(), 101);
    block(&attached);
    publish(&streams, 2, 600 * KIB);
    assert_eq!((stream.pending(), streams.dropped_signals(), streams.notices()), (2, 100, vec![]));
    signal(&streams, "later", &[]);
    assert_eq!((stream.pending(), streams.dropped_signals()), (2, 101), "a blocked socket gets none");
    publish(&streams, 3, 100 * KIB);
    assert_eq!(streams.notices(), [(stream.id(), Notice::Full)]);
}

#[test]
fn a_signal_reaches_the_lane_once_in_order_and_not_its_exceptions() {
    let streams = streams(limits());
    let opened: Vec<_> = (0..3).map(|_| listen(&streams)).collect();
    let elsewhere = streams.open();
    streams.lanes().enter(&[2], &elsewhere, 0);
    publish(&streams, 1, 1);
    signal(&streams, "typing", &[opened[1].0.id()]);
    publish(&streams, 2, 1);
    let received: Vec<_> = opened.iter().map(|(_, attached)| take(attached)).collect();
    assert_eq!(received, [&b"xtypingx"[..], b"xx", b"xtypingx"]);
    assert_eq!(elsewhere.pending(), 0);
}

#[test]
fn a_stream_with_many_waiting_blocks_gets_no_signals() {
    let streams = streams(limits());
    let (stream, _attached) = listen(&streams);
    for seq in 1..=127 {
        publish(&streams, seq, 1);
    }
    stream.offer_signal(Block::new(b"fits"));
    stream.offer_signal(Block::new(b"too many"));
    assert_eq!((stream.pending(), streams.dropped_signals()), (128, 1));
}

#[test]
fn blocked_streams_share_their_blocks_and_the_worst_are_closed_at_the_cap() {
    let streams = streams(StreamLimits { stalled_bytes: 300 * KIB, ..limits() });
    let opened: Vec<_> = (0..50).map(|_| listen(&streams)).collect();
    publish(&streams, 1, 200 * KIB);
    for (_, attached) in &opened {
        attached.set_blocked(true);
    }
    thread::sleep(BLOCKED);
    let _ = streams.examine(LATER);
    assert_eq!((streams.stalled_bytes() / KIB, streams.notices()), (200, vec![]), "the block counts once");
    opened[7].0.offer(Block::new(&vec![b'x'; 90 * KIB]));
    opened[8].0.offer(Block::new(&vec![b'x'; 80 * KIB]));
    let _ = streams.examine(LATER);
    assert_eq!(streams.notices(), [(opened[7].0.id(), Notice::Full)]);
    assert_eq!((opened[7].0.pending(), opened[8].0.pending()), (0, 2));
    let _ = streams.examine(LATER);
    assert_eq!((streams.stalled_bytes() / KIB, streams.notices()), (280, vec![]));
}

#[test]
fn lanes_follow_what_streams_enter_and_leave() {
    let streams = streams(limits());
    let (stream, other) = (streams.open(), streams.open());
    let lanes = streams.lanes();
    lanes.enter(&[1, 2, 3, 1], &stream, 0);
    lanes.enter(&[1, 3], &other, 5);
    let publish = |chat_id: i64, seq: u64| {
        lanes.publish([Message { chat_id, seq, content: format!("{chat_id}.{seq} ").into_bytes() }]);
    };
    publish(1, 6);
    lanes.show(1, 7, &stream, Block::new(b"own "));
    lanes.show(4, 7, &stream, Block::new(b"not in this chat"));
    publish(1, 7);
    lanes.leave(2, &stream);
    publish(2, 8);
    lanes.remove(3);
    publish(3, 9);
    lanes.leave_all(&other);
    publish(1, 10);
    assert_eq!(stream.take(1000), b"1.6 own 1.10 ");
    assert_eq!(other.take(1000), b"1.6 1.7 ");
    lanes.leave_all(&stream);
    assert_eq!((Arc::strong_count(&stream), Arc::strong_count(&other)), (1, 1));
}
