//! Moves the bytes of messages: parse, check, batch, encode. Python decides what happens to a batch.
//!
//! * [`message`]: bytes to checked fields without a copy, and stored messages to JSON and frames.
//! * [`intake`]: the waiting batch that HTTP threads fill and the writer empties.
//! * [`batch`]: columns and arena of one batch; [`arena`] keeps emptied ones for the next.
//! * [`confusables`]: names that look alike.
//! * `python`: the binding; the only module that names `PyO3`, behind the feature `python`.

pub mod arena;
pub mod batch;
pub mod confusables;
pub mod error;
pub mod intake;
pub mod message;

#[cfg(feature = "python")]
mod python;
