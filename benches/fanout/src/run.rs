//! One measurement: opens the streams, publishes, and counts arrivals.

use std::io;
use std::time::{Duration, Instant};

use mio::{Events as Ready, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

use super::events::Events;
use super::listener::Listener;
use super::plan::{Figures, Plan};
use super::process::{cpu_seconds, own_cpu_seconds};
use super::publisher::Publisher;

/// Streams that are opened at the same time.
const OPENING: usize = 50;
const OPEN_LIMIT: Duration = Duration::from_secs(120);
/// How long to wait for the last events.
const DRAIN: Duration = Duration::from_secs(20);
const BUFFER_BYTES: usize = 256 << 10;
/// The receive buffer of a stream that is never read.
const STALLED_BYTES: usize = 4 << 10;

pub struct Run<'a> {
    plan: &'a Plan,
    poll: Poll,
    ready: Ready,
    listeners: Vec<Listener>,
    publishers: Vec<Publisher>,
    _stalled: Vec<Socket>,
    buffer: Vec<u8>,
    events: Events,
    started: Instant,
    bytes: u64,
}

impl<'a> Run<'a> {
    /// Opens all connections.
    pub fn open(plan: &'a Plan) -> io::Result<Self> {
        let mut run = Self {
            plan,
            poll: Poll::new()?,
            ready: Ready::with_capacity(1024),
            listeners: Vec::with_capacity(plan.listeners),
            publishers: Vec::new(),
            _stalled: (0..plan.stalled).map(|number| stall(plan, number)).collect::<io::Result<_>>()?,
            buffer: vec![0; BUFFER_BYTES],
            events: Events::new(plan.listeners, Duration::MAX, Duration::MAX),
            started: Instant::now(),
            bytes: 0,
        };
        while run.listeners.len() < plan.listeners {
            run.open_some()?;
        }
        for post in &plan.posts {
            let mut publisher = Publisher::connect(plan.address, post)?;
            let token = Token(plan.listeners + run.publishers.len());
            run.poll.registry().register(&mut publisher.socket, token, Interest::READABLE)?;
            run.publishers.push(publisher);
        }
        Ok(run)
    }

    fn open_some(&mut self) -> io::Result<()> {
        let first = self.listeners.len();
        for number in first..self.plan.listeners.min(first + OPENING) {
            let request = &self.plan.streams[number % self.plan.streams.len()];
            let mut listener = Listener::connect(self.plan.address, request)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut listener.socket, Token(number), interest)?;
            self.listeners.push(listener);
        }
        while !self.listeners[first..].iter().all(|listener| listener.is_open) {
            self.step(Duration::from_secs(1))?;
            if self.started.elapsed() > OPEN_LIMIT {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the streams were not opened in time"));
            }
        }
        for number in first..self.listeners.len() {
            let socket = &mut self.listeners[number].socket;
            self.poll.registry().reregister(socket, Token(number), Interest::READABLE)?;
        }
        Ok(())
    }

    /// Publishes for the time of the plan and returns the figures.
    pub fn measure(mut self) -> io::Result<Figures> {
        let begins = Duration::from_secs_f64(self.plan.warm_up_seconds);
        let ends = begins + Duration::from_secs_f64(self.plan.seconds);
        self.events = Events::new(self.plan.listeners, begins, ends);
        self.started = Instant::now();
        self.load_until(begins)?;
        self.bytes = 0;
        let (server, own) = (cpu_seconds(&self.plan.processes), own_cpu_seconds());
        self.load_until(ends)?;
        let (server, own) = (cpu_seconds(&self.plan.processes) - server, own_cpu_seconds() - own);
        let (bytes, ended) = (self.bytes, self.started.elapsed());
        while self.events.incomplete() > 0 && self.started.elapsed() < ended + DRAIN {
            self.step(Duration::from_millis(100))?;
        }
        #[expect(clippy::cast_precision_loss, reason = "the counts are small")]
        let (deliveries, bytes) = (self.events.delivered as f64, bytes as f64);
        Ok(Figures {
            deliveries: self.events.delivered,
            deliveries_per_second: deliveries / self.plan.seconds,
            p50_ms: self.events.percentile(0.5),
            p99_ms: self.events.percentile(0.99),
            server_cpu_seconds: server,
            server_cpu_per_delivery_us: server / deliveries * 1e6,
            generator_cpu_seconds: own,
            bytes_per_delivery: bytes / deliveries,
            seconds: self.plan.seconds,
            missing: self.events.incomplete() as u64,
        })
    }

    fn load_until(&mut self, end: Duration) -> io::Result<()> {
        let pause = self.plan.rate.map(|rate| Duration::from_secs_f64(1.0 / rate));
        loop {
            let now = self.started.elapsed();
            if now >= end {
                return Ok(());
            }
            let mut timeout = end - now;
            if let Some(pause) = pause {
                let due = pause * u32::try_from(self.events.count()).unwrap_or(u32::MAX);
                if due > now {
                    timeout = timeout.min(due - now);
                } else {
                    self.publish(due)?;
                    continue;
                }
            } else {
                while self.events.incomplete() < self.plan.ahead && self.publish(self.started.elapsed())? {}
            }
            self.step(timeout)?;
        }
    }

    /// Publishes the next event, if a publisher is free.
    fn publish(&mut self, due: Duration) -> io::Result<bool> {
        let Some(free) = self.publishers.iter_mut().find(|publisher| !publisher.is_busy) else {
            // In an open loop, the event stays due.
            self.step(Duration::from_millis(1))?;
            return Ok(false);
        };
        free.publish(self.events.add(due))?;
        Ok(true)
    }

    /// Reads what arrives.
    fn step(&mut self, timeout: Duration) -> io::Result<()> {
        // Whole milliseconds would be rounded up, and an open loop would publish late.
        let timeout = if timeout < Duration::from_millis(1) { Duration::ZERO } else { timeout };
        self.poll.poll(&mut self.ready, Some(timeout))?;
        for ready in &self.ready {
            let number = ready.token().0;
            if number >= self.plan.listeners {
                self.publishers[number - self.plan.listeners].read(&mut self.buffer)?;
                continue;
            }
            let listener = &mut self.listeners[number];
            if ready.is_writable() {
                listener.begin()?;
            }
            let (events, started) = (&mut self.events, self.started);
            let read = listener.read(&mut self.buffer, |event| events.arrived(event, started.elapsed()))?;
            self.bytes += read as u64;
        }
        Ok(())
    }
}

/// Opens a stream and reads nothing.
fn stall(plan: &Plan, number: usize) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(plan.address), Type::STREAM, None)?;
    socket.set_recv_buffer_size(STALLED_BYTES)?;
    socket.connect(&plan.address.into())?;
    socket.send(plan.streams[number % plan.streams.len()].as_bytes())?;
    Ok(socket)
}
