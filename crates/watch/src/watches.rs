//! Which places the system is asked to watch, so that every root is followed and
//! no place is watched twice.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use notify::RecursiveMode;

use crate::{RescanReason, WatchError, remote::is_on_network};

/// A root as a person gave it and as the system reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) given: PathBuf,
    /// Links resolved: some systems report changes under that path alone.
    real: PathBuf,
    is_file: bool,
    /// Added since watches were last set.
    fresh: bool,
}

impl Root {
    pub(crate) fn new(given: PathBuf) -> Self {
        let real = given.canonicalize().unwrap_or_else(|_| given.clone());
        Self { is_file: real.is_file(), real, given, fresh: true }
    }

    /// It is taken up and will be told; from now on it is like any other.
    pub(crate) fn settle(&mut self) {
        self.fresh = false;
    }

    /// A reported path as the person would name it, where it lies in this root.
    pub(crate) fn named(&self, reported: &Path) -> Option<PathBuf> {
        let below = reported.strip_prefix(&self.real).ok()?;
        // Joining nothing would add a slash.
        Some(if below.as_os_str().is_empty() { self.given.clone() } else { self.given.join(below) })
    }

    /// Where to watch. A file is watched through its folder: programs that save by
    /// renaming put another file in its place.
    fn place(&self) -> (&Path, RecursiveMode) {
        match self.real.parent() {
            Some(folder) if self.is_file => (folder, RecursiveMode::NonRecursive),
            _ => (&self.real, RecursiveMode::Recursive),
        }
    }

    /// Whether a watch of this place sees all of the root.
    fn is_covered_by(&self, place: &Path, mode: RecursiveMode) -> bool {
        match mode {
            RecursiveMode::Recursive => self.place().0.starts_with(place),
            RecursiveMode::NonRecursive => self.place() == (place, mode),
        }
    }
}

/// What became of a root.
#[derive(Debug)]
pub(crate) enum Following {
    /// From now on every change is reported; what was before must be scanned.
    Anew(RescanReason),
    Failed(WatchError),
}

/// The watches that are set.
#[derive(Debug)]
pub(crate) struct Watches<W> {
    system: W,
    set: BTreeMap<PathBuf, RecursiveMode>,
}

impl<W: notify::Watcher> Watches<W> {
    pub(crate) fn new(system: W) -> Self {
        Self { system, set: BTreeMap::new() }
    }

    /// Sets and lifts watches until these roots are followed. Returns the roots,
    /// as given, whose state changed.
    pub(crate) fn follow(&mut self, roots: &[Root]) -> Vec<(PathBuf, Following)> {
        let wanted = cover(roots);
        self.lift(&wanted, roots);
        let mut started = BTreeMap::new();
        for (place, mode) in wanted {
            if self.set.contains_key(&place) {
                continue;
            }
            let outcome = self.system.watch(&place, mode).map_err(Arc::new);
            if outcome.is_ok() {
                self.set.insert(place.clone(), mode);
            } else {
                // Half of a large folder may be watched; the rest never would be.
                let _ = self.system.unwatch(&place);
            }
            started.insert(place, (mode, outcome));
        }
        roots
            .iter()
            .filter_map(|root| Some((root.given.clone(), outcome(root, &started)?)))
            .collect()
    }

    /// Lifts the watches that are wanted no more, or whose root was added again:
    /// its folder may be another than the watched one.
    fn lift(&mut self, wanted: &BTreeMap<PathBuf, RecursiveMode>, roots: &[Root]) {
        let system = &mut self.system;
        self.set.retain(|place, mode| {
            let renewed = roots.iter().any(|root| root.fresh && root.place() == (place, *mode));
            let keep = wanted.get(place) == Some(mode) && !renewed;
            if !keep {
                // Fails where the folder is gone, and its watch with it.
                let _ = system.unwatch(place);
            }
            keep
        });
    }
}

type Started = BTreeMap<PathBuf, (RecursiveMode, Result<(), Arc<notify::Error>>)>;

fn outcome(root: &Root, started: &Started) -> Option<Following> {
    let reason = if root.fresh { RescanReason::Started } else { RescanReason::Renewed };
    let covering = started.iter().find(|(place, (mode, _))| root.is_covered_by(place, *mode));
    match covering {
        // It is watched all the same: what this machine changes is told.
        Some((_, (_, Ok(())))) if is_on_network(&root.real) => {
            Some(Following::Failed(WatchError::OnNetwork { root: root.given.clone() }))
        }
        Some((_, (_, Ok(())))) => Some(Following::Anew(reason)),
        Some((_, (_, Err(error)))) => {
            Some(Following::Failed(WatchError::of_watch(root.given.clone(), Arc::clone(error))))
        }
        None => root.fresh.then_some(Following::Anew(reason)),
    }
}

/// The fewest places that see every root.
fn cover(roots: &[Root]) -> BTreeMap<PathBuf, RecursiveMode> {
    let places: Vec<_> = roots.iter().map(Root::place).collect();
    let is_inside = |place: &Path, mode: RecursiveMode| {
        places.iter().any(|(other, other_mode)| {
            *other_mode == RecursiveMode::Recursive
                && place.starts_with(other)
                && (place != *other || mode == RecursiveMode::NonRecursive)
        })
    };
    places
        .iter()
        .filter(|(place, mode)| !is_inside(place, *mode))
        .map(|(place, mode)| (place.to_path_buf(), *mode))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, io};

    use super::*;

    /// A system that watches what it is told, except for the places it refuses.
    #[derive(Debug, Default)]
    struct Ledger {
        watched: BTreeMap<PathBuf, RecursiveMode>,
        refused: Vec<PathBuf>,
    }

    impl notify::Watcher for Ledger {
        fn new<F: notify::EventHandler>(_: F, _: notify::Config) -> notify::Result<Self> {
            Ok(Self::default())
        }

        fn watch(&mut self, path: &Path, mode: RecursiveMode) -> notify::Result<()> {
            if self.refused.iter().any(|refused| refused == path) {
                return Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch));
            }
            assert!(self.watched.insert(path.to_owned(), mode).is_none(), "{path:?} twice");
            Ok(())
        }

        fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
            let lifted = self.watched.remove(path);
            lifted.map(|_| ()).ok_or_else(|| notify::Error::io(io::ErrorKind::NotFound.into()))
        }

        fn kind() -> notify::WatcherKind {
            notify::WatcherKind::NullWatcher
        }
    }

    /// Folders `a`, `a/b`, `c` and files `a/f`, `c/f`, `c/g`.
    struct Places {
        dir: tempfile::TempDir,
        watches: Watches<Ledger>,
        roots: Vec<Root>,
    }

    impl Places {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            for folder in ["a/b", "c"] {
                fs::create_dir_all(dir.path().join(folder)).unwrap();
            }
            for file in ["a/f", "c/f", "c/g"] {
                fs::write(dir.path().join(file), "").unwrap();
            }
            Self { dir, watches: Watches::new(Ledger::default()), roots: Vec::new() }
        }

        fn at(&self, name: &str) -> PathBuf {
            self.dir.path().canonicalize().unwrap().join(name)
        }

        /// Follows these roots and returns what is told: `+` started, `~` renewed, `!` failed.
        fn follow(&mut self, names: &[&str]) -> String {
            let roots = names.iter().map(|name| {
                let known = self.roots.iter().find(|root| root.given == self.at(name));
                known.cloned().unwrap_or_else(|| Root::new(self.at(name)))
            });
            self.roots = roots.collect();
            let told = self.watches.follow(&self.roots);
            self.roots.iter_mut().for_each(Root::settle);
            let told = told.iter().map(|(root, following)| {
                let mark = match following {
                    Following::Anew(RescanReason::Started) => '+',
                    Following::Anew(RescanReason::Renewed) => '~',
                    Following::Failed(WatchError::TooManyFolders { .. }) => '!',
                    other => panic!("{other:?}"),
                };
                format!("{mark}{}", root.strip_prefix(self.at("")).unwrap().display())
            });
            told.collect::<Vec<_>>().join(" ")
        }

        /// The places watched, with `/**` for all below.
        fn check(&self, expected: &[&str]) {
            let watched: Vec<_> = self.watches.system.watched.iter().collect();
            let expected: BTreeMap<_, _> = expected
                .iter()
                .map(|place| match place.strip_suffix("/**") {
                    Some(place) => (self.at(place), RecursiveMode::Recursive),
                    None => (self.at(place), RecursiveMode::NonRecursive),
                })
                .collect();
            assert_eq!(watched, expected.iter().collect::<Vec<_>>());
            assert_eq!(self.watches.set, expected);
        }
    }

    #[test]
    fn a_root_inside_another_needs_no_watch() {
        let mut places = Places::new();
        assert_eq!(places.follow(&["a/b", "a/f"]), "+a/b +a/f");
        places.check(&["a", "a/b/**"]);
        assert_eq!(places.follow(&["a/b", "a/f", "a"]), "~a/b ~a/f +a");
        places.check(&["a/**"]);
        assert_eq!(places.follow(&["a", "a/b"]), "");
        assert_eq!(places.follow(&["a/b"]), "~a/b");
        places.check(&["a/b/**"]);
    }

    #[test]
    fn files_share_the_watch_of_their_folder() {
        let mut places = Places::new();
        assert_eq!(places.follow(&["c/f", "c/g"]), "+c/f +c/g");
        places.check(&["c"]);
        assert_eq!(places.follow(&["c/g"]), "");
        places.check(&["c"]);
        assert_eq!(places.follow(&[]), "");
        places.check(&[]);
    }

    #[test]
    fn a_root_added_again_is_watched_anew() {
        let mut places = Places::new();
        assert_eq!(places.follow(&["a", "c"]), "+a +c");
        // The folder was deleted, its watch with it, and made again.
        let folder = places.at("a");
        places.watches.system.watched.remove(&folder);
        places.roots.retain(|root| root.given != folder);
        assert_eq!(places.follow(&["a", "c"]), "+a");
        places.check(&["a/**", "c/**"]);
    }

    #[test]
    fn a_place_that_cannot_be_watched_is_told_and_tried_again() {
        let mut places = Places::new();
        places.watches.system.refused.push(places.at("a"));
        assert_eq!(places.follow(&["a", "a/b", "c"]), "!a !a/b +c");
        places.check(&["c/**"]);
        places.watches.system.refused.clear();
        assert_eq!(places.follow(&["a", "a/b", "c"]), "~a ~a/b");
        places.check(&["a/**", "c/**"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_root_behind_a_link_keeps_its_given_name() {
        let places = Places::new();
        let link = places.at("link");
        std::os::unix::fs::symlink(places.at("a"), &link).unwrap();
        let root = Root::new(link.clone());
        assert_eq!(root.named(&places.at("a/b/x")), Some(link.join("b/x")));
        assert_eq!(root.named(&places.at("a")), Some(link));
        assert_eq!(root.named(&places.at("c/f")), None);
    }
}
