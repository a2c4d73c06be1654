//! How a shelf is read from a version of a table.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::ControlFlow,
    sync::Arc,
};

use arrow::array::RecordBatch;
use futures::{Stream, TryStreamExt};
use lance::{
    Dataset,
    dataset::{fragment::FileFragment, scanner::Scanner},
    table::format::Fragment,
};
use rummage_corpus::{ContentHash, PassageId};

use super::{Bits, Block, Holds, Place, RowWords, Rows, STRIDE, Shelf, first_half, parts};
use crate::{
    StoreError,
    beside::Beside,
    blocking,
    flat::Flat,
    numbers::Numbers,
    planes::Planes,
    rows::{Columns, VECTOR},
    table::Table,
    texts::Texts,
};

impl Shelf {
    /// The shelf of this version of the table, with what the one before it has of it.
    pub async fn read(
        table: &Table,
        dataset: &Arc<Dataset>,
        before: Option<&Shelf>,
        holds: Holds,
    ) -> Result<Shelf, StoreError> {
        let known: HashMap<_, _> = before
            .into_iter()
            .flat_map(|shelf| &shelf.blocks)
            .map(|block| (block.fragment, block))
            .collect();
        let mut blocks = Vec::new();
        let (mut unread, mut with_vectors, mut unplaced) = (Vec::new(), Vec::new(), Vec::new());
        for fragment in dataset.get_fragments() {
            let metadata = fragment.metadata();
            let number = metadata.id as u32;
            let files: Vec<_> = metadata.files.iter().map(|file| file.path.clone()).collect();
            let deletion = metadata.deletion_file.as_ref().map(|file| (file.id, file.read_version));
            let mut block = match known.get(&number) {
                Some(block) if block.files == files => (*block).clone(),
                _ => Block::new(table, &fragment, number, files),
            };
            if block.deletion != deletion {
                block.deletion = deletion;
                let deleted = fragment.get_deletion_vector().await;
                let deleted = deleted.map_err(|error| table.read_failed(error.into()))?;
                let mut bits = Bits::default();
                deleted.iter().flat_map(|deleted| deleted.iter()).for_each(|row| bits.insert(row));
                block.deleted = Arc::new(bits);
            }
            if !holds.vectors {
                block.planes = None;
            }
            let is_flat = || block.flat.as_ref().is_some_and(|flat| flat.has_file());
            if holds.vectors && block.planes.is_none() && !is_flat() {
                with_vectors.push(metadata.clone());
            } else if block.rows.ids.is_empty() {
                unread.push(metadata.clone());
            }
            if holds.places && block.places.is_none() {
                unplaced.push(metadata.clone());
            }
            blocks.push(block);
        }
        let mut shelf = Shelf { blocks };
        shelf.blocks.sort_unstable_by_key(|block| block.fragment);
        shelf.take_rows(table, dataset, unread, false).await?;
        if holds.vectors {
            let unreadable = shelf.take_planes().await;
            let fragments = dataset.fragments().iter();
            let again = fragments.filter(|fragment| unreadable.contains(&(fragment.id as u32)));
            with_vectors.extend(again.cloned());
        }
        shelf.take_rows(table, dataset, with_vectors, true).await?;
        if !unplaced.is_empty() {
            let mut scan = dataset.scan();
            scan.with_fragments(unplaced);
            shelf.take_places(table, scan).await?;
        }
        if let Some(limits) = holds.words {
            // They save time alone: without them the database is asked.
            let _ = shelf.take_words(table, dataset, limits).await;
        }
        Ok(shelf)
    }

    /// Reads the vectors of blocks that have none from the files beside the table. Returns
    /// the fragments of those where that failed.
    async fn take_planes(&mut self) -> Vec<u32> {
        let mut unreadable = Vec::new();
        for block in &mut self.blocks {
            let (None, Some(flat)) = (&block.planes, block.flat.clone()) else { continue };
            if block.rows.ids.is_empty() {
                continue;
            }
            let rows = block.rows.clone();
            match blocking(move || flat.planes(&rows.offsets)).await {
                Ok(planes) => block.planes = Some(Arc::new(planes)),
                Err(_) => unreadable.push(block.fragment),
            }
        }
        unreadable
    }

    async fn take_rows(
        &mut self,
        table: &Table,
        dataset: &Dataset,
        fragments: Vec<Fragment>,
        vectors: bool,
    ) -> Result<(), StoreError> {
        if fragments.is_empty() {
            return Ok(());
        }
        let mut scan = dataset.scan();
        scan.with_fragments(fragments);
        let columns = ["id", "hash", VECTOR];
        let columns = if vectors { &columns[..] } else { &columns[..2] };
        let mut read: BTreeMap<u32, (Rows, Planes)> = BTreeMap::new();
        each_batch(table, &mut scan, columns, |columns| {
            let vectors = if vectors { columns.vectors()? } else { &[] };
            let addresses = columns.addresses()?;
            let mut vectors = vectors.chunks_exact((vectors.len() / addresses.len().max(1)).max(1));
            let rows = addresses.iter().zip(columns.passage_ids()?).zip(columns.hashes()?);
            for ((address, id), hash) in rows {
                let (fragment, offset) = parts(*address);
                let (rows, planes) = read.entry(fragment).or_default();
                rows.push(offset, id, hash);
                vectors.next().into_iter().for_each(|vector| planes.push(&Numbers::of(vector)));
            }
            Ok(ControlFlow::Continue(()))
        })
        .await?;
        for block in &mut self.blocks {
            if let Some((mut rows, planes)) = read.remove(&block.fragment) {
                rows.finish();
                block.rows = Arc::new(rows);
                block.planes = vectors.then(|| Arc::new(planes));
            }
        }
        Ok(())
    }

    async fn take_places(&mut self, table: &Table, mut scan: Scanner) -> Result<(), StoreError> {
        let mut read: BTreeMap<u32, Vec<Place>> = BTreeMap::new();
        let mut exts: HashSet<Arc<str>> = HashSet::new();
        each_batch(table, &mut scan, &["file", "path", "ext", "modified"], |columns| {
            let (paths, modified) = (columns.strings("path")?, columns.integers("modified")?);
            let kinds = columns.strings("ext")?;
            let rows = columns.addresses()?.iter().zip(columns.files()?).enumerate();
            for (row, (address, file)) in rows {
                let (fragment, offset) = parts(*address);
                let places = read.entry(fragment).or_default();
                if places.last().is_some_and(|place| place.file == file) {
                    continue;
                }
                let ext = exts.get(kinds.value(row)).cloned().unwrap_or_else(|| {
                    let ext: Arc<str> = kinds.value(row).into();
                    exts.insert(ext.clone());
                    ext
                });
                let (path, modified) = (paths.value(row).into(), modified[row]);
                places.push(Place { offset, file, path, ext, modified });
            }
            Ok(ControlFlow::Continue(()))
        })
        .await?;
        for block in &mut self.blocks {
            if let Some(places) = read.remove(&block.fragment) {
                block.places = Some(Arc::new(places));
            }
        }
        Ok(())
    }
}

impl Block {
    fn new(table: &Table, of: &FileFragment, number: u32, files: Vec<String>) -> Self {
        Self {
            fragment: number,
            files,
            deletion: None,
            deleted: Arc::default(),
            rows: Arc::default(),
            places: None,
            planes: None,
            flat: Flat::of(table, of).map(Arc::new),
            words: RowWords::of(table, of).map(Arc::new),
            texts: Texts::of(table, of).map(Arc::new),
        }
    }
}

impl Rows {
    fn push(&mut self, offset: u32, id: PassageId, hash: ContentHash) {
        let last = self.ids.last().map(|id| PassageId::from_i64(*id).file());
        if last != Some(id.file()) {
            self.runs.push(self.ids.len() as u32);
        }
        self.offsets.push(offset);
        self.ids.push(id.to_i64());
        self.hashes.push(first_half(hash));
    }

    fn finish(&mut self) {
        if !self.ids.is_sorted() {
            let mut by_id: Vec<_> = (0..self.ids.len() as u32).collect();
            by_id.sort_unstable_by_key(|row| self.ids[*row as usize]);
            self.by_id = Some(by_id);
        }
        let id_at = |place: usize| match &self.by_id {
            None => self.ids[place],
            Some(by_id) => self.ids[by_id[place] as usize],
        };
        self.some_ids = (0..self.ids.len()).step_by(STRIDE).map(id_at).collect();
        self.last_id = self.ids.len().checked_sub(1).map(id_at);
        self.offsets.shrink_to_fit();
        self.ids.shrink_to_fit();
        self.hashes.shrink_to_fit();
        self.runs.shrink_to_fit();
    }
}

/// Rows fetched at a time, and so many bytes ahead: a million vectors pass through here.
const BATCH_ROWS: usize = 4096;
const READ_AHEAD: usize = 4;

/// These columns of all rows of a scan, with their addresses.
async fn batches(
    table: &Table,
    scan: &mut Scanner,
    columns: &[&str],
) -> Result<impl Stream<Item = Result<RecordBatch, StoreError>> + Send + Unpin, StoreError> {
    let failed = |error: lance::Error| table.read_failed(error.into());
    scan.project(columns).map_err(failed)?;
    scan.with_row_address().batch_size(BATCH_ROWS).batch_readahead(READ_AHEAD);
    let batches = scan.try_into_stream().await.map_err(failed)?;
    Ok(batches.map_err(move |error| table.read_failed(error.into())))
}

/// The same, until `take` breaks off.
pub(crate) async fn each_batch(
    table: &Table,
    scan: &mut Scanner,
    columns: &[&str],
    mut take: impl FnMut(Columns<'_>) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let mut batches = batches(table, scan, columns).await?;
    while let Some(batch) = batches.try_next().await? {
        if take(table.columns(&batch))?.is_break() {
            break;
        }
    }
    Ok(())
}

/// The same on threads that may wait for the disk: what `take` makes of a batch is handed on
/// to the next.
pub(crate) async fn fold_batches<S: Send + 'static>(
    table: &Table,
    scan: &mut Scanner,
    columns: &[&str],
    mut state: S,
    take: impl Fn(&mut S, Columns<'_>) -> Result<(), StoreError> + Clone + Send + 'static,
) -> Result<S, StoreError> {
    let mut batches = batches(table, scan, columns).await?;
    while let Some(batch) = batches.try_next().await? {
        let (table, take) = (table.clone(), take.clone());
        let taken = blocking(move || {
            take(&mut state, table.columns(&batch))?;
            Ok::<_, StoreError>(state)
        });
        state = taken.await?;
    }
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_ids_however_many_and_in_whatever_order() {
        for count in [0, 1, 2, 63, 64, 65, 128, 129, 300] {
            // Every third id is there.
            let ids: Vec<_> = (0..count).map(|row| 3 * row + 1).collect();
            let turned = ids.iter().rev().copied().collect();
            let half = ids.len() / 2;
            let in_two = [&ids[half..], &ids[..half]].concat();
            for ids in [ids, turned, in_two] {
                let mut rows = Rows::default();
                for (row, id) in (0..).zip(&ids) {
                    rows.push(row, PassageId::from_i64(*id), ContentHash::of(b""));
                }
                rows.finish();
                for id in -1..3 * count + 3 {
                    let expected = ids.iter().position(|other| *other == id);
                    assert_eq!(rows.find(id), expected, "{id} of {count}");
                }
            }
        }
    }
}
