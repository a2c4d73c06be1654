//! Spoils a sound file of each format, over and over, and hands what comes of it
//! to extraction:
//!
//!     fuzz SECONDS [FORMAT] [START]
//!
//! `SECONDS` is spent on each format. What panics, or takes longer than a second each
//! of three times, is written to the temporary folder and named. A crash of the whole program shows
//! by itself; the number last printed is where to `START` again.

#[path = "../tests/main/seeds.rs"]
mod seeds;

use std::{
    panic::catch_unwind,
    time::{Duration, Instant},
};

use rummage_corpus::SourcePath;
use seeds::{Chance, Seed};

const SLOW: Duration = Duration::from_secs(1);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seconds = arguments.first().and_then(|seconds| seconds.parse().ok());
    let seconds = Duration::from_secs(seconds.expect("usage: fuzz SECONDS [FORMAT] [START]"));
    let start = arguments.get(2).and_then(|start| start.parse().ok()).unwrap_or(0);
    std::panic::set_hook(Box::new(|_| {}));
    for seed in seeds::all() {
        if arguments.get(1).is_none_or(|format| seed.name().ends_with(format)) {
            fuzz(&seed, seconds, start);
        }
    }
}

fn fuzz(seed: &Seed, seconds: Duration, start: u64) {
    let path = SourcePath::new(seed.name());
    let began = Instant::now();
    let (mut round, mut texts, mut findings) = (start, 0_u64, 0_u64);
    while began.elapsed() < seconds {
        let bytes = seed.spoiled(&mut Chance(round));
        // A busy machine makes one try slow, hardly three.
        let timed = || {
            let start = Instant::now();
            (catch_unwind(|| rummage_extract::extract(&path, &bytes)), start.elapsed())
        };
        let what =
            match (0..3).map(|_| timed()).find(|(found, time)| found.is_err() || *time < SLOW) {
                None => Some("took long"),
                Some((Err(_), _)) => Some("panicked"),
                Some((Ok(found), _)) => {
                    texts += u64::from(found.is_ok());
                    None
                }
            };
        if let Some(what) = what {
            findings += 1;
            let file = std::env::temp_dir().join(format!("fuzz-{round}-{}", seed.name()));
            if findings <= 20 && std::fs::write(&file, &bytes).is_ok() {
                println!("{what}: {}", file.display());
            }
        }
        round += 1;
    }
    println!("{}: {} files, {texts} with text, {findings} findings", seed.name(), round - start);
}
