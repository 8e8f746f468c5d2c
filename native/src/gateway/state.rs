//! The states of a gateway. Its owner sets them.

/// The state of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Accept and serve connections.
    Serving,
    /// Accept none; end each connection after its requests in progress.
    Draining,
    /// Close everything.
    Stopped,
}

impl State {
    /// Whether no new connection is accepted.
    #[must_use]
    pub fn is_draining(self) -> bool {
        self > Self::Serving
    }
}
