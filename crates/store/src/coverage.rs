//! How far a model's vectors go: which passages have none that counts, and which
//! vectors have no passage. Told by comparing in memory what the tables' rows are, so it
//! costs milliseconds and no query.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use rummage_corpus::{FileId, PassageId};

use crate::{Inner, Store, StoreError, shelf::Files, snapshot::Snapshot};

type Ids = HashSet<PassageId, foldhash::fast::RandomState>;

/// A file of which a passage has no vector that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lacking {
    pub file: FileId,
    /// Of all of it.
    pub passages: u64,
    /// There are vectors of it, of this or of an earlier text.
    pub has_vectors: bool,
}

impl Store {
    /// The files that this model's vectors do not cover whole, by their numbers.
    pub async fn lacking(&self) -> Result<Vec<Lacking>, StoreError> {
        Ok(lacking(&*self.ids().await?))
    }

    /// Files that have vectors here and no passages any more: of no use to anybody.
    pub async fn stray_vectors(&self) -> Result<Vec<FileId>, StoreError> {
        let snapshot = self.ids().await?;
        let (passages, vectors) = (&snapshot.passages.shelf, &snapshot.vectors.shelf);
        let with_passages: Files = passages.alive().map(|row| passages.id(row).file()).collect();
        let with_vectors: Files = vectors.alive().map(|row| vectors.id(row).file()).collect();
        Ok(with_vectors.difference(&with_passages).copied().collect())
    }

    async fn ids(&self) -> Result<Arc<Snapshot>, StoreError> {
        let Inner { passages, vectors, snapshots, .. } = &*self.inner;
        snapshots.of_ids(passages, vectors).await
    }
}

fn lacking(snapshot: &Snapshot) -> Vec<Lacking> {
    let (passages, vectors) = (&snapshot.passages.shelf, &snapshot.vectors.shelf);
    let (mut covered, mut with_vectors) = (Ids::default(), Files::default());
    for row in vectors.alive() {
        let id = vectors.id(row);
        with_vectors.insert(id.file());
        if snapshot.is_current(row) {
            covered.insert(id);
        }
    }
    // Of each file its passages, and whether one of them has no vector.
    let mut files: BTreeMap<FileId, (u64, bool)> = BTreeMap::new();
    for row in passages.alive() {
        let id = passages.id(row);
        let (passages, lacks) = files.entry(id.file()).or_default();
        *passages += 1;
        *lacks |= !covered.contains(&id);
    }
    let lacking = files.into_iter().filter(|(_, (_, lacks))| *lacks);
    lacking
        .map(|(file, (passages, _))| Lacking {
            file,
            passages,
            has_vectors: with_vectors.contains(&file),
        })
        .collect()
}
