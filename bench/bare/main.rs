//! A Tauri window with a search box and nothing behind it: the floor that
//! `bench/window.mjs` measures ours against.

fn main() {
    if let Err(error) =
        tauri::Builder::default().run(tauri::generate_context!("bench/bare/tauri.conf.json"))
    {
        eprintln!("bare: {error}");
        std::process::exit(1);
    }
}
