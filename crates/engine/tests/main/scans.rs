//! Letters in pictures: with Tesseract where it is installed, with a reason where not.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use rummage_engine::{Engine, FileState, Following};
use rummage_testkit::{Tree, worker_program};

use crate::{Home, names, settled, until};

/// A picture, and a document whose second page is one; both say `violet umbrellas`.
fn pictures() -> Tree {
    let tree = Tree::new();
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../worker/tests/files");
    for name in ["letters.png", "scan.pdf"] {
        tree.write(name, fs::read(files.join(name)).unwrap());
    }
    tree
}

async fn set_ocr(engine: &Engine, is_on: bool) {
    let mut settings = engine.settings();
    settings.files.ocr = is_on;
    engine.save_settings(settings).await.unwrap();
    settled(engine).await;
}

/// What the ledger says of the picture and of the document.
#[track_caller]
fn check(engine: &Engine, tree: &Tree, expected: [(FileState, &str); 2]) {
    for (name, (state, words)) in ["letters.png", "scan.pdf"].into_iter().zip(expected) {
        let row = engine.file_at(&tree.path(name)).unwrap().expect("every file has its row");
        let reason = row.reason.unwrap_or_default();
        assert!(row.state == state && reason.contains(words), "{name}: {:?}, {reason}", row.state);
    }
}

const WITHOUT: [(FileState, &str); 2] =
    [(FileState::Skipped, "needs OCR"), (FileState::Indexed, "1 of 2 pages hold no text")];

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_read_once_ocr_is_turned_on() {
    let is_there =
        Command::new("tesseract").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !is_there {
        eprintln!("skipped: Tesseract is not installed");
        return;
    }
    let (home, tree) = (Home::new(), pictures());
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    check(&engine, &tree, WITHOUT);
    assert_eq!(names(&engine, "copper kettles").await, ["scan.pdf"]);
    set_ocr(&engine, true).await;
    let recognised = (FileState::Indexed, "recognised by OCR");
    check(&engine, &tree, [recognised, recognised]);
    let mut found = names(&engine, "violet umbrellas").await;
    found.sort();
    assert_eq!(found, ["letters.png", "scan.pdf"]);
    set_ocr(&engine, false).await;
    check(&engine, &tree, WITHOUT);
    assert!(names(&engine, "violet umbrellas").await.is_empty());
    engine.close().await;
}

/// An engine whose workers find programs in `path` alone.
async fn open_with_path(home: &Home, path: &Path) -> Engine {
    let program = home.dir.path().join("worker");
    let (path, worker) = (path.display(), worker_program());
    let script = format!("#!/bin/sh\nPATH='{path}' exec '{}' \"$@\"\n", worker.display());
    write_program(&program, &script);
    let mut options = home.options(Following::Once);
    options.worker_program = Some(program);
    let engine = Engine::open(options).await.unwrap();
    set_ocr(&engine, true).await;
    engine
}

fn write_program(path: &Path, script: &str) {
    fs::write(path, script).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tesseract_the_ledger_says_so_and_it_is_tried_again() {
    let (home, tree) = (Home::new(), pictures());
    let engine = open_with_path(&home, Path::new("/nowhere")).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    check(&engine, &tree, [(FileState::Failed, "Tesseract is not installed"), WITHOUT[1]]);
    let failed = engine.file_at(&tree.path("letters.png")).unwrap().unwrap();
    assert!(failed.again.is_some(), "{failed:?}");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_takes_long_holds_up_no_other_file() {
    let (home, tree) = (Home::new(), Tree::new());
    tree.write("a.png", b"\x89PNG\r\n\x1a\n");
    for name in 0..40 {
        tree.write(&format!("b{name}.txt"), rummage_testkit::prose(2, name));
    }
    // Tesseract's stand-in waits at this gate for what it is to have seen.
    let gate = home.dir.path().join("gate");
    assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
    let script =
        format!("#!/bin/sh\n[ \"$1\" = --version ] && exit\nexec /bin/cat '{}'\n", gate.display());
    write_program(&home.dir.path().join("tesseract"), &script);
    let engine = open_with_path(&home, home.dir.path()).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    until(&engine, "all but the picture", |status| {
        (status.counts.indexed, status.counts.pending) == (40, 1)
    })
    .await;
    tree.write("b7.txt", "copper kettles");
    tree.write("late.txt", "silver lanterns");
    engine.scan_all().await.unwrap();
    until(&engine, "what came and changed meanwhile", |status| {
        (status.counts.indexed, status.counts.pending) == (41, 1)
    })
    .await;
    assert_eq!(names(&engine, "copper kettles").await, ["b7.txt"]);
    let opened = tokio::task::spawn_blocking(move || fs::write(gate, "violet umbrellas"));
    settled(&engine).await;
    opened.await.unwrap().unwrap();
    assert_eq!(names(&engine, "violet umbrellas").await, ["a.png"]);
    engine.close().await;
}
