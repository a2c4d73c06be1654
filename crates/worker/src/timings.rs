//! How long each stage of loading took, for who measures that: written to the file
//! that the environment variable names, once the model has answered. Without it, this
//! does nothing.

use std::{
    env,
    fmt::Write,
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// The environment variable: a file that is written anew. It holds a line a stage, its
/// name and its seconds, and in the end `all`, from the program's first line on.
pub const TIMINGS: &str = "RUMMAGE_TIMINGS";

static CLOCK: Mutex<Option<Clock>> = Mutex::new(None);

struct Clock {
    file: PathBuf,
    start: Instant,
    last: Instant,
    lines: String,
}

/// The program begins.
pub fn begin() {
    let Some(file) = env::var_os(TIMINGS).map(PathBuf::from) else { return };
    let now = Instant::now();
    let clock = Clock { file, start: now, last: now, lines: String::new() };
    *CLOCK.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock);
}

/// What was done since the last stage ended was this one.
pub fn end_of(stage: &str) {
    if let Some(clock) = &mut *CLOCK.lock().unwrap_or_else(PoisonError::into_inner) {
        let now = Instant::now();
        let _ = writeln!(clock.lines, "{stage} {}", (now - clock.last).as_secs_f64());
        clock.last = now;
    }
}

/// All is loaded.
pub fn tell() {
    if let Some(mut clock) = CLOCK.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = writeln!(clock.lines, "all {}", clock.start.elapsed().as_secs_f64());
        if let Err(error) = fs::write(&clock.file, clock.lines) {
            eprintln!("rummage-worker: {} cannot be written: {error}", clock.file.display());
        }
    }
}
