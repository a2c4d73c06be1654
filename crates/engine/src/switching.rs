//! Which model is in use, and how another takes its place.
//!
//! The settings name the model that is wanted, the catalog the one whose vectors are in
//! use. Where they differ, the wanted one's vectors are made beside those in use, with
//! which questions are answered meanwhile; then all questions turn to the new ones at
//! once. That is one transaction of the catalog's, so whatever ends the process leaves
//! the one or the other, and the next process goes on.
//!
//! A model may also be prepared without being used: to be compared with the one that is.
//!
//! What has a vector is told by comparing the tables, not by the catalog's stages:
//! vectors of an earlier use of a model still count, as far as their passages are the
//! same.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use rummage_catalog::Catalog;
use rummage_corpus::FileId;
use rummage_models::{Assets, ModelError};
use rummage_pool::JobError;
use rummage_settings::Settings;
use rummage_store::{Lacking, Store};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use crate::{
    EngineError,
    embedding::{self, BATCH_PASSAGES, BATCHES},
    folder::DataFolder,
    model::LoadedModel,
    problem::{ProblemKind, Problems},
    proof, repair,
    shared::{Active, Shared, Stop, Upcoming},
    writer::{BesideBatch, Commit, Interrupted, WriterHandle},
};

/// After a failure it is tried again so much later.
const PAUSE: Duration = Duration::from_secs(30);

/// The model to begin with; `None`, with the problem told, where there is none: the one
/// whose vectors are there, as long as it is installed, else the wanted one.
pub(crate) async fn begin(
    folder: &DataFolder,
    catalog: &Catalog,
    settings: &Settings,
    assets: &Result<Assets, ModelError>,
    problems: &Problems,
    writing: bool,
) -> Result<Option<Active>, EngineError> {
    let noted = catalog.model()?;
    let found = match assets {
        Err(error) => Err(error.to_string()),
        Ok(assets) => match (LoadedModel::open(assets, &settings.model), &noted) {
            (Ok((model, missing)), Some(noted)) if model.identity.fingerprint == *noted => {
                Ok((model, missing))
            }
            (wanted, Some(noted)) => match LoadedModel::of_fingerprint(assets, noted) {
                Some(in_use) => Ok((in_use, None)),
                None => wanted,
            },
            (wanted, None) => wanted,
        }
        .map_err(|error| error.to_string()),
    };
    let (model, missing) = match found {
        Ok(found) => found,
        Err(reason) => {
            let rest = "Nothing can be indexed until then; files wait in the queue.";
            problems.set(ProblemKind::Model, reason, rest.to_owned());
            return Ok(None);
        }
    };
    if let Some(error) = missing {
        let rest = "Words are searched meanwhile, meaning is not.";
        problems.set(ProblemKind::Model, error.to_string(), rest.to_owned());
    }
    let (dir, space) = (folder.store(), model.space());
    let store = if writing {
        crate::require(catalog, &model, settings)?;
        if catalog.is_empty()? {
            // Rows of an index that was cleared, or whose catalog was taken away, would
            // be taken for those of other files.
            folder.remove_store()?;
        }
        let store = Store::open(&dir, &space).await?;
        if noted.as_ref() != Some(&space.fingerprint) {
            adopt(&store, catalog, &space.fingerprint).await?;
        }
        repair::repair(&store, catalog).await?;
        Some(store)
    } else {
        Store::open_existing(&dir, &space).await?
    };
    Ok(Some(Active { model, store }))
}

/// From here on the catalog counts on this store's vectors; what has none is queued. For
/// the task that writes.
pub(crate) async fn adopt(
    store: &Store,
    catalog: &Catalog,
    model: &str,
) -> Result<(), EngineError> {
    let strays = store.stray_vectors().await?;
    if !strays.is_empty() {
        store.remove_vectors(&strays).await?;
        store.sync().await?;
    }
    let lacking: Vec<FileId> = store.lacking().await?.iter().map(|lacking| lacking.file).collect();
    Ok(catalog.use_model(model, &lacking)?)
}

/// Why a switch has not come to its end.
enum Unfinished {
    Failed(EngineError),
    /// The writer has told why.
    Interrupted,
}

impl<E: Into<EngineError>> From<E> for Unfinished {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A model that is to get all vectors, and not to be used. Whoever asked and has gone does
/// not want it any more.
pub(crate) struct Preparing {
    pub id: String,
    pub done: oneshot::Sender<Result<(), EngineError>>,
}

/// Sees to it that the model in use is the one that the settings name. Between, it prepares
/// the models that are asked for.
pub(crate) async fn run(
    shared: Arc<Shared>,
    writer: WriterHandle,
    mut asked: mpsc::Receiver<Preparing>,
) {
    let mut stop = shared.stop();
    let mut settings = shared.settings.subscribe();
    while !stop.is_set() {
        let wanted = settings.borrow_and_update().model.clone();
        let is_other = |settings: &Settings| settings.model != wanted;
        if !shared.is_switching() {
            shared.problems.clear(ProblemKind::Switching);
            shared.wake();
            let preparing = tokio::select! {
                () = stop.wait() => return,
                _ = settings.wait_for(is_other) => None,
                Some(preparing) = asked.recv() => Some(preparing),
            };
            if let Some(preparing) = preparing {
                prepare_alone(&shared, &writer, preparing, &mut stop).await;
            }
            continue;
        }
        let finished = tokio::select! {
            () = stop.wait() => return,
            _ = settings.wait_for(is_other) => None,
            finished = switch(&shared, &writer, &wanted) => Some(finished),
        };
        if finished.is_none() {
            // What the writer has in hand may be the switch that is wanted no more: it is
            // seen on the next round, and must not come after that.
            let _ = writer.keep(Commit::Nothing).await;
        }
        // Workers keep what is in use alone.
        shared.set_upcoming(None);
        shared.configure_pool().await;
        match finished {
            None | Some(Ok(())) => continue,
            Some(Err(Unfinished::Interrupted)) => {}
            Some(Err(Unfinished::Failed(error))) => {
                let message = format!("The model stays the one it was: {error}");
                let mend = error.mend().unwrap_or_default();
                shared.problems.set(ProblemKind::Switching, message, mend);
            }
        }
        shared.wake();
        let preparing = tokio::select! {
            () = stop.wait() => return,
            _ = settings.wait_for(is_other) => None,
            () = tokio::time::sleep(PAUSE) => None,
            Some(preparing) = asked.recv() => Some(preparing),
        };
        if let Some(preparing) = preparing {
            prepare_alone(&shared, &writer, preparing, &mut stop).await;
        }
    }
}

async fn switch(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    wanted: &str,
) -> Result<(), Unfinished> {
    let next = prepare(shared, writer, wanted).await?;
    writer.keep(Commit::Switch(next)).await.map_err(|Interrupted| Unfinished::Interrupted)
}

async fn prepare_alone(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    preparing: Preparing,
    stop: &mut Stop,
) {
    let Preparing { id, mut done } = preparing;
    let prepared = tokio::select! {
        () = stop.wait() => return,
        () = done.closed() => None,
        prepared = prepare(shared, writer, &id) => Some(prepared),
    };
    shared.set_upcoming(None);
    shared.configure_pool().await;
    let Some(prepared) = prepared else { return };
    let outcome = prepared.map(drop).map_err(|unfinished| match unfinished {
        Unfinished::Failed(error) => error,
        Unfinished::Interrupted => {
            let mut standing = shared.problems.all().into_iter();
            let writing = standing.find(|problem| problem.kind == ProblemKind::Writing);
            writing.map_or(EngineError::Closed, EngineError::Standing)
        }
    });
    let _ = done.send(outcome);
}

/// Makes the vectors that a model lacks, beside those in use.
async fn prepare(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    wanted: &str,
) -> Result<Active, Unfinished> {
    let assets = shared.assets.as_ref().ok_or(EngineError::Closed)?;
    let model = open_whole(assets, wanted)?;
    // What an earlier wish for this model handed over may still be written to its table.
    writer.keep(Commit::Nothing).await.map_err(|Interrupted| Unfinished::Interrupted)?;
    let from = shared.active().ok_or(EngineError::Closed)?;
    let in_use = from.store.as_ref().ok_or(EngineError::Closed)?;
    let is_same = model.identity.fingerprint == from.model.identity.fingerprint;
    let store = if is_same { in_use.clone() } else { in_use.beside(&model.space()).await? };
    let mut failed = HashSet::new();
    let mut wanting = None;
    // While nothing is found by meaning yet, there is nothing to go on with.
    while !is_same && in_use.count_vectors().await? > 0 {
        // What has no vectors of the model in use either comes after the switch, once.
        let waiting: HashSet<_> =
            in_use.lacking().await?.into_iter().map(|lacking| lacking.file).collect();
        let mut lacking = store.lacking().await?;
        lacking
            .retain(|lacking| !failed.contains(&lacking.file) && !waiting.contains(&lacking.file));
        if lacking.is_empty() {
            break;
        }
        if wanting.is_none() {
            // Workers that cannot load it could not serve the one in use either.
            proof::prove(&shared.worker_program, &model).await?;
            wanting = Some(lacking.len());
        }
        let counts = shared.catalog.counts()?;
        let total = counts.worded + counts.indexed;
        let done = total.saturating_sub(lacking.len() as u64);
        shared.set_upcoming(Some(Upcoming { model: model.clone(), done, total }));
        shared.configure_pool().await;
        fill(shared, writer, &model, &from, &store, lacking, &mut failed).await?;
    }
    if let Some(wanting) = wanting
        && !failed.is_empty()
        && failed.len() >= wanting
    {
        // Not a file or two: it does not work here, and would leave nothing to be found.
        let reason = format!("{} gave no vector for any of the files", model.id);
        return Err(EngineError::from(JobError::Refused(reason)).into());
    }
    Ok(Active { model, store: Some(store) })
}

/// The model of that name, with nothing missing.
pub(crate) fn open_whole(assets: &Assets, id: &str) -> Result<LoadedModel, ModelError> {
    match LoadedModel::open(assets, id)? {
        (model, None) => Ok(model),
        (_, Some(missing)) => Err(missing),
    }
}

/// Makes the vectors of these files, batch by batch.
async fn fill(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    model: &LoadedModel,
    from: &Arc<Active>,
    store: &Store,
    lacking: Vec<Lacking>,
    failed: &mut HashSet<FileId>,
) -> Result<(), Unfinished> {
    let mut lacking = VecDeque::from(lacking);
    let mut running = JoinSet::new();
    loop {
        while running.len() < BATCHES
            && let batch =
                embedding::first_batch(&mut lacking, BATCH_PASSAGES, |file| file.passages)
            && !batch.is_empty()
        {
            let (shared, model) = (shared.clone(), model.clone());
            let (from, store) = (from.clone(), store.clone());
            running.spawn(make(shared, model, from, store, batch));
        }
        let Some(made) = running.join_next().await else { return Ok(()) };
        let made = made.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        let (batch, unmade, files) = made?;
        failed.extend(unmade);
        let kept = writer.keep(Commit::Beside(batch)).await;
        kept.map_err(|Interrupted| Unfinished::Interrupted)?;
        if let Some(mut upcoming) = shared.upcoming() {
            upcoming.done = (upcoming.done + files).min(upcoming.total);
            shared.set_upcoming(Some(upcoming));
        }
    }
}

/// The batch, the files that cannot be embedded, and how many there were. Those are
/// settled once the model is in use: until then they are found by the one that is.
async fn make(
    shared: Arc<Shared>,
    model: LoadedModel,
    from: Arc<Active>,
    store: Store,
    lacking: Vec<Lacking>,
) -> Result<(BesideBatch, Vec<FileId>, u64), EngineError> {
    let files: Vec<FileId> = lacking.iter().map(|lacking| lacking.file).collect();
    let found = embedding::find(&shared, &model, &store, Some(&from), &files).await?;
    let is_deadly = |hash| found.deadly.contains_key(hash);
    let of_deadly = found.rows.iter().filter(|row| is_deadly(&row.passage.hash));
    let unmade: HashSet<FileId> = of_deadly.map(|row| row.origin.file).collect();
    let (embedded, reused) = found.counts();
    let rows = found.rows.into_iter().filter(|row| !unmade.contains(&row.origin.file));
    let rows = rows.filter_map(|row| embedding::vector_row(row, &found.vectors)).collect();
    let stale = lacking.iter().filter(|lacking| lacking.has_vectors);
    let stale = stale.map(|lacking| lacking.file).collect();
    let batch = BesideBatch { store, stale, rows, embedded, reused };
    Ok((batch, unmade.into_iter().collect(), files.len() as u64))
}
