//! The functions of the extension.

use std::hint::black_box;

use fechatter_native::batch::{Columns, Origin};
use fechatter_native::message::{Message, parse_message};
use fechatter_native::pool::{Pool, Reuse};

/// Returns the columns of `messages`, in 20 chats.
pub fn columns(messages: &[Message<'_>]) -> Columns {
    let mut columns = Columns::default();
    fill(&mut columns, messages);
    columns
}

/// Gathers a batch in reused columns and arenas.
pub fn gather(pool: &Pool<Columns>, messages: &[Message<'_>]) {
    reuse(pool, messages);
}

/// Takes columns from the pool, fills them and puts them back.
pub fn reuse(pool: &Pool<Columns>, messages: &[Message<'_>]) {
    let mut columns = pool.take();
    fill(&mut columns, messages);
    pool.put(black_box(columns));
}

/// Allocates new columns for a batch, without the pool.
pub fn allocate(messages: &[Message<'_>]) {
    let columns = black_box(columns(messages));
    black_box(columns.allocated_bytes());
}

/// Parses messages that borrow from their bodies.
pub fn parse(bodies: &[String]) {
    for body in bodies {
        black_box(parse_message(body.as_bytes(), None, false).expect("valid"));
    }
}

/// Counts the messages of one chat in its column.
pub fn count(columns: &Columns) {
    let wanted = black_box(7);
    black_box(columns.chat_ids.iter().filter(|&&chat_id| chat_id == wanted).count());
}

/// Checks UTF-8 with vector instructions.
pub fn check_utf8(bytes: &[u8]) {
    black_box(simdutf8::basic::from_utf8(black_box(bytes)).is_ok());
}

fn fill(columns: &mut Columns, messages: &[Message<'_>]) {
    for (chat_id, message) in (0..20).cycle().zip(messages) {
        columns.push(Origin { chat_id, thread_id: 0, sender_id: 2, session_id: 3 }, message, 4);
    }
}
