//! Both tables at one moment, as questions read them, and how that moment is kept up
//! with what is written.
//!
//! Whether anything was written since is told by the times of the folders that name
//! the tables' versions: two looks at the file system a question. File systems count
//! time in steps, so a change may hide behind another one of the same step; what was
//! changed within the last [`STEP`] is therefore opened anew, which costs a list of
//! the folder and, where nothing is new, nothing else.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use lance::{
    Dataset, dataset::scanner::RowAddrMask, index::DatasetIndexExt, table::format::IndexMetadata,
};
use tokio::sync::OnceCell;

use crate::{
    Filter, Limits, StoreError,
    shelf::{Bits, Files, Holds, Row, Shelf},
    table::Table,
};

/// The longest step in which a file system counts time.
const STEP: Duration = Duration::from_secs(2);

/// A question does not wait for a newer moment to be read, if there is one that was the
/// latest so recently.
const FRESH: Duration = Duration::from_secs(1);

/// One table at one moment.
pub(crate) struct View {
    pub dataset: Arc<Dataset>,
    pub shelf: Shelf,
    pub holds: Holds,
    /// Of the one column that is searched; known once it was asked.
    pub index: OnceCell<SearchIndex>,
}

/// The index of a column, as one version of the table has it.
pub(crate) struct SearchIndex {
    pub segments: Vec<IndexMetadata>,
    /// Fragments whose rows it does not hold.
    pub fresh: Vec<u32>,
}

pub(crate) struct Snapshot {
    pub passages: Arc<View>,
    pub vectors: Arc<View>,
    /// What the last filter let through: both legs ask for it, and so does every letter
    /// that is typed after it.
    filtered: Mutex<Option<Arc<Filtered>>>,
    changed: Changed,
}

/// What a filter lets through.
pub(crate) struct Filtered {
    filter: Filter,
    pub files: Files,
    /// Rows of the passages' table, as the database takes them and as its shelf does.
    passages: OnceLock<RowAddrMask>,
    passage_bits: OnceLock<Vec<Bits>>,
    /// Rows of the vectors' table, with their number.
    vectors: OnceLock<(RowAddrMask, usize)>,
}

/// When the tables' lists of versions changed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Changed {
    passages: SystemTime,
    vectors: SystemTime,
    looked: SystemTime,
}

/// The latest snapshot that was asked for.
pub(crate) struct Snapshots {
    limits: Limits,
    latest: Mutex<Option<Latest>>,
    /// Held by whoever reads a newer one.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Latest {
    snapshot: Arc<Snapshot>,
    /// When it was seen to be the latest.
    seen: Instant,
}

impl Snapshot {
    /// Whether both are of the same versions.
    pub fn is_same(&self, other: &Self) -> bool {
        self.passages.is_of(&other.passages.dataset) && self.vectors.is_of(&other.vectors.dataset)
    }

    pub fn places(&self) -> bool {
        self.passages.holds.places
    }

    /// Whether the passage of this row of vectors still holds what it was made from.
    pub fn is_current(&self, row: Row) -> bool {
        let (passages, vectors) = (&self.passages.shelf, &self.vectors.shelf);
        let passage = passages.find(vectors.id(row));
        passage.is_some_and(|passage| vectors.same_content(row, passages, passage))
    }

    /// `None` for a filter that lets everything through.
    pub fn filtered(&self, filter: &Filter) -> Option<Arc<Filtered>> {
        if filter.is_empty() {
            return None;
        }
        let mut last = self.filtered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.as_ref().filter(|last| last.filter == *filter) {
            return Some(last.clone());
        }
        let filtered = Arc::new(Filtered {
            filter: filter.clone(),
            files: self.passages.shelf.files(filter),
            passages: OnceLock::new(),
            vectors: OnceLock::new(),
            passage_bits: OnceLock::new(),
        });
        *last = Some(filtered.clone());
        Some(filtered)
    }
}

impl Filtered {
    pub fn passages(&self, snapshot: &Snapshot) -> &RowAddrMask {
        self.passages.get_or_init(|| snapshot.passages.shelf.mask_of(&self.files).0)
    }

    pub fn passage_bits(&self, snapshot: &Snapshot) -> &[Bits] {
        self.passage_bits.get_or_init(|| snapshot.passages.shelf.bits_of(&self.files))
    }

    pub fn vectors(&self, snapshot: &Snapshot) -> &(RowAddrMask, usize) {
        self.vectors.get_or_init(|| snapshot.vectors.shelf.mask_of(&self.files))
    }
}

impl Changed {
    fn look(passages: &Table, vectors: &Table) -> std::io::Result<Self> {
        let changed = |table: &Table| versions(table).metadata()?.modified();
        let looked = SystemTime::now();
        Ok(Self { passages: changed(passages)?, vectors: changed(vectors)?, looked })
    }

    /// Whether nothing was changed between this look and the next one, which found the
    /// same times.
    fn settled(&self) -> bool {
        [self.passages, self.vectors]
            .iter()
            .all(|changed| self.looked.duration_since(*changed).is_ok_and(|ago| ago > STEP))
    }

    fn same(&self, other: &Self) -> bool {
        (self.passages, self.vectors) == (other.passages, other.vectors)
    }
}

fn versions(table: &Table) -> PathBuf {
    table.path.join("_versions")
}

impl Snapshots {
    pub fn new(limits: Limits) -> Self {
        Self { limits, latest: Mutex::default(), reading: Default::default() }
    }

    /// The tables as they are now. With `places`, filters can be asked of it.
    pub async fn now(
        &self,
        passages: &Arc<Table>,
        vectors: &Arc<Table>,
        places: bool,
    ) -> Result<Arc<Snapshot>, StoreError> {
        if let Some(snapshot) = self.still_latest(passages, vectors, places) {
            return Ok(snapshot);
        }
        let _reading = match self.reading.try_lock() {
            Ok(reading) => reading,
            Err(_) => {
                let recent = |latest: &Latest| {
                    latest.seen.elapsed() < FRESH && (latest.snapshot.places() || !places)
                };
                if let Some(latest) = self.latest().filter(recent) {
                    return Ok(latest.snapshot);
                }
                self.reading.lock().await
            }
        };
        if let Some(snapshot) = self.still_latest(passages, vectors, places) {
            return Ok(snapshot);
        }
        self.read(passages, vectors, places).await
    }

    /// The tables as they are now, for whoever compares ids and asks no question. Where
    /// nobody else asks any, no vectors are read for it, and nothing is kept.
    pub async fn of_ids(
        &self,
        passages: &Arc<Table>,
        vectors: &Arc<Table>,
    ) -> Result<Arc<Snapshot>, StoreError> {
        if self.latest().is_some() {
            return self.now(passages, vectors, false).await;
        }
        let changed = Changed::look(passages, vectors);
        let changed =
            changed.map_err(|error| passages.read_failed(lance::Error::from(error).into()))?;
        // In this order: a vector whose passage is newer than these counts for nothing.
        let passages = View::plain(passages).await?;
        let vectors = View::plain(vectors).await?;
        Ok(Arc::new(Snapshot { passages, vectors, filtered: Mutex::default(), changed }))
    }

    /// Reads what is new now, if anyone has asked before: the next question then need
    /// not. For whoever has just written.
    pub async fn keep_up(
        &self,
        passages: &Arc<Table>,
        vectors: &Arc<Table>,
    ) -> Result<(), StoreError> {
        if self.latest().is_some() {
            let _reading = self.reading.lock().await;
            self.read(passages, vectors, false).await?;
        }
        Ok(())
    }

    fn still_latest(
        &self,
        passages: &Table,
        vectors: &Table,
        places: bool,
    ) -> Option<Arc<Snapshot>> {
        let latest = self.latest()?;
        let changed = Changed::look(passages, vectors).ok()?;
        let snapshot = latest.snapshot;
        let is_latest = snapshot.changed.settled() && snapshot.changed.same(&changed);
        if !is_latest || (places && !snapshot.places()) {
            return None;
        }
        self.keep(snapshot.clone());
        Some(snapshot)
    }

    async fn read(
        &self,
        passages: &Arc<Table>,
        vectors: &Arc<Table>,
        places: bool,
    ) -> Result<Arc<Snapshot>, StoreError> {
        let before = self.latest().map(|latest| latest.snapshot);
        let before = before.as_deref();
        let places = places || before.is_some_and(Snapshot::places);
        let look = Changed::look(passages, vectors);
        let changed =
            look.map_err(|error| passages.read_failed(lance::Error::from(error).into()))?;
        // In this order: a vector whose passage is newer than these counts for nothing.
        let of_passages = passages.dataset().await?;
        let of_vectors = vectors.dataset().await?;
        let count = of_vectors.count_rows(None).await;
        let count = count.map_err(|error| vectors.read_failed(error.into()))?;
        let places = Holds { places, words: Some(self.limits), ..Holds::default() };
        let vectors_in_memory = count <= self.limits.vectors_in_memory;
        let numbers = Holds { vectors: vectors_in_memory, ..Holds::default() };
        let before_vectors = before.map(|before| before.vectors.clone());
        let table = vectors.clone();
        // A task of its own: over a million rows, either takes a third of a second.
        let vectors = tokio::spawn(async move {
            View::read(&table, of_vectors, before_vectors.as_ref(), numbers).await
        });
        let passages =
            View::read(passages, of_passages, before.map(|before| &before.passages), places);
        let passages = passages.await;
        // The task is never cancelled; it ends early only by a panic.
        let vectors =
            vectors.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        let (passages, vectors) = (passages?, vectors?);
        let snapshot = Snapshot { passages, vectors, filtered: Mutex::default(), changed };
        Ok(self.keep(Arc::new(snapshot)))
    }

    fn keep(&self, snapshot: Arc<Snapshot>) -> Arc<Snapshot> {
        let latest = Latest { snapshot: snapshot.clone(), seen: Instant::now() };
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(latest);
        snapshot
    }

    /// Something of the passages that questions ask, if there were any.
    pub fn of_passages<T>(&self, of: impl FnOnce(&Shelf) -> Vec<T>) -> Vec<T> {
        self.latest().map(|latest| of(&latest.snapshot.passages.shelf)).unwrap_or_default()
    }

    fn latest(&self) -> Option<Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl View {
    /// The latest version, with nothing of vectors in memory.
    pub async fn plain(table: &Table) -> Result<Arc<View>, StoreError> {
        Self::read(table, table.dataset().await?, None, Holds::default()).await
    }

    async fn read(
        table: &Table,
        dataset: Arc<Dataset>,
        before: Option<&Arc<View>>,
        holds: Holds,
    ) -> Result<Arc<View>, StoreError> {
        let is_same = |before: &&Arc<View>| before.is_of(&dataset) && before.holds == holds;
        if let Some(before) = before.filter(is_same) {
            return Ok(before.clone());
        }
        let shelf = Shelf::read(table, &dataset, before.map(|before| &before.shelf), holds).await?;
        Ok(Arc::new(View { dataset, shelf, holds, index: OnceCell::new() }))
    }

    /// Whether it is of this version of the table. Numbers are not enough: of versions that a
    /// crash left behind, some go, and their numbers come again.
    fn is_of(&self, dataset: &Dataset) -> bool {
        let version = |of: &Dataset| (of.version_id(), of.version().timestamp);
        version(&self.dataset) == version(dataset)
    }

    /// The index that this column of the table is searched by; always the same one.
    pub async fn index(&self, table: &Table, column: &str) -> Result<&SearchIndex, StoreError> {
        let look = async {
            let field = self.dataset.schema().field_id(column)?;
            let indices = self.dataset.load_indices().await?;
            let of_column = indices.iter().filter(|index| index.fields == [field]);
            let segments: Vec<_> = of_column.cloned().collect();
            let held: Vec<_> =
                segments.iter().filter_map(|index| index.fragment_bitmap.as_ref()).collect();
            let fragments = self.dataset.fragments().iter().map(|fragment| fragment.id as u32);
            let is_fresh = |id: &u32| !held.iter().any(|held| held.contains(*id));
            Ok(SearchIndex { fresh: fragments.filter(is_fresh).collect(), segments })
        };
        let index = self.index.get_or_try_init(|| look).await;
        index.map_err(|error: lance::Error| table.read_failed(error.into()))
    }
}
