//! What the shell says outside of its page: in the tray, and in notifications.

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
    format!("{} {}", grouped(number), if number == 1 { "file" } else { "files" })
}

/// `5183` is `5,183`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_in_groups_of_three() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (5183, "5,183"), (1_000_000, "1,000,000")]
        {
            assert_eq!(grouped(number), expected);
        }
    }
}
