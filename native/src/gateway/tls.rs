//! TLS: the certificates, which of them a client receives, and the handshake.
//!
//! TLS 1.2 and 1.3 by rustls with `ring`. A client negotiates HTTP/2 or HTTP/1.1 (ALPN).

use std::fmt;
use std::future::{Future as _, poll_fn};
use std::io;
use std::mem::{MaybeUninit, replace, take};
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{Error, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::quiet::Connection;
use super::serving::Serving;
use super::socket::Socket;

/// Maximum number of encrypted bytes that wait in the gateway because the client does not read them.
const BUFFER_BYTES: usize = 32 << 10;
/// A handshake needs two or three steps, and more only if its messages arrive in parts.
const MAX_STEPS: usize = 1_000;
/// Shorter rests are skipped: timers are accurate to a millisecond, so a rest would take about this long anyway.
const MIN_REST: Duration = Duration::from_millis(2);
const HTTP_1: &[u8] = b"http/1.1";
const HTTP_2: &[u8] = b"h2";

const NO_CERTIFICATE: &str = "there is no certificate";
const NOT_PEM: &str = "they are not PEM of a certificate and its key";
const ENCRYPTED: &str = "the key is encrypted";
const UNKNOWN_CERTIFICATE: &str = "TLS does not support its kind of certificate";
const UNKNOWN_KEY: &str = "TLS does not support its kind of key";
const NOT_A_PAIR: &str = "they do not belong together";
const NOT_PREPARED: &str = "TLS cannot be prepared on this machine";

/// A certificate with its chain, and its key. Both are PEM.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A pair that cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Its place in the list.
    pub index: usize,
    /// Why it cannot be used.
    pub reason: &'static str,
}

impl fmt::Display for Unusable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "certificate {}: {}", self.index, self.reason)
    }
}

/// The certificates of a gateway. Any thread may replace them. Open connections keep the old ones.
#[derive(Debug, Default)]
pub struct Certificates(RwLock<Option<Configs>>);

#[derive(Debug, Clone)]
struct Configs {
    serving: Arc<ServerConfig>,
    /// Does not offer HTTP/2, because a refusal before the first request is HTTP/1.1.
    refusing: Arc<ServerConfig>,
}

impl Certificates {
    /// Uses these certificates for new connections.
    ///
    /// A client receives the first certificate with the name that it requests. If there is none, it receives the last
    /// one.
    ///
    /// # Errors
    /// [`Unusable`]: the first pair that cannot be used. Nothing has changed.
    pub fn replace(&self, pairs: &[Pair]) -> Result<(), Unusable> {
        let provider = Arc::new(ring::default_provider());
        let keys = pairs
            .iter()
            .enumerate()
            .map(|(index, pair)| read(pair, &provider).map(Arc::new).map_err(|reason| Unusable { index, reason }));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(Unusable { index: 0, reason: NO_CERTIFICATE });
        }
        let config = config(Choice(keys), provider).map_err(|_| Unusable { index: 0, reason: NOT_PREPARED })?;
        let mut refusing = config.clone();
        refusing.alpn_protocols = vec![HTTP_1.to_vec()];
        let configs = Configs { serving: Arc::new(config), refusing: Arc::new(refusing) };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(configs);
        Ok(())
    }

    fn configs(&self) -> Option<Configs> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn config(choice: Choice, provider: Arc<CryptoProvider>) -> Result<ServerConfig, Error> {
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13, &TLS12])?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(choice));
    config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
    // Sessions are resumed with tickets, so that they cost the server no memory.
    config.ticketer = ring::Ticketer::new()?;
    Ok(config)
}

fn read((chain, key): &Pair, provider: &CryptoProvider) -> Result<CertifiedKey, &'static str> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(|_| NOT_PEM)?;
    ParsedCertificate::try_from(chain.first().ok_or(NOT_PEM)?).map_err(|_| UNKNOWN_CERTIFICATE)?;
    let private =
        PrivateKeyDer::from_pem_slice(key).map_err(|_| if is_encrypted(key) { ENCRYPTED } else { NOT_PEM })?;
    let signing = provider.key_provider.load_private_key(private).map_err(|_| UNKNOWN_KEY)?;
    let pair = CertifiedKey::new(chain, signing);
    pair.keys_match().map_err(|_| NOT_A_PAIR)?;
    Ok(pair)
}

fn is_encrypted(key: &[u8]) -> bool {
    memchr::memmem::find(key, b"ENCRYPTED").is_some()
}

/// Chooses the certificate for a client.
#[derive(Debug)]
struct Choice(Vec<Arc<CertifiedKey>>);

impl ResolvesServerCert for Choice {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let supported = |pair: &&Arc<CertifiedKey>| pair.key.choose_scheme(hello.signature_schemes()).is_some();
        let name = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let named = name.and_then(|name| self.0.iter().filter(supported).find(|pair| has_name(pair, &name)));
        named.or_else(|| self.0.iter().rev().find(supported)).cloned()
    }
}

fn has_name(pair: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let certificate = pair.end_entity_cert().and_then(ParsedCertificate::try_from);
    certificate.is_ok_and(|certificate| verify_server_name(&certificate, name).is_ok())
}

/// Returns the acceptor of new connections, or `None` if the gateway serves plain HTTP.
#[must_use]
pub fn acceptor(serving: &Serving) -> Option<TlsAcceptor> {
    Some(serving.certificates.as_ref()?.configs()?.serving.into())
}

/// Returns the acceptor of connections that are refused, or `None` if the gateway serves plain HTTP.
#[must_use]
pub fn refusing_acceptor(serving: &Serving) -> Option<TlsAcceptor> {
    Some(serving.certificates.as_ref()?.configs()?.refusing.into())
}

/// Performs the handshake. The time limit until the first request includes it.
///
/// Returns `None` if the handshake failed or was late, or if the connection has to make room for another one.
pub async fn handshake(
    acceptor: TlsAcceptor,
    socket: TcpStream,
    serving: &Serving,
    connection: &Connection,
) -> Option<TlsStream<TcpStream>> {
    let mut deadline = pin!(sleep_until(connection.quiet_since() + serving.config.limits.head_seconds));
    // A silent client uses no memory for TLS.
    let began = poll_fn(|context| {
        connection.wake_on_change(context.waker());
        if let Poll::Ready(has_input) = poll_input(&socket, context) {
            return Poll::Ready(has_input);
        }
        let ends = connection.is_closing() && !(serving.is_draining() && socket.has_input());
        if ends || deadline.as_mut().poll(context).is_ready() { Poll::Ready(false) } else { Poll::Pending }
    });
    if !began.await {
        return None;
    }
    let mut accepting = pin!(accept(acceptor, socket, &serving.handshake_turn));
    let result = poll_fn(|context| {
        connection.wake_on_change(context.waker());
        if let Poll::Ready(result) = accepting.as_mut().poll(context) {
            return Poll::Ready(Some(result));
        }
        // At a stop, a client that has begun may still send its request.
        if connection.is_closing() && !serving.is_draining() {
            return Poll::Ready(None);
        }
        deadline.as_mut().poll(context).map(|()| Some(Err(io::ErrorKind::TimedOut.into())))
    });
    let result = result.await?;
    if result.is_err() {
        serving.counters.handshakes_failed.add();
    }
    result.ok()
}

/// Accepts a client whose first bytes have arrived.
///
/// The steps of all handshakes take turns, because a signature takes a long time. Requests are served between the
/// steps: handshakes use at most half of the thread's time.
async fn accept(acceptor: TlsAcceptor, socket: TcpStream, turn: &Mutex<Duration>) -> io::Result<TlsStream<TcpStream>> {
    let mut accepting = pin!(acceptor.accept_with(socket, |session| session.set_buffer_limit(Some(BUFFER_BYTES))));
    for _ in 0..MAX_STEPS {
        let mut taken = turn.lock().await;
        let began = Instant::now();
        if let Poll::Ready(result) = poll_fn(|context| Poll::Ready(accepting.as_mut().poll(context))).await {
            return result;
        }
        *taken += began.elapsed();
        if *taken < MIN_REST {
            yield_now().await;
        } else {
            sleep(take(&mut *taken)).await;
        }
        drop(taken);
        let mut waits = false;
        poll_fn(|context| {
            // A wake-up without input means that the socket can accept bytes.
            let has_input = accepting.get_ref().is_none_or(|socket| poll_input(socket, context).is_ready());
            if has_input || replace(&mut waits, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// Ready once the client has sent bytes or has left. Returns whether it has sent bytes.
fn poll_input(socket: &TcpStream, context: &mut Context<'_>) -> Poll<bool> {
    let mut first = [MaybeUninit::uninit()];
    let result = socket.poll_peek(context, &mut ReadBuf::uninit(&mut first));
    result.map(|result| result.is_ok_and(|count| count > 0))
}

impl Socket for TlsStream<TcpStream> {
    fn reset_on_close(&self) {
        self.get_ref().0.reset_on_close();
    }

    fn has_input(&self) -> bool {
        self.get_ref().0.has_input()
    }

    fn buffered_bytes(&self) -> usize {
        BUFFER_BYTES
    }
}
