//! Asks the store's legs and puts the answer together.

use std::{
    collections::{BTreeMap, HashMap},
    ops::RangeInclusive,
};

use futures::future::try_join;
use rummage_corpus::{PassageId, model_input};
use rummage_store::{KeywordHit, MeaningHit, PassageRow, Store, StoreError, Words};

use crate::{
    FileHit, KeywordReason, MeaningReason, Mode, PassageHit, Query, Why,
    fusion::{self, Candidate, RankedFile},
    snippet,
    terms::{Demands, Terms, telling},
};

/// Passages that each leg is asked for: at least so many that the z-scores stand
/// on a sample, several for each file of the answer, and at most so many that
/// they all fit in memory.
const CANDIDATES: RangeInclusive<usize> = 200..=10_000;
const CANDIDATES_A_FILE: usize = 10;

/// Passages shown of one file.
const PASSAGES_A_FILE: usize = 3;

/// Answers a query, best file first.
///
/// `vector` is the unit vector of [`Query::text_for_model`]. Without it, or while
/// nothing is embedded yet, a hybrid query is answered by words alone.
pub async fn search(
    store: &Store,
    query: &Query,
    vector: Option<&[f32]>,
) -> Result<Vec<FileHit>, StoreError> {
    let found = Found::by(store, query, vector).await?;
    let mut files = fusion::rank(&found.candidates());
    files.truncate(query.limit);
    for file in &mut files {
        file.passages.truncate(PASSAGES_A_FILE);
    }
    let ids: Vec<_> = files.iter().flat_map(|file| &file.passages).map(|(id, _)| *id).collect();
    let rows = store.passages(&ids).await?.into_iter().map(|row| (row.id(), row)).collect();
    let terms = Terms::of(&query.words);
    let files = files.into_iter().map(|file| found.show(file, &rows, &terms));
    Ok(files.filter(|file| !file.passages.is_empty()).collect())
}

/// What the legs found, and how near in meaning all of it is.
struct Found {
    /// By id, with the rank in the leg from 1.
    keyword: HashMap<PassageId, (usize, KeywordHit)>,
    meaning: HashMap<PassageId, usize>,
    similarities: HashMap<PassageId, f32>,
}

impl Found {
    async fn by(store: &Store, query: &Query, vector: Option<&[f32]>) -> Result<Found, StoreError> {
        let limit = query.limit.saturating_mul(CANDIDATES_A_FILE);
        let limit = limit.clamp(*CANDIDATES.start(), *CANDIDATES.end());
        let vector = vector.filter(|_| query.mode != Mode::Keyword);
        let keyword = async {
            match query.mode {
                Mode::Meaning => Ok(Vec::new()),
                Mode::Hybrid | Mode::Keyword => {
                    let any = telling(&query.words.any);
                    let words = Words { any, ..query.words.clone() };
                    store.keyword(&words, &query.filter, limit).await
                }
            }
        };
        let meaning = async {
            match vector {
                Some(vector) => store.meaning(vector, &query.filter, limit).await,
                None => Ok(Vec::new()),
            }
        };
        let (keyword, mut meaning) = try_join(keyword, meaning).await?;
        let keyword: HashMap<_, _> =
            (1..).zip(keyword).map(|(rank, hit)| (hit.id, (rank, hit))).collect();
        if let Some(demands) = Demands::of(&query.words) {
            meaning = meeting(store, &demands, meaning, &keyword).await?;
        }
        let mut similarities: HashMap<_, _> =
            meaning.iter().map(|hit| (hit.id, hit.similarity)).collect();
        if let Some(vector) = vector {
            let unknown = keyword.keys().filter(|id| !similarities.contains_key(id));
            let unknown: Vec<_> = unknown.copied().collect();
            similarities.extend(store.similarities(vector, &unknown).await?);
        }
        let meaning = (1..).zip(meaning).map(|(rank, hit)| (hit.id, rank)).collect();
        Ok(Found { keyword, meaning, similarities })
    }

    fn candidates(&self) -> Vec<Candidate> {
        let mut candidates = BTreeMap::new();
        for id in self.keyword.keys().chain(self.similarities.keys()) {
            candidates.entry(*id).or_insert_with(|| Candidate {
                id: *id,
                keyword: self.keyword.get(id).map(|(_, hit)| hit.score),
                similarity: self.similarities.get(id).copied(),
            });
        }
        candidates.into_values().collect()
    }

    /// A passage that was replaced since it was found is left out.
    fn show(
        &self,
        ranked: RankedFile,
        rows: &HashMap<PassageId, PassageRow>,
        terms: &Terms,
    ) -> FileHit {
        let passages = ranked.passages.into_iter().filter_map(|(id, score)| {
            let row = rows.get(&id)?;
            Some(self.show_passage(row, fusion::for_people(score), terms))
        });
        FileHit {
            file: ranked.file,
            score: fusion::for_people(ranked.score),
            passages: passages.collect(),
        }
    }

    fn show_passage(&self, row: &PassageRow, score: f32, terms: &Terms) -> PassageHit {
        let id = row.id();
        let passage = &row.passage;
        let matches = terms.find(&passage.text);
        let window = snippet::window(&passage.text, &matches);
        PassageHit {
            id,
            text: passage.text[window.start..window.end].to_owned(),
            offset: window.start,
            context: passage.context.clone(),
            span: passage.span,
            page: passage.page,
            score,
            highlights: snippet::highlights(window, &matches),
            why: Why {
                keyword: self.keyword.get(&id).map(|(rank, hit)| KeywordReason {
                    rank: *rank,
                    score: hit.score,
                    terms: terms.held_by(&model_input(&passage.context, &passage.text)),
                }),
                meaning: self.similarities.get(&id).map(|similarity| MeaningReason {
                    rank: self.meaning.get(&id).copied(),
                    similarity: *similarity,
                }),
            },
        }
    }
}

/// The hits that the query's phrases and exclusions let through. What the keyword
/// leg returned has been through them.
async fn meeting(
    store: &Store,
    demands: &Demands,
    mut hits: Vec<MeaningHit>,
    keyword: &HashMap<PassageId, (usize, KeywordHit)>,
) -> Result<Vec<MeaningHit>, StoreError> {
    let unchecked = hits.iter().map(|hit| hit.id).filter(|id| !keyword.contains_key(id));
    let rows = store.passages(&unchecked.collect::<Vec<_>>()).await?;
    let met: HashMap<_, _> = rows
        .iter()
        .map(|row| {
            (row.id(), demands.met_by(&model_input(&row.passage.context, &row.passage.text)))
        })
        .collect();
    hits.retain(|hit| met.get(&hit.id).copied().unwrap_or(keyword.contains_key(&hit.id)));
    Ok(hits)
}
