//! The process itself: its stdout, its signals and its end. It knows nothing of
//! frames.
//!
//! A worker ends when its stdin does, which is also how it notices that the app
//! is gone. On Linux the kernel tells it, too.

use std::{
    io::{self, Write},
    process::Command,
};

use crate::Manners;

/// Ends the process at once, whatever its other threads are doing.
///
/// No exit handlers run: those of a loaded library would pull the ground from
/// under a model call on another thread.
pub fn leave(code: i32) -> ! {
    #[cfg(unix)]
    // SAFETY: ends the process, touches no memory.
    unsafe {
        libc::_exit(code)
    }
    #[cfg(not(unix))]
    std::process::exit(code)
}

/// Stdout, for frames alone: from here on, whatever prints to it prints to stderr.
#[cfg(unix)]
pub fn take_stdout() -> io::Result<impl Write> {
    use std::os::fd::AsFd;

    let frames = io::stdout().as_fd().try_clone_to_owned()?;
    // SAFETY: both are descriptors of this process, and stdout's new meaning breaks
    // no one: nothing here holds the old one but `frames`.
    if unsafe { libc::dup2(libc::STDERR_FILENO, libc::STDOUT_FILENO) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(std::fs::File::from(frames))
}

#[cfg(not(unix))]
pub fn take_stdout() -> io::Result<impl Write> {
    Ok(io::stdout())
}

/// Keeps ONNX Runtime from reporting to its makers. Its published libraries send what
/// they run, and note an id and what is still to be sent in the user's cache folder,
/// unless told otherwise before they are loaded; a switch of the loaded library's comes
/// too late for some of it.
///
/// # Safety
///
/// No other thread runs yet.
pub unsafe fn silence_runtime() {
    // SAFETY: the caller's promise.
    unsafe { std::env::set_var("ORT_DISABLE_TELEMETRY", "1") };
}

/// Ctrl+C in a terminal reaches every program of the group; the app decides what
/// becomes of its workers.
pub fn ignore_interrupts() {
    #[cfg(unix)]
    // SAFETY: SIG_IGN is a valid disposition for SIGINT.
    unsafe {
        libc::signal(libc::SIGINT, libc::SIG_IGN);
    }
}

/// Lets this process take no more of the machine than it was told to. Where the system has no such
/// limit, the app's own measuring holds.
pub fn behave(manners: &Manners) {
    #[cfg(unix)]
    // SAFETY: both calls take numbers and a struct of numbers.
    unsafe {
        if let Some(nice) = manners.nice {
            libc::setpriority(libc::PRIO_PROCESS, 0, i32::from(nice));
        }
        if let Some(bytes) = manners.memory_limit_bytes {
            // What is refused ends the process with words about it.
            let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            libc::setrlimit(libc::RLIMIT_DATA, &limit);
        }
    }
    // Windows starts the process with its priority.
    #[cfg(not(unix))]
    let _ = manners;
}

/// A program that this thread starts ends with it, and so with this process.
pub fn end_with_this_thread(command: &mut Command) {
    #[cfg(target_os = "linux")]
    // SAFETY: between fork and exec only prctl is called, which takes numbers.
    unsafe {
        use std::os::unix::process::CommandExt;

        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
    // Elsewhere it ends with its input, or with the app's job.
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}

/// Has the kernel send a signal when the parent dies.
///
/// The kernel means the thread that started this process, which may end while the
/// app lives on. So the signal is one that is handled, and the handler leaves only
/// when this process has really got another parent.
#[cfg(target_os = "linux")]
pub fn die_with_parent() {
    use std::sync::atomic::{AtomicI32, Ordering};

    static PARENT: AtomicI32 = AtomicI32::new(0);

    extern "C" fn leave_if_orphaned(_: libc::c_int) {
        // SAFETY: getppid and _exit may be called in a signal handler.
        unsafe {
            if libc::getppid() != PARENT.load(Ordering::Relaxed) {
                libc::_exit(rummage_protocol::exit::DONE);
            }
        }
    }

    // SAFETY: the handler calls only what a handler may call; prctl touches no memory.
    unsafe {
        PARENT.store(libc::getppid(), Ordering::Relaxed);
        let handler = leave_if_orphaned as extern "C" fn(libc::c_int);
        libc::signal(libc::SIGHUP, handler as libc::sighandler_t);
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGHUP);
        // The parent may have died between the first line and the last. Before the
        // first, the end of stdin shows it.
        leave_if_orphaned(libc::SIGHUP);
    }
}

#[cfg(not(target_os = "linux"))]
pub fn die_with_parent() {}
