//! What lies near in meaning: files like one file or one of its passages, and the
//! sentences of passages that are nearest to a question.

use std::{future::ready, path::Path, time::Instant};

use rummage_catalog::FileState;
use rummage_corpus::{PassageId, Span};
use rummage_search::{Meaning, Mode, Query, Snippet};
use rummage_store::{Filter, Store, Words};

use crate::{Answer, Coverage, Engine, EngineError, answer, model::Part, shared::Active, vectors};

/// Passages that say what a long file is about.
const PASSAGES_A_FILE: usize = 64;

/// Sentences compared for one question.
const SENTENCES: usize = 96;

/// Of these, so many are embedded at a time: a question that comes meanwhile shares the
/// worker, and waits for no more than these.
const SENTENCES_A_LEASE: usize = 8;

impl Engine {
    /// Files nearest in meaning to a followed file, or to its passage that begins at
    /// the byte `start` of its text; it is none of them itself.
    ///
    /// # Errors
    /// [`EngineError::unknown_file`] for a path that is not in the ledger,
    /// [`EngineError::NoMeaning`] while it has no vector.
    pub async fn similar(
        &self,
        path: &Path,
        start: Option<usize>,
        limit: usize,
    ) -> Result<Answer, EngineError> {
        let began = Instant::now();
        let row = self.file_at(path)?;
        let row = row.ok_or_else(|| EngineError::unknown_file(path))?;
        let became = match row.state {
            FileState::Indexed => "not found by its meaning yet".to_owned(),
            _ => row.became(),
        };
        let none = || EngineError::NoMeaning { path: path.to_owned(), became: became.clone() };
        let active = self.shared.active();
        let store = active.as_ref().and_then(|active| active.store.as_ref()).ok_or_else(none)?;
        let numbers = match start {
            Some(start) => {
                let place =
                    crate::preview::place_of(store, row.file, row.passages as usize, start).await?;
                place..place + 1
            }
            None => 0..PASSAGES_A_FILE.min(row.passages as usize),
        };
        let ids: Vec<_> = numbers.map(|number| PassageId::new(row.file, number as u32)).collect();
        let vector = centre(store, &ids).await?.ok_or_else(none)?;
        let query = Query {
            words: Words::default(),
            filter: Filter::default(),
            mode: Mode::Meaning,
            limit,
        };
        let meaning = ready(Some(Meaning { vector, fit: 1.0 }));
        let legs = rummage_search::ask(store, &query, meaning).await?;
        let ranking = legs.rank(store, &query, &[], 0).await?.without(row.file);
        let files = answer::show(&self.shared, store, ranking, limit).await?;
        let coverage = Coverage::of(&self.shared.catalog.counts()?);
        let took = began.elapsed();
        Ok(Answer { mode: Mode::Meaning, took, coverage, notice: None, files })
    }

    /// For each passage, how it reads around the sentence that is nearest in meaning to
    /// the question, with that sentence marked. `None` for a passage of one sentence, for
    /// one that is gone, and for all while there is no model. Sentences are embedded for
    /// this: some 50 ms for the passages of one screen.
    pub async fn nearest_sentences(
        &self,
        query: &Query,
        passages: &[PassageId],
    ) -> Result<Vec<Option<Snippet>>, EngineError> {
        let mut nearest = vec![None; passages.len()];
        let text = query.text_for_model();
        let active = self.shared.active();
        let Some(Active { model, store: Some(store) }) = active.as_deref() else {
            return Ok(nearest);
        };
        if text.is_empty() {
            return Ok(nearest);
        }
        let passages_there = store.passages(passages).await?;
        // Of which passage, and where in it.
        let mut sentences = Vec::new();
        for (number, id) in passages.iter().enumerate() {
            let Some((_, passage)) = passages_there.iter().find(|(there, _)| there == id) else {
                continue;
            };
            let text = &passage.text;
            let spans = rummage_search::sentences(text);
            if spans.len() > 1 && sentences.len() + spans.len() <= SENTENCES {
                sentences.extend(spans.into_iter().map(|span| (number, text, span)));
            }
        }
        if sentences.is_empty() {
            return Ok(nearest);
        }
        let tokens = |part: &Part| {
            let sentences = sentences.iter().map(|(_, text, span): &(usize, &String, Span)| {
                part.passage_tokens(&text[span.start..span.end])
            });
            std::iter::once(part.query_tokens(&text)).chain(sentences).collect()
        };
        let tokens_per_call = self.auto().tokens_per_call as u32;
        let lease = SENTENCES_A_LEASE;
        let vectors =
            vectors::now(&self.shared.pool, model, tokens, tokens_per_call, lease).await?;
        let mut vectors = vectors.into_iter();
        let Some(asked) = vectors.next() else { return Ok(nearest) };
        let mut best = vec![f32::MIN; passages.len()];
        for ((number, text, span), vector) in sentences.into_iter().zip(vectors) {
            let similarity = asked.iter().zip(&vector).map(|(a, b)| a * b).sum();
            if similarity > best[number] {
                best[number] = similarity;
                nearest[number] = Some(Snippet::around(text, span));
            }
        }
        Ok(nearest)
    }
}

/// The direction in which these passages lie together.
async fn centre(store: &Store, ids: &[PassageId]) -> Result<Option<Vec<f32>>, EngineError> {
    let passages = store.passages(ids).await?;
    let hashes: Vec<_> = passages.iter().map(|(_, passage)| passage.hash).collect();
    let vectors = store.known_vectors(&hashes).await?;
    let mut centre = Vec::new();
    for vector in vectors.values() {
        centre.resize(vector.len(), 0.0);
        centre.iter_mut().zip(vector).for_each(|(sum, number)| *sum += number);
    }
    let length = centre.iter().map(|number| number * number).sum::<f32>().sqrt();
    centre.iter_mut().for_each(|number| *number /= length);
    Ok((length > 0.0).then_some(centre))
}
