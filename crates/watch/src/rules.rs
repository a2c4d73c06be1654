//! Which names are wanted: the app-wide patterns, hidden names, and how ignore
//! files are read.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ignore::{
    Match, WalkBuilder,
    gitignore::{Gitignore, GitignoreBuilder},
};

use crate::WatchError;

/// The ignore files of this app; they win over `.ignore` and `.gitignore`.
const OWN_IGNORE_FILE: &str = ".rummageignore";

/// Files whose lines say what else of their folder is wanted.
const IGNORE_FILES: [&str; 3] = [OWN_IGNORE_FILE, ".ignore", ".gitignore"];

/// A longer ignore file was not written by a person, and costs memory many times
/// its size.
const MAX_IGNORE_FILE_BYTES: u64 = 1 << 20;

/// The app-wide rules. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rules {
    patterns: Arc<Gitignore>,
}

impl Rules {
    /// From patterns in the syntax of a `.gitignore`, each relative to every root;
    /// a later one wins, `!` takes back. Such a `!` also lets hidden names in.
    ///
    /// A pattern that cannot be understood is left out and named.
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> (Self, Vec<WatchError>) {
        // Matched against paths relative to a root: one set serves every root.
        let mut builder = GitignoreBuilder::new("");
        let mut errors = Vec::new();
        for pattern in patterns {
            let pattern = pattern.as_ref();
            if let Err(source) = builder.add_line(None, pattern) {
                errors.push(WatchError::Pattern { pattern: pattern.to_owned(), source });
            }
        }
        let patterns = builder.build().unwrap_or_else(|source| {
            let pattern = "(all of them together)".to_owned();
            errors.push(WatchError::Pattern { pattern, source });
            Gitignore::empty()
        });
        (Self { patterns: Arc::new(patterns) }, errors)
    }

    /// Whether the patterns and the rule on hidden names let this path in, and
    /// every folder between it and the root. Reads nothing: ignore files may
    /// still say otherwise. A path outside the root is not let in.
    pub fn allows(&self, root: &Path, path: &Path, is_dir: bool) -> bool {
        let Ok(below) = path.strip_prefix(root) else { return false };
        let mut part = PathBuf::new();
        let mut names = below.components().peekable();
        while let Some(name) = names.next() {
            part.push(name);
            if !self.allows_below(&part, is_dir || names.peek().is_some()) {
                return false;
            }
        }
        true
    }

    /// The same for a path relative to its root whose folders are known to be let in.
    fn allows_below(&self, below: &Path, is_dir: bool) -> bool {
        if below.as_os_str().is_empty() {
            return true;
        }
        match self.patterns.matched(below, is_dir) {
            Match::Ignore(_) => false,
            Match::Whitelist(_) => true,
            Match::None => !below.file_name().is_some_and(is_hidden),
        }
    }

    /// A walk of the root that minds ignore files. The walk's own rules end there:
    /// see [`Rules::walk_below`] for one that minds all of them.
    pub(crate) fn ignore_files(root: &Path) -> WalkBuilder {
        let mut walk = WalkBuilder::new(root);
        walk.standard_filters(false)
            .ignore(true)
            .git_ignore(true)
            .require_git(false)
            .add_custom_ignore_filename(OWN_IGNORE_FILE);
        walk
    }

    /// A walk of what the root holds in `folder`. It passes through the folders
    /// between, whose ignore files count.
    pub(crate) fn walk_below(&self, root: &Path, folder: &Path) -> WalkBuilder {
        let (rules, start, folder) = (self.clone(), root.to_owned(), folder.to_owned());
        let mut walk = Self::ignore_files(root);
        walk.filter_entry(move |entry| {
            let path = entry.path();
            let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
            (path.starts_with(&folder) || folder.starts_with(path))
                && path.strip_prefix(&start).is_ok_and(|below| rules.allows_below(below, is_dir))
                && !(is_dir && has_trap(path))
        });
        walk
    }
}

/// Whether a change of this file changes what else of its folder is wanted.
pub(crate) fn is_ignore_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| IGNORE_FILES.iter().any(|file| name == *file))
}

/// Whether an ignore file in this folder cannot be read to its end: a pipe in its
/// place would hold up the reader for ever. Such a folder is out.
pub(crate) fn has_trap(folder: &Path) -> bool {
    IGNORE_FILES.iter().any(|name| {
        fs::metadata(folder.join(name)).is_ok_and(|found| {
            !found.is_dir() && (!found.is_file() || found.len() > MAX_IGNORE_FILE_BYTES)
        })
    })
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(patterns: &[&str], path: &str, is_dir: bool, expected: bool) {
        let (rules, errors) = Rules::new(patterns);
        assert!(errors.is_empty(), "{errors:?}");
        let allowed = rules.allows(Path::new("/root"), &Path::new("/root").join(path), is_dir);
        assert_eq!(allowed, expected, "{path} under {patterns:?}");
    }

    #[test]
    fn hidden_names_are_out_at_every_depth() {
        check(&[], "a/b.txt", false, true);
        check(&[], ".a", true, false);
        check(&[], "a/.b/c.txt", false, false);
    }

    #[test]
    fn patterns_reach_below_the_folders_they_name() {
        check(&["node_modules/"], "a/node_modules/b/c.js", false, false);
        check(&["node_modules/"], "a/node_modules", false, true);
        check(&["/only-here"], "only-here", false, false);
        check(&["/only-here"], "a/only-here", false, true);
    }

    #[test]
    fn a_later_pattern_takes_back_and_shows_the_hidden() {
        check(&["*.log", "!keep.log"], "keep.log", false, true);
        check(&["*.log", "!keep.log"], "other.log", false, false);
        check(&["!.notes/"], ".notes/a.txt", false, true);
    }

    #[test]
    fn the_root_is_in_and_what_is_outside_is_out() {
        let (rules, _) = Rules::new(["root", "*"]);
        assert!(rules.allows(Path::new("/.root"), Path::new("/.root"), true));
        assert!(!Rules::new([""; 0]).0.allows(Path::new("/a"), Path::new("/b/c"), false));
    }

    #[test]
    fn a_pattern_that_makes_no_sense_is_named_and_the_others_count() {
        let (rules, errors) = Rules::new(["*.log", "{a", "*.tmp"]);
        assert!(
            matches!(&errors[..], [WatchError::Pattern { pattern, .. }] if pattern == "{a"),
            "{errors:?}"
        );
        let root = Path::new("/root");
        assert!(!rules.allows(root, &root.join("x.log"), false));
        assert!(!rules.allows(root, &root.join("x.tmp"), false));
    }
}
