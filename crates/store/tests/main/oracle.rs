//! Random stores, random filters, random questions: the store's answers are those of a
//! loop over all rows, whatever was replaced, moved, removed, indexed or not.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use proptest::{prelude::*, test_runner::TestCaseError};
use rummage_corpus::{ContentHash, FileId, SourcePath};
use rummage_store::{Filter, Limits, Mode, Origin, Store, VectorIndexState, Words};

use crate::rows::{direction, folder, placed, space, vector_row};

const DIMS: usize = 32;

/// Each is one word of the index, and none is another's stem.
const VOCABULARY: [&str; 10] =
    ["amber", "bronze", "copper", "dust", "ember", "fjord", "granit", "hazel", "indigo", "jade"];
const FOLDERS: [&str; 5] = ["/you", "/you/Work", "/you/Work/2025", "/you/home", "/you/workshop"];
const PLACES: [&str; 9] =
    ["/you", "/you/Work", "/you/Work/", "/nobody", "work", "WORK/2025", "2025", "home", "7.md"];
const ABOVE: [&str; 4] = ["/you", "/you/Work", "/nobody", "/"];
const EXTS: [&str; 3] = ["md", "txt", "pdf"];

/// Files that every store begins with, three passages each.
const BASE: u64 = 200;
const BEST: usize = 10;

#[derive(Debug, Clone)]
enum Step {
    /// Whether its vectors come, too.
    Replace(i64, u64, bool),
    Move(i64, u64),
    Remove(i64),
    Upkeep(Mode),
}

#[derive(Debug, Clone)]
struct Asked {
    words: Vec<usize>,
    excluded: Option<usize>,
    vector: u64,
    filter: Filter,
}

/// A row as a loop sees it. The seed decides all that it holds.
#[derive(Clone)]
struct Known {
    seed: u64,
    place: u64,
    has_vector: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let file = 1..BASE as i64 + 20;
    prop_oneof![
        4 => (file.clone(), any::<u64>(), any::<bool>()).prop_map(|(f, s, v)| Step::Replace(f, s, v)),
        2 => (file.clone(), any::<u64>()).prop_map(|(f, s)| Step::Move(f, s)),
        2 => file.prop_map(Step::Remove),
        1 => prop_oneof![Just(Mode::Busy), Just(Mode::Lull), Just(Mode::Idle)].prop_map(Step::Upkeep),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let places = |most| prop::sample::subsequence(PLACES.to_vec(), 0..=most);
    let not_places = prop_oneof![3 => Just(Vec::new()), 1 => places(1)];
    let types = |most| prop::sample::subsequence(EXTS.to_vec(), 0..=most);
    let date = || prop::option::of(0i64..100);
    let above = prop::sample::subsequence(ABOVE.to_vec(), 0..=2);
    let parts = (places(2), not_places, above, types(2), types(1), date(), date());
    parts.prop_map(|(places, not_places, above, types, not_types, after, before)| Filter {
        under: places.into_iter().map(str::to_owned).collect(),
        not_under: not_places.into_iter().map(str::to_owned).collect(),
        above: above.into_iter().map(str::to_owned).collect(),
        types: types.into_iter().map(str::to_owned).collect(),
        not_types: not_types.into_iter().map(str::to_owned).collect(),
        after,
        before,
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let word = || 0..VOCABULARY.len();
    let words = prop::collection::vec(word(), 1..3);
    (words, prop::option::of(word()), any::<u64>(), filter())
        .prop_map(|(words, excluded, vector, filter)| Asked { words, excluded, vector, filter })
}

fn origin(file: i64, place: u64) -> Origin {
    let folder = FOLDERS[place as usize % FOLDERS.len()];
    let ext = EXTS[(place >> 8) as usize % EXTS.len()];
    let path = SourcePath::new(format!("{folder}/{file}.{ext}"));
    Origin::new(FileId(file), &path, ((place >> 16) % 100) as i64)
}

fn words_of(seed: u64, ordinal: u32) -> Vec<usize> {
    let seed = seed.rotate_left(ordinal * 20);
    (0..4).map(|word| (seed >> (word * 5)) as usize % VOCABULARY.len()).collect()
}

fn vector_of(seed: u64, ordinal: u32) -> Vec<f32> {
    direction(seed ^ u64::from(ordinal) << 3, DIMS)
}

struct Both {
    store: Store,
    known: BTreeMap<i64, Known>,
}

impl Both {
    async fn replace(&mut self, files: &[(i64, Known)]) {
        let stale: Vec<_> = files.iter().map(|(file, _)| FileId(*file)).collect();
        let rows: Vec<_> = files
            .iter()
            .flat_map(|(file, known)| (0..3).map(move |ordinal| (file, known, ordinal)))
            .map(|(file, known, ordinal)| {
                let words: Vec<_> =
                    words_of(known.seed, ordinal).into_iter().map(|i| VOCABULARY[i]).collect();
                let mut row = placed(origin(*file, known.place), ordinal, &words.join(" "));
                row.passage.hash = ContentHash::of(format!("{} {ordinal}", known.seed).as_bytes());
                (row, known)
            })
            .collect();
        let passages: Vec<_> = rows.iter().map(|(row, _)| row.clone()).collect();
        self.store.replace_passages(&stale, &passages).await.unwrap();
        let with_vectors: Vec<_> = rows.iter().filter(|(_, known)| known.has_vector).collect();
        if !with_vectors.is_empty() {
            let vectors: Vec<_> = with_vectors
                .iter()
                .map(|(row, known)| vector_row(row, vector_of(known.seed, row.passage.ordinal)))
                .collect();
            self.store.replace_vectors(&stale, &vectors).await.unwrap();
        }
        self.known.extend(files.iter().cloned());
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Replace(file, seed, has_vector) => {
                let known = Known { seed: *seed, place: *seed, has_vector: *has_vector };
                self.replace(&[(*file, known)]).await;
            }
            Step::Move(file, place) => {
                if let Some(known) = self.known.get_mut(file) {
                    known.place = *place;
                    let origin = origin(*file, *place);
                    self.store.place_passages(std::slice::from_ref(&origin)).await.unwrap();
                    self.store.place_vectors(&[origin]).await.unwrap();
                }
            }
            Step::Remove(file) => {
                self.known.remove(file);
                self.store.remove_passages(&[FileId(*file)]).await.unwrap();
            }
            Step::Upkeep(mode) => drop(self.store.upkeep(*mode).await.unwrap()),
        }
    }

    fn passing<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = (i64, &'a Known)> {
        let files = self.known.iter().map(|(file, known)| (*file, known));
        files.filter(|(file, known)| lets_through(filter, &origin(*file, known.place)))
    }

    async fn check(&self, asked: &Asked) -> Result<(), TestCaseError> {
        let text =
            |words: &[usize]| words.iter().map(|i| VOCABULARY[*i]).collect::<Vec<_>>().join(" ");
        let excluded = asked.excluded.map(|word| text(&[word]));
        let words = Words {
            any: text(&asked.words),
            phrases: Vec::new(),
            excluded: excluded.into_iter().collect(),
            instead: Vec::new(),
        };
        let hits = self.store.keyword(&words, &asked.filter, 10_000).await.unwrap();
        let found: BTreeSet<_> =
            hits.iter().map(|hit| (hit.id.file().0, hit.id.ordinal())).collect();
        let holds = |file: i64, known: &Known, ordinal: u32| {
            let words = words_of(known.seed, ordinal);
            let excluded = asked.excluded.is_some_and(|word| words.contains(&word));
            let any = asked.words.iter().any(|word| words.contains(word));
            (any && !excluded).then_some((file, ordinal))
        };
        let expected: BTreeSet<_> = self
            .passing(&asked.filter)
            .flat_map(|(file, known)| (0..3).filter_map(move |i| holds(file, known, i)))
            .collect();
        prop_assert_eq!(found, expected, "{:?}", asked);
        let ids: Vec<_> = hits.iter().map(|hit| hit.id).collect();
        let passages = self.store.passages(&ids).await.unwrap();
        prop_assert_eq!(passages.len(), ids.len());
        for (id, passage) in passages {
            let words = words_of(self.known[&id.file().0].seed, id.ordinal());
            prop_assert_eq!(passage.text, text(&words), "{:?}", id);
        }

        let vector = direction(asked.vector, DIMS);
        let similarity = |known: &Known, ordinal| {
            let other = vector_of(known.seed, ordinal);
            vector.iter().zip(other).map(|(a, b)| a * b).sum::<f32>()
        };
        let hits = self.store.meaning(&vector, &asked.filter, BEST).await.unwrap();
        let passing: BTreeMap<_, _> =
            self.passing(&asked.filter).filter(|(_, known)| known.has_vector).collect();
        let mut expected: Vec<_> = passing
            .values()
            .flat_map(|known| (0..3).map(|ordinal| similarity(known, ordinal)))
            .collect();
        expected.sort_by(|a, b| b.total_cmp(a));
        expected.truncate(BEST);
        prop_assert_eq!(hits.len(), expected.len(), "{:?}", asked);
        let mut seen = HashSet::new();
        for (hit, expected) in hits.iter().zip(expected) {
            prop_assert!(seen.insert(hit.id), "twice: {:?}", hit);
            let known = passing.get(&hit.id.file().0);
            prop_assert!(known.is_some(), "{:?} does not pass {:?}", hit, asked.filter);
            let own = similarity(known.unwrap(), hit.id.ordinal());
            prop_assert!((hit.similarity - own).abs() < 1e-4, "{:?} is {}", hit, own);
            prop_assert!((own - expected).abs() < 2e-4, "{:?}: {} is nearer", hit, expected);
        }
        let ids: Vec<_> = hits.iter().map(|hit| hit.id).collect();
        let similar = self.store.similarities(&vector, &ids).await.unwrap();
        for hit in &hits {
            prop_assert!((similar[&hit.id] - hit.similarity).abs() < 1e-4);
        }
        Ok(())
    }
}

/// Written once more, as plainly as can be.
fn lets_through(filter: &Filter, origin: &Origin) -> bool {
    let lies_in = |place: &str| {
        format!("{}/", origin.path).starts_with(&format!("{}/", place.trim_end_matches('/')))
    };
    let above = filter.above.iter().filter(|above| lies_in(above)).map(|above| above.len()).min();
    let names =
        origin.path.to_lowercase()[above.filter(|above| *above > 1).unwrap_or(0)..].to_owned();
    let is_in = |place: &str| match place.strip_prefix('/') {
        Some(_) => lies_in(place),
        None => format!("{names}/").contains(&format!("/{}/", place.to_lowercase())),
    };
    (filter.under.is_empty() || filter.under.iter().any(|place| is_in(place)))
        && !filter.not_under.iter().any(|place| is_in(place))
        && (filter.types.is_empty() || filter.types.contains(&origin.ext))
        && !filter.not_types.contains(&origin.ext)
        && filter.after.is_none_or(|after| origin.modified >= after)
        && filter.before.is_none_or(|before| origin.modified < before)
}

async fn run(steps: &[Step], questions: &[Asked], limits: Limits) -> Result<(), TestCaseError> {
    let folder = folder();
    let store = Store::open_with(folder.path(), &space(DIMS), limits).await.unwrap();
    let mut both = Both { store, known: BTreeMap::new() };
    let base = (0..BASE).map(|file| {
        let seed = file.wrapping_mul(0x2545_f491_4f6c_dd1d);
        (file as i64 + 1, Known { seed, place: seed, has_vector: true })
    });
    both.replace(&base.collect::<Vec<_>>()).await;
    both.store.upkeep(Mode::Idle).await.unwrap();
    let is_exact = matches!(both.store.vector_index(), VectorIndexState::Exact { .. });
    prop_assert_eq!(is_exact, limits.vectors_in_memory > BASE as usize * 3);
    let mut questions = questions.chunks(questions.len().div_ceil(steps.len() + 1));
    for step in steps {
        for asked in questions.next().unwrap_or_default() {
            both.check(asked).await?;
        }
        both.take(step).await;
    }
    for asked in questions.flatten() {
        both.check(asked).await?;
    }
    Ok(())
}

/// Stores; each is asked so many questions.
const STORES: u32 = 20;
const QUESTIONS: usize = 25;

fn check(limits: Limits) {
    let config = ProptestConfig { cases: STORES, max_shrink_iters: 20, ..Default::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let questions = prop::collection::vec(asked(), QUESTIONS);
    proptest!(config, |(steps in prop::collection::vec(step(), 0..12), questions in questions)| {
        runtime.block_on(run(&steps, &questions, limits))?;
    });
}

#[test]
fn answers_are_those_of_a_loop_over_all_rows() {
    check(Limits::default());
}

/// With so few rows the index looks into all of its partitions.
#[test]
fn answers_by_an_index_are_the_same() {
    check(Limits {
        vectors_in_memory: 100,
        vectors_fetched: 40,
        flat: 50,
        words_fresh: 10,
        words_gathered: 20,
    });
}
