//! Limits how many requests of one client address are at the servers behind the gateway at the same time.

use std::rc::Rc;

use super::quiet::{Address, Connection};

/// A request of an address, until it is dropped.
#[derive(Debug)]
pub struct Share(Option<Rc<Address>>);

impl Share {
    /// Counts a request. `None` if its address has `limit` requests already. The connections of HTTP/1.1 carry one
    /// request each, so this limits HTTP/2 as much as the limit of connections limits HTTP/1.1.
    #[must_use]
    pub fn take(connection: &Connection, limit: usize) -> Option<Self> {
        if let Some(address) = &connection.address {
            let count = address.forwarded.get();
            if count >= limit {
                return None;
            }
            address.forwarded.set(count + 1);
        }
        Some(Self(connection.address.clone()))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(address) = &self.0 {
            address.forwarded.set(address.forwarded.get() - 1);
        }
    }
}
