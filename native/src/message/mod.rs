//! Messages: from a request body to checked fields, and from stored rows to JSON.

pub mod content;
pub mod encode;
pub mod extras;
pub mod fingerprint;
pub mod json;
pub mod key;
pub mod page;
pub mod parse;
pub mod results;
pub mod time;

pub use content::Content;
pub use extras::Extras;
pub use key::Key;
pub use parse::{Message, parse_batch, parse_message};
