//! Numbers that stand for files and passages inside one data folder.

use serde::{Deserialize, Serialize};

/// A file, as the catalog numbers it. It stays the same while the file's
/// contents change and is never given to another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub i64);

/// A passage: its file and its ordinal there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PassageId(i64);

/// Passages a file may have: 2²⁰. At a thousand characters each that is a text of
/// a gigabyte, far over the size cap of a file.
const ORDINAL_BITS: u32 = 20;

impl PassageId {
    pub const fn new(file: FileId, ordinal: u32) -> Self {
        assert!(ordinal < 1 << ORDINAL_BITS, "more passages than a file may have");
        Self(file.0 << ORDINAL_BITS | ordinal as i64)
    }

    /// As it is stored.
    pub const fn to_i64(self) -> i64 {
        self.0
    }

    /// From what [`PassageId::to_i64`] gave.
    pub const fn from_i64(stored: i64) -> Self {
        Self(stored)
    }

    pub const fn file(self) -> FileId {
        FileId(self.0 >> ORDINAL_BITS)
    }

    pub const fn ordinal(self) -> u32 {
        (self.0 & ((1 << ORDINAL_BITS) - 1)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_knows_its_file_and_place() {
        let passage = PassageId::new(FileId(13_600_000), 1_048_575);
        assert_eq!((passage.file(), passage.ordinal()), (FileId(13_600_000), 1_048_575));
        assert_eq!(PassageId::from_i64(passage.to_i64()), passage);
    }
}
