//! Forwards one request to an upstream and its answer to the client. Both bodies stream.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body as _, Incoming};

use crate::request_id;

use super::answer::{AnswerBody, Borrowed, InProgress, give_back};
use super::attempts::{Prepared, send};
use super::body::{Ending, Gate, RequestBody};
use super::client::Client;
use super::compressing::{LABEL, compress, permitted};
use super::content::Content;
use super::forwarded_line::ForwardedLine;
use super::forwarding::describe;
use super::handshake;
use super::live;
use super::refusal::Refusal;
use super::serving::Serving;
use super::share::Share;

/// The header with a request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Only the gateway sets headers with this prefix.
const PREFIX: &str = "x-fechatter-";
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
/// Headers that concern one connection only.
const HOP_BY_HOP: [HeaderName; 8] = [
    KEEP_ALIVE,
    PROXY_CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Forwards a request. `request` ends when the answer's body is dropped.
pub async fn forward(
    serving: &Rc<Serving>,
    client: &Client,
    incoming: Request<Content>,
    in_progress: InProgress,
) -> Response<AnswerBody> {
    let (request_id, version) = (request_id(serving, incoming.headers()), incoming.version());
    let permitted = permitted(incoming.method(), incoming.headers());
    let line = ForwardedLine::begin(serving, client, &incoming, &request_id);
    let asks_upgrade = serving.own.streams.is_some() && handshake::is_asked(&incoming);
    let limit = serving.config.limits.connections_per_address;
    let share = Share::take(in_progress.shared().1, limit).ok_or(Refusal::TooManyAtOnce);
    let sent = match share.and_then(|share| Ok((share, prepare(serving, client, incoming, &request_id)?))) {
        Ok((share, mut prepared)) => {
            if asks_upgrade {
                prepared.request.headers_mut().insert(handshake::UPGRADE, handshake::WEBSOCKET);
            }
            let sent = send(serving, prepared).await;
            sent.map(|(response, borrowed)| (response, Borrowed { share: Some(share), ..borrowed }))
        }
        Err(refusal) => Err(refusal),
    };
    if let Some(line) = line {
        match &sent {
            Ok((response, borrowed)) => line.write(response.status().as_u16(), borrowed.upstream.name()),
            Err(refusal) => line.write(refusal.status(), ""),
        }
    }
    let (response, borrowed) = match sent {
        Ok(answered) => answered,
        Err(refusal) => return refuse(serving, refusal, &request_id, in_progress),
    };
    let is_labelled = response.headers().contains_key(LABEL);
    match answer(serving, response, borrowed, (version, asks_upgrade), in_progress) {
        Ok(Some(response)) if is_labelled => compress(serving, response, permitted).await,
        Ok(Some(response)) => response,
        // The connection leaves hyper, and this future ends with it.
        Ok(None) => std::future::pending().await,
        Err(lost) => refuse(serving, Refusal::UpstreamUnavailable, &request_id, lost),
    }
}

fn refuse(
    serving: &Serving,
    refusal: Refusal,
    request_id: &HeaderValue,
    in_progress: InProgress,
) -> Response<AnswerBody> {
    // The rest of a body that nobody reads would be taken for a request.
    let closes = refusal != Refusal::UpstreamUnavailable;
    serving.refusal(refusal, request_id, closes).map(|body| AnswerBody::own(body, in_progress))
}

/// Returns the client's own id if it is valid, or a new one.
#[must_use]
pub fn request_id(serving: &Serving, headers: &HeaderMap) -> HeaderValue {
    let own = headers.get_all(REQUEST_ID).iter().find(|value| request_id::is_valid(value.as_bytes()));
    own.cloned().unwrap_or_else(|| serving.next_id())
}

fn prepare(
    serving: &Serving,
    client: &Client,
    incoming: Request<Content>,
    request_id: &HeaderValue,
) -> Result<Prepared, Refusal> {
    let limit = serving.config.limits.body_bytes;
    if incoming.body().size_hint().lower() > limit {
        return Err(Refusal::BodyTooLarge(limit));
    }
    let (mut head, incoming) = incoming.into_parts();
    if head.version == Version::HTTP_2 {
        head.headers = named_host(head.headers, &head.uri)?;
        head.version = Version::HTTP_11;
    }
    head.uri = origin_form(head.uri);
    serving.routing().check(&head.method, head.uri.path(), &head.headers, serving.own.early_tokens.as_deref())?;
    let has_length = head.headers.contains_key(header::CONTENT_LENGTH);
    remove_hop_by_hop(&mut head.headers);
    remove_ours(&mut head.headers);
    if !incoming.is_end_stream() && !has_length {
        head.headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    describe(serving, client, request_id, &mut head.headers);
    let gate = expects_continue(&head.headers).then(Arc::<Gate>::default);
    let ending = Rc::new(Cell::new(Ending::Open));
    let body = RequestBody::new(incoming, Rc::clone(&ending), gate.clone(), &serving.config.limits);
    head.extensions = http::Extensions::new();
    let mut request = Request::from_parts(head, body);
    if let Some(gate) = gate {
        hyper::ext::on_informational(&mut request, move |informational| {
            if informational.status() == StatusCode::CONTINUE {
                gate.open();
            }
        });
    }
    Ok(Prepared { request, ending })
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get(header::EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Returns the answer of an upstream, or `None` if the connection becomes a WebSocket. The error contains the request
/// if its live stream is lost.
fn answer(
    serving: &Serving,
    response: Response<Incoming>,
    borrowed: Borrowed,
    (version, asks_upgrade): (Version, bool),
    in_progress: InProgress,
) -> Result<Option<Response<AnswerBody>>, InProgress> {
    let (mut head, incoming) = response.into_parts();
    let streams = serving.own.streams.as_ref();
    let stream = streams.and_then(|streams| Some((streams, live::stream_id(&head.headers)?)));
    remove_hop_by_hop(&mut head.headers);
    head.version = Version::HTTP_11;
    head.extensions = http::Extensions::new();
    remove_ours(&mut head.headers);
    let Some((streams, id)) = stream else {
        return Ok(Some(Response::from_parts(head, AnswerBody::forwarded(incoming, borrowed, in_progress))));
    };
    if incoming.is_end_stream() {
        give_back(&mut Some(borrowed));
    }
    if asks_upgrade && handshake::is_accepted(&head.headers) {
        return live::upgrade(streams, id, &head, in_progress).map(|()| None);
    }
    live::answer(streams, id, head, version, in_progress).map(Some)
}

/// Names the host in a header, as HTTP/1.1 does. HTTP/2 names it in the URL, and may also repeat it in the header.
fn named_host(mut headers: HeaderMap, uri: &Uri) -> Result<HeaderMap, Refusal> {
    let mut named = headers.get_all(header::HOST).iter();
    let (first, second) = (named.next(), named.next());
    let authority = uri.authority().map(http::uri::Authority::as_str);
    let host = match (authority, first, second) {
        (Some(authority), None, _) => HeaderValue::from_str(authority).map_err(|_| Refusal::MalformedHost)?,
        (Some(authority), Some(host), None) if host.as_bytes() == authority.as_bytes() => host.clone(),
        (None, Some(host), None) => host.clone(),
        _ => return Err(Refusal::MalformedHost),
    };
    headers.insert(header::HOST, host);
    Ok(headers)
}

/// Keeps path and query only. The host is in its header.
fn origin_form(uri: Uri) -> Uri {
    if uri.authority().is_none() {
        return uri;
    }
    let path = uri.into_parts().path_and_query.unwrap_or_else(|| http::uri::PathAndQuery::from_static("/"));
    Uri::from(path)
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    while let Some(named) = headers.remove(header::CONNECTION) {
        let names = named.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        for name in names.filter_map(|name| HeaderName::from_bytes(name).ok()) {
            if name != header::HOST && name != header::CONTENT_LENGTH {
                headers.remove(name);
            }
        }
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Removes headers that concern only the gateway and the app.
fn remove_ours(headers: &mut HeaderMap) {
    let ours: Vec<_> = headers.keys().filter(|name| name.as_str().starts_with(PREFIX)).cloned().collect();
    for name in ours {
        headers.remove(name);
    }
}
