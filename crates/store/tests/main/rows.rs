//! Rows made up for tests, and what is asked of them.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use rummage_corpus::{ContentHash, FileId, Passage, PassageId, SourcePath, Span};
use rummage_store::{Filter, Origin, PassageRow, Store, VectorRow, VectorSpace, Words};
use tempfile::TempDir;

/// A folder whose name holds what paths and URLs trip over.
pub fn folder() -> TempDir {
    TempDir::with_prefix("db 100% #1 è?").unwrap()
}

pub fn space(dims: usize) -> VectorSpace {
    VectorSpace { fingerprint: "test-model".into(), dims: dims as u32 }
}

pub fn path_of(file: i64) -> SourcePath {
    SourcePath::new(format!("/home/you/notes/{file}.md"))
}

pub fn passage(file: i64, ordinal: u32, text: &str) -> PassageRow {
    placed(Origin::new(FileId(file), &path_of(file), 1_000 + file), ordinal, text)
}

pub fn placed(origin: Origin, ordinal: u32, text: &str) -> PassageRow {
    let passage = Passage {
        ordinal,
        span: Span::new(0, text.len()),
        text: text.into(),
        context: String::new(),
        page: None,
        hash: ContentHash::of(text.as_bytes()),
    };
    PassageRow { origin, passage }
}

pub fn vector_row(row: &PassageRow, vector: Vec<f32>) -> VectorRow {
    VectorRow {
        origin: row.origin.clone(),
        ordinal: row.passage.ordinal,
        hash: row.passage.hash,
        vector,
    }
}

/// A unit vector that looks random and is the same for the same number.
pub fn direction(number: u64, dims: usize) -> Vec<f32> {
    let mut state = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut vector: Vec<f32> = (0..dims)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect();
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|number| *number /= length);
    vector
}

pub fn files(ids: impl IntoIterator<Item = PassageId>) -> Vec<i64> {
    ids.into_iter().map(|id| id.file().0).collect()
}

pub async fn keyword_in(store: &Store, words: &Words, filter: &Filter) -> Vec<i64> {
    let hits = store.keyword(words, filter, 50).await.unwrap();
    files(hits.iter().map(|hit| hit.id))
}

pub async fn keyword(store: &Store, any: &str) -> Vec<i64> {
    let words = Words { any: any.into(), ..Words::default() };
    keyword_in(store, &words, &Filter::default()).await
}

/// A word of letters alone: with digits, its parts would be words, too.
pub fn name(number: i64) -> String {
    let letter = |digit: char| "bcdfghjkmp".chars().nth(digit.to_digit(10).unwrap() as usize);
    format!("w{}", number.to_string().chars().filter_map(letter).collect::<String>())
}

/// Files that hold this word, as the database's index and as lists of our own find them.
pub async fn exactly(store: &Store, word: &str) -> Vec<i64> {
    let phrase = Words { phrases: vec![word.into()], ..Words::default() };
    let mut by_index = keyword_in(store, &phrase, &Filter::default()).await;
    let mut by_lists = keyword(store, word).await;
    by_index.sort_unstable();
    by_lists.sort_unstable();
    assert_eq!(by_index, by_lists, "{word}");
    by_lists
}

pub fn all_files(folder: &Path) -> HashSet<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .flat_map(|path| if path.is_dir() { all_files(&path) } else { HashSet::from([path]) })
        .collect()
}
