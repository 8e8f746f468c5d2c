//! Blocks of live streams keep their order and their bounds, whichever threads offer and take them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use fechatter_native::hub::block::Block;
use fechatter_native::hub::lanes::Message;
use fechatter_native::hub::streams::{Attached, Attention, Notice, Patience, StreamLimits, Streams};

const NEVER: Duration = Duration::from_secs(3600);
const AT_ONCE: Patience = Patience { attach: Duration::ZERO, stuck: Duration::ZERO, quiet: Duration::ZERO };

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Woken {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn streams() -> Streams {
    Streams::new(StreamLimits::new(1 << 20, 1 << 30)).expect("two descriptors")
}

/// Takes what waits, up to `limit` bytes.
fn take(attached: &Attached, woken: &Arc<Woken>, limit: usize) -> (Poll<bool>, Vec<Block>) {
    let waker = Waker::from(Arc::clone(woken));
    let mut taken = VecDeque::new();
    let polled = attached.poll_take(&Context::from_waker(&waker), &mut taken, limit);
    (polled, taken.into())
}

#[test]
fn a_writer_is_woken_once_for_all_blocks_until_it_has_taken_them() {
    let (streams, woken) = (streams(), Arc::<Woken>::default());
    let stream = streams.open();
    stream.hand_over();
    let attached = streams.attach(stream.id()).expect("it was handed over");
    assert!(take(&attached, &woken, 100).0.is_pending());
    for _ in 0..10 {
        stream.offer(Block::new(b"block"));
    }
    assert_eq!(woken.count(), 1);
    let (polled, taken) = take(&attached, &woken, 12);
    assert_eq!((polled, taken.len(), stream.pending(), stream.pending_bytes()), (Poll::Ready(true), 2, 8, 40));
    stream.offer(Block::new(b"block"));
    assert_eq!(woken.count(), 1, "a writer that waits for its socket is not woken for a block");
    stream.end(None, false);
    assert_eq!(woken.count(), 2, "but it is for the end");
    assert_eq!(take(&attached, &woken, 1000).1.len(), 9);
    assert_eq!(take(&attached, &woken, 1000).0, Poll::Ready(false));
}

#[test]
fn a_block_that_is_larger_than_the_limit_is_taken_alone() {
    let (streams, woken) = (streams(), Arc::<Woken>::default());
    let stream = streams.open();
    stream.hand_over();
    let attached = streams.attach(stream.id()).expect("it was handed over");
    for size in [1, 500, 1] {
        stream.offer(Block::new(&vec![b'x'; size]));
    }
    let sizes = || take(&attached, &woken, 100).1.iter().map(Block::len).collect::<Vec<_>>();
    assert_eq!([sizes(), sizes(), sizes()], [vec![1], vec![500], vec![1]]);
}

#[test]
fn blocks_of_another_thread_arrive_completely_and_in_order() {
    const BLOCKS: usize = 100_000;
    let (streams, woken) = (streams(), Arc::<Woken>::default());
    let stream = streams.open();
    stream.hand_over();
    let attached = streams.attach(stream.id()).expect("it was handed over");
    let offering = thread::spawn(move || {
        for number in 0..BLOCKS {
            stream.offer(Block::new(number.to_string().as_bytes()));
        }
        stream.end(Some(Block::new(b"end")), false);
    });
    let mut received = Vec::new();
    loop {
        let before = woken.count();
        match take(&attached, &woken, 64 << 10) {
            (Poll::Ready(true), taken) => received.extend(taken),
            (Poll::Ready(false), _) => break,
            (Poll::Pending, _) => {
                while woken.count() == before {
                    thread::yield_now();
                }
            }
        }
    }
    offering.join().expect("it does not panic");
    assert_eq!(received.pop().expect("the last block").content(), b"end");
    let numbers = received.iter().map(|block| String::from_utf8_lossy(block.content()).into_owned());
    assert!(numbers.eq((0..BLOCKS).map(|number| number.to_string())));
    assert_eq!(streams.written().1, BLOCKS as u64 + 1);
}

#[test]
fn a_stream_that_the_gateway_never_takes_counts_as_left() {
    let streams = streams();
    let (kept, stream) = (streams.open(), streams.open());
    stream.hand_over();
    let patience = Patience { attach: NEVER, stuck: NEVER, quiet: NEVER };
    assert_eq!(streams.examine(patience), Attention::default());
    assert_eq!(streams.notices(), []);
    assert_eq!(streams.examine(AT_ONCE), Attention::default());
    assert_eq!(streams.notices(), [(stream.id(), Notice::Left)]);
    assert!(streams.attach(stream.id()).is_none());
    assert!(streams.attach(kept.id()).is_none(), "it was not handed over");
}

#[test]
fn only_streams_of_the_gateway_are_stuck_or_quiet() {
    let (streams, woken) = (streams(), Arc::<Woken>::default());
    let (own, stream) = (streams.open(), streams.open());
    stream.hand_over();
    let attached = streams.attach(stream.id()).expect("it was handed over");
    own.offer(Block::new(b"block"));
    assert_eq!(streams.examine(AT_ONCE), Attention::default(), "its writer has not looked for blocks yet");
    assert!(take(&attached, &woken, 100).0.is_pending());
    assert_eq!(streams.examine(AT_ONCE), Attention { stuck: vec![], quiet: vec![stream.id()] });
    stream.offer(Block::new(b"block"));
    assert_eq!(streams.examine(AT_ONCE), Attention { stuck: vec![stream.id()], quiet: vec![] });
}

#[test]
fn streams_without_owners_are_forgotten() {
    let streams = streams();
    let stream = streams.open();
    let id = stream.id();
    stream.hand_over();
    drop(stream);
    assert!(streams.attach(id).is_none());
}

fn message(chat_id: i64, seq: u64, content: &str) -> Message {
    Message { chat_id, seq, content: content.as_bytes().to_vec() }
}

#[test]
fn another_thread_distributes_messages_between_the_direct_blocks_of_this_one() {
    const ROUNDS: u64 = 5_000;
    let streams = Arc::new(streams());
    let stream = streams.open();
    streams.lanes().enter(&[1], &stream, 0);
    let stopping = Arc::new(AtomicUsize::new(0));
    let settling = thread::spawn({
        let (streams, stopping) = (Arc::clone(&streams), Arc::clone(&stopping));
        move || {
            while stopping.load(Ordering::SeqCst) == 0 {
                streams.lanes().settle();
            }
        }
    });
    for round in 0..ROUNDS {
        streams.lanes().publish([message(1, 2 * round + 1, "a"), message(2, 2 * round + 2, "never")]);
        stream.offer(Block::new(b"b"));
    }
    stopping.store(1, Ordering::SeqCst);
    settling.join().expect("it does not panic");
    assert_eq!(stream.take(usize::MAX), b"ab".repeat(usize::try_from(ROUNDS).expect("it is small")));
}

#[test]
fn a_member_sees_only_numbers_after_its_own() {
    let streams = streams();
    let opened: Vec<_> = [0, 2, 9].into_iter().map(|after| (streams.open(), after)).collect();
    for (stream, after) in &opened {
        streams.lanes().enter(&[1], stream, *after);
    }
    streams.lanes().publish((1..=4).map(|seq| message(1, seq, &seq.to_string())));
    let shown = opened.iter().map(|(stream, _)| stream.take(100)).collect::<Vec<_>>();
    assert_eq!(shown, [&b"1234"[..], b"34", b""]);
}

#[test]
fn lanes_keep_no_stream_alive_after_their_node() {
    let streams = streams();
    let stream = streams.open();
    streams.lanes().enter(&[1], &stream, 0);
    assert_eq!(Arc::strong_count(&stream), 2);
    drop(streams);
    assert_eq!(Arc::strong_count(&stream), 1);
}
