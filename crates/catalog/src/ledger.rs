//! What became of every file: counts for progress, rows for people.

use rummage_corpus::{FileId, SourcePath};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    Catalog, CatalogError, RootId,
    queue::{count_at, path_at},
    schema::stage,
};

/// Every followed file is in exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileState {
    Indexed,
    Queued,
    Skipped,
    Failed,
}

impl FileState {
    pub const ALL: [Self; 4] = [Self::Indexed, Self::Queued, Self::Skipped, Self::Failed];

    pub const fn name(self) -> &'static str {
        match self {
            FileState::Indexed => "indexed",
            FileState::Queued => "queued",
            FileState::Skipped => "skipped",
            FileState::Failed => "failed",
        }
    }
}

/// Files in each state, and what can be searched of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Still to be read.
    pub pending: u64,
    /// Found by their words; their vectors are to come.
    pub worded: u64,
    pub indexed: u64,
    pub skipped: u64,
    pub failed: u64,
    /// Passages of the worded and the indexed files.
    pub passages: u64,
    /// Of these, passages that have their vectors.
    pub embedded: u64,
}

impl Counts {
    pub const fn queued(&self) -> u64 {
        self.pending + self.worded
    }

    pub const fn known(&self) -> u64 {
        self.queued() + self.indexed + self.skipped + self.failed
    }

    fn add(&mut self, stage: i64, files: u64, passages: u64) {
        let count = match stage {
            stage::PENDING => &mut self.pending,
            stage::WORDED => &mut self.worded,
            stage::INDEXED => &mut self.indexed,
            stage::SKIPPED => &mut self.skipped,
            stage::FAILED => &mut self.failed,
            _ => return,
        };
        *count += files;
        if matches!(stage, stage::WORDED | stage::INDEXED) {
            self.passages += passages;
        }
        if stage == stage::INDEXED {
            self.embedded += passages;
        }
    }
}

/// A file as the ledger shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    pub file: FileId,
    pub path: SourcePath,
    pub state: FileState,
    /// Why it is skipped or failed, or what it waits for, in words for people.
    pub reason: Option<String>,
    pub passages: u64,
    pub bytes: u64,
    /// Nanoseconds since 1970.
    pub modified_ns: i64,
}

const WAITS_FOR_READING: &str = "waits to be read";
const WAITS_FOR_VECTORS: &str = "found by its words already; its meaning is still to be computed";

impl Catalog {
    pub fn counts(&self) -> Result<Counts, CatalogError> {
        self.read(|connection| {
            tally(connection, "SELECT stage, files, passages FROM tally", params![])
        })
    }

    pub fn counts_of(&self, root: RootId) -> Result<Counts, CatalogError> {
        self.read(|connection| {
            tally(
                connection,
                "SELECT stage, files, passages FROM tally WHERE root = ?",
                params![root.0],
            )
        })
    }

    /// Followed files in the order they came: up to `limit` after `after`, of one
    /// state or of all.
    pub fn files(
        &self,
        state: Option<FileState>,
        after: FileId,
        limit: usize,
    ) -> Result<Vec<FileRow>, CatalogError> {
        let stages = match state {
            None => "0, 1, 2, 3, 4",
            Some(FileState::Queued) => "0, 1",
            Some(FileState::Indexed) => "2",
            Some(FileState::Skipped) => "3",
            Some(FileState::Failed) => "4",
        };
        self.read(|connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT {FILE_COLUMNS} FROM files
                     WHERE id > ?1 AND stage IN ({stages}) ORDER BY id LIMIT ?2"
                ))?
                .query_map(params![after.0, limit as i64], file_row)?
                .collect()
        })
    }

    /// One followed file; `None` once it has left.
    pub fn file(&self, file: FileId) -> Result<Option<FileRow>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT {FILE_COLUMNS} FROM files WHERE id = ? AND stage < 5"
                ))?
                .query_row([file.0], file_row)
                .optional()
        })
    }

    /// One followed file by its path.
    pub fn file_at(&self, path: &SourcePath) -> Result<Option<FileRow>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT {FILE_COLUMNS} FROM files WHERE path = ? AND stage < 5"
                ))?
                .query_row([path.to_bytes().as_ref()], file_row)
                .optional()
        })
    }
}

const FILE_COLUMNS: &str = "id, path, stage, reason, passages, bytes, modified";

fn file_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<FileRow> {
    let (state, waits_for) = match row.get(2)? {
        stage::PENDING => (FileState::Queued, Some(WAITS_FOR_READING)),
        stage::WORDED => (FileState::Queued, Some(WAITS_FOR_VECTORS)),
        stage::INDEXED => (FileState::Indexed, None),
        stage::SKIPPED => (FileState::Skipped, None),
        _ => (FileState::Failed, None),
    };
    let reason: Option<String> = row.get(3)?;
    Ok(FileRow {
        file: FileId(row.get(0)?),
        path: path_at(row, 1)?,
        state,
        reason: reason.or_else(|| waits_for.map(str::to_owned)),
        passages: count_at(row, 4)?,
        bytes: row.get::<_, i64>(5)?.max(0) as u64,
        modified_ns: row.get(6)?,
    })
}

fn tally(
    connection: &Connection,
    query: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Counts> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query(parameters)?;
    let mut counts = Counts::default();
    while let Some(row) = rows.next()? {
        counts.add(row.get(0)?, count_at(row, 1)?, count_at(row, 2)?);
    }
    Ok(counts)
}
