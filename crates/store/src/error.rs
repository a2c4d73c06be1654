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
    /// What was written could not be brought onto the disk.
    #[error("{} could not be brought onto the disk", path.display())]
    Sync { path: PathBuf, source: io::Error },
    /// The folder's size could not be taken.
    #[error("the size of {} could not be taken", path.display())]
    Size { path: PathBuf, source: io::Error },
}

/// What was being done when the database failed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Doing {
    Open,
    OpenTable,
    Read,
    Write,
}

impl StoreError {
    pub(crate) fn new(doing: Doing, path: PathBuf, error: impl Into<Source>) -> Self {
        let source = error.into();
        if is_disk_full(source.as_ref()) {
            return StoreError::DiskFull { path, source };
        }
        match doing {
            Doing::OpenTable if !is_refusal(source.as_ref()) => {
                StoreError::Corrupt { path, source }
            }
            Doing::Open | Doing::OpenTable => StoreError::Open { path, source },
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

/// Whether the system would not open a file. A table that fails to open for any
/// other reason could be read and made no sense.
fn is_refusal(error: &(dyn Error + 'static)) -> bool {
    let os_code = |cause: &(dyn Error + 'static)| cause.downcast_ref::<io::Error>()?.raw_os_error();
    causes(error).any(|cause| os_code(cause).is_some())
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
        check(
            io::Error::other(lancedb::Error::CreateDir { path: "x".into(), source: full() }),
            true,
        );
        check(
            lancedb::Error::Runtime {
                message: "IO error: No space left on device (os error 28)".into(),
            },
            true,
        );
        check(io::Error::from(io::ErrorKind::PermissionDenied), false);
    }

    #[test]
    fn what_may_not_be_opened_is_not_called_damaged() {
        let open = |source: io::Error| {
            let error = lancedb::Error::CreateDir { path: "x".into(), source };
            StoreError::new(Doing::OpenTable, PathBuf::from("/data/passages"), error)
        };
        const EACCES: i32 = 13;
        assert!(matches!(open(io::Error::from_raw_os_error(EACCES)), StoreError::Open { .. }));
        assert!(matches!(open(io::Error::other("bad magic")), StoreError::Corrupt { .. }));
    }
}
