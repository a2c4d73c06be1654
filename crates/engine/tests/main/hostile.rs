//! What file systems hold besides well-behaved files: each thing ends in the ledger
//! with its reason, and nothing waits for ever.

use std::{
    ffi::{CString, OsStr},
    fs,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::{ffi::OsStrExt, fs::symlink, net::UnixListener},
    },
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use rummage_corpus::FileId;
use rummage_engine::{Engine, FileRow, FileState, Following};
use rummage_testkit::Tree;

use crate::{Home, names, settled};

/// Follows the tree and indexes until nothing is left to do.
async fn index(home: &Home, tree: &Tree) -> Engine {
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    engine
}

fn rows(engine: &Engine, state: FileState) -> Vec<FileRow> {
    engine.files(Some(state), FileId(0), 1000).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_any_bytes_are_indexed_and_found() {
    let (home, tree) = (Home::new(), Tree::new());
    let odd = [b"two\nlines.txt".as_slice(), b"caf\xe9.txt", b"\x1b[2J.txt", b" .txt"];
    for name in odd {
        fs::write(tree.root().join(OsStr::from_bytes(name)), "violet umbrellas").unwrap();
    }
    let engine = index(&home, &tree).await;
    let mut found: Vec<_> = rows(&engine, FileState::Indexed)
        .iter()
        .map(|row| row.path.as_path().file_name().unwrap().as_bytes().to_vec())
        .collect();
    found.sort();
    assert_eq!(found, [b"\x1b[2J.txt".as_slice(), b" .txt", b"caf\xe9.txt", b"two\nlines.txt"]);
    assert_eq!(names(&engine, "violet umbrellas").await.len(), odd.len());
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pipes_sockets_devices_and_links_stand_in_the_ledger_unread() {
    let (home, tree) = (Home::new(), Tree::with([("good.txt", "violet umbrellas")]));
    let pipe = CString::new(tree.path("pipe.txt").as_os_str().as_bytes()).unwrap();
    // SAFETY: both paths are C strings that live through the calls.
    unsafe {
        assert_eq!(libc::mkfifo(pipe.as_ptr(), 0o600), 0);
        // Only the superuser may make devices; the others have one thing less to try.
        let device = CString::new(tree.path("zero.txt").as_os_str().as_bytes()).unwrap();
        libc::mknod(device.as_ptr(), libc::S_IFCHR | 0o600, libc::makedev(1, 5));
    }
    let _socket = UnixListener::bind(tree.path("socket.txt")).unwrap();
    symlink(tree.root(), tree.path("loop")).unwrap();
    symlink("/dev/zero", tree.path("link.txt")).unwrap();
    let engine = index(&home, &tree).await;
    let skipped = rows(&engine, FileState::Skipped);
    for (name, word) in
        [("pipe.txt", "pipe"), ("socket.txt", "socket"), ("loop", "link"), ("link.txt", "link")]
    {
        let row = skipped.iter().find(|row| row.path == tree.source(name));
        let reason = row.and_then(|row| row.reason.as_deref());
        assert!(reason.is_some_and(|reason| reason.contains(word)), "{name}: {reason:?}");
    }
    assert_eq!(names(&engine, "violet umbrellas").await, ["good.txt"]);
    engine.close().await;
}

/// Makes folder in folder, deeper than any path can name. They go without a path,
/// too.
struct Abyss<'a>(&'a Path);

impl<'a> Abyss<'a> {
    fn new(top: &'a Path, depth: usize) -> Self {
        let name = c"d";
        let mut at = OwnedFd::from(fs::File::open(top).unwrap());
        for _ in 0..depth {
            // SAFETY: the name is a C string and the descriptor is open; the new one is
            // owned by nobody else.
            at = unsafe {
                assert_eq!(libc::mkdirat(at.as_raw_fd(), name.as_ptr(), 0o700), 0);
                let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
                let next = libc::openat(at.as_raw_fd(), name.as_ptr(), flags);
                assert!(next >= 0);
                OwnedFd::from_raw_fd(next)
            };
        }
        Self(top)
    }
}

impl Drop for Abyss<'_> {
    fn drop(&mut self) {
        let _ = Command::new("rm").arg("-rf").arg(self.0.join("d")).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_four_thousand_deep_are_followed_as_far_as_paths_reach() {
    let (home, tree) = (Home::new(), Tree::with([("good.txt", "violet umbrellas")]));
    let _abyss = Abyss::new(tree.root(), 4000);
    tree.write(&format!("{}deep.txt", "d/".repeat(500)), "copper kettles");
    let engine = index(&home, &tree).await;
    assert_eq!(names(&engine, "violet umbrellas").await, ["good.txt"]);
    assert_eq!(names(&engine, "copper kettles").await, ["deep.txt"]);
    let failed = rows(&engine, FileState::Failed);
    let [deepest] = &failed[..] else { panic!("{failed:?}") };
    assert!(deepest.is_folder, "{deepest:?}");
    assert!(deepest.reason.as_deref().is_some_and(|reason| reason.contains("too long")));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_while_it_is_read_ends_with_what_it_says_last() {
    let (home, tree) = (Home::new(), Tree::prose(300, 3));
    let engine = home.open(Following::Live).await;
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let changing = scope.spawn(|| {
            let mut edition = 0;
            while !stop.load(Ordering::Relaxed) {
                edition += 1;
                tree.write("restless.txt", format!("edition{edition} ").repeat(500));
            }
            edition
        });
        let indexing = async {
            engine.follow(&[tree.root().to_owned()]).await.unwrap();
            // The others are not held up by it.
            crate::until(&engine, "indexed", |status| status.counts.indexed >= 300).await;
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(indexing));
        stop.store(true, Ordering::Relaxed);
        assert!(changing.join().unwrap() > 1);
    });
    tree.write("restless.txt", "violet umbrellas");
    let mut changes = engine.status_changes().unwrap();
    let settles = async {
        while names(&engine, "violet umbrellas").await != ["restless.txt"] {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(crate::PATIENCE, settles).await.expect("its last words are found");
    settled(&engine).await;
    assert_eq!(engine.status().unwrap().counts.failed, 0);
    engine.close().await;
}
