//! The pool, by simulation and with real processes.

#[cfg(unix)]
mod processes;
mod schedules;
