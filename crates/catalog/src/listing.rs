//! Rows of the ledger, a page at a time: by state, by followed folder, by words.

use rummage_corpus::{FileId, SourcePath};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::{
    Catalog, CatalogError, FileRow, FileState,
    ledger::{FILE_COLUMNS, LEFT_OUT, LEFT_OUT_COLUMNS, file_row, left_out_row},
    schema::stage,
};

/// Which rows of the ledger are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileFilter {
    /// `None`: of every state.
    pub state: Option<FileState>,
    /// Of this root alone.
    pub root: Option<SourcePath>,
    /// Each of these words stands somewhere in the path or the reason, in any case.
    pub words: String,
}

/// Some rows, in the order in which the files came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilePage {
    pub rows: Vec<FileRow>,
    /// What the next page comes after; `None`: there is none.
    pub next: Option<FileId>,
}

/// Rows that one call looks at, so that whoever else wants the catalog waits some
/// hundredths of a second, however rare what is wanted.
const LOOKED_AT: usize = 20_000;

impl Catalog {
    /// Followed files in the order they came, then what rules leave out: up to
    /// `limit` of those that the filter wants, after `after`. Where these are rare, a
    /// page is short before it is the last.
    pub fn files(
        &self,
        filter: &FileFilter,
        after: FileId,
        limit: usize,
    ) -> Result<FilePage, CatalogError> {
        self.read(|connection| {
            let root = match &filter.root {
                None => None,
                Some(path) => match root_at(connection, path)? {
                    None => return Ok(FilePage::default()),
                    root => root,
                },
            };
            let mut gathering = Gathering::new(&filter.words, after, limit);
            if after.0 < LEFT_OUT {
                let is_wanted = |row: &Row<'_>| is_of(row, filter.state, root);
                gathering.take(connection, &files_of(filter.state, root), after.0, |row| {
                    Ok((FileId(row.get(0)?), is_wanted(row)?.then(|| file_row(row)).transpose()?))
                })?;
            }
            if matches!(filter.state, None | Some(FileState::Skipped)) {
                let after = (after.0 - LEFT_OUT).max(0);
                gathering.take(connection, &left_out_of(root), after, |row| {
                    left_out_row(row).map(|row| (row.file, Some(row)))
                })?;
            }
            Ok(gathering.page)
        })
    }
}

fn root_at(connection: &Connection, path: &SourcePath) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM roots WHERE path = ?")?
        .query_row([path.to_bytes().as_ref()], |row| row.get(0))
        .optional()
}

/// A superset of the files wanted, by the index that leaves out most others. It
/// tests nothing but what that index holds: what else SQLite passed over would be
/// work that nobody counts.
fn files_of(state: Option<FileState>, root: Option<i64>) -> String {
    let tests: Vec<_> = match (stages_of(state), root) {
        // No index: most files are of these stages.
        (&[] | &[stage::INDEXED], None) => vec![String::new()],
        (&[] | &[stage::INDEXED], Some(root)) => vec![format!(" AND root = {root}")],
        (stages, _) => stages.iter().map(|stage| format!(" AND stage = {stage}")).collect(),
    };
    let selects = tests
        .iter()
        .map(|test| format!("SELECT {FILE_COLUMNS}, root FROM files WHERE id > ?1{test}"));
    selects.collect::<Vec<_>>().join(" UNION ALL ") + " ORDER BY id"
}

/// Whether a row of [`files_of`] is of this state and root.
fn is_of(row: &Row<'_>, state: Option<FileState>, root: Option<i64>) -> rusqlite::Result<bool> {
    let stage = row.get(2)?;
    let is_of_state = match stages_of(state) {
        [] => stage < stage::LEAVING,
        stages => stages.contains(&stage),
    };
    Ok(is_of_state && (root.is_none() || row.get::<_, Option<i64>>(10)? == root))
}

/// None for all that are followed.
const fn stages_of(state: Option<FileState>) -> &'static [i64] {
    match state {
        None => &[],
        Some(FileState::Queued) => &[stage::PENDING, stage::WORDED],
        Some(FileState::Indexed) => &[stage::INDEXED],
        Some(FileState::Skipped) => &[stage::SKIPPED],
        Some(FileState::Failed) => &[stage::FAILED],
    }
}

fn left_out_of(root: Option<i64>) -> String {
    let root = root.map(|root| format!(" AND root = {root}")).unwrap_or_default();
    format!("SELECT {LEFT_OUT_COLUMNS} FROM left_out WHERE id > ?1{root} ORDER BY id")
}

/// A page as it fills.
struct Gathering {
    words: Vec<String>,
    limit: usize,
    looked_at: usize,
    last: FileId,
    page: FilePage,
}

impl Gathering {
    fn new(words: &str, after: FileId, limit: usize) -> Self {
        let words = words.to_lowercase().split_whitespace().map(str::to_owned).collect();
        Self { words, limit, looked_at: 0, last: after, page: FilePage::default() }
    }

    /// `read` gives a row's number, and the row if it is of the state and the root.
    fn take(
        &mut self,
        connection: &Connection,
        select: &str,
        after: i64,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<(FileId, Option<FileRow>)>,
    ) -> rusqlite::Result<()> {
        let mut select = connection.prepare_cached(select)?;
        let mut rows = select.query([after])?;
        while self.page.next.is_none()
            && let Some(row) = rows.next()?
        {
            if self.page.rows.len() == self.limit || self.looked_at == LOOKED_AT {
                self.page.next = Some(self.last);
                break;
            }
            let (file, row) = read(row)?;
            self.looked_at += 1;
            self.last = file;
            if let Some(row) = row.filter(|row| self.wants(row)) {
                self.page.rows.push(row);
            }
        }
        Ok(())
    }

    fn wants(&self, row: &FileRow) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let reason = row.reason.as_deref().unwrap_or_default();
        let text = format!("{} {reason}", row.path.display()).to_lowercase();
        self.words.iter().all(|word| text.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AddRoot, Circumstances, Fate, Observation, RootId, SeenFiles, Stamp, Verdict};

    const ROOTS: [&str; 2] = ["/notes", "/Ärzte & Ämter"];

    struct Ledger {
        catalog: Catalog,
        roots: Vec<RootId>,
        _dir: tempfile::TempDir,
    }

    /// Files in every state, and what rules leave out, in two folders.
    fn ledger() -> Ledger {
        let dir = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(&dir.path().join("catalog.sqlite")).unwrap();
        let mut roots = Vec::new();
        for path in ROOTS {
            let AddRoot::Added(root) = catalog.add_root(&path_of(path), |_, _| true).unwrap()
            else {
                panic!("the roots lie apart")
            };
            observe(&catalog, root, path);
            roots.push(root);
        }
        for (place, task) in catalog.pending(FileId(0), 100).unwrap().into_iter().enumerate() {
            let (file, version, reason) = (task.file, task.version, "Kein Text darin".to_owned());
            let fate = match place % 3 {
                0 => continue,
                1 => Fate::Skipped,
                _ => Fate::Failed { transient_at: None },
            };
            catalog.settle_verdicts(&[Verdict { file, version, fate, reason }], 1).unwrap();
        }
        Ledger { catalog, roots, _dir: dir }
    }

    fn observe(catalog: &Catalog, root: RootId, path: &str) {
        let stamp = Stamp { bytes: 1, modified_ns: 1, inode: 0, device: 1 };
        let file = |number: usize| Observation::File {
            path: path_of(&format!("{path}/Größe-{number}.txt")),
            stamp,
        };
        let left_out = |name: &str| Observation::LeftOut {
            path: path_of(&format!("{path}/{name}")),
            is_folder: true,
            rule: "the pattern build/ leaves it out".to_owned(),
        };
        let mut seen: Vec<_> = (0..7).map(file).collect();
        seen.extend([left_out("build"), left_out("old/build")]);
        let usual = Circumstances { eager: false, is_gone: &|_| false };
        catalog.observe(root, &seen, usual, &mut SeenFiles::default()).unwrap().unwrap();
    }

    fn path_of(path: &str) -> SourcePath {
        SourcePath::new(path)
    }

    impl Ledger {
        /// All that the filter wants, so many rows at a time.
        fn paged(&self, filter: &FileFilter, limit: usize) -> Vec<FileRow> {
            let (mut rows, mut after) = (Vec::new(), Some(FileId(0)));
            while let Some(from) = after {
                let page = self.catalog.files(filter, from, limit).unwrap();
                assert!(page.rows.len() <= limit);
                rows.extend(page.rows);
                after = page.next;
            }
            rows
        }

        fn found(&self, words: &str) -> usize {
            let filter = FileFilter { words: words.to_owned(), ..FileFilter::default() };
            self.paged(&filter, 100).len()
        }
    }

    #[test]
    fn pages_of_any_size_are_the_same_rows_in_the_same_order() {
        let ledger = ledger();
        for state in [None].into_iter().chain(FileState::ALL.map(Some)) {
            let filter = FileFilter { state, words: "e".to_owned(), root: None };
            let whole = ledger.paged(&filter, 100);
            assert!(whole.is_sorted_by_key(|row| row.file), "{state:?}");
            assert_eq!(whole.is_empty(), state == Some(FileState::Indexed), "{state:?}");
            for limit in 1..6 {
                assert_eq!(ledger.paged(&filter, limit), whole, "{state:?}, {limit} at a time");
            }
        }
    }

    #[test]
    fn the_counts_are_those_of_the_rows() {
        let ledger = ledger();
        let catalog = &ledger.catalog;
        for state in FileState::ALL {
            let of_state = FileFilter { state: Some(state), ..FileFilter::default() };
            let rows = ledger.paged(&of_state, 100);
            assert!(rows.iter().all(|row| row.state == state));
            assert_eq!(catalog.counts().unwrap().rows(state), rows.len() as u64, "{state:?}");
            for (root, path) in ledger.roots.iter().zip(ROOTS) {
                let of_root = FileFilter { root: Some(path_of(path)), ..of_state.clone() };
                let rows = ledger.paged(&of_root, 100);
                assert!(rows.iter().all(|row| row.path.as_path().starts_with(path)));
                assert_eq!(catalog.counts_of(*root).unwrap().rows(state), rows.len() as u64);
            }
        }
        assert_eq!(catalog.counts().unwrap().rows(FileState::Indexed), 0);
    }

    #[test]
    fn words_stand_in_path_or_reason_in_any_case() {
        let ledger = ledger();
        for (words, expected) in [
            ("", 18),
            ("  ", 18),
            ("größe-3", 2),
            ("GRÖSSE", 0),
            ("GRÖßE ämter", 7),
            ("kein text", 9),
            ("PATTERN old/", 2),
            ("nowhere", 0),
        ] {
            assert_eq!(ledger.found(words), expected, "{words:?}");
        }
    }

    #[test]
    fn a_row_is_known_by_its_number_whatever_it_is() {
        let ledger = ledger();
        for row in ledger.paged(&FileFilter::default(), 100) {
            assert_eq!(ledger.catalog.file(row.file).unwrap().as_ref(), Some(&row));
            assert_eq!(row.is_left_out(), row.is_folder);
        }
    }

    /// One row more than a call looks at is at this stage; asks for what is not there.
    fn check_short(stage: i64, filter: &FileFilter) {
        let dir = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(&dir.path().join("catalog.sqlite")).unwrap();
        for path in ROOTS {
            catalog.add_root(&path_of(path), |_, _| true).unwrap();
        }
        let root = if stage < stage::LEAVING { "1" } else { "NULL" };
        let many = format!(
            "WITH RECURSIVE n(id) AS (VALUES (1) UNION ALL SELECT id + 1 FROM n WHERE id <= {LOOKED_AT})
             INSERT INTO files (id, root, path, bytes, modified, inode, device, stage)
             SELECT id, {root}, CAST('/notes/' || id AS BLOB), 1, 1, 0, 1, {stage} FROM n"
        );
        catalog.write(|transaction| transaction.execute_batch(&many)).unwrap();
        let short = FilePage { rows: vec![], next: Some(FileId(LOOKED_AT as i64)) };
        assert_eq!(catalog.files(filter, FileId(0), 1).unwrap(), short, "{stage}, {filter:?}");
        let last = catalog.files(filter, FileId(LOOKED_AT as i64), 1).unwrap();
        assert_eq!(last, FilePage::default(), "{stage}, {filter:?}");
    }

    #[test]
    fn whatever_is_rare_ends_a_call_before_the_page_is_full() {
        let any = FileFilter::default();
        let of = |state| FileFilter { state: Some(state), ..FileFilter::default() };
        let elsewhere = |state| FileFilter { root: Some(path_of(ROOTS[1])), ..of(state) };
        check_short(stage::PENDING, &FileFilter { words: "rare".to_owned(), ..any.clone() });
        check_short(stage::PENDING, &of(FileState::Indexed));
        check_short(
            stage::PENDING,
            &FileFilter { root: Some(path_of(ROOTS[0])), ..of(FileState::Indexed) },
        );
        check_short(stage::LEAVING, &any);
        for (stage, state) in [
            (stage::PENDING, FileState::Queued),
            (stage::WORDED, FileState::Queued),
            (stage::SKIPPED, FileState::Skipped),
            (stage::FAILED, FileState::Failed),
        ] {
            check_short(stage, &elsewhere(state));
        }
    }
}
