//! The extension module `fechatter._native`: a thin binding that decides nothing.

mod access_log;
mod batch;
mod buffer;
mod cache;
mod cors;
mod errors;
mod forwarded;
mod gateway;
mod http;
mod hub;
mod intake;
mod page;
mod pending;
mod quota;
mod token;

use pyo3::prelude::*;

/// Parses, checks, batches and encodes messages; serves HTTP in front of Python.
#[pymodule(gil_used = false)]
mod _native {
    use pyo3::prelude::*;

    use crate::message::{self, content, key, parse};
    use crate::{confusables, panics};
    use crate::{problem, quota, token};

    #[pymodule_export]
    use super::access_log::AccessLog;
    #[pymodule_export]
    use super::batch::MessageBatch;
    #[pymodule_export]
    use super::buffer::Column;
    #[pymodule_export]
    use super::cache::ResponseCache;
    #[pymodule_export]
    use super::cors::Cors;
    #[pymodule_export]
    use super::errors::{IntakeFull, InvalidMessage, MalformedBody};
    #[pymodule_export]
    use super::forwarded::TrustedProxies;
    #[pymodule_export]
    use super::gateway::{Certificates, Gateway};
    #[pymodule_export]
    use super::http::{
        RequestIds, accepts_coding, is_request_id, matches_tag, problem_body, problem_headers, security_headers,
    };
    #[pymodule_export]
    use super::hub::{Stream, Streams, text_messages};
    #[pymodule_export]
    use super::intake::Intake;
    #[pymodule_export]
    use super::page::{encode_page, encode_results, timestamp};
    #[pymodule_export]
    use super::pending::Pending;
    #[pymodule_export]
    use super::quota::{AtOnce, Meter, Quota};
    #[pymodule_export]
    use super::token::Tokens;

    #[pymodule_export]
    const MAX_CONTENT_CHARACTERS: usize = content::MAX_CHARACTERS;
    #[pymodule_export]
    const MAX_KEY_CHARACTERS: usize = key::MAX_CHARACTERS;
    #[pymodule_export]
    const MAX_BATCH_MESSAGES: usize = parse::MAX_BATCH_MESSAGES;
    #[pymodule_export]
    const MAX_RATE_KEYS: usize = quota::MAX_KEYS;
    #[pymodule_export]
    const PROBLEM_MEDIA_TYPE: &str = problem::MEDIA_TYPE;
    #[pymodule_export]
    const QUOTA_WINDOW_SECONDS: u32 = quota::WINDOW_SECONDS;
    #[pymodule_export]
    const TOKEN_ISSUER: &str = token::ISSUER;
    #[pymodule_export]
    const TOKEN_TYPE: &str = token::TYPE;
    #[pymodule_export]
    const SOURCE_HASH: &str = env!("FECHATTER_SOURCE_HASH");
    #[pymodule_export]
    const BUILD: &str = env!("FECHATTER_BUILD");

    #[pymodule_init]
    #[expect(clippy::unnecessary_wraps, reason = "PyO3 demands a result")]
    fn end_process_on_panic(_module: &Bound<'_, PyModule>) -> PyResult<()> {
        panics::end_process();
        Ok(())
    }

    /// Parse and check the body of one message without extras; returns (content, key).
    #[pyfunction]
    #[pyo3(signature = (body, header_key = None))]
    fn parse_message(py: Python<'_>, body: &[u8], header_key: Option<&str>) -> PyResult<(String, Option<String>)> {
        let parsed = message::parse_message(body, header_key, false);
        let message = parsed.map_err(|rejected| super::errors::rejected(py, &rejected))?;
        Ok((message.content.as_str().to_owned(), message.key.map(key::Key::into_owned)))
    }

    /// Return the skeleton of UTS #39. Two texts look alike if their skeletons are equal.
    #[pyfunction]
    fn skeleton(text: &str) -> String {
        confusables::skeleton(text)
    }
}
