//! From a body to checked messages. Every error of a message is collected, in the order of the body.

use super::content::Content;
use super::json::{Reader, Value};
use super::key::{self, Key};
use super::text::Text;
use crate::error::{FieldErrors, Malformed, Rejected};

/// The most messages of one batch.
pub const MAX_BATCH_MESSAGES: usize = 100;

/// A message that may enter the intake, borrowed from its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// What people read.
    pub content: Content<'a>,
    /// What makes a repeat known.
    pub key: Option<Key<'a>>,
}

/// Parses `{content, idempotency_key?}`; `header_key` is the text of the `Idempotency-Key` header.
///
/// # Errors
/// [`Rejected`], with every field's errors.
pub fn parse_message<'a>(body: &'a [u8], header_key: Option<&'a str>) -> Result<Message<'a>, Rejected> {
    let mut reader = Reader::new(body)?;
    let message = read_message(&mut reader, header_key)?;
    reader.finish()?;
    message.map_err(Rejected::Invalid)
}

/// Parses `{messages: [{content, idempotency_key?}, … 1 to 100]}`; each message has its own outcome.
///
/// # Errors
/// [`Rejected`] when there is no such list; pointers then begin at the body's root, else at the message's.
pub fn parse_batch(body: &[u8]) -> Result<Vec<Result<Message<'_>, FieldErrors>>, Rejected> {
    let mut reader = Reader::new(body)?;
    let mut fields = EnvelopeFields::default();
    if reader.peek() == b'{' {
        reader.members(|reader, name| fields.read(reader, name))?;
        if !fields.seen {
            fields.errors.push("/messages", "missing", "required");
        }
    } else {
        reader.value()?;
        fields.errors.push("", "invalid_type", "must be an object");
    }
    reader.finish()?;
    if fields.errors.is_empty() { Ok(fields.messages) } else { Err(Rejected::Invalid(fields.errors)) }
}

fn read_message<'a>(
    reader: &mut Reader<'a>,
    header_key: Option<&'a str>,
) -> Result<Result<Message<'a>, FieldErrors>, Malformed> {
    let mut fields = MessageFields::default();
    if reader.peek() == b'{' {
        reader.members(|reader, name| fields.read(reader, name))?;
        return Ok(fields.finish(header_key));
    }
    reader.value()?;
    fields.errors.push("", "invalid_type", "must be an object");
    Ok(Err(fields.errors))
}

/// A field of the body: not there, there and right, or there and wrong (and told so).
#[derive(Debug, Default)]
enum Field<T> {
    #[default]
    Missing,
    Right(T),
    Wrong,
}

impl<T> Field<T> {
    fn from_checked(checked: Option<T>) -> Self {
        checked.map_or(Self::Wrong, Self::Right)
    }
}

#[derive(Debug, Default)]
struct MessageFields<'a> {
    content: Field<Content<'a>>,
    /// `None` inside is a key that was given as `null`.
    key: Field<Option<Key<'a>>>,
    errors: FieldErrors,
}

impl<'a> MessageFields<'a> {
    fn read(&mut self, reader: &mut Reader<'a>, name: Text<'a>) -> Result<(), Malformed> {
        let value = reader.value()?;
        let name = name.decode_for_display();
        match name.as_ref() {
            "content" if matches!(self.content, Field::Missing) => self.content = self.check_content(value),
            "idempotency_key" if matches!(self.key, Field::Missing) => self.key = self.check_key(value),
            "content" | "idempotency_key" => self.errors.push_named(&name, "duplicate_field", "given twice"),
            _ => self.errors.push_named(&name, "unknown_field", "no such field"),
        }
        Ok(())
    }

    fn check_content(&mut self, value: Value<'a>) -> Field<Content<'a>> {
        if let Value::Text(text) = value {
            return Field::from_checked(Content::check(text, &mut self.errors));
        }
        self.errors.push("/content", "invalid_type", "must be a string");
        Field::Wrong
    }

    fn check_key(&mut self, value: Value<'a>) -> Field<Option<Key<'a>>> {
        match value {
            Value::Null => return Field::Right(None),
            Value::Other => self.errors.push(key::POINTER, "invalid_type", "must be a string or null"),
            Value::Text(text) => match text.decode() {
                Ok(text) => return Field::from_checked(key::check(text, &mut self.errors).map(Some)),
                Err(_) => key::push_invalid(&mut self.errors),
            },
        }
        Field::Wrong
    }

    fn finish(mut self, header_key: Option<&'a str>) -> Result<Message<'a>, FieldErrors> {
        if matches!(self.content, Field::Missing) {
            self.errors.push("/content", "missing", "required");
        }
        let key = self.join_keys(header_key);
        match self.content {
            Field::Right(content) if self.errors.is_empty() => Ok(Message { content, key }),
            _ => Err(self.errors),
        }
    }

    /// The one key of body and header.
    fn join_keys(&mut self, header_key: Option<&'a str>) -> Option<Key<'a>> {
        let body_key = match std::mem::take(&mut self.key) {
            Field::Right(key) => key,
            Field::Missing => None,
            Field::Wrong => return None,
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
    errors: FieldErrors,
}

impl<'a> EnvelopeFields<'a> {
    fn read(&mut self, reader: &mut Reader<'a>, name: Text<'a>) -> Result<(), Malformed> {
        let name = name.decode_for_display();
        if name != "messages" {
            self.errors.push_named(&name, "unknown_field", "no such field");
        } else if self.seen {
            self.errors.push_named(&name, "duplicate_field", "given twice");
        } else {
            self.seen = true;
            return self.read_messages(reader);
        }
        reader.value().map(drop)
    }

    fn read_messages(&mut self, reader: &mut Reader<'a>) -> Result<(), Malformed> {
        if reader.peek() != b'[' {
            self.errors.push("/messages", "invalid_type", "must be a list");
            return reader.value().map(drop);
        }
        let mut count = 0;
        reader.elements(|reader| {
            count += 1;
            // Messages past the limit are counted, not kept: the batch is refused anyway.
            if count > MAX_BATCH_MESSAGES {
                return reader.value().map(drop);
            }
            self.messages.push(read_message(reader, None)?);
            Ok(())
        })?;
        if count == 0 {
            self.errors.push("/messages", "empty", "must not be empty");
        } else if count > MAX_BATCH_MESSAGES {
            let detail = format!("{count} messages; at most {MAX_BATCH_MESSAGES}");
            self.errors.push("/messages", "too_many", detail);
        }
        Ok(())
    }
}
