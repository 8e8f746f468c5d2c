//! Counts the messages that the gateway stored or refused, and the people who sent them.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use serde::Serialize;

/// The people who sent a message within this time are active.
const ACTIVE: Duration = Duration::from_secs(60);
/// If more people sent within that time, all of them are forgotten.
const MAX_PEOPLE: usize = 100_000;

/// The counts.
#[derive(Debug, Default, Serialize)]
pub struct Sent {
    /// Answers by status.
    statuses: BTreeMap<u16, u64>,
    /// Refusals by code.
    codes: BTreeMap<String, u64>,
    /// Answers by the time from the body to the answer: one count per bound, not cumulative, and one for longer times.
    times: Vec<u64>,
    /// The sum of these times, in seconds.
    seconds: f64,
    #[serde(skip)]
    bounds: Vec<f64>,
    #[serde(skip)]
    people: HashMap<i64, Instant>,
}

impl Sent {
    /// Counts times up to each of `bounds`, in seconds.
    #[must_use]
    pub fn new(bounds: Vec<f64>) -> Self {
        Self { times: vec![0; bounds.len() + 1], bounds, ..Self::default() }
    }

    /// Counts an answer that a person received `passed` after the body.
    pub fn count(&mut self, person: i64, status: u16, code: Option<&str>, passed: Duration) {
        *self.statuses.entry(status).or_default() += 1;
        if let Some(code) = code {
            match self.codes.get_mut(code) {
                Some(count) => *count += 1,
                None => *self.codes.entry(code.to_owned()).or_default() += 1,
            }
        }
        let seconds = passed.as_secs_f64();
        self.times[self.bounds.partition_point(|bound| *bound < seconds)] += 1;
        self.seconds += seconds;
        if self.people.insert(person, Instant::now()).is_none() && self.people.len() > MAX_PEOPLE {
            self.forget();
        }
    }

    /// Returns the people who sent a message within the last minute.
    pub fn people(&mut self) -> Vec<i64> {
        self.forget();
        self.people.keys().copied().collect()
    }

    fn forget(&mut self) {
        self.people.retain(|_, sent| sent.elapsed() < ACTIVE);
        if self.people.len() > MAX_PEOPLE {
            self.people.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_status_code_time_and_person() {
        let mut sent = Sent::new(vec![0.001, 0.5]);
        sent.count(7, 201, None, Duration::from_millis(1));
        sent.count(7, 201, None, Duration::from_millis(2));
        sent.count(8, 404, Some("not_found"), Duration::from_secs(1));
        let json = serde_json::to_value(&sent).expect("the counts are JSON");
        assert_eq!(json["statuses"], serde_json::json!({"201": 2, "404": 1}));
        assert_eq!(json["codes"], serde_json::json!({"not_found": 1}));
        assert_eq!(json["times"], serde_json::json!([1, 1, 1]));
        let mut people = sent.people();
        people.sort_unstable();
        assert_eq!(people, [7, 8]);
    }

    #[test]
    fn the_number_of_remembered_people_is_bounded() {
        let mut sent = Sent::new(Vec::new());
        for person in 0..=100_001 {
            sent.count(person, 201, None, Duration::ZERO);
        }
        assert!(sent.people().len() <= MAX_PEOPLE);
    }
}
