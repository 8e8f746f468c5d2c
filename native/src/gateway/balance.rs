//! Chooses an upstream for each request: the one with the fewest requests in progress among those that work.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use tokio::time::Instant;

use super::breaker::{Breaker, Patience};
use super::counters::Count;
use super::upstream::Upstream;

/// The state of an upstream. Any thread may read it.
#[derive(Debug, Default)]
pub struct UpstreamCounts {
    /// Its address.
    pub address: String,
    /// Whether its last health checks failed.
    pub is_unhealthy: AtomicBool,
    /// Whether its breaker is open.
    pub is_open: AtomicBool,
    /// Requests in progress, including those that wait for a connection.
    pub active: Count,
    /// Requests that were sent to it.
    pub requests: Count,
    /// Requests and connections that failed.
    pub failures: Count,
}

/// The counts of one upstream in the counters.
#[derive(Debug, Serialize)]
pub struct UpstreamReport {
    address: String,
    healthy: bool,
    open: bool,
    active: u64,
    requests: u64,
    failures: u64,
}

impl UpstreamCounts {
    /// Returns the current values.
    #[must_use]
    pub fn report(&self) -> UpstreamReport {
        UpstreamReport {
            address: self.address.clone(),
            healthy: !self.is_unhealthy.load(Ordering::Relaxed),
            open: self.is_open.load(Ordering::Relaxed),
            active: self.active.get(),
            requests: self.requests.get(),
            failures: self.failures.get(),
        }
    }
}

/// One upstream with its breaker.
#[derive(Debug)]
pub struct Member {
    /// The server.
    pub upstream: Rc<Upstream>,
    /// Its state.
    pub counts: Arc<UpstreamCounts>,
    breaker: Option<RefCell<Breaker>>,
}

impl Member {
    /// Describes an upstream. Without `patience`, it has no breaker.
    #[must_use]
    pub fn new(upstream: Rc<Upstream>, address: &str, patience: Option<Patience>) -> Self {
        let counts = Arc::new(UpstreamCounts { address: address.to_owned(), ..UpstreamCounts::default() });
        Self { upstream, counts, breaker: patience.map(|patience| RefCell::new(Breaker::new(patience))) }
    }

    fn works(&self, now: Instant, has_body: bool) -> bool {
        let allows = |breaker: &RefCell<Breaker>| breaker.borrow().allows(now, has_body);
        !self.counts.is_unhealthy.load(Ordering::Relaxed)
            && !self.upstream.is_full()
            && self.breaker.as_ref().is_none_or(allows)
    }

    fn change(&self, change: impl FnOnce(&mut Breaker)) {
        if let Some(breaker) = &self.breaker {
            change(&mut breaker.borrow_mut());
            self.counts.is_open.store(breaker.borrow().is_open(), Ordering::Relaxed);
        }
    }
}

/// A request in progress at an upstream, until it is dropped.
#[derive(Debug)]
pub struct Busy(Arc<UpstreamCounts>);

impl Busy {
    fn new(counts: &Arc<UpstreamCounts>) -> Self {
        counts.active.add();
        Self(Arc::clone(counts))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.active.subtract();
    }
}

/// An attempt to send a request to an upstream.
pub struct Attempt {
    member: Rc<Member>,
    busy: Cell<Option<Busy>>,
    is_trial: bool,
    has_result: Cell<bool>,
}

impl Attempt {
    fn new(member: Rc<Member>, now: Instant, has_body: bool) -> Self {
        let mut is_trial = false;
        member.change(|breaker| is_trial = breaker.begin(now, has_body));
        member.counts.requests.add();
        let busy = Cell::new(Some(Busy::new(&member.counts)));
        Self { member, busy, is_trial, has_result: Cell::new(false) }
    }

    /// The upstream of the attempt.
    #[must_use]
    pub fn member(&self) -> &Rc<Member> {
        &self.member
    }

    /// Notes that the upstream answered. The returned value counts the request until the end of the answer.
    pub fn succeeded(&self) -> Option<Busy> {
        self.has_result.set(true);
        self.member.change(Breaker::succeeded);
        self.busy.take()
    }

    /// Notes that the upstream did not answer.
    pub fn failed(&self) {
        self.has_result.set(true);
        self.member.counts.failures.add();
        self.member.change(|breaker| breaker.failed(Instant::now(), self.is_trial));
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.is_trial && !self.has_result.get() {
            self.member.change(|breaker| breaker.abandoned(Instant::now()));
        }
    }
}

/// Upstreams that serve the same requests.
#[derive(Debug, Default)]
pub struct Group {
    members: Vec<Rc<Member>>,
    turn: Cell<usize>,
}

impl Group {
    /// Describes a group.
    #[must_use]
    pub fn new(members: Vec<Rc<Member>>) -> Self {
        Self { members, turn: Cell::new(0) }
    }

    /// Begins a request to the upstream with the fewest requests, among those that work and were not `tried`. Upstreams
    /// with the same number of requests take turns.
    #[must_use]
    pub fn begin(&self, tried: &[Rc<Member>], has_body: bool) -> Option<Attempt> {
        let (count, now, turn) = (self.members.len(), Instant::now(), self.turn.get());
        self.turn.set(turn.wrapping_add(1));
        let in_turn = (0..count).map(|step| &self.members[turn.wrapping_add(step) % count]);
        let is_new = |member: &&Rc<Member>| !tried.iter().any(|each| Rc::ptr_eq(each, member));
        let usable = in_turn.filter(|member| is_new(member) && member.works(now, has_body));
        let member = usable.min_by_key(|member| member.counts.active.get())?;
        Some(Attempt::new(Rc::clone(member), now, has_body))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn group(count: usize) -> Group {
        let patience = Patience { failures: 1, pause: Duration::from_secs(60), longest_pause: Duration::from_secs(60) };
        let member = |number: usize| {
            let address = format!("tcp:127.0.0.1:{number}");
            let upstream = Upstream::new(&address, 9, Arc::default(), None).expect("an address");
            Rc::new(Member::new(Rc::new(upstream), &address, Some(patience)))
        };
        Group::new((1..=count).map(member).collect())
    }

    fn chosen(group: &Group, tried: &[Rc<Member>]) -> Option<String> {
        group.begin(tried, false).map(|attempt| attempt.member().counts.address.clone())
    }

    #[test]
    fn upstreams_with_equally_many_requests_take_turns() {
        let group = group(3);
        let first: Vec<_> = (0..3).map(|_| chosen(&group, &[])).collect();
        assert!(first.iter().all(Option::is_some) && first[0] != first[1] && first[1] != first[2]);
        assert_eq!(chosen(&group, &[]), first[0]);
    }

    #[test]
    fn an_upstream_that_failed_was_tried_or_is_unhealthy_is_not_chosen() {
        let group = group(3);
        group.begin(&[], false).expect("all work").failed();
        let unhealthy = Rc::clone(group.begin(&[], false).expect("two work").member());
        unhealthy.counts.is_unhealthy.store(true, Ordering::Relaxed);
        let last = Rc::clone(group.begin(&[], false).expect("one works").member());
        assert_eq!(chosen(&group, std::slice::from_ref(&last)), None);
        assert_eq!(chosen(&group, &[]), Some(last.counts.address.clone()));
        unhealthy.counts.is_unhealthy.store(false, Ordering::Relaxed);
        assert_eq!(chosen(&group, &[last]), Some(unhealthy.counts.address.clone()));
    }

    #[test]
    fn requests_in_progress_count_from_their_begin_to_the_end_of_the_answer() {
        let group = group(2);
        let attempts: Vec<_> = (0..10).map(|_| group.begin(&[], false).expect("both work")).collect();
        let address = |attempt: &Attempt| attempt.member().counts.address.clone();
        let first = address(&attempts[0]);
        assert_eq!(attempts.iter().filter(|attempt| address(attempt) == first).count(), 5);
        let answering: Vec<_> =
            attempts.iter().filter(|attempt| address(attempt) == first).map(Attempt::succeeded).collect();
        drop(attempts);
        assert!((0..4).all(|_| chosen(&group, &[]).is_some_and(|next| next != first)));
        drop(answering);
        assert!((0..2).any(|_| chosen(&group, &[]).is_some_and(|next| next == first)));
    }

    #[test]
    fn a_group_without_upstreams_chooses_none() {
        assert_eq!(chosen(&Group::default(), &[]), None);
    }
}
