//! The engine: composes watching, the catalog, the worker pool, the store and
//! searching into one thing that a window or a command line can drive.
//!
//! Six tasks, each the only owner of what it does:
//!
//! | task | from | to |
//! |---|---|---|
//! | [`follow`] | folders | the catalog's queue |
//! | [`reading`] | pending files, through extraction workers | passages, to the writer |
//! | [`embedding`] | files with passages, through embedding workers | vectors, to the writer |
//! | [`writer`] | what the others hand over | the store, then the catalog |
//! | [`switching`] | the model that the settings name | its vectors, to the writer |
//! | [`status`] | all of it | one picture a quarter of a second |
//!
//! The catalog is the queue between them, so memory does not grow with the number
//! of files, and whatever ends the process, the work left is known.
//!
//! It knows no terminal, no window and no command line.

mod answer;
mod away;
mod clock;
mod compare;
mod embedding;
mod error;
mod folder;
mod follow;
mod hardware;
mod health;
mod indexing;
mod intake;
mod ledger;
mod library;
mod marks;
mod model;
mod near;
mod pass;
mod preview;
mod problem;
mod profile;
mod progress;
mod proof;
mod reading;
mod repair;
mod scores;
mod shared;
mod status;
mod switching;
mod thrift;
mod tune;
mod vectors;
mod writer;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use rummage_catalog::{AddRoot, Catalog};
use rummage_corpus::SourcePath;
use rummage_models::Assets;
use rummage_settings::Settings;
use rummage_watch::{Seen, look};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

pub use answer::{Alike, Answer, Coverage, FoundFile};
pub use compare::{CompareStage, CompareStep, ComparedModel, Comparison, Figures};
pub use error::{EngineError, ErrorKind};
pub use folder::DataFolder;
pub use follow::Following;
pub use hardware::Hardware;
pub use health::{EndView, HealthSample, MemoryView, PoolView, WorkerView};
pub use ledger::Remedy;
pub use library::{Fetched, Library, ModelPresence, ModelView, Offer};
pub use preview::{MOST_PASSAGES, Preview};
pub use problem::{Problem, ProblemKind};
pub use profile::{LoadProfiler, LoadTimes};
pub use progress::{Progress, Totals};
pub use rummage_cache::{Cache, Kept, Lookups};
pub use rummage_catalog::{
    Counts, FileFilter, FilePage, FileRow, FileState, Grade, Mark, MarkCounts,
};
pub use rummage_models::Surroundings;
pub use rummage_search::{Arithmetic, FileHit, LegScore, Mode, PassageHit, Query, Snippet};
pub use rummage_settings as settings;
pub use rummage_settings::Resolved;
pub use rummage_store::{VectorIndexState, prepare_process};
pub use scores::{JUDGED, ModeScores, Scores};
pub use status::{ModelState, ModelStatus, RootStatus, Status, SwitchStatus};
pub use tune::{Setting, Trial, TuneStep, Tuning};

use follow::Call;
use indexing::Indexing;
use model::LoadedModel;
use problem::Problems;
use shared::{Ingredients, Shared};
use switching::Preparing;

/// How an engine is opened.
#[derive(Debug, Clone)]
pub struct Options {
    pub data: PathBuf,
    /// Whether this process indexes; `None`: it only reads, beside any other.
    pub indexing: Option<Following>,
    /// Where models and ONNX Runtime are looked for.
    pub surroundings: Surroundings,
    /// The worker program; `None`: the one beside this program.
    pub worker_program: Option<PathBuf>,
    /// Another data folder whose models and whose cache are used; `None`: its own.
    pub lender: Option<PathBuf>,
    /// Whether vectors that were computed once are used again, and new ones kept for that.
    pub cache: bool,
}

impl Options {
    pub fn new(data: PathBuf, indexing: Option<Following>) -> Self {
        let surroundings = Surroundings::of_process();
        Self { data, indexing, surroundings, worker_program: None, lender: None, cache: true }
    }
}

/// What became of paths that were to be followed.
#[derive(Debug, Default)]
pub struct Added {
    pub added: Vec<SourcePath>,
    /// Followed already, themselves or as part of a folder that is.
    pub known: Vec<SourcePath>,
    /// Of these, those that were paused, and go on.
    pub resumed: Vec<SourcePath>,
    pub refused: Vec<EngineError>,
}

/// An open engine. [`Engine::close`] ends it in order; dropping it ends it at once,
/// which loses no work that was kept.
pub struct Engine {
    shared: Arc<Shared>,
    calls: Option<mpsc::Sender<Call>>,
    preparing: Option<mpsc::Sender<Preparing>>,
    status: Option<watch::Receiver<Status>>,
    /// Taken by [`Engine::close`].
    tasks: Mutex<Vec<JoinHandle<()>>>,
    /// The threads that these run on.
    indexing: Option<Indexing>,
    lock: Mutex<Option<folder::Lock>>,
    /// Reads the tables into memory; not to be left when the threads go.
    table_reading: Mutex<Option<JoinHandle<()>>>,
}

/// Roots to be followed or forgotten that wait for the task that follows.
const CALLS: usize = 64;

/// What is being written on closing may take this long.
const CLOSE: Duration = Duration::from_millis(1200);

impl Engine {
    /// Opens the data folder. Models load while this returns.
    ///
    /// # Errors
    /// [`EngineError::Busy`] where another process indexes the folder, and whatever
    /// makes folder, catalog or store unusable. A missing model is no error: it is
    /// among the [`Status::problems`].
    pub async fn open(options: Options) -> Result<Self, EngineError> {
        let mut folder = DataFolder::new(absolute(&options.data)?);
        let lock = options.indexing.map(|_| folder.lock()).transpose()?;
        // By its real name, so that it is known again below a followed folder.
        if let Ok(real) = real_path(folder.path()) {
            folder = DataFolder::new(real);
        }
        let problems = Problems::default();
        let loaded = Settings::load(&folder.settings());
        if let Some(warning) = loaded.warnings.first() {
            let mend = format!("Mend {}, or save the settings anew.", folder.settings().display());
            problems.set(ProblemKind::Settings, warning.to_string(), mend);
        }
        let settings = loaded.settings;
        let lender = options.lender.map(DataFolder::new);
        let lender = lender.as_ref().unwrap_or(&folder);
        let assets = Assets::find_in(&options.surroundings);
        let assets = assets.map(|assets| assets.with_added(lender.models()));
        let catalog = open_catalog(&folder, lock.is_some())?;
        let active =
            switching::begin(&folder, &catalog, &settings, &assets, &problems, lock.is_some())
                .await?;
        let worker_program = worker_program(options.worker_program)?;
        // Who only reads embeds nothing that is worth keeping.
        let cache = lock.is_some() && options.cache;
        let cache = cache.then(|| cache_or_problem(lender, &problems)).flatten();
        let shared = Arc::new(Shared::new(Ingredients {
            folder,
            worker_program,
            following: options.indexing,
            catalog,
            settings,
            assets: assets.ok(),
            cache,
            active,
            problems,
        }));
        let mut engine = Self {
            shared,
            calls: None,
            preparing: None,
            status: None,
            tasks: Mutex::default(),
            indexing: None,
            lock: Mutex::new(lock),
            table_reading: Mutex::default(),
        };
        if let Some(following) = options.indexing {
            engine.start(following)?;
        }
        if options.indexing == Some(Following::Live) {
            engine.read_tables();
        }
        Ok(engine)
    }

    /// Lets the first question find in memory what it asks of the tables. That ends by
    /// itself; whatever is wrong with the tables, the question tells.
    fn read_tables(&self) {
        if let Some(store) = self.shared.active().and_then(|active| active.store.clone()) {
            let reading = tokio::spawn(async move {
                let _ = store.warm_up().await;
            });
            self.table_reading.lock().unwrap_or_else(|p| p.into_inner()).replace(reading);
        }
    }

    /// Starts the tasks that index.
    fn start(&mut self, following: Following) -> Result<(), EngineError> {
        let shared = &self.shared;
        let folder = shared.folder.path();
        let indexing = Indexing::start().map_err(|source| EngineError::folder(folder, source))?;
        let (calls, inbox) = mpsc::channel(CALLS);
        let mut tasks = Vec::new();
        tasks.push(indexing.spawn(follow::run(shared.clone(), inbox, following)));
        if let Some(store) = shared.active().and_then(|active| active.store.clone()) {
            let (writer, commits) = writer::channel();
            tasks.push(indexing.spawn(writer::run(shared.clone(), store, commits, following)));
            tasks.push(indexing.spawn(reading::run(shared.clone(), writer.clone())));
            tasks.push(indexing.spawn(embedding::run(shared.clone(), writer.clone())));
            // Whoever asks waits for the answer.
            let (preparing, asked) = mpsc::channel(1);
            self.preparing = Some(preparing);
            tasks.push(indexing.spawn(switching::run(shared.clone(), writer, asked)));
        }
        let first = status::take(shared, &mut progress::Pace::default(), 0)?;
        let (publish, status) = watch::channel(first);
        tasks.push(indexing.spawn(status::run(shared.clone(), publish)));
        tasks.push(indexing.spawn(health::run(shared.clone())));
        if following == Following::Live {
            tasks.push(indexing.spawn(thrift::run(shared.clone())));
        }
        (self.calls, self.status) = (Some(calls), Some(status));
        self.tasks = Mutex::new(tasks);
        self.indexing = Some(indexing);
        Ok(())
    }

    /// Looks through every followed folder for what has changed.
    pub async fn scan_all(&self) -> Result<(), EngineError> {
        for root in self.shared.catalog.roots()? {
            self.shared.scan_asked();
            self.call(Call::Add { root, eager: false }).await?;
        }
        Ok(())
    }

    /// Follows these folders and files from now on. What cannot be followed is
    /// refused by name, the rest is followed.
    pub async fn follow(&self, paths: &[PathBuf]) -> Result<Added, EngineError> {
        self.writable()?;
        let mut added = Added::default();
        let mut to_scan = BTreeSet::new();
        for path in paths {
            let path = match self.followable(path) {
                Ok(path) => path,
                Err(error) => {
                    added.refused.push(error);
                    continue;
                }
            };
            let before = self.shared.catalog.roots()?;
            let rules = follow::rules(&self.shared);
            let outcome = self.shared.catalog.add_root(&path, |outer, inner| {
                let seen = look(outer.as_path(), inner.as_path(), &rules);
                matches!(seen, Ok(Seen::Folder | Seen::File(_)))
            })?;
            let (id, list) = match outcome {
                AddRoot::Added(id) => (id, &mut added.added),
                AddRoot::Known(id) => (id, &mut added.known),
                AddRoot::Within(root) => (root.id, &mut added.known),
            };
            if before.iter().any(|root| root.path == path && root.paused) {
                added.resumed.push(path.clone());
            }
            // Who asks for it now wants it now.
            self.shared.catalog.set_paused(&path, false)?;
            to_scan.insert(id);
            list.push(path);
            let after = self.shared.catalog.roots()?;
            for absorbed in before.into_iter().filter(|root| !after.contains(root)) {
                self.call(Call::Remove(absorbed.path)).await?;
            }
        }
        for root in self.shared.catalog.roots()? {
            if to_scan.contains(&root.id) {
                self.shared.scan_asked();
                self.call(Call::Add { root, eager: true }).await?;
            }
        }
        self.shared.touch();
        Ok(added)
    }

    /// Follows these folders and files no more: they leave the results at once.
    ///
    /// # Errors
    /// [`EngineError::NotFollowed`] with the path, which changes nothing.
    pub async fn forget(&self, path: &Path) -> Result<(), EngineError> {
        self.writable()?;
        // A folder that is still there is followed under its real name.
        let path = SourcePath::new(real_path(path).or_else(|_| absolute(path))?);
        if !self.shared.catalog.remove_root(&path)? {
            return Err(self.not_followed(path.as_path()));
        }
        self.shared.disturb();
        self.call(Call::Remove(path)).await?;
        self.shared.wake();
        Ok(())
    }

    fn not_followed(&self, path: &Path) -> EngineError {
        let roots = self.shared.catalog.roots().unwrap_or_default().into_iter();
        let root = roots.map(|root| root.path.as_path().to_owned()).find(|it| path.starts_with(it));
        let path = path.to_owned();
        match root {
            Some(root) => EngineError::Within { path, root },
            None => EngineError::NotFollowed { path },
        }
    }

    /// Lets the files of a followed folder wait in the queue, or go on. What changes there
    /// is noted all the same, what is indexed is still found, and what has left leaves.
    ///
    /// # Errors
    /// [`EngineError::NotFollowed`] with the path, which changes nothing.
    pub async fn set_paused(&self, path: &Path, paused: bool) -> Result<(), EngineError> {
        self.writable()?;
        let path = SourcePath::new(real_path(path).or_else(|_| absolute(path))?);
        if !self.shared.catalog.set_paused(&path, paused)? {
            return Err(self.not_followed(path.as_path()));
        }
        self.shared.pauses.fetch_add(1, Ordering::SeqCst);
        self.shared.disturb();
        self.shared.wake();
        Ok(())
    }

    /// Answers a query.
    pub async fn search(&self, query: &Query) -> Result<Answer, EngineError> {
        answer::answer(&self.shared, query).await
    }

    /// Waits until an embedding worker has answered, so that what follows is not
    /// answered by words alone for want of a loaded model.
    pub async fn warm_up(&self) {
        if let Some(active) = self.shared.active() {
            answer::warm(&self.shared, &active.model).await;
        }
    }

    /// The picture of this moment.
    pub fn status(&self) -> Result<Status, EngineError> {
        let disk_bytes = status::bytes_under(self.shared.folder.path());
        let mut pace = progress::Pace::default();
        let mut status = status::take(&self.shared, &mut pace, disk_bytes)?;
        if let Some(watched) = &self.status {
            status.progress = watched.borrow().progress;
        } else {
            status.pool = status::read_live(&self.shared.folder).unwrap_or_default();
            // Nobody may be following them to tell.
            let gone = away::gone(status.roots.iter().map(|root| root.root.path.clone()));
            for RootStatus { root, .. } in &mut status.roots {
                if root.away.is_none() && gone.contains(&root.path) {
                    root.away = Some("it is not there".to_owned());
                }
            }
        }
        Ok(status)
    }

    /// Tells of every change of the status, at most four times a second; `None`
    /// for an engine that only reads.
    pub fn status_changes(&self) -> Option<watch::Receiver<Status>> {
        self.status.clone()
    }

    /// Memory and throughput over the last ten minutes, the oldest first.
    pub fn health_history(&self) -> Vec<HealthSample> {
        self.shared.history.samples()
    }

    /// The processes of this engine's workers.
    pub fn worker_pids(&self) -> Vec<u32> {
        let pool = self.shared.pool.status();
        pool.borrow().workers.iter().filter_map(|worker| worker.pid).collect()
    }

    /// What this process has done so far.
    pub fn totals(&self) -> Totals {
        self.shared.counters.totals()
    }

    pub fn data_folder(&self) -> &DataFolder {
        &self.shared.folder
    }

    pub fn settings(&self) -> Settings {
        self.shared.settings.borrow().clone()
    }

    /// What `auto` means on this machine.
    pub fn auto(&self) -> Resolved {
        self.shared.auto()
    }

    /// What was measured here, where `auto` goes by that; `None` where it goes by the
    /// rule, because nothing was measured, or that was on other hardware or with another
    /// model.
    pub fn tuning(&self) -> Option<Tuning> {
        self.shared.tuning()
    }

    /// What is measured here holds for this; `None` without a model.
    pub fn hardware(&self) -> Option<Hardware> {
        let accelerator = self.shared.accelerator();
        let active = self.shared.active()?;
        Some(Hardware::of(&active.model, accelerator.as_ref()))
    }

    /// Measures within a minute how this machine embeds fastest, keeps that and works by
    /// it. Indexing waits meanwhile, questions do not; dropping the future ends it.
    /// `told` hears of every turn.
    ///
    /// # Errors
    /// [`EngineError::Measuring`] where it is being measured already, and whatever keeps
    /// the model's workers from working. What was measured before stays.
    pub async fn tune(&self, told: impl FnMut(TuneStep)) -> Result<Tuning, EngineError> {
        self.writable()?;
        tune::tune(&self.shared, told).await
    }

    /// The tokens of the longest passage that the model reads; `None` without a model.
    pub fn longest_passage(&self) -> Option<usize> {
        self.shared.active().map(|active| active.model.longest_passage())
    }

    /// The tokens of a passage where the settings leave them to the app.
    pub fn usual_passage(&self) -> Option<usize> {
        let settings = Settings::default();
        self.shared.active().map(|active| active.model.chunk_size(&settings).tokens)
    }

    /// Saves settings and applies them at once. Another model takes the place of the one
    /// in use once it has the vectors of all that is indexed: [`Status::switching`] and
    /// [`Engine::settled`] tell.
    ///
    /// # Errors
    /// [`EngineError::Settings`] with every field that may not have its value,
    /// [`EngineError::Model`] for a model that is not installed; nothing was changed.
    pub async fn save_settings(&self, settings: Settings) -> Result<(), EngineError> {
        self.writable()?;
        if let Some(assets) = &self.shared.assets
            && settings.model != self.settings().model
        {
            switching::open_whole(assets, &settings.model)?;
        }
        settings.save(&self.shared.folder.settings())?;
        let before = self.shared.settings.send_replace(settings.clone());
        self.shared.problems.clear(ProblemKind::Settings);
        if before.model != settings.model {
            // What kept another model from being used says nothing of this one.
            self.shared.problems.clear(ProblemKind::Switching);
        }
        let shared = &self.shared;
        if before.runtime != settings.runtime {
            shared.read_tuning();
        }
        shared.configure_pool().await;
        if let Some(active) = shared.active() {
            require(&shared.catalog, &active.model, &settings)?;
        }
        if before.passages != settings.passages {
            shared.disturb();
        }
        if before.files != settings.files {
            shared.catalog.retry_skipped()?;
            shared.scan_asked();
            self.call(Call::Rules).await?;
        }
        shared.wake();
        Ok(())
    }

    /// Waits until nothing is left to do: every file read, embedded, or in the
    /// ledger with its reason, and the index in order. Paused folders are not waited for.
    ///
    /// # Errors
    /// The standing problem that keeps the work from ending; what could be done
    /// was done.
    pub async fn settled(&self) -> Result<(), Problem> {
        loop {
            let work = self.shared.work.notified();
            if let Some(problem) = self.stuck() {
                return Err(problem);
            }
            let to_do = self.shared.catalog.counts().map_or(1, |counts| counts.to_do());
            let is_busy = self.shared.is_scanning() || self.shared.is_switching();
            if to_do == 0 && !is_busy && self.shared.is_in_order() {
                return Ok(());
            }
            tokio::select! {
                () = work => {}
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
            }
        }
    }

    /// Whether this engine indexes, or only reads beside another that does.
    pub fn indexes(&self) -> bool {
        self.shared.following.is_some()
    }

    fn writable(&self) -> Result<(), EngineError> {
        let path = self.shared.folder.path();
        if self.indexes() { Ok(()) } else { Err(EngineError::Busy { path: path.to_owned() }) }
    }

    /// The problem without whose mend the queue does not become empty.
    fn stuck(&self) -> Option<Problem> {
        let tasks = self.tasks.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if tasks.iter().any(JoinHandle::is_finished) {
            return Some(Problem {
                kind: ProblemKind::Writing,
                message: "a part of Rummage has failed; its last words are above".to_owned(),
                mend: "Start Rummage again: everything done so far is kept.".to_owned(),
            });
        }
        let problems = self.shared.problems.all();
        let counts = self.shared.catalog.counts().ok()?;
        problems.into_iter().find(|problem| match problem.kind {
            ProblemKind::Writing | ProblemKind::Scanning | ProblemKind::Reading => true,
            // Words first: they do not need the model.
            ProblemKind::Model => {
                let words_are_done = counts.pending == counts.held.pending && counts.to_do() > 0;
                let no_words = self.shared.active().is_none();
                !self.shared.is_scanning() && (no_words || words_are_done)
            }
            ProblemKind::Switching => !self.shared.is_scanning() && counts.to_do() == 0,
            ProblemKind::Settings
            | ProblemKind::Provider
            | ProblemKind::Watching
            | ProblemKind::Cache => false,
        })
    }

    /// Ends everything in order, within three seconds: what is being written is
    /// finished, the rest stays in the queue.
    pub async fn close(&self) {
        self.end().await;
        *self.lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = None;
    }

    /// Closes the engine and removes all that it has indexed: what is followed, what was
    /// read of it, every vector, and what a person made of answers. Settings stay, and so do people's files.
    ///
    /// # Errors
    /// What keeps it from being removed. The engine is closed all the same; unless the
    /// catalog itself refused, the next one finds nothing indexed.
    pub async fn clear(&self) -> Result<(), EngineError> {
        self.writable()?;
        self.end().await;
        let shared = self.shared.clone();
        let clearing = tokio::task::spawn_blocking(move || {
            // The catalog first, in one step: without it, what is left of the store
            // counts for nothing and goes with the next opening.
            shared.catalog.clear()?;
            // Vectors tell of what was read. A borrowed cache is another folder's.
            let cleared = match &shared.cache {
                Some(cache) if cache.path() != shared.folder.cache() => Ok(()),
                Some(cache) => cache.clear(None).map(drop).map_err(EngineError::from),
                None => shared.folder.remove_cache(),
            };
            shared.folder.remove_store().and(cleared)
        });
        let cleared =
            clearing.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        *self.lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = None;
        cleared
    }

    /// Ends all work, and keeps the folder locked.
    async fn end(&self) {
        self.shared.stop_all();
        let reading = self.table_reading.lock().unwrap_or_else(|p| p.into_inner()).take();
        if let Some(reading) = reading {
            reading.abort();
        }
        let deadline = tokio::time::Instant::now() + CLOSE;
        for task in self.take_tasks() {
            let abort = task.abort_handle();
            if tokio::time::timeout_at(deadline, task).await.is_err() {
                abort.abort();
            }
        }
        self.shared.pool.close().await;
        if let Some(cache) = &self.shared.cache {
            // What it counted is of interest, no more.
            let _ = cache.note_run();
        }
    }

    fn take_tasks(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut self.tasks.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    /// The real path of something that exists and can be followed.
    fn followable(&self, path: &Path) -> Result<SourcePath, EngineError> {
        let refused = |reason: String| EngineError::Path { path: path.to_owned(), reason };
        let real = real_path(path).map_err(|error| refused(error.to_string()))?;
        let metadata = real.metadata().map_err(|error| refused(error.to_string()))?;
        if !metadata.is_dir() && !metadata.is_file() {
            return Err(refused(String::from("it is neither a file nor a folder")));
        }
        if real.starts_with(self.shared.folder.path()) {
            return Err(refused(String::from("it lies in Rummage's own data folder")));
        }
        Ok(SourcePath::new(real))
    }

    async fn call(&self, call: Call) -> Result<(), EngineError> {
        let calls = self.calls.as_ref().ok_or(EngineError::Closed)?;
        calls.send(call).await.map_err(|_| EngineError::Closed)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.stop_all();
        for task in self.take_tasks() {
            task.abort();
        }
    }
}

/// The cache of a data folder; `None` where nothing has been kept there.
pub fn open_cache(folder: &DataFolder) -> Result<Option<Cache>, EngineError> {
    let path = folder.cache();
    Ok(path.exists().then(|| Cache::open(&path)).transpose()?)
}

/// The cache, or a standing problem instead.
fn cache_or_problem(folder: &DataFolder, problems: &Problems) -> Option<Cache> {
    let path = folder.cache();
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    match made
        .map_err(|error| error.to_string())
        .and_then(|()| Cache::open(&path).map_err(|error| error.to_string()))
    {
        Ok(cache) => Some(cache),
        Err(error) => {
            let mend = format!("Delete {}: it is made anew.", path.display());
            problems.set(ProblemKind::Cache, error, mend);
            None
        }
    }
}

fn open_catalog(folder: &DataFolder, writing: bool) -> Result<Catalog, EngineError> {
    if writing {
        return Ok(Catalog::open(&folder.catalog())?);
    }
    Catalog::open_reader(&folder.catalog())?
        .ok_or_else(|| EngineError::Empty { path: folder.path().to_owned() })
}

/// Queues what is to be read anew for this model and these settings.
fn require(catalog: &Catalog, model: &LoadedModel, settings: &Settings) -> Result<(), EngineError> {
    let (cutting, ocr) = (model.cutting(settings), settings.files.ocr());
    Ok(catalog.require(&cutting, rummage_extract::VERSION, ocr)?)
}

fn worker_program(given: Option<PathBuf>) -> Result<PathBuf, EngineError> {
    let path = given.or_else(|| std::env::var_os("RUMMAGE_WORKER").map(PathBuf::from));
    let path = match path {
        Some(path) => path,
        None => {
            let program = std::env::current_exe()
                .map_err(|source| EngineError::Folder { path: PathBuf::new(), source })?;
            let name = format!("rummage-worker{}", std::env::consts::EXE_SUFFIX);
            program.with_file_name(name)
        }
    };
    if path.is_file() { Ok(path) } else { Err(EngineError::NoWorkerProgram { path }) }
}

/// Canonical where that is possible: one folder has one name, however it was given.
fn real_path(path: &Path) -> std::io::Result<PathBuf> {
    let real = path.canonicalize()?;
    // Windows' verbatim paths confuse most programs that are handed one.
    let text = real.to_string_lossy();
    Ok(match text.strip_prefix(r"\\?\") {
        Some(plain) if cfg!(windows) && !plain.starts_with("UNC") => PathBuf::from(plain),
        _ => real,
    })
}

fn absolute(path: &Path) -> Result<PathBuf, EngineError> {
    std::path::absolute(path).map_err(|source| EngineError::folder(path, source))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The machine's memory; a modest guess where the system does not tell.
fn memory_bytes() -> u64 {
    rummage_pool::machine_memory_bytes().unwrap_or(8 << 30)
}
