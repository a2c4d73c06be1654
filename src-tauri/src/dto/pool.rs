//! The worker processes, the memory of all of it, and both over time.

use rummage_engine::{EndView, MemoryView, PoolView, WorkerView, settings::IndexingMode};
use serde::{Deserialize, Serialize};

/// How much of the machine indexing may take.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Full,
    Considerate,
    Paused,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pool {
    mode: Mode,
    workers: Vec<Worker>,
    planned_restarts: u64,
    crash_restarts: u64,
    wanted: usize,
    allowed: usize,
    held_back: Option<String>,
    memory: Memory,
    ends: Vec<End>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Worker {
    /// query, embed or extract
    role: String,
    pid: Option<u32>,
    /// starting, idle, busy, expiring or retiring
    state: String,
    memory_bytes: u64,
    soft_limit_bytes: u64,
    hard_limit_bytes: u64,
    jobs: u64,
    passages: u64,
    restarts: u64,
    started_ms: u64,
    last_end: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    whole_bytes: u64,
    is_pss: bool,
    limit_bytes: u64,
    available_bytes: u64,
    machine_bytes: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct End {
    at_ms: u64,
    role: String,
    pid: Option<u32>,
    planned: bool,
    why: String,
    passages: u64,
    memory_bytes: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthSample {
    at_ms: u64,
    memory_bytes: u64,
    passages_per_second: f64,
    files_per_second: f64,
    workers: usize,
}

impl Pool {
    pub fn new(pool: &PoolView, mode: IndexingMode) -> Self {
        Self {
            mode: mode.into(),
            workers: pool.workers.iter().map(Worker::from).collect(),
            planned_restarts: pool.planned_restarts,
            crash_restarts: pool.crash_restarts,
            wanted: pool.wanted,
            allowed: pool.allowed,
            held_back: pool.held_back.clone(),
            memory: pool.memory.into(),
            ends: pool.ends.iter().map(End::from).collect(),
        }
    }
}

impl From<&WorkerView> for Worker {
    fn from(worker: &WorkerView) -> Self {
        Self {
            role: worker.role.clone(),
            pid: worker.pid,
            state: worker.state.clone(),
            memory_bytes: worker.memory_bytes,
            soft_limit_bytes: worker.soft_limit_bytes,
            hard_limit_bytes: worker.hard_limit_bytes,
            jobs: worker.jobs,
            passages: worker.passages,
            restarts: worker.restarts,
            started_ms: worker.started_ms,
            last_end: worker.last_end.clone(),
        }
    }
}

impl From<MemoryView> for Memory {
    fn from(memory: MemoryView) -> Self {
        let MemoryView { whole_bytes, is_pss, limit_bytes, available_bytes, machine_bytes } =
            memory;
        Self { whole_bytes, is_pss, limit_bytes, available_bytes, machine_bytes }
    }
}

impl From<&EndView> for End {
    fn from(end: &EndView) -> Self {
        Self {
            at_ms: end.at_ms,
            role: end.role.clone(),
            pid: end.pid,
            planned: end.planned,
            why: end.why.clone(),
            passages: end.passages,
            memory_bytes: end.memory_bytes,
        }
    }
}

impl From<rummage_engine::HealthSample> for HealthSample {
    fn from(sample: rummage_engine::HealthSample) -> Self {
        Self {
            at_ms: sample.at_ms,
            memory_bytes: sample.memory_bytes,
            passages_per_second: sample.passages_per_second,
            files_per_second: sample.files_per_second,
            workers: sample.workers,
        }
    }
}

impl From<IndexingMode> for Mode {
    fn from(mode: IndexingMode) -> Self {
        match mode {
            IndexingMode::Full => Self::Full,
            IndexingMode::Considerate => Self::Considerate,
            IndexingMode::Paused => Self::Paused,
        }
    }
}

impl From<Mode> for IndexingMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Full => Self::Full,
            Mode::Considerate => Self::Considerate,
            Mode::Paused => Self::Paused,
        }
    }
}
