//! The supervised worker pool: work goes out as leases, comes back once, and
//! outlives every worker that dies over it.
//!
//! - [`supervisor`] decides. It is a plain state machine over events and a clock
//!   that it is told: no process, no thread, no waiting. `allowance` tells it how
//!   many workers the machine has room for.
//! - `process` owns one worker process each: its pipes, its last words, its end.
//! - `machine` measures memory, processor time and battery.
//! - `runtime` joins them on a thread of its own. That thread starts every worker
//!   and lives as long as the pool, because Linux ends a child when the *thread*
//!   that started it ends.
//!
//! Workers load a set of models, and each lease is for one of them. A lease whose model
//! nobody is to load any more is answered with that.
//!
//! What a lease means, where texts come from and where vectors go, it does not know.

mod allowance;
mod machine;
mod process;
mod runtime;
pub mod supervisor;

use std::{
    ffi::OsString,
    path::PathBuf,
    time::{Duration, Instant},
};

use rummage_protocol::{ModelIdentity, Provider, Role, Running};

pub use allowance::{HeldBack, Machine};
pub use machine::{memory_bytes as machine_memory_bytes, processor_name, weigh};
pub use runtime::{Pool, Standing};
pub use supervisor::Why;

/// What a worker is for. Two duties share the role of embedding: questions have a
/// worker of their own, at ordinary priority, so that they wait neither for a
/// model call of the indexing nor for the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Duty {
    Query,
    Embed,
    Extract,
}

impl Duty {
    pub const ALL: [Self; 3] = [Self::Query, Self::Extract, Self::Embed];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Embed => "embed",
            Self::Extract => "extract",
        }
    }

    pub const fn role(self) -> Role {
        match self {
            Self::Query | Self::Embed => Role::Embed,
            Self::Extract => Role::Extract,
        }
    }

    const fn is_of_model(self) -> bool {
        matches!(self.role(), Role::Embed)
    }
}

/// How much of the machine indexing may take. Questions are answered at any pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// All workers, at low priority: whatever else wants the processor gets it.
    #[default]
    Full,
    /// Embedding at the lowest priority, and half of the workers while the machine is on
    /// battery or in use.
    Considerate,
    /// What is in work is finished; nothing else is begun.
    Paused,
}

impl Pace {
    /// How much a worker of this duty gives way to others: 0 is ordinary, 19 the most.
    pub(crate) const fn niceness(self, duty: Duty) -> u8 {
        match (duty, self) {
            (Duty::Query, _) => 0,
            (Duty::Embed, Self::Considerate) => 19,
            // An otherwise idle machine gives as much at any level. At 10, questions
            // took twice as long while workers were busy.
            _ => 16,
        }
    }
}

/// How many workers of each kind, how they are started, and what they may take.
/// The program and its arguments are those of newly started workers.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolConfig {
    pub embed: Option<EmbedConfig>,
    pub extract: ExtractConfig,
    /// The worker program.
    pub program: PathBuf,
    pub limits: Limits,
    pub pace: Pace,
}

#[derive(Debug, Clone, PartialEq)]
pub struct EmbedConfig {
    /// Workers that index, at most; they come with work and go without.
    pub workers: usize,
    /// The worker for questions is there before the first one, and after the last
    /// for as long as [`Limits::rest`].
    pub keep_query_worker: bool,
    pub threads_per_worker: usize,
    /// What each worker loads. One that says it makes other vectors is sent away.
    pub models: Vec<ServedModel>,
    /// The ONNX Runtime library.
    pub runtime_library: PathBuf,
    /// What models are to run on; `None`: the processor.
    pub accelerator: Option<Accelerator>,
}

/// Something else for models to run on than the processor. Workers that cannot have it
/// run them on the processor and say why ([`PoolStatus::running`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accelerator {
    pub provider: Provider,
    /// The ONNX Runtime library that is to have it; `None`: [`EmbedConfig::runtime_library`].
    pub library: Option<PathBuf>,
}

impl EmbedConfig {
    fn serves(&self, model: &str) -> bool {
        self.models.iter().any(|served| served.identity.fingerprint == model)
    }
}

impl Accelerator {
    /// What of a worker's command line says so.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments = vec!["--provider".into(), self.provider.name().into()];
        if let Some(library) = &self.library {
            arguments.extend(["--own-runtime".into(), library.into()]);
        }
        arguments
    }
}

/// A model that workers load.
#[derive(Debug, Clone, PartialEq)]
pub struct ServedModel {
    pub dir: PathBuf,
    pub identity: ModelIdentity,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ExtractConfig {
    pub workers: usize,
}

/// When a worker has to go. Memory is in bytes, of the process alone (PSS) where
/// the system tells, else resident.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Past this a worker is replaced once its successor is ready.
    pub soft_memory_bytes: u64,
    /// Past this it is killed at once. An extraction worker is refused more.
    pub hard_memory_bytes: u64,
    /// Of the app with its workers and its web view: past this, fewer workers.
    pub whole_memory_bytes: u64,
    /// A worker that has done so many passages, or files, is replaced.
    pub passages: u64,
    /// From its start to its handshake.
    pub start: Duration,
    /// The deadline of an embedding lease, and what each of its tokens adds.
    pub embed: Duration,
    pub embed_token: Duration,
    /// The time limit of a file, and of one whose pictures are read.
    pub extract: Duration,
    pub ocr: Duration,
    /// From being told to end to its end.
    pub leave: Duration,
    /// An embedding worker without work ends after this long.
    pub idle: Duration,
    /// A worker for questions that is kept ends when none came for this long.
    pub rest: Duration,
    /// A lease that this many workers died over is given up; one only for a lease
    /// that is [`Standing::Suspect`]. Two that were killed from outside count as one.
    pub deaths: u32,
}

impl Limits {
    /// For a machine of that much memory, each worker being replaced past
    /// `soft_memory_bytes` and killed past twice that.
    pub fn new(machine_bytes: u64, soft_memory_bytes: u64) -> Self {
        Self {
            soft_memory_bytes,
            hard_memory_bytes: soft_memory_bytes.saturating_mul(2),
            whole_memory_bytes: (machine_bytes / 4).max(1 << 30),
            passages: 200_000,
            start: Duration::from_secs(60),
            embed: Duration::from_secs(30),
            // Some twenty times what a large model takes on a slow processor.
            embed_token: Duration::from_millis(10),
            extract: patience::READ + Duration::from_secs(10),
            // The last page may still be with Tesseract.
            ocr: patience::OCR + Duration::from_secs(90),
            leave: Duration::from_secs(5),
            idle: Duration::from_secs(60),
            rest: Duration::from_secs(60),
            deaths: 2,
        }
    }
}

/// After so long a worker ends reading a file by itself, with what it has so far.
/// [`Limits`] are what happens to one that does not.
mod patience {
    use std::time::Duration;

    pub const READ: Duration = Duration::from_secs(20);
    pub const OCR: Duration = Duration::from_secs(600);
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
    /// Workers replaced on purpose: memory, passages, settings.
    pub planned_restarts: u64,
    /// Workers that died or were killed.
    pub crash_restarts: u64,
    /// Passages embedded and files read by all workers so far.
    pub embedded: u64,
    pub extracted: u64,
    /// The last workers that ended, the newest first.
    pub ends: Vec<End>,
    /// Embedding workers that are set, and how many of them may work now.
    pub wanted: usize,
    pub allowed: usize,
    pub held_back: Option<HeldBack>,
    pub machine: Machine,
    pub whole_limit_bytes: u64,
    /// What models run on; `None` before the first worker has told.
    pub running: Option<Running>,
    /// Why there are no embedding workers, when there should be.
    pub embed_unavailable: Option<String>,
    pub extract_unavailable: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct WorkerStatus {
    pub duty: Duty,
    pub pid: Option<u32>,
    pub state: WorkerState,
    pub memory_bytes: u64,
    /// All that it maps, what is shared with others counted whole (RSS).
    pub resident_bytes: u64,
    pub soft_limit_bytes: u64,
    pub hard_limit_bytes: u64,
    /// Leases done.
    pub jobs: u64,
    /// Passages, or files, done.
    pub passages: u64,
    /// Which successor of its duty this is: 0 for the first.
    pub restarts: u64,
    pub started: Instant,
    /// Why the last worker of this duty had to be replaced.
    pub last_end: Option<Why>,
}

/// What a process holds, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// What limits are held against: what it shares with others counted in parts
    /// (PSS) where the system tells, so that three workers of one program and one
    /// model count both once; else the same as `resident_bytes`.
    pub bytes: u64,
    pub resident_bytes: u64,
}

/// A worker that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    pub at: Instant,
    pub duty: Duty,
    pub pid: Option<u32>,
    pub why: Why,
    pub passages: u64,
    pub memory_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerState {
    Starting,
    Idle,
    Busy,
    /// Works on until its successor is ready.
    Expiring,
    /// Takes no more work and ends.
    Retiring,
}

impl WorkerState {
    pub const fn name(self) -> &'static str {
        match self {
            WorkerState::Starting => "starting",
            WorkerState::Idle => "idle",
            WorkerState::Busy => "busy",
            WorkerState::Expiring => "expiring",
            WorkerState::Retiring => "retiring",
        }
    }
}
