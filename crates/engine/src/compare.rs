//! Installed models side by side: how good their answers are by what the person opened and
//! marked, how fast they read, and what they take. Real workers embed real passages, and
//! questions are asked of the live index.
//!
//! A model's answers are judged only where it has the vectors of all that the one in use
//! has: with fewer it would be judged by what it was never shown. Who names models has
//! their missing vectors made first, by the task that prepares a switch.

use std::{collections::HashSet, sync::Arc, time::Duration};

use rummage_catalog::MarkCounts;
use rummage_pool::{JobError, Pool};
use rummage_search::{Mode, Query};
use rummage_store::{Limits, Store};
use tokio::sync::oneshot;

use crate::{
    Engine, EngineError, ModelPresence, ModelView, answer,
    marks::{self, Judged},
    model::LoadedModel,
    scores::{JUDGED, ModeScores, Scores},
    shared::{self, Active, Shared},
    switching::{self, Preparing},
    tune::{Bench, Quiet, Setting, texts},
};

/// A model's speed is the best of so many turns: whatever else the machine does only slows.
const TURNS: usize = 3;

const MODES: [Mode; 3] = [Mode::Hybrid, Mode::Keyword, Mode::Meaning];

/// How often it is told how far vectors are made.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// Bytes of a number of a vector in the table, in the cache, and once more beside a large
/// table.
const TABLE_BYTES: u64 = 4;
const CACHE_BYTES: u64 = 2;
const FLAT_BYTES: u64 = 2;

/// Models side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Results opened and marked good, by which answers are judged.
    pub marks: MarkCounts,
    /// Questions with such results.
    pub questions: usize,
    /// Passages of the index.
    pub passages: u64,
    /// Another process works on this index, so speeds are lower than they could be.
    pub is_disturbed: bool,
    pub models: Vec<ComparedModel>,
}

/// What a model costs and what it gives.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedModel {
    pub id: String,
    pub name: String,
    pub is_active: bool,
    /// Of its files.
    pub model_bytes: u64,
    /// What the vector of one passage takes on the disk, in the index and in the cache.
    pub vector_bytes: u64,
    /// What was measured; else why it could not be, in words.
    pub figures: Result<Figures, String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// By one worker, with the threads and the calls of the settings.
    pub passages_per_second: f64,
    /// Milliseconds that the model takes for a question, at the median.
    pub question_ms: f64,
    /// Of a worker that has it loaded and has worked, by PSS where the system tells.
    pub memory_bytes: u64,
    /// Passages in files that do not have all of its vectors, though they have those of
    /// the model in use.
    pub lacking: u64,
    /// How good its answers are, in each mode; empty without marks, and where vectors are
    /// lacking.
    pub modes: Vec<ModeScores>,
}

/// How far comparing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompareStep {
    /// Steps done, and how many there are.
    pub done: usize,
    pub most: usize,
    /// The id of the model that is at it.
    pub model: String,
    pub stage: CompareStage,
}

/// What is being done with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareStage {
    /// So many passages lack its vectors, which are made first. Of the files, so many have
    /// them.
    Preparing { passages: u64, done: u64, total: u64 },
    /// It reads passages.
    Speed,
    /// It answers the questions that have marks.
    Quality,
}

impl Engine {
    /// Measures the named models side by side, or all that are installed where none is
    /// named. Those that are named get the vectors first that they lack, which are kept.
    /// Indexing waits while it is measured, questions do not; dropping the future ends it.
    ///
    /// # Errors
    /// [`EngineError::Model`] for a name that no installed model bears,
    /// [`EngineError::Measuring`] where this machine is being measured already, and
    /// [`EngineError::Busy`] where vectors are to be made beside another process that
    /// indexes. A model that does not work stands in its line.
    pub async fn compare(
        &self,
        named: &[String],
        mut told: impl FnMut(CompareStep),
    ) -> Result<Comparison, EngineError> {
        let shared = &self.shared;
        let assets = shared.assets.as_ref().ok_or(EngineError::NoModel)?;
        let in_use = shared.active().ok_or(EngineError::NoModel)?;
        let views = self.library().ok_or(EngineError::NoModel)?.list()?;
        let chosen: Vec<ModelView> = if named.is_empty() {
            views.into_iter().filter(|view| view.state == ModelPresence::Installed).collect()
        } else {
            let mut chosen = Vec::with_capacity(named.len());
            for id in named {
                switching::open_whole(assets, id)?;
                chosen.extend(views.iter().find(|view| view.id == *id).cloned());
            }
            chosen
        };
        let mut candidates = Vec::new();
        for view in chosen {
            let mut candidate = match switching::open_whole(assets, &view.id) {
                Ok(model) => Candidate::open(shared, &in_use, model).await.map(Ok)?,
                Err(error) => Err(error.to_string()),
            };
            if let Ok(found) = &candidate
                && found.lacking > 0
                && !named.is_empty()
            {
                self.prepare(&view.id, found.lacking, &mut told).await?;
                let model = switching::open_whole(assets, &view.id)?;
                candidate = Candidate::open(shared, &in_use, model).await.map(Ok)?;
            }
            candidates.push((view, candidate));
        }
        compare(shared, &in_use, candidates, !named.is_empty(), told).await
    }

    /// Has the vectors made that a model lacks.
    async fn prepare(
        &self,
        id: &str,
        passages: u64,
        told: &mut impl FnMut(CompareStep),
    ) -> Result<(), EngineError> {
        self.writable()?;
        let preparing = self.preparing.as_ref().ok_or(EngineError::Closed)?;
        let (done, mut prepared) = oneshot::channel();
        let asked = Preparing { id: id.to_owned(), done };
        preparing.send(asked).await.map_err(|_| EngineError::Closed)?;
        loop {
            let upcoming = self.shared.upcoming();
            let (done, total) = upcoming.map_or((0, 0), |next| (next.done, next.total));
            let stage = CompareStage::Preparing { passages, done, total };
            told(CompareStep { done: 0, most: 0, model: id.to_owned(), stage });
            tokio::select! {
                prepared = &mut prepared => return prepared.unwrap_or(Err(EngineError::Closed)),
                () = tokio::time::sleep(TELL_EVERY) => {}
            }
        }
    }
}

/// A model that can be measured.
struct Candidate {
    /// The model, and the store with its vectors if there are any.
    active: Arc<Active>,
    lacking: u64,
}

impl Candidate {
    async fn open(
        shared: &Shared,
        in_use: &Arc<Active>,
        model: LoadedModel,
    ) -> Result<Self, EngineError> {
        if model.identity.fingerprint == in_use.model.identity.fingerprint {
            return Ok(Self { active: in_use.clone(), lacking: 0 });
        }
        let store = Store::open_existing(&shared.folder.store(), &model.space()).await?;
        let lacking = match &in_use.store {
            Some(in_use) => lacking(in_use, store.as_ref()).await?,
            None => 0,
        };
        Ok(Self { active: Arc::new(Active { model, store }), lacking })
    }

    fn is_judged(&self, judged: &[Judged], even_lacking: bool) -> bool {
        let is_whole = self.lacking == 0 || even_lacking;
        !judged.is_empty() && self.active.store.is_some() && is_whole
    }
}

/// Passages in the files of which `other` lacks vectors and the store in use does not.
async fn lacking(in_use: &Store, other: Option<&Store>) -> Result<u64, EngineError> {
    let waiting = in_use.lacking().await?;
    let Some(other) = other else {
        let waiting: u64 = waiting.iter().map(|file| file.passages).sum();
        return Ok((in_use.count_passages().await? as u64).saturating_sub(waiting));
    };
    let waiting: HashSet<_> = waiting.iter().map(|file| file.file).collect();
    let lacking = other.lacking().await?;
    let lacking = lacking.iter().filter(|file| !waiting.contains(&file.file));
    Ok(lacking.map(|file| file.passages).sum())
}

async fn compare(
    shared: &Arc<Shared>,
    in_use: &Active,
    candidates: Vec<(ModelView, Result<Candidate, String>)>,
    even_lacking: bool,
    mut told: impl FnMut(CompareStep),
) -> Result<Comparison, EngineError> {
    let marks = shared.catalog.count_marks()?;
    let judged = marks::judged(shared.catalog.marks()?);
    let passages = shared.catalog.counts()?.passages;
    let quiet = Quiet::begin(shared).await?;
    let steps = |candidate: &Candidate| {
        TURNS + if candidate.is_judged(&judged, even_lacking) { MODES.len() } else { 0 }
    };
    let most = candidates.iter().flat_map(|(_, found)| found).map(steps).sum();
    let (mut done, mut models) = (0, Vec::new());
    for (view, candidate) in candidates {
        let mut step = |stage| {
            told(CompareStep { done, most, model: view.id.clone(), stage });
            done += 1;
        };
        let figures = match candidate {
            Err(reason) => Err(reason),
            Ok(candidate) => {
                let judged =
                    if candidate.is_judged(&judged, even_lacking) { &judged[..] } else { &[] };
                match measure(shared, in_use, &candidate, judged, &mut step).await {
                    Ok(figures) => Ok(figures),
                    Err(error @ (EngineError::Job(_) | EngineError::NoRoom)) => {
                        Err(error.to_string())
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        models.push(ComparedModel {
            vector_bytes: vector_bytes(view.dims, passages),
            id: view.id,
            name: view.name,
            is_active: view.is_active,
            model_bytes: view.bytes,
            figures,
        });
    }
    quiet.end().await;
    let is_disturbed = shared.following.is_none() && shared.folder.is_locked();
    Ok(Comparison { marks, questions: judged.len(), passages, is_disturbed, models })
}

async fn measure(
    shared: &Arc<Shared>,
    in_use: &Active,
    candidate: &Candidate,
    judged: &[Judged],
    step: &mut impl FnMut(CompareStage),
) -> Result<Figures, EngineError> {
    let model = &candidate.active.model;
    let texts = texts::gather(shared, in_use.store.as_ref(), model).await?;
    let memory_megabytes = shared::rule(std::iter::once(model)).memory_megabytes;
    let mut bench = Bench::new(shared, model, shared.accelerator(), memory_megabytes, 1, texts);
    let measured = measure_on(&mut bench, shared, candidate, judged, step).await;
    bench.close().await;
    measured
}

async fn measure_on(
    bench: &mut Bench,
    shared: &Arc<Shared>,
    candidate: &Candidate,
    judged: &[Judged],
    step: &mut impl FnMut(CompareStage),
) -> Result<Figures, EngineError> {
    let numbers = shared.numbers();
    let setting = Setting {
        workers: 1,
        threads: numbers.threads_per_worker,
        tokens_per_call: numbers.tokens_per_call,
    };
    let mut passages_per_second = 0.0_f64;
    for _ in 0..TURNS {
        step(CompareStage::Speed);
        let rate = bench.measure(setting).await?.ok_or(EngineError::NoRoom)?;
        passages_per_second = passages_per_second.max(rate);
    }
    let question_ms = bench.question(setting).await?.ok_or(EngineError::NoRoom)? * 1e3;
    let pool = bench.pool((1, setting.threads)).await?.ok_or(EngineError::NoRoom)?;
    let memory_bytes = weight(&pool);
    let mut modes = Vec::new();
    if !judged.is_empty() {
        for mode in MODES {
            step(CompareStage::Quality);
            modes.push(judge(shared, &pool, &candidate.active, judged, mode).await?);
        }
    }
    let lacking = candidate.lacking;
    Ok(Figures { passages_per_second, question_ms, memory_bytes, lacking, modes })
}

/// What the pool's largest worker takes now.
fn weight(pool: &Pool) -> u64 {
    let pids: Vec<u32> =
        pool.status().borrow().workers.iter().filter_map(|worker| worker.pid).collect();
    let weights = pids.into_iter().filter_map(rummage_pool::weigh);
    weights.map(|weight| weight.bytes).max().unwrap_or(0)
}

/// Asks all questions of a model, and scores its answers.
async fn judge(
    shared: &Arc<Shared>,
    pool: &Pool,
    active: &Arc<Active>,
    judged: &[Judged],
    mode: Mode,
) -> Result<ModeScores, EngineError> {
    let mut answers = Vec::with_capacity(judged.len());
    for Judged { query, gains } in judged {
        let query = Query { mode, limit: JUDGED, ..query.clone() };
        let answer = answer::answer_with(shared, pool, Some(active.clone()), &query).await?;
        if answer.mode != mode {
            // By words alone it would be another mode's figure.
            let reason = answer.notice.unwrap_or_else(|| "no answer came".to_owned());
            return Err(JobError::Refused(reason).into());
        }
        // A result stands for all files with its passage: those that are judged count, and
        // where none is, it is one that is not.
        let worth = answer.files.iter().flat_map(|file| {
            let worth: Vec<f64> =
                file.paths().filter_map(|path| gains.get(path)).copied().collect();
            if worth.is_empty() { vec![0.0] } else { worth }
        });
        let worth: Vec<f64> = worth.take(JUDGED).collect();
        let ideal = gains.values().copied().collect();
        answers.push((Scores::of(&worth, ideal), answer.took.as_secs_f64() * 1e3));
    }
    Ok(ModeScores::of(mode, &answers))
}

/// What the vector of one passage takes, in an index of so many.
fn vector_bytes(dims: u32, passages: u64) -> u64 {
    let is_flat = passages >= Limits::default().vectors_flat as u64;
    let flat = if is_flat { FLAT_BYTES } else { 0 };
    u64::from(dims) * (TABLE_BYTES + CACHE_BYTES + flat)
}
