//! A fragment's passages in a file of our own ([`crate::beside`]), for the thirty or so that
//! an answer shows. The database reads each of their columns for itself, and hands every
//! read from thread to thread: milliseconds, where this takes a tenth of one.
//!
//! ```text
//! groups      up to GROUP rows, one after the other, packed together (LZ4)
//! directory   a group: where it ends (8), its bytes unpacked (4), a sum over it packed (4)
//! tail        rows (4), a sum over all from the directory on (4), FORM (8)
//!
//! row         bytes of its context (4; GONE, and nothing follows) and of its text (4), where
//!             it begins and ends in its file's text (8 each), page (4; NO_PAGE), hash (16),
//!             context, text
//! ```

use std::{
    fs::File,
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lance::{Dataset, dataset::fragment::FileFragment};
use rummage_corpus::{ContentHash, Passage, PassageId, Span};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    Store, StoreError,
    beside::{Beside, Bytes, FragmentFile, Fresh, Kind, broken, read_at},
    blocking,
    rows::{OF_PASSAGE, TEXT},
    shelf,
    table::Table,
};

/// Last in each file, so that another form of them is not taken for this one.
const FORM: &[u8; 8] = b"texts__1";
const NUMBERS: usize = 4;
const TAIL: usize = NUMBERS + 4 + FORM.len();
const ENTRY: usize = 8 + 4 + 4;

/// Rows that are packed together: more make smaller files, and more is unpacked for one.
const GROUP: usize = 8;

/// LZ4 makes no more of a byte.
const MOST_UNPACKED: u64 = 256;

const GONE: u32 = u32::MAX;
const NO_PAGE: u32 = u32::MAX;

/// One fragment's file; opened when it is first asked.
#[derive(Debug)]
pub(crate) struct Texts {
    beside: FragmentFile,
    asked: Mutex<Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    open: Option<Arc<Open>>,
    /// Whether it turned out that the file does not hold what was written.
    damaged: bool,
}

#[derive(Debug)]
struct Open {
    file: File,
    groups: Vec<Group>,
    groups_end: u64,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    end: u64,
    /// Unpacked.
    bytes: u32,
    sum: u32,
}

impl Texts {
    /// Of a fragment of this table. Whether there is a file is not looked at.
    pub fn of(table: &Table, fragment: &FileFragment) -> Option<Self> {
        let beside = FragmentFile::of(Kind::Texts, table, fragment, TEXT)?;
        Some(Self { beside, asked: Mutex::default() })
    }

    /// The passages in these rows of the fragment, which are in order and each there once;
    /// `None` for those that were gone when the file was made. Blocks on the disk.
    ///
    /// # Errors
    /// There is no such file, or it does not hold them as they were written.
    pub fn passages(&self, rows: &[(u32, PassageId)]) -> io::Result<Vec<Option<Passage>>> {
        let open = self.get()?;
        let read = open.read(rows);
        if read.is_err() {
            let mut asked = self.asked();
            // Else another file has come since.
            if asked.open.as_ref().is_some_and(|now| Arc::ptr_eq(now, &open)) {
                *asked = Asked { open: None, damaged: true };
            }
        }
        read
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self) -> io::Result<Arc<Open>> {
        let mut asked = self.asked();
        if let Some(open) = &asked.open {
            return Ok(open.clone());
        }
        let opened = Arc::new(Open::at(&self.beside)?);
        asked.open = Some(opened.clone());
        Ok(opened)
    }
}

impl Beside for Texts {
    fn beside(&self) -> &FragmentFile {
        &self.beside
    }

    fn has_file(&self) -> bool {
        // One that is open may have been removed.
        self.get().is_ok() && !self.asked().damaged && self.beside.path.exists()
    }

    async fn write(
        &self,
        store: &Store,
        dataset: &Dataset,
        fragment: &FileFragment,
    ) -> Result<(), StoreError> {
        let fresh = Fresh::begin(self.beside.path.clone())?;
        let mut scan = dataset.scan();
        scan.with_fragments(vec![fragment.metadata().clone()]);
        let (table, columns) = (&store.inner.passages, [&["id"], &OF_PASSAGE[..]].concat());
        let state = (fresh, Writer::default());
        // Milliseconds of packing a batch.
        let written = shelf::fold_batches(table, &mut scan, &columns, state, |state, columns| {
            let (fresh, writer) = state;
            let ids = columns.passage_ids()?.map(PassageId::ordinal);
            let rows = columns.addresses()?.iter().zip(columns.passages(ids)?);
            for (address, passage) in rows {
                let (_, row) = shelf::parts(*address);
                fresh.write(|file| writer.add(row as usize, &passage, file))?;
            }
            Ok(())
        });
        let (mut fresh, writer) = written.await?;
        let rows = self.beside.rows;
        blocking(move || {
            fresh.write(|file| writer.finish(rows, file))?;
            fresh.finish()
        })
        .await?;
        *self.asked() = Asked::default();
        Ok(())
    }
}

impl Open {
    fn at(FragmentFile { path, rows }: &FragmentFile) -> io::Result<Self> {
        let file = File::open(path)?;
        let directory = rows.div_ceil(GROUP) * ENTRY;
        let mut end = vec![0; directory + TAIL];
        let groups_end = file.metadata()?.len().checked_sub(end.len() as u64).ok_or_else(broken)?;
        read_at(&file, &mut end, groups_end)?;
        let (summed, form) = end.split_at(directory + NUMBERS);
        let (entries, mut tail) = (summed[..directory].chunks_exact(ENTRY), Bytes(form));
        let sum = tail.number()?;
        let is_whole = xxh3_64(summed) as u32 == sum && tail.0 == FORM;
        if !is_whole || Bytes(&summed[directory..]).number()? as usize != *rows {
            return Err(broken());
        }
        let group = |mut of: Bytes<'_>| {
            let (end, bytes, sum) = (of.long()?, of.number()?, of.number()?);
            Ok(Group { end, bytes, sum })
        };
        let groups = entries.map(|entry| group(Bytes(entry))).collect::<io::Result<_>>()?;
        Ok(Self { file, groups, groups_end })
    }

    fn read(&self, rows: &[(u32, PassageId)]) -> io::Result<Vec<Option<Passage>>> {
        let mut passages = Vec::with_capacity(rows.len());
        let place = |row: u32| (row as usize / GROUP, row as usize % GROUP);
        for rows in rows.chunk_by(|a, b| place(a.0).0 == place(b.0).0) {
            let unpacked = self.unpack(place(rows[0].0).0)?;
            let (mut left, mut next) = (Bytes(&unpacked), 0);
            for (row, id) in rows {
                let (_, place) = place(*row);
                while next < place {
                    Row::read(&mut left)?;
                    next += 1;
                }
                let row = Row::read(&mut left)?;
                passages.push(row.map(|row| row.passage(id.ordinal())).transpose()?);
                next += 1;
            }
        }
        Ok(passages)
    }

    fn unpack(&self, number: usize) -> io::Result<Vec<u8>> {
        let group = self.groups.get(number).ok_or_else(broken)?;
        let start = number.checked_sub(1).map_or(0, |before| self.groups[before].end);
        let length = group.end.checked_sub(start).ok_or_else(broken)?;
        if group.end > self.groups_end || u64::from(group.bytes) > length * MOST_UNPACKED {
            return Err(broken());
        }
        let mut packed = vec![0; length as usize];
        read_at(&self.file, &mut packed, start)?;
        if xxh3_64(&packed) as u32 != group.sum {
            return Err(broken());
        }
        lz4_flex::block::decompress(&packed, group.bytes as usize).map_err(|_| broken())
    }
}

/// A row as it is written.
struct Row<'a> {
    span: Span,
    page: Option<u32>,
    hash: ContentHash,
    context: &'a [u8],
    text: &'a [u8],
}

impl<'a> Row<'a> {
    /// `None`: it is gone.
    fn read(from: &mut Bytes<'a>) -> io::Result<Option<Self>> {
        let context = from.number()?;
        if context == GONE {
            return Ok(None);
        }
        let text = from.number()?;
        let (start, end) = (from.long()? as usize, from.long()? as usize);
        let page = Some(from.number()?).filter(|page| *page != NO_PAGE);
        let hash = ContentHash::from_bytes(from.array()?);
        let (context, text) = (from.slice(context as usize)?, from.slice(text as usize)?);
        Ok(Some(Self { span: Span { start, end }, page, hash, context, text }))
    }

    fn write(passage: &Passage, to: &mut Vec<u8>) {
        let Passage { ordinal: _, span, text, context, page, hash } = passage;
        to.extend((context.len() as u32).to_le_bytes());
        to.extend((text.len() as u32).to_le_bytes());
        to.extend((span.start as u64).to_le_bytes());
        to.extend((span.end as u64).to_le_bytes());
        to.extend(page.unwrap_or(NO_PAGE).to_le_bytes());
        to.extend(hash.as_bytes());
        to.extend(context.as_bytes());
        to.extend(text.as_bytes());
    }

    fn passage(self, ordinal: u32) -> io::Result<Passage> {
        let Self { span, page, hash, context, text } = self;
        let read = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| broken());
        let (context, text) = (read(context)?, read(text)?);
        Ok(Passage { ordinal, span, text, context, page, hash })
    }
}

/// Puts a file together, row by row.
#[derive(Default)]
struct Writer {
    directory: Vec<u8>,
    /// The group that is being filled, unpacked.
    group: Vec<u8>,
    rows: usize,
    written: u64,
}

impl Writer {
    /// Rows come in order; ones that are gone do not come.
    fn add(&mut self, row: usize, passage: &Passage, to: &mut impl Write) -> io::Result<()> {
        if row < self.rows {
            return Err(io::Error::other("rows come in another order than they lie"));
        }
        self.pass_over(row, to)?;
        Row::write(passage, &mut self.group);
        self.next(to)
    }

    fn pass_over(&mut self, until: usize, to: &mut impl Write) -> io::Result<()> {
        while self.rows < until {
            self.group.extend(GONE.to_le_bytes());
            self.next(to)?;
        }
        Ok(())
    }

    fn next(&mut self, to: &mut impl Write) -> io::Result<()> {
        self.rows += 1;
        if self.rows.is_multiple_of(GROUP) { self.pack(to) } else { Ok(()) }
    }

    fn pack(&mut self, to: &mut impl Write) -> io::Result<()> {
        if self.group.is_empty() {
            return Ok(());
        }
        let packed = lz4_flex::block::compress(&self.group);
        to.write_all(&packed)?;
        self.written += packed.len() as u64;
        self.directory.extend(self.written.to_le_bytes());
        self.directory.extend((self.group.len() as u32).to_le_bytes());
        self.directory.extend((xxh3_64(&packed) as u32).to_le_bytes());
        self.group.clear();
        Ok(())
    }

    /// Of a fragment of so many rows.
    fn finish(mut self, rows: usize, to: &mut impl Write) -> io::Result<()> {
        self.pass_over(rows, to)?;
        self.pack(to)?;
        self.directory.extend((rows as u32).to_le_bytes());
        let sum = xxh3_64(&self.directory) as u32;
        to.write_all(&self.directory)?;
        to.write_all(&sum.to_le_bytes())?;
        to.write_all(FORM)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        fs,
        path::{Path, PathBuf},
    };

    use proptest::prelude::*;
    use rummage_corpus::FileId;

    use super::*;
    use crate::{
        Limits, Mode,
        trial::{origin, put, space},
    };

    fn written(rows: usize, passages: &BTreeMap<u32, Passage>) -> Vec<u8> {
        let (mut writer, mut bytes) = (Writer::default(), Vec::new());
        for (row, passage) in passages {
            writer.add(*row as usize, passage, &mut bytes).unwrap();
        }
        writer.finish(rows, &mut bytes).unwrap();
        bytes
    }

    fn passage(ordinal: u32, context: String, text: String, page: Option<u32>) -> Passage {
        let span = Span::new(7, 7 + text.len());
        Passage { ordinal, span, hash: ContentHash::of(text.as_bytes()), text, context, page }
    }

    fn id(row: u32) -> PassageId {
        PassageId::new(FileId(i64::from(row)), row)
    }

    fn at(path: &Path, rows: usize) -> io::Result<Open> {
        Open::at(&FragmentFile { path: path.to_owned(), rows })
    }

    fn read(path: &Path, rows: usize, of: &[u32]) -> io::Result<Vec<Option<Passage>>> {
        let rows_of: Vec<_> = of.iter().map(|row| (*row, id(*row))).collect();
        at(path, rows)?.read(&rows_of)
    }

    proptest! {
        #[test]
        fn passages_are_read_as_they_were_written(
            rows in 0usize..40,
            there in prop::collection::btree_map(
                0u32..40,
                ("(?s).{0,20}", "(?s).{0,90}", prop::option::of(1u32..9)),
                0..40,
            ),
            asked in prop::collection::btree_set(0u32..40, 0..40),
        ) {
            let passages: BTreeMap<_, _> = there
                .into_iter()
                .filter(|(row, _)| (*row as usize) < rows)
                .map(|(row, (context, text, page))| (row, passage(row, context, text, page)))
                .collect();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("texts");
            fs::write(&path, written(rows, &passages)).unwrap();
            let asked: Vec<_> = asked.into_iter().filter(|row| (*row as usize) < rows).collect();
            let expected: Vec<_> = asked.iter().map(|row| passages.get(row).cloned()).collect();
            prop_assert_eq!(read(&path, rows, &asked).unwrap(), expected);
            prop_assert!(at(&path, rows + 1).is_err());
        }
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let files = fs::read_dir(folder.join("passages.texts"));
        files.into_iter().flatten().map(|file| file.unwrap().path()).collect()
    }

    /// The texts of these files, and of how many no file of ours tells.
    async fn texts(store: &Store, of: std::ops::Range<i64>) -> (Vec<String>, usize) {
        let ids: Vec<_> = of.map(|file| PassageId::new(FileId(file), 0)).collect();
        let texts = store.passages(&ids).await.unwrap().into_iter();
        let snapshot = store.snapshot(false).await.unwrap();
        let shelf = &snapshot.passages.shelf;
        let rows: Vec<_> = ids.iter().filter_map(|id| shelf.find(*id)).collect();
        let (_, missing) = shelf.passages(&rows);
        (texts.map(|(_, passage)| passage.text).collect(), missing.len())
    }

    #[tokio::test]
    async fn files_are_made_kept_and_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (space, limits) = (space(), Limits { flat: 50, ..Limits::default() });
        let open = || Store::open_with(folder.path(), &space, limits);
        let expected = |of: std::ops::Range<i64>| {
            of.filter(|file| *file != 7).map(|file| format!("page {file}")).collect::<Vec<_>>()
        };
        let store = open().await.unwrap();
        put(&store, 0..40, "page").await;
        store.remove_passages(&[FileId(7)]).await.unwrap();
        store.upkeep(Mode::Idle).await.unwrap();
        assert_eq!(texts(&store, 0..60).await, (expected(0..40), 39), "so few are read");
        assert!(files(folder.path()).is_empty());

        put(&store, 40..100, "page").await;
        assert_eq!(texts(&store, 0..100).await, (expected(0..100), 99));
        store.upkeep(Mode::Busy).await.unwrap();
        assert_eq!(texts(&store, 0..100).await, (expected(0..100), 0));
        put(&store, 100..110, "page").await;
        store.upkeep(Mode::Busy).await.unwrap();
        assert_eq!(texts(&store, 0..110).await, (expected(0..110), 10), "so few can wait");
        store.upkeep(Mode::Idle).await.unwrap();
        assert_eq!(texts(&store, 0..110).await, (expected(0..110), 0));
        store.place_passages(&[origin(9, "elsewhere")]).await.unwrap();
        store.upkeep(Mode::Idle).await.unwrap();
        assert_eq!(texts(&store, 0..110).await, (expected(0..110), 0));

        // Who still reads an older version finds what is gone from the file in the database.
        let before = store.snapshot(false).await.unwrap();
        store.remove_passages(&[FileId(12)]).await.unwrap();
        files(folder.path()).iter().for_each(|file| fs::remove_file(file).unwrap());
        store.upkeep(Mode::Idle).await.unwrap();
        let (shelf, ids) =
            (&before.passages.shelf, [12, 13, 12].map(|file| PassageId::new(FileId(file), 0)));
        let rows: Vec<_> = ids[..2].iter().map(|id| shelf.find(*id).unwrap()).collect();
        let (read, missing) = shelf.passages(&rows);
        assert_eq!((read.len(), missing), (1, vec![rows[0]]));
        assert!(shelf.texts().iter().all(|texts| texts.has_file()), "nothing is damaged");
        assert_eq!(store.passages(&ids).await.unwrap().len(), 1);
        put(&store, [12], "page").await;
        store.upkeep(Mode::Idle).await.unwrap();
        assert_eq!(texts(&store, 0..110).await, (expected(0..110), 0));

        let made = files(folder.path());
        let sound: Vec<_> = made.iter().map(|file| fs::read(file).unwrap()).collect();
        for (file, sound) in made.iter().zip(&sound) {
            for at in (0..sound.len()).step_by(sound.len() / 9) {
                let mut changed = sound.clone();
                changed[at] ^= 1;
                fs::write(file, changed).unwrap();
                let store = open().await.unwrap();
                let (read, missing) = texts(&store, 0..110).await;
                assert_eq!(read, expected(0..110), "byte {at}");
                assert!(missing > 0, "byte {at}");
                store.upkeep(Mode::Idle).await.unwrap();
                assert_eq!(texts(&store, 0..110).await, (expected(0..110), 0), "byte {at}");
            }
        }

        let store = open().await.unwrap();
        let most: Vec<_> = (20..110).map(FileId).collect();
        store.remove_passages(&most).await.unwrap();
        store.upkeep(Mode::Idle).await.unwrap();
        assert_eq!(texts(&store, 0..110).await.0, expected(0..20));
        assert!(files(folder.path()).is_empty());
    }

    #[test]
    fn damage_is_an_error_wherever_it_is() {
        let text = |row| passage(row, format!("Title {row}"), "The same words. ".repeat(9), None);
        let passages: BTreeMap<_, _> = (0..20).map(|row| (row, text(row))).collect();
        let sound = written(20, &passages);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("texts");
        for at in 0..sound.len() {
            let mut changed = sound.clone();
            changed[at] ^= 1;
            fs::write(&path, changed).unwrap();
            let mut failed = 0;
            for row in 0..20 {
                match read(&path, 20, &[row]) {
                    Ok(read) => assert_eq!(read, [Some(passages[&row].clone())], "byte {at}"),
                    Err(_) => failed += 1,
                }
            }
            assert!(failed > 0, "byte {at}");
        }
        for length in 0..sound.len() {
            fs::write(&path, &sound[..length]).unwrap();
            assert!(at(&path, 20).is_err(), "{length} bytes");
        }
    }
}
