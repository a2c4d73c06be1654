//! From texts to vectors: part by part of the model in use, from the cache of earlier
//! ones where they are there, else from workers.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures::future::try_join_all;
use rummage_cache::{Cache, CacheError};
use rummage_corpus::ContentHash;
use rummage_pool::{JobError, Pool, Standing};
use rummage_store::Store;
use tokio::task::JoinSet;

use crate::{
    EngineError, error,
    model::{LoadedModel, Part},
    problem::ProblemKind,
    shared::{Active, Shared},
};

pub(crate) type Vectors = HashMap<ContentHash, Vec<f32>>;

/// What became of contents that were to have vectors.
#[derive(Default)]
pub(crate) struct Made {
    /// As long as the model's; not of those that are deadly.
    pub vectors: Vectors,
    /// Contents that no worker can embed, and why.
    pub deadly: HashMap<ContentHash, String>,
    /// Contents that a worker had to work on.
    pub fresh: HashSet<ContentHash>,
}

/// Texts of passages, one for each content.
pub(crate) type Texts = HashMap<ContentHash, String>;

/// Vectors of questions and the like, which nobody will ask for again: one a text, of
/// the model's length. `tokens` gives the texts as a part of the model sees them; up to
/// `lease` of them keep a question that comes meanwhile waiting.
pub(crate) async fn now(
    pool: &Pool,
    model: &LoadedModel,
    tokens: impl Fn(&Part) -> Vec<Vec<u32>>,
    tokens_per_call: u32,
    lease: usize,
) -> Result<Vec<Vec<f32>>, JobError> {
    let of_parts = model.parts().iter().map(|part| {
        let (maker, token_ids) = (&part.maker, tokens(part));
        async move {
            let mut values = Vec::with_capacity(token_ids.len() * maker.dims as usize);
            for texts in token_ids.chunks(lease.max(1)) {
                let embedding = pool.embed(
                    &maker.fingerprint,
                    texts.to_vec(),
                    tokens_per_call,
                    Standing::Urgent,
                );
                let reply = embedding.await?;
                if reply.dims != maker.dims {
                    return Err(other_length());
                }
                values.extend(reply.values);
            }
            Ok(values)
        }
    });
    let of_parts = try_join_all(of_parts).await?;
    let dims = model.parts().iter().map(|part| part.maker.dims as usize);
    let mut rows: Vec<_> =
        of_parts.iter().zip(dims).map(|(values, dims)| values.chunks_exact(dims)).collect();
    let texts = rows.first().map_or(0, ExactSizeIterator::len);
    let next = |_| model.join(rows.iter_mut().filter_map(Iterator::next));
    Ok((0..texts).map(next).collect())
}

/// Vectors of passages. `other` is a model in use whose vectors may be those of a part.
pub(crate) async fn make(
    shared: &Arc<Shared>,
    model: &LoadedModel,
    other: Option<&Active>,
    texts: Texts,
) -> Result<Made, EngineError> {
    let texts = Arc::new(texts);
    let mut made = Made::default();
    let mut of_parts = Vec::new();
    for (place, part) in model.parts().iter().enumerate() {
        let mut known = recall(shared, model, place, texts.keys().copied().collect()).await;
        if let Some(store) = other.and_then(|other| store_of(other, part)) {
            let missing = texts.keys().filter(|hash| !known.contains_key(hash));
            let missing: Vec<_> = missing.copied().collect();
            known.extend(store.known_vectors(&missing).await?);
        }
        let unknown: HashSet<_> =
            texts.keys().filter(|hash| !known.contains_key(hash)).copied().collect();
        made.fresh.extend(&unknown);
        let tokens = {
            let _clock = shared.counters.tokenise.enter();
            tokenize(model.clone(), place, texts.clone(), unknown).await?
        };
        let mut fresh = Vectors::new();
        embed(shared, part, tokens, &mut fresh, &mut made.deadly).await?;
        let fresh = remember(shared, model, place, fresh).await;
        known.extend(fresh);
        of_parts.push(known);
    }
    for hash in texts.keys() {
        let parts: Option<Vec<&[f32]>> =
            of_parts.iter().map(|known| known.get(hash).map(Vec::as_slice)).collect();
        if let Some(parts) = parts {
            made.vectors.insert(*hash, model.join(parts));
        }
    }
    Ok(made)
}

/// The store of that model, if it is this part alone.
fn store_of<'a>(other: &'a Active, part: &Part) -> Option<&'a Store> {
    let is_it = other.model.identity.fingerprint == part.maker.fingerprint;
    other.store.as_ref().filter(|_| is_it)
}

/// One text to embed, under the hash that all its copies share.
struct Text {
    hash: ContentHash,
    token_ids: Vec<u32>,
}

/// The unknown ones as a part of the model sees them, shortest first.
async fn tokenize(
    model: LoadedModel,
    place: usize,
    texts: Arc<Texts>,
    unknown: HashSet<ContentHash>,
) -> Result<Vec<Text>, JobError> {
    let tokenized = tokio::task::spawn_blocking(move || {
        let part = &model.parts()[place];
        let mut tokenized: Vec<_> = unknown
            .into_iter()
            .map(|hash| Text { hash, token_ids: part.passage_tokens(&texts[&hash]) })
            .collect();
        tokenized.sort_by_key(|text| (text.token_ids.len(), text.hash));
        tokenized
    });
    tokenized.await.map_err(|panic| JobError::Refused(panic.to_string()))
}

/// Sending a lease costs some thousandth of what it takes to embed so many passages.
const SMALLEST_LEASE: usize = 4;

/// Embeds all texts, by leases. A lease that two workers died over is halved until
/// the text that does it stands alone; that one goes to `deadly`, with the reason.
/// A half is halved again after one more death, so that a lease of 32 costs seven
/// workers at most.
async fn embed(
    shared: &Arc<Shared>,
    part: &Part,
    texts: Vec<Text>,
    vectors: &mut Vectors,
    deadly: &mut HashMap<ContentHash, String>,
) -> Result<(), EngineError> {
    let batch = shared.numbers();
    let mut leases = JoinSet::new();
    let start = |texts: Vec<Text>, standing, leases: &mut JoinSet<_>| {
        let (pool, model) = (shared.pool.clone(), part.maker.fingerprint.clone());
        let tokens_per_call = batch.tokens_per_call as u32;
        leases.spawn(async move {
            let ids = texts.iter().map(|text| text.token_ids.clone()).collect();
            let result = pool.embed(&model, ids, tokens_per_call, standing).await;
            (texts, result)
        });
    };
    let mut texts = texts.into_iter();
    while texts.len() > 0 {
        // Ever smaller towards the end, or one worker would be alone with the last lease.
        let fair = texts.len().div_ceil(2 * batch.pool_size.max(1)).max(SMALLEST_LEASE);
        let lease = texts.by_ref().take(fair.min(batch.passages_per_lease)).collect();
        start(lease, Standing::Fresh, &mut leases);
    }
    while let Some(done) = leases.join_next().await {
        let (mut texts, result) =
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        match result {
            Ok(reply) if reply.dims == part.maker.dims => {
                let rows = reply.values.chunks_exact(reply.dims as usize);
                vectors.extend(texts.iter().zip(rows).map(|(text, row)| (text.hash, row.to_vec())));
            }
            Ok(_) => return Err(other_length().into()),
            Err(JobError::Deadly { .. } | JobError::Refused(_)) if texts.len() > 1 => {
                let second = texts.split_off(texts.len() / 2);
                start(texts, Standing::Suspect, &mut leases);
                start(second, Standing::Suspect, &mut leases);
            }
            Err(error @ (JobError::Deadly { .. } | JobError::Refused(_))) => {
                deadly.extend(texts.iter().map(|text| (text.hash, error.to_string())));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn other_length() -> JobError {
    JobError::Refused("vectors of another length".into())
}

/// What the cache knows; nothing without one.
async fn recall(
    shared: &Arc<Shared>,
    model: &LoadedModel,
    place: usize,
    hashes: Vec<ContentHash>,
) -> Vectors {
    let model = model.clone();
    let recalled =
        with_cache(shared, move |cache| cache.known(&model.parts()[place].maker, &hashes));
    recalled.await.unwrap_or_default()
}

/// Gives the vectors back once they are kept.
async fn remember(
    shared: &Arc<Shared>,
    model: &LoadedModel,
    place: usize,
    fresh: Vectors,
) -> Vectors {
    if fresh.is_empty() {
        return fresh;
    }
    let (model, fresh) = (model.clone(), Arc::new(fresh));
    let kept = fresh.clone();
    let done = with_cache(shared, move |cache| {
        let vectors = kept.iter().map(|(hash, vector)| (*hash, vector.as_slice()));
        cache.keep(&model.parts()[place].maker, vectors)
    });
    if done.await.is_some() {
        // Reading may go well while nothing can be kept.
        shared.problems.clear(ProblemKind::Cache);
    }
    Arc::unwrap_or_clone(fresh)
}

/// Without a cache, or with one that fails, everything is only slower.
async fn with_cache<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Cache) -> Result<T, CacheError> + Send + 'static,
) -> Option<T> {
    let shared = shared.clone();
    let done = tokio::task::spawn_blocking(move || {
        let cache = shared.cache.as_ref()?;
        match work(cache) {
            Ok(result) => Some(result),
            Err(error) => {
                let mend = error::cache_mend(&error);
                shared.problems.set(ProblemKind::Cache, error.to_string(), mend);
                None
            }
        }
    });
    done.await.ok().flatten()
}
