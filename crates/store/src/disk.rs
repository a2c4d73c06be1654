//! What a folder takes on the disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{StoreError, blocking};

pub(crate) async fn bytes_under(dir: PathBuf) -> Result<u64, StoreError> {
    let path = dir.clone();
    blocking(move || sum(&dir)).await.map_err(|source| StoreError::Size { path, source })
}

/// Files that go while they are counted, as compaction makes them, count nothing.
fn sum(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes += sum(&entry.path())?,
            Ok(metadata) => bytes += metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}
