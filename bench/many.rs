//! Many small files: how soon they are found by their words, what a second run over
//! them costs, what moving the whole tree does, and how soon changes are found.
//!
//!     cargo run --workspace --example many -- [--files 100000] [--assets DIR]
//!
//! Vectors are made by a tiny model of random weights, so that what is measured is
//! everything else; with `--assets` by the real one there. Figures of the note: found
//! by words at 1,000 files a second, a second run in 3 s, a moved tree found under
//! its new path within 10 s and without an embedding; while folders are watched, a
//! save found within 2 s, a deleted file gone within 1 s.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rummage_corpus::FileId;
use rummage_engine::{Engine, FileState, Following, Mode, Options, Query, Surroundings};
use rummage_testkit::{prose, runtime_library, tiny_model, worker_program};

/// Files a folder.
const FOLDER: usize = 500;

/// Saves and deletions measured.
const TURNS: usize = 20;

/// How often it is looked whether something is found by now.
const LOOK: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() {
    let (mut files, mut assets) = (100_000, None);
    let mut arguments = std::env::args().skip(1);
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        match name.as_str() {
            "--files" => files = value.parse().expect("--files takes a number"),
            "--assets" => assets = Some(PathBuf::from(value)),
            _ => panic!("only --files N and --assets DIR are known"),
        }
    }
    let dir = tempfile::Builder::new().prefix("many-").tempdir().expect("a folder can be made");
    let data = dir.path().join("data");
    fs::create_dir(&data).expect("it can be made");
    let assets = assets.unwrap_or_else(|| {
        tiny_model(&dir.path().join("assets/models/tiny-1"), 1);
        fs::write(data.join("settings.toml"), "model = \"tiny-1\"\n").expect("it is written");
        dir.path().join("assets")
    });
    let tree = dir.path().join("tree");
    write_files(&tree.join("here"), files);
    let open = async |following| {
        let mut options = Options::new(data.clone(), Some(following));
        options.surroundings = Surroundings {
            assets: Some(assets.clone()),
            runtime: Some(runtime_library()),
            program: None,
        };
        options.worker_program = Some(worker_program());
        Engine::open(options).await.expect("the engine opens")
    };

    let start = Instant::now();
    let engine = open(Following::Once).await;
    engine.follow(std::slice::from_ref(&tree)).await.expect("it is followed");
    let mut changes = engine.status_changes().expect("it indexes");
    let all = files as u64;
    let searchable = changes.wait_for(|status| status.coverage.searched == all).await;
    drop(searchable.expect("it goes on"));
    let seconds = start.elapsed().as_secs_f64();
    println!("words    {files} files in {seconds:.1} s, {:.0} a second", files as f64 / seconds);
    engine.settled().await.expect("nothing stands in the way");
    println!("vectors  {:.1} s in all: {:?}", start.elapsed().as_secs_f64(), engine.totals());
    engine.close().await;

    let start = Instant::now();
    let engine = open(Following::Once).await;
    println!("opened   {:.2} s", start.elapsed().as_secs_f64());
    engine.follow(std::slice::from_ref(&tree)).await.expect("it is followed");
    engine.settled().await.expect("nothing stands in the way");
    println!("again    {:.2} s: {:?}", start.elapsed().as_secs_f64(), engine.totals());

    let before = engine.totals().embedded;
    let there = tree.join("there");
    fs::rename(tree.join("here"), &there).expect("it is moved");
    let start = Instant::now();
    engine.scan_all().await.expect("it is scanned");
    while found(&engine, &there, None).await == 0 {
        tokio::task::yield_now().await;
    }
    println!("moved    found under the new path after {:.2} s", start.elapsed().as_secs_f64());
    engine.settled().await.expect("nothing stands in the way");
    let embedded = engine.totals().embedded - before;
    println!("settled  {:.2} s, {embedded} embedded", start.elapsed().as_secs_f64());
    println!("filter   {} found below the new folder", found(&engine, &there, Some(&there)).await);
    engine.close().await;

    let engine = open(Following::Live).await;
    engine.follow(std::slice::from_ref(&tree)).await.expect("it is followed");
    engine.settled().await.expect("nothing stands in the way");
    everyday(&engine, &there).await;
    check_out(&engine, &there, files).await;
    engine.close().await;
}

/// How long an editor's save takes to be found, and a deleted file to be gone.
async fn everyday(engine: &Engine, folder: &Path) {
    let (mut saves, mut deletions) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let (path, words) = (folder.join("saved.txt"), format!("edition{turn}"));
        let fresh = path.with_extension("tmp");
        fs::write(&fresh, &words).and_then(|()| fs::rename(&fresh, &path)).expect("it is saved");
        let start = Instant::now();
        while matches(engine, &words).await == 0 {
            tokio::time::sleep(LOOK).await;
        }
        saves.push(start.elapsed().as_secs_f64());
        fs::remove_file(&path).expect("it is deleted");
        let start = Instant::now();
        while matches(engine, &words).await > 0 {
            tokio::time::sleep(LOOK).await;
        }
        deletions.push(start.elapsed().as_secs_f64());
    }
    for (what, mut times) in [("saved", saves), ("deleted", deletions)] {
        times.sort_by(f64::total_cmp);
        println!("{what:<8} median {:.2} s, worst {:.2} s", times[TURNS / 2], times[TURNS - 1]);
    }
}

/// As `git checkout` does it: some files are deleted, others come, others say
/// something else.
async fn check_out(engine: &Engine, folder: &Path, files: usize) {
    let some = files.min(10_000);
    let start = Instant::now();
    for file in 0..some {
        let path = note(folder, file);
        fs::remove_file(&path).expect("it is there");
        let path = if file % 2 == 0 { path } else { path.with_extension("md") };
        fs::write(path, format!("branch{file} {}", prose(6, (files + file) as u64)))
            .expect("written");
    }
    let written = start.elapsed().as_secs_f64();
    let mut changes = engine.status_changes().expect("it indexes");
    while engine.status().expect("it is taken").counts.queued() > 0
        || renamed(engine) != some / 2
        || matches(engine, &format!("branch{}", some - 1)).await == 0
    {
        changes.changed().await.expect("it goes on");
    }
    println!(
        "checkout {some} files in {written:.1} s, settled after {:.1} s",
        start.elapsed().as_secs_f64()
    );
}

fn renamed(engine: &Engine) -> usize {
    let rows = engine.files(Some(FileState::Indexed), FileId(0), usize::MAX >> 1);
    rows.expect("they are listed").iter().filter(|row| row.path.extension() == "md").count()
}

async fn matches(engine: &Engine, words: &str) -> usize {
    let mut query = Query::parse(words).expect("it is a query");
    query.mode = Mode::Keyword;
    engine.search(&query).await.expect("it is answered").files.len()
}

fn note(folder: &Path, file: usize) -> PathBuf {
    folder.join(format!("folder-{:04}", file / FOLDER)).join(format!("note-{file:06}.txt"))
}

fn write_files(folder: &Path, files: usize) {
    for file in 0..files {
        let path = note(folder, file);
        if file % FOLDER == 0 {
            fs::create_dir_all(path.parent().unwrap_or(folder)).expect("it can be made");
        }
        fs::write(path, prose(6, file as u64)).expect("it is written");
    }
}

/// How many of the best hundred answers lie below `folder`.
async fn found(engine: &Engine, folder: &Path, filter: Option<&Path>) -> usize {
    let mut query = Query::parse("the").expect("it is a query");
    (query.mode, query.limit) = (Mode::Keyword, 100);
    query.filter.under = filter.iter().map(|path| path.display().to_string()).collect();
    let answer = engine.search(&query).await.expect("it is answered");
    answer.files.iter().filter(|file| file.path.as_path().starts_with(folder)).count()
}
