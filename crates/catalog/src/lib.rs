//! The catalog: which folders are followed, what state each of their files is
//! in and why, and what is to be done next. One SQLite file, and the authority:
//! what the store holds counts only where the catalog says so. Beside that it keeps what
//! a person made of answers, file by file.
//!
//! It knows nothing of reading, cutting, embedding or searching. Calls are short
//! (a batch of 250 files takes well under 5 ms), so they are synchronous.

mod ledger;
mod listing;
mod marks;
mod names;
mod observe;
mod placing;
mod queue;
mod retry;
mod roots;
mod schema;
mod slip;
mod vocabulary;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use rusqlite::{Connection, ErrorCode, config::DbConfig};

pub use ledger::{Counts, FileRow, FileState, Held};
pub use listing::{FileFilter, FilePage};
pub use marks::{Grade, Mark, MarkCounts};
pub use names::NamedFile;
pub use observe::{Circumstances, Observation, Observed, SeenFiles, Stamp};
pub use placing::Misplaced;
pub use queue::{Gone, KeptFile, Task, WordedFile, WordedTask};
pub use retry::{Fate, Verdict};
pub use roots::{AddRoot, Root, RootId};
pub use slip::{Instead, QueryWord};

#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("the disk of {} is full", path.display())]
    DiskFull { path: PathBuf },
    #[error("the catalog {} is damaged: {source}", path.display())]
    Damaged { path: PathBuf, source: rusqlite::Error },
    #[error("the catalog {} was made by an older Rummage", path.display())]
    Older { path: PathBuf },
    #[error("the catalog {} was made by a newer Rummage (format {found}, this one knows {known})", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("the catalog {} cannot be used: {source}", path.display())]
    Sqlite { path: PathBuf, source: rusqlite::Error },
}

/// The open catalog. One process writes at a time (the engine's lock sees to
/// that); any number may read beside it.
pub struct Catalog {
    path: PathBuf,
    connection: Mutex<Connection>,
    remembered: Mutex<vocabulary::Remembered>,
}

impl Catalog {
    /// Opens the catalog at `path`, making it where there is none.
    pub fn open(path: &Path) -> Result<Self, CatalogError> {
        let connection = Connection::open(path).map_err(|source| classify(path, source))?;
        names::register(&connection).map_err(|source| classify(path, source))?;
        let catalog = Self::new(path, connection);
        schema::prepare(&catalog)?;
        names::prepare(&catalog)?;
        Ok(catalog)
    }

    /// Opens an existing catalog for reading only; `None` where there is none yet.
    pub fn open_reader(path: &Path) -> Result<Option<Self>, CatalogError> {
        if !path.exists() {
            return Ok(None);
        }
        let catalog = Self::open_existing(path)?;
        match schema::check_version(&catalog)? {
            schema::Version::Empty => Ok(None),
            schema::Version::Older => Err(CatalogError::Older { path: path.to_owned() }),
            schema::Version::Current => Ok(Some(catalog)),
        }
    }

    /// Forgets everything: what is followed, what became of it, and every word of it.
    pub fn clear(&self) -> Result<(), CatalogError> {
        schema::clear(self)?;
        *self.remembered.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) =
            vocabulary::Remembered::default();
        Ok(())
    }

    /// Nothing is known of any file: whatever the store holds is not of this catalog.
    pub fn is_empty(&self) -> Result<bool, CatalogError> {
        self.read(|connection| {
            connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM files)", [], |row| row.get(0))
        })
    }

    fn open_existing(path: &Path) -> Result<Self, CatalogError> {
        use rusqlite::OpenFlags;
        // Read-write in SQLite's eyes: a reader of a write-ahead log takes part in its locking.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)
            .and_then(|connection| {
                connection.busy_timeout(schema::BUSY_TIMEOUT)?;
                connection.pragma_update(None, "query_only", true)?;
                Ok(connection)
            })
            .map_err(|source| classify(path, source))?;
        Ok(Self::new(path, connection))
    }

    fn new(path: &Path, connection: Connection) -> Self {
        // Else a statement is planned anew for each limit that is bound to it, which costs
        // as much as what it does. Where that is not to be had, it is only slower.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true);
        Self {
            path: path.to_owned(),
            connection: Mutex::new(connection),
            remembered: Mutex::default(),
        }
    }

    /// Runs `work` in one transaction: all of it is kept, or nothing.
    fn write<T>(
        &self,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, CatalogError> {
        let mut connection = self.lock();
        let run = || {
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        run().map_err(|source| classify(&self.path, source))
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, CatalogError> {
        work(&self.lock()).map_err(|source| classify(&self.path, source))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held rolled its transaction back: the connection is sound.
        self.connection.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn classify(path: &Path, source: rusqlite::Error) -> CatalogError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => CatalogError::DiskFull { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            CatalogError::Damaged { path, source }
        }
        _ => CatalogError::Sqlite { path, source },
    }
}
