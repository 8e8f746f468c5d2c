//! Which requests the cache may answer. Every other request goes to the app.

use http::header::HeaderName;
use http::{Method, Request};
use hyper::body::Body;

use super::entry::Wanted;
use super::label::{Label, Scope};
use super::position::Position;
use crate::coding::Coding;
use crate::gateway::compressing::permitted;
use crate::gateway::request_head::{is_unusual, one, read_id};
use crate::token::Claims;

/// The position of an answer, or the newest position that a client has seen.
pub const EVENT_CURSOR: HeaderName = HeaderName::from_static("event-cursor");
const MAX_TARGET_CHARACTERS: usize = 256;

/// A route whose answers change only by events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// A page of a chat's history.
    Page(i64),
    /// A message of a chat.
    Message(i64),
    /// The reader's own profile.
    Me,
    /// A person.
    Person,
}

impl Route {
    /// Returns the route of a path.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let mut parts = path.strip_prefix("/api/")?.split('/');
        let route = match (parts.next()?, parts.next()?, parts.next(), parts.next()) {
            ("users", "me", None, None) => Self::Me,
            ("users", id, None, None) => read_id(id).map(|_| Self::Person)?,
            ("chat", id, Some("messages"), None) => Self::Page(read_id(id)?),
            ("chat", chat, Some("messages"), Some(id)) => read_id(id).and(read_id(chat)).map(Self::Message)?,
            _ => return None,
        };
        parts.next().is_none().then_some(route)
    }

    /// The route in the metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Page(_) => "/api/chat/{chat_id}/messages",
            Self::Message(_) => "/api/chat/{chat_id}/messages/{message_id}",
            Self::Me => "/api/users/me",
            Self::Person => "/api/users/{user_id}",
        }
    }

    /// Whether an answer of the route may have this label.
    #[must_use]
    pub fn fits(self, label: &Label) -> bool {
        match (self, &label.scope) {
            (Self::Page(chat) | Self::Message(chat), Scope::Chat { chat_id, .. }) => chat == *chat_id,
            (Self::Me | Self::Person, Scope::Session) => true,
            _ => false,
        }
    }

    fn is_shared(self) -> bool {
        matches!(self, Self::Page(_) | Self::Message(_))
    }
}

/// A usual request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The route.
    pub route: Route,
    /// The reader.
    pub reader: Claims,
    /// The position in the reader's request.
    pub seen: Option<Position>,
    /// Path and query.
    pub target: Box<str>,
    /// The content coding in which the reader wants the answer.
    pub coding: Option<Coding>,
}

impl Asked {
    /// Returns a usual request of `reader`.
    #[must_use]
    pub fn read<B: Body>(request: &Request<B>, reader: Claims) -> Option<Self> {
        let (headers, uri) = (request.headers(), request.uri());
        let route = Route::of(uri.path())?;
        let is_plain = request.method() == Method::GET && request.body().is_end_stream();
        if !is_plain || is_unusual(headers, request.version()) {
            return None;
        }
        let seen = if headers.contains_key(EVENT_CURSOR) {
            Some(Position::parse(one(headers, &EVENT_CURSOR)?.as_bytes())?)
        } else {
            None
        };
        let target = uri.path_and_query().map(http::uri::PathAndQuery::as_str)?;
        let coding = permitted(request.method(), headers);
        (target.len() <= MAX_TARGET_CHARACTERS).then(|| Self { route, reader, seen, target: target.into(), coding })
    }

    /// Names the stored answer.
    #[must_use]
    pub fn wanted(&self) -> Wanted<'_> {
        let session_id = if self.route.is_shared() { 0 } else { self.reader.session_id };
        Wanted { workspace_id: self.reader.workspace_id, session_id, target: &self.target, coding: self.coding }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Version;
    use http_body_util::{Empty, Full};

    use super::*;

    const READER: Claims = Claims { user_id: 7, workspace_id: 1, session_id: 9, expires: 0.0 };

    #[test]
    fn only_four_routes_change_by_events_alone() {
        assert_eq!(Route::of("/api/users/me"), Some(Route::Me));
        assert_eq!(Route::of("/api/users/12"), Some(Route::Person));
        assert_eq!(Route::of("/api/chat/12/messages"), Some(Route::Page(12)));
        assert_eq!(Route::of("/api/chat/12/messages/5"), Some(Route::Message(12)));
        for path in [
            "/api/users",
            "/api/users/",
            "/api/users/me/",
            "/api/users/x",
            "/api/chat",
            "/api/chat/12",
            "/api/chat/x/messages",
            "/api/chat/x/messages/5",
            "/api/chat/12/messages/",
            "/api/chat/12/messages/5/",
            "/api/chat/12/messages/5/versions",
            "/api/chat/9007199254740992/messages",
            "/api/sync",
            "/api//users/me",
            "/users/me",
        ] {
            assert_eq!(Route::of(path), None, "{path}");
        }
    }

    fn request(change: impl FnOnce(http::request::Builder) -> http::request::Builder) -> Request<Empty<Bytes>> {
        let builder = Request::builder().uri("/api/users/me?a=1").header("host", "a");
        change(builder).body(Empty::new()).expect("a request")
    }

    #[test]
    fn a_usual_request_has_nothing_that_only_the_app_understands() {
        let asked = Asked::read(&request(|builder| builder.header("event-cursor", "e.5")), READER);
        let asked = asked.expect("a usual request");
        assert_eq!((&*asked.target, asked.wanted().session_id), ("/api/users/me?a=1", 9));
        assert_eq!(asked.seen, Position::parse(b"e.5"));
        for (name, value) in
            [("event-cursor", "x"), ("expect", "100-continue"), ("upgrade", "websocket"), ("host", "b")]
        {
            let unusual = request(|builder| builder.header(name, value));
            assert!(Asked::read(&unusual, READER).is_none(), "{name}");
        }
        let twice = request(|builder| builder.header("event-cursor", "e.5").header("event-cursor", "e.5"));
        assert!(Asked::read(&twice, READER).is_none());
        assert!(Asked::read(&request(|builder| builder.method("HEAD")), READER).is_none());
        assert!(Asked::read(&request(|builder| builder.version(Version::HTTP_10)), READER).is_none());
        assert!(Asked::read(&request(|builder| builder.version(Version::HTTP_2)), READER).is_none());
        let long = format!("/api/users/me?{}", "a".repeat(MAX_TARGET_CHARACTERS));
        assert!(Asked::read(&request(|builder| builder.uri(long)), READER).is_none());
        let with_body = request(|builder| builder).map(|_| Full::new(Bytes::from_static(b"a")));
        assert!(Asked::read(&with_body, READER).is_none());
    }

    #[test]
    fn a_label_fits_its_route_only() {
        let shared = |chat_id| Label { scope: Scope::Chat { chat_id, right: "read".into() }, keys: [].into() };
        let own = Label { scope: Scope::Session, keys: [].into() };
        assert!(Route::Page(1).fits(&shared(1)) && Route::Message(1).fits(&shared(1)));
        assert!(Route::Me.fits(&own) && Route::Person.fits(&own));
        assert!(!Route::Page(1).fits(&shared(2)) && !Route::Page(1).fits(&own) && !Route::Me.fits(&shared(1)));
    }
}
