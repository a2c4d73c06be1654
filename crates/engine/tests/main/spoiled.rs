//! Files whose contents are cut off, locked, packed without end or far too long: each
//! ends in the ledger with its reason, and its neighbour is found.

use std::{
    fs::File,
    io::{Cursor, Write},
};

use rummage_engine::{FileRow, FileState, Following};
use rummage_testkit::Tree;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{Home, names, settled};

/// What the ledger says of a file that lies beside a good one.
async fn account(tree: &Tree, name: &str, anyway: bool) -> FileRow {
    let home = Home::new();
    tree.write("good.txt", "violet umbrellas");
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    if anyway {
        engine.include(&tree.path(name)).await.unwrap();
        settled(&engine).await;
    }
    assert_eq!(names(&engine, "violet umbrellas").await, ["good.txt"]);
    let row = engine.file_at(&tree.path(name)).unwrap();
    engine.close().await;
    row.expect("every file has its row")
}

#[track_caller]
fn assert_account(row: &FileRow, state: FileState, word: &str) {
    assert_eq!(row.state, state, "{row:?}");
    assert!(row.reason.as_deref().is_some_and(|reason| reason.contains(word)), "{row:?}");
}

async fn check(name: &str, contents: impl AsRef<[u8]>, state: FileState, word: &str) {
    let tree = Tree::new();
    tree.write(name, contents);
    assert_account(&account(&tree, name, false).await, state, word);
}

fn zip(name: &str, contents: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(name, SimpleFileOptions::default()).unwrap();
    writer.write_all(contents).unwrap();
    writer.finish().unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_document_fails_as_damaged() {
    let whole = zip("word/document.xml", b"<w:document><w:p><w:t>One</w:t></w:p></w:document>");
    check("cut.docx", &whole[..whole.len() / 2], FileState::Failed, "damaged").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_archive_is_skipped_as_protected() {
    let mut locked = zip("a.txt", b"one");
    // The first bit of the flags, in the entry's own head and in the directory.
    let directory = locked.windows(4).position(|part| part == b"PK\x01\x02").unwrap();
    locked[6] |= 1;
    locked[directory + 8] |= 1;
    check("locked.zip", locked, FileState::Skipped, "password").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_bytes_is_skipped_as_empty() {
    check("empty.pdf", "", FileState::Skipped, "holds no text").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_archives_is_skipped_as_unreadable() {
    let nested = zip("b.zip", &zip("c.txt", b"one"));
    check("a.zip", nested, FileState::Skipped, "not text").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_says_how_many_of_its_files_are_not_read() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, contents) in [("a.txt", &b"one"[..]), ("b.png", b"\x89PNG\r\n\x1a\n")] {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(contents).unwrap();
    }
    let archive = writer.finish().unwrap().into_inner();
    check("a.zip", archive, FileState::Indexed, "1 of 2 files in it hold no text").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_is_skipped_by_what_it_unpacks_to() {
    check("bomb.zip", zip("a.txt", &vec![b' '; 129 << 20]), FileState::Skipped, "128 MB").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_its_own_page_fails_as_damaged() {
    let own_child = "%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n\
        2 0 obj\n<</Type/Pages/Count 1/Kids[2 0 R]>>\nendobj\ntrailer\n<</Root 1 0 R>>\n";
    check("loop.pdf", own_child, FileState::Failed, "damaged").await;
}

/// A file of that size that takes no room on the disk.
fn sparse(tree: &Tree, name: &str, bytes: u64) {
    tree.write(name, "");
    File::options().write(true).open(tree.path(name)).unwrap().set_len(bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gigabyte_is_skipped_by_its_size() {
    let tree = Tree::new();
    sparse(&tree, "long.txt", 1 << 30);
    assert_account(&account(&tree, "long.txt", false).await, FileState::Skipped, "1024 of 32 MB");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_gigabyte_that_a_person_wants_is_more_than_a_worker_may_hold() {
    let tree = Tree::new();
    sparse(&tree, "long.txt", 1 << 30);
    assert_account(&account(&tree, "long.txt", true).await, FileState::Failed, "1024 MB");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_line_whose_text_finds_no_room_costs_a_worker_and_no_more() {
    let tree = Tree::new();
    tree.write("long.txt", "words ".repeat(60 << 20));
    let row = account(&tree, "long.txt", true).await;
    assert_account(&row, FileState::Failed, "memory");
}
