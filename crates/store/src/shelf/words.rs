//! Which rows of a shelf hold which words.

use std::{
    collections::BTreeMap,
    io,
    ops::ControlFlow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lance::{Dataset, dataset::fragment::FileFragment, table::format::Fragment};

use super::{Bits, Block, Files, Shelf, each_batch, parts};
use crate::{
    Limits, Store, StoreError,
    beside::{Beside, FragmentFile, Fresh, Kind},
    blocking,
    bm25::{self, Part, Wanted},
    postings::{Builder, Postings, Share, Writer},
    rows::TERMS,
    table::Table,
};

/// Words are gathered in 2 to the power of so many shares at most: enough for any text.
const MOST_BITS: u32 = 8;

/// The words of a fragment's rows: in a file beside the table or, of those that were
/// written last, in memory.
#[derive(Debug)]
pub(crate) struct RowWords {
    beside: FragmentFile,
    asked: Mutex<Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    /// A file is opened when it is first asked.
    postings: Option<Arc<Postings>>,
    /// Whether the file could not be read. It may have been made anew since.
    damaged: bool,
}

impl RowWords {
    /// Of a fragment of this table. Whether there is a file is not looked at.
    pub fn of(table: &Table, fragment: &FileFragment) -> Option<Self> {
        let beside = FragmentFile::of(Kind::Words, table, fragment, TERMS)?;
        Some(Self { beside, asked: Mutex::default() })
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of the file. Blocks on the disk.
    fn open(&self) -> Option<Arc<Postings>> {
        let opened = Postings::open(&self.beside.path).ok()?;
        (opened.rows() == self.beside.rows).then(|| Arc::new(opened))
    }

    /// Blocks on the disk.
    fn get(&self) -> Option<Arc<Postings>> {
        let mut asked = self.asked();
        if asked.postings.is_none() {
            asked.postings = self.open();
        }
        asked.postings.clone()
    }

    /// Takes those of a file that has come since. Whether there are any then, be it in
    /// memory. Blocks on the disk.
    fn look(&self) -> bool {
        let mut asked = self.asked();
        if asked.postings.as_ref().is_none_or(|of| of.is_in_memory()) {
            asked.postings = self.open().or(asked.postings.take());
        }
        asked.postings.is_some()
    }

    /// Lets go of a file that turned out to be damaged.
    fn give_up(&self) {
        let mut asked = self.asked();
        if asked.postings.as_ref().is_some_and(|of| of.is_damaged()) {
            *asked = Asked { postings: None, damaged: true };
        }
    }
}

impl Shelf {
    /// Up to `limit` living rows that match the words best, best first: addresses and
    /// scores. Blocks on the disk.
    ///
    /// # Errors
    /// The words of some rows are neither in a file nor in memory, or a file is damaged.
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
        let hits = bm25::best(&parts, asked, limit);
        if hits.is_err() {
            self.blocks.iter().filter_map(|block| block.words.as_ref()).for_each(|of| of.give_up());
        }
        let address =
            |part: usize, row| u64::from(self.blocks[part].fragment) << 32 | u64::from(row);
        Ok(hits?.into_iter().map(|(part, row, score)| (address(part, row), score)).collect())
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

    /// Those of all its fragments.
    pub fn words(&self) -> Vec<Arc<RowWords>> {
        self.blocks.iter().filter_map(|block| block.words.clone()).collect()
    }

    /// Reads the words that no file holds, if those are of few rows.
    pub(super) async fn take_words(
        &self,
        table: &Table,
        dataset: &Dataset,
        limits: Limits,
    ) -> Result<(), StoreError> {
        let words = |block: &Block| Some((block.fragment, block.words.clone()?));
        let words: Vec<_> = self.blocks.iter().filter_map(words).collect();
        let missing = blocking(move || {
            let missing = words.into_iter().filter(|(_, words)| !words.look());
            missing.collect::<BTreeMap<_, _>>()
        });
        let missing = missing.await;
        let rows: usize = missing.values().map(|words| words.beside.rows).sum();
        if missing.is_empty() || rows > limits.words_fresh {
            return Ok(());
        }
        let fragments = dataset.fragments().iter();
        let fragments = fragments.filter(|fragment| missing.contains_key(&(fragment.id as u32)));
        let builder = move || Builder::new(Share::default(), limits.words_gathered);
        let read = read(table, dataset, fragments.cloned().collect(), builder).await?;
        let Some(mut read) = read else { return Ok(()) };
        blocking(move || {
            for (fragment, words) in missing {
                let built =
                    read.remove(&fragment).unwrap_or_else(builder).finish(words.beside.rows);
                words.asked().postings = built.ok().map(Arc::new);
            }
        })
        .await;
        Ok(())
    }
}

impl Beside for RowWords {
    fn beside(&self) -> &FragmentFile {
        &self.beside
    }

    fn has_file(&self) -> bool {
        self.look();
        let asked = self.asked();
        let is_open = asked.postings.as_ref().is_some_and(|of| !of.is_in_memory());
        // One that is open may have been removed.
        is_open && !asked.damaged && self.beside.path.exists()
    }

    async fn write(
        &self,
        store: &Store,
        dataset: &Dataset,
        fragment: &FileFragment,
    ) -> Result<(), StoreError> {
        let (table, most) = (&store.inner.passages, store.inner.limits.words_gathered);
        // As few shares as will do: for each, all rows are read.
        for bits in 0..=MOST_BITS {
            if self.write_shares(table, dataset, fragment, bits, most).await? {
                *self.asked() = Asked::default();
                return Ok(());
            }
        }
        let source = io::Error::other("there are too many different words");
        Err(StoreError::Sync { path: self.beside.path.clone(), source })
    }
}

impl RowWords {
    /// Whether no share had more different words than `most`.
    async fn write_shares(
        &self,
        table: &Table,
        dataset: &Dataset,
        fragment: &FileFragment,
        bits: u32,
        most: usize,
    ) -> Result<bool, StoreError> {
        let mut fresh = Fresh::begin(self.beside.path.clone())?;
        let mut writer = Writer::new(self.beside.rows);
        let fragment = fragment.metadata();
        for share in Share::all(bits) {
            let builder = || Builder::new(share, most);
            let read = read(table, dataset, vec![fragment.clone()], builder).await?;
            let Some(mut read) = read else { return Ok(false) };
            let share = read.remove(&(fragment.id as u32)).unwrap_or_else(builder);
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

/// Words of the fragments' living rows, by the fragments' numbers; `None` once one of them
/// has too many different ones for its builder.
async fn read(
    table: &Table,
    dataset: &Dataset,
    fragments: Vec<Fragment>,
    builder: impl Fn() -> Builder,
) -> Result<Option<BTreeMap<u32, Builder>>, StoreError> {
    let mut read: BTreeMap<u32, Builder> = BTreeMap::new();
    let mut scan = dataset.scan();
    scan.with_fragments(fragments);
    each_batch(table, &mut scan, &[TERMS], |columns| {
        let words = columns.strings(TERMS)?;
        for (address, words) in columns.addresses()?.iter().zip(words.iter()) {
            let (fragment, offset) = parts(*address);
            let builder = read.entry(fragment).or_insert_with(&builder);
            builder.add(offset, words.unwrap_or_default());
            if builder.is_over_full() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    Ok((!read.values().any(Builder::is_over_full)).then_some(read))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use rummage_corpus::{FileId, query_words};
    use tempfile::TempDir;

    use super::*;
    use crate::{
        Filter, Mode, Words,
        postings::key,
        trial::{origin, put, space},
    };

    /// Passages whose words are read before files of them are made.
    const FRESH: usize = 20;
    /// So few that files are made in several shares.
    const GATHERED: usize = 30;

    async fn open(folder: &TempDir) -> Store {
        let limits = Limits { words_fresh: FRESH, words_gathered: GATHERED, ..Limits::default() };
        Store::open_with(folder.path(), &space(), limits).await.unwrap()
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
    async fn words_that_are_not_all_are_not_asked() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        put(&store, 0..5, "page").await;
        let many: Vec<_> = (0..=GATHERED).map(|number| number.to_string()).collect();
        put(&store, [5], &many.join(" ")).await;
        put(&store, 6..8, "page").await;
        assert!(found(&store, "page").await.is_err());
        assert_eq!(asked(&store, "page").await, [0, 1, 2, 3, 4, 6, 7]);
        assert_eq!(asked(&store, "17").await, [5]);
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
            // One that has nothing in memory, and one that only reads.
            let store = open(&folder).await;
            let reader = Store::open_existing(folder.path(), &space()).await.unwrap().unwrap();
            for word in (0..100).map(|file| file.to_string()).chain(["page".to_owned()]) {
                let expected = word.parse().map_or(pages.clone(), |file| vec![file]);
                assert_eq!(asked(&store, &word).await, expected, "byte {at}");
                assert_eq!(asked(&reader, &word).await, expected, "byte {at}");
            }
            store.upkeep(Mode::Idle).await.unwrap();
            assert!(fs::read(file).unwrap() == bytes, "byte {at}");
            assert!(
                store
                    .inner
                    .snapshots
                    .of_passages(Shelf::words)
                    .iter()
                    .all(|words| words.has_file())
            );
            assert_eq!(found(&store, "page").await.unwrap(), pages, "byte {at}");
            assert_eq!(found(&reader, "page").await.unwrap(), pages, "byte {at}");
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
}
