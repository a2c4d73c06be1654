//! The pool as people see it: each worker against its limits, why workers ended,
//! and memory and throughput over time.

use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock, Mutex, MutexGuard},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rummage_pool::{Duty, End, PoolStatus, WorkerState, WorkerStatus};
use serde::{Deserialize, Serialize};

use crate::shared::Shared;

/// The pool as anybody may show it; see [`PoolStatus`]. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolView {
    pub workers: Vec<WorkerView>,
    pub planned_restarts: u64,
    pub crash_restarts: u64,
    /// Embedding workers that are set, and how many of them may work now.
    pub wanted: usize,
    pub allowed: usize,
    /// Why fewer are allowed than wanted, in words.
    pub held_back: Option<String>,
    pub memory: MemoryView,
    /// What models run on: `cpu`, `cuda`…; `None` before the first worker has told.
    pub provider: Option<String>,
    /// The last workers that ended, the newest first.
    pub ends: Vec<EndView>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerView {
    /// `query`, `embed` or `extract`.
    pub role: String,
    pub pid: Option<u32>,
    pub state: String,
    /// What the limits are held against.
    pub memory_bytes: u64,
    pub resident_bytes: u64,
    pub soft_limit_bytes: u64,
    pub hard_limit_bytes: u64,
    pub jobs: u64,
    /// Passages embedded, or files read.
    pub passages: u64,
    pub restarts: u64,
    /// In milliseconds of Unix time.
    pub started_ms: u64,
    /// Why the last one of its role had to be replaced.
    pub last_end: Option<String>,
}

/// The app as a whole, and the machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryView {
    /// The app, its workers and its web view.
    pub whole_bytes: u64,
    /// What is shared is counted in parts (PSS), else in each process (RSS).
    pub is_pss: bool,
    /// Past it, fewer workers run.
    pub limit_bytes: u64,
    pub available_bytes: u64,
    pub machine_bytes: u64,
}

/// A worker that has ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndView {
    pub at_ms: u64,
    pub role: String,
    pub pid: Option<u32>,
    /// It was let go; else it died or had to be killed.
    pub planned: bool,
    pub why: String,
    pub passages: u64,
    pub memory_bytes: u64,
}

impl PoolView {
    pub(crate) fn of(status: &PoolStatus) -> Self {
        Self {
            workers: status.workers.iter().map(WorkerView::of).collect(),
            planned_restarts: status.planned_restarts,
            crash_restarts: status.crash_restarts,
            wanted: status.wanted,
            allowed: status.allowed,
            held_back: status.held_back.map(|why| why.to_string()),
            memory: MemoryView {
                whole_bytes: status.machine.whole_bytes,
                is_pss: status.machine.is_pss,
                limit_bytes: status.whole_limit_bytes,
                available_bytes: status.machine.available_bytes,
                machine_bytes: status.machine.total_bytes,
            },
            provider: status.running.as_ref().map(|running| running.provider.name().to_owned()),
            ends: status.ends.iter().map(EndView::of).collect(),
        }
    }
}

impl WorkerView {
    fn of(worker: &WorkerStatus) -> Self {
        Self {
            role: worker.duty.name().to_owned(),
            pid: worker.pid,
            state: worker.state.name().to_owned(),
            memory_bytes: worker.memory_bytes,
            resident_bytes: worker.resident_bytes,
            soft_limit_bytes: worker.soft_limit_bytes,
            hard_limit_bytes: worker.hard_limit_bytes,
            jobs: worker.jobs,
            passages: worker.passages,
            restarts: worker.restarts,
            started_ms: unix_ms(worker.started),
            last_end: worker.last_end.as_ref().map(ToString::to_string),
        }
    }
}

impl EndView {
    fn of(end: &End) -> Self {
        Self {
            at_ms: unix_ms(end.at),
            role: end.duty.name().to_owned(),
            pid: end.pid,
            planned: !end.why.is_crash(),
            why: end.why.to_string(),
            passages: end.passages,
            memory_bytes: end.memory_bytes,
        }
    }
}

/// One moment gives the same number at every call.
fn unix_ms(at: Instant) -> u64 {
    static START: LazyLock<(Instant, Duration)> = LazyLock::new(|| {
        (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    });
    let (instant, unix) = *START;
    let moment = if at >= instant { unix + (at - instant) } else { unix - (instant - at) };
    u64::try_from(moment.as_millis()).unwrap_or(u64::MAX)
}

/// One point of the chart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HealthSample {
    /// In milliseconds of Unix time.
    pub at_ms: u64,
    /// The app, its workers and its web view.
    pub memory_bytes: u64,
    pub passages_per_second: f64,
    pub files_per_second: f64,
    /// Workers that embed passages.
    pub workers: usize,
}

/// A sample is taken so often, and so many are kept: ten minutes.
const SAMPLE: Duration = Duration::from_secs(2);
const SAMPLES: usize = 300;

#[derive(Debug, Default)]
pub(crate) struct History {
    samples: Mutex<VecDeque<HealthSample>>,
}

impl History {
    pub fn samples(&self) -> Vec<HealthSample> {
        self.lock().iter().copied().collect()
    }

    fn push(&self, sample: HealthSample) {
        let mut samples = self.lock();
        if samples.len() == SAMPLES {
            samples.pop_front();
        }
        samples.push_back(sample);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<HealthSample>> {
        self.samples.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Takes samples until told to stop.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop();
    let pool = shared.pool.status();
    let (mut before, mut then) = (pool.borrow().clone(), Instant::now());
    loop {
        tokio::select! {
            () = stop.wait() => return,
            () = tokio::time::sleep(SAMPLE) => {}
        }
        let (status, now) = (pool.borrow().clone(), Instant::now());
        shared.history.push(sample(&before, &status, now - then, now));
        (before, then) = (status, now);
    }
}

fn sample(before: &PoolStatus, status: &PoolStatus, took: Duration, now: Instant) -> HealthSample {
    let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / took.as_secs_f64();
    let at_work = |worker: &&WorkerStatus| {
        worker.duty == Duty::Embed
            && matches!(worker.state, WorkerState::Busy | WorkerState::Expiring)
    };
    HealthSample {
        at_ms: unix_ms(now),
        memory_bytes: status.machine.whole_bytes,
        passages_per_second: rate(status.embedded, before.embedded),
        files_per_second: rate(status.extracted, before.extracted),
        workers: status.workers.iter().filter(at_work).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_the_time_between_two_samples() {
        let now = Instant::now();
        let after = PoolStatus { embedded: 700, extracted: 30, ..PoolStatus::default() };
        let before = PoolStatus { embedded: 500, extracted: 10, ..PoolStatus::default() };
        let sample = sample(&before, &after, Duration::from_secs(4), now);
        assert_eq!((sample.passages_per_second, sample.files_per_second), (50.0, 5.0));
    }

    #[test]
    fn the_oldest_sample_goes() {
        let (history, status) = (History::default(), PoolStatus::default());
        let start = Instant::now();
        for second in 0..SAMPLES as u64 + 5 {
            let at = start + Duration::from_secs(second);
            history.push(sample(&status, &status, Duration::from_secs(1), at));
        }
        let samples = history.samples();
        assert_eq!(samples.len(), SAMPLES);
        assert_eq!(samples[0].at_ms, unix_ms(start + Duration::from_secs(5)));
    }
}
