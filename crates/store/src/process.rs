//! What is asked of the operating system for the whole process: LanceDB's environment,
//! and how memory is handed out.

/// LanceDB computes on as many threads as there are processors beyond two. On a
/// small machine that is one, and a question waits until an index is built.
const LEAST_THREADS: usize = 4;

/// LanceDB reads two gigabytes ahead where whatever takes the rows is slower than the
/// disk, as building an index is.
const READ_AHEAD_BYTES: usize = 64 << 20;

/// The GNU allocator keeps a pool of freed memory for every few threads: over a million
/// rows that is a third of all memory.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: libc::c_int = 2;

/// To be called first thing in a program that uses the store. Whoever set a
/// variable knows better.
///
/// # Safety
/// No other thread may have been started yet.
pub unsafe fn prepare_process() {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.max(LEAST_THREADS);
    let wanted =
        [("LANCE_CPU_THREADS", threads), ("LANCE_DEFAULT_IO_BUFFER_SIZE", READ_AHEAD_BYTES)];
    for (name, value) in wanted {
        if std::env::var_os(name).is_none() {
            // SAFETY: the caller has no other thread that could read the environment.
            unsafe { std::env::set_var(name, value.to_string()) };
        }
    }
    #[cfg(unix)]
    allow_open_files();
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: sets a number in the allocator, which no other thread uses yet.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
    }
}

/// A question may read each fragment's own file; programs may open 256 where the system
/// is careful with them.
#[cfg(unix)]
fn allow_open_files() {
    const WANTED: libc::rlim_t = 4096;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads into and from a structure of our own.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 && limit.rlim_cur < WANTED {
            limit.rlim_cur = WANTED.min(limit.rlim_max);
            // Where it is refused, things are as they were.
            let _ = libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// Asks that this lies in pages of megabytes instead of kilobytes, as far as nothing was
/// written to it yet. Who reads many megabytes in a row waits for the places of pages as long
/// as for what is in them. Only Linux is asked; where it has none, nothing is lost.
pub(crate) fn in_large_pages<T>(room: &mut [T]) {
    #[cfg(target_os = "linux")]
    {
        /// Of a page, on every processor that Linux runs on here, or a part of one.
        const PAGE: usize = 4096;
        let bytes = std::mem::size_of_val(room);
        let before = room.as_ptr().cast::<u8>().align_offset(PAGE);
        if bytes > before {
            // SAFETY: names memory of this slice alone, and changes nothing in it.
            unsafe {
                let start = room.as_mut_ptr().cast::<u8>().add(before);
                libc::madvise(start.cast(), bytes - before, libc::MADV_HUGEPAGE);
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = room;
}
