//! Which rows of a shelf hold which words.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lance::{Dataset, dataset::fragment::FileFragment, table::format::Fragment};

use super::{Bits, Block, Files, Shelf, each_batch, parts};
use crate::{
    Mode, Store, StoreError,
    beside::{Fresh, Kind},
    blocking,
    bm25::{self, Part, Wanted},
    postings::{Builder, Postings, Share, Writer},
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
    postings: Mutex<Option<Arc<Postings>>>,
}

impl RowWords {
    /// Of a fragment of this table. Whether there is a file is not looked at.
    pub fn of(table: &Table, fragment: &FileFragment) -> Option<Self> {
        let path = Kind::Words.path(table, fragment, TERMS)?;
        let rows = fragment.metadata().physical_rows?;
        Some(Self { path, rows, postings: Mutex::default() })
    }

    fn postings(&self) -> MutexGuard<'_, Option<Arc<Postings>>> {
        self.postings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of the file. Blocks on the disk.
    fn open(&self) -> Option<Arc<Postings>> {
        let opened = Postings::open(&self.path).ok()?;
        (opened.rows() == self.rows).then(|| Arc::new(opened))
    }

    /// Blocks on the disk.
    fn get(&self) -> Option<Arc<Postings>> {
        let mut postings = self.postings();
        if postings.is_none() {
            *postings = self.open();
        }
        postings.clone()
    }

    /// Takes those of a file that has come since. Whether there are any then, be it in
    /// memory. Blocks on the disk.
    fn look(&self) -> bool {
        let mut postings = self.postings();
        if postings.as_ref().is_none_or(|of| of.is_in_memory()) {
            *postings = self.open().or(postings.take());
        }
        postings.is_some()
    }

    fn is_damaged(&self) -> bool {
        self.postings().as_ref().is_some_and(|of| of.is_damaged())
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
        let postings = |block: &Block| block.words.as_ref()?.get();
        let postings: Option<Vec<_>> = self.blocks.iter().map(postings).collect();
        let postings = postings.ok_or(io::ErrorKind::NotFound)?;
        let part = |(number, postings): (usize, _)| {
            let wanted = wanted.map(|wanted| &wanted[number]);
            Part { postings, deleted: &self.blocks[number].deleted, wanted }
        };
        let parts: Vec<_> = postings.iter().map(|of| &**of).enumerate().map(part).collect();
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

    /// Words whose files could not be read, as far as questions have met them.
    pub fn damaged_words(&self) -> Vec<Arc<RowWords>> {
        let words = self.blocks.iter().filter_map(|block| block.words.clone());
        words.filter(|words| words.is_damaged()).collect()
    }

    /// Reads the words that no file holds, if those are of so few rows as this.
    pub(super) async fn take_words(
        &self,
        table: &Table,
        dataset: &Dataset,
        fresh: usize,
    ) -> Result<(), StoreError> {
        let words = |block: &Block| Some((block.fragment, block.words.clone()?));
        let words: Vec<_> = self.blocks.iter().filter_map(words).collect();
        let missing = blocking(move || {
            let missing = words.into_iter().filter(|(_, words)| !words.look());
            missing.collect::<BTreeMap<_, _>>()
        });
        let missing = missing.await;
        let rows: usize = missing.values().map(|words| words.rows).sum();
        if missing.is_empty() || rows > fresh {
            return Ok(());
        }
        let fragments = dataset.fragments().iter();
        let fragments = fragments.filter(|fragment| missing.contains_key(&(fragment.id as u32)));
        let mut read = read(table, dataset, fragments.cloned().collect(), Share::default()).await?;
        blocking(move || {
            for (fragment, words) in missing {
                let built = read.remove(&fragment).unwrap_or_default().finish(words.rows);
                *words.postings() = built.ok().map(Arc::new);
            }
        })
        .await;
        Ok(())
    }
}

impl Store {
    /// Makes the files of words that are missing, if that is due, and removes those that
    /// nothing needs; all of them where there are few passages. One that fails keeps no
    /// other from being made.
    pub(crate) async fn keep_words(&self, mode: Mode) -> Result<(), StoreError> {
        let (table, fresh) = (&self.inner.passages, self.inner.limits.words_fresh);
        let dataset = table.dataset().await?;
        let of = |fragment: FileFragment| Some((RowWords::of(table, &fragment)?, fragment));
        let all: Vec<_> = dataset.get_fragments().into_iter().filter_map(of).collect();
        let rows: usize = all.iter().map(|(words, _)| words.rows).sum();
        if rows <= fresh {
            return Kind::Words.keep_only(&table.path, &HashSet::new());
        }
        let damaged = self.inner.snapshots.damaged_words();
        let (all, missing) = {
            let damaged: Vec<_> = damaged.iter().map(|words| words.path.clone()).collect();
            blocking(move || {
                let is_missing = |words: &RowWords| !words.look() || damaged.contains(&words.path);
                let missing = (0..all.len()).filter(|place| is_missing(&all[*place].0));
                let missing: Vec<_> = missing.collect();
                (all, missing)
            })
            .await
        };
        let rows: usize = missing.iter().map(|place| all[*place].0.rows).sum();
        let mut made = Ok(());
        if rows > fresh || (rows > 0 && mode == Mode::Idle) {
            // A file lacks the rows that are gone: they must not come back.
            self.sync().await?;
            for (words, fragment) in missing.iter().map(|place| &all[*place]) {
                made = made.and(words.write(table, &dataset, fragment).await);
            }
            // They are opened anew.
            damaged.iter().for_each(|words| *words.postings() = None);
        }
        let needed = all.iter().map(|(words, _)| words.path.clone()).collect();
        made.and(Kind::Words.keep_only(&table.path, &needed))
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
        // Where there are too many different words, four times as many shares are tried.
        for bits in [0, 2, 4, 6, 8] {
            if self.write_shares(table, dataset, fragment, bits).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether no share was too large.
    async fn write_shares(
        &self,
        table: &Table,
        dataset: &Dataset,
        fragment: &FileFragment,
        bits: u32,
    ) -> Result<bool, StoreError> {
        let mut fresh = Fresh::begin(self.path.clone())?;
        let mut writer = Writer::new(self.rows);
        let fragment = fragment.metadata();
        for share in Share::all(bits) {
            let mut read = read(table, dataset, vec![fragment.clone()], share).await?;
            let share = read.remove(&(fragment.id as u32)).unwrap_or_else(|| Builder::of(share));
            if share.is_over_full() {
                return Ok(false);
            }
            // Seconds of packing, beside everything else.
            let written = blocking(move || {
                let written = fresh.write(|file| writer.add(share, file));
                written.map(|()| (fresh, writer))
            });
            (fresh, writer) = written.await?;
        }
        blocking(move || {
            fresh.write(|file| writer.finish(file))?;
            fresh.finish()
        })
        .await?;
        Ok(true)
    }
}

/// This share of the words of these fragments' living rows, by the fragments' numbers.
async fn read(
    table: &Table,
    dataset: &Dataset,
    fragments: Vec<Fragment>,
    share: Share,
) -> Result<BTreeMap<u32, Builder>, StoreError> {
    let mut read: BTreeMap<u32, Builder> = BTreeMap::new();
    let mut scan = dataset.scan();
    scan.with_fragments(fragments);
    each_batch(table, &mut scan, &[TERMS], |columns| {
        let words = columns.strings(TERMS)?;
        for (address, words) in columns.addresses()?.iter().zip(words.iter()) {
            let (fragment, offset) = parts(*address);
            let builder = read.entry(fragment).or_insert_with(|| Builder::of(share));
            builder.add(offset, words.unwrap_or_default());
        }
        Ok(())
    })
    .await?;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rummage_corpus::{ContentHash, FileId, Passage, SourcePath, Span, query_words};
    use tempfile::TempDir;

    use super::*;
    use crate::{Filter, Limits, Origin, PassageRow, VectorSpace, Words, postings::key};

    /// Passages whose words are read before files of them are made.
    const FRESH: usize = 20;

    async fn open(folder: &TempDir) -> Store {
        let space = VectorSpace { fingerprint: "a-model".to_owned(), dims: 4 };
        let limits = Limits { words_fresh: FRESH, ..Limits::default() };
        Store::open_with(folder.path(), &space, limits).await.unwrap()
    }

    fn origin(file: i64, folder: &str) -> Origin {
        Origin::new(FileId(file), &SourcePath::new(format!("/{folder}/{file}.txt")), file)
    }

    /// One passage a file.
    async fn put(store: &Store, files: impl IntoIterator<Item = i64>, text: &str) {
        let row = |file| {
            let text = format!("{text} {file}");
            let span = Span::new(0, text.len());
            let (context, hash) = (String::new(), ContentHash::of(text.as_bytes()));
            let passage = Passage { ordinal: 0, span, text, context, page: None, hash };
            PassageRow { origin: origin(file, "notes"), passage }
        };
        let rows: Vec<_> = files.into_iter().map(row).collect();
        let files: Vec<_> = rows.iter().map(|row| row.origin.file).collect();
        store.replace_passages(&files, &rows).await.unwrap();
    }

    fn files_of(mut files: Vec<i64>) -> Vec<i64> {
        files.sort_unstable();
        files
    }

    /// Which files the lists find, without the database's help.
    async fn found(store: &Store, word: &str) -> io::Result<Vec<i64>> {
        let snapshot = store.snapshot(false).await.unwrap();
        let shelf = &snapshot.passages.shelf;
        let asked = [Wanted { key: key(&query_words(word)[0].stem), weight: 1.0 }];
        let hits = shelf.best_by_words(&asked, None, 1000)?;
        let file = |(address, _)| shelf.id(shelf.at(address).unwrap()).file().0;
        Ok(files_of(hits.into_iter().map(file).collect()))
    }

    /// Which files a question finds, by whatever way.
    async fn asked(store: &Store, word: &str) -> Vec<i64> {
        let words = Words { any: word.to_owned(), ..Words::default() };
        let hits = store.keyword(&words, &Filter::default(), 1000).await.unwrap();
        files_of(hits.into_iter().map(|hit| hit.id.file().0).collect())
    }

    fn files(folder: &TempDir) -> Vec<PathBuf> {
        let files = fs::read_dir(folder.path().join("passages.words"));
        let files = files.into_iter().flatten().map(|file| file.unwrap().path());
        files.collect()
    }

    #[tokio::test]
    async fn lists_answer_whatever_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        assert!(found(&store, "page").await.unwrap().is_empty());
        put(&store, 0..10, "page").await;
        assert_eq!(found(&store, "page").await.unwrap(), (0..10).collect::<Vec<_>>());
        assert_eq!(found(&store, "7").await.unwrap(), [7]);
        store.upkeep(Mode::Busy).await.unwrap();
        assert_eq!(files(&folder).len(), 0, "so few are read");

        put(&store, 10..60, "page").await;
        assert!(found(&store, "page").await.is_err(), "so many are left to the database");
        assert_eq!(asked(&store, "page").await.len(), 60);
        store.upkeep(Mode::Busy).await.unwrap();
        assert!(!files(&folder).is_empty());
        assert_eq!(found(&store, "page").await.unwrap(), (0..60).collect::<Vec<_>>());

        put(&store, [3, 70], "sheet").await;
        store.remove_passages(&[FileId(5)]).await.unwrap();
        let pages: Vec<_> = (0..60).filter(|file| ![3, 5].contains(file)).collect();
        assert_eq!(found(&store, "page").await.unwrap(), pages);
        assert_eq!(found(&store, "sheet").await.unwrap(), [3, 70]);

        store.place_passages(&[origin(7, "elsewhere")]).await.unwrap();
        assert_eq!(found(&store, "page").await.unwrap(), pages);
        store.upkeep(Mode::Idle).await.unwrap();
        assert_eq!(found(&store, "page").await.unwrap(), pages);
        assert_eq!(found(&store, "sheet").await.unwrap(), [3, 70]);
        drop(store);
        assert_eq!(found(&open(&folder).await, "page").await.unwrap(), pages);
    }

    #[tokio::test]
    async fn damaged_files_are_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        put(&store, 0..100, "page").await;
        store.upkeep(Mode::Idle).await.unwrap();
        let pages: Vec<_> = (0..100).collect();
        let [file] = &files(&folder)[..] else { panic!("one fragment") };
        let bytes = fs::read(file).unwrap();
        for at in (0..bytes.len()).step_by(bytes.len() / 30) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(file, changed).unwrap();
            // One that has nothing in memory.
            let store = open(&folder).await;
            for word in (0..100).map(|file| file.to_string()).chain(["page".to_owned()]) {
                let expected = word.parse().map_or(pages.clone(), |file| vec![file]);
                assert_eq!(asked(&store, &word).await, expected, "byte {at}");
            }
            store.upkeep(Mode::Idle).await.unwrap();
            assert!(fs::read(file).unwrap() == bytes, "byte {at}");
            assert!(store.inner.snapshots.damaged_words().is_empty());
            assert_eq!(found(&store, "page").await.unwrap(), pages, "byte {at}");
        }
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_made_keeps_no_other_from_being_made() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        put(&store, 0..100, "page").await;
        put(&store, 100..200, "page").await;
        store.upkeep(Mode::Busy).await.unwrap();
        let made = files(&folder);
        assert_eq!(made.len(), 2);
        for (blocked, other) in [(0, 1), (1, 0)] {
            made.iter().for_each(|file| fs::remove_file(file).unwrap());
            let in_the_way = made[blocked].with_extension("fresh");
            fs::create_dir(&in_the_way).unwrap();
            store.upkeep(Mode::Busy).await.unwrap();
            assert!(made[other].is_file() && !made[blocked].exists());
            assert_eq!(asked(&store, "page").await.len(), 200);
            fs::remove_dir(&in_the_way).unwrap();
            store.upkeep(Mode::Busy).await.unwrap();
            assert!(made[blocked].is_file());
        }
    }

    /// Rows whose removal no disk holds may come back: a file must not lack their words.
    #[tokio::test]
    async fn what_is_rolled_back_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        put(&store, 0..100, "page").await;
        store.sync().await.unwrap();
        store.remove_passages(&[FileId(7)]).await.unwrap();
        store.keep_words(Mode::Idle).await.unwrap();
        drop(store);
        let store = open(&folder).await;
        let rows = store.count_passages().await.unwrap();
        assert_eq!(found(&store, "page").await.unwrap().len(), rows);
    }
}
