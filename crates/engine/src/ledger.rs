//! What became of every file, and what a person can do about it.

use std::path::{Path, PathBuf};

use rummage_catalog::{FileFilter, FilePage, FileRow, FileState, Root};
use rummage_corpus::{FileId, SourcePath};

use crate::{Engine, EngineError, absolute, follow::Call, real_path};

/// What a person may do about a file that is not indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Read it again: [`Engine::retry_file`].
    Retry,
    /// Index it although a rule leaves it out: [`Engine::include`].
    Include,
}

/// Rows queued again in one transaction.
const RETRIED_AT_ONCE: usize = 1000;

impl Engine {
    /// All rows of one state or of all, in the order the files came, up to `limit`
    /// after `after`.
    pub fn files(
        &self,
        state: Option<FileState>,
        after: FileId,
        limit: usize,
    ) -> Result<Vec<FileRow>, EngineError> {
        let filter = FileFilter { state, ..FileFilter::default() };
        let (mut rows, mut next) = (Vec::new(), Some(after));
        while let Some(after) = next.filter(|_| rows.len() < limit) {
            let page = self.find_files(&filter, after, limit - rows.len())?;
            rows.extend(page.rows);
            next = page.next;
        }
        Ok(rows)
    }

    /// The rows that a filter wants, a page at a time; see
    /// [`Catalog::files`](rummage_catalog::Catalog::files).
    pub fn find_files(
        &self,
        filter: &FileFilter,
        after: FileId,
        limit: usize,
    ) -> Result<FilePage, EngineError> {
        Ok(self.shared.catalog.files(filter, after, limit)?)
    }

    /// One row; `None` once it has left.
    pub fn file(&self, file: FileId) -> Result<Option<FileRow>, EngineError> {
        Ok(self.shared.catalog.file(file)?)
    }

    /// The row of this very path: a followed file's, or that of the rule which leaves
    /// it out.
    pub fn file_at(&self, path: &Path) -> Result<Option<FileRow>, EngineError> {
        let (catalog, path) = (&self.shared.catalog, SourcePath::new(path));
        Ok(match catalog.file_at(&path)? {
            Some(row) => Some(row),
            None => catalog.left_out_at(&path)?.filter(|row| row.path == path),
        })
    }

    /// What became of a path, followed or not: the file's own row, or that of the rule
    /// which leaves it or a folder above it out. `None` where nothing is known of it.
    pub fn account_of(&self, path: &Path) -> Result<Option<FileRow>, EngineError> {
        let path = SourcePath::new(real_path(path).or_else(|_| absolute(path))?);
        let catalog = &self.shared.catalog;
        Ok(match catalog.file_at(&path)? {
            Some(row) => Some(row),
            None => catalog.left_out_at(&path)?,
        })
    }

    /// What can be done about a row; `None` for what is indexed or queued.
    pub fn remedy(&self, row: &FileRow) -> Option<Remedy> {
        let is_too_large = || row.bytes > self.shared.settings.borrow().files.max_bytes();
        match row.state {
            FileState::Indexed | FileState::Queued => None,
            FileState::Skipped if row.is_left_out() || is_too_large() => Some(Remedy::Include),
            FileState::Skipped | FileState::Failed => Some(Remedy::Retry),
        }
    }

    /// Reads files again that failed: those at and below these paths, all where none
    /// is given. Returns how many are queued by this; folders that could not be
    /// listed are looked at again besides.
    ///
    /// # Errors
    /// [`EngineError::NotFollowed`] with the first path that is in no followed folder,
    /// which changes nothing.
    pub async fn retry(&self, paths: &[PathBuf]) -> Result<u64, EngineError> {
        self.writable()?;
        let catalog = &self.shared.catalog;
        let roots = catalog.roots()?;
        let mut wanted = Vec::new();
        for path in paths {
            // What is still there is followed under its real name.
            let path = SourcePath::new(real_path(path).or_else(|_| absolute(path))?);
            let is_followed = |root: &Root| {
                path.as_path().starts_with(&root.path) || root.path.as_path().starts_with(&path)
            };
            if !roots.iter().any(is_followed) {
                return Err(EngineError::NotFollowed { path: path.as_path().into() });
            }
            wanted.push(path);
        }
        if paths.is_empty() {
            wanted.extend(roots.into_iter().map(|root| root.path));
        }
        let (mut queued, mut look) = (0, false);
        for path in &wanted {
            queued += catalog.retry(path)?;
            look |= catalog.has_unreadable_folders(path)?;
        }
        self.queued_again(look).await?;
        Ok(queued)
    }

    /// Reads one file again that failed or was skipped, or looks again at a folder that
    /// could not be listed. Does nothing for any other row.
    pub async fn retry_file(&self, file: FileId) -> Result<(), EngineError> {
        self.writable()?;
        let row: Vec<_> = self.file(file)?.into_iter().collect();
        self.retry_rows(&row)?;
        self.queued_again(row.iter().any(is_unreadable)).await
    }

    /// The same for all rows that a filter wants. Returns how many files are queued by
    /// this.
    pub async fn retry_found(&self, filter: &FileFilter) -> Result<u64, EngineError> {
        self.writable()?;
        let (mut queued, mut look, mut next) = (0, false, Some(FileId(0)));
        while let Some(after) = next {
            let page = self.find_files(filter, after, RETRIED_AT_ONCE)?;
            queued += self.retry_rows(&page.rows)?;
            look |= page.rows.iter().any(is_unreadable);
            next = page.next;
        }
        self.queued_again(look).await?;
        Ok(queued)
    }

    /// Reads all files of a followed folder again, whether they have changed or not, and
    /// looks for others. Vectors of passages that stay the same are kept. Returns how
    /// many files are queued by this.
    ///
    /// # Errors
    /// [`EngineError::NotFollowed`] with the path, which changes nothing.
    pub async fn read_again(&self, root: &Path) -> Result<u64, EngineError> {
        self.writable()?;
        let root = self.root_at(root)?;
        let filter = FileFilter { root: Some(root.path), ..FileFilter::default() };
        let (mut queued, mut next) = (0, Some(FileId(0)));
        while let Some(after) = next {
            let page = self.find_files(&filter, after, RETRIED_AT_ONCE)?;
            let rows = page.rows.iter().filter(|row| !row.is_left_out() && !row.is_folder);
            let files: Vec<_> = rows.map(|row| row.file).collect();
            self.shared.catalog.requeue(&files)?;
            queued += files.len() as u64;
            next = page.next;
        }
        self.queued_again(true).await?;
        Ok(queued)
    }

    /// The size of all files of a followed folder together.
    ///
    /// # Errors
    /// [`EngineError::NotFollowed`] with the path.
    pub fn bytes_of(&self, root: &Path) -> Result<u64, EngineError> {
        Ok(self.shared.catalog.bytes_of(self.root_at(root)?.id)?)
    }

    fn root_at(&self, path: &Path) -> Result<Root, EngineError> {
        let mut roots = self.shared.catalog.roots()?.into_iter();
        roots
            .find(|root| root.path.as_path() == path)
            .ok_or_else(|| EngineError::NotFollowed { path: path.to_owned() })
    }

    fn retry_rows(&self, rows: &[FileRow]) -> Result<u64, EngineError> {
        let again = rows.iter().filter(|row| self.remedy(row) == Some(Remedy::Retry));
        let again: Vec<_> = again.map(|row| row.file).collect();
        Ok(self.shared.catalog.retry_files(&again)?)
    }

    /// Files were queued. `look`: folders are to be looked at again besides.
    async fn queued_again(&self, look: bool) -> Result<(), EngineError> {
        if look {
            self.shared.scan_asked();
            self.call(Call::Rules).await?;
        }
        self.shared.disturb();
        self.shared.wake();
        Ok(())
    }

    /// Indexes a file that a rule leaves out, or that is larger than the limit, for as
    /// long as it or its folder is followed. A file that a rule leaves out is followed
    /// by itself from now on; forgetting it takes that back.
    ///
    /// # Errors
    /// As for a path that [`Engine::follow`] refuses.
    pub async fn include(&self, path: &Path) -> Result<(), EngineError> {
        self.writable()?;
        let path = self.followable(path)?;
        if self.shared.catalog.include(&path)? {
            self.shared.disturb();
            self.shared.wake();
            return Ok(());
        }
        let added = self.follow(&[path.as_path().to_owned()]).await?;
        added.refused.into_iter().next().map_or(Ok(()), Err)
    }
}

/// A folder that could not be listed.
fn is_unreadable(row: &FileRow) -> bool {
    row.is_folder && row.state == FileState::Failed
}
