//! Vectors that were computed once: by the model that made them and the content that
//! they are of. They outlive the index, a switch of models and the folder that a
//! content lay in, and several processes share them.
//!
//! It knows no index and no files, and nothing depends on what it holds: a vector that
//! is not here is computed again. So whatever goes wrong may lose entries, and must
//! never give a wrong one: a kill or a power cut costs the last writes (SQLite's log
//! keeps the file whole), a file that is no database is begun anew, and what does not
//! have length 1 is no vector.
//!
//! Calls are short (a thousand vectors take some milliseconds) and synchronous.

mod numbers;
mod schema;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use rummage_corpus::ContentHash;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};

#[derive(Debug, thiserror::Error)]
#[error("the cache of vectors {} cannot be used: {source}", path.display())]
pub struct CacheError {
    pub path: PathBuf,
    pub source: rusqlite::Error,
}

impl CacheError {
    /// The file makes no sense: nothing but making it anew helps.
    pub fn is_damage(&self) -> bool {
        let code = self.source.sqlite_error_code();
        matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
    }
}

/// The single model that makes vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maker {
    pub fingerprint: String,
    /// For people.
    pub id: String,
    /// Numbers a vector.
    pub dims: u32,
}

/// How often a vector was looked for and found, or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lookups {
    pub hits: u64,
    pub misses: u64,
}

impl Lookups {
    /// Of all that were looked for, how many were found, 0 to 1; `None` where none was.
    pub fn rate(&self) -> Option<f64> {
        let all = self.hits + self.misses;
        (all > 0).then(|| self.hits as f64 / all as f64)
    }

    fn add(&mut self, other: Self) {
        self.hits += other.hits;
        self.misses += other.misses;
    }
}

/// What is kept of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub maker: Maker,
    pub entries: u64,
    /// On the disk, of the entries alone.
    pub bytes: u64,
    /// Of the run that used it last, and of all.
    pub last_run: Lookups,
    pub ever: Lookups,
}

/// So much is kept, the oldest entries making way: five million vectors of the default
/// model.
const MOST_BYTES: u64 = 4 << 30;

/// When it is full, one entry of so many goes besides: not every write is to make room.
const ROOM: u64 = 16;

/// Hashes in one question.
const LIST_LEN: usize = 500;

/// The open cache.
pub struct Cache {
    path: PathBuf,
    most_bytes: u64,
    connection: Mutex<Connection>,
    /// Looked for by this process, as far as it is not written down.
    run: Mutex<HashMap<String, Run>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Run {
    lookups: Lookups,
    /// The run is the last one in the file already.
    is_noted: bool,
}

impl Cache {
    /// Opens the cache in the file at `path`, making it where there is none. A file that
    /// is no database makes way.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        Self::open_with(path, MOST_BYTES)
    }

    fn open_with(path: &Path, most_bytes: u64) -> Result<Self, CacheError> {
        let failed = |source| CacheError { path: path.to_owned(), source };
        let connection = match schema::open(path) {
            Err(error) if is_damage(&error) => {
                // What cannot be removed cannot be opened either, and says so there.
                for end in ["", "-wal", "-shm"] {
                    let _ = fs::remove_file(format!("{}{end}", path.display()));
                }
                schema::open(path)
            }
            opened => opened,
        };
        let connection = Mutex::new(connection.map_err(failed)?);
        Ok(Self { path: path.to_owned(), most_bytes, connection, run: Mutex::default() })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The vectors of these contents, those that are here. They are within 0.0001 of
    /// what was kept.
    pub fn known(
        &self,
        maker: &Maker,
        hashes: &[ContentHash],
    ) -> Result<HashMap<ContentHash, Vec<f32>>, CacheError> {
        let known = self.run(|connection| {
            let mut known = HashMap::new();
            for hashes in hashes.chunks(LIST_LEN) {
                let list = vec!["?"; hashes.len()].join(",");
                let mut select = connection.prepare_cached(&format!(
                    "SELECT hash, vector FROM vectors
                     WHERE model = (SELECT id FROM models WHERE fingerprint = ?) AND hash IN ({list})"
                ))?;
                select.raw_bind_parameter(1, &maker.fingerprint)?;
                for (place, hash) in hashes.iter().enumerate() {
                    select.raw_bind_parameter(place + 2, hash.as_bytes())?;
                }
                let mut rows = select.raw_query();
                while let Some(row) = rows.next()? {
                    let hash = ContentHash::from_bytes(row.get(0)?);
                    let vector = numbers::read(row.get_ref(1)?.as_blob()?, maker.dims as usize);
                    known.extend(vector.map(|vector| (hash, vector)));
                }
            }
            Ok(known)
        })?;
        let hits = known.len() as u64;
        let lookups = Lookups { hits, misses: hashes.len() as u64 - hits };
        self.lookups().entry(maker.fingerprint.clone()).or_default().lookups.add(lookups);
        Ok(known)
    }

    /// Keeps vectors of length 1. One that is here stays as it is.
    pub fn keep<'a>(
        &self,
        maker: &Maker,
        vectors: impl IntoIterator<Item = (ContentHash, &'a [f32])>,
    ) -> Result<(), CacheError> {
        self.write(|transaction| {
            let model = model_of(transaction, maker)?;
            let mut insert = transaction.prepare_cached(
                "INSERT OR IGNORE INTO vectors (model, hash, vector) VALUES (?1, ?2, ?3)",
            )?;
            let mut fresh = 0;
            for (hash, vector) in vectors {
                debug_assert_eq!(vector.len(), maker.dims as usize);
                fresh += insert.execute(params![model, hash.as_bytes(), numbers::write(vector)])?;
            }
            transaction.execute(
                "UPDATE models SET entries = entries + ?2 WHERE id = ?1",
                params![model, fresh as i64],
            )?;
            make_room(transaction, self.most_bytes)
        })?;
        self.note_run()
    }

    /// Writes down what this process has looked for. To be called at its end.
    pub fn note_run(&self) -> Result<(), CacheError> {
        let mut run = self.lookups();
        let unnoted = run.values().any(|run| run.lookups != Lookups::default());
        if !unnoted {
            return Ok(());
        }
        self.write(|transaction| {
            for (fingerprint, run) in run.iter_mut() {
                let Run { lookups, is_noted } = *run;
                // A model of which nothing is kept yet has no row: its misses wait.
                let noted = transaction.execute(
                    "UPDATE models SET hits = hits + ?2, misses = misses + ?3,
                            run_hits = ?2 + run_hits * ?4, run_misses = ?3 + run_misses * ?4
                     WHERE fingerprint = ?1",
                    params![fingerprint, lookups.hits as i64, lookups.misses as i64, is_noted],
                )?;
                if noted > 0 {
                    *run = Run { lookups: Lookups::default(), is_noted: true };
                }
            }
            Ok(())
        })
    }

    /// What is kept of each model, the most used first.
    pub fn kept(&self) -> Result<Vec<Kept>, CacheError> {
        self.note_run()?;
        self.run(|connection| {
            connection
                .prepare(
                    "SELECT fingerprint, name, dims, entries, run_hits, run_misses, hits, misses
                     FROM models ORDER BY hits + misses DESC, name",
                )?
                .query_map([], |row| {
                    let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                    let (dims, entries) = (row.get::<_, u32>(2)?, count(3)?);
                    Ok(Kept {
                        maker: Maker { fingerprint: row.get(0)?, id: row.get(1)?, dims },
                        entries,
                        bytes: entries * schema::bytes_a_vector(dims),
                        last_run: Lookups { hits: count(4)?, misses: count(5)? },
                        ever: Lookups { hits: count(6)?, misses: count(7)? },
                    })
                })?
                .collect()
        })
    }

    /// Forgets all vectors, or those of one model, by its id or fingerprint, and gives
    /// their room back. Returns how many there were.
    pub fn clear(&self, model: Option<&str>) -> Result<u64, CacheError> {
        let cleared = self.write(|transaction| {
            let which = "WHERE ?1 IS NULL OR fingerprint = ?1 OR name = ?1";
            let cleared = transaction.execute(
                &format!("DELETE FROM vectors WHERE model IN (SELECT id FROM models {which})"),
                [model],
            )?;
            transaction.execute(&format!("DELETE FROM models {which}"), [model])?;
            Ok(cleared as u64)
        })?;
        // What is written anew goes through the log, which would stay as large.
        self.run(|connection| {
            connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
        })?;
        Ok(cleared)
    }

    /// All of it on the disk.
    pub fn disk_bytes(&self) -> u64 {
        let size = |end: &str| fs::metadata(format!("{}{end}", self.path.display()));
        ["", "-wal"].iter().filter_map(|end| size(end).ok()).map(|file| file.len()).sum()
    }

    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, CacheError> {
        self.run(|connection| {
            let behavior = rusqlite::TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(behavior)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        })
    }

    fn run<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, CacheError> {
        // A panic while the lock was held rolled its transaction back.
        let mut connection = self.connection.lock().unwrap_or_else(|p| p.into_inner());
        work(&mut connection).map_err(|source| CacheError { path: self.path.clone(), source })
    }

    fn lookups(&self) -> MutexGuard<'_, HashMap<String, Run>> {
        self.run.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// The number of a model, given one where it has none.
fn model_of(transaction: &Transaction<'_>, maker: &Maker) -> rusqlite::Result<i64> {
    let Maker { fingerprint, id, dims } = maker;
    let known = transaction
        .query_row("SELECT id FROM models WHERE fingerprint = ?", [fingerprint], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    transaction.execute(
        "INSERT INTO models (fingerprint, name, dims) VALUES (?1, ?2, ?3)",
        params![fingerprint, id, dims],
    )?;
    Ok(transaction.last_insert_rowid())
}

/// Lets the oldest entries go where there are too many.
fn make_room(transaction: &Transaction<'_>, most_bytes: u64) -> rusqlite::Result<()> {
    let mut sizes = transaction.prepare_cached("SELECT entries, dims FROM models")?;
    let sizes = sizes.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?)))?;
    let (mut entries, mut bytes) = (0, 0);
    for size in sizes {
        let (of_model, dims) = size?;
        entries += of_model.unsigned_abs();
        bytes += of_model.unsigned_abs() * schema::bytes_a_vector(dims);
    }
    if bytes <= most_bytes {
        return Ok(());
    }
    let too_many = entries.saturating_mul(bytes - most_bytes) / bytes;
    transaction.execute(
        "DELETE FROM vectors WHERE id IN (SELECT id FROM vectors ORDER BY id LIMIT ?)",
        [(too_many + entries / ROOM).max(1) as i64],
    )?;
    transaction.execute_batch(
        "UPDATE models SET entries = (SELECT count(*) FROM vectors WHERE model = models.id)",
    )
}

fn is_damage(error: &rusqlite::Error) -> bool {
    let damage = [ErrorCode::DatabaseCorrupt, ErrorCode::NotADatabase];
    error.sqlite_error_code().is_some_and(|code| damage.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maker(id: &str) -> Maker {
        Maker { fingerprint: format!("{id}-fingerprint"), id: id.to_owned(), dims: 2 }
    }

    fn hash(number: u32) -> ContentHash {
        ContentHash::of(&number.to_le_bytes())
    }

    /// The unit vector at this angle.
    fn vector(angle: u32) -> Vec<f32> {
        let angle = f64::from(angle);
        vec![angle.cos() as f32, angle.sin() as f32]
    }

    fn keep(cache: &Cache, maker: &Maker, numbers: std::ops::Range<u32>) {
        let vectors: Vec<_> = numbers.map(|number| (hash(number), vector(number))).collect();
        cache.keep(maker, vectors.iter().map(|(hash, vector)| (*hash, vector.as_slice()))).unwrap();
    }

    fn known(cache: &Cache, maker: &Maker, numbers: std::ops::Range<u32>) -> Vec<u32> {
        let hashes: Vec<_> = numbers.clone().map(hash).collect();
        let known = cache.known(maker, &hashes).unwrap();
        for (number, hash) in numbers.clone().zip(&hashes) {
            let Some(found) = known.get(hash) else { continue };
            for (a, b) in found.iter().zip(vector(number)) {
                assert!((a - b).abs() < 1e-4, "{number}: {found:?}");
            }
        }
        numbers.zip(hashes).filter(|(_, hash)| known.contains_key(hash)).map(|(n, _)| n).collect()
    }

    #[test]
    fn what_was_kept_is_known_to_its_model_alone_and_to_later_runs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vectors.sqlite");
        let (a, b) = (maker("a"), maker("b"));
        let cache = Cache::open(&path).unwrap();
        keep(&cache, &a, 0..1200);
        keep(&cache, &a, 1190..1210);
        assert_eq!(known(&cache, &a, 1195..1220), (1195..1210).collect::<Vec<_>>());
        assert!(known(&cache, &b, 0..10).is_empty());
        drop(cache);
        let cache = Cache::open(&path).unwrap();
        assert_eq!(known(&cache, &a, 0..1210).len(), 1210);
        let kept = cache.kept().unwrap();
        assert_eq!((kept.len(), kept[0].entries), (1, 1210));
    }

    #[test]
    fn another_process_may_write_at_the_same_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vectors.sqlite");
        std::thread::scope(|scope| {
            for part in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let cache = Cache::open(path).unwrap();
                    for step in 0..20 {
                        let start = part * 1000 + step * 10;
                        keep(&cache, &maker("a"), start..start + 10);
                    }
                });
            }
        });
        let cache = Cache::open(&path).unwrap();
        assert_eq!(known(&cache, &maker("a"), 0..4000).len(), 800);
        assert_eq!(cache.kept().unwrap()[0].entries, 800);
    }

    #[test]
    fn lookups_are_counted_for_the_run_and_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vectors.sqlite");
        let a = maker("a");
        let cache = Cache::open(&path).unwrap();
        known(&cache, &a, 0..10);
        keep(&cache, &a, 0..10);
        known(&cache, &a, 5..15);
        let first = cache.kept().unwrap().remove(0);
        assert_eq!(first.last_run, Lookups { hits: 5, misses: 15 });
        assert_eq!(first.ever, first.last_run);
        drop(cache);
        let cache = Cache::open(&path).unwrap();
        known(&cache, &a, 0..4);
        known(&cache, &a, 0..4);
        cache.note_run().unwrap();
        let second = cache.kept().unwrap().remove(0);
        assert_eq!(second.last_run, Lookups { hits: 8, misses: 0 });
        assert_eq!(second.ever, Lookups { hits: 13, misses: 15 });
        assert_eq!(second.last_run.rate(), Some(1.0));
    }

    #[test]
    fn clearing_takes_all_or_one_model_and_gives_its_room_back() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(&dir.path().join("vectors.sqlite")).unwrap();
        let (a, b) = (maker("a"), maker("b"));
        keep(&cache, &a, 0..2000);
        keep(&cache, &b, 0..10);
        let before = cache.disk_bytes();
        assert_eq!(cache.clear(Some("a")).unwrap(), 2000);
        assert!(known(&cache, &a, 0..10).is_empty());
        assert_eq!(known(&cache, &b, 0..10).len(), 10);
        assert!(cache.disk_bytes() < before);
        assert_eq!(cache.clear(None).unwrap(), 10);
        assert!(cache.kept().unwrap().is_empty());
    }

    #[test]
    fn the_oldest_make_way_where_it_is_full() {
        let dir = tempfile::tempdir().unwrap();
        let most = 100 * schema::bytes_a_vector(2);
        let cache = Cache::open_with(&dir.path().join("vectors.sqlite"), most).unwrap();
        for start in (0..200).step_by(10) {
            keep(&cache, &maker("a"), start..start + 10);
        }
        let left = known(&cache, &maker("a"), 0..200);
        assert!((80..=100).contains(&left.len()), "{}", left.len());
        assert_eq!(left.last(), Some(&199));
        assert_eq!(cache.kept().unwrap()[0].entries, left.len() as u64);
    }

    #[test]
    fn a_file_that_is_no_database_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vectors.sqlite");
        fs::write(&path, "no database, ".repeat(1000)).unwrap();
        let cache = Cache::open(&path).unwrap();
        keep(&cache, &maker("a"), 0..5);
        assert_eq!(known(&cache, &maker("a"), 0..5).len(), 5);
    }

    #[test]
    fn what_has_not_length_one_is_no_vector() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(&dir.path().join("vectors.sqlite")).unwrap();
        let a = maker("a");
        cache.keep(&a, [(hash(1), [0.1, 0.1].as_slice()), (hash(2), &[0.6, 0.8])]).unwrap();
        let known = cache.known(&a, &[hash(1), hash(2)]).unwrap();
        assert!(!known.contains_key(&hash(1)) && known.contains_key(&hash(2)));
        // Of another length than the model's.
        let longer = Maker { dims: 3, ..a };
        assert!(cache.known(&longer, &[hash(2)]).unwrap().is_empty());
    }
}
