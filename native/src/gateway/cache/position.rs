//! A position in the event log of a workspace, as text `era.number`.

use std::fmt;

const MAX_ERA_CHARACTERS: usize = 32;
const MAX_DIGITS: usize = 16;

/// A number of the log, and the era in which the event got this number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The era of `seq`.
    pub era: Box<str>,
    /// The number of an event.
    pub seq: u64,
}

impl Position {
    /// Reads the text of the header `Event-Cursor`. `None` if it is not a position.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (era, digits) = std::str::from_utf8(text).ok()?.rsplit_once('.')?;
        let is_era = (1..=MAX_ERA_CHARACTERS).contains(&era.len()) && era.bytes().all(|byte| byte.is_ascii_graphic());
        let is_number = (1..=MAX_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        (is_era && is_number).then(|| Some(Self { era: era.into(), seq: digits.parse().ok()? })).flatten()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.era, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn a_position_is_an_era_and_a_number() {
        let parsed = Position::parse(b"a.b.17").expect("a position");
        assert_eq!((&*parsed.era, parsed.seq, parsed.to_string().as_str()), ("a.b", 17, "a.b.17"));
        for text in ["", "a", "a.", ".1", "a.-1", "a.1 ", "a b.1", "a.12345678901234567", "\u{e9}.1"] {
            assert_eq!(Position::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Position::parse(format!("{}.1", "a".repeat(33)).as_bytes()), None);
    }
}
