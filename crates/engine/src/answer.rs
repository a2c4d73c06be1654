//! From a question to an answer: the query's vector, both legs, and what the
//! catalog knows of the files found.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{FutureExt, future::ready};
use rummage_catalog::{Catalog, Counts, FileRow, FileState, NamedFile, QueryWord, Root};
use rummage_corpus::{FileId, SourcePath, query_words};
use rummage_pool::{JobError, Pool};
use rummage_search::{FileHit, Meaning, Mode, Named, Query, Ranking, Told};
use rummage_store::{Filter, Store};

use crate::{
    EngineError, away,
    intake::is_gone,
    model::{LoadedModel, Part},
    shared::{Active, Shared},
    vectors,
};

/// A vector that is not there by then is done without: words answer at once, and
/// the next question finds the model loaded.
const VECTOR_WAIT: Duration = Duration::from_millis(2500);

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
    /// Other files that hold the same passage, best first.
    pub alike: Vec<Alike>,
}

impl FoundFile {
    /// Of the file and of those that hold the same passage.
    pub fn paths(&self) -> impl Iterator<Item = &SourcePath> {
        std::iter::once(&self.path).chain(self.alike.iter().map(|alike| &alike.path))
    }
}

/// A file that a result stands for, too.
#[derive(Debug, Clone, PartialEq)]
pub struct Alike {
    pub path: SourcePath,
    /// All of its contents are the same, not only the passage.
    pub is_copy: bool,
}

/// Files that are let in by their names alone.
const NAMED: usize = 50;

/// Words of a query that are taken for others where no passage holds them.
const MEANT: usize = 8;

/// Files looked at for copies of each other, for each that is asked for: copies lie
/// close together.
const COMPARED: usize = 10;

/// Results looked up past those asked for: some may be gone.
const SPARE: usize = 10;

const NO_QUESTION: &str = "There is no word here to search for.";
const ONLY_FILTERS: &str =
    "A filter or an exclusion needs words with it: only they are searched for.";
const NOTHING_FOLLOWED: &str = "Nothing is followed yet, so there is nothing to search.";

/// By the model in use: if another one comes into use meanwhile, by that, for the workers of
/// the former may be gone.
pub(crate) async fn answer(shared: &Arc<Shared>, query: &Query) -> Result<Answer, EngineError> {
    let start = Instant::now();
    loop {
        // One look: another model may be in use the next moment.
        let active = shared.active();
        let answer = answer_with(shared, &shared.pool, active.clone(), query).await;
        let in_use = |active: &Option<Arc<Active>>| active.as_ref().map(Arc::as_ptr);
        // Held until here, so that no other one lies at its address.
        let is_whole = answer.as_ref().is_ok_and(|answer| answer.notice.is_none());
        if is_whole || in_use(&active) == in_use(&shared.active()) {
            return answer.map(|answer| Answer { took: start.elapsed(), ..answer });
        }
    }
}

/// By any model, whose workers the pool has.
pub(crate) async fn answer_with(
    shared: &Arc<Shared>,
    pool: &Pool,
    active: Option<Arc<Active>>,
    query: &Query,
) -> Result<Answer, EngineError> {
    let start = Instant::now();
    let store = active.as_ref().and_then(|active| active.store.as_ref());
    let mut query = query.clone();
    // Words are looked for while a worker computes this.
    let sought = match query.mode {
        Mode::Keyword => ready((None, None)).left_future(),
        Mode::Hybrid | Mode::Meaning => {
            let sought =
                tokio::spawn(query_vector(pool.clone(), active.clone(), query.text_for_model()));
            sought
                .map(|sought| {
                    sought.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
                })
                .right_future()
        }
    };
    let sought = sought.shared();
    if query.mode == Mode::Meaning && sought.clone().await.1.is_some() {
        query.mode = Mode::Keyword;
    }
    let mode = query.mode;
    let meaning = sought.clone().map(|(meaning, _)| meaning).shared();
    let (files, remark) = match store {
        // Boxed, or the compiler gives up on whatever holds a question inside a future.
        Some(store) => {
            let model = active.as_ref().map(|active| &active.model);
            Box::pin(find(shared, store, model, query, meaning)).await?
        }
        None => (Vec::new(), None),
    };
    let (_, notice) = sought.await;
    let mode = if notice.is_some() { Mode::Keyword } else { mode };
    let notice = notice.or(remark);
    let is_empty = files.is_empty() && shared.catalog.roots()?.is_empty();
    let notice = if is_empty { Some(NOTHING_FOLLOWED.to_owned()) } else { notice };
    let coverage = Coverage::of(&shared.catalog.counts()?);
    Ok(Answer { mode, took: start.elapsed(), coverage, notice, files })
}

/// The results, and what a person should know of them.
async fn find(
    shared: &Arc<Shared>,
    store: &Store,
    model: Option<&LoadedModel>,
    mut query: Query,
    meaning: impl Future<Output = Option<Meaning>> + Clone,
) -> Result<(Vec<FoundFile>, Option<String>), EngineError> {
    let catalog = &shared.catalog;
    let by_words = query.mode != Mode::Meaning;
    let told = if by_words { query.told() } else { Vec::new() };
    if told.is_empty() && (by_words || query.text_for_model().is_empty()) {
        let has_others = !query.filter.is_empty() || !query.words.excluded.is_empty();
        let remark = if has_others { ONLY_FILTERS } else { NO_QUESTION };
        return Ok((Vec::new(), Some(remark.to_owned())));
    }
    if !query.filter.under.is_empty() || !query.filter.not_under.is_empty() {
        query.filter.above = above_roots(catalog)?;
        at_home(&mut query.filter.under);
        at_home(&mut query.filter.not_under);
    }
    let mut guesses = Guesses::default();
    let asked = asked(told, &query.words.any, model);
    for word in asked.iter().take(MEANT) {
        if !catalog.is_known(&word.stem)? {
            query.words.instead.extend(guesses.instead_of(word, catalog)?);
        }
    }
    // Names are looked for while passages are.
    let named = tokio::task::spawn_blocking({
        let (shared, asked) = (shared.clone(), asked.clone());
        move || shared.catalog.named(&asked)
    });
    let mut legs = rummage_search::ask(store, &query, meaning.clone()).await?;
    let named =
        named.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    let named = named.into_iter();
    let named = named.map(|NamedFile { file, share, whole }| Named { file, share, whole });
    let named: Vec<_> = named.collect();
    let has_words = legs.has_words() || !named.is_empty();
    if by_words && !has_words && query.words.instead.is_empty() {
        // Words may be known from passages that are no more.
        for word in asked.iter().take(MEANT) {
            query.words.instead.extend(guesses.instead_of(word, catalog)?);
        }
        if !query.words.instead.is_empty() {
            legs = rummage_search::ask(store, &query, meaning).await?;
        }
    }
    let holds_words = legs.has_words();
    let ranking = legs.rank(store, &query, &named, NAMED).await?;
    // Some of what is named failed, or is filtered out.
    let ranked: HashSet<_> = ranking.files().collect();
    let is_ranked = |named: &Named| ranked.contains(&named.file);
    let has_none = by_words && !ranking.has_words() && !named.iter().any(is_ranked);
    let is_filter = !query.filter.is_empty();
    // What a filter leaves out is not missed, nor is another of what is there by that name.
    let is_there = named.iter().any(|named| named.whole && is_ranked(named));
    let not_read = if is_filter || is_there { None } else { not_read(catalog, &named)? };
    let found = show(shared, store, ranking, query.limit).await?;
    if not_read.is_some() {
        return Ok((found, not_read));
    }
    if !found.is_empty() {
        let none = has_none.then(|| no_words(asked.len(), is_filter));
        return Ok((found, none.or_else(|| guesses.remark())));
    }
    // Else there is more to come.
    let counts = Coverage::of(&catalog.counts()?);
    let so_far = if counts.searched < counts.known { " so far" } else { "" };
    if is_filter {
        let blocked = blocked(store, &query.filter).await?;
        return Ok((found, blocked.map(|what| format!("Nothing that is indexed{so_far} {what}."))));
    }
    let is_phrase = by_words && !holds_words && query.demands_phrase();
    let remark = (is_phrase && query.words.excluded.is_empty())
        .then(|| format!("No passage{so_far} holds the words in quotes just as they stand there."));
    Ok((found, remark))
}

/// The words of a query, and what they may be meant for. What a model has in its vocabulary
/// is a word, and no slip of another; it is no part of one either, unless it is the last and
/// still being typed: “app release” is not about apples.
fn asked(told: Vec<Told>, text: &str, model: Option<&LoadedModel>) -> Vec<QueryWord> {
    let end = text.trim_end().len();
    let mut last = query_words(text);
    last.retain(|word| word.span.end == end);
    let asked = |Told { typed, stem }: Told| {
        let is_word = model.is_some_and(|model| model.knows(&typed));
        let may_be_part = !is_word || last.iter().any(|word| word.stem == stem);
        QueryWord { typed, stem, may_be_part, may_be_slip: !is_word }
    };
    told.into_iter().map(asked).collect()
}

/// What a person should know of a file whose whole name was asked for, and which no question
/// can find.
fn not_read(catalog: &Catalog, named: &[Named]) -> Result<Option<String>, EngineError> {
    let whole = named.iter().filter(|named| named.whole).map(|named| named.file).take(NAMED);
    let rows = catalog.rows(&whole.collect::<Vec<_>>())?;
    if rows.values().any(|row| matches!(row.state, FileState::Indexed | FileState::Queued)) {
        return Ok(None);
    }
    let row = rows.into_values().min_by_key(|row| row.file);
    Ok(row.map(|row| format!("“{}” cannot be searched: it is {}.", row.path.name(), row.became())))
}

/// Said above what is found by meaning alone, of a question of so many words.
fn no_words(count: usize, is_filter: bool) -> String {
    let searched = if is_filter { "passes the filter" } else { "was searched" };
    let words = if count == 1 { "this word" } else { "these words" };
    format!("Nothing that {searched} holds {words}: what follows is nearest in meaning.")
}

/// What it is that a filter lets nothing through by, as far as one of its parts lets none;
/// `None` where it lets files through.
async fn blocked(store: &Store, filter: &Filter) -> Result<Option<String>, EngineError> {
    if store.lets_any_through(filter).await? {
        return Ok(None);
    }
    let told = |values: &[String]| {
        values.iter().map(|value| format!("“{value}”")).collect::<Vec<_>>().join(" or ")
    };
    let Filter { under, above, types, after, before, .. } = filter.clone();
    let (of_place, of_type) = (!under.is_empty(), !types.is_empty());
    let of_time = after.is_some() || before.is_some();
    let parts = [
        (
            of_place,
            format!("lies in {}", told(&under)),
            Filter { under, above, ..Filter::default() },
        ),
        (of_type, format!("is of type {}", told(&types)), Filter { types, ..Filter::default() }),
        (of_time, "is of that time".to_owned(), Filter { after, before, ..Filter::default() }),
    ];
    for (_, told, part) in parts.into_iter().filter(|(is_asked, ..)| *is_asked) {
        if !store.lets_any_through(&part).await? {
            return Ok(Some(told));
        }
    }
    Ok(Some("passes the filter".to_owned()))
}

/// Places as a shell has them.
fn at_home(places: &mut [String]) {
    let Some(home) = std::env::home_dir() else { return };
    for place in places {
        if place == "~" || place.starts_with("~/") {
            *place = format!("{}{}", home.display(), &place[1..]);
        }
    }
}

/// The folders that what is followed lies in: of a file that is, the one above its own.
fn above_roots(catalog: &Catalog) -> Result<Vec<String>, EngineError> {
    let mut above = Vec::new();
    for root in catalog.roots()? {
        let is_file = catalog.file_at(&root.path)?.is_some();
        let folder = root.path.as_path().ancestors().nth(if is_file { 2 } else { 1 });
        above.extend(folder.map(|folder| folder.display().to_string()));
    }
    Ok(above)
}

/// Words that others stand for, and of which that should be said.
#[derive(Default)]
struct Guesses(Vec<String>);

impl Guesses {
    /// The words that stand for one that no passage holds. What is not all typed yet, or part
    /// of a longer word, needs no remark.
    fn instead_of(
        &mut self,
        word: &QueryWord,
        catalog: &Catalog,
    ) -> Result<Vec<String>, EngineError> {
        let instead = catalog.instead_of(word)?;
        if instead.by_slip {
            self.0.push(format!("“{}”", word.typed));
        }
        Ok(instead.words)
    }

    fn remark(self) -> Option<String> {
        let (is_in, it) = if self.0.len() == 1 { ("is in", "it") } else { ("are in", "them") };
        let typed = Some(self.0.join(" and ")).filter(|typed| !typed.is_empty())?;
        Some(format!("{typed} {is_in} no text here: words like {it} are searched for instead."))
    }
}

/// The first `limit` files of a ranking that are there, copies folded.
pub(crate) async fn show(
    shared: &Shared,
    store: &Store,
    ranking: Ranking,
    limit: usize,
) -> Result<Vec<FoundFile>, EngineError> {
    let catalog = &shared.catalog;
    // Texts are read while it is found out what is there of the files.
    let texts = tokio::spawn(ranking.texts(store, limit));
    let first: Vec<_> = ranking.files().take(COMPARED * limit).collect();
    let compared = first.len();
    let mut copies = Copies::among(catalog, first)?;
    let mut rows = copies.present(shared, limit).await?;
    if rows.len() < limit && compared == COMPARED * limit {
        // Most of them are gone.
        copies = Copies::among(catalog, ranking.files().collect())?;
        rows = copies.present(shared, limit).await?;
    }
    let texts =
        texts.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    let hits = ranking.show(store, texts, |file| rows.contains_key(&file), limit).await?;
    let mut found = Vec::with_capacity(hits.len());
    for mut hit in hits {
        let Some(row) = rows.get(&hit.file) else { continue };
        let mut alike = copies.of(catalog, hit.file)?;
        for file in std::mem::take(&mut hit.alike) {
            if let Some(row) = rows.get(&file) {
                alike.push(Alike { path: row.path.clone(), is_copy: false });
                alike.extend(
                    copies
                        .of(catalog, file)?
                        .into_iter()
                        .map(|copy| Alike { is_copy: false, ..copy }),
                );
            }
        }
        found.push(FoundFile { path: row.path.clone(), modified_ns: row.modified_ns, hit, alike });
    }
    Ok(found)
}

/// Files in their order, those with the same contents together.
struct Copies {
    groups: Vec<Vec<FileId>>,
    group_of: HashMap<FileId, usize>,
}

impl Copies {
    fn among(catalog: &Catalog, files: Vec<FileId>) -> Result<Self, EngineError> {
        let contents = catalog.contents(&files)?;
        let mut copies = Copies { groups: Vec::new(), group_of: HashMap::new() };
        let mut seen = HashMap::new();
        for file in files {
            let fresh = copies.groups.len();
            let group = match contents.get(&file) {
                Some(hash) => *seen.entry(*hash).or_insert(fresh),
                None => fresh,
            };
            if group == fresh {
                copies.groups.push(Vec::new());
            }
            copies.groups[group].push(file);
            copies.group_of.insert(file, group);
        }
        Ok(copies)
    }

    /// One file of each of the first groups, the first that is there still: of `limit`
    /// groups and a few to spare, and of further ones while too few are there.
    async fn present(
        &self,
        shared: &Shared,
        limit: usize,
    ) -> Result<HashMap<FileId, FileRow>, EngineError> {
        let mut present = HashMap::new();
        let mut groups = self.groups.chunks(limit + SPARE);
        while present.len() < limit
            && let Some(groups) = groups.next()
        {
            let mut wanting: Vec<_> = groups.iter().map(|group| group.iter()).collect();
            while !wanting.is_empty() {
                let files: Vec<FileId> =
                    wanting.iter_mut().filter_map(|group| group.next().copied()).collect();
                let there = without_ghosts(shared, shared.catalog.rows(&files)?).await?;
                let mut files = files.iter();
                wanting.retain(|group| {
                    let is_there = files.next().is_some_and(|file| there.contains_key(file));
                    !is_there && !group.as_slice().is_empty()
                });
                present.extend(there);
            }
        }
        Ok(present)
    }

    /// The other files of a file's group.
    fn of(&self, catalog: &Catalog, file: FileId) -> Result<Vec<Alike>, EngineError> {
        let group = self.group_of.get(&file).map_or(&[][..], |group| &self.groups[*group]);
        let others: Vec<_> = group.iter().copied().filter(|other| *other != file).collect();
        let rows = catalog.rows(&others)?;
        let rows = others.iter().filter_map(|other| rows.get(other));
        Ok(rows.map(|row| Alike { path: row.path.clone(), is_copy: true }).collect())
    }
}

/// The query as the model sees it, or why there is nothing to see. A query without words
/// has no meaning and needs no excuse.
async fn query_vector(
    pool: Pool,
    active: Option<Arc<Active>>,
    text: String,
) -> (Option<Meaning>, Option<String>) {
    if text.is_empty() {
        return (None, None);
    }
    let Some(active) = active else {
        return (None, Some("The model is missing: only words are searched.".to_owned()));
    };
    let embedding = tokio::time::timeout(VECTOR_WAIT, embed(&pool, &active.model, &text));
    // In this order: while the worker computes, there is time for the other.
    let (embedded, fit) = tokio::join!(embedding, async { active.model.fit(&text) });
    match embedded {
        Ok(Ok(vector)) => (Some(Meaning { vector, fit }), None),
        Ok(Err(error)) => (None, Some(format!("Only words are searched: {error}"))),
        Err(_) => (None, Some("The model is still loading: only words are searched.".to_owned())),
    }
}

/// Without the files that are not there any more, though nobody has told yet. What
/// lies on a disk that is away stays.
async fn without_ghosts(
    shared: &Shared,
    mut rows: HashMap<FileId, FileRow>,
) -> Result<HashMap<FileId, FileRow>, EngineError> {
    let paths: Vec<_> = rows.values().map(|row| (row.file, row.path.clone())).collect();
    let roots = shared.catalog.roots()?;
    let look = tokio::task::spawn_blocking(move || {
        let is_away = |root: &Root| root.away.is_some() || is_gone(&root.path);
        let is_ghost = |path: &SourcePath| {
            is_gone(path)
                && !roots.iter().any(|root| path.as_path().starts_with(&root.path) && is_away(root))
        };
        let ghosts = paths.into_iter().filter(|(_, path)| is_ghost(path));
        ghosts.map(|(file, _)| file).collect::<Vec<_>>()
    });
    if let Ok(Ok(ghosts)) = tokio::time::timeout(away::LOOK_WAIT, look).await {
        for ghost in ghosts {
            rows.remove(&ghost);
        }
    }
    Ok(rows)
}

/// The model's side of [`answer`], for callers that only want it warm.
pub(crate) async fn warm(shared: &Shared, model: &LoadedModel) {
    let _ = embed(&shared.pool, model, "warm").await;
}

/// The vector of a question.
async fn embed(pool: &Pool, model: &LoadedModel, text: &str) -> Result<Vec<f32>, JobError> {
    let tokens = |part: &Part| vec![part.query_tokens(text)];
    // It goes alone, however long it is.
    let vectors = vectors::now(pool, model, tokens, 1, 1).await?;
    let none = || JobError::Refused("no vector came".to_owned());
    vectors.into_iter().next().ok_or_else(none)
}
