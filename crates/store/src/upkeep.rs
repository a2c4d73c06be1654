//! Indexes and compaction: nothing here changes an answer, only its cost.

use std::{collections::HashMap, ops::RangeInclusive, path::PathBuf, sync::Arc};

use lance::dataset::{cleanup::CleanupPolicyBuilder, fragment::FileFragment};
use lancedb::{
    index::{
        Index, IndexConfig,
        scalar::{BTreeIndexBuilder, FtsIndexBuilder},
    },
    table::{CompactionOptions, Duration, OptimizeAction, OptimizeOptions},
};

use crate::{
    Store, StoreError,
    beside::{Beside, Kind},
    flat::Flat,
    rows::TERMS,
    shelf::{RowWords, Shelf},
    table::Table,
    texts::Texts,
};

/// How much upkeep may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Indexing goes on, people may be searching: only what keeps queries quick.
    Busy,
    /// Busy, and no more words come for now, while vectors do: all words are indexed.
    Lull,
    /// Nothing else writes and nobody waits: everything, however long it takes.
    Idle,
}

/// What [`Store::upkeep`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    pub indexes_created: usize,
    pub tables_indexed: usize,
    pub tables_compacted: usize,
}

/// A table with fewer rows is scanned as fast as an ordered index is read.
const ORDERED_INDEX_ROWS: usize = 10_000;

/// Passages that no index knows cost a query that the index answers (phrases, exclusions)
/// 15 to 100 µs each, by their length; adding them costs 0.1 s a thousand, however few come
/// at a time. As a share of the table, so that the work a row causes stays the same while
/// it grows.
const FRESH_PASSAGES: RangeInclusive<usize> = 250..=10_000;
/// Vectors are looked up by numbers, which are compared quickly.
const FRESH_VECTORS: RangeInclusive<usize> = 2_000..=10_000;
const FRESH_SHARE: usize = 100;

/// Each addition makes an index segment; 40 of them slow a keyword query sevenfold.
const SEGMENTS: u32 = 5;

/// Fragments (files of rows) that a table may hold before they are joined. Each
/// commit makes one, and writes a list of all.
const BUSY_FRAGMENTS: usize = 256;
const IDLE_FRAGMENTS: usize = 8;

/// A fragment of this many rows is left alone by later compactions, so that a
/// growing table is not rewritten again and again.
const FRAGMENT_ROWS: usize = 100_000;

/// Deleted rows stay on the disk until so many of a hundred are dead.
const DEAD_PERCENT: usize = 20;

/// Old versions are kept this long for queries of other processes that still read them,
/// while commits come quickly; a query that finds its version gone reads the next.
const VERSION_MINUTES: i64 = 1;

/// So many old ones may wait until there is nothing to write, and then all of them go.
const IDLE_VERSIONS: usize = 16;

/// Builds the keyword index over a new table, so that its first rows are already
/// read the way the index reads them.
pub(crate) async fn prepare(passages: &Table) -> Result<(), StoreError> {
    let indexes = indexes(passages).await?;
    if !has_index(&indexes, TERMS) {
        create(passages, TERMS, Index::FTS(keyword_index())).await?;
    }
    Ok(())
}

/// The column holds words as `corpus::words` makes them, and spaces between: nothing
/// is left to do. Stop words stay, or "The Who" would be an empty query. Positions
/// are kept, since quoted phrases need them.
fn keyword_index() -> FtsIndexBuilder {
    FtsIndexBuilder::default()
        .base_tokenizer("whitespace".to_owned())
        .max_token_length(None)
        .lower_case(false)
        .stem(false)
        .remove_stop_words(false)
        .ascii_folding(false)
        .with_position(true)
}

impl Store {
    /// Brings the indexes up to date and, now and then, the files in order. Returns
    /// at once when nothing is due; call it after every few commits.
    ///
    /// This is writing: only the task that adds and removes rows may call it.
    pub async fn upkeep(&self, mode: Mode) -> Result<Work, StoreError> {
        let mut work = Work::default();
        let (passages, vectors) = (&self.inner.passages, &self.inner.vectors);
        // In a lull vectors go on coming.
        let of_vectors = if mode == Mode::Lull { Mode::Busy } else { mode };
        for (table, ordered, fresh, mode, is_of_vectors) in [
            (passages, ["id", "file"].as_slice(), FRESH_PASSAGES, mode, false),
            (vectors, ["id", "file", "hash"].as_slice(), FRESH_VECTORS, of_vectors, true),
        ] {
            let rows = table.count().await?;
            work.indexes_created += create_missing(table, ordered, rows).await?;
            let indexed = index_fresh_rows(table, rows, &fresh, mode).await?;
            let compacted = compact(table, mode).await?;
            if is_of_vectors {
                self.keep_vectors(rows).await?;
            } else {
                self.keep_words(mode).await?;
                self.keep_texts(rows, mode).await?;
            }
            let approximated = is_of_vectors && self.approximate(rows).await?;
            let idle = mode == Mode::Idle;
            if compacted || (idle && (indexed || versions(table)? > IDLE_VERSIONS)) {
                // What opening would go back to must not be among what goes.
                self.sync().await?;
                if idle { prune_all(table).await? } else { prune_old(table).await? }
            }
            work.indexes_created += usize::from(approximated);
            work.tables_indexed += usize::from(indexed);
            work.tables_compacted += usize::from(compacted);
        }
        if work != Work::default() {
            self.sync().await?;
            self.keep_up().await?;
        }
        self.look_at_vector_index().await?;
        Ok(work)
    }
}

/// The files beside the tables.
impl Store {
    /// Of so many living rows, as below.
    async fn keep_vectors(&self, rows: usize) -> Result<(), StoreError> {
        let (table, limits) = (&self.inner.vectors, self.inner.limits);
        let of = |fragment: &FileFragment| Flat::of(table, fragment).map(Arc::new);
        self.keep_beside(Kind::Vectors, table, |_| rows >= limits.flat, |_| true, of).await
    }

    async fn keep_words(&self, mode: Mode) -> Result<(), StoreError> {
        let (table, limits) = (&self.inner.passages, self.inner.limits);
        let mut open = by_path(self.inner.snapshots.of_passages(Shelf::words));
        let of = |fragment: &FileFragment| {
            let words = RowWords::of(table, fragment)?;
            Some(open.remove(&words.beside().path).unwrap_or_else(|| Arc::new(words)))
        };
        let due = |rows| rows > limits.words_fresh || mode == Mode::Idle;
        self.keep_beside(Kind::Words, table, |rows| rows > limits.words_fresh, due, of).await
    }

    async fn keep_texts(&self, rows: usize, mode: Mode) -> Result<(), StoreError> {
        let (table, limits) = (&self.inner.passages, self.inner.limits);
        let mut open = by_path(self.inner.snapshots.of_passages(Shelf::texts));
        let of = |fragment: &FileFragment| {
            let texts = Texts::of(table, fragment)?;
            Some(open.remove(&texts.beside().path).unwrap_or_else(|| Arc::new(texts)))
        };
        let due = |rows| rows >= limits.flat || mode == Mode::Idle;
        self.keep_beside(Kind::Texts, table, |_| rows >= limits.flat, due, of).await
    }
}

/// Those that questions ask are open, and tell whether they are damaged.
fn by_path<B: Beside>(open: Vec<Arc<B>>) -> HashMap<PathBuf, Arc<B>> {
    open.into_iter().map(|of| (of.beside().path.clone(), of)).collect()
}

async fn create_missing(table: &Table, ordered: &[&str], rows: usize) -> Result<usize, StoreError> {
    if rows < ORDERED_INDEX_ROWS {
        return Ok(0);
    }
    let indexes = indexes(table).await?;
    let mut created = 0;
    for column in ordered.iter().filter(|column| !has_index(&indexes, column)) {
        create(table, column, Index::BTree(BTreeIndexBuilder::default())).await?;
        created += 1;
    }
    Ok(created)
}

async fn index_fresh_rows(
    table: &Table,
    rows: usize,
    bounds: &RangeInclusive<usize>,
    mode: Mode,
) -> Result<bool, StoreError> {
    let indexes = indexes(table).await?;
    let fresh = indexes.iter().filter_map(|index| index.num_unindexed_rows).max().unwrap_or(0);
    let segments = indexes.iter().filter_map(|index| index.num_segments).max().unwrap_or(0);
    let (fresh_due, segments_due) = match mode {
        Mode::Busy => ((rows / FRESH_SHARE).clamp(*bounds.start(), *bounds.end()), SEGMENTS),
        Mode::Lull => (1, SEGMENTS),
        Mode::Idle => (1, 1),
    };
    let options = if segments > segments_due {
        OptimizeOptions::merge(segments as usize)
    } else if fresh >= fresh_due as u64 {
        OptimizeOptions::append()
    } else {
        return Ok(false);
    };
    optimize(table, OptimizeAction::Index(options)).await?;
    Ok(true)
}

async fn compact(table: &Table, mode: Mode) -> Result<bool, StoreError> {
    let stats = table.lance.stats().await.map_err(|error| table.read_failed(error))?;
    let dead = stats.num_deleted_rows.unwrap_or(0);
    let many_dead = dead * 100 > (dead + stats.num_rows) * DEAD_PERCENT;
    let fragments = stats.fragment_stats.num_small_fragments;
    let due = match mode {
        Mode::Busy | Mode::Lull => fragments > BUSY_FRAGMENTS,
        Mode::Idle => fragments > IDLE_FRAGMENTS || many_dead,
    };
    if !due {
        return Ok(false);
    }
    let options =
        CompactionOptions { target_rows_per_fragment: FRAGMENT_ROWS, ..Default::default() };
    optimize(table, OptimizeAction::Compact { options, remap_options: None }).await?;
    Ok(true)
}

fn versions(table: &Table) -> Result<usize, StoreError> {
    let folder = table.path.join("_versions");
    let entries = std::fs::read_dir(&folder);
    let entries = entries.map_err(|source| StoreError::Size { path: folder, source })?;
    Ok(entries.count())
}

/// Drops old versions with the files that only they need.
async fn prune_old(table: &Table) -> Result<(), StoreError> {
    let prune = OptimizeAction::Prune {
        older_than: Some(Duration::minutes(VERSION_MINUTES)),
        delete_unverified: Some(false),
        error_if_tagged_old_versions: None,
    };
    optimize(table, prune).await
}

/// Drops all old versions, which still need the files that were just joined, and files of
/// no version at all: whoever wrote those was killed, since the one who may write is
/// here and writes nothing.
async fn prune_all(table: &Table) -> Result<(), StoreError> {
    let dataset = table.dataset().await?;
    let pruned = async {
        let policy = CleanupPolicyBuilder::default().delete_unverified(true);
        let policy = policy.retain_n_versions(&dataset, 1).await?;
        dataset.cleanup_with_policy(policy.build()).await
    };
    pruned.await.map(drop).map_err(|error| table.write_failed(error.into()))
}

async fn optimize(table: &Table, action: OptimizeAction) -> Result<(), StoreError> {
    let done = table.lance.optimize(action).await;
    done.map(drop).map_err(|error| table.write_failed(error))
}

async fn create(table: &Table, column: &str, index: Index) -> Result<(), StoreError> {
    let created = table.lance.create_index(&[column], index).execute().await;
    created.map_err(|error| table.write_failed(error))
}

async fn indexes(table: &Table) -> Result<Vec<IndexConfig>, StoreError> {
    table.lance.list_indices().await.map_err(|error| table.read_failed(error))
}

fn has_index(indexes: &[IndexConfig], column: &str) -> bool {
    indexes.iter().any(|index| index.columns == [column])
}
