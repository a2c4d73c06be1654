//! How the program lives on the desktop: its tray, the keys that summon it, what it
//! tells of by itself, and whether a closed window ends it.

use std::sync::{
    Mutex, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use auto_launch::{AutoLaunch, AutoLaunchBuilder};
use rummage_engine::{
    Status,
    settings::{IndexingMode, Settings, WindowSettings},
};
use tauri::AppHandle;

use crate::{
    notify::Told,
    shortcut::{Shortcut, ShortcutError},
    tray::{Shown, Tray},
    window::{self, HIDDEN},
    words,
};

#[derive(Default)]
pub struct Desktop {
    tray: OnceLock<Option<Tray>>,
    shown: Mutex<Shown>,
    shortcut: Shortcut,
    /// Why the keys in the settings do not summon.
    refused: Mutex<Option<ShortcutError>>,
    closes_to_tray: AtomicBool,
    /// How indexing went when it was not paused.
    at_work: Mutex<IndexingMode>,
    told: Told,
}

impl Desktop {
    /// Takes its place on the desktop, once the settings are known.
    pub async fn settle(&self, app: &AppHandle, settings: &Settings) {
        if self.tray.get().is_none() {
            let app = app.clone();
            // It asks the session bus and waits for the answer.
            let started = tauri::async_runtime::spawn_blocking(move || Tray::start(&app));
            let _ = self.tray.set(started.await.ok().flatten());
        }
        let refused = self.apply(app, &settings.window).await.err();
        *self.refused.lock().unwrap_or_else(|p| p.into_inner()) = refused;
        if !self.has_tray() {
            // Started at login, to wait in a tray that is not there.
            window::summon_if_hidden(app);
        }
    }

    /// Puts settings in force.
    ///
    /// # Errors
    /// The keys are not to be had; those before stay, and so does all else.
    pub async fn apply(
        &self,
        app: &AppHandle,
        settings: &WindowSettings,
    ) -> Result<(), ShortcutError> {
        self.closes_to_tray.store(settings.close_to_tray, Ordering::Relaxed);
        self.shortcut.set(app, &settings.shortcut).await?;
        *self.refused.lock().unwrap_or_else(|p| p.into_inner()) = None;
        Ok(())
    }

    /// Why the keys in the settings do not summon, if so.
    pub fn refused(&self) -> Option<ShortcutError> {
        self.refused.lock().unwrap_or_else(|p| p.into_inner()).clone()
    }

    pub fn has_tray(&self) -> bool {
        self.tray().is_some_and(Tray::is_there)
    }

    /// Whether closing the window only hides it.
    pub fn hides_on_close(&self) -> bool {
        self.closes_to_tray.load(Ordering::Relaxed) && self.has_tray()
    }

    /// Tells the tray how things stand, and the person what needs one.
    pub fn tell(&self, app: &AppHandle, status: &Status, mode: IndexingMode) {
        self.told.tell(app, &status.problems);
        if mode != IndexingMode::Paused {
            *self.at_work.lock().unwrap_or_else(|p| p.into_inner()) = mode;
        }
        let now =
            Shown { state: words::state(status, mode), is_paused: mode == IndexingMode::Paused };
        let mut shown = self.shown.lock().unwrap_or_else(|p| p.into_inner());
        if let Some(tray) = self.tray().filter(|_| *shown != now) {
            *shown = now.clone();
            tray.show(now);
        }
    }

    /// What resuming leads back to.
    pub fn at_work(&self) -> IndexingMode {
        *self.at_work.lock().unwrap_or_else(|p| p.into_inner())
    }

    fn tray(&self) -> Option<&Tray> {
        self.tray.get().and_then(Option::as_ref)
    }
}

/// The desktop's own list of what starts with it: the truth is there, not in the settings.
fn login() -> auto_launch::Result<AutoLaunch> {
    let program = std::env::current_exe()?.display().to_string();
    AutoLaunchBuilder::new()
        .set_app_name("Rummage")
        .set_app_path(&program)
        .set_args(&[HIDDEN])
        .set_use_launch_agent(true)
        .build()
}

pub fn starts_at_login() -> bool {
    login().and_then(|login| login.is_enabled()).unwrap_or(false)
}

pub fn start_at_login(wanted: bool) -> auto_launch::Result<()> {
    let login = login()?;
    match (login.is_enabled()?, wanted) {
        (false, true) => login.enable(),
        (true, false) => login.disable(),
        _ => Ok(()),
    }
}
