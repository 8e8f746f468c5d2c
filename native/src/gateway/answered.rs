//! Counts the requests that the gateway answers instead of an upstream, and the people who sent messages.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use serde::Serialize;

/// The people who sent a message within this time are active.
const ACTIVE: Duration = Duration::from_secs(60);
/// If more people than this sent a message within that time, all of them are forgotten.
const MAX_PEOPLE: usize = 100_000;

/// The counts.
#[derive(Debug, Default, Serialize)]
pub struct Answered {
    routes: Vec<Counted>,
    /// Refusals by code.
    codes: BTreeMap<String, u64>,
    #[serde(skip)]
    bounds: Vec<f64>,
    #[serde(skip)]
    people: HashMap<i64, Instant>,
}

/// The answers of one route and method.
#[derive(Debug, Serialize)]
struct Counted {
    route: String,
    method: String,
    /// Answers by status.
    statuses: BTreeMap<u16, u64>,
    /// Answers by their time: one count per bound, not cumulative, and one for longer times.
    times: Vec<u64>,
    /// The sum of these times, in seconds.
    seconds: f64,
}

impl Answered {
    /// Creates the counts. `bounds` are the upper bounds of the histogram of times, in seconds.
    #[must_use]
    pub fn new(bounds: Vec<f64>) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// Counts an answer that took `passed`.
    pub fn count(&mut self, route: &str, method: &str, status: u16, passed: Duration) {
        let seconds = passed.as_secs_f64();
        let slot = self.bounds.partition_point(|bound| *bound < seconds);
        let counted = self.route(route, method);
        *counted.statuses.entry(status).or_default() += 1;
        counted.times[slot] += 1;
        counted.seconds += seconds;
    }

    /// Counts a refusal by its code.
    pub fn refused(&mut self, code: &str) {
        match self.codes.get_mut(code) {
            Some(count) => *count += 1,
            None => *self.codes.entry(code.to_owned()).or_default() += 1,
        }
    }

    /// Notes that a person sent a message.
    pub fn note(&mut self, person: i64) {
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

    /// The gateway answers few routes, so a list is the fastest table.
    fn route(&mut self, route: &str, method: &str) -> &mut Counted {
        let found = self.routes.iter().position(|each| each.route == route && each.method == method);
        let place = found.unwrap_or_else(|| {
            self.routes.push(Counted {
                route: route.to_owned(),
                method: method.to_owned(),
                statuses: BTreeMap::new(),
                times: vec![0; self.bounds.len() + 1],
                seconds: 0.0,
            });
            self.routes.len() - 1
        });
        &mut self.routes[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_route_status_and_time() {
        let mut answered = Answered::new(vec![0.001, 0.5]);
        answered.count("/a", "POST", 201, Duration::from_millis(1));
        answered.count("/a", "POST", 201, Duration::from_millis(2));
        answered.count("/a", "GET", 404, Duration::from_secs(1));
        answered.refused("not_found");
        let json = serde_json::to_value(&answered).expect("the counts are JSON");
        assert_eq!(json["routes"][0]["statuses"], serde_json::json!({"201": 2}));
        assert_eq!(json["routes"][0]["times"], serde_json::json!([1, 1, 0]));
        assert_eq!(json["routes"][1]["times"], serde_json::json!([0, 0, 1]));
        assert_eq!(json["codes"], serde_json::json!({"not_found": 1}));
    }

    #[test]
    fn the_number_of_remembered_people_is_bounded() {
        let mut answered = Answered::new(Vec::new());
        for person in 0..=100_001 {
            answered.note(person);
        }
        assert!((1..=MAX_PEOPLE).contains(&answered.people().len()));
    }
}
