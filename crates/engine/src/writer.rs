//! The one task that writes: passages, vectors and what the catalog says of them,
//! in that order. Whoever has something to keep hands it over and waits for the
//! word that it is kept.
//!
//! Invariant: the catalog calls a file done only after the store has its rows on the
//! disk, and it expects rows before they are written. A crash or a power cut in
//! between leaves the file in the queue, marked as one whose old rows must make way.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use rummage_catalog::{Fate, Gone, Misplaced, Task, Verdict, WordedFile, WordedTask};
use rummage_corpus::{ContentHash, FileId, Passage, SourcePath, model_input, words};
use rummage_store::{Mode, Origin, PassageRow, Store, VectorRow};
use tokio::sync::{mpsc, oneshot};

use crate::{
    EngineError, Following, clock,
    problem::ProblemKind,
    shared::{Active, Shared},
    switching,
};

/// Something to be kept.
pub(crate) enum Commit {
    /// What became of a batch of files that were read.
    Read(Vec<(Task, ReadOutcome)>),
    /// A batch of files that have all their vectors.
    Embedded(EmbeddedBatch),
    /// Vectors of a model that is not in use yet.
    Beside(BesideBatch),
    /// A model that is to be used from here on.
    Switch(Active),
    /// Nothing: answered once all is done that was handed over before.
    Nothing,
}

#[derive(Debug)]
pub(crate) enum ReadOutcome {
    /// The contents are what the store has.
    Unchanged,
    Passages {
        /// `None` for a text that may be another when the same contents are read again.
        hash: Option<ContentHash>,
        passages: Vec<Passage>,
        /// What the text lacks, in words.
        note: Option<String>,
    },
    Skipped(String),
    Failed {
        reason: String,
        transient: bool,
    },
    /// It is no longer there.
    Missing,
}

#[derive(Default)]
pub(crate) struct EmbeddedBatch {
    /// The fingerprint of the model whose vectors these are.
    pub model: String,
    pub files: Vec<WordedTask>,
    pub rows: Vec<VectorRow>,
    /// Files that cannot be embedded, and why.
    pub failed: Vec<(WordedTask, String)>,
    /// Files that the store does not have whole: to be read again.
    pub incomplete: Vec<WordedTask>,
    pub embedded: u64,
    pub reused: u64,
}

pub(crate) struct BesideBatch {
    /// With the table that they go to.
    pub store: Store,
    /// Files of which there are vectors that must make way.
    pub stale: Vec<FileId>,
    pub rows: Vec<VectorRow>,
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

/// Files whose rows are placed anew at a time.
const PLACED_FILES: usize = 5000;

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
                let _ = writer.guard(Writer::tidy, ()).await;
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
            Commit::Beside(batch) => return self.keep_beside(batch).await,
            Commit::Switch(next) => return self.switch(next).await,
            Commit::Nothing => return Ok(()),
        }
        self.since_upkeep += 1;
        // New words at once: every phrase is looked for in all of those that no index knows.
        if read || self.since_upkeep >= COMMITS_PER_UPKEEP {
            self.since_upkeep = 0;
            let lull = read && self.shared.catalog.counts()?.pending == 0;
            let _clock = self.shared.counters.full_text.enter();
            self.store.upkeep(if lull { Mode::Lull } else { Mode::Busy }).await?;
        }
        Ok(())
    }

    async fn keep_read(&mut self, outcomes: Vec<(Task, ReadOutcome)>) -> Outcome {
        let catalog = &self.shared.catalog;
        let counters = &self.shared.counters;
        let (mut unchanged, mut missing, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        for (task, outcome) in outcomes {
            match outcome {
                ReadOutcome::Unchanged => unchanged.push((task.file, task.version)),
                ReadOutcome::Missing => missing.push((task.file, task.version)),
                outcome => changed.push((task, outcome)),
            }
        }
        counters.removed.fetch_add(catalog.settle_missing(&missing)?, Relaxed);
        counters.unchanged.fetch_add(catalog.settle_unchanged(&unchanged)?, Relaxed);
        // What changed or left while it was read is not touched: it comes again.
        let handed_out: Vec<_> =
            changed.iter().map(|(task, _)| (task.file, task.version)).collect();
        let current = catalog.expect_passages(&handed_out)?;
        changed.retain(|(task, _)| current.contains(&task.file));
        // Old rows of everything that changed must make way, text or no text.
        let stale: Vec<FileId> =
            changed.iter().filter(|(task, _)| task.stale).map(|(task, _)| task.file).collect();
        let (mut rows, mut worded, mut verdicts) = (Vec::new(), Vec::new(), Vec::new());
        for (task, outcome) in changed {
            let (hash, passages, note) = match outcome {
                ReadOutcome::Passages { hash, passages, note } => (hash, passages, note),
                ReadOutcome::Skipped(reason) => {
                    counters.skipped.fetch_add(1, Relaxed);
                    verdicts.push(verdict(task.file, task.version, Fate::Skipped, reason));
                    continue;
                }
                ReadOutcome::Failed { reason, transient } => {
                    counters.failed.fetch_add(1, Relaxed);
                    let fate = Fate::Failed { transient_at: transient.then(clock::now) };
                    verdicts.push(verdict(task.file, task.version, fate, reason));
                    continue;
                }
                ReadOutcome::Unchanged | ReadOutcome::Missing => {
                    unreachable!("sorted out above")
                }
            };
            worded.push(WordedFile {
                file: task.file,
                version: task.version,
                hash,
                passages: passages.len() as u64,
                note,
            });
            let origin = origin_of(task.file, &task.path, task.modified_ns);
            let of_file = |passage| PassageRow { origin: origin.clone(), passage };
            rows.extend(passages.into_iter().map(of_file));
        }
        self.store.replace_passages(&stale, &rows).await?;
        self.store.sync().await?;
        let texts = rows.iter().map(|row| model_input(&row.passage.context, &row.passage.text));
        {
            let _clock = counters.full_text.enter();
            catalog.learn(texts.flat_map(|text| words(&text)).map(|word| word.stem))?;
        }
        catalog.settle_worded(&worded)?;
        catalog.settle_verdicts(&verdicts, rummage_extract::VERSION)?;
        self.shared.wake();
        Ok(())
    }

    async fn keep_embedded(&mut self, mut batch: EmbeddedBatch) -> Outcome {
        if !self.is_in_use(&batch.model) {
            // The files are queued as they were, for the model that is.
            self.shared.wake();
            return Ok(());
        }
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
        let failed: Vec<FileId> = batch.failed.iter().map(|(task, _)| task.file).collect();
        if !failed.is_empty() {
            self.store.remove_passages(&failed).await?;
        }
        self.store.sync().await?;
        counters.indexed.fetch_add(catalog.settle_indexed(&handed_out)?, Relaxed);
        counters.embedded.fetch_add(batch.embedded, Relaxed);
        counters.reused.fetch_add(batch.reused, Relaxed);
        counters.failed.fetch_add(batch.failed.len() as u64, Relaxed);
        let fate = Fate::Failed { transient_at: None };
        let verdicts: Vec<_> = batch
            .failed
            .into_iter()
            .map(|(task, reason)| verdict(task.file, task.version, fate, reason))
            .collect();
        catalog.settle_verdicts(&verdicts, rummage_extract::VERSION)?;
        let incomplete: Vec<FileId> = batch.incomplete.iter().map(|task| task.file).collect();
        if !incomplete.is_empty() {
            catalog.requeue(&incomplete)?;
            self.shared.wake();
        }
        Ok(())
    }

    /// The catalog is not told: these vectors are nobody's until their model is in use.
    async fn keep_beside(&mut self, batch: BesideBatch) -> Outcome {
        let BesideBatch { store, stale, rows, embedded, reused } = batch;
        store.replace_vectors(&stale, &rows).await?;
        store.sync().await?;
        self.shared.counters.embedded.fetch_add(embedded, Relaxed);
        self.shared.counters.reused.fetch_add(reused, Relaxed);
        self.since_upkeep += 1;
        if self.since_upkeep >= COMMITS_PER_UPKEEP {
            self.since_upkeep = 0;
            store.upkeep(Mode::Busy).await?;
        }
        Ok(())
    }

    /// No passage changes meanwhile, for this is the task that writes them.
    async fn switch(&mut self, next: Active) -> Outcome {
        let Some(store) = next.store.clone() else { return Ok(()) };
        let catalog = &self.shared.catalog;
        switching::adopt(&store, catalog, &next.model.identity.fingerprint).await?;
        // From here on the catalog speaks of these vectors, whatever fails afterwards.
        let before = std::mem::replace(&mut self.store, store);
        let model = next.model.clone();
        self.shared.activate(next);
        // Where readers hold them open and the system minds, they stay.
        let _ = before.remove_flat();
        let settings = self.shared.settings.borrow().clone();
        crate::require(catalog, &model, &settings)
    }

    fn is_in_use(&self, model: &str) -> bool {
        self.shared.active().is_some_and(|active| active.model.identity.fingerprint == model)
    }

    /// What is no longer followed leaves the results, and what moved is placed anew.
    async fn tidy(&mut self, (): ()) -> Outcome {
        self.unsettle();
        self.remove_leaving().await?;
        // One part at a time: whoever has something to keep is served in between.
        if self.place(PLACED_FILES).await? == PLACED_FILES {
            self.shared.leaving.notify_one();
        }
        Ok(())
    }

    /// Lets the store's rows of up to so many files say where those are now. Returns
    /// how many there were.
    async fn place(&mut self, limit: usize) -> Result<usize, EngineError> {
        let misplaced = self.shared.catalog.misplaced(limit)?;
        if !misplaced.is_empty() {
            let (whole, worded): (Vec<_>, Vec<_>) =
                misplaced.iter().partition(|file| file.has_vectors);
            let [whole, worded] = [whole, worded].map(|files| files.into_iter().map(origin));
            let whole: Vec<_> = whole.collect();
            let passages: Vec<_> = whole.iter().cloned().chain(worded).collect();
            self.store.place_passages(&passages).await?;
            self.store.place_vectors(&whole).await?;
            self.store.sync().await?;
            self.shared.catalog.settle_placed(&misplaced)?;
        }
        Ok(misplaced.len())
    }

    async fn remove_leaving(&mut self) -> Outcome {
        loop {
            let files = self.shared.catalog.gone(Gone::Leaving, LEAVING_FILES)?;
            if files.is_empty() {
                return Ok(());
            }
            self.store.remove_passages(&files).await?;
            self.store.sync().await?;
            self.shared.catalog.settle_gone(Gone::Leaving, &files)?;
        }
    }

    /// Takes the words of all passages down anew, where some must go.
    async fn relearn(&self) -> Outcome {
        let catalog = &self.shared.catalog;
        if !catalog.vocabulary_is_outdated()? {
            return Ok(());
        }
        catalog.unlearn()?;
        let mut learned = Ok(());
        self.store
            .all_words(|texts| {
                if learned.is_ok() {
                    let words = texts.flat_map(|text| text.split(' ')).map(str::to_owned);
                    learned = catalog.learn(words);
                }
            })
            .await?;
        learned?;
        Ok(catalog.vocabulary_is_whole()?)
    }

    /// Once nothing is queued: vectors that nothing needs any more go, and the
    /// store is put in order.
    async fn settle(&mut self, (): ()) -> Outcome {
        self.remove_leaving().await?;
        while self.place(PLACED_FILES).await? == PLACED_FILES {}
        self.relearn().await?;
        let disorder = self.shared.disorder();
        if self.shared.catalog.counts()?.to_do() > 0 || self.shared.is_scanning() {
            return Ok(());
        }
        loop {
            let files = self.shared.catalog.gone(Gone::Left, LEAVING_FILES)?;
            if files.is_empty() {
                break;
            }
            self.store.remove_vectors(&files).await?;
            self.store.sync().await?;
            self.shared.catalog.settle_gone(Gone::Left, &files)?;
        }
        {
            let _clock = self.shared.counters.full_text.enter();
            self.store.upkeep(Mode::Idle).await?;
        }
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

fn origin(file: &Misplaced) -> Origin {
    origin_of(file.file, &file.path, file.modified_ns)
}

fn origin_of(file: FileId, path: &SourcePath, modified_ns: i64) -> Origin {
    Origin::new(file, path, modified_ns.div_euclid(1_000_000_000))
}

fn verdict(file: FileId, version: i64, fate: Fate, reason: String) -> Verdict {
    Verdict { file, version, fate, reason }
}

type Outcome = Result<(), EngineError>;
