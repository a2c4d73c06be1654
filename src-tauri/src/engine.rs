//! The engine beside the window: opened while the page loads, awaited by whoever
//! needs it, closed with the app.

use std::{path::PathBuf, sync::Arc};

use rummage_engine::{DataFolder, Engine, EngineError, Following, Options};
use tauri::{AppHandle, Emitter, Manager};
use tokio::sync::watch;

use crate::dto::{AppError, Status};

/// The event that carries a [`Status`] to the page.
const STATUS: &str = "status";

/// Where the engine is once it is open.
pub struct EngineCell {
    opened: watch::Sender<Opened>,
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
        Self { opened: watch::Sender::new(Opened::NotYet) }
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

    /// Ends the engine in order. Requests still under way hold it no longer than
    /// they take.
    pub async fn close(&self) {
        if let Opened::Engine(engine) = self.opened.send_replace(Opened::Closed) {
            engine.close().await;
        }
    }
}

/// Opens the engine and tells the page of its every change.
pub async fn run(app: AppHandle) {
    let cell = app.state::<EngineCell>();
    let engine = match open().await {
        Ok(engine) => Arc::new(engine),
        Err(error) => {
            cell.opened.send_replace(Opened::Failed(error.into()));
            return;
        }
    };
    cell.opened.send_replace(Opened::Engine(engine.clone()));
    let Some(mut changes) = engine.status_changes() else { return };
    // The page lives as long as the app; a status it does not hear is followed by another.
    drop(engine);
    while changes.changed().await.is_ok() {
        let status = Status::from(&*changes.borrow_and_update());
        let _ = app.emit(STATUS, status);
    }
}

async fn open() -> Result<Engine, EngineError> {
    let data = std::env::var_os("RUMMAGE_DATA").filter(|data| !data.is_empty());
    let data = data.map(PathBuf::from).or_else(DataFolder::of_platform);
    let data = data.unwrap_or_else(|| PathBuf::from("rummage-data"));
    let engine = Engine::open(Options::new(data, Some(Following::Live))).await?;
    engine.scan_all().await?;
    Ok(engine)
}
