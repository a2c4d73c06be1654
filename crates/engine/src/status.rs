//! What the engine is doing, as one picture; and the same left in the data folder
//! for other processes to show.

use std::{
    fs, io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rummage_catalog::{Counts, Root};
use rummage_pool::{Duty, PoolStatus, WorkerState};
use rummage_protocol::{Provider, Running};
use rummage_store::{Store, VectorIndexState};
use tokio::sync::watch;

use crate::{
    Coverage, EngineError, PoolView, Problem, ProblemKind, Progress,
    folder::DataFolder,
    model::LoadedModel,
    progress::Pace,
    shared::{self, Shared},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    pub roots: Vec<RootStatus>,
    pub counts: Counts,
    pub coverage: Coverage,
    /// `None` where nothing is to do.
    pub progress: Option<Progress>,
    /// Folders are being looked through.
    pub scanning: bool,
    /// The file in work, for people.
    pub current: Option<String>,
    pub pool: PoolView,
    pub model: Option<ModelStatus>,
    /// A model that is being prepared to take its place.
    pub switching: Option<SwitchStatus>,
    /// How vectors are searched; `None` without a model, or with nothing indexed yet.
    pub vector_index: Option<VectorIndexState>,
    pub problems: Vec<Problem>,
    pub disk_bytes: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RootStatus {
    pub root: Root,
    pub counts: Counts,
    /// Why it is looked through now and then instead of being watched, if so.
    pub limited: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ModelStatus {
    pub id: String,
    pub name: String,
    pub fingerprint: String,
    pub dims: u32,
    pub state: ModelState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchStatus {
    pub id: String,
    pub name: String,
    /// Files that have all their vectors, and how many there are.
    pub done: u64,
    pub total: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelState {
    Loading,
    Ready,
    /// Why no worker has it.
    Failed(String),
}

/// The status is taken anew at most this often.
const STATUS_EVERY: Duration = Duration::from_millis(250);

/// Sizes on the disk change slowly and cost a walk.
const SIZE_EVERY: Duration = Duration::from_secs(10);

/// What the writing process says of itself is renewed this often.
const LIVE_EVERY: Duration = Duration::from_secs(1);

/// Takes the status whenever something changed, until told to stop.
pub(crate) async fn run(shared: Arc<Shared>, status: watch::Sender<Status>) {
    let mut stop = shared.stop();
    let mut touched = shared.touched.subscribe();
    let mut pool = shared.pool.status();
    let mut pace = Pace::default();
    let mut sized: Option<(Instant, u64)> = None;
    let mut lived = Instant::now() - LIVE_EVERY;
    let mut told: Option<PoolView> = None;
    loop {
        let size_is_old = sized.is_none_or(|(at, _)| at.elapsed() >= SIZE_EVERY);
        if size_is_old {
            let path = shared.folder.path().to_owned();
            let bytes = tokio::task::spawn_blocking(move || bytes_under(&path)).await.unwrap_or(0);
            sized = Some((Instant::now(), bytes));
        }
        let disk_bytes = sized.map_or(0, |(_, bytes)| bytes);
        if let Ok(now) = take(&shared, &mut pace, disk_bytes) {
            if lived.elapsed() >= LIVE_EVERY && told.as_ref() != Some(&now.pool) {
                lived = Instant::now();
                let _ = write_live(&shared.folder, &now.pool);
                told = Some(now.pool.clone());
            }
            status.send_if_modified(|before| {
                let changed = *before != now;
                *before = now;
                changed
            });
        }
        // Rates change with time alone, so work under way is looked at regardless.
        let busy = status.borrow().progress.is_some();
        let changed = async {
            tokio::select! {
                _ = touched.changed() => {}
                _ = pool.changed() => {}
                () = tokio::time::sleep(STATUS_EVERY), if busy => {}
            }
        };
        tokio::select! {
            () = stop.wait() => {
                let _ = fs::remove_file(shared.folder.live());
                return;
            }
            () = changed => tokio::time::sleep(STATUS_EVERY).await,
        }
    }
}

/// The picture of this moment.
pub(crate) fn take(
    shared: &Shared,
    pace: &mut Pace,
    disk_bytes: u64,
) -> Result<Status, EngineError> {
    let counts = shared.catalog.counts()?;
    let roots = shared.catalog.roots()?.into_iter().map(|root| {
        let counts = shared.catalog.counts_of(root.id)?;
        let limited = shared.limited().get(&root.path).cloned();
        Ok(RootStatus { root, counts, limited })
    });
    let pool = shared.pool.status().borrow().clone();
    let active = shared.active();
    let store = active.as_ref().and_then(|active| active.store.as_ref());
    let progress = pace.observe(&counts, counts.embedded, Instant::now());
    Ok(Status {
        roots: roots.collect::<Result<_, EngineError>>()?,
        counts,
        coverage: Coverage::of(&counts),
        current: progress.and_then(|_| shared.current()),
        progress,
        scanning: shared.is_scanning(),
        model: active.as_ref().map(|active| model_status(&active.model, &pool)),
        switching: shared.upcoming().map(|upcoming| SwitchStatus {
            id: upcoming.model.id,
            name: upcoming.model.name,
            done: upcoming.done,
            total: upcoming.total,
        }),
        pool: PoolView::of(&pool),
        vector_index: store.map(Store::vector_index),
        problems: problems(shared, &pool),
        disk_bytes,
    })
}

fn model_status(model: &LoadedModel, pool: &PoolStatus) -> ModelStatus {
    use rummage_pool::WorkerState::{Busy, Expiring, Idle, Starting};
    let any = |states: &[WorkerState]| {
        let of_model = pool.workers.iter().filter(|worker| worker.duty != Duty::Extract);
        of_model.into_iter().any(|worker| states.contains(&worker.state))
    };
    let state = match &pool.embed_unavailable {
        _ if any(&[Idle, Busy, Expiring]) => ModelState::Ready,
        Some(reason) => ModelState::Failed(reason.clone()),
        None if any(&[Starting]) => ModelState::Loading,
        // It has made way while nobody needs it, and comes with the next question.
        None => ModelState::Ready,
    };
    ModelStatus {
        id: model.id.clone(),
        name: model.name.clone(),
        fingerprint: model.identity.fingerprint.clone(),
        dims: model.identity.dims,
        state,
    }
}

/// The standing problems, and the pool's own.
fn problems(shared: &Shared, pool: &PoolStatus) -> Vec<Problem> {
    let mut problems = shared.problems.all();
    let known = problems.iter().any(|problem| problem.kind == ProblemKind::Model);
    if let (Some(reason), false) = (&pool.embed_unavailable, known) {
        problems.insert(
            0,
            Problem {
                kind: ProblemKind::Model,
                message: format!("Only words are searched, meaning is not: {reason}"),
                mend: "Indexing by meaning goes on by itself once that is mended.".to_owned(),
            },
        );
    }
    if let Some(Running { provider, fallback: Some(why) }) = &pool.running {
        let wanted = shared::provider(&shared.settings.borrow()).label();
        let message = match provider {
            Provider::Cpu => format!("The model runs on the processor, not on {wanted}: {why}"),
            _ => format!("{wanted} is that of Rummage's own ONNX Runtime: {why}"),
        };
        let mend = format!(
            "Put an ONNX Runtime that has {wanted} into {}, or choose the processor in the settings.",
            shared.folder.runtime().display()
        );
        problems.push(Problem { kind: ProblemKind::Provider, message, mend });
    }
    problems
}

/// Written whole and renamed, so that a reader never sees half.
fn write_live(folder: &DataFolder, pool: &PoolView) -> io::Result<()> {
    let text = serde_json::to_vec(pool)?;
    let fresh = folder.live().with_extension("fresh");
    fs::write(&fresh, text)?;
    fs::rename(fresh, folder.live())
}

/// The workers of the process that indexes this folder, if one does.
pub(crate) fn read_live(folder: &DataFolder) -> Option<PoolView> {
    if !folder.is_locked() {
        return None;
    }
    serde_json::from_slice(&fs::read(folder.live()).ok()?).ok()
}

/// What lies below the folder, in bytes. What cannot be read counts nothing.
pub(crate) fn bytes_under(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_under(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
