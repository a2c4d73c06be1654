//! In which order settings are measured, and which of them wins. It knows no worker:
//! whoever asks measures.
//!
//! Not the whole grid: first how the cores are shared out among processes and threads,
//! then the size of a call for the best of these, then the best few against each other,
//! turn and turn about, so that the machine's moods fall on all of them.

use serde::{Deserialize, Serialize};

/// One way of embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Setting {
    pub workers: usize,
    pub threads: usize,
    pub tokens_per_call: usize,
}

/// How fast one setting was, at the best of its turns: whatever else the machine does
/// only ever slows it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    #[serde(flatten)]
    pub setting: Setting,
    pub passages_per_second: f64,
    pub turns: usize,
}

/// Processes and threads are compared with calls of about what a cache holds, and with
/// calls that give many threads something to do.
const FIRST_TOKENS: [usize; 2] = [256, 4096];

/// Then the best are tried with these.
const OTHER_TOKENS: [usize; 5] = [16, 64, 128, 512, 1024];

/// A second layout is tried with other calls, too, if it is at most so much slower.
const NEAR: f64 = 0.9;

/// The best of the first round are measured once more before anything is built on it.
const SECOND_LOOKS: usize = 4;

/// Those that meet in the end, and how often.
const FINALISTS: usize = 3;
const TURNS: usize = 5;

/// Of two that differ by less the one with smaller calls is better: a question waits
/// for the end of a call, and it takes less memory.
const ALIKE: f64 = 0.99;

/// Measurements of one search, at most: what its progress is shown against.
pub(super) fn most_turns(layouts: usize) -> usize {
    layouts * FIRST_TOKENS.len() + SECOND_LOOKS + 2 * OTHER_TOKENS.len() + FINALISTS * TURNS
}

/// How `cores` may be shared out among at most `workers` processes: processes, and
/// threads in each. The likeliest first, for time may run out.
pub(super) fn layouts(cores: usize, workers: usize) -> Vec<(usize, usize)> {
    let (cores, workers) = (cores.max(1), workers.max(1));
    let mut layouts = vec![(workers.min(cores), 1), (1, cores)];
    let halves = std::iter::successors(Some(2), |threads| Some(threads * 2));
    for threads in halves.take_while(|threads| *threads < cores) {
        layouts.push(((cores / threads).clamp(1, workers), threads));
    }
    // Two threads of a core may be slower than one.
    layouts.push(((cores / 2).clamp(1, workers), 1));
    let mut seen = Vec::new();
    layouts.retain(|layout| !seen.contains(layout) && (seen.push(*layout), true).1);
    layouts
}

/// Measures until it is known which setting is best or `is_over` says that time is up.
/// The best is the first of those returned. `measure` gives passages a second; `None`
/// where the machine has no room for that many workers.
///
/// # Errors
/// Those of `measure`.
pub(super) async fn search<E>(
    layouts: &[(usize, usize)],
    mut measure: impl AsyncFnMut(Setting) -> Result<Option<f64>, E>,
    is_over: impl Fn() -> bool,
) -> Result<Vec<Trial>, E> {
    let mut table = Table::default();
    let settings = |(workers, threads), tokens: &'static [usize]| {
        tokens.iter().map(move |&tokens_per_call| Setting { workers, threads, tokens_per_call })
    };
    for &layout in layouts {
        for setting in settings(layout, &FIRST_TOKENS) {
            // The first two settings are measured however long that takes.
            if table.turns.len() >= FIRST_TOKENS.len() && is_over() {
                break;
            }
            table.add(setting, measure(setting).await?);
        }
    }
    for trial in table.trials().into_iter().take(SECOND_LOOKS) {
        if is_over() {
            break;
        }
        table.add(trial.setting, measure(trial.setting).await?);
    }
    for layout in table.best_layouts() {
        for setting in settings(layout, &OTHER_TOKENS) {
            if is_over() {
                break;
            }
            table.add(setting, measure(setting).await?);
        }
    }
    let finalists: Vec<Setting> =
        table.trials().iter().take(FINALISTS).map(|trial| trial.setting).collect();
    for turn in 0..TURNS {
        for place in 0..finalists.len() {
            if is_over() {
                break;
            }
            // Nobody is always first after the others.
            let setting = finalists[(place + turn) % finalists.len()];
            table.add(setting, measure(setting).await?);
        }
    }
    let mut trials = table.trials();
    let best = trials.iter().filter(|trial| finalists.contains(&trial.setting));
    let fastest = best.clone().map(|trial| trial.passages_per_second).fold(0.0, f64::max);
    let chosen = best
        .filter(|trial| trial.passages_per_second >= ALIKE * fastest)
        .min_by_key(|trial| trial.setting.tokens_per_call)
        .map(|trial| trial.setting);
    // Stable: the others stay in the order of their speed.
    trials.sort_by_key(|trial| Some(trial.setting) != chosen);
    Ok(trials)
}

#[derive(Default)]
struct Table {
    turns: Vec<(Setting, Vec<f64>)>,
}

impl Table {
    fn add(&mut self, setting: Setting, rate: Option<f64>) {
        let Some(rate) = rate else { return };
        match self.turns.iter_mut().find(|(known, _)| *known == setting) {
            Some((_, rates)) => rates.push(rate),
            None => self.turns.push((setting, vec![rate])),
        }
    }

    /// The fastest first.
    fn trials(&self) -> Vec<Trial> {
        let trial = |(setting, rates): &(Setting, Vec<f64>)| Trial {
            setting: *setting,
            passages_per_second: rates.iter().copied().fold(0.0, f64::max),
            turns: rates.len(),
        };
        let mut trials: Vec<Trial> = self.turns.iter().map(trial).collect();
        trials.sort_by(|a, b| b.passages_per_second.total_cmp(&a.passages_per_second));
        trials
    }

    /// The best, and the second best where it is near.
    fn best_layouts(&self) -> Vec<(usize, usize)> {
        let mut layouts: Vec<((usize, usize), f64)> = Vec::new();
        for trial in self.trials() {
            let layout = (trial.setting.workers, trial.setting.threads);
            if layouts.iter().all(|(known, _)| *known != layout) {
                layouts.push((layout, trial.passages_per_second));
            }
        }
        let best = layouts.first().map_or(0.0, |(_, rate)| *rate);
        let near = layouts.into_iter().take(2).filter(|(_, rate)| *rate >= NEAR * best);
        near.map(|(layout, _)| layout).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use rummage_testkit::Dice;

    use super::*;

    /// Searches on a machine whose speeds are made up, each turn off by up to so much.
    fn found(
        cores: usize,
        workers: usize,
        noise: f64,
        speed: impl Fn(Setting) -> Option<f64>,
    ) -> Vec<Trial> {
        let (mut dice, mut turns) = (Dice::new(7), 0);
        let measure = async |setting: Setting| -> Result<Option<f64>, Infallible> {
            turns += 1;
            let off = 1.0 + noise * f64::from(dice.signed());
            Ok(speed(setting).map(|speed| speed * off))
        };
        let layouts = layouts(cores, workers);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let Ok(trials) = runtime.block_on(search(&layouts, measure, || false));
        assert!(turns <= most_turns(layouts.len()), "{turns}");
        trials
    }

    /// One thread a process is best, and so are calls of that many tokens.
    fn peaked(best: usize) -> impl Fn(Setting) -> Option<f64> {
        move |setting| {
            let off = (setting.tokens_per_call as f64 / best as f64).log2().abs();
            let shared = setting.threads as f64;
            Some(60.0 * setting.workers as f64 * shared.powf(0.6) / (1.0 + 0.06 * off))
        }
    }

    #[test]
    fn every_way_to_share_the_cores_is_there_once() {
        assert_eq!(layouts(2, 2), [(2, 1), (1, 2), (1, 1)]);
        assert_eq!(layouts(8, 8), [(8, 1), (1, 8), (4, 2), (2, 4), (4, 1)]);
        assert_eq!(layouts(8, 2), [(2, 1), (1, 8), (2, 2), (2, 4)]);
        assert_eq!(layouts(1, 1), [(1, 1)]);
        assert_eq!(layouts(0, 0), [(1, 1)]);
    }

    #[test]
    fn the_best_is_found_through_noise() {
        for (best, noise) in [(256, 0.0), (64, 0.03), (1024, 0.03), (4096, 0.05)] {
            let trials = found(2, 2, noise, peaked(best));
            let Setting { workers, threads, tokens_per_call } = trials[0].setting;
            assert_eq!((workers, threads), (2, 1), "{trials:?}");
            let off = (tokens_per_call as f64 / best as f64).log2().abs();
            assert!(off <= 1.0, "{best} tokens were best, found: {trials:?}");
        }
    }

    #[test]
    fn many_threads_win_where_they_are_faster() {
        let trials = found(8, 8, 0.0, |setting| {
            Some(setting.threads as f64 + setting.tokens_per_call as f64 / 1e4)
        });
        let best = Setting { workers: 1, threads: 8, tokens_per_call: 4096 };
        assert_eq!(trials[0].setting, best);
    }

    #[test]
    fn of_those_alike_the_smallest_call_is_taken() {
        let trials = found(2, 2, 0.0, |setting| {
            let small = f64::from(u8::from(setting.tokens_per_call < 1000));
            Some(setting.workers as f64 * (10.0 + small + setting.tokens_per_call as f64 * 1e-5))
        });
        // Only those that met in the end are compared so.
        assert_eq!((trials[0].setting.workers, trials[0].setting.tokens_per_call), (2, 128));
    }

    #[test]
    fn what_the_machine_has_no_room_for_does_not_win() {
        let trials =
            found(8, 8, 0.0, |setting| (setting.workers < 8).then_some(setting.workers as f64));
        assert_eq!(trials[0].setting.workers, 4);
    }

    #[test]
    fn when_time_is_up_the_best_so_far_is_taken() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let measure = async |setting: Setting| -> Result<Option<f64>, Infallible> {
            Ok(Some(setting.tokens_per_call as f64))
        };
        let Ok(trials) = runtime.block_on(search(&layouts(4, 4), measure, || true));
        assert_eq!((trials.len(), trials[0].setting.tokens_per_call), (2, 4096));
    }
}
