//! Workers killed at any moment, and the app itself: nothing is lost, nothing
//! is there twice.

use std::{collections::HashSet, time::Duration};

use rummage_corpus::FileId;
use rummage_engine::{Engine, FileState, Following};
use rummage_store::{Store, VectorSpace};
use rummage_testkit::{Dice, Tree};

use crate::{Home, settled};

const FILES: usize = 3000;
const KILLS: usize = 30;

/// Every file is indexed and the store holds each passage and each vector once.
pub async fn check_whole(home: &Home, engine: &Engine, files: usize, passages: u64) {
    let status = engine.status().unwrap();
    let failed = engine.files(Some(FileState::Failed), FileId(0), 3).unwrap();
    assert_eq!(status.counts.indexed, files as u64, "{:?}, such as {failed:?}", status.counts);
    assert_eq!(status.counts.passages, passages);
    let model = status.model.unwrap();
    let space = VectorSpace { fingerprint: model.fingerprint, dims: model.dims };
    let store = Store::open(&home.data().join("index"), &space).await.unwrap();
    assert_eq!(store.count_passages().await.unwrap() as u64, passages);
    assert_eq!(store.count_vectors().await.unwrap() as u64, passages);
    let rows = engine.files(Some(FileState::Indexed), FileId(0), files + 1).unwrap();
    let ids: Vec<FileId> = rows.iter().map(|row| row.file).collect();
    let stored = store.passages_of(&ids).await.unwrap();
    let distinct: HashSet<_> = stored.iter().map(|row| row.id()).collect();
    assert_eq!((stored.len(), distinct.len()), (passages as usize, passages as usize));
}

/// How many passages the tree has, from an undisturbed run.
pub async fn undisturbed(tree: &Tree, files: usize) -> u64 {
    let home = Home::new();
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    let passages = engine.status().unwrap().counts.passages;
    check_whole(&home, &engine, files, passages).await;
    engine.close().await;
    passages
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_killed_at_any_moment_cost_nothing() {
    let tree = Tree::prose(FILES, 11);
    let passages = undisturbed(&tree, FILES).await;
    let home = Home::new();
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    let mut dice = Dice::new(5);
    let mut kills = 0;
    let settling = settled(&engine);
    tokio::pin!(settling);
    loop {
        tokio::select! {
            () = &mut settling => break,
            () = tokio::time::sleep(Duration::from_millis(10 + dice.below(40) as u64)) => {
                // The victims are drawn among all workers, starting ones too.
                let workers = engine.worker_pids();
                if kills < KILLS && !workers.is_empty() {
                    let pid = workers[dice.below(workers.len())];
                    // SAFETY: the process is a worker of this very engine.
                    unsafe { libc::kill(pid as libc::pid_t, libc::SIGKILL) };
                    kills += 1;
                }
            }
        }
    }
    assert!(kills >= 20, "only {kills} kills before the end: take more files");
    assert!(engine.status().unwrap().pool.crash_restarts > 0);
    check_whole(&home, &engine, FILES, passages).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_dropped_in_the_middle_goes_on_where_it_was() {
    let tree = Tree::prose(FILES, 13);
    let passages = undisturbed(&tree, FILES).await;
    let home = Home::new();
    let mut dice = Dice::new(9);
    for _ in 0..6 {
        let engine = home.open(Following::Once).await;
        engine.follow(&[tree.root().to_owned()]).await.unwrap();
        let at = Duration::from_millis(50 + dice.below(800) as u64);
        let _ = tokio::time::timeout(at, engine.settled()).await;
        drop(engine);
    }
    let engine = home.open(Following::Once).await;
    engine.scan_all().await.unwrap();
    settled(&engine).await;
    check_whole(&home, &engine, FILES, passages).await;
    engine.close().await;
}
