//! The vectors' index: when there is one, whether it may be asked, and how.
//!
//! While all vectors fit in memory they are all compared, and there is none. Past that
//! one is built, and it is believed only after it has found, among this very table's
//! vectors, what comparing all of them finds: [`RECALL`] of the ten nearest, over a
//! sample. What that measured stands in the table's own settings, so it comes and goes
//! with the version of the table that it is true of.

use std::ops::ControlFlow;

use lancedb::{DistanceType, index::Index, index::vector::IvfRqIndexBuilder};

use crate::{Store, StoreError, products::dot, rows::VECTOR, shelf, snapshot::View, table::Table};

/// The share of the ten nearest that an index must find.
pub const RECALL: f32 = 0.98;
const NEAREST: usize = 10;

/// Stored vectors that are asked for their neighbours, spread over the table.
const SAMPLE: usize = 128;

/// What a question's search leg asks for, so what is measured is what is used; an index
/// is never asked for fewer.
pub(crate) const CANDIDATES: usize = 232;

/// From cheap to dear: partitions looked into, and how many times the candidates are
/// fetched and compared in full.
const EFFORTS: [Effort; 6] = [
    Effort { nprobes: 8, refine: 1 },
    Effort { nprobes: 16, refine: 1 },
    Effort { nprobes: 32, refine: 1 },
    Effort { nprobes: 64, refine: 1 },
    Effort { nprobes: 64, refine: 2 },
    Effort { nprobes: 128, refine: 4 },
];

/// An index is judged anew, or tried again after a refusal, once the table has grown
/// by this factor: its partitions were cut for another size.
const GROWTH: usize = 2;

/// On unit vectors this ranks as the cosine does, and it is what the index's codes keep.
pub(crate) const DISTANCE: DistanceType = DistanceType::L2;

/// Vectors of another length the index cannot hold; they are all compared.
const DIMS_STEP: usize = 8;

/// LanceDB's own name for the index of this column.
const NAME: &str = "vector_idx";

/// The table's setting that holds the verdict.
const SETTING: &str = "rummage:vector_index";

/// How the vectors are searched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum VectorIndexState {
    /// All vectors are compared.
    Exact { rows: usize },
    /// An index is asked; rows that it does not hold yet are all compared.
    Approximate {
        rows_indexed: usize,
        rows_fresh: usize,
        /// Over a sample of the table's own vectors, 0 to 1.
        recall_at_10: f32,
        /// Partitions looked into for a question.
        nprobes: usize,
        /// How many times the candidates are fetched and compared in full.
        refine: u32,
    },
    /// The index found too little and was dropped: all vectors are compared.
    Refused { rows: usize, recall_at_10: f32 },
}

/// How hard an index is asked to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effort {
    pub nprobes: usize,
    pub refine: u32,
}

/// What was measured, of a table of so many rows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Verdict {
    rows: usize,
    recall: f32,
    /// `None`: refused.
    effort: Option<Effort>,
}

impl Verdict {
    fn of(dataset: &lance::Dataset) -> Option<Self> {
        Self::parse(dataset.config().get(SETTING)?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (rows, recall) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let effort = words.next().zip(words.next());
        let effort = match effort {
            None => None,
            Some((nprobes, refine)) => {
                Some(Effort { nprobes: nprobes.parse().ok()?, refine: refine.parse().ok()? })
            }
        };
        Some(Self { rows, recall, effort })
    }

    fn text(&self) -> String {
        let Self { rows, recall, effort } = self;
        match effort {
            None => format!("{rows} {recall}"),
            Some(Effort { nprobes, refine }) => format!("{rows} {recall} {nprobes} {refine}"),
        }
    }
}

/// How this version of the table is to be asked; `None`: not by an index.
pub(crate) fn effort(dataset: &lance::Dataset) -> Option<Effort> {
    Verdict::of(dataset)?.effort
}

/// How the table's vectors are searched now.
pub(crate) async fn state(vectors: &Table) -> Result<VectorIndexState, StoreError> {
    let dataset = vectors.dataset().await?;
    let rows = vectors.count().await?;
    Ok(match Verdict::of(&dataset) {
        None => VectorIndexState::Exact { rows },
        Some(Verdict { recall, effort: None, .. }) => {
            VectorIndexState::Refused { rows, recall_at_10: recall }
        }
        Some(Verdict { recall, effort: Some(Effort { nprobes, refine }), .. }) => {
            let rows_fresh = fresh(vectors).await?;
            let rows_indexed = rows.saturating_sub(rows_fresh);
            VectorIndexState::Approximate {
                rows_indexed,
                rows_fresh,
                recall_at_10: recall,
                nprobes,
                refine,
            }
        }
    })
}

/// Rows that the index does not hold.
async fn fresh(vectors: &Table) -> Result<usize, StoreError> {
    let indexes = vectors.lance.list_indices().await.map_err(|error| vectors.read_failed(error))?;
    let index = indexes.iter().find(|index| index.columns == [VECTOR]);
    Ok(index.and_then(|index| index.num_unindexed_rows).unwrap_or(0) as usize)
}

impl Store {
    /// How vectors are searched, as of the last look at them.
    pub fn vector_index(&self) -> VectorIndexState {
        *self.inner.index.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) async fn look_at_vector_index(&self) -> Result<(), StoreError> {
        let state = state(&self.inner.vectors).await?;
        *self.inner.index.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = state;
        Ok(())
    }

    /// Builds or drops the index, as the table's size asks. Returns whether it did.
    pub(crate) async fn approximate(&self, rows: usize) -> Result<bool, StoreError> {
        let table = &self.inner.vectors;
        let verdict = Verdict::of(&*table.dataset().await?);
        let least = self.inner.limits.vectors_in_memory;
        if rows <= least / GROWTH && verdict.is_some() {
            if verdict.is_some_and(|verdict| verdict.effort.is_some()) {
                drop_index(table).await?;
            }
            forget(table).await?;
            return Ok(true);
        }
        let due = verdict.is_none_or(|verdict| rows >= verdict.rows * GROWTH);
        let fits = self.inner.dims.is_multiple_of(DIMS_STEP);
        if rows <= least || !due || !fits {
            return Ok(false);
        }
        if verdict.is_some() {
            // Of another index: until the new one is judged, search is exact.
            forget(table).await?;
        }
        let index = Index::IvfRq(IvfRqIndexBuilder::default().distance_type(DISTANCE));
        let built = table.lance.create_index(&[VECTOR], index).replace(true).execute().await;
        built.map_err(|error| table.write_failed(error))?;
        let verdict = self.judge(rows).await?;
        note(table, verdict).await?;
        if verdict.effort.is_none() {
            drop_index(table).await?;
        }
        Ok(true)
    }

    /// The least effort at which the index finds enough.
    async fn judge(&self, rows: usize) -> Result<Verdict, StoreError> {
        let view = View::plain(&self.inner.vectors).await?;
        let sample = self.sample(&view, rows).await?;
        let nearest = self.truly_nearest(&view, &sample).await?;
        let mut verdict = Verdict { rows, recall: 0.0, effort: None };
        for effort in EFFORTS {
            let mut found = 0;
            for ((_, vector), nearest) in sample.iter().zip(&nearest) {
                let Some((least, _)) = nearest.last() else { continue };
                let hits = self.search(&view, vector, None, CANDIDATES, Some(effort)).await?;
                // Copies are as near as what they are copies of.
                let near = hits.iter().filter(|(_, similarity)| *similarity >= least - 1e-5);
                // The vector itself is no neighbour.
                found += near.count().saturating_sub(1).min(nearest.len());
            }
            let all: usize = nearest.iter().map(Vec::len).sum();
            verdict.recall = found as f32 / all.max(1) as f32;
            if verdict.recall >= RECALL {
                return Ok(Verdict { effort: Some(effort), ..verdict });
            }
        }
        Ok(verdict)
    }

    /// Some of the table's own vectors, with their addresses.
    async fn sample(&self, view: &View, rows: usize) -> Result<Vec<(u64, Vec<f32>)>, StoreError> {
        let step = (rows / SAMPLE).max(1);
        let mut sample = Vec::new();
        let mut row = 0;
        self.each_vector(view, |address, vector| {
            if row % step == 0 && sample.len() < SAMPLE {
                sample.push((address, vector.to_vec()));
            }
            row += 1;
        })
        .await?;
        Ok(sample)
    }

    /// For each of the sample, the similarities and addresses of the nearest others,
    /// best first.
    async fn truly_nearest(
        &self,
        view: &View,
        sample: &[(u64, Vec<f32>)],
    ) -> Result<Vec<Vec<(f32, u64)>>, StoreError> {
        let mut nearest = vec![Vec::with_capacity(NEAREST + 1); sample.len()];
        self.each_vector(view, |address, vector| {
            for ((own, asked), nearest) in sample.iter().zip(&mut nearest) {
                let similarity = dot(asked, vector);
                let is_near = nearest.len() < NEAREST
                    || nearest.last().is_some_and(|(least, _): &(f32, u64)| similarity > *least);
                if is_near && address != *own {
                    let after = nearest.partition_point(|(other, _)| *other >= similarity);
                    nearest.insert(after, (similarity, address));
                    nearest.truncate(NEAREST);
                }
            }
        })
        .await?;
        Ok(nearest)
    }

    async fn each_vector(
        &self,
        view: &View,
        mut take: impl FnMut(u64, &[f32]),
    ) -> Result<(), StoreError> {
        let mut scan = view.dataset.scan();
        shelf::each_batch(&self.inner.vectors, &mut scan, &[VECTOR], |columns| {
            let vectors = columns.vectors()?.chunks_exact(self.inner.dims);
            let rows = columns.addresses()?.iter().zip(vectors);
            rows.for_each(|(address, vector)| take(*address, vector));
            Ok(ControlFlow::Continue(()))
        })
        .await
    }
}

async fn drop_index(table: &Table) -> Result<(), StoreError> {
    table.lance.drop_index(NAME).await.map_err(|error| table.write_failed(error))
}

async fn note(table: &Table, verdict: Verdict) -> Result<(), StoreError> {
    let native = table.lance.as_native().expect("the table is a local one");
    let noted = native.update_config([(SETTING.to_owned(), verdict.text())]).await;
    noted.map_err(|error| table.write_failed(error))
}

async fn forget(table: &Table) -> Result<(), StoreError> {
    let native = table.lance.as_native().expect("the table is a local one");
    let forgotten = native.delete_config_keys(&[SETTING]).await;
    forgotten.map_err(|error| table.write_failed(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_read_as_it_was_written() {
        let effort = Some(Effort { nprobes: 16, refine: 2 });
        for effort in [None, effort] {
            let verdict = Verdict { rows: 200_001, recall: 0.985, effort };
            assert_eq!(Verdict::parse(&verdict.text()), Some(verdict));
        }
        for text in ["", "x", "5", "5 x", "5 0.9 x 1", "5 0.9 1 x"] {
            assert_eq!(Verdict::parse(text), None, "{text:?}");
        }
    }
}
