//! What *auto* means on a machine of which only the size is known.

use crate::Settings;

/// What a worker is given to live in beside its model, in units of 2²⁰ bytes: the
/// runtime, and what a batch needs, with room to spare.
const WORKER_MEGABYTES: u64 = 320;

/// So many times its file's size a model may take once it is loaded.
const MODEL_TIMES: u64 = 3;

/// Above it, more workers cost memory and gain little.
const MOST_WORKERS: usize = 16;

/// The numbers to work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    pub pool_size: usize,
    pub threads_per_worker: usize,
    pub passages_per_lease: usize,
    pub tokens_per_call: usize,
    pub memory_megabytes: usize,
}

/// For a machine with that many physical cores and that much memory, and a model
/// whose file is of that size: a process of one thread for each core, as far as
/// half of the memory goes. On a CPU this
/// is half as fast again as one process with a thread for each core, and a call
/// is fastest when its tokens fit the cache: about 256 of them.
pub fn auto(cores: usize, memory_bytes: u64, model_bytes: u64) -> Resolved {
    let worker_megabytes = WORKER_MEGABYTES + model_bytes.div_ceil(1 << 20) * MODEL_TIMES;
    let fitting = (memory_bytes / 2) >> 20;
    let fitting = usize::try_from(fitting / worker_megabytes).unwrap_or(MOST_WORKERS);
    Resolved {
        pool_size: cores.min(fitting).clamp(1, MOST_WORKERS),
        threads_per_worker: 1,
        passages_per_lease: 32,
        tokens_per_call: 256,
        memory_megabytes: usize::try_from(worker_megabytes).unwrap_or(usize::MAX),
    }
}

impl Settings {
    /// These settings, with the given numbers where they leave it to the app.
    pub fn resolve(&self, automatic: Resolved) -> Resolved {
        Resolved {
            pool_size: self.pool.size.unwrap_or(automatic.pool_size),
            threads_per_worker: self
                .pool
                .threads_per_worker
                .unwrap_or(automatic.threads_per_worker),
            passages_per_lease: self
                .batch
                .passages_per_lease
                .unwrap_or(automatic.passages_per_lease),
            tokens_per_call: self.batch.tokens_per_call.unwrap_or(automatic.tokens_per_call),
            memory_megabytes: self.pool.memory_megabytes.unwrap_or(automatic.memory_megabytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Auto;

    const GIB: u64 = 1 << 30;

    const MODEL: u64 = 64 << 20;

    fn check(cores: usize, memory_bytes: u64, expected: usize) {
        let resolved = auto(cores, memory_bytes, MODEL);
        assert_eq!(resolved.pool_size, expected, "{cores} × {memory_bytes}");
    }

    #[test]
    fn a_large_model_gets_more_memory_and_fewer_workers() {
        let (small, large) = (auto(8, 16 * GIB, 23 << 20), auto(8, 16 * GIB, GIB));
        assert_eq!((small.pool_size, small.memory_megabytes), (8, 389));
        assert_eq!((large.pool_size, large.memory_megabytes), (2, 3392));
    }

    #[test]
    fn a_worker_a_core_as_far_as_memory_goes() {
        check(2, 8 * GIB, 2);
        check(8, 4 * GIB, 4);
        check(8, 0, 1);
        check(0, 8 * GIB, 1);
        check(128, u64::MAX, 16);
    }

    #[test]
    fn what_is_fixed_wins() {
        let automatic = auto(2, 8 * GIB, MODEL);
        let mut settings = Settings::default();
        assert_eq!(settings.resolve(automatic), automatic);
        settings.batch.tokens_per_call = Auto::Fixed(1024);
        assert_eq!(settings.resolve(automatic), Resolved { tokens_per_call: 1024, ..automatic });
    }
}
