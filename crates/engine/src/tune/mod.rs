//! Measures how this machine embeds fastest: how many processes, how many threads in
//! each, and how many tokens a call. Real worker processes of a real pool embed real
//! passages; indexing waits meanwhile.

mod bench;
mod quiet;
mod record;
mod search;
pub(crate) mod texts;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) use bench::Bench;
pub(crate) use quiet::Quiet;
pub use record::Tuning;
pub(crate) use record::kept;
pub use search::{Setting, Trial};

use crate::{EngineError, clock, hardware::Hardware, shared::Shared};

/// How far measuring is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuneStep {
    /// Turns done, and how many there are at most.
    pub done: usize,
    pub most: usize,
    /// What the last turn measured, and how fast it was; `None` where the machine has
    /// no room for that many workers.
    pub setting: Setting,
    pub passages_per_second: Option<f64>,
}

/// No turn begins after so long; a few seconds may follow, and the minute is kept.
const BUDGET: Duration = Duration::from_secs(48);

/// Measures, keeps what it found and works by it from then on.
///
/// # Errors
/// There is no model, or its workers cannot be started.
pub(crate) async fn tune(
    shared: &Arc<Shared>,
    mut told: impl FnMut(TuneStep),
) -> Result<Tuning, EngineError> {
    let Some(active) = shared.active() else { return Err(EngineError::NoModel) };
    let model = &active.model;
    let start = Instant::now();
    let quiet = Quiet::begin(shared).await?;
    let texts = texts::gather(shared, active.store.as_ref(), model).await?;
    let (rule, accelerator) = (shared.rule(), shared.accelerator());
    let layouts = search::layouts(crate::cores(), rule.pool_size);
    let most_workers = layouts.iter().map(|(workers, _)| *workers).max().unwrap_or(1);
    let most = search::most_turns(layouts.len());
    let mut bench =
        Bench::new(shared, model, accelerator.clone(), rule.memory_megabytes, most_workers, texts);
    let mut done = 0;
    let measured = search::search(
        &layouts,
        async |setting| {
            let passages_per_second = bench.measure(setting).await?;
            done += 1;
            told(TuneStep { done, most, setting, passages_per_second });
            Ok::<_, EngineError>(passages_per_second)
        },
        || start.elapsed() > BUDGET,
    )
    .await;
    let passages = bench.passages();
    let provider = bench.provider();
    bench.close().await;
    let mut table = measured?;
    // A file keeps thousandths to the last digit, and more are chance.
    let in_thousandths = |number: f64| (number * 1000.0).round() / 1000.0;
    for trial in &mut table {
        trial.passages_per_second = in_thousandths(trial.passages_per_second);
    }
    let choice = table.first().map(|trial| trial.setting).ok_or(EngineError::NoRoom)?;
    let tuning = Tuning {
        // Measured on the processor, where models could not run on what they were to.
        hardware: Hardware { provider, ..Hardware::of(model, accelerator.as_ref()) },
        measured_at: clock::now(),
        seconds: in_thousandths(start.elapsed().as_secs_f64()),
        passages,
        choice,
        table,
    };
    let path = shared.folder.tuning();
    record::keep(&tuning, &path).map_err(|source| EngineError::folder(&path, source))?;
    shared.set_tuning(tuning.clone());
    quiet.end().await;
    Ok(tuning)
}
