//! What LanceDB takes from the process's environment.

/// LanceDB computes on as many threads as there are processors beyond two. On a
/// small machine that is one, and a question waits until an index is built.
const LEAST_THREADS: usize = 4;

/// To be called first thing in a program that uses the store. Whoever set the
/// variable knows better.
///
/// # Safety
/// No other thread may have been started yet.
pub unsafe fn prepare_process() {
    const THREADS: &str = "LANCE_CPU_THREADS";
    if std::env::var_os(THREADS).is_none() {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = processors.max(LEAST_THREADS).to_string();
        // SAFETY: the caller has no other thread that could read the environment.
        unsafe { std::env::set_var(THREADS, threads) };
    }
}
