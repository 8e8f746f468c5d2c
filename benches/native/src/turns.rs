//! Measures two implementations alternately, so that both have the same conditions.

use std::time::{Duration, Instant};

const ROUNDS: usize = 40;
const ROUND: Duration = Duration::from_millis(10);

/// Returns a member of a JSON object: the name, and the nanoseconds per item of both implementations in each round.
pub fn measure(name: &str, items: usize, ours: impl Fn(), plain: impl Fn()) -> String {
    let (calls, plain_calls) = (calls_a_round(&ours), calls_a_round(&plain));
    let mut found = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        found.0.push(nanoseconds(&ours, calls) / items as f64);
        found.1.push(nanoseconds(&plain, plain_calls) / items as f64);
    }
    format!(r#""{name}": {{"fechatter": {:?}, "plain": {:?}}}"#, found.0, found.1)
}

fn calls_a_round(work: &impl Fn()) -> u32 {
    let began = Instant::now();
    let mut calls = 0;
    while began.elapsed() < ROUND {
        work();
        calls += 1;
    }
    calls
}

/// Returns nanoseconds per call.
fn nanoseconds(work: &impl Fn(), calls: u32) -> f64 {
    let began = Instant::now();
    for _ in 0..calls {
        work();
    }
    began.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}
