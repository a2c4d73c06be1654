//! The shape of an answer.

use rummage_corpus::{FileId, PassageId, Span};

use crate::Arithmetic;

/// A file that answers a query.
#[derive(Debug, Clone, PartialEq)]
pub struct FileHit {
    pub file: FileId,
    /// 0 to 1, higher is better; comparable within one answer only.
    pub score: f32,
    /// Best first; at least one, at most three.
    pub passages: Vec<PassageHit>,
    /// How the score came about.
    pub arithmetic: Arithmetic,
    /// Other files whose best passage is the same, word for word, best first.
    pub alike: Vec<FileId>,
}

/// A passage, cut to what shows why it is here.
#[derive(Debug, Clone, PartialEq)]
pub struct PassageHit {
    pub id: PassageId,
    /// Some 300 characters of the passage's text, around the words that match.
    pub text: String,
    /// The byte of the passage's text at which `text` begins.
    pub offset: usize,
    /// Title and headings above the passage.
    pub context: String,
    /// Of the whole passage, in the document's text.
    pub span: Span,
    /// From 1; `None` for a text without pages.
    pub page: Option<u32>,
    /// On the scale of [`FileHit::score`].
    pub score: f32,
    /// Bytes `start..end` of `text` to show as matches: in order, apart, on
    /// character bounds.
    pub highlights: Vec<(usize, usize)>,
    pub why: Why,
}

/// Why a passage was found. Neither is there where the file was found by its name
/// alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Why {
    pub keyword: Option<KeywordReason>,
    pub meaning: Option<MeaningReason>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct KeywordReason {
    /// Among the passages found by words, from 1.
    pub rank: usize,
    /// BM25.
    pub score: f32,
    /// The query's words that the passage holds, as the query has them.
    pub terms: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeaningReason {
    /// Among the passages found by meaning, from 1; `None` for a passage that its
    /// words alone brought in.
    pub rank: Option<usize>,
    /// Cosine, −1 to 1.
    pub similarity: f32,
}
