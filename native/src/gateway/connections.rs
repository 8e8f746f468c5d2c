//! The open connections: how many there are in total and of each client address, and which of them are quiet.
//!
//! If there are too many, a quiet connection is closed to make room: first a connection that has sent no request yet,
//! then the one that has waited longest for its next request. A connection with a request in progress is never closed
//! to make room, and neither is a connection whose client has not read its answers yet.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

use tokio::time::Instant;

use super::quiet::{Address, Connection, Phase, Quiet};

/// Why a connection is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The client address has too many connections, and all of them have a request in progress.
    Address,
    /// The gateway has too many connections, and all of them have a request in progress.
    Total,
}

/// All open connections.
#[derive(Debug)]
pub struct Connections {
    limit: usize,
    limit_per_address: usize,
    open: RefCell<HashMap<u64, Rc<Connection>>>,
    counted: Cell<usize>,
    addresses: RefCell<HashMap<IpAddr, Rc<Address>>>,
    quiet: Quiet,
    next: Cell<u64>,
}

impl Connections {
    /// Creates the registry with its limits.
    #[must_use]
    pub fn new(limit: usize, limit_per_address: usize) -> Self {
        Self {
            limit,
            limit_per_address,
            open: RefCell::default(),
            counted: Cell::new(0),
            addresses: RefCell::default(),
            quiet: Quiet::default(),
            next: Cell::new(0),
        }
    }

    /// Number of connections that are not closed, including those that are about to end.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.borrow().len()
    }

    /// Whether there is no connection.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Admits a connection; the flag is true if a quiet connection was closed to make room. `client` is None for
    /// clients that are not limited by their address.
    ///
    /// # Errors
    /// [`Full`]: there are too many connections, and all of them have a request in progress.
    pub fn admit(&self, client: Option<IpAddr>) -> Result<(Rc<Connection>, bool), Full> {
        let address = client.map(|client| self.address(network(client)));
        let mut evicted = false;
        if let Some(address) = address.as_ref().filter(|address| address.open.get() >= self.limit_per_address) {
            evicted = self.evict(&address.quiet).ok_or(Full::Address)?;
        }
        if self.counted.get() >= self.limit {
            let Some(done) = self.evict(&self.quiet) else {
                if let Some(address) = &address {
                    self.forget_unused(address);
                }
                return Err(Full::Total);
            };
            evicted = done;
        }
        let number = self.next.get();
        self.next.set(number + 1);
        let connection = Rc::new(Connection::new(number, address));
        self.counted.set(self.counted.get() + 1);
        if let Some(address) = &connection.address {
            address.open.set(address.open.get() + 1);
        }
        self.open.borrow_mut().insert(number, Rc::clone(&connection));
        self.enqueue(&connection);
        Ok((connection, evicted))
    }

    /// Notes that a request begins.
    pub fn begin(&self, connection: &Connection) {
        connection.in_progress.set(connection.in_progress.get() + 1);
        connection.served.set(connection.served.get() + 1);
        connection.phase.set(Phase::Busy);
        connection.epoch.set(connection.epoch.get() + 1);
    }

    /// Notes that a request ends; `complete` is false if its client left.
    pub fn end(&self, connection: &Rc<Connection>, complete: bool) {
        let left = connection.in_progress.get().saturating_sub(1);
        connection.in_progress.set(left);
        if !complete {
            connection.abandoned.set(connection.abandoned.get() + 1);
        }
        // The requests of an HTTP/2 connection may end after the connection.
        if left == 0 && !connection.removed.get() {
            connection.phase.set(Phase::Idle);
            connection.epoch.set(connection.epoch.get() + 1);
            connection.quiet_since.set(Instant::now());
            self.enqueue(connection);
            connection.wake();
        }
    }

    /// Removes a connection that was closed.
    pub fn remove(&self, connection: &Connection) {
        self.open.borrow_mut().remove(&connection.number);
        connection.removed.set(true);
        connection.epoch.set(connection.epoch.get() + 1);
        self.uncount(connection);
    }

    /// Ends every connection as soon as it has no request in progress.
    pub fn close_all(&self) {
        let open: Vec<_> = self.open.borrow().values().cloned().collect();
        for connection in open {
            connection.close();
        }
    }

    fn enqueue(&self, connection: &Rc<Connection>) {
        self.quiet.push(connection, self.counted.get());
        if let Some(address) = &connection.address {
            address.quiet.push(connection, address.open.get());
        }
    }

    fn evict(&self, quiet: &Quiet) -> Option<bool> {
        let connection = quiet.pop()?;
        // Its place is free at once. Its task is polled once more and then ends.
        self.uncount(&connection);
        connection.evict();
        Some(true)
    }

    fn uncount(&self, connection: &Connection) {
        if !connection.counted.replace(false) {
            return;
        }
        self.counted.set(self.counted.get() - 1);
        if let Some(address) = &connection.address {
            address.open.set(address.open.get() - 1);
            self.forget_unused(address);
        }
    }

    fn address(&self, client: IpAddr) -> Rc<Address> {
        let mut addresses = self.addresses.borrow_mut();
        let address = addresses.entry(client).or_insert_with(|| {
            Rc::new(Address {
                client,
                open: Cell::new(0),
                unread: Cell::new(0),
                forwarded: Cell::new(0),
                quiet: Quiet::default(),
            })
        });
        Rc::clone(address)
    }

    fn forget_unused(&self, address: &Address) {
        if address.open.get() == 0 {
            self.addresses.borrow_mut().remove(&address.client);
            // The entries refer to connections that refer to this address.
            address.quiet.clear();
        }
    }
}

/// Returns the address to limit. An IPv6 client usually has a whole network of 64 bits.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        address @ IpAddr::V4(_) => address,
    }
}
