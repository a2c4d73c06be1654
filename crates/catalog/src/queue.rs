//! What is to be done: pending files become tasks, and results settle them.
//!
//! Invariant: a result settles its file only while the file's version is the one
//! that was handed out. A file that changed meanwhile stays in the queue.

use std::collections::HashSet;

use rummage_corpus::{ContentHash, FileId, SourcePath};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::{Catalog, CatalogError, observe::retire, retry::queue_for_ocr};

/// A file to be read and cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub file: FileId,
    pub path: SourcePath,
    pub version: i64,
    pub bytes: u64,
    pub modified_ns: i64,
    /// Of the contents that the store already has, if any.
    pub hash: Option<ContentHash>,
    /// Rows of it may be in the store and must make way.
    pub stale: bool,
    /// A person wants it whatever its size.
    pub included: bool,
}

/// A file whose passages are in the store and whose vectors are to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordedTask {
    pub file: FileId,
    pub path: SourcePath,
    pub version: i64,
    pub passages: u64,
    /// Vector rows of it may be in the store and must make way.
    pub stale: bool,
}

/// A file whose passages the store has now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordedFile {
    pub file: FileId,
    /// That was handed out.
    pub version: i64,
    /// Of its contents; `None`: read again, they may give another text.
    pub hash: Option<ContentHash>,
    pub passages: u64,
    /// What its text lacks, in words for people.
    pub note: Option<String>,
}

/// A file as the store is said to have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptFile {
    pub file: FileId,
    pub passages: u64,
    pub has_vectors: bool,
}

/// What is no longer followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// Passages are still in the store.
    Leaving,
    /// Only vectors may be left. So it is with files that came to be skipped or
    /// failed after they had been indexed.
    Left,
}

impl Catalog {
    /// Up to `limit` files to read and cut, in the order they came, after `after`. Those
    /// of paused roots wait.
    pub fn pending(&self, after: FileId, limit: usize) -> Result<Vec<Task>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, path, version, modified, hash, worded, bytes,
                            EXISTS (SELECT 1 FROM included WHERE included.path = files.path)
                     FROM files WHERE stage = 0 AND id > ?1
                       AND root NOT IN (SELECT id FROM roots WHERE paused)
                     ORDER BY id LIMIT ?2",
                )?
                .query_map(params![after.0, limit as i64], |row| {
                    Ok(Task {
                        file: FileId(row.get(0)?),
                        path: path_at(row, 1)?,
                        version: row.get(2)?,
                        modified_ns: row.get(3)?,
                        hash: hash_at(row, 4)?,
                        stale: row.get(5)?,
                        bytes: count_at(row, 6)?,
                        included: row.get(7)?,
                    })
                })?
                .collect()
        })
    }

    /// Up to `limit` files to embed, in the order they came, after `after`. Those of
    /// paused roots wait.
    pub fn worded(&self, after: FileId, limit: usize) -> Result<Vec<WordedTask>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, path, version, passages, vectored FROM files
                     WHERE stage = 1 AND id > ?1
                       AND root NOT IN (SELECT id FROM roots WHERE paused)
                     ORDER BY id LIMIT ?2",
                )?
                .query_map(params![after.0, limit as i64], |row| {
                    Ok(WordedTask {
                        file: FileId(row.get(0)?),
                        path: path_at(row, 1)?,
                        version: row.get(2)?,
                        passages: count_at(row, 3)?,
                        stale: row.get(4)?,
                    })
                })?
                .collect()
        })
    }

    /// To be called before the store's passages of these files change, with the
    /// versions that were handed out. From here on the store may hold anything for
    /// them, whether or not the change is ever confirmed. Gives the files that are
    /// still as they were handed out; the others must be left alone.
    pub fn expect_passages(
        &self,
        files: &[(FileId, i64)],
    ) -> Result<HashSet<FileId>, CatalogError> {
        self.each(
            files,
            "UPDATE files SET worded = 1, reached = 0, hash = NULL
             WHERE id = ?1 AND version = ?2 AND stage = 0",
        )
    }

    /// As [`Catalog::expect_passages`], for vectors.
    pub fn expect_vectors(&self, files: &[(FileId, i64)]) -> Result<HashSet<FileId>, CatalogError> {
        self.each(
            files,
            "UPDATE files SET vectored = 1 WHERE id = ?1 AND version = ?2 AND stage = 1",
        )
    }

    /// The store has these files' passages.
    pub fn settle_worded(&self, settled: &[WordedFile]) -> Result<(), CatalogError> {
        self.write(|transaction| {
            let mut update = transaction.prepare_cached(
                "UPDATE files SET stage = 1, reached = 1, hash = ?3, passages = ?4,
                        reason = ?5, tries = 0, misplaced = 0
                 WHERE id = ?1 AND version = ?2",
            )?;
            settled.iter().try_for_each(|worded| {
                let WordedFile { file, version, hash, passages, note } = worded;
                let passages = *passages as i64;
                let hash = hash.as_ref().map(ContentHash::as_bytes);
                update.execute(params![file.0, version, hash, passages, note]).map(drop)
            })
        })
    }

    /// The contents are what the store already has: back to the stage reached; the
    /// date may be another. Returns how many files that settled.
    pub fn settle_unchanged(&self, settled: &[(FileId, i64)]) -> Result<u64, CatalogError> {
        self.each(
            settled,
            "UPDATE files SET stage = reached, reason = NULL, tries = 0, misplaced = 3
             WHERE id = ?1 AND version = ?2 AND reached <> 0",
        )
        .map(|settled| settled.len() as u64)
    }

    /// The store has these files' vectors too. Returns how many files that settled.
    pub fn settle_indexed(&self, settled: &[(FileId, i64)]) -> Result<u64, CatalogError> {
        self.each(
            settled,
            "UPDATE files SET stage = 2, reached = 2 WHERE id = ?1 AND version = ?2 AND stage = 1",
        )
        .map(|settled| settled.len() as u64)
    }

    /// The files are no longer there. Returns how many leave by this.
    pub fn settle_missing(&self, files: &[(FileId, i64)]) -> Result<u64, CatalogError> {
        self.write(|transaction| {
            let mut current =
                transaction.prepare_cached("SELECT 1 FROM files WHERE id = ?1 AND version = ?2")?;
            let mut missing = Vec::new();
            for (file, version) in files {
                if current.exists(params![file.0, version])? {
                    missing.push(file.0);
                }
            }
            retire(transaction, missing)
        })
    }

    /// Up to `limit` files on their way out.
    pub fn gone(&self, gone: Gone, limit: usize) -> Result<Vec<FileId>, CatalogError> {
        self.read(|connection| {
            // The stage stands in the text so that the partial index serves the query.
            connection
                .prepare_cached(match gone {
                    Gone::Leaving => "SELECT id FROM files WHERE stage = 5 ORDER BY id LIMIT ?",
                    Gone::Left => {
                        "SELECT id FROM files
                         WHERE stage = 6 OR (stage IN (3, 4) AND vectored AND bytes >= 0) ORDER BY id LIMIT ?"
                    }
                })?
                .query_map([limit as i64], |row| row.get(0).map(FileId))?
                .collect()
        })
    }

    /// Queues these files from the start: the store does not have what it should.
    pub fn requeue(&self, files: &[FileId]) -> Result<(), CatalogError> {
        self.for_each(
            files,
            "UPDATE files SET stage = 0, reached = 0, hash = NULL, version = version + 1
             WHERE id = ? AND stage < 5",
        )
    }

    /// Up to `limit` files that the store is said to have, after `after`.
    pub fn kept(&self, after: FileId, limit: usize) -> Result<Vec<KeptFile>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, passages, reached FROM files
                     WHERE id > ?1 AND reached <> 0 AND stage < 3 ORDER BY id LIMIT ?2",
                )?
                .query_map(params![after.0, limit as i64], |row| {
                    Ok(KeptFile {
                        file: FileId(row.get(0)?),
                        passages: count_at(row, 1)?,
                        has_vectors: row.get::<_, i64>(2)? == 2,
                    })
                })?
                .collect()
        })
    }

    /// Queues the embedding of these files: the store does not have their vectors.
    pub fn requeue_vectors(&self, files: &[FileId]) -> Result<(), CatalogError> {
        self.for_each(
            files,
            "UPDATE files SET stage = min(stage, 1), reached = 1, vectored = 1,
                    version = version + 1
             WHERE id = ? AND stage < 3 AND reached = 2",
        )
    }

    /// What `gone` named has left the store: passages, then vectors and with them
    /// the file itself.
    pub fn settle_gone(&self, gone: Gone, files: &[FileId]) -> Result<(), CatalogError> {
        self.write(|transaction| {
            let statements: &[&str] = match gone {
                Gone::Leaving => {
                    &["UPDATE files SET stage = 6, worded = 0, reached = 0, hash = NULL
                     WHERE id = ? AND stage = 5"]
                }
                Gone::Left => &[
                    "DELETE FROM files WHERE id = ? AND stage = 6",
                    "UPDATE files SET vectored = 0 WHERE id = ? AND stage IN (3, 4)",
                ],
            };
            for statement in statements {
                let mut settle = transaction.prepare_cached(statement)?;
                files.iter().try_for_each(|file| settle.execute([file.0]).map(drop))?;
            }
            Ok(())
        })
    }

    /// Makes the catalog fit what passages are made with now.
    /// Another cutting queues every file, those too that are just being cut.
    /// A newer extractor queues what an older one skipped or failed; other OCR, or none
    /// any more, that and what has a note.
    pub fn require(
        &self,
        cutting: &str,
        extractor: u32,
        ocr: Option<&str>,
    ) -> Result<(), CatalogError> {
        self.write(|transaction| {
            if is_news(transaction, "cutting", cutting)? {
                transaction.execute_batch(
                    "UPDATE files SET stage = 0, reached = 0, hash = NULL, version = version + 1
                     WHERE stage IN (0, 1, 2)",
                )?;
            }
            if is_news(transaction, "extractor", &extractor.to_string())? {
                transaction.execute(
                    "UPDATE files SET stage = 0, reason = NULL, again = NULL, tries = 0,
                            version = version + 1
                     WHERE stage IN (3, 4) AND extractor BETWEEN 1 AND ?1 - 1",
                    [extractor],
                )?;
            }
            if is_news(transaction, "ocr", ocr.unwrap_or_default())? {
                queue_for_ocr(transaction)?;
            }
            Ok(())
        })
    }

    /// The fingerprint of what the vectors in use were made with; `None` before the first.
    pub fn model(&self) -> Result<Option<String>, CatalogError> {
        self.read(|connection| {
            connection
                .query_row("SELECT value FROM meta WHERE key = 'model'", [], |row| row.get(0))
                .optional()
        })
    }

    /// From here on the vectors in use are those of another model, all at once. It has
    /// them already for all files but those that are `lacking`, which are queued; of
    /// files without passages it must have none.
    pub fn use_model(&self, model: &str, lacking: &[FileId]) -> Result<(), CatalogError> {
        self.write(|transaction| {
            if !is_news(transaction, "model", model)? {
                return Ok(());
            }
            // Its table may have rows of any file, from when it was in use before.
            transaction.execute_batch(
                "UPDATE files SET vectored = 1 WHERE NOT vectored AND passages > 0",
            )?;
            for statement in [
                "UPDATE files SET reached = 1 WHERE id = ? AND reached = 2 AND passages > 0",
                "UPDATE files SET stage = 1 WHERE id = ? AND stage = 2 AND passages > 0",
            ] {
                let mut update = transaction.prepare_cached(statement)?;
                lacking.iter().try_for_each(|file| update.execute([file.0]).map(drop))?;
            }
            Ok(())
        })
    }

    /// Runs the statement for each file and version; gives those it changed.
    fn each(
        &self,
        files: &[(FileId, i64)],
        statement: &str,
    ) -> Result<HashSet<FileId>, CatalogError> {
        self.write(|transaction| {
            let mut update = transaction.prepare_cached(statement)?;
            let mut current = HashSet::new();
            for (file, version) in files {
                if update.execute(params![file.0, version])? > 0 {
                    current.insert(*file);
                }
            }
            Ok(current)
        })
    }

    fn for_each(&self, files: &[FileId], statement: &str) -> Result<(), CatalogError> {
        self.write(|transaction| {
            let mut update = transaction.prepare_cached(statement)?;
            files.iter().try_for_each(|file| update.execute([file.0]).map(drop))
        })
    }
}

/// Writes the value down; says whether it was another before, or none.
fn is_news(transaction: &Transaction<'_>, key: &str, value: &str) -> rusqlite::Result<bool> {
    let before: Option<String> = transaction
        .query_row("SELECT value FROM meta WHERE key = ?", [key], |row| row.get(0))
        .optional()?;
    if before.as_deref() == Some(value) {
        return Ok(false);
    }
    transaction.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, value])?;
    Ok(true)
}

pub(crate) fn path_at(row: &Row<'_>, column: usize) -> rusqlite::Result<SourcePath> {
    Ok(SourcePath::from_bytes(row.get_ref(column)?.as_blob()?))
}

/// A count that the schema keeps at zero or above.
pub(crate) fn count_at(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|count| count.max(0) as u64)
}

pub(crate) fn hash_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<ContentHash>> {
    row.get::<_, Option<[u8; 16]>>(column).map(|bytes| bytes.map(ContentHash::from_bytes))
}
