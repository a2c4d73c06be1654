//! The power fails at any moment: what the disk did not have yet is gone or in
//! shreds, and the same index comes of it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rummage_corpus::FileId;
use rummage_engine::Following;
use rummage_store::{Store, VectorSpace};
use rummage_testkit::{Dice, Tree};
use tokio::runtime::Runtime;

use crate::{
    Home,
    killing::{check_whole, undisturbed},
    settled,
};

const FILES: usize = 1200;
const CUTS: usize = 6;

/// Everything younger than the last sync: by turns empty, gone, or whole by luck.
/// Returns how many files that were.
fn cut_the_power(index: &Path, dice: &mut Dice) -> usize {
    let Ok(synced) = fs::metadata(index.join("synced")) else { return 0 };
    let synced = synced.modified().unwrap();
    let young = |path: &PathBuf| fs::metadata(path).unwrap().modified().unwrap() > synced;
    let lost: Vec<_> = files_below(index).into_iter().filter(young).collect();
    for path in &lost {
        match dice.below(3) {
            0 => fs::write(path, b"").unwrap(),
            1 => fs::remove_file(path).unwrap(),
            _ => {}
        }
    }
    lost.len()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Indexes until some moment, in a runtime that ends with all it began, and the power
/// fails. It fails again where rows of some files go, as the writer removes them, and
/// nothing was synced. Returns how many files that cost.
fn index_until(home: &Home, tree: &Tree, end: Duration, dice: &mut Dice) -> usize {
    let runtime = Runtime::new().unwrap();
    let space = runtime.block_on(async {
        let engine = home.open(Following::Once).await;
        engine.follow(&[tree.root().to_owned()]).await.unwrap();
        let _ = tokio::time::timeout(end, engine.settled()).await;
        let model = engine.status().unwrap().model.unwrap();
        VectorSpace { fingerprint: model.fingerprint, dims: model.dims }
    });
    runtime.shutdown_timeout(Duration::from_secs(20));
    // The engine's own threads end after what they are in, which a power cut would not.
    while indexing_goes_on() {
        std::thread::sleep(Duration::from_millis(2));
    }
    let index = home.data().join("index");
    let lost = cut_the_power(&index, dice);
    Runtime::new().unwrap().block_on(async {
        let store = Store::open(&index, &space).await.unwrap();
        for file in 1..=8 {
            store.remove_passages(&[FileId(file)]).await.unwrap();
            store.remove_vectors(&[FileId(file)]).await.unwrap();
        }
    });
    lost + cut_the_power(&index, dice)
}

fn indexing_goes_on() -> bool {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let mut names =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
    names.any(|name| name.trim() == "indexing")
}

#[test]
fn the_power_fails_again_and_again_and_the_index_is_the_same() {
    let tree = Tree::prose(FILES, 17);
    let passages = Runtime::new().unwrap().block_on(undisturbed(&tree, FILES));
    let (home, mut dice) = (Home::new(), Dice::new(23));
    let mut lost = 0;
    for cut in 0..CUTS {
        let end = Duration::from_millis(100 + dice.below(1500) as u64);
        lost += index_until(&home, &tree, end, &mut dice);
        // What was done is changed meanwhile, too, so that old rows must make way.
        let name = format!("prose-{cut:04}.txt");
        let text = fs::read(tree.path(&name)).unwrap();
        tree.write(&name, "Something else entirely.");
        let end = Duration::from_millis(100 + dice.below(900) as u64);
        lost += index_until(&home, &tree, end, &mut dice);
        tree.write(&name, text);
    }
    assert!(lost > 0, "no cut ever hit anything: take more of them");
    Runtime::new().unwrap().block_on(async {
        let engine = home.open(Following::Once).await;
        engine.scan_all().await.unwrap();
        settled(&engine).await;
        check_whole(&home, &engine, FILES, passages).await;
        engine.close().await;
    });
}

#[test]
fn an_index_that_is_gone_or_makes_no_sense_is_built_anew_without_embedding_twice() {
    let (home, tree) = (Home::new(), Tree::prose(40, 5));
    let runtime = Runtime::new().unwrap();
    let index = home.data().join("index");
    let passages = runtime.block_on(async {
        let engine = home.open(Following::Once).await;
        engine.follow(&[tree.root().to_owned()]).await.unwrap();
        settled(&engine).await;
        let passages = engine.status().unwrap().counts.passages;
        engine.close().await;
        passages
    });
    let tables = || {
        let entries = fs::read_dir(&index).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "lance"))
    };
    let words = index.join("passages.lance");
    let spoil = |table: &Path| {
        files_below(&table.join("_versions"))
            .iter()
            .for_each(|file| fs::write(file, b"?").unwrap());
    };
    let vectors = tables().find(|table| *table != words).unwrap();
    let kept = home.data().join("vectors.sqlite");
    let forget = || fs::remove_file(&kept).unwrap();
    // Vectors are kept beyond the index, too: only without both is anything embedded.
    let cases: [(&str, &dyn Fn(), bool); 5] = [
        ("spoilt words", &|| spoil(&words), false),
        ("spoilt vectors", &|| spoil(&vectors), false),
        ("no index", &|| fs::remove_dir_all(&index).unwrap(), false),
        ("spoilt vectors, none kept", &|| (spoil(&vectors), forget()).1, true),
        ("nothing left", &|| (fs::remove_dir_all(&index).unwrap(), forget()).1, true),
    ];
    for (case, harm, embeds) in cases {
        harm();
        runtime.block_on(async {
            let engine = home.open(Following::Once).await;
            settled(&engine).await;
            check_whole(&home, &engine, 40, passages).await;
            assert_eq!(engine.totals().embedded > 0, embeds, "{case}");
            engine.close().await;
        });
    }
}
