//! The rows of the ledger, and which of them the page asks for.

use rummage_corpus::SourcePath;
use rummage_engine::{Engine, FileState, Remedy};
use serde::{Deserialize, Serialize};

use super::AppError;

/// Which rows are wanted.
#[derive(Debug, Clone, Deserialize)]
pub struct FileFilter {
    state: Option<String>,
    root: Option<String>,
    words: String,
}

impl TryFrom<FileFilter> for rummage_engine::FileFilter {
    type Error = AppError;

    fn try_from(filter: FileFilter) -> Result<Self, AppError> {
        let state = filter.state.as_deref().map(file_state).transpose()?;
        Ok(Self { state, root: filter.root.map(SourcePath::new), words: filter.words })
    }
}

fn file_state(name: &str) -> Result<FileState, AppError> {
    let state = FileState::ALL.into_iter().find(|state| state.name() == name);
    state.ok_or_else(|| AppError::usage(format!("there is no file state {name:?}")))
}

#[derive(Debug, Clone, Serialize)]
pub struct FilePage {
    rows: Vec<FileRow>,
    next: Option<i64>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileRow {
    id: i64,
    path: String,
    is_folder: bool,
    state: &'static str,
    reason: Option<String>,
    passages: u64,
    bytes: u64,
    tries: u32,
    again_ms: Option<i64>,
    /// retry or include
    remedy: Option<&'static str>,
}

impl FilePage {
    pub fn new(page: &rummage_engine::FilePage, engine: &Engine) -> Self {
        let rows = page.rows.iter().map(|row| FileRow::new(row, engine.remedy(row)));
        Self { rows: rows.collect(), next: page.next.map(|file| file.0) }
    }
}

impl FileRow {
    fn new(row: &rummage_engine::FileRow, remedy: Option<Remedy>) -> Self {
        Self {
            id: row.file.0,
            path: row.path.display().to_string(),
            is_folder: row.is_folder,
            state: row.state.name(),
            reason: row.reason.clone(),
            passages: row.passages,
            bytes: row.bytes,
            tries: row.tries,
            again_ms: row.again.map(|seconds| seconds.saturating_mul(1000)),
            remedy: remedy.map(|remedy| match remedy {
                Remedy::Retry => "retry",
                Remedy::Include => "include",
            }),
        }
    }
}
