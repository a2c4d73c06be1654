//! Asks the store's legs and puts the answer together.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    ops::RangeInclusive,
    sync::Arc,
};

use futures::{FutureExt, future::try_join};
use rummage_corpus::{FileId, Passage, PassageId, model_input};
use rummage_store::{KeywordHit, Store, StoreError, Words};
use tokio::task::JoinSet;

use crate::{
    FileHit, KeywordReason, MeaningReason, Mode, PassageHit, Query, Why,
    fusion::{self, Candidate, Named, RankedFile},
    snippet,
    terms::{Demands, Terms, telling},
};

/// Passages of each leg that scores stand on: these are the same however many are asked for,
/// so neither the window, the command line nor a list that grows orders files anew.
const SAMPLE: usize = 200;

/// Passages that each leg is asked for: several for each file of the answer, and at most
/// so many that they all fit in memory.
const CANDIDATES: RangeInclusive<usize> = SAMPLE..=10_000;
const CANDIDATES_A_FILE: usize = 10;

/// So many times as many are asked for where a query's demands leave too few.
const MORE: usize = 5;

/// Passages shown of one file.
const PASSAGES_A_FILE: usize = 3;

/// Files that one task shows alone.
const SHOWN_BY_ONE: usize = 3;

/// A query as the model sees it.
#[derive(Debug, Clone)]
pub struct Meaning {
    /// The unit vector of [`Query::text_for_model`].
    pub vector: Vec<f32>,
    /// How well the model knows the query's language, 0 to 1: see [`crate::fit`].
    pub fit: f64,
}

/// All files that may answer a query, in order, not yet shown: whoever asks may
/// leave some out before.
pub struct Ranking {
    found: Found,
    files: Vec<RankedFile>,
    terms: Terms,
}

/// What both legs found for a query, not yet in order.
pub struct Legs {
    found: Found,
    meaning: Option<Meaning>,
}

/// Asks both legs at once. Without its meaning, or while nothing is embedded yet, a
/// hybrid query is answered by words alone.
pub async fn ask(
    store: &Store,
    query: &Query,
    meaning: impl Future<Output = Option<Meaning>>,
) -> Result<Legs, StoreError> {
    let (found, meaning) = Found::by(store, query, meaning).await?;
    Ok(Legs { found, meaning })
}

impl Legs {
    /// Whether a passage holds any of the words.
    pub fn has_words(&self) -> bool {
        !self.found.keyword.is_empty()
    }

    /// Ranks what was found, and up to `let_in` of the files that are `named`, best first,
    /// that was not.
    pub async fn rank(
        self,
        store: &Store,
        query: &Query,
        named: &[Named],
        let_in: usize,
    ) -> Result<Ranking, StoreError> {
        let Legs { mut found, meaning } = self;
        let meaning = meaning.as_ref();
        found.let_in(store, named, let_in, meaning, query).await?;
        let fit = if query.mode == Mode::Meaning { 1.0 } else { meaning.map_or(0.0, |m| m.fit) };
        let files = fusion::rank(&found.candidates(), fit, named);
        Ok(Ranking { found, files, terms: Terms::of(&query.words) })
    }
}

impl Ranking {
    /// Whether words or names found anything.
    pub fn has_words(&self) -> bool {
        !self.found.keyword.is_empty() || !self.found.named.is_empty()
    }

    /// The same without a file.
    pub fn without(mut self, file: FileId) -> Ranking {
        self.files.retain(|ranked| ranked.file != file);
        self
    }

    /// The files, best first.
    pub fn files(&self) -> impl Iterator<Item = FileId> {
        self.files.iter().map(|file| file.file)
    }

    /// The texts of the first `limit` files' best passages: most often all that
    /// [`Ranking::show`] needs, so that they can be read while it is found out which files
    /// are wanted.
    pub fn texts(
        &self,
        store: &Store,
        limit: usize,
    ) -> impl Future<Output = Result<Texts, StoreError>> + Send + use<> {
        let ids: Vec<_> = self.files.iter().take(limit).flat_map(ids_shown).collect();
        let store = store.clone();
        async move { Ok(Texts(store.passages(&ids).await?.into_iter().collect())) }
    }

    /// The first `limit` of those files that `wanted` lets through, with their best
    /// passages. Files that answer with the same passage are one result. What `texts` does
    /// not hold is read.
    pub async fn show(
        self,
        store: &Store,
        texts: Texts,
        wanted: impl Fn(FileId) -> bool,
        limit: usize,
    ) -> Result<Vec<FileHit>, StoreError> {
        let Ranking { found, files, terms } = self;
        let Texts(mut passages) = texts;
        let mut files = files.into_iter().filter(|file| wanted(file.file));
        let mut chosen: Vec<(RankedFile, Vec<FileId>)> = Vec::new();
        let mut places = HashMap::new();
        while chosen.len() < limit {
            let next: Vec<_> = files.by_ref().take(limit - chosen.len()).collect();
            if next.is_empty() {
                break;
            }
            let mut unread: Vec<_> = next.iter().flat_map(ids_shown).collect();
            unread.retain(|id| !passages.contains_key(id));
            if !unread.is_empty() {
                passages.extend(store.passages(&unread).await?);
            }
            for mut file in next {
                file.passages.truncate(PASSAGES_A_FILE);
                let best = file.passages.iter().find_map(|(id, _)| passages.get(id));
                let Some(best) = best else { continue };
                match places.entry(best.hash) {
                    Entry::Occupied(place) => {
                        let (_, alike): &mut (_, Vec<_>) = &mut chosen[*place.get()];
                        alike.push(file.file);
                    }
                    Entry::Vacant(place) => {
                        place.insert(chosen.len());
                        chosen.push((file, Vec::new()));
                    }
                }
            }
        }
        Ok(shown(found, passages, terms, chosen).await)
    }
}

/// Each text is analysed for the words to mark, 20 µs a passage: past a few files by two
/// tasks.
async fn shown(
    found: Found,
    passages: HashMap<PassageId, Passage>,
    terms: Terms,
    mut files: Vec<(RankedFile, Vec<FileId>)>,
) -> Vec<FileHit> {
    type Parts = (Found, HashMap<PassageId, Passage>, Terms);
    let show = |(found, passages, terms): &Parts, files: Vec<(RankedFile, Vec<FileId>)>| {
        let show = |(file, alike)| FileHit { alike, ..found.show(file, passages, terms) };
        files.into_iter().map(show).collect::<Vec<_>>()
    };
    let parts = Arc::new((found, passages, terms));
    if files.len() <= SHOWN_BY_ONE {
        return show(&parts, files);
    }
    // It ends with the question.
    let mut other = JoinSet::new();
    let second = files.split_off(files.len() / 2);
    let parts_of_other = parts.clone();
    other.spawn(async move { show(&parts_of_other, second) });
    let mut shown = show(&parts, files);
    shown.extend(ended(&mut other).await.into_iter().flatten());
    shown
}

/// What the one task of a set came to; `None` where there is no task. Its panic goes on here.
async fn ended<T: 'static>(tasks: &mut JoinSet<T>) -> Option<T> {
    let ended = tasks.join_next().await?;
    Some(ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())))
}

/// Passages that were read to be shown.
#[derive(Default)]
pub struct Texts(HashMap<PassageId, Passage>);

fn ids_shown(file: &RankedFile) -> impl Iterator<Item = PassageId> + use<'_> {
    file.passages.iter().take(PASSAGES_A_FILE).map(|(id, _)| *id)
}

/// What the legs found, and how near in meaning all of it is.
struct Found {
    /// By id, with the rank in the leg from 1.
    keyword: HashMap<PassageId, (usize, KeywordHit)>,
    /// Among passages that demands leave out as well.
    meaning: HashMap<PassageId, usize>,
    similarities: HashMap<PassageId, f32>,
    /// First passages of files that only their names brought in.
    named: Vec<PassageId>,
    /// Up to this rank in a leg, scores stand on a passage.
    sample: usize,
}

impl Found {
    /// Words are looked for while the query's meaning is awaited.
    async fn by(
        store: &Store,
        query: &Query,
        meaning: impl Future<Output = Option<Meaning>>,
    ) -> Result<(Found, Option<Meaning>), StoreError> {
        let limit = query.limit.saturating_mul(CANDIDATES_A_FILE);
        let limit = limit.clamp(*CANDIDATES.start(), *CANDIDATES.end());
        // A task of its own: what it computes between two waits would keep the other leg
        // from going on. It ends with the question.
        let mut keyword = JoinSet::new();
        if query.mode != Mode::Meaning {
            let any = telling(&query.words.any);
            let words = Words { any, ..query.words.clone() };
            let (store, filter) = (store.clone(), query.filter.clone());
            keyword.spawn(async move { store.keyword(&words, &filter, limit).await });
        }
        let keyword = async { ended(&mut keyword).await.unwrap_or_else(|| Ok(Vec::new())) };
        let meaning = async { meaning.await.filter(|_| query.mode != Mode::Keyword) }.shared();
        // How near what words find is can be said while the rest is looked through.
        let by_words = async {
            let keyword = keyword.await?;
            let ids: Vec<_> = keyword.iter().map(|hit| hit.id).collect();
            let similarities = match meaning.clone().await {
                Some(meaning) => store.similarities(&meaning.vector, &ids).await?,
                None => HashMap::new(),
            };
            Ok((keyword, similarities))
        };
        let by_meaning = async {
            match meaning.clone().await {
                Some(meaning) => store.meaning(&meaning.vector, &query.filter, limit).await,
                None => Ok(Vec::new()),
            }
        };
        let ((keyword, mut similarities), near) = try_join(by_words, by_meaning).await?;
        let mut near = ranked(near);
        let meaning = meaning.await;
        let keyword: HashMap<_, _> =
            ranked(keyword).into_iter().map(|(rank, hit)| (hit.id, (rank, hit))).collect();
        let demands = Demands::of(&query.words);
        // By meaning alone, all that is demanded may lie far behind.
        let is_far = query.mode == Mode::Meaning && demands.is_some();
        let sample = if is_far { usize::MAX } else { SAMPLE };
        if let (Some(demands), Some(meaning)) = (demands, &meaning) {
            let mut asked = limit;
            loop {
                let unchecked =
                    near.iter().map(|(_, hit)| hit.id).filter(|id| !keyword.contains_key(id));
                let met = meeting(store, &demands, unchecked.collect()).await?;
                let there_are = near.len();
                // What the keyword leg returned meets them.
                near.retain(|(_, hit)| met.contains(&hit.id) || keyword.contains_key(&hit.id));
                // By meaning alone, what is demanded may lie far behind what is nearest.
                let is_enough = query.mode != Mode::Meaning || near.len() >= query.limit;
                if is_enough || there_are < asked || asked == *CANDIDATES.end() {
                    break;
                }
                asked = (asked * MORE).min(*CANDIDATES.end());
                near = ranked(store.meaning(&meaning.vector, &query.filter, asked).await?);
            }
        }
        similarities.extend(near.iter().map(|(_, hit)| (hit.id, hit.similarity)));
        let near = near.into_iter().map(|(rank, hit)| (hit.id, rank)).collect();
        let found = Found { keyword, meaning: near, similarities, named: Vec::new(), sample };
        Ok((found, meaning))
    }

    /// Whether scores stand on a passage.
    fn is_sampled(&self, id: &PassageId) -> bool {
        let by_words = self.keyword.get(id).map(|(rank, _)| *rank);
        let ranks = [by_words, self.meaning.get(id).copied()];
        ranks.into_iter().flatten().any(|rank| rank <= self.sample) || self.named.contains(id)
    }

    /// What the keyword leg says of a passage. What one that scores stand on would lack, were
    /// fewer asked for, it lacks.
    fn by_words(&self, id: &PassageId) -> Option<&(usize, KeywordHit)> {
        let is_sampled = self.is_sampled(id);
        self.keyword.get(id).filter(|(rank, _)| !is_sampled || *rank <= self.sample)
    }

    fn candidates(&self) -> Vec<Candidate> {
        let found = self.keyword.keys().chain(self.similarities.keys());
        let mut ids: Vec<_> = found.chain(&self.named).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        let candidate = |id| Candidate {
            id,
            keyword: self.by_words(&id).map(|(_, hit)| hit.score),
            similarity: self.similarities.get(&id).copied(),
            is_sampled: self.is_sampled(&id),
        };
        ids.into_iter().map(candidate).collect()
    }

    /// Takes in files that are found by their names: by their first passage, where
    /// none was found that scores stand on.
    async fn let_in(
        &mut self,
        store: &Store,
        named: &[Named],
        limit: usize,
        meaning: Option<&Meaning>,
        query: &Query,
    ) -> Result<(), StoreError> {
        let found = self.keyword.keys().chain(self.similarities.keys());
        let found = found.filter(|id| self.is_sampled(id));
        let there: HashSet<_> = found.map(|id| id.file()).collect();
        let ids = named.iter().map(|named| named.file).filter(|file| !there.contains(file));
        let ids: Vec<_> = ids.map(|file| PassageId::new(file, 0)).collect();
        let ids = store.let_through(&query.filter, &ids).await?;
        let demands = Demands::of(&query.words);
        // By pages: what is demanded may leave out most of them.
        for ids in ids.chunks(limit.max(1)) {
            let room = limit - self.named.len();
            match &demands {
                None => self.named.extend(ids.iter().take(room)),
                Some(demands) => {
                    let met = meeting(store, demands, ids.to_vec()).await?;
                    self.named.extend(ids.iter().filter(|id| met.contains(id)).take(room));
                }
            }
            if self.named.len() >= limit {
                break;
            }
        }
        if let Some(meaning) = meaning {
            self.similarities.extend(store.similarities(&meaning.vector, &self.named).await?);
        }
        Ok(())
    }

    /// A passage that was replaced since it was found is left out.
    fn show(
        &self,
        ranked: RankedFile,
        passages: &HashMap<PassageId, Passage>,
        terms: &Terms,
    ) -> FileHit {
        let passages = ranked.passages.into_iter().filter_map(|(id, score)| {
            let passage = passages.get(&id)?;
            Some(self.show_passage(id, passage, fusion::for_people(score), terms))
        });
        FileHit {
            file: ranked.file,
            score: fusion::for_people(ranked.score),
            passages: passages.collect(),
            arithmetic: ranked.arithmetic,
            alike: Vec::new(),
        }
    }

    fn show_passage(
        &self,
        id: PassageId,
        passage: &Passage,
        score: f32,
        terms: &Terms,
    ) -> PassageHit {
        // Title and headings are searched with the text, and stand before it.
        let input = input_of(passage);
        let above = input.len() - passage.text.len();
        let all = terms.find(&input);
        let in_text = all.iter().filter_map(|found| found.after(above));
        let matches: Vec<_> = in_text.collect();
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
                keyword: self.by_words(&id).map(|(rank, hit)| KeywordReason {
                    rank: *rank,
                    score: hit.score,
                    terms: terms.shown(&all, &input),
                }),
                meaning: self.similarities.get(&id).map(|similarity| MeaningReason {
                    rank: self.meaning.get(&id).copied(),
                    similarity: *similarity,
                }),
            },
        }
    }
}

/// A leg's hits with their ranks from 1.
fn ranked<T>(hits: Vec<T>) -> Vec<(usize, T)> {
    (1..).zip(hits).collect()
}

/// Those of the passages that the query's phrases and exclusions let through.
async fn meeting(
    store: &Store,
    demands: &Demands,
    ids: Vec<PassageId>,
) -> Result<HashSet<PassageId>, StoreError> {
    let passages = store.passages(&ids).await?.into_iter();
    let met = passages.filter(|(_, passage)| demands.met_by(&input_of(passage)));
    Ok(met.map(|(id, _)| id).collect())
}

fn input_of(passage: &Passage) -> String {
    model_input(&passage.context, &passage.text)
}
