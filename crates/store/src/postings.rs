//! The words of one fragment's passages: for each word, which rows hold it, and how often.
//! In a file of our own ([`crate::beside`]) or, of the few passages that were written last,
//! in memory. [`crate::bm25`] asks them.
//!
//! ```text
//! groups      up to GROUP words, in the order of their keys: their lists, see `List`, then
//!             an entry for each: key (8 bytes), rows (4), bytes of its list (4), a sum over
//!             that (4)
//! directory   a group: its first key (8), where its entries begin (8), a sum over them (4)
//! lengths     a row of the fragment: its words (2)
//! tail        words of all passages (8), rows, passages, words of the groups (4 each), a
//!             sum over all from the directory on (4), FORM (8)
//! ```

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Write},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use bitpacking::{BitPacker, BitPacker4x};
use xxhash_rust::xxh3::xxh3_64;

use crate::beside::{Bytes, broken, push_short, read_at};

/// Last in each file, so that another form of them is not taken for this one.
const FORM: &[u8; 8] = b"words__2";
const NUMBERS: usize = 8 + 3 * 4;
const TAIL: usize = NUMBERS + 4 + FORM.len();
const ENTRY: usize = 8 + 3 * 4;

/// Words that are read at once.
const GROUP: usize = 128;

/// What the directory says of a group.
const GROUP_ENTRY: usize = 8 + 8 + 4;

/// Rows that are packed together.
pub(crate) const BLOCK: usize = BitPacker4x::BLOCK_LEN;
/// What stands ahead of them.
const HEAD: usize = 4 + 4 + 1 + 1;

/// What BM25 makes of a word that a passage holds `count` times, between 0 and 1. The
/// passage has `length` words, the average one `average`.
#[inline(always)]
pub(crate) fn saturation(count: u32, length: u16, average: f32) -> f32 {
    const K1: f32 = 1.2;
    const B: f32 = 0.75;
    let count = count as f32;
    count / (count + K1 * (1.0 - B + B * f32::from(length) / average))
}

/// What stands for a word in the files. Of a million different ones, two are the same
/// once in thirty million times.
pub(crate) fn key(word: &str) -> u64 {
    xxh3_64(word.as_bytes())
}

/// The words of a fragment. Cheap to hold: two bytes a passage.
#[derive(Debug)]
pub(crate) struct Postings {
    source: Source,
    /// Passages that were there when this was made, and their words.
    pub passages: u32,
    pub words: u64,
    lengths: Vec<u16>,
    groups: Vec<Group>,
    /// Words of all groups.
    keys: usize,
    damaged: AtomicBool,
}

#[derive(Debug)]
enum Source {
    Disk(File),
    Memory(Vec<u8>),
}

/// Words whose entries are read at once.
#[derive(Debug, Clone, Copy)]
struct Group {
    first: u64,
    /// Where their entries begin: right behind their lists.
    entries: u64,
    sum: u32,
}

/// A word that is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// Rows that hold it, the ones that are gone among them.
    pub rows: u32,
    /// Where its list begins, its bytes and the sum over them.
    at: u64,
    bytes: u32,
    sum: u32,
}

impl Postings {
    /// Blocks on the disk.
    ///
    /// # Errors
    /// There is no such file, or it is not whole.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Self::of(Source::Disk(file), bytes)
    }

    fn of(source: Source, bytes: u64) -> io::Result<Self> {
        let tail_at = bytes.checked_sub(TAIL as u64).ok_or_else(broken)?;
        let tail = source.read(tail_at, TAIL)?;
        let mut tail = Bytes(&tail);
        let (words, rows, passages) = (tail.long()?, tail.number()?, tail.number()?);
        let (keys, sum) = (tail.number()? as usize, tail.number()?);
        if tail.0 != FORM {
            return Err(broken());
        }
        let directory = GROUP_ENTRY * keys.div_ceil(GROUP);
        let small = directory as u64 + 2 * u64::from(rows);
        let directory_at = tail_at.checked_sub(small).ok_or_else(broken)?;
        let small = source.read(directory_at, small as usize + NUMBERS)?;
        if xxh3_64(&small) as u32 != sum {
            return Err(broken());
        }
        let (directory, lengths) = small[..small.len() - NUMBERS].split_at(directory);
        let lengths = lengths.chunks_exact(2).map(|of| u16::from_le_bytes([of[0], of[1]]));
        let group = |mut of: Bytes<'_>| {
            let (first, entries, sum) = (of.long()?, of.long()?, of.number()?);
            Ok(Group { first, entries, sum })
        };
        let groups = directory.chunks_exact(GROUP_ENTRY).map(|of| group(Bytes(of)));
        let (lengths, groups) = (lengths.collect(), groups.collect::<io::Result<_>>()?);
        let damaged = AtomicBool::new(false);
        Ok(Self { source, passages, words, lengths, groups, keys, damaged })
    }

    /// Whether it is the memory that holds it.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.source, Source::Memory(_))
    }

    /// Whether something was asked of it that could not be read.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Rows of the fragment, the ones that are gone among them.
    pub fn rows(&self) -> usize {
        self.lengths.len()
    }

    /// Words of each row.
    pub fn lengths(&self) -> &[u16] {
        &self.lengths
    }

    /// Words of the average passage.
    pub fn average(&self) -> f32 {
        average(self.words, self.passages)
    }

    /// The word with this key, if a row holds it. Blocks on the disk.
    ///
    /// # Errors
    /// What tells is not what was written.
    pub fn find(&self, key: u64) -> io::Result<Option<Found>> {
        self.noted(self.look_up(key))
    }

    /// The rows that hold it. Blocks on the disk.
    ///
    /// # Errors
    /// The list is not what was written.
    pub fn list(&self, found: Found) -> io::Result<List> {
        self.noted(self.read(found))
    }

    fn noted<T>(&self, read: io::Result<T>) -> io::Result<T> {
        if read.is_err() {
            self.damaged.store(true, Ordering::Relaxed);
        }
        read
    }

    fn look_up(&self, key: u64) -> io::Result<Option<Found>> {
        let number = self.groups.partition_point(|group| group.first <= key);
        let Some(number) = number.checked_sub(1) else { return Ok(None) };
        let group = self.groups[number];
        let words = (self.keys - number * GROUP).min(GROUP);
        let entries = self.source.read(group.entries, words * ENTRY)?;
        if xxh3_64(&entries) as u32 != group.sum {
            return Err(broken());
        }
        let entries = entries.chunks_exact(ENTRY);
        let is_it = |of: &[u8]| Bytes(of).long().is_ok_and(|this| this == key);
        let Some(place) = entries.clone().position(is_it) else { return Ok(None) };
        let (mut found, mut behind) = (None, 0);
        // A list ends where the next one begins, and the last one at the entries.
        for entry in entries.skip(place) {
            let mut entry = Bytes(&entry[size_of::<u64>()..]);
            let (rows, bytes, sum) = (entry.number()?, entry.number()?, entry.number()?);
            behind += u64::from(bytes);
            found = found.or(Some(Found { rows, at: 0, bytes, sum }));
        }
        let at = group.entries.checked_sub(behind).ok_or_else(broken)?;
        Ok(found.map(|found| Found { at, ..found }))
    }

    fn read(&self, found: Found) -> io::Result<List> {
        let bytes = self.source.read(found.at, found.bytes as usize)?;
        if xxh3_64(&bytes) as u32 != found.sum || found.rows as usize > self.rows() {
            return Err(broken());
        }
        List::read(bytes, found.rows as usize, self.rows())
    }
}

impl Source {
    fn read(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Disk(file) => {
                let mut bytes = vec![0; length];
                read_at(file, &mut bytes, at)?;
                Ok(bytes)
            }
            Self::Memory(all) => {
                let bytes = all.get(at as usize..).and_then(|rest| rest.get(..length));
                bytes.map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
            }
        }
    }
}

fn average(words: u64, passages: u32) -> f32 {
    (words as f64 / f64::from(passages.max(1))).max(1.0) as f32
}

/// The rows that hold a word, in order, and how often each does: whole blocks packed by
/// bits, with what a question needs to pass over them ahead, and the rest by bytes.
///
/// ```text
/// heads   a whole block: its last row (4), its most (4), bits of rows (1), of counts (1)
/// blocks  rows as steps, and counts less one
/// rest    a row: the step, the count, each in as many bytes as it needs
/// ```
#[derive(Debug)]
pub(crate) struct List {
    heads: Vec<Head>,
    bytes: Vec<u8>,
    rest: Vec<(u32, u32)>,
}

#[derive(Debug, Clone, Copy)]
struct Head {
    last: u32,
    /// The most that BM25 makes of a row of the block, with the fragment's own average.
    most: f32,
    row_bits: u8,
    count_bits: u8,
    /// Where its rows begin.
    at: usize,
}

/// Rows of a block, and how often each holds the word.
#[derive(Debug, Clone)]
pub(crate) struct Unpacked {
    pub rows: [u32; BLOCK],
    pub counts: [u32; BLOCK],
    pub len: usize,
}

impl Default for Unpacked {
    fn default() -> Self {
        Self { rows: [0; BLOCK], counts: [0; BLOCK], len: 0 }
    }
}

impl List {
    /// `rows` hold the word, of a fragment of `all`.
    fn read(bytes: Vec<u8>, rows: usize, all: usize) -> io::Result<Self> {
        let blocks = rows / BLOCK;
        let mut heads = Vec::with_capacity(blocks);
        let mut at = HEAD * blocks;
        let mut next = 0;
        for head in bytes.get(..at).ok_or_else(broken)?.chunks_exact(HEAD) {
            let mut head = Bytes(head);
            let (last, most) = (head.number()?, f32::from_bits(head.number()?));
            let (row_bits, count_bits) = (head.byte()?, head.byte()?);
            let sound = last >= next && (last as usize) < all && row_bits <= 32 && count_bits <= 32;
            if !sound || !(0.0..=1.0).contains(&most) {
                return Err(broken());
            }
            next = last + 1;
            heads.push(Head { last, most, row_bits, count_bits, at });
            at += packed(row_bits) + packed(count_bits);
        }
        let mut left = Bytes(bytes.get(at..).ok_or_else(broken)?);
        let mut rest = Vec::with_capacity(rows % BLOCK);
        for _ in 0..rows % BLOCK {
            let row = next.checked_add(left.short()?).ok_or_else(broken)?;
            let count = left.short()?;
            if row as usize >= all || count == 0 {
                return Err(broken());
            }
            rest.push((row, count));
            next = row + 1;
        }
        Ok(Self { heads, bytes, rest })
    }

    /// Blocks, the rest being the last one.
    pub fn blocks(&self) -> usize {
        self.heads.len() + usize::from(!self.rest.is_empty())
    }

    /// The last row of a block.
    pub fn last(&self, block: usize) -> u32 {
        match self.heads.get(block) {
            Some(head) => head.last,
            None => self.rest.last().map_or(0, |(row, _)| *row),
        }
    }

    /// The most that BM25 makes of the word in any row of a block: not less than
    /// [`saturation`] with this average, whatever it is. `own` is the average the list was
    /// made with.
    pub fn most(&self, block: usize, lengths: &[u16], own: f32, average: f32) -> f32 {
        let Some(head) = self.heads.get(block) else {
            let of =
                |(row, count): &(u32, u32)| saturation(*count, lengths[*row as usize], average);
            return self.rest.iter().map(of).fold(0.0, f32::max);
        };
        // A passage counts for more where others are longer, but by no larger a share than
        // they are.
        (head.most * (average / own).max(1.0)).min(1.0)
    }

    pub fn unpack(&self, block: usize, into: &mut Unpacked) {
        let Some(head) = self.heads.get(block) else {
            into.len = self.rest.len();
            for (place, (row, count)) in self.rest.iter().enumerate() {
                (into.rows[place], into.counts[place]) = (*row, *count);
            }
            return;
        };
        let packer = BitPacker4x::new();
        let before = if block == 0 { None } else { Some(self.heads[block - 1].last) };
        let (rows, counts) = self.bytes[head.at..].split_at(packed(head.row_bits));
        packer.decompress_strictly_sorted(before, rows, &mut into.rows, head.row_bits);
        packer.decompress(counts, &mut into.counts, head.count_bits);
        into.counts.iter_mut().for_each(|count| *count = count.wrapping_add(1));
        into.len = BLOCK;
    }

    /// Writes what [`List::read`] reads.
    fn write(rows: &[(u32, u32)], lengths: &[u16], average: f32, to: &mut Vec<u8>) {
        let packer = BitPacker4x::new();
        let (mut heads, mut blocks) = (Vec::new(), Vec::new());
        let mut before = None;
        let whole = rows.chunks_exact(BLOCK);
        let rest = whole.remainder();
        for block in whole {
            let mut unpacked = Unpacked::default();
            for (place, (row, count)) in block.iter().enumerate() {
                (unpacked.rows[place], unpacked.counts[place]) = (*row, count - 1);
            }
            let row_bits = packer.num_bits_strictly_sorted(before, &unpacked.rows);
            let count_bits = packer.num_bits(&unpacked.counts);
            let last = unpacked.rows[BLOCK - 1];
            let of =
                |(row, count): &(u32, u32)| saturation(*count, lengths[*row as usize], average);
            let most = block.iter().map(of).fold(0.0, f32::max);
            heads.extend(last.to_le_bytes());
            heads.extend(most.to_bits().to_le_bytes());
            heads.extend([row_bits, count_bits]);
            let start = blocks.len();
            blocks.resize(start + packed(row_bits), 0);
            packer.compress_strictly_sorted(before, &unpacked.rows, &mut blocks[start..], row_bits);
            let start = blocks.len();
            blocks.resize(start + packed(count_bits), 0);
            packer.compress(&unpacked.counts, &mut blocks[start..], count_bits);
            before = Some(last);
        }
        to.extend(heads);
        to.extend(blocks);
        let mut next = before.map_or(0, |last| last + 1);
        for (row, count) in rest {
            push_short(to, row - next);
            push_short(to, *count);
            next = row + 1;
        }
    }
}

fn packed(bits: u8) -> usize {
    BitPacker4x::compressed_block_size(bits)
}

/// Which words are gathered at a time: those whose keys begin with these bits. Keys are
/// spread evenly, so that as many fall to each share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Share {
    bits: u32,
    begin: u64,
}

impl Share {
    /// All words in 2^`bits` shares, in the order of their keys.
    pub fn all(bits: u32) -> impl Iterator<Item = Share> {
        (0..1 << bits).map(move |begin| Share { bits, begin })
    }

    fn holds(self, key: u64) -> bool {
        key.checked_shr(u64::BITS - self.bits).unwrap_or(0) == self.begin
    }
}

/// Gathers the words of a fragment, row by row. Takes some three bytes for each word of
/// each passage and a hundred for each different one.
pub(crate) struct Builder {
    share: Share,
    most: usize,
    totals: Totals,
    numbers: HashMap<u64, u32, foldhash::fast::RandomState>,
    lists: Vec<Growing>,
    /// The words of one row.
    row: Vec<u32>,
}

/// What is told of all words, whichever share is gathered.
#[derive(Default)]
struct Totals {
    lengths: Vec<u16>,
    passages: u32,
    words: u64,
}

/// A list while rows are added: as the rest of a [`List`].
#[derive(Default)]
struct Growing {
    bytes: Vec<u8>,
    rows: u32,
    next: u32,
}

impl Builder {
    /// Of this share of the words, and no row more once there are more than `most`
    /// different ones.
    pub fn new(share: Share, most: usize) -> Self {
        let (totals, numbers) = (Totals::default(), HashMap::default());
        Self { share, most, totals, numbers, lists: Vec::new(), row: Vec::new() }
    }

    /// Whether there were more different words: what was gathered is not all.
    pub fn is_over_full(&self) -> bool {
        self.lists.len() > self.most
    }

    /// The words of a row, with spaces between. Rows come in order; ones that are gone do
    /// not come.
    pub fn add(&mut self, row: u32, words: &str) {
        if self.is_over_full() {
            return;
        }
        let mut numbers = std::mem::take(&mut self.row);
        let mut length = 0usize;
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            length += 1;
            let key = key(word);
            if self.share.holds(key) {
                let lists = &mut self.lists;
                numbers.push(*self.numbers.entry(key).or_insert_with(|| {
                    lists.push(Growing::default());
                    (lists.len() - 1) as u32
                }));
            }
        }
        self.totals.add(row, u16::try_from(length).unwrap_or(u16::MAX));
        numbers.sort_unstable();
        for same in numbers.chunk_by(|a, b| a == b) {
            let list = &mut self.lists[same[0] as usize];
            push_short(&mut list.bytes, row - list.next);
            push_short(&mut list.bytes, same.len() as u32);
            list.rows += 1;
            list.next = row + 1;
        }
        numbers.clear();
        self.row = numbers;
    }

    /// The postings of a fragment of so many rows, in memory. Of all words.
    ///
    /// # Errors
    /// The builder was over full, or a word is in more rows than a list can hold.
    pub fn finish(self, rows: usize) -> io::Result<Postings> {
        if self.is_over_full() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut bytes = Vec::new();
        let mut writer = Writer::new(rows);
        writer.add(self, &mut bytes)?;
        writer.finish(&mut bytes)?;
        bytes.shrink_to_fit();
        let length = bytes.len() as u64;
        Postings::of(Source::Memory(bytes), length)
    }
}

impl Totals {
    fn add(&mut self, row: u32, length: u16) {
        self.lengths.resize(row as usize, 0);
        self.lengths.push(length);
        self.passages += 1;
        self.words += u64::from(length);
    }
}

impl Growing {
    fn unpack(&self, into: &mut Vec<(u32, u32)>) -> io::Result<()> {
        into.clear();
        let (mut left, mut next) = (Bytes(&self.bytes), 0);
        for _ in 0..self.rows {
            let row = next + left.short()?;
            into.push((row, left.short()?));
            next = row + 1;
        }
        Ok(())
    }
}

/// Writes the postings of a fragment, share by share.
pub(crate) struct Writer {
    /// Rows of the fragment.
    rows: usize,
    at: u64,
    /// The group that is being written: its first key, and its entries.
    first: u64,
    entries: Vec<u8>,
    directory: Vec<u8>,
    keys: u32,
    totals: Totals,
}

impl Writer {
    pub fn new(rows: usize) -> Self {
        let (entries, directory, totals) = (Vec::new(), Vec::new(), Totals::default());
        Self { rows, at: 0, first: 0, entries, directory, keys: 0, totals }
    }

    /// The next share.
    pub fn add(&mut self, mut share: Builder, to: &mut impl Write) -> io::Result<()> {
        self.totals = share.totals;
        self.totals.lengths.resize(self.rows.max(self.totals.lengths.len()), 0);
        let average = average(self.totals.words, self.totals.passages);
        let mut keys: Vec<_> = share.numbers.into_iter().collect();
        keys.sort_unstable();
        let (mut unpacked, mut list) = (Vec::new(), Vec::new());
        for (key, number) in keys {
            let growing = std::mem::take(&mut share.lists[number as usize]);
            growing.unpack(&mut unpacked)?;
            list.clear();
            List::write(&unpacked, &self.totals.lengths, average, &mut list);
            self.list(key, growing.rows, &list, to)?;
        }
        Ok(())
    }

    fn list(&mut self, key: u64, rows: u32, list: &[u8], to: &mut impl Write) -> io::Result<()> {
        if self.entries.is_empty() {
            self.first = key;
        }
        to.write_all(list)?;
        self.at += list.len() as u64;
        self.entries.extend(key.to_le_bytes());
        let bytes = u32::try_from(list.len()).map_err(|_| broken())?;
        for number in [rows, bytes, xxh3_64(list) as u32] {
            self.entries.extend(number.to_le_bytes());
        }
        self.keys += 1;
        if self.entries.len() == GROUP * ENTRY { self.end_group(to) } else { Ok(()) }
    }

    fn end_group(&mut self, to: &mut impl Write) -> io::Result<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        self.directory.extend(self.first.to_le_bytes());
        self.directory.extend(self.at.to_le_bytes());
        self.directory.extend((xxh3_64(&self.entries) as u32).to_le_bytes());
        to.write_all(&self.entries)?;
        self.at += self.entries.len() as u64;
        self.entries.clear();
        Ok(())
    }

    /// All shares were added.
    pub fn finish(mut self, to: &mut impl Write) -> io::Result<()> {
        self.end_group(to)?;
        let mut small = self.directory;
        let Totals { lengths, passages, words } = self.totals;
        small.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
        small.extend(words.to_le_bytes());
        for number in [lengths.len() as u32, passages, self.keys] {
            small.extend(number.to_le_bytes());
        }
        to.write_all(&small)?;
        to.write_all(&(xxh3_64(&small) as u32).to_le_bytes())?;
        to.write_all(FORM)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use proptest::prelude::*;
    use rummage_testkit::Dice;

    use super::*;

    /// Rows of a fragment: `None` is gone, the rest are words.
    type Rows = Vec<Option<Vec<u8>>>;

    fn word(number: u8) -> String {
        format!("w{number}")
    }

    fn built(rows: &Rows, share: Share) -> Builder {
        let mut builder = Builder::new(share, usize::MAX);
        for (row, words) in rows.iter().enumerate() {
            if let Some(words) = words {
                let words: Vec<_> = words.iter().map(|number| word(*number)).collect();
                builder.add(row as u32, &words.join(" "));
            }
        }
        builder
    }

    /// Which rows hold a word, and how often.
    fn holding(rows: &Rows, number: u8) -> BTreeMap<u32, u32> {
        let count = |words: &Vec<u8>| words.iter().filter(|word| **word == number).count() as u32;
        let counts = (0..).zip(rows).map(|(row, words)| (row, words.as_ref().map_or(0, count)));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    fn unpacked(list: &List) -> BTreeMap<u32, u32> {
        let mut all = BTreeMap::new();
        let mut block = Unpacked::default();
        for number in 0..list.blocks() {
            list.unpack(number, &mut block);
            assert_eq!(block.rows[block.len - 1], list.last(number));
            all.extend((0..block.len).map(|place| (block.rows[place], block.counts[place])));
        }
        all
    }

    fn check(postings: &Postings, rows: &Rows) {
        assert_eq!(postings.rows(), rows.len());
        assert_eq!(postings.passages as usize, rows.iter().flatten().count());
        assert_eq!(postings.words as usize, rows.iter().flatten().map(Vec::len).sum::<usize>());
        for (length, words) in postings.lengths().iter().zip(rows) {
            assert_eq!(usize::from(*length), words.as_ref().map_or(0, Vec::len));
        }
        for number in 0..=u8::MAX {
            let expected = holding(rows, number);
            let found = postings.find(key(&word(number))).unwrap();
            assert_eq!(found.map_or(0, |found| found.rows) as usize, expected.len());
            if let Some(found) = found {
                let list = postings.list(found).unwrap();
                assert_eq!(unpacked(&list), expected);
                check_bounds(postings, &list);
            }
        }
    }

    fn check_bounds(postings: &Postings, list: &List) {
        let (lengths, own) = (postings.lengths(), postings.average());
        let mut block = Unpacked::default();
        for average in [own * 0.2, own * 0.9, own, own * 1.1, own * 7.0] {
            for number in 0..list.blocks() {
                list.unpack(number, &mut block);
                let of = |place: usize| {
                    let length = lengths[block.rows[place] as usize];
                    saturation(block.counts[place], length, average)
                };
                let most = (0..block.len).map(of).fold(0.0, f32::max);
                let bound = list.most(number, lengths, own, average);
                assert!(bound * 1.000_001 >= most, "{bound} {most} {average} {own}");
            }
        }
    }

    /// Most words are rare, and some rows are gone.
    fn rows(seed: u64, count: usize) -> Rows {
        let mut dice = Dice::new(seed);
        let mut row = || {
            let mut word = || {
                let bound = 1 + dice.below(256);
                dice.below(bound) as u8
            };
            let words = (0..30).map(|_| word()).collect::<Vec<_>>();
            let length = 1 + dice.below(30);
            (dice.below(10) > 0).then(|| words[..length].to_vec())
        };
        (0..count).map(|_| row()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn what_was_added_is_found(seed in any::<u64>(), count in 0usize..1000) {
            let rows = rows(seed, count);
            check(&built(&rows, Share::default()).finish(count).unwrap(), &rows);
        }
    }

    /// The bytes of a file.
    fn written(rows: &Rows, bits: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(rows.len());
        for share in Share::all(bits) {
            writer.add(built(rows, share), &mut bytes).unwrap();
        }
        writer.finish(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn shares_make_the_file_that_all_make_at_once() {
        let rows = rows(9, 500);
        let at_once = written(&rows, 0);
        for bits in [1, 2, 5] {
            assert!(written(&rows, bits) == at_once, "{bits} bits");
        }
    }

    #[test]
    fn what_is_not_all_is_not_taken_for_all() {
        for (most, is_all) in [(3, true), (2, false)] {
            let mut builder = Builder::new(Share::default(), most);
            builder.add(0, "one two");
            assert!(!builder.is_over_full());
            builder.add(1, "three");
            assert_eq!(builder.is_over_full(), !is_all);
            builder.add(2, "one");
            let postings = builder.finish(3);
            assert_eq!(postings.is_ok(), is_all);
        }
    }

    #[test]
    fn a_file_holds_the_same_or_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("words");
        let rows = rows(3, 700);
        let bytes = written(&rows, 0);
        fs::write(&path, &bytes).unwrap();
        check(&Postings::open(&path).unwrap(), &rows);
        for length in (0..bytes.len()).step_by(bytes.len() / 50) {
            fs::write(&path, &bytes[..length]).unwrap();
            assert!(Postings::open(&path).is_err(), "the first {length} bytes");
        }
    }

    /// Nothing of it is taken for something else, or for nothing.
    #[test]
    fn a_byte_that_changed_is_seen() {
        let rows = rows(5, 150);
        let bytes = written(&rows, 0);
        let passages = rows.iter().flatten().count() as u32;
        for at in (0..bytes.len()).step_by(3) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x41;
            let length = changed.len() as u64;
            let Ok(postings) = Postings::of(Source::Memory(changed), length) else { continue };
            assert_eq!((postings.passages, postings.rows()), (passages, 150), "byte {at}");
            for number in 0..=u8::MAX {
                let list = postings
                    .find(key(&word(number)))
                    .and_then(|found| found.map(|found| postings.list(found)).transpose());
                let Ok(list) = list else { continue };
                let rows_of = list.as_ref().map(unpacked).unwrap_or_default();
                assert_eq!(rows_of, holding(&rows, number), "byte {at}");
            }
            assert!(postings.is_damaged(), "byte {at}");
        }
    }

    #[test]
    fn numbers_of_any_size_are_read_as_written() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u32::MAX] {
            let mut bytes = Vec::new();
            push_short(&mut bytes, number);
            let mut read = Bytes(&bytes);
            assert_eq!(read.short().unwrap(), number);
            assert!(read.0.is_empty());
        }
        assert!(Bytes(&[0x80; 9]).short().is_err());
        assert!(Bytes(&[]).short().is_err());
    }
}
