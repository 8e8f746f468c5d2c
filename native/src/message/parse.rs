//! Turns a body into checked messages. Collects every error of a message, in the order of the body.

use serde_json::value::RawValue;

use super::content::{self, Content};
use super::extras::Extras;
use super::fingerprint::fingerprint;
use super::json::{self, Kind};
use super::key::{self, Key};
use crate::error::{FieldErrors, Malformed, Rejected};

/// Maximum number of messages in one request.
pub const MAX_BATCH_MESSAGES: usize = 100;

/// A valid message that borrows from its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// The text that people read.
    pub content: Content<'a>,
    /// The idempotency key.
    pub key: Option<Key<'a>>,
    /// The other optional fields.
    pub extras: Option<Extras<'a>>,
}

impl Message<'_> {
    /// Returns the [`fingerprint()`] of content and extras.
    #[must_use]
    pub fn fingerprint(&self) -> i64 {
        fingerprint(&self.content, self.extras)
    }

    /// Size of content and extras in a batch, in bytes.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.content.as_str().len() + self.extras.map_or(0, Extras::len_bytes)
    }
}

/// Parses `{content, idempotency_key?, extras?}`. `header_key` is the value of the `Idempotency-Key` header. Unless
/// `extras_allowed`, the field `extras` is unknown.
///
/// # Errors
/// [`Rejected`], with the errors of all fields.
pub fn parse_message<'a>(
    body: &'a [u8],
    header_key: Option<&'a str>,
    extras_allowed: bool,
) -> Result<Message<'a>, Rejected> {
    let json = json::utf8(body)?;
    let message = read_message(json, header_key, extras_allowed)?;
    check_depth(json, std::slice::from_ref(&message))?;
    message.map_err(Rejected::Invalid)
}

/// Parses `{messages: [...]}` with 1 to 100 messages as in [`parse_message`]. Each message is accepted or refused
/// separately, and the pointers of its errors start at the message.
///
/// # Errors
/// [`Rejected`] if the body has no such list. The pointers of these errors start at the body.
pub fn parse_batch(body: &[u8], extras_allowed: bool) -> Result<Vec<Result<Message<'_>, FieldErrors>>, Rejected> {
    let json = json::utf8(body)?;
    let mut fields = EnvelopeFields { extras_allowed, ..EnvelopeFields::default() };
    if !json::members(json, |name, value| fields.read(name, value))? {
        fields.errors.push("", "invalid_type", "must be an object");
    } else if !fields.seen {
        fields.errors.push("/messages", "missing", "required");
    }
    if fields.errors.is_empty() {
        check_depth(json, &fields.messages)?;
        return Ok(fields.messages);
    }
    json::check_depth(json)?;
    Err(Rejected::Invalid(fields.errors))
}

/// Checks the depth of a body with extras or errors. In any other body, the fields are strings.
fn check_depth(json: &str, messages: &[Result<Message<'_>, FieldErrors>]) -> Result<(), Malformed> {
    let has_only_strings = |message: &Result<Message<'_>, _>| matches!(message, Ok(Message { extras: None, .. }));
    if messages.iter().all(has_only_strings) { Ok(()) } else { json::check_depth(json) }
}

fn read_message<'a>(
    json: &'a str,
    header_key: Option<&'a str>,
    extras_allowed: bool,
) -> Result<Result<Message<'a>, FieldErrors>, Malformed> {
    let mut fields = MessageFields { extras_allowed, ..MessageFields::default() };
    if json::members(json, |name, value| fields.read(name, value))? {
        return Ok(fields.finish(header_key));
    }
    fields.errors.push("", "invalid_type", "must be an object");
    Ok(Err(fields.errors))
}

/// The state of a field. The error of an invalid field is already in the list.
#[derive(Debug, Default)]
enum Field<T> {
    #[default]
    Missing,
    Valid(T),
    Invalid,
}

impl<T> Field<T> {
    fn from_checked(checked: Option<T>) -> Self {
        checked.map_or(Self::Invalid, Self::Valid)
    }
}

#[derive(Debug, Default)]
struct MessageFields<'a> {
    content: Field<Content<'a>>,
    /// The inner `None` is a key with the value `null`.
    key: Field<Option<Key<'a>>>,
    extras: Field<Extras<'a>>,
    extras_allowed: bool,
    errors: FieldErrors,
}

impl<'a> MessageFields<'a> {
    fn read(&mut self, name: &'a RawValue, value: &'a RawValue) {
        let name = json::text_for_display(name);
        match name.as_ref() {
            "content" if matches!(self.content, Field::Missing) => self.content = self.check_content(value),
            "idempotency_key" if matches!(self.key, Field::Missing) => self.key = self.check_key(value),
            "extras" if !self.extras_allowed => self.errors.push_named(&name, "unknown_field", "no such field"),
            "extras" if matches!(self.extras, Field::Missing) => self.extras = self.check_extras(value),
            "content" | "idempotency_key" | "extras" => {
                self.errors.push_named(&name, "duplicate_field", "given twice");
            }
            _ => self.errors.push_named(&name, "unknown_field", "no such field"),
        }
    }

    fn check_content(&mut self, value: &'a RawValue) -> Field<Content<'a>> {
        if json::kind(value) != Kind::Text {
            self.errors.push(content::POINTER, "invalid_type", "must be a string");
            return Field::Invalid;
        }
        let Ok(text) = json::text(value) else {
            self.errors.push(content::POINTER, "invalid_character", "a lone surrogate is not a character");
            return Field::Invalid;
        };
        Field::from_checked(Content::check(text, &mut self.errors))
    }

    fn check_key(&mut self, value: &'a RawValue) -> Field<Option<Key<'a>>> {
        match json::kind(value) {
            Kind::Text => match json::text(value) {
                Ok(text) => return Field::from_checked(key::check(text, &mut self.errors).map(Some)),
                Err(json::LoneSurrogate) => key::push_invalid(&mut self.errors),
            },
            Kind::Null => return Field::Valid(None),
            _ => self.errors.push(key::POINTER, "invalid_type", "must be a string or null"),
        }
        Field::Invalid
    }

    fn check_extras(&mut self, value: &'a RawValue) -> Field<Extras<'a>> {
        if json::kind(value) == Kind::Object {
            return Field::Valid(Extras::new(value.get()));
        }
        self.errors.push("/extras", "invalid_type", "must be an object");
        Field::Invalid
    }

    fn finish(mut self, header_key: Option<&'a str>) -> Result<Message<'a>, FieldErrors> {
        if matches!(self.content, Field::Missing) {
            self.errors.push("/content", "missing", "required");
        }
        let key = self.join_keys(header_key);
        let extras = if let Field::Valid(extras) = self.extras { Some(extras) } else { None };
        match self.content {
            Field::Valid(content) if self.errors.is_empty() => Ok(Message { content, key, extras }),
            _ => Err(self.errors),
        }
    }

    /// Returns the key of the body or the header. Adds an error if they differ, or if the key of the header is invalid.
    fn join_keys(&mut self, header_key: Option<&'a str>) -> Option<Key<'a>> {
        let body_key = match std::mem::take(&mut self.key) {
            Field::Valid(key) => key,
            Field::Missing => None,
            Field::Invalid => return None,
        };
        match (body_key, header_key) {
            (Some(body_key), Some(header_key)) if body_key != header_key => {
                self.errors.push(key::POINTER, "key_mismatch", "differs from the Idempotency-Key header");
                None
            }
            (Some(body_key), _) => Some(body_key),
            (None, Some(header_key)) => key::check(header_key.into(), &mut self.errors),
            (None, None) => None,
        }
    }
}

#[derive(Debug, Default)]
struct EnvelopeFields<'a> {
    messages: Vec<Result<Message<'a>, FieldErrors>>,
    seen: bool,
    extras_allowed: bool,
    errors: FieldErrors,
}

impl<'a> EnvelopeFields<'a> {
    fn read(&mut self, name: &'a RawValue, value: &'a RawValue) {
        let name = json::text_for_display(name);
        if name != "messages" {
            self.errors.push_named(&name, "unknown_field", "no such field");
        } else if self.seen {
            self.errors.push_named(&name, "duplicate_field", "given twice");
        } else {
            self.seen = true;
            self.read_messages(value);
        }
    }

    fn read_messages(&mut self, list: &'a RawValue) {
        if json::kind(list) != Kind::List {
            self.errors.push("/messages", "invalid_type", "must be a list");
            return;
        }
        let mut count = 0;
        json::elements(list, |message| {
            count += 1;
            // Messages beyond the limit are only counted, because the whole batch is refused.
            if count <= MAX_BATCH_MESSAGES {
                let message = read_message(message.get(), None, self.extras_allowed);
                self.messages.push(message.expect("a RawValue is well-formed"));
            }
        });
        if count == 0 {
            self.errors.push("/messages", "empty", "must not be empty");
        } else if count > MAX_BATCH_MESSAGES {
            let detail = format!("{count} messages; at most {MAX_BATCH_MESSAGES}");
            self.errors.push("/messages", "too_many", detail);
        }
    }
}
