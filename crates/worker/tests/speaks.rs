//! Handshake, requests and replies.

use std::path::Path;

use rummage_protocol::{
    ExtractRequest, Hello, Outcome, Provider, Reply, Request, Role, Running, SkipReason, VERSION,
    exit,
};
use rummage_testkit::{Tree, cosine, runtime_library, tiny_model};

use crate::worker::{
    PROGRAM, Worker, embed, embed_arguments, embed_with, fingerprint, long_lease, model,
};

fn extract(lease: u64, tree: &Tree, name: &str) -> Request {
    Request::Extract(ExtractRequest {
        lease,
        path: tree.source(name),
        max_bytes: 1000,
        ocr: None,
        patience_ms: 60_000,
    })
}

#[test]
fn an_embedding_worker_names_its_model() {
    let (_folder, model) = model();
    let mut worker = Worker::start(&embed_arguments(&model.folder, &runtime_library()));
    let Some(Reply::Hello(Hello { version, role, models, running })) = worker.reply() else {
        panic!("a hello comes first");
    };
    assert_eq!((version, role), (VERSION, Role::Embed));
    assert_eq!(running, Running::default());
    let [identity] = models.as_slice() else { panic!("one model, not {models:?}") };
    assert_eq!(identity.dims as usize, model.dims);
    assert_eq!(identity.fingerprint, fingerprint(1));
}

/// What a worker with these arguments besides says that it runs on, and a vector of it.
fn running(besides: &[&str]) -> (Running, Vec<f32>) {
    let ((_folder, model), runtime) = (model(), runtime_library());
    let mut arguments = embed_arguments(&model.folder, &runtime).to_vec();
    arguments.extend(besides);
    let mut worker = Worker::start(&arguments);
    let Some(Reply::Hello(hello)) = worker.reply() else { panic!("a hello comes first") };
    worker.send(&[embed(1, false, vec![vec![2, 50, 60, 3]])]);
    (hello.running, worker.vectors().values)
}

#[test]
fn what_is_asked_for_in_vain_costs_a_word_and_no_vector() {
    let (on_processor, vector) = running(&[]);
    assert_eq!(on_processor, Running::default());
    let (fallen_back, same) = running(&["--provider", "cuda"]);
    assert_eq!(fallen_back.provider, Provider::Cpu);
    let why = fallen_back.fallback.expect("a word");
    assert!(why.to_lowercase().contains("cuda"), "{why}");
    assert_eq!(same, vector);
}

#[test]
fn an_own_runtime_that_cannot_be_loaded_makes_way_for_ours() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("libonnxruntime.so");
    let own = own.to_str().unwrap();
    std::fs::write(own, "no library").unwrap();
    let (running, vector) = running(&["--provider", "openvino", "--own-runtime", own]);
    assert_eq!(running.provider, Provider::Cpu);
    // The first thing that went wrong, and not what followed from it.
    let why = running.fallback.expect("a word");
    assert!(why.contains(own) && !why.contains("built without"), "{why}");
    assert!(!vector.is_empty());
}

#[test]
fn a_worker_with_two_models_answers_each_lease_with_its_own() {
    let ((_folder, one), other) = (model(), tempfile::tempdir().unwrap());
    tiny_model(other.path(), 2);
    let (runtime, other) = (runtime_library(), other.path().to_str().unwrap());
    let mut arguments = embed_arguments(&one.folder, &runtime).to_vec();
    arguments.extend(["--model", other]);
    let mut worker = Worker::start(&arguments);
    let Some(Reply::Hello(Hello { models, .. })) = worker.reply() else {
        panic!("a hello comes first");
    };
    let named: Vec<_> = models.into_iter().map(|model| model.fingerprint).collect();
    assert_eq!(named, [fingerprint(1), fingerprint(2)]);
    let text = || vec![vec![2, 50, 60, 3]];
    worker.send(&[
        embed_with(1, 1, false, text()),
        embed_with(2, 2, false, text()),
        embed_with(3, 3, false, text()),
        embed_with(1, 4, false, text()),
    ]);
    let (first, second) = (worker.vectors(), worker.vectors());
    assert!(cosine(&first.values, &second.values) < 0.9);
    let Some(Reply::Failed { lease: 3, reason }) = worker.reply() else {
        panic!("a model that is not loaded makes no vector");
    };
    assert!(reason.contains(&fingerprint(3)), "{reason}");
    assert_eq!(worker.vectors().values, first.values);
}

/// ONNX Runtime's own reports begin with an id in the user's cache folder.
#[cfg(unix)]
#[test]
fn a_worker_leaves_nothing_in_the_home_folder() {
    let ((_folder, model), home) = (model(), tempfile::tempdir().unwrap());
    // A build machine's variables would silence the library by themselves.
    let mut command = std::process::Command::new(PROGRAM);
    command.env_clear().env("HOME", home.path());
    // As with a library of a person's own, which tries another provider before.
    let runtime = runtime_library();
    command.args(embed_arguments(&model.folder, &runtime));
    command.args(["--provider", "cuda", "--own-runtime"]).arg(&runtime);
    let mut worker = Worker::spawn(&mut command);
    assert!(matches!(worker.reply(), Some(Reply::Hello(_))));
    worker.send(&[embed(1, false, vec![vec![2, 50, 3]])]);
    worker.vectors();
    worker.close_stdin();
    worker.end();
    let left: Vec<_> =
        std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn vectors_come_in_the_order_of_the_texts() {
    let (_folder, model) = model();
    let mut worker = Worker::embedding(&model.folder);
    let texts = vec![vec![2, 50, 3], vec![2, 60, 61, 62, 63, 3], vec![2, 70, 3]];
    worker.send(&[embed(1, false, texts.clone())]);
    let together = worker.vectors();
    assert_eq!((together.lease, together.dims as usize), (1, model.dims));
    assert_eq!(together.values.len(), texts.len() * model.dims);
    for (text, vector) in texts.into_iter().zip(together.values.chunks(model.dims)) {
        worker.send(&[embed(2, false, vec![text])]);
        assert!(cosine(&worker.vectors().values, vector) > 0.9999);
        assert!((vector.iter().map(|number| number * number).sum::<f32>() - 1.0).abs() < 1e-4);
    }
}

#[test]
fn texts_that_share_words_are_nearer() {
    let (_folder, model) = model();
    let mut worker = Worker::embedding(&model.folder);
    let words = |ids: [u32; 4]| [vec![2], ids.map(|id| id + 200).to_vec(), vec![3]].concat();
    worker.send(&[embed(1, false, [[1, 2, 3, 4], [1, 2, 3, 9], [5, 6, 7, 8]].map(words).into())]);
    let vectors = worker.vectors().values;
    let [query, near, far] = [0, 1, 2].map(|at| &vectors[at * model.dims..][..model.dims]);
    assert!(cosine(query, near) > cosine(query, far) + 0.2);
}

#[test]
fn an_empty_lease_has_an_empty_answer() {
    let (_folder, model) = model();
    let mut worker = Worker::embedding(&model.folder);
    worker.send(&[embed(5, false, vec![])]);
    let embedded = worker.vectors();
    assert_eq!((embedded.lease, embedded.values), (5, vec![]));
}

#[test]
fn a_text_longer_than_the_model_reads_is_cut() {
    let (_folder, model) = model();
    let mut worker = Worker::embedding(&model.folder);
    let long: Vec<u32> = (5..).take(model.max_tokens + 30).collect();
    let cut = long[..model.max_tokens].to_vec();
    worker.send(&[embed(1, false, vec![long, cut])]);
    let vectors = worker.vectors().values;
    assert_eq!(vectors[..model.dims], vectors[model.dims..]);
}

#[test]
fn a_lease_that_cannot_be_done_fails_and_the_worker_lives_on() {
    let (_folder, model) = model();
    let mut worker = Worker::embedding(&model.folder);
    let tree = Tree::with([("a.txt", "text")]);
    let unknown = model.vocabulary as u32;
    worker.send(&[
        embed(1, false, vec![vec![unknown]]),
        embed(2, false, vec![vec![5], vec![]]),
        extract(3, &tree, "a.txt"),
        embed(4, false, vec![vec![5]]),
    ]);
    for expected in [1, 2, 3] {
        match worker.reply() {
            Some(Reply::Failed { lease, reason }) => {
                assert_eq!(lease, expected);
                assert!(expected != 2 || reason.contains("text 1"), "{reason}");
            }
            other => panic!("a failure, not {other:?}"),
        }
    }
    assert_eq!(worker.vectors().lease, 4);
}

#[test]
fn an_urgent_request_overtakes_a_running_lease() {
    let (_folder, model) = model();
    let mut worker = Worker::embedding(&model.folder);
    worker.send(&[long_lease(1), embed(2, true, vec![vec![5]]), embed(3, true, vec![vec![6]])]);
    assert_eq!([worker.vectors().lease, worker.vectors().lease], [2, 3]);
    assert_eq!(worker.vectors().lease, 1);
}

#[test]
fn an_extracting_worker_reads_files() {
    let tree = Tree::with([("a.md", "# Soup\n\nSalt and leek."), ("empty.txt", "")]);
    let mut worker = Worker::start(&["--role", "extract"]);
    let (role, running) = (Role::Extract, Running::default());
    let hello = Hello { version: VERSION, role, models: vec![], running };
    assert_eq!(worker.reply(), Some(Reply::Hello(hello)));
    worker.send(&[extract(1, &tree, "a.md"), extract(2, &tree, "empty.txt")]);
    let mut outcome = |lease| match worker.reply() {
        Some(Reply::Extracted(extracted)) if extracted.lease == lease => extracted.outcome,
        other => panic!("an outcome, not {other:?}"),
    };
    match outcome(1) {
        Outcome::Text { document, .. } => assert!(document.text.contains("Salt and leek.")),
        other => panic!("a text, not {other:?}"),
    }
    assert_eq!(outcome(2), Outcome::Skipped(SkipReason::Empty));
}

/// The reason names `named`, and the exit code says the same.
fn check_refused(arguments: &[&str], named: &Path) {
    let mut worker = Worker::start(arguments);
    match worker.reply() {
        Some(Reply::Refused(reason)) => {
            assert!(reason.contains(named.to_str().unwrap()), "{reason}");
        }
        other => panic!("a refusal, not {other:?}"),
    }
    assert_eq!(worker.reply(), None);
    assert_eq!(worker.end().0, Some(exit::REFUSED));
}

#[test]
fn what_cannot_be_loaded_is_refused_by_path() {
    let (_folder, model) = model();
    let nowhere = model.folder.join("nowhere");
    check_refused(&embed_arguments(&nowhere, &runtime_library()), &nowhere);
    check_refused(&embed_arguments(&model.folder, &nowhere), &nowhere);
    let no_library = Path::new(PROGRAM);
    check_refused(&embed_arguments(&model.folder, no_library), no_library);
}

#[test]
fn a_model_that_is_no_model_is_refused_by_path() {
    let (_folder, model) = model();
    let path = model.folder.join("model.onnx");
    let length = std::fs::metadata(&path).unwrap().len() as usize;
    std::fs::write(&path, vec![b'?'; length]).unwrap();
    check_refused(&embed_arguments(&model.folder, &runtime_library()), &path);
}
