//! The `rummage` command: the same engine, data folder and answers as the
//! window's, for terminals, scripts and tests. It knows no window.
//!
//! Results go to stdout, everything else to stderr. The exit code says how it
//! went: see [`exit`].

mod arguments;
mod commands;
mod profile;
mod progress;
mod shapes;
mod text;

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;
use rummage_engine::{EngineError, ErrorKind};

pub use arguments::{Arguments, Command};

/// The exit codes that scripts may count on.
pub mod exit {
    /// Done; bad files are recorded, not fatal.
    pub const DONE: u8 = 0;
    /// The work failed.
    pub const FAILED: u8 = 1;
    /// The call was wrong.
    pub const USAGE: u8 = 2;
    /// Another process is indexing this data folder.
    pub const BUSY: u8 = 3;
    /// Interrupted; everything done so far is kept.
    pub const INTERRUPTED: u8 = 130;
}

/// What a command ended with, where it did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("interrupted; everything done so far is kept")]
    Interrupted,
    #[error("{0}")]
    Usage(String),
    /// A standing problem that keeps the work from ending.
    #[error("{message}")]
    Problem { message: String, mend: String },
}

/// Parses the command line, runs it and turns the outcome into an exit code.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments::exclusions_last(args)) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are results, too.
            let _ = error.print();
            return if error.use_stderr() { exit::USAGE } else { exit::DONE }.into();
        }
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let outcome = run(&arguments, &mut out).and_then(|()| Ok(out.flush()?));
    match outcome {
        Ok(()) => exit::DONE.into(),
        Err(error) => {
            if is_closed_pipe(&error) {
                return exit::DONE.into();
            }
            eprintln!("rummage: {}", told(&error));
            if let Some(mend) = mend_of(&error) {
                eprintln!("  {mend}");
            }
            exit_code(&error).into()
        }
    }
}

/// Runs one command; its results go to `out`.
pub fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no thread could be started")?;
    let result = runtime.block_on(commands::run(arguments, out));
    // What still runs on threads for blocking work holds nothing that must be kept.
    runtime.shutdown_background();
    result
}

/// The error and what is behind it, each once: some tell their cause themselves.
fn told(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |told, cause| match cause.to_string() {
        cause if told.is_empty() => cause,
        cause if told.contains(&cause) => told,
        cause => format!("{told}: {cause}"),
    })
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return match failure {
            Failure::Interrupted => exit::INTERRUPTED,
            Failure::Usage(_) => exit::USAGE,
            Failure::Problem { .. } => exit::FAILED,
        };
    }
    match error.downcast_ref::<EngineError>().map(EngineError::kind) {
        Some(ErrorKind::Usage) => exit::USAGE,
        Some(ErrorKind::Busy) => exit::BUSY,
        _ => exit::FAILED,
    }
}

fn mend_of(error: &anyhow::Error) -> Option<String> {
    if let Some(Failure::Problem { mend, .. }) = error.downcast_ref::<Failure>() {
        return Some(mend.clone()).filter(|mend| !mend.is_empty());
    }
    error.downcast_ref::<EngineError>().and_then(EngineError::mend)
}

/// Whoever read the results has had enough (`rummage files | head`).
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind = match error.downcast_ref::<serde_json::Error>() {
        Some(error) => error.io_error_kind(),
        None => error.downcast_ref::<io::Error>().map(io::Error::kind),
    };
    kind == Some(io::ErrorKind::BrokenPipe)
}
