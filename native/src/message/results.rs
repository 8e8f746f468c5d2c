//! The answer to a request with several messages.

/// The answer to one message.
#[derive(Debug, Clone, Copy)]
pub struct Result<'a> {
    /// The HTTP status of the message.
    pub status: u16,
    /// Whether the message was refused.
    pub is_problem: bool,
    /// The JSON of the stored message, or of the problem.
    pub body: &'a [u8],
}

/// Returns `{"results": [...]}`, with one object for each message in their order.
#[must_use]
pub fn encode_results<'a>(results: impl Iterator<Item = Result<'a>> + Clone) -> Vec<u8> {
    /// More than the length of `,{"status":201,"message":}`.
    const AROUND: usize = 32;
    let bytes = results.clone().map(|result| result.body.len() + AROUND).sum::<usize>() + AROUND;
    let mut out = Vec::with_capacity(bytes);
    out.extend_from_slice(b"{\"results\":[");
    for (at, Result { status, is_problem, body }) in results.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"status\":");
        out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
        let name: &[u8] = if is_problem { b",\"problem\":" } else { b",\"message\":" };
        out.extend_from_slice(name);
        out.extend_from_slice(body);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_one_object_in_the_order_of_the_messages() {
        let results = [(201, false, "{\"id\":1}"), (409, true, "{}")];
        let results = results.map(|(status, is_problem, body)| Result { status, is_problem, body: body.as_bytes() });
        let expected = br#"{"results":[{"status":201,"message":{"id":1}},{"status":409,"problem":{}}]}"#;
        assert_eq!(encode_results(results.into_iter()), expected);
        assert_eq!(encode_results([].into_iter()), b"{\"results\":[]}");
    }
}
