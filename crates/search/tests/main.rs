//! Searching over a real store in a temporary folder.

use rummage_corpus::{ContentHash, FileId, Passage, SourcePath, Span};
use std::future::ready;

use rummage_search::{FileHit, Meaning, Mode, Named, Query, Texts, ask};
use rummage_store::{Origin, PassageRow, Store, VectorRow, VectorSpace};
use tempfile::TempDir;

/// A folder of three notes. Their vectors are made up: the first number says how
/// near to the query they are.
struct Notes {
    store: Store,
    _folder: TempDir,
}

const HARBOUR: i64 = 1;
const BEACON: i64 = 2;
const BREAD: i64 = 3;

impl Notes {
    async fn open() -> Notes {
        let folder = TempDir::new().unwrap();
        let space = VectorSpace { fingerprint: "made-up".into(), dims: 2 };
        let store = Store::open(folder.path(), &space).await.unwrap();
        let rows = [
            note(HARBOUR, 0, "Ships", "The lighthouse guides ships into the harbour at night."),
            note(HARBOUR, 1, "Ships", "A list of tides."),
            note(BEACON, 0, "", "A beacon shows sailors the way in the dark."),
            note(BREAD, 0, "", "Bread wants flour, water and a night of rest."),
        ];
        let notes = Notes { store, _folder: folder };
        notes.add(rows.into_iter().zip([0.9, 0.1, 0.8, 0.0])).await;
        notes
    }

    /// Passages, each with how near it is.
    async fn add(&self, rows: impl Iterator<Item = (PassageRow, f32)>) {
        let (passages, vectors): (Vec<_>, Vec<_>) = rows
            .map(|(row, near)| {
                let vector = vector_of(&row, near);
                (row, vector)
            })
            .unzip();
        self.store.replace_passages(&[], &passages).await.unwrap();
        self.store.replace_vectors(&[], &vectors).await.unwrap();
    }

    async fn ask(&self, text: &str, mode: Mode) -> Vec<FileHit> {
        let query = Query { mode, ..Query::parse(text).unwrap() };
        let meaning = Meaning { vector: vec![1.0, 0.0], fit: 1.0 };
        self.answer(&query, Some(meaning), &[]).await
    }

    async fn answer(
        &self,
        query: &Query,
        meaning: Option<Meaning>,
        named: &[Named],
    ) -> Vec<FileHit> {
        let legs = ask(&self.store, query, ready(meaning)).await.unwrap();
        let ranking = legs.rank(&self.store, query, named, 10).await.unwrap();
        ranking.show(&self.store, Texts::default(), |_| true, query.limit).await.unwrap()
    }

    async fn check(&self, text: &str, mode: Mode, expected: &[i64]) {
        let hits = self.ask(text, mode).await;
        assert_eq!(files(&hits), expected, "{text:?} {mode:?}");
        assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
    }
}

fn note(file: i64, ordinal: u32, context: &str, text: &str) -> PassageRow {
    let path = SourcePath::new(format!("/home/you/notes/{file}.md"));
    PassageRow {
        origin: Origin::new(FileId(file), &path, 0),
        passage: Passage {
            ordinal,
            span: Span::new(10, 10 + text.len()),
            text: text.into(),
            context: context.into(),
            page: Some(4),
            hash: ContentHash::of(text.as_bytes()),
        },
    }
}

fn vector_of(row: &PassageRow, near: f32) -> VectorRow {
    VectorRow {
        origin: row.origin.clone(),
        ordinal: row.passage.ordinal,
        hash: row.passage.hash,
        vector: vec![near, (1.0 - near * near).sqrt()],
    }
}

fn files(hits: &[FileHit]) -> Vec<i64> {
    hits.iter().map(|hit| hit.file.0).collect()
}

#[tokio::test]
async fn each_mode_asks_its_legs() {
    let notes = Notes::open().await;
    notes.check("lighthouse at night", Mode::Hybrid, &[HARBOUR, BEACON, BREAD]).await;
    notes.check("lighthouse at night", Mode::Keyword, &[HARBOUR, BREAD]).await;
    notes.check("lighthouse at night", Mode::Meaning, &[HARBOUR, BEACON, BREAD]).await;
    notes.check("nowhere", Mode::Keyword, &[]).await;
    notes.check("nowhere", Mode::Hybrid, &[HARBOUR, BEACON, BREAD]).await;
}

#[tokio::test]
async fn what_is_demanded_is_found_by_meaning_however_far_behind_it_is() {
    let notes = Notes::open().await;
    let nearer = (10..1210).map(|file| (note(file, 0, "", &format!("Page {file}.")), 0.9));
    notes.add(nearer.chain([(note(9, 0, "", "A leek soup for ten."), 0.2)])).await;
    notes.check(r#"dinner "leek soup""#, Mode::Meaning, &[9]).await;
    notes.check(r#"dinner "leek stew""#, Mode::Meaning, &[]).await;
}

#[tokio::test]
async fn the_best_are_the_same_however_many_are_asked_for() {
    let notes = Notes::open().await;
    // Words and nearness in no relation, several passages a file, more than each leg is
    // asked for at first; no two equally good, of which either may be the last.
    let row = |i: i64| {
        let words = ["harbour ", "night ", "ships "].map(|word| word.repeat((i * 7 % 5) as usize));
        let others = "tide ".repeat((i % 149) as usize);
        let text = format!("Page {i}. {}{others}", words[..(i % 4) as usize].concat());
        (note(10 + i / 3, (i % 3) as u32, "", &text), (i * 1237 % 3001) as f32 / 3001.0)
    };
    notes.add((0..3000).map(row)).await;
    let named = [Named { file: FileId(500), share: 1.0, whole: true }];
    for (text, named) in [
        ("ships at night in the harbour", &named[..]),
        ("ships night -harbour", &named),
        ("\"night ships\"", &[]),
    ] {
        let first = async |limit| {
            let query = Query { limit, ..Query::parse(text).unwrap() };
            let meaning = Meaning { vector: vec![1.0, 0.0], fit: 1.0 };
            let hits = notes.answer(&query, Some(meaning), named).await;
            assert!(hits.len() >= 10, "{text} {limit}");
            hits[..10].iter().map(|hit| (hit.file, hit.score)).collect::<Vec<_>>()
        };
        let few = first(10).await;
        assert_eq!(few[0].0 == FileId(500), !named.is_empty(), "{text}");
        for limit in [30, 120, 480] {
            assert_eq!(first(limit).await, few, "{text} {limit}");
        }
    }
}

#[tokio::test]
async fn phrases_exclusions_and_filters_bind_both_legs() {
    let notes = Notes::open().await;
    for mode in [Mode::Hybrid, Mode::Meaning] {
        notes.check("light -lighthouse -tides", mode, &[BEACON, BREAD]).await;
        notes.check(r#"night "in the dark""#, mode, &[BEACON]).await;
        notes.check("night in:notes type:md", mode, &files(&notes.ask("night", mode).await)).await;
        notes.check("night in:elsewhere", mode, &[]).await;
        notes.check("night after:2025", mode, &[]).await;
    }
}

#[tokio::test]
async fn a_result_says_why_it_is_there() {
    let notes = Notes::open().await;
    let hits = notes.ask("guiding ships at night", Mode::Hybrid).await;
    let passage = &hits[0].passages[0];
    assert_eq!(hits[0].passages.len(), 2);
    assert_eq!(passage.text, "The lighthouse guides ships into the harbour at night.");
    assert_eq!((passage.context.as_str(), passage.page), ("Ships", Some(4)));
    assert_eq!((passage.span, passage.offset), (Span::new(10, 10 + passage.text.len()), 0));
    let marked: Vec<_> = passage.highlights.iter().map(|(a, b)| &passage.text[*a..*b]).collect();
    assert_eq!(marked, ["guides", "ships", "night"]);
    let keyword = passage.why.keyword.as_ref().unwrap();
    assert_eq!(keyword.rank, 1);
    assert_eq!(keyword.terms, ["guiding", "ships", "night"]);
    let meaning = passage.why.meaning.unwrap();
    assert_eq!(meaning.rank, Some(1));
    assert!((meaning.similarity - 0.9).abs() < 1e-3);

    let beacon = hits.iter().find(|hit| hit.file == FileId(BEACON)).unwrap();
    assert!(beacon.passages[0].why.keyword.is_none());
}

#[tokio::test]
async fn words_alone_answer_while_nothing_is_embedded() {
    let notes = Notes::open().await;
    let query = Query::parse("night").unwrap();
    let without_vector = notes.answer(&query, None, &[]).await;
    assert_eq!(files(&without_vector), [BREAD, HARBOUR]);
    notes.store.remove_vectors(&[FileId(HARBOUR), FileId(BEACON), FileId(BREAD)]).await.unwrap();
    notes.check("night", Mode::Hybrid, &files(&without_vector)).await;
    notes.check("night", Mode::Meaning, &[]).await;
}

#[tokio::test]
async fn a_file_that_is_named_is_an_answer() {
    let notes = Notes::open().await;
    let named = [Named { file: FileId(BREAD), share: 1.0, whole: false }];
    let ask =
        async |text: &str| files(&notes.answer(&Query::parse(text).unwrap(), None, &named).await);
    assert_eq!(ask("lighthouse").await, [BREAD, HARBOUR]);
    assert_eq!(ask("lighthouse -flour").await, [HARBOUR]);
    assert_eq!(ask("lighthouse type:pdf").await, [] as [i64; 0]);
}

#[tokio::test]
async fn files_with_the_same_passage_are_one_result() {
    let notes = Notes::open().await;
    let copy = 9;
    let row = note(copy, 0, "Ships", "The lighthouse guides ships into the harbour at night.");
    notes.store.replace_passages(&[], &[row]).await.unwrap();
    let query = Query::parse("lighthouse night").unwrap();
    let hits = notes.answer(&query, None, &[]).await;
    assert_eq!(files(&hits), [HARBOUR, BREAD]);
    assert_eq!(hits[0].alike, [FileId(copy)]);
    let legs = ask(&notes.store, &query, ready(None)).await.unwrap();
    let ranking = legs.rank(&notes.store, &query, &[], 10).await.unwrap();
    let texts = ranking.texts(&notes.store, 1).await.unwrap();
    let others = ranking.show(&notes.store, texts, |file| file.0 != HARBOUR, 1).await.unwrap();
    assert_eq!(files(&others), [copy]);
}
