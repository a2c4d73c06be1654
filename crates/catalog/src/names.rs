//! Files by the words of their names: of the file's own and of the folder it lies
//! in. An index of SQLite's own (FTS5) that triggers keep true; what a word is,
//! `corpus` says.

use std::collections::{HashMap, HashSet};

use rummage_corpus::{ANALYSIS, FileId, SourcePath, query_words, words};
use rusqlite::{Connection, OptionalExtension, functions::FunctionFlags, params};

use crate::{
    Catalog, CatalogError,
    queue::path_at,
    slip::{QueryWord, meant_by},
    vocabulary,
};

/// A word of more files' names than this finds none of them by itself: it would
/// name half of the disk, and sorting them would take longer than the question may.
const COMMON: i64 = 500;

/// Files whose names are compared with a query, at most, for each way of asking.
const MATCHES: i64 = 2_000;

/// What a word counts that stands for one that no name holds, which would count 1.
const NEARLY: f64 = 0.8;

/// Holds the words of each path's last two names, and nothing else.
pub(crate) const TABLE: &str = "
CREATE VIRTUAL TABLE names USING fts5(
    words, content = '', contentless_delete = 1, detail = none,
    tokenize = \"unicode61 remove_diacritics 0 categories 'L* N* M* Co'\"
);
CREATE VIRTUAL TABLE name_words USING fts5vocab(names, row);
CREATE TRIGGER names_insert AFTER INSERT ON files BEGIN
    INSERT INTO names (rowid, words) VALUES (new.id, words_of_path(new.path));
END;
CREATE TRIGGER names_update AFTER UPDATE OF path ON files BEGIN
    DELETE FROM names WHERE rowid = old.id;
    INSERT INTO names (rowid, words) VALUES (new.id, words_of_path(new.path));
END;
CREATE TRIGGER names_delete AFTER DELETE ON files BEGIN
    DELETE FROM names WHERE rowid = old.id;
END;
";

/// A file whose name holds words of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedFile {
    pub file: FileId,
    /// Of the words asked for, how many its name or its folder's holds, 0 to 1. One
    /// that only begins like a word, or differs by one edit, counts less.
    pub share: f64,
    /// Whether they are the file's whole name.
    pub whole: bool,
}

/// Lets the connection's triggers analyse names.
pub(crate) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("words_of_path", 1, flags, |context| {
        let path = SourcePath::from_bytes(context.get_raw(0).as_blob()?);
        Ok(stems(&path).join(" "))
    })
}

/// Indexes all names where that was never done, or by another analysis.
pub(crate) fn prepare(catalog: &Catalog) -> Result<(), CatalogError> {
    const KEY: &str = "names";
    let made_by: Option<String> = catalog.read(|connection| {
        connection
            .query_row("SELECT value FROM meta WHERE key = ?", [KEY], |row| row.get(0))
            .optional()
    })?;
    if made_by.as_deref() == Some(ANALYSIS) {
        return Ok(());
    }
    catalog.write(|transaction| {
        transaction.execute("INSERT INTO names (names) VALUES ('delete-all')", [])?;
        transaction.execute(
            "INSERT INTO names (rowid, words) SELECT id, words_of_path(path) FROM files",
            [],
        )?;
        let noted = "INSERT OR REPLACE INTO meta VALUES (?1, ?2)";
        transaction.execute(noted, params![KEY, ANALYSIS]).map(drop)
    })
}

impl Catalog {
    /// Followed files whose names hold some of these words, best first. A word that no name
    /// holds is taken for the beginning of one, or else, if no text holds it either, for one
    /// with a slip of the finger. Words that most names hold find files only together.
    pub fn named(&self, wanted: &[QueryWord]) -> Result<Vec<NamedFile>, CatalogError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|connection| {
            let meant: Vec<Meant> =
                wanted.iter().map(|word| meant(connection, word)).collect::<Result<_, _>>()?;
            let rare: Vec<&str> = meant
                .iter()
                .filter(|meant| meant.files <= COMMON)
                .flat_map(|meant| meant.weights.keys().map(String::as_str))
                .collect();
            let all_known = meant.iter().all(|meant| !meant.weights.is_empty());
            let mut paths = HashMap::new();
            if all_known && meant.len() > 1 {
                let groups: Vec<_> = meant
                    .iter()
                    .map(|meant| format!("({})", any(meant.weights.keys().map(String::as_str))))
                    .collect();
                paths.extend(matching(connection, &groups.join(" AND "))?);
            }
            if !rare.is_empty() {
                paths.extend(matching(connection, &any(rare.into_iter()))?);
            }
            let mut files: Vec<_> = paths
                .into_iter()
                .map(|(file, path)| {
                    let share = share(&meant, &path);
                    // Hundreds of names may be left that hold only some of the words.
                    let whole = share >= 1.0 && is_whole(wanted, &path);
                    NamedFile { file, share, whole }
                })
                .collect();
            files.sort_by(|a, b| {
                let better = b.whole.cmp(&a.whole).then(b.share.total_cmp(&a.share));
                better.then(a.file.cmp(&b.file))
            });
            Ok(files)
        })
    }
}

/// The words of names that a word of a query may mean, and what each counts.
struct Meant {
    weights: HashMap<String, f64>,
    /// Names that hold any of them.
    files: i64,
}

fn meant(connection: &Connection, asked: &QueryWord) -> rusqlite::Result<Meant> {
    let word = &asked.stem;
    let known = frequency(connection, word)?;
    if known > 0 {
        return Ok(Meant { weights: HashMap::from([(word.to_owned(), 1.0)]), files: known });
    }
    // What a text holds was meant as it stands, though no name has it.
    let may_be_slip = asked.may_be_slip && !vocabulary::is_known(connection, word)?;
    let asked = QueryWord { may_be_slip, ..asked.clone() };
    let others = meant_by(&asked, |start, limit, take| {
        vocabulary::each_beginning_with(connection, NAME_WORDS, start, limit, take)
    })?;
    let mut meant = Meant { weights: HashMap::new(), files: 0 };
    for other in others.words {
        meant.files += frequency(connection, &other)?;
        meant.weights.insert(other, NEARLY);
    }
    Ok(meant)
}

fn frequency(connection: &Connection, word: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT doc FROM name_words WHERE term = ?")?
        .query_row([word], |row| row.get(0))
        .optional()
        .map(|files| files.unwrap_or(0))
}

const NAME_WORDS: &str = "SELECT term FROM name_words WHERE term >= ?1 AND term < ?2 LIMIT ?3";

/// Stems hold letters and digits alone, so quoting needs no escape.
fn any<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" OR ")
}

fn matching(connection: &Connection, query: &str) -> rusqlite::Result<Vec<(FileId, SourcePath)>> {
    connection
        .prepare_cached(
            "SELECT files.id, files.path FROM names JOIN files ON files.id = names.rowid
             WHERE names MATCH ?1 AND stage < 5 LIMIT ?2",
        )?
        .query_map(params![query, MATCHES], |row| Ok((FileId(row.get(0)?), path_at(row, 1)?)))?
        .collect()
}

fn share(meant: &[Meant], path: &SourcePath) -> f64 {
    let stems: HashSet<_> = stems(path).into_iter().collect();
    let weight = |meant: &Meant| {
        let held = meant.weights.iter().filter(|(word, _)| stems.contains(*word));
        held.map(|(_, weight)| *weight).fold(0.0, f64::max)
    };
    meant.iter().map(weight).sum::<f64>() / meant.len() as f64
}

/// Whether these are the words of the file's name, with its extension or without, all of
/// them and no others. `parseConfig` need not be typed with its capital.
fn is_whole(wanted: &[QueryWord], path: &SourcePath) -> bool {
    let path = path.as_path();
    [path.file_name(), path.file_stem()].into_iter().flatten().any(|name| {
        let name = name.to_string_lossy();
        let all: Vec<_> = stems_of(&name).collect();
        let is_wanted = |stem: &str| wanted.iter().any(|word| word.stem == stem);
        query_words(&name.to_lowercase()).iter().all(|word| is_wanted(&word.stem))
            && wanted.iter().all(|word| all.contains(&word.stem))
    })
}

/// The words of the file's name and of its folder's.
fn stems(path: &SourcePath) -> Vec<String> {
    let names = path.as_path().iter().rev().take(2);
    names.flat_map(|name| stems_of(&name.to_string_lossy())).collect()
}

fn stems_of(name: &str) -> impl Iterator<Item = String> + use<> {
    words(name).into_iter().map(|word| word.stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_known_by_its_last_two_names() {
        let path = SourcePath::new("/home/you/Tax Returns/budget_2024.xlsx");
        assert_eq!(
            stems(&path),
            words("budget_2024.xlsx Tax Returns").into_iter().map(|w| w.stem).collect::<Vec<_>>()
        );
    }
}
