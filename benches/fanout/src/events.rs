//! The published events, and when they arrived.

use std::time::Duration;

/// An event is complete when it has arrived at every stream.
#[derive(Debug)]
pub struct Events {
    listeners: u32,
    /// When each event was due, since the start.
    due: Vec<Duration>,
    /// At how many streams each event has not arrived.
    left: Vec<u32>,
    completed: usize,
    /// The arrivals in the time of the measurement.
    pub delivered: u64,
    /// The time of each event that was due in the time of the measurement, in microseconds.
    latencies: Vec<u32>,
    begins: Duration,
    ends: Duration,
}

impl Events {
    pub fn new(listeners: usize, begins: Duration, ends: Duration) -> Self {
        let listeners = u32::try_from(listeners).expect("few streams");
        let (due, left, latencies) = (Vec::new(), Vec::new(), Vec::new());
        Self { listeners, due, left, completed: 0, delivered: 0, latencies, begins, ends }
    }

    /// Adds an event and returns its number.
    pub fn add(&mut self, due: Duration) -> usize {
        self.due.push(due);
        self.left.push(self.listeners);
        self.due.len() - 1
    }

    /// An event has arrived at one stream.
    pub fn arrived(&mut self, number: usize, now: Duration) {
        self.left[number] -= 1;
        self.completed += usize::from(self.left[number] == 0);
        self.delivered += u64::from(self.begins <= now && now < self.ends);
        if self.begins <= self.due[number] && self.due[number] < self.ends {
            let taken = now.saturating_sub(self.due[number]).as_micros();
            self.latencies.push(u32::try_from(taken).unwrap_or(u32::MAX));
        }
    }

    /// Number of events so far.
    pub fn count(&self) -> usize {
        self.due.len()
    }

    /// Number of events that are not complete.
    pub fn incomplete(&self) -> usize {
        self.due.len() - self.completed
    }

    /// The time that this part of the deliveries took at most, in milliseconds.
    pub fn percentile(&mut self, part: f64) -> f64 {
        if self.latencies.is_empty() {
            return f64::NAN;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index"
        )]
        let place = ((self.latencies.len() - 1) as f64 * part) as usize;
        f64::from(*self.latencies.select_nth_unstable(place).1) / 1000.0
    }
}
