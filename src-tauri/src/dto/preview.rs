//! A file's text around a place in it.

use rummage_corpus::Passage;
use serde::Serialize;

use super::{folder_of, iso};

#[derive(Debug, Clone, Serialize)]
pub struct Preview {
    path: String,
    name: String,
    folder: String,
    modified: Option<String>,
    bytes: u64,
    total: usize,
    passages: Vec<PreviewPassage>,
}

#[derive(Debug, Clone, Serialize)]
pub struct PreviewPassage {
    ordinal: u32,
    text: String,
    context: String,
    start: usize,
    end: usize,
    page: Option<u32>,
}

impl From<rummage_engine::Preview> for Preview {
    fn from(preview: rummage_engine::Preview) -> Self {
        let rummage_engine::Preview { row, total, passages } = preview;
        Self {
            path: row.path.display().to_string(),
            name: row.path.name().into_owned(),
            folder: folder_of(&row.path),
            modified: iso(row.modified_ns),
            bytes: row.bytes,
            total,
            passages: passages.into_iter().map(PreviewPassage::from).collect(),
        }
    }
}

impl From<Passage> for PreviewPassage {
    fn from(passage: Passage) -> Self {
        let Passage { ordinal, span, text, context, page, .. } = passage;
        Self { ordinal, text, context, start: span.start, end: span.end, page }
    }
}
