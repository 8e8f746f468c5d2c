//! Many streams that have something to write do not delay the other work of their thread.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use fechatter_native::hub::lanes::Message;
use fechatter_native::hub::streams::{StreamLimits, Streams};
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local, yield_now};

const STREAMS: usize = 2_000;
const AT_ONCE: usize = 64;

/// Opens streams whose writers count the blocks that they take.
fn listen(streams: &Streams, written: &Rc<Cell<usize>>) {
    for _ in 0..STREAMS {
        let stream = streams.open();
        stream.hand_over();
        streams.lanes().enter(&[1], &stream, 0);
        let (attached, written) = (streams.attach(stream.id()).expect("it was handed over"), Rc::clone(written));
        spawn_local(poll_fn(move |context| {
            let mut taken = VecDeque::new();
            while attached.poll_take(context, &mut taken, 1) == Poll::Ready(true) {
                written.set(written.get() + 1);
            }
            Poll::<()>::Pending
        }));
    }
}

fn publish(streams: &Streams, seq: u64) {
    streams.lanes().publish([Message { chat_id: 1, seq, content: b"x".to_vec() }]);
}

#[test]
fn other_tasks_run_between_the_writers_and_late_writers_take_later_blocks_too() {
    let streams = Arc::new(Streams::new(StreamLimits::new(1_000, 1 << 20)).expect("two descriptors"));
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let distributing = Arc::clone(&streams);
        spawn_local(async move { distributing.lanes().distribute().await });
        let written = Rc::default();
        listen(&streams, &written);
        for _ in 0..STREAMS {
            yield_now().await;
        }
        publish(&streams, 1);
        let (mut before, mut most, mut turns) = (0, 0, 0);
        while written.get() < 2 * STREAMS {
            yield_now().await;
            most = most.max(written.get() - before);
            before = written.get();
            turns += 1;
            if turns == 2 {
                publish(&streams, 2);
            }
        }
        // A writer may have two blocks, and this task may have to wait for two groups of writers.
        assert!(most <= 4 * AT_ONCE, "{most} blocks were written at once");
    });
}

#[test]
fn writers_are_woken_without_the_gateway_too() {
    let streams = Streams::new(StreamLimits::new(1_000, 1 << 20)).expect("two descriptors");
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let written = Rc::default();
        listen(&streams, &written);
        yield_now().await;
        publish(&streams, 1);
        while written.get() < STREAMS {
            yield_now().await;
        }
    });
}
