//! A file's text around a place in it, from what the store holds.

use std::path::Path;

use rummage_engine::{Engine, EngineError, Following, MOST_PASSAGES, Preview};
use rummage_testkit::Tree;

use crate::{Home, settled};

/// A text of many passages: each paragraph says its number.
fn long_text(paragraphs: usize) -> String {
    let line = "The keeper climbs the stairs, lights the lamp and writes down what he sees. ";
    (0..paragraphs).map(|n| format!("Paragraph {n}. {}\n\n", line.repeat(6))).collect()
}

async fn indexed(tree: &Tree, home: &Home) -> Engine {
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    engine
}

fn shown(preview: &Preview) -> String {
    preview.passages.iter().map(|passage| passage.text.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_asked_for_is_within_the_passages() {
    let (home, tree) = (Home::new(), Tree::new());
    let text = long_text(400);
    let path = tree.write("log.txt", &text);
    let engine = indexed(&tree, &home).await;
    let whole = engine.preview(&path, 0, 0, usize::MAX).await.unwrap();
    assert!(whole.total > 100, "{} passages", whole.total);
    assert_eq!(whole.passages.len(), MOST_PASSAGES);
    for number in [0, 1, 7, 199, 399] {
        let at = text.find(&format!("Paragraph {number}.")).unwrap();
        for (before, after) in [(0, 0), (3, 5), (usize::MAX, 0), (0, usize::MAX)] {
            let preview = engine.preview(&path, at, before, after).await.unwrap();
            let holds = |passage: &&rummage_corpus::Passage| {
                passage.span.start <= at && at < passage.span.end
            };
            let place = preview.passages.iter().position(|passage| holds(&passage)).unwrap();
            assert!(place <= before && preview.passages.len() - 1 - place <= after);
            assert!(preview.passages.len() <= MOST_PASSAGES);
            assert!(shown(&preview).contains(&format!("Paragraph {number}.")));
            let ordinals = preview.passages.iter().map(|passage| passage.ordinal);
            assert!(
                ordinals
                    .clone()
                    .skip(1)
                    .eq(ordinals.map(|n| n + 1).take(preview.passages.len() - 1))
            );
        }
    }
    let past = engine.preview(&path, usize::MAX, 0, 0).await.unwrap();
    assert_eq!(past.passages[0].ordinal as usize, past.total - 1);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_in_the_ledger_is_shown() {
    let (home, tree) = (Home::new(), Tree::new());
    tree.write("a.txt", "A lighthouse.");
    let empty = tree.write("empty.txt", " ");
    let engine = indexed(&tree, &home).await;
    let refused = engine.preview(Path::new("/etc/passwd"), 0, 0, 9).await;
    assert!(matches!(refused, Err(EngineError::NotFollowed { .. })));
    let nothing = engine.preview(&empty, 0, 9, 9).await.unwrap();
    assert_eq!((nothing.total, nothing.passages), (0, Vec::new()));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_come_of_headings_and_names() {
    let (home, tree) = (Home::new(), Tree::new());
    tree.write("a.md", "# Heat pump comparison\n\nAir to water.");
    tree.write("b.md", "# Heat pump comparison\n\nGround source.");
    tree.write("roof-repair_quotes.txt", "Three of them.");
    tree.write("x.txt", "Nothing to go by.");
    let engine = indexed(&tree, &home).await;
    let questions = engine.questions(9).await.unwrap();
    assert_eq!(questions, ["Heat pump comparison", "roof repair quotes"]);
    assert_eq!(engine.questions(1).await.unwrap().len(), 1);
    engine.close().await;
}
