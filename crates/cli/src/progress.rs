//! Progress of long work on stderr: a bar on a terminal, now and then a line
//! elsewhere.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rummage_corpus::grouped;
use rummage_engine::Status;

/// Where no terminal is, a line is written this often.
const LINE_EVERY: Duration = Duration::from_secs(5);

pub enum Progress {
    Quiet,
    Bar(ProgressBar),
    Lines { last: Instant },
}

impl Progress {
    pub fn new(quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !io::stderr().is_terminal() {
            return Self::Lines { last: Instant::now() };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {msg}");
        Self::Bar(bar.with_style(style.expect("the template is constant")))
    }

    pub fn show(&mut self, status: &Status) {
        let Some(line) = line(status) else { return };
        match self {
            Self::Quiet => {}
            Self::Bar(bar) => {
                if let Some(progress) = status.progress {
                    bar.set_length(progress.total);
                    bar.set_position(progress.done);
                }
                bar.set_message(line);
            }
            Self::Lines { last } => {
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    eprintln!("{line}");
                }
            }
        }
    }

    pub fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn line(status: &Status) -> Option<String> {
    let Some(progress) = status.progress else {
        return status.scanning.then(|| "Looking through folders".to_owned());
    };
    let share = 100.0 * progress.done as f64 / progress.total.max(1) as f64;
    let mut line = format!(
        "Processed {}/{} ({share:.1}%) · {:.0} files/s · {} failed",
        grouped(progress.done),
        grouped(progress.total),
        progress.files_per_second,
        grouped(status.counts.failed)
    );
    if let Some(seconds) = progress.seconds_left {
        line.push_str(&format!(" · {} left", duration(seconds)));
    }
    Some(line)
}

fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h {minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (seconds, expected) in [(9.4, "9s"), (61.0, "1m 01s"), (7800.0, "2h 10m")] {
            assert_eq!(duration(seconds), expected);
        }
    }
}
