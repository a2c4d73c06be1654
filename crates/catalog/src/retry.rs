//! Files that did not make it, and their second chances: by the clock, by a newer
//! extractor, by a person's word.

use rummage_corpus::{FileId, SourcePath};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::{Catalog, CatalogError, observe::Span, schema::stage};

/// How a file ends without being indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub file: FileId,
    /// The one that was handed out; another makes the verdict void.
    pub version: i64,
    pub fate: Fate,
    /// In words, with the mend where there is one.
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Left out for what it holds, or for its size.
    Skipped,
    /// It could not be read or embedded.
    Failed {
        /// Another try may mend it: then the present time, in seconds since 1970. It
        /// is tried again after an hour, and then every day.
        transient_at: Option<i64>,
    },
}

/// A failure that another try may mend is tried again this many seconds after the
/// first time, and after each further one.
const FIRST_AGAIN: i64 = 60 * 60;
const LATER_AGAIN: i64 = 24 * 60 * 60;

impl Catalog {
    /// The files end without being indexed; their passages must have left the store.
    /// `extractor` is the version of the one that gave these verdicts: a newer one
    /// tries again.
    pub fn settle_verdicts(
        &self,
        verdicts: &[Verdict],
        extractor: u32,
    ) -> Result<(), CatalogError> {
        self.write(|transaction| {
            let mut update = transaction.prepare_cached(
                "UPDATE files SET stage = ?3, reason = ?4, extractor = ?5, reached = 0,
                        hash = NULL, passages = 0, worded = 0, misplaced = 0,
                        tries = iif(?3 = 4, tries + 1, 0), again = ?6 + iif(tries = 0, ?7, ?8)
                 WHERE id = ?1 AND version = ?2",
            )?;
            verdicts.iter().try_for_each(|verdict| {
                let Verdict { file, version, fate, reason } = verdict;
                let (stage, now) = match fate {
                    Fate::Skipped => (stage::SKIPPED, None),
                    Fate::Failed { transient_at } => (stage::FAILED, *transient_at),
                };
                let (first, later) = (FIRST_AGAIN, LATER_AGAIN);
                update
                    .execute(params![file.0, version, stage, reason, extractor, now, first, later])
                    .map(drop)
            })
        })
    }

    /// Queues the failures whose next try has come. Returns how many those are.
    pub fn retry_due(&self, now: i64) -> Result<u64, CatalogError> {
        if self.next_try()?.is_none_or(|next| next > now) {
            return Ok(0);
        }
        self.write(|transaction| {
            transaction
                .prepare_cached(&format!("{QUEUE_AGAIN} WHERE again <= ?1"))?
                .execute([now])
                .map(|count| count as u64)
        })
    }

    /// When the next failure is tried again by itself, in seconds since 1970.
    pub fn next_try(&self) -> Result<Option<i64>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT min(again) FROM files WHERE again IS NOT NULL")?
                .query_row([], |row| row.get(0))
        })
    }

    /// Queues the failed files at this path and below it. Returns how many those
    /// are. Folders that cannot be listed are not among them: they are scanned.
    pub fn retry(&self, path: &SourcePath) -> Result<u64, CatalogError> {
        self.write(|transaction| {
            let mut queue = transaction.prepare_cached(&format!(
                "{QUEUE_AGAIN} WHERE stage = 4 AND bytes >= 0 AND path >= ?1 AND path < ?2"
            ))?;
            let spans = Span::both(path);
            spans.iter().try_fold(0, |count, Span { first, end }| {
                Ok(count + queue.execute(params![first, end])? as u64)
            })
        })
    }

    /// Queues those of these files that are skipped or failed. Returns how many.
    pub fn retry_files(&self, files: &[FileId]) -> Result<u64, CatalogError> {
        self.write(|transaction| {
            let mut queue = transaction.prepare_cached(&format!(
                "{QUEUE_AGAIN} WHERE id = ? AND stage IN (3, 4) AND bytes >= 0"
            ))?;
            files.iter().try_fold(0, |count, file| Ok(count + queue.execute([file.0])? as u64))
        })
    }

    /// Whether a folder at this path or below it stands as one that cannot be listed.
    pub fn has_unreadable_folders(&self, path: &SourcePath) -> Result<bool, CatalogError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT 1 FROM files
                 WHERE stage = 4 AND bytes < 0 AND path >= ?1 AND path < ?2",
            )?;
            let mut spans = Span::both(path).into_iter();
            spans.try_fold(false, |found, Span { first, end }| {
                Ok(found || select.exists(params![first, end])?)
            })
        })
    }

    /// Queues every skipped file again, for the rules have changed. What was read by
    /// the old ones and is not settled yet does not count.
    pub fn retry_skipped(&self) -> Result<u64, CatalogError> {
        self.write(|transaction| {
            transaction.execute(OUTDATE_PENDING, [])?;
            transaction
                .execute(&format!("{QUEUE_AGAIN} WHERE stage = 3"), [])
                .map(|count| count as u64)
        })
    }

    /// From now on the file at this path is read whatever its size. Where it was
    /// skipped or failed, it is queued by this. Says whether it is followed.
    pub fn include(&self, path: &SourcePath) -> Result<bool, CatalogError> {
        let path = path.to_bytes();
        self.write(|transaction| {
            transaction.execute("INSERT OR IGNORE INTO included VALUES (?)", [path.as_ref()])?;
            let at: Option<i64> = transaction
                .query_row(
                    "SELECT stage FROM files WHERE path = ? AND root IS NOT NULL",
                    [path.as_ref()],
                    |row| row.get(0),
                )
                .optional()?;
            transaction.execute(
                &format!("{QUEUE_AGAIN} WHERE path = ? AND stage IN (3, 4) AND bytes >= 0"),
                [path.as_ref()],
            )?;
            Ok(at.is_some())
        })
    }
}

/// Queues all that may be read otherwise with other OCR: what is skipped, failed, or has
/// a note, which may be mended.
pub(crate) fn queue_for_ocr(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute(OUTDATE_PENDING, [])?;
    transaction.execute(&format!("{QUEUE_AGAIN} WHERE stage IN (3, 4) AND bytes >= 0"), [])?;
    transaction
        .execute(
            "UPDATE files SET stage = 0, reached = 0, hash = NULL, reason = NULL,
                    version = version + 1
             WHERE stage IN (1, 2) AND reason IS NOT NULL",
            [],
        )
        .map(drop)
}

const OUTDATE_PENDING: &str = "UPDATE files SET version = version + 1 WHERE stage = 0";

/// How often it failed is kept: another failure counts on.
const QUEUE_AGAIN: &str =
    "UPDATE files SET stage = 0, reason = NULL, again = NULL, version = version + 1";
