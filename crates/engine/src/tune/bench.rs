//! What measuring is done with: pools of real workers, and leases of real passages. Which
//! settings are worth a turn, and what is made of the figures, others say.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rummage_pool::{
    Accelerator, EmbedConfig, ExtractConfig, JobError, Limits, Pace, Pool, PoolConfig, Standing,
    WorkerState,
};
use rummage_protocol::Provider;
use tokio::task::JoinSet;

use super::Setting;
use crate::{EngineError, model::LoadedModel, shared::Shared};

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

/// How often it is looked whether workers are there.
const LOOK: Duration = Duration::from_millis(50);

/// Texts that are embedded one by one to time a question, and the tokens of each.
const QUESTIONS: usize = 25;
const QUESTION_TOKENS: usize = 12;

/// Texts of about one length.
#[derive(Clone)]
struct Lease {
    passages: usize,
    /// For each part of the model its fingerprint, and the texts' token ids.
    parts: Vec<(String, Vec<Vec<u32>>)>,
}

type Leases = Vec<Lease>;

/// Workers with one model, and what they are measured with.
pub(crate) struct Bench {
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
    /// `texts` are as each part of the model sees them, the shortest first. At most
    /// `most_workers` are ever asked for at once.
    pub fn new(
        shared: &Arc<Shared>,
        model: &LoadedModel,
        accelerator: Option<Accelerator>,
        memory_megabytes: usize,
        most_workers: usize,
        texts: Vec<Vec<Vec<u32>>>,
    ) -> Self {
        Self {
            shared: shared.clone(),
            model: model.clone(),
            accelerator,
            memory_megabytes,
            most_workers,
            texts,
            work: Vec::new(),
            pools: Vec::new(),
        }
    }

    /// Passages that a turn embeds.
    pub fn passages(&self) -> usize {
        self.work.iter().map(|lease| lease.passages).sum()
    }

    /// Passages a second, over one turn; `None` where the machine has no room for that
    /// many workers.
    pub async fn measure(&mut self, setting: Setting) -> Result<Option<f64>, EngineError> {
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
        Ok(Some(self.passages() as f64 / seconds))
    }

    /// Seconds that a text as long as a question takes by itself, at the median; `None` as
    /// above.
    pub async fn question(&mut self, setting: Setting) -> Result<Option<f64>, EngineError> {
        let layout = (setting.workers, setting.threads);
        let Some(pool) = self.pool(layout).await? else { return Ok(None) };
        let (step, mut seconds) = (self.texts.len().div_ceil(QUESTIONS).max(1), Vec::new());
        for text in self.texts.iter().step_by(step) {
            let beginning = |ids: &Vec<u32>| ids.iter().take(QUESTION_TOKENS).copied().collect();
            let text: Vec<Vec<u32>> = text.iter().map(beginning).collect();
            let lease = vec![self.lease(&[text.as_slice()])];
            seconds.push(embed_all(&pool, &lease, setting.tokens_per_call).await?);
        }
        seconds.sort_by(f64::total_cmp);
        Ok(seconds.get(seconds.len() / 2).copied())
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
    pub async fn pool(&mut self, layout: (usize, usize)) -> Result<Option<Pool>, EngineError> {
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
    pub fn provider(&self) -> Provider {
        let pools = self.pools.iter().filter_map(|(_, pool)| pool.as_ref());
        let running = pools.filter_map(|pool| pool.status().borrow().running.clone());
        running.map(|running| running.provider).last().unwrap_or_default()
    }

    pub async fn close(self) {
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
