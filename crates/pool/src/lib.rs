//! The supervised worker pool: work goes out as leases, comes back once, and
//! outlives every worker that dies over it.
//!
//! - [`supervisor`] decides. It is a plain state machine over events and a clock
//!   that it is told: no process, no thread, no waiting.
//! - `process` owns one worker process each: its pipes, its last words, its end.
//! - `runtime` joins the two on a thread of its own and measures memory. That
//!   thread starts every worker and lives as long as the pool, because Linux ends
//!   a child when the *thread* that started it ends.
//!
//! What a lease means, where texts come from and where vectors go, it does not know.

mod process;
mod runtime;
pub mod supervisor;

use std::{path::PathBuf, time::Duration};

use rummage_protocol::{ModelIdentity, Role};

pub use runtime::Pool;

/// How many workers of each kind, how they are started, and what they may take.
/// The program and its arguments are those of newly started workers.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolConfig {
    pub embed: Option<EmbedConfig>,
    pub extract: ExtractConfig,
    /// The worker program.
    pub program: PathBuf,
    pub limits: Limits,
}

#[derive(Debug, Clone, PartialEq)]
pub struct EmbedConfig {
    pub workers: usize,
    pub threads_per_worker: usize,
    pub model_dir: PathBuf,
    /// The ONNX Runtime library.
    pub runtime_library: PathBuf,
    /// Workers that say they make other vectors are sent away.
    pub identity: ModelIdentity,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ExtractConfig {
    pub workers: usize,
}

/// When a worker has to go. Memory is resident bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Past this a worker is replaced once its successor is ready.
    pub soft_memory_bytes: u64,
    /// Past this it is killed at once.
    pub hard_memory_bytes: u64,
    /// From its start to its handshake.
    pub start: Duration,
    /// An embedding worker that works on one lease for this long hangs.
    pub embed: Duration,
    /// The same for an extraction worker: the time limit of a file.
    pub extract: Duration,
    /// A lease that this many workers died over is given up.
    pub deaths: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A MiniLM worker takes 100 to 150 MB; a laptop of 8 GB holds two at the hard limit.
            soft_memory_bytes: 600 << 20,
            hard_memory_bytes: 1200 << 20,
            start: Duration::from_secs(60),
            embed: Duration::from_secs(60),
            extract: Duration::from_secs(30),
            deaths: 3,
        }
    }
}

impl PoolConfig {
    fn target(&self, role: Role) -> usize {
        match role {
            Role::Embed => self.embed.as_ref().map_or(0, |embed| embed.workers),
            Role::Extract => self.extract.workers,
        }
    }
}

/// Why a job gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The worker refused this very job and lives on.
    #[error("{0}")]
    Refused(String),
    /// Every worker that took the job died; with the last words of the last one.
    #[error("{deaths} workers ended over it, the last: {last_words}")]
    Deadly { deaths: u32, last_words: String },
    /// No worker of this kind can be started now.
    #[error("no {role} worker can be started: {reason}", role = role.name())]
    Unavailable { role: Role, reason: String },
    #[error("the worker pool is shutting down")]
    Closed,
}

/// What people see of the pool.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PoolStatus {
    pub workers: Vec<WorkerStatus>,
    /// Workers replaced on purpose: memory, settings.
    pub planned_restarts: u64,
    /// Workers that died or were killed.
    pub crash_restarts: u64,
    /// Why there are no embedding workers, when there should be.
    pub embed_unavailable: Option<String>,
    pub extract_unavailable: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct WorkerStatus {
    pub role: Role,
    pub pid: Option<u32>,
    pub state: WorkerState,
    pub memory_bytes: u64,
    /// Leases done.
    pub jobs: u64,
    /// Which successor in its place this is: 0 for the first.
    pub restarts: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerState {
    Starting,
    Idle,
    Busy,
    /// Takes no more work and ends.
    Retiring,
}

impl WorkerState {
    pub const fn name(self) -> &'static str {
        match self {
            WorkerState::Starting => "starting",
            WorkerState::Idle => "idle",
            WorkerState::Busy => "busy",
            WorkerState::Retiring => "retiring",
        }
    }
}

/// The memory that the machine has, in bytes; `None` where the system does not tell.
pub fn machine_memory_bytes() -> Option<u64> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory();
    (system.total_memory() > 0).then(|| system.total_memory())
}
