//! Letters in pictures: with Tesseract where it is installed, with a reason where not.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use rummage_corpus::FileId;
use rummage_engine::{Engine, FileState, Following};
use rummage_testkit::{Tree, worker_program};

use crate::{Home, names, settled};

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

/// State and reason of each file, by name.
fn ledger(engine: &Engine) -> Vec<(String, FileState, String)> {
    let rows = engine.files(None, FileId(0), 10).unwrap();
    let mut rows: Vec<_> = rows
        .into_iter()
        .map(|row| (row.path.name().into_owned(), row.state, row.reason.unwrap_or_default()))
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

#[track_caller]
fn check(engine: &Engine, expected: [(FileState, &str); 2]) {
    let rows = ledger(engine);
    assert_eq!(rows.len(), expected.len(), "{rows:?}");
    for ((name, state, reason), (wanted, words)) in rows.iter().zip(expected) {
        assert!(*state == wanted && reason.contains(words), "{name}: {state:?}, {reason}");
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
    check(&engine, WITHOUT);
    assert_eq!(names(&engine, "copper kettles").await, ["scan.pdf"]);
    set_ocr(&engine, true).await;
    let recognised = (FileState::Indexed, "recognised by OCR");
    check(&engine, [recognised, recognised]);
    let mut found = names(&engine, "violet umbrellas").await;
    found.sort();
    assert_eq!(found, ["letters.png", "scan.pdf"]);
    set_ocr(&engine, false).await;
    check(&engine, WITHOUT);
    assert!(names(&engine, "violet umbrellas").await.is_empty());
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tesseract_the_ledger_says_so_and_it_is_tried_again() {
    let (home, tree) = (Home::new(), pictures());
    let program = home.dir.path().join("worker");
    let worker = worker_program();
    let script = format!("#!/bin/sh\nPATH=/nowhere exec '{}' \"$@\"\n", worker.display());
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let mut options = home.options(Following::Once);
    options.worker_program = Some(program);
    let engine = Engine::open(options).await.unwrap();
    set_ocr(&engine, true).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    check(&engine, [(FileState::Failed, "Tesseract is not installed"), WITHOUT[1]]);
    let failed = engine.files(Some(FileState::Failed), FileId(0), 10).unwrap();
    assert!(failed[0].again.is_some(), "{failed:?}");
    engine.close().await;
}
