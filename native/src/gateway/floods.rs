//! Counts the HTTP/2 frames that cause work but contain no request: settings, pings, resets, unknown frames and similar
//! ones.

use std::time::Duration;

use tokio::time::Instant;

const PERIOD: Duration = Duration::from_secs(10);
const PREFACE_BYTES: usize = 24;
const HEADER_BYTES: usize = 9;
const DATA: u8 = 0;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
/// A client that downloads quickly opens its window often. So many of these frames count as one.
const WINDOW_UPDATES: u32 = 100;
const END_STREAM: u8 = 1;

/// The frames of one client within the current period.
#[derive(Debug)]
pub struct Floods {
    limit: u32,
    counted: u32,
    window_updates: u32,
    began: Instant,
    /// Bytes of the current frame that have not arrived yet.
    skip: usize,
    header: [u8; HEADER_BYTES],
    filled: usize,
}

impl Floods {
    /// Starts before the preface. At most `limit` of these frames are allowed in ten seconds.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        let (skip, header, filled) = (PREFACE_BYTES, [0; HEADER_BYTES], 0);
        Self { limit, counted: 0, window_updates: 0, began: Instant::now(), skip, header, filled }
    }

    /// Whether the client has sent too many of these frames.
    #[must_use]
    pub fn are_too_many(&self) -> bool {
        self.counted > self.limit
    }

    /// Examines the next bytes of the client.
    pub fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            bytes = &bytes[skipped..];
            self.skip -= skipped;
            let taken = (HEADER_BYTES - self.filled).min(bytes.len());
            self.header[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            self.filled += taken;
            bytes = &bytes[taken..];
            if self.filled == HEADER_BYTES {
                self.filled = 0;
                self.frame();
            }
        }
    }

    fn frame(&mut self) {
        let [high, middle, low, kind, flags, ..] = self.header;
        self.skip = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        let costs = match kind {
            PRIORITY | RST_STREAM | SETTINGS | PING => true,
            DATA => self.skip == 0 && flags & END_STREAM == 0,
            WINDOW_UPDATE => {
                self.window_updates = (self.window_updates + 1) % WINDOW_UPDATES;
                self.window_updates == 0
            }
            // Unknown kinds have higher numbers.
            _ => kind >= CONTINUATION,
        };
        if costs {
            if self.began.elapsed() >= PERIOD && !self.are_too_many() {
                (self.began, self.counted) = (Instant::now(), 0);
            }
            self.counted += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        frame.extend(vec![0xff; usize::from(length)]);
        frame
    }

    fn count(frames: &[Vec<u8>]) -> u32 {
        let mut bytes = vec![b'P'; PREFACE_BYTES];
        bytes.extend(frames.concat());
        let mut whole = Floods::new(100);
        whole.see(&bytes);
        let mut parts = Floods::new(100);
        bytes.chunks(1).for_each(|part| parts.see(part));
        assert_eq!(whole.counted, parts.counted);
        whole.counted
    }

    #[test]
    fn frames_that_only_cost_work_are_counted() {
        let frames =
            [(SETTINGS, 0, 6), (PING, 0, 8), (RST_STREAM, 0, 4), (DATA, 0, 0), (CONTINUATION, 0, 3), (0xfa, 0, 9)];
        assert_eq!(count(&frames.map(|(kind, flags, length)| frame(kind, flags, length))), 6);
    }

    #[test]
    fn many_windows_are_a_flood() {
        let updates = vec![frame(WINDOW_UPDATE, 0, 4); 250];
        assert_eq!(count(&updates), 2);
    }

    #[test]
    fn requests_bodies_and_windows_are_not_counted() {
        let frames = [(1, 5, 30), (DATA, 0, 9), (DATA, END_STREAM, 0), (WINDOW_UPDATE, 0, 4)];
        assert_eq!(count(&frames.map(|(kind, flags, length)| frame(kind, flags, length))), 0);
    }

    #[test]
    fn more_than_the_limit_is_a_flood() {
        let mut floods = Floods::new(3);
        floods.see(&[0; PREFACE_BYTES]);
        for count in 1..=4 {
            floods.see(&frame(PING, 0, 8));
            assert_eq!(floods.are_too_many(), count > 3);
        }
    }
}
