//! Measuring the machine: what is found is kept, and counts where it fits.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use rummage_engine::{Engine, EngineError, Following};
use rummage_testkit::Tree;

use crate::{Home, names, settled};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_measured_is_what_auto_means_from_then_on() {
    let home = Home::new();
    let engine = home.open(Following::Once).await;
    assert_eq!(engine.tuning(), None, "nothing was measured yet");
    let mut steps = Vec::new();
    let tuning = engine.tune(|step| steps.push(step)).await.unwrap();
    assert_eq!(tuning.table[0].setting, tuning.choice);
    assert!(steps.iter().map(|step| step.done).eq(1..=steps.len()), "{steps:?}");
    assert!(steps.iter().all(|step| step.done <= step.most), "{steps:?}");
    let measured: usize = tuning.table.iter().map(|trial| trial.turns).sum();
    let with_room = steps.iter().filter(|step| step.passages_per_second.is_some()).count();
    assert_eq!(measured, with_room);
    let means = |engine: &Engine| {
        let auto = engine.auto();
        (auto.pool_size, auto.threads_per_worker, auto.tokens_per_call)
    };
    let choice = tuning.choice;
    assert_eq!(means(&engine), (choice.workers, choice.threads, choice.tokens_per_call));
    engine.close().await;
    // The next engine knows it.
    let engine = home.open(Following::Once).await;
    assert_eq!(engine.tuning(), Some(tuning.clone()));
    engine.close().await;
    // On another machine, or with another model, it does not count.
    let path = home.data().join("tuning.json");
    let mut kept: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(kept["hardware"]["provider"], "cpu");
    kept["hardware"]["provider"] = "cuda".into();
    fs::write(&path, kept.to_string()).unwrap();
    let engine = home.open(Following::Once).await;
    assert_eq!(engine.tuning(), None, "it was measured on something else");
    engine.close().await;
    kept["hardware"]["provider"] = "cpu".into();
    kept["hardware"]["processor"] = "another one".into();
    kept["choice"]["tokens_per_call"] = 77.into();
    fs::write(&path, kept.to_string()).unwrap();
    let engine = home.open(Following::Once).await;
    assert_eq!(engine.tuning(), None);
    assert_ne!(engine.auto().tokens_per_call, 77);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn indexing_waits_while_the_machine_is_measured_and_goes_on_after() {
    let (home, tree) = (Home::new(), Tree::with([("a.txt", "violet umbrellas")]));
    let engine = home.open(Following::Once).await;
    engine.follow(&[tree.root().to_owned()]).await.unwrap();
    settled(&engine).await;
    let at_the_first_turn = AtomicBool::new(false);
    let measuring = engine.tune(|_| at_the_first_turn.store(true, Relaxed));
    let meanwhile = async {
        while !at_the_first_turn.load(Relaxed) {
            tokio::task::yield_now().await;
        }
        let second = engine.tune(|_| ()).await;
        assert!(matches!(second, Err(EngineError::Measuring)), "{second:?}");
        assert_eq!(names(&engine, "violet umbrellas").await, ["a.txt"]);
        tree.write("b.txt", "copper kettles");
        engine.scan_all().await.unwrap();
        engine.status().unwrap()
    };
    let (measured, _) = tokio::join!(measuring, meanwhile);
    measured.unwrap();
    settled(&engine).await;
    assert_eq!(names(&engine, "copper kettles").await, ["b.txt"]);
    engine.close().await;
}
