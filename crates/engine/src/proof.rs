//! Whether a model works at all: a worker of its own loads it and embeds one text.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rummage_pool::{EmbedConfig, ExtractConfig, JobError, Limits, Pace, Pool, PoolConfig};

use crate::{
    EngineError,
    model::{LoadedModel, Part},
    vectors,
};

/// A large model on a slow disk has loaded by then.
const PATIENCE: Duration = Duration::from_secs(120);

/// Words of the text that is timed, and how often: the best of a few is no accident.
const WORDS: usize = 100;
const TURNS: usize = 4;

/// How long it takes to embed a passage, at best.
///
/// # Errors
/// Why no worker can have it.
pub(crate) async fn prove(program: &Path, model: &LoadedModel) -> Result<Duration, EngineError> {
    let memory = crate::memory_bytes();
    let pool = Pool::start(PoolConfig {
        embed: Some(EmbedConfig {
            workers: 0,
            keep_query_worker: true,
            threads_per_worker: 1,
            models: model.served().collect(),
            runtime_library: model.runtime_library.clone(),
            // Whether the files are good is a question for the processor.
            accelerator: None,
        }),
        extract: ExtractConfig { workers: 0 },
        program: program.to_owned(),
        // Whatever it needs to load: how much it may have is another question.
        limits: Limits { start: PATIENCE, ..Limits::new(memory, memory) },
        pace: Pace::Full,
    });
    let text = ["proof"; WORDS].join(" ");
    let tokens = |part: &Part| vec![part.passage_tokens(&text)];
    let proving = async {
        // The first one waits for the model to load.
        vectors::now(&pool, model, tokens, 1, 1).await?;
        let mut least = Duration::MAX;
        for _ in 0..TURNS {
            let start = Instant::now();
            vectors::now(&pool, model, tokens, 1, 1).await?;
            least = least.min(start.elapsed());
        }
        Ok::<_, JobError>(least)
    };
    let proven = tokio::time::timeout(PATIENCE, proving).await;
    pool.close().await;
    match proven {
        Ok(least) => Ok(least?),
        Err(_) => Err(JobError::Refused(format!("{} does not answer", model.id)).into()),
    }
}
