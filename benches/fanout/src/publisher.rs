//! One connection that publishes events, one request at a time.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;

use memchr::memmem::find;
use mio::net::TcpStream;

#[derive(Debug)]
pub struct Publisher {
    pub socket: TcpStream,
    before: String,
    after: String,
    answer: Vec<u8>,
    pub is_busy: bool,
}

impl Publisher {
    pub fn connect(address: SocketAddr, (before, after): &(String, String)) -> io::Result<Self> {
        // A blocking connect, because the first request is sent at once.
        let socket = std::net::TcpStream::connect(address)?;
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        let socket = TcpStream::from_std(socket);
        Ok(Self { socket, before: before.clone(), after: after.clone(), answer: Vec::new(), is_busy: false })
    }

    /// Publishes an event. The request is small enough for the socket's empty buffer.
    pub fn publish(&mut self, number: usize) -> io::Result<()> {
        self.is_busy = true;
        let request = format!("{}@@{number:016x}{}", self.before, self.after);
        self.socket.write_all(request.as_bytes())
    }

    /// Reads the response.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        loop {
            match self.socket.read(buffer) {
                Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server closed a publisher")),
                Ok(read) => self.answer.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if let Some(size) = answer_size(&self.answer)? {
            self.answer.drain(..size);
            self.is_busy = false;
        }
        Ok(())
    }
}

/// The size of a complete response. Other responses than successes end the measurement.
fn answer_size(answer: &[u8]) -> io::Result<Option<usize>> {
    let Some(end) = find(answer, b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    if !head.starts_with("http/1.1 2") {
        return Err(io::Error::other(format!("an event was refused: {}", String::from_utf8_lossy(answer))));
    }
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    Ok(Some(end + 4 + length).filter(|size| *size <= answer.len()))
}
