//! The words that passages hold, or once held: what a query's word may be meant for
//! where none of them is it. Words of passages that have left stay at first; when a
//! folder is no longer followed, all are taken down anew, so that nothing of it is kept.

use std::{
    collections::{BTreeSet, HashSet},
    hash::BuildHasher,
};

use rusqlite::{Connection, Transaction, params};

use crate::{
    Catalog, CatalogError,
    slip::{EXPANSIONS, Instead, LOOKED_AT, MENDED, QueryWord, completions, meant_by, slips},
};

/// Words remembered as taken down, so that each is written once. Past so many,
/// remembering begins anew.
const REMEMBERED: usize = 1_000_000;

/// Letters from which on a word is looked for at the end of compounds (as German has
/// them).
const ENDS_COMPOUNDS: usize = 5;

pub(crate) const TABLE: &str = "
CREATE TABLE vocabulary (
    word     TEXT PRIMARY KEY,
    reversed TEXT                       -- of a word that is long enough for a compound
) WITHOUT ROWID;
CREATE INDEX vocabulary_reversed ON vocabulary (reversed) WHERE reversed IS NOT NULL;
";

/// The words that this process has taken down, by their hashes.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    hasher: std::hash::RandomState,
    hashes: HashSet<u64>,
}

impl Remembered {
    fn takes(&mut self, word: &str) -> bool {
        if self.hashes.len() >= REMEMBERED {
            self.hashes.clear();
        }
        self.hashes.insert(self.hasher.hash_one(word))
    }
}

/// Notes that the vocabulary holds words that must go.
pub(crate) fn outdate(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let noted = "INSERT OR REPLACE INTO meta VALUES (?1, 'outdated')";
    transaction.execute(noted, [KEY]).map(drop)
}

const KEY: &str = "vocabulary";

impl Catalog {
    pub fn vocabulary_is_outdated(&self) -> Result<bool, CatalogError> {
        self.read(|connection| {
            connection.prepare_cached("SELECT 1 FROM meta WHERE key = ?")?.exists([KEY])
        })
    }

    /// Drops all words, for those that there are to be learned anew;
    /// [`Catalog::vocabulary_is_whole`] is to be told after that.
    pub fn unlearn(&self) -> Result<(), CatalogError> {
        let mut remembered =
            self.remembered.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        remembered.hashes.clear();
        self.write(|transaction| transaction.execute("DELETE FROM vocabulary", []).map(drop))
    }

    pub fn vocabulary_is_whole(&self) -> Result<(), CatalogError> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM meta WHERE key = ?", [KEY]).map(drop)
        })
    }

    /// Takes down words as `corpus::words` makes them. To be told before the passages
    /// that hold them count as found by their words.
    pub fn learn(&self, words: impl Iterator<Item = String>) -> Result<(), CatalogError> {
        let mut remembered =
            self.remembered.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let fresh: Vec<String> = words.filter(|word| remembered.takes(word)).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let learned = self.write(|transaction| {
            let mut insert =
                transaction.prepare_cached("INSERT OR IGNORE INTO vocabulary VALUES (?1, ?2)")?;
            fresh
                .iter()
                .try_for_each(|word| insert.execute(params![word, reversed(word)]).map(drop))
        });
        if learned.is_err() {
            remembered.hashes.clear();
        }
        learned
    }

    /// Whether a passage holds this word, or did.
    pub fn is_known(&self, word: &str) -> Result<bool, CatalogError> {
        self.read(|connection| is_known(connection, word))
    }

    /// The words to look for instead of one that no passage holds: those that begin
    /// with it, else those that differ by one slip, else those that end with it. A stem is
    /// not enough to tell: what is not all typed yet, or has a slip near its end, has
    /// another one. So the word as it was typed is tried with other ends, and with slips there.
    pub fn instead_of(&self, asked: &QueryWord) -> Result<Instead, CatalogError> {
        let QueryWord { typed, stem: word, may_be_part, may_be_slip } = asked;
        self.read(|connection| {
            let begin = |start: &str, limit, take: &mut dyn FnMut(&str)| {
                each_beginning_with(connection, WORDS, start, limit, take)
            };
            let Instead { words: mut others, mut by_slip } = meant_by(asked, begin)?;
            let is_word = typed.chars().count() >= MENDED && typed.chars().all(char::is_alphabetic);
            if others.is_empty() && is_word {
                let letters = word.chars().count().saturating_sub(ENDS_WITHIN).max(BEGINS_WITH);
                let start: String = word.chars().take(letters).collect();
                let mut known = HashSet::new();
                begin(&start, LOOKED_AT, &mut |word| {
                    known.insert(word.to_owned());
                })?;
                // Nothing is tried where no word begins so.
                if !known.is_empty() {
                    if *may_be_part {
                        others = known_of(&known, completions(typed));
                    }
                    if others.is_empty() && *may_be_slip {
                        others = known_of(&known, slips(typed).into_iter());
                        by_slip = !others.is_empty();
                    }
                }
            }
            let may_end = *may_be_part && word.chars().count() >= ENDS_COMPOUNDS;
            if others.is_empty() && may_end {
                let end: String = word.chars().rev().collect();
                each_beginning_with(connection, REVERSED, &end, EXPANSIONS, &mut |word| {
                    others.push(word.chars().rev().collect());
                })?;
            }
            Ok(Instead { words: others, by_slip })
        })
    }
}

/// Letters before a word's end, in which the stem of what was meant may differ, and of its
/// beginning, which is the same.
const ENDS_WITHIN: usize = 7;
const BEGINS_WITH: usize = 3;

/// The stems of these words that are known.
fn known_of(known: &HashSet<String>, words: impl Iterator<Item = String>) -> Vec<String> {
    // One that is written without spaces has many stems, and they tell nothing here.
    let stem = |word: String| match rummage_corpus::words(&word).as_slice() {
        [word] => known.get(&word.stem).cloned(),
        _ => None,
    };
    let stems: BTreeSet<_> = words.filter_map(stem).collect();
    stems.into_iter().take(EXPANSIONS).collect()
}

pub(crate) fn is_known(connection: &Connection, word: &str) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM vocabulary WHERE word = ?")?.exists([word])
}

/// Of letters alone: numbers end in anything.
fn reversed(word: &str) -> Option<String> {
    let is_long = word.chars().count() > ENDS_COMPOUNDS + 2;
    (is_long && word.chars().all(char::is_alphabetic)).then(|| word.chars().rev().collect())
}

const WORDS: &str =
    "SELECT word FROM vocabulary WHERE word >= ?1 AND word < ?2 ORDER BY word LIMIT ?3";
const REVERSED: &str = "SELECT reversed FROM vocabulary
     WHERE reversed >= ?1 AND reversed < ?2 ORDER BY reversed LIMIT ?3";

/// Up to so many words that begin so, as this query selects them.
pub(crate) fn each_beginning_with(
    connection: &Connection,
    select: &str,
    start: &str,
    limit: usize,
    take: &mut dyn FnMut(&str),
) -> rusqlite::Result<()> {
    let end = format!("{start}{}", char::MAX);
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query(params![start, end, limit as i64])?;
    while let Some(row) = rows.next()? {
        take(row.get_ref(0)?.as_str()?);
    }
    Ok(())
}
