//! Another process asks while this one writes and tidies up.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rummage_corpus::FileId;
use rummage_store::{Filter, Mode, Store};

use crate::rows::{direction, exactly, files, folder, name, passage, space, vector_row};

const DIMS: usize = 16;
const COMMITS: i64 = 120;
/// Files that stay as they are: with so many, words lie in files beside the table.
const OTHERS: std::ops::Range<i64> = 1_000..2_200;
/// So long at least, for whoever wants to know about more than a moment.
const MINUTES: &str = "RUMMAGE_READER_MINUTES";
const FOLDER: &str = "RUMMAGE_READER_FOLDER";

/// Not a test but the process that asks: for each line, what it finds by words and by
/// meaning.
#[tokio::test]
#[ignore = "is started by the other test"]
async fn the_process_that_asks() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = Store::open_existing(folder.as_ref(), &space(DIMS)).await.unwrap().unwrap();
    for line in std::io::stdin().lines() {
        let (word, number) = line.as_ref().unwrap().split_once(' ').unwrap();
        let vector = direction(number.parse().unwrap(), DIMS);
        let near = store.meaning(&vector, &Filter::default(), 1).await.unwrap();
        let near = near.iter().filter(|hit| hit.similarity > 0.99).map(|hit| hit.id);
        println!("\nfound {:?} {:?}", exactly(&store, word).await, files(near));
    }
}

#[tokio::test]
async fn a_reader_never_fails_and_sees_every_commit_at_once() {
    let folder = folder();
    let store = Store::open(folder.path(), &space(DIMS)).await.unwrap();
    let others: Vec<_> = OTHERS.map(|file| passage(file, 0, "one of the others")).collect();
    store.replace_passages(&[], &others).await.unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "readers::the_process_that_asks", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ask = |word: &str, vector: i64| {
        writeln!(questions, "{word} {vector}").unwrap();
        let answer = |line: String| line.strip_prefix("found ").map(str::to_owned);
        lines.by_ref().map(Result::unwrap).find_map(answer).expect("it answers")
    };
    let minutes = std::env::var(MINUTES).map_or(0.0, |minutes| minutes.parse().unwrap());
    let start = Instant::now();
    let is_time = |_: &i64| start.elapsed() < Duration::from_secs_f64(60.0 * minutes);
    for commit in (1..=COMMITS).chain((COMMITS + 1..).take_while(is_time)) {
        let file = FileId(commit % 7);
        let row = passage(file.0, 0, &name(commit));
        store.replace_passages(&[file], std::slice::from_ref(&row)).await.unwrap();
        let vector = vector_row(&row, direction(commit as u64, DIMS));
        store.replace_vectors(&[file], &[vector]).await.unwrap();
        if commit % 9 == 0 {
            let mode = if commit % 2 == 0 { Mode::Idle } else { Mode::Busy };
            store.upkeep(mode).await.unwrap();
        }
        let found = format!("[{0}] [{0}]", file.0);
        assert_eq!(ask(&name(commit), commit), found, "commit {commit}");
        if commit > 7 {
            assert_eq!(ask(&name(commit - 7), commit - 7), "[] []", "a ghost");
        }
    }
    drop(questions);
    println!("a reader beside {:.1} minutes of writing", start.elapsed().as_secs_f64() / 60.0);
    assert!(child.wait().unwrap().success());
}
