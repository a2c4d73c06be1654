//! The desktop window: a thin shell around the engine. It opens the engine beside
//! the window, passes the page's requests on, and the engine's status back. What
//! the page may ask for is in [`commands`], and tauri.conf.json grants it.
//!
//! Called with [`COMMAND`] it is the command line instead, and no window: so a package
//! holds the engine once.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod commands;
mod desktop;
mod dto;
mod engine;
mod notify;
mod shortcut;
mod tray;
mod window;
mod words;

use std::{ffi::OsString, process::ExitCode};

use tauri::{Manager, RunEvent, WindowEvent};

use desktop::Desktop;
use engine::EngineCell;

/// The first argument of the program that packages install as `rummage`.
const COMMAND: &str = "--command";

fn main() -> ExitCode {
    // SAFETY: no other thread has been started yet.
    unsafe { rummage_engine::prepare_process() };
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.next_if(|first| first == COMMAND).is_some() {
        return rummage_cli::main([OsString::from("rummage")].into_iter().chain(arguments));
    }
    calm_webkit();
    // Without a desktop Tauri would end with a panic.
    #[cfg(target_os = "linux")]
    if gtk::init().is_err() {
        eprintln!(
            "rummage: there is no desktop here to open a window on (by DISPLAY or \
             WAYLAND_DISPLAY): start it within one, or see `rummage --help` for the command line"
        );
        return ExitCode::FAILURE;
    }
    let app = tauri::Builder::default()
        // First of all plugins, so that a second start does nothing else.
        .plugin(tauri_plugin_single_instance::init(|app, _, _| window::summon(app)))
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_opener::init())
        .manage(EngineCell::default())
        .manage(Desktop::default())
        .invoke_handler(tauri::generate_handler![
            commands::status,
            commands::add_folders,
            commands::pick_folders,
            commands::forget_folder,
            commands::pause_folder,
            commands::read_again,
            commands::folder_bytes,
            commands::reveal_data,
            commands::clear_data,
            commands::search,
            commands::similar,
            commands::nearest_sentences,
            commands::preview,
            commands::questions,
            commands::open_file,
            commands::mark_good,
            commands::clear_marks,
            commands::reveal_file,
            commands::files,
            commands::retry_file,
            commands::retry_files,
            commands::include_file,
            commands::health_history,
            commands::set_mode,
            commands::settings,
            commands::save_settings,
            commands::tune,
            commands::stop_tuning,
            commands::models,
            commands::use_model,
            commands::import_model,
            commands::fetch_model,
            commands::stop_fetching,
            commands::remove_model,
            commands::compare_models,
            commands::stop_comparing,
        ])
        .on_window_event(|window, event| match event {
            // Who looks at the window is about to ask.
            WindowEvent::Focused(true) => {
                let app = window.app_handle().clone();
                tauri::async_runtime::spawn(async move {
                    app.state::<EngineCell>().warm_up().await;
                });
            }
            WindowEvent::CloseRequested { api, .. } => {
                window::remember(window);
                if window.state::<Desktop>().hides_on_close() {
                    api.prevent_close();
                    let _ = window.hide();
                }
            }
            _ => {}
        })
        .setup(|app| {
            window::open(app.handle())?;
            tauri::async_runtime::spawn(engine::run(app.handle().clone()));
            Ok(())
        })
        .build(tauri::generate_context!());
    let app = match app {
        Ok(app) => app,
        Err(error) => {
            eprintln!("rummage: the window cannot be opened: {error}");
            return ExitCode::FAILURE;
        }
    };
    app.run(|app, event| {
        // The last window is closed: the engine ends in order first.
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            api.prevent_exit();
            engine::quit(app);
        }
    });
    ExitCode::SUCCESS
}

/// WebKitGTK's DMA-BUF renderer leaves the window blank with some drivers and
/// costs memory and time without a GPU. Whoever wants it sets the variable.
fn calm_webkit() {
    #[cfg(target_os = "linux")]
    {
        const RENDERER: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
        if std::env::var_os(RENDERER).is_none() {
            // SAFETY: no other thread has been started yet.
            unsafe { std::env::set_var(RENDERER, "1") };
        }
    }
}
