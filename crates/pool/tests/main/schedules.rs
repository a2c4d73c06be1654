//! The supervisor over random schedules in simulated time: workers that greet,
//! answer, answer twice, answer strangers, refuse, hang, die and grow, in any
//! order, while jobs come and settings change.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use rummage_pool::{
    EmbedConfig, ExtractConfig, Limits, PoolConfig,
    supervisor::{Action, Event, Supervisor, WorkerId},
};
use rummage_protocol::{
    EmbedRequest, Embedded, ExtractRequest, Extracted, Hello, LeaseId, ModelIdentity, Outcome,
    Reply, Request, Role, SkipReason, VERSION,
};

fn identity() -> ModelIdentity {
    ModelIdentity { fingerprint: "test".into(), dims: 1 }
}

fn config(embed: usize, extract: usize) -> PoolConfig {
    PoolConfig {
        embed: Some(EmbedConfig {
            workers: embed,
            threads_per_worker: 1,
            model_dir: PathBuf::new(),
            runtime_library: PathBuf::new(),
            identity: identity(),
        }),
        extract: ExtractConfig { workers: extract },
        program: PathBuf::new(),
        limits: Limits {
            soft_memory_bytes: 100,
            hard_memory_bytes: 200,
            start: Duration::from_secs(5),
            embed: Duration::from_secs(5),
            extract: Duration::from_secs(5),
            deaths: 3,
        },
    }
}

/// What may happen next; numbers choose among what there is.
#[derive(Debug, Clone)]
enum Step {
    Submit { extract: bool, urgent: bool },
    Greet(usize),
    Refuse(usize),
    Answer(usize),
    Fail(usize),
    AnswerTwice(usize),
    AnswerStranger(usize),
    Die(usize),
    Measure(usize, u64),
    Wait(u64),
    Resize(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let worker = 0usize..8;
    prop_oneof![
        6 => (any::<bool>(), prop::bool::weighted(0.2)).prop_map(|(extract, urgent)| Step::Submit { extract, urgent }),
        6 => worker.clone().prop_map(Step::Greet),
        1 => worker.clone().prop_map(Step::Refuse),
        8 => worker.clone().prop_map(Step::Answer),
        1 => worker.clone().prop_map(Step::Fail),
        1 => worker.clone().prop_map(Step::AnswerTwice),
        1 => worker.clone().prop_map(Step::AnswerStranger),
        3 => worker.clone().prop_map(Step::Die),
        3 => (worker.clone(), prop_oneof![Just(50u64), Just(150), Just(250)]).prop_map(|(w, b)| Step::Measure(w, b)),
        4 => (1u64..8000).prop_map(Step::Wait),
        1 => (1usize..4, 1usize..3).prop_map(|(embed, extract)| Step::Resize(embed, extract)),
    ]
}

#[derive(Debug, Default)]
struct SimulatedWorker {
    greeted: bool,
    /// Its stdin is closed, or it was killed: it must end soon.
    ending: bool,
    held: Vec<Request>,
}

struct Simulation {
    supervisor: Supervisor,
    now: Instant,
    workers: BTreeMap<WorkerId, (Role, SimulatedWorker)>,
    owed: HashSet<LeaseId>,
    answered: HashMap<LeaseId, u32>,
    next_lease: LeaseId,
    spawned: u64,
}

impl Simulation {
    fn new(config: PoolConfig) -> Self {
        let mut simulation = Self {
            supervisor: Supervisor::new(config),
            now: Instant::now(),
            workers: BTreeMap::new(),
            owed: HashSet::new(),
            answered: HashMap::new(),
            next_lease: 0,
            spawned: 0,
        };
        simulation.tell(Event::Tick);
        simulation
    }

    fn tell(&mut self, event: Event) {
        for action in self.supervisor.handle(event, self.now) {
            match action {
                Action::Spawn { worker, role } => {
                    self.spawned += 1;
                    assert!(
                        self.workers.insert(worker, (role, SimulatedWorker::default())).is_none()
                    );
                }
                Action::Send { worker, request } => {
                    let (role, simulated) =
                        self.workers.get_mut(&worker).expect("sent to the living");
                    assert!(simulated.greeted, "work went to a worker that is not ready");
                    assert!(!simulated.ending, "work went to a worker that is to end");
                    assert_eq!(*role == Role::Embed, matches!(request, Request::Embed(_)));
                    simulated.held.push(request);
                }
                Action::Retire { worker } | Action::Kill { worker, .. } => {
                    if let Some((_, simulated)) = self.workers.get_mut(&worker) {
                        simulated.ending = true;
                    }
                }
                Action::Answer { lease, .. } => {
                    assert!(self.owed.remove(&lease), "lease {lease} was answered and not owed");
                    *self.answered.entry(lease).or_default() += 1;
                }
            }
        }
    }

    fn submit(&mut self, extract: bool, urgent: bool) {
        let lease = self.next_lease;
        self.next_lease += 1;
        self.owed.insert(lease);
        self.tell(Event::Submit(if extract {
            Request::Extract(ExtractRequest {
                lease,
                path: PathBuf::from("/f").into(),
                max_bytes: 1,
            })
        } else {
            let token_ids = vec![vec![1; 1 + lease as usize % 5]];
            Request::Embed(EmbedRequest { lease, urgent, tokens_per_call: 8, token_ids })
        }));
    }

    fn nth(&self, n: usize) -> Option<WorkerId> {
        self.workers.keys().nth(n % self.workers.len().max(1)).copied()
    }

    fn greet(&mut self, worker: WorkerId) {
        let (role, simulated) = self.workers.get_mut(&worker).unwrap();
        if simulated.greeted || simulated.ending {
            return;
        }
        simulated.greeted = true;
        let model = (*role == Role::Embed).then(identity);
        let hello = Reply::Hello(Hello { version: VERSION, role: *role, model });
        self.tell(Event::Said { worker, reply: hello });
    }

    fn answer(&mut self, worker: WorkerId, times: usize) {
        let (_, simulated) = self.workers.get_mut(&worker).unwrap();
        if simulated.held.is_empty() {
            return;
        }
        let request = simulated.held.remove(0);
        for _ in 0..times {
            self.tell(Event::Said { worker, reply: reply(&request) });
        }
    }

    fn die(&mut self, worker: WorkerId) {
        self.workers.remove(&worker);
        self.tell(Event::Ended { worker, last_words: "it died".into() });
    }

    fn wait(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
        self.tell(Event::Tick);
        self.bury_the_ending();
    }

    /// Who was told to end ends, at the latest now.
    fn bury_the_ending(&mut self) {
        let ending: Vec<_> =
            self.workers.iter().filter(|(_, (_, w))| w.ending).map(|(id, _)| *id).collect();
        for worker in ending {
            self.die(worker);
        }
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Submit { extract, urgent } => self.submit(extract, urgent),
            Step::Wait(milliseconds) => self.wait(milliseconds),
            Step::Resize(embed, extract) => self.tell(Event::Configure(config(embed, extract))),
            Step::Greet(n) => {
                if let Some(worker) = self.nth(n) {
                    self.greet(worker);
                }
            }
            Step::Answer(n) => {
                if let Some(worker) = self.nth(n) {
                    self.answer(worker, 1);
                }
            }
            Step::AnswerTwice(n) => {
                if let Some(worker) = self.nth(n) {
                    self.answer(worker, 2);
                }
            }
            Step::AnswerStranger(n) => {
                if let Some(worker) = self.nth(n) {
                    let lease = self.next_lease + 1000;
                    self.tell(Event::Said { worker, reply: embedded(lease) });
                }
            }
            Step::Fail(n) => {
                let Some(worker) = self.nth(n) else { return };
                let (_, simulated) = self.workers.get_mut(&worker).unwrap();
                if !simulated.held.is_empty() {
                    let lease = simulated.held.remove(0).lease();
                    let reason = "no".to_owned();
                    self.tell(Event::Said { worker, reply: Reply::Failed { lease, reason } });
                }
            }
            Step::Refuse(n) => {
                let Some(worker) = self.nth(n) else { return };
                let (_, simulated) = self.workers.get_mut(&worker).unwrap();
                if !simulated.greeted {
                    simulated.ending = true;
                    self.tell(Event::Said { worker, reply: Reply::Refused("no model".into()) });
                }
            }
            Step::Die(n) => {
                if let Some(worker) = self.nth(n) {
                    self.die(worker);
                }
            }
            Step::Measure(n, bytes) => {
                if let Some(worker) = self.nth(n) {
                    self.tell(Event::Measured { worker, bytes });
                }
            }
        }
    }

    /// All goes well from now on, until nothing is owed.
    fn calm(&mut self) {
        for _ in 0..10_000 {
            if self.owed.is_empty() {
                return;
            }
            let workers: Vec<_> = self.workers.keys().copied().collect();
            for worker in workers {
                if self.workers.contains_key(&worker) {
                    self.greet(worker);
                    self.answer(worker, 1);
                }
            }
            self.wait(300);
        }
        panic!("{} leases are never answered", self.owed.len());
    }
}

fn reply(request: &Request) -> Reply {
    match request {
        Request::Embed(request) => embedded(request.lease),
        Request::Extract(request) => Reply::Extracted(Box::new(Extracted {
            lease: request.lease,
            outcome: Outcome::Skipped(SkipReason::Empty),
        })),
    }
}

fn embedded(lease: LeaseId) -> Reply {
    Reply::Embedded(Embedded { lease, dims: 1, values: vec![1.0] })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_lease_ends_once_whatever_happens(steps in prop::collection::vec(step(), 1..200)) {
        let mut simulation = Simulation::new(config(2, 1));
        for step in &steps {
            simulation.run(step);
        }
        simulation.calm();
        prop_assert!(simulation.answered.values().all(|times| *times == 1));
        prop_assert_eq!(simulation.answered.len() as u64, simulation.next_lease);
    }

    #[test]
    fn closing_answers_what_is_owed_and_ends_every_worker(steps in prop::collection::vec(step(), 1..100)) {
        let mut simulation = Simulation::new(config(2, 1));
        for step in &steps {
            simulation.run(step);
        }
        simulation.tell(Event::Close);
        prop_assert!(simulation.owed.is_empty());
        simulation.bury_the_ending();
        prop_assert!(simulation.supervisor.is_empty(), "a worker was not told to end");
        simulation.submit(false, false);
        prop_assert!(simulation.owed.is_empty(), "a closed pool must refuse");
    }
}

#[test]
fn workers_that_never_start_make_no_storm() {
    let mut simulation = Simulation::new(config(2, 1));
    for _ in 0..600 {
        let workers: Vec<_> = simulation.workers.keys().copied().collect();
        for worker in workers {
            simulation.die(worker);
        }
        simulation.wait(100);
    }
    // A minute: three at first, then ever fewer; after ten seconds one in ten.
    assert!(simulation.spawned <= 40, "{} starts in a minute", simulation.spawned);
    simulation.submit(false, false);
    assert!(simulation.owed.is_empty(), "whoever asks is told that there is no worker");
}

#[test]
fn a_worker_past_its_soft_limit_works_until_its_successor_is_ready() {
    let mut simulation = Simulation::new(config(1, 0));
    let first = simulation.nth(0).unwrap();
    simulation.greet(first);
    simulation.tell(Event::Measured { worker: first, bytes: 150 });
    assert_eq!(simulation.workers.len(), 2, "the successor starts beside it");
    simulation.submit(false, false);
    assert_eq!(simulation.workers[&first].1.held.len(), 1, "it still works");
    let second = *simulation.workers.keys().last().unwrap();
    simulation.greet(second);
    simulation.answer(first, 1);
    assert!(simulation.workers[&first].1.ending, "now it goes");
    assert!(simulation.owed.is_empty());
}

#[test]
fn a_lease_that_kills_every_worker_is_given_up_with_the_last_words() {
    let mut simulation = Simulation::new(config(1, 0));
    simulation.submit(false, false);
    for _ in 0..100 {
        let Some(worker) = simulation.nth(0) else {
            simulation.wait(10_000);
            continue;
        };
        simulation.greet(worker);
        let holds = !simulation.workers[&worker].1.held.is_empty();
        if holds {
            simulation.die(worker);
        }
        simulation.wait(10_000);
    }
    assert_eq!(simulation.answered[&0], 1);
}

#[test]
fn an_urgent_lease_goes_first() {
    let mut simulation = Simulation::new(config(1, 0));
    let worker = simulation.nth(0).unwrap();
    for _ in 0..5 {
        simulation.submit(false, false);
    }
    simulation.submit(false, true);
    simulation.greet(worker);
    let held: Vec<_> = simulation.workers[&worker].1.held.iter().map(Request::lease).collect();
    assert_eq!(held, [5, 0], "the urgent one, then the first in line");
}
