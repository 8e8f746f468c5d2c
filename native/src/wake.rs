//! Wakes the event loop of another thread through a file descriptor.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;

/// A descriptor that becomes readable when another thread calls [`Wake::wake`].
#[derive(Debug)]
pub struct Wake {
    sending: UnixStream,
    receiving: UnixStream,
}

impl Wake {
    /// Opens a connected pair of sockets.
    ///
    /// # Errors
    /// The error of the system, for example if no file descriptor is free.
    pub fn new() -> io::Result<Self> {
        let (sending, receiving) = UnixStream::pair()?;
        sending.set_nonblocking(true)?;
        receiving.set_nonblocking(true)?;
        Ok(Self { sending, receiving })
    }

    /// Makes the descriptor readable.
    pub fn wake(&self) {
        // If the buffer is full, the descriptor is readable already.
        while matches!((&self.sending).write(&[1]), Err(error) if error.kind() == ErrorKind::Interrupted) {}
    }

    /// The descriptor that becomes readable.
    #[must_use]
    pub fn descriptor(&self) -> RawFd {
        self.receiving.as_raw_fd()
    }

    /// Makes the descriptor unreadable until the next [`Wake::wake`].
    pub fn clear(&self) {
        let mut bytes = [0; 64];
        while matches!((&self.receiving).read(&mut bytes), Ok(count) if count == bytes.len()) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_readable(wake: &Wake) -> bool {
        // `peek` of a socket is unstable in the standard library, so this reads the byte.
        matches!((&wake.receiving).read(&mut [0]), Ok(1))
    }

    #[test]
    fn only_a_wake_makes_the_descriptor_readable() {
        let wake = Wake::new().expect("two descriptors");
        assert!(!is_readable(&wake));
        wake.wake();
        assert!(is_readable(&wake));
    }

    #[test]
    fn clear_forgets_every_wake_so_far() {
        let wake = Wake::new().expect("two descriptors");
        for _ in 0..100_000 {
            wake.wake();
        }
        wake.clear();
        assert!(!is_readable(&wake));
        wake.wake();
        assert!(is_readable(&wake));
    }
}
