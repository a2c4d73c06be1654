//! What a person made of answers, and models compared by it.

use std::{fs, path::Path};

use futures::FutureExt;
use rummage_engine::{
    CompareStage, ComparedModel, Comparison, Engine, EngineError, Following, Grade, MarkCounts,
    Mode,
};
use rummage_testkit::{Tree, prose, tiny_model};

use crate::{Home, settled};

/// A model that lies beside the one in use.
fn add_model(home: &Home, seed: u64) -> std::path::PathBuf {
    let dir = home.dir.path().join(format!("assets/models/tiny-{seed}"));
    tiny_model(&dir, seed);
    dir
}

async fn indexed(home: &Home, tree: &Tree) -> Engine {
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    engine
}

fn tree() -> Tree {
    let tree = Tree::with([("wanted.txt", "violet umbrellas"), ("other.txt", "copper kettles")]);
    for number in 0..12 {
        tree.write(&format!("file{number}.txt"), prose(20, number));
    }
    tree
}

fn model<'a>(comparison: &'a Comparison, id: &str) -> &'a ComparedModel {
    comparison.models.iter().find(|model| model.id == id).unwrap()
}

/// nDCG@10 by words, which any model answers alike; `None` where it was not judged.
fn by_words(model: &ComparedModel) -> Option<f64> {
    let modes = &model.figures.as_ref().unwrap().modes;
    modes.iter().find(|one| one.mode == Mode::Keyword).map(|one| one.scores.ndcg)
}

/// The same by meaning, which each model answers by its own vectors.
fn by_meaning(model: &ComparedModel) -> f64 {
    let modes = &model.figures.as_ref().unwrap().modes;
    modes.iter().find(|one| one.mode == Mode::Meaning).unwrap().scores.ndcg
}

fn questions(engine: &Engine) -> Vec<String> {
    engine.marks().unwrap().into_iter().map(|mark| mark.question).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_opened_is_kept_unless_that_is_not_wanted_and_goes_with_all_else() {
    let (home, tree) = (Home::new(), tree());
    let engine = indexed(&home, &tree).await;
    let wanted = tree.path("wanted.txt");
    engine.note_opened(" umbrellas ", &wanted).unwrap();
    assert_eq!(questions(&engine), ["umbrellas"]);
    let mut settings = engine.settings();
    settings.search.remember_opened = false;
    engine.save_settings(settings).await.unwrap();
    engine.note_opened("something else", &wanted).unwrap();
    assert_eq!(questions(&engine), ["umbrellas"]);
    // What a person says is kept all the same.
    engine.mark("violet", &wanted, Grade::Good).unwrap();
    assert_eq!(engine.count_marks().unwrap(), MarkCounts { opened: 1, good: 1 });
    assert_eq!(engine.good_results("violet ").unwrap().len(), 1);
    let elsewhere = engine.mark("violet", Path::new("/nowhere"), Grade::Good);
    assert!(matches!(elsewhere, Err(EngineError::NoFile { .. })), "{elsewhere:?}");
    let folder = engine.mark("violet", wanted.parent().unwrap(), Grade::Good);
    assert!(matches!(folder, Err(EngineError::NotAFile { .. })), "{folder:?}");
    for empty in ["  ", "type:pdf"] {
        let nothing = engine.mark(empty, &wanted, Grade::Good);
        assert!(matches!(nothing, Err(EngineError::NoQuestion)), "{nothing:?}");
    }
    let mut options = home.options(Following::Once);
    options.indexing = None;
    let reader = Engine::open(options).await.unwrap();
    assert_eq!(questions(&reader), ["umbrellas", "violet"]);
    let refused = reader.mark("violet", &wanted, Grade::Good);
    assert!(matches!(refused, Err(EngineError::Busy { .. })), "{refused:?}");
    engine.clear().await.unwrap();
    drop(engine);
    let engine = home.open(Following::Once).await;
    assert_eq!(engine.count_marks().unwrap(), MarkCounts::default());
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_judged_by_marks_with_filters_and_copies() {
    let (home, tree) = (Home::new(), tree());
    // A file with the same passage is the same result.
    tree.write("copy.txt", "violet umbrellas");
    let engine = indexed(&home, &tree).await;
    engine.mark("violet umbrellas", &tree.path("copy.txt"), Grade::Good).unwrap();
    let compared = engine.compare(&[], |_| ()).await.unwrap();
    let tiny = model(&compared, "tiny-1");
    assert_eq!((compared.questions, by_words(tiny)), (1, Some(1.0)));
    let figures = tiny.figures.as_ref().unwrap();
    assert!(figures.passages_per_second > 0.0 && figures.question_ms > 0.0, "{figures:?}");
    assert!(figures.memory_bytes > 1 << 20, "{figures:?}");
    assert!(tiny.model_bytes > 0 && tiny.vector_bytes == 32 * 6, "{tiny:?}");
    assert!(tiny.is_active && !compared.is_disturbed);
    assert_eq!(
        figures.modes.iter().map(|one| one.mode).collect::<Vec<_>>(),
        [Mode::Hybrid, Mode::Keyword, Mode::Meaning]
    );
    // The filter is part of the question, and lets no such file through.
    engine.mark("violet umbrellas type:pdf", &tree.path("copy.txt"), Grade::Opened).unwrap();
    let compared = engine.compare(&[], |_| ()).await.unwrap();
    assert_eq!((compared.questions, by_words(model(&compared, "tiny-1"))), (2, Some(0.5)));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_judged_once_it_has_read_all_and_a_name_has_it_read() {
    let (home, tree) = (Home::new(), tree());
    add_model(&home, 2);
    let engine = indexed(&home, &tree).await;
    engine.mark("violet umbrellas", &tree.path("wanted.txt"), Grade::Good).unwrap();
    let passages = engine.status().unwrap().counts.passages;
    let embedded = engine.totals().embedded;
    let compared = engine.compare(&[], |_| ()).await.unwrap();
    let unread = model(&compared, "tiny-2");
    assert_eq!(unread.figures.as_ref().unwrap().lacking, passages);
    assert_eq!((by_words(model(&compared, "tiny-1")), by_words(unread)), (Some(1.0), None));
    assert_eq!(engine.totals().embedded, embedded, "nothing is made that was not asked for");

    let mut steps = Vec::new();
    let named = ["tiny-2".to_owned()];
    let compared = engine.compare(&named, |step| steps.push(step)).await.unwrap();
    assert_eq!(compared.models.len(), 1);
    assert_eq!(by_words(model(&compared, "tiny-2")), Some(1.0));
    assert_eq!(model(&compared, "tiny-2").figures.as_ref().unwrap().lacking, 0);
    assert_eq!(engine.totals().embedded, embedded + passages);
    let CompareStage::Preparing { passages: told, .. } = steps[0].stage else {
        panic!("{:?}", steps[0])
    };
    assert_eq!(told, passages);
    let measured: Vec<_> = steps.iter().filter(|step| step.most > 0).collect();
    assert!(measured.iter().map(|step| step.done).eq(0..measured.len()), "{steps:?}");
    assert!(measured.iter().all(|step| step.most == measured.len()), "{steps:?}");
    // The one in use is still that, and all that is read counts for later.
    let status = engine.status().unwrap();
    assert_eq!((status.model.unwrap().id, status.switching), ("tiny-1".to_owned(), None));
    assert_eq!(engine.settings().model, "tiny-1");
    engine.close().await;

    // Who only reads compares what is there, and makes nothing.
    add_model(&home, 3);
    let mut options = home.options(Following::Once);
    options.indexing = None;
    let reader = Engine::open(options).await.unwrap();
    let compared = reader.compare(&[], |_| ()).await.unwrap();
    let judged: Vec<_> =
        compared.models.iter().map(|model| (model.id.as_str(), by_words(model))).collect();
    assert_eq!(judged, [("tiny-1", Some(1.0)), ("tiny-2", Some(1.0)), ("tiny-3", None)]);
    let refused = reader.compare(&["tiny-3".to_owned()], |_| ()).await;
    assert!(matches!(refused, Err(EngineError::Busy { .. })), "{refused:?}");
    let unknown = reader.compare(&["tiny-9".to_owned()], |_| ()).await.unwrap_err();
    assert!(unknown.to_string().contains("tiny-9"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_judged_by_its_own_vectors() {
    let (home, tree) = (Home::new(), tree());
    add_model(&home, 2);
    let engine = indexed(&home, &tree).await;
    for number in 0..12 {
        let file = tree.path(&format!("file{number}.txt"));
        engine.mark(&prose(3, 100 + number), &file, Grade::Good).unwrap();
    }
    let both = ["tiny-1".to_owned(), "tiny-2".to_owned()];
    let compared = engine.compare(&both, |_| ()).await.unwrap();
    let [first, second] = ["tiny-1", "tiny-2"].map(|id| by_meaning(model(&compared, id)));
    assert!((first - second).abs() > 1e-6, "what follows would show nothing: {first}");
    let mut settings = engine.settings();
    settings.model = "tiny-2".to_owned();
    engine.save_settings(settings).await.unwrap();
    settled(&engine).await;
    let compared = engine.compare(&[], |_| ()).await.unwrap();
    let in_use = model(&compared, "tiny-2");
    assert!(in_use.is_active && !model(&compared, "tiny-1").is_active);
    assert!((by_meaning(in_use) - second).abs() < 1e-9, "{} {second}", by_meaning(in_use));
    assert!((by_meaning(model(&compared, "tiny-1")) - first).abs() < 1e-9);

    // One file more is little to lack, unless it is one that answers are judged by.
    tree.write("new.txt", "one more");
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    let compared = engine.compare(&[], |_| ()).await.unwrap();
    let before = model(&compared, "tiny-1");
    assert_eq!(before.figures.as_ref().unwrap().lacking, 1);
    assert_eq!(by_words(before).is_some(), compared.passages >= 20, "{}", compared.passages);
    engine.mark("one more", &tree.path("new.txt"), Grade::Opened).unwrap();
    let compared = engine.compare(&[], |_| ()).await.unwrap();
    assert_eq!(by_words(model(&compared, "tiny-1")), None);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_that_is_dropped_leaves_nothing_behind() {
    let (home, tree) = (Home::new(), tree());
    add_model(&home, 2);
    let engine = indexed(&home, &tree).await;
    engine.mark("violet umbrellas", &tree.path("wanted.txt"), Grade::Good).unwrap();
    let named = ["tiny-2".to_owned()];
    for until in ["preparing", "measuring"] {
        let (reached, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let compared = engine.compare(&named, |step| {
            let is_there = match step.stage {
                CompareStage::Preparing { .. } => until == "preparing",
                CompareStage::Speed => until == "measuring",
                _ => false,
            };
            if is_there {
                reached.send(()).unwrap();
            }
        });
        tokio::select! {
            compared = compared => panic!("it ended before it was {until}: {compared:?}"),
            _ = seen.recv() => {}
        }
        // Indexing goes on, and it may be measured again.
        tree.write(&format!("{until}.txt"), format!("written while {until}"));
        engine.follow(&[tree.root().to_owned()]).await.unwrap();
        settled(&engine).await;
        assert_eq!(engine.status().unwrap().switching, None, "{until}");
    }
    let compared = engine.compare(&named, |_| ()).await.unwrap();
    assert_eq!(by_words(model(&compared, "tiny-2")), Some(1.0));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_can_be_prepared_while_another_cannot_take_over() {
    let (home, tree) = (Home::new(), tree());
    add_model(&home, 2);
    let engine = indexed(&home, &tree).await;
    engine.mark("violet umbrellas", &tree.path("wanted.txt"), Grade::Good).unwrap();
    let path = add_model(&home, 3).join("model.onnx");
    let length = fs::metadata(&path).unwrap().len() as usize;
    fs::write(&path, vec![b'?'; length]).unwrap();
    let mut settings = engine.settings();
    settings.model = "tiny-3".to_owned();
    engine.save_settings(settings).await.unwrap();
    let compared = engine.compare(&["tiny-2".to_owned(), "tiny-3".to_owned()], |_| ()).await;
    let compared = compared.unwrap();
    assert_eq!(by_words(model(&compared, "tiny-2")), Some(1.0));
    let broken = model(&compared, "tiny-3").figures.as_ref().unwrap_err();
    assert!(broken.contains("model.onnx"), "{broken}");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_load_stands_in_its_line_and_one_measuring_excludes_another() {
    let (home, tree) = (Home::new(), tree());
    let path = add_model(&home, 2).join("model.onnx");
    let length = fs::metadata(&path).unwrap().len() as usize;
    fs::write(&path, vec![b'?'; length]).unwrap();
    let engine = indexed(&home, &tree).await;
    let mut second = None;
    let compared =
        engine.compare(&[], |_| second = engine.tune(|_| ()).now_or_never()).await.unwrap();
    assert!(matches!(second, Some(Err(EngineError::Measuring))), "{second:?}");
    let broken = model(&compared, "tiny-2").figures.as_ref().unwrap_err();
    assert!(broken.contains("model.onnx"), "{broken}");
    assert!(model(&compared, "tiny-1").figures.is_ok());
    assert_eq!(compared.questions, 0);
    assert_eq!(by_words(model(&compared, "tiny-1")), None);
    engine.close().await;
}
