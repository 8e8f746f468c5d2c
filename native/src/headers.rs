//! The security headers of every response.

/// The name and the value of a header.
pub type Header = (&'static str, &'static str);

/// The name of the header that limits what a page may load.
pub const CONTENT_POLICY: &str = "content-security-policy";
/// The headers of every response.
const EVERYWHERE: [Header; 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("cross-origin-resource-policy", "same-origin"),
];
/// For a server that people reach over HTTPS.
const HTTPS_ONLY: Header = ("strict-transport-security", "max-age=31536000");
/// For everything that is not a page. A browser that shows it runs and loads nothing.
const NO_DOCUMENT: Header = (CONTENT_POLICY, "default-src 'none'; frame-ancestors 'none'");

/// Returns the security headers of a response.
///
/// `https`: people reach the server over HTTPS. `has_policy`: the response is a page with a content policy of its own.
pub fn security(https: bool, has_policy: bool) -> impl Iterator<Item = Header> {
    let https = https.then_some(HTTPS_ONLY);
    let policy = (!has_policy).then_some(NO_DOCUMENT);
    EVERYWHERE.into_iter().chain(https).chain(policy)
}

#[cfg(test)]
mod tests {
    use super::security;

    #[test]
    fn only_https_and_only_data_have_a_header_of_their_own() {
        let names = |https, has_policy| security(https, has_policy).map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(false, true).len(), 4);
        assert_eq!(names(true, true)[4], "strict-transport-security");
        assert_eq!(names(false, false)[4], "content-security-policy");
        assert_eq!(names(true, false).len(), 6);
    }
}
