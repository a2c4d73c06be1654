//! The vocabulary that every other crate speaks: where a text came from, what
//! it holds, and how it is cut. Data only: nothing here reads a file, a clock
//! or the environment.

mod count;
mod document;
mod hash;
mod id;
mod path;
mod words;

pub use count::{counted, grouped};
pub use document::{
    Caveat, Document, Heading, Language, Part, Passage, Span, Structure, model_input,
};
pub use hash::ContentHash;
pub use id::{FileId, PassageId};
pub use path::SourcePath;
pub use words::{ANALYSIS, Word, each_word, is_written_without_spaces, joined, query_words, words};
