//! Many small files: how soon they are found by their words, what a second run over
//! them costs, and what moving the whole tree does.
//!
//!     cargo run --workspace --example many -- [--files 100000] [--assets DIR]
//!
//! Vectors are made by a tiny model of random weights, so that what is measured is
//! everything else; with `--assets` by the real one there. Figures of the note: found
//! by words at 1,000 files a second, a second run in 3 s, a moved tree found under
//! its new path within 10 s and without an embedding.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use rummage_engine::{Engine, Following, Mode, Options, Query, Surroundings};
use rummage_testkit::{prose, runtime_library, tiny_model, worker_program};

/// Files a folder.
const FOLDER: usize = 500;

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
    let open = async || {
        let mut options = Options::new(data.clone(), Some(Following::Once));
        options.surroundings = Surroundings {
            assets: Some(assets.clone()),
            runtime: Some(runtime_library()),
            program: None,
        };
        options.worker_program = Some(worker_program());
        Engine::open(options).await.expect("the engine opens")
    };

    let start = Instant::now();
    let engine = open().await;
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
    let engine = open().await;
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
}

fn write_files(folder: &Path, files: usize) {
    for file in 0..files {
        let folder = folder.join(format!("folder-{:04}", file / FOLDER));
        if file % FOLDER == 0 {
            fs::create_dir_all(&folder).expect("it can be made");
        }
        let text = prose(6, file as u64);
        fs::write(folder.join(format!("note-{file:06}.txt")), text).expect("it is written");
    }
}

/// How many of the best hundred answers lie below `folder`.
async fn found(engine: &Engine, folder: &Path, filter: Option<&Path>) -> usize {
    let mut query = Query::parse("the").expect("it is a query");
    (query.mode, query.limit) = (Mode::Keyword, 100);
    query.filter.under = filter.map(|path| path.display().to_string());
    let answer = engine.search(&query).await.expect("it is answered");
    answer.files.iter().filter(|file| file.path.as_path().starts_with(folder)).count()
}
