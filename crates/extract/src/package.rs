//! ZIP packages, opened within bounds. It knows no format: office documents, books
//! and archives are all ZIP files to it.

use std::{
    cell::Cell,
    io::{Cursor, Read},
};

use zip::{ZipArchive, result::ZipError};

use crate::NoText;

/// All that one file may unpack to, whatever is nested in it. An extraction
/// worker may use a few times this much memory.
pub(crate) const MAX_UNPACKED_BYTES: u64 = 128 << 20;

/// More entries than any document has; an archive of more is a disk, not a text.
const MAX_ENTRIES: usize = 100_000;

/// What is left of [`MAX_UNPACKED_BYTES`] for one file and all that lies in it.
pub(crate) struct Budget(Cell<u64>);

impl Budget {
    pub fn new() -> Self {
        Self(Cell::new(MAX_UNPACKED_BYTES))
    }

    /// What a format's own library is going to unpack by itself.
    fn spend(&self, bytes: u64) -> Result<(), NoText> {
        let left = self.0.get();
        self.0.set(left.saturating_sub(bytes));
        if bytes > left {
            return Err(NoText::UnpacksTooLarge { limit: MAX_UNPACKED_BYTES });
        }
        Ok(())
    }

    /// Reads to the end, unless that is past the budget.
    pub fn read(&self, format: &'static str, reader: impl Read) -> Result<Vec<u8>, NoText> {
        let mut bytes = Vec::new();
        let read = reader.take(self.0.get() + 1).read_to_end(&mut bytes);
        self.spend(bytes.len() as u64)?;
        read.map_err(|error| NoText::Damaged { format, reason: error.to_string() })?;
        Ok(bytes)
    }
}

/// A ZIP file whose entries are read one by one.
pub(crate) struct Package<'a> {
    format: &'static str,
    archive: ZipArchive<Cursor<&'a [u8]>>,
    budget: &'a Budget,
}

impl<'a> Package<'a> {
    pub fn open(format: &'static str, bytes: &'a [u8], budget: &'a Budget) -> Result<Self, NoText> {
        let damaged = |reason: String| NoText::Damaged { format, reason };
        let archive =
            ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(error.to_string()))?;
        if archive.len() > MAX_ENTRIES {
            return Err(damaged(format!("it lists {} entries", archive.len())));
        }
        Ok(Self { format, archive, budget })
    }

    /// In the archive's order, folders left out.
    pub fn names(&self) -> Vec<String> {
        let names = self.archive.file_names().flatten();
        names.filter(|name| !name.ends_with('/')).map(|name| name.into_owned()).collect()
    }

    pub fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(name).is_some()
    }

    /// The bytes of an entry; `None` where there is none of this name.
    pub fn read_if_there(&mut self, name: &str) -> Result<Option<Vec<u8>>, NoText> {
        if !self.has(name) {
            return Ok(None);
        }
        let (format, budget) = (self.format, self.budget);
        self.entry(name, |entry| budget.read(format, entry))?.map(Some)
    }

    /// Gives an entry to `read` as a stream.
    pub fn entry<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut dyn Read) -> T,
    ) -> Result<T, NoText> {
        let format = self.format;
        let entry = self.archive.by_name(name);
        let mut entry = entry.map_err(|error| match error {
            ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => NoText::Protected,
            error => NoText::Damaged { format, reason: error.to_string() },
        })?;
        Ok(read(&mut entry))
    }

    /// Unpacks everything to nowhere: sizes that an archive states may be lies.
    pub fn check_unpacked_size(&mut self) -> Result<(), NoText> {
        for index in 0..self.archive.len() {
            if let Ok(entry) = self.archive.by_index(index) {
                let most = self.budget.0.get() + 1;
                let copied = std::io::copy(&mut entry.take(most), &mut std::io::sink());
                self.budget.spend(copied.unwrap_or(0))?;
            }
        }
        Ok(())
    }

    /// The bytes of an entry that must be there.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>, NoText> {
        let missing = NoText::Damaged { format: self.format, reason: format!("{name} is missing") };
        self.read_if_there(name)?.ok_or(missing)
    }
}

/// `target` as a link in the file `from` of a package: relative to its folder,
/// or from the root with a slash. Fragments are left out.
pub(crate) fn resolve(from: &str, target: &str) -> String {
    let target = target.split('#').next().unwrap_or_default();
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let whole = match target.strip_prefix('/') {
        Some(rooted) => rooted.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
pub(crate) mod testing {
    use std::io::Write;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    /// A ZIP file of these entries.
    pub fn zip<B: AsRef<[u8]>>(entries: impl IntoIterator<Item = (impl AsRef<str>, B)>) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(name.as_ref(), SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes.as_ref()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_by_name() {
        let (bytes, budget) = (testing::zip([("a/b.txt", "one")]), Budget::new());
        let mut package = Package::open("ZIP", &bytes, &budget).unwrap();
        assert_eq!(package.names(), ["a/b.txt"]);
        assert_eq!(package.read("a/b.txt"), Ok(b"one".to_vec()));
        assert_eq!(package.read_if_there("no"), Ok(None));
        assert!(matches!(package.read("no"), Err(NoText::Damaged { .. })));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let zeros = vec![0; MAX_UNPACKED_BYTES as usize / 2 + 1];
        let (bytes, budget) = (testing::zip([("a", &zeros), ("b", &zeros)]), Budget::new());
        assert!(bytes.len() < 1 << 20);
        let mut package = Package::open("ZIP", &bytes, &budget).unwrap();
        assert!(package.read("a").is_ok());
        let limit = MAX_UNPACKED_BYTES;
        assert_eq!(package.read("b"), Err(NoText::UnpacksTooLarge { limit }));
    }

    #[test]
    fn a_cut_package_is_damaged() {
        let bytes = testing::zip([("a", "one")]);
        let budget = Budget::new();
        for length in [4, bytes.len() / 2, bytes.len() - 1] {
            let opened = Package::open("ZIP", &bytes[..length], &budget);
            assert!(matches!(opened.err(), Some(NoText::Damaged { .. })), "{length}");
        }
    }

    #[test]
    fn links_are_relative_to_their_file() {
        for (from, target, expected) in [
            ("ppt/slides/s1.xml", "../notes/n1.xml#a", "ppt/notes/n1.xml"),
            ("content.opf", "text/one.xhtml", "text/one.xhtml"),
            ("a/b", "/c/d", "c/d"),
            ("a", "../../b", "b"),
        ] {
            assert_eq!(resolve(from, target), expected, "{from} {target}");
        }
    }
}
