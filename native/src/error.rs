//! Everything that can be wrong with a body, and a full intake.

use std::borrow::Cow;
use std::fmt;

/// At most this many errors of one message are told; the rest would only repeat a broken client's habit.
pub const MAX_ERRORS: usize = 16;
/// At most this many characters of an unknown field's name are repeated to its sender.
pub const MAX_NAME_CHARACTERS: usize = 64;

/// The body is no JSON text at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// Not UTF-8 from this byte on.
    Utf8 {
        /// Bytes before the first bad one.
        at: usize,
    },
    /// UTF-8, but not one JSON value.
    Json {
        /// What was wrong.
        reason: &'static str,
        /// Bytes before it.
        at: usize,
    },
}

impl Malformed {
    /// The stable code of the problem.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Utf8 { .. } => "malformed_utf8",
            Self::Json { .. } => "malformed_json",
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8 { at } => write!(out, "not UTF-8 at byte {at}"),
            Self::Json { reason, at } => write!(out, "{reason} at byte {at}"),
        }
    }
}

/// One thing wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) of the field, from the message's root.
    pub pointer: String,
    /// The stable code of the problem.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: Cow<'static, str>,
}

/// The first [`MAX_ERRORS`] errors of one message, in the order of the body.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Adds an error, unless there are enough.
    pub fn push(&mut self, pointer: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) {
        if self.0.len() < MAX_ERRORS {
            self.0.push(FieldError { pointer: pointer.into(), code, detail: detail.into() });
        }
    }

    /// Adds an error at the field `name`, which the sender chose.
    pub fn push_named(&mut self, name: &str, code: &'static str, detail: &'static str) {
        let shown: String = name.chars().take(MAX_NAME_CHARACTERS).collect();
        self.push(format!("/{}", shown.replace('~', "~0").replace('/', "~1")), code, detail);
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The errors, oldest first.
    #[must_use]
    pub fn as_slice(&self) -> &[FieldError] {
        &self.0
    }
}

/// Why a body did not become a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// No JSON (400).
    Malformed(Malformed),
    /// JSON, but not this message (422).
    Invalid(FieldErrors),
}

impl From<Malformed> for Rejected {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// The waiting batch has no room; nothing was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntakeFull;

impl fmt::Display for IntakeFull {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the intake is full")
    }
}
