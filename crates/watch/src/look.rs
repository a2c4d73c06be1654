//! What one path is now, by the same rules as a scan.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use ignore::IncrementalIgnore;

use crate::{FileStamp, Rules, WatchError, error::is_absence, rules::has_trap};

/// What a scan would say of one path.
#[derive(Debug)]
pub enum Seen {
    /// Nothing is there, or nothing that is wanted. All that was known at this
    /// path and below it is gone.
    Nothing,
    File(FileStamp),
    /// Scan below it: what is known there and not found is gone.
    Folder,
    /// Nothing follows about what was known here and below.
    Unreadable(io::Error),
}

/// Looks at paths of one root. The ignore files it meets are read once, so one
/// lookout serves one batch of paths and is then dropped.
#[derive(Debug)]
pub struct Lookout {
    root: PathBuf,
    rules: Rules,
    ignore_files: IncrementalIgnore,
}

impl Lookout {
    pub fn new(root: &Path, rules: &Rules) -> Self {
        let ignore_files = Rules::ignore_files(root)
            .build_matchers()
            .pop()
            .expect("a walk of one root has one matcher");
        Self { root: root.to_owned(), rules: rules.clone(), ignore_files }
    }

    /// What the path, which lies below the root or is the root, is now.
    ///
    /// # Errors
    ///
    /// The root is not there or cannot be looked at.
    pub fn look(&mut self, path: &Path) -> Result<Seen, WatchError> {
        let Ok(below) = path.strip_prefix(&self.root) else { return Ok(Seen::Nothing) };
        if below.as_os_str().is_empty() {
            return self.look_at_root();
        }
        if !below.components().all(|name| matches!(name, Component::Normal(_))) {
            return Ok(Seen::Nothing);
        }
        let metadata = match plain_metadata(&self.root, below) {
            Ok(Some(metadata)) => metadata,
            Ok(None) => return Ok(Seen::Nothing),
            Err(error) if is_absence(&error) => {
                // A missing file in a missing root says nothing about the file.
                return self.look_at_root().map(|_| Seen::Nothing);
            }
            Err(error) if self.rules.allows(&self.root, path, false) => {
                return Ok(Seen::Unreadable(error));
            }
            Err(_) => return Ok(Seen::Nothing),
        };
        let is_dir = metadata.is_dir();
        let wanted = (is_dir || metadata.is_file())
            && self.rules.allows(&self.root, path, is_dir)
            && !self.is_trapped(below, is_dir)
            && !self.ignore_files.matched(below, is_dir).is_ignore();
        Ok(match (wanted, is_dir) {
            (false, _) => Seen::Nothing,
            (true, true) => Seen::Folder,
            (true, false) => Seen::File(FileStamp::of(&metadata)),
        })
    }

    /// Whether a folder on the way, or this one, has an ignore file that cannot be read.
    fn is_trapped(&self, below: &Path, is_dir: bool) -> bool {
        let folders = below.ancestors().skip(usize::from(!is_dir));
        folders.map(|folder| self.root.join(folder)).any(|folder| has_trap(&folder))
    }

    fn look_at_root(&self) -> Result<Seen, WatchError> {
        match fs::metadata(&self.root) {
            Ok(metadata) if metadata.is_dir() => Ok(Seen::Folder),
            Ok(metadata) if metadata.is_file() => Ok(Seen::File(FileStamp::of(&metadata))),
            Ok(_) => Err(WatchError::RootKind { root: self.root.clone() }),
            Err(source) => Err(WatchError::of_root(self.root.clone(), source)),
        }
    }
}

/// Looks at a single path; see [`Lookout`] for many.
///
/// # Errors
///
/// As [`Lookout::look`].
pub fn look(root: &Path, path: &Path, rules: &Rules) -> Result<Seen, WatchError> {
    Lookout::new(root, rules).look(path)
}

/// Of a path no part of which below the root is a symbolic link; `None` where one is.
fn plain_metadata(root: &Path, below: &Path) -> io::Result<Option<fs::Metadata>> {
    let mut path = root.to_owned();
    let mut names = below.components().peekable();
    while let Some(name) = names.next() {
        path.push(name);
        let metadata = fs::symlink_metadata(&path)?;
        if metadata.is_symlink() {
            return Ok(None);
        }
        if names.peek().is_none() {
            return Ok(Some(metadata));
        }
    }
    Ok(None)
}
