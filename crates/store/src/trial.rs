//! Small stores for tests.

use rummage_corpus::{ContentHash, FileId, Passage, SourcePath, Span};

use crate::{Origin, PassageRow, Store, VectorSpace};

pub(crate) fn space() -> VectorSpace {
    VectorSpace { fingerprint: "a-model".to_owned(), dims: 4 }
}

pub(crate) fn origin(file: i64, folder: &str) -> Origin {
    Origin::new(FileId(file), &SourcePath::new(format!("/{folder}/{file}.txt")), file)
}

/// One passage a file.
pub(crate) async fn put(store: &Store, files: impl IntoIterator<Item = i64>, text: &str) {
    let row = |file| {
        let text = format!("{text} {file}");
        let span = Span::new(0, text.len());
        let (context, hash) = (String::new(), ContentHash::of(text.as_bytes()));
        let passage = Passage { ordinal: 0, span, text, context, page: None, hash };
        PassageRow { origin: origin(file, "notes"), passage }
    };
    let rows: Vec<_> = files.into_iter().map(row).collect();
    let files: Vec<_> = rows.iter().map(|row| row.origin.file).collect();
    store.replace_passages(&files, &rows).await.unwrap();
}
