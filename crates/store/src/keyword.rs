//! The keyword leg: passages by their words (BM25).
//!
//! What most questions are, words without phrases, asks the index itself where that
//! holds all rows. A plan of the database finds the same and takes some milliseconds
//! to be made; it serves the rest: phrases, exclusions, rows that no index holds yet.

use std::{collections::HashMap, sync::Arc};

use arrow::array::RecordBatch;
use futures::{TryStreamExt, future::try_join_all};
use lance::{
    dataset::scanner::RowAddrMask,
    deps::datafusion::{execution::TaskContext, physical_plan::ExecutionPlan},
    io::exec::{PreFilterSource, fts::MatchQueryExec},
};
use lance_index::scalar::inverted::{DocumentGranularity, query::FtsSearchParams};
use lancedb::index::scalar::{
    BooleanQuery, FtsQuery, FullTextSearchQuery, MatchQuery, Operator, PhraseQuery,
};
use rummage_corpus::{PassageId, joined, query_words, words};

use crate::{
    Filter, Store, StoreError,
    rows::TERMS,
    snapshot::{Snapshot, View},
};

/// LanceDB's name for BM25.
const SCORE: &str = "_score";

/// Passages that each part of a sum is asked for, for each that is wanted of the sum.
const PARTS_LIMIT: usize = 4;

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
        let snapshot = self.snapshot(!filter.is_empty()).await?;
        match self.keyword_in(&snapshot, &query, filter, limit).await {
            Err(error) => {
                let newer = self.newer(&snapshot, error).await?;
                self.keyword_in(&newer, &query, filter, limit).await
            }
            found => found,
        }
    }

    async fn keyword_in(
        &self,
        snapshot: &Snapshot,
        query: &FtsQuery,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<KeywordHit>, StoreError> {
        let (table, view) = (&self.inner.passages, &snapshot.passages);
        let filtered = snapshot.filtered(filter);
        let let_in = filtered.as_ref().map(|filtered| filtered.passages(snapshot));
        if let_in.is_some_and(|(_, rows)| *rows == 0) {
            return Ok(Vec::new());
        }
        let mask = let_in.map(|(mask, _)| mask.clone());
        let batches = match sum_of(query) {
            Some(parts) if view.index(table, TERMS).await?.fresh.is_empty() => {
                // A passage that is far down in one part may be high up in the sum.
                let limit = if parts.len() == 1 { limit } else { limit * PARTS_LIMIT };
                let parts = parts.into_iter().map(|part| ask_index(view, part, &mask, limit));
                try_join_all(parts).await.map(|parts| parts.concat())
            }
            _ => plan(view, query, mask, limit).await,
        };
        let mut scores: HashMap<PassageId, f32> = HashMap::new();
        for batch in batches.map_err(|error| table.read_failed(error.into()))? {
            let columns = table.columns(&batch);
            for (address, score) in columns.found()?.iter().zip(columns.floats(SCORE)?) {
                let Some(row) = view.shelf.at(*address) else { continue };
                let id = view.shelf.id(row);
                // A passage that were there twice would count twice.
                if view.shelf.find(id) == Some(row) {
                    *scores.entry(id).or_default() += score;
                }
            }
        }
        let mut hits: Vec<_> =
            scores.into_iter().map(|(id, score)| KeywordHit { id, score }).collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        hits.truncate(limit);
        Ok(hits)
    }
}

/// The queries whose scores add up to this one's, if it is a sum.
fn sum_of(query: &FtsQuery) -> Option<Vec<&MatchQuery>> {
    let part = |query| match query {
        &FtsQuery::Match(ref words) => Some(words),
        _ => None,
    };
    match query {
        FtsQuery::Boolean(sum) if sum.must.is_empty() && sum.must_not.is_empty() => {
            sum.should.iter().map(part).collect()
        }
        query => Some(vec![part(query)?]),
    }
}

/// Addresses and scores of passages, from the index alone.
async fn ask_index(
    view: &View,
    query: &MatchQuery,
    mask: &Option<RowAddrMask>,
    limit: usize,
) -> Result<Vec<RecordBatch>, lance::Error> {
    let search = MatchQueryExec::new_with_document_granularity(
        view.dataset.clone(),
        query.clone(),
        FtsSearchParams::new().with_limit(Some(limit)),
        PreFilterSource::None,
        DocumentGranularity::Row,
    );
    let search = search.with_external_mask(mask.clone().map(Arc::new));
    let found = search.execute(0, Arc::new(TaskContext::default()))?;
    Ok(found.try_collect().await?)
}

/// The same, by a plan of the database.
async fn plan(
    view: &View,
    query: &FtsQuery,
    mask: Option<RowAddrMask>,
    limit: usize,
) -> Result<Vec<RecordBatch>, lance::Error> {
    let mut scan = view.dataset.scan();
    if let Some(mask) = mask {
        scan.prefilter(true).with_row_id_prefilter(mask);
    }
    scan.full_text_search(FullTextSearchQuery::new_query(query.clone()))?;
    scan.limit(Some(limit as i64), None)?.project(&[SCORE])?.with_row_id();
    scan.try_into_stream().await?.try_collect().await
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
