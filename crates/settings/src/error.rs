//! What is wrong with settings, in words for the person who set them.

use std::{io, path::PathBuf};

use crate::Field;

/// A value that its field may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is {found}, and must be {}", field.key(), field.kind())]
pub struct FieldError {
    pub field: Field,
    /// The value, as the file would have it.
    pub found: String,
}

impl FieldError {
    /// What the value must be, to show beside the field.
    pub fn message(&self) -> String {
        format!("must be {}", self.field.kind())
    }
}

/// Something in the file that was passed over. The settings are whole all the same.
#[derive(Debug, thiserror::Error)]
pub enum Warning {
    #[error(
        "{} cannot be read, so every setting has its default: {source}",
        path.display()
    )]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(
        "{}, line {line}: {problem}; until that line is mended every setting has its default. \
         The file stays as it is; when settings are saved, it is kept beside the new one",
        path.display()
    )]
    Broken { path: PathBuf, line: usize, problem: String },
    #[error("{}, line {line}: {error}; its default holds until then", path.display())]
    Value { path: PathBuf, line: usize, error: FieldError },
    #[error(
        "{}, line {line}: there is no setting {key}; mend its name or delete it",
        path.display()
    )]
    Unknown { path: PathBuf, line: usize, key: String },
}

/// Why settings were not saved. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{}", listed(errors))]
    Invalid { errors: Vec<FieldError> },
    #[error("{} cannot be read, so it was not replaced: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

fn listed(errors: &[FieldError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
