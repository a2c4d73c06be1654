//! The tables, and what each column means.

use std::time::Duration;

use crate::{Catalog, CatalogError};

/// Another process's write is waited for this long.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Of the tables below; a catalog of a higher one is refused, never guessed at.
const FORMAT: i64 = 1;

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
}

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

pub(crate) fn prepare(catalog: &Catalog) -> Result<(), CatalogError> {
    catalog.read(|connection| {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // Losing the last moments to a power cut costs only work done again.
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "foreign_keys", true)
    })?;
    if version(catalog)? == 0 {
        catalog.write(|transaction| {
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "user_version", FORMAT)
        })?;
    }
    check_version(catalog).map(drop)
}

/// Whether there are tables yet; an error where they are of another Rummage's.
pub(crate) fn check_version(catalog: &Catalog) -> Result<bool, CatalogError> {
    let found = version(catalog)?;
    if found > FORMAT {
        return Err(CatalogError::Newer { path: catalog.path.clone(), found, known: FORMAT });
    }
    Ok(found > 0)
}

fn version(catalog: &Catalog) -> Result<i64, CatalogError> {
    catalog.read(|connection| connection.query_row("PRAGMA user_version", [], |row| row.get(0)))
}
