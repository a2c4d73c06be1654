//! The keys that summon the window from anywhere. X11, Windows and macOS let a program
//! listen for them; under Wayland the desktop alone does, and it is told so.

use std::sync::Mutex;

use global_hotkey::{GlobalHotKeyEvent, GlobalHotKeyManager, HotKeyState, hotkey::HotKey};
use tauri::{AppHandle, async_runtime};
use tokio::sync::oneshot;

use crate::window;

/// Why keys do not summon, in words to stand beside their field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShortcutError {
    #[error("“{0}” is no key combination such as Ctrl+Alt+Space")]
    NoKeys(String),
    #[error("another program has taken {0} already: choose others")]
    Taken(String),
    #[error(
        "Wayland lets only the desktop listen for keys: bind some in its settings to the \
         command “rummage-desktop --summon”"
    )]
    Wayland,
    #[error("this desktop lets no program listen for keys: {0}")]
    Refused(String),
}

/// The keys listened for now.
#[derive(Default)]
pub struct Shortcut {
    now: Mutex<Option<HotKey>>,
}

// It must live on the main thread, where some platforms tell of keys.
thread_local! {
    static MANAGER: std::cell::OnceCell<GlobalHotKeyManager> = const { std::cell::OnceCell::new() };
}

impl Shortcut {
    /// Listens for these keys instead of those before; for none where `keys` is empty.
    ///
    /// # Errors
    /// Those before stay.
    pub async fn set(&self, app: &AppHandle, keys: &str) -> Result<(), ShortcutError> {
        let wanted = parse(keys)?;
        let before = *self.now.lock().unwrap_or_else(|p| p.into_inner());
        if wanted == before {
            return Ok(());
        }
        if wanted.is_some() && is_wayland() {
            return Err(ShortcutError::Wayland);
        }
        let (done, outcome) = oneshot::channel();
        let (app, name) = (app.clone(), keys.to_owned());
        let listener = app.clone();
        let asked = app.run_on_main_thread(move || {
            let _ = done.send(exchange(&listener, before, wanted, &name));
        });
        let refused = |error: &dyn std::error::Error| ShortcutError::Refused(error.to_string());
        asked.map_err(|error| refused(&error))?;
        outcome.await.map_err(|error| refused(&error))??;
        *self.now.lock().unwrap_or_else(|p| p.into_inner()) = wanted;
        Ok(())
    }
}

fn parse(keys: &str) -> Result<Option<HotKey>, ShortcutError> {
    if keys.trim().is_empty() {
        return Ok(None);
    }
    keys.parse().map(Some).map_err(|_| ShortcutError::NoKeys(keys.to_owned()))
}

fn exchange(
    app: &AppHandle,
    before: Option<HotKey>,
    wanted: Option<HotKey>,
    name: &str,
) -> Result<(), ShortcutError> {
    let failed = |error: global_hotkey::Error| match error {
        global_hotkey::Error::AlreadyRegistered(_) => ShortcutError::Taken(name.to_owned()),
        error => ShortcutError::Refused(error.to_string()),
    };
    MANAGER.with(|cell| {
        if cell.get().is_none() {
            let manager = GlobalHotKeyManager::new().map_err(failed)?;
            let _ = cell.set(manager);
            let app = app.clone();
            GlobalHotKeyEvent::set_event_handler(Some(move |event: GlobalHotKeyEvent| {
                if event.state() == HotKeyState::Pressed {
                    let app = app.clone();
                    async_runtime::spawn(async move { window::summon(&app) });
                }
            }));
        }
        let Some(manager) = cell.get() else { return Ok(()) };
        if let Some(wanted) = wanted {
            manager.register(wanted).map_err(failed)?;
        }
        if let Some(before) = before {
            manager.unregister(before).map_err(failed)?;
        }
        Ok(())
    })
}

fn is_wayland() -> bool {
    cfg!(target_os = "linux")
        && std::env::var("XDG_SESSION_TYPE").map_or_else(
            |_| std::env::var_os("WAYLAND_DISPLAY").is_some(),
            |session| session.eq_ignore_ascii_case("wayland"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_a_combination_or_none() {
        let check = |keys: &str, expected: Result<bool, ()>| {
            assert_eq!(parse(keys).map(|keys| keys.is_some()).map_err(drop), expected, "{keys:?}");
        };
        check("", Ok(false));
        for keys in ["Ctrl+Alt+Space", "Super+Shift+K", "F9"] {
            check(keys, Ok(true));
        }
        for keys in ["Ctrl+", "Ctrl+Alt", "Hold+K", "Ctrl+A+B"] {
            check(keys, Err(()));
        }
    }
}
