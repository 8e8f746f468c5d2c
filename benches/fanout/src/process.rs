//! The processor time of processes, from Linux's `/proc`.

use std::fs;

/// Linux counts processor time in hundredths of a second for programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// The processor time of all threads of these processes, in seconds.
pub fn cpu_seconds(processes: &[u32]) -> f64 {
    processes.iter().map(|process| read(&process.to_string())).sum()
}

/// The processor time of this process, in seconds.
pub fn own_cpu_seconds() -> f64 {
    read("self")
}

fn read(process: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = text.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
    // User and system time are the 14th and the 15th field.
    fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
}
