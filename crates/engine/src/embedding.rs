//! From passages in the store to vectors beside them. Files whose words are
//! searchable already are taken from the catalog in batches; what the store knows
//! by hash is reused, the rest goes to the embedding workers.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, atomic::Ordering},
};

use rummage_catalog::WordedTask;
use rummage_corpus::{ContentHash, FileId, model_input};
use rummage_pool::{JobError, Standing};
use rummage_store::{PassageRow, Store, VectorRow};
use tokio::task::JoinSet;

use crate::{
    EngineError,
    model::LoadedModel,
    pass::Pass,
    problem::ProblemKind,
    shared::Shared,
    writer::{Commit, EmbeddedBatch, WriterHandle},
};

/// Passages a batch. Texts are sorted by length within one, so that calls hold
/// texts of one length; a crash of the app costs what is in work, at most two.
const BATCH_PASSAGES: u64 = 1024;

/// While one batch is written, another is computed.
const BATCHES: usize = 2;

/// Files looked at in the queue at a time.
const FETCH: usize = 512;

pub(crate) async fn run(
    shared: Arc<Shared>,
    store: Store,
    model: LoadedModel,
    writer: WriterHandle,
) {
    let mut stop = shared.stop();
    while !stop.is_set() {
        let work = shared.work.notified();
        pass(&shared, &store, &model, &writer).await.rest(&mut stop, work).await;
    }
}

/// Takes the queue once from its beginning to its end.
async fn pass(
    shared: &Arc<Shared>,
    store: &Store,
    model: &LoadedModel,
    writer: &WriterHandle,
) -> Pass {
    let mut stop = shared.stop();
    let mut clock = None;
    let mut fetched: VecDeque<WordedTask> = VecDeque::new();
    let mut cursor = FileId(0);
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
            let batch = first_batch(&mut fetched);
            let Some(last) = batch.last() else { break };
            cursor = last.file;
            clock.get_or_insert_with(|| shared.counters.embed.enter());
            running.spawn(embed(shared.clone(), store.clone(), model.clone(), batch));
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
fn tell(shared: &Shared, error: &EngineError) {
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

/// Whole files up to the size of a batch, at least one.
fn first_batch(fetched: &mut VecDeque<WordedTask>) -> Vec<WordedTask> {
    let (mut batch, mut passages) = (Vec::new(), 0);
    while let Some(task) = fetched.front()
        && (batch.is_empty() || passages + task.passages <= BATCH_PASSAGES)
    {
        passages += task.passages;
        batch.extend(fetched.pop_front());
    }
    batch
}

/// One text to embed, under the hash that all its copies share.
struct Text {
    hash: ContentHash,
    token_ids: Vec<u32>,
}

type Vectors = HashMap<ContentHash, Vec<f32>>;

async fn embed(
    shared: Arc<Shared>,
    store: Store,
    model: LoadedModel,
    tasks: Vec<WordedTask>,
) -> Result<EmbeddedBatch, EngineError> {
    let files: Vec<FileId> = tasks.iter().map(|task| task.file).collect();
    let rows = store.passages_of(&files).await?;
    let hashes: HashSet<ContentHash> = rows.iter().map(|row| row.passage.hash).collect();
    let hashes: Vec<ContentHash> = hashes.into_iter().collect();
    let mut vectors: Vectors = store.known_vectors(&hashes).await?;
    let reused = rows.iter().filter(|row| vectors.contains_key(&row.passage.hash)).count() as u64;
    if let Some(task) = tasks.last() {
        shared.set_current(Some(task.path.display().to_string()));
    }
    let unknown: HashSet<ContentHash> =
        hashes.into_iter().filter(|hash| !vectors.contains_key(hash)).collect();
    let embedded = unknown.len() as u64;
    let (rows, texts) = tokio::task::spawn_blocking({
        let model = model.clone();
        let shared = shared.clone();
        move || {
            let _clock = shared.counters.tokenise.enter();
            let texts = tokenize(&model, &rows, unknown);
            (rows, texts)
        }
    })
    .await
    .map_err(|panic| JobError::Refused(panic.to_string()))?;
    let mut deadly = HashMap::new();
    embed_texts(&shared, &model, texts, &mut vectors, &mut deadly).await?;
    shared.problems.clear(ProblemKind::Model);
    Ok(EmbeddedBatch { embedded, reused, ..sort_out(tasks, rows, &vectors, &deadly) })
}

/// Every unknown text once, shortest first.
fn tokenize(
    model: &LoadedModel,
    rows: &[PassageRow],
    mut unknown: HashSet<ContentHash>,
) -> Vec<Text> {
    let mut texts: Vec<Text> = rows
        .iter()
        .map(|row| &row.passage)
        .filter(|passage| unknown.remove(&passage.hash))
        .map(|passage| Text {
            hash: passage.hash,
            token_ids: model.passage_tokens(&model_input(&passage.context, &passage.text)),
        })
        .collect();
    texts.sort_by_key(|text| text.token_ids.len());
    texts
}

/// Embeds all texts, by leases. A lease that two workers died over is halved until
/// the text that does it stands alone; that one goes to `deadly`, with the reason.
/// A half is halved again after one more death, so that a lease of 32 costs seven
/// workers at most.
async fn embed_texts(
    shared: &Arc<Shared>,
    model: &LoadedModel,
    texts: Vec<Text>,
    vectors: &mut Vectors,
    deadly: &mut HashMap<ContentHash, String>,
) -> Result<(), EngineError> {
    let batch = shared.numbers();
    let mut leases = JoinSet::new();
    let start = |texts: Vec<Text>, standing, leases: &mut JoinSet<_>| {
        let pool = shared.pool.clone();
        let tokens_per_call = batch.tokens_per_call as u32;
        leases.spawn(async move {
            let ids = texts.iter().map(|text| text.token_ids.clone()).collect();
            let result = pool.embed(ids, tokens_per_call, standing).await;
            (texts, result)
        });
    };
    let mut texts = texts.into_iter().peekable();
    while texts.peek().is_some() {
        // Longest last in the queue would leave one worker alone with it at the
        // end; leases are all of like cost only by count, which is near enough.
        start(
            texts.by_ref().take(batch.passages_per_lease).collect(),
            Standing::Fresh,
            &mut leases,
        );
    }
    while let Some(done) = leases.join_next().await {
        let (mut texts, result) =
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        match result {
            Ok(reply) if reply.dims == model.identity.dims => {
                let rows = reply.values.chunks_exact(reply.dims as usize);
                vectors.extend(texts.iter().zip(rows).map(|(text, row)| (text.hash, row.to_vec())));
            }
            Ok(_) => return Err(JobError::Refused("vectors of another length".into()).into()),
            Err(JobError::Deadly { .. } | JobError::Refused(_)) if texts.len() > 1 => {
                let second = texts.split_off(texts.len() / 2);
                start(texts, Standing::Suspect, &mut leases);
                start(second, Standing::Suspect, &mut leases);
            }
            Err(error @ (JobError::Deadly { .. } | JobError::Refused(_))) => {
                deadly.extend(texts.iter().map(|text| (text.hash, error.to_string())));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Sorts the batch's files by what became of them.
fn sort_out(
    tasks: Vec<WordedTask>,
    rows: Vec<PassageRow>,
    vectors: &Vectors,
    deadly: &HashMap<ContentHash, String>,
) -> EmbeddedBatch {
    let mut by_file: HashMap<FileId, Vec<PassageRow>> = HashMap::new();
    for row in rows {
        by_file.entry(row.origin.file).or_default().push(row);
    }
    let mut batch = EmbeddedBatch::default();
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
            batch.rows.extend(rows.into_iter().map(|row| VectorRow {
                vector: vectors[&row.passage.hash].clone(),
                hash: row.passage.hash,
                ordinal: row.passage.ordinal,
                origin: row.origin,
            }));
            batch.files.push(task);
        }
    }
    batch
}
