//! Settings that take effect while the engine runs.

use rummage_engine::{
    Following,
    settings::{Auto, IndexingMode},
};
use rummage_testkit::Tree;

use crate::{Home, names, settled, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_pool_follows_its_size_without_a_restart() {
    let home = Home::new();
    let engine = home.open(Following::Once).await;
    for size in [3, 1] {
        let mut settings = engine.settings();
        settings.pool.size = Auto::Fixed(size);
        engine.save_settings(settings).await.unwrap();
        until(&engine, "as many workers", |status| status.pool.wanted == size).await;
    }
    engine.close().await;
    // And the next engine starts with it.
    let engine = home.open(Following::Once).await;
    assert_eq!(engine.settings().pool.size, Auto::Fixed(1));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raised_size_cap_and_a_lifted_rule_let_files_in() {
    let (home, tree) = (Home::new(), Tree::with([("a.txt", "violet umbrellas")]));
    tree.write("long.txt", "word ".repeat(300_000));
    tree.write("node_modules/b.txt", "copper kettles");
    let engine = home.open(Following::Once).await;
    let mut settings = engine.settings();
    settings.files.max_megabytes = 1;
    engine.save_settings(settings.clone()).await.unwrap();
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    let counts = engine.status().unwrap().counts;
    assert_eq!((counts.indexed, counts.skipped), (1, 1));
    settings.files.max_megabytes = 2;
    settings.files.ignore = Vec::new();
    engine.save_settings(settings).await.unwrap();
    settled(&engine).await;
    let counts = engine.status().unwrap().counts;
    assert_eq!((counts.indexed, counts.skipped), (3, 0));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_size_of_passages_cuts_files_anew_and_embeds_only_what_is_new() {
    let (home, tree) = (Home::new(), Tree::with([("short.txt", "violet umbrellas")]));
    tree.write("long.txt", rummage_testkit::prose(60, 1));
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    let (before, counts) = (engine.totals(), engine.status().unwrap().counts);
    let mut settings = engine.settings();
    settings.passages.tokens = Auto::Fixed(32);
    engine.save_settings(settings).await.unwrap();
    settled(&engine).await;
    let (after, recut) = (engine.totals(), engine.status().unwrap().counts);
    assert_eq!((recut.indexed, recut.embedded), (2, recut.passages));
    assert!(recut.passages > counts.passages, "{recut:?}");
    // The short file is one passage, as it was.
    let reused = after.reused - before.reused;
    assert!(reused >= 1, "{after:?}");
    assert_eq!(after.embedded - before.embedded + reused, recut.passages);
    assert_eq!(names(&engine, "violet umbrellas").await, ["short.txt"]);
    engine.close().await;
    // The next engine finds them cut as they are to be.
    let engine = home.open(Following::Once).await;
    settled(&engine).await;
    assert_eq!(engine.totals().embedded, 0);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_out_of_range_changes_nothing() {
    let home = Home::new();
    let engine = home.open(Following::Once).await;
    let mut settings = engine.settings();
    settings.pool.size = Auto::Fixed(400);
    let error = engine.save_settings(settings).await.unwrap_err();
    assert!(error.to_string().contains("pool.size"), "{error}");
    assert_eq!(engine.settings().pool.size, Auto::Auto);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_indexing_and_not_searching() {
    let (home, tree) = (Home::new(), Tree::with([("a.txt", "violet umbrellas")]));
    let engine = home.open(Following::Live).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    until(&engine, "the first file", |status| status.coverage.meaning == 1).await;
    let set = async |mode| {
        let mut settings = engine.settings();
        settings.indexing.mode = mode;
        engine.save_settings(settings).await.unwrap();
    };
    set(IndexingMode::Paused).await;
    until(&engine, "paused", |status| status.pool.held_back.as_deref() == Some("paused")).await;
    tree.write("b.txt", "copper kettles");
    until(&engine, "the second file known", |status| status.counts.known() == 2).await;
    assert_eq!(names(&engine, "violet umbrellas").await, ["a.txt"]);
    assert_eq!(engine.status().unwrap().counts.pending, 1, "nothing was read meanwhile");
    set(IndexingMode::Full).await;
    until(&engine, "the second file", |status| status.coverage.meaning == 2).await;
    engine.close().await;
    assert_eq!(home.open(Following::Once).await.settings().indexing.mode, IndexingMode::Full);
}
