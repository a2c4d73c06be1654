//! The pool with worker processes that misbehave on demand.

use std::{os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use rummage_pool::{
    Accelerator, Duty, EmbedConfig, ExtractConfig, JobError, Limits, Pace, Pool, PoolConfig,
    PoolStatus, ServedModel, Standing, WorkerState,
};
use rummage_protocol::{ModelIdentity, Outcome, Provider, Role, Running};
use rummage_testkit::{faulty_worker_program, vector_of};
use tempfile::TempDir;

/// Longer than anything here should take; a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Faulty workers take little: some 2 MB, and what they leak.
fn limits() -> Limits {
    Limits::new(8 << 30, 200 << 20)
}

/// A pool of faulty workers, all with the same script of faults.
struct Faulty {
    pool: Pool,
    config: PoolConfig,
    _dir: TempDir,
}

impl Faulty {
    /// With `once`, only the first fault of all processes strikes.
    fn start(faults: &str, once: bool, limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let once = if once {
            format!("FAULTS_ONCE='{}' ", dir.path().join("struck").display())
        } else {
            String::new()
        };
        // The workers' environment comes with a script in their place.
        let program = dir.path().join("worker");
        let real = faulty_worker_program();
        let script =
            format!("#!/bin/sh\nFAULTS='{faults}' {once}exec '{}' \"$@\"\n", real.display());
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let config = PoolConfig {
            embed: Some(EmbedConfig {
                workers: 2,
                keep_query_worker: true,
                threads_per_worker: 1,
                runtime_library: PathBuf::from("unused"),
                accelerator: None,
                models: vec![ServedModel {
                    dir: PathBuf::from("unused"),
                    identity: ModelIdentity { fingerprint: "faulty".into(), dims: 32 },
                }],
            }),
            extract: ExtractConfig { workers: 1 },
            program,
            limits,
            pace: Pace::Full,
        };
        Self { pool: Pool::start(config.clone()), config, _dir: dir }
    }

    async fn until(&self, what: &str, is_so: impl Fn(&PoolStatus) -> bool) -> PoolStatus {
        let mut status = self.pool.status();
        let waited = tokio::time::timeout(PATIENCE, status.wait_for(|status| is_so(status))).await;
        let status = waited.unwrap_or_else(|_| panic!("never: {what}"));
        status.expect("the pool lives").clone()
    }

    /// Twenty leases of three texts each, all at once; every vector must come back right.
    async fn check_all_leases_done(&self) {
        let leases = (0u32..20).map(|lease| {
            let texts: Vec<Vec<u32>> =
                (0..3).map(|text| vec![lease, text, lease * text + 7]).collect();
            let pool = self.pool.clone();
            async move {
                let reply = pool.embed("faulty", texts.clone(), 64, Standing::Fresh).await.unwrap();
                for (text, vector) in texts.iter().zip(reply.values.chunks(32)) {
                    assert_eq!(vector, vector_of(text, 32), "a vector went astray");
                }
            }
        });
        let all = tokio::time::timeout(PATIENCE, futures::future::join_all(leases)).await;
        all.expect("every lease is answered in time");
    }
}

/// Every lease is done in spite of the fault, which strikes once.
async fn check(faults: &str) {
    let limits = Limits {
        start: Duration::from_millis(1500),
        embed: Duration::from_millis(800),
        ..limits()
    };
    let faulty = Faulty::start(faults, true, limits);
    faulty.check_all_leases_done().await;
    faulty.pool.close().await;
}

#[tokio::test]
async fn a_worker_that_exits_costs_no_lease() {
    check("exit:7@3").await;
}

#[tokio::test]
async fn a_worker_that_is_killed_costs_no_lease() {
    check("kill@2").await;
}

#[tokio::test]
async fn a_worker_that_hangs_costs_no_lease() {
    check("hang@2").await;
}

#[tokio::test]
async fn a_request_without_an_answer_costs_no_lease() {
    check("drop@2").await;
}

#[tokio::test]
async fn garbage_costs_no_lease() {
    check("garbage@1").await;
}

#[tokio::test]
async fn half_a_frame_costs_no_lease() {
    check("half-frame@2").await;
}

#[tokio::test]
async fn answering_twice_costs_no_lease() {
    check("twice@2").await;
}

#[tokio::test]
async fn a_strange_lease_costs_no_lease() {
    check("stranger@2").await;
}

#[tokio::test]
async fn a_handshake_that_never_comes_costs_no_lease() {
    check("silent").await;
}

#[tokio::test]
async fn refusals_are_told_to_whoever_asks_and_start_no_storm() {
    let faulty = Faulty::start("refuse", false, limits());
    faulty.until("unavailable", |status| status.embed_unavailable.is_some()).await;
    let error = faulty.pool.embed("faulty", vec![vec![1]], 8, Standing::Urgent).await.unwrap_err();
    assert!(
        matches!(&error, JobError::Unavailable { role: Role::Embed, reason } if reason.contains("script")),
        "{error}"
    );
    faulty.pool.close().await;
}

#[tokio::test]
async fn another_version_is_sent_away() {
    let faulty = Faulty::start("version", false, limits());
    let status = faulty.until("unavailable", |status| status.embed_unavailable.is_some()).await;
    assert!(status.embed_unavailable.unwrap().contains("version"));
    faulty.pool.close().await;
}

#[tokio::test]
async fn a_deadly_lease_is_given_up_and_the_rest_done() {
    let faulty = Faulty::start("poison:4242", false, limits());
    let error =
        faulty.pool.embed("faulty", vec![vec![4242]], 8, Standing::Fresh).await.unwrap_err();
    assert!(matches!(error, JobError::Deadly { deaths: 2, .. }), "{error}");
    faulty.check_all_leases_done().await;
    faulty.pool.close().await;
}

#[tokio::test]
async fn a_worker_past_its_soft_limit_is_replaced_on_the_way() {
    let limits = Limits { soft_memory_bytes: 60 << 20, hard_memory_bytes: 300 << 20, ..limits() };
    let faulty = Faulty::start("leak:5@*,late:20@*", false, limits);
    for _ in 0..4 {
        faulty.check_all_leases_done().await;
    }
    let status = faulty.until("replaced", |status| status.planned_restarts > 0).await;
    assert_eq!(status.crash_restarts, 0, "the hard limit was never reached");
    faulty.pool.close().await;
}

#[tokio::test]
async fn the_number_of_workers_follows_the_settings() {
    let faulty = Faulty::start("", false, limits());
    let ready = |wanted: usize| {
        move |status: &PoolStatus| {
            let idle = |worker: &&rummage_pool::WorkerStatus| {
                worker.duty == Duty::Embed && worker.state == WorkerState::Idle
            };
            let others = status.workers.iter().filter(|worker| worker.duty == Duty::Embed).count();
            status.workers.iter().filter(idle).count() == wanted && others == wanted
        }
    };
    for wanted in [2, 3, 1] {
        let mut config = faulty.config.clone();
        config.embed.as_mut().unwrap().workers = wanted;
        faulty.pool.configure(config).await;
        faulty.check_all_leases_done().await;
        faulty.until("as many as wanted", ready(wanted)).await;
    }
    faulty.pool.close().await;
}

#[tokio::test]
async fn an_accelerator_that_takes_workers_with_it_is_done_without() {
    let faulty = Faulty::start("driver", false, limits());
    faulty.check_all_leases_done().await;
    let told = faulty.until("told", |status| status.running.is_some()).await;
    assert_eq!(told.running, Some(Running::default()), "nothing else was asked for");
    let mut config = faulty.config.clone();
    let accelerator = Accelerator { provider: Provider::Cuda, library: None };
    config.embed.as_mut().unwrap().accelerator = Some(accelerator);
    faulty.pool.configure(config).await;
    let fallback = |status: &PoolStatus| status.running.clone()?.fallback;
    faulty.until("the word", |status| fallback(status).is_some()).await;
    faulty.check_all_leases_done().await;
    let status = faulty.until("idle", |status| status.embed_unavailable.is_none()).await;
    assert_eq!(status.running.as_ref().unwrap().provider, Provider::Cpu);
    let why = fallback(&status).unwrap();
    assert!(why.contains("ended while it loaded") && why.contains("signal 9"), "{why}");
    // Another wish, another try.
    faulty.pool.configure(faulty.config.clone()).await;
    faulty.check_all_leases_done().await;
    faulty.until("as at first", |status| status.running == Some(Running::default())).await;
    faulty.pool.close().await;
}

#[tokio::test]
async fn closing_ends_workers_that_do_not_hear() {
    let faulty = Faulty::start("deaf,hang@1", false, limits());
    let hanging = [Standing::Urgent, Standing::Fresh].map(|standing| {
        let pool = faulty.pool.clone();
        tokio::spawn(async move { pool.embed("faulty", vec![vec![1]], 8, standing).await })
    });
    let status = faulty.until("all at work", |status| {
        let of_model = status.workers.iter().filter(|worker| worker.duty != Duty::Extract);
        let at_work = of_model.filter(|worker| worker.state == WorkerState::Busy).count();
        // An embedding worker that is ready first answers what is urgent, and another one
        // the rest; the questions' own worker is then there besides.
        let all_started = status.workers.iter().all(|worker| worker.pid.is_some());
        at_work == 2 && status.workers.len() >= 3 && all_started
    });
    let pids: Vec<u32> = status.await.workers.iter().filter_map(|worker| worker.pid).collect();
    tokio::time::timeout(Duration::from_secs(3), faulty.pool.close()).await.expect("in time");
    for hanging in hanging {
        assert_eq!(hanging.await.unwrap(), Err(JobError::Closed));
    }
    for pid in pids {
        assert!(!is_alive(pid), "worker {pid} outlived the pool");
    }
}

#[tokio::test]
async fn files_are_read_while_texts_are_embedded() {
    let faulty = Faulty::start("", false, limits());
    let tree = rummage_testkit::Tree::with([("a.txt", "some text")]);
    let (outcome, ()) = tokio::join!(
        faulty.pool.extract(tree.source("a.txt"), 1000, None),
        faulty.check_all_leases_done()
    );
    assert!(matches!(outcome, Ok(Outcome::Text { .. })), "{outcome:?}");
    faulty.pool.close().await;
}

/// A process that has ended and was waited for is gone from the process table.
fn is_alive(pid: u32) -> bool {
    // SAFETY: signal 0 only asks.
    unsafe { libc::kill(pid as libc::pid_t, 0) == 0 }
}
