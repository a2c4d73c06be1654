//! What a file says, and the pieces it is cut into.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ContentHash;

/// A run of bytes `start..end` in a document's text, on character bounds.
///
/// The text is what extraction gave. For a plain UTF-8 file without a byte order
/// mark that is the file itself, byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub const fn len(&self) -> usize {
        self.end - self.start
    }

    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

/// How a text is built, which says where it may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Structure {
    /// Paragraphs, sentences, words.
    Prose,
    /// Markdown source: blocks and headings are seen.
    Markdown,
    /// Lines are kept whole: settings, tables, programs in a language that is not
    /// listed below.
    Code,
    /// A program, to be cut between its functions rather than across them.
    Source(Language),
}

/// The programming languages whose syntax is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    Bash,
    C,
    CSharp,
    Cpp,
    Go,
    Java,
    JavaScript,
    Php,
    Python,
    Ruby,
    Rust,
    Tsx,
    TypeScript,
}

/// From a byte of the text on it is built another way, or is about something else:
/// a message of a mailbox, a file of an archive. No passage lies across.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub at: usize,
    pub structure: Structure,
}

/// A heading and the byte of the text at which its section begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// 1 is the outermost.
    pub level: u8,
    pub text: String,
    pub at: usize,
}

/// What a person should know who looks for something in a file and does not find it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Caveat {
    /// Pages whose letters are pictures, and were not read.
    Scanned { pages: usize, of: usize },
    /// The same, though OCR was tried: why the first of them was not.
    Unrecognised { pages: usize, of: usize, reason: String },
    /// Pages whose letters are pictures, and were read by OCR.
    Recognised { pages: usize },
    /// Pages that the reader gave up, in part or whole.
    Damaged { pages: usize, of: usize },
    /// Only the first pages were read: more take too long.
    Cut { pages: usize, of: usize },
    /// Files packed in it, or attached to it, that hold no text that can be read.
    Unread { files: usize, of: usize },
}

impl Caveat {
    /// That of a file in which so many files hold no text; `None` where all do.
    pub const fn unread(files: usize, of: usize) -> Option<Self> {
        if files > 0 { Some(Self::Unread { files, of }) } else { None }
    }
}

/// In words for the ledger, to follow on the file's name.
impl fmt::Display for Caveat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scanned { pages, of } => {
                write!(f, "{pages} of {of} pages hold no text: they need OCR")
            }
            Self::Unrecognised { pages, of, reason } => {
                write!(f, "the letters on {pages} of {of} pages could not be recognised: {reason}")
            }
            Self::Recognised { pages: 1 } => f.write_str("its letters were recognised by OCR"),
            Self::Recognised { pages } => {
                write!(f, "the letters of {pages} pages were recognised by OCR")
            }
            Self::Damaged { pages, of } => {
                write!(f, "{pages} of {of} pages are damaged, and read in part")
            }
            Self::Cut { pages, of } => {
                write!(f, "only the first {pages} of {of} pages were read: the rest takes too long")
            }
            Self::Unread { files, of } => {
                write!(f, "{files} of {of} files in it hold no text that can be read")
            }
        }
    }
}

/// The text of one file, as extraction found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What the document calls itself (an HTML title, a first heading), if anything.
    pub title: Option<String>,
    /// Of the text up to the first of the parts.
    pub structure: Structure,
    pub text: String,
    /// In the order of the text.
    pub headings: Vec<Heading>,
    /// Where each page begins, in order; empty for a text without pages.
    pub pages: Vec<usize>,
    /// In the order of the text; empty for a text that is one piece.
    pub parts: Vec<Part>,
    /// What the text lacks, or may have wrong.
    pub caveats: Vec<Caveat>,
}

impl Document {
    /// A text of one piece, without title, headings or pages.
    pub fn plain(text: impl Into<String>, structure: Structure) -> Self {
        Self {
            title: None,
            structure,
            text: text.into(),
            headings: Vec::new(),
            pages: Vec::new(),
            parts: Vec::new(),
            caveats: Vec::new(),
        }
    }
}

/// A piece of a document, small enough for the model to read whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// The place in its document, from 0.
    pub ordinal: u32,
    pub span: Span,
    pub text: String,
    /// Title and headings above the passage, outermost first, joined by ` › `;
    /// empty where there are none. The model reads it before the text.
    pub context: String,
    /// From 1; `None` for a text without pages.
    pub page: Option<u32>,
    /// Of context and text together: equal hashes need one embedding.
    pub hash: ContentHash,
}

/// What the model is given for a passage: the context on a line of its own, then the text.
pub fn model_input(context: &str, text: &str) -> String {
    if context.is_empty() { text.to_owned() } else { format!("{context}\n{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_reads_context_before_text() {
        assert_eq!(model_input("", "body"), "body");
        assert_eq!(model_input("Guide › Setup", "body"), "Guide › Setup\nbody");
    }
}
