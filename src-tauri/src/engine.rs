//! The engine beside the window: opened while the page loads, awaited by whoever
//! needs it, closed with the app.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use rummage_engine::{
    DataFolder, Engine, EngineError, Fetched, Following, Library, Options, settings::IndexingMode,
};
use tauri::{AppHandle, Emitter, Manager};
use tokio::sync::{Notify, watch};

use crate::{
    desktop::Desktop,
    dto::{AppError, CompareStep, Comparison, FetchStep, Status, TuneStep},
};

/// The event that carries a [`Status`] to the page.
const STATUS: &str = "status";

/// The event that carries a [`TuneStep`] to the page.
const TURN: &str = "tuning";

/// The event that carries a [`CompareStep`] to the page.
const COMPARED: &str = "comparing";

/// The event that carries a [`FetchStep`] to the page.
const FETCHED: &str = "fetching";

/// The page hears no more often how far a fetch is.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// A data folder that another process indexes is asked for this often.
const ASK_AGAIN: Duration = Duration::from_secs(3);

/// The page is waited for no longer than this.
const PAGE_WAIT: Duration = Duration::from_secs(2);

/// Where the engine is once it is open.
pub struct EngineCell {
    opened: watch::Sender<Opened>,
    /// The page has been drawn.
    drawn: watch::Sender<bool>,
    tuning_stop: Notify,
    comparing_stop: Notify,
    fetching_stop: Notify,
}

#[derive(Clone, Default)]
enum Opened {
    #[default]
    NotYet,
    Engine(Arc<Engine>),
    Failed(AppError),
    Closed,
}

impl Default for EngineCell {
    fn default() -> Self {
        Self {
            opened: watch::Sender::new(Opened::NotYet),
            drawn: watch::Sender::new(false),
            tuning_stop: Notify::new(),
            comparing_stop: Notify::new(),
            fetching_stop: Notify::new(),
        }
    }
}

impl EngineCell {
    /// The engine, once it is open; the error, if it cannot be.
    pub async fn get(&self) -> Result<Arc<Engine>, AppError> {
        let mut opened = self.opened.subscribe();
        let opened = opened.wait_for(|opened| !matches!(opened, Opened::NotYet)).await;
        match opened.as_deref() {
            Ok(Opened::Engine(engine)) => Ok(engine.clone()),
            Ok(Opened::Failed(error)) => Err(error.clone()),
            _ => Err(EngineError::Closed.into()),
        }
    }

    /// The page has been drawn, and asks.
    pub fn page_asks(&self) {
        self.drawn.send_replace(true);
    }

    /// Waits until the page has been drawn: index and model would take the processor from
    /// it while one waits for the search box.
    async fn page(&self) {
        let mut drawn = self.drawn.subscribe();
        let _ = tokio::time::timeout(PAGE_WAIT, drawn.wait_for(|drawn| *drawn)).await;
    }

    /// A person has measured enough.
    pub fn stop_tuning(&self) {
        self.tuning_stop.notify_waiters();
    }

    /// A person has compared enough.
    pub fn stop_comparing(&self) {
        self.comparing_stop.notify_waiters();
    }

    /// A person does not wait for a model any longer.
    pub fn stop_fetching(&self) {
        self.fetching_stop.notify_waiters();
    }

    /// The engine, if it is open now.
    pub fn opened(&self) -> Option<Arc<Engine>> {
        match &*self.opened.borrow() {
            Opened::Engine(engine) => Some(engine.clone()),
            _ => None,
        }
    }

    /// Loads the model where it has made way for others, ahead of the question.
    pub async fn warm_up(&self) {
        if let Some(engine) = self.opened() {
            engine.warm_up().await;
        }
    }

    /// Ends the engine in order. Requests still under way hold it no longer than
    /// they take.
    pub async fn close(&self) {
        if let Opened::Engine(engine) = self.opened.send_replace(Opened::Closed) {
            engine.close().await;
        }
    }
}

/// Opens the engine once more where it could not be opened before.
pub fn open_again(app: &AppHandle) {
    let failed = app.state::<EngineCell>().opened.send_if_modified(|opened| {
        let failed = matches!(opened, Opened::Failed(_));
        if failed {
            *opened = Opened::NotYet;
        }
        failed
    });
    if failed {
        tauri::async_runtime::spawn(run(app.clone()));
    }
}

/// Opens the engine and tells the page of its every change.
pub async fn run(app: AppHandle) {
    let cell = app.state::<EngineCell>();
    cell.page().await;
    let engine = match open_at_last(&cell).await {
        Ok(engine) => Arc::new(engine),
        Err(error) => {
            cell.opened.send_replace(Opened::Failed(error.into()));
            return;
        }
    };
    let is_wanted = cell.opened.send_if_modified(|opened| {
        let is_wanted = !matches!(opened, Opened::Closed);
        if is_wanted {
            *opened = Opened::Engine(engine.clone());
        }
        is_wanted
    });
    if !is_wanted {
        return engine.close().await;
    }
    app.state::<Desktop>().settle(&app, &engine.settings()).await;
    tell(&app, &engine);
    let Some(mut changes) = engine.status_changes() else { return };
    // Whoever closes the engine is not to wait for the next status.
    let open = Arc::downgrade(&engine);
    drop(engine);
    while changes.changed().await.is_ok() {
        let Some(engine) = open.upgrade() else { return };
        let status = changes.borrow_and_update().clone();
        say(&app, &status, &engine);
    }
}

fn say(app: &AppHandle, status: &rummage_engine::Status, engine: &Engine) {
    app.state::<Desktop>().tell(app, status, engine.settings().indexing.mode);
    let _ = app.emit(STATUS, Status::of(status, engine));
}

/// Measures until it is done or stopped, and tells the page of every turn. On a thread of
/// its own: what is measured with stays on one.
pub async fn tune(app: &AppHandle) -> Result<(), AppError> {
    let engine = app.state::<EngineCell>().get().await?;
    let app = app.clone();
    let measuring = tauri::async_runtime::spawn_blocking(move || {
        let told = |step: rummage_engine::TuneStep| {
            let _ = app.emit(TURN, TuneStep::from(step));
        };
        let cell = app.state::<EngineCell>();
        tauri::async_runtime::block_on(async {
            tokio::select! {
                measured = engine.tune(told) => measured.map(drop),
                // What was measured before stays.
                () = cell.tuning_stop.notified() => Ok(()),
            }
        })
    });
    let measured = measuring.await.map_err(|_| AppError::from(EngineError::Closed))?;
    Ok(measured?)
}

/// Compares the installed models until that is done or stopped, and tells the page of every
/// step. `None` where it was stopped.
pub async fn compare(app: &AppHandle) -> Result<Option<Comparison>, AppError> {
    let cell = app.state::<EngineCell>();
    let engine = cell.get().await?;
    let told = |step: rummage_engine::CompareStep| {
        let _ = app.emit(COMPARED, CompareStep::from(step));
    };
    tokio::select! {
        compared = engine.compare(&[], told) => Ok(Some(compared?.into())),
        () = cell.comparing_stop.notified() => Ok(None),
    }
}

/// Fetches a model until it is here or that is stopped, and tells the page how far it is.
pub async fn fetch(app: &AppHandle, library: &Library, id: &str) -> Result<(), AppError> {
    let mut told: Option<Instant> = None;
    let tell = |id: &str, fetched: Fetched| {
        let is_due = told.is_none_or(|at| at.elapsed() >= TELL_EVERY);
        if is_due || fetched.done == fetched.total {
            told = Some(Instant::now());
            let _ = app.emit(FETCHED, FetchStep::new(id, fetched));
        }
    };
    let cell = app.state::<EngineCell>();
    tokio::select! {
        came = library.fetch(id, tell) => came.map(drop)?,
        () = cell.fetching_stop.notified() => {}
    }
    Ok(())
}

/// Tells the page how things stand, where the engine by itself would not: a setting
/// alone changes nothing that it watches. A status that the page does not hear is
/// followed by another.
pub fn tell(app: &AppHandle, engine: &Engine) {
    if let Ok(status) = engine.status() {
        say(app, &status, engine);
    }
}

/// Pauses the indexing, or goes on with it as before.
pub async fn pause_or_resume(app: &AppHandle) {
    let Ok(engine) = app.state::<EngineCell>().get().await else { return };
    let mut settings = engine.settings();
    settings.indexing.mode = match settings.indexing.mode {
        IndexingMode::Paused => app.state::<Desktop>().at_work(),
        IndexingMode::Full | IndexingMode::Considerate => IndexingMode::Paused,
    };
    // Refused only beside another process that indexes, which the window says.
    if engine.save_settings(settings).await.is_ok() {
        tell(app, &engine);
    }
}

/// Removes all that was indexed. Whoever asks the engine meanwhile waits for the next one,
/// which has nothing.
pub async fn clear(app: &AppHandle) -> Result<(), AppError> {
    let cell = app.state::<EngineCell>();
    let engine = cell.get().await?;
    if !engine.indexes() {
        return Err(EngineError::Busy { path: engine.data_folder().path().to_owned() }.into());
    }
    cell.opened.send_replace(Opened::NotYet);
    let cleared = engine.clear().await;
    drop(engine);
    tauri::async_runtime::spawn(run(app.clone()));
    Ok(cleared?)
}

/// Ends the engine in order, then the program.
pub fn quit(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        app.state::<EngineCell>().close().await;
        app.exit(0);
    });
}

/// While another process indexes the data folder, the window searches beside it
/// and waits for its turn.
async fn open_at_last(cell: &EngineCell) -> Result<Engine, EngineError> {
    loop {
        match open(Some(Following::Live)).await {
            Ok(engine) => {
                engine.scan_all().await?;
                return Ok(engine);
            }
            Err(error @ EngineError::Busy { .. }) => {
                let waits = matches!(&*cell.opened.borrow(), Opened::Engine(_));
                if !waits {
                    let Ok(reader) = open(None).await else { return Err(error) };
                    cell.opened.send_replace(Opened::Engine(Arc::new(reader)));
                }
                tokio::time::sleep(ASK_AGAIN).await;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn open(indexing: Option<Following>) -> Result<Engine, EngineError> {
    Engine::open(Options::new(data_folder(), indexing)).await
}

/// Where all of it is kept.
pub fn data_folder() -> PathBuf {
    let data = std::env::var_os("RUMMAGE_DATA").filter(|data| !data.is_empty());
    let data = data.map(PathBuf::from).or_else(DataFolder::of_platform);
    data.unwrap_or_else(|| PathBuf::from("rummage-data"))
}
