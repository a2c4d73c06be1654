//! A file's text as its passages hold it, around a place in it; and questions that
//! its person may ask of what is indexed.
//!
//! It reads the store alone: files are hostile, and their readers run in workers.

use std::{collections::HashSet, path::Path};

use rummage_catalog::{FileFilter, FileRow, FileState};
use rummage_corpus::{FileId, Passage, PassageId};
use rummage_store::Store;

use crate::{Engine, EngineError};

/// Some passages of a file, in the order of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    pub row: FileRow,
    /// How many passages the file has.
    pub total: usize,
    /// Without a gap; empty for a file that is not searchable yet.
    pub passages: Vec<Passage>,
}

/// The most passages of a preview: some 60,000 characters.
pub const MOST_PASSAGES: usize = 60;

/// Passages looked at to come nearer to a place: three rounds find it in 30,000.
const PROBES: usize = 32;

/// Files whose first passage is looked at for a question.
const ASKED_FILES: usize = 24;

/// A heading of fewer words says little, one of more is a sentence.
const QUESTION_WORDS: std::ops::RangeInclusive<usize> = 2..=7;

impl Engine {
    /// The passage that holds the byte `at` of a file's text, or the nearest before it,
    /// with up to so many before it and after it: [`MOST_PASSAGES`] in all.
    ///
    /// # Errors
    /// [`EngineError::unknown_file`] for a path that is not in the ledger.
    pub async fn preview(
        &self,
        path: &Path,
        at: usize,
        before: usize,
        after: usize,
    ) -> Result<Preview, EngineError> {
        let row = self.file_at(path)?;
        let row = row.ok_or_else(|| EngineError::unknown_file(path))?;
        let total = row.passages as usize;
        let mut preview = Preview { row, total, passages: Vec::new() };
        let active = self.shared.active().filter(|_| total > 0);
        let store = active.as_ref().and_then(|active| active.store.as_ref());
        let Some(store) = store else { return Ok(preview) };
        let place = place_of(store, preview.row.file, total, at).await?;
        let first = place.saturating_sub(before.min(MOST_PASSAGES - 1));
        let end =
            place.saturating_add(1).saturating_add(after).min(total).min(first + MOST_PASSAGES);
        let ids: Vec<_> = (first..end).map(|number| id(preview.row.file, number)).collect();
        let passages = store.passages(&ids).await?;
        preview.passages = passages.into_iter().map(|(_, passage)| passage).collect();
        Ok(preview)
    }

    /// Headings and names of some indexed files, no two alike: what their person might
    /// look for.
    pub async fn questions(&self, limit: usize) -> Result<Vec<String>, EngineError> {
        let active = self.shared.active();
        let store = active.as_ref().and_then(|active| active.store.as_ref());
        let Some(store) = store else { return Ok(Vec::new()) };
        let filter = FileFilter { state: Some(FileState::Indexed), ..FileFilter::default() };
        let rows = self.find_files(&filter, FileId(0), 500)?.rows;
        // From all over, not the first folder alone.
        let step = rows.len().div_ceil(ASKED_FILES).max(1);
        let asked: Vec<_> = rows.iter().step_by(step).filter(|row| row.passages > 0).collect();
        let middle = |row: &FileRow| id(row.file, row.passages as usize / 2);
        let ids: Vec<_> = asked.iter().map(|row| middle(row)).collect();
        let passages = store.passages(&ids).await?;
        let headings = passages.iter().map(|(_, passage)| heading_of(passage));
        let names = asked.iter().map(|row| row.path.name().into_owned());
        let names: Vec<_> = names.map(|name| spoken(stem_of(&name))).collect();
        let mut known = HashSet::new();
        let questions = headings.map(spoken).chain(names).filter(|text| {
            QUESTION_WORDS.contains(&text.split(' ').count()) && known.insert(text.to_lowercase())
        });
        Ok(questions.take(limit).collect())
    }
}

/// The heading that a passage stands under, or begins with in Markdown; else nothing.
fn heading_of(passage: &Passage) -> &str {
    match passage.text.strip_prefix('#') {
        Some(text) => text.lines().next().unwrap_or_default(),
        None => passage.context.rsplit(" › ").next().unwrap_or_default(),
    }
}

fn id(file: FileId, number: usize) -> PassageId {
    PassageId::new(file, number as u32)
}

/// The number of the passage that holds a byte of the text, or of the nearest before it.
pub(crate) async fn place_of(
    store: &Store,
    file: FileId,
    total: usize,
    at: usize,
) -> Result<usize, EngineError> {
    // Invariant: the passage wanted is in `first..end`.
    let (mut first, mut end) = (0, total);
    while end - first > 1 {
        let step = (end - first).div_ceil(PROBES);
        let numbers: Vec<_> = (first..end).step_by(step).skip(1).collect();
        let ids: Vec<_> = numbers.iter().map(|number| id(file, *number)).collect();
        let passages = store.passages(&ids).await?;
        // A passage that is not there is one past the place: its file is being read anew.
        let reached = passages.iter().take_while(|(_, passage)| passage.span.start <= at).count();
        end = numbers.get(reached).copied().unwrap_or(end);
        first += reached * step;
    }
    Ok(first)
}

/// A name without its extension.
fn stem_of(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}

/// A heading or a name as one would say it: words, and nothing that the query
/// language would take for something else.
fn spoken(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’');
    let words: Vec<_> = words.filter(|word| word.chars().any(char::is_alphabetic)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_names_are_spoken() {
        let check = |text: &str, expected: &str| assert_eq!(spoken(stem_of(text)), expected);
        check("heat-pump_comparison.md", "heat pump comparison");
        check("2024-11-03 Roof: type:pdf \"quotes\".txt", "Roof type pdf quotes");
        check(".gitignore", "gitignore");
        check("12345.pdf", "");
    }
}
