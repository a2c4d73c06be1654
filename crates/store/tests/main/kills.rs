//! A process that writes is killed, again and again, in whatever it does.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use rummage_corpus::FileId;
use rummage_store::{Filter, Limits, Mode, PassageRow, Store, VectorRow};

use crate::rows::{all_files, direction, exactly, folder, name, passage, space, vector_row};

const DIMS: usize = 16;
const KILLS: usize = 20;
/// Where the process that is killed finds its folder, and with which file it begins.
const FOLDER: &str = "RUMMAGE_KILLED_FOLDER";
const FIRST: &str = "RUMMAGE_KILLED_FIRST";

/// So few that the vectors' index is built soon and anew.
const LIMITS: Limits = Limits {
    vectors_in_memory: 200,
    vectors_fetched: 20,
    flat: 50,
    words_fresh: 20,
    words_gathered: 100,
};

fn rows(file: i64) -> (Vec<PassageRow>, Vec<VectorRow>) {
    let text = |i| format!("{} passage number {i}", name(file));
    let rows: Vec<_> = (0..10).map(|i| passage(file, i, &text(i))).collect();
    let vector = |row: &PassageRow| direction(row.id().to_i64() as u64, DIMS);
    let vectors = rows.iter().map(|row| vector_row(row, vector(row))).collect();
    (rows, vectors)
}

async fn open(folder: &Path) -> Store {
    Store::open_with(folder, &space(DIMS), LIMITS).await.unwrap()
}

/// Not a test but the process that is killed: it writes until then, and says what it
/// begins and what it has kept.
#[tokio::test]
#[ignore = "is started by the other test"]
async fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = open(Path::new(&folder)).await;
    let first: i64 = std::env::var(FIRST).unwrap().parse().unwrap();
    for file in first.. {
        println!("\nbegin");
        let (passages, vectors) = rows(file);
        store.replace_passages(&[FileId(file)], &passages).await.unwrap();
        store.replace_vectors(&[FileId(file)], &vectors).await.unwrap();
        store.sync().await.unwrap();
        println!("\nkept {file}");
        if file % 4 == 0 {
            println!("\nbegin");
            store.upkeep(if file % 8 == 0 { Mode::Idle } else { Mode::Busy }).await.unwrap();
        }
    }
}

/// Runs it until it has begun `begun` things and written `written` files since the last
/// beginning; returns the files that it kept.
fn run_and_kill(folder: &Path, first: i64, begun: usize, written: usize) -> Vec<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::the_process_that_is_killed", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut kept, mut left) = (Vec::new(), begun);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while left > 0 {
        let line = lines.next().expect("it writes until it is killed").unwrap();
        if let Some(file) = line.strip_prefix("kept ") {
            kept.push(file.parse().unwrap());
        }
        left -= usize::from(line == "begin");
    }
    wait_for_files(&mut child, folder, written);
    child.kill().unwrap();
    child.wait().unwrap();
    let rest = lines.map_while(Result::ok);
    kept.extend(rest.filter_map(|line| line.strip_prefix("kept ")?.parse::<i64>().ok()));
    kept
}

fn wait_for_files(child: &mut Child, folder: &Path, written: usize) {
    let before = all_files(folder);
    while all_files(folder).difference(&before).count() < written {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
    }
}

#[tokio::test]
async fn a_killed_writer_loses_nothing_that_it_kept() {
    let folder = folder();
    let mut kept = BTreeSet::new();
    let mut next = 1;
    for kill in 0..KILLS {
        let ran = run_and_kill(folder.path(), next, 1 + kill % 7, kill % 5);
        kept.extend(ran);
        next = kept.last().map_or(1, |last: &i64| last + 1);
        let store = open(folder.path()).await;
        check(&store, &kept, next).await;
    }
    let store = open(folder.path()).await;
    store.remove_passages(&[FileId(next)]).await.unwrap();
    store.remove_vectors(&[FileId(next)]).await.unwrap();
    store.upkeep(Mode::Idle).await.unwrap();
    check(&store, &kept, next).await;

    let other = crate::rows::folder();
    let fresh = open(other.path()).await;
    let (passages, vectors): (Vec<_>, Vec<_>) = kept.iter().map(|file| rows(*file)).unzip();
    fresh.replace_passages(&[], &passages.concat()).await.unwrap();
    fresh.replace_vectors(&[], &vectors.concat()).await.unwrap();
    fresh.upkeep(Mode::Idle).await.unwrap();
    let [worn, fresh] = [store.disk_bytes().await.unwrap(), fresh.disk_bytes().await.unwrap()];
    // What every table has besides its rows.
    let besides = 100_000;
    assert!(worn < fresh * 13 / 10 + besides, "{worn} bytes where {fresh} are enough");
}

/// Each file is there once, and found by both legs; the one that was being written may be.
async fn check(store: &Store, kept: &BTreeSet<i64>, unsure: i64) {
    let ids: Vec<_> = kept.iter().map(|file| FileId(*file)).collect();
    for per_file in
        [store.passages_per_file(&ids).await.unwrap(), store.vectors_per_file(&ids).await.unwrap()]
    {
        assert!(ids.iter().all(|file| per_file.get(file) == Some(&10)), "{per_file:?}");
    }
    let all = store.count_passages().await.unwrap();
    assert!(all == kept.len() * 10 || all == kept.len() * 10 + 10, "{all} passages");
    for file in kept {
        assert_eq!(exactly(store, &name(*file)).await, [*file; 10]);
    }
    for file in kept.iter().rev().take(3) {
        let (passages, vectors) = rows(*file);
        let nearest = store.meaning(&vectors[3].vector, &Filter::default(), 1).await.unwrap();
        assert_eq!(nearest[0].id, passages[3].id());
        let ids: Vec<_> = passages.iter().map(PassageRow::id).collect();
        let read = store.passages(&ids).await.unwrap().into_iter();
        let written = passages.into_iter().map(|row| row.passage);
        assert!(read.map(|(_, passage)| passage).eq(written));
        assert!(nearest[0].similarity > 0.999 && *file != unsure);
    }
}
