//! The keyword side's table: every passage with its text.

use std::{collections::HashMap, sync::Arc};

use arrow::array::StringArray;
use futures::{TryStreamExt, future::join_all};
use lancedb::query::{ExecutableQuery, QueryBase, Select};
use rummage_corpus::{FileId, Passage, PassageId};

use crate::{
    Filter, Origin, PassageRow, Store, StoreError, blocking, filter, rows,
    snapshot::{Filtered, Snapshot},
    table::LIST_LEN,
};

/// Texts are read by so many at once, each of which reads at least so many.
const READERS: usize = 4;
const ROWS_A_READER: usize = 64;

impl Store {
    /// Removes the passages of the `stale` files, then adds `rows`, which can be
    /// found by their words once this returns.
    ///
    /// Safe to repeat: with the rows' files among `stale`, any number of calls, cut
    /// short or not, leaves the same rows. Files that certainly have no rows yet
    /// need not be named, which saves the removal.
    pub async fn replace_passages(
        &self,
        stale: &[FileId],
        rows: &[PassageRow],
    ) -> Result<(), StoreError> {
        self.inner.passages.replace(stale, rows::passage_batch(rows)).await?;
        self.keep_up().await
    }

    pub async fn remove_passages(&self, files: &[FileId]) -> Result<(), StoreError> {
        self.inner.passages.remove(files).await?;
        self.keep_up().await
    }

    /// Lets the files' passages say where their files are now, and of when they are.
    /// What they hold stays.
    pub async fn place_passages(&self, origins: &[Origin]) -> Result<(), StoreError> {
        self.inner.passages.place(origins).await?;
        self.keep_up().await
    }

    /// The files' passages, by file and in the order of its text.
    pub async fn passages_of(&self, files: &[FileId]) -> Result<Vec<PassageRow>, StoreError> {
        let mut found = Vec::new();
        for files in files.chunks(LIST_LEN) {
            let table = &self.inner.passages;
            let columns = [&rows::OF_ORIGIN[..], &rows::OF_PASSAGE[..]].concat();
            for batch in table.select(filter::of_files(files), &columns).await? {
                found.extend(table.columns(&batch).passage_rows()?);
            }
        }
        found.sort_unstable_by_key(PassageRow::id);
        Ok(found)
    }

    /// The passages with these ids, those that there are, in the order of their ids.
    pub async fn passages(
        &self,
        ids: &[PassageId],
    ) -> Result<Vec<(PassageId, Passage)>, StoreError> {
        let snapshot = self.snapshot(false).await?;
        let mut passages = match self.passages_in(&snapshot, ids).await {
            Err(error) => self.passages_in(&*self.newer(&snapshot, error).await?, ids).await?,
            Ok(passages) => passages,
        };
        passages.sort_unstable_by_key(|(id, _)| *id);
        Ok(passages)
    }

    /// Of these passages those that there are, of files that the filter lets through.
    pub async fn let_through(
        &self,
        filter: &Filter,
        ids: &[PassageId],
    ) -> Result<Vec<PassageId>, StoreError> {
        let snapshot = self.snapshot(!filter.is_empty()).await?;
        let filtered = snapshot.filtered(filter);
        let is_wanted = |id: &PassageId| {
            let passes = |filtered: &Arc<Filtered>| filtered.files.contains(&id.file());
            filtered.as_ref().is_none_or(passes) && snapshot.passages.shelf.find(*id).is_some()
        };
        Ok(ids.iter().copied().filter(is_wanted).collect())
    }

    /// Whether the filter lets any file through.
    pub async fn lets_any_through(&self, filter: &Filter) -> Result<bool, StoreError> {
        let snapshot = self.snapshot(!filter.is_empty()).await?;
        Ok(snapshot.filtered(filter).is_none_or(|filtered| !filtered.files.is_empty()))
    }

    async fn passages_in(
        &self,
        snapshot: &Snapshot,
        ids: &[PassageId],
    ) -> Result<Vec<(PassageId, Passage)>, StoreError> {
        let view = &snapshot.passages;
        let mut rows: Vec<_> = ids.iter().filter_map(|id| view.shelf.find(*id)).collect();
        rows.sort_unstable();
        rows.dedup();
        // In parts, for the disk that has to be waited for.
        let part = rows.len().div_ceil(READERS).max(ROWS_A_READER);
        let reading = rows.chunks(part).map(|rows| {
            let (view, rows) = (view.clone(), rows.to_vec());
            blocking(move || view.shelf.passages(&rows))
        });
        let (mut passages, mut missing) = (Vec::with_capacity(rows.len()), Vec::new());
        for (read, rest) in join_all(reading).await {
            passages.extend(read);
            missing.extend(rest);
        }
        if !missing.is_empty() {
            let table = &self.inner.passages;
            let batch = table.take(view, &missing, &rows::OF_PASSAGE).await?;
            let ids = missing.iter().map(|row| view.shelf.id(*row));
            let read = table.columns(&batch).passages(ids.clone().map(PassageId::ordinal))?;
            passages.extend(ids.zip(read));
        }
        Ok(passages)
    }

    /// How many passages each of the files has here; files without any are missing.
    pub async fn passages_per_file(
        &self,
        files: &[FileId],
    ) -> Result<HashMap<FileId, u64>, StoreError> {
        self.inner.passages.rows_per_file(files).await
    }

    /// All words that passages hold, a batch of rows at a time, as `corpus::joined`
    /// puts them together.
    pub async fn all_words(
        &self,
        mut take: impl FnMut(&mut dyn Iterator<Item = &str>),
    ) -> Result<(), StoreError> {
        let table = &self.inner.passages;
        let query = table.lance.query().select(Select::columns(&[rows::TERMS]));
        let read = async {
            let mut batches = query.execute().await?;
            while let Some(batch) = batches.try_next().await? {
                let joined = table.columns(&batch).joined_words();
                take(&mut joined.into_iter().flat_map(StringArray::iter).flatten());
            }
            Ok(())
        };
        read.await.map_err(|error| table.read_failed(error))
    }

    /// Rows, so a passage that were there twice would count twice.
    pub async fn count_passages(&self) -> Result<usize, StoreError> {
        self.inner.passages.count().await
    }
}
