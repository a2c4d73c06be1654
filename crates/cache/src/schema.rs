//! The tables, and what each column means.

use std::{path::Path, time::Duration};

use rusqlite::Connection;

/// Another process's write is waited for this long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Raised when the tables become others: what an older Rummage kept is forgotten.
const FORMAT: i64 = 1;

/// Vectors lie in the order they came, so that writing them adds pages at the end and
/// the oldest are known; hashes, which come in no order, have an index of their own
/// that is small.
const TABLES: &str = "
DROP TABLE IF EXISTS models;
DROP TABLE IF EXISTS vectors;
CREATE TABLE models (
    id          INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    dims        INTEGER NOT NULL,
    entries     INTEGER NOT NULL DEFAULT 0,
    hits        INTEGER NOT NULL DEFAULT 0, -- ever
    misses      INTEGER NOT NULL DEFAULT 0,
    run_hits    INTEGER NOT NULL DEFAULT 0, -- in the run that looked last
    run_misses  INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE vectors (
    id     INTEGER PRIMARY KEY,
    model  INTEGER NOT NULL,
    hash   BLOB NOT NULL,
    vector BLOB NOT NULL,
    UNIQUE (model, hash)
);
";

pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A power cut may cost the last vectors, and keeps the file whole.
    connection.pragma_update(None, "synchronous", "normal")?;
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found != FORMAT {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "user_version", FORMAT)?;
    }
    transaction.commit()?;
    Ok(connection)
}

/// Two bytes a number, the step, the hash in the table and in its index, and numbers of
/// the database's own.
pub fn bytes_a_vector(dims: u32) -> u64 {
    2 * u64::from(dims) + 4 + 2 * 16 + 24
}
