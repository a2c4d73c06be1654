//! What can go wrong for the whole engine, and the mend. A bad file is no such
//! thing: it stands in the ledger.

use std::{
    io,
    path::{Path, PathBuf},
};

use rummage_cache::CacheError;
use rummage_catalog::CatalogError;
use rummage_fetch::FetchError;
use rummage_models::ModelError;
use rummage_pool::JobError;
use rummage_search::QueryError;
use rummage_settings::SettingsError;
use rummage_store::StoreError;
use rummage_watch::WatchError;

use crate::Problem;

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("another process is indexing {}", path.display())]
    Busy { path: PathBuf },
    #[error("the data folder {} cannot be used: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("no space is left on the disk that holds {}", path.display())]
    DiskFull { path: PathBuf },
    #[error("{} cannot be followed: {reason}", path.display())]
    Path { path: PathBuf, reason: String },
    #[error("{} is not followed", path.display())]
    NotFollowed { path: PathBuf },
    #[error("{} is not followed by itself, but with {}", path.display(), root.display())]
    Within { path: PathBuf, root: PathBuf },
    #[error("{} is a folder, not a file", path.display())]
    NotAFile { path: PathBuf },
    #[error("there is no file {}", path.display())]
    NoFile { path: PathBuf },
    #[error("{} cannot be compared: it is {became}", path.display())]
    NoMeaning { path: PathBuf, became: String },
    #[error("there is nothing to look for in this question")]
    NoQuestion,
    #[error("nothing has been indexed in {} yet", path.display())]
    Empty { path: PathBuf },
    #[error(transparent)]
    Catalog(CatalogError),
    #[error("{}", with_causes(.0))]
    Store(StoreError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("the model {id} is in use{}", if by == id { String::new() } else { format!(" as part of {by}") })]
    InUse { id: String, by: String },
    #[error("the model {id} comes with Rummage and cannot be removed")]
    ComesWithRummage { id: String },
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Watch(#[from] WatchError),
    #[error(transparent)]
    Job(#[from] JobError),
    #[error("the worker program {} is missing", path.display())]
    NoWorkerProgram { path: PathBuf },
    #[error("the worker {} does not work: {source}", path.display())]
    Worker { path: PathBuf, source: io::Error },
    #[error("there is no model to work with")]
    NoModel,
    #[error("this computer is being measured already")]
    Measuring,
    #[error("no worker could be measured: this computer's memory is short")]
    NoRoom,
    /// A standing problem keeps the work from ending.
    #[error("{}", .0.message)]
    Standing(Problem),
    #[error("Rummage is shutting down")]
    Closed,
}

/// What exit codes and messages are chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The person asked for something that cannot be.
    Usage,
    Busy,
    DiskFull,
    /// The model or ONNX Runtime is missing or broken.
    Model,
    /// The index on disk is damaged.
    Damaged,
    Failed,
}

impl ErrorKind {
    pub const fn name(self) -> &'static str {
        match self {
            ErrorKind::Usage => "usage",
            ErrorKind::Busy => "busy",
            ErrorKind::DiskFull => "disk-full",
            ErrorKind::Model => "model",
            ErrorKind::Damaged => "damaged",
            ErrorKind::Failed => "failed",
        }
    }
}

impl EngineError {
    pub(crate) fn folder(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Folder { path, source },
        }
    }

    /// Why nothing is known of a file.
    pub fn unknown_file(path: &Path) -> Self {
        let path = path.to_owned();
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => Self::NotAFile { path },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::NoFile { path },
            _ => Self::NotFollowed { path },
        }
    }

    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Busy { .. } => ErrorKind::Busy,
            Self::DiskFull { .. } => ErrorKind::DiskFull,
            Self::Path { .. }
            | Self::NotFollowed { .. }
            | Self::Within { .. }
            | Self::NotAFile { .. }
            | Self::NoFile { .. }
            | Self::NoMeaning { .. }
            | Self::NoQuestion
            | Self::Query(_)
            | Self::Empty { .. }
            | Self::Measuring
            | Self::InUse { .. }
            | Self::ComesWithRummage { .. }
            | Self::Model(
                ModelError::Unknown { .. }
                | ModelError::Taken { .. }
                | ModelError::NotImportable { .. },
            )
            | Self::Settings(_) => ErrorKind::Usage,
            Self::Model(_) | Self::NoModel | Self::Job(JobError::Unavailable { .. }) => {
                ErrorKind::Model
            }
            Self::Catalog(CatalogError::Damaged { .. } | CatalogError::Newer { .. })
            | Self::Store(StoreError::Corrupt { .. } | StoreError::Column { .. }) => {
                ErrorKind::Damaged
            }
            _ => ErrorKind::Failed,
        }
    }

    /// What a person can do about it, in a sentence.
    pub fn mend(&self) -> Option<String> {
        Some(match self {
            Self::Busy { .. } => "Where that is the window, it follows what is dropped on it by \
                 itself; else wait for it or end it. Searching works meanwhile."
                .to_owned(),
            Self::DiskFull { .. } => "Free some space: indexing goes on by itself, and nothing \
                 that was indexed is lost. Or choose another data folder with --data."
                .to_owned(),
            Self::Folder { .. } => {
                "Check that you may write there, or choose another folder with --data.".to_owned()
            }
            Self::Empty { .. } => {
                "Drop a folder on the window, or run: rummage index FOLDER".to_owned()
            }
            Self::Within { .. } => "Name that, or leave a part of it out by a pattern in the \
                 settings or a .rummageignore."
                .to_owned(),
            Self::NotFollowed { .. } => "rummage status shows what is followed.".to_owned(),
            Self::NotAFile { .. } => {
                "Name a file in it; rummage files --match finds files by their paths.".to_owned()
            }
            Self::NoFile { .. } => {
                "Look at how it is written; rummage files --match finds files by their paths."
                    .to_owned()
            }
            Self::NoMeaning { .. } => {
                "rummage files and the file's path say what became of it.".to_owned()
            }
            Self::Catalog(CatalogError::Older { .. }) => "Open Rummage's window, or run \
                 rummage index on a folder: that brings the index up to date."
                .to_owned(),
            Self::Catalog(CatalogError::Newer { .. }) => "Install the newer Rummage again.".into(),
            Self::Catalog(CatalogError::Damaged { path, .. }) => format!(
                "Move the folder {} away: Rummage builds its index anew from your files, \
                 which are not touched.",
                path.parent().unwrap_or(path).display()
            ),
            Self::Store(StoreError::Corrupt { path, .. } | StoreError::Column { path, .. }) => {
                format!(
                    "Move the folder {} away: Rummage builds its index anew from your files, \
                     which are not touched.",
                    path.ancestors().nth(2).unwrap_or(path).display()
                )
            }
            Self::Model(ModelError::PartMissing { ensemble, .. }) => {
                format!("Fetch all of it in the settings, or run: rummage models fetch {ensemble}")
            }
            Self::NoModel => {
                "The settings, under Model, and rummage status say what became of it.".to_owned()
            }
            Self::Measuring => "Wait for its end, or stop it.".to_owned(),
            Self::NoRoom => "Close other programs and try again.".to_owned(),
            Self::InUse { .. } => "Use another model first.".to_owned(),
            Self::Fetch(FetchError::Unreachable { .. }) => "Is there a network? What has come is \
                 kept: another try goes on from there. Or get the files by other means, and \
                 import their folder."
                .to_owned(),
            Self::Fetch(_) => "Try again later, or get the files by other means, and import \
                 their folder."
                .to_owned(),
            Self::Standing(problem) => problem.mend.clone(),
            Self::Cache(error) => cache_mend(error),
            Self::NoWorkerProgram { .. } => "Install Rummage anew; in a checkout: npm run setup \
                 and cargo build."
                .to_owned(),
            _ => return None,
        })
    }
}

/// What to do about a cache; indexing and search go on without.
pub(crate) fn cache_mend(error: &CacheError) -> String {
    if error.is_damage() {
        format!("Delete {}: it is made anew.", error.path.display())
    } else {
        "It is tried again by itself; until then, vectors are computed that were known.".to_owned()
    }
}

impl From<CatalogError> for EngineError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::DiskFull { path } => Self::DiskFull { path },
            error => Self::Catalog(error),
        }
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::DiskFull { path, .. } => Self::DiskFull { path },
            error => Self::Store(error),
        }
    }
}

/// The store's errors name the table; what happened stands in their causes.
fn with_causes(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let words = error.to_string();
        // Layers repeat each other.
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}
