//! The labels of an answer: who may receive it again, and which events change it. Clients never receive them.

use std::sync::Arc;

use http::header::{HeaderMap, HeaderName};

use super::log::Key;

const KEYS: HeaderName = HeaderName::from_static("surrogate-key");
const CONTROL: HeaderName = HeaderName::from_static("surrogate-control");
const MAX_KEYS: usize = 8;

/// Who may receive an answer again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The session that received it.
    Session,
    /// Every session that has this right in this chat.
    Chat {
        /// The id of the chat.
        chat_id: i64,
        /// The name of the right. Only the app knows its meaning.
        right: Arc<str>,
    },
}

/// The labels of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Who may receive it.
    pub scope: Scope,
    /// An event with one of these keys changes the answer.
    pub keys: Box<[Key]>,
}

impl Label {
    /// Removes the labels from the headers of an answer and returns them. `None` if they are missing or cannot be
    /// understood.
    #[must_use]
    pub fn take(headers: &mut HeaderMap) -> Option<Self> {
        let (keys, control) = (headers.remove(KEYS)?, headers.remove(CONTROL)?);
        let scope = read_scope(control.to_str().ok()?)?;
        let keys: Box<[Key]> = keys.to_str().ok()?.split(' ').map(read_key).collect::<Option<_>>()?;
        (keys.len() <= MAX_KEYS).then_some(Self { scope, keys })
    }
}

/// Removes the labels from the headers of an answer.
pub fn remove(headers: &mut HeaderMap) {
    headers.remove(KEYS);
    headers.remove(CONTROL);
}

/// Reads `scope=session`, or `scope=chat:12, right=read`.
fn read_scope(text: &str) -> Option<Scope> {
    let scope = text.strip_prefix("scope=")?;
    if scope == "session" {
        return Some(Scope::Session);
    }
    let (chat, right) = scope.strip_prefix("chat:")?.split_once(", right=")?;
    (!right.is_empty()).then_some(Scope::Chat { chat_id: read_id(chat)?, right: right.into() })
}

fn read_key(text: &str) -> Option<Key> {
    let (kind, id) = text.split_once(':')?;
    match kind {
        "chat" => Some(Key::Chat(read_id(id)?)),
        "user" => Some(Key::User(read_id(id)?)),
        _ => None,
    }
}

fn read_id(text: &str) -> Option<i64> {
    text.parse().ok().filter(|id| *id > 0)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn take(keys: &'static str, control: &'static str) -> Option<Label> {
        let mut headers = HeaderMap::new();
        headers.insert(KEYS, HeaderValue::from_static(keys));
        headers.insert(CONTROL, HeaderValue::from_static(control));
        let label = Label::take(&mut headers);
        remove(&mut headers);
        assert!(headers.is_empty());
        label
    }

    #[test]
    fn an_answer_is_for_a_session_or_for_everybody_with_a_right() {
        let shared = Scope::Chat { chat_id: 12, right: "read".into() };
        let label = Label { scope: shared, keys: [Key::Chat(12), Key::User(7)].into() };
        assert_eq!(take("chat:12 user:7", "scope=chat:12, right=read"), Some(label));
        let own = Label { scope: Scope::Session, keys: [Key::User(7)].into() };
        assert_eq!(take("user:7", "scope=session"), Some(own));
    }

    #[test]
    fn labels_that_are_not_understood_label_nothing() {
        for (keys, control) in [
            ("", "scope=session"),
            ("user", "scope=session"),
            ("user:0", "scope=session"),
            ("team:1", "scope=session"),
            ("user:1  user:2", "scope=session"),
            ("chat:1", "scope=chat:1"),
            ("chat:1", "scope=chat:1, right="),
            ("chat:1", "scope=chat:x, right=read"),
            ("chat:1", "scope=everybody"),
            ("chat:1", "session"),
        ] {
            assert_eq!(take(keys, control), None, "{keys} {control}");
        }
        assert_eq!(Label::take(&mut HeaderMap::new()), None);
    }
}
