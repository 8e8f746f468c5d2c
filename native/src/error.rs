//! The errors of a body, and of a full intake.

use std::borrow::Cow;
use std::fmt;

/// Maximum number of errors that are reported for one message.
pub const MAX_ERRORS: usize = 16;
/// Maximum number of characters of an unknown field's name in a pointer.
pub const MAX_NAME_CHARACTERS: usize = 64;

/// The body is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// The body is not UTF-8.
    Utf8 {
        /// Position of the first invalid byte.
        at: usize,
    },
    /// The body is UTF-8, but not one JSON value. Contains a description of the error.
    Json(String),
}

impl Malformed {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Utf8 { .. } => "malformed_utf8",
            Self::Json(_) => "malformed_json",
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8 { at } => write!(out, "not UTF-8 at byte {at}"),
            Self::Json(detail) => out.write_str(detail),
        }
    }
}

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error.to_string())
    }
}

/// An error of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) to the field, relative to the message.
    pub pointer: String,
    /// The stable code of the error.
    pub code: &'static str,
    /// A description for people.
    pub detail: Cow<'static, str>,
}

/// The first [`MAX_ERRORS`] errors of one message, in the order of the body.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Adds an error unless the list is full.
    pub fn push(&mut self, pointer: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) {
        if self.0.len() < MAX_ERRORS {
            self.0.push(FieldError { pointer: pointer.into(), code, detail: detail.into() });
        }
    }

    /// Adds an error of the field `name`, which the sender chose.
    pub fn push_named(&mut self, name: &str, code: &'static str, detail: &'static str) {
        let shown: String = name.chars().take(MAX_NAME_CHARACTERS).collect();
        self.push(format!("/{}", shown.replace('~', "~0").replace('/', "~1")), code, detail);
    }

    /// Whether there are no errors.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The errors, in the order in which they were added.
    #[must_use]
    pub fn as_slice(&self) -> &[FieldError] {
        &self.0
    }
}

/// The reason for refusing a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// The body is not JSON (400).
    Malformed(Malformed),
    /// The body is JSON, but not a valid message (422).
    Invalid(FieldErrors),
}

impl From<Malformed> for Rejected {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// The messages do not fit into the intake; nothing was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntakeFull;

impl fmt::Display for IntakeFull {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the intake is full")
    }
}
