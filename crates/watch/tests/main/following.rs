//! Changes of real folders, as the watcher tells them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rummage_watch::{Change, Pace, RescanReason, Rules, Watcher};
use tokio::{runtime::Runtime, sync::mpsc::Receiver, time::timeout};

use crate::tree::{Tree, rules};

/// A change that is not told by then never will be.
const PATIENCE: Duration = Duration::from_secs(20);

struct Follower {
    runtime: Runtime,
    watcher: Watcher,
    changes: Receiver<Change>,
}

impl Follower {
    /// Starts following, and waits until the roots are followed.
    fn new(roots: &[&Path], rules: Rules) -> Self {
        let pace = Pace { quiet: Duration::from_millis(30), at_most: Duration::from_millis(300) };
        let owned = roots.iter().map(|root| root.to_path_buf());
        let (watcher, changes) = Watcher::start(owned, rules, pace).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut follower = Self { runtime, watcher, changes };
        for _ in roots {
            follower.expect_start();
        }
        follower
    }

    fn next(&mut self) -> Change {
        let next = async { timeout(PATIENCE, self.changes.recv()).await };
        self.runtime.block_on(next).expect("a change is told").expect("the watcher lives")
    }

    fn expect_start(&mut self) -> PathBuf {
        match self.next() {
            Change::Rescan { root, reason: RescanReason::Started } => root.as_path().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    /// Waits until this path, or a folder above it, was told; returns all that was.
    fn expect(&mut self, path: &Path) -> Vec<PathBuf> {
        let mut told = Vec::new();
        while !told.iter().any(|above| path.starts_with(above)) {
            match self.next() {
                Change::Touched { paths, .. } => {
                    told.extend(paths.iter().map(|path| path.as_path().to_owned()));
                }
                other => panic!("{other:?}"),
            }
        }
        told
    }
}

#[test]
fn what_a_person_does_is_told() {
    let tree = Tree::new(&[("a.txt", "1"), ("b.txt", "1"), ("sub/c.txt", "1")]);
    let mut follower = Follower::new(&[tree.root()], rules(&[]));

    tree.write("a.txt", "12");
    follower.expect(&tree.at("a.txt"));
    tree.write("new.txt", "1");
    follower.expect(&tree.at("new.txt"));
    fs::rename(tree.at("new.txt"), tree.at("renamed.txt")).unwrap();
    follower.expect(&tree.at("renamed.txt"));
    fs::remove_file(tree.at("b.txt")).unwrap();
    follower.expect(&tree.at("b.txt"));
    fs::rename(tree.at("sub"), tree.at("moved")).unwrap();
    follower.expect(&tree.at("moved"));
    tree.write("moved/c.txt", "12");
    follower.expect(&tree.at("moved/c.txt"));
    tree.write("deep/er/d.txt", "1");
    follower.expect(&tree.at("deep/er/d.txt"));
    fs::remove_dir_all(tree.at("deep")).unwrap();
    follower.expect(&tree.at("deep"));
}

#[test]
fn both_names_of_a_renamed_file_are_told() {
    let tree = Tree::new(&[("old.txt", "1")]);
    let mut follower = Follower::new(&[tree.root()], rules(&[]));
    fs::rename(tree.at("old.txt"), tree.at("new.txt")).unwrap();
    let mut told = follower.expect(&tree.at("new.txt"));
    if !told.contains(&tree.at("old.txt")) {
        told.extend(follower.expect(&tree.at("old.txt")));
    }
    assert!(told.contains(&tree.at("old.txt")), "{told:?}");
}

#[test]
fn what_is_not_wanted_is_not_told() {
    let tree = Tree::new(&[("node_modules/a.js", "1"), (".git/index", "1"), ("a.txt", "1")]);
    let mut follower = Follower::new(&[tree.root()], rules(&["node_modules/"]));
    tree.write("node_modules/a.js", "12");
    tree.write(".git/index", "12");
    fs::read(tree.at("a.txt")).unwrap();
    tree.write("last.txt", "1");
    assert_eq!(follower.expect(&tree.at("last.txt")), [tree.at("last.txt")]);
}

#[test]
fn a_changed_ignore_file_tells_its_folder() {
    let tree = Tree::new(&[("sub/a.log", "1")]);
    let mut follower = Follower::new(&[tree.root()], rules(&[]));
    tree.write("sub/.gitignore", "*.log");
    assert_eq!(follower.expect(&tree.at("sub/a.log")), [tree.at("sub")]);
    fs::remove_file(tree.at("sub/.gitignore")).unwrap();
    assert_eq!(follower.expect(&tree.at("sub/a.log")), [tree.at("sub")]);
}

#[test]
fn a_file_is_followed_through_saving_by_renaming() {
    let tree = Tree::new(&[("notes.txt", "1"), ("other.txt", "1")]);
    let notes = tree.at("notes.txt");
    let mut follower = Follower::new(&[&notes], rules(&[]));
    for round in 0..2 {
        tree.write("other.txt", &"1".repeat(round));
        fs::rename(tree.at("other.txt"), &notes).unwrap();
        assert_eq!(follower.expect(&notes), std::slice::from_ref(&notes));
    }
}

#[test]
fn roots_come_and_go() {
    let (one, two) = (Tree::new(&[]), Tree::new(&[]));
    let mut follower = Follower::new(&[one.root()], rules(&[]));
    follower.watcher.add(two.root());
    assert_eq!(follower.expect_start(), two.root());
    two.write("a.txt", "1");
    follower.expect(&two.at("a.txt"));
    follower.watcher.remove(one.root());
    one.write("b.txt", "1");
    two.write("c.txt", "1");
    assert_eq!(follower.expect(&two.at("c.txt")), [two.at("c.txt")]);
}

#[test]
fn a_root_that_is_not_there_is_told_and_followed_once_it_is() {
    let tree = Tree::new(&[]);
    let root = tree.at("later");
    let mut follower = Follower::new(&[], rules(&[]));
    follower.watcher.add(&root);
    let told = follower.next();
    assert!(matches!(told, Change::Limited { .. }), "{told:?}");
    fs::create_dir(&root).unwrap();
    follower.watcher.add(&root);
    assert_eq!(follower.expect_start(), root);
    tree.write("later/a.txt", "1");
    follower.expect(&tree.at("later/a.txt"));
}

#[test]
fn a_receiver_that_is_behind_misses_nothing() {
    let tree = Tree::new(&[]);
    let pace = Pace { quiet: Duration::ZERO, at_most: Duration::ZERO };
    let (_watcher, changes) = Watcher::start([tree.root().to_owned()], rules(&[]), pace).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut changes = changes;
    let mut next = || {
        let next = async { timeout(PATIENCE, changes.recv()).await };
        runtime.block_on(next).expect("a change is told").expect("the watcher lives")
    };
    assert!(matches!(next(), Change::Rescan { reason: RescanReason::Started, .. }));
    let names: Vec<_> = (0..400).map(|number| format!("{number}.txt")).collect();
    for name in &names {
        tree.write(name, "1");
    }
    let mut missing: std::collections::BTreeSet<_> =
        names.iter().map(|name| tree.at(name)).collect();
    while !missing.is_empty() {
        match next() {
            Change::Touched { paths, .. } => {
                for path in paths {
                    missing.remove(path.as_path());
                }
            }
            // The system's own queue may be short.
            Change::Rescan { .. } => break,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_stream_ends_with_the_watcher() {
    let tree = Tree::new(&[]);
    let Follower { runtime, watcher, mut changes } = Follower::new(&[tree.root()], rules(&[]));
    drop(watcher);
    assert!(runtime.block_on(changes.recv()).is_none());
}
