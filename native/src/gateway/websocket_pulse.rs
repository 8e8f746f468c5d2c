//! When the gateway asks a client for a sign of life, and when it gives up.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A client that sends nothing for this time gets a ping.
pub const PING: Duration = Duration::from_secs(25);
/// How long a client may take to answer a ping.
pub const PONG: Duration = Duration::from_secs(8);
/// How long a client may take to send one message, at least.
pub const MESSAGE: Duration = Duration::from_secs(30);

/// What the time demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// A ping.
    Ping,
    /// The client takes too long to send a message.
    TooSlow,
    /// The client has not answered.
    Dead,
}

/// The signs of life of one client.
#[derive(Debug)]
pub struct Pulse {
    timer: Pin<Box<Sleep>>,
    heard: Instant,
    pinged: Option<Instant>,
    /// When the message in progress began.
    began: Option<Instant>,
}

impl Pulse {
    /// The client is there now.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { timer: Box::pin(sleep_until(now + PING)), heard: now, pinged: None, began: None }
    }

    /// The client has sent something.
    pub fn hear(&mut self, now: Instant) {
        self.heard = now;
    }

    /// The client has or has not sent a part of a message.
    pub fn note_progress(&mut self, is_in_message: bool, now: Instant) {
        self.began = if is_in_message { self.began.or(Some(now)) } else { None };
    }

    /// Ready when something must be done. `is_reading`: whether a sign of life would be noticed.
    pub fn poll(&mut self, context: &mut Context<'_>, is_reading: bool) -> Poll<Beat> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            let now = Instant::now();
            let (beat, next) = self.judge(now, is_reading);
            self.timer.as_mut().reset(next);
            if let Some(beat) = beat {
                return Poll::Ready(beat);
            }
        }
    }

    /// Returns what must be done, and when to look again.
    fn judge(&mut self, now: Instant, is_reading: bool) -> (Option<Beat>, Instant) {
        if !is_reading {
            (self.heard, self.pinged) = (now, None);
            return (None, now + PING);
        }
        if self.began.is_some_and(|began| now - began >= MESSAGE) {
            return (Some(Beat::TooSlow), now + PING);
        }
        if let Some(pinged) = self.pinged.take() {
            if self.heard <= pinged {
                return (Some(Beat::Dead), now + PING);
            }
        } else if now - self.heard >= PING {
            self.pinged = Some(now);
            return (Some(Beat::Ping), now + PONG);
        }
        (None, self.heard + PING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse() -> (Pulse, Instant) {
        let now = Instant::now();
        (Pulse::new(now), now)
    }

    #[tokio::test]
    async fn a_silent_client_gets_a_ping_and_is_dead_if_it_does_not_answer() {
        let (mut pulse, now) = pulse();
        let pinged = now + PING;
        assert_eq!(pulse.judge(pinged, true), (Some(Beat::Ping), pinged + PONG));
        assert_eq!(pulse.judge(pinged + PONG, true).0, Some(Beat::Dead));
    }

    #[tokio::test]
    async fn every_sign_of_life_postpones_the_next_ping() {
        let (mut pulse, now) = pulse();
        pulse.hear(now + PING / 2);
        assert_eq!(pulse.judge(now + PING, true), (None, now + PING / 2 + PING));
        let pinged = now + PING * 2;
        assert_eq!(pulse.judge(pinged, true).0, Some(Beat::Ping));
        let answered = pinged + PONG / 2;
        pulse.hear(answered);
        assert_eq!(pulse.judge(pinged + PONG, true), (None, answered + PING));
        assert_eq!(pulse.judge(answered + PING, true).0, Some(Beat::Ping));
    }

    #[tokio::test]
    async fn a_client_is_not_dead_while_nobody_reads_its_answers() {
        let (mut pulse, now) = pulse();
        let mut later = now + PING;
        assert_eq!(pulse.judge(later, true).0, Some(Beat::Ping));
        later += PONG;
        assert_eq!(pulse.judge(later, false), (None, later + PING));
        assert_eq!(pulse.judge(later + PING, true).0, Some(Beat::Ping));
    }

    #[tokio::test]
    async fn a_message_that_never_ends_is_too_slow_however_often_its_bytes_come() {
        let (mut pulse, now) = pulse();
        pulse.note_progress(true, now);
        pulse.note_progress(true, now + MESSAGE / 2);
        pulse.hear(now + MESSAGE);
        assert_eq!(pulse.judge(now + MESSAGE, true).0, Some(Beat::TooSlow));
        pulse.note_progress(false, now + MESSAGE);
        pulse.note_progress(true, now + MESSAGE);
        assert_eq!(pulse.judge(now + MESSAGE + PONG, true).0, None);
    }
}
