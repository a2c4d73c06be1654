//! The meaning leg: passages by the cosine of their vectors.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow::array::Float32Array;
use futures::{TryStreamExt, future::join_all};
use lance::{
    dataset::scanner::RowAddrMask,
    deps::datafusion::{execution::TaskContext, physical_plan::ExecutionPlan},
    io::exec::{ANNIvfPartitionExec, ANNIvfSubIndexExec, PreFilterSource},
};
use rummage_corpus::PassageId;

use crate::{
    Filter, Store, StoreError,
    approximate::{self, Effort},
    blocking,
    planes::Asked,
    products::dot,
    rows::VECTOR,
    shelf::{Files, Row},
    snapshot::{Filtered, SearchIndex, Snapshot, View},
};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeaningHit {
    pub id: PassageId,
    /// Cosine, −1 to 1.
    pub similarity: f32,
}

/// LanceDB's name for the square of how far a row is.
const DISTANCE: &str = "_distance";

/// Vectors are read from the disk by so many at once, each of which reads at least so
/// many rows.
const FLAT_READERS: usize = 4;
const FLAT_ROWS: usize = 128;

/// What a filter leaves of the rows.
pub(crate) struct Narrowed<'a> {
    mask: RowAddrMask,
    files: &'a Files,
    /// Of all rows, above 0.
    share: f64,
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
            hits.retain(|(row, _)| snapshot.is_current(*row));
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
        let rows = rows.filter(|row| snapshot.is_current(*row)).collect();
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
            let compared = blocking(move || {
                let asked = Asked::new(&vector);
                let files = filtered.as_ref().map(|filtered| &filtered.files);
                let rows = view.shelf.nearest(&asked, limit, files);
                let similar = |row| Some((row, view.shelf.similarity(&asked, row)?));
                rows.into_iter().filter_map(similar).collect()
            });
            return Ok(compared.await);
        }
        let narrowed = match &filtered {
            None => None,
            Some(filtered) => {
                let (mask, rows) = filtered.vectors(snapshot);
                if *rows <= self.inner.limits.vectors_fetched.max(limit) {
                    let rows = view.shelf.rows_of(&filtered.files);
                    return self.compare(view, vector, rows).await;
                }
                let share = *rows as f64 / view.shelf.len().max(1) as f64;
                Some(Narrowed { mask: mask.clone(), files: &filtered.files, share })
            }
        };
        self.search(view, vector, narrowed, limit, approximate::effort(&view.dataset)).await
    }

    /// The rows nearest in meaning, with an effort by the index, else by comparing all.
    pub(crate) async fn search(
        &self,
        view: &Arc<View>,
        vector: &[f32],
        narrowed: Option<Narrowed<'_>>,
        limit: usize,
        effort: Option<Effort>,
    ) -> Result<Vec<(Row, f32)>, StoreError> {
        let share = narrowed.as_ref().map_or(1.0, |narrowed| narrowed.share);
        let (mask, files) = narrowed.map(|narrowed| (narrowed.mask, narrowed.files)).unzip();
        let Some(mut effort) = effort else {
            return self.compare_all(view, vector, mask, limit).await;
        };
        // So that as many rows are looked at as without a filter.
        effort.nprobes = (effort.nprobes as f64 / share).ceil() as usize;
        let index = view.index(&self.inner.vectors, VECTOR).await?;
        let mut rows = view.shelf.rows_in(&index.fresh, files);
        rows.extend(self.ask_index(view, index, vector, mask, limit, effort).await?);
        let mut nearest = self.compare(view, vector, rows).await?;
        nearest.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
        nearest.truncate(limit);
        Ok(nearest)
    }

    /// What the index takes for the nearest: its similarities are rough ones, so more are
    /// asked for. The index itself is asked: a plan of the database would find the same,
    /// and takes longer to be made.
    async fn ask_index(
        &self,
        view: &View,
        index: &SearchIndex,
        vector: &[f32],
        mask: Option<RowAddrMask>,
        limit: usize,
        Effort { nprobes, refine }: Effort,
    ) -> Result<Vec<Row>, StoreError> {
        let table = &self.inner.vectors;
        let failed = |error: lance::Error| table.read_failed(error.into());
        let k = limit.max(approximate::CANDIDATES) * refine as usize;
        let query = lance_index::vector::Query {
            column: VECTOR.to_owned(),
            key: Arc::new(Float32Array::from(vector.to_vec())),
            k,
            lower_bound: None,
            upper_bound: None,
            minimum_nprobes: nprobes,
            // A filter may leave too little there: then more are looked into, until there is
            // enough. Without effort, no sooner.
            maximum_nprobes: mask.is_none().then_some(nprobes),
            search_effort: 0.0,
            ef: None,
            refine_factor: None,
            metric_type: Some(approximate::DISTANCE.into()),
            use_index: true,
            query_parallelism: 0,
            dist_q_c: 0.0,
            approx_mode: Default::default(),
        };
        let ids = index.segments.iter().map(|segment| segment.uuid).collect();
        let dataset = view.dataset.clone();
        let partitions = ANNIvfPartitionExec::try_new(dataset.clone(), ids, query.clone());
        let partitions = Arc::new(partitions.map_err(failed)?);
        let segments = index.segments.clone();
        let no_filter = PreFilterSource::None;
        let search = ANNIvfSubIndexExec::try_new(partitions, dataset, segments, query, no_filter);
        let search = search.map_err(failed)?.with_external_mask(mask.map(Arc::new));
        let found = search.execute(0, Arc::new(TaskContext::default()));
        let found = found.map_err(|error| failed(error.into()))?;
        let batches: Vec<_> = found.try_collect().await.map_err(|error| failed(error.into()))?;
        let mut rows = Vec::new();
        for batch in batches {
            let columns = table.columns(&batch);
            let found = columns.found()?.iter().zip(columns.floats(DISTANCE)?);
            rows.extend(found.map(|(address, distance)| (*distance, *address)));
        }
        if rows.len() > k {
            rows.select_nth_unstable_by(k, |a, b| a.0.total_cmp(&b.0));
            rows.truncate(k);
        }
        Ok(rows.into_iter().filter_map(|(_, address)| view.shelf.at(address)).collect())
    }

    /// The nearest by a plan of the database that compares all.
    async fn compare_all(
        &self,
        view: &View,
        vector: &[f32],
        mask: Option<RowAddrMask>,
        limit: usize,
    ) -> Result<Vec<(Row, f32)>, StoreError> {
        let table = &self.inner.vectors;
        let found = async {
            let mut scan = view.dataset.scan();
            scan.nearest(VECTOR, &Float32Array::from(vector.to_vec()), limit)?;
            scan.distance_metric(approximate::DISTANCE.into()).use_index(false);
            if let Some(mask) = mask {
                scan.prefilter(true).with_row_id_prefilter(mask);
            }
            scan.project(&[DISTANCE])?.with_row_id();
            scan.try_into_stream().await?.try_collect::<Vec<_>>().await
        };
        let mut nearest = Vec::new();
        for batch in found.await.map_err(|error| table.read_failed(error.into()))? {
            let columns = table.columns(&batch);
            let rows = columns.found()?.iter().zip(columns.floats(DISTANCE)?);
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
        view: &Arc<View>,
        vector: &[f32],
        rows: Vec<Row>,
    ) -> Result<Vec<(Row, f32)>, StoreError> {
        if view.holds.vectors {
            let asked = Asked::new(vector);
            let similar = |row| Some((row, view.shelf.similarity(&asked, row)?));
            return Ok(rows.into_iter().filter_map(similar).collect());
        }
        // In parts, for the disk that has to be waited for.
        let part = rows.len().div_ceil(FLAT_READERS).max(FLAT_ROWS);
        let reading = rows.chunks(part).map(|rows| {
            let (view, vector, rows) = (view.clone(), vector.to_vec(), rows.to_vec());
            blocking(move || view.shelf.flat_similarities(&vector, rows))
        });
        let (mut similar, mut missing) = (Vec::with_capacity(rows.len()), Vec::new());
        for (found, rest) in join_all(reading).await {
            similar.extend(found);
            missing.extend(rest);
        }
        if !missing.is_empty() {
            let batch = self.inner.vectors.take(view, &missing, &[VECTOR]).await?;
            let vectors = self.inner.vectors.columns(&batch).vectors()?;
            let vectors = vectors.chunks_exact(self.inner.dims);
            similar.extend(missing.into_iter().zip(vectors.map(|other| dot(vector, other))));
        }
        Ok(similar)
    }
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
