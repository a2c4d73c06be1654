//! What is typed and what it finds: names, slips, beginnings, copies.

use std::path::Path;

use rummage_catalog::Catalog;
use rummage_engine::{Answer, Engine, Following, FoundFile, Mode, Query};
use rummage_testkit::{Tree, prose};

use crate::{Home, settled};

async fn ask(engine: &Engine, text: &str) -> Answer {
    let query = Query { mode: Mode::Keyword, ..Query::parse(text).unwrap() };
    engine.search(&query).await.unwrap()
}

async fn check(engine: &Engine, text: &str, expected: &[&str]) {
    let answer = ask(engine, text).await;
    let names: Vec<_> = answer.files.iter().map(|file| file.path.name().into_owned()).collect();
    assert_eq!(names, expected, "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_gone_take_no_places_of_those_that_are_there() {
    let (home, tree) = (Home::new(), Tree::default());
    for number in 0..40 {
        // The more words there are beside it, the less a word counts.
        let text = format!("umbrella {}", prose(number + 1, number as u64));
        tree.write(&format!("file{number}.txt"), text);
    }
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    engine.close().await;
    let reader = home.reader().await;
    let query = Query { mode: Mode::Keyword, limit: 40, ..Query::parse("umbrella").unwrap() };
    let all = reader.search(&query).await.unwrap().files;
    assert_eq!(all.len(), 40);
    for file in &all[..35] {
        std::fs::remove_file(file.path.as_path()).unwrap();
    }
    let found = reader.search(&Query { limit: 3, ..query }).await.unwrap().files;
    let paths =
        |files: &[FoundFile]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&found), paths(&all[35..38]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_finds_what_is_meant() {
    let home = Home::new();
    let tree = Tree::new();
    tree.write("harbour.md", "The keeper of the lighthouse counts ships.");
    tree.write("budget-2024.txt", "Numbers, nothing else.");
    tree.write("notes/config.rs", "fn parseConfig() { /* see RFC2616 */ }");
    tree.write("schiff.txt", "Ein Donaudampfschiff liegt vor Anker.");
    tree.write("city.txt", "我住在上海市。");
    tree.write("cup.txt", "A mountaim trophy.");
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;

    check(&engine, "lighthouse", &["harbour.md"]).await;
    check(&engine, "lighthosue", &["harbour.md"]).await;
    check(&engine, "lighth", &["harbour.md"]).await;
    check(&engine, "budget 2024", &["budget-2024.txt"]).await;
    check(&engine, "budgt", &["budget-2024.txt"]).await;
    check(&engine, "parseConfig", &["config.rs"]).await;
    check(&engine, "parse config", &["config.rs"]).await;
    check(&engine, "rfc 2616", &["config.rs"]).await;
    check(&engine, "Dampfschiff", &["schiff.txt"]).await;
    check(&engine, "上海", &["city.txt"]).await;
    check(&engine, "\"lighthosue\"", &[]).await;
    check(&engine, "mountaik", &["cup.txt"]).await;
    // The model knows this one, so that it is no slip.
    check(&engine, "mountain", &[]).await;
    check(&engine, "lighthouse type:md", &["harbour.md"]).await;
    check(&engine, "lighthouse -type:md", &[]).await;
    check(&engine, "parse -in:notes", &[]).await;
    check(&engine, "parse in:config.rs", &["config.rs"]).await;
    check(&engine, "2617", &[]).await;
    check(&engine, "parse in:notes in:nowhere", &["config.rs"]).await;
    // Only what lies above what is followed.
    let name = |folder: Option<&Path>| folder.unwrap().file_name().unwrap().display().to_string();
    let (root, above) = (name(Some(tree.root())), name(tree.root().parent()));
    check(&engine, &format!("parse in:{root}"), &["config.rs"]).await;
    check(&engine, &format!("parse in:{above}"), &[]).await;
    check(&engine, &format!("parse -in:{above}"), &["config.rs"]).await;

    let plain = ["lighthouse", "lighth", "budgt", "Dampfschiff", "lighthouse -type:md"];
    for text in plain.into_iter().chain(["\"a lighthouse\" -harbour"]) {
        assert_eq!(ask(&engine, text).await.notice, None, "{text:?}");
    }
    let told = [
        ("lighthosue of", "“lighthosue” is in no text here: words like it are searched for"),
        ("lighthosue mountaik", "“lighthosue” and “mountaik” are in no text here: words like them"),
        ("lighthouse type:xyz", "Nothing that is indexed is of type “xyz”."),
        ("lighthouse in:nots in:b", "Nothing that is indexed lies in “nots” or “b”."),
        ("lighthouse in:notes type:md", "Nothing that is indexed passes the filter."),
        ("lighthouse before:1971", "Nothing that is indexed is of that time."),
        ("\"ships lighthouse\"", "No passage holds the words in quotes"),
        ("\"counts ships\" \"zebra\"", "No passage holds the words in quotes"),
        ("\"2024 budget\"", "No passage holds the words in quotes"),
        ("-lighthouse", "A filter or an exclusion needs words with it"),
        ("?", "There is no word here"),
    ];
    for (text, expected) in told {
        let notice = ask(&engine, text).await.notice;
        assert!(notice.as_ref().is_some_and(|told| told.starts_with(expected)), "{notice:?}");
    }
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_word_is_only_completed_while_it_is_the_last() {
    let (home, tree) = (Home::new(), Tree::with([("hut.txt", "A mountainside hut.")]));
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    check(&engine, "mountain", &["hut.txt"]).await;
    check(&engine, "violet mountain", &["hut.txt"]).await;
    check(&engine, "mountain violet", &[]).await;
    check(&engine, "violet mountain?", &[]).await;
    check(&engine, "mountain submountain", &[]).await;
    // The model does not know it, so that it may be the part of a word.
    check(&engine, "mountainsi violet", &["hut.txt"]).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_cannot_be_found_are_told_and_hide_nothing() {
    let (home, tree) = (Home::new(), Tree::new());
    tree.write("empty note.txt", "");
    tree.write("roof/tiles.txt", "violet umbrellas");
    tree.write("bread.txt", "copper kettles");
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    for (text, expected) in [
        (
            "empty note.txt",
            Some("“empty note.txt” cannot be searched: it is listed as skipped: it holds no text."),
        ),
        ("tiles", None),
        (
            "tiles -in:roof",
            Some(
                "Nothing that passes the filter holds this word: what follows is nearest in meaning.",
            ),
        ),
    ] {
        let answer = engine.search(&Query::parse(text).unwrap()).await.unwrap();
        assert_eq!(answer.notice.as_deref(), expected, "{text}");
    }
    let told = async |text| ask(&engine, text).await.notice.unwrap();
    assert!(told("empty note.txt").await.starts_with("“empty note.txt” cannot be searched"));
    assert_eq!(told("empty note.txt type:md").await, "Nothing that is indexed is of type “md”.");
    let error = engine.similar(&tree.path("empty note.txt"), None, 5).await.unwrap_err();
    assert!(error.to_string().ends_with("it is listed as skipped: it holds no text"), "{error}");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_one_result() {
    let home = Home::new();
    let tree = Tree::new();
    tree.write("one.txt", "The lighthouse stands.");
    tree.write("two.txt", "The lighthouse stands.");
    tree.write("three.txt", "Another lighthouse fell.");
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    let answer = ask(&engine, "lighthouse").await;
    assert_eq!(answer.files.len(), 2);
    let alike: Vec<_> = answer.files.iter().flat_map(|file| &file.alike).collect();
    assert!(alike.len() == 1 && alike[0].is_copy, "{alike:?}");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_copies_hide_nothing() {
    let home = Home::new();
    let tree = Tree::new();
    for i in 0..70 {
        tree.write(&format!("copies/lantern-{i}.txt"), "A lantern, a lantern.");
    }
    tree.write("work/lantern-plan.txt", "Nothing else in here tells of it.");
    tree.write("other.txt", "Somewhere a lantern burns.");
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    let answer = ask(&engine, "lantern").await;
    assert_eq!(answer.files.len(), 3);
    assert_eq!(answer.files.iter().flat_map(FoundFile::paths).count(), 72);
    check(&engine, "lantern in:work", &["lantern-plan.txt"]).await;
    assert_eq!(
        ask(&engine, "in:work").await.notice.as_deref().map(|n| n.contains("filter")),
        Some(true)
    );
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_is_no_more_is_taken_for_another() {
    let home = Home::new();
    let tree = Tree::new();
    tree.write("draft.txt", "the harbo");
    tree.write("note.txt", "the harbour");
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    check(&engine, "harbo", &["draft.txt"]).await;
    tree.write("draft.txt", "the harbour is mended");
    engine.scan_all().await.unwrap();
    settled(&engine).await;
    assert_eq!(ask(&engine, "harbo").await.files.len(), 2);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_a_folder_that_is_forgotten_go() {
    let home = Home::new();
    let tree = Tree::new();
    tree.write("kept/note.txt", "the harbour");
    tree.write("gone/secret.txt", "hunterpassword");
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.path("kept"), tree.path("gone")]).await.unwrap();
    settled(&engine).await;
    engine.forget(&tree.path("gone")).await.unwrap();
    settled(&engine).await;
    engine.close().await;
    let catalog = Catalog::open_reader(&home.data().join("catalog.sqlite")).unwrap().unwrap();
    assert!(!catalog.is_known("hunterpassword").unwrap());
    assert!(catalog.is_known("harbour").unwrap());
}
