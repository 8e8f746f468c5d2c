//! One stream. It finds the numbers of events in what it receives.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;

use memchr::memmem::find;
use mio::net::TcpStream;

const MARK: &[u8] = b"@@";
const DIGITS: usize = 16;

#[derive(Debug)]
pub struct Listener {
    pub socket: TcpStream,
    request: String,
    /// The beginning of a mark whose rest has not arrived.
    tail: Vec<u8>,
    /// Whether something has arrived.
    pub is_open: bool,
}

impl Listener {
    pub fn connect(address: SocketAddr, request: &str) -> io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        Ok(Self { socket, request: request.to_owned(), tail: Vec::new(), is_open: false })
    }

    /// Sends the request once the connection is established.
    pub fn begin(&mut self) -> io::Result<()> {
        if !self.request.is_empty() {
            self.socket.write_all(std::mem::take(&mut self.request).as_bytes())?;
        }
        Ok(())
    }

    /// Reads what has arrived and passes the numbers of the events to `found`. Returns the number of bytes.
    pub fn read(&mut self, buffer: &mut [u8], mut found: impl FnMut(usize)) -> io::Result<usize> {
        let mut total = 0;
        loop {
            let kept = self.tail.len();
            buffer[..kept].copy_from_slice(&self.tail);
            let read = match self.socket.read(&mut buffer[kept..]) {
                Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server closed a stream")),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(total),
                Err(error) => return Err(error),
            };
            total += read;
            self.is_open = true;
            let filled = &buffer[..kept + read];
            let rest = scan(filled, &mut found);
            self.tail.clear();
            self.tail.extend_from_slice(&filled[rest..]);
            if filled.len() < buffer.len() {
                return Ok(total);
            }
        }
    }
}

/// Passes the numbers to `found`, and returns the place of a mark that is not complete.
fn scan(bytes: &[u8], found: &mut impl FnMut(usize)) -> usize {
    let mut at = 0;
    while let Some(place) = find(&bytes[at..], MARK) {
        let start = at + place;
        let Some(digits) = bytes.get(start + MARK.len()..start + MARK.len() + DIGITS) else { return start };
        let number = std::str::from_utf8(digits).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
        found(number.expect("the number of an event"));
        at = start + MARK.len() + DIGITS;
    }
    bytes.len() - usize::from(bytes.ends_with(&MARK[..1]))
}
