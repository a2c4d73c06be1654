//! The tables, and what each column means.

use std::time::Duration;

use rusqlite::OptionalExtension;

use crate::{Catalog, CatalogError, marks, names, vocabulary};

/// Another process's write is waited for this long.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Memory for pages, at the most; SQLite's own 2 MiB hold an index of 20,000 paths.
const CACHE_KIB: i64 = 16 << 10;

/// Of the tables below, which is how many of [`STEPS`] were taken; a catalog of a
/// higher one is refused, never guessed at.
const FORMAT: i64 = STEPS.len() as i64;

/// A file's stage on the way of the data, as stored.
pub(crate) mod stage {
    /// To be read and cut.
    pub const PENDING: i64 = 0;
    /// Its passages are in the store, found by their words; vectors are to come.
    pub const WORDED: i64 = 1;
    /// Its passages and their vectors are in the store.
    pub const INDEXED: i64 = 2;
    pub const SKIPPED: i64 = 3;
    pub const FAILED: i64 = 4;
    /// No longer followed; its passages are to be removed from the store.
    ///
    /// After it comes 6: passages gone, vectors still there, so that the same
    /// passages turning up elsewhere need no embedding until the queue is empty.
    pub const LEAVING: i64 = 5;
    /// Of the tally alone: what rules leave out, which are no rows of `files`.
    pub const LEFT_OUT: i64 = 7;
}

/// What makes the tables of each format out of those of the one before, the first
/// out of nothing.
const STEPS: [&str; 6] = [TABLES, LEDGER, names::TABLE, vocabulary::TABLE, PAUSES, marks::TABLE];

/// `tally` counts the files of each folder and stage, kept true by triggers:
/// progress is read many times a second, and counting millions of rows is not free.
const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE roots (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    path    BLOB NOT NULL UNIQUE,
    away    TEXT                        -- why it cannot be read now; NULL when it can
);

CREATE TABLE files (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    root      INTEGER,                  -- NULL once no longer followed
    path      BLOB NOT NULL UNIQUE,
    bytes     INTEGER NOT NULL,
    modified  INTEGER NOT NULL,         -- nanoseconds since 1970
    inode     INTEGER NOT NULL,
    device    INTEGER NOT NULL,
    version   INTEGER NOT NULL DEFAULT 0, -- raised with every change seen on disk
    stage     INTEGER NOT NULL,
    reached   INTEGER NOT NULL DEFAULT 0, -- WORDED or INDEXED if the store has it so for `hash`
    hash      BLOB,                     -- of the contents that the store has
    passages  INTEGER NOT NULL DEFAULT 0,
    reason    TEXT,
    transient INTEGER NOT NULL DEFAULT 0, -- a failure that another try may mend
    worded    INTEGER NOT NULL DEFAULT 0, -- passage rows may be in the store
    vectored  INTEGER NOT NULL DEFAULT 0  -- vector rows may be in the store
);

CREATE INDEX files_pending ON files (id) WHERE stage = 0;
CREATE INDEX files_worded  ON files (id) WHERE stage = 1;
CREATE INDEX files_failed  ON files (id) WHERE stage = 4;
CREATE INDEX files_leaving ON files (id) WHERE stage = 5;
CREATE INDEX files_left    ON files (id) WHERE stage = 6 OR (stage IN (3, 4) AND vectored AND bytes >= 0);
CREATE INDEX files_root    ON files (root, id);

CREATE TABLE tally (
    root  INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    files INTEGER NOT NULL,
    passages INTEGER NOT NULL,
    PRIMARY KEY (root, stage)
) WITHOUT ROWID;

CREATE TRIGGER tally_insert AFTER INSERT ON files WHEN new.root IS NOT NULL BEGIN
    INSERT INTO tally VALUES (new.root, new.stage, 1, new.passages)
    ON CONFLICT DO UPDATE SET files = files + 1, passages = passages + excluded.passages;
END;
CREATE TRIGGER tally_delete AFTER DELETE ON files WHEN old.root IS NOT NULL BEGIN
    UPDATE tally SET files = files - 1, passages = passages - old.passages
    WHERE root = old.root AND stage = old.stage;
END;
CREATE TRIGGER tally_update AFTER UPDATE OF root, stage, passages ON files BEGIN
    UPDATE tally SET files = files - 1, passages = passages - old.passages
    WHERE root = old.root AND stage = old.stage;
    INSERT INTO tally SELECT new.root, new.stage, 1, new.passages WHERE new.root IS NOT NULL
    ON CONFLICT DO UPDATE SET files = files + 1, passages = passages + excluded.passages;
END;
";

/// Failures have a history and a time of their next try; what rules leave out is
/// taken down; a file that moved or was touched keeps its rows in the store, and
/// what those say of its path and date follows.
const LEDGER: &str = "
ALTER TABLE files ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;     -- failed so often in a row
ALTER TABLE files ADD COLUMN again INTEGER;                        -- a failure's next try by itself, in seconds since 1970
ALTER TABLE files ADD COLUMN extractor INTEGER NOT NULL DEFAULT 0; -- the version that skipped or failed it; 0: none did
ALTER TABLE files ADD COLUMN misplaced INTEGER NOT NULL DEFAULT 0; -- 1: the store's passages have its old path or date; 2: vectors do
UPDATE files SET tries = 1 WHERE stage = 4;
UPDATE files SET extractor = 1 WHERE stage IN (3, 4) AND bytes >= 0;
UPDATE files SET again = 0 WHERE stage = 4 AND transient;
ALTER TABLE files DROP COLUMN transient;

CREATE INDEX files_skipped   ON files (id) WHERE stage = 3;
CREATE INDEX files_again     ON files (again) WHERE again IS NOT NULL;
CREATE INDEX files_inode     ON files (inode);
CREATE INDEX files_misplaced ON files (id) WHERE misplaced <> 0;

CREATE TABLE left_out (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    root   INTEGER NOT NULL,
    path   BLOB NOT NULL UNIQUE,
    folder INTEGER NOT NULL,            -- a whole folder, with all below it
    rule   TEXT NOT NULL                -- in words
);
CREATE INDEX left_out_root ON left_out (root, id);
CREATE TRIGGER left_out_insert AFTER INSERT ON left_out BEGIN
    INSERT INTO tally VALUES (new.root, 7, 1, 0)
    ON CONFLICT DO UPDATE SET files = files + 1;
END;
CREATE TRIGGER left_out_delete AFTER DELETE ON left_out BEGIN
    UPDATE tally SET files = files - 1 WHERE root = old.root AND stage = 7;
END;

CREATE TABLE included (path BLOB PRIMARY KEY) WITHOUT ROWID; -- files indexed against rules
";

/// Folders may be paused. The queue's indexes tell a file's folder, so that millions of
/// files that wait are passed over without a look at each.
const PAUSES: &str = "
ALTER TABLE roots ADD COLUMN paused INTEGER NOT NULL DEFAULT 0; -- its files wait in the queue
DROP INDEX files_pending;
DROP INDEX files_worded;
CREATE INDEX files_pending ON files (id, root) WHERE stage = 0;
CREATE INDEX files_worded  ON files (id, root) WHERE stage = 1;
";

pub(crate) fn prepare(catalog: &Catalog) -> Result<(), CatalogError> {
    catalog.read(|connection| {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // Numbers of files must survive a power cut: rows of the store bear them, and
        // a number that were lost would be given to another file.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "fullfsync", true)?;
        // A scan asks for each path: the pages of that index are to be at hand.
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.pragma_update(None, "foreign_keys", true)
    })?;
    let found = version(catalog)?;
    if found < FORMAT {
        // All at once: who reads meanwhile finds no catalog, or the whole one.
        catalog.write(|transaction| {
            for (format, step) in (1..).zip(STEPS).filter(|(format, _)| *format > found) {
                transaction.execute_batch(step)?;
                transaction.pragma_update(None, "user_version", format)?;
            }
            Ok(())
        })?;
    }
    check_version(catalog).map(drop)
}

/// Leaves the tables as they were on the first day, in one step. Numbers of files go on:
/// none is ever given to another file.
pub(crate) fn clear(catalog: &Catalog) -> Result<(), CatalogError> {
    catalog.write(|transaction| {
        let last: i64 = transaction
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'files'", [], |row| row.get(0))
            .optional()?
            .unwrap_or_default();
        // Tables of an index go with it, triggers and indexes with their tables.
        for kind in ["CREATE VIRTUAL TABLE%", "CREATE TABLE%"] {
            let names: Vec<String> = transaction
                .prepare(
                    "SELECT name FROM sqlite_master
                     WHERE type = 'table' AND sql LIKE ? AND name NOT LIKE 'sqlite_%'
                     ORDER BY name",
                )?
                .query_map([kind], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            for name in names {
                transaction.execute_batch(&format!("DROP TABLE \"{name}\""))?;
            }
        }
        for step in STEPS {
            transaction.execute_batch(step)?;
        }
        transaction
            .execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('files', ?)", [last])
            .map(drop)
    })?;
    names::prepare(catalog)?;
    tidy(catalog);
    Ok(())
}

/// Gives the disk its room back, and leaves nothing in free pages of what was there. A full
/// disk or a reader may keep that from being done now; all is forgotten all the same.
pub(crate) fn tidy(catalog: &Catalog) {
    let tidy = "VACUUM; PRAGMA wal_checkpoint(TRUNCATE);";
    let _ = catalog.read(|connection| connection.execute_batch(tidy));
}

/// Which tables a catalog has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// None yet.
    Empty,
    Older,
    Current,
}

/// An error where they are of a newer Rummage's.
pub(crate) fn check_version(catalog: &Catalog) -> Result<Version, CatalogError> {
    match version(catalog)? {
        0 => Ok(Version::Empty),
        FORMAT => Ok(Version::Current),
        found if found < FORMAT => Ok(Version::Older),
        found => Err(CatalogError::Newer { path: catalog.path.clone(), found, known: FORMAT }),
    }
}

fn version(catalog: &Catalog) -> Result<i64, CatalogError> {
    catalog.read(|connection| connection.query_row("PRAGMA user_version", [], |row| row.get(0)))
}
