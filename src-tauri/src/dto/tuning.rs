//! What measuring this machine has shown, and how far it is.

use rummage_engine::Setting;
use serde::Serialize;

/// One way of embedding.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TunedSetting {
    pool_size: usize,
    threads_per_worker: usize,
    tokens_per_call: usize,
    /// `None` where the machine has no room for it.
    passages_per_second: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tuning {
    measured_ms: i64,
    /// The one in use, then the others, the fastest first.
    table: Vec<TunedSetting>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct TuneStep {
    done: usize,
    most: usize,
    last: TunedSetting,
}

impl TunedSetting {
    fn new(setting: Setting, passages_per_second: Option<f64>) -> Self {
        Self {
            pool_size: setting.workers,
            threads_per_worker: setting.threads,
            tokens_per_call: setting.tokens_per_call,
            passages_per_second,
        }
    }
}

impl From<rummage_engine::Tuning> for Tuning {
    fn from(tuning: rummage_engine::Tuning) -> Self {
        let trial = |trial: &rummage_engine::Trial| {
            TunedSetting::new(trial.setting, Some(trial.passages_per_second))
        };
        Self {
            measured_ms: tuning.measured_at.saturating_mul(1000),
            table: tuning.table.iter().map(trial).collect(),
        }
    }
}

impl From<rummage_engine::TuneStep> for TuneStep {
    fn from(step: rummage_engine::TuneStep) -> Self {
        let rummage_engine::TuneStep { done, most, setting, passages_per_second } = step;
        Self { done, most, last: TunedSetting::new(setting, passages_per_second) }
    }
}
