//! What the engine's tasks have in common.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use rummage_catalog::Catalog;
use rummage_corpus::SourcePath;
use rummage_pool::{ExtractConfig, Limits, Pace, Pool, PoolConfig};
use rummage_settings::{IndexingMode, Resolved, Settings};
use tokio::sync::{Notify, watch};

use crate::{
    Following,
    folder::DataFolder,
    health::History,
    model::LoadedModel,
    problem::Problems,
    progress::Counters,
    tune::{Automatic, Tuning},
};

pub(crate) struct Shared {
    pub folder: DataFolder,
    pub worker_program: PathBuf,
    /// What this process indexes; `None`: it only reads.
    pub following: Option<Following>,
    pub catalog: Catalog,
    pub settings: watch::Sender<Settings>,
    automatic: Mutex<Automatic>,
    /// This machine is being measured; indexing waits.
    measuring: AtomicBool,
    pub model: Option<LoadedModel>,
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

impl Shared {
    #[allow(clippy::too_many_arguments, reason = "the one place where the parts come together")]
    pub fn new(
        folder: DataFolder,
        worker_program: PathBuf,
        following: Option<Following>,
        catalog: Catalog,
        settings: Settings,
        automatic: Automatic,
        model: Option<LoadedModel>,
        pool: Pool,
        problems: Problems,
    ) -> Self {
        Self {
            folder,
            worker_program,
            following,
            catalog,
            settings: watch::Sender::new(settings),
            automatic: Mutex::new(automatic),
            measuring: AtomicBool::new(false),
            model,
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

    pub fn pool_config(&self) -> PoolConfig {
        let (settings, model) = (self.settings.borrow(), self.model.as_ref());
        let auto = self.automatic().numbers();
        let mut config =
            pool_config(self.worker_program.clone(), &settings, auto, model, self.following);
        if self.measuring.load(Ordering::SeqCst) {
            config.pace = Pace::Paused;
        }
        config
    }

    /// The numbers to work with now.
    pub fn numbers(&self) -> Resolved {
        let auto = self.automatic().numbers();
        self.settings.borrow().resolve(auto)
    }

    /// What `auto` means on this machine.
    pub fn automatic(&self) -> MutexGuard<'_, Automatic> {
        self.automatic.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn set_tuning(&self, tuning: Tuning) {
        self.automatic().tuning = Some(tuning);
        self.touch();
    }

    /// `false` where it is being measured already.
    pub fn begin_measuring(&self) -> bool {
        !self.measuring.swap(true, Ordering::SeqCst)
    }

    pub fn end_measuring(&self) {
        self.measuring.store(false, Ordering::SeqCst);
    }
}

pub(crate) fn pool_config(
    program: PathBuf,
    settings: &Settings,
    auto: Resolved,
    model: Option<&LoadedModel>,
    following: Option<Following>,
) -> PoolConfig {
    let numbers = settings.resolve(auto);
    let memory = crate::memory_bytes();
    let mut embed = model.map(|model| model.workers(numbers));
    if let Some(embed) = &mut embed {
        embed.keep_query_worker = following == Some(Following::Live);
        if following.is_none() {
            embed.workers = 0;
        }
    }
    PoolConfig {
        embed,
        // One process reads all files: that takes a fraction of what embedding takes.
        // Another is there to look at a scan, so that those do not wait.
        extract: ExtractConfig {
            workers: usize::from(following.is_some()) * (1 + usize::from(settings.files.ocr)),
        },
        program,
        limits: Limits::new(memory, (numbers.memory_megabytes as u64) << 20),
        pace: match (following, settings.indexing.mode) {
            // Who calls a command waits for its end.
            (Some(Following::Once), _) | (_, IndexingMode::Full) => Pace::Full,
            (_, IndexingMode::Considerate) => Pace::Considerate,
            (_, IndexingMode::Paused) => Pace::Paused,
        },
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
