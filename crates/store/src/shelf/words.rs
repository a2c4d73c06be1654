//! Which rows of a shelf hold which words.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use lance::{Dataset, dataset::fragment::FileFragment, table::format::Fragment};

use super::{Bits, Files, Shelf, each_batch, parts};
use crate::{
    Mode, Store, StoreError,
    beside::{Fresh, Kind},
    bm25::{self, Part, Wanted},
    postings::{Builder, Postings},
    rows::TERMS,
    table::Table,
};

/// The words of a fragment's rows: in a file beside the table or, of those that were
/// written last, in memory.
#[derive(Debug)]
pub(crate) struct RowWords {
    path: PathBuf,
    /// Of the fragment, those that are gone among them.
    rows: usize,
    /// A file is opened when it is first asked.
    postings: OnceLock<Postings>,
}

impl RowWords {
    /// Of a fragment of this table. Whether there is a file is not looked at.
    pub fn of(table: &Table, fragment: &FileFragment) -> Option<Self> {
        let path = Kind::Words.path(table, fragment, TERMS)?;
        let rows = fragment.metadata().physical_rows?;
        Some(Self { path, rows, postings: OnceLock::new() })
    }

    /// The same, not opened yet.
    fn unread(&self) -> Self {
        Self { path: self.path.clone(), rows: self.rows, postings: OnceLock::new() }
    }

    /// Blocks on the disk.
    fn get(&self) -> Option<&Postings> {
        if self.postings.get().is_none() {
            let opened = Postings::open(&self.path).ok()?;
            if opened.rows() == self.rows {
                return Some(self.postings.get_or_init(|| opened));
            }
        }
        self.postings.get()
    }

    fn has_file(&self) -> bool {
        Postings::is_whole(&self.path, self.rows)
    }
}

impl Shelf {
    /// Up to `limit` living rows that match the words best, best first: addresses and
    /// scores. Blocks on the disk.
    ///
    /// # Errors
    /// The words of some rows are neither in a file nor in memory.
    pub fn best_by_words(
        &self,
        asked: &[Wanted],
        wanted: Option<&[Bits]>,
        limit: usize,
    ) -> io::Result<Vec<(u64, f32)>> {
        let part = |number: usize| {
            let block = &self.blocks[number];
            let postings = block.words.as_ref().and_then(|words| words.get());
            let postings = postings.ok_or(io::ErrorKind::NotFound)?;
            let wanted = wanted.map(|wanted| &wanted[number]);
            Ok(Part { postings, deleted: &block.deleted, wanted })
        };
        let parts = (0..self.blocks.len()).map(part).collect::<io::Result<Vec<_>>>()?;
        let hits = bm25::best(&parts, asked, limit)?.into_iter();
        let address =
            |part: usize, row| u64::from(self.blocks[part].fragment) << 32 | u64::from(row);
        Ok(hits.map(|(part, row, score)| (address(part, row), score)).collect())
    }

    /// The rows of these files, a set for each fragment. Rows that are dead may be among
    /// them.
    pub fn bits_of(&self, files: &Files) -> Vec<Bits> {
        let mut bits: Vec<_> = self.blocks.iter().map(|_| Bits::default()).collect();
        for (number, first, end) in self.runs_of(files) {
            let offsets = &self.blocks[number].rows.offsets[first..end];
            offsets.iter().for_each(|offset| bits[number].insert(*offset));
        }
        bits
    }

    /// Reads the words that no file holds, if those are of so few rows as this.
    pub(super) async fn take_words(
        &mut self,
        table: &Table,
        dataset: &Dataset,
        fresh: usize,
    ) -> Result<(), StoreError> {
        let mut missing = HashSet::new();
        let mut rows = 0;
        for block in &mut self.blocks {
            let Some(words) = &block.words else { continue };
            match words.postings.get().map(Postings::is_in_memory) {
                Some(false) => {}
                // The file may have come since.
                Some(true) if words.has_file() => block.words = Some(Arc::new(words.unread())),
                None if !words.has_file() => {
                    missing.insert(block.fragment);
                    rows += block.rows.ids.len();
                }
                Some(true) | None => {}
            }
        }
        if missing.is_empty() || rows > fresh {
            return Ok(());
        }
        let fragments = dataset.fragments().iter();
        let fragments = fragments.filter(|fragment| missing.contains(&(fragment.id as u32)));
        let mut read = read(table, dataset, fragments.cloned().collect()).await?;
        for block in &mut self.blocks {
            let Some(words) = block.words.as_ref().filter(|_| missing.contains(&block.fragment))
            else {
                continue;
            };
            let built = read.remove(&block.fragment).unwrap_or_default().finish(words.rows);
            if let Ok(built) = built {
                let postings = built.into();
                block.words = Some(Arc::new(RowWords { postings, ..words.unread() }));
            }
        }
        Ok(())
    }
}

impl Store {
    /// Makes the files of words that are missing, if that is due, and removes those that
    /// nothing needs; all of them where there are few passages.
    pub(crate) async fn keep_words(&self, rows: usize, mode: Mode) -> Result<(), StoreError> {
        let (table, fresh) = (&self.inner.passages, self.inner.limits.words_fresh);
        if rows <= fresh {
            return Kind::Words.keep_only(&table.path, &HashSet::new());
        }
        let dataset = table.dataset().await?;
        let (mut needed, mut missing, mut unread) = (HashSet::new(), Vec::new(), 0);
        for fragment in dataset.get_fragments() {
            let Some(words) = RowWords::of(table, &fragment) else { continue };
            needed.insert(words.path.clone());
            if !words.has_file() {
                unread += words.rows;
                missing.push((words, fragment));
            }
        }
        if mode == Mode::Idle || unread > fresh {
            for (words, fragment) in &missing {
                words.write(table, &dataset, fragment).await?;
            }
        }
        Kind::Words.keep_only(&table.path, &needed)
    }
}

impl RowWords {
    /// Makes the file, whole or not at all.
    async fn write(
        &self,
        table: &Table,
        dataset: &Dataset,
        fragment: &FileFragment,
    ) -> Result<(), StoreError> {
        let fragment = fragment.metadata();
        let mut read = read(table, dataset, vec![fragment.clone()]).await?;
        let builder = read.remove(&(fragment.id as u32)).unwrap_or_default();
        let (path, rows) = (self.path.clone(), self.rows);
        // Seconds of packing, beside everything else.
        let written = tokio::task::spawn_blocking(move || {
            let mut fresh = Fresh::begin(&path)?;
            fresh.write(|file| builder.write(rows, file))?;
            fresh.finish()
        });
        // The task is never cancelled; it ends early only by a panic.
        written.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }
}

/// The words of these fragments' living rows, by the fragments' numbers.
async fn read(
    table: &Table,
    dataset: &Dataset,
    fragments: Vec<Fragment>,
) -> Result<BTreeMap<u32, Builder>, StoreError> {
    let mut read: BTreeMap<u32, Builder> = BTreeMap::new();
    let mut scan = dataset.scan();
    scan.with_fragments(fragments);
    each_batch(table, &mut scan, &[TERMS], |columns| {
        let words = columns.strings(TERMS)?;
        for (address, words) in columns.addresses()?.iter().zip(words.iter()) {
            let (fragment, offset) = parts(*address);
            read.entry(fragment).or_default().add(offset, words.unwrap_or_default());
        }
        Ok(())
    })
    .await?;
    Ok(read)
}
