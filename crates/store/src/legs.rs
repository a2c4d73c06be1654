//! The two ways to find passages: by their words (BM25) and by their meaning
//! (cosine). Each gives its own scores; how they are put together is the caller's.

use std::collections::{HashMap, HashSet};

use lancedb::{
    DistanceType,
    index::scalar::{
        BooleanQuery, FtsQuery, FullTextSearchQuery, MatchQuery, Operator, PhraseQuery,
    },
    query::{QueryBase, Select},
};
use rummage_corpus::{ContentHash, PassageId, joined, query_words, words};

use crate::{Filter, Store, StoreError, filter, rows::TERMS, table::LIST_LEN};

/// What the keyword leg looks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Each of its words that a passage holds adds to the score.
    pub any: String,
    /// Words that count a little less, as `corpus::words` makes them: what a word of
    /// `any` that no passage holds may be meant for.
    pub instead: Vec<String>,
    /// A passage must hold every one of these, word for word.
    pub phrases: Vec<String>,
    /// A passage must hold none of these words or phrases.
    pub excluded: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeywordHit {
    pub id: PassageId,
    /// BM25: above 0, without an upper bound, comparable within one query only.
    pub score: f32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeaningHit {
    pub id: PassageId,
    /// Cosine, −1 to 1.
    pub similarity: f32,
}

/// Vectors that no longer count are found too; so many are allowed for at first.
const STALE_ALLOWANCE: usize = 32;

impl Store {
    /// Up to `limit` passages by their words, best first. Empty when nothing is
    /// asked for but exclusions.
    pub async fn keyword(
        &self,
        wanted: &Words,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<KeywordHit>, StoreError> {
        let Some(query) = full_text_query(wanted) else { return Ok(Vec::new()) };
        let table = &self.inner.passages;
        let mut query = table
            .lance
            .query()
            .full_text_search(FullTextSearchQuery::new_query(query))
            .select(Select::columns(&["id", "_score"]))
            .limit(limit);
        if let Some(condition) = filter.condition() {
            query = query.only_if_expr(condition);
        }
        let mut hits = Vec::new();
        for batch in table.collect(query).await? {
            let columns = table.columns(&batch);
            let scores = columns.floats("_score")?;
            let ids = columns.passage_ids()?;
            hits.extend(ids.zip(scores).map(|(id, score)| KeywordHit { id, score: *score }));
        }
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        let mut seen = HashSet::new();
        hits.retain(|hit| seen.insert(hit.id));
        Ok(hits)
    }

    /// Up to `limit` passages nearest in meaning, best first. The answer is exact:
    /// every vector is compared.
    ///
    /// `vector` is a unit vector of this store's model.
    pub async fn meaning(
        &self,
        vector: &[f32],
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<MeaningHit>, StoreError> {
        self.check_dims(vector)?;
        let mut fetch = limit + STALE_ALLOWANCE;
        loop {
            let nearest = self.nearest(vector, filter, fetch).await?;
            let all = nearest.len() < fetch;
            let mut hits = self.only_current(nearest).await?;
            if all || hits.len() >= limit {
                hits.truncate(limit);
                return Ok(hits);
            }
            fetch *= 4;
        }
    }

    /// The similarity of each of these passages that has a vector.
    pub async fn similarities(
        &self,
        vector: &[f32],
        ids: &[PassageId],
    ) -> Result<HashMap<PassageId, f32>, StoreError> {
        self.check_dims(vector)?;
        let table = &self.inner.vectors;
        let mut found = Vec::new();
        for ids in ids.chunks(LIST_LEN) {
            let columns = ["id", "hash", "vector"];
            for batch in table.select(filter::of_passages(ids), &columns).await? {
                let columns = table.columns(&batch);
                let vectors = columns.vectors()?.chunks_exact(self.inner.dims);
                let rows = columns.passage_ids()?.zip(columns.hashes()?).zip(vectors);
                found.extend(rows.map(|((id, hash), other)| {
                    (MeaningHit { id, similarity: dot(vector, other) }, hash)
                }));
            }
        }
        let current = self.only_current(found).await?;
        Ok(current.into_iter().map(|hit| (hit.id, hit.similarity)).collect())
    }

    async fn nearest(
        &self,
        vector: &[f32],
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<(MeaningHit, ContentHash)>, StoreError> {
        let table = &self.inner.vectors;
        // On unit vectors the dot product is the cosine, and cheaper.
        let query = table.lance.query().nearest_to(vector);
        let mut query = query
            .map_err(|error| table.read_failed(error))?
            .distance_type(DistanceType::Dot)
            .bypass_vector_index()
            .select(Select::columns(&["id", "hash", "_distance"]))
            .limit(limit);
        if let Some(condition) = filter.condition() {
            query = query.only_if_expr(condition);
        }
        let mut nearest = Vec::new();
        for batch in table.collect(query).await? {
            let columns = table.columns(&batch);
            // LanceDB's dot distance is 1 − the dot product.
            let similarities = columns.floats("_distance")?.iter().map(|distance| 1.0 - distance);
            let rows = columns.passage_ids()?.zip(similarities).zip(columns.hashes()?);
            nearest
                .extend(rows.map(|((id, similarity), hash)| (MeaningHit { id, similarity }, hash)));
        }
        Ok(nearest)
    }

    /// Those whose passage still has the hash that the vector was made from, best first.
    async fn only_current(
        &self,
        found: Vec<(MeaningHit, ContentHash)>,
    ) -> Result<Vec<MeaningHit>, StoreError> {
        let ids: Vec<_> = found.iter().map(|(hit, _)| hit.id).collect();
        let mut current = self.current_hashes(&ids).await?;
        // Taken out of the map, so that a vector that were there twice counts once.
        let is_current = |(hit, hash): (MeaningHit, ContentHash)| {
            (current.get(&hit.id) == Some(&hash)).then(|| current.remove(&hit.id)).map(|_| hit)
        };
        let mut hits: Vec<_> = found.into_iter().filter_map(is_current).collect();
        hits.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.id.cmp(&b.id)));
        Ok(hits)
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn full_text_query(wanted: &Words) -> Option<FtsQuery> {
    let any = holds_words(&wanted.any).then(|| any_of(&wanted.any, &wanted.instead));
    let mut phrases = wanted.phrases.iter().filter(|phrase| holds_words(phrase)).peekable();
    let mut excluded = wanted.excluded.iter().filter(|words| holds_words(words)).peekable();
    if phrases.peek().is_none() {
        let any = any?;
        if excluded.peek().is_none() {
            return Some(any);
        }
        let query = BooleanQuery::new([]).with_must(any);
        return Some(FtsQuery::Boolean(
            excluded.fold(query, |query, words| query.with_must_not(all_of(words))),
        ));
    }
    let mut query = BooleanQuery::new([]);
    query = phrases.fold(query, |query, phrase| query.with_must(all_of(phrase)));
    if let Some(any) = any {
        query = query.with_should(any);
    }
    query = excluded.fold(query, |query, words| query.with_must_not(all_of(words)));
    Some(FtsQuery::Boolean(query))
}

fn holds_words(text: &str) -> bool {
    !words(text).is_empty()
}

/// What a word counts that stands for another.
const INSTEAD: f32 = 0.7;

fn any_of(text: &str, instead: &[String]) -> FtsQuery {
    let of = |terms| MatchQuery::new(terms).with_column(Some(TERMS.to_owned()));
    let typed: FtsQuery = of(joined(&query_words(text))).into();
    if instead.is_empty() {
        return typed;
    }
    let meant: FtsQuery = of(instead.join(" ")).with_boost(INSTEAD).into();
    FtsQuery::Boolean(BooleanQuery::new([]).with_should(typed).with_should(meant))
}

/// One word, or several in a row.
fn all_of(text: &str) -> FtsQuery {
    let words = words(text);
    if words.len() == 1 {
        return any_of(text, &[]);
    }
    // A phrase query passes over words that the index does not know.
    let all = MatchQuery::new(joined(&words)).with_operator(Operator::And);
    let all = all.with_column(Some(TERMS.to_owned()));
    let phrase = PhraseQuery::new(joined(&words)).with_column(Some(TERMS.to_owned()));
    FtsQuery::Boolean(BooleanQuery::new([]).with_must(all.into()).with_must(phrase.into()))
}
