//! What the shell says outside of its page: in the tray, and in notifications.

use rummage_corpus::{counted, grouped};
use rummage_engine::{Status, settings::IndexingMode};

pub const OPEN: &str = "Open Rummage";
pub const PAUSE: &str = "Pause indexing";
pub const RESUME: &str = "Resume indexing";
pub const QUIT: &str = "Quit";
pub const STARTING: &str = "Starting…";

/// What the program does, in a line.
pub fn state(status: &Status, mode: IndexingMode) -> String {
    match (&status.progress, mode) {
        (_, IndexingMode::Paused) => "Paused".to_owned(),
        (Some(progress), _) => {
            format!("Indexing {} of {}", grouped(progress.done), files(progress.total))
        }
        (None, _) => format!("Up to date: {}", files(status.coverage.searched)),
    }
}

fn files(number: u64) -> String {
    counted(number, "file", "files")
}
