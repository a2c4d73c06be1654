//! A native notification, when something needs a person who does not look at the
//! window: once for each problem.

use std::{collections::HashSet, sync::Mutex};

use rummage_engine::Problem;
use tauri::{AppHandle, async_runtime};

use crate::window;

/// The problems that were told of, or seen in the window.
#[derive(Default)]
pub struct Told(Mutex<HashSet<String>>);

impl Told {
    pub fn tell(&self, app: &AppHandle, problems: &[Problem]) {
        let is_looked_at = window::is_looked_at(app);
        for problem in self.news(problems) {
            if !is_looked_at {
                // It waits for the desktop's answer.
                let (title, body) = (problem.message.clone(), problem.mend.clone());
                async_runtime::spawn_blocking(move || {
                    let _ = notify_rust::Notification::new()
                        .appname("Rummage")
                        .icon("rummage-desktop")
                        .summary(&title)
                        .body(&body)
                        .show();
                });
            }
        }
    }

    /// Those that were not there when this was asked last. One that comes back is news
    /// again.
    fn news<'a>(&self, problems: &'a [Problem]) -> Vec<&'a Problem> {
        let mut known = self.0.lock().unwrap_or_else(|p| p.into_inner());
        let news = problems.iter().filter(|problem| !known.contains(&problem.message)).collect();
        *known = problems.iter().map(|problem| problem.message.clone()).collect();
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rummage_engine::ProblemKind;

    #[test]
    fn a_problem_is_told_once_until_it_comes_back() {
        let told = Told::default();
        let problem = |message: &str| Problem {
            kind: ProblemKind::Writing,
            message: message.to_owned(),
            mend: String::new(),
        };
        let check = |now: &[&str], expected: &[&str]| {
            let problems: Vec<_> = now.iter().map(|message| problem(message)).collect();
            let news: Vec<_> = told.news(&problems).iter().map(|p| p.message.clone()).collect();
            assert_eq!(news, expected);
        };
        check(&["full"], &["full"]);
        check(&["full", "model"], &["model"]);
        check(&["model"], &[]);
        check(&["full"], &["full"]);
    }
}
