//! Several models: one takes the place of another, two side by side, and vectors that
//! were computed once.

use std::{fs, path::Path};

use rummage_engine::{
    Engine, Following, FoundFile, Library, Mode, ModelPresence, ProblemKind, Query, Status,
};
use rummage_testkit::{Tree, prose, tiny_model};

use crate::{Home, settled, until};

const FILES: usize = 40;

/// Files of a few passages each.
fn tree() -> Tree {
    let tree = Tree::new();
    for number in 0..FILES {
        tree.write(&format!("file{number}.txt"), prose(30, number as u64));
    }
    tree
}

fn add_model(home: &Home, seed: u64) {
    tiny_model(&assets(home).join(format!("models/tiny-{seed}")), seed);
}

fn assets(home: &Home) -> std::path::PathBuf {
    home.dir.path().join("assets")
}

fn add_ensemble(home: &Home) {
    let folder = assets(home).join("models/both");
    fs::create_dir_all(&folder).unwrap();
    let text = r#"{"id": "both", "name": "Both", "parts": [
        {"model": "tiny-1", "share": 0.5}, {"model": "tiny-2", "share": 0.5}]}"#;
    fs::write(folder.join("model.json"), text).unwrap();
}

async fn index(engine: &Engine, tree: &Tree) {
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(engine).await;
}

fn active(status: &Status) -> &str {
    &status.model.as_ref().unwrap().id
}

/// The files nearest in meaning, best first, and why fewer were searched.
async fn nearest(engine: &Engine, text: &str) -> (Vec<String>, Option<String>) {
    let query = Query { mode: Mode::Meaning, ..Query::parse(text).unwrap() };
    let answer = engine.search(&query).await.unwrap();
    let paths = answer.files.iter().flat_map(FoundFile::paths);
    (paths.map(|path| path.name().into_owned()).collect(), answer.notice)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_embeds_once_and_the_way_back_nothing() {
    let (home, tree) = (Home::new(), tree());
    add_model(&home, 2);
    let engine = home.open(Following::Once).await;
    index(&engine, &tree).await;
    let passages = engine.status().unwrap().counts.passages;
    assert_eq!(engine.totals().embedded, passages);
    for (model, embedded) in [("tiny-2", 2), ("tiny-1", 2), ("tiny-2", 2)] {
        engine.use_model(model).await.unwrap();
        settled(&engine).await;
        let status = engine.status().unwrap();
        assert_eq!(active(&status), model);
        assert_eq!(status.counts.embedded, passages, "{model}");
        assert_eq!(engine.totals().embedded, embedded * passages, "{model}");
        assert_eq!(nearest(&engine, "house garden").await.0.len(), 10, "{model}");
    }
    engine.close().await;
    // The next process goes on with it, and so does one that only reads.
    let engine = home.open(Following::Once).await;
    settled(&engine).await;
    assert_eq!((active(&engine.status().unwrap()), engine.totals().embedded), ("tiny-2", 0));
    engine.close().await;
    let mut options = home.options(Following::Once);
    options.indexing = None;
    let reader = Engine::open(options).await.unwrap();
    assert_eq!(active(&reader.status().unwrap()), "tiny-2");
    assert_eq!(nearest(&reader, "house garden").await.0.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_alone_is_embedded_by_the_model_that_comes_back() {
    let (home, tree) = (Home::new(), tree());
    add_model(&home, 2);
    let engine = home.open(Following::Once).await;
    index(&engine, &tree).await;
    engine.use_model("tiny-2").await.unwrap();
    settled(&engine).await;
    tree.write("file7.txt", "violet umbrellas");
    tree.remove("file8.txt");
    engine.scan_all().await.unwrap();
    settled(&engine).await;
    let before = engine.totals().embedded;
    engine.use_model("tiny-1").await.unwrap();
    settled(&engine).await;
    assert_eq!(engine.totals().embedded - before, 1);
    let (found, _) = nearest(&engine, "violet umbrellas").await;
    assert!(found.contains(&"file7.txt".to_owned()), "{found:?}");
    assert!(!found.contains(&"file8.txt".to_owned()), "{found:?}");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_by_meaning_while_models_change() {
    let (home, tree) = (Home::new(), tree());
    add_model(&home, 2);
    let engine = home.open(Following::Live).await;
    index(&engine, &tree).await;
    engine.warm_up().await;
    for model in ["tiny-2", "tiny-1"] {
        engine.use_model(model).await.unwrap();
        while active(&engine.status().unwrap()) != model {
            let (found, notice) = nearest(&engine, "house garden").await;
            assert_eq!((found.len(), notice), (10, None));
        }
        settled(&engine).await;
    }
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_the_process_leaves_one_model_and_the_next_goes_on() {
    let (home, tree) = (Home::new(), tree());
    add_model(&home, 2);
    let engine = home.open(Following::Once).await;
    index(&engine, &tree).await;
    let passages = engine.status().unwrap().counts.passages;
    engine.close().await;
    drop(engine);
    // Half of the switches are ended as soon as they have begun, the others later.
    for (round, wanted) in ["tiny-2", "tiny-1", "tiny-2", "tiny-1"].into_iter().enumerate() {
        let options = || {
            let mut options = home.options(Following::Once);
            // So that there is something to do each time.
            options.cache = false;
            options
        };
        let engine = Engine::open(options()).await.unwrap();
        settled(&engine).await;
        fs::write(tree.path("file0.txt"), format!("umbrella number {round}")).unwrap();
        engine.scan_all().await.unwrap();
        settled(&engine).await;
        engine.use_model(wanted).await.unwrap();
        if round % 2 == 1 {
            until(&engine, "under way", |status| {
                active(status) == wanted || status.switching.as_ref().is_some_and(|s| s.done > 0)
            })
            .await;
        }
        drop(engine);
        let engine = Engine::open(options()).await.unwrap();
        let status = engine.status().unwrap();
        assert!(["tiny-1", "tiny-2"].contains(&active(&status)));
        let (found, notice) = nearest(&engine, "house garden").await;
        assert_eq!((found.len(), notice), (10, None), "round {round}");
        settled(&engine).await;
        let status = engine.status().unwrap();
        assert_eq!(active(&status), wanted);
        assert!(status.counts.embedded >= passages - 10, "{:?}", status.counts);
        let (found, _) = nearest(&engine, &format!("umbrella number {round}")).await;
        assert!(found.contains(&"file0.txt".to_owned()), "{found:?}");
        engine.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_does_not_load_leaves_the_old_one_in_use() {
    let (home, tree) = (Home::new(), tree());
    add_model(&home, 2);
    let path = assets(&home).join("models/tiny-2/model.onnx");
    let length = fs::metadata(&path).unwrap().len() as usize;
    fs::write(&path, vec![b'?'; length]).unwrap();
    let engine = home.open(Following::Once).await;
    index(&engine, &tree).await;
    engine.use_model("tiny-2").await.unwrap();
    let problem = engine.settled().await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Switching);
    assert!(problem.message.contains("model.onnx"), "{}", problem.message);
    assert_eq!(active(&engine.status().unwrap()), "tiny-1");
    assert_eq!(
        nearest(&engine, "house garden").await,
        (nearest(&engine, "house garden").await.0, None)
    );
    engine.use_model("tiny-1").await.unwrap();
    settled(&engine).await;
    // One that is not there at all changes nothing.
    let error = engine.use_model("tiny-9").await.unwrap_err();
    assert!(error.to_string().contains("tiny-9"), "{error}");
    assert_eq!(engine.settings().model, "tiny-1");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_models_side_by_side_are_one() {
    let (home, tree) = (Home::new(), tree());
    add_model(&home, 2);
    add_ensemble(&home);
    tree.write("wanted.txt", "violet umbrellas");
    let engine = home.open(Following::Once).await;
    index(&engine, &tree).await;
    let passages = engine.status().unwrap().counts.passages;
    engine.use_model("both").await.unwrap();
    settled(&engine).await;
    let status = engine.status().unwrap();
    assert_eq!((active(&status), status.model.as_ref().unwrap().dims), ("both", 64));
    assert_eq!(engine.totals().embedded, 2 * passages, "of one part all vectors were there");
    assert_eq!(nearest(&engine, "violet umbrellas").await.0[0], "wanted.txt");
    let similar = engine.similar(&tree.path("wanted.txt"), None, 5).await.unwrap();
    assert_eq!(similar.files.len(), 5);
    // Its parts are there already.
    engine.use_model("tiny-2").await.unwrap();
    settled(&engine).await;
    assert_eq!(engine.totals().embedded, 2 * passages);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_outlive_the_index_unless_they_may_not() {
    let (home, tree) = (Home::new(), tree());
    let data = home.data();
    let anew = || {
        fs::remove_dir_all(data.join("index")).unwrap();
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(data.join(format!("catalog.sqlite{end}")));
        }
    };
    let engine = home.open(Following::Once).await;
    index(&engine, &tree).await;
    let passages = engine.status().unwrap().counts.passages;
    engine.close().await;
    anew();
    let engine = home.open(Following::Once).await;
    index(&engine, &tree).await;
    assert_eq!(engine.totals().embedded, 0);
    assert_eq!(nearest(&engine, "house garden").await.0.len(), 10);
    engine.close().await;
    anew();
    let mut options = home.options(Following::Once);
    options.cache = false;
    let engine = Engine::open(options).await.unwrap();
    index(&engine, &tree).await;
    assert_eq!(engine.totals().embedded, passages);
    engine.close().await;
    // Another folder may borrow them.
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("settings.toml"), "model = \"tiny-1\"\n").unwrap();
    let mut options = home.options(Following::Once);
    (options.lender, options.data) = (Some(data), other.path().to_owned());
    let engine = Engine::open(options).await.unwrap();
    index(&engine, &tree).await;
    assert_eq!(engine.totals().embedded, 0);
    assert!(!other.path().join("vectors.sqlite").exists());
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_comes_from_a_folder_and_goes_again() {
    let home = Home::new();
    let options = home.options(Following::Once);
    let library = Library::open(&options).unwrap();
    let state = |id: &str| {
        let views = library.list().unwrap();
        views.into_iter().find(|view| view.id == id).map(|view| view.state)
    };
    let removable = || -> Vec<String> {
        let views = library.list().unwrap().into_iter();
        views.filter(|view| view.can_remove).map(|view| view.id).collect()
    };
    assert_eq!(state("bge-small-en-v1.5"), Some(ModelPresence::Known));
    let hub = as_on_a_hub(7);
    let id = library.import(hub.path().to_owned(), Some("mine")).await.unwrap();
    assert_eq!((id.as_str(), state("mine")), ("mine", Some(ModelPresence::Installed)));
    let error = library.import(hub.path().to_owned(), Some("mine")).await.unwrap_err();
    assert!(error.to_string().contains("already"), "{error}");
    // What cannot embed is not kept.
    let onnx = hub.path().join("onnx/model_quantized.onnx");
    fs::write(&onnx, "no network at all").unwrap();
    let error = library.import(hub.path().to_owned(), Some("worse")).await.unwrap_err();
    assert!(error.to_string().contains("model.onnx"), "{error}");
    assert_eq!(state("worse"), None);
    let left: Vec<_> = fs::read_dir(home.data().join("models")).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");

    let tree = tree();
    let engine = home.open(Following::Once).await;
    index(&engine, &tree).await;
    engine.use_model("mine").await.unwrap();
    settled(&engine).await;
    assert_eq!(active(&engine.status().unwrap()), "mine");
    assert!(removable().is_empty(), "it is in use");
    let error = library.remove("mine").unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    engine.use_model("tiny-1").await.unwrap();
    settled(&engine).await;
    assert_eq!(removable(), ["mine"]);
    library.remove("mine").unwrap();
    assert_eq!(state("mine"), None);
    let error = library.remove("tiny-1").unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    engine.close().await;
}

/// A tiny model in the layout of a model hub.
fn as_on_a_hub(seed: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let ours = dir.path().join("ours");
    tiny_model(&ours, seed);
    fs::create_dir(dir.path().join("onnx")).unwrap();
    let place = |from: &str, to: &str| fs::rename(ours.join(from), dir.path().join(to)).unwrap();
    place("model.onnx", "onnx/model_quantized.onnx");
    place("tokenizer.json", "tokenizer.json");
    fs::remove_dir_all(&ours).unwrap();
    let write = |name: &str, text: &str| fs::write(Path::join(dir.path(), name), text).unwrap();
    write("config.json", r#"{"hidden_size": 32, "max_position_embeddings": 64}"#);
    dir
}
