//! Whether a report is slower than an older one. A noisy machine must not make it so:
//!
//! - What is compared is how a stage's time stands to that of the same fixed work at the
//!   same time, so a machine that is slower as a whole is none that has a slower stage.
//! - Noise only ever adds. So a stage counts as slower only if its least, its lower
//!   quarter and its median all are, and the median of its runs, each compared with the
//!   fixed work around it.
//! - And it is measured again: more runs make the least of them only better.
//!
//! See [`judge`] and [`ROUNDS`].

use super::{
    report::{Measure, Report, Unit},
    summary::Summary,
};

/// How often runs are added before something that looks slower counts as slower.
pub const ROUNDS: usize = 2;

/// Less than this is no difference, whatever the ratio.
const LEAST_MS: f64 = 10.0;
const LEAST_MB: f64 = 8.0;

/// A stage that became slower.
#[derive(Debug, Clone, PartialEq)]
pub struct Slower {
    pub name: String,
    pub unit: Unit,
    /// The medians.
    pub before: f64,
    pub now: f64,
    /// What remains of the difference once the machine's own speed is taken out.
    pub ratio: f64,
}

/// Everything that is by more than `threshold` times slower, or larger.
pub fn judge(before: &Report, now: &Report, threshold: f64) -> Vec<Slower> {
    let slower = |measure: &Measure| {
        let old = before.measure(&measure.name).filter(|old| old.unit == measure.unit)?;
        let ratio = match measure.unit {
            Unit::Milliseconds => {
                let machine = ratios(&before.calibration, &now.calibration);
                let stage = ratios(&old.summary, &measure.summary);
                let plain = least(&stage);
                let freed = stage.iter().zip(machine).map(|(stage, machine)| stage / machine);
                let freed = freed.fold(paired(before, old, now, measure), f64::min);
                let differs = measure.summary.min - old.summary.min > LEAST_MS;
                // Half of it must show without any arithmetic.
                let shows = plain > f64::midpoint(1.0, threshold);
                (differs && shows).then_some(freed)
            }
            Unit::Megabytes => {
                let differs = measure.summary.min - old.summary.min > LEAST_MB;
                differs.then(|| least(&ratios(&old.summary, &measure.summary)))
            }
            Unit::Count => None,
        }?;
        (ratio > threshold).then(|| Slower {
            name: measure.name.clone(),
            unit: measure.unit,
            before: old.summary.median,
            now: measure.summary.median,
            ratio,
        })
    };
    now.measures.iter().filter_map(slower).collect()
}

/// Now to before: of the least, of the lower quarters and of the medians.
fn ratios(before: &Summary, now: &Summary) -> [f64; 3] {
    let ratio = |before: f64, now: f64| if before > 0.0 { now / before } else { 1.0 };
    [ratio(before.min, now.min), ratio(before.low, now.low), ratio(before.median, now.median)]
}

/// Now to before: of the medians of what runs took beside the fixed work around them.
fn paired(before: &Report, old: &Measure, now: &Report, measure: &Measure) -> f64 {
    let median = |report: &Report, measure: &Measure| {
        let runs = measure.summary.samples.iter().zip(&report.calibration.samples);
        Summary::of(runs.map(|(stage, fixed)| stage / fixed.max(1e-9)).collect()).median
    };
    let before = median(before, old);
    if before > 0.0 { median(now, measure) / before } else { 1.0 }
}

fn least(ratios: &[f64]) -> f64 {
    ratios.iter().copied().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use rummage_testkit::Dice;

    use super::*;
    use crate::profile::report::Kind;

    fn report(calibration: Vec<f64>, unit: Unit, samples: Vec<f64>) -> Report {
        let measure = Measure { name: "session".into(), unit, summary: Summary::of(samples) };
        Report {
            kind: Kind::Load,
            version: "1".into(),
            processor: String::new(),
            cores: 2,
            model: "tiny".into(),
            cold: false,
            runs: calibration.len(),
            calibration: Summary::of(calibration),
            measures: vec![measure],
            memory: Vec::new(),
            targets: Vec::new(),
            advice: Vec::new(),
        }
    }

    /// Runs on a machine that is `slow` times slower as a whole and where every third run
    /// is up to three times slower by chance.
    fn noisy(dice: &mut Dice, runs: usize, stage: f64, slow: f64) -> Report {
        let mut sample = |plain: f64| {
            let hiccup = if dice.below(3) == 0 { 2.0 * dice.signed().abs() } else { 0.0 };
            plain * slow * f64::from(1.0 + 0.1 * dice.signed().abs() + hiccup)
        };
        let calibration = (0..runs).map(|_| sample(100.0)).collect();
        let samples = (0..runs).map(|_| sample(stage)).collect();
        report(calibration, Unit::Milliseconds, samples)
    }

    /// Whether the gate fails, with its further rounds.
    fn fails(dice: &mut Dice, stage: f64, slow: f64) -> bool {
        let before = noisy(dice, 7, 80.0, 1.0);
        let mut now = noisy(dice, 7, stage, slow);
        for _ in 0..ROUNDS {
            if judge(&before, &now, 1.2).is_empty() {
                return false;
            }
            now = now.joined(noisy(dice, 7, stage, slow));
        }
        !judge(&before, &now, 1.2).is_empty()
    }

    #[test]
    fn noise_fails_no_gate_and_a_slower_build_fails_it() {
        let mut dice = Dice::new(11);
        for slow in [1.0, 1.5, 0.8] {
            let unslowed = (0..200).filter(|_| fails(&mut dice, 80.0, slow)).count();
            assert_eq!(unslowed, 0, "of 200 unslowed on a machine {slow} times slower");
        }
        let slowed = (0..200).filter(|_| fails(&mut dice, 160.0, 1.0)).count();
        assert!(slowed >= 170, "{slowed} of 200 slowed");
    }

    #[test]
    fn what_hardly_differs_is_not_slower() {
        let before = report(vec![20.0], Unit::Milliseconds, vec![1.0, 1.0]);
        let now = report(vec![20.0], Unit::Milliseconds, vec![9.0, 9.0]);
        assert_eq!(judge(&before, &now, 1.2), []);
    }

    #[test]
    fn memory_is_compared_as_it_is() {
        let before = report(vec![20.0], Unit::Megabytes, vec![80.0]);
        let now = report(vec![40.0], Unit::Megabytes, vec![120.0]);
        let slower = judge(&before, &now, 1.2);
        assert_eq!((slower.len(), slower[0].ratio), (1, 1.5));
        let counted = |count| report(vec![20.0], Unit::Count, vec![count]);
        assert_eq!(judge(&counted(1.0), &counted(100.0), 1.2), []);
    }
}
