//! How far this run is, how fast, and how long it will take.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rummage_catalog::Counts;

/// Counted since the engine was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub seen: AtomicU64,
    pub unchanged: AtomicU64,
    pub removed: AtomicU64,
    pub indexed: AtomicU64,
    pub skipped: AtomicU64,
    pub failed: AtomicU64,
    pub embedded: AtomicU64,
    pub reused: AtomicU64,
    pub scan: Stage,
    pub extract: Stage,
    pub chunk: Stage,
    /// Texts to token ids, before they are embedded.
    pub tokenise: Stage,
    /// From the first passage read back to the last vector kept.
    pub embed: Stage,
    pub store: Stage,
    /// Of the store's time: the indexes of words and vectors, and the words that are known.
    pub full_text: Stage,
}

/// A clock that runs while anything is in its stage.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    clock: Mutex<Clock>,
}

#[derive(Debug, Default)]
struct Clock {
    inside: usize,
    /// When the first of those inside came.
    since: Option<Instant>,
    total: Duration,
}

impl Stage {
    /// The clock runs until what this gives is dropped.
    pub fn enter(&self) -> Inside<'_> {
        let mut clock = self.lock();
        clock.inside += 1;
        clock.since.get_or_insert_with(Instant::now);
        Inside { stage: self }
    }

    fn seconds(&self) -> f64 {
        let clock = self.lock();
        let running = clock.since.map_or(Duration::ZERO, |since| since.elapsed());
        (clock.total + running).as_secs_f64()
    }

    fn lock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Something is in the stage.
#[derive(Debug)]
pub(crate) struct Inside<'a> {
    stage: &'a Stage,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let mut clock = self.stage.lock();
        clock.inside -= 1;
        if clock.inside == 0
            && let Some(since) = clock.since.take()
        {
            clock.total += since.elapsed();
        }
    }
}

impl Counters {
    pub fn totals(&self) -> Totals {
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        Totals {
            seen: count(&self.seen),
            unchanged: count(&self.unchanged),
            removed: count(&self.removed),
            indexed: count(&self.indexed),
            skipped: count(&self.skipped),
            failed: count(&self.failed),
            embedded: count(&self.embedded),
            reused: count(&self.reused),
            scan_seconds: self.scan.seconds(),
            extract_seconds: self.extract.seconds(),
            chunk_seconds: self.chunk.seconds(),
            tokenise_seconds: self.tokenise.seconds(),
            embed_seconds: self.embed.seconds(),
            store_seconds: self.store.seconds(),
            full_text_seconds: self.full_text.seconds(),
        }
    }
}

/// What this process has done so far. Files are counted once each time they end
/// in a state; a stage's time is that in which anything was in it, so stages that
/// ran side by side add up to more than the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    pub seen: u64,
    pub unchanged: u64,
    pub removed: u64,
    pub indexed: u64,
    pub skipped: u64,
    pub failed: u64,
    pub embedded: u64,
    pub reused: u64,
    pub scan_seconds: f64,
    pub extract_seconds: f64,
    pub chunk_seconds: f64,
    pub tokenise_seconds: f64,
    pub embed_seconds: f64,
    pub store_seconds: f64,
    /// Part of `store_seconds`.
    pub full_text_seconds: f64,
}

/// The work since the queue was last empty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    pub done: u64,
    pub total: u64,
    pub files_per_second: f64,
    pub passages_per_second: f64,
    pub seconds_left: Option<f64>,
}

/// Rates are taken over this long.
const WINDOW: Duration = Duration::from_secs(15);

/// Shorter than this a rate is a guess.
const LEAST: Duration = Duration::from_secs(2);

/// Samples of the counts, for rates.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Files done when the queue was last empty.
    base: u64,
    samples: VecDeque<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    done: u64,
    embedded: u64,
}

impl Pace {
    /// Takes the counts of this moment in; `None` where nothing is to do.
    pub fn observe(&mut self, counts: &Counts, embedded: u64, now: Instant) -> Option<Progress> {
        let done = counts.known() - counts.queued();
        // What waits for a paused folder is no work under way.
        let to_do = counts.to_do();
        if to_do == 0 {
            self.base = done;
            self.samples.clear();
            return None;
        }
        // Files may leave; then fewer are done than before.
        self.base = self.base.min(done);
        self.samples.push_back(Sample { at: now, done, embedded });
        while self.samples.front().is_some_and(|sample| now - sample.at > WINDOW) {
            self.samples.pop_front();
        }
        let first = self.samples.front().copied()?;
        let seconds = (now - first.at).max(Duration::from_millis(1)).as_secs_f64();
        let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / seconds;
        let files_per_second = rate(done, first.done);
        let passages_per_second = rate(embedded, first.embedded);
        let known = now - first.at >= LEAST;
        Some(Progress {
            done: done - self.base,
            total: done + to_do - self.base,
            files_per_second,
            passages_per_second,
            seconds_left: known
                .then(|| seconds_left(counts, files_per_second, passages_per_second))
                .flatten(),
        })
    }
}

/// Embedding is what takes the time, so it is counted in passages; files that are
/// still to be read count as many as the read ones have on average.
fn seconds_left(counts: &Counts, files_per_second: f64, passages_per_second: f64) -> Option<f64> {
    let read = counts.worded + counts.indexed;
    if passages_per_second > 0.0 && read > 0 {
        let passages_per_file = counts.passages as f64 / read as f64;
        let to_come = (counts.pending - counts.held.pending) as f64 * passages_per_file;
        let waiting = (counts.passages - counts.embedded - counts.held.passages) as f64;
        return Some((waiting + to_come) / passages_per_second);
    }
    (files_per_second > 0.0).then(|| counts.to_do() as f64 / files_per_second)
}

#[cfg(test)]
mod tests {
    use rummage_catalog::Held;

    use super::*;

    fn counts(pending: u64, worded: u64, indexed: u64) -> Counts {
        let passages = (worded + indexed) * 2;
        Counts { pending, worded, indexed, passages, embedded: indexed * 2, ..Counts::default() }
    }

    #[test]
    fn what_was_done_before_does_not_count_as_progress() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        assert_eq!(pace.observe(&counts(0, 0, 100), 0, start), None);
        let progress = pace.observe(&counts(5, 5, 100), 0, start).unwrap();
        assert_eq!((progress.done, progress.total, progress.seconds_left), (0, 10, None));
    }

    #[test]
    fn what_waits_for_a_paused_folder_is_no_work() {
        let all = Held { pending: 6, worded: 6, passages: 12 };
        let (mut pace, start) = (Pace::default(), Instant::now());
        let counts = Counts { held: all, ..counts(6, 6, 100) };
        assert_eq!(pace.observe(&counts, 0, start), None);
        let counts = Counts { held: Held { pending: 5, worded: 4, passages: 8 }, ..counts };
        pace.observe(&counts, 0, start);
        let later = start + Duration::from_secs(4);
        let progress = pace.observe(&counts, 4, later).unwrap();
        assert_eq!((progress.done, progress.total), (0, 3));
        // One file to read, two passages like the others, and four of two files.
        assert_eq!(progress.seconds_left, Some(6.0));
    }

    #[test]
    fn the_time_left_follows_the_passages() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.observe(&counts(0, 10, 0), 0, start);
        let later = start + Duration::from_secs(4);
        let progress = pace.observe(&counts(0, 8, 2), 4, later).unwrap();
        assert_eq!(progress.passages_per_second, 1.0);
        assert_eq!(progress.seconds_left, Some(16.0));
    }
}
