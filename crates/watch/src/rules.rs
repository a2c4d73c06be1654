//! Which names are wanted: the app-wide patterns and hidden names; and by which rule
//! something is left out.

use std::{
    ffi::OsStr,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};

use crate::WatchError;

/// Files whose lines say what else of their folder is wanted, those of this app
/// first: they win over the others.
pub(crate) const IGNORE_FILES: [&str; 3] = [".rummageignore", ".ignore", ".gitignore"];

/// Why a file or a folder is left out. Shows as words for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Rule {
    /// One of the app-wide patterns.
    Pattern(String),
    /// Its name begins with a dot.
    Hidden,
    /// A line of an ignore file.
    Line { file: PathBuf, line: String },
    /// A symbolic link.
    Link,
    /// A pipe, a socket or a device.
    Special,
    /// An ignore file in the folder is no file, or too long, so what of the folder
    /// is wanted is not known.
    Trap(PathBuf),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Pattern(pattern) => {
                write!(f, "the pattern {pattern} in the settings leaves it out")
            }
            Rule::Hidden => f.write_str(
                "its name begins with a dot: a pattern like !.name in the settings lets it in",
            ),
            Rule::Line { file, line } => {
                write!(f, "the line {line} in {} leaves it out", file.display())
            }
            Rule::Link => f.write_str(
                "it is a link: what it leads to is indexed where it lies, if that is followed",
            ),
            Rule::Special => f.write_str("it is a pipe, a socket or a device"),
            Rule::Trap(file) => write!(
                f,
                "{} is no file, or longer than 1 MiB: delete it or make it shorter",
                file.display()
            ),
        }
    }
}

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
            if self.rule(&part, is_dir || names.peek().is_some()).is_some() {
                return false;
            }
        }
        true
    }

    /// What leaves a path out, which is relative to its root and whose folders are
    /// known to be let in.
    pub(crate) fn rule(&self, below: &Path, is_dir: bool) -> Option<Rule> {
        if below.as_os_str().is_empty() {
            return None;
        }
        match self.patterns.matched(below, is_dir) {
            Match::Ignore(pattern) => Some(Rule::Pattern(pattern.original().to_owned())),
            Match::Whitelist(_) => None,
            Match::None => below.file_name().is_some_and(is_hidden).then_some(Rule::Hidden),
        }
    }
}

/// Whether a change of this file changes what else of its folder is wanted.
pub(crate) fn is_ignore_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| IGNORE_FILES.iter().any(|file| name == *file))
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
