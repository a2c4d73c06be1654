//! What can go wrong with a root as a whole. One bad file or folder below it is
//! no error: it is found, as unreadable.

use std::{io, path::PathBuf, sync::Arc};

#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The disk may be unplugged: nothing follows about the files that were there.
    #[error("{} is not there: {source}", root.display())]
    RootGone { root: PathBuf, source: io::Error },
    #[error("{} cannot be read: {source}", root.display())]
    RootUnreadable { root: PathBuf, source: io::Error },
    #[error("{} is neither a file nor a folder", root.display())]
    RootKind { root: PathBuf },
    #[error(
        "an ignore file in {} is no file, or longer than 1 MiB: delete it or make it shorter",
        root.display()
    )]
    RootIgnoreFile { root: PathBuf },
    #[error("the ignore pattern {pattern:?} cannot be understood: {source}")]
    Pattern { pattern: String, source: ignore::Error },
    #[error(
        "{} has more folders than the system lets a program follow; a higher limit \
         (on Linux fs.inotify.max_user_watches) mends that",
        root.display()
    )]
    TooManyFolders { root: PathBuf, source: Arc<notify::Error> },
    #[error("{} is a network drive: what other machines change there is not told", root.display())]
    OnNetwork { root: PathBuf },
    #[error("{} cannot be followed: {source}", root.display())]
    Follow { root: PathBuf, source: Arc<notify::Error> },
    #[error("no thread could be started to follow changes: {source}")]
    Thread { source: io::Error },
}

impl WatchError {
    /// The failure to look at a root.
    pub(crate) fn of_root(root: PathBuf, source: io::Error) -> Self {
        if is_absence(&source) {
            Self::RootGone { root, source }
        } else {
            Self::RootUnreadable { root, source }
        }
    }

    /// The failure to follow a root.
    pub(crate) fn of_watch(root: PathBuf, source: Arc<notify::Error>) -> Self {
        if matches!(source.kind, notify::ErrorKind::MaxFilesWatch) {
            Self::TooManyFolders { root, source }
        } else {
            Self::Follow { root, source }
        }
    }
}

/// Nothing has that path, rather than: it may not be looked at.
pub(crate) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
