//! The program `rummage`; everything is in the library.

fn main() -> std::process::ExitCode {
    rummage_cli::main(std::env::args_os())
}
