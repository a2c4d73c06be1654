//! The one task that writes: passages, vectors and what the catalog says of them,
//! in that order. Whoever has something to keep hands it over and waits for the
//! word that it is kept.
//!
//! Invariant: the catalog calls a file done only after the store has confirmed its
//! rows, and it expects rows before they are written. A crash in between leaves
//! the file in the queue, marked as one whose old rows must make way.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use rummage_catalog::{Gone, Task, WordedTask};
use rummage_corpus::{ContentHash, FileId, Passage};
use rummage_store::{Mode, Origin, PassageRow, Store, VectorRow};
use tokio::sync::{mpsc, oneshot};

use crate::{EngineError, Following, problem::ProblemKind, shared::Shared};

/// Something to be kept.
#[derive(Debug)]
pub(crate) enum Commit {
    /// What became of a batch of files that were read.
    Read(Vec<(Task, ReadOutcome)>),
    /// A batch of files that have all their vectors.
    Embedded(EmbeddedBatch),
}

#[derive(Debug)]
pub(crate) enum ReadOutcome {
    /// The contents are what the store has.
    Unchanged,
    Passages {
        hash: ContentHash,
        passages: Vec<Passage>,
    },
    Skipped(String),
    Failed {
        reason: String,
        transient: bool,
    },
    /// It is no longer there.
    Missing,
}

#[derive(Debug, Default)]
pub(crate) struct EmbeddedBatch {
    pub files: Vec<WordedTask>,
    pub rows: Vec<VectorRow>,
    /// Files that cannot be embedded, and why.
    pub failed: Vec<(WordedTask, String)>,
    /// Files that the store does not have whole: to be read again.
    pub incomplete: Vec<WordedTask>,
    pub embedded: u64,
    pub reused: u64,
}

type Kept = Result<(), Interrupted>;

/// It was not kept: the writer told why as a problem. Take the work from the
/// catalog again, after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interrupted;

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct WriterHandle {
    commits: mpsc::Sender<(Commit, oneshot::Sender<Kept>)>,
}

impl WriterHandle {
    pub async fn keep(&self, commit: Commit) -> Kept {
        let (answer, answered) = oneshot::channel();
        self.commits.send((commit, answer)).await.map_err(|_| Interrupted)?;
        answered.await.unwrap_or(Err(Interrupted))
    }
}

/// Whoever commits waits for the answer, so few are ever in line.
const COMMITS: usize = 4;

/// Upkeep of everything begins when nothing was to be done for this long: while a
/// person may go on typing into files, and while a command waits for the end.
const IDLE_LIVE: Duration = Duration::from_secs(5);
const IDLE_ONCE: Duration = Duration::from_millis(50);

/// Commits of vectors between two looks at what upkeep is due.
const COMMITS_PER_UPKEEP: u32 = 8;

/// Files that leave at a time.
const LEAVING_FILES: usize = 500;

/// After a failure nothing is written for this long, twice as long after each
/// further one, up to the second: what could not be kept is computed again.
const PAUSE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(60));

pub(crate) fn channel() -> (WriterHandle, mpsc::Receiver<(Commit, oneshot::Sender<Kept>)>) {
    let (commits, inbox) = mpsc::channel(COMMITS);
    (WriterHandle { commits }, inbox)
}

/// Writes until told to stop; what is being written then is finished first.
pub(crate) async fn run(
    shared: Arc<Shared>,
    store: Store,
    mut inbox: mpsc::Receiver<(Commit, oneshot::Sender<Kept>)>,
    following: Following,
) {
    let idle = match following {
        Following::Live => IDLE_LIVE,
        Following::Once => IDLE_ONCE,
    };
    let mut writer =
        Writer { shared: shared.clone(), store, since_upkeep: 0, failures: 0, unsettled: true };
    let mut stop = shared.stop();
    loop {
        tokio::select! {
            biased;
            () = stop.wait() => return,
            Some((commit, answer)) = inbox.recv() => {
                let kept = writer.guard(Writer::commit, commit).await;
                let _ = answer.send(kept);
            }
            () = shared.leaving.notified() => {
                let _ = writer.guard(Writer::remove_leaving, ()).await;
            }
            () = tokio::time::sleep(idle), if writer.unsettled => {
                let _ = writer.guard(Writer::settle, ()).await;
            }
        }
    }
}

struct Writer {
    shared: Arc<Shared>,
    store: Store,
    since_upkeep: u32,
    /// In a row.
    failures: u32,
    /// Something was written since the last upkeep of everything.
    unsettled: bool,
}

impl Writer {
    /// Runs one piece of work; a failure becomes a standing problem and a pause.
    async fn guard<A>(&mut self, work: impl AsyncFnOnce(&mut Self, A) -> Outcome, with: A) -> Kept {
        let shared = self.shared.clone();
        let outcome = {
            let _clock = shared.counters.store.enter();
            work(self, with).await
        };
        self.shared.touch();
        match outcome {
            Ok(()) => {
                self.failures = 0;
                self.shared.problems.clear(ProblemKind::Writing);
                Ok(())
            }
            Err(error) => {
                self.shared.problems.set_error(ProblemKind::Writing, &error);
                self.shared.touch();
                let pause = (PAUSE.0 * 2u32.pow(self.failures.min(5))).min(PAUSE.1);
                self.failures += 1;
                let mut stop = self.shared.stop();
                tokio::select! {
                    () = stop.wait() => {}
                    () = tokio::time::sleep(pause) => {}
                }
                Err(Interrupted)
            }
        }
    }

    async fn commit(&mut self, commit: Commit) -> Outcome {
        self.unsettle();
        let read = matches!(commit, Commit::Read(_));
        match commit {
            Commit::Read(outcomes) => self.keep_read(outcomes).await?,
            Commit::Embedded(batch) => self.keep_embedded(batch).await?,
        }
        self.since_upkeep += 1;
        // New words at once: every question goes through those that no index knows.
        if read || self.since_upkeep >= COMMITS_PER_UPKEEP {
            self.since_upkeep = 0;
            let lull = read && self.shared.catalog.counts()?.pending == 0;
            self.store.upkeep(if lull { Mode::Lull } else { Mode::Busy }).await?;
        }
        Ok(())
    }

    async fn keep_read(&mut self, outcomes: Vec<(Task, ReadOutcome)>) -> Outcome {
        let catalog = &self.shared.catalog;
        let counters = &self.shared.counters;
        let (mut unchanged, mut changed) = (Vec::new(), Vec::new());
        for (task, outcome) in outcomes {
            match outcome {
                ReadOutcome::Unchanged => unchanged.push((task.file, task.version)),
                ReadOutcome::Missing => {
                    let left = catalog.settle_missing(task.file, task.version)?;
                    counters.removed.fetch_add(left.into(), Relaxed);
                }
                outcome => changed.push((task, outcome)),
            }
        }
        counters.unchanged.fetch_add(catalog.settle_unchanged(&unchanged)?, Relaxed);
        // What changed or left while it was read is not touched: it comes again.
        let handed_out: Vec<_> =
            changed.iter().map(|(task, _)| (task.file, task.version)).collect();
        let current = catalog.expect_passages(&handed_out)?;
        changed.retain(|(task, _)| current.contains(&task.file));
        // Old rows of everything that changed must make way, text or no text.
        let stale: Vec<FileId> =
            changed.iter().filter(|(task, _)| task.stale).map(|(task, _)| task.file).collect();
        let (mut rows, mut worded, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for (task, outcome) in changed {
            let ReadOutcome::Passages { hash, passages } = outcome else {
                rest.push((task, outcome));
                continue;
            };
            worded.push((task.file, task.version, hash, passages.len() as u64));
            let seconds = task.modified_ns.div_euclid(1_000_000_000);
            let origin = Origin::new(task.file, &task.path, seconds);
            let of_file = |passage| PassageRow { origin: origin.clone(), passage };
            rows.extend(passages.into_iter().map(of_file));
        }
        self.store.replace_passages(&stale, &rows).await?;
        catalog.settle_worded(&worded)?;
        for (task, outcome) in rest {
            match outcome {
                ReadOutcome::Skipped(reason) => {
                    catalog.settle_skipped(task.file, task.version, &reason)?;
                    counters.skipped.fetch_add(1, Relaxed);
                }
                ReadOutcome::Failed { reason, transient } => {
                    catalog.settle_failed(task.file, task.version, &reason, transient)?;
                    counters.failed.fetch_add(1, Relaxed);
                }
                _ => unreachable!("sorted out above"),
            }
        }
        self.shared.wake();
        Ok(())
    }

    async fn keep_embedded(&mut self, mut batch: EmbeddedBatch) -> Outcome {
        let catalog = &self.shared.catalog;
        let counters = &self.shared.counters;
        let handed_out: Vec<_> = batch.files.iter().map(|task| (task.file, task.version)).collect();
        let current = catalog.expect_vectors(&handed_out)?;
        batch.rows.retain(|row| current.contains(&row.origin.file));
        let stale: Vec<FileId> = batch
            .files
            .iter()
            .filter(|task| task.stale && current.contains(&task.file))
            .map(|task| task.file)
            .collect();
        self.store.replace_vectors(&stale, &batch.rows).await?;
        counters.indexed.fetch_add(catalog.settle_indexed(&handed_out)?, Relaxed);
        counters.embedded.fetch_add(batch.embedded, Relaxed);
        counters.reused.fetch_add(batch.reused, Relaxed);
        let failed: Vec<FileId> = batch.failed.iter().map(|(task, _)| task.file).collect();
        if !failed.is_empty() {
            self.store.remove_passages(&failed).await?;
        }
        for (task, reason) in batch.failed {
            catalog.settle_failed(task.file, task.version, &reason, false)?;
            counters.failed.fetch_add(1, Relaxed);
        }
        let incomplete: Vec<FileId> = batch.incomplete.iter().map(|task| task.file).collect();
        if !incomplete.is_empty() {
            catalog.requeue(&incomplete)?;
            self.shared.wake();
        }
        Ok(())
    }

    /// What is no longer followed leaves the results.
    async fn remove_leaving(&mut self, (): ()) -> Outcome {
        self.unsettle();
        loop {
            let files = self.shared.catalog.gone(Gone::Leaving, LEAVING_FILES)?;
            if files.is_empty() {
                return Ok(());
            }
            self.store.remove_passages(&files).await?;
            self.shared.catalog.settle_gone(Gone::Leaving, &files)?;
        }
    }

    /// Once nothing is queued: vectors that nothing needs any more go, and the
    /// store is put in order.
    async fn settle(&mut self, (): ()) -> Outcome {
        self.remove_leaving(()).await?;
        let disorder = self.shared.disorder();
        if self.shared.catalog.counts()?.queued() > 0 || self.shared.is_scanning() {
            return Ok(());
        }
        loop {
            let files = self.shared.catalog.gone(Gone::Left, LEAVING_FILES)?;
            if files.is_empty() {
                break;
            }
            self.store.remove_vectors(&files).await?;
            self.shared.catalog.settle_gone(Gone::Left, &files)?;
        }
        self.store.upkeep(Mode::Idle).await?;
        self.since_upkeep = 0;
        self.unsettled = false;
        self.shared.put_in_order(disorder);
        Ok(())
    }

    fn unsettle(&mut self) {
        self.unsettled = true;
        self.shared.disturb();
    }
}

type Outcome = Result<(), EngineError>;
