//! The store over real tables in a temporary folder.

mod commits;
mod kills;
mod oracle;
mod readers;
mod rows;

use std::{collections::HashSet, path::PathBuf};

use rummage_corpus::{ContentHash, FileId, PassageId, SourcePath};
use rummage_store::{
    Filter, Limits, Mode, Origin, PassageRow, Store, StoreError, VectorIndexState, VectorRow,
    VectorSpace, Words,
};
use tempfile::TempDir;

use rows::{all_files, exactly, files, folder, keyword, keyword_in, passage, vector_row};

const DIMS: usize = 4;

fn space() -> VectorSpace {
    rows::space(DIMS)
}

async fn open(folder: &TempDir) -> Store {
    Store::open(folder.path(), &space()).await.unwrap()
}

/// A unit vector whose angle to [`vector`]`(0.0)` grows with `turn`, up to 1.
fn vector(turn: f32) -> Vec<f32> {
    let (sin, cos) = (turn * std::f32::consts::FRAC_PI_2).sin_cos();
    vec![cos, sin, 0.0, 0.0]
}

fn vector_of(row: &PassageRow, turn: f32) -> VectorRow {
    vector_row(row, vector(turn))
}

async fn meaning(store: &Store, limit: usize) -> Vec<i64> {
    let hits = store.meaning(&vector(0.0), &Filter::default(), limit).await.unwrap();
    files(hits.iter().map(|hit| hit.id))
}

#[tokio::test]
async fn replacing_twice_leaves_the_same_rows() {
    let folder = folder();
    let store = open(&folder).await;
    let mut rows = vec![passage(1, 0, "first"), passage(1, 1, "second"), passage(2, 0, "third")];
    rows[1].passage.context = "Title › Part".into();
    rows[1].passage.page = Some(3);
    let vectors: Vec<_> = rows.iter().map(|row| vector_of(row, 0.5)).collect();
    let both = [FileId(1), FileId(2)];
    for _ in 0..2 {
        store.replace_passages(&both, &rows).await.unwrap();
        store.replace_vectors(&both, &vectors).await.unwrap();
        assert_eq!(store.passages_of(&both).await.unwrap(), rows);
        assert_eq!(store.count_passages().await.unwrap(), 3);
        assert_eq!(store.count_vectors().await.unwrap(), 3);
    }
    let some = store.passages(&[rows[2].id(), PassageId::new(FileId(9), 0)]).await.unwrap();
    assert_eq!(some, [(rows[2].id(), rows[2].passage.clone())]);
    let present = store.passages_per_file(&[FileId(2), FileId(9)]).await.unwrap();
    assert_eq!(present.into_keys().collect::<Vec<_>>(), [FileId(2)]);
    assert!(store.disk_bytes().await.unwrap() > 0);
}

#[tokio::test]
async fn a_second_models_vectors_grow_beside_the_first_ones() {
    let folder = folder();
    let store = open(&folder).await;
    let rows = [passage(1, 0, "first"), passage(1, 1, "second"), passage(2, 0, "third")];
    let vectors: Vec<_> = rows.iter().map(|row| vector_of(row, 0.5)).collect();
    store.replace_passages(&[], &rows).await.unwrap();
    store.replace_vectors(&[], &vectors).await.unwrap();
    store.sync().await.unwrap();
    let other = VectorSpace { fingerprint: "other".into(), dims: 2 };
    let beside = store.beside(&other).await.unwrap();
    let lacking = async || {
        let lacking = beside.lacking().await.unwrap();
        lacking.into_iter().map(|l| (l.file.0, l.passages, l.has_vectors)).collect::<Vec<_>>()
    };
    assert_eq!(lacking().await, [(1, 2, false), (2, 1, false)]);
    assert_eq!(store.lacking().await.unwrap(), []);
    let small = |row: &PassageRow| vector_row(row, vec![1.0, 0.0]);
    beside.replace_vectors(&[], &[small(&rows[0]), small(&rows[2])]).await.unwrap();
    assert_eq!(lacking().await, [(1, 2, true)]);
    beside.replace_vectors(&[FileId(1)], &[small(&rows[0]), small(&rows[1])]).await.unwrap();
    assert_eq!(lacking().await, []);
    assert_eq!(store.count_vectors().await.unwrap(), 3);
    // The text of a vector has changed, and a file has gone.
    store.replace_passages(&[FileId(1)], &[passage(1, 0, "fourth")]).await.unwrap();
    store.remove_passages(&[FileId(2)]).await.unwrap();
    assert_eq!(lacking().await, [(1, 1, true)]);
    assert_eq!(beside.stray_vectors().await.unwrap(), [FileId(2)]);
    beside.sync().await.unwrap();
    drop((store, beside));
    let store = Store::open(folder.path(), &other).await.unwrap();
    assert_eq!(store.count_vectors().await.unwrap(), 3, "they are kept");
}

#[tokio::test]
async fn removed_files_and_replaced_passages_are_not_found() {
    let folder = folder();
    let store = open(&folder).await;
    let rows = [passage(1, 0, "lighthouse one"), passage(2, 0, "lighthouse two")];
    let vectors = [vector_of(&rows[0], 0.0), vector_of(&rows[1], 0.5)];
    store.replace_passages(&[], &rows).await.unwrap();
    store.replace_vectors(&[], &vectors).await.unwrap();
    assert_eq!(meaning(&store, 9).await, [1, 2]);

    let changed = passage(1, 0, "harbour");
    store.replace_passages(&[FileId(1)], std::slice::from_ref(&changed)).await.unwrap();
    assert_eq!(keyword(&store, "lighthouse").await, [2]);
    assert_eq!(meaning(&store, 9).await, [2], "the old vector is still there and must not count");
    let ids = [rows[0].id(), rows[1].id()];
    let similar = store.similarities(&vector(0.0), &ids).await.unwrap();
    assert_eq!(similar.into_keys().collect::<Vec<_>>(), [rows[1].id()]);

    store.replace_vectors(&[FileId(1)], &[vector_of(&changed, 1.0)]).await.unwrap();
    assert_eq!(meaning(&store, 9).await, [2, 1]);

    store.remove_passages(&[FileId(2)]).await.unwrap();
    assert_eq!(keyword(&store, "lighthouse").await, [0i64; 0]);
    assert_eq!(meaning(&store, 9).await, [1]);
    store.remove_vectors(&[FileId(2)]).await.unwrap();
    assert_eq!(store.count_vectors().await.unwrap(), 1);
}

#[tokio::test]
async fn stale_vectors_never_crowd_out_current_ones() {
    let folder = folder();
    let store = open(&folder).await;
    let gone: Vec<_> = (0..300).map(|i| passage(1, i, &format!("gone {i}"))).collect();
    let here: Vec<_> = (0..5).map(|i| passage(2, i, &format!("here {i}"))).collect();
    let near = gone.iter().map(|row| vector_of(row, 0.0));
    let far = here.iter().map(|row| vector_of(row, 0.9));
    let vectors: Vec<_> = near.chain(far).collect();
    store.replace_passages(&[], &here).await.unwrap();
    store.replace_vectors(&[], &vectors).await.unwrap();
    assert_eq!(meaning(&store, 5).await, [2; 5]);
}

#[tokio::test]
async fn similarities_are_cosines() {
    let folder = folder();
    let store = open(&folder).await;
    let row = passage(1, 0, "x");
    store.replace_passages(&[], std::slice::from_ref(&row)).await.unwrap();
    store.replace_vectors(&[], &[vector_of(&row, 1.0 / 3.0)]).await.unwrap();
    let cosine = (std::f32::consts::FRAC_PI_2 / 3.0).cos();
    let hit = store.meaning(&vector(0.0), &Filter::default(), 1).await.unwrap()[0];
    let asked = store.similarities(&vector(0.0), &[row.id()]).await.unwrap()[&row.id()];
    assert!((hit.similarity - cosine).abs() < 1e-4, "{hit:?}");
    assert!((asked - cosine).abs() < 1e-4, "{asked}");
}

#[tokio::test]
async fn equal_contents_are_known_by_their_hash() {
    let folder = folder();
    let store = open(&folder).await;
    let row = passage(1, 0, "said before");
    store.replace_vectors(&[], &[vector_of(&row, 0.25)]).await.unwrap();
    let new = ContentHash::of(b"never said");
    let known = store.known_vectors(&[row.passage.hash, new]).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known[&row.passage.hash], vector(0.25));

    let other = VectorSpace { fingerprint: "other model/2".into(), dims: 2 };
    let other = Store::open(folder.path(), &other).await.unwrap();
    assert!(other.known_vectors(&[row.passage.hash]).await.unwrap().is_empty());
    let wrong = other.replace_vectors(&[], &[vector_of(&row, 0.25)]).await;
    assert!(matches!(wrong, Err(StoreError::Dims { expected: 2, actual: 4, .. })));
}

#[tokio::test]
async fn filters_take_any_path_as_it_is() {
    let folder = folder();
    let store = open(&folder).await;
    let names = ["/a/it's 100%_\"x\"/one.MD", "/a/it's 100%_\"x\"y/two.md", "/a/b/three.txt"];
    let place = |i: usize, name: &str| {
        let mut row = passage(i as i64, 0, "same words");
        row.origin = Origin::new(FileId(i as i64), &SourcePath::new(name), i as i64 * 10);
        row
    };
    let rows: Vec<_> = names.iter().enumerate().map(|(i, name)| place(i, name)).collect();
    let vectors: Vec<_> = rows.iter().map(|row| vector_of(row, 0.1)).collect();
    store.replace_passages(&[], &rows).await.unwrap();
    store.replace_vectors(&[], &vectors).await.unwrap();

    let check = async |filter: Filter, expected: &[i64]| {
        let words = Words { any: "words".into(), ..Words::default() };
        assert_eq!(keyword_in(&store, &words, &filter).await, expected, "{filter:?}");
        let hits = store.meaning(&vector(0.0), &filter, 9).await.unwrap();
        assert_eq!(files(hits.iter().map(|hit| hit.id)), expected, "{filter:?}");
    };
    let under = |place: &str| Filter { under: vec![place.into()], ..Filter::default() };
    let typed = |ext: &str| Filter { types: vec![ext.into()], ..Filter::default() };
    check(Filter::default(), &[0, 1, 2]).await;
    check(under("/a/it's 100%_\"x\""), &[0]).await;
    check(under("/a/it's 100%_\"x\"/"), &[0]).await;
    check(under("/a/it's 100%_\"x\"/one.MD"), &[0]).await;
    check(under("/"), &[0, 1, 2]).await;
    check(under("/a/%"), &[]).await;
    check(under("' OR 1=1 --"), &[]).await;
    check(under("B"), &[2]).await;
    let both = vec!["B".into(), "/a/it's 100%_\"x\"".into()];
    check(Filter { under: both, ..Filter::default() }, &[0, 2]).await;
    check(under("IT'S 100%_\"X\"y"), &[1]).await;
    check(typed("md"), &[0, 1]).await;
    check(typed("md' OR '1'='1"), &[]).await;
    check(Filter { after: Some(10), before: Some(20), ..Filter::default() }, &[1]).await;

    put(&store, Origin::new(FileId(0), &SourcePath::new("/elsewhere/o'clock.TXT"), 15)).await;
    check(under("/elsewhere"), &[0]).await;
    check(Filter { after: Some(10), before: Some(20), ..Filter::default() }, &[0, 1]).await;
    check(typed("txt"), &[0, 2]).await;
    check(typed("md"), &[1]).await;
}

async fn put(store: &Store, origin: Origin) {
    store.place_passages(std::slice::from_ref(&origin)).await.unwrap();
    store.place_vectors(&[origin]).await.unwrap();
}

#[tokio::test]
async fn words_are_found_before_and_after_upkeep() {
    let folder = folder();
    let store = open(&folder).await;
    let mut titled = passage(1, 0, "The keepers were counting ships.");
    titled.passage.context = "Lighthouses".into();
    let rows =
        [titled, passage(2, 0, "A ship in a bottle, and The Who."), passage(3, 0, "我住在北京")];
    store.replace_passages(&[], &rows).await.unwrap();

    let check = async |store: &Store| {
        assert_eq!(keyword(store, "ships counted").await, [1, 2]);
        assert_eq!(keyword(store, "lighthouse").await, [1], "the context is searched too");
        assert_eq!(keyword(store, "who").await, [2]);
        assert_eq!(keyword(store, "北京").await, [3]);
        assert_eq!(keyword(store, "?!").await, [0i64; 0]);
        let asked = |phrase: &str, excluded: &str| Words {
            any: "ship".into(),
            phrases: (!phrase.is_empty()).then(|| phrase.into()).into_iter().collect(),
            excluded: (!excluded.is_empty()).then(|| excluded.into()).into_iter().collect(),
            instead: Vec::new(),
        };
        let all = Filter::default();
        assert_eq!(keyword_in(store, &asked("in a bottle", ""), &all).await, [2]);
        assert_eq!(keyword_in(store, &asked("bottle a in", ""), &all).await, [0i64; 0]);
        assert_eq!(keyword_in(store, &asked("in a zebra", ""), &all).await, [0i64; 0]);
        assert_eq!(keyword_in(store, &asked("zebra", ""), &all).await, [0i64; 0]);
        assert_eq!(keyword_in(store, &asked("", "bottle"), &all).await, [1]);
        assert_eq!(keyword_in(store, &asked("", "a bottle"), &all).await, [1]);
        let alone = Words { excluded: vec!["ship".into()], ..Words::default() };
        assert_eq!(keyword_in(store, &alone, &all).await, [0i64; 0]);
    };
    check(&store).await;
    assert_eq!(store.upkeep(Mode::Busy).await.unwrap().tables_indexed, 0, "nothing is due");
    assert_eq!(store.upkeep(Mode::Idle).await.unwrap().tables_indexed, 1);
    check(&store).await;

    store.replace_passages(&[], &[passage(4, 0, "One more ship is counted")]).await.unwrap();
    assert_eq!(HashSet::from_iter(keyword(&store, "ship").await), HashSet::from([1, 2, 4]));
    store.remove_passages(&[FileId(2)]).await.unwrap();
    store.upkeep(Mode::Idle).await.unwrap();
    assert_eq!(HashSet::from_iter(keyword(&store, "ship").await), HashSet::from([1, 4]));
}

#[tokio::test]
async fn upkeep_joins_what_many_commits_left_and_loses_nothing() {
    let folder = folder();
    let store = open(&folder).await;
    for file in 0..20 {
        let row = passage(file, 0, &format!("commit number {file}"));
        store.replace_passages(&[], std::slice::from_ref(&row)).await.unwrap();
        store.replace_vectors(&[], &[vector_of(&row, file as f32 / 20.0)]).await.unwrap();
    }
    assert_eq!(store.upkeep(Mode::Idle).await.unwrap().tables_compacted, 2);
    assert_eq!(store.upkeep(Mode::Idle).await.unwrap().tables_compacted, 0);
    assert_eq!(store.count_passages().await.unwrap(), 20);
    assert_eq!(keyword(&store, "commit").await.len(), 20);
    assert_eq!(keyword(&store, "17").await, [17]);
    assert_eq!(meaning(&store, 3).await, [0, 1, 2]);
}

#[tokio::test]
async fn files_beside_the_table_may_be_missing_or_cut() {
    let folder = folder();
    let few = Limits {
        vectors_in_memory: 200,
        vectors_fetched: 20,
        flat: 50,
        words_fresh: 20,
        ..Limits::default()
    };
    let all = Limits { vectors_in_memory: 1000, ..few };
    let open =
        async |limits| Store::open_with(folder.path(), &rows::space(8), limits).await.unwrap();
    let store = open(few).await;
    let rows: Vec<_> = (0..600).map(|file| passage(file, 0, &format!("page {file}"))).collect();
    let wide = |turn: f32| [vector(turn), vec![0.0; 4]].concat();
    let numbered = rows.iter().enumerate();
    let vectors: Vec<_> =
        numbered.map(|(i, row)| vector_row(row, wide(i as f32 / 600.0))).collect();
    store.replace_passages(&[], &rows).await.unwrap();
    store.replace_vectors(&[], &vectors).await.unwrap();
    // Rows that are gone keep their places in the files.
    let gone: Vec<_> = (0..600).step_by(3).map(FileId).collect();
    store.remove_vectors(&gone).await.unwrap();
    store.upkeep(Mode::Idle).await.unwrap();
    assert!(matches!(store.vector_index(), VectorIndexState::Approximate { .. }));
    let nearest =
        async |store: &Store| store.meaning(&wide(1.6), &Filter::default(), 30).await.unwrap();
    let expected = nearest(&store).await;
    assert_eq!(expected.len(), 30);

    let asked = Words { any: "page 17 page 599".into(), ..Words::default() };
    let scores = async |store: &Store| {
        let hits = store.keyword(&asked, &Filter::default(), 30).await.unwrap();
        hits.into_iter().map(|hit| (hit.id, hit.score)).collect::<Vec<_>>()
    };
    let expected_scores = scores(&store).await;
    let first = expected_scores[..2].iter().map(|(id, _)| id.file().0).collect::<Vec<_>>();
    assert_eq!((expected_scores.len(), first.as_slice()), (30, [17, 599].as_slice()));

    let beside = |kind: &str| {
        let folders = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        folders.into_iter().find(|path| path.extension().is_some_and(|ext| ext == kind)).unwrap()
    };
    let files = |kind: &str| {
        let files = std::fs::read_dir(beside(kind)).unwrap();
        files.map(|file| file.unwrap().path()).collect::<Vec<_>>()
    };
    let check = async |name: &str| {
        for limits in [few, all] {
            let store = open(limits).await;
            let found = nearest(&store).await;
            assert_eq!(found.len(), expected.len(), "{name}");
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found.id, expected.id, "{name}");
                assert!((found.similarity - expected.similarity).abs() < 1e-4, "{name}");
            }
            let found = scores(&store).await;
            assert_eq!(found.len(), expected_scores.len(), "{name}");
            for (place, (found, expected)) in found.iter().zip(&expected_scores).enumerate() {
                // All that follow are as good.
                assert!(place > 1 || found.0 == expected.0, "{name}");
                assert!((found.1 - expected.1).abs() < 1e-4, "{name}: {found:?} {expected:?}");
            }
        }
    };
    drop(store);
    check("as they were").await;
    for path in files("words") {
        let mut bytes = std::fs::read(&path).unwrap();
        // The lists are in front.
        bytes[..100].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
    }
    check("spoiled").await;
    for path in files("flat").into_iter().chain(files("words")) {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        let bytes = file.metadata().unwrap().len();
        file.set_len(bytes / 2).unwrap();
    }
    check("cut").await;
    let lengths = |kind| {
        let lengths = files(kind).into_iter().map(|file| file.metadata().unwrap().len());
        lengths.sum::<u64>()
    };
    let cut = (lengths("flat"), lengths("words"));
    open(few).await.upkeep(Mode::Idle).await.unwrap();
    assert!(lengths("flat") > cut.0 && lengths("words") > cut.1, "they are whole again: {cut:?}");
    check("made anew").await;
    std::fs::remove_dir_all(beside("flat")).unwrap();
    std::fs::remove_dir_all(beside("words")).unwrap();
    check("missing").await;
}

/// A hundred files and their vectors, enough that files lie beside both tables.
async fn hundred(folder: &TempDir) -> Store {
    let store = open_beside(folder).await;
    let rows: Vec<_> = (0..100).map(|file| passage(file, 0, &rows::name(file))).collect();
    let vectors =
        rows.iter().map(|row| vector_row(row, rows::direction(row.origin.file.0 as u64, 8)));
    store.replace_passages(&[], &rows).await.unwrap();
    store.replace_vectors(&[], &vectors.collect::<Vec<_>>()).await.unwrap();
    store
}

async fn open_beside(folder: &TempDir) -> Store {
    let limits = Limits { flat: 50, words_fresh: 20, ..Limits::default() };
    Store::open_with(folder.path(), &rows::space(8), limits).await.unwrap()
}

/// Rows whose removal no disk holds may come back: no file beside the table may lack them.
#[tokio::test]
async fn what_is_rolled_back_is_found() {
    let folder = folder();
    let store = hundred(&folder).await;
    store.sync().await.unwrap();
    store.remove_passages(&[FileId(7)]).await.unwrap();
    store.remove_vectors(&[FileId(7)]).await.unwrap();
    store.upkeep(Mode::Busy).await.unwrap();
    drop(store);
    let store = open_beside(&folder).await;
    let passages: Vec<_> = store.passages_of(&[FileId(7)]).await.unwrap();
    assert_eq!(exactly(&store, &rows::name(7)).await.len(), passages.len());
    let vectors = store.vectors_per_file(&[FileId(7)]).await.unwrap();
    let near = store.meaning(&rows::direction(7, 8), &Filter::default(), 1).await.unwrap();
    assert_eq!(near[0].similarity > 0.999, !vectors.is_empty());
}

#[tokio::test]
async fn vectors_that_cannot_be_written_beside_keep_no_others_from_it() {
    let folder = folder();
    let store = hundred(&folder).await;
    let row = passage(100, 0, "one more");
    store.replace_passages(&[], std::slice::from_ref(&row)).await.unwrap();
    store.replace_vectors(&[], &[vector_row(&row, rows::direction(100, 8))]).await.unwrap();
    store.upkeep(Mode::Busy).await.unwrap();
    let made = || {
        let mut files: Vec<_> = all_files(folder.path()).into_iter().collect();
        files.retain(|path| path.extension().is_some_and(|ext| ext == "f"));
        files
    };
    let all = made();
    assert_eq!(all.len(), 2);
    for blocked in &all {
        all.iter().for_each(|path| std::fs::remove_file(path).unwrap());
        std::fs::create_dir(blocked.with_extension("fresh")).unwrap();
        store.upkeep(Mode::Busy).await.unwrap();
        assert!(!blocked.exists() && made().len() == 1);
        std::fs::remove_dir(blocked.with_extension("fresh")).unwrap();
        store.upkeep(Mode::Busy).await.unwrap();
        assert_eq!(made().len(), 2);
    }
}

#[tokio::test]
async fn indexes_change_no_answer() {
    let folder = folder();
    let store = open(&folder).await;
    // A word of letters alone: with digits, its parts would be words, too.
    let letter = |number: i64| char::from(b'a' + number as u8);
    let name = |file: i64| format!("kk{}z{}", letter(file / 10), letter(file % 10));
    let text = |file: i64, i: u32| format!("page {i} of {}", name(file));
    let rows: Vec<_> =
        (0..100).flat_map(|file| (0..101).map(move |i| passage(file, i, &text(file, i)))).collect();
    let vectors: Vec<_> =
        rows.iter().map(|row| vector_of(row, row.passage.ordinal as f32 / 101.0)).collect();
    store.replace_passages(&[], &rows).await.unwrap();
    store.replace_vectors(&[], &vectors).await.unwrap();

    let check = async |store: &Store| {
        assert_eq!(keyword(store, &name(42)).await, [42; 50]);
        assert_eq!(meaning(store, 200).await.len(), 200);
        let hash = ContentHash::of(text(7, 7).as_bytes());
        assert_eq!(store.known_vectors(&[hash]).await.unwrap().len(), 1);
        let some = store.passages_of(&[FileId(7)]).await.unwrap();
        assert_eq!(some, rows[707..808]);
        let similar = store.similarities(&vector(0.0), &[some[0].id()]).await.unwrap();
        assert!((similar[&some[0].id()] - 1.0).abs() < 1e-4);
    };
    check(&store).await;
    let work = store.upkeep(Mode::Busy).await.unwrap();
    assert_eq!((work.indexes_created, work.tables_indexed), (5, 1));
    check(&store).await;
    assert_eq!(store.upkeep(Mode::Busy).await.unwrap(), Default::default());

    put(&store, Origin::new(FileId(42), &SourcePath::new("/moved/42.txt"), 0)).await;
    check(&store).await;
    assert_eq!(store.upkeep(Mode::Busy).await.unwrap(), Default::default(), "indexes still know");
    let moved = Filter { under: vec!["/moved".into()], ..Filter::default() };
    let hits = store.meaning(&vector(0.0), &moved, 500).await.unwrap();
    assert_eq!(hits.len(), 101);
    store.remove_passages(&[FileId(42)]).await.unwrap();
    assert_eq!(keyword(&store, &name(42)).await, [0i64; 0]);
    assert_eq!(store.count_passages().await.unwrap(), rows.len() - 101);
}

#[tokio::test]
async fn a_reader_sees_what_another_handle_writes() {
    let folder = folder();
    let writer = open(&folder).await;
    let reader = open(&folder).await;
    assert_eq!(keyword(&reader, "fresh").await, [0i64; 0]);
    let row = passage(1, 0, "fresh words");
    writer.replace_passages(&[], std::slice::from_ref(&row)).await.unwrap();
    writer.replace_vectors(&[], &[vector_of(&row, 0.0)]).await.unwrap();
    assert_eq!(keyword(&reader, "fresh").await, [1]);
    assert_eq!(meaning(&reader, 1).await, [1]);
    writer.upkeep(Mode::Idle).await.unwrap();
    assert_eq!(keyword(&reader, "fresh").await, [1]);
}

#[tokio::test]
async fn a_damaged_table_is_told_to_readers_and_set_aside_by_the_writer() {
    let folder = folder();
    let store = open(&folder).await;
    store.replace_passages(&[], &[passage(1, 0, "x")]).await.unwrap();
    store.replace_vectors(&[], &[vector_of(&passage(1, 0, "x"), 0.0)]).await.unwrap();
    store.sync().await.unwrap();
    drop(store);
    let table = folder.path().join("passages.lance");
    for entry in std::fs::read_dir(table.join("_versions")).unwrap() {
        std::fs::write(entry.unwrap().path(), b"not a manifest").unwrap();
    }
    let error = Store::open_existing(folder.path(), &space()).await.err().unwrap();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains("passages.lance"), "{error}");
    let store = open(&folder).await;
    assert_eq!(store.count_passages().await.unwrap(), 0);
    assert_eq!(store.count_vectors().await.unwrap(), 1, "the other table is untouched");
    assert!(folder.path().join("damaged/passages.lance").is_dir());
}

/// Takes all that came after the last sync, as a power cut may: by turns a file is
/// empty, gone, or whole by luck.
fn cut_the_power(folder: &TempDir, synced: &HashSet<PathBuf>) {
    for (turn, path) in all_files(folder.path()).into_iter().enumerate() {
        match turn % 3 {
            _ if synced.contains(&path) => {}
            0 => std::fs::write(&path, b"").unwrap(),
            1 => std::fs::remove_file(&path).unwrap(),
            _ => {}
        }
    }
}

#[tokio::test]
async fn what_was_synced_survives_a_power_cut_and_the_rest_is_as_if_never_written() {
    let folder = folder();
    for round in 1..=4 {
        let store = open(&folder).await;
        let rows = |text: &str| [passage(round, 0, text), passage(round, 1, text)];
        store.replace_passages(&[], &rows("kept")).await.unwrap();
        store.replace_vectors(&[], &rows("kept").map(|row| vector_of(&row, 0.0))).await.unwrap();
        if round % 2 == 0 {
            store.upkeep(Mode::Idle).await.unwrap();
        }
        store.sync().await.unwrap();
        let synced = all_files(folder.path());
        store.replace_passages(&[FileId(1)], &rows("lost")).await.unwrap();
        store.remove_vectors(&[FileId(1)]).await.unwrap();
        drop(store);
        cut_the_power(&folder, &synced);

        let store = open(&folder).await;
        let kept: Vec<_> = (1..=round).flat_map(|file| [file; 2]).collect();
        assert_eq!(keyword(&store, "kept").await, kept);
        assert_eq!(meaning(&store, 99).await, kept);
        assert_eq!(keyword(&store, "lost").await, [0i64; 0]);
    }
}

#[tokio::test]
async fn few_vectors_are_all_compared() {
    let folder = folder();
    let store = open(&folder).await;
    assert_eq!(store.vector_index(), VectorIndexState::Exact { rows: 0 });
    let rows: Vec<_> = (0..5).map(|i| passage(1, i, &format!("text {i}"))).collect();
    let vectors: Vec<_> = rows.iter().map(|row| vector_of(row, 0.5)).collect();
    store.replace_vectors(&[], &vectors).await.unwrap();
    store.upkeep(Mode::Idle).await.unwrap();
    assert_eq!(store.vector_index(), VectorIndexState::Exact { rows: 5 });
    let reader = Store::open_existing(folder.path(), &space()).await.unwrap().unwrap();
    assert_eq!(reader.vector_index(), VectorIndexState::Exact { rows: 5 });
}
