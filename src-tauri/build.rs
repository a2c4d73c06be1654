//! Gates every command of the shell behind a permission that tauri.conf.json grants.

const COMMANDS: &[&str] = &[
    "status",
    "add_folders",
    "pick_folders",
    "forget_folder",
    "pause_folder",
    "read_again",
    "folder_bytes",
    "reveal_data",
    "clear_data",
    "search",
    "similar",
    "nearest_sentences",
    "preview",
    "questions",
    "open_file",
    "mark_good",
    "clear_marks",
    "reveal_file",
    "files",
    "retry_file",
    "retry_files",
    "include_file",
    "health_history",
    "set_mode",
    "settings",
    "save_settings",
    "tune",
    "stop_tuning",
    "models",
    "use_model",
    "import_model",
    "fetch_model",
    "stop_fetching",
    "remove_model",
    "compare_models",
    "stop_comparing",
];

fn main() {
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))
        .expect("tauri.conf.json and the shell's commands fit together");
}
