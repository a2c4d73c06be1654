//! Settings that take effect while the engine runs.

use rummage_engine::{
    Following, ProblemKind, Status,
    settings::{Auto, IndexingMode, Provider},
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
async fn a_provider_that_is_not_there_costs_a_word_and_nothing_else() {
    let (home, tree) = (Home::new(), Tree::with([("a.txt", "violet umbrellas")]));
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    let word = |status: &Status| {
        let problem = status.problems.iter().find(|p| p.kind == ProblemKind::Provider)?;
        Some(format!("{} {}", problem.message, problem.mend))
    };
    let on_processor = |status: &Status| status.pool.provider.as_deref() == Some("cpu");
    assert_eq!(word(&engine.status().unwrap()), None);
    let hardware = engine.hardware().unwrap();
    let mut settings = engine.settings();
    settings.runtime.provider = Provider::Cuda;
    engine.save_settings(settings.clone()).await.unwrap();
    tree.write("b.txt", "copper kettles");
    engine.scan_all().await.unwrap();
    settled(&engine).await;
    until(&engine, "the word", |status| word(status).is_some()).await;
    let status = engine.status().unwrap();
    let told = word(&status).unwrap();
    for part in ["not on CUDA", "runtime", "choose the processor"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(on_processor(&status));
    assert_eq!(names(&engine, "copper kettles").await, ["b.txt"]);
    // The vectors are the same model's: nothing is embedded anew.
    assert_eq!((status.counts.indexed, engine.totals().embedded), (2, 2));
    // What is measured on one does not count for another.
    assert_ne!(engine.hardware().unwrap(), hardware);
    settings.runtime.provider = Provider::Cpu;
    engine.save_settings(settings).await.unwrap();
    assert_eq!(engine.hardware().unwrap(), hardware);
    tree.write("c.txt", "linen sails");
    engine.scan_all().await.unwrap();
    settled(&engine).await;
    until(&engine, "no word", |status| word(status).is_none() && on_processor(status)).await;
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
async fn a_paused_folder_waits_while_others_go_on_and_its_changes_are_noted() {
    let home = Home::new();
    let [work, rest] = [("a.txt", "violet umbrellas"), ("c.txt", "silver lanterns")]
        .map(|file| Tree::with([file]));
    let engine = home.open(Following::Live).await;
    engine.follow(&[work.root().to_owned(), rest.root().to_owned()]).await.unwrap();
    settled(&engine).await;

    engine.set_paused(work.root(), true).await.unwrap();
    work.write("b.txt", "copper kettles");
    until(&engine, "the new file known", |status| status.counts.known() == 3).await;
    rest.write("d.txt", "amber violins");
    until(&engine, "the other folder read", |status| status.counts.indexed == 3).await;
    // Not waited for: the folder is up to date as far as it is to be.
    settled(&engine).await;
    let status = engine.status().unwrap();
    assert_eq!((status.counts.held.pending, status.progress), (1, None));
    assert_eq!(names(&engine, "copper kettles").await, [""; 0]);
    assert_eq!(names(&engine, "violet umbrellas").await, ["a.txt"]);
    work.remove("a.txt");
    until(&engine, "the deleted file gone", |status| status.counts.known() == 3).await;
    assert_eq!(names(&engine, "violet umbrellas").await, [""; 0]);
    engine.close().await;

    // It stays so.
    let engine = home.open(Following::Once).await;
    engine.scan_all().await.unwrap();
    settled(&engine).await;
    assert_eq!(engine.status().unwrap().counts.held.pending, 1);
    engine.set_paused(work.root(), false).await.unwrap();
    settled(&engine).await;
    assert_eq!(names(&engine, "copper kettles").await, ["b.txt"]);
    let error = engine.set_paused(&work.path("b.txt"), true).await.unwrap_err();
    assert!(error.to_string().contains("not followed"), "{error}");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_folder_that_is_asked_for_goes_on() {
    let (home, tree) = (Home::new(), Tree::with([("a.txt", "violet umbrellas")]));
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    engine.set_paused(tree.root(), true).await.unwrap();
    tree.write("b.txt", "copper kettles");
    let added = engine.follow(&[tree.root().to_owned()]).await.unwrap();
    assert_eq!((&added.resumed, added.resumed.len()), (&added.known, 1));
    settled(&engine).await;
    assert_eq!(names(&engine, "copper kettles").await, ["b.txt"]);
    let added = engine.follow(&[tree.root().to_owned()]).await.unwrap();
    assert_eq!(added.resumed, []);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_gone_is_told_by_an_engine_that_only_reads() {
    let (home, tree) = (Home::new(), Tree::with([("a.txt", "violet umbrellas")]));
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    engine.close().await;
    let reader = home.reader().await;
    let away = || reader.status().unwrap().roots[0].root.away.clone();
    assert_eq!(away(), None);
    std::fs::remove_dir_all(tree.root()).unwrap();
    assert!(away().is_some());
    reader.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleared_engine_leaves_settings_and_files_and_begins_anew() {
    let (home, tree) = (Home::new(), Tree::with([("a.txt", "violet umbrellas")]));
    let engine = home.open(Following::Live).await;
    let mut settings = engine.settings();
    settings.pool.size = Auto::Fixed(1);
    engine.save_settings(settings).await.unwrap();
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    // While it works.
    tree.write("b.txt", rummage_testkit::prose(200, 1));
    until(&engine, "more work", |status| status.counts.known() == 2).await;
    engine.clear().await.unwrap();
    assert!(!home.data().join("index").exists());
    drop(engine);

    let engine = home.open(Following::Live).await;
    settled(&engine).await;
    let status = engine.status().unwrap();
    assert_eq!((status.roots.len(), status.counts.known()), (0, 0));
    assert_eq!(names(&engine, "violet umbrellas").await, [""; 0]);
    assert_eq!(engine.settings().pool.size, Auto::Fixed(1));
    assert_eq!(std::fs::read_to_string(tree.path("a.txt")).unwrap(), "violet umbrellas");
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    assert_eq!(names(&engine, "violet umbrellas").await, ["a.txt"]);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_without_its_catalog_is_no_index() {
    let home = Home::new();
    let [old, new] =
        [("a.txt", "violet umbrellas"), ("b.txt", "copper kettles")].map(|file| Tree::with([file]));
    for tree in [&old, &new] {
        let engine = home.open(Following::Once).await;
        engine.follow(&[tree.root().to_owned()]).await.unwrap();
        settled(&engine).await;
        assert_eq!(engine.status().unwrap().counts.indexed, 1);
        assert_eq!(
            names(&engine, "copper kettles").await.len(),
            usize::from(tree.path("b.txt").exists())
        );
        engine.close().await;
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(home.data().join(format!("catalog.sqlite{end}")));
        }
    }
    let engine = home.open(Following::Once).await;
    assert_eq!(names(&engine, "violet umbrellas").await, [""; 0]);
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
