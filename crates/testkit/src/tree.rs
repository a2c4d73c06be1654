//! A temporary folder with files in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rummage_corpus::SourcePath;
use tempfile::TempDir;

use crate::words::prose;

/// A folder that is deleted when dropped. Names are relative, with `/` between
/// folders, which are made as needed.
#[derive(Debug)]
pub struct Tree {
    folder: TempDir,
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

impl Tree {
    /// An empty one.
    pub fn new() -> Self {
        // Not hidden, as the default name would be: hidden folders are not indexed.
        let folder = tempfile::Builder::new().prefix("tree-").tempdir();
        Self { folder: folder.expect("a temporary folder can be made") }
    }

    /// With these files: name and contents.
    pub fn with<C: AsRef<[u8]>>(files: impl IntoIterator<Item = (&'static str, C)>) -> Self {
        let tree = Self::new();
        for (name, contents) in files {
            tree.write(name, contents);
        }
        tree
    }

    /// With `files` text files of made-up prose, named `prose-0000.txt` and so on.
    pub fn prose(files: usize, seed: u64) -> Self {
        let tree = Self::new();
        for ordinal in 0..files {
            tree.write(&format!("prose-{ordinal:04}.txt"), prose(12, file_seed(seed, ordinal)));
        }
        tree
    }

    /// With `files` files of made-up prose by turns in Markdown, HTML, Rust and
    /// plain text, in folders named after the kind.
    pub fn mixed(files: usize, seed: u64) -> Self {
        let tree = Self::new();
        for ordinal in 0..files {
            let text = prose(12, file_seed(seed, ordinal));
            let (kind, contents) = match ordinal % 4 {
                0 => ("md", markdown(ordinal, &text)),
                1 => ("html", html(ordinal, &text)),
                2 => ("rs", rust(ordinal, &text)),
                _ => ("txt", text),
            };
            tree.write(&format!("{kind}/file-{ordinal:04}.{kind}"), contents);
        }
        tree
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn source(&self, name: &str) -> SourcePath {
        SourcePath::new(self.path(name))
    }

    /// Makes the file or replaces what it holds.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a name lies in the tree"))
            .and_then(|()| fs::write(&path, contents))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// Removes the file, or the folder with all that is in it.
    pub fn remove(&self, name: &str) {
        let path = self.path(name);
        if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    pub fn rename(&self, from: &str, to: &str) {
        let (from, to) = (self.path(from), self.path(to));
        fs::create_dir_all(to.parent().expect("a name lies in the tree"))
            .and_then(|()| fs::rename(&from, &to))
            .unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
}

/// Keeps neighbouring seeds from sharing files.
fn file_seed(seed: u64, ordinal: usize) -> u64 {
    (seed << 32) + ordinal as u64
}

fn markdown(ordinal: usize, text: &str) -> String {
    let sections = text.split("\n\n").enumerate();
    let sections = sections.map(|(at, text)| format!("## Section {at}\n\n{text}\n"));
    format!("# Document {ordinal}\n\n{}", sections.collect::<Vec<_>>().join("\n"))
}

fn html(ordinal: usize, text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|text| format!("<p>{text}</p>\n"));
    format!(
        "<!doctype html>\n<html><head><title>Page {ordinal}</title></head>\n\
         <body><h1>Page {ordinal}</h1>\n{}</body></html>\n",
        paragraphs.collect::<String>()
    )
}

fn rust(ordinal: usize, text: &str) -> String {
    let comment = text.split(". ").map(|sentence| format!("/// {}\n", sentence.replace('\n', " ")));
    format!(
        "{}pub fn answer_{ordinal}() -> usize {{\n    {ordinal}\n}}\n",
        comment.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_holds_what_was_written_and_goes_when_dropped() {
        let tree = Tree::with([("a.txt", "one"), ("deep/er/b.md", "# two")]);
        assert_eq!(fs::read_to_string(tree.path("deep/er/b.md")).unwrap(), "# two");
        tree.rename("a.txt", "moved/a.txt");
        tree.remove("deep");
        assert!(tree.path("moved/a.txt").exists() && !tree.path("deep").exists());
        let root = tree.root().to_owned();
        drop(tree);
        assert!(!root.exists());
    }

    #[test]
    fn corpora_are_the_same_in_every_run() {
        let contents = |tree: &Tree, name| fs::read_to_string(tree.path(name)).unwrap();
        let (one, other) = (Tree::mixed(5, 9), Tree::mixed(5, 9));
        for name in
            ["md/file-0000.md", "html/file-0001.html", "rs/file-0002.rs", "txt/file-0003.txt"]
        {
            assert_eq!(contents(&one, name), contents(&other, name));
            assert!(contents(&one, name).len() > 200);
        }
        let prose = Tree::prose(2, 9);
        assert_ne!(contents(&prose, "prose-0000.txt"), contents(&prose, "prose-0001.txt"));
    }
}
