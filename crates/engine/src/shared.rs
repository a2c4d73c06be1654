//! What the engine's tasks have in common.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use rummage_cache::Cache;
use rummage_catalog::Catalog;
use rummage_corpus::SourcePath;
use rummage_models::{Assets, runtime_in};
use rummage_pool::{
    Accelerator, EmbedConfig, ExtractConfig, Limits, Pace, Pool, PoolConfig, ServedModel,
};
use rummage_protocol::Provider;
use rummage_settings::{self as settings, IndexingMode, Resolved, Settings, auto};
use rummage_store::Store;
use tokio::sync::{Notify, watch};

use crate::{
    Following,
    folder::DataFolder,
    health::History,
    model::LoadedModel,
    problem::Problems,
    progress::Counters,
    tune::{self, Tuning},
};

pub(crate) struct Shared {
    pub folder: DataFolder,
    pub worker_program: PathBuf,
    /// What this process indexes; `None`: it only reads.
    pub following: Option<Following>,
    pub catalog: Catalog,
    pub settings: watch::Sender<Settings>,
    /// Where models lie; `None` where none can be found.
    pub assets: Option<Assets>,
    /// Vectors of earlier; `None` where it is to be done without.
    pub cache: Option<Cache>,
    /// What questions are answered with. One pointer, so that whoever took it has a model
    /// and the store of that model's vectors.
    active: RwLock<Option<Arc<Active>>>,
    /// What is being prepared to take its place.
    upcoming: Mutex<Option<Upcoming>>,
    /// What was measured on this machine and its accelerator, with whichever model.
    tuning: Mutex<Option<Tuning>>,
    /// This machine is being measured; indexing waits.
    measuring: AtomicBool,
    configuring: tokio::sync::Mutex<()>,
    pub pool: Pool,
    pub problems: Problems,
    pub counters: Counters,
    pub history: History,
    /// The queue may hold something new.
    pub work: Notify,
    /// Files may be leaving. Keeps one call until the writer looks.
    pub leaving: Notify,
    /// Raised with everything that shows in the status.
    pub touched: watch::Sender<u64>,
    /// The file being read or embedded, for people.
    pub current: Mutex<Option<String>>,
    /// Roots whose changes are not told as they happen, and why.
    limited: Mutex<BTreeMap<SourcePath, String>>,
    /// Raised whenever a folder is paused or goes on.
    pub pauses: AtomicU64,
    scanning: AtomicUsize,
    /// Raised with everything that leaves the writer something to put in order.
    disorder: AtomicU64,
    /// As far as the writer has put things in order.
    ordered: AtomicU64,
    stopped: watch::Sender<bool>,
}

/// A model and the store with its vectors.
pub(crate) struct Active {
    pub model: LoadedModel,
    /// `None` for a reader of a folder where nothing is indexed yet.
    pub store: Option<Store>,
}

/// A model whose vectors are being made beside those in use.
#[derive(Clone)]
pub(crate) struct Upcoming {
    pub model: LoadedModel,
    /// Files that have all their vectors, and how many there are.
    pub done: u64,
    pub total: u64,
}

/// What [`Shared`] is made of.
pub(crate) struct Ingredients {
    pub folder: DataFolder,
    pub worker_program: PathBuf,
    pub following: Option<Following>,
    pub catalog: Catalog,
    pub settings: Settings,
    pub assets: Option<Assets>,
    pub cache: Option<Cache>,
    pub active: Option<Active>,
    pub problems: Problems,
}

impl Shared {
    pub fn new(ingredients: Ingredients) -> Self {
        let Ingredients {
            folder,
            worker_program,
            following,
            catalog,
            settings,
            assets,
            cache,
            active,
            problems,
        } = ingredients;
        let models: Vec<_> = active.iter().map(|active| &active.model).collect();
        let accelerator = accelerator(&settings, &folder);
        let tuning =
            models.first().and_then(|model| tune::kept(&folder, model, accelerator.as_ref()));
        let auto = tuned(rule(models.iter().copied()), tuning.as_ref(), models.first().copied());
        let config = pool_config(&worker_program, &settings, &models, accelerator, auto, following);
        let pool = Pool::start(config);
        Self {
            folder,
            worker_program,
            following,
            catalog,
            settings: watch::Sender::new(settings),
            assets,
            cache,
            active: RwLock::new(active.map(Arc::new)),
            upcoming: Mutex::default(),
            tuning: Mutex::new(tuning),
            measuring: AtomicBool::new(false),
            configuring: tokio::sync::Mutex::default(),
            pool,
            problems,
            counters: Counters::default(),
            history: History::default(),
            work: Notify::new(),
            leaving: Notify::new(),
            touched: watch::Sender::new(0),
            current: Mutex::new(None),
            limited: Mutex::default(),
            pauses: AtomicU64::new(0),
            scanning: AtomicUsize::new(0),
            disorder: AtomicU64::new(1),
            ordered: AtomicU64::new(0),
            stopped: watch::Sender::new(false),
        }
    }

    /// Tells every waiting task that there may be work, and the status that it
    /// may have changed.
    pub fn wake(&self) {
        self.work.notify_waiters();
        self.leaving.notify_one();
        self.touch();
    }

    pub fn touch(&self) {
        self.touched.send_modify(|count| *count += 1);
    }

    pub fn set_current(&self, path: Option<String>) {
        *self.current.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = path;
    }

    pub fn current(&self) -> Option<String> {
        self.current.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    pub fn limited(&self) -> MutexGuard<'_, BTreeMap<SourcePath, String>> {
        self.limited.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn stop(&self) -> Stop {
        Stop { stopped: self.stopped.subscribe() }
    }

    pub fn stop_all(&self) {
        self.stopped.send_replace(true);
        self.wake();
    }

    /// Scans under way or asked for.
    pub fn is_scanning(&self) -> bool {
        self.scanning.load(Ordering::SeqCst) > 0
    }

    pub fn scan_asked(&self) {
        self.scanning.fetch_add(1, Ordering::SeqCst);
        self.disturb();
    }

    pub fn scan_ended(&self) {
        self.scanning.fetch_sub(1, Ordering::SeqCst);
        self.disturb();
        self.wake();
    }

    /// The writer has nothing left to put in order.
    pub fn is_in_order(&self) -> bool {
        self.ordered.load(Ordering::SeqCst) == self.disorder()
    }

    pub fn disorder(&self) -> u64 {
        self.disorder.load(Ordering::SeqCst)
    }

    /// There is something to put in order.
    pub fn disturb(&self) {
        self.disorder.fetch_add(1, Ordering::SeqCst);
    }

    /// All that was disturbed up to then is in order.
    pub fn put_in_order(&self, disorder: u64) {
        self.ordered.store(disorder, Ordering::SeqCst);
    }

    /// What questions are answered with now.
    pub fn active(&self) -> Option<Arc<Active>> {
        self.active.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// From here on questions are answered with this. Those under way go on with what
    /// they took.
    pub fn activate(&self, active: Active) {
        *self.active.write().unwrap_or_else(|poisoned| poisoned.into_inner()) =
            Some(Arc::new(active));
        self.wake();
    }

    pub fn upcoming(&self) -> Option<Upcoming> {
        self.upcoming.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    pub fn set_upcoming(&self, upcoming: Option<Upcoming>) {
        *self.upcoming.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = upcoming;
        self.touch();
    }

    /// Another model is chosen than the one in use.
    pub fn is_switching(&self) -> bool {
        self.active().is_some_and(|active| active.model.id != self.settings.borrow().model)
    }

    /// Lets workers load what is in use and what is to be.
    pub async fn configure_pool(&self) {
        // Else an older look at things could reach the pool after a newer one.
        let _configuring = self.configuring.lock().await;
        let (active, upcoming) = (self.active(), self.upcoming());
        let models = active.iter().map(|active| &active.model);
        let models: Vec<_> = models.chain(upcoming.iter().map(|next| &next.model)).collect();
        let program = &self.worker_program;
        let mut config = {
            let settings = self.settings.borrow();
            let accelerator = accelerator(&settings, &self.folder);
            pool_config(program, &settings, &models, accelerator, self.auto(), self.following)
        };
        if self.measuring.load(Ordering::SeqCst) {
            config.pace = Pace::Paused;
        }
        self.pool.configure(config).await;
    }

    /// What `auto` means on this machine, for the models that are loaded.
    pub fn auto(&self) -> Resolved {
        let active = self.active();
        let model = active.as_ref().map(|active| &active.model);
        tuned(self.rule(), self.lock_tuning().as_ref(), model)
    }

    /// The same, before anything was measured.
    pub fn rule(&self) -> Resolved {
        let (active, upcoming) = (self.active(), self.upcoming());
        let models = active.iter().map(|active| &active.model);
        rule(models.chain(upcoming.iter().map(|next| &next.model)))
    }

    /// The numbers to work with now.
    pub fn numbers(&self) -> Resolved {
        self.settings.borrow().resolve(self.auto())
    }

    /// What was measured with the model in use.
    pub fn tuning(&self) -> Option<Tuning> {
        let active = self.active()?;
        self.lock_tuning().clone().filter(|tuning| tuning.is_of(&active.model))
    }

    /// What models are to run on, if not the processor.
    pub fn accelerator(&self) -> Option<Accelerator> {
        accelerator(&self.settings.borrow(), &self.folder)
    }

    /// Another accelerator is wanted: what was measured with that one counts.
    pub fn read_tuning(&self) {
        let accelerator = self.accelerator();
        let kept = self
            .active()
            .and_then(|active| tune::kept(&self.folder, &active.model, accelerator.as_ref()));
        *self.lock_tuning() = kept;
    }

    pub fn set_tuning(&self, tuning: Tuning) {
        *self.lock_tuning() = Some(tuning);
        self.touch();
    }

    fn lock_tuning(&self) -> MutexGuard<'_, Option<Tuning>> {
        self.tuning.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// `false` where it is being measured already.
    pub fn begin_measuring(&self) -> bool {
        !self.measuring.swap(true, Ordering::SeqCst)
    }

    pub fn end_measuring(&self) {
        self.measuring.store(false, Ordering::SeqCst);
    }
}

/// What `auto` means on a machine like this.
pub(crate) fn rule<'a>(models: impl Iterator<Item = &'a LoadedModel>) -> Resolved {
    auto(crate::cores(), crate::memory_bytes(), models.map(LoadedModel::bytes).sum())
}

/// The rule's numbers, or what was measured with this very model.
fn tuned(rule: Resolved, tuning: Option<&Tuning>, model: Option<&LoadedModel>) -> Resolved {
    let measured = tuning.filter(|tuning| model.is_some_and(|model| tuning.is_of(model)));
    measured.map_or(rule, |tuning| tuning.applied_to(rule))
}

fn pool_config(
    program: &Path,
    settings: &Settings,
    models: &[&LoadedModel],
    accelerator: Option<Accelerator>,
    auto: Resolved,
    following: Option<Following>,
) -> PoolConfig {
    let numbers = settings.resolve(auto);
    let memory = crate::memory_bytes();
    let embed = models.first().map(|first| {
        let mut served: Vec<ServedModel> = Vec::new();
        for model in models.iter().flat_map(|model| model.served()) {
            if !served.contains(&model) {
                served.push(model);
            }
        }
        EmbedConfig {
            // Who only reads asks questions alone.
            workers: if following.is_some() { numbers.pool_size } else { 0 },
            keep_query_worker: following == Some(Following::Live),
            threads_per_worker: numbers.threads_per_worker,
            models: served,
            runtime_library: first.runtime_library.clone(),
            accelerator,
        }
    });
    PoolConfig {
        embed,
        // One process reads all files: that takes a fraction of what embedding takes.
        // Another is there to look at a scan, so that those do not wait.
        extract: ExtractConfig {
            workers: usize::from(following.is_some()) * (1 + usize::from(settings.files.ocr)),
        },
        program: program.to_owned(),
        limits: Limits::new(memory, (numbers.memory_megabytes as u64) << 20),
        pace: match (following, settings.indexing.mode) {
            // Who calls a command waits for its end.
            (Some(Following::Once), _) | (_, IndexingMode::Full) => Pace::Full,
            (_, IndexingMode::Considerate) => Pace::Considerate,
            (_, IndexingMode::Paused) => Pace::Paused,
        },
    }
}

/// What the settings name. The person's own library, which lies in the data folder, is
/// for that alone: on the processor Rummage's own is used.
pub(crate) fn accelerator(settings: &Settings, folder: &DataFolder) -> Option<Accelerator> {
    match provider(settings) {
        Provider::Cpu => None,
        provider => Some(Accelerator { provider, library: runtime_in(&folder.runtime()) }),
    }
}

/// What the settings name.
pub(crate) const fn provider(settings: &Settings) -> Provider {
    match settings.runtime.provider {
        settings::Provider::Cpu => Provider::Cpu,
        settings::Provider::Cuda => Provider::Cuda,
        settings::Provider::CoreMl => Provider::CoreMl,
        settings::Provider::DirectMl => Provider::DirectMl,
        settings::Provider::OpenVino => Provider::OpenVino,
    }
}

/// Tells when everything is to stop.
pub(crate) struct Stop {
    stopped: watch::Receiver<bool>,
}

impl Stop {
    pub async fn wait(&mut self) {
        // The sender lives as long as anything that waits.
        let _ = self.stopped.wait_for(|stopped| *stopped).await;
    }

    pub fn is_set(&self) -> bool {
        *self.stopped.borrow()
    }
}
