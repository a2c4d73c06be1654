//! The program `rummage`; everything is in the library.

fn main() -> std::process::ExitCode {
    // SAFETY: no thread has been started yet.
    unsafe { rummage_engine::prepare_process() };
    rummage_cli::main(std::env::args_os())
}
