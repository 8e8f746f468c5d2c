//! The optional fields of a message: one JSON object that this crate does not interpret.

/// A JSON object in the body, already known to be well-formed. Python checks its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extras<'a> {
    raw: &'a str,
}

impl<'a> Extras<'a> {
    /// Wraps an object that the reader has checked.
    #[must_use]
    pub(super) fn new(raw: &'a str) -> Self {
        Self { raw }
    }

    /// The object without line breaks. A line break would end the SSE frame; in JSON it is insignificant white space.
    pub fn lines(self) -> impl Iterator<Item = &'a str> {
        self.raw.split(['\n', '\r'])
    }

    /// Appends the object to `out`.
    pub fn append_to(self, out: &mut String) {
        out.extend(self.lines());
    }

    /// Size of the appended text in bytes.
    #[must_use]
    pub fn len_bytes(self) -> usize {
        self.lines().map(str::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_line_breaks_are_removed() {
        let extras = Extras::new("{\r\n \"a\\n\" :\t[1,\n2]\r}");
        let mut text = String::new();
        extras.append_to(&mut text);
        assert_eq!(text, "{ \"a\\n\" :\t[1,2]}");
        assert_eq!(extras.len_bytes(), text.len());
    }
}
