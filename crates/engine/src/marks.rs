//! What a person made of answers, kept in the catalog; and the questions that can be asked
//! again and judged by it.

use std::{collections::HashMap, path::Path};

use rummage_catalog::{Grade, Mark, MarkCounts};
use rummage_corpus::SourcePath;
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
        if marked { Ok(()) } else { Err(EngineError::NotFollowed { path: path.to_owned() }) }
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

/// A question that is asked again, and what each file is worth as its answer.
pub(crate) struct Judged {
    pub query: Query,
    pub gains: HashMap<SourcePath, f64>,
}

/// The questions of these marks, which stand question by question. One that cannot be read
/// any more is passed over.
pub(crate) fn judged(marks: Vec<Mark>) -> Vec<Judged> {
    let mut questions = Vec::new();
    for marks in marks.chunk_by(|one, next| one.question == next.question) {
        let Ok(query) = Query::parse(&marks[0].question) else { continue };
        let gain = |mark: &Mark| (mark.path.clone(), f64::from(mark.grade.gain()));
        questions.push(Judged { query, gains: marks.iter().map(gain).collect() });
    }
    questions
}
