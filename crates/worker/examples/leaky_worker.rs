//! The worker with a leak: it keeps 5 MB more with every lease of passages that it
//! answers. For `bench/leaking.mjs`, which puts it in the worker's place.

use std::io::{self, Write};

use rummage_worker::{Arguments, Options, behave, serve};

/// What one lease leaks. Filled with ones: pages of zeros would not count as used.
const LEAK: usize = 5 << 20;

/// Frames pass through; each one that is a lease's answer leaks.
struct Leaky<W> {
    frames: W,
    kept: Vec<Vec<u8>>,
}

impl<W: Write> Write for Leaky<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frames.write(bytes)
    }

    /// Once a frame.
    fn flush(&mut self) -> io::Result<()> {
        self.kept.push(vec![1; LEAK]);
        self.frames.flush()
    }
}

fn main() {
    let arguments = Arguments::parse(std::env::args_os().skip(1)).expect("started by Rummage");
    behave(&arguments.manners);
    let stdout = io::stdout();
    let leave = |code| std::process::exit(code);
    let code = match arguments.options {
        Options::Extract => serve(&Options::Extract, io::stdin(), stdout, leave),
        embed => serve(&embed, io::stdin(), Leaky { frames: stdout, kept: Vec::new() }, leave),
    };
    leave(code)
}
