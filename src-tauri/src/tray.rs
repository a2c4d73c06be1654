//! The sign in the desktop's tray: what the program does, and the ways to open, pause
//! and end it. On Linux it is a StatusNotifierItem, elsewhere Tauri's own.

use tauri::AppHandle;

use crate::{engine, window, words};

/// What the tray shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// In a line.
    pub state: String,
    pub is_paused: bool,
}

impl Default for Shown {
    fn default() -> Self {
        Self { state: words::STARTING.to_owned(), is_paused: false }
    }
}

/// What a person may do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Open,
    PauseOrResume,
    Quit,
}

fn act(app: &AppHandle, choice: Choice) {
    match choice {
        Choice::Open => window::summon(app),
        Choice::PauseOrResume => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move { engine::pause_or_resume(&app).await });
        }
        Choice::Quit => engine::quit(app),
    }
}

pub use platform::Tray;

#[cfg(target_os = "linux")]
mod platform {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use ksni::{
        Icon, MenuItem, OfflineReason, ToolTip,
        blocking::{Handle, TrayMethods},
        menu::StandardItem,
    };
    use tauri::AppHandle;

    use super::{Choice, Shown, act};
    use crate::words;

    /// The sign, whether or not there is a tray that shows it now.
    pub struct Tray {
        handle: Handle<Sign>,
        is_there: Arc<AtomicBool>,
    }

    impl Tray {
        /// `None` where this desktop will never show one: there is no session bus.
        /// A tray may come later; waits for the answer of the bus.
        pub fn start(app: &AppHandle) -> Option<Self> {
            let is_there = Arc::new(AtomicBool::new(true));
            let sign = Sign {
                app: app.clone(),
                icon: icon_of(app),
                shown: Shown::default(),
                is_there: is_there.clone(),
            };
            let handle = sign.assume_sni_available(true).spawn().ok()?;
            Some(Self { handle, is_there })
        }

        pub fn is_there(&self) -> bool {
            self.is_there.load(Ordering::Relaxed)
        }

        pub fn show(&self, shown: Shown) {
            self.handle.update(|sign| sign.shown = shown);
        }
    }

    struct Sign {
        app: AppHandle,
        icon: Vec<Icon>,
        shown: Shown,
        is_there: Arc<AtomicBool>,
    }

    impl ksni::Tray for Sign {
        fn id(&self) -> String {
            "rummage".to_owned()
        }

        fn title(&self) -> String {
            "Rummage".to_owned()
        }

        fn icon_pixmap(&self) -> Vec<Icon> {
            self.icon.clone()
        }

        fn tool_tip(&self) -> ToolTip {
            ToolTip {
                title: "Rummage".to_owned(),
                description: self.shown.state.clone(),
                ..ToolTip::default()
            }
        }

        fn activate(&mut self, _x: i32, _y: i32) {
            act(&self.app, Choice::Open);
        }

        fn menu(&self) -> Vec<MenuItem<Self>> {
            let item = |label: &str, choice| {
                StandardItem {
                    label: label.to_owned(),
                    activate: Box::new(move |sign: &mut Self| act(&sign.app, choice)),
                    ..StandardItem::default()
                }
                .into()
            };
            let pause = if self.shown.is_paused { words::RESUME } else { words::PAUSE };
            vec![
                StandardItem {
                    label: self.shown.state.clone(),
                    enabled: false,
                    ..StandardItem::default()
                }
                .into(),
                MenuItem::Separator,
                item(words::OPEN, Choice::Open),
                item(pause, Choice::PauseOrResume),
                MenuItem::Separator,
                item(words::QUIT, Choice::Quit),
            ]
        }

        fn watcher_online(&self) {
            self.is_there.store(true, Ordering::Relaxed);
        }

        fn watcher_offline(&self, _reason: OfflineReason) -> bool {
            self.is_there.store(false, Ordering::Relaxed);
            // A hidden window that nobody could bring back would be lost.
            crate::window::summon_if_hidden(&self.app);
            true
        }
    }

    /// The app's icon as trays want it: alpha first.
    fn icon_of(app: &AppHandle) -> Vec<Icon> {
        let icon = app.default_window_icon();
        let pixels = |icon: &tauri::image::Image<'_>| Icon {
            width: icon.width() as i32,
            height: icon.height() as i32,
            data: icon.rgba().chunks_exact(4).flat_map(|p| [p[3], p[0], p[1], p[2]]).collect(),
        };
        icon.map(pixels).into_iter().collect()
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use tauri::{
        AppHandle,
        menu::{MenuBuilder, MenuItem, MenuItemBuilder},
        tray::{MouseButton, TrayIconBuilder, TrayIconEvent},
    };

    use super::{Choice, Shown, act};
    use crate::words;

    pub struct Tray {
        state: MenuItem<tauri::Wry>,
        pause: MenuItem<tauri::Wry>,
    }

    impl Tray {
        pub fn start(app: &AppHandle) -> Option<Self> {
            Self::build(app).ok()
        }

        fn build(app: &AppHandle) -> tauri::Result<Self> {
            let state = MenuItemBuilder::new(words::STARTING).enabled(false).build(app)?;
            let pause = MenuItemBuilder::with_id("pause", words::PAUSE).build(app)?;
            let menu = MenuBuilder::new(app)
                .item(&state)
                .separator()
                .text("open", words::OPEN)
                .item(&pause)
                .separator()
                .text("quit", words::QUIT)
                .build()?;
            let mut tray = TrayIconBuilder::with_id("rummage")
                .menu(&menu)
                .show_menu_on_left_click(false)
                .on_menu_event(|app, event| match event.id().as_ref() {
                    "open" => act(app, Choice::Open),
                    "pause" => act(app, Choice::PauseOrResume),
                    "quit" => act(app, Choice::Quit),
                    _ => {}
                })
                .on_tray_icon_event(|tray, event| {
                    if let TrayIconEvent::Click { button: MouseButton::Left, .. } = event {
                        act(tray.app_handle(), Choice::Open);
                    }
                });
            if let Some(icon) = app.default_window_icon() {
                tray = tray.icon(icon.clone());
            }
            tray.build(app)?;
            Ok(Self { state, pause })
        }

        pub fn is_there(&self) -> bool {
            true
        }

        pub fn show(&self, shown: Shown) {
            let _ = self.state.set_text(&shown.state);
            let _ = self.pause.set_text(if shown.is_paused { words::RESUME } else { words::PAUSE });
        }
    }
}
