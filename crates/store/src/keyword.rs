//! The keyword leg: passages by their words (BM25).
//!
//! What most questions are, words without phrases, asks lists of our own
//! ([`crate::bm25`]). The database's index serves the rest: phrases, exclusions, and all
//! where those lists do not hold all rows yet.

use std::{collections::BTreeMap, sync::Arc};

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use lance::dataset::scanner::RowAddrMask;
use lancedb::index::scalar::{
    BooleanQuery, FtsQuery, FullTextSearchQuery, MatchQuery, Operator, PhraseQuery,
};
use rummage_corpus::{PassageId, joined, query_words, words};

use crate::{
    Filter, Store, StoreError, blocking,
    bm25::Wanted,
    postings::key,
    rows::TERMS,
    snapshot::{Filtered, Snapshot, View},
};

/// LanceDB's name for BM25.
const SCORE: &str = "_score";

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
        let asked = asked(wanted);
        let snapshot = self.snapshot(!filter.is_empty()).await?;
        match self.keyword_in(&snapshot, &query, &asked, filter, limit).await {
            Err(error) => {
                let newer = self.newer(&snapshot, error).await?;
                self.keyword_in(&newer, &query, &asked, filter, limit).await
            }
            found => found,
        }
    }

    async fn keyword_in(
        &self,
        snapshot: &Arc<Snapshot>,
        query: &FtsQuery,
        asked: &Option<Vec<Wanted>>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<KeywordHit>, StoreError> {
        let (table, view) = (&self.inner.passages, &snapshot.passages);
        let filtered = snapshot.filtered(filter);
        if filtered.as_ref().is_some_and(|filtered| filtered.files.is_empty()) {
            return Ok(Vec::new());
        }
        let found = match asked {
            Some(asked) => by_lists(snapshot, asked.clone(), filtered.clone(), limit).await,
            None => None,
        };
        let found = match found {
            Some(found) => found,
            None => {
                let mask = filtered.as_ref().map(|filtered| filtered.passages(snapshot).clone());
                let batches = by_plan(view, query, mask, limit).await;
                let mut found = Vec::new();
                for batch in batches.map_err(|error| table.read_failed(error.into()))? {
                    let columns = table.columns(&batch);
                    let scores = columns.floats(SCORE)?.iter().copied();
                    found.extend(columns.found()?.iter().copied().zip(scores));
                }
                found
            }
        };
        // A passage that were there twice would count twice.
        let id = |(address, score)| {
            let row = view.shelf.at(address)?;
            let id = view.shelf.id(row);
            (view.shelf.find(id) == Some(row)).then_some(KeywordHit { id, score })
        };
        let mut hits: Vec<_> = found.into_iter().filter_map(id).collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        hits.truncate(limit);
        Ok(hits)
    }
}

/// Addresses of rows with their scores.
type Found = Vec<(u64, f32)>;

/// Of lists of our own; `None` where they do not hold all rows.
async fn by_lists(
    snapshot: &Arc<Snapshot>,
    asked: Vec<Wanted>,
    filtered: Option<Arc<Filtered>>,
    limit: usize,
) -> Option<Found> {
    let snapshot = snapshot.clone();
    // A millisecond, and the disk may have to be waited for.
    let found = blocking(move || {
        let wanted = filtered.as_ref().map(|filtered| filtered.passage_bits(&snapshot));
        snapshot.passages.shelf.best_by_words(&asked, wanted, limit)
    });
    found.await.ok()
}

/// What lists are asked for; `None` where they do not tell.
fn asked(wanted: &Words) -> Option<Vec<Wanted>> {
    let asks = |texts: &[String]| texts.iter().any(|text| holds_words(text));
    if asks(&wanted.phrases) || asks(&wanted.excluded) {
        return None;
    }
    // A word counts as often as it was typed.
    let mut weights: BTreeMap<u64, f32> = BTreeMap::new();
    let typed = query_words(&wanted.any);
    typed.iter().for_each(|word| *weights.entry(key(&word.stem)).or_default() += 1.0);
    let instead = wanted.instead.iter();
    instead.for_each(|word| *weights.entry(key(word)).or_default() += INSTEAD);
    Some(weights.into_iter().map(|(key, weight)| Wanted { key, weight }).collect())
}

/// Of the database.
async fn by_plan(
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
