//! From passages in the store to vectors beside them. Files whose words are
//! searchable already are taken from the catalog in batches; what the store knows
//! by hash is reused, the rest is made ([`crate::vectors`]).

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, atomic::Ordering},
};

use rummage_catalog::WordedTask;
use rummage_corpus::{ContentHash, FileId, model_input};
use rummage_pool::JobError;
use rummage_store::{PassageRow, Store, VectorRow};
use tokio::task::JoinSet;

use crate::{
    EngineError,
    model::LoadedModel,
    pass::Pass,
    problem::ProblemKind,
    shared::{Active, Shared},
    vectors::{self, Texts, Vectors},
    writer::{Commit, EmbeddedBatch, WriterHandle},
};

/// Passages a batch. Texts are sorted by length within one, so that calls hold
/// texts of one length; a crash of the app costs what is in work, at most two.
pub(crate) const BATCH_PASSAGES: u64 = 1024;

/// The first batch after a rest, which the next ones double: so that there is something to
/// be found by meaning, and some progress to be seen, within seconds.
const FIRST_PASSAGES: u64 = 64;

/// While one batch is written, another is computed.
pub(crate) const BATCHES: usize = 2;

/// Files looked at in the queue at a time.
const FETCH: usize = 512;

pub(crate) async fn run(shared: Arc<Shared>, writer: WriterHandle) {
    let mut stop = shared.stop();
    while !stop.is_set() {
        let work = shared.work.notified();
        pass(&shared, &writer).await.rest(&mut stop, work).await;
    }
}

/// Takes the queue once from its beginning to its end.
async fn pass(shared: &Arc<Shared>, writer: &WriterHandle) -> Pass {
    let mut stop = shared.stop();
    let mut clock = None;
    let mut fetched: VecDeque<WordedTask> = VecDeque::new();
    let mut cursor = FileId(0);
    let mut most = FIRST_PASSAGES;
    let mut running = JoinSet::new();
    let mut worked = false;
    let mut pauses = shared.pauses.load(Ordering::SeqCst);
    loop {
        let now = shared.pauses.load(Ordering::SeqCst);
        if std::mem::replace(&mut pauses, now) != now {
            // What is not begun yet is asked for anew: some of it may have to wait.
            fetched.clear();
        }
        while running.len() < BATCHES {
            if fetched.is_empty() {
                match shared.catalog.worded(cursor, FETCH) {
                    Ok(tasks) => fetched.extend(tasks),
                    Err(error) => {
                        shared.problems.set_error(ProblemKind::Writing, &error.into());
                        return Pass::Interrupted;
                    }
                }
            }
            let batch = first_batch(&mut fetched, most, |task| task.passages);
            most = (most * 2).min(BATCH_PASSAGES);
            let Some(last) = batch.last() else { break };
            cursor = last.file;
            clock.get_or_insert_with(|| shared.counters.embed.enter());
            // Another model may be in use from one batch to the next.
            let Some(active) = shared.active() else { return Pass::Idle };
            running.spawn(embed(shared.clone(), active, batch));
        }
        tokio::select! {
            () = stop.wait() => return Pass::Interrupted,
            batch = running.join_next() => match batch {
                None => return if worked { Pass::Worked } else { Pass::Idle },
                Some(Ok(Ok(batch))) => {
                    worked = true;
                    if writer.keep(Commit::Embedded(batch)).await.is_err() {
                        return Pass::Interrupted;
                    }
                }
                Some(Ok(Err(error))) => {
                    tell(shared, &error);
                    return Pass::Interrupted;
                }
                Some(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
            },
        }
    }
}

/// A failure that is not one file's: what it stands for depends on who failed.
pub(crate) fn tell(shared: &Shared, error: &EngineError) {
    match error {
        EngineError::Job(JobError::Closed) => {}
        EngineError::Job(JobError::Unavailable { reason, .. }) => shared.problems.set(
            ProblemKind::Model,
            format!("Only words are searched, meaning is not: {reason}"),
            "Indexing by meaning goes on by itself once that is mended.".to_owned(),
        ),
        error => shared.problems.set_error(ProblemKind::Writing, error),
    }
    shared.touch();
}

/// Whole files of up to `most` passages, at least one.
pub(crate) fn first_batch<F>(
    files: &mut VecDeque<F>,
    most: u64,
    passages_of: impl Fn(&F) -> u64,
) -> Vec<F> {
    let (mut batch, mut passages) = (Vec::new(), 0);
    while let Some(file) = files.front()
        && (batch.is_empty() || passages + passages_of(file) <= most)
    {
        passages += passages_of(file);
        batch.extend(files.pop_front());
    }
    batch
}

async fn embed(
    shared: Arc<Shared>,
    active: Arc<Active>,
    tasks: Vec<WordedTask>,
) -> Result<EmbeddedBatch, EngineError> {
    let Some(store) = &active.store else { return Ok(EmbeddedBatch::default()) };
    let files: Vec<FileId> = tasks.iter().map(|task| task.file).collect();
    if let Some(task) = tasks.last() {
        shared.set_current(Some(task.path.display().to_string()));
    }
    let found = find(&shared, &active.model, store, None, &files).await?;
    shared.problems.clear(ProblemKind::Model);
    let model = active.model.identity.fingerprint.clone();
    Ok(EmbeddedBatch { model, ..sort_out(tasks, found) })
}

/// Passages of files with their vectors.
pub(crate) struct FoundVectors {
    pub rows: Vec<PassageRow>,
    pub vectors: Vectors,
    /// Contents that cannot be embedded, and why.
    pub deadly: HashMap<ContentHash, String>,
    /// Contents that a worker had to work on.
    fresh: HashSet<ContentHash>,
}

impl FoundVectors {
    /// Contents that a worker had to work on, and passages that needed none.
    pub fn counts(&self) -> (u64, u64) {
        let reused = self.rows.iter().filter(|row| !self.fresh.contains(&row.passage.hash));
        (self.fresh.len() as u64, reused.count() as u64)
    }
}

/// All passages of these files with their vectors: those that the store has, the rest
/// made.
pub(crate) async fn find(
    shared: &Arc<Shared>,
    model: &LoadedModel,
    store: &Store,
    other: Option<&Active>,
    files: &[FileId],
) -> Result<FoundVectors, EngineError> {
    let rows = store.passages_of(files).await?;
    let hashes: HashSet<ContentHash> = rows.iter().map(|row| row.passage.hash).collect();
    let hashes: Vec<ContentHash> = hashes.into_iter().collect();
    let mut vectors = store.known_vectors(&hashes).await?;
    let unknown = rows.iter().map(|row| &row.passage);
    let unknown = unknown.filter(|passage| !vectors.contains_key(&passage.hash));
    let texts: Texts = unknown
        .map(|passage| (passage.hash, model_input(&passage.context, &passage.text)))
        .collect();
    let made = vectors::make(shared, model, other, texts).await?;
    vectors.extend(made.vectors);
    Ok(FoundVectors { rows, vectors, deadly: made.deadly, fresh: made.fresh })
}

/// A passage's row in the table of vectors.
pub(crate) fn vector_row(row: PassageRow, vectors: &Vectors) -> Option<VectorRow> {
    let PassageRow { origin, passage } = row;
    let vector = vectors.get(&passage.hash)?.clone();
    Some(VectorRow { vector, hash: passage.hash, ordinal: passage.ordinal, origin })
}

/// Sorts the batch's files by what became of them.
fn sort_out(tasks: Vec<WordedTask>, found: FoundVectors) -> EmbeddedBatch {
    let (embedded, reused) = found.counts();
    let FoundVectors { rows, vectors, deadly, .. } = found;
    let mut by_file: HashMap<FileId, Vec<PassageRow>> = HashMap::new();
    for row in rows {
        by_file.entry(row.origin.file).or_default().push(row);
    }
    let mut batch = EmbeddedBatch { embedded, reused, ..EmbeddedBatch::default() };
    for task in tasks {
        let rows = by_file.remove(&task.file).unwrap_or_default();
        if rows.len() as u64 != task.passages {
            batch.incomplete.push(task);
        } else if let Some((row, reason)) =
            rows.iter().find_map(|row| Some((row, deadly.get(&row.passage.hash)?)))
        {
            let span = row.passage.span;
            let reason = format!(
                "its passage at bytes {}–{} cannot be embedded: {reason}",
                span.start, span.end
            );
            batch.failed.push((task, reason));
        } else {
            batch.rows.extend(rows.into_iter().filter_map(|row| vector_row(row, &vectors)));
            batch.files.push(task);
        }
    }
    batch
}
