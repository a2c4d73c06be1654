//! The meaning leg: passages by the cosine of their vectors.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow::array::{Float32Array, RecordBatch};
use futures::TryStreamExt;
use lance::dataset::scanner::{RowAddrMask, Scanner};
use rummage_corpus::PassageId;

use crate::{
    Filter, Store, StoreError,
    approximate::{self, Effort},
    planes::{Asked, dot},
    rows::VECTOR,
    shelf::Row,
    snapshot::{Filtered, Snapshot, View},
    table::Table,
};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeaningHit {
    pub id: PassageId,
    /// Cosine, −1 to 1.
    pub similarity: f32,
}

/// Vectors that no longer count are found too; so many are allowed for at first.
const STALE_ALLOWANCE: usize = 32;

impl Store {
    /// Up to `limit` passages nearest in meaning, best first.
    ///
    /// `vector` is a unit vector of this store's model.
    pub async fn meaning(
        &self,
        vector: &[f32],
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<MeaningHit>, StoreError> {
        self.check_dims(vector)?;
        let snapshot = self.snapshot(!filter.is_empty()).await?;
        match self.meaning_in(&snapshot, vector, filter, limit).await {
            Err(error) => {
                let newer = self.newer(&snapshot, error).await?;
                self.meaning_in(&newer, vector, filter, limit).await
            }
            found => found,
        }
    }

    async fn meaning_in(
        &self,
        snapshot: &Snapshot,
        vector: &[f32],
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<MeaningHit>, StoreError> {
        let filtered = snapshot.filtered(filter);
        if filtered.as_ref().is_some_and(|filtered| filtered.files.is_empty()) {
            return Ok(Vec::new());
        }
        let mut fetch = limit + STALE_ALLOWANCE;
        loop {
            let mut hits = self.nearest(snapshot, vector, filtered.clone(), fetch).await?;
            let all = hits.len() < fetch;
            hits.retain(|(row, _)| is_current(snapshot, *row));
            if all || hits.len() >= limit {
                return Ok(best(&snapshot.vectors, hits, limit));
            }
            fetch *= 4;
        }
    }

    /// The similarity of each of these passages that has a vector.
    pub async fn similarities(
        &self,
        vector: &[f32],
        ids: &[PassageId],
    ) -> Result<HashMap<PassageId, f32>, StoreError> {
        self.check_dims(vector)?;
        let snapshot = self.snapshot(false).await?;
        match self.similarities_in(&snapshot, vector, ids).await {
            Err(error) => {
                let newer = self.newer(&snapshot, error).await?;
                self.similarities_in(&newer, vector, ids).await
            }
            similar => similar,
        }
    }

    async fn similarities_in(
        &self,
        snapshot: &Snapshot,
        vector: &[f32],
        ids: &[PassageId],
    ) -> Result<HashMap<PassageId, f32>, StoreError> {
        let shelf = &snapshot.vectors.shelf;
        let rows = ids.iter().filter_map(|id| shelf.find(*id));
        let rows = rows.filter(|row| is_current(snapshot, *row)).collect();
        let similar = self.compare(&snapshot.vectors, vector, rows).await?;
        Ok(similar.into_iter().map(|(row, similarity)| (shelf.id(row), similarity)).collect())
    }

    /// The rows nearest in meaning, at least `limit` of them if there are so many.
    async fn nearest(
        &self,
        snapshot: &Snapshot,
        vector: &[f32],
        filtered: Option<Arc<Filtered>>,
        limit: usize,
    ) -> Result<Vec<(Row, f32)>, StoreError> {
        let view = &snapshot.vectors;
        if view.holds.vectors {
            let (view, vector) = (view.clone(), vector.to_vec());
            // Milliseconds, in which whoever drives this task looks for words.
            let compared = tokio::task::spawn_blocking(move || {
                let asked = Asked::new(&vector);
                let files = filtered.as_ref().map(|filtered| &filtered.files);
                let rows = view.shelf.nearest(&asked, limit, files);
                let similar = |row| Some((row, view.shelf.similarity(&asked, row)?));
                rows.into_iter().filter_map(similar).collect()
            });
            // The task is never cancelled; it ends early only by a panic.
            let compared = compared.await;
            return Ok(
                compared.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
            );
        }
        let mask = match filtered {
            None => None,
            Some(filtered) => {
                let (mask, rows) = filtered.vectors(snapshot);
                if *rows <= self.inner.limits.vectors_fetched.max(limit) {
                    let rows = view.shelf.rows_of(&filtered.files);
                    return self.compare(view, vector, rows).await;
                }
                Some(mask.clone())
            }
        };
        self.search(view, vector, mask, limit, approximate::effort(&view.dataset)).await
    }

    /// The rows nearest in meaning, by the database: by its index with an effort, by
    /// comparing all without.
    pub(crate) async fn search(
        &self,
        view: &View,
        vector: &[f32],
        mask: Option<RowAddrMask>,
        limit: usize,
        effort: Option<Effort>,
    ) -> Result<Vec<(Row, f32)>, StoreError> {
        let table = &self.inner.vectors;
        let mut scan = view.dataset.scan();
        let asked = scan.nearest(VECTOR, &Float32Array::from(vector.to_vec()), limit);
        asked.map_err(|error| table.read_failed(error.into()))?;
        scan.distance_metric(approximate::DISTANCE.into()).use_index(effort.is_some());
        if let Some(Effort { nprobes, refine }) = effort {
            scan.minimum_nprobes(nprobes).refine(refine);
            if mask.is_none() {
                scan.maximum_nprobes(nprobes);
            }
        }
        if let Some(mask) = mask {
            scan.prefilter(true).with_row_id_prefilter(mask);
        }
        let mut nearest = Vec::new();
        for batch in found(table, &mut scan, "_distance").await? {
            let columns = table.columns(&batch);
            let rows = columns.found()?.iter().zip(columns.floats("_distance")?);
            // LanceDB's distance is squared: for unit vectors that is 2 − 2 cosines.
            nearest.extend(rows.filter_map(|(address, distance)| {
                Some((view.shelf.at(*address)?, 1.0 - distance / 2.0))
            }));
        }
        Ok(nearest)
    }

    /// The similarity of each of these rows.
    async fn compare(
        &self,
        view: &View,
        vector: &[f32],
        rows: Vec<Row>,
    ) -> Result<Vec<(Row, f32)>, StoreError> {
        if view.holds.vectors {
            let asked = Asked::new(vector);
            let similar = |row| Some((row, view.shelf.similarity(&asked, row)?));
            return Ok(rows.into_iter().filter_map(similar).collect());
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let batch = self.inner.vectors.take(view, &rows, &[VECTOR]).await?;
        let vectors = self.inner.vectors.columns(&batch).vectors()?;
        let similarities = vectors.chunks_exact(self.inner.dims).map(|other| dot(vector, other));
        Ok(rows.into_iter().zip(similarities).collect())
    }
}

/// Whether the row's passage still holds what the vector was made from.
pub(crate) fn is_current(snapshot: &Snapshot, row: Row) -> bool {
    let (passages, vectors) = (&snapshot.passages.shelf, &snapshot.vectors.shelf);
    let passage = passages.find(vectors.id(row));
    passage.is_some_and(|passage| vectors.same_content(row, passages, passage))
}

/// The `limit` best, each passage once.
fn best(view: &View, rows: Vec<(Row, f32)>, limit: usize) -> Vec<MeaningHit> {
    let hit = |(row, similarity)| MeaningHit { id: view.shelf.id(row), similarity };
    let mut hits: Vec<_> = rows.into_iter().map(hit).collect();
    hits.sort_unstable_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.id.cmp(&b.id)));
    let mut seen = HashSet::new();
    hits.retain(|hit| seen.insert(hit.id));
    hits.truncate(limit);
    hits
}

/// What a search finds: addresses and scores, and nothing that must be looked up.
async fn found(
    table: &Table,
    scan: &mut Scanner,
    score: &str,
) -> Result<Vec<RecordBatch>, StoreError> {
    let found = async {
        scan.project(&[score])?;
        scan.with_row_id();
        scan.try_into_stream().await?.try_collect().await
    };
    found.await.map_err(|error: lance::Error| table.read_failed(error.into()))
}
