//! What a scan met, written down: new and changed files are queued, moved ones keep
//! what the store has of them, and what is not there any more leaves.

use rummage_corpus::SourcePath;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::{Catalog, CatalogError, RootId, queue::path_at, schema::stage};

/// What the file system says of a file without opening it. Equal stamps are
/// taken for equal contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    pub bytes: u64,
    /// Nanoseconds since 1970; negative before.
    pub modified_ns: i64,
    /// 0 where the system has no such number.
    pub inode: u64,
    pub device: u64,
}

/// One thing found under a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    File {
        path: SourcePath,
        stamp: Stamp,
    },
    /// A folder that could not be listed. It stands in the ledger as failed, and
    /// what it held when it could be read is kept.
    Unreadable {
        path: SourcePath,
        reason: String,
    },
    /// A rule leaves it out; a folder with all that lies below it.
    LeftOut {
        path: SourcePath,
        is_folder: bool,
        /// In words.
        rule: String,
    },
}

/// How a scan is to be taken.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// A person asked for it, or this very file is reported as changed: a failure
    /// that another try may mend is tried again now.
    pub eager: bool,
    /// Whether nothing has this path any more. A file that turns up elsewhere while
    /// its old path is taken is no moved one, but a second name of it.
    pub is_gone: &'a dyn Fn(&SourcePath) -> bool,
}

/// How many files were in each case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Observed {
    /// New or changed.
    pub queued: u64,
    /// Neither, and nothing is left to do for them.
    pub unchanged: u64,
    /// Known under another path; what was done for them still counts.
    pub moved: u64,
    pub unreadable: u64,
    pub left_out: u64,
}

/// What one scan has met: a bit a row, so that millions fit.
#[derive(Debug, Default)]
pub struct SeenFiles {
    files: Bits,
    left_out: Bits,
    /// What lies below these was not looked at and is kept.
    unreadable: Vec<SourcePath>,
}

#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn insert(&mut self, id: i64) {
        let (word, bit) = (id as usize / 64, id as usize % 64);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << bit;
    }

    fn contains(&self, id: i64) -> bool {
        self.0.get(id as usize / 64).is_some_and(|word| word >> (id as usize % 64) & 1 == 1)
    }
}

/// Rows looked at in one transaction, so that whoever else wants the catalog waits
/// some milliseconds, however large the folder.
const PAGE: usize = 5000;

impl Catalog {
    /// Takes down what a scan met. `seen` gathers it over the whole scan, for
    /// [`Catalog::retire_unseen`]. `None`: the root is no longer followed, and
    /// nothing was taken down.
    pub fn observe(
        &self,
        root: RootId,
        observations: &[Observation],
        circumstances: Circumstances<'_>,
        seen: &mut SeenFiles,
    ) -> Result<Option<Observed>, CatalogError> {
        self.write(|transaction| {
            if !transaction.prepare_cached("SELECT 1 FROM roots WHERE id = ?")?.exists([root.0])? {
                return Ok(None);
            }
            let mut observed = Observed::default();
            for observation in observations {
                match observation {
                    Observation::File { path, stamp } => {
                        let (id, case) =
                            observe_file(transaction, root, path, stamp, circumstances)?;
                        match case {
                            Case::Queued => observed.queued += 1,
                            Case::Settled => observed.unchanged += 1,
                            Case::Moved => observed.moved += 1,
                            Case::Waiting => {}
                        }
                        seen.files.insert(id);
                    }
                    Observation::Unreadable { path, reason } => {
                        seen.unreadable.push(path.clone());
                        observed.unreadable += 1;
                        seen.files.insert(observe_unreadable(transaction, root, path, reason)?);
                    }
                    Observation::LeftOut { path, is_folder, rule } => {
                        observed.left_out += 1;
                        let id = observe_left_out(transaction, root, path, *is_folder, rule)?;
                        seen.left_out.insert(id);
                    }
                }
            }
            Ok(Some(observed))
        })
    }

    /// Lets everything leave that lies below `folder` (or is it), belongs to the
    /// root and was not met by the scan of that folder. Returns how many files
    /// those are.
    pub fn retire_unseen(
        &self,
        root: RootId,
        folder: &SourcePath,
        seen: &SeenFiles,
    ) -> Result<u64, CatalogError> {
        let is_kept = |path: &SourcePath| {
            seen.unreadable.iter().any(|folder| path.as_path().starts_with(folder))
        };
        let mut retired = 0;
        for from in Span::both(folder) {
            let mut from = Some(from);
            while let Some(span) = from.take() {
                retired += self.write(|transaction| {
                    let rows = span.page(transaction, "files", root)?;
                    from = span.after(&rows);
                    let unseen = rows
                        .iter()
                        .filter(|(id, path)| !seen.files.contains(*id) && !is_kept(path));
                    retire(transaction, unseen.map(|(id, _)| *id))
                })?;
            }
        }
        for from in Span::both(folder) {
            let mut from = Some(from);
            while let Some(span) = from.take() {
                self.write(|transaction| {
                    let rows = span.page(transaction, "left_out", root)?;
                    from = span.after(&rows);
                    let mut delete =
                        transaction.prepare_cached("DELETE FROM left_out WHERE id = ?")?;
                    rows.iter()
                        .filter(|(id, path)| !seen.left_out.contains(*id) && !is_kept(path))
                        .try_for_each(|(id, _)| delete.execute([id]).map(drop))
                })?;
            }
        }
        Ok(retired)
    }

    /// Lets these paths of the root, and everything below them, leave: they were
    /// deleted. What other roots have there stays.
    pub fn retire_paths(&self, root: RootId, paths: &[SourcePath]) -> Result<u64, CatalogError> {
        self.write(|transaction| {
            let mut forget = transaction
                .prepare_cached("DELETE FROM left_out WHERE path >= ? AND path < ? AND root = ?")?;
            let mut select = transaction
                .prepare_cached("SELECT id FROM files WHERE path >= ? AND path < ? AND root = ?")?;
            let mut retired = 0;
            for Span { first, end } in paths.iter().flat_map(Span::both) {
                forget.execute(params![first, end, root.0])?;
                let ids = select.query_map(params![first, end, root.0], |row| row.get(0))?;
                let ids = ids.collect::<Result<Vec<i64>, _>>()?;
                retired += retire(transaction, ids)?;
            }
            Ok(retired)
        })
    }

    /// The device that the root's files were last seen on; `None` without files.
    pub fn device_of(&self, root: RootId) -> Result<Option<u64>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT device FROM files WHERE root = ? AND bytes >= 0 LIMIT 1")?
                .query_row([root.0], |row| row.get::<_, i64>(0).map(|device| device as u64))
                .optional()
        })
    }
}

/// What seeing a file meant for it.
enum Case {
    /// New, changed or to be tried again: it is queued by this.
    Queued,
    /// It was queued already.
    Waiting,
    Moved,
    /// Nothing is to be done.
    Settled,
}

/// The file's id, and what seeing it meant.
fn observe_file(
    transaction: &Transaction<'_>,
    root: RootId,
    path: &SourcePath,
    stamp: &Stamp,
    circumstances: Circumstances<'_>,
) -> rusqlite::Result<(i64, Case)> {
    let bytes = path.to_bytes();
    let known = transaction
        .prepare_cached(
            "SELECT id, bytes, modified, inode, device, stage, again IS NOT NULL FROM files
             WHERE path = ?",
        )?
        .query_row([bytes.as_ref()], |row| {
            let stamp = Stamp {
                bytes: row.get::<_, i64>(1)? as u64,
                modified_ns: row.get(2)?,
                inode: row.get::<_, i64>(3)? as u64,
                device: row.get::<_, i64>(4)? as u64,
            };
            Ok((row.get::<_, i64>(0)?, stamp, row.get::<_, i64>(5)?, row.get::<_, bool>(6)?))
        })
        .optional()?;
    match known {
        Some((id, known, at, transient)) if known == *stamp && at < stage::LEAVING => {
            if transient && circumstances.eager {
                queue(transaction, root, id, stamp, "")?;
                return Ok((id, Case::Queued));
            }
            Ok((id, if at == stage::PENDING { Case::Waiting } else { Case::Settled }))
        }
        Some((id, _, at, _)) => {
            if at >= stage::LEAVING {
                let before = alike(transaction, stamp)?;
                keep_marks(transaction, id, &before, circumstances)?;
            }
            // How often the former contents failed says nothing about these.
            queue(transaction, root, id, stamp, ", tries = 0")?;
            Ok((id, Case::Queued))
        }
        None => {
            let before = alike(transaction, stamp)?;
            if let Some(id) = moved(transaction, root, path, &before, circumstances)? {
                return Ok((id, Case::Moved));
            }
            transaction
                .prepare_cached(
                    "INSERT INTO files (root, path, bytes, modified, inode, device, stage)
                     VALUES (?, ?, ?, ?, ?, ?, 0)",
                )?
                .execute(params![
                    root.0,
                    bytes,
                    stamp.bytes as i64,
                    stamp.modified_ns,
                    stamp.inode as i64,
                    stamp.device as i64
                ])?;
            let id = transaction.last_insert_rowid();
            keep_marks(transaction, id, &before, circumstances)?;
            Ok((id, Case::Queued))
        }
    }
}

fn queue(
    transaction: &Transaction<'_>,
    root: RootId,
    id: i64,
    stamp: &Stamp,
    also: &str,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(&format!(
            "UPDATE files SET root = ?2, bytes = ?3, modified = ?4, inode = ?5, device = ?6,
                    version = version + 1, stage = 0, reason = NULL, again = NULL{also}
             WHERE id = ?1"
        ))?
        .execute(params![
            id,
            root.0,
            stamp.bytes as i64,
            stamp.modified_ns,
            stamp.inode as i64,
            stamp.device as i64
        ])
        .map(drop)
}

/// A file that is known by another path, or was until a moment ago.
struct Alike {
    id: i64,
    path: SourcePath,
    stage: i64,
}

/// The files with this number on the disk and an equal stamp.
fn alike(transaction: &Transaction<'_>, stamp: &Stamp) -> rusqlite::Result<Vec<Alike>> {
    if stamp.inode == 0 {
        return Ok(Vec::new());
    }
    let (inode, device) = (stamp.inode as i64, stamp.device as i64);
    transaction
        .prepare_cached(
            "SELECT id, path, stage FROM files
             WHERE inode = ?1 AND device = ?2 AND bytes = ?3 AND modified = ?4",
        )?
        .query_map(params![inode, device, stamp.bytes as i64, stamp.modified_ns], |row| {
            Ok(Alike { id: row.get(0)?, path: path_at(row, 1)?, stage: row.get(2)? })
        })?
        .collect()
}

/// The one of these that has come to lie here. What the store has of it stays; what its
/// rows say of the path follows. A file of another name is no such file: how it is read
/// goes by its name, too.
fn moved(
    transaction: &Transaction<'_>,
    root: RootId,
    path: &SourcePath,
    before: &[Alike],
    circumstances: Circumstances<'_>,
) -> rusqlite::Result<Option<i64>> {
    let is_this = |before: &&Alike| {
        before.stage < stage::LEAVING
            && before.path.as_path().file_name() == path.as_path().file_name()
            && (circumstances.is_gone)(&before.path)
    };
    let Some(Alike { id, .. }) = before.iter().find(is_this) else { return Ok(None) };
    transaction
        .prepare_cached(
            "UPDATE files SET root = ?2, path = ?3, version = version + 1, misplaced = 3
             WHERE id = ?1",
        )?
        .execute(params![id, root.0, path.to_bytes().as_ref()])?;
    Ok(Some(*id))
}

/// A file that came to lie here under another name is read anew, but what a person made of
/// it stays with it.
fn keep_marks(
    transaction: &Transaction<'_>,
    file: i64,
    before: &[Alike],
    circumstances: Circumstances<'_>,
) -> rusqlite::Result<()> {
    let gone = |before: &&Alike| before.id != file && (circumstances.is_gone)(&before.path);
    for Alike { id, .. } in before.iter().filter(gone) {
        transaction
            .prepare_cached("UPDATE OR IGNORE marks SET file = ?1 WHERE file = ?2")?
            .execute(params![file, id])?;
    }
    Ok(())
}

/// A folder that cannot be listed stands among the files with −1 bytes.
fn observe_unreadable(
    transaction: &Transaction<'_>,
    root: RootId,
    path: &SourcePath,
    reason: &str,
) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached(
            "INSERT INTO files (root, path, bytes, modified, inode, device, stage, reason, tries)
             VALUES (?1, ?2, -1, 0, 0, 0, 4, ?3, 1)
             ON CONFLICT (path) DO UPDATE SET root = ?1, bytes = -1, stage = 4, reason = ?3,
                        version = version + 1, tries = tries + 1, again = NULL
             RETURNING id",
        )?
        .query_row(params![root.0, path.to_bytes().as_ref(), reason], |row| row.get(0))
}

fn observe_left_out(
    transaction: &Transaction<'_>,
    root: RootId,
    path: &SourcePath,
    is_folder: bool,
    rule: &str,
) -> rusqlite::Result<i64> {
    let bytes = path.to_bytes();
    let known = transaction
        .prepare_cached(
            "SELECT id FROM left_out WHERE path = ? AND root = ? AND folder = ? AND rule = ?",
        )?
        .query_row(params![bytes.as_ref(), root.0, is_folder, rule], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    // Deleted first, so that the tally of each root hears of it.
    transaction.prepare_cached("DELETE FROM left_out WHERE path = ?")?.execute([bytes.as_ref()])?;
    transaction
        .prepare_cached("INSERT INTO left_out (root, path, folder, rule) VALUES (?, ?, ?, ?)")?
        .execute(params![root.0, bytes.as_ref(), is_folder, rule])?;
    Ok(transaction.last_insert_rowid())
}

/// Paths from the first, short of the end.
#[derive(Debug)]
pub(crate) struct Span {
    pub first: Vec<u8>,
    pub end: Vec<u8>,
}

impl Span {
    /// The path itself, and all paths below it.
    pub fn both(path: &SourcePath) -> [Self; 2] {
        let at = path.to_bytes().into_owned();
        let separator = std::path::MAIN_SEPARATOR as u8;
        let mut below = at.clone();
        if below.last() != Some(&separator) {
            below.push(separator);
        }
        // No separator is 0xff, so this is the first path past all below.
        let mut above = below.clone();
        above.pop();
        above.push(separator + 1);
        [Self { end: next(&at), first: at }, Self { first: below, end: above }]
    }

    /// The first rows of the root in it, by path.
    fn page(
        &self,
        transaction: &Transaction<'_>,
        table: &str,
        root: RootId,
    ) -> rusqlite::Result<Vec<(i64, SourcePath)>> {
        transaction
            .prepare_cached(&format!(
                "SELECT id, path FROM {table}
                 WHERE path >= ?1 AND path < ?2 AND root = ?3 ORDER BY path LIMIT ?4"
            ))?
            .query_map(params![self.first, self.end, root.0, PAGE as i64], |row| {
                Ok((row.get(0)?, path_at(row, 1)?))
            })?
            .collect()
    }

    /// What comes after a full page; `None` after the last.
    fn after(&self, page: &[(i64, SourcePath)]) -> Option<Self> {
        let (_, last) = page.last().filter(|_| page.len() == PAGE)?;
        Some(Self { first: next(&last.to_bytes()), end: self.end.clone() })
    }
}

/// The first of all byte strings after this one.
fn next(bytes: &[u8]) -> Vec<u8> {
    [bytes, &[0]].concat()
}

/// What the store has of a leaving file will be removed at any moment: should
/// the file come back meanwhile, its contents count as unknown.
pub(crate) fn retire(
    transaction: &Transaction<'_>,
    ids: impl IntoIterator<Item = i64>,
) -> rusqlite::Result<u64> {
    let mut update = transaction.prepare_cached(
        "UPDATE files SET root = NULL, stage = 5, reached = 0, hash = NULL, again = NULL,
                tries = 0, misplaced = 0, version = version + 1
         WHERE id = ?",
    )?;
    let mut retired = 0;
    for id in ids {
        retired += update.execute([id])? as u64;
    }
    Ok(retired)
}
