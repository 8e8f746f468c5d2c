//! A message from its bytes to checked fields, and from its stored form to bytes again.

pub mod content;
pub mod encode;
pub mod json;
pub mod key;
pub mod parse;
pub mod text;
pub mod timestamp;

pub use content::Content;
pub use key::Key;
pub use parse::{Message, parse_batch, parse_message};
