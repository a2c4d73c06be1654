//! One passage that kills every worker that embeds it, among ten thousand files.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use rummage_corpus::FileId;
use rummage_engine::{Engine, FileState, Following};
use rummage_testkit::{Tree, faulty_worker_program, prose, worker_program};

use crate::{Home, settled};

const FILES: usize = 10_000;

/// A token of the tiny model that the made-up prose never has.
const POISON: &str = "~";

impl Home {
    /// Embeds with faulty workers, to which the token is deadly, and reads files
    /// with sound ones.
    async fn poisoned_worker(&self) -> PathBuf {
        let engine = self.open(Following::Once).await;
        let fingerprint = engine.status().unwrap().model.unwrap().fingerprint;
        engine.close().await;
        let tokenizer = self.dir.path().join("assets/models/tiny-1/tokenizer.json");
        let tokenizer: serde_json::Value =
            serde_json::from_slice(&fs::read(tokenizer).unwrap()).unwrap();
        let token = tokenizer["model"]["vocab"][POISON].as_u64().unwrap();
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *'--role embed'*) \
             FAULTS=poison:{token} FAULTY_FINGERPRINT={fingerprint} exec '{}' \"$@\" ;; esac\n\
             exec '{}' \"$@\"\n",
            faulty_worker_program().display(),
            worker_program().display(),
        );
        let program = self.dir.path().join("worker");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        program
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_deadly_passage_costs_its_file_and_few_workers() {
    let (home, tree) = (Home::new(), Tree::new());
    for n in 0..FILES {
        let poison = if n == FILES / 3 { POISON } else { "" };
        tree.write(&format!("{n}.txt"), prose(1, n as u64) + poison);
    }
    let mut options = home.options(Following::Once);
    options.worker_program = Some(home.poisoned_worker().await);
    let engine = Engine::open(options).await.unwrap();
    let lease = engine.auto().passages_per_lease as u64;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    let status = engine.status().unwrap();
    assert_eq!((status.counts.indexed, status.counts.failed), (FILES as u64 - 1, 1));
    let failed = engine.files(Some(FileState::Failed), FileId(0), 10).unwrap();
    assert_eq!(failed[0].path, tree.source(&format!("{}.txt", FILES / 3)));
    let reason = failed[0].reason.as_deref().unwrap();
    assert!(reason.contains("signal 6"), "the worker's end is its reason: {reason}");
    let lost = status.pool.crash_restarts;
    assert!(
        (2..=2 + u64::from(lease.ilog2())).contains(&lost),
        "{lost} workers of {lease} a lease"
    );
    engine.close().await;
}
