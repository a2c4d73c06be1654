//! What became of every file: counts for progress, rows for people.

use std::collections::HashMap;

use rummage_corpus::{ContentHash, FileId, SourcePath};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    Catalog, CatalogError, RootId,
    queue::{count_at, hash_at, path_at},
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
    /// Looked into, and left out for what they hold or for their size.
    pub skipped: u64,
    pub failed: u64,
    /// Files and whole folders that rules leave out, unseen. None of [`Counts::known`].
    pub left_out: u64,
    /// Passages of the worded and the indexed files.
    pub passages: u64,
    /// Of these, passages that have their vectors.
    pub embedded: u64,
    /// Of all this, what waits because its folder is paused.
    pub held: Held,
}

/// What is to be done once paused folders go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    pub pending: u64,
    pub worded: u64,
    /// Of the worded files.
    pub passages: u64,
}

impl Counts {
    pub const fn queued(&self) -> u64 {
        self.pending + self.worded
    }

    /// Of the queued, what does not wait for a paused folder.
    pub const fn to_do(&self) -> u64 {
        self.queued() - self.held.pending - self.held.worded
    }

    pub const fn known(&self) -> u64 {
        self.queued() + self.indexed + self.skipped + self.failed
    }

    /// Rows of the ledger in this state; those of all states are all of its rows.
    pub const fn rows(&self, state: FileState) -> u64 {
        match state {
            FileState::Indexed => self.indexed,
            FileState::Queued => self.queued(),
            FileState::Skipped => self.skipped + self.left_out,
            FileState::Failed => self.failed,
        }
    }

    fn add(&mut self, stage: i64, files: u64, passages: u64, is_paused: bool) {
        let count = match stage {
            stage::PENDING => &mut self.pending,
            stage::WORDED => &mut self.worded,
            stage::INDEXED => &mut self.indexed,
            stage::SKIPPED => &mut self.skipped,
            stage::FAILED => &mut self.failed,
            stage::LEFT_OUT => &mut self.left_out,
            _ => return,
        };
        *count += files;
        if matches!(stage, stage::WORDED | stage::INDEXED) {
            self.passages += passages;
        }
        if stage == stage::INDEXED {
            self.embedded += passages;
        }
        match stage {
            stage::PENDING if is_paused => self.held.pending += files,
            stage::WORDED if is_paused => {
                self.held.worded += files;
                self.held.passages += passages;
            }
            _ => {}
        }
    }
}

/// A file as the ledger shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    pub file: FileId,
    pub path: SourcePath,
    pub state: FileState,
    /// Why it is skipped or failed, what it waits for, or what its text lacks, in words
    /// for people.
    pub reason: Option<String>,
    pub passages: u64,
    pub bytes: u64,
    /// Nanoseconds since 1970.
    pub modified_ns: i64,
    /// A whole folder: one that cannot be listed, or that a rule leaves out.
    pub is_folder: bool,
    /// How often it failed in a row.
    pub tries: u32,
    /// When a failure is tried again by itself, in seconds since 1970.
    pub again: Option<i64>,
}

impl FileRow {
    /// Its state and the reason, as they follow “it is”.
    pub fn became(&self) -> String {
        let reason = self.reason.as_deref().map(|reason| format!(": {reason}"));
        format!("listed as {}{}", self.state.name(), reason.unwrap_or_default())
    }

    /// A rule leaves it out, unseen: it is none of the followed files.
    pub const fn is_left_out(&self) -> bool {
        self.file.0 >= LEFT_OUT
    }
}

/// What rules leave out is numbered from here in the ledger, far past any file.
pub(crate) const LEFT_OUT: i64 = 1 << 42;

const WAITS_FOR_FOLDER: &str = "waits until its folder goes on, which is paused";
const WAITS_FOR_READING: &str = "waits to be read";
const WAITS_FOR_VECTORS: &str = "found by its words already; its meaning is still to be computed";

impl Catalog {
    pub fn counts(&self) -> Result<Counts, CatalogError> {
        self.read(|connection| tally(connection, &format!("SELECT {TALLY}"), params![]))
    }

    pub fn counts_of(&self, root: RootId) -> Result<Counts, CatalogError> {
        self.read(|connection| {
            tally(connection, &format!("SELECT {TALLY} WHERE root = ?"), params![root.0])
        })
    }

    /// About so many of the files that are found by their words, from all over them. Looks
    /// at every file's number.
    pub fn sample(&self, most: usize) -> Result<Vec<FileId>, CatalogError> {
        self.read(|connection| {
            let found: i64 = connection.query_row(
                "SELECT count(*) FROM files WHERE stage IN (1, 2)",
                [],
                |row| row.get(0),
            )?;
            let step = (found as usize).div_ceil(most.max(1)).max(1);
            connection
                .prepare_cached(
                    "SELECT id FROM (
                         SELECT id, row_number() OVER (ORDER BY id) - 1 AS place
                         FROM files WHERE stage IN (1, 2)
                     ) WHERE place % ? = 0",
                )?
                .query_map([step as i64], |row| row.get(0).map(FileId))?
                .collect()
        })
    }

    /// The size of a root's files together.
    pub fn bytes_of(&self, root: RootId) -> Result<u64, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT coalesce(sum(max(bytes, 0)), 0) FROM files
                     WHERE root = ? AND stage < 5",
                )?
                .query_row([root.0], |row| row.get::<_, i64>(0))
                .map(i64::unsigned_abs)
        })
    }

    /// One row, of a followed file or of what a rule leaves out; `None` once it has left.
    pub fn file(&self, file: FileId) -> Result<Option<FileRow>, CatalogError> {
        self.read(|connection| row_of(connection, file))
    }

    /// The rows of these files, of those that are there.
    pub fn rows(&self, files: &[FileId]) -> Result<HashMap<FileId, FileRow>, CatalogError> {
        self.read(|connection| {
            // Without, each row's own would cost as much as reading it.
            let _one = connection.unchecked_transaction()?;
            let mut rows = HashMap::with_capacity(files.len());
            for file in files {
                rows.extend(row_of(connection, *file)?.map(|row| (*file, row)));
            }
            Ok(rows)
        })
    }

    /// What the contents of these files hash to, as far as they were read.
    pub fn contents(&self, files: &[FileId]) -> Result<HashMap<FileId, ContentHash>, CatalogError> {
        self.read(|connection| {
            let _one = connection.unchecked_transaction()?;
            let mut select = connection.prepare_cached("SELECT hash FROM files WHERE id = ?")?;
            let mut contents = HashMap::new();
            for file in files {
                if let Some(hash) =
                    select.query_row([file.0], |row| hash_at(row, 0)).optional()?.flatten()
                {
                    contents.insert(*file, hash);
                }
            }
            Ok(contents)
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

    /// Why a path is not among the files: what rules leave out there, be it the path
    /// itself or a folder above it.
    pub fn left_out_at(&self, path: &SourcePath) -> Result<Option<FileRow>, CatalogError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "SELECT {LEFT_OUT_COLUMNS} FROM left_out WHERE path = ?"
            ))?;
            for above in path.as_path().ancestors() {
                let above = SourcePath::from(above);
                let row = select.query_row([above.to_bytes().as_ref()], left_out_row).optional()?;
                if row.is_some() {
                    return Ok(row);
                }
            }
            Ok(None)
        })
    }
}

pub(crate) const FILE_COLUMNS: &str =
    "id, path, stage, reason, passages, bytes, modified, tries, again,
     root IN (SELECT id FROM roots WHERE paused)";
pub(crate) const LEFT_OUT_COLUMNS: &str = "id, path, folder, rule";

fn row_of(connection: &Connection, file: FileId) -> rusqlite::Result<Option<FileRow>> {
    if file.0 >= LEFT_OUT {
        return connection
            .prepare_cached(&format!("SELECT {LEFT_OUT_COLUMNS} FROM left_out WHERE id = ?"))?
            .query_row([file.0 - LEFT_OUT], left_out_row)
            .optional();
    }
    connection
        .prepare_cached(&format!("SELECT {FILE_COLUMNS} FROM files WHERE id = ? AND stage < 5"))?
        .query_row([file.0], file_row)
        .optional()
}

pub(crate) fn file_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<FileRow> {
    let (state, waits_for) = match row.get(2)? {
        stage::PENDING | stage::WORDED if row.get(9)? => {
            (FileState::Queued, Some(WAITS_FOR_FOLDER))
        }
        stage::PENDING => (FileState::Queued, Some(WAITS_FOR_READING)),
        stage::WORDED => (FileState::Queued, Some(WAITS_FOR_VECTORS)),
        stage::INDEXED => (FileState::Indexed, None),
        stage::SKIPPED => (FileState::Skipped, None),
        _ => (FileState::Failed, None),
    };
    let reason: Option<String> = row.get(3)?;
    let bytes: i64 = row.get(5)?;
    Ok(FileRow {
        file: FileId(row.get(0)?),
        path: path_at(row, 1)?,
        state,
        reason: reason.or_else(|| waits_for.map(str::to_owned)),
        passages: count_at(row, 4)?,
        bytes: bytes.max(0) as u64,
        modified_ns: row.get(6)?,
        is_folder: bytes < 0,
        tries: row.get(7)?,
        again: row.get(8)?,
    })
}

pub(crate) fn left_out_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<FileRow> {
    Ok(FileRow {
        file: FileId(LEFT_OUT + row.get::<_, i64>(0)?),
        path: path_at(row, 1)?,
        state: FileState::Skipped,
        reason: row.get(3)?,
        passages: 0,
        bytes: 0,
        modified_ns: 0,
        is_folder: row.get(2)?,
        tries: 0,
        again: None,
    })
}

/// What a tally reads, and where from.
const TALLY: &str = "stage, files, passages, coalesce(paused, 0)
                     FROM tally LEFT JOIN roots ON roots.id = root";

fn tally(
    connection: &Connection,
    query: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Counts> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query(parameters)?;
    let mut counts = Counts::default();
    while let Some(row) = rows.next()? {
        counts.add(row.get(0)?, count_at(row, 1)?, count_at(row, 2)?, row.get(3)?);
    }
    Ok(counts)
}
