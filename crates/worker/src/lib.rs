//! The worker: a process of its own that reads files or runs the model, so that
//! neither can take the app down. It answers what comes in on stdin and ends when
//! stdin does. It keeps nothing between two requests, and knows nothing of
//! leases beyond their number, of other workers or of retries: those are the pool's.
//!
//! This is the only crate that knows ONNX Runtime. It is loaded for what `rummage_encoder`
//! does not know: other kinds of models, processors without products of bytes, other devices.

mod conversation;
mod embed;
mod error;
mod extract;
mod ocr;
mod options;
mod process;
mod queue;
mod timings;

use std::io;

use rummage_protocol::exit;

pub use conversation::serve;
pub use embed::{encoder, without_padding};
pub use error::WorkerError;
pub use options::{Arguments, EmbedOptions, Manners, Options, USAGE};
pub use process::{behave, silence_runtime};
pub use timings::TIMINGS;

/// The whole program: command line, stdin, stdout, exit code (see
/// [`rummage_protocol::exit`]). Stdout carries frames alone; what libraries
/// print goes to stderr.
pub fn program() -> ! {
    timings::begin();
    // SAFETY: the program begins here; no other thread has been started.
    unsafe { process::silence_runtime() };
    let arguments = Arguments::parse(std::env::args_os().skip(1)).unwrap_or_else(|error| {
        eprintln!("rummage-worker: {error}\n{USAGE}");
        process::leave(exit::USAGE)
    });
    process::die_with_parent();
    process::behave(&arguments.manners);
    process::ignore_interrupts();
    let frames = process::take_stdout().unwrap_or_else(|error| {
        eprintln!("rummage-worker: stdout cannot be used: {error}");
        process::leave(exit::USAGE)
    });
    process::leave(serve(&arguments.options, io::stdin(), frames, |code| process::leave(code)))
}
