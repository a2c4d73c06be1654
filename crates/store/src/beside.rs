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
    sync::Arc,
};

use lance::{Dataset, dataset::fragment::FileFragment};

use crate::{Store, StoreError, blocking, table::Table};

/// What the files hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Vectors,
    Words,
    Texts,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Vectors, Kind::Words, Kind::Texts];

    fn extensions(self) -> (&'static str, &'static str) {
        match self {
            Self::Vectors => ("flat", "f"),
            Self::Words => ("words", "w"),
            Self::Texts => ("texts", "t"),
        }
    }

    /// Where a table's files of this kind are.
    pub fn folder(self, table: &Path) -> PathBuf {
        table.with_extension(self.extensions().0)
    }

    /// The file for this column of a fragment.
    fn path(self, table: &Table, fragment: &FileFragment, column: &str) -> Option<PathBuf> {
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

/// Where a fragment's file is, and of how many rows.
#[derive(Debug)]
pub(crate) struct FragmentFile {
    pub path: PathBuf,
    /// Of the fragment, those that are gone among them.
    pub rows: usize,
}

impl FragmentFile {
    /// Of the file for this column of a fragment. Whether there is one is not looked at.
    pub fn of(kind: Kind, table: &Table, fragment: &FileFragment, column: &str) -> Option<Self> {
        let path = kind.path(table, fragment, column)?;
        let rows = fragment.metadata().physical_rows?;
        Some(Self { path, rows })
    }
}

/// What a fragment's file is about.
pub(crate) trait Beside: Send + Sync + 'static {
    fn beside(&self) -> &FragmentFile;

    /// Whether there is a file, as far as is known a sound one. Blocks on the disk.
    fn has_file(&self) -> bool;

    /// Makes the file, whole or not at all.
    fn write(
        &self,
        store: &Store,
        dataset: &Dataset,
        fragment: &FileFragment,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl Store {
    /// Makes the files of a kind that are missing, if so many rows without one are `due`, and
    /// removes those that nothing needs; all of them, unless they are `wanted` for so many
    /// rows. Rows that are gone count as long as their fragment holds them. Files save time
    /// alone: what keeps one from being made is no reason to end the rest.
    pub(crate) async fn keep_beside<B: Beside>(
        &self,
        kind: Kind,
        table: &Table,
        wanted: impl FnOnce(usize) -> bool,
        due: impl FnOnce(usize) -> bool,
        mut of: impl FnMut(&FileFragment) -> Option<Arc<B>>,
    ) -> Result<(), StoreError> {
        let dataset = table.dataset().await?;
        let with_file = |fragment: FileFragment| Some((of(&fragment)?, fragment));
        let all: Vec<_> = dataset.get_fragments().into_iter().filter_map(with_file).collect();
        let rows = |of: &[(Arc<B>, FileFragment)]| of.iter().map(|(of, _)| of.beside().rows).sum();
        let path = table.path.clone();
        if !wanted(rows(&all)) {
            let _ = blocking(move || kind.keep_only(&path, &HashSet::new())).await;
            return Ok(());
        }
        let needed = all.iter().map(|(of, _)| of.beside().path.clone()).collect();
        let missing = blocking(move || {
            let missing = all.into_iter().filter(|(of, _)| !of.has_file());
            missing.collect::<Vec<_>>()
        });
        let missing = missing.await;
        if !missing.is_empty() && due(rows(&missing)) {
            // A file lacks the rows that are gone: they must not come back.
            self.sync().await?;
            for (of, fragment) in missing {
                let _ = of.write(self, &dataset, &fragment).await;
            }
        }
        let _ = blocking(move || kind.keep_only(&path, &needed)).await;
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

/// Of a file that does not hold what was written.
pub(crate) fn broken() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// Bytes that are read one after the other.
pub(crate) struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
        self.0 = rest;
        Ok(*first)
    }

    pub fn slice(&mut self, length: usize) -> io::Result<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.0 = rest;
        Ok(first)
    }

    pub fn byte(&mut self) -> io::Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn number(&mut self) -> io::Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn long(&mut self) -> io::Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number in as many bytes as it needs, seven bits each, the lowest first.
    pub fn short(&mut self) -> io::Result<u32> {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let byte = self.byte()?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(broken())
    }
}

pub(crate) fn push_short(to: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}
