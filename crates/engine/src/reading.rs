//! From the queue to passages: files are read by extraction workers, cut here,
//! and handed to the writer in batches.
//!
//! Nothing is remembered across a failure: what was not kept is still pending in
//! the catalog and is taken from there again.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures::{StreamExt, stream::FuturesUnordered};
use rummage_catalog::{Catalog, CatalogError, Task};
use rummage_chunk::chunk;
use rummage_corpus::{Caveat, Document, FileId};
use rummage_pool::JobError;
use rummage_protocol::{Outcome, SkipReason};

use crate::{
    pass::Pass,
    problem::ProblemKind,
    shared::Shared,
    writer::{Commit, ReadOutcome, WriterHandle},
};

/// Files being read or cut at a time.
const WIDTH: usize = 24;

/// Of these, so many bytes at a time: each file's text is held until its batch is
/// written. A larger file goes alone; a scan, with little text for its bytes, does not
/// count.
const WIDTH_BYTES: usize = 64 << 20;

/// A file that a person wants whatever its size is read up to this one: its text is
/// held in memory, in the worker and here.
const LARGEST_BYTES: u64 = 1 << 30;

/// Files fetched from the queue at a time.
const FETCH: usize = 256;

/// A batch is written when it has this many passages or files, or nothing more to
/// wait for. Larger batches write faster; smaller ones are searchable sooner.
const BATCH_PASSAGES: usize = 2000;
const BATCH_FILES: usize = 1000;

/// A batch is not held back longer than this for more to come.
const BATCH_WAIT: Duration = Duration::from_millis(400);

pub(crate) async fn run(shared: Arc<Shared>, writer: WriterHandle) {
    let mut stop = shared.stop();
    let mut scans = Scans::default();
    while !stop.is_set() {
        let work = shared.work.notified();
        pass(&shared, &writer, &mut scans).await.rest(&mut stop, work).await;
    }
}

/// Files whose letters are pictures, with the version that was looked at. Reading one
/// takes as long as a thousand others, so they are put off until nothing else waits,
/// and then read one by one.
#[derive(Default)]
struct Scans(BTreeMap<FileId, i64>);

impl Scans {
    fn put_off(&mut self, task: &Task) {
        self.0.insert(task.file, task.version);
    }

    fn holds(&self, task: &Task) -> bool {
        self.0.get(&task.file) == Some(&task.version)
    }

    fn remove(&mut self, task: &Task) {
        if self.holds(task) {
            self.0.remove(&task.file);
        }
    }

    /// The first that still waits as it was. It stays among them until it is read.
    fn first(&mut self, catalog: &Catalog) -> Result<Option<Task>, CatalogError> {
        while let Some((file, _)) = self.0.first_key_value() {
            let task = catalog.pending(FileId(file.0 - 1), 1)?.pop();
            if let Some(task) = task.filter(|task| self.holds(task)) {
                return Ok(Some(task));
            }
            self.0.pop_first();
        }
        Ok(None)
    }
}

/// Takes the queue once from its beginning to its end, or what was put off of it.
async fn pass(shared: &Arc<Shared>, writer: &WriterHandle, scans: &mut Scans) -> Pass {
    let mut stop = shared.stop();
    let mut fetched: VecDeque<Task> = VecDeque::new();
    let mut cursor = FileId(0);
    let mut running = FuturesUnordered::new();
    // While one batch is written, the next is read.
    let mut keeping = FuturesUnordered::new();
    let mut bytes = 0;
    let mut batch = Batch::default();
    let mut worked = false;
    // The scan in work, as it was handed out. Others may come or change meanwhile, and it
    // may itself.
    let mut scan = None;
    let mut changed = false;
    let mut pauses = shared.pauses.load(Ordering::SeqCst);
    loop {
        let work = shared.work.notified();
        let now = shared.pauses.load(Ordering::SeqCst);
        if now != pauses
            && let Some(task) = fetched.pop_front()
        {
            // What is not begun yet is asked for anew: some of it may have to wait.
            cursor = FileId(task.file.0 - 1);
            fetched.clear();
        }
        pauses = now;
        if changed && running.len() == 1 && batch.is_empty() && keeping.is_empty() {
            (cursor, changed) = (FileId(0), false);
        }
        while fetched.is_empty() && running.len() < WIDTH {
            match shared.catalog.pending(cursor, FETCH) {
                Ok(tasks) => {
                    let Some(last) = tasks.last() else { break };
                    cursor = last.file;
                    fetched.extend(tasks.into_iter().filter(|task| !scans.holds(task)));
                }
                Err(error) => return interrupted(shared, error),
            }
        }
        while running.len() < WIDTH
            && let Some(task) = fetched
                .pop_front_if(|task| bytes == 0 || bytes + task.bytes as usize <= WIDTH_BYTES)
        {
            bytes += task.bytes as usize;
            running.push(read(shared.clone(), task, None));
        }
        let is_due = batch.is_due() || running.len() == usize::from(scan.is_some());
        if keeping.is_empty() && is_due && !batch.is_empty() {
            worked = true;
            keeping.push(writer.keep(Commit::Read(batch.take())));
        } else if keeping.is_empty() && running.is_empty() {
            if worked {
                return Pass::Worked;
            }
            let ocr = shared.settings.borrow().files.ocr().map(str::to_owned);
            match scans.first(&shared.catalog) {
                Ok(None) => return Pass::Idle,
                Ok(Some(task)) => {
                    scan = Some((task.file, task.version));
                    running.push(read(shared.clone(), task, ocr));
                }
                Err(error) => return interrupted(shared, error),
            }
        }
        tokio::select! {
            () = stop.wait() => return Pass::Interrupted,
            () = work, if scan.is_some() => changed = true,
            Some(kept) = keeping.next() => if kept.is_err() {
                return Pass::Interrupted;
            },
            Some(read) = running.next(), if !batch.is_full() => match read {
                Ok((task, outcome)) => {
                    if scan == Some((task.file, task.version)) {
                        scans.remove(&task);
                        (scan, changed) = (None, false);
                    } else {
                        bytes -= task.bytes as usize;
                    }
                    match outcome {
                        Some(outcome) => batch.push(task, outcome),
                        None => scans.put_off(&task),
                    }
                }
                Err(Unread) => return Pass::Interrupted,
            },
            () = tokio::time::sleep_until(batch.deadline()), if batch.is_ripening() => {
                batch.ripen();
            }
        }
    }
}

fn interrupted(shared: &Shared, error: CatalogError) -> Pass {
    shared.problems.set_error(ProblemKind::Writing, &error.into());
    Pass::Interrupted
}

/// No worker reads now; the reason stands as a problem.
struct Unread;

/// Gives no outcome for a file that is to be read with `ocr` another time.
async fn read(
    shared: Arc<Shared>,
    task: Task,
    ocr: Option<String>,
) -> Result<(Task, Option<ReadOutcome>), Unread> {
    shared.set_current(Some(task.path.display().to_string()));
    let max_bytes = match task.included {
        true => LARGEST_BYTES,
        false => shared.settings.borrow().files.max_bytes(),
    };
    let may_be_put_off = ocr.is_none() && shared.settings.borrow().files.ocr;
    let outcome = {
        let _clock = shared.counters.extract.enter();
        shared.pool.extract(task.path.clone(), max_bytes, ocr).await
    };
    if may_be_put_off && outcome.as_ref().is_ok_and(is_scan) {
        return Ok((task, None));
    }
    let outcome = match outcome {
        Ok(Outcome::Text { hash, .. }) if task.hash == Some(hash) => ReadOutcome::Unchanged,
        Ok(Outcome::Text { hash, document }) => {
            let Some(active) = shared.active() else { return Err(Unread) };
            let shared = shared.clone();
            let note = note(&document);
            // What it lacks this time it may have the next.
            let hash = note.is_none().then_some(hash);
            let cut = tokio::task::spawn_blocking(move || {
                let _clock = shared.counters.chunk.enter();
                let size = active.model.chunk_size(&shared.settings.borrow());
                chunk(&document, active.model.cutter(), &size)
            });
            match cut.await {
                Ok(passages) if passages.is_empty() => {
                    ReadOutcome::Skipped(skip_reason(SkipReason::Empty))
                }
                Ok(passages) => ReadOutcome::Passages { hash, passages, note },
                Err(error) => ReadOutcome::Failed {
                    reason: format!("its text could not be cut into passages: {error}"),
                    transient: false,
                },
            }
        }
        Ok(Outcome::Skipped(SkipReason::NeedsTesseract)) => {
            ReadOutcome::Failed { reason: skip_reason(SkipReason::NeedsTesseract), transient: true }
        }
        Ok(Outcome::Skipped(reason)) => ReadOutcome::Skipped(skip_reason(reason)),
        Ok(Outcome::Unreadable { missing: true, .. }) => match root_away(&shared, &task) {
            None => ReadOutcome::Missing,
            Some(root) => ReadOutcome::Failed {
                reason: format!("its folder {root} is away: it is read when that is back"),
                transient: true,
            },
        },
        Ok(Outcome::Unreadable { reason, .. }) => ReadOutcome::Failed {
            reason: format!("it cannot be read ({reason}): check who may read it"),
            transient: true,
        },
        Err(JobError::Refused(reason)) => ReadOutcome::Failed {
            reason: format!("it cannot be understood: {reason}"),
            transient: false,
        },
        Err(error @ JobError::Deadly { .. }) => ReadOutcome::Failed {
            reason: format!("reading it failed every time: {error}"),
            transient: false,
        },
        Err(error @ JobError::Unavailable { .. }) => {
            shared.problems.set(
                ProblemKind::Reading,
                error.to_string(),
                "Install Rummage anew; the files wait in the queue.".to_owned(),
            );
            shared.touch();
            return Err(Unread);
        }
        Err(JobError::Closed) => return Err(Unread),
    };
    shared.problems.clear(ProblemKind::Reading);
    Ok((task, Some(outcome)))
}

/// Whether OCR would find more.
fn is_scan(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Skipped(SkipReason::NeedsOcr) => true,
        Outcome::Text { document, .. } => {
            document.caveats.iter().any(|caveat| matches!(caveat, Caveat::Scanned { .. }))
        }
        _ => false,
    }
}

/// What the text lacks, for the ledger.
fn note(document: &Document) -> Option<String> {
    let caveats: Vec<_> = document.caveats.iter().map(ToString::to_string).collect();
    (!caveats.is_empty()).then(|| caveats.join("; "))
}

/// The root that the file belongs to, if that is not there itself: a disk that
/// was unplugged says nothing about the file.
fn root_away(shared: &Shared, task: &Task) -> Option<String> {
    let roots = shared.catalog.roots().ok()?;
    let root = roots.iter().find(|root| task.path.as_path().starts_with(&root.path))?;
    let is_away = root.path != task.path && !root.path.as_path().exists();
    is_away.then(|| root.path.display().to_string())
}

/// In words for the ledger, with the mend where there is one.
fn skip_reason(reason: SkipReason) -> String {
    match reason {
        SkipReason::Empty => "it holds no text".to_owned(),
        SkipReason::Binary => "its contents are not text that can be read".to_owned(),
        SkipReason::TooLarge { bytes, limit } => format!(
            "it is larger than the limit ({} of {} MB): raise “largest file” in the settings to include it",
            bytes.div_ceil(1 << 20),
            limit >> 20
        ),
        SkipReason::NotAFile => "it is not a regular file".to_owned(),
        SkipReason::NeedsOcr => {
            "no text: needs OCR (it is an image or a scan): turn OCR on in the settings".to_owned()
        }
        SkipReason::NeedsTesseract => {
            "no text: needs OCR, and Tesseract is not installed".to_owned()
        }
        SkipReason::OtherPicture => {
            "no text: needs OCR, which does not read pictures in this format".to_owned()
        }
        SkipReason::Protected => "it is protected by a password".to_owned(),
        SkipReason::UnpacksTooLarge { limit } => {
            format!("what is packed in it is larger than {} MB", limit >> 20)
        }
    }
}

#[derive(Default)]
struct Batch {
    outcomes: Vec<(Task, ReadOutcome)>,
    passages: usize,
    since: Option<tokio::time::Instant>,
    ripe: bool,
}

impl Batch {
    fn push(&mut self, task: Task, outcome: ReadOutcome) {
        if let ReadOutcome::Passages { passages, .. } = &outcome {
            self.passages += passages.len();
        }
        self.outcomes.push((task, outcome));
        self.since.get_or_insert_with(tokio::time::Instant::now);
    }

    fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }

    fn is_full(&self) -> bool {
        self.passages >= BATCH_PASSAGES || self.outcomes.len() >= BATCH_FILES
    }

    fn is_due(&self) -> bool {
        self.ripe || self.is_full()
    }

    fn is_ripening(&self) -> bool {
        !self.is_empty() && !self.ripe
    }

    fn deadline(&self) -> tokio::time::Instant {
        self.since.unwrap_or_else(tokio::time::Instant::now) + BATCH_WAIT
    }

    fn ripen(&mut self) {
        self.ripe = true;
    }

    fn take(&mut self) -> Vec<(Task, ReadOutcome)> {
        std::mem::take(self).outcomes
    }
}
