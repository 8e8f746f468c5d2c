//! Encodes a page of a chat's history from the rows that the database has packed into one value.
//!
//! A packed row is `[id,number,sender_id,revision,created_at,edited_at,deleted_at,C,E]`, C bytes of content and E bytes
//! of extras. Times are milliseconds since 1970. A value that is NULL is `null` or empty. Rows are in any order.

use super::encode::{Shown, write_message};
use super::time::Timestamp;

/// The packed rows are damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The part of a chat's history that a page shows.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Messages with lower numbers are older, the others are newer.
    pub split: i64,
    /// Maximum number of older messages. The rows contain one more, if there is one.
    pub older: usize,
    /// Maximum number of newer messages. The rows contain one more, if there is one.
    pub newer: usize,
}

/// Encodes the page, newest first. Returns its JSON and the number of rows that were read.
///
/// # Errors
/// `packed` has another format.
pub fn encode(packed: &[u8], chat_id: i64, place: Place) -> Result<(Vec<u8>, usize), Malformed> {
    let mut rows = parse(packed)?;
    rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.number));
    let (newer, older) = rows.split_at(rows.partition_point(|row| row.number >= place.split));
    let (newer_count, older_count) = place.counts(newer.len(), older.len());
    let shown = newer[newer.len() - newer_count..].iter().chain(&older[..older_count]);
    let mut body = Vec::with_capacity(packed.len() + rows.len() * 192 + 64);
    body.extend_from_slice(b"{\"items\":[");
    for (index, row) in shown.enumerate() {
        if index > 0 {
            body.push(b',');
        }
        row.write(&mut body, chat_id)?;
        body.push(b'}');
    }
    body.extend_from_slice(b"],\"has_older\":");
    body.extend_from_slice(if older.len() > older_count { b"true" } else { b"false" });
    body.extend_from_slice(b",\"has_newer\":");
    body.extend_from_slice(if newer.len() > newer_count { b"true}" } else { b"false}" });
    Ok((body, rows.len()))
}

impl Place {
    /// Returns how many newer and older messages the page shows. If it shows both, each side has at least its half.
    fn counts(self, newer: usize, older: usize) -> (usize, usize) {
        let limit = self.older.max(self.newer);
        let wanted = (limit / 2).max(limit - older.min(self.older));
        let newer = newer.min(self.newer).min(wanted);
        (newer, older.min(self.older).min(limit - newer))
    }
}

struct Row<'a> {
    id: i64,
    number: i64,
    sender_id: i64,
    revision: i64,
    created_at: i64,
    edited_at: Option<i64>,
    deleted_at: Option<i64>,
    content: &'a str,
    extras: Option<&'a str>,
}

impl Row<'_> {
    fn write(&self, out: &mut Vec<u8>, chat_id: i64) -> Result<(), Malformed> {
        let time = |milliseconds| Timestamp::new(milliseconds).ok_or(Malformed);
        let created_at = time(self.created_at)?;
        let edited_at = self.edited_at.map(time).transpose()?;
        let deleted_at = self.deleted_at.map(time).transpose()?;
        let message = Shown {
            id: self.id,
            chat_id,
            number: self.number,
            sender_id: self.sender_id,
            content: self.content,
            revision: self.revision,
            created_at: created_at.as_str(),
            edited_at: edited_at.as_ref().map(Timestamp::as_str),
            deleted_at: deleted_at.as_ref().map(Timestamp::as_str),
            extras: self.extras,
        };
        write_message(out, &message);
        Ok(())
    }
}

fn parse(packed: &[u8]) -> Result<Vec<Row<'_>>, Malformed> {
    let mut reader = Reader { rest: simdutf8::basic::from_utf8(packed).map_err(|_| Malformed)? };
    let mut rows = Vec::new();
    while !reader.rest.is_empty() {
        rows.push(reader.row()?);
    }
    Ok(rows)
}

/// Reads packed rows from the front of `rest`.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn row(&mut self) -> Result<Row<'a>, Malformed> {
        self.rest = self.rest.strip_prefix('[').ok_or(Malformed)?;
        let mut row = Row {
            id: self.number(b',')?,
            number: self.number(b',')?,
            sender_id: self.number(b',')?,
            revision: self.number(b',')?,
            created_at: self.number(b',')?,
            edited_at: self.optional(b',')?,
            deleted_at: self.optional(b',')?,
            content: "",
            extras: None,
        };
        let content_bytes = self.number(b',')?;
        let extras_bytes = self.optional(b']')?;
        row.content = self.text(content_bytes)?;
        row.extras = extras_bytes.map(|bytes| self.text(bytes)).transpose()?;
        Ok(row)
    }

    fn number(&mut self, end: u8) -> Result<i64, Malformed> {
        self.optional(end)?.ok_or(Malformed)
    }

    /// Reads a number up to the byte `end`, or None for a value that is NULL.
    fn optional(&mut self, end: u8) -> Result<Option<i64>, Malformed> {
        let at = self.rest.bytes().position(|byte| byte == end).ok_or(Malformed)?;
        let text = &self.rest[..at];
        self.rest = &self.rest[at + 1..];
        if matches!(text, "" | "null") { Ok(None) } else { text.parse().map(Some).map_err(|_| Malformed) }
    }

    fn text(&mut self, bytes: i64) -> Result<&'a str, Malformed> {
        let (text, rest) =
            usize::try_from(bytes).ok().and_then(|at| self.rest.split_at_checked(at)).ok_or(Malformed)?;
        self.rest = rest;
        Ok(text)
    }
}
