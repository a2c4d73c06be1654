//! Where a test finds the programs and libraries that it starts.

use std::path::{Path, PathBuf};

/// The worker program, built beside the running test.
///
/// # Panics
/// When it is not there: a test of one crate does not build another's program.
pub fn worker_program() -> PathBuf {
    built_program("rummage-worker", "rummage-worker")
}

/// The worker that misbehaves on demand (see [`faults`](crate::faults)).
///
/// # Panics
/// When it is not built.
pub fn faulty_worker_program() -> PathBuf {
    built_program("faulty-worker", "rummage-testkit")
}

/// ONNX Runtime, as set-up left it in the checkout.
///
/// # Panics
/// When set-up has not run.
pub fn runtime_library() -> PathBuf {
    let name = if cfg!(windows) {
        "onnxruntime.dll".to_owned()
    } else {
        format!("libonnxruntime{}", std::env::consts::DLL_SUFFIX)
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/runtime").join(name);
    path.canonicalize()
        .unwrap_or_else(|error| panic!("{}: {error}: run `npm run setup`", path.display()))
}

fn built_program(name: &str, package: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    // A test lies in target/<profile>/deps, a program in target/<profile>.
    test.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!("{file} is not beside {}: run `cargo build -p {package}`", test.display())
        })
}
