//! The memory of bodies that the gateway is still receiving for the messages that it stores itself.
//!
//! The app counts the bodies that it receives (`fechatter/auth/body_memory.py`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::refusal::Refusal;

/// Maximum size of all unfinished bodies together.
const BYTES: usize = 64 << 20;
/// Maximum size of the unfinished bodies of one person.
const PERSON_BYTES: usize = 8 << 20;

/// Counts the unfinished bodies.
#[derive(Debug, Default)]
pub struct HeldBodies(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    people: HashMap<i64, usize>,
}

impl HeldBodies {
    /// Begins to count a body of a person.
    #[must_use]
    pub fn begin(&self, person: i64) -> HeldBody<'_> {
        HeldBody { bodies: self, person, size: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One unfinished body. It is counted until it is dropped.
#[derive(Debug)]
pub struct HeldBody<'a> {
    bodies: &'a HeldBodies,
    person: i64,
    size: usize,
}

impl HeldBody<'_> {
    /// Counts more bytes.
    ///
    /// # Errors
    /// [`Refusal::BodiesFull`]: the memory is full, or the person uses too much of it.
    pub fn grow(&mut self, size: usize) -> Result<(), Refusal> {
        let mut counts = self.bodies.lock();
        let of_person = counts.people.get(&self.person).copied().unwrap_or_default() + size;
        if of_person > PERSON_BYTES || counts.all + size > BYTES {
            return Err(Refusal::BodiesFull);
        }
        counts.all += size;
        counts.people.insert(self.person, of_person);
        self.size += size;
        Ok(())
    }
}

impl Drop for HeldBody<'_> {
    fn drop(&mut self) {
        if self.size == 0 {
            return;
        }
        let mut counts = self.bodies.lock();
        counts.all -= self.size;
        let left = counts.people.get(&self.person).copied().unwrap_or_default() - self.size;
        if left == 0 {
            counts.people.remove(&self.person);
        } else {
            counts.people.insert(self.person, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_cannot_use_all_the_memory() {
        let bodies = HeldBodies::default();
        let part = PERSON_BYTES / 32;
        let mut own: Vec<_> = (0..32).map(|_| bodies.begin(7)).collect();
        assert!(own.iter_mut().all(|body| body.grow(part).is_ok()));
        assert_eq!(bodies.begin(7).grow(1), Err(Refusal::BodiesFull));
        assert_eq!(bodies.begin(8).grow(1), Ok(()));
        own.pop();
        assert_eq!(bodies.begin(7).grow(part), Ok(()));
        drop(own);
        assert!(bodies.lock().people.is_empty() && bodies.lock().all == 0);
    }

    #[test]
    fn all_people_together_cannot_exceed_the_memory() {
        let bodies = HeldBodies::default();
        let held: Vec<_> = (0..8)
            .map(|person| {
                let mut body = bodies.begin(person);
                assert_eq!(body.grow(PERSON_BYTES), Ok(()));
                body
            })
            .collect();
        assert_eq!(bodies.begin(99).grow(1), Err(Refusal::BodiesFull));
        drop(held);
        assert_eq!(bodies.begin(99).grow(1), Ok(()));
    }
}
