//! The window itself: made where it was left, hidden in the tray and brought back.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Emitter, Manager, WebviewWindow, WebviewWindowBuilder, Window};

use crate::engine;

pub const LABEL: &str = "main";

/// The event by which the page learns that its search box is wanted.
const SUMMON: &str = "summon";

/// Starts the program without showing it, where there is a tray: at login.
pub const HIDDEN: &str = "--hidden";

/// Where the window stood, in logical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Place {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    maximized: bool,
}

/// More than a frame's edge of it must be on a screen, or nobody could move it.
const IN_SIGHT: f64 = 60.0;

/// Makes the window, where it stood last if that is on a screen still.
pub fn open(app: &AppHandle) -> tauri::Result<()> {
    let windows = &app.config().app.windows;
    let Some(mut config) = windows.iter().find(|window| window.label == LABEL).cloned() else {
        return Ok(());
    };
    if let Some(place) = read(&path()) {
        (config.width, config.height) = (place.width, place.height);
        config.maximized = place.maximized;
        if is_on_a_screen(app, place) {
            (config.x, config.y, config.center) = (Some(place.x), Some(place.y), false);
        }
    }
    config.visible = std::env::args().all(|argument| argument != HIDDEN);
    WebviewWindowBuilder::from_config(app, &config)?.build()?;
    Ok(())
}

/// Brings the window forward, ready to be asked.
pub fn summon(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let _ = window.unminimize();
    let _ = window.show();
    let _ = window.set_focus();
    let _ = app.emit(SUMMON, ());
}

/// For when nothing else could bring it back.
pub fn summon_if_hidden(app: &AppHandle) {
    if app.get_webview_window(LABEL).is_some_and(|window| !is_visible(&window)) {
        summon(app);
    }
}

/// A person has the window before their eyes.
pub fn is_looked_at(app: &AppHandle) -> bool {
    app.get_webview_window(LABEL)
        .is_some_and(|window| is_visible(&window) && window.is_focused().unwrap_or(false))
}

fn is_visible(window: &WebviewWindow) -> bool {
    window.is_visible().unwrap_or(true)
}

/// Keeps where the window stands. What cannot be kept is no loss.
pub fn remember(window: &Window) {
    let place = || -> tauri::Result<Option<Place>> {
        if window.is_minimized()? || !window.is_visible()? {
            return Ok(None);
        }
        let scale = window.scale_factor()?;
        let size = window.inner_size()?.to_logical::<f64>(scale);
        let position = window.outer_position()?.to_logical::<f64>(scale);
        let maximized = window.is_maximized()?;
        let Place { x, y, width, height, .. } = match read(&path()) {
            // So that it has a size of its own to come back to.
            Some(before) if maximized => before,
            _ => Place {
                x: position.x,
                y: position.y,
                width: size.width,
                height: size.height,
                maximized,
            },
        };
        Ok(Some(Place { x, y, width, height, maximized }))
    };
    if let Ok(Some(place)) = place()
        && let Ok(text) = serde_json::to_vec(&place)
    {
        let _ = fs::write(path(), text);
    }
}

fn path() -> PathBuf {
    engine::data_folder().join("window.json")
}

fn read(path: &Path) -> Option<Place> {
    let place: Place = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let is_size = |length: f64| (100.0..20_000.0).contains(&length);
    (is_size(place.width) && is_size(place.height)).then_some(place)
}

fn is_on_a_screen(app: &AppHandle, place: Place) -> bool {
    let monitors = app.available_monitors().unwrap_or_default();
    monitors.iter().any(|monitor| {
        let scale = monitor.scale_factor();
        let at = monitor.position().to_logical::<f64>(scale);
        let size = monitor.size().to_logical::<f64>(scale);
        overlap(place.x, place.width, at.x, size.width) >= IN_SIGHT
            && (at.y..at.y + size.height - IN_SIGHT / 2.0).contains(&place.y)
    })
}

/// How much two spans, each a beginning and a length, have in common.
fn overlap(a: f64, a_length: f64, b: f64, b_length: f64) -> f64 {
    (a + a_length).min(b + b_length) - a.max(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_nonsense_is_none() {
        let dir = std::env::temp_dir().join(format!("rummage-window-{}", std::process::id()));
        let place = Place { x: -10.0, y: 5.5, width: 800.0, height: 600.0, maximized: true };
        fs::write(&dir, serde_json::to_vec(&place).unwrap()).unwrap();
        assert_eq!(read(&dir), Some(place));
        for nonsense in ["", "{}", r#"{"x":0,"y":0,"width":1,"height":9,"maximized":false}"#] {
            fs::write(&dir, nonsense).unwrap();
            assert_eq!(read(&dir), None, "{nonsense}");
        }
        fs::remove_file(&dir).unwrap();
        assert_eq!(read(&dir), None);
    }

    #[test]
    fn spans_overlap_by_what_they_share() {
        assert_eq!(overlap(0.0, 100.0, 50.0, 100.0), 50.0);
        assert_eq!(overlap(0.0, 100.0, 150.0, 10.0), -50.0);
    }
}
