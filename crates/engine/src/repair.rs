//! Whether the store has what the catalog says it has. It always should; it does not
//! where a table was damaged and begun anew, or somebody took files away. What is
//! missing is queued.

use rummage_catalog::Catalog;
use rummage_corpus::FileId;
use rummage_store::Store;

use crate::EngineError;

/// Files compared at a time.
const PAGE: usize = 1000;

/// Compares two sums, and file by file where those do not agree. For the process that
/// writes, before anything is written.
pub(crate) async fn repair(store: &Store, catalog: &Catalog) -> Result<(), EngineError> {
    let counts = catalog.counts()?;
    // There may be more rows than that: of files that are on their way in or out.
    let passages_are_there = store.count_passages().await? as u64 >= counts.passages;
    let vectors_are_there = store.count_vectors().await? as u64 >= counts.embedded;
    if passages_are_there && vectors_are_there {
        return Ok(());
    }
    let mut after = FileId(0);
    loop {
        let kept = catalog.kept(after, PAGE)?;
        let Some(last) = kept.last() else { return Ok(()) };
        after = last.file;
        let files: Vec<FileId> = kept.iter().map(|kept| kept.file).collect();
        let passages = store.passages_per_file(&files).await?;
        let vectors = store.vectors_per_file(&files).await?;
        let (mut unread, mut unembedded) = (Vec::new(), Vec::new());
        for kept in kept {
            let has = |rows: &std::collections::HashMap<FileId, u64>| {
                rows.get(&kept.file).copied().unwrap_or_default() == kept.passages
            };
            if !has(&passages) {
                unread.push(kept.file);
            } else if kept.has_vectors && !has(&vectors) {
                unembedded.push(kept.file);
            }
        }
        catalog.requeue(&unread)?;
        catalog.requeue_vectors(&unembedded)?;
    }
}
