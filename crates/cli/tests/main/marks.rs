//! Results that were marked, and the models compared by them.

use rummage_testkit::{Tree, tiny_model};
use serde_json::{Value, json};

use crate::command::{Installation, Run};

fn lines(run: Run) -> Vec<Value> {
    let run = run.succeeded();
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn mark(installation: &Installation, what: &str, question: &str, tree: &Tree, name: &str) -> Run {
    let file = tree.path(name).display().to_string();
    installation.run(["marks", what, "--json", question, &file])
}

#[test]
fn marks_come_and_go() {
    let installation = Installation::new();
    let tree = Tree::with([("tea.txt", "Steep the leaves."), ("bread.txt", "Knead the dough.")]);
    installation.index(tree.root());
    assert_eq!(installation.run(["marks", "list"]).succeeded().stdout, "Nothing is marked yet.\n");
    for (question, name) in [("leaves -bag", "tea.txt"), ("-stone dough", "bread.txt")] {
        mark(&installation, "add", question, &tree, name).succeeded();
    }
    let listed = lines(installation.run(["marks", "list", "--json"]));
    let of = |line: &Value| (line["question"].clone(), line["grade"].clone());
    assert_eq!(
        listed.iter().map(of).collect::<Vec<_>>(),
        [(json!("-stone dough"), json!("good")), (json!("leaves -bag"), json!("good"))]
    );
    let text = installation.run(["marks", "list"]).succeeded().stdout;
    assert!(text.contains("leaves -bag\n  good    ") && text.contains("tea.txt"), "{text}");
    let gone = mark(&installation, "remove", "leaves -bag", &tree, "tea.txt");
    assert_eq!(gone.json(), json!({ "unmarked": 1 }));
    let unknown = mark(&installation, "add", "leaves", &tree, "water.txt");
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert_eq!(installation.run(["marks", "clear", "--json"]).json(), json!({ "cleared": 1 }));
    assert!(lines(installation.run(["marks", "list", "--json"])).is_empty());
}

/// Most file systems of Unix take any bytes for a name.
#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_can_be_marked() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let installation = Installation::new();
    let tree = Tree::with([("tea.txt", "Steep the leaves.")]);
    let file = tree.root().join(OsStr::from_bytes(b"caf\xe9.txt"));
    std::fs::write(&file, "Grind the beans.").unwrap();
    installation.index(tree.root());
    let marked = installation
        .run([OsStr::new("marks"), "add".as_ref(), "beans".as_ref(), file.as_ref()])
        .succeeded();
    assert_eq!(marked.stdout, "It is marked good.\n");
    assert_eq!(lines(installation.run(["marks", "list", "--json"])).len(), 1);
}

#[test]
fn models_are_compared_on_ones_own_files() {
    let installation = Installation::new();
    tiny_model(&installation.dir().join("assets/models/tiny-2"), 2);
    let tree = Tree::with([("tea.txt", "Steep the leaves."), ("bread.txt", "Knead the dough.")]);
    installation.index(tree.root());
    let unmarked = installation.run(["eval"]).succeeded();
    assert!(unmarked.stdout.contains("No question has marks yet"), "{unmarked:?}");
    assert!(unmarked.stdout.contains("tiny-1") && unmarked.stdout.contains("passages/s"));
    assert!(unmarked.stderr.contains("tiny-1: how fast it reads"), "{unmarked:?}");

    mark(&installation, "add", "leaves", &tree, "tea.txt").succeeded();
    let reports = lines(installation.run(["eval", "--json", "--quiet"]));
    let models: Vec<_> = reports.iter().map(|report| &report["model"]).collect();
    assert_eq!(models, ["tiny-1", "tiny-2"]);
    for report in &reports {
        assert_eq!((&report["collection"], &report["queries"]), (&json!("marks"), &json!(1)));
        assert_eq!(report["marks"], json!({ "opened": 0, "good": 1 }));
        for figure in ["passages_per_second", "question_ms", "worker_bytes", "model_bytes"] {
            assert!(report[figure].as_f64().unwrap() > 0.0, "{figure}: {report}");
        }
        assert_eq!(report["vector_bytes"], 192);
    }
    let [first, second] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!(first["modes"][0]["ndcg@10"], 1.0, "{first}");
    assert_eq!(first["passages"], json!({ "total": 2, "lacking": 0 }));
    assert_eq!((&second["modes"], &second["passages"]["lacking"]), (&json!([]), &json!(2)));
    let text = installation.run(["eval", "--quiet"]).succeeded().stdout;
    assert!(text.contains("Your marks: 1 question, 0 results opened, 1 marked good"), "{text}");
    assert!(text.contains("These are few"), "{text}");
    assert!(text.contains("rummage eval --model tiny-2 makes them"), "{text}");

    let named = installation.run(["eval", "--json", "--model", "tiny-2"]).succeeded();
    assert!(named.stderr.contains("tiny-2: 2 passages lack its vectors"), "{named:?}");
    let named = lines(named);
    assert_eq!((named.len(), &named[0]["modes"][0]["ndcg@10"]), (1, &json!(1.0)));
    assert_eq!(installation.status()["model"]["id"], "tiny-1", "it is not used by that");

    for wrong in [&["eval", "--model", "tiny-9"][..], &["eval", "--no-cache"]] {
        let run = installation.run(wrong);
        assert_eq!(run.code, 2, "{run:?}");
    }
}
