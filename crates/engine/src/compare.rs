//! Installed models side by side: how good their answers are by what the person opened and
//! marked, how fast they read, and what they take. Real workers embed real passages, and
//! questions are asked of the live index.
//!
//! A model's answers are judged only where it has the vectors of nearly all that the one in
//! use has, and of every file that is marked: with fewer it would be judged by what it was
//! never shown. Who names models has their missing vectors made first, by the task that
//! prepares a switch.
//!
//! What is marked was shown by the model in use: a better result that nobody has seen counts
//! for nothing. That favours the model in use, and every figure of it is to be read so.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use rummage_catalog::MarkCounts;
use rummage_corpus::FileId;
use rummage_models::Assets;
use rummage_pool::{JobError, Pool};
use rummage_search::{Mode, Query};
use rummage_store::{Limits, Store};
use tokio::sync::oneshot;

use crate::{
    Engine, EngineError, ModelPresence, ModelView, answer,
    marks::{self, Judged},
    problem::ProblemKind,
    scores::{JUDGED, ModeScores, Scores},
    shared::{self, Active, Shared},
    switching::{self, Preparing},
    tune::{Bench, Quiet, Setting, texts},
};

/// A model's speed is the best of so many turns: whatever else the machine does only slows.
const TURNS: usize = 3;

const MODES: [Mode; 3] = [Mode::Hybrid, Mode::Keyword, Mode::Meaning];

/// Of one model.
const STEPS: usize = TURNS + MODES.len();

/// A model that lacks the vectors of no more than one passage in so many can be judged.
const LACKING_SHARE: u64 = 20;

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
    /// Questions with such results that were asked: the latest ones.
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
    /// How good its answers are, in each mode; empty without marks, and where too many
    /// vectors are lacking.
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
    /// Files that are new are read first.
    Indexing,
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
    /// named. Those that are named get the vectors first that they lack, which are kept; new
    /// files are indexed before. Indexing waits while it is measured, questions do not;
    /// dropping the future ends it. Costs some seconds a model: the latest questions alone
    /// are asked.
    ///
    /// # Errors
    /// [`EngineError::Model`] for a name that no installed model bears,
    /// [`EngineError::Measuring`] where this machine is being measured already, and
    /// [`EngineError::Busy`] where vectors are to be made beside another process that
    /// indexes. What is wrong with one model stands in its line.
    pub async fn compare(
        &self,
        named: &[String],
        mut told: impl FnMut(CompareStep),
    ) -> Result<Comparison, EngineError> {
        let shared = &self.shared;
        let assets = shared.assets.as_ref().ok_or(EngineError::NoModel)?;
        let views = self.library().ok_or(EngineError::NoModel)?.list()?;
        let mut refused = HashMap::new();
        let chosen = chosen(assets, views, named)?;
        if !named.is_empty() {
            for view in &chosen {
                let prepared = self.prepare(assets, &view.id, &mut told).await;
                if let Err(reason) = in_its_line(prepared)? {
                    refused.insert(view.id.clone(), reason);
                }
            }
        }
        // Only now: another one may have come into use meanwhile.
        let in_use = shared.active().ok_or(EngineError::NoModel)?;
        let marks = shared.catalog.count_marks()?;
        let judging = Judging {
            questions: marks::judged(shared.catalog.marks()?),
            is_prepared: !named.is_empty(),
        };
        let passages = shared.catalog.counts()?.passages;
        let quiet = Quiet::begin(shared).await?;
        let (mut models, most) = (Vec::with_capacity(chosen.len()), chosen.len() * STEPS);
        for (place, view) in chosen.into_iter().enumerate() {
            let mut done = place * STEPS;
            let step = |stage| {
                told(CompareStep { done, most, model: view.id.clone(), stage });
                done += 1;
            };
            let figures = match refused.remove(&view.id) {
                Some(reason) => Err(reason),
                None => {
                    in_its_line(measure(shared, &in_use, assets, &view.id, &judging, step).await)?
                }
            };
            models.push(ComparedModel {
                vector_bytes: vector_bytes(view.dims, passages),
                is_active: view.id == in_use.model.id,
                id: view.id,
                name: view.name,
                model_bytes: view.bytes,
                figures,
            });
        }
        quiet.end().await;
        let is_disturbed = shared.following.is_none() && shared.folder.is_locked();
        let questions = judging.questions.len();
        Ok(Comparison { marks, questions, passages, is_disturbed, models })
    }

    /// Has the vectors made that a model lacks.
    async fn prepare(
        &self,
        assets: &Assets,
        id: &str,
        told: &mut impl FnMut(CompareStep),
    ) -> Result<(), EngineError> {
        let mut tell = |stage| told(CompareStep { done: 0, most: 0, model: id.to_owned(), stage });
        if self.indexes() {
            // What comes into the index meanwhile, this model would lack again.
            let settled = self.settled();
            tokio::pin!(settled);
            let settled = loop {
                tokio::select! {
                    settled = &mut settled => break settled,
                    () = tokio::time::sleep(TELL_EVERY) => tell(CompareStage::Indexing),
                }
            };
            // That another model cannot take over is no reason not to look at this one.
            if let Err(problem) = settled
                && problem.kind != ProblemKind::Switching
            {
                return Err(EngineError::Standing(problem));
            }
        }
        let in_use = self.shared.active().ok_or(EngineError::NoModel)?;
        let lacking = Candidate::open(&self.shared, &in_use, assets, id).await?.lacking;
        if lacking.passages == 0 {
            return Ok(());
        }
        self.writable()?;
        let preparing = self.preparing.as_ref().ok_or(EngineError::Closed)?;
        let (done, mut prepared) = oneshot::channel();
        let asked = Preparing { id: id.to_owned(), done };
        preparing.send(asked).await.map_err(|_| EngineError::Closed)?;
        loop {
            let upcoming = self.shared.upcoming().filter(|next| next.model.id == id);
            let (done, total) = upcoming.map_or((0, 0), |next| (next.done, next.total));
            tell(CompareStage::Preparing { passages: lacking.passages, done, total });
            tokio::select! {
                prepared = &mut prepared => return prepared.unwrap_or(Err(EngineError::Closed)),
                () = tokio::time::sleep(TELL_EVERY) => {}
            }
        }
    }
}

/// Those that are named, each once; else all that are installed.
fn chosen(
    assets: &Assets,
    views: Vec<ModelView>,
    named: &[String],
) -> Result<Vec<ModelView>, EngineError> {
    let is_installed = |view: &ModelView| view.state == ModelPresence::Installed;
    if named.is_empty() {
        return Ok(views.into_iter().filter(is_installed).collect());
    }
    for id in named {
        if !views.iter().any(|view| view.id == *id && is_installed(view)) {
            // This says what is wrong with it.
            switching::open_whole(assets, id)?;
        }
    }
    Ok(views.into_iter().filter(|view| is_installed(view) && named.contains(&view.id)).collect())
}

/// What is wrong with one model, in words, is no reason not to measure the others.
fn in_its_line<T>(outcome: Result<T, EngineError>) -> Result<Result<T, String>, EngineError> {
    match outcome {
        Ok(found) => Ok(Ok(found)),
        Err(
            error @ (EngineError::Job(_)
            | EngineError::Model(_)
            | EngineError::Store(_)
            | EngineError::NoRoom),
        ) => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

/// What answers are judged by, and of whom.
struct Judging {
    questions: Vec<Judged>,
    /// All models got the vectors that can be made: what one still lacks, none can have.
    is_prepared: bool,
}

/// A model that can be measured.
struct Candidate {
    /// The model, and the store with its vectors if there are any.
    active: Arc<Active>,
    lacking: Lacking,
}

/// What a model has no vectors of, though the one in use does.
#[derive(Default)]
struct Lacking {
    passages: u64,
    /// `None`: of all files.
    files: Option<HashSet<FileId>>,
}

impl Candidate {
    async fn open(
        shared: &Shared,
        in_use: &Arc<Active>,
        assets: &Assets,
        id: &str,
    ) -> Result<Self, EngineError> {
        let (assets, id) = (assets.clone(), id.to_owned());
        let opened = tokio::task::spawn_blocking(move || switching::open_whole(&assets, &id));
        // The task is never cancelled; it ends early only by a panic.
        let opened = opened.await;
        let model = opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        if model.identity.fingerprint == in_use.model.identity.fingerprint {
            let lacking = Lacking { passages: 0, files: Some(HashSet::new()) };
            return Ok(Self { active: in_use.clone(), lacking });
        }
        let store = Store::open_existing(&shared.folder.store(), &model.space()).await?;
        let lacking = match &in_use.store {
            Some(in_use) => lacking(in_use, store.as_ref()).await?,
            None => Lacking::default(),
        };
        Ok(Self { active: Arc::new(Active { model, store }), lacking })
    }

    /// The questions that it can be judged by: all or none.
    fn judged_by<'a>(&self, judging: &'a Judging, passages: u64) -> &'a [Judged] {
        let few = self.lacking.passages * LACKING_SHARE <= passages;
        let lacks =
            |file: &FileId| self.lacking.files.as_ref().is_none_or(|all| all.contains(file));
        let mut marked = judging.questions.iter().flat_map(|judged| &judged.files);
        let is_fair = judging.is_prepared || (few && !marked.any(lacks));
        if is_fair && self.active.store.is_some() { &judging.questions } else { &[] }
    }
}

async fn lacking(in_use: &Store, other: Option<&Store>) -> Result<Lacking, EngineError> {
    let waiting = in_use.lacking().await?;
    let Some(other) = other else {
        let waiting: u64 = waiting.iter().map(|file| file.passages).sum();
        let passages = (in_use.count_passages().await? as u64).saturating_sub(waiting);
        return Ok(Lacking { passages, files: None });
    };
    let waiting: HashSet<_> = waiting.iter().map(|file| file.file).collect();
    let mut lacking = other.lacking().await?;
    lacking.retain(|file| !waiting.contains(&file.file));
    Ok(Lacking {
        passages: lacking.iter().map(|file| file.passages).sum(),
        files: Some(lacking.iter().map(|file| file.file).collect()),
    })
}

async fn measure(
    shared: &Arc<Shared>,
    in_use: &Arc<Active>,
    assets: &Assets,
    id: &str,
    judging: &Judging,
    step: impl FnMut(CompareStage),
) -> Result<Figures, EngineError> {
    let candidate = Candidate::open(shared, in_use, assets, id).await?;
    let passages = match &in_use.store {
        Some(store) => store.count_passages().await? as u64,
        None => 0,
    };
    let questions = candidate.judged_by(judging, passages);
    let model = &candidate.active.model;
    let texts = texts::gather(shared, in_use.store.as_ref(), model).await?;
    let memory_megabytes = shared::rule(std::iter::once(model)).memory_megabytes;
    let mut bench = Bench::new(shared, model, shared.accelerator(), memory_megabytes, 1, texts);
    let measured = measure_on(&mut bench, shared, &candidate, questions, step).await;
    bench.close().await;
    measured
}

async fn measure_on(
    bench: &mut Bench,
    shared: &Arc<Shared>,
    candidate: &Candidate,
    questions: &[Judged],
    mut step: impl FnMut(CompareStage),
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
    if !questions.is_empty() {
        for mode in MODES {
            step(CompareStage::Quality);
            modes.push(judge(shared, &pool, &candidate.active, questions, mode).await?);
        }
    }
    let lacking = candidate.lacking.passages;
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
    for Judged { query, gains, .. } in judged {
        let query = Query { mode, limit: JUDGED, ..query.clone() };
        let ask = || answer::answer_with(shared, pool, Some(active.clone()), &query);
        let mut answer = ask().await?;
        if answer.mode != mode {
            // Its worker may just have been replaced.
            answer = ask().await?;
        }
        if answer.mode != mode {
            // By words alone it would be another mode's figure.
            let reason = answer.notice.unwrap_or_else(|| "no answer came".to_owned());
            return Err(JobError::Refused(reason).into());
        }
        // A result stands for all files with its passage: those that are judged count, and
        // where none is, it is one that is not.
        let worth = answer.files.iter().flat_map(|file| {
            let mut worth: Vec<f64> =
                file.paths().filter_map(|path| gains.get(path)).copied().collect();
            // They stand at one place, in no order.
            worth.sort_by(|a, b| b.total_cmp(a));
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
    let is_flat = passages >= Limits::default().flat as u64;
    let flat = if is_flat { FLAT_BYTES } else { 0 };
    u64::from(dims) * (TABLE_BYTES + CACHE_BYTES + flat)
}
