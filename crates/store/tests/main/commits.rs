//! A long day of small edits leaves a store that is as small and quick as a new one.

use rummage_corpus::FileId;
use rummage_store::{Mode, PassageRow, Store, VectorRow};

use crate::rows::{all_files, direction, exactly, folder, name, passage, space, vector_row};

const DIMS: usize = 64;
/// Ten times as many make a long day; the bench does those.
const COMMITS: i64 = 500;
const FILES: i64 = 100;

fn rows(file: i64, commit: i64) -> (Vec<PassageRow>, Vec<VectorRow>) {
    let text =
        |i| format!("{} passage {i} as of commit {commit}, with some more words", name(file));
    let rows: Vec<_> = (0..5).map(|i| passage(file, i, &text(i))).collect();
    let vector = |row: &PassageRow| direction(row.id().to_i64() as u64 ^ commit as u64, DIMS);
    let vectors = rows.iter().map(|row| vector_row(row, vector(row))).collect();
    (rows, vectors)
}

#[tokio::test]
async fn many_small_commits_leave_little_behind() {
    let (worn, fresh) = (folder(), folder());
    let store = Store::open(worn.path(), &space(DIMS)).await.unwrap();
    for commit in 0..COMMITS {
        let file = commit % FILES;
        let (passages, vectors) = rows(file, commit);
        store.replace_passages(&[FileId(file)], &passages).await.unwrap();
        store.replace_vectors(&[FileId(file)], &vectors).await.unwrap();
        store.upkeep(Mode::Busy).await.unwrap();
        if commit % 50 == 0 {
            store.sync().await.unwrap();
            assert_eq!(exactly(&store, &name(file)).await.len(), 5);
        }
    }
    store.upkeep(Mode::Idle).await.unwrap();

    let new = Store::open(fresh.path(), &space(DIMS)).await.unwrap();
    let all = (0..FILES).map(|file| rows(file, COMMITS - FILES + file));
    let (passages, vectors): (Vec<_>, Vec<_>) = all.unzip();
    new.replace_passages(&[], &passages.concat()).await.unwrap();
    new.replace_vectors(&[], &vectors.concat()).await.unwrap();
    new.upkeep(Mode::Idle).await.unwrap();

    for table in ["passages.lance", "vectors_test-model.lance"] {
        let files = |part: &str| all_files(&worn.path().join(table).join(part)).len();
        assert!(files("_versions") <= 50, "{} versions of {table}", files("_versions"));
        assert!(files("data") <= 50, "{} data files of {table}", files("data"));
    }
    let [worn_bytes, fresh_bytes] =
        [store.disk_bytes().await.unwrap(), new.disk_bytes().await.unwrap()];
    // What every table has besides its rows.
    let besides = 100_000;
    assert!(worn_bytes < fresh_bytes * 13 / 10 + besides, "{worn_bytes} and {fresh_bytes} bytes");
    assert_eq!(store.count_passages().await.unwrap(), 500);
    assert_eq!(exactly(&store, &name(42)).await, [42; 5]);
}
