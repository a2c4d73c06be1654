//! A fixed piece of work, by which the machine's speed at the moment is known: bytes
//! are hashed, more of them than a cache holds. It is the same in every build of ours,
//! for the hash is a dependency that is always built optimised. It takes about as long
//! as loading a model: on a machine that is busy with other things, short work is let
//! through where long work has to share.

use std::{hint::black_box, sync::LazyLock, time::Instant};

use rummage_corpus::ContentHash;

const BYTES: usize = 24 << 20;
const TIMES: usize = 6;

/// Milliseconds that the work takes now.
pub fn milliseconds() -> f64 {
    static BUFFER: LazyLock<Vec<u8>> = LazyLock::new(|| {
        (0..BYTES as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    });
    let bytes = black_box(&**BUFFER);
    let start = Instant::now();
    for _ in 0..TIMES {
        black_box(ContentHash::of(bytes));
    }
    start.elapsed().as_secs_f64() * 1e3
}
