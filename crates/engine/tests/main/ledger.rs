//! Every file accounted for, and what a person can do about it.

use std::{
    fs::File,
    time::{Duration, SystemTime},
};

use rummage_corpus::FileId;
use rummage_engine::{Engine, EngineError, FileFilter, FileRow, FileState, Following, Remedy};
use rummage_testkit::Tree;

use crate::{Home, names, settled};

#[tokio::test(flavor = "multi_thread")]
async fn what_rules_leave_out_is_told_and_can_be_indexed_anyway() {
    let home = Home::new();
    let tree = Tree::with([
        ("good.txt", "violet umbrellas"),
        ("node_modules/deep/a.js", "copper kettles"),
        ("key.pem", "silver lanterns"),
        (".rummageignore", "drafts/\n"),
        ("drafts/b.txt", "amber buttons"),
    ]);
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    let skipped = engine.files(Some(FileState::Skipped), FileId(0), 100).unwrap();
    for (name, word) in [
        ("node_modules", "packages that others wrote"),
        ("key.pem", "*.pem"),
        ("drafts", "drafts/"),
        (".rummageignore", "dot"),
    ] {
        let row = skipped.iter().find(|row| row.path == tree.source(name));
        let reason = row.and_then(|row| row.reason.as_deref());
        assert!(reason.is_some_and(|reason| reason.contains(word)), "{name}: {reason:?}");
    }
    assert_eq!(skipped.len(), 4, "a folder is one row: {skipped:?}");
    assert_eq!(engine.status().unwrap().counts.known(), 1);
    for (name, words) in [("key.pem", "silver lanterns"), ("drafts/b.txt", "amber buttons")] {
        engine.include(&tree.path(name)).await.unwrap();
        settled(&engine).await;
        assert_eq!(names(&engine, words).await.len(), 1, "{name}");
    }
    engine.scan_all().await.unwrap();
    settled(&engine).await;
    let counts = engine.status().unwrap().counts;
    assert_eq!((counts.indexed, counts.left_out), (3, 3), "no file is there twice");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_past_the_size_cap_is_read_once_a_person_wants_it() {
    let (home, tree) = (Home::new(), Tree::new());
    tree.write("long.txt", "word ".repeat(300_000) + "violet umbrellas");
    let engine = home.open(Following::Once).await;
    let mut settings = engine.settings();
    settings.files.max_megabytes = 1;
    engine.save_settings(settings).await.unwrap();
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    assert_eq!(engine.status().unwrap().counts.skipped, 1);
    engine.include(&tree.path("long.txt")).await.unwrap();
    settled(&engine).await;
    assert_eq!(names(&engine, "violet umbrellas").await, ["long.txt"]);
    engine.close().await;
}

/// The row of a file of the tree, followed or left out.
fn row(engine: &Engine, tree: &Tree, name: &str) -> FileRow {
    engine.file_at(&tree.path(name)).unwrap().unwrap_or_else(|| panic!("{name} is not listed"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_says_what_can_be_done_about_it() {
    let home = Home::new();
    let tree = Tree::with([
        ("good.txt", "violet umbrellas"),
        ("empty.txt", ""),
        ("key.pem", "silver lanterns"),
    ]);
    tree.write("long.txt", "word ".repeat(300_000));
    let engine = home.open(Following::Once).await;
    let mut settings = engine.settings();
    settings.files.max_megabytes = 1;
    engine.save_settings(settings).await.unwrap();
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    for (name, state, remedy) in [
        ("good.txt", FileState::Indexed, None),
        ("empty.txt", FileState::Skipped, Some(Remedy::Retry)),
        ("key.pem", FileState::Skipped, Some(Remedy::Include)),
        ("long.txt", FileState::Skipped, Some(Remedy::Include)),
    ] {
        let row = row(&engine, &tree, name);
        assert_eq!((row.state, engine.remedy(&row)), (state, remedy), "{name}: {row:?}");
    }
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_mended_without_a_trace_is_read_again_when_asked() {
    let (home, tree) = (Home::new(), Tree::with([("a/one.txt", ""), ("b/two.txt", "")]));
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    for (name, text) in [("a/one.txt", "violet umbrellas"), ("b/two.txt", "copper kettles")] {
        tree.write(name, text);
    }
    let one = row(&engine, &tree, "a/one.txt");
    engine.retry_file(one.file).await.unwrap();
    settled(&engine).await;
    assert_eq!(names(&engine, "violet umbrellas").await, ["one.txt"]);
    assert!(names(&engine, "copper kettles").await.is_empty(), "nobody asked for this one");

    let nowhere = FileFilter { words: "nowhere".to_owned(), ..FileFilter::default() };
    assert_eq!(engine.retry_found(&nowhere).await.unwrap(), 0);
    let found = FileFilter { words: "TWO no text".to_owned(), ..FileFilter::default() };
    assert_eq!(engine.retry_found(&found).await.unwrap(), 1);
    settled(&engine).await;
    assert_eq!(names(&engine, "copper kettles").await, ["two.txt"]);
    assert_eq!(engine.retry_found(&FileFilter::default()).await.unwrap(), 0, "all is indexed");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_tree_is_found_at_once_and_a_touched_file_by_its_new_date() {
    let (home, tree) = (Home::new(), Tree::prose(60, 3));
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    let before = engine.totals();
    for file in 0..60 {
        let name = format!("prose-{file:04}.txt");
        tree.rename(&name, &format!("archive/{name}"));
    }
    engine.scan_all().await.unwrap();
    settled(&engine).await;
    let after = engine.totals();
    assert_eq!(after.indexed, before.indexed, "nothing was read anew");
    assert_eq!((after.embedded, after.removed), (before.embedded, 0));

    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_800);
    let file = File::options().append(true).open(tree.path("archive/prose-0007.txt")).unwrap();
    file.set_modified(date).unwrap();
    engine.scan_all().await.unwrap();
    settled(&engine).await;
    let mut query = rummage_engine::Query::parse("the before:2001").unwrap();
    query.mode = rummage_engine::Mode::Meaning;
    let found = engine.search(&query).await.unwrap();
    let [touched] = &found.files[..] else { panic!("{found:?}") };
    assert_eq!(touched.path, tree.source("archive/prose-0007.txt"));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_read_again_and_keeps_its_vectors() {
    let (home, tree) = (Home::new(), Tree::new());
    tree.write("a.txt", "A lighthouse.");
    tree.write("b.txt", "A harbour.");
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    let root = engine.status().unwrap().roots[0].root.path.clone();
    assert_eq!(engine.bytes_of(root.as_path()).unwrap(), 23);
    let before = engine.totals();

    assert_eq!(engine.read_again(root.as_path()).await.unwrap(), 2);
    settled(&engine).await;
    let after = engine.totals();
    assert_eq!(after.indexed, before.indexed + 2);
    assert_eq!(after.embedded, before.embedded);
    assert_eq!(names(&engine, "lighthouse").await, ["a.txt"]);

    let refused = engine.read_again(&tree.path("a.txt")).await;
    assert!(matches!(refused, Err(EngineError::NotFollowed { .. })));
    engine.close().await;
}
