//! What the queue costs at the size of a large archive: a catalog of generated
//! files, filled by the catalog's own calls, then batches fetched and settled at its
//! beginning and at its end.
//!
//!     cargo run --workspace --example queue -- [--files 13600000] [--keep PATH]
//!
//! `--keep` leaves the catalog there, and takes it up again if it is there already.
//! Figures of the note: fetch at most 1 ms at the median, mark at most 10 ms.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use rummage_catalog::{
    AddRoot, Catalog, Circumstances, Observation, RootId, SeenFiles, Stamp, WordedFile,
};
use rummage_corpus::{ContentHash, FileId, SourcePath};

/// Files a batch, as reading takes them.
const BATCH: usize = 250;

/// Batches measured at each end of the queue.
const TURNS: usize = 40;

/// Files taken down at a time, as a scan does.
const GROUP: usize = 1000;

fn main() {
    let mut files = 13_600_000;
    let mut keep = None;
    let mut arguments = std::env::args().skip(1);
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        match name.as_str() {
            "--files" => files = value.parse().expect("--files takes a number"),
            "--keep" => keep = Some(PathBuf::from(value)),
            _ => panic!("only --files N and --keep PATH are known"),
        }
    }
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let path = keep.unwrap_or_else(|| dir.path().join("catalog.sqlite"));
    let catalog = Catalog::open(&path).expect("the catalog opens");
    if catalog.counts().expect("it counts").known() == 0 {
        fill(&catalog, files);
    }
    report(&catalog, &path);
}

fn fill(catalog: &Catalog, files: usize) {
    let start = Instant::now();
    let root = SourcePath::new("/archive");
    let AddRoot::Added(root) = catalog.add_root(&root, |_, _| true).expect("it is added") else {
        panic!("a new catalog follows nothing")
    };
    let mut seen = SeenFiles::default();
    for first in (0..files).step_by(GROUP) {
        let group: Vec<_> = (first..files.min(first + GROUP)).map(observation).collect();
        observe(catalog, root, &group, &mut seen);
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("filled   {files} files in {seconds:.0} s, {:.0} a second", files as f64 / seconds);
}

fn observe(catalog: &Catalog, root: RootId, group: &[Observation], seen: &mut SeenFiles) {
    let circumstances = Circumstances { eager: false, is_gone: &|_| false };
    let observed = catalog.observe(root, group, circumstances, seen).expect("it is taken down");
    assert!(observed.is_some(), "the root is followed");
}

/// A name as long as those of real archives, about 80 bytes.
fn observation(number: usize) -> Observation {
    let (decade, box_, folder) = (number / 1_000_000, number / 20_000 % 50, number / 200 % 100);
    let path = format!(
        "/archive/decade-{decade:03}/box-{box_:03}/correspondence-{folder:03}/letter-{number:09}.txt"
    );
    let stamp = Stamp {
        bytes: 2000 + number as u64 % 9000,
        modified_ns: 1_600_000_000_000_000_000 + number as i64,
        // In order within a folder and in none between folders, as on a disk that has
        // lived.
        inode: ((number as u64 / 200).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 << 8)
            + number as u64 % 200,
        device: 1,
    };
    Observation::File { path: SourcePath::new(path), stamp }
}

fn report(catalog: &Catalog, path: &Path) {
    measure(catalog, "first", FileId(0));
    let last = last_pending(catalog);
    measure(catalog, "last", FileId(last.0 - (BATCH * TURNS) as i64));
    let counting = Instant::now();
    let counts = catalog.counts().expect("it counts");
    println!("counts   {:.3} ms: {counts:?}", milliseconds(counting));
    let size = |suffix: &str| {
        let path = PathBuf::from(format!("{}{suffix}", path.display()));
        path.metadata().map_or(0, |found| found.len()) as f64 / f64::from(1 << 20)
    };
    println!("file     {:.0} MB, write-ahead log {:.0} MB", size(""), size("-wal"));
    if let Some(peak) = peak_memory_megabytes() {
        println!("memory   {peak} MB at the most");
    }
}

/// The end of the queue, found by halves.
fn last_pending(catalog: &Catalog) -> FileId {
    let (mut below, mut above) = (0, i64::MAX / 4);
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        let found = catalog.pending(FileId(middle), 1).expect("it is fetched");
        if found.is_empty() { above = middle } else { below = middle }
    }
    FileId(below + 1)
}

/// Takes batches off the queue as reading and writing do, and tells what each step
/// takes at the median and at worst.
fn measure(catalog: &Catalog, end: &str, from: FileId) {
    let [mut fetch, mut expect, mut mark] = [(); 3].map(|()| Vec::with_capacity(TURNS));
    let mut after = from;
    for _ in 0..TURNS {
        let start = Instant::now();
        let tasks = catalog.pending(after, BATCH).expect("it is fetched");
        fetch.push(milliseconds(start));
        assert_eq!(tasks.len(), BATCH, "take more files");
        after = tasks[BATCH - 1].file;
        let versions: Vec<_> = tasks.iter().map(|task| (task.file, task.version)).collect();
        let start = Instant::now();
        catalog.expect_passages(&versions).expect("it is noted");
        expect.push(milliseconds(start));
        let hash = ContentHash::of(b"a letter");
        let worded = |&(file, version): &_| WordedFile {
            file,
            version,
            hash: Some(hash),
            passages: 3,
            note: None,
        };
        let settled: Vec<_> = versions.iter().map(worded).collect();
        let start = Instant::now();
        catalog.settle_worded(&settled).expect("it is marked");
        mark.push(milliseconds(start));
    }
    for (what, mut times) in [("fetch", fetch), ("expect", expect), ("mark", mark)] {
        times.sort_by(f64::total_cmp);
        println!(
            "{what:<8} {BATCH} at the {end} batches: median {:.3} ms, worst {:.3} ms",
            times[TURNS / 2],
            times[TURNS - 1]
        );
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

#[cfg(target_os = "linux")]
fn peak_memory_megabytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? >> 10)
}

#[cfg(not(target_os = "linux"))]
fn peak_memory_megabytes() -> Option<u64> {
    None
}
