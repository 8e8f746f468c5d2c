//! A JSON reader (RFC 8259) that copies nothing, builds nothing, and is bounded in depth.

use super::text::Text;
use crate::error::Malformed;

/// Objects and lists may lie this deep in one another; a message needs three levels.
pub const MAX_DEPTH: usize = 32;

/// A JSON value. Only strings and objects keep a reference to their source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string.
    Text(Text<'a>),
    /// An object, from its opening to its closing brace.
    Object(&'a str),
    /// `null`.
    Null,
    /// A number, `true`, `false` or a list.
    Other,
}

/// Walks one JSON text from its start to its end.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Checks that `body` is UTF-8 and stands before its first value.
    ///
    /// # Errors
    /// [`Malformed::Utf8`].
    pub fn new(body: &'a [u8]) -> Result<Self, Malformed> {
        // The quick check does not say where; only a bad body pays for the one that does.
        let text = match simdutf8::basic::from_utf8(body) {
            Ok(text) => text,
            Err(_) => std::str::from_utf8(body).map_err(|error| Malformed::Utf8 { at: error.valid_up_to() })?,
        };
        let mut reader = Self { text, at: 0, depth: 0 };
        reader.skip_space();
        Ok(reader)
    }

    /// The next byte; `0`, which begins no JSON token, at the end.
    #[must_use]
    pub fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Checks that nothing follows the value.
    ///
    /// # Errors
    /// [`Malformed::Json`] when something does.
    pub fn finish(&mut self) -> Result<(), Malformed> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.malformed("something after the value")) }
    }

    /// Reads any value.
    ///
    /// # Errors
    /// [`Malformed::Json`] when there is none.
    pub fn value(&mut self) -> Result<Value<'a>, Malformed> {
        match self.peek() {
            b'"' => return self.string().map(Value::Text),
            b'{' => return self.object().map(Value::Object),
            b'[' => self.elements(|reader| reader.value().map(drop))?,
            b'n' => return self.literal("null").map(|()| Value::Null),
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            _ => self.number()?,
        }
        Ok(Value::Other)
    }

    fn object(&mut self) -> Result<&'a str, Malformed> {
        let start = self.at;
        self.members(|reader, _| reader.value().map(drop))?;
        Ok(&self.text[start..self.at])
    }

    /// Reads an object; `each` gets a member's name and must read its value.
    ///
    /// # Errors
    /// [`Malformed::Json`], also from `each`.
    pub fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, Text<'a>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.sequence(b'}', |reader| {
            if reader.peek() != b'"' {
                return Err(reader.malformed("expected a name"));
            }
            let name = reader.string()?;
            reader.skip_space();
            reader.expect(b':', "expected a colon")?;
            reader.skip_space();
            each(reader, name)
        })
    }

    /// Reads a list; `each` must read one value.
    ///
    /// # Errors
    /// [`Malformed::Json`], also from `each`.
    pub fn elements(&mut self, each: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.sequence(b']', each)
    }

    /// Reads what stands between an opening bracket, which is next, and `closing`, parted by commas.
    fn sequence(
        &mut self,
        closing: u8,
        mut each: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        if self.depth == MAX_DEPTH {
            return Err(self.malformed("too deep"));
        }
        self.depth += 1;
        self.at += 1;
        self.skip_space();
        if self.peek() != closing {
            loop {
                each(self)?;
                self.skip_space();
                if self.peek() == closing {
                    break;
                }
                self.expect(b',', "expected a comma")?;
                self.skip_space();
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    /// Reads a string, whose opening quote is next.
    fn string(&mut self) -> Result<Text<'a>, Malformed> {
        let start = self.at + 1;
        let mut escaped = false;
        self.at = start;
        loop {
            self.at += plain_length(&self.text.as_bytes()[self.at..]);
            match self.peek() {
                b'"' => break,
                b'\\' => self.escape()?,
                _ if self.at == self.text.len() => return Err(self.malformed("a string without an end")),
                _ => return Err(self.malformed("a control character in a string")),
            }
            escaped = true;
        }
        self.at += 1;
        Ok(Text::new(&self.text[start..self.at - 1], escaped))
    }

    /// Passes one escape, whose backslash is next.
    fn escape(&mut self) -> Result<(), Malformed> {
        let length = match self.text.as_bytes()[self.at + 1..] {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return Err(self.malformed("a bad escape")),
        };
        self.at += length;
        Ok(())
    }

    fn number(&mut self) -> Result<(), Malformed> {
        if self.peek() == b'-' {
            self.at += 1;
        }
        match self.peek() {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let digits = self.text.as_bytes()[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Err(self.malformed("expected a value"));
        }
        self.at += digits;
        Ok(())
    }

    fn literal(&mut self, word: &str) -> Result<(), Malformed> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.malformed("expected a value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), Malformed> {
        if self.peek() != byte {
            return Err(self.malformed(reason));
        }
        self.at += 1;
        Ok(())
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    #[cold]
    fn malformed(&self, reason: &'static str) -> Malformed {
        Malformed::Json { reason, at: self.at }
    }
}

/// How many bytes from the start stand for themselves in a JSON string: no quote, backslash or C0 control.
#[must_use]
pub fn plain_length(bytes: &[u8]) -> usize {
    // Whole blocks without an early exit become vector instructions.
    const BLOCK: usize = 32;
    let blocks =
        bytes.chunks_exact(BLOCK).take_while(|block| !block.iter().fold(false, |any, &byte| any | is_special(byte)));
    let clean = blocks.count() * BLOCK;
    clean + bytes[clean..].iter().take_while(|&&byte| !is_special(byte)).count()
}

/// Whether a JSON string cannot hold this byte as it is.
#[expect(clippy::needless_bitwise_bool, reason = "without branches the loop becomes vector instructions")]
#[must_use]
pub fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(body)?;
        reader.value()?;
        reader.finish()
    }

    #[test]
    fn every_kind_of_value_is_read() {
        for body in [
            r#" {"a" : [1, -0.5e+3, 1E9, 0, true, false, null, "x", {}, [ ]] } "#,
            "\t\"\\u00e9\\n\"\r\n",
            "-0",
            "[[],{}]",
        ] {
            assert_eq!(read(body.as_bytes()), Ok(()), "{body}");
        }
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for body in [
            "",
            " ",
            "{",
            "[",
            "]",
            "{]",
            "[}",
            "[1,]",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "01",
            "1.",
            ".5",
            "-",
            "+1",
            "1e",
            "nul",
            "nulll",
            "True",
            "NaN",
            "-Infinity",
            "1 2",
            "\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u123",
            "\"a\nb\"",
            "\"\0\"",
            "'a'",
            "\u{feff}1",
            "\u{a0}1",
            "[1 2]",
            "{\"a\" 1}",
            "//",
            "\"\\",
        ] {
            assert!(matches!(read(body.as_bytes()), Err(Malformed::Json { .. })), "{body:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_told_with_their_place() {
        assert_eq!(read(b"\"ab\xff\""), Err(Malformed::Utf8 { at: 3 }));
        assert_eq!(read(b"\"\xed\xa0\x80\""), Err(Malformed::Utf8 { at: 1 }));
        assert_eq!(read(b"\"\xc0\xaf\""), Err(Malformed::Utf8 { at: 1 }));
        assert_eq!(read(b"\"\xf4\x90\x80\x80\""), Err(Malformed::Utf8 { at: 1 }));
        assert_eq!(read(b"\"\xf0\x9f\x98"), Err(Malformed::Utf8 { at: 1 }));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(read(nested(MAX_DEPTH).as_bytes()), Ok(()));
        let deeper = read(nested(MAX_DEPTH + 1).as_bytes());
        assert_eq!(deeper, Err(Malformed::Json { reason: "too deep", at: MAX_DEPTH }));
        assert!(read("[".repeat(1_000_000).as_bytes()).is_err());
        assert!(read("{\"a\":".repeat(1_000_000).as_bytes()).is_err());
    }

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for length in 0..100 {
            for special in [b'"', b'\\', 0x1f] {
                let mut bytes = vec![b'a'; length];
                bytes.extend([special, b'b', b'"']);
                assert_eq!(plain_length(&bytes), length);
            }
            assert_eq!(plain_length(&vec![0xf0; length]), length);
        }
    }
}
