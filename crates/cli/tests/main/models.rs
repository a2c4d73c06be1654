//! Models and the cache of vectors, by the command line.

use std::fs;

use rummage_testkit::{Tree, prose, tiny_model};
use serde_json::{Value, json};

use crate::command::{Installation, Run};

fn installation() -> Installation {
    let installation = Installation::new();
    tiny_model(&installation.dir().join("assets/models/tiny-2"), 2);
    installation
}

fn tree() -> Tree {
    let tree = Tree::new();
    for number in 0..10 {
        tree.write(&format!("file{number}.txt"), prose(10, number));
    }
    tree
}

/// The line of a model in the list.
fn listed(installation: &Installation, id: &str) -> Value {
    let run = installation.run(["models", "list", "--json"]).succeeded();
    let mut lines = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.find(|line| line["id"] == id).unwrap_or_else(|| panic!("no {id}: {}", run.stdout))
}

fn stats(installation: &Installation) -> Value {
    installation.run(["cache", "stats", "--json"]).json()
}

#[test]
fn a_model_is_chosen_by_its_name_and_the_way_back_embeds_nothing() {
    let (installation, tree) = (installation(), tree());
    assert_eq!(listed(&installation, "tiny-2")["state"], "installed");
    installation.index(tree.root());
    assert_eq!(listed(&installation, "tiny-1")["active"], true);
    let there = installation.run(["models", "use", "--json", "tiny-2"]).json();
    assert!(there["passages"]["embedded"].as_u64().unwrap() >= 10, "{there}");
    assert_eq!(listed(&installation, "tiny-2")["active"], true);
    assert_eq!(installation.status()["model"]["id"], "tiny-2");
    assert_eq!(installation.find("house", "meaning").len(), 10);
    let back = installation.run(["models", "use", "--json", "tiny-1"]).json();
    assert_eq!(back["passages"], json!({ "embedded": 0, "reused": 0 }));
    let unknown = installation.run(["models", "use", "tiny-9"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert!(unknown.stderr.contains("tiny-9"), "{unknown:?}");
    let removed = installation.run(["models", "remove", "tiny-1"]);
    assert_eq!(removed.code, 2, "{removed:?}");
    let text = installation.run(["models", "list"]).succeeded().stdout;
    assert!(text.contains("* tiny-1") && text.contains("models fetch bge-small-en-v1.5"), "{text}");
}

#[test]
fn the_cache_tells_what_it_saved_and_is_cleared() {
    let (installation, tree) = (installation(), tree());
    assert_eq!(stats(&installation)["entries"], 0);
    let first = installation.index(tree.root());
    let embedded = first["passages"]["embedded"].as_u64().unwrap();
    let kept = stats(&installation);
    assert_eq!(
        (&kept["entries"], &kept["models"][0]["model"]),
        (&json!(embedded), &json!("tiny-1"))
    );
    assert_eq!(kept["models"][0]["run"], json!({ "hits": 0, "misses": embedded, "rate": 0.0 }));
    fs::remove_dir_all(installation.data().join("index")).unwrap();
    let again = installation.index(tree.root());
    assert_eq!(again["passages"]["embedded"], 0, "{again}");
    let kept = stats(&installation);
    assert_eq!(kept["models"][0]["run"]["rate"], 1.0, "{kept}");
    assert_eq!(installation.status()["cache"], json!({ "hits": embedded, "misses": embedded }));
    let text = installation.run(["cache", "stats"]).succeeded().stdout;
    assert!(text.contains("100.0 %"), "{text}");
    let unknown = installation.run(["cache", "clear", "--model", "tiny-9"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    let cleared = installation.run(["cache", "clear", "--json", "--model", "tiny-1"]).json();
    assert_eq!(cleared["cleared"], embedded);
    assert_eq!(stats(&installation)["entries"], 0);
    fs::remove_dir_all(installation.data().join("index")).unwrap();
    let without = ["index", "--json", "--no-cache", tree.root().to_str().unwrap()];
    assert_eq!(installation.run(without).json()["passages"]["embedded"], embedded);
    assert_eq!(stats(&installation)["entries"], 0, "none was kept");
}

#[test]
fn two_models_are_measured_side_by_side_and_the_second_time_for_free() {
    let installation = installation();
    let dir = Tree::with([
        (
            "corpus.jsonl",
            "{\"_id\": \"a\", \"title\": \"Tea\", \"text\": \"Steep the leaves.\"}\n\
             {\"_id\": \"b\", \"text\": \"Knead the dough.\"}\n",
        ),
        ("queries.jsonl", "{\"_id\": \"q\", \"text\": \"leaves\"}\n"),
        ("qrels.tsv", "q\ta\t1\n"),
    ]);
    let measure = || {
        let arguments = ["eval", "--json", "--model", "tiny-1,tiny-2"];
        let run = Run::of(installation.command().args(arguments).arg(dir.root())).succeeded();
        let lines = run.stdout.lines();
        lines.map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    for embedded in [2, 0] {
        let reports = measure();
        let models: Vec<_> = reports.iter().map(|report| &report["model"]).collect();
        assert_eq!(models, ["tiny-1", "tiny-2"]);
        for report in &reports {
            assert_eq!(report["passages"]["embedded"], embedded, "{report}");
            assert_eq!(report["modes"][0]["ndcg@10"], 1.0, "{report}");
            assert!(report["disk_bytes"].as_u64().unwrap() > 0, "{report}");
        }
    }
    let wrong = Run::of(installation.command().args(["eval", "--model", "tiny-9"]).arg(dir.root()));
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.stderr.contains("tiny-9"), "{wrong:?}");
}
