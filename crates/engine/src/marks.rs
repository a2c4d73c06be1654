//! What a person made of answers, kept in the catalog; and the questions that can be asked
//! again and judged by it.

use std::{cmp::Reverse, collections::HashMap, path::Path};

use rummage_catalog::{Grade, Mark, MarkCounts};
use rummage_corpus::{FileId, SourcePath};
use rummage_search::Query;

use crate::{Engine, EngineError, absolute, clock, real_path};

impl Engine {
    /// Notes that a person opened this file as an answer to this question, unless the
    /// settings say that this is not to be kept.
    ///
    /// # Errors
    /// As [`Engine::mark`].
    pub fn note_opened(&self, question: &str, path: &Path) -> Result<(), EngineError> {
        if self.settings().search.remember_opened {
            self.mark(question, path, Grade::Opened)?;
        }
        Ok(())
    }

    /// Notes how good an answer this file was to this question, as it was typed, with its
    /// filters. Opening takes back nothing that was said of it.
    ///
    /// # Errors
    /// [`EngineError::NotFollowed`], [`EngineError::NoQuestion`] where there is nothing to
    /// look for, and [`EngineError::Busy`] beside another process that indexes.
    pub fn mark(&self, question: &str, path: &Path, grade: Grade) -> Result<(), EngineError> {
        self.writable()?;
        let question = question.trim();
        if Query::parse(question)?.text_for_model().is_empty() {
            return Err(EngineError::NoQuestion);
        }
        let marked = self.shared.catalog.mark(question, &self.named(path)?, grade, clock::now())?;
        if marked { Ok(()) } else { Err(EngineError::unknown_file(path)) }
    }

    /// Forgets that this file was an answer to this question. Says whether that was known.
    ///
    /// # Errors
    /// [`EngineError::Busy`] beside another process that indexes.
    pub fn unmark(&self, question: &str, path: &Path) -> Result<bool, EngineError> {
        self.writable()?;
        Ok(self.shared.catalog.unmark(question.trim(), &self.named(path)?)?)
    }

    /// All marks on files that are there, question by question.
    pub fn marks(&self) -> Result<Vec<Mark>, EngineError> {
        Ok(self.shared.catalog.marks()?)
    }

    pub fn count_marks(&self) -> Result<MarkCounts, EngineError> {
        Ok(self.shared.catalog.count_marks()?)
    }

    /// The files that were marked good for this question.
    pub fn good_results(&self, question: &str) -> Result<Vec<SourcePath>, EngineError> {
        Ok(self.shared.catalog.good_results(question.trim())?)
    }

    /// Forgets all marks. Returns how many those were.
    ///
    /// # Errors
    /// [`EngineError::Busy`] beside another process that indexes.
    pub fn clear_marks(&self) -> Result<u64, EngineError> {
        self.writable()?;
        Ok(self.shared.catalog.clear_marks()?)
    }

    /// The path by which the catalog would know this one.
    fn named(&self, path: &Path) -> Result<SourcePath, EngineError> {
        let is_known = self.file_at(path)?.is_some();
        let real = || real_path(path).or_else(|_| absolute(path));
        Ok(SourcePath::new(if is_known { path.to_owned() } else { real()? }))
    }
}

/// Questions that are asked again: the latest ones. They may be years' worth, and all of them
/// are asked of each model in each mode.
const MOST_QUESTIONS: usize = 100;

/// A question that is asked again, and what each file is worth as its answer.
pub(crate) struct Judged {
    pub query: Query,
    pub gains: HashMap<SourcePath, f64>,
    pub files: Vec<FileId>,
}

/// The latest questions of these marks, which stand question by question. One that cannot be
/// read any more is passed over.
pub(crate) fn judged(marks: Vec<Mark>) -> Vec<Judged> {
    let of_question = |one: &Mark, next: &Mark| one.question == next.question;
    let latest = |marks: &[Mark]| marks.iter().map(|mark| mark.at).max();
    let mut questions: Vec<_> = marks.chunk_by(of_question).collect();
    questions.sort_by_key(|marks| Reverse(latest(marks)));
    let asked = questions.into_iter().filter_map(|marks| {
        let gain = |mark: &Mark| (mark.path.clone(), f64::from(mark.grade.gain()));
        Some(Judged {
            query: Query::parse(&marks[0].question).ok()?,
            gains: marks.iter().map(gain).collect(),
            files: marks.iter().map(|mark| mark.file).collect(),
        })
    });
    asked.take(MOST_QUESTIONS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_questions_are_asked_again() {
        let mark = |number: usize| Mark {
            question: format!("question {:03}", number / 2),
            file: FileId(number as i64),
            path: SourcePath::new(format!("/{number}")),
            grade: Grade::Opened,
            at: number as i64,
        };
        let mut marks: Vec<_> = (0..2 * MOST_QUESTIONS + 2).map(mark).collect();
        // The oldest was asked once more.
        marks[1].at = i64::MAX;
        let judged = judged(marks);
        assert_eq!(judged.len(), MOST_QUESTIONS);
        assert_eq!(judged[0].files, [FileId(0), FileId(1)]);
        assert!(judged.iter().all(|one| !one.files.contains(&FileId(2))), "the oldest one");
    }
}
