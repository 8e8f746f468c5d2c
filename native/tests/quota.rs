//! Bursts are allowed, floods stay bounded, and several threads never take more than the limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fechatter_native::quota::{Key, Meter, Quota, Refused, monotonic_seconds};

const NOW: f64 = 1_000.0;

fn text(name: &str) -> Key {
    Key::Text(name.into())
}

#[test]
fn a_burst_is_allowed_and_then_one_attempt_per_interval() {
    let meter = Meter::new(3, 10.0, 100);
    let taken: Vec<_> = (0..4).map(|_| meter.take(text("a"), NOW)).collect();
    assert_eq!(taken, [Ok(10.0), Ok(20.0), Ok(30.0), Err(Refused(10.0))]);
    assert_eq!(meter.take(text("b"), NOW), Ok(10.0));
    assert_eq!(meter.take(text("a"), NOW + 9.0), Err(Refused(1.0)));
    assert_eq!(meter.take(text("a"), NOW + 10.0), Ok(30.0));
}

#[test]
fn keys_of_different_kinds_differ() {
    let meter = Meter::new(1, 10.0, 100);
    for key in [Key::Number(1), text("1"), Key::Bytes(b"1".as_slice().into())] {
        assert!(meter.take(key.clone(), NOW).is_ok());
        assert!(meter.take(key, NOW).is_err());
    }
}

#[test]
fn a_full_table_drops_the_keys_that_have_to_wait_least() {
    let meter = Meter::new(3, 10.0, 100);
    meter.charge(text("guesser"), 3.0, NOW);
    for number in 0..10_000 {
        let _ = meter.take(Key::Number(number), NOW);
        assert!(meter.len() <= 100);
    }
    assert_eq!(meter.take(text("guesser"), NOW), Err(Refused(10.0)));
    while meter.len() < 100 {
        let _ = meter.take(text(&meter.len().to_string()), NOW);
    }
    assert!(meter.take(text("later"), NOW + 3_600.0).is_ok());
    assert_eq!(meter.len(), 1);
    assert_eq!(Meter::new(1, 1.0, 0).take(text("a"), NOW), Ok(1.0));
}

#[test]
fn every_response_states_what_is_left() {
    let quota = Quota::new("messages", 60);
    assert_eq!(quota.policy(), "\"messages\";q=60;w=60");
    assert_eq!(quota.take(Key::Number(1), NOW), Ok("\"messages\";r=59;t=2".to_owned()));
    assert_eq!(quota.charge(Key::Number(1), 99.0, NOW), "\"messages\";r=0;t=101");
    let refused = quota.take(Key::Number(1), NOW).expect_err("the quota is used up");
    assert_eq!(refused.retry_after_seconds(), 41);
    assert_eq!(Refused(0.1).retry_after_seconds(), 1);
}

#[test]
fn threads_together_take_no_more_than_the_limit() {
    let (quota, allowed) = (Arc::new(Quota::new("messages", 1_000)), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    allowed.fetch_add(usize::from(quota.take(Key::Number(1), NOW).is_ok()), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(allowed.into_inner(), 1_000);
}

#[test]
fn the_clock_never_goes_back() {
    let times: Vec<f64> = (0..100).map(|_| monotonic_seconds()).collect();
    assert!(times.is_sorted());
}
