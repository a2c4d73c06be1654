//! What lies below a root now. One thread, one directory open at a time.

use std::{
    fs::{self, Metadata},
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use rummage_corpus::SourcePath;

use crate::{
    Rule, Rules, WatchError,
    error::is_absence,
    layers::{Layers, Wanted, judge},
};

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

/// Something below a root.
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
    /// A rule leaves it out: a folder with all below it, which is not looked into.
    LeftOut {
        path: SourcePath,
        is_folder: bool,
        rule: Rule,
    },
}

/// Gives every wanted file below the root to `on`, and what rules leave out, in no
/// order, until that breaks. A root that is a file is itself what is found.
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
    let Ok(layers) = Layers::default().within(root) else {
        return Err(WatchError::RootIgnoreFile { root: root.to_owned() });
    };
    let Ok(below) = folder.strip_prefix(root) else { return Ok(()) };
    let mut walk = Walk { root, rules, folders: vec![(root.to_owned(), layers)] };
    let mut at = root.to_owned();
    for name in below {
        at.push(name);
        let kind = match fs::symlink_metadata(&at) {
            Ok(metadata) => metadata.file_type(),
            Err(error) if is_absence(&error) => return Ok(()),
            Err(error) => {
                let _ = on(Found::Unreadable { path: at.into(), error });
                return Ok(());
            }
        };
        let Some((_, layers)) = walk.folders.pop() else { return Ok(()) };
        if let Some(found) = walk.meet(at.clone(), kind, &layers, || fs::symlink_metadata(&at))
            && at == folder
        {
            // Nothing is left to do, whatever the answer.
            let _ = on(found);
        }
    }
    walk.run(&mut on)
}

/// A scan under way.
struct Walk<'a> {
    root: &'a Path,
    rules: &'a Rules,
    /// To be listed, each with the layers that hold in it.
    folders: Vec<(PathBuf, Layers)>,
}

impl Walk<'_> {
    fn run(mut self, on: &mut impl FnMut(Found) -> ControlFlow<()>) -> Result<(), WatchError> {
        while let Some((folder, layers)) = self.folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if folder == self.root => {
                    return Err(WatchError::of_root(folder, error));
                }
                Err(error) if is_absence(&error) => continue,
                Err(error) => {
                    if on(Found::Unreadable { path: folder.into(), error }).is_break() {
                        return Ok(());
                    }
                    continue;
                }
            };
            for entry in entries {
                let found = match entry.and_then(|entry| Ok((entry.file_type()?, entry))) {
                    Ok((kind, entry)) => {
                        self.meet(entry.path(), kind, &layers, || entry.metadata())
                    }
                    Err(error) if is_absence(&error) => None,
                    // What else it holds is not known.
                    Err(error) => Some(Found::Unreadable { path: folder.as_path().into(), error }),
                };
                if let Some(found) = found
                    && on(found).is_break()
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// What is found there; a wanted folder is kept for later.
    fn meet(
        &mut self,
        path: PathBuf,
        kind: fs::FileType,
        layers: &Layers,
        metadata: impl FnOnce() -> io::Result<Metadata>,
    ) -> Option<Found> {
        match judge(self.rules, self.root, &path, kind, layers) {
            Wanted::Folder(layers) => {
                self.folders.push((path, layers));
                None
            }
            Wanted::No(rule) => {
                Some(Found::LeftOut { path: path.into(), is_folder: kind.is_dir(), rule })
            }
            Wanted::File => match metadata() {
                // Between listing and looking another thing may have taken the name.
                Ok(metadata) if !metadata.is_file() => None,
                Ok(metadata) => {
                    Some(Found::File { path: path.into(), stamp: FileStamp::of(&metadata) })
                }
                Err(error) if is_absence(&error) => None,
                Err(error) => Some(Found::Unreadable { path: path.into(), error }),
            },
        }
    }
}

impl Found {
    pub fn path(&self) -> &SourcePath {
        match self {
            Found::File { path, .. }
            | Found::Unreadable { path, .. }
            | Found::LeftOut { path, .. } => path,
        }
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
