//! What questions ask of every row of a table, kept in memory: which passage it is,
//! what it holds, where its file is and, while there are few, its vector.
//!
//! A shelf is that of one version of a table and never changes. It is made of blocks,
//! one for each of the table's fragments; the next version's shelf takes over the
//! blocks of those that did not change, so a commit costs what it wrote. What is too much
//! for memory, words, texts and the vectors of many rows, it reads from files of our own
//! ([`crate::beside`]).

mod read;
mod words;

pub(crate) use read::{each_batch, fold_batches};
pub(crate) use words::RowWords;

use std::{
    collections::HashSet,
    ops::Range,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use lance::dataset::scanner::{RowAddrMask, RowAddrTreeMap};
use rummage_corpus::{ContentHash, FileId, Passage, PassageId};

use crate::{
    Filter, Limits,
    flat::Flat,
    planes::{Asked, Planes},
    texts::Texts,
};

/// Files by their numbers, of which a filter may let half a million through.
pub(crate) type Files = HashSet<FileId, foldhash::fast::RandomState>;

/// What a shelf holds besides the passages' ids and hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Holds {
    pub places: bool,
    pub vectors: bool,
    /// Words, those that no file has yet within these limits.
    pub words: Option<Limits>,
}

#[derive(Default)]
pub(crate) struct Shelf {
    /// In the order of the fragments' numbers.
    blocks: Vec<Block>,
}

/// So many rows are compared in full sooner than all are compared roughly.
const FEW: usize = 4096;

/// Rows that one thread compares at a time.
const PIECE: usize = 4_096;

/// What comparing takes is the memory's time: more threads than this gain nothing.
const MOST_THREADS: usize = 4;

/// A row of a shelf, in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    block: usize,
    row: usize,
}

#[derive(Clone)]
struct Block {
    fragment: u32,
    /// What the rows were read from; a fragment's columns may be written anew.
    files: Vec<String>,
    /// Which of the fragment's lists of deleted rows this is.
    deletion: Option<(u64, u64)>,
    deleted: Arc<Bits>,
    rows: Arc<Rows>,
    places: Option<Arc<Vec<Place>>>,
    planes: Option<Arc<Planes>>,
    /// Where the vectors are on the disk, of a table that has any.
    flat: Option<Arc<Flat>>,
    /// Where the words are, of a table that has any.
    words: Option<Arc<RowWords>>,
    /// Where the texts are, of a table that has any.
    texts: Option<Arc<Texts>>,
}

/// The rows that were there when the fragment was first read.
#[derive(Default)]
struct Rows {
    /// Where each lies in the fragment, in order.
    offsets: Vec<u32>,
    ids: Vec<i64>,
    /// Of each hash the [`first_half`].
    hashes: Vec<u64>,
    /// At which row another file's passages begin.
    runs: Vec<u32>,
    /// The rows in the order of their ids, where that is another one.
    by_id: Option<Vec<u32>>,
    /// Every [`STRIDE`]th id, in order: few enough to stay in the processor's caches.
    some_ids: Vec<i64>,
    last_id: Option<i64>,
}

const STRIDE: usize = 64;

/// What filters ask about a file.
struct Place {
    /// The first row that says so; it goes when the file's rows go.
    offset: u32,
    file: FileId,
    path: Box<str>,
    ext: Arc<str>,
    modified: i64,
}

/// A set of rows.
#[derive(Debug, Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub fn insert(&mut self, bit: u32) {
        let word = bit as usize / 64;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (bit % 64);
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, bit: u32) -> bool {
        self.word(bit as usize / 64) >> (bit % 64) & 1 == 1
    }

    /// 64 of them.
    pub fn word(&self, word: usize) -> u64 {
        self.0.get(word).copied().unwrap_or(0)
    }
}

impl Shelf {
    /// Rows, the dead ones too.
    pub fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.rows.ids.len()).sum()
    }

    /// The rows of these passages, those that there are.
    pub fn find(&self, id: PassageId) -> Option<Row> {
        self.blocks.iter().enumerate().find_map(|(block, of)| {
            let row = of.rows.find(id.to_i64())?;
            of.is_alive(row).then_some(Row { block, row })
        })
    }

    /// All living rows.
    pub fn alive(&self) -> impl Iterator<Item = Row> + '_ {
        self.blocks.iter().enumerate().flat_map(|(block, of)| {
            let rows = (0..of.rows.ids.len()).filter(|row| of.is_alive(*row));
            rows.map(move |row| Row { block, row })
        })
    }

    /// The row at an address of this version of the table.
    pub fn at(&self, address: u64) -> Option<Row> {
        let (fragment, offset) = parts(address);
        let block = self.blocks.binary_search_by_key(&fragment, |block| block.fragment).ok()?;
        let row = self.blocks[block].rows.offsets.binary_search(&offset).ok()?;
        Some(Row { block, row })
    }

    pub fn address(&self, row: Row) -> u64 {
        let block = &self.blocks[row.block];
        u64::from(block.fragment) << 32 | u64::from(block.rows.offsets[row.row])
    }

    pub fn id(&self, row: Row) -> PassageId {
        PassageId::from_i64(self.blocks[row.block].rows.ids[row.row])
    }

    /// Whether two shelves' rows were made from one content.
    pub fn same_content(&self, row: Row, other: &Shelf, of_other: Row) -> bool {
        let hash = |shelf: &Shelf, row: Row| shelf.blocks[row.block].rows.hashes[row.row];
        hash(self, row) == hash(other, of_other)
    }

    /// The files that the filter lets through. The shelf must hold places.
    pub fn files(&self, filter: &Filter) -> Files {
        let asked = filter.asked();
        let alive = |block: &Block, place: &Place| !block.deleted.contains(place.offset);
        let mut files = Files::default();
        for block in &self.blocks {
            let places = block.places.iter().flat_map(|places| places.iter());
            let wanted = places.filter(|place| {
                asked.lets_through(&place.path, &place.ext, place.modified) && alive(block, place)
            });
            files.extend(wanted.map(|place| place.file));
        }
        files
    }

    /// The rows of these files, in runs: block, first row, row after the last.
    fn runs_of<'a>(&'a self, files: &'a Files) -> impl Iterator<Item = (usize, usize, usize)> + 'a {
        self.blocks.iter().enumerate().flat_map(move |(number, block)| {
            let rows = &block.rows;
            let ends = rows.runs.iter().skip(1).map(|end| *end as usize).chain([rows.ids.len()]);
            let runs = rows.runs.iter().map(|start| *start as usize).zip(ends);
            let is_wanted =
                |first: usize| files.contains(&PassageId::from_i64(rows.ids[first]).file());
            runs.filter(move |(first, _)| is_wanted(*first))
                .map(move |(first, end)| (number, first, end))
        })
    }

    /// The living rows of these files.
    pub fn rows_of(&self, files: &Files) -> Vec<Row> {
        self.runs_of(files)
            .flat_map(|(block, first, end)| (first..end).map(move |row| Row { block, row }))
            .filter(|row| self.blocks[row.block].is_alive(row.row))
            .collect()
    }

    /// The living rows of these fragments, where `files` are given only of those files.
    pub fn rows_in(&self, fragments: &[u32], files: Option<&Files>) -> Vec<Row> {
        let blocks = self.blocks.iter().enumerate();
        let blocks = blocks.filter(|(_, block)| fragments.contains(&block.fragment));
        let rows = blocks.flat_map(|(number, block)| {
            let rows = (0..block.rows.ids.len()).filter(|row| block.is_alive(*row));
            rows.map(move |row| Row { block: number, row })
        });
        let is_wanted = |row: &Row| files.is_none_or(|files| files.contains(&self.id(*row).file()));
        rows.filter(is_wanted).collect()
    }

    /// The rows of these files as the database takes them, with their number. Rows that
    /// are dead may be among them.
    pub fn mask_of(&self, files: &Files) -> (RowAddrMask, usize) {
        let mut addresses = Vec::new();
        for (block, first, end) in self.runs_of(files) {
            addresses.extend((first..end).map(|row| self.address(Row { block, row })));
        }
        let allowed = RowAddrTreeMap::from_sorted_runs([addresses.as_slice()]);
        (RowAddrMask::from_allowed(allowed), addresses.len())
    }

    /// The similarity of a row; the shelf must hold vectors.
    pub fn similarity(&self, asked: &Asked<'_>, row: Row) -> Option<f32> {
        let planes = self.blocks[row.block].planes.as_ref()?;
        Some(planes.similarity(asked, row.row))
    }

    /// The similarities of rows by the files beside the table. Those that no file holds
    /// come back as the second part. Blocks on the disk.
    pub fn flat_similarities(
        &self,
        vector: &[f32],
        mut rows: Vec<Row>,
    ) -> (Vec<(Row, f32)>, Vec<Row>) {
        rows.sort_unstable_by_key(|row| (row.block, row.row));
        let (mut similar, mut missing) = (Vec::with_capacity(rows.len()), Vec::new());
        for rows in rows.chunk_by(|a, b| a.block == b.block) {
            let block = &self.blocks[rows[0].block];
            let offsets: Vec<_> = rows.iter().map(|row| block.rows.offsets[row.row]).collect();
            let read = block.flat.as_ref().map(|flat| flat.similarities(vector, &offsets));
            match read {
                Some(Ok(similarities)) => similar.extend(rows.iter().copied().zip(similarities)),
                Some(Err(_)) | None => missing.extend_from_slice(rows),
            }
        }
        (similar, missing)
    }

    /// The passages of rows, each once and in order, by the files beside the table. Rows of
    /// which no file tells come back as the second part. Blocks on the disk.
    pub fn passages(&self, rows: &[Row]) -> (Vec<(PassageId, Passage)>, Vec<Row>) {
        let (mut passages, mut missing) = (Vec::with_capacity(rows.len()), Vec::new());
        for rows in rows.chunk_by(|a, b| a.block == b.block) {
            let block = &self.blocks[rows[0].block];
            let wanted = rows.iter().map(|row| (block.rows.offsets[row.row], self.id(*row)));
            let wanted: Vec<_> = wanted.collect();
            match block.texts.as_ref().map(|texts| texts.passages(&wanted)) {
                Some(Ok(read)) => {
                    for (row, passage) in rows.iter().zip(read) {
                        // A row may be gone from the file and not from an older shelf.
                        let is_it = |passage: &Passage| {
                            block.rows.hashes[row.row] == first_half(passage.hash)
                        };
                        match passage.filter(is_it) {
                            Some(passage) => passages.push((self.id(*row), passage)),
                            None => missing.push(*row),
                        }
                    }
                }
                Some(Err(_)) | None => missing.extend_from_slice(rows),
            }
        }
        (passages, missing)
    }

    /// Where the texts of its fragments are.
    pub fn texts(&self) -> Vec<Arc<Texts>> {
        self.blocks.iter().filter_map(|block| block.texts.clone()).collect()
    }

    /// At least the `limit` living rows nearest in meaning, in no order, with some that
    /// are nearly as near. The shelf must hold vectors.
    pub fn nearest(&self, asked: &Asked<'_>, limit: usize, files: Option<&Files>) -> Vec<Row> {
        let wanted = files.map(|files| self.rows_of(files));
        if let Some(rows) = wanted.as_ref().filter(|rows| rows.len() <= limit.max(FEW)) {
            return rows.clone();
        }
        let planes = self.blocks.iter().filter_map(|block| block.planes.as_ref());
        let roughness = planes.map(|planes| planes.roughness(asked)).fold(0.0, f32::max);
        // The best of all are among the best of each piece, and not below what another
        // piece's best leave.
        let bar = Mutex::new(f32::MIN);
        let raised = |least: f32| {
            let mut bar = bar.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            *bar = bar.max(least);
            *bar
        };
        let near = side_by_side(&self.pieces(), |(block, rows)| {
            let least = raised(f32::MIN);
            let similarities = self.roughly(asked, *block, rows, wanted.as_deref());
            let near = rows.clone().zip(similarities).filter(|(_, near)| *near >= least);
            let mut near: Vec<_> =
                near.map(|(row, near)| (near, Row { block: *block, row })).collect();
            let least = raised(least_of(&near, limit, roughness));
            near.retain(|(near, _)| *near >= least);
            near
        });
        let near = near.concat();
        let least = least_of(&near, limit, roughness);
        near.into_iter().filter(|(near, _)| *near >= least).map(|(_, row)| row).collect()
    }

    /// All rows, in runs of one block: block and rows.
    fn pieces(&self) -> Vec<(usize, Range<usize>)> {
        let blocks = self.blocks.iter().enumerate().flat_map(|(number, block)| {
            let rows = block.rows.ids.len();
            let starts = (0..rows).step_by(PIECE);
            starts.map(move |start| (number, start..rows.min(start + PIECE)))
        });
        blocks.collect()
    }

    /// The rough similarities of rows of one block; the least there is for those that are
    /// dead or, where some are `wanted`, are none of those. These are in order.
    fn roughly(
        &self,
        asked: &Asked<'_>,
        number: usize,
        rows: &Range<usize>,
        wanted: Option<&[Row]>,
    ) -> Vec<f32> {
        let block = &self.blocks[number];
        let nothing = || vec![f32::NEG_INFINITY; rows.len()];
        let Some(planes) = &block.planes else { return nothing() };
        let Some(wanted) = wanted else {
            let mut similarities = planes.rough_similarities(asked, rows.clone());
            if !block.deleted.is_empty() {
                let dead = rows.clone().filter(|row| !block.is_alive(*row));
                dead.for_each(|row| similarities[row - rows.start] = f32::NEG_INFINITY);
            }
            return similarities;
        };
        let place = |row: usize| wanted.partition_point(|w| (w.block, w.row) < (number, row));
        let wanted = &wanted[place(rows.start)..place(rows.end)];
        let mut similarities = nothing();
        if !wanted.is_empty() {
            let all = planes.rough_similarities(asked, rows.clone());
            let places = wanted.iter().map(|row| row.row - rows.start);
            places.for_each(|place| similarities[place] = all[place]);
        }
        similarities
    }
}

/// How near what may be among the `limit` best is at least, for all that is known.
fn least_of(near: &[(f32, Row)], limit: usize, roughness: f32) -> f32 {
    if near.len() <= limit || limit == 0 {
        return f32::MIN;
    }
    let mut similarities: Vec<_> = near.iter().map(|(near, _)| *near).collect();
    let (_, last, _) = similarities.select_nth_unstable_by(limit - 1, |a, b| b.total_cmp(a));
    (*last - 2.0 * roughness).max(f32::MIN)
}

/// What `work` makes of each, in no order. A person waits: all processors take part.
pub(crate) fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    let processors =
        *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    let threads = processors.min(MOST_THREADS).min(items.len());
    let next = AtomicUsize::new(0);
    let take_part = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        numbers.map_while(|number| items.get(number)).map(&work).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take_part)).collect();
        let mut done = take_part();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    })
}

impl Block {
    fn is_alive(&self, row: usize) -> bool {
        !self.deleted.contains(self.rows.offsets[row])
    }
}

impl Rows {
    fn find(&self, id: i64) -> Option<usize> {
        // Most blocks hold others' passages.
        if self.last_id.is_none_or(|last| id > last) {
            return None;
        }
        let stride = self.some_ids.partition_point(|some| *some <= id).checked_sub(1)?;
        let first = stride * STRIDE;
        let places = first..(first + STRIDE).min(self.ids.len());
        match &self.by_id {
            None => Some(first + self.ids[places].binary_search(&id).ok()?),
            Some(by_id) => {
                let rows = &by_id[places];
                let found = rows.binary_search_by_key(&id, |row| self.ids[*row as usize]).ok()?;
                Some(rows[found] as usize)
            }
        }
    }
}

/// Of a hash: to tell whether a passage is still the same, that is enough.
fn first_half(hash: ContentHash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// A row's fragment, and where it lies in it.
pub(crate) fn parts(address: u64) -> (u32, u32) {
    ((address >> 32) as u32, address as u32)
}
