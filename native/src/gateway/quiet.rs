//! The state of a connection and of a client address, and the queues of quiet connections.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;
use std::task::Waker;

use tokio::time::Instant;

/// The phase of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It has sent no request yet.
    Silent,
    /// It waits for its next request.
    Idle,
    /// A request is in progress.
    Busy,
}

/// The state of one connection that its parts share. The connection lives on one thread.
#[derive(Debug)]
pub struct Connection {
    pub(super) number: u64,
    pub(super) address: Option<Rc<Address>>,
    pub(super) phase: Cell<Phase>,
    /// Changes with the phase, so that outdated entries in the queues of quiet connections can be recognised.
    pub(super) epoch: Cell<u64>,
    pub(super) quiet_since: Cell<Instant>,
    pub(super) in_progress: Cell<u64>,
    pub(super) served: Cell<u64>,
    pub(super) abandoned: Cell<u64>,
    pub(super) removed: Cell<bool>,
    closing: Cell<bool>,
    evicted: Cell<bool>,
    /// Whether its socket does not accept what was written.
    stalled: Cell<bool>,
    flooding: Cell<bool>,
    pub(super) counted: Cell<bool>,
    flushes: Cell<u64>,
    reader: RefCell<Option<Waker>>,
}

/// The connections of one client address.
#[derive(Debug)]
pub struct Address {
    pub(super) client: IpAddr,
    pub(super) open: Cell<usize>,
    /// Size of the answers that its clients do not read.
    pub unread: Cell<usize>,
    /// Number of its requests at the upstreams.
    pub(super) forwarded: Cell<usize>,
    pub(super) quiet: Quiet,
}

impl Connection {
    /// Describes a connection that was just accepted.
    pub(super) fn new(number: u64, address: Option<Rc<Address>>) -> Self {
        Self {
            number,
            address,
            phase: Cell::new(Phase::Silent),
            epoch: Cell::new(0),
            quiet_since: Cell::new(Instant::now()),
            in_progress: Cell::new(0),
            served: Cell::new(0),
            abandoned: Cell::new(0),
            removed: Cell::new(false),
            closing: Cell::new(false),
            evicted: Cell::new(false),
            stalled: Cell::new(false),
            flooding: Cell::new(false),
            counted: Cell::new(true),
            flushes: Cell::new(0),
            reader: RefCell::new(None),
        }
    }

    /// Number of requests in progress.
    #[must_use]
    pub fn in_progress(&self) -> u64 {
        self.in_progress.get()
    }

    /// Number of requests so far.
    #[must_use]
    pub fn served(&self) -> u64 {
        self.served.get()
    }

    /// Number of requests whose client left before the end of the answer.
    #[must_use]
    pub fn abandoned(&self) -> u64 {
        self.abandoned.get()
    }

    /// Returns the time since which no request has been in progress.
    #[must_use]
    pub fn quiet_since(&self) -> Instant {
        self.quiet_since.get()
    }

    /// Returns the current phase.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Whether the connection ends as soon as no request is in progress.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.closing.get()
    }

    /// Whether the connection was closed to make room. It must end at once, because it does not count any more.
    #[must_use]
    pub fn is_evicted(&self) -> bool {
        self.evicted.get()
    }

    /// Notes whether the socket does not accept what was written.
    pub(super) fn set_stalled(&self, is_stalled: bool) {
        self.stalled.set(is_stalled);
    }

    /// Whether the client sends too many frames that only cause work.
    #[must_use]
    pub fn is_flooding(&self) -> bool {
        self.flooding.get()
    }

    /// Notes that the client floods the connection with frames.
    pub fn set_flooding(&self) {
        self.flooding.set(true);
        self.wake();
    }

    /// Number of times that the socket was flushed completely.
    #[must_use]
    pub fn flushes(&self) -> u64 {
        self.flushes.get()
    }

    pub(super) fn note_flush(&self) {
        self.flushes.set(self.flushes.get() + 1);
    }

    /// Size of the answers that this client address does not read, if it is limited.
    #[must_use]
    pub fn unread(&self) -> Option<&Cell<usize>> {
        self.address.as_ref().map(|address| &address.unread)
    }

    /// Ends the connection as soon as no request is in progress.
    pub fn close(&self) {
        self.closing.set(true);
        self.wake();
    }

    pub(super) fn evict(&self) {
        self.evicted.set(true);
        self.close();
    }

    /// Sets the task to wake when the connection can continue to read or has to close.
    pub fn wake_on_change(&self, waker: &Waker) {
        let mut reader = self.reader.borrow_mut();
        match reader.as_mut() {
            Some(known) => known.clone_from(waker),
            None => *reader = Some(waker.clone()),
        }
    }

    /// Drops the waker, because it keeps the memory of its task allocated.
    pub fn forget_reader(&self) {
        *self.reader.borrow_mut() = None;
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = self.reader.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

/// Connections that may be closed, in the order in which they became quiet. Some entries are outdated.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    silent: RefCell<VecDeque<(Rc<Connection>, u64)>>,
    idle: RefCell<VecDeque<(Rc<Connection>, u64)>>,
}

/// A queue may contain this many entries in addition to two for each open connection. Then outdated entries are
/// removed.
const SLACK: usize = 64;

impl Quiet {
    pub(super) fn push(&self, connection: &Rc<Connection>, open: usize) {
        let queue = if connection.phase.get() == Phase::Silent { &self.silent } else { &self.idle };
        let mut queue = queue.borrow_mut();
        if queue.len() > open * 2 + SLACK {
            queue.retain(|(connection, epoch)| connection.epoch.get() == *epoch);
        }
        queue.push_back((Rc::clone(connection), connection.epoch.get()));
    }

    pub(super) fn clear(&self) {
        self.silent.borrow_mut().clear();
        self.idle.borrow_mut().clear();
    }

    /// Removes and returns the connection that should be closed first. A connection that still sends an answer is not
    /// closed.
    pub(super) fn pop(&self) -> Option<Rc<Connection>> {
        [&self.silent, &self.idle].into_iter().find_map(|queue| {
            let mut queue = queue.borrow_mut();
            let mut stalled = Vec::new();
            let first = loop {
                let Some((connection, epoch)) = queue.pop_front() else { break None };
                if connection.epoch.get() != epoch || connection.closing.get() {
                    continue;
                }
                if !connection.stalled.get() {
                    break Some(connection);
                }
                stalled.push((connection, epoch));
            };
            stalled.into_iter().rev().for_each(|entry| queue.push_front(entry));
            first
        })
    }
}
