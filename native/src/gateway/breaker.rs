//! Stops requests to an upstream that fails, and tries it again after a pause.

use std::time::Duration;

use tokio::time::Instant;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Failures in a row that open it.
    pub failures: u32,
    /// The first pause. Each failed trial doubles it.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

/// The breaker of one upstream.
#[derive(Debug)]
pub struct Breaker {
    patience: Patience,
    failures: u32,
    pause: Duration,
    state: State,
    /// No request with a body passes an open breaker before this time.
    next_with_body: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Requests pass.
    Closed,
    /// No request passes before this time.
    Open(Instant),
    /// One request without a body is a trial.
    Trying,
}

impl Breaker {
    /// Creates a closed breaker.
    #[must_use]
    pub fn new(patience: Patience) -> Self {
        let state = State::Closed;
        Self { patience, failures: 0, pause: patience.pause, state, next_with_body: Instant::now() }
    }

    /// Whether a request may pass.
    #[must_use]
    pub fn allows(&self, now: Instant, has_body: bool) -> bool {
        match self.state {
            State::Closed => true,
            State::Open(until) => now >= until && (!has_body || now >= self.next_with_body),
            State::Trying => has_body && now >= self.next_with_body,
        }
    }

    /// Whether the upstream has failed and no trial has succeeded since.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    /// Begins a request, after [`Breaker::allows`] returned true. Returns whether no other trial begins before the
    /// request has a result. A client can send a body as slowly as it wants, so a request with a body only delays the
    /// next one with a body.
    pub fn begin(&mut self, now: Instant, has_body: bool) -> bool {
        if !self.is_open() {
            return false;
        }
        if has_body {
            self.next_with_body = now + self.pause;
        } else {
            self.state = State::Trying;
        }
        !has_body
    }

    /// Notes that the upstream answered.
    pub fn succeeded(&mut self) {
        (self.failures, self.pause, self.state) = (0, self.patience.pause, State::Closed);
    }

    /// Notes that the upstream did not answer. `was_trial` is the result of [`Breaker::begin`] for the request.
    pub fn failed(&mut self, now: Instant, was_trial: bool) {
        self.failures = self.failures.saturating_add(1);
        if was_trial {
            self.pause = (self.pause * 2).min(self.patience.longest_pause);
            self.state = State::Open(now + self.pause);
        } else if self.failures >= self.patience.failures && self.state == State::Closed {
            self.state = State::Open(now + self.pause);
        }
    }

    /// Notes that a trial ended without a result, for example because its client left. The next request is a trial
    /// again.
    pub fn abandoned(&mut self, now: Instant) {
        if self.state == State::Trying {
            self.state = State::Open(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn opened() -> (Breaker, Instant) {
        let now = Instant::now();
        let mut breaker = Breaker::new(Patience { failures: 3, pause: SECOND, longest_pause: SECOND * 3 });
        for _ in 0..3 {
            assert!(breaker.allows(now, false) && !breaker.begin(now, false));
            breaker.failed(now, false);
        }
        (breaker, now)
    }

    #[test]
    fn failures_in_a_row_open_it_and_one_trial_follows_the_pause() {
        let (mut breaker, now) = opened();
        assert!(breaker.is_open() && !breaker.allows(now, false) && !breaker.allows(now, true));
        assert!(breaker.allows(now + SECOND, false) && breaker.begin(now + SECOND, false));
        assert!(!breaker.allows(now + SECOND * 60, false), "one trial at a time");
        breaker.succeeded();
        assert!(!breaker.is_open() && breaker.allows(now, false));
    }

    #[test]
    fn an_answer_in_between_begins_the_count_again() {
        let (mut breaker, now) = opened();
        breaker.succeeded();
        breaker.failed(now, false);
        breaker.failed(now, false);
        breaker.succeeded();
        breaker.failed(now, false);
        assert!(!breaker.is_open());
    }

    #[test]
    fn failed_trials_double_the_pause_up_to_the_longest() {
        let (mut breaker, mut now) = opened();
        for pause in [2, 3, 3] {
            now += SECOND * 3;
            assert!(breaker.begin(now, false));
            breaker.failed(now, true);
            assert!(!breaker.allows(now + SECOND * pause - Duration::from_millis(1), false));
            assert!(breaker.allows(now + SECOND * pause, false));
        }
    }

    #[test]
    fn an_abandoned_trial_is_repeated_and_late_failures_change_nothing() {
        let (mut breaker, now) = opened();
        breaker.failed(now + SECOND, false);
        assert!(breaker.allows(now + SECOND, false), "a request from before the pause does not prolong it");
        assert!(breaker.begin(now, false));
        breaker.abandoned(now + SECOND);
        assert!(breaker.allows(now + SECOND, false) && breaker.begin(now, false));
    }

    #[test]
    fn a_slow_body_prevents_no_trial() {
        let (mut breaker, now) = opened();
        let later = now + SECOND;
        assert!(breaker.allows(later, true) && !breaker.begin(later, true));
        assert!(!breaker.allows(later, true), "the next body waits for the pause");
        assert!(breaker.allows(later, false) && breaker.begin(later, false));
        assert!(breaker.allows(later + SECOND, true), "without other requests, a body is tried after each pause");
        breaker.failed(later, true);
        assert!(breaker.is_open());
        breaker.succeeded();
        assert!(breaker.allows(later, true));
    }
}
