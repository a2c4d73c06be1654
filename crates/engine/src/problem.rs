//! What a person should know while the app runs: one standing problem a kind,
//! set when it is met and cleared when it is over.

use std::sync::Mutex;

use crate::EngineError;

/// A standing problem, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    pub message: String,
    pub mend: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// The settings file could not be used as it is.
    Settings,
    /// The model or ONNX Runtime is missing or broken: words only.
    Model,
    /// The model runs on the processor and not on what the settings name.
    Provider,
    /// Files cannot be read, for the worker program does not start.
    Reading,
    /// Nothing can be written: indexing waits.
    Writing,
    /// What folders hold could not be taken down.
    Scanning,
    /// Changes in a folder are not seen as they happen.
    Watching,
    /// Vectors of earlier are neither found nor kept: everything goes on, slower.
    Cache,
    /// The chosen model cannot take the place of the one in use.
    Switching,
}

impl ProblemKind {
    pub const fn name(self) -> &'static str {
        match self {
            ProblemKind::Settings => "settings",
            ProblemKind::Model => "model",
            ProblemKind::Provider => "provider",
            ProblemKind::Reading => "reading",
            ProblemKind::Writing => "writing",
            ProblemKind::Scanning => "scanning",
            ProblemKind::Watching => "watching",
            ProblemKind::Cache => "cache",
            ProblemKind::Switching => "switching",
        }
    }
}

/// The problems that stand, newest first.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    standing: Mutex<Vec<Problem>>,
}

impl Problems {
    pub fn set(&self, kind: ProblemKind, message: String, mend: String) {
        let mut standing = self.lock();
        let problem = Problem { kind, message, mend };
        if !standing.contains(&problem) {
            standing.retain(|other| other.kind != kind);
            standing.insert(0, problem);
        }
    }

    pub fn set_error(&self, kind: ProblemKind, error: &EngineError) {
        self.set(kind, error.to_string(), error.mend().unwrap_or_default());
    }

    pub fn clear(&self, kind: ProblemKind) {
        self.lock().retain(|problem| problem.kind != kind);
    }

    pub fn stands(&self, kind: ProblemKind) -> bool {
        self.lock().iter().any(|problem| problem.kind == kind)
    }

    pub fn all(&self) -> Vec<Problem> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Problem>> {
        self.standing.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
