//! What a person made of answers: which results were opened, and which were marked good.
//! By these, search is judged on the person's own files.
//!
//! They stand here and in no file of their own because they are about files: a file that
//! moves keeps its number and with that its marks, one that goes takes them along, and
//! clearing the catalog clears them in the same step.

use rummage_corpus::{FileId, SourcePath};
use rusqlite::{OptionalExtension, params};

use crate::{
    Catalog, CatalogError,
    queue::path_at,
    schema::{self, stage},
};

/// A question is what was typed, with its filters.
pub(crate) const TABLE: &str = "
CREATE TABLE marks (
    question TEXT NOT NULL,
    file     INTEGER NOT NULL,
    grade    INTEGER NOT NULL,          -- 1: opened, 2: marked good
    at       INTEGER NOT NULL,          -- seconds since 1970, the latest time
    PRIMARY KEY (question, file)
) WITHOUT ROWID;
CREATE INDEX marks_file ON marks (file);
CREATE TRIGGER marks_delete AFTER DELETE ON files BEGIN
    DELETE FROM marks WHERE file = old.id;
END;
";

/// How good a result was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// A person looked into the file.
    Opened,
    /// A person said so.
    Good,
}

impl Grade {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Good => "good",
        }
    }

    /// As stored, and what it counts in nDCG.
    pub const fn gain(self) -> u8 {
        match self {
            Self::Opened => 1,
            Self::Good => 2,
        }
    }
}

/// One result of one question, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub question: String,
    pub file: FileId,
    pub path: SourcePath,
    pub grade: Grade,
    /// Seconds since 1970.
    pub at: i64,
}

/// Marks of each grade.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MarkCounts {
    /// Opened, and not marked good.
    pub opened: u64,
    pub good: u64,
}

impl Catalog {
    /// Notes that the file at this path was a result of this question, and how good a one.
    /// Opening a file takes back nothing that was said of it. `false`: no followed file has
    /// this path, and nothing was noted.
    pub fn mark(
        &self,
        question: &str,
        path: &SourcePath,
        grade: Grade,
        at: i64,
    ) -> Result<bool, CatalogError> {
        self.write(|transaction| {
            let file: Option<i64> = transaction
                .query_row(
                    "SELECT id FROM files WHERE path = ? AND stage < ?",
                    params![path.to_bytes().as_ref(), stage::LEAVING],
                    |row| row.get(0),
                )
                .optional()?;
            let Some(file) = file else { return Ok(false) };
            transaction.execute(
                "INSERT INTO marks VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET grade = max(grade, ?3), at = ?4",
                params![question, file, grade.gain(), at],
            )?;
            Ok(true)
        })
    }

    /// Forgets what became of this question and the file at this path. Says whether there
    /// was anything.
    pub fn unmark(&self, question: &str, path: &SourcePath) -> Result<bool, CatalogError> {
        self.write(|transaction| {
            transaction
                .execute(
                    "DELETE FROM marks
                     WHERE question = ? AND file IN (SELECT id FROM files WHERE path = ?)",
                    params![question, path.to_bytes().as_ref()],
                )
                .map(|deleted| deleted > 0)
        })
    }

    /// Every mark on a file that is there, question by question.
    pub fn marks(&self) -> Result<Vec<Mark>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT question, id, path, grade, at FROM marks JOIN files ON id = file
                     WHERE stage < ? ORDER BY question, grade DESC, id",
                )?
                .query_map([stage::LEAVING], |row| {
                    let is_good = row.get::<_, u8>(3)? == Grade::Good.gain();
                    Ok(Mark {
                        question: row.get(0)?,
                        file: FileId(row.get(1)?),
                        path: path_at(row, 2)?,
                        grade: if is_good { Grade::Good } else { Grade::Opened },
                        at: row.get(4)?,
                    })
                })?
                .collect()
        })
    }

    /// Of the files that are there.
    pub fn count_marks(&self) -> Result<MarkCounts, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT count(*) FILTER (WHERE grade = 1), count(*) FILTER (WHERE grade = 2)
                     FROM marks JOIN files ON id = file WHERE stage < ?",
                )?
                .query_row([stage::LEAVING], |row| {
                    let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                    Ok(MarkCounts { opened: count(0)?, good: count(1)? })
                })
        })
    }

    /// The paths that were marked good for this question.
    pub fn good_results(&self, question: &str) -> Result<Vec<SourcePath>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT path FROM marks JOIN files ON id = file
                     WHERE question = ? AND grade = ? AND stage < ? ORDER BY id",
                )?
                .query_map(params![question, Grade::Good.gain(), stage::LEAVING], |row| {
                    path_at(row, 0)
                })?
                .collect()
        })
    }

    /// Forgets all marks. Returns how many those were. Nothing of them, or of what was taken
    /// back before, is left in the file, unless a full disk or a reader keeps it from being
    /// written anew now.
    pub fn clear_marks(&self) -> Result<u64, CatalogError> {
        let cleared = self.write(|transaction| transaction.execute("DELETE FROM marks", []))?;
        schema::tidy(self);
        Ok(cleared as u64)
    }
}
