//! What *auto* means on a machine of which only the size is known.

use crate::Settings;

/// What a worker is given to live in: the model's own memory, the runtime's, and
/// what a batch needs, each with room to spare.
const WORKER_BYTES: u64 = 512 << 20;

/// Above it, more workers cost memory and gain little.
const MOST_WORKERS: usize = 16;

/// The numbers to work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    pub pool_size: usize,
    pub threads_per_worker: usize,
    pub passages_per_lease: usize,
    pub tokens_per_call: usize,
}

/// For a machine with that many physical cores and that much memory: a process
/// of one thread for each core, as far as half of the memory goes. On a CPU this
/// is half as fast again as one process with a thread for each core, and a call
/// is fastest when its tokens fit the cache: about 256 of them.
pub fn auto(cores: usize, memory_bytes: u64) -> Resolved {
    let fitting = usize::try_from(memory_bytes / 2 / WORKER_BYTES).unwrap_or(MOST_WORKERS);
    Resolved {
        pool_size: cores.min(fitting).clamp(1, MOST_WORKERS),
        threads_per_worker: 1,
        passages_per_lease: 32,
        tokens_per_call: 256,
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Auto;

    const GIB: u64 = 1 << 30;

    fn check(cores: usize, memory_bytes: u64, expected: usize) {
        assert_eq!(auto(cores, memory_bytes).pool_size, expected, "{cores} × {memory_bytes}");
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
        let automatic = auto(2, 8 * GIB);
        let mut settings = Settings::default();
        assert_eq!(settings.resolve(automatic), automatic);
        settings.batch.tokens_per_call = Auto::Fixed(1024);
        assert_eq!(settings.resolve(automatic), Resolved { tokens_per_call: 1024, ..automatic });
    }
}
