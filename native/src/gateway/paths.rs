//! Matches paths with prefixes, however the path is spelled.

use std::borrow::Cow;

/// Whether the path is the prefix, or below it.
#[must_use]
pub fn is_below(path: &str, prefix: &str) -> bool {
    let Some(rest) = path.strip_prefix(prefix) else { return false };
    rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/')
}

/// Returns the path as a server may understand it: decoded, without empty segments, `.` and `..`.
#[must_use]
pub fn plain(path: &str) -> Cow<'_, str> {
    let is_plain = !path.contains(['%', '\\', ';']) && !path.contains("//") && !path.contains("/.");
    if is_plain { Cow::Borrowed(path) } else { Cow::Owned(resolve(&decode(path))) }
}

fn decode(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let decoded = digits.filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match decoded.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).replace('\\', "/")
}

fn resolve(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        // Some servers ignore the text after a semicolon.
        match segment.split(';').next().unwrap_or_default() {
            "" | "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    format!("/{}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_matches_whole_segments() {
        assert!(is_below("/api", "/api") && is_below("/api/chat", "/api") && is_below("/api/chat", "/api/"));
        assert!(is_below("/anything", "/") && !is_below("/apis", "/api") && !is_below("/ap", "/api"));
    }

    #[test]
    fn the_spelling_of_a_path_does_not_matter() {
        for path in ["/%61pi/x", "//api//x", "/./api/x", "/b/../api/x", "/api;v=1/x", "/%2e%2E/api/x", "\\api\\x"] {
            assert_eq!(plain(path), "/api/x", "{path}");
        }
        assert_eq!(plain("/../.."), "/");
        assert_eq!(plain("/a%zz%"), "/a%zz%");
        assert!(matches!(plain("/api/x.y"), Cow::Borrowed("/api/x.y")));
    }
}
