//! What the program is doing, and what became of folders that were to be followed.

use rummage_corpus::SourcePath;
use rummage_engine::{Added, Counts, Engine, EngineError, FileState, ModelState};
use serde::Serialize;

use super::Pool;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    roots: Vec<RootStatus>,
    coverage: Coverage,
    counts: StateCounts,
    indexing: Option<Indexing>,
    pool: Pool,
    model: Model,
    /// The model that is being prepared to take its place.
    switching: Option<Switching>,
    problems: Vec<Problem>,
    disk_bytes: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Coverage {
    known: u64,
    searched: u64,
    meaning: u64,
}

/// Rows of the ledger in each state.
#[derive(Debug, Clone, Serialize)]
pub struct StateCounts {
    indexed: u64,
    queued: u64,
    skipped: u64,
    failed: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Indexing {
    done: u64,
    total: u64,
    files_per_second: f64,
    passages_per_second: f64,
    seconds_left: Option<f64>,
    current: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Model {
    id: String,
    name: String,
    dims: u32,
    /// loading, ready, missing or failed
    state: &'static str,
    message: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Switching {
    id: String,
    name: String,
    /// Files that have its vectors, of those that are to have them.
    done: u64,
    total: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    kind: String,
    message: String,
    mend: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct RootStatus {
    path: String,
    name: String,
    #[serde(flatten)]
    counts: StateCounts,
    /// watching, limited, scanning or away
    state: &'static str,
    /// Why it is limited or away.
    message: Option<String>,
    /// What is new there waits.
    paused: bool,
}

impl From<rummage_engine::Coverage> for Coverage {
    fn from(coverage: rummage_engine::Coverage) -> Self {
        let rummage_engine::Coverage { known, searched, meaning } = coverage;
        Self { known, searched, meaning }
    }
}

impl From<&Counts> for StateCounts {
    fn from(counts: &Counts) -> Self {
        Self {
            indexed: counts.rows(FileState::Indexed),
            queued: counts.rows(FileState::Queued),
            skipped: counts.rows(FileState::Skipped),
            failed: counts.rows(FileState::Failed),
        }
    }
}

impl Status {
    /// The engine's status; one that only reads says why.
    pub fn of(status: &rummage_engine::Status, engine: &Engine) -> Self {
        let mut problems: Vec<_> = status.problems.iter().map(Problem::from).collect();
        if !engine.indexes() {
            let error = EngineError::Busy { path: engine.data_folder().path().to_owned() };
            problems.push(Problem {
                kind: error.kind().name().to_owned(),
                message: error.to_string(),
                mend: error.mend().unwrap_or_default(),
            });
        }
        let indexing = status.progress.map(|progress| Indexing {
            done: progress.done,
            total: progress.total,
            files_per_second: progress.files_per_second,
            passages_per_second: progress.passages_per_second,
            seconds_left: progress.seconds_left,
            current: status.current.clone(),
        });
        Self {
            roots: status.roots.iter().map(|root| RootStatus::new(root, status.scanning)).collect(),
            coverage: status.coverage.into(),
            counts: StateCounts::from(&status.counts),
            indexing,
            pool: Pool::new(&status.pool, engine.settings().indexing.mode),
            model: Model::of(status),
            switching: status.switching.clone().map(Switching::from),
            problems,
            disk_bytes: status.disk_bytes,
        }
    }
}

impl From<&rummage_engine::Problem> for Problem {
    fn from(problem: &rummage_engine::Problem) -> Self {
        let (message, mend) = (problem.message.clone(), problem.mend.clone());
        Self { kind: problem.kind.name().to_owned(), message, mend }
    }
}

impl From<rummage_engine::SwitchStatus> for Switching {
    fn from(switching: rummage_engine::SwitchStatus) -> Self {
        let rummage_engine::SwitchStatus { id, name, done, total } = switching;
        Self { id, name, done, total }
    }
}

impl Model {
    fn of(status: &rummage_engine::Status) -> Self {
        let Some(model) = &status.model else {
            return Self { state: "missing", ..Self::default() };
        };
        let (state, message) = match &model.state {
            ModelState::Loading => ("loading", None),
            ModelState::Ready => ("ready", None),
            ModelState::Failed(reason) => ("failed", Some(reason.clone())),
        };
        let (id, name) = (model.id.clone(), model.name.clone());
        Self { id, name, dims: model.dims, state, message }
    }
}

impl RootStatus {
    fn new(root: &rummage_engine::RootStatus, scanning: bool) -> Self {
        let (state, message) = match (&root.root.away, &root.limited) {
            (Some(why), _) => ("away", Some(why)),
            (None, _) if scanning => ("scanning", None),
            (None, Some(why)) => ("limited", Some(why)),
            (None, None) => ("watching", None),
        };
        Self {
            path: root.root.path.display().to_string(),
            name: root.root.path.name().into_owned(),
            counts: StateCounts::from(&root.counts),
            state,
            message: message.cloned(),
            paused: root.root.paused,
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct AddReport {
    added: Vec<String>,
    refused: Vec<Refused>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Refused {
    path: String,
    reason: String,
}

impl From<Added> for AddReport {
    fn from(added: Added) -> Self {
        let shown = |path: &SourcePath| path.display().to_string();
        let known = added
            .known
            .iter()
            .map(|path| Refused { path: shown(path), reason: "it is followed already".to_owned() });
        let refused = added.refused.iter().map(|error| match error {
            EngineError::Path { path, reason } => {
                Refused { path: path.display().to_string(), reason: reason.clone() }
            }
            error => Refused { path: String::new(), reason: error.to_string() },
        });
        Self {
            added: added.added.iter().map(shown).collect(),
            refused: known.chain(refused).collect(),
        }
    }
}
