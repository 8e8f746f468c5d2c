//! Which representation of a file a client accepts or has already (RFC 9110, sections 12.5.3 and 13.1.2).

/// Whether an `Accept-Encoding` header names the coding with a weight above zero.
#[must_use]
pub fn accepts_coding(header: &str, coding: &str) -> bool {
    header.split(',').any(|part| {
        let (name, parameter) = part.split_once(';').unwrap_or((part, ""));
        name.trim().eq_ignore_ascii_case(coding) && !is_zero(parameter.trim())
    })
}

/// Whether a weight such as `q=0.00` is zero.
fn is_zero(parameter: &str) -> bool {
    let Some((name, weight)) = parameter.split_once('=') else { return false };
    name.trim().eq_ignore_ascii_case("q") && weight.trim().parse::<f64>().is_ok_and(|weight| weight <= 0.0)
}

/// Whether an `If-None-Match` header contains the tag, which includes its quotes.
#[must_use]
pub fn matches_tag(header: &str, tag: &str) -> bool {
    header.split(',').any(|given| {
        let given = given.trim();
        given.strip_prefix("W/").unwrap_or(given) == tag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_accepted_unless_its_weight_is_zero() {
        for header in ["br", "gzip, BR", "gzip;q=0.5, br;q=0.1", "br ; q=1", "br;level=3"] {
            assert!(accepts_coding(header, "br"), "{header}");
        }
        for header in ["", "gzip", "br;q=0", "br; q = 0.000", "brotli", "*"] {
            assert!(!accepts_coding(header, "br"), "{header}");
        }
    }

    #[test]
    fn a_tag_matches_strong_and_weak() {
        for header in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", " \"a\" "] {
            assert!(matches_tag(header, "\"a\""), "{header}");
        }
        for header in ["", "a", "\"ab\"", "*"] {
            assert!(!matches_tag(header, "\"a\""), "{header}");
        }
    }
}
