//! Whether a model works at all: a worker of its own loads it and embeds one text.

use std::{path::Path, time::Duration};

use rummage_pool::{EmbedConfig, ExtractConfig, JobError, Limits, Pace, Pool, PoolConfig};

use crate::{
    EngineError,
    model::{LoadedModel, Part},
    vectors,
};

/// A large model on a slow disk has loaded by then.
const PATIENCE: Duration = Duration::from_secs(120);

/// # Errors
/// Why no worker can have it.
pub(crate) async fn prove(program: &Path, model: &LoadedModel) -> Result<(), EngineError> {
    let memory = crate::memory_bytes();
    let pool = Pool::start(PoolConfig {
        embed: Some(EmbedConfig {
            workers: 0,
            keep_query_worker: true,
            threads_per_worker: 1,
            models: model.served().collect(),
            runtime_library: model.runtime_library.clone(),
        }),
        extract: ExtractConfig { workers: 0 },
        program: program.to_owned(),
        // Whatever it needs to load: how much it may have is another question.
        limits: Limits::new(memory, memory),
        pace: Pace::Full,
    });
    let tokens = |part: &Part| vec![part.query_tokens("proof")];
    let proven = tokio::time::timeout(PATIENCE, vectors::now(&pool, model, tokens, 1, 1)).await;
    pool.close().await;
    match proven {
        Ok(vectors) => Ok(vectors.map(drop)?),
        Err(_) => Err(JobError::Refused(format!("{} does not answer", model.id)).into()),
    }
}
