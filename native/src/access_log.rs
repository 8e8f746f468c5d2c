//! The access log of the gateway, on standard error. It has one line for each request that the gateway answers itself,
//! and in a stand-alone gateway also for each request that it forwards.
//!
//! The format is that of `fechatter/telemetry/logs.py`. A line names the template of the route, never the path of the
//! request. A separate thread writes the lines. If nothing reads standard error, lines are dropped and counted.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{io, thread};

use crate::message::time::Timestamp;

const LOGGER: &str = "fechatter.access";
/// Maximum number of lines that wait for the thread.
const MAX_WAITING: usize = 4096;
/// Lines are written together up to this size, which a pipe accepts at once or not at all (`PIPE_BUF`).
const PIECE_BYTES: usize = 4096;

/// An answered request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Line<'a> {
    /// The request's id.
    pub request_id: &'a str,
    /// Its method.
    pub method: &'a str,
    /// The template of its path.
    pub route: &'a str,
    /// The status of its answer.
    pub status: u16,
    /// The time until its answer.
    pub passed: Duration,
    /// The client's address.
    pub address: &'a str,
    /// The ids of the person and of the workspace, if the person is signed in.
    pub who: Option<(i64, i64)>,
    /// The upstream that has answered; empty if the gateway is the server.
    pub upstream: &'a str,
}

/// Writes lines.
#[derive(Debug)]
pub struct AccessLog {
    is_readable: bool,
    is_on: AtomicBool,
    lines: SyncSender<String>,
    progress: Arc<Progress>,
    dropped: AtomicU64,
}

/// How many lines were accepted and written.
#[derive(Debug, Default)]
struct Progress {
    counts: Mutex<(u64, u64)>,
    written: Condvar,
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, (u64, u64)> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccessLog {
    /// Writes to `out`: text for people if `is_readable`, or else JSON.
    ///
    /// # Errors
    /// [`io::Error`]: the thread cannot be started.
    pub fn new(is_readable: bool, out: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, waiting) = sync_channel(MAX_WAITING);
        let progress = Arc::<Progress>::default();
        let shared = Arc::clone(&progress);
        thread::Builder::new().name("access log".to_owned()).spawn(move || write_all(&waiting, out, &shared))?;
        Ok(Self { is_readable, is_on: AtomicBool::new(true), lines, progress, dropped: AtomicU64::new(0) })
    }

    /// Whether lines are wanted.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Sets whether lines are wanted.
    pub fn turn(&self, on: bool) {
        self.is_on.store(on, Ordering::Relaxed);
    }

    /// Queues a line. Drops it if too many wait.
    pub fn write(&self, line: &Line<'_>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = Timestamp::new(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
        let time = time.as_ref().map_or("", Timestamp::as_str);
        let text = if self.is_readable { readable(line, time) } else { json(line, time) };
        let mut counts = self.progress.lock();
        if self.lines.try_send(text).is_ok() {
            counts.0 += 1;
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Number of lines that were accepted.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.progress.lock().0
    }

    /// Number of lines that were dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits until every accepted line is written, at most for `limit`.
    pub fn flush(&self, limit: Duration) {
        let is_behind = |counts: &mut (u64, u64)| counts.1 < counts.0;
        drop(self.progress.written.wait_timeout_while(self.progress.lock(), limit, is_behind));
    }
}

fn write_all(waiting: &Receiver<String>, mut out: impl Write, progress: &Progress) {
    let mut next = waiting.recv().ok();
    while let Some(mut piece) = next.take() {
        let mut count = 1;
        while let Ok(line) = waiting.try_recv() {
            if piece.len() + line.len() > PIECE_BYTES {
                next = Some(line);
                break;
            }
            piece.push_str(&line);
            count += 1;
        }
        // There is no other place for this error.
        let _ = out.write_all(piece.as_bytes()).and_then(|()| out.flush());
        progress.lock().1 += count;
        progress.written.notify_all();
        next = next.or_else(|| waiting.recv().ok());
    }
}

fn json(line: &Line<'_>, time: &str) -> String {
    let Line { request_id, method, route, status, passed, address, who, upstream } = *line;
    let mut out = format!(
        "{{\"time\": \"{time}\", \"level\": \"info\", \"logger\": \"{LOGGER}\", \
         \"message\": {}, \"request_id\": {}, \"method\": {}, \"route\": {}, \"status\": {status}, \
         \"seconds\": {:.6}, \"address\": {}",
        quoted(&format!("{method} {route} {status}")),
        quoted(request_id),
        quoted(method),
        quoted(route),
        passed.as_secs_f64(),
        quoted(address),
    );
    if let Some((user_id, workspace_id)) = who {
        let _ = write!(out, ", \"user_id\": {user_id}, \"workspace_id\": {workspace_id}");
    }
    if !upstream.is_empty() {
        let _ = write!(out, ", \"upstream\": {}", quoted(upstream));
    }
    out.push_str("}\n");
    out
}

fn readable(line: &Line<'_>, time: &str) -> String {
    let Line { request_id, method, route, status, passed, address, who, upstream } = *line;
    let seconds = passed.as_secs_f64();
    let mut out = format!(
        "{time} INFO     {LOGGER}: {method} {route} {status} request_id={request_id} method={method} route={route} \
         status={status} seconds={seconds:.6} address={address}"
    );
    if let Some((user_id, workspace_id)) = who {
        let _ = write!(out, " user_id={user_id} workspace_id={workspace_id}");
    }
    if !upstream.is_empty() {
        let _ = write!(out, " upstream={upstream}");
    }
    out.retain(|character| !character.is_control());
    out.push('\n');
    out
}

/// Returns a JSON string in ASCII, so that no viewer shows a control character.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Passes each piece on, after it was allowed to write it.
    struct Slow(Sender<String>, Receiver<()>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            self.0.send(String::from_utf8_lossy(bytes).into_owned()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const LINE: Line<'_> = Line {
        request_id: "a\"b\n\u{1f44d}",
        method: "POST",
        route: "/api/chat/{chat_id}/messages",
        status: 201,
        passed: Duration::from_micros(1_500),
        address: "203.0.113.9",
        who: Some((7, 3)),
        upstream: "",
    };

    #[test]
    fn a_line_is_one_json_object_in_ascii() {
        let line = json(&LINE, "2026-11-21T17:40:58.123Z");
        assert!(line.is_ascii() && line.ends_with("}\n") && line.lines().count() == 1);
        let value: serde_json::Value = serde_json::from_str(&line).expect("the line is JSON");
        assert_eq!(value["message"], "POST /api/chat/{chat_id}/messages 201");
        assert_eq!(value["request_id"], LINE.request_id);
        assert_eq!((value["seconds"].as_f64(), value["user_id"].as_i64()), (Some(0.0015), Some(7)));
        let stranger: serde_json::Value = serde_json::from_str(&json(&Line { who: None, ..LINE }, "")).expect("JSON");
        assert!(stranger.get("user_id").is_none());
    }

    #[test]
    fn no_text_starts_another_line() {
        assert_eq!(readable(&LINE, "").lines().count(), 1);
    }

    #[test]
    fn lines_that_nothing_reads_are_dropped_and_counted() {
        let (pieces, written) = channel();
        let (allow, allowed) = channel();
        let log = AccessLog::new(false, Slow(pieces, allowed)).expect("a thread");
        let too_many = 2 * MAX_WAITING as u64;
        (0..too_many).for_each(|_| log.write(&LINE));
        log.flush(Duration::from_millis(1));
        assert!(log.dropped() > 0 && log.accepted() + log.dropped() == too_many);
        let _ = (0..too_many).try_for_each(|_| allow.send(()));
        log.flush(Duration::from_secs(60));
        let written: Vec<_> = written.try_iter().collect();
        assert!(written.iter().all(|piece| piece.ends_with('\n') && piece.len() <= PIECE_BYTES));
        let lines = written.iter().map(|piece| piece.lines().count() as u64).sum::<u64>();
        assert_eq!(lines, log.accepted());
    }
}
