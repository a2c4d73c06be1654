//! The words of one fragment's passages: for each word, which rows hold it, and how often.
//! In a file of our own ([`crate::beside`]) or, of the few passages that were written last,
//! in memory. [`crate::bm25`] asks them.
//!
//! ```text
//! lists       in the order of the words' keys, see `List`
//! directory   a word: key (8 bytes), rows (4), a sum over all of it (4), where its list
//!             begins (8)
//! firsts      the key (8) of every GROUP-th word
//! lengths     a row of the fragment: its words (2)
//! tail        rows, passages, words of the directory, a sum over firsts and lengths (4
//!             each), words of all passages (8), FORM (8)
//! ```

use std::{collections::HashMap, fs::File, io, io::Write, path::Path};

use bitpacking::{BitPacker, BitPacker4x};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::beside::read_at;

/// Last in each file, so that another form of them is not taken for this one.
const FORM: &[u8; 8] = b"words__1";
const TAIL: usize = 4 * 4 + 8 + FORM.len();
const ENTRY: usize = 8 + 4 + 4 + 8;

/// Words of the directory that are read at once.
const GROUP: usize = 128;

/// Rows that are packed together.
pub(crate) const BLOCK: usize = BitPacker4x::BLOCK_LEN;
const HEAD: usize = 4 + 4 + 1 + 1;

/// What BM25 makes of a word that a passage holds `count` times, between 0 and 1. The
/// passage has `length` words, the average one `average`.
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
    firsts: Vec<u64>,
    /// Words of the directory, and where it begins.
    keys: usize,
    directory: u64,
}

#[derive(Debug)]
enum Source {
    Disk(File),
    Memory(Vec<u8>),
}

/// A word that is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// Rows that hold it, the ones that are gone among them.
    pub rows: u32,
    key: u64,
    sum: u32,
    from: u64,
    to: u64,
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

    /// Whether there is such a file, of so many rows. Blocks on the disk.
    pub fn is_whole(path: &Path, rows: usize) -> bool {
        let look = || {
            let file = File::open(path)?;
            let mut tail = [0; TAIL];
            let at = file.metadata()?.len().checked_sub(TAIL as u64);
            read_at(&file, &mut tail, at.ok_or(io::ErrorKind::InvalidData)?)?;
            let of_rows = Bytes(&tail).number()? as usize;
            Ok::<_, io::Error>(of_rows == rows && tail.ends_with(FORM))
        };
        look().unwrap_or(false)
    }

    fn of(source: Source, bytes: u64) -> io::Result<Self> {
        let broken = || io::Error::from(io::ErrorKind::InvalidData);
        let tail_at = bytes.checked_sub(TAIL as u64).ok_or_else(broken)?;
        let tail = source.read(tail_at, TAIL)?;
        let mut tail = Bytes(&tail);
        let (rows, passages, keys) = (tail.number()?, tail.number()?, tail.number()? as usize);
        let (sum, words) = (tail.number()?, tail.long()?);
        if tail.0 != FORM {
            return Err(broken());
        }
        let groups = keys.div_ceil(GROUP);
        let lengths_at = tail_at.checked_sub(2 * u64::from(rows)).ok_or_else(broken)?;
        let firsts_at = lengths_at.checked_sub(8 * groups as u64).ok_or_else(broken)?;
        let directory = firsts_at.checked_sub((ENTRY * keys) as u64).ok_or_else(broken)?;
        let small = source.read(firsts_at, (tail_at - firsts_at) as usize)?;
        if xxh3_64(&small) as u32 != sum {
            return Err(broken());
        }
        let (firsts, lengths) = small.split_at(8 * groups);
        let lengths = lengths.chunks_exact(2).map(|of| u16::from_le_bytes([of[0], of[1]]));
        let firsts = firsts.chunks_exact(8).map(|of| Bytes(of).long());
        let (lengths, firsts) = (lengths.collect(), firsts.collect::<Result<_, _>>()?);
        Ok(Self { source, passages, words, lengths, firsts, keys, directory })
    }

    /// Whether it is the memory that holds it.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.source, Source::Memory(_))
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
    pub fn find(&self, key: u64) -> io::Result<Option<Found>> {
        let group = self.firsts.partition_point(|first| *first <= key);
        let Some(group) = group.checked_sub(1) else { return Ok(None) };
        let first = group * GROUP;
        // The one after tells where the last list ends.
        let count = (self.keys - first).min(GROUP + 1);
        let entries = self.source.read(self.directory + (first * ENTRY) as u64, count * ENTRY)?;
        let entry = |number: usize| {
            let mut bytes = Bytes(&entries[number * ENTRY..]);
            Ok::<_, io::Error>((bytes.long()?, bytes.number()?, bytes.number()?, bytes.long()?))
        };
        let is_it = |of: &[u8]| Bytes(of).long().is_ok_and(|this| this == key);
        let Some(number) = entries.chunks_exact(ENTRY).take(GROUP).position(is_it) else {
            return Ok(None);
        };
        let (_, rows, sum, from) = entry(number)?;
        let to = if number + 1 < count { entry(number + 1)?.3 } else { self.directory };
        if from > to || to > self.directory || rows == 0 || rows as usize > self.rows() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Some(Found { rows, key, sum, from, to }))
    }

    /// The rows that hold it. Blocks on the disk.
    ///
    /// # Errors
    /// The list is not what was written.
    pub fn list(&self, found: Found) -> io::Result<List> {
        let bytes = self.source.read(found.from, (found.to - found.from) as usize)?;
        if sum_of(found.key, found.rows, &bytes) != found.sum {
            return Err(io::ErrorKind::InvalidData.into());
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

/// Tells a list from what a failing disk makes of it.
fn sum_of(key: u64, rows: u32, list: &[u8]) -> u32 {
    xxh3_64_with_seed(list, key ^ u64::from(rows)) as u32
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
        let broken = || io::Error::from(io::ErrorKind::InvalidData);
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

/// Makes the postings of a fragment, row by row. Takes some three bytes for each word of
/// each passage.
#[derive(Default)]
pub(crate) struct Builder {
    lengths: Vec<u16>,
    passages: u32,
    words: u64,
    numbers: HashMap<u64, u32, foldhash::fast::RandomState>,
    lists: Vec<Growing>,
    /// The words of one row.
    row: Vec<u32>,
}

/// A list while rows are added: as the rest of a [`List`].
#[derive(Default)]
struct Growing {
    bytes: Vec<u8>,
    rows: u32,
    next: u32,
}

impl Builder {
    /// The words of a row, with spaces between. Rows come in order; ones that are gone do
    /// not come.
    pub fn add(&mut self, row: u32, words: &str) {
        let mut numbers = std::mem::take(&mut self.row);
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            let lists = &mut self.lists;
            numbers.push(*self.numbers.entry(key(word)).or_insert_with(|| {
                lists.push(Growing::default());
                (lists.len() - 1) as u32
            }));
        }
        let length = u16::try_from(numbers.len()).unwrap_or(u16::MAX);
        self.lengths.resize(row as usize, 0);
        self.lengths.push(length);
        self.passages += 1;
        self.words += u64::from(length);
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

    /// Writes the file of a fragment of so many rows.
    pub fn write(mut self, rows: usize, to: &mut impl Write) -> io::Result<()> {
        self.lengths.resize(rows.max(self.lengths.len()), 0);
        let average = average(self.words, self.passages);
        let mut keys: Vec<_> = self.numbers.into_iter().collect();
        keys.sort_unstable();
        let mut directory = Vec::with_capacity(keys.len() * ENTRY);
        let (mut at, mut unpacked, mut bytes) = (0u64, Vec::new(), Vec::new());
        for (key, number) in &keys {
            let growing = std::mem::take(&mut self.lists[*number as usize]);
            directory.extend(key.to_le_bytes());
            unpacked.clear();
            let (mut left, mut next) = (Bytes(&growing.bytes), 0);
            for _ in 0..growing.rows {
                let row = next + left.short()?;
                unpacked.push((row, left.short()?));
                next = row + 1;
            }
            bytes.clear();
            List::write(&unpacked, &self.lengths, average, &mut bytes);
            to.write_all(&bytes)?;
            directory.extend(growing.rows.to_le_bytes());
            directory.extend(sum_of(*key, growing.rows, &bytes).to_le_bytes());
            directory.extend(at.to_le_bytes());
            at += bytes.len() as u64;
        }
        to.write_all(&directory)?;
        let firsts = keys.iter().step_by(GROUP).flat_map(|(key, _)| key.to_le_bytes());
        let lengths = self.lengths.iter().flat_map(|length| length.to_le_bytes());
        let small: Vec<_> = firsts.chain(lengths).collect();
        to.write_all(&small)?;
        let (rows, words, sum) = (self.lengths.len(), keys.len(), xxh3_64(&small));
        for number in [rows as u32, self.passages, words as u32, sum as u32] {
            to.write_all(&number.to_le_bytes())?;
        }
        to.write_all(&self.words.to_le_bytes())?;
        to.write_all(FORM)
    }

    /// The same, in memory.
    pub fn finish(self, rows: usize) -> io::Result<Postings> {
        let mut bytes = Vec::new();
        self.write(rows, &mut bytes)?;
        bytes.shrink_to_fit();
        let length = bytes.len() as u64;
        Postings::of(Source::Memory(bytes), length)
    }
}

/// Bytes that are read one after the other.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
        self.0 = rest;
        Ok(*first)
    }

    fn byte(&mut self) -> io::Result<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> io::Result<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> io::Result<u64> {
        self.take().map(u64::from_le_bytes)
    }

    /// A number in as many bytes as it needs, seven bits each, the lowest first.
    fn short(&mut self) -> io::Result<u32> {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let byte = self.byte()?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(io::ErrorKind::InvalidData.into())
    }
}

fn push_short(to: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
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

    fn built(rows: &Rows) -> Builder {
        let mut builder = Builder::default();
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
            check(&built(&rows).finish(count).unwrap(), &rows);
        }
    }

    #[test]
    fn a_file_holds_the_same_or_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("words");
        let rows = rows(3, 700);
        let mut bytes = Vec::new();
        built(&rows).write(rows.len(), &mut bytes).unwrap();
        fs::write(&path, &bytes).unwrap();
        assert!(Postings::is_whole(&path, rows.len()) && !Postings::is_whole(&path, 1));
        check(&Postings::open(&path).unwrap(), &rows);
        for length in (0..bytes.len()).step_by(bytes.len() / 50) {
            fs::write(&path, &bytes[..length]).unwrap();
            assert!(!Postings::is_whole(&path, rows.len()));
            assert!(Postings::open(&path).is_err(), "the first {length} bytes");
        }
    }

    /// It may not be found, and it may not be read; it never is another one.
    #[test]
    fn a_byte_that_changed_is_seen() {
        let rows = rows(5, 400);
        let mut bytes = Vec::new();
        built(&rows).write(rows.len(), &mut bytes).unwrap();
        for at in (0..bytes.len()).step_by(7) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x41;
            let length = changed.len() as u64;
            let Ok(postings) = Postings::of(Source::Memory(changed), length) else { continue };
            for number in 0..=u8::MAX {
                let Ok(Some(found)) = postings.find(key(&word(number))) else { continue };
                if let Ok(list) = postings.list(found) {
                    assert_eq!(unpacked(&list), holding(&rows, number), "byte {at}");
                }
            }
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
