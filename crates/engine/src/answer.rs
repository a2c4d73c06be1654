//! From a question to an answer: the query's vector, both legs, and what the
//! catalog knows of the files found.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rummage_catalog::{Catalog, Counts, Root};
use rummage_corpus::SourcePath;
use rummage_pool::Standing;
use rummage_search::{FileHit, Mode, Query};
use rummage_store::Store;

use crate::{EngineError, intake::is_gone, model::LoadedModel, shared::Shared};

/// A vector that is not there by then is done without: words answer at once, and
/// the next question finds the model loaded.
const VECTOR_WAIT: Duration = Duration::from_millis(2500);

/// A disk that does not say by then whether its files are there is taken at the
/// catalog's word.
const GHOST_WAIT: Duration = Duration::from_millis(200);

/// How much of what is followed an answer has searched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Files that can be searched or will be.
    pub known: u64,
    /// Of these, found by their words.
    pub searched: u64,
    /// Of these, found by their meaning too.
    pub meaning: u64,
}

impl Coverage {
    pub(crate) fn of(counts: &Counts) -> Self {
        Self {
            known: counts.queued() + counts.indexed,
            searched: counts.worded + counts.indexed,
            meaning: counts.indexed,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The legs that were asked.
    pub mode: Mode,
    pub took: Duration,
    pub coverage: Coverage,
    /// Why less was searched than asked for, in words.
    pub notice: Option<String>,
    /// Best first.
    pub files: Vec<FoundFile>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FoundFile {
    pub path: SourcePath,
    /// Nanoseconds since 1970.
    pub modified_ns: i64,
    pub hit: FileHit,
}

pub(crate) async fn answer(
    shared: &Arc<Shared>,
    store: Option<&Store>,
    query: &Query,
) -> Result<Answer, EngineError> {
    let start = Instant::now();
    let mut query = query.clone();
    let (vector, notice) = match query.mode {
        Mode::Keyword => (None, None),
        Mode::Hybrid | Mode::Meaning => query_vector(shared, &query).await?,
    };
    if notice.is_some() {
        query.mode = Mode::Keyword;
    }
    let hits = match store {
        Some(store) => rummage_search::search(store, &query, vector.as_deref()).await?,
        None => Vec::new(),
    };
    let files = without_ghosts(shared, locate(&shared.catalog, hits)?).await?;
    let coverage = Coverage::of(&shared.catalog.counts()?);
    Ok(Answer { mode: query.mode, took: start.elapsed(), coverage, notice, files })
}

/// The query as a vector, or why there is none. A query without words has none
/// and needs no excuse.
async fn query_vector(
    shared: &Arc<Shared>,
    query: &Query,
) -> Result<(Option<Vec<f32>>, Option<String>), EngineError> {
    let text = query.text_for_model();
    if text.is_empty() {
        return Ok((None, None));
    }
    let Some(model) = &shared.model else {
        return Ok((None, Some("The model is missing: only words are searched.".to_owned())));
    };
    let token_ids = vec![model.query_tokens(&text)];
    let tokens = token_ids[0].len() as u32;
    let embedding = shared.pool.embed(token_ids, tokens, Standing::Urgent);
    Ok(match tokio::time::timeout(VECTOR_WAIT, embedding).await {
        Ok(Ok(reply)) => (Some(reply.values), None),
        Ok(Err(error)) => (None, Some(format!("Only words are searched: {error}"))),
        Err(_) => (None, Some("The model is still loading: only words are searched.".to_owned())),
    })
}

/// Adds path and date; a file that has left meanwhile is no result.
fn locate(catalog: &Catalog, hits: Vec<FileHit>) -> Result<Vec<FoundFile>, EngineError> {
    let mut files = Vec::with_capacity(hits.len());
    for hit in hits {
        if let Some(row) = catalog.file(hit.file)? {
            files.push(FoundFile { path: row.path, modified_ns: row.modified_ns, hit });
        }
    }
    Ok(files)
}

/// Without the files that are not there any more, though nobody has told yet. What
/// lies on a disk that is away stays.
async fn without_ghosts(
    shared: &Shared,
    mut files: Vec<FoundFile>,
) -> Result<Vec<FoundFile>, EngineError> {
    let paths: Vec<_> = files.iter().map(|file| file.path.clone()).collect();
    let roots = shared.catalog.roots()?;
    let look = tokio::task::spawn_blocking(move || {
        let is_away = |root: &Root| root.away.is_some() || is_gone(&root.path);
        let is_ghost = |path: &SourcePath| {
            is_gone(path)
                && !roots.iter().any(|root| path.as_path().starts_with(&root.path) && is_away(root))
        };
        paths.iter().map(is_ghost).collect::<Vec<_>>()
    });
    if let Ok(Ok(ghosts)) = tokio::time::timeout(GHOST_WAIT, look).await {
        let mut ghosts = ghosts.into_iter();
        files.retain(|_| !ghosts.next().unwrap_or(false));
    }
    Ok(files)
}

/// The model's side of [`answer`], for callers that only want it warm.
pub(crate) async fn warm(shared: &Arc<Shared>, model: &LoadedModel) {
    let token_ids = vec![model.query_tokens("warm")];
    let _ = shared.pool.embed(token_ids, 16, Standing::Urgent).await;
}
