//! A folder to try things in.

use std::{
    collections::BTreeSet,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use rummage_watch::{Found, Rules, scan_below};

pub struct Tree {
    _dir: tempfile::TempDir,
    /// Without links, so that it is also what the system reports.
    root: PathBuf,
}

impl Tree {
    /// Files by their paths and contents.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // The folder's own name begins with a dot; so a hidden root is tried throughout.
        let root = dir.path().canonicalize().unwrap();
        let tree = Self { _dir: dir, root };
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What a scan finds, as paths relative to the root; unreadable ones begin with
    /// `!`. What is left out is not among it.
    pub fn scan(&self, rules: &Rules) -> BTreeSet<String> {
        self.scan_below("", rules)
    }

    pub fn scan_below(&self, folder: &str, rules: &Rules) -> BTreeSet<String> {
        let mut found = self.scan_all(folder, rules);
        found.retain(|found| !found.starts_with('-'));
        found
    }

    /// The same, with what is left out, which begins with `-`.
    pub fn scan_all(&self, folder: &str, rules: &Rules) -> BTreeSet<String> {
        let folder = if folder.is_empty() { self.root.clone() } else { self.at(folder) };
        let mut found = BTreeSet::new();
        let mut on = |one: Found| {
            let (mark, path) = match one {
                Found::File { path, .. } => ("", path),
                Found::Unreadable { path, .. } => ("!", path),
                Found::LeftOut { path, .. } => ("-", path),
            };
            let below = path.as_path().strip_prefix(&self.root).unwrap().display();
            assert!(found.insert(format!("{mark}{below}")), "{below} is found twice");
            ControlFlow::Continue(())
        };
        scan_below(&self.root, &folder, rules, &mut on).unwrap();
        found
    }
}

pub fn rules(patterns: &[&str]) -> Rules {
    let (rules, errors) = Rules::new(patterns);
    assert!(errors.is_empty(), "{errors:?}");
    rules
}
