//! What lies below a root now. One thread, one directory open at a time.

use std::{
    fs::{self, Metadata},
    io,
    ops::ControlFlow,
    path::Path,
    time::UNIX_EPOCH,
};

use rummage_corpus::SourcePath;

use crate::{Rules, WatchError, error::is_absence, rules::has_trap};

/// By what a file is known to be unchanged without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileStamp {
    pub bytes: u64,
    /// Of the last change, in nanoseconds since 1970; the nearest that fits for
    /// years before 1677 and after 2262, 0 where the file system keeps no time.
    pub modified_ns: i64,
    /// 0 where the system has no such number.
    pub inode: u64,
    /// 0 where the system has no such number.
    pub device: u64,
}

impl FileStamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let (inode, device) = identity(metadata);
        Self { bytes: metadata.len(), modified_ns: modified_ns(metadata), inode, device }
    }
}

/// Something wanted below a root.
#[derive(Debug)]
pub enum Found {
    File {
        path: SourcePath,
        stamp: FileStamp,
    },
    /// A file that cannot be looked at, or a folder that cannot be listed: nothing
    /// follows about what was known below it.
    Unreadable {
        path: SourcePath,
        error: io::Error,
    },
}

/// Gives every wanted file below the root to `on`, in no order, until that
/// breaks. A root that is a file is itself what is found.
///
/// What vanishes meanwhile is passed over.
///
/// # Errors
///
/// The root is not there, cannot be listed, or is neither file nor folder.
pub fn scan(
    root: &Path,
    rules: &Rules,
    on: impl FnMut(Found) -> ControlFlow<()>,
) -> Result<(), WatchError> {
    scan_below(root, root, rules, on)
}

/// As [`scan`], for one folder of the root; nothing where the root does not hold it.
/// Costs a listing of each folder between.
pub fn scan_below(
    root: &Path,
    folder: &Path,
    rules: &Rules,
    mut on: impl FnMut(Found) -> ControlFlow<()>,
) -> Result<(), WatchError> {
    let metadata =
        fs::metadata(root).map_err(|source| WatchError::of_root(root.to_owned(), source))?;
    if metadata.is_file() {
        if folder == root {
            // Nothing is left to do, whatever the answer.
            let _ = on(Found::File { path: root.into(), stamp: FileStamp::of(&metadata) });
        }
        return Ok(());
    }
    if !metadata.is_dir() {
        return Err(WatchError::RootKind { root: root.to_owned() });
    }
    if has_trap(root) {
        return Err(WatchError::RootIgnoreFile { root: root.to_owned() });
    }
    for entry in rules.walk_below(root, folder).build() {
        let found = match entry {
            Ok(entry) => file(&entry),
            Err(error) => unreadable(root, error)?,
        };
        if let Some(found) = found
            && on(found).is_break()
        {
            break;
        }
    }
    Ok(())
}

impl Found {
    pub fn path(&self) -> &SourcePath {
        match self {
            Found::File { path, .. } | Found::Unreadable { path, .. } => path,
        }
    }
}

fn file(entry: &ignore::DirEntry) -> Option<Found> {
    if !entry.file_type()?.is_file() {
        return None;
    }
    let path = entry.path().into();
    match fs::symlink_metadata(entry.path()) {
        // Between listing and looking another thing may have taken the name.
        Ok(metadata) if !metadata.is_file() => None,
        Ok(metadata) => Some(Found::File { path, stamp: FileStamp::of(&metadata) }),
        Err(error) if is_absence(&error) => None,
        Err(error) => Some(Found::Unreadable { path, error }),
    }
}

/// What a failed step of the walk found; an error where that was the root.
fn unreadable(root: &Path, error: ignore::Error) -> Result<Option<Found>, WatchError> {
    let path = path_of(&error).unwrap_or(root).to_owned();
    let error = match error.into_io_error() {
        Some(error) => error,
        // Not about a file or folder: a line of an ignore file.
        None => return Ok(None),
    };
    if path == root {
        return Err(WatchError::of_root(path, error));
    }
    Ok((!is_absence(&error)).then(|| Found::Unreadable { path: path.into(), error }))
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err)
        }
        _ => None,
    }
}

fn modified_ns(metadata: &Metadata) -> i64 {
    let Ok(modified) = metadata.modified() else { return 0 };
    match modified.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |before| -before)
        }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ino(), metadata.dev())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
}
