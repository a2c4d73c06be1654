//! The pool, by simulation and with real processes.

mod faults;
#[cfg(unix)]
mod processes;
mod schedules;
