//! Stores the messages of one request together: `POST /api/chat/{chat_id}/messages/batch`.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use tokio::sync::oneshot;

use super::send_quota::{QuotaHeaders, charge, take};
use crate::at_once::{AtOnce, Turn};
use crate::message::Message;
use crate::message::results::{Result as OneResult, encode_results};
use crate::pending::{Answer, PendingAnswer};
use crate::quota::{Key, Meter, Quota, monotonic_seconds};

/// The work (`fechatter/auth/pace.py`) that parts of a batch count as. Python passes it at the start.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// The request itself.
    pub request: f64,
    /// Storing one message.
    pub message: f64,
    /// 1 KiB of the request's body or its answer.
    pub kib: f64,
}

/// The limits of one person's batches, shared with Python. `None` limits nothing.
#[derive(Clone, Default)]
pub struct BatchLimits {
    /// Counts requests.
    pub requests: Option<Arc<Quota>>,
    /// Counts concurrent batches.
    pub at_once: Option<Arc<AtOnce>>,
    /// Counts work.
    pub work: Option<Arc<Meter>>,
}

impl fmt::Debug for BatchLimits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("BatchLimits").finish_non_exhaustive()
    }
}

impl BatchLimits {
    /// Begins a batch. `None` if the person has too many batches in progress, or is a heavy user whose requests may
    /// have to wait.
    #[must_use]
    pub fn begin(&self, person: i64) -> Option<Option<Turn>> {
        let is_heavy = |work: &Arc<Meter>| work.is_half_used(&Key::Number(person), monotonic_seconds());
        if self.work.as_ref().is_some_and(is_heavy) {
            return None;
        }
        let Some(at_once) = &self.at_once else { return Some(None) };
        Turn::begin(at_once, Key::Number(person)).map(Some)
    }

    /// Counts a batch. Returns the headers with the remaining quotas, or `None` if a quota is exhausted.
    #[must_use]
    pub fn count(&self, person: i64, messages: usize, quota: Option<&Quota>) -> Option<QuotaHeaders> {
        let requests = self.requests.as_deref();
        let mut headers = take(requests, person)?;
        if take(quota, person).is_none() {
            // The request is forwarded, and the app counts it again.
            if let Some(requests) = requests {
                requests.give_back(&Key::Number(person), monotonic_seconds());
            }
            return None;
        }
        headers.extend(charge(quota, person, messages - 1));
        Some(headers)
    }

    /// Counts finished work.
    pub fn work(&self, person: i64, rows: f64) {
        if let Some(work) = &self.work {
            work.charge(Key::Number(person), rows, monotonic_seconds());
        }
    }
}

/// Collects the answers to the messages of one request.
struct Collector {
    state: Mutex<Collected>,
    /// A batch counts until its last message is answered, even if its client has left.
    _turn: Option<Turn>,
}

struct Collected {
    answers: Vec<Option<Answer>>,
    missing: usize,
    done: Option<oneshot::Sender<Vec<Answer>>>,
}

impl Collector {
    fn put(&self, place: usize, answer: Answer) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.answers[place] = Some(answer);
        state.missing -= 1;
        if state.missing > 0 {
            return;
        }
        if let Some(done) = state.done.take() {
            // Nobody receives it if the client has left.
            let _ = done.send(state.answers.drain(..).flatten().collect());
        }
    }
}

/// Creates a pending answer for each message. The receiver gets all answers once the last one has arrived, or an error
/// if one will never arrive.
#[must_use]
pub fn collect<'a>(
    messages: Vec<Message<'a>>,
    request_id: &Arc<str>,
    turn: Option<Turn>,
) -> (Vec<(Message<'a>, PendingAnswer)>, oneshot::Receiver<Vec<Answer>>) {
    let (done, receiver) = oneshot::channel();
    let missing = messages.len();
    let state = Collected { answers: vec![None; missing], missing, done: Some(done) };
    let collector = Arc::new(Collector { state: Mutex::new(state), _turn: turn });
    let pending = messages.into_iter().enumerate().map(|(place, message)| {
        let collector = Arc::clone(&collector);
        (message, PendingAnswer::new(Arc::clone(request_id), move |answer| collector.put(place, answer)))
    });
    (pending.collect(), receiver)
}

/// Returns the answer to the request.
#[must_use]
pub fn join(answers: &[Answer]) -> Answer {
    let results = answers.iter().map(|answer| OneResult {
        status: answer.status,
        is_problem: answer.code.is_some(),
        body: &answer.body,
    });
    Answer { status: 200, code: None, headers: Vec::new(), body: encode_results(results) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::parse_batch;

    const BODY: &[u8] = br#"{"messages": [{"content": "a"}, {"content": "b"}]}"#;

    fn begun(turn: Option<Turn>) -> (Vec<PendingAnswer>, oneshot::Receiver<Vec<Answer>>) {
        let messages = parse_batch(BODY, false).expect("the body is valid").into_iter().flatten().collect();
        let (pending, receiver) = collect(messages, &"id".into(), turn);
        (pending.into_iter().map(|(_, pending)| pending).collect(), receiver)
    }

    fn answer(body: &str) -> Answer {
        Answer { status: 201, code: None, headers: Vec::new(), body: body.into() }
    }

    #[test]
    fn answers_are_in_the_order_of_the_messages_whatever_comes_first() {
        let (mut pending, mut receiver) = begun(None);
        pending.pop().expect("the second message").answer(answer("2"));
        assert!(receiver.try_recv().is_err());
        pending.pop().expect("the first message").answer(answer("1"));
        assert_eq!(receiver.try_recv(), Ok(vec![answer("1"), answer("2")]));
    }

    #[test]
    fn a_message_that_gets_no_answer_ends_the_request() {
        let (pending, mut receiver) = begun(None);
        drop(pending);
        assert_eq!(receiver.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }

    #[test]
    fn a_batch_counts_until_its_last_message_is_answered() {
        let at_once = Arc::new(AtOnce::new(1));
        let limits = BatchLimits { at_once: Some(at_once), ..BatchLimits::default() };
        let turn = limits.begin(1).expect("the first batch");
        let (mut pending, receiver) = begun(turn);
        drop(receiver);
        pending.pop().expect("the second message").answer(answer("2"));
        assert!(limits.begin(1).is_none() && limits.begin(2).is_some());
        drop(pending);
        assert!(limits.begin(1).is_some());
    }

    #[test]
    fn a_person_who_has_done_much_must_wait_elsewhere() {
        let limits = BatchLimits { work: Some(Arc::new(Meter::new(100, 1.0, 8))), ..BatchLimits::default() };
        limits.work(1, 40.0);
        assert!(limits.begin(1).is_some());
        limits.work(1, 40.0);
        assert!(limits.begin(1).is_none() && limits.begin(2).is_some());
    }

    #[test]
    fn an_exhausted_quota_counts_nothing() {
        let requests = Arc::new(Quota::new("requests", 10));
        let messages = Quota::new("messages", 3);
        let limits = BatchLimits { requests: Some(Arc::clone(&requests)), ..BatchLimits::default() };
        assert_eq!(limits.count(1, 3, Some(&messages)).map(|headers| headers.len()), Some(4));
        assert!(limits.count(1, 1, Some(&messages)).is_none());
        let left = requests.take(Key::Number(1), monotonic_seconds()).expect("the quota is not exhausted");
        assert!(left.contains(";r=8;"), "{left}");
    }
}
