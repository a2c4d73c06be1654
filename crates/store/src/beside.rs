//! Files of our own beside a table, one for each of its fragments: what a question asks
//! of the table, in a form that it can read at once.
//!
//! They lie in a folder of their kind and are named after the fragments' own files,
//! which never change. They hold nothing that the table does not: one that is missing,
//! or not there yet, costs time alone, and only the process that writes makes them.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use lance::dataset::fragment::FileFragment;

use crate::{StoreError, table::Table};

/// What the files hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Vectors,
    Words,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Vectors, Kind::Words];

    fn extensions(self) -> (&'static str, &'static str) {
        match self {
            Self::Vectors => ("flat", "f"),
            Self::Words => ("words", "w"),
        }
    }

    /// Where a table's files of this kind are.
    pub fn folder(self, table: &Path) -> PathBuf {
        table.with_extension(self.extensions().0)
    }

    /// The file for this column of a fragment.
    pub fn path(self, table: &Table, fragment: &FileFragment, column: &str) -> Option<PathBuf> {
        let field = fragment.schema().field(column)?;
        let mut files = fragment.metadata().files.iter();
        let file = files.find(|file| file.fields.contains(&field.id))?;
        let name = Path::new(&file.path).file_stem()?;
        Some(self.folder(&table.path).join(name).with_extension(self.extensions().1))
    }

    /// Removes a table's files of this kind.
    pub fn remove(self, table: &Path) -> io::Result<()> {
        match fs::remove_dir_all(self.folder(table)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes those that are not among the `needed`; the folder, where none is.
    pub fn keep_only(self, table: &Path, needed: &HashSet<PathBuf>) -> Result<(), StoreError> {
        let folder = self.folder(table);
        let failed = |source| StoreError::Sync { path: folder.clone(), source };
        if needed.is_empty() {
            return self.remove(table).map_err(failed);
        }
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if !needed.contains(&path) {
                // Where readers hold it open and the system minds, the next time will do.
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }
}

/// Removes all such files of a table.
pub(crate) fn remove(table: &Path) -> io::Result<()> {
    Kind::ALL.iter().try_for_each(|kind| kind.remove(table))
}

/// A file that is there whole, once it is finished, or not at all.
pub(crate) struct Fresh {
    path: PathBuf,
    written: PathBuf,
    file: BufWriter<File>,
}

impl Fresh {
    /// Its folder is made where there is none.
    pub fn begin(path: PathBuf) -> Result<Self, StoreError> {
        let written = path.with_extension("fresh");
        let file = path.parent().map_or(Ok(()), fs::create_dir_all);
        let file = file.and_then(|()| File::create(&written)).map(BufWriter::new);
        match file {
            Ok(file) => Ok(Self { path, written, file }),
            Err(source) => Err(StoreError::Sync { path, source }),
        }
    }

    /// Writes to it.
    pub fn write(
        &mut self,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        write(&mut self.file).map_err(|source| StoreError::Sync { path: self.path.clone(), source })
    }

    pub fn finish(mut self) -> Result<(), StoreError> {
        let finished = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        let finished = finished.and_then(|()| fs::rename(&self.written, &self.path));
        finished.map_err(|source| StoreError::Sync { path: self.path, source })
    }
}

#[cfg(unix)]
pub(crate) fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(windows)]
pub(crate) fn read_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !bytes.is_empty() {
        match file.seek_read(bytes, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                bytes = &mut bytes[read..];
                at += read as u64;
            }
        }
    }
    Ok(())
}
