//! Serves one connection: finds out its protocol and lets hyper serve it.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use http::Request;
use http::header::{CONNECTION, HeaderValue};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::{Instant, sleep};

use super::answer::InProgress;
use super::client::Client;
use super::config::Limits;
use super::delivery::Delivery;
use super::guard::{Guard, Protocol};
use super::live::Exit;
use super::outgoing::Wire;
use super::quiet::{Connection, Phase};
use super::routes;
use super::serving::Serving;
use super::socket::Socket;
use super::unread::{SEND_BYTES, Unread, watch};
use super::websocket::Conversation;

const BUFFER_BYTES: usize = 64 << 10;
/// More than the guard allows.
const MAX_HEADERS: usize = 1 << 10;
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_ANSWER: Duration = Duration::from_secs(20);
/// How often a connection of HTTP/2 is examined.
const EXAMINED: Duration = Duration::from_secs(1);
/// How long a client may take to end a connection after the gateway has announced its end.
const GOING_AWAY: Duration = Duration::from_secs(5);
/// Requests that a client may abandon without suspicion.
const MAX_ABANDONED: u64 = 200;
const FRAME_BYTES: u32 = 16 << 10;
const WINDOW_BYTES: u32 = 1 << 20;

/// The rest of a connection that has left hyper.
pub type Rest = Pin<Box<dyn Future<Output = ()>>>;

/// Serves a connection until it ends. If the connection carries a live stream, returns the rest of the work instead,
/// because hyper would keep its buffers until the stream ends.
pub async fn serve<S: Socket>(
    socket: S,
    client: Client,
    serving: Rc<Serving>,
    connection: Rc<Connection>,
) -> Option<Rest> {
    let mut guard = Guard::new(socket, Rc::clone(&serving), Rc::clone(&connection));
    // An error of one connection concerns nobody else.
    match protocol(&mut guard, &connection).await {
        Some(Protocol::Http1) => return serve_http1(guard, client, serving, connection).await,
        Some(Protocol::Http2) => serve_http2(guard, client, serving, connection).await,
        None => {}
    }
    None
}

async fn protocol<S: Socket>(guard: &mut Guard<S>, connection: &Connection) -> Option<Protocol> {
    let mut protocol = pin!(guard.protocol());
    poll_fn(|context| match protocol.as_mut().poll(context) {
        Poll::Pending if connection.is_evicted() => Poll::Ready(None),
        polled => polled.map(Result::ok),
    })
    .await
}

async fn serve_http1<S: Socket>(
    guard: Guard<S>,
    client: Client,
    serving: Rc<Serving>,
    connection: Rc<Connection>,
) -> Option<Rest> {
    let exit = Rc::<Exit>::default();
    let (leaving, served) = (Rc::clone(&exit), Rc::clone(&connection));
    let service = service_fn(move |request: Request<Incoming>| {
        let (serving, connection, client) = (Rc::clone(&serving), Rc::clone(&served), client.clone());
        let in_progress = InProgress::new(Rc::clone(&serving), Rc::clone(&connection)).with_exit(Rc::clone(&leaving));
        async move {
            accept(in_progress.shared().1).await;
            let mut response = routes::answer(&serving, &client, request, in_progress).await;
            if serving.is_last(&connection) {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = http1::Builder::new();
    // The guard limits heads and their time.
    builder.max_buf_size(2 * BUFFER_BYTES).max_headers(MAX_HEADERS).header_read_timeout(None);
    let mut served = builder.serve_connection(TokioIo::new(guard), service);
    let detached = poll_fn(|context| match Pin::new(&mut served).poll(context) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending if connection.is_evicted() => Poll::Ready(None),
        Poll::Pending => exit.take(&connection).map_or(Poll::Pending, |detached| Poll::Ready(Some(detached))),
    });
    let detached = detached.await?;
    connection.forget_reader();
    let (socket, ahead) = served.into_parts().io.into_inner().into_parts();
    Some(match detached.wire {
        Wire::WebSocket => Box::pin(Conversation::new(socket, detached, ahead.into())),
        Wire::Chunked | Wire::Plain => Box::pin(Delivery::new(socket, detached)),
    })
}

async fn serve_http2<S: Socket>(guard: Guard<S>, client: Client, serving: Rc<Serving>, connection: Rc<Connection>) {
    let tasks = Tasks { serving: Rc::clone(&serving), connection: Rc::clone(&connection), next: Rc::default() };
    let service = {
        let (serving, connection, next) = (Rc::clone(&serving), Rc::clone(&connection), Rc::clone(&tasks.next));
        service_fn(move |request: Request<Incoming>| {
            let (serving, client, unread) = (Rc::clone(&serving), client.clone(), Rc::<Unread>::default());
            serving.counters.requests.add();
            serving.connections.begin(&connection);
            // Hyper executes the task of this request next.
            next.replace(Some(Rc::clone(&unread)));
            let in_progress = InProgress::new(Rc::clone(&serving), Rc::clone(&connection)).with_unread(unread);
            async move {
                accept(in_progress.shared().1).await;
                Ok::<_, Infallible>(routes::answer(&serving, &client, request, in_progress).await)
            }
        })
    };
    let builder = http2_builder(tasks, &serving.config.limits);
    let mut served = pin!(builder.serve_connection(TokioIo::new(guard), service));
    let mut announced = None;
    let mut timer = pin!(sleep(EXAMINED));
    poll_fn(|context| {
        if served.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        if connection.is_evicted() {
            served.as_mut().graceful_shutdown();
            // The client learns why, if its socket accepts that at once.
            let _ = served.as_mut().poll(context);
            return Poll::Ready(());
        }
        while timer.as_mut().poll(context).is_ready() {
            timer.as_mut().reset(Instant::now() + EXAMINED);
        }
        if announced.is_none() && should_go_away(&serving, &connection) {
            announced = Some(Instant::now());
            served.as_mut().graceful_shutdown();
            // The shutdown begins when it is polled.
            context.waker().wake_by_ref();
        }
        let may_stay = connection.in_progress() > 0 && !is_abusive(&connection);
        match announced {
            Some(at) if at.elapsed() > GOING_AWAY && !may_stay => Poll::Ready(()),
            _ => Poll::Pending,
        }
    })
    .await;
}

/// Accepts a request, unless its connection was closed to make room. Such a connection ends at once.
async fn accept(connection: &Connection) {
    if connection.is_evicted() {
        pending::<()>().await;
    }
}

fn http2_builder(tasks: Tasks, limits: &Limits) -> http2::Builder<Tasks> {
    let mut builder = http2::Builder::new(tasks);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_frame_size(FRAME_BYTES)
        .initial_stream_window_size(FRAME_BYTES * 4)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_send_buf_size(SEND_BYTES)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_ANSWER);
    builder
}

fn should_go_away(serving: &Serving, connection: &Connection) -> bool {
    let limits = &serving.config.limits;
    let quiet_limit = if connection.phase() == Phase::Silent { limits.head_seconds } else { limits.idle_seconds };
    let is_quiet = connection.in_progress() == 0 && connection.quiet_since().elapsed() > quiet_limit;
    is_quiet || serving.is_last(connection) || is_abusive(connection)
}

/// Whether the client floods the server with frames, or abandons most of its requests.
fn is_abusive(connection: &Connection) -> bool {
    let abandoned = connection.abandoned();
    connection.is_flooding() || (abandoned > MAX_ABANDONED && abandoned * 2 > connection.served())
}

/// Runs the requests of one HTTP/2 connection on the gateway's thread.
#[derive(Debug, Clone)]
struct Tasks {
    serving: Rc<Serving>,
    connection: Rc<Connection>,
    /// The answer of the next task.
    next: Rc<RefCell<Option<Rc<Unread>>>>,
}

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        let unread = self.next.take().unwrap_or_default();
        let (serving, connection) = (Rc::clone(&self.serving), Rc::clone(&self.connection));
        tokio::task::spawn_local(watch(task, unread, serving, connection));
    }
}
