//! Files whose rows in the store say where they were, or when they were changed,
//! before they moved or were touched. Answers go by the catalog, so nobody waits for
//! those rows; filters by folder and date read them.

use rummage_corpus::{FileId, SourcePath};
use rusqlite::params;

use crate::{Catalog, CatalogError, schema::stage};

/// A file whose rows are to follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misplaced {
    pub file: FileId,
    pub path: SourcePath,
    pub modified_ns: i64,
    /// It has its vectors, and theirs are to follow too. Those of other files are
    /// still being made; their turn comes then.
    pub has_vectors: bool,
}

const PASSAGES: i64 = 1;
const VECTORS: i64 = 2;

impl Catalog {
    /// Up to `limit` files whose rows can be placed now.
    pub fn misplaced(&self, limit: usize) -> Result<Vec<Misplaced>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, path, modified, stage FROM files
                     WHERE misplaced <> 0 AND (stage = 2 OR (stage = 1 AND misplaced & 1))
                     ORDER BY id LIMIT ?",
                )?
                .query_map([limit as i64], |row| {
                    Ok(Misplaced {
                        file: FileId(row.get(0)?),
                        path: crate::queue::path_at(row, 1)?,
                        modified_ns: row.get(2)?,
                        has_vectors: row.get::<_, i64>(3)? == stage::INDEXED,
                    })
                })?
                .collect()
        })
    }

    /// The store's rows of these files say what was handed out. A file that has
    /// moved on since stays misplaced.
    pub fn settle_placed(&self, placed: &[Misplaced]) -> Result<(), CatalogError> {
        self.write(|transaction| {
            let mut update = transaction.prepare_cached(
                "UPDATE files SET misplaced = misplaced & ~?4
                 WHERE id = ?1 AND path = ?2 AND modified = ?3",
            )?;
            placed.iter().try_for_each(|file| {
                let tables = if file.has_vectors { PASSAGES | VECTORS } else { PASSAGES };
                let path = file.path.to_bytes();
                update
                    .execute(params![file.file.0, path.as_ref(), file.modified_ns, tables])
                    .map(drop)
            })
        })
    }
}
