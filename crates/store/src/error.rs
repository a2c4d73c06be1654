//! What can go wrong with the tables. Every variant names the folder or table it
//! happened to.

use std::{error::Error, io, path::PathBuf};

/// The database's own error, kept whole for the log.
pub type Source = Box<dyn Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data folder cannot be used at all.
    #[error("the index folder {} cannot be opened", path.display())]
    Open { path: PathBuf, source: Source },
    /// A table exists but cannot be read: its files are damaged or incomplete.
    #[error("the table {} is damaged", path.display())]
    Corrupt { path: PathBuf, source: Source },
    /// Nothing was lost; the same call works once there is room.
    #[error("no space is left on the disk that holds {}", path.display())]
    DiskFull { path: PathBuf, source: Source },
    #[error("the table {} could not be read", path.display())]
    Read { path: PathBuf, source: Source },
    #[error("the table {} could not be written", path.display())]
    Write { path: PathBuf, source: Source },
    /// A column is missing or of another type: another version wrote the table.
    #[error("the table {} has no usable column {column}", path.display())]
    Column { path: PathBuf, column: &'static str },
    /// A vector of another model's length.
    #[error("{} holds vectors of {expected} numbers, not {actual}", path.display())]
    Dims { path: PathBuf, expected: usize, actual: usize },
    /// The folder's size could not be taken.
    #[error("the size of {} could not be taken", path.display())]
    Size { path: PathBuf, source: io::Error },
}

/// What was being done when the database failed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Doing {
    Open,
    Read,
    Write,
}

impl StoreError {
    pub(crate) fn new(doing: Doing, path: PathBuf, error: impl Into<Source>) -> Self {
        let source = error.into();
        if is_disk_full(source.as_ref()) {
            return StoreError::DiskFull { path, source };
        }
        if is_damage(source.as_ref()) {
            return StoreError::Corrupt { path, source };
        }
        match doing {
            Doing::Open => StoreError::Open { path, source },
            Doing::Read => StoreError::Read { path, source },
            Doing::Write => StoreError::Write { path, source },
        }
    }
}

/// The chain of causes, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// The database passes some IO errors on as text only, so both are looked at.
fn is_disk_full(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            return matches!(
                cause.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            );
        }
        let text = cause.to_string();
        text.contains("No space left on device")
            || text.contains("(os error 28)")
            || text.contains("(os error 112)")
    })
}

fn is_damage(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        matches!(
            cause.downcast_ref::<lancedb::Error>(),
            Some(lancedb::Error::TableCorrupted { .. })
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: impl Into<Source>, disk_full: bool) {
        let error = StoreError::new(Doing::Write, PathBuf::from("/data/passages"), source);
        assert_eq!(matches!(error, StoreError::DiskFull { .. }), disk_full, "{error:?}");
        assert!(error.to_string().contains("/data/passages"));
    }

    #[test]
    fn a_full_disk_is_known_however_deep_it_lies() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        check(full(), true);
        check(io::Error::other(lancedb::Error::CreateDir { path: "x".into(), source: full() }), true);
        check(
            lancedb::Error::Runtime {
                message: "IO error: No space left on device (os error 28)".into(),
            },
            true,
        );
        check(io::Error::from(io::ErrorKind::PermissionDenied), false);
    }

    #[test]
    fn a_damaged_table_is_named() {
        let damage = lancedb::Error::TableCorrupted {
            name: "passages".into(),
            source: Box::new(io::Error::from(io::ErrorKind::UnexpectedEof)),
        };
        let error = StoreError::new(Doing::Open, PathBuf::from("/data/passages"), damage);
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    }
}
