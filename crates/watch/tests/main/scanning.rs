//! What a root holds, by a scan and by a look at each path.

use std::{fs, ops::ControlFlow, path::Path};

use proptest::prelude::*;
use rummage_watch::{Found, Lookout, Rules, Seen, WatchError, look, scan};

use crate::tree::{Tree, rules};

/// Scans, and looks at every path that is there: both must say the same.
fn check(tree: &Tree, rules: &Rules, expected: &[&str]) {
    assert_eq!(tree.scan(rules).iter().map(String::as_str).collect::<Vec<_>>(), expected);
    check_looks_agree(tree, rules);
}

fn check_looks_agree(tree: &Tree, rules: &Rules) {
    let found = tree.scan_all("", rules);
    let mut lookout = Lookout::new(tree.root(), rules);
    for path in everything_below(tree.root()) {
        let below = path.strip_prefix(tree.root()).unwrap().display().to_string();
        match lookout.look(&path).unwrap() {
            Seen::File(_) => assert!(found.contains(&below), "{below} is seen, not found"),
            Seen::Nothing => {
                let marks = ["", "!", "-"].map(|mark| format!("{mark}{below}"));
                assert!(!marks.iter().any(|one| found.contains(one)), "{below} is found, not seen");
            }
            Seen::LeftOut { rule, .. } => {
                assert!(found.contains(&format!("-{below}")), "{below}: {rule}, not found so");
            }
            Seen::Folder => {}
            Seen::Unreadable(error) => assert!(found.contains(&format!("!{below}")), "{error}"),
        }
    }
}

fn everything_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            let below = if path.is_symlink() { Vec::new() } else { everything_below(&path) };
            std::iter::once(path).chain(below)
        })
        .collect()
}

#[test]
fn nested_ignore_files_count_without_a_repository() {
    let tree = Tree::new(&[
        (".gitignore", "*.log\n/only-top.txt\n"),
        ("a.log", ""),
        ("only-top.txt", ""),
        ("sub/only-top.txt", ""),
        ("sub/.gitignore", "!keep.log\nprivate/\n"),
        ("sub/keep.log", ""),
        ("sub/drop.log", ""),
        ("sub/private/a.txt", ""),
        ("sub/.ignore", "*.tmp\n"),
        ("sub/a.tmp", ""),
    ]);
    check(&tree, &rules(&[]), &["sub/keep.log", "sub/only-top.txt"]);
}

#[test]
fn our_own_ignore_file_wins_over_the_others() {
    let tree = Tree::new(&[
        (".gitignore", "*.log\n"),
        (".rummageignore", "!wanted.log\ndrafts/\n"),
        ("wanted.log", ""),
        ("other.log", ""),
        ("drafts/a.txt", ""),
        ("a.txt", ""),
    ]);
    check(&tree, &rules(&[]), &["a.txt", "wanted.log"]);
}

#[test]
fn no_ignore_file_lets_in_what_the_settings_keep_out() {
    let tree = Tree::new(&[
        (".rummageignore", "!id_rsa\n!.hidden\n"),
        ("id_rsa", ""),
        (".hidden", ""),
        ("node_modules/a.js", ""),
        ("a.txt", ""),
    ]);
    check(&tree, &rules(&["id_rsa*", "node_modules/"]), &["a.txt"]);
}

#[test]
fn ignore_files_above_the_root_do_not_count() {
    let tree = Tree::new(&[(".gitignore", "*\n"), ("root/a.txt", "")]);
    let root = tree.at("root");
    let mut found = 0;
    scan(&root, &rules(&[]), |one| {
        found += usize::from(matches!(one, Found::File { .. }));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(found, 1);
    assert!(matches!(look(&root, &root.join("a.txt"), &rules(&[])).unwrap(), Seen::File(_)));
}

#[test]
fn the_part_below_a_folder_is_scanned_by_all_rules() {
    let tree = Tree::new(&[
        (".gitignore", "*.log\nout/\n"),
        ("a/b/c.txt", ""),
        ("a/b/c.log", ""),
        ("a/b.txt", ""),
        ("a/out/d.txt", ""),
    ]);
    let rules = rules(&[]);
    let check = |folder, expected: &[&str]| {
        assert_eq!(tree.scan_below(folder, &rules).iter().collect::<Vec<_>>(), expected);
    };
    check("a", &["a/b.txt", "a/b/c.txt"]);
    check("a/b", &["a/b/c.txt"]);
    check("a/out", &[]);
    check("a/gone", &[]);
}

#[test]
fn what_is_left_out_is_told_once_with_its_rule() {
    let tree = Tree::new(&[
        (".rummageignore", "*.log\n"),
        ("a.log", ""),
        ("node_modules/b/c.js", ""),
        ("d.txt", ""),
    ]);
    let mut told = Vec::new();
    scan(tree.root(), &rules(&["node_modules/"]), |one| {
        if let Found::LeftOut { path, is_folder, rule } = one {
            told.push((path.name().into_owned(), is_folder, rule.to_string()));
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    told.sort();
    let [hidden, log, modules] = &told[..] else { panic!("{told:?}") };
    assert!(hidden.0 == ".rummageignore" && hidden.2.contains("dot"), "{hidden:?}");
    assert!(log.0 == "a.log" && log.2.contains("the line *.log in /"), "{log:?}");
    assert!(modules.1 && modules.2.contains("pattern node_modules/"), "{modules:?}");
}

#[test]
fn a_scan_ends_when_it_is_told() {
    let tree = Tree::new(&[("a", ""), ("b", ""), ("c", "")]);
    let mut found = 0;
    scan(tree.root(), &rules(&[]), |_| {
        found += 1;
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(found, 1);
}

#[test]
fn a_root_that_is_a_file_is_found_whatever_the_rules() {
    let tree = Tree::new(&[(".gitignore", "*\n"), (".env", "words")]);
    let root = tree.at(".env");
    let mut found = Vec::new();
    scan(&root, &rules(&[".env", "*"]), |one| {
        found.push(one);
        ControlFlow::Continue(())
    })
    .unwrap();
    let [Found::File { path, stamp }] = &found[..] else { panic!("{found:?}") };
    assert_eq!((path.as_path(), stamp.bytes), (root.as_path(), 5));
    let Seen::File(seen) = look(&root, &root, &rules(&["*"])).unwrap() else { panic!("unseen") };
    assert_eq!(seen, *stamp);
}

#[test]
fn a_missing_root_is_an_error_and_a_missing_file_is_not() {
    let tree = Tree::new(&[]);
    let gone = tree.at("gone");
    let none = rules(&[]);
    let scanned = scan(&gone, &none, |_| ControlFlow::Continue(()));
    assert!(matches!(scanned, Err(WatchError::RootGone { .. })), "{scanned:?}");
    let seen = look(&gone, &gone.join("a.txt"), &none);
    assert!(matches!(seen, Err(WatchError::RootGone { .. })), "{seen:?}");
    assert!(matches!(look(tree.root(), &gone, &none), Ok(Seen::Nothing)));
    assert!(matches!(look(tree.root(), Path::new("/elsewhere"), &none), Ok(Seen::Nothing)));
    assert!(matches!(look(tree.root(), &tree.at("../x"), &none), Ok(Seen::Nothing)));
}

#[test]
fn a_changed_file_has_another_stamp() {
    let tree = Tree::new(&[("a", "1")]);
    let stamp = || match look(tree.root(), &tree.at("a"), &rules(&[])).unwrap() {
        Seen::File(stamp) => stamp,
        other => panic!("{other:?}"),
    };
    let before = stamp();
    assert_eq!(before, stamp());
    tree.write("a", "12");
    assert_ne!(before, stamp());
    assert_eq!(stamp().bytes, 2);
}

#[cfg(unix)]
mod unix {
    use std::{
        ffi::{CString, OsStr},
        os::unix::{ffi::OsStrExt, fs::PermissionsExt, fs::symlink},
    };

    use super::*;

    #[test]
    fn links_are_not_followed_but_for_the_root() {
        let outside = Tree::new(&[("secret.txt", "")]);
        let tree = Tree::new(&[("a/b.txt", "")]);
        symlink(tree.root(), tree.at("a/loop")).unwrap();
        symlink(outside.root(), tree.at("out")).unwrap();
        symlink(tree.at("a/b.txt"), tree.at("file-link")).unwrap();
        symlink(tree.at("nowhere"), tree.at("broken")).unwrap();
        check(&tree, &rules(&[]), &["a/b.txt"]);
        // Through a link nothing is seen, though the system would open it.
        for path in ["out/secret.txt", "a/loop/a/b.txt"] {
            assert!(tree.at(path).exists());
            let seen = look(tree.root(), &tree.at(path), &rules(&[])).unwrap();
            assert!(matches!(seen, Seen::Nothing), "{path}: {seen:?}");
        }

        let link = outside.at("link");
        symlink(tree.root(), &link).unwrap();
        let mut found = Vec::new();
        scan(&link, &rules(&[]), |one| {
            if let Found::File { path, .. } = one {
                found.push(path);
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(found, [link.join("a/b.txt").into()]);
        assert!(matches!(look(&link, &link.join("a/b.txt"), &rules(&[])), Ok(Seen::File(_))));
    }

    #[test]
    fn names_of_any_bytes_are_found() {
        let tree = Tree::new(&[]);
        for name in [b"two\nlines.txt".as_slice(), b"caf\xe9.txt", b" ", b"[a]*?!#.txt"] {
            fs::write(tree.at(OsStr::from_bytes(name)), "").unwrap();
        }
        let mut names = Vec::new();
        scan(tree.root(), &rules(&["*.log"]), |one| {
            let Found::File { path, .. } = one else { panic!("{one:?}") };
            names.push(path.as_path().file_name().unwrap().as_bytes().to_vec());
            let seen = look(tree.root(), path.as_path(), &rules(&["*.log"])).unwrap();
            assert!(matches!(seen, Seen::File(_)), "{path:?}");
            ControlFlow::Continue(())
        })
        .unwrap();
        names.sort();
        assert_eq!(names, [b" ".as_slice(), b"[a]*?!#.txt", b"caf\xe9.txt", b"two\nlines.txt"]);
    }

    fn make_pipe(path: &Path) {
        let path = CString::new(path.as_os_str().as_bytes()).unwrap();
        // SAFETY: the path is a C string that lives through the call.
        assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
    }

    #[test]
    fn pipes_and_sockets_are_passed_over() {
        let tree = Tree::new(&[("a.txt", "")]);
        make_pipe(&tree.at("pipe"));
        let _socket = std::os::unix::net::UnixListener::bind(tree.at("socket")).unwrap();
        check(&tree, &rules(&[]), &["a.txt"]);
        let scanned = scan(&tree.at("pipe"), &rules(&[]), |_| ControlFlow::Continue(()));
        assert!(matches!(scanned, Err(WatchError::RootKind { .. })), "{scanned:?}");
    }

    #[test]
    fn an_ignore_file_that_never_ends_holds_up_nobody() {
        let tree = Tree::new(&[("trap/sub/a.txt", ""), ("long/b.txt", ""), ("c.txt", "")]);
        make_pipe(&tree.at("trap/.gitignore"));
        tree.write("long/.rummageignore", &"x".repeat((1 << 20) + 1));
        check(&tree, &rules(&[]), &["c.txt"]);
        let scanned = scan(&tree.at("trap"), &rules(&[]), |_| ControlFlow::Continue(()));
        assert!(matches!(scanned, Err(WatchError::RootIgnoreFile { .. })), "{scanned:?}");
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_named_and_the_scan_goes_on() {
        let tree = Tree::new(&[("closed/a.txt", ""), ("open/b.txt", "")]);
        let closed = tree.at("closed");
        let set = |path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        set(tree.root(), 0o755);
        set(&closed, 0o000);
        let (found, seen, root) = without_privileges(|| {
            let found = tree.scan(&rules(&[]));
            let seen = look(tree.root(), &closed.join("a.txt"), &rules(&[]));
            let root = scan(&closed, &rules(&[]), |_| ControlFlow::Continue(()));
            (found, seen, root)
        });
        set(&closed, 0o700);
        assert_eq!(found.iter().collect::<Vec<_>>(), ["!closed", "open/b.txt"]);
        assert!(matches!(seen, Ok(Seen::Unreadable(_))), "{seen:?}");
        assert!(matches!(root, Err(WatchError::RootUnreadable { .. })), "{root:?}");
    }

    /// Runs it as somebody whom permissions bind, which they do not the superuser.
    fn without_privileges<T: Send>(run: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let run = || {
                #[cfg(target_os = "linux")]
                {
                    const NOBODY: libc::uid_t = 65534;
                    const SAME: libc::uid_t = libc::uid_t::MAX;
                    // SAFETY: the call takes three numbers. Made directly, without the
                    // C library, it concerns this thread alone, which ends soon.
                    unsafe { libc::syscall(libc::SYS_setresuid, SAME, NOBODY, SAME) };
                }
                run()
            };
            scope.spawn(run).join().unwrap()
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Over any small tree with ignore files anywhere, a look and a scan agree, and
    /// ignore files count as they do for ripgrep.
    #[test]
    fn a_look_says_what_a_scan_finds_and_ripgrep_would(
        files in prop::collection::vec("([ab]/){0,3}[abc.]{1,2}[abc]", 1..12),
        ignores in prop::collection::vec(
            ("([ab]/){0,2}", 0usize..3, prop::collection::vec("!?/?[abc*]{1,2}/?", 1..4)),
            0..4,
        ),
        patterns in prop::collection::vec("!?/?[abc*.]{1,2}/?", 0..3),
    ) {
        let tree = Tree::new(&[]);
        for (folder, kind, lines) in ignores {
            let name = [".gitignore", ".ignore", ".rummageignore"][kind];
            tree.write(&format!("{folder}{name}"), &lines.join("\n"));
        }
        for file in files {
            // The name may be taken by a folder, or its folder by a file.
            let path = tree.at(&file);
            if fs::create_dir_all(path.parent().unwrap()).is_ok() {
                let _ = fs::write(path, "");
            }
        }
        check_looks_agree(&tree, &Rules::new(&patterns).0);
        prop_assert_eq!(tree.scan(&rules(&[])), found_by_ripgrep(tree.root()));
    }
}

fn found_by_ripgrep(root: &Path) -> std::collections::BTreeSet<String> {
    let mut walk = ignore::WalkBuilder::new(root);
    walk.standard_filters(false)
        .ignore(true)
        .git_ignore(true)
        .require_git(false)
        .add_custom_ignore_filename(".rummageignore")
        .filter_entry(|entry| {
            entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
        });
    let files = walk.build().map(Result::unwrap);
    files
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .map(|entry| entry.path().strip_prefix(root).unwrap().display().to_string())
        .collect()
}
