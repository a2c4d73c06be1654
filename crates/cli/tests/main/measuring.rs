//! `rummage tune` and `rummage profile`: what is measured, kept, drawn and compared.

use std::path::Path;

use rummage_testkit::{Tree, faulty_worker_program};
use serde_json::Value;

use crate::command::{Installation, Run};

#[test]
fn tuning_is_shown_and_kept() {
    let installation = Installation::new();
    let tuning = installation.run(["tune", "--json", "--quiet"]).json();
    let table = tuning["table"].as_array().unwrap();
    for name in ["workers", "threads", "tokens_per_call"] {
        assert_eq!(table[0][name], tuning["choice"][name], "the choice stands first");
        assert!(table.iter().all(|trial| trial[name].as_u64().unwrap() > 0));
    }
    assert!(table.iter().all(|trial| trial["passages_per_second"].as_f64().unwrap() > 0.0));
    let kept = std::fs::read(installation.data().join("tuning.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&kept).unwrap(), tuning);
}

/// Loads with a worker that answers at once, or `late`.
fn load(installation: &Installation, late: bool, arguments: &[&str]) -> Run {
    let faults = if late { "late:40@*" } else { "" };
    let mut command = installation.command();
    command.env("RUMMAGE_WORKER", faulty_worker_program()).env("FAULTS", faults);
    Run::of(command.args(["profile", "load", "--quiet"]).args(arguments))
}

#[test]
fn a_slowed_worker_fails_the_gate_and_the_same_one_passes() {
    let installation = Installation::new();
    let path = |name: &str| installation.dir().join(name).display().to_string();
    let (before, picture) = (path("before.json"), path("load.svg"));
    let first = load(&installation, false, &["--output", &before, "--picture", &picture]);
    assert_eq!(first.code, 0, "{first:?}");
    let report: Value = serde_json::from_slice(&std::fs::read(&before).unwrap()).unwrap();
    let names = report["measures"].as_array().unwrap().iter().map(|measure| &measure["name"]);
    for name in ["process start", "runtime", "session", "tokenizer", "first encode", "memory"] {
        assert!(names.clone().any(|known| known == name), "{name} is in {report}");
    }
    let drawn = std::fs::read_to_string(&picture).unwrap();
    assert!(drawn.starts_with("<svg") && drawn.contains("first encode"), "{drawn}");

    let gate = ["--baseline", before.as_str(), "--runs", "7"];
    let same = load(&installation, false, &gate);
    assert_eq!(same.code, 0, "{same:?}");
    let slowed = load(&installation, true, &gate);
    assert_eq!(slowed.code, 1, "{slowed:?}");
    assert!(slowed.stderr.contains("first encode"), "{slowed:?}");
    assert!(!slowed.stderr.contains("tokenizer"), "{slowed:?}");

    // Of which machine it is, is told where it is another one.
    let told = |report: &Value| {
        std::fs::write(&before, report.to_string()).unwrap();
        let run =
            installation.run(["profile", "load", "--runs", "1", "--baseline", before.as_str()]);
        run.stderr.contains("another machine (a slate, 2 cores)")
    };
    assert!(!told(&report));
    let mut elsewhere = report.clone();
    (elsewhere["processor"], elsewhere["cores"]) = ("a slate".into(), 2.into());
    assert!(told(&elsewhere));
}

#[test]
fn a_baseline_that_cannot_be_compared_is_a_wrong_call() {
    let installation = Installation::new();
    let baseline = installation.dir().join("no.json");
    std::fs::write(&baseline, "{}").unwrap();
    let baseline = baseline.display().to_string();
    let run = load(&installation, false, &["--baseline", &baseline]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("no.json is no profile's report"), "{run:?}");
    let run = installation.run(["profile", "load", "--threshold", "0.9"]);
    assert_eq!(run.code, 2, "{run:?}");
}

#[test]
fn indexing_is_profiled_without_touching_the_index() {
    let (installation, tree) = (Installation::new(), Tree::default());
    for file in 0..12_u64 {
        tree.write(&format!("{file}.txt"), rummage_testkit::prose(8, file % 10));
    }
    let arguments = ["profile", "index", "--json", "--quiet", "--runs", "2"].map(Path::new);
    let report = installation.run(arguments.into_iter().chain([tree.root()])).json();
    let median = |name: &str| {
        let measures = report["measures"].as_array().unwrap();
        let measure = measures.iter().find(|measure| measure["name"] == name);
        measure.unwrap_or_else(|| panic!("{name} is in {report}"))["median"].as_f64().unwrap()
    };
    for stage in ["scan", "extract", "chunk", "tokenise", "embed", "store", "full text"] {
        assert!(median(stage) > 0.0 && median(stage) <= median("all"), "{stage}: {report}");
    }
    assert!(median("files a second") > 0.0);
    assert_eq!(median("restarts/1,000 files"), 0.0);
    assert!(!installation.data().join("index").exists(), "the index is untouched");
}
