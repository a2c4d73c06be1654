//! The tables that searching reads: passages with their words, and one table of
//! vectors a model, both in LanceDB.
//!
//! The only crate that knows LanceDB and Arrow. It knows nothing of files on
//! disk, of models, or of how the two legs' answers are put together. The catalog,
//! not this crate, says which files are done, and it is told only after
//! [`Store::sync`]: what was not synced is dropped at the next opening. Putting a
//! file's rows here once more must be harmless, and is: see
//! [`Store::replace_passages`].
//!
//! Invariant: a vector counts only while the passage with the same id has the same
//! hash. A file's passages are replaced before its vectors are, and in between its
//! old vectors are still there; no query sees them.
//!
//! One task of one process writes ([`Store::upkeep`] is writing too): two writers
//! undo each other's commits and retry. Any number of readers, in any process,
//! see what was written as soon as the write returns.

mod approximate;
mod beside;
mod bm25;
mod coverage;
mod disk;
mod error;
mod filter;
mod flat;
mod keyword;
mod meaning;
mod numbers;
mod passages;
mod planes;
mod postings;
mod process;
mod products;
mod rows;
mod shelf;
mod snapshot;
mod sync;
mod table;
mod texts;
#[cfg(test)]
mod trial;
mod upkeep;
mod vectors;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use lancedb::{Connection, ObjectStoreRegistry, Session};
use rummage_corpus::ContentHash;

pub use approximate::{RECALL, VectorIndexState};
pub use coverage::Lacking;
pub use error::{Source, StoreError};
pub use filter::Filter;
pub use keyword::{KeywordHit, Words};
pub use meaning::MeaningHit;
pub use process::prepare_process;
pub use rows::{Origin, PassageRow, VectorRow};
pub use upkeep::{Mode, Work};

use beside::Kind;
use error::Doing;
use snapshot::{Snapshot, Snapshots};
use sync::{Disk, Versions};
use table::Table;

/// Whose vectors a store holds. Vectors of different models are never compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorSpace {
    /// The model's fingerprint.
    pub fingerprint: String,
    /// Numbers a vector.
    pub dims: u32,
}

impl VectorSpace {
    /// The fingerprint where it may be part of a table's name, else its hash.
    fn table_name(&self) -> String {
        let fingerprint = &self.fingerprint;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if (1..=64).contains(&fingerprint.len()) && fingerprint.chars().all(plain) {
            format!("vectors_{fingerprint}")
        } else {
            format!("vectors_{}", ContentHash::of(fingerprint.as_bytes()))
        }
    }
}

/// The tables of one data folder, for one model. Cloning is cheap and shares
/// everything.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    connection: Connection,
    disk: Disk,
    dims: usize,
    passages: Arc<Table>,
    vectors: Arc<Table>,
    snapshots: Snapshots,
    limits: Limits,
    index: Mutex<VectorIndexState>,
}

/// Where one way of comparing vectors gives way to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Up to so many vectors are kept in memory, two bytes a number, and all are
    /// compared. More need an index.
    pub vectors_in_memory: usize,
    /// Where a filter leaves no more rows than this, their vectors are fetched and all
    /// compared: an index, asked for what is near *and* passes a narrow filter, misses
    /// most of it.
    pub vectors_fetched: usize,
    /// From so many rows on, vectors and texts lie beside their tables once more: fewer are
    /// read as fast from the database.
    pub flat: usize,
    /// Up to so many passages, whose words no file of ours holds yet, are read by whoever
    /// asks; of more, upkeep makes files.
    pub words_fresh: usize,
    /// So many different words are gathered at a time, some 60 MB, before they are written.
    /// Ordinary texts have fewer in a whole fragment; lists of random numbers have fifty
    /// times as many.
    pub words_gathered: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            vectors_in_memory: 200_000,
            vectors_fetched: 5_000,
            flat: 10_000,
            words_fresh: 1_000,
            words_gathered: 500_000,
        }
    }
}

/// LanceDB's own caps are 6 GiB and 1 GiB. These cost some milliseconds a query at
/// a million rows and keep the whole process below half a gigabyte. 80 MB less cost 7 % of
/// a question there, and a seventh of its processor time; smaller tables do not fill them.
const INDEX_CACHE_BYTES: usize = 240 << 20;
const METADATA_CACHE_BYTES: usize = 32 << 20;

impl Store {
    /// Opens the tables in `dir` for the one process that writes. They are created
    /// where they are missing. What was not synced before is dropped, and a table
    /// that makes no sense is set aside, into the folder `damaged`, and begun anew:
    /// [`Store::count_passages`] and [`Store::count_vectors`] tell.
    pub async fn open(dir: &Path, space: &VectorSpace) -> Result<Store, StoreError> {
        Self::open_with(dir, space, Limits::default()).await
    }

    /// As [`Store::open`], with other limits.
    pub async fn open_with(
        dir: &Path,
        space: &VectorSpace,
        limits: Limits,
    ) -> Result<Store, StoreError> {
        let (dir, connection) = reach(dir).await?;
        let dims = space.dims as usize;
        let passages = Table::open(&connection, &dir, "passages", rows::passage_schema()).await?;
        upkeep::prepare(&passages).await?;
        let name = space.table_name();
        let vectors = Table::open(&connection, &dir, &name, rows::vector_schema(dims)).await?;
        let store = Self::of(dir, connection, dims, passages, vectors, limits).await?;
        store.sync().await?;
        Ok(store)
    }

    /// The same passages with another model's vectors beside them, for the process that
    /// writes. Both stores may be searched; one task writes to both.
    pub async fn beside(&self, space: &VectorSpace) -> Result<Store, StoreError> {
        let Inner { dir, connection, passages, limits, .. } = &*self.inner;
        let (name, dims) = (space.table_name(), space.dims as usize);
        let vectors = Table::open(connection, dir, &name, rows::vector_schema(dims)).await?;
        let (dir, connection) = (dir.clone(), connection.clone());
        let passages = Table::clone(passages);
        let store = Self::of(dir, connection, dims, passages, vectors, *limits).await?;
        // A table that no note tells of could neither be rolled back nor be cleared.
        store.sync().await?;
        Ok(store)
    }

    /// Removes the tables in `dir`, of all models. For whoever may write and has closed
    /// them.
    pub fn remove(dir: &Path) -> std::io::Result<()> {
        sync::remove(dir)
    }

    /// Removes the table of one model's vectors. For a model that nothing uses and nobody
    /// prepares.
    pub fn remove_table(dir: &Path, space: &VectorSpace) -> std::io::Result<()> {
        sync::remove_table(&dir.join(space.table_name()).with_extension("lance"))
    }

    /// Removes the files beside these vectors, which take half as much room again: for
    /// vectors that no question asks any more. Upkeep makes them anew.
    pub fn remove_flat(&self) -> std::io::Result<()> {
        Kind::Vectors.remove(&self.inner.vectors.path)
    }

    /// Brings everything that was written so far onto the disk: from here on it
    /// survives a power cut. To be called before anything is told to be kept, by the
    /// task that writes.
    pub async fn sync(&self) -> Result<(), StoreError> {
        let mut versions = Versions::new();
        for table in [&self.inner.passages, &self.inner.vectors] {
            let version = table.lance.version().await.map_err(|error| table.read_failed(error))?;
            versions.insert(table.folder_name(), version);
        }
        let inner = self.inner.clone();
        blocking(move || inner.disk.sync(&versions)).await
    }

    /// Opens the tables for reading; `None` where they are not there yet. Nothing
    /// is created or changed, so this may be done beside the process that writes.
    pub async fn open_existing(
        dir: &Path,
        space: &VectorSpace,
    ) -> Result<Option<Store>, StoreError> {
        if !dir.is_dir() {
            return Ok(None);
        }
        let (dir, connection) = reach(dir).await?;
        let dims = space.dims as usize;
        let passages =
            Table::open_existing(&connection, &dir, "passages", rows::passage_schema()).await?;
        let name = space.table_name();
        let vectors =
            Table::open_existing(&connection, &dir, &name, rows::vector_schema(dims)).await?;
        let (Some(passages), Some(vectors)) = (passages, vectors) else { return Ok(None) };
        let limits = Limits::default();
        Ok(Some(Self::of(dir, connection, dims, passages, vectors, limits).await?))
    }

    async fn of(
        dir: PathBuf,
        connection: Connection,
        dims: usize,
        passages: Table,
        vectors: Table,
        limits: Limits,
    ) -> Result<Store, StoreError> {
        let (disk, snapshots) = (Disk::new(dir.clone()), Snapshots::new(limits));
        let index = Mutex::new(approximate::state(&vectors).await?);
        let (passages, vectors) = (Arc::new(passages), Arc::new(vectors));
        let inner =
            Inner { dir, connection, disk, dims, passages, vectors, snapshots, limits, index };
        Ok(Store { inner: Arc::new(inner) })
    }

    /// The tables as they are now; filters are asked of their places.
    async fn snapshot(&self, places: bool) -> Result<Arc<Snapshot>, StoreError> {
        let Inner { passages, vectors, snapshots, .. } = &*self.inner;
        match snapshots.now(passages, vectors, places).await {
            // The version went while it was read.
            Err(StoreError::Read { .. }) => snapshots.now(passages, vectors, places).await,
            snapshot => snapshot,
        }
    }

    /// What to read instead, where reading `failed`: the version may have gone before it
    /// was read, where another process tidies up.
    async fn newer(
        &self,
        failed: &Snapshot,
        error: StoreError,
    ) -> Result<Arc<Snapshot>, StoreError> {
        let StoreError::Read { .. } = error else { return Err(error) };
        let snapshot = self.snapshot(failed.places()).await?;
        if snapshot.is_same(failed) { Err(error) } else { Ok(snapshot) }
    }

    /// Reads what every question asks of the tables, so that the first need not wait
    /// for it.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        let any = Words { any: "a".to_owned(), ..Words::default() };
        self.keyword(&any, &Filter::default(), 1).await.map(drop)
    }

    /// Lets the next question find what was written.
    async fn keep_up(&self) -> Result<(), StoreError> {
        self.inner.snapshots.keep_up(&self.inner.passages, &self.inner.vectors).await
    }

    /// The folder that holds the tables.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// What the tables take on the disk, in bytes, all models' vectors included.
    pub async fn disk_bytes(&self) -> Result<u64, StoreError> {
        disk::bytes_under(self.inner.dir.clone()).await
    }
}

/// Runs what waits for the disk, or computes for long, beside the tasks that may not.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    // The task is never cancelled; it ends early only by a panic.
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// The folder's absolute path, for a relative one that begins with "db" would mean
/// the database's cloud, and a connection to it.
async fn reach(dir: &Path) -> Result<(PathBuf, Connection), StoreError> {
    let failed = |source: Source| StoreError::new(Doing::Open, dir.to_owned(), source);
    let path = std::path::absolute(dir).map_err(|error| failed(error.into()))?;
    let connection = connect(&path).await.map_err(|error| failed(error.into()))?;
    Ok((path, connection))
}

async fn connect(dir: &Path) -> lancedb::Result<Connection> {
    let registry = Arc::new(ObjectStoreRegistry::default());
    let session = Session::new(INDEX_CACHE_BYTES, METADATA_CACHE_BYTES, registry);
    lancedb::connect(&dir.to_string_lossy())
        .session(Arc::new(session))
        .read_consistency_interval(Duration::ZERO)
        .execute()
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fingerprint: &str, expected: &str) {
        let space = VectorSpace { fingerprint: fingerprint.into(), dims: 3 };
        assert_eq!(space.table_name(), expected);
    }

    #[test]
    fn any_fingerprint_makes_a_table_name() {
        check("minilm-3f", "vectors_minilm-3f");
        let hashed = format!("vectors_{}", ContentHash::of(b"../a b"));
        check("../a b", &hashed);
    }
}
