//! What is to be done: files seen on disk become tasks, and results settle them.
//!
//! Invariant: a result settles its file only while the file's version is the one
//! that was handed out. A file that changed meanwhile stays in the queue.

use std::collections::HashSet;

use rummage_corpus::{ContentHash, FileId, SourcePath};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::{Catalog, CatalogError, RootId, schema::stage};

/// What the file system says of a file without opening it. Equal stamps are
/// taken for equal contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    pub bytes: u64,
    /// Nanoseconds since 1970; negative before.
    pub modified_ns: i64,
    pub inode: u64,
    pub device: u64,
}

/// One thing found under a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    File {
        path: SourcePath,
        stamp: Stamp,
    },
    /// A folder that could not be listed. It stands in the ledger as failed, and
    /// what it held when it could be read is kept.
    Unreadable {
        path: SourcePath,
        reason: String,
    },
}

/// How many files were in each case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Observed {
    /// New or changed.
    pub queued: u64,
    /// Neither, and nothing is left to do for them.
    pub unchanged: u64,
    pub unreadable: u64,
}

/// The files that one scan has met: a bit a file, so that millions fit.
#[derive(Debug, Default)]
pub struct SeenFiles {
    bits: Vec<u64>,
    /// What lies below these was not looked at and is kept.
    unreadable: Vec<SourcePath>,
}

impl SeenFiles {
    fn insert(&mut self, id: i64) {
        let (word, bit) = (id as usize / 64, id as usize % 64);
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << bit;
    }

    fn contains(&self, id: i64) -> bool {
        self.bits.get(id as usize / 64).is_some_and(|word| word >> (id as usize % 64) & 1 == 1)
    }
}

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
    /// Takes down what a scan met, new and changed files as pending. `seen`
    /// gathers them over the whole scan, for [`Catalog::retire_unseen`]. `None`:
    /// the root is no longer followed, and nothing was taken down.
    pub fn observe(
        &self,
        root: RootId,
        observations: &[Observation],
        seen: &mut SeenFiles,
    ) -> Result<Option<Observed>, CatalogError> {
        self.write(|transaction| {
            if !transaction.prepare_cached("SELECT 1 FROM roots WHERE id = ?")?.exists([root.0])? {
                return Ok(None);
            }
            let mut observed = Observed::default();
            for observation in observations {
                let id = match observation {
                    Observation::File { path, stamp } => {
                        let (id, seen) = observe_file(transaction, root, path, stamp)?;
                        match seen {
                            Seen::Queued => observed.queued += 1,
                            Seen::Settled => observed.unchanged += 1,
                            Seen::Waiting => {}
                        }
                        id
                    }
                    Observation::Unreadable { path, reason } => {
                        seen.unreadable.push(path.clone());
                        observed.unreadable += 1;
                        observe_unreadable(transaction, root, path, reason)?
                    }
                };
                seen.insert(id);
            }
            Ok(Some(observed))
        })
    }

    /// Lets every file leave that lies below `folder` (or is it), belongs to the
    /// root and was not met by the scan of that folder. Returns how many those are.
    pub fn retire_unseen(
        &self,
        root: RootId,
        folder: &SourcePath,
        seen: &SeenFiles,
    ) -> Result<u64, CatalogError> {
        self.write(|transaction| {
            let mut unseen = Vec::new();
            let [at, below, above] = range(folder);
            let mut select = transaction.prepare_cached(
                "SELECT id, path FROM files
                 WHERE (path = ?2 OR (path >= ?3 AND path < ?4)) AND root = ?1",
            )?;
            let mut rows = select.query(params![root.0, at, below, above])?;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                let path = path_at(row, 1)?;
                let unread = |folder: &SourcePath| path.as_path().starts_with(folder);
                if !seen.contains(id) && !seen.unreadable.iter().any(unread) {
                    unseen.push(id);
                }
            }
            retire(transaction, &unseen)
        })
    }

    /// Lets one path, and everything below it, leave: it was deleted.
    pub fn retire_path(&self, path: &SourcePath) -> Result<u64, CatalogError> {
        self.write(|transaction| {
            let ids: Vec<i64> = transaction
                .prepare_cached(
                    "SELECT id FROM files
                     WHERE (path = ?1 OR (path >= ?2 AND path < ?3)) AND root IS NOT NULL",
                )?
                .query_map(range(path), |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            retire(transaction, &ids)
        })
    }

    /// The device that the root's files were last seen on; `None` without files.
    pub fn device_of(&self, root: RootId) -> Result<Option<u64>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT device FROM files WHERE root = ? AND bytes >= 0 LIMIT 1")?
                .query_row([root.0], |row| row.get::<_, i64>(0).map(|device| device as u64))
                .optional()
        })
    }

    /// Up to `limit` files to read and cut, in the order they came, after `after`.
    pub fn pending(&self, after: FileId, limit: usize) -> Result<Vec<Task>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, path, version, modified, hash, worded, bytes FROM files
                     WHERE stage = 0 AND id > ?1 ORDER BY id LIMIT ?2",
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
                    })
                })?
                .collect()
        })
    }

    /// Up to `limit` files to embed, in the order they came, after `after`.
    pub fn worded(&self, after: FileId, limit: usize) -> Result<Vec<WordedTask>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, path, version, passages, vectored FROM files
                     WHERE stage = 1 AND id > ?1 ORDER BY id LIMIT ?2",
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

    /// The store has these files' passages: content hash and number of each.
    pub fn settle_worded(
        &self,
        settled: &[(FileId, i64, ContentHash, u64)],
    ) -> Result<(), CatalogError> {
        self.write(|transaction| {
            let mut update = transaction.prepare_cached(
                "UPDATE files SET stage = 1, reached = 1, hash = ?3, passages = ?4,
                        reason = NULL, transient = 0
                 WHERE id = ?1 AND version = ?2",
            )?;
            settled.iter().try_for_each(|(file, version, hash, passages)| {
                let passages = *passages as i64;
                update.execute(params![file.0, version, hash.as_bytes(), passages]).map(drop)
            })
        })
    }

    /// The contents are what the store already has: back to the stage reached.
    /// Returns how many files that settled.
    pub fn settle_unchanged(&self, settled: &[(FileId, i64)]) -> Result<u64, CatalogError> {
        self.each(
            settled,
            "UPDATE files SET stage = reached, reason = NULL, transient = 0
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

    /// The file is no longer there. Returns whether it leaves by this.
    pub fn settle_missing(&self, file: FileId, version: i64) -> Result<bool, CatalogError> {
        self.write(|transaction| {
            let current = transaction
                .prepare_cached("SELECT 1 FROM files WHERE id = ?1 AND version = ?2")?
                .exists(params![file.0, version])?;
            Ok(current && retire(transaction, &[file.0])? > 0)
        })
    }

    /// A rule leaves the file out. Its passages must have left the store.
    pub fn settle_skipped(
        &self,
        file: FileId,
        version: i64,
        reason: &str,
    ) -> Result<(), CatalogError> {
        self.settle_reason(file, version, stage::SKIPPED, reason, false)
    }

    /// The file could not be read or embedded. Its passages must have left the
    /// store. A transient failure is tried again with the next scan.
    pub fn settle_failed(
        &self,
        file: FileId,
        version: i64,
        reason: &str,
        transient: bool,
    ) -> Result<(), CatalogError> {
        self.settle_reason(file, version, stage::FAILED, reason, transient)
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

    /// Queues every skipped file again, for the rules have changed.
    pub fn retry_skipped(&self) -> Result<u64, CatalogError> {
        self.write(|transaction| {
            transaction
                .execute(
                    "UPDATE files SET stage = 0, reason = NULL, version = version + 1
                     WHERE stage = 3",
                    [],
                )
                .map(|count| count as u64)
        })
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

    /// Makes the catalog fit what passages and vectors are made with now.
    /// Another cutting queues every file; another model queues every embedding.
    pub fn require(&self, cutting: &str, model: &str) -> Result<(), CatalogError> {
        self.write(|transaction| {
            if changed(transaction, "cutting", cutting)? {
                transaction.execute_batch(
                    "UPDATE files SET stage = 0, reached = 0, hash = NULL, version = version + 1
                     WHERE stage IN (1, 2)",
                )?;
            }
            if changed(transaction, "model", model)? {
                transaction.execute_batch(
                    "UPDATE files SET reached = 1 WHERE reached = 2 AND passages > 0;
                     UPDATE files SET stage = 1 WHERE stage = 2 AND passages > 0;
                     UPDATE files SET vectored = 1;",
                )?;
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

    fn settle_reason(
        &self,
        file: FileId,
        version: i64,
        stage: i64,
        reason: &str,
        transient: bool,
    ) -> Result<(), CatalogError> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE files SET stage = ?3, reason = ?4, transient = ?5, reached = 0,
                        hash = NULL, passages = 0, worded = 0
                 WHERE id = ?1 AND version = ?2",
                params![file.0, version, stage, reason, transient],
            )?;
            Ok(())
        })
    }
}

/// What seeing a file meant for it.
enum Seen {
    /// New or changed: it is queued by this.
    Queued,
    /// It was queued already.
    Waiting,
    /// Nothing is to be done.
    Settled,
}

/// The file's id, and what seeing it meant.
fn observe_file(
    transaction: &Transaction<'_>,
    root: RootId,
    path: &SourcePath,
    stamp: &Stamp,
) -> rusqlite::Result<(i64, Seen)> {
    let path = path.to_bytes();
    let known = transaction
        .prepare_cached(
            "SELECT id, bytes, modified, inode, device, stage, transient FROM files
             WHERE path = ?",
        )?
        .query_row([path.as_ref()], |row| {
            let stamp = Stamp {
                bytes: row.get::<_, i64>(1)? as u64,
                modified_ns: row.get(2)?,
                inode: row.get::<_, i64>(3)? as u64,
                device: row.get::<_, i64>(4)? as u64,
            };
            let waits: i64 = row.get(5)?;
            // A failure that another try may mend is tried again with every scan.
            let settled = waits < stage::LEAVING && !(waits == stage::FAILED && row.get(6)?);
            let seen = if waits == stage::PENDING { Seen::Waiting } else { Seen::Settled };
            Ok((row.get::<_, i64>(0)?, stamp, settled.then_some(seen)))
        })
        .optional()?;
    let (bytes, inode, device) = (stamp.bytes as i64, stamp.inode as i64, stamp.device as i64);
    match known {
        Some((id, known, Some(seen))) if known == *stamp => Ok((id, seen)),
        Some((id, ..)) => {
            transaction
                .prepare_cached(
                    "UPDATE files SET root = ?2, bytes = ?3, modified = ?4, inode = ?5,
                            device = ?6, version = version + 1, stage = 0, reason = NULL,
                            transient = 0
                     WHERE id = ?1",
                )?
                .execute(params![id, root.0, bytes, stamp.modified_ns, inode, device])?;
            Ok((id, Seen::Queued))
        }
        None => {
            transaction
                .prepare_cached(
                    "INSERT INTO files (root, path, bytes, modified, inode, device, stage)
                     VALUES (?, ?, ?, ?, ?, ?, 0)",
                )?
                .execute(params![root.0, path, bytes, stamp.modified_ns, inode, device])?;
            Ok((transaction.last_insert_rowid(), Seen::Queued))
        }
    }
}

/// A folder that cannot be listed stands among the files with −1 bytes.
fn observe_unreadable(
    transaction: &Transaction<'_>,
    root: RootId,
    path: &SourcePath,
    reason: &str,
) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached(
            "INSERT INTO files (root, path, bytes, modified, inode, device, stage, reason)
             VALUES (?1, ?2, -1, 0, 0, 0, 4, ?3)
             ON CONFLICT (path) DO UPDATE SET root = ?1, bytes = -1, stage = 4, reason = ?3,
                        version = version + 1
             RETURNING id",
        )?
        .query_row(params![root.0, path.to_bytes().as_ref(), reason], |row| row.get(0))
}

/// The path itself, and the range of paths below it: from the second, short of
/// the third.
fn range(path: &SourcePath) -> [Vec<u8>; 3] {
    let at = path.to_bytes().into_owned();
    let separator = std::path::MAIN_SEPARATOR as u8;
    let mut below = at.clone();
    if below.last() != Some(&separator) {
        below.push(separator);
    }
    let mut above = below.clone();
    // No separator is 0xff, so this is the first path past all below.
    above.pop();
    above.push(separator + 1);
    [at, below, above]
}

/// What the store has of a leaving file will be removed at any moment: should
/// the file come back meanwhile, its contents count as unknown.
fn retire(transaction: &Transaction<'_>, ids: &[i64]) -> rusqlite::Result<u64> {
    let mut update = transaction.prepare_cached(
        "UPDATE files SET root = NULL, stage = 5, reached = 0, hash = NULL,
                version = version + 1
         WHERE id = ?",
    )?;
    for id in ids {
        update.execute([id])?;
    }
    Ok(ids.len() as u64)
}

/// Writes the value down; says whether there was another before.
fn changed(transaction: &Transaction<'_>, key: &str, value: &str) -> rusqlite::Result<bool> {
    let before: Option<String> = transaction
        .query_row("SELECT value FROM meta WHERE key = ?", [key], |row| row.get(0))
        .optional()?;
    transaction.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, value])?;
    Ok(before.is_some_and(|before| before != value))
}

pub(crate) fn path_at(row: &Row<'_>, column: usize) -> rusqlite::Result<SourcePath> {
    Ok(SourcePath::from_bytes(row.get_ref(column)?.as_blob()?))
}

/// A count that the schema keeps at zero or above.
pub(crate) fn count_at(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|count| count.max(0) as u64)
}

fn hash_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<ContentHash>> {
    row.get::<_, Option<[u8; 16]>>(column).map(|bytes| bytes.map(ContentHash::from_bytes))
}
