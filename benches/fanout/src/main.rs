//! Publishes events to a server and receives each of them on many streams, on one thread. It knows no server: the plan
//! on its standard input contains the requests. It prints what it measured as one JSON object.
//!
//! Each event contains `@@` and its number in 16 hexadecimal digits. The rest of a stream is not parsed.

mod events;
mod listener;
mod plan;
mod process;
mod publisher;
mod run;

use std::io;

fn main() -> io::Result<()> {
    let plan: plan::Plan = serde_json::from_reader(io::stdin())?;
    let found = run::Run::open(&plan)?.measure()?;
    println!("{}", serde_json::to_string(&found)?);
    Ok(())
}
