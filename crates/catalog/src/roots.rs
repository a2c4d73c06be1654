//! The folders (and single files) that a person chose to follow.

use rummage_corpus::SourcePath;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::{Catalog, CatalogError, observe::Span, schema::stage, vocabulary};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RootId(pub(crate) i64);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    pub id: RootId,
    pub path: SourcePath,
    /// Why it cannot be read now (a disk not plugged in), if so. Its index is kept.
    pub away: Option<String>,
    /// Its changes are noted, and its files wait in the queue.
    pub paused: bool,
}

/// What became of a folder that was to be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddRoot {
    Added(RootId),
    /// It was followed already, itself.
    Known(RootId),
    /// It lies within a folder that is followed.
    Within(Root),
}

impl Catalog {
    /// Follows `path`. Followed folders within it become part of it; nothing that
    /// they hold is indexed again. `holds` says whether following the first path
    /// takes in the second, which lies below it: a rule may leave it out, and then
    /// each is followed on its own.
    pub fn add_root(
        &self,
        path: &SourcePath,
        holds: impl Fn(&SourcePath, &SourcePath) -> bool,
    ) -> Result<AddRoot, CatalogError> {
        let is_within = |inner: &SourcePath, outer: &SourcePath| {
            inner != outer && inner.as_path().starts_with(outer) && holds(outer, inner)
        };
        let roots = self.roots()?;
        if let Some(known) = roots.iter().find(|root| root.path == *path) {
            return Ok(AddRoot::Known(known.id));
        }
        if let Some(outer) = roots.iter().find(|root| is_within(path, &root.path)) {
            return Ok(AddRoot::Within(outer.clone()));
        }
        self.write(|transaction| {
            transaction
                .execute("INSERT INTO roots (path) VALUES (?)", [path.to_bytes().as_ref()])?;
            let id = transaction.last_insert_rowid();
            // What its folder left out it now is itself.
            transaction
                .execute("DELETE FROM left_out WHERE path = ?", [path.to_bytes().as_ref()])?;
            for inner in roots.iter().filter(|root| is_within(&root.path, path)) {
                transaction.execute(
                    "UPDATE files SET root = ?1 WHERE root = ?2",
                    params![id, inner.id.0],
                )?;
                delete_root(transaction, inner.id)?;
            }
            Ok(AddRoot::Added(RootId(id)))
        })
    }

    pub fn roots(&self) -> Result<Vec<Root>, CatalogError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT id, path, away, paused FROM roots ORDER BY id")?
                .query_map([], |row| {
                    Ok(Root {
                        id: RootId(row.get(0)?),
                        path: SourcePath::from_bytes(row.get_ref(1)?.as_blob()?),
                        away: row.get(2)?,
                        paused: row.get(3)?,
                    })
                })?
                .collect()
        })
    }

    /// Says that a root cannot be read now, or that it can again.
    pub fn set_away(&self, root: RootId, away: Option<&str>) -> Result<(), CatalogError> {
        self.write(|transaction| {
            transaction
                .execute("UPDATE roots SET away = ?2 WHERE id = ?1", params![root.0, away])?;
            Ok(())
        })
    }

    /// Lets the files of the root at `path` wait, or go on. `false` where no root has that
    /// path.
    pub fn set_paused(&self, path: &SourcePath, paused: bool) -> Result<bool, CatalogError> {
        self.write(|transaction| {
            transaction
                .execute(
                    "UPDATE roots SET paused = ?2 WHERE path = ?1",
                    params![path.to_bytes().as_ref(), paused],
                )
                .map(|changed| changed > 0)
        })
    }

    /// Stops following the root at `path`; its files begin to leave. `false` where
    /// no root has that path.
    pub fn remove_root(&self, path: &SourcePath) -> Result<bool, CatalogError> {
        self.write(|transaction| {
            let id = transaction
                .query_row(
                    "SELECT id FROM roots WHERE path = ?",
                    [path.to_bytes().as_ref()],
                    |row| row.get(0).map(RootId),
                )
                .optional()?;
            let Some(id) = id else { return Ok(false) };
            // What was made of its files is theirs, and not to wait until they are gone.
            transaction.execute(
                "DELETE FROM marks WHERE file IN (SELECT id FROM files WHERE root = ?)",
                [id.0],
            )?;
            transaction.execute(
                "UPDATE files SET root = NULL, stage = ?2, reached = 0, hash = NULL,
                        again = NULL, tries = 0, misplaced = 0, version = version + 1
                 WHERE root = ?1",
                params![id.0, stage::LEAVING],
            )?;
            for Span { first, end } in Span::both(path) {
                transaction.execute(
                    "DELETE FROM included WHERE path >= ? AND path < ?",
                    params![first, end],
                )?;
            }
            delete_root(transaction, id)?;
            vocabulary::outdate(transaction)?;
            Ok(true)
        })
    }
}

fn delete_root(transaction: &Transaction<'_>, id: RootId) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM roots WHERE id = ?", [id.0])?;
    transaction.execute("DELETE FROM left_out WHERE root = ?", [id.0])?;
    transaction.execute("DELETE FROM tally WHERE root = ?", [id.0])?;
    Ok(())
}
