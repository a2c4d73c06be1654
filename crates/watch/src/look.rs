//! What one path is now, by the same rules as a scan.

use std::{
    collections::HashMap,
    fs, io,
    path::{Component, Path, PathBuf},
};

use crate::{
    FileStamp, Rule, Rules, WatchError,
    error::is_absence,
    layers::{Layers, Wanted, judge},
};

/// What a scan would say of one path.
#[derive(Debug)]
pub enum Seen {
    /// Nothing is there, or nothing that is wanted. All that was known at this
    /// path and below it is gone.
    Nothing,
    File(FileStamp),
    /// Scan below it: what is known there and not found is gone.
    Folder,
    /// A rule leaves out just this. All that was known here and below is gone.
    LeftOut {
        is_folder: bool,
        rule: Rule,
    },
    /// Nothing follows about what was known here and below.
    Unreadable(io::Error),
}

/// Looks at paths of one root. The ignore files it meets are read once, so one
/// lookout serves one batch of paths and is then dropped.
#[derive(Debug)]
pub struct Lookout {
    root: PathBuf,
    rules: Rules,
    /// The layers that hold in each folder met, where that is wanted.
    folders: HashMap<PathBuf, Option<Layers>>,
}

impl Lookout {
    pub fn new(root: &Path, rules: &Rules) -> Self {
        Self { root: root.to_owned(), rules: rules.clone(), folders: HashMap::new() }
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
        let mut at = self.root.clone();
        let mut layers = match Layers::default().within(&at) {
            Ok(layers) => layers,
            Err(_) => return Err(WatchError::RootIgnoreFile { root: at }),
        };
        let mut names = below.components().peekable();
        while let Some(name) = names.next() {
            at.push(name);
            let is_last = names.peek().is_none();
            let metadata = match fs::symlink_metadata(&at) {
                Ok(metadata) => metadata,
                Err(error) if is_absence(&error) => {
                    // A missing file in a missing root says nothing about the file.
                    return self.look_at_root().map(|_| Seen::Nothing);
                }
                Err(error) if self.rules.allows(&self.root, path, false) => {
                    return Ok(Seen::Unreadable(error));
                }
                Err(_) => return Ok(Seen::Nothing),
            };
            let kind = metadata.file_type();
            if is_last {
                return Ok(match judge(&self.rules, &self.root, &at, kind, &layers) {
                    Wanted::File => Seen::File(FileStamp::of(&metadata)),
                    Wanted::Folder(_) => Seen::Folder,
                    Wanted::No(rule) => Seen::LeftOut { is_folder: kind.is_dir(), rule },
                });
            }
            let known = self.folders.entry(at.clone()).or_insert_with(|| {
                match judge(&self.rules, &self.root, &at, kind, &layers) {
                    Wanted::Folder(within) => Some(within),
                    Wanted::File | Wanted::No(_) => None,
                }
            });
            match known {
                Some(within) if kind.is_dir() => layers = within.clone(),
                _ => return Ok(Seen::Nothing),
            }
        }
        Ok(Seen::Nothing)
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
