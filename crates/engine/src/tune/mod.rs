//! Measures how this machine embeds fastest: how many processes, how many threads in
//! each, and how many tokens a call. Real worker processes of a real pool embed real
//! passages; indexing waits meanwhile.

mod record;
mod search;
mod texts;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rummage_pool::{
    Accelerator, Duty, EmbedConfig, ExtractConfig, JobError, Limits, Pace, Pool, PoolConfig,
    Standing, WorkerState,
};
use rummage_protocol::Provider;
use tokio::task::JoinSet;

pub use record::Tuning;
pub(crate) use record::kept;
pub use search::{Setting, Trial};

use crate::{EngineError, clock, hardware::Hardware, model::LoadedModel, shared::Shared};

/// How far measuring is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuneStep {
    /// Turns done, and how many there are at most.
    pub done: usize,
    pub most: usize,
    /// What the last turn measured, and how fast it was; `None` where the machine has
    /// no room for that many workers.
    pub setting: Setting,
    pub passages_per_second: Option<f64>,
}

/// No turn begins after so long; a few seconds may follow, and the minute is kept.
const BUDGET: Duration = Duration::from_secs(48);

/// A turn takes about so long: enough for the machine's moods to even out a little.
const TURN: Duration = Duration::from_millis(1200);

/// Passages a lease while measuring. Short ones, so that no worker is left alone with
/// a long one in the end.
const LEASE: usize = 16;

/// Leases a worker has at least.
const LEASES: usize = 4;

/// A turn's passages, at most.
const MOST_PASSAGES: usize = 1024;

/// Pools that are kept from one turn to the next.
const POOLS: usize = 3;

/// Workers that have not all loaded by then are too many.
const LOADING: Duration = Duration::from_secs(15);

/// What is in work when measuring begins is waited for no longer than this.
const SETTLING: Duration = Duration::from_secs(10);

/// How often it is looked whether workers are there.
const LOOK: Duration = Duration::from_millis(50);

/// Measures, keeps what it found and works by it from then on.
///
/// # Errors
/// There is no model, or its workers cannot be started.
pub(crate) async fn tune(
    shared: &Arc<Shared>,
    mut told: impl FnMut(TuneStep),
) -> Result<Tuning, EngineError> {
    let Some(active) = shared.active() else { return Err(EngineError::NoModel) };
    let model = &active.model;
    let start = Instant::now();
    let quiet = Quiet::begin(shared).await?;
    let texts = texts::gather(shared, active.store.as_ref(), model).await?;
    let (rule, accelerator) = (shared.rule(), shared.accelerator());
    let layouts = search::layouts(crate::cores(), rule.pool_size);
    let most_workers = layouts.iter().map(|(workers, _)| *workers).max().unwrap_or(1);
    let most = search::most_turns(layouts.len());
    let mut bench = Bench {
        shared: shared.clone(),
        model: model.clone(),
        accelerator: accelerator.clone(),
        memory_megabytes: rule.memory_megabytes,
        most_workers,
        texts,
        work: Vec::new(),
        pools: Vec::new(),
    };
    let mut done = 0;
    let measured = search::search(
        &layouts,
        async |setting| {
            let passages_per_second = bench.measure(setting).await?;
            done += 1;
            told(TuneStep { done, most, setting, passages_per_second });
            Ok::<_, EngineError>(passages_per_second)
        },
        || start.elapsed() > BUDGET,
    )
    .await;
    let passages = bench.work.iter().map(|lease| lease.passages).sum();
    let provider = bench.provider();
    bench.close().await;
    let mut table = measured?;
    // A file keeps thousandths to the last digit, and more are chance.
    let in_thousandths = |number: f64| (number * 1000.0).round() / 1000.0;
    for trial in &mut table {
        trial.passages_per_second = in_thousandths(trial.passages_per_second);
    }
    let choice = table.first().map(|trial| trial.setting).ok_or(EngineError::NoRoom)?;
    let tuning = Tuning {
        // Measured on the processor, where models could not run on what they were to.
        hardware: Hardware { provider, ..Hardware::of(model, accelerator.as_ref()) },
        measured_at: clock::now(),
        seconds: in_thousandths(start.elapsed().as_secs_f64()),
        passages,
        choice,
        table,
    };
    let path = shared.folder.tuning();
    record::keep(&tuning, &path).map_err(|source| EngineError::folder(&path, source))?;
    shared.set_tuning(tuning.clone());
    quiet.end().await;
    Ok(tuning)
}

/// Indexing waits for as long as this is there; one measuring at a time.
struct Quiet {
    shared: Arc<Shared>,
    is_over: bool,
}

impl Quiet {
    async fn begin(shared: &Arc<Shared>) -> Result<Self, EngineError> {
        if !shared.begin_measuring() {
            return Err(EngineError::Measuring);
        }
        let quiet = Self { shared: shared.clone(), is_over: false };
        shared.configure_pool().await;
        let mut status = shared.pool.status();
        let at_rest = status.wait_for(|status| {
            let of_indexing = status.workers.iter().filter(|worker| worker.duty != Duty::Query);
            of_indexing.into_iter().all(|worker| worker.state != WorkerState::Busy)
        });
        // A scan may take its minutes; then it is measured beside it.
        let _ = tokio::time::timeout(SETTLING, at_rest).await;
        Ok(quiet)
    }

    async fn end(mut self) {
        self.is_over = true;
        self.shared.end_measuring();
        self.shared.configure_pool().await;
        self.shared.wake();
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if !self.is_over {
            // It failed, or whoever asked has gone.
            let shared = self.shared.clone();
            shared.end_measuring();
            tokio::spawn(async move { shared.configure_pool().await });
        }
    }
}

/// Texts of about one length.
#[derive(Clone)]
struct Lease {
    passages: usize,
    /// For each part of the model its fingerprint, and the texts' token ids.
    parts: Vec<(String, Vec<Vec<u32>>)>,
}

type Leases = Vec<Lease>;

struct Bench {
    shared: Arc<Shared>,
    model: LoadedModel,
    accelerator: Option<Accelerator>,
    memory_megabytes: usize,
    most_workers: usize,
    /// As each part of the model sees them.
    texts: Vec<Vec<Vec<u32>>>,
    /// What every turn embeds, chosen once it is known how fast that goes; the leases
    /// with the longest texts last.
    work: Leases,
    /// By processes and threads, the last used last; `None` for those the machine has
    /// no room for.
    pools: Vec<((usize, usize), Option<Pool>)>,
}

impl Bench {
    async fn measure(&mut self, setting: Setting) -> Result<Option<f64>, EngineError> {
        let layout = (setting.workers, setting.threads);
        let Some(pool) = self.pool(layout).await? else { return Ok(None) };
        if self.work.is_empty() {
            let few = self.leases(LEASES * self.most_workers);
            let passages: usize = few.iter().map(|lease| lease.passages).sum();
            let seconds = embed_all(&pool, &few, setting.tokens_per_call).await?;
            let fitting = passages as f64 / seconds * TURN.as_secs_f64();
            self.work = self.leases(fitting as usize);
        }
        let seconds = embed_all(&pool, &self.work, setting.tokens_per_call).await?;
        let passages: usize = self.work.iter().map(|lease| lease.passages).sum();
        Ok(Some(passages as f64 / seconds))
    }

    /// Texts of all lengths, in leases of neighbours in length, as indexing has them.
    fn leases(&self, passages: usize) -> Leases {
        let least = LEASES * self.most_workers;
        let passages = passages.clamp(least, MOST_PASSAGES.max(least));
        let count = self.texts.len();
        let texts: Vec<&[Vec<u32>]> =
            (0..passages).map(|text| self.texts[text * count / passages].as_slice()).collect();
        let size = (passages / least).clamp(1, LEASE);
        texts.chunks(size).map(|texts| self.lease(texts)).collect()
    }

    fn lease(&self, texts: &[&[Vec<u32>]]) -> Lease {
        let of_part = |place: usize| texts.iter().map(|text| text[place].clone()).collect();
        let parts = self.model.parts().iter().enumerate();
        let parts = parts.map(|(place, part)| (part.maker.fingerprint.clone(), of_part(place)));
        Lease { passages: texts.len(), parts: parts.collect() }
    }

    /// A pool whose workers have all loaded.
    async fn pool(&mut self, layout: (usize, usize)) -> Result<Option<Pool>, EngineError> {
        if let Some(place) = self.pools.iter().position(|(known, _)| *known == layout) {
            let known = self.pools.remove(place);
            let pool = known.1.clone();
            self.pools.push(known);
            return Ok(pool);
        }
        if self.pools.len() == POOLS
            && let (_, Some(oldest)) = self.pools.remove(0)
        {
            oldest.close().await;
        }
        let (workers, threads_per_worker) = layout;
        let embed = EmbedConfig {
            workers,
            keep_query_worker: false,
            threads_per_worker,
            models: self.model.served().collect(),
            runtime_library: self.model.runtime_library.clone(),
            accelerator: self.accelerator.clone(),
        };
        let pool = Pool::start(PoolConfig {
            embed: Some(embed),
            extract: ExtractConfig { workers: 0 },
            program: self.shared.worker_program.clone(),
            limits: Limits::new(crate::memory_bytes(), (self.memory_megabytes as u64) << 20),
            pace: Pace::Full,
        });
        let short: Leases = vec![self.lease(&[self.texts[0].as_slice()]); workers];
        let loading = load(&pool, workers, &short);
        let loaded = match tokio::time::timeout(LOADING, loading).await {
            Ok(Ok(())) => Some(pool),
            Ok(Err(error)) => {
                pool.close().await;
                return Err(error.into());
            }
            Err(_) => {
                pool.close().await;
                None
            }
        };
        self.pools.push((layout, loaded.clone()));
        Ok(loaded)
    }

    /// What the workers' models ran on.
    fn provider(&self) -> Provider {
        let pools = self.pools.iter().filter_map(|(_, pool)| pool.as_ref());
        let running = pools.filter_map(|pool| pool.status().borrow().running.clone());
        running.map(|running| running.provider).last().unwrap_or_default()
    }

    async fn close(self) {
        for (_, pool) in self.pools {
            if let Some(pool) = pool {
                pool.close().await;
            }
        }
    }
}

/// Embeds until that many workers are there at once.
async fn load(pool: &Pool, workers: usize, short: &Leases) -> Result<(), JobError> {
    let status = pool.status();
    let are_there = || {
        let ready = |state| matches!(state, WorkerState::Idle | WorkerState::Busy);
        let status = status.borrow();
        status.workers.iter().filter(|worker| ready(worker.state)).count() >= workers
    };
    while !are_there() {
        // They come with work and not without.
        embed_all(pool, short, LEASE).await?;
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Seconds from the first lease handed over to the last vector.
async fn embed_all(pool: &Pool, leases: &Leases, tokens_per_call: usize) -> Result<f64, JobError> {
    let start = Instant::now();
    let mut running = JoinSet::new();
    for (model, token_ids) in leases.iter().rev().flat_map(|lease| lease.parts.clone()) {
        let pool = pool.clone();
        running.spawn(async move {
            let tokens_per_call = tokens_per_call as u32;
            pool.embed(&model, token_ids, tokens_per_call, Standing::Fresh).await.map(drop)
        });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    }
    Ok(start.elapsed().as_secs_f64().max(1e-9))
}
