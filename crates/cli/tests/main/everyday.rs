//! What a person does with it every day.

use std::io::Write;

use rummage_testkit::Tree;
use serde_json::{Value, json};

use crate::command::{Installation, Run};

fn kitchen() -> Tree {
    Tree::with([
        (
            "bread.md",
            "# Bread\n\nKnead the dough and let it rise overnight.\n\n## Crust\n\nSteam makes the crust crisp.\n",
        ),
        ("soup.txt", "Simmer onions and carrots until they are soft.\n"),
        (
            "page.html",
            "<html><title>Tea</title><body><p>Steep the leaves for <b>three</b> minutes.</p></body></html>",
        ),
        ("code/main.rs", "fn main() {\n    println!(\"hello\");\n}\n"),
        ("node_modules/left/pad.js", "module.exports = 1;"),
        (".hidden.txt", "nobody sees this"),
        ("ignored.log", "not this either"),
        (".gitignore", "*.log\n"),
    ])
}

#[test]
fn a_folder_is_indexed_once_and_only_changes_cost_work() {
    let (installation, tree) = (Installation::new(), kitchen());
    let first = installation.index(tree.root());
    assert_eq!(first["files"]["indexed"], 4, "{first}");
    assert_eq!(first["files"]["failed"], 0);
    assert!(first["passages"]["embedded"].as_u64().unwrap() >= 4);

    let again = installation.index(tree.root());
    assert_eq!(again["passages"]["embedded"], 0, "{again}");
    assert_eq!(again["files"]["indexed"], 0);
    assert_eq!(again["files"]["unchanged"], 4);

    tree.write("soup.txt", "Blend the pumpkin with cream.\n");
    tree.remove("page.html");
    let changed = installation.index(tree.root());
    assert_eq!(changed["files"]["indexed"], 1, "{changed}");
    assert_eq!(changed["files"]["removed"], 1);
    assert_eq!(changed["passages"]["embedded"], 1);
    assert!(installation.find("pumpkin", "keyword")[0].ends_with("soup.txt"));
    assert!(installation.find("carrots", "keyword").is_empty(), "the old text is gone");
    assert!(installation.find("leaves", "keyword").is_empty(), "the deleted file is gone");
}

#[test]
fn a_moved_and_a_copied_file_embed_nothing() {
    let (installation, tree) = (Installation::new(), kitchen());
    installation.index(tree.root());
    tree.rename("soup.txt", "moved/broth.txt");
    tree.write("copy.md", std::fs::read(tree.path("bread.md")).unwrap());
    let moved = installation.index(tree.root());
    assert_eq!(moved["passages"]["embedded"], 0, "{moved}");
    assert!(moved["passages"]["reused"].as_u64().unwrap() > 0);
    assert!(installation.find("onions", "hybrid")[0].ends_with("broth.txt"));
}

#[test]
fn each_mode_finds_and_says_why() {
    let (installation, tree) = (Installation::new(), kitchen());
    installation.index(tree.root());
    for mode in ["hybrid", "keyword", "meaning"] {
        let found = installation.find("crisp crust", mode);
        assert!(found[0].ends_with("bread.md"), "{mode}: {found:?}");
    }
    let answer = installation.run(["search", "--json", "crisp crust"]).json();
    assert_eq!(answer["coverage"], json!({"searched": 4, "known": 4, "meaning": 4}));
    let passage = &answer["results"][0]["passages"][0];
    let text = passage["text"].as_str().unwrap();
    let marked: Vec<&str> = passage["highlights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|range| {
            &text[range[0].as_u64().unwrap() as usize..range[1].as_u64().unwrap() as usize]
        })
        .collect();
    assert!(marked.contains(&"crisp") && marked.contains(&"crust"), "{marked:?}");
    assert!(passage["why"]["keyword"]["rank"].is_u64());
    assert!(passage["why"]["meaning"]["similarity"].is_f64());
    assert!(answer["results"][0]["modified"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_file_finds_those_that_mean_the_same() {
    let (installation, tree) = (Installation::new(), kitchen());
    tree.write("rye.md", "Knead rye dough and let the bread rise overnight.\n");
    tree.write("bread copy.md", &std::fs::read_to_string(tree.root().join("bread.md")).unwrap());
    installation.index(tree.root());
    let path = tree.root().join("rye.md");
    let answer = installation.run(["similar", "--json", path.to_str().unwrap()]).json();
    let results = answer["results"].as_array().unwrap();
    let is = |result: &Value, name: &str| result["path"].as_str().unwrap().ends_with(name);
    assert!(is(&results[0], "bread.md") || is(&results[0], "bread copy.md"), "{answer}");
    assert!(!results.iter().any(|result| is(result, "rye.md")), "{answer}");
    assert_eq!(results.len(), 4, "copies are one result: {answer}");
    assert_eq!(installation.run(["similar", "nowhere.md"]).code, 2);
}

#[test]
fn a_paused_folder_waits_for_its_word() {
    let (installation, tree) = (Installation::new(), kitchen());
    installation.index(tree.root());
    let root = tree.root().as_os_str();
    let paused = installation.run(["pause".as_ref(), root]).succeeded();
    assert!(paused.stdout.contains("is paused"), "{paused:?}");
    tree.write("cake.txt", "Whisk eggs and sugar.\n");
    // Another folder is indexed, and that does not wait for this one.
    let other = Tree::with([("tea.txt", "Steep the leaves.\n")]);
    installation.index(other.root());
    let folder = installation.status()["folders"][0].clone();
    assert_eq!(folder["paused"], true, "{folder}");
    assert!(installation.find("whisk", "keyword").is_empty());
    assert_eq!(installation.find("carrots", "keyword").len(), 1, "what is indexed is found");

    installation.run(["resume".as_ref(), root]).succeeded();
    // What came meanwhile is looked for, too.
    assert_eq!(installation.status()["folders"][0]["paused"], false);
    assert!(installation.find("whisk", "keyword")[0].ends_with("cake.txt"));
    assert_eq!(installation.run(["pause", "/nowhere"]).code, 2);
    let mistyped = installation.run(["search", "--jsn"]);
    assert!(mistyped.code == 2 && mistyped.stderr.contains("--jsn"), "{mistyped:?}");
}

#[test]
fn a_span_names_the_bytes_of_the_file() {
    let (installation, tree) = (Installation::new(), kitchen());
    installation.index(tree.root());
    let answer = installation.run(["search", "--json", "--mode", "keyword", "onions"]).json();
    let passage = &answer["results"][0]["passages"][0];
    let bytes = std::fs::read(tree.path("soup.txt")).unwrap();
    let span =
        passage["start"].as_u64().unwrap() as usize..passage["end"].as_u64().unwrap() as usize;
    assert!(String::from_utf8_lossy(&bytes[span]).contains("onions"));
}

#[test]
fn filters_narrow_and_operators_are_read() {
    let (installation, tree) = (Installation::new(), kitchen());
    installation.index(tree.root());
    assert!(
        installation.find("the type:html", "keyword").iter().all(|path| path.ends_with(".html"))
    );
    assert!(installation.find("fn main in:code", "keyword")[0].ends_with("main.rs"));
    assert!(installation.find("onions -carrots", "keyword").is_empty());
    assert!(installation.find("onions after:2999", "keyword").is_empty());
    let open_quote = ["search", "--json", "--in", "code", "--mode", "keyword", "hello \"fn main"];
    let found = installation.run(open_quote).json();
    assert_eq!(found["results"].as_array().unwrap().len(), 1, "{found}");
    let wrong = installation.run(["search", "onions after:soon"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("after") && wrong.stderr.contains("soon"), "{wrong:?}");
}

#[test]
fn a_batch_answers_a_line_each() {
    let (installation, tree) = (Installation::new(), kitchen());
    installation.index(tree.root());
    let mut queries = tempfile::NamedTempFile::new().unwrap();
    writeln!(queries, "onions\ncrisp crust\nafter:never\nonions").unwrap();
    let run = installation
        .run(["search", "--json", "--batch", queries.path().to_str().unwrap()])
        .succeeded();
    let answers: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[0]["query"], "onions");
    assert!(answers[2]["error"].as_str().unwrap().contains("never"));
    assert!(answers[1]["results"][0]["path"].as_str().unwrap().ends_with("bread.md"));
}

#[test]
fn the_ledger_and_the_status_account_for_every_file() {
    let (installation, tree) = (Installation::new(), kitchen());
    tree.write("empty.txt", "");
    installation.index(tree.root());
    let status = installation.status();
    assert_eq!(status["files"]["indexed"], 4);
    assert_eq!(status["files"]["skipped"], 1);
    assert_eq!(status["queue"], json!({"pending": 0, "in_flight": 0}));
    assert_eq!(status["model"]["id"], "tiny-1");
    assert_eq!(status["model"]["dims"], 32);
    let line = installation.ledger("empty.txt");
    assert_eq!(line["state"], "skipped");
    assert!(line["reason"].as_str().unwrap().contains("no text"));
    let skipped = installation.run(["files", "--json", "--state", "skipped"]).succeeded();
    assert_eq!(status["files"]["left_out"], 4, "what rules leave out");
    assert_eq!(skipped.stdout.lines().count(), 5);
    for (name, rule, folder) in [
        ("node_modules", "packages that others wrote", true),
        (".hidden.txt", "dot", false),
        ("ignored.log", "*.log", false),
    ] {
        let line = installation.ledger(name);
        assert_eq!((&line["state"], &line["folder"]), (&json!("skipped"), &json!(folder)));
        assert!(line["reason"].as_str().unwrap().contains(rule), "{line}");
    }
    for (words, count) in [("NODE_modules wrote", 1), ("empty", 1), ("kitchen sink", 0)] {
        let found = installation.run(["files", "--json", "--match", words]).succeeded();
        assert_eq!(found.stdout.lines().count(), count, "{words}");
    }
    let account = |name: &str| {
        installation.run(["files".as_ref(), "--json".as_ref(), tree.path(name).as_os_str()])
    };
    let inside = account("node_modules/left/pad.js").json();
    assert!(inside["reason"].as_str().unwrap().contains("node_modules/"), "{inside}");
    assert_eq!(account("bread.md").json()["state"], "indexed");
    assert_eq!(account("nowhere.md").code, 2);
}

#[test]
fn a_forgotten_folder_leaves_no_trace_in_results() {
    let (installation, tree) = (Installation::new(), kitchen());
    installation.index(tree.root());
    installation.run(["forget".as_ref(), tree.root().as_os_str()]).succeeded();
    assert!(installation.find("onions", "hybrid").is_empty());
    assert_eq!(installation.status()["folders"], json!([]));
    let unknown = installation.run(["forget".as_ref(), tree.root().as_os_str()]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
}

#[test]
fn wrong_calls_are_told_apart() {
    let installation = Installation::new();
    assert_eq!(installation.run(["search"]).code, 2);
    assert_eq!(installation.run(["frobnicate"]).code, 2);
    assert_eq!(installation.run(["--version"]).code, 0);
    let empty = installation.run(["search", "anything"]);
    assert_eq!(empty.code, 2);
    assert!(empty.stderr.contains("rummage index"), "the mend: {empty:?}");
    let missing = installation.run(["index", "/no/such/folder"]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("/no/such/folder"), "{missing:?}");
}

#[test]
fn two_processes_do_not_index_one_data_folder() {
    let (installation, tree) = (Installation::new(), kitchen());
    installation.index(tree.root());
    let lock = std::fs::File::options().write(true).open(installation.data().join("writer.lock"));
    let lock = lock.unwrap();
    lock.lock().unwrap();
    let busy = installation.run(["index".as_ref(), tree.root().as_os_str()]);
    assert_eq!(busy.code, 3, "{busy:?}");
    assert!(installation.find("onions", "keyword").len() == 1, "reading still works");
    drop(lock);
    Run::of(installation.command().arg("index").arg(tree.root())).succeeded();
}
