//! How long a question takes over many passages, with the query's own embedding and
//! with filters, and what memory the process has afterwards.
//!
//!     cargo run --workspace --example scale -- fill SEED OUT PASSAGES
//!     cargo run --workspace --example scale -- ask OUT QUERIES.jsonl [ROUNDS]
//!     cargo run --workspace --example scale -- tidy OUT
//!     cargo run --workspace --example scale -- edit OUT COMMITS
//!
//! SEED is a data folder that `rummage index` made of real texts. `fill` mixes its
//! passages, two at a time, into as many as are wanted: half of the words of each, and
//! the two vectors' weighted sum. So words are as frequent as in the real texts, and
//! vectors lie as theirs do, though more evenly. `tidy` is what an idle window does.
//! `edit` replaces a file's passages and vectors, again and again, then tidies up, and
//! says what is left. Figures of the note: the 95th
//! percentile of hybrid answers at most 12, 15 and 25 ms over 10,000, 100,000 and
//! 1,000,000 passages, twice that with a filter; the first at most 300 ms; at most
//! 500 MB after 100 questions; after 5,000 commits at most 50 versions and 100 files of
//! rows, 1.3 times the size of a new index and 1.2 times its latency.

use std::{
    collections::HashMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use rummage_catalog::{
    AddRoot, Catalog, Circumstances, Observation, RootId, SeenFiles, Stamp, WordedFile,
};
use rummage_corpus::{ContentHash, FileId, Passage, SourcePath, Span, words};
use rummage_engine::{Engine, Options, Query};
use rummage_store::{Filter, Mode, Origin, PassageRow, Store, VectorRow, VectorSpace};
use rummage_testkit::{Dice, worker_program};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const PASSAGES_A_FILE: usize = 10;
/// Written at a time.
const BATCH: usize = 1000;
/// The first file's date, and the time between two files', in seconds.
const FIRST: i64 = 1_500_000_000;
const STEP: i64 = 1000;

const USAGE: &str = "scale fill SEED OUT PASSAGES | ask OUT QUERIES.jsonl [ROUNDS] | tidy OUT | \
                     edit OUT COMMITS";

fn main() -> Outcome {
    // SAFETY: no thread has been started yet.
    unsafe { rummage_engine::prepare_process() };
    let given: Vec<_> = std::env::args().skip(1).collect();
    let given: Vec<_> = given.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Runtime::new()?;
    match given.as_slice() {
        ["fill", seed, out, passages] => {
            let seed = runtime.block_on(Seed::read(Path::new(seed)))?;
            runtime.block_on(fill(seed, Path::new(out), passages.parse()?))
        }
        ["ask", out, queries] => runtime.block_on(ask(Path::new(out), queries, 1)),
        ["ask", out, queries, rounds] => {
            runtime.block_on(ask(Path::new(out), queries, rounds.parse()?))
        }
        ["tidy", out] => runtime.block_on(async { tidy(&open(Path::new(out)).await?).await }),
        ["edit", out, commits] => runtime.block_on(edit(Path::new(out), commits.parse()?)),
        _ => Err(USAGE.into()),
    }
}

/// Real passages with their vectors.
struct Seed {
    space: VectorSpace,
    passages: Vec<(String, Vec<f32>)>,
}

impl Seed {
    async fn space(data: &Path) -> Outcome<VectorSpace> {
        let engine = Engine::open(options(data)).await?;
        let model = engine.status()?.model.ok_or("there is no model")?;
        engine.close().await;
        Ok(VectorSpace { fingerprint: model.fingerprint, dims: model.dims })
    }

    async fn read(data: &Path) -> Outcome<Seed> {
        let space = Self::space(data).await?;
        let catalog = Catalog::open(&data.join("catalog.sqlite"))?;
        let known = catalog.counts()?.known();
        let store = Store::open_existing(&data.join("index"), &space).await?;
        let store = store.ok_or("the seed has no index")?;
        let mut passages = Vec::new();
        let files: Vec<_> = (1..=known as i64).map(FileId).collect();
        for files in files.chunks(BATCH) {
            let rows = store.passages_of(files).await?;
            let hashes: Vec<_> = rows.iter().map(|row| row.passage.hash).collect();
            let vectors = store.known_vectors(&hashes).await?;
            passages.extend(rows.into_iter().filter_map(|row| {
                Some((row.passage.text, vectors.get(&row.passage.hash)?.clone()))
            }));
        }
        println!("seed: {} passages", passages.len());
        Ok(Seed { space, passages })
    }

    /// The `i`th passage of a made index: the real ones first, then mixtures.
    fn mix(&self, i: usize) -> (String, Vec<f32>) {
        let mut dice = Dice::new(i as u64);
        if let Some((text, vector)) = self.passages.get(i) {
            return (text.clone(), vector.clone());
        }
        let [one, other] = [dice.pick(&self.passages), dice.pick(&self.passages)];
        let share = 0.5 + 0.4 * dice.signed().abs();
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let (mut text, more) = (words(&one.0), words(&other.0));
        text.truncate((text.len() as f32 * share) as usize);
        text.extend_from_slice(&more[(more.len() as f32 * share) as usize..]);
        let sum = one.1.iter().zip(&other.1).map(|(a, b)| a * share + b * (1.0 - share));
        let mut vector: Vec<f32> = sum.map(|number| number + 0.005 * dice.signed()).collect();
        let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|number| *number /= length);
        (text.join(" "), vector)
    }
}

fn options(data: &Path) -> Options {
    Options { worker_program: Some(worker_program()), ..Options::new(data.to_owned(), None) }
}

/// Where the `i`th file of an index lies: 2 files in one folder, 200 in another, half
/// of the rest in each of two. One of 500 is a program.
fn path_of(tree: &Path, i: usize) -> PathBuf {
    let ext = if i % 500 == 7 { "rs" } else { ["txt", "md"][i % 2] };
    let folder = match i {
        0..2 => "twenty".to_owned(),
        2..202 => "two thousand".to_owned(),
        _ => format!("{}/{}", ["left", "right"][i / 2 % 2], i / 1000),
    };
    tree.join(folder).join(format!("{i}.{ext}"))
}

async fn fill(seed: Seed, out: &Path, passages: usize) -> Outcome {
    let (data, tree) = (out.join("data"), out.join("tree"));
    fs::create_dir_all(&data)?;
    fs::create_dir_all(&tree)?;
    let tree = tree.canonicalize()?;
    let catalog = Catalog::open(&data.join("catalog.sqlite"))?;
    let root = SourcePath::new(&tree);
    let AddRoot::Added(root) = catalog.add_root(&root, |_, _| true)? else {
        return Err("it is filled already".into());
    };
    let store = Store::open(&data.join("index"), &seed.space).await?;
    let start = Instant::now();
    let files = passages.div_ceil(PASSAGES_A_FILE);
    for first in (0..files).step_by(BATCH) {
        let numbers = first..files.min(first + BATCH);
        let taken = settle(&catalog, root, &tree, numbers)?;
        let (mut rows, mut vectors) = (Vec::new(), Vec::new());
        for (i, path, file) in &taken {
            let origin = Origin::new(*file, path, FIRST + *i as i64 * STEP);
            for ordinal in 0..PASSAGES_A_FILE {
                let (text, vector) = seed.mix(i * PASSAGES_A_FILE + ordinal);
                let (row, vector) = rows_of(&origin, ordinal as u32, text, vector);
                rows.push(row);
                vectors.push(vector);
            }
        }
        let texts = rows.iter().map(|row| &row.passage.text);
        catalog.learn(texts.flat_map(|text| words(text)).map(|word| word.stem))?;
        store.replace_passages(&[], &rows).await?;
        store.replace_vectors(&[], &vectors).await?;
        store.sync().await?;
        store.upkeep(Mode::Busy).await?;
    }
    println!("filled in {:.0} s", start.elapsed().as_secs_f64());
    tidy(&store).await
}

/// The store of a filled index, for writing.
async fn open(out: &Path) -> Outcome<Store> {
    let data = out.join("data");
    let space = Seed::space(&data).await?;
    Ok(Store::open(&data.join("index"), &space).await?)
}

async fn tidy(store: &Store) -> Outcome {
    let start = Instant::now();
    println!("{:?} in {:.1} s", store.upkeep(Mode::Idle).await?, start.elapsed().as_secs_f64());
    println!("{:?}, {} MB", store.vector_index(), store.disk_bytes().await? >> 20);
    println!("memory: {}", memory());
    Ok(())
}

async fn edit(out: &Path, commits: usize) -> Outcome {
    let store = open(out).await?;
    let files = store.count_passages().await? / PASSAGES_A_FILE;
    println!("{} MB", store.disk_bytes().await? >> 20);
    let start = Instant::now();
    for commit in 0..commits {
        let file = FileId((commit % files) as i64 + 1);
        let mut rows = store.passages_of(&[file]).await?;
        let hashes: Vec<_> = rows.iter().map(|row| row.passage.hash).collect();
        let known = store.known_vectors(&hashes).await?;
        let mut vectors = Vec::new();
        for row in &mut rows {
            let vector = known.get(&row.passage.hash).cloned().unwrap_or_default();
            row.passage.text.push_str(" edited");
            row.passage.hash = ContentHash::of(row.passage.text.as_bytes());
            let (origin, passage) = (row.origin.clone(), &row.passage);
            let (ordinal, hash) = (passage.ordinal, passage.hash);
            vectors.push(VectorRow { origin, ordinal, hash, vector });
        }
        store.replace_passages(&[file], &rows).await?;
        store.replace_vectors(&[file], &vectors).await?;
        store.sync().await?;
        store.upkeep(Mode::Busy).await?;
    }
    println!("{commits} commits in {:.0} s", start.elapsed().as_secs_f64());
    tidy(&store).await?;
    for table in fs::read_dir(store.dir())?.flatten().filter(|entry| entry.path().is_dir()) {
        let count = |part: &str| fs::read_dir(table.path().join(part)).map_or(0, Iterator::count);
        let (versions, files) = (count("_versions"), count("data"));
        println!("{:?}: {versions} versions, {files} files of rows", table.file_name());
    }
    Ok(())
}

/// Makes the files and takes them down as indexed.
fn settle(
    catalog: &Catalog,
    root: RootId,
    tree: &Path,
    numbers: std::ops::Range<usize>,
) -> Outcome<Vec<(usize, SourcePath, FileId)>> {
    let paths: Vec<_> = numbers.map(|i| (i, path_of(tree, i))).collect();
    let mut observations = Vec::new();
    for (i, path) in &paths {
        fs::create_dir_all(path.parent().ok_or("a file lies in a folder")?)?;
        fs::write(path, "x")?;
        let modified_ns = (FIRST + *i as i64 * STEP) * 1_000_000_000;
        let stamp = Stamp { bytes: 1, modified_ns, inode: *i as u64 + 1, device: 1 };
        observations.push(Observation::File { path: SourcePath::new(path), stamp });
    }
    let circumstances = Circumstances { eager: false, is_gone: &|_| true };
    catalog.observe(root, &observations, circumstances, &mut SeenFiles::default())?;
    let tasks = catalog.pending(FileId(0), paths.len())?;
    let versions: Vec<_> = tasks.iter().map(|task| (task.file, task.version)).collect();
    let worded = versions.iter().map(|(file, version)| WordedFile {
        file: *file,
        version: *version,
        // Files of one content would be one result.
        hash: Some(ContentHash::of(&file.0.to_le_bytes())),
        passages: PASSAGES_A_FILE as u64,
        note: None,
    });
    catalog.expect_passages(&versions)?;
    catalog.settle_worded(&worded.collect::<Vec<_>>())?;
    catalog.expect_vectors(&versions)?;
    catalog.settle_indexed(&versions)?;
    let files: HashMap<_, _> = tasks.into_iter().map(|task| (task.path, task.file)).collect();
    let numbered = paths.into_iter().filter_map(|(i, path)| {
        let path = SourcePath::new(path);
        Some((i, path.clone(), *files.get(&path)?))
    });
    Ok(numbered.collect())
}

fn rows_of(
    origin: &Origin,
    ordinal: u32,
    text: String,
    vector: Vec<f32>,
) -> (PassageRow, VectorRow) {
    let hash = ContentHash::of(format!("{}{text}", origin.path).as_bytes());
    let (origin, span) = (origin.clone(), Span::new(0, text.len()));
    let vector = VectorRow { origin: origin.clone(), ordinal, hash, vector };
    let context = String::new();
    let passage = Passage { ordinal, span, text, context, page: None, hash };
    (PassageRow { origin, passage }, vector)
}

async fn ask(out: &Path, queries: &str, rounds: usize) -> Outcome {
    let queries: Vec<Query> = fs::read_to_string(queries)?
        .lines()
        .take(100)
        .map(|line| -> Outcome<Query> {
            let object: serde_json::Value = serde_json::from_str(line)?;
            Ok(Query::parse(object["text"].as_str().ok_or("a query without text")?)?)
        })
        .collect::<Outcome<_>>()?;
    let start = Instant::now();
    let engine = Engine::open(options(&out.join("data"))).await?;
    let opened = start.elapsed();
    // The model's loading is not the store's.
    engine.warm_up().await;
    let passages = engine.status()?.counts.passages as i64;
    let start = Instant::now();
    engine.search(&queries[0]).await?;
    println!(
        "{passages} passages; opened in {opened:.0?}, first answer in {:.0?}",
        start.elapsed()
    );
    for (what, filter) in filters(&out.join("tree").canonicalize()?, passages) {
        let (mut times, mut files) = (Vec::new(), 0);
        for query in queries.iter().cycle().take(queries.len() * rounds) {
            let query = Query { filter: filter.clone(), ..query.clone() };
            let start = Instant::now();
            let answer = engine.search(&query).await?;
            times.push(start.elapsed().as_secs_f64() * 1000.0);
            files += answer.files.len();
            if answer.mode != rummage_engine::Mode::Hybrid {
                return Err(answer.notice.unwrap_or_default().into());
            }
        }
        let files = files as f64 / times.len() as f64;
        times.sort_by(f64::total_cmp);
        let [p50, p95] = [50, 95].map(|percent| times[times.len() * percent / 100]);
        let (least, most) = (times[0], times[times.len() - 1]);
        println!(
            "{what:>22}: p50 {p50:6.1} ms, p95 {p95:6.1} ms, \
             least {least:6.1}, most {most:6.1}, {files:.1} files"
        );
    }
    println!("memory: {}", memory());
    engine.close().await;
    Ok(())
}

fn filters(tree: &Path, passages: i64) -> Vec<(&'static str, Filter)> {
    let files = passages / PASSAGES_A_FILE as i64;
    let all = Filter::default;
    let within = |place: &str| Filter { under: vec![place.to_owned()], ..all() };
    let below = |folder: &str| within(&tree.join(folder).to_string_lossy());
    let typed = |ext: &str| Filter { types: vec![ext.to_owned()], ..all() };
    let after = |file: i64| Filter { after: Some(FIRST + file * STEP), ..all() };
    vec![
        ("no filter", all()),
        ("20 rows by folder", below("twenty")),
        ("2,000 rows by folder", below("two thousand")),
        ("1,000 rows by date", after(files - 100)),
        ("0.2 % by type", typed("rs")),
        ("half by folder", below("left")),
        ("half by folder's name", within("left")),
        ("half by type", typed("md")),
        ("half by date", after(files / 2)),
        ("no filter, again", all()),
    ]
}

/// What the system says of this process, where it says it.
fn memory() -> String {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let wanted = |line: &&str| line.starts_with("Pss:") || line.starts_with("Rss:");
    rollup.lines().filter(wanted).collect::<Vec<_>>().join(", ")
}
