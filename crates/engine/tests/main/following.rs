//! Folders followed as they change.

use rummage_engine::{Following, Status};
use rummage_testkit::Tree;

use crate::{Home, PATIENCE, names, settled, until};

/// Waits until the words find just these files.
async fn finds(engine: &rummage_engine::Engine, words: &str, expected: &[&str]) {
    let mut changes = engine.status_changes().unwrap();
    let looking = async {
        while names(engine, words).await != expected {
            changes.changed().await.unwrap();
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    found.unwrap_or_else(|_| panic!("{words:?} never finds just {expected:?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_renamed_and_deleted_is_followed() {
    let (home, tree) = (Home::new(), Tree::with([("a.txt", "violet umbrellas")]));
    let engine = home.open(Following::Live).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    finds(&engine, "violet umbrellas", &["a.txt"]).await;

    tree.write("sub/b.txt", "copper kettles");
    finds(&engine, "copper kettles", &["b.txt"]).await;
    tree.write("a.txt", "silver lanterns");
    finds(&engine, "silver lanterns", &["a.txt"]).await;
    finds(&engine, "violet umbrellas", &[]).await;
    tree.rename("sub", "moved");
    tree.rename("a.txt", "c.txt");
    finds(&engine, "silver lanterns", &["c.txt"]).await;
    tree.remove("moved/b.txt");
    finds(&engine, "copper kettles", &[]).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_that_goes_away_keeps_its_index() {
    let (home, tree) = (Home::new(), Tree::with([("disk/a.txt", "violet umbrellas")]));
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.path("disk")]).await.unwrap();
    settled(&engine).await;
    tree.rename("disk", "unplugged");
    engine.scan_all().await.unwrap();
    settled(&engine).await;
    until(&engine, "shown as away", |status| {
        status.roots.first().is_some_and(|root| root.root.away.is_some())
    })
    .await;
    assert_eq!(names(&engine, "violet umbrellas").await, ["a.txt"]);
    tree.rename("unplugged", "disk");
    engine.scan_all().await.unwrap();
    settled(&engine).await;
    assert_eq!(engine.totals().embedded, 1, "nothing was done again");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_that_comes_back_is_watched_again() {
    let (home, tree) = (Home::new(), Tree::with([("disk/a.txt", "violet umbrellas")]));
    let engine = home.open(Following::Live).await;
    engine.follow(&[tree.path("disk")]).await.unwrap();
    settled(&engine).await;
    let is_away = |status: &Status| status.roots.iter().any(|root| root.root.away.is_some());
    tree.rename("disk", "unplugged");
    until(&engine, "shown as away", is_away).await;
    assert_eq!(names(&engine, "violet umbrellas").await, ["a.txt"]);

    tree.rename("unplugged", "disk");
    until(&engine, "shown as back", |status| !is_away(status)).await;
    settled(&engine).await;
    assert_eq!(engine.totals().embedded, 1, "nothing was done again");
    tree.write("disk/b.txt", "copper kettles");
    until(&engine, "seen again", |status| status.counts.indexed == 2).await;
    assert_eq!(names(&engine, "copper kettles").await, ["b.txt"]);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_before_vectors_are_there() {
    let (home, tree) = (Home::new(), Tree::with([("a.txt", "violet umbrellas")]));
    std::fs::rename(
        home.dir.path().join("assets/models/tiny-1/model.onnx"),
        home.dir.path().join("later.onnx"),
    )
    .unwrap();
    let engine = home.open(Following::Live).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    until(&engine, "searchable by words", |status| status.coverage.searched == 1).await;
    assert_eq!(names(&engine, "violet umbrellas").await, ["a.txt"]);
    let problems = engine.status().unwrap().problems;
    assert!(problems.iter().any(|p| p.message.contains("model.onnx")), "{problems:?}");
    // The model comes while the app runs.
    std::fs::rename(
        home.dir.path().join("later.onnx"),
        home.dir.path().join("assets/models/tiny-1/model.onnx"),
    )
    .unwrap();
    until(&engine, "searchable by meaning", |status| status.coverage.meaning == 1).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_removed_while_it_is_indexed_ends_the_work_in_order() {
    let (home, tree) = (Home::new(), Tree::prose(5000, 7));
    let other = Tree::with([("good.txt", "violet umbrellas")]);
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned(), other.root().to_owned()]).await.unwrap();
    while engine.status().unwrap().counts.queued() == 0 {
        tokio::task::yield_now().await;
    }
    std::fs::remove_dir_all(tree.root()).unwrap();
    settled(&engine).await;
    assert_eq!(names(&engine, "violet umbrellas").await, ["good.txt"]);
    let counts = engine.status().unwrap().counts;
    assert!(counts.known() < 5001, "what could not be read any more has left: {counts:?}");
    engine.scan_all().await.unwrap();
    settled(&engine).await;
    until(&engine, "shown as away", |status| {
        status.roots.first().is_some_and(|root| root.root.away.is_some())
    })
    .await;
    engine.close().await;
}
