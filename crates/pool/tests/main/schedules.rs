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
    Duty, EmbedConfig, ExtractConfig, Limits, Pace, PoolConfig, ServedModel, Weight,
    supervisor::{Action, Event, Supervisor, WorkerId},
};
use rummage_protocol::{
    EmbedRequest, Embedded, ExtractRequest, Extracted, Hello, LeaseId, ModelIdentity, Outcome,
    Reply, Request, Role, Running, SkipReason, VERSION,
};

const MODELS: [&str; 2] = ["one", "other"];

fn identity(model: &str) -> ModelIdentity {
    ModelIdentity { fingerprint: model.into(), dims: 1 }
}

fn served(models: &[&str]) -> Vec<ServedModel> {
    let served = |model: &&str| ServedModel { dir: PathBuf::new(), identity: identity(model) };
    models.iter().map(served).collect()
}

fn config(embed: usize, extract: usize) -> PoolConfig {
    PoolConfig {
        embed: Some(EmbedConfig {
            workers: embed,
            keep_query_worker: true,
            threads_per_worker: 1,
            runtime_library: PathBuf::new(),
            accelerator: None,
            models: served(&MODELS[..1]),
        }),
        extract: ExtractConfig { workers: extract },
        program: PathBuf::new(),
        limits: Limits {
            start: Duration::from_secs(5),
            embed: Duration::from_secs(5),
            extract: Duration::from_secs(5),
            ocr: Duration::from_secs(50),
            passages: 40,
            ..Limits::new(8 << 30, 300 << 20)
        },
        pace: Pace::Full,
    }
}

/// What may happen next; numbers choose among what there is.
#[derive(Debug, Clone)]
enum Step {
    Submit {
        extract: bool,
        urgent: bool,
    },
    Greet(usize),
    Refuse(usize),
    Answer(usize),
    Fail(usize),
    AnswerTwice(usize),
    AnswerStranger(usize),
    Die(usize),
    /// In mebibytes.
    Weigh(usize, u64),
    Wait(u64),
    Resize(usize, usize),
    /// Workers are to load those of [`MODELS`] from the first to before the second.
    Models(usize, usize),
    Pace(Pace),
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
        3 => (worker.clone(), prop_oneof![Just(50u64), Just(350), Just(650)]).prop_map(|(w, b)| Step::Weigh(w, b)),
        4 => (1u64..8000).prop_map(Step::Wait),
        1 => (1usize..4, 1usize..3).prop_map(|(embed, extract)| Step::Resize(embed, extract)),
        1 => prop_oneof![Just((0, 1)), Just((0, 2)), Just((1, 2))].prop_map(|(first, end)| Step::Models(first, end)),
        1 => prop_oneof![Just(Pace::Full), Just(Pace::Considerate), Just(Pace::Paused)].prop_map(Step::Pace),
    ]
}

#[derive(Debug, Default)]
struct SimulatedWorker {
    /// It was started to load these.
    models: Vec<ModelIdentity>,
    greeted: bool,
    /// Its stdin is closed, or it was killed: it must end soon.
    ending: bool,
    held: Vec<Request>,
}

struct Simulation {
    supervisor: Supervisor,
    now: Instant,
    workers: BTreeMap<WorkerId, (Duty, SimulatedWorker)>,
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
                Action::Spawn { worker, duty } => {
                    self.spawned += 1;
                    let embed = self.supervisor.config().embed.as_ref();
                    let embed = embed.filter(|_| duty.role() == Role::Embed);
                    let models = embed.iter().flat_map(|embed| &embed.models);
                    let models = models.map(|model| model.identity.clone()).collect();
                    let simulated = SimulatedWorker { models, ..SimulatedWorker::default() };
                    assert!(self.workers.insert(worker, (duty, simulated)).is_none());
                }
                Action::Send { worker, request } => {
                    let (duty, simulated) =
                        self.workers.get_mut(&worker).expect("sent to the living");
                    assert!(simulated.greeted, "work went to a worker that is not ready");
                    assert!(!simulated.ending, "work went to a worker that is to end");
                    let is_embed = matches!(request, Request::Embed(_));
                    assert_eq!(duty.role() == Role::Embed, is_embed);
                    if let Request::Embed(request) = &request {
                        let has_it = simulated.models.contains(&identity(&request.model));
                        assert!(has_it, "work went to a worker without its model");
                    }
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
        let request = if extract {
            Request::Extract(ExtractRequest {
                lease,
                path: PathBuf::from("/f").into(),
                max_bytes: 1,
                ocr: None,
                patience_ms: 1,
            })
        } else {
            let token_ids = vec![vec![1; 1 + lease as usize % 5]];
            let model = if lease.is_multiple_of(3) { self.model(1) } else { self.model(0) };
            Request::Embed(EmbedRequest { lease, model, urgent, tokens_per_call: 8, token_ids })
        };
        self.tell(Event::Submit { request, suspect: false });
    }

    /// The fingerprint of one of the models that are to be loaded, or of the only one.
    fn model(&self, place: usize) -> String {
        let models = &self.supervisor.config().embed.as_ref().unwrap().models;
        models[place % models.len()].identity.fingerprint.clone()
    }

    fn nth(&self, n: usize) -> Option<WorkerId> {
        self.workers.keys().nth(n % self.workers.len().max(1)).copied()
    }

    fn greet(&mut self, worker: WorkerId) {
        let (duty, simulated) = self.workers.get_mut(&worker).unwrap();
        if simulated.greeted || simulated.ending {
            return;
        }
        simulated.greeted = true;
        let (role, models) = (duty.role(), simulated.models.clone());
        let hello =
            Reply::Hello(Hello { version: VERSION, role, models, running: Running::default() });
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
        self.end(worker, false);
    }

    fn end(&mut self, worker: WorkerId, killed: bool) {
        self.workers.remove(&worker);
        self.tell(Event::Ended { worker, last_words: "it died".into(), killed });
    }

    fn weigh(&mut self, worker: WorkerId, mebibytes: u64) {
        let bytes = mebibytes << 20;
        let weight = Weight { bytes, resident_bytes: bytes };
        self.tell(Event::Weighed { worker, weight });
    }

    fn of(&self, duty: Duty) -> Vec<WorkerId> {
        let all = self.workers.iter();
        all.filter(|(_, (its, _))| *its == duty).map(|(id, _)| *id).collect()
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
            Step::Models(first, end) => {
                let mut config = self.supervisor.config().clone();
                config.embed.as_mut().unwrap().models = served(&MODELS[first..end]);
                self.tell(Event::Configure(config));
            }
            Step::Pace(pace) => {
                let config = PoolConfig { pace, ..self.supervisor.config().clone() };
                self.tell(Event::Configure(config));
            }
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
            Step::Weigh(n, mebibytes) => {
                if let Some(worker) = self.nth(n) {
                    self.weigh(worker, mebibytes);
                }
            }
        }
    }

    /// All goes well from now on, until nothing is owed.
    fn calm(&mut self) {
        self.run(&Step::Pace(Pace::Full));
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
    simulation.submit(false, false);
    for _ in 0..600 {
        let workers: Vec<_> = simulation.workers.keys().copied().collect();
        for worker in workers {
            simulation.die(worker);
        }
        simulation.wait(100);
    }
    // A minute: three of each duty at first, then ever fewer; after ten seconds
    // one in ten.
    assert!(simulation.spawned <= 50, "{} starts in a minute", simulation.spawned);
    assert!(simulation.owed.is_empty(), "whoever waits is told that there is no worker");
    simulation.submit(false, false);
    assert!(simulation.owed.is_empty(), "and so is whoever asks");
}

#[test]
fn embedding_workers_come_with_work_and_go_without() {
    let mut config = config(2, 1);
    config.limits.rest = Duration::from_secs(240);
    let mut simulation = Simulation::new(config);
    assert_eq!(simulation.of(Duty::Embed), [], "nothing is to do");
    simulation.submit(false, false);
    assert_eq!(simulation.of(Duty::Embed).len(), 1, "one lease needs one worker");
    simulation.submit(false, false);
    assert_eq!(simulation.of(Duty::Embed).len(), 2);
    simulation.calm();
    assert_eq!(simulation.of(Duty::Embed).len(), 2, "more may come");
    simulation.wait(61_000);
    assert_eq!(simulation.of(Duty::Embed), []);
    assert_eq!(simulation.of(Duty::Query).len(), 1, "questions are answered at once");
    let question = simulation.of(Duty::Query)[0];
    simulation.greet(question);
    simulation.wait(300_000);
    simulation.wait(100);
    assert_eq!(simulation.of(Duty::Query), [], "none has come for minutes");
    simulation.submit(false, true);
    assert_eq!(simulation.of(Duty::Query).len(), 1, "the next one brings it back");
    simulation.calm();
}

/// One embedding worker with a lease in hand, and no other duty but the question's.
fn one_at_work() -> (Simulation, WorkerId) {
    let mut simulation = Simulation::new(config(1, 0));
    simulation.submit(false, false);
    let worker = simulation.of(Duty::Embed)[0];
    simulation.greet(worker);
    (simulation, worker)
}

#[test]
fn a_worker_past_its_soft_limit_works_until_its_successor_is_ready() {
    let (mut simulation, first) = one_at_work();
    simulation.weigh(first, 50);
    simulation.weigh(first, 350);
    let both = simulation.of(Duty::Embed);
    assert_eq!(both.len(), 2, "the successor starts beside it");
    simulation.submit(false, false);
    assert_eq!(simulation.workers[&first].1.held.len(), 2, "it still works");
    simulation.greet(both[1]);
    simulation.answer(first, 1);
    simulation.answer(first, 1);
    assert!(simulation.workers[&first].1.ending, "now it goes");
    assert!(simulation.owed.is_empty());
    assert_eq!(simulation.supervisor.status(simulation.now).crash_restarts, 0);
}

#[test]
fn only_one_spare_starts_at_a_time() {
    let mut simulation = Simulation::new(config(3, 0));
    for _ in 0..12 {
        simulation.submit(false, false);
    }
    let first = simulation.of(Duty::Embed);
    for &worker in &first {
        simulation.greet(worker);
        simulation.weigh(worker, 50);
        simulation.weigh(worker, 350);
    }
    assert_eq!(simulation.of(Duty::Embed).len(), 4);
}

#[test]
fn a_model_larger_than_the_soft_limit_is_not_replaced_for_ever() {
    let (mut simulation, worker) = one_at_work();
    // So large it is when it is new.
    simulation.weigh(worker, 400);
    simulation.weigh(worker, 410);
    assert_eq!(simulation.of(Duty::Embed), [worker]);
}

#[test]
fn one_worker_that_refuses_stops_no_other() {
    let mut simulation = Simulation::new(config(2, 0));
    for _ in 0..4 {
        simulation.submit(false, false);
    }
    let workers = simulation.of(Duty::Embed);
    simulation.greet(workers[0]);
    let refusal = Reply::Refused("no memory".into());
    simulation.tell(Event::Said { worker: workers[1], reply: refusal });
    simulation.die(workers[1]);
    assert_eq!(simulation.owed.len(), 4, "the other one goes on");
    simulation.calm();
}

#[test]
fn a_file_whose_pictures_are_read_has_a_time_limit_of_its_own() {
    for (ocr, seconds, is_ended) in
        [(None, 6, true), (Some("eng"), 6, false), (Some("eng"), 51, true)]
    {
        let mut simulation = Simulation::new(config(1, 1));
        let path = PathBuf::from("/f").into();
        let ocr = ocr.map(str::to_owned);
        let request = ExtractRequest { lease: 0, path, max_bytes: 1, ocr, patience_ms: 1 };
        simulation.owed.insert(0);
        simulation.tell(Event::Submit { request: Request::Extract(request), suspect: false });
        let worker = simulation.of(Duty::Extract)[0];
        simulation.greet(worker);
        simulation.now += Duration::from_secs(seconds);
        simulation.tell(Event::Tick);
        assert_eq!(simulation.workers[&worker].1.ending, is_ended, "after {seconds} s");
    }
}

#[test]
fn leases_do_not_wait_for_a_worker_that_cannot_be_killed() {
    let (mut simulation, worker) = one_at_work();
    simulation.now += Duration::from_secs(3600);
    simulation.supervisor.handle(Event::Tick, simulation.now);
    simulation.now += Duration::from_secs(6);
    // It was killed, and the system does not end it.
    simulation.tell(Event::Tick);
    simulation.now += Duration::from_secs(1);
    simulation.tell(Event::Tick);
    let other = *simulation.of(Duty::Embed).last().unwrap();
    assert_ne!(other, worker);
    simulation.greet(other);
    simulation.answer(other, 1);
    assert!(simulation.owed.is_empty());
}

#[test]
fn a_worker_past_its_hard_limit_is_killed_at_once() {
    let (mut simulation, worker) = one_at_work();
    simulation.weigh(worker, 50);
    simulation.weigh(worker, 650);
    assert!(simulation.workers[&worker].1.ending);
    simulation.wait(300);
    simulation.calm();
    let status = simulation.supervisor.status(simulation.now);
    assert_eq!(status.crash_restarts, 1);
    assert!(status.ends[0].why.to_string().contains("650 MB"), "{}", status.ends[0].why);
}

#[test]
fn a_worker_that_does_not_leave_is_killed() {
    let (mut simulation, worker) = one_at_work();
    simulation.answer(worker, 1);
    simulation.tell(Event::Configure(config(0, 0)));
    assert!(simulation.workers[&worker].1.ending, "it is told to leave");
    simulation.now += Duration::from_secs(6);
    let actions = simulation.supervisor.handle(Event::Tick, simulation.now);
    let is_kill =
        |action: &Action| matches!(action, Action::Kill { worker: id, .. } if *id == worker);
    assert!(actions.iter().any(is_kill), "{actions:?}");
}

#[test]
fn another_set_of_models_disturbs_no_work() {
    let (mut simulation, first) = one_at_work();
    simulation.run(&Step::Models(0, 2));
    assert!(!simulation.workers[&first].1.ending, "it works on");
    let lease = simulation.next_lease;
    let request = |lease, model: &str| {
        let (model, token_ids) = (model.to_owned(), vec![vec![1]]);
        let request = EmbedRequest { lease, model, urgent: false, tokens_per_call: 8, token_ids };
        Event::Submit { request: Request::Embed(request), suspect: false }
    };
    simulation.next_lease += 2;
    simulation.owed.extend([lease, lease + 1]);
    simulation.tell(request(lease, MODELS[1]));
    simulation.tell(request(lease + 1, MODELS[0]));
    let held: Vec<_> = simulation.workers[&first].1.held.iter().map(Request::lease).collect();
    assert_eq!(held, [0, lease + 1], "what it cannot do waits, what it can does not");
    let second = simulation.of(Duty::Embed)[1];
    simulation.greet(second);
    simulation.answer(first, 1);
    simulation.answer(first, 1);
    assert!(simulation.workers[&first].1.ending, "its successor is there");
    assert_eq!(simulation.workers[&second].1.held[0].lease(), lease);
    // And back: what waits for a model that is no longer loaded is told so.
    simulation.run(&Step::Models(0, 1));
    simulation.answer(second, 1);
    assert!(simulation.owed.is_empty());
    simulation.owed.insert(lease + 2);
    simulation.next_lease += 1;
    simulation.tell(request(lease + 2, MODELS[1]));
    assert!(simulation.owed.is_empty(), "nobody is to load it");
    assert_eq!(simulation.supervisor.status(simulation.now).crash_restarts, 0);
}

/// Every worker that gets a lease with this text dies of it; the lease is halved
/// as its owner would. Gives the workers lost and the texts given up.
fn lose_to_poison(texts: u32) -> (u64, Vec<u32>) {
    let mut simulation = Simulation::new(config(2, 0));
    let mut leases: HashMap<LeaseId, Vec<u32>> = HashMap::new();
    let (mut lost, mut given_up) = (0, Vec::new());
    let mut todo = vec![((0..texts).collect::<Vec<_>>(), false)];
    let poison = texts / 3;
    while !todo.is_empty() || !leases.is_empty() {
        for (texts, suspect) in todo.drain(..) {
            let lease = simulation.next_lease;
            simulation.next_lease += 1;
            simulation.owed.insert(lease);
            let token_ids = texts.iter().map(|text| vec![*text]).collect();
            let model = simulation.model(0);
            let request =
                EmbedRequest { lease, model, urgent: false, tokens_per_call: 8, token_ids };
            leases.insert(lease, texts);
            simulation.tell(Event::Submit { request: Request::Embed(request), suspect });
        }
        for worker in simulation.of(Duty::Embed) {
            simulation.greet(worker);
            let Some(request) = simulation.workers[&worker].1.held.first() else { continue };
            let texts = leases[&request.lease()].clone();
            if !texts.contains(&poison) {
                leases.remove(&request.lease());
                simulation.answer(worker, 1);
                continue;
            }
            lost += 1;
            let lease = request.lease();
            simulation.die(worker);
            if !simulation.owed.contains(&lease) {
                leases.remove(&lease);
                match texts.len() {
                    1 => given_up.extend(texts),
                    half => {
                        let (first, second) = texts.split_at(half / 2);
                        todo.extend([(first.to_vec(), true), (second.to_vec(), true)]);
                    }
                }
            }
        }
        simulation.wait(300);
    }
    (lost, given_up)
}

#[test]
fn a_lease_outlives_more_workers_that_were_killed_than_ended_themselves() {
    for (killed, given_up_at) in [(false, 2), (true, 4)] {
        let mut simulation = Simulation::new(config(1, 0));
        simulation.submit(false, false);
        for death in 1..=given_up_at {
            let worker = simulation.of(Duty::Embed)[0];
            simulation.greet(worker);
            simulation.end(worker, killed);
            assert_eq!(simulation.owed.is_empty(), death == given_up_at, "{killed}, {death}");
            simulation.wait(300);
        }
    }
}

#[test]
fn one_deadly_passage_costs_two_workers_and_one_for_each_halving() {
    for texts in [1, 2, 8, 32, 64, 1024] {
        let (lost, given_up) = lose_to_poison(texts);
        assert_eq!(given_up, [texts / 3]);
        assert!(lost <= 2 + u64::from(texts.ilog2()), "{lost} workers for {texts} texts");
    }
}

#[test]
fn a_pause_lets_finish_what_is_in_work_and_begins_nothing() {
    let (mut simulation, worker) = one_at_work();
    simulation.run(&Step::Pace(Pace::Paused));
    for _ in 0..5 {
        simulation.submit(false, false);
    }
    simulation.answer(worker, 1);
    assert_eq!(simulation.owed.len(), 5);
    assert!(simulation.workers[&worker].1.held.is_empty());
    let question = simulation.of(Duty::Query)[0];
    simulation.greet(question);
    simulation.submit(false, true);
    assert_eq!(simulation.workers[&question].1.held.len(), 1, "questions are answered");
    simulation.answer(question, 1);
    simulation.calm();
}

#[test]
fn a_question_goes_to_its_own_worker_or_overtakes() {
    let mut simulation = Simulation::new(config(1, 0));
    for _ in 0..5 {
        simulation.submit(false, false);
    }
    let (question, worker) = (simulation.of(Duty::Query)[0], simulation.of(Duty::Embed)[0]);
    simulation.greet(worker);
    simulation.submit(false, true);
    let held = |simulation: &Simulation, worker| -> Vec<LeaseId> {
        simulation.workers[&worker].1.held.iter().map(Request::lease).collect()
    };
    assert_eq!(held(&simulation, worker), [0, 1, 5], "its own worker is still starting");
    simulation.greet(question);
    simulation.submit(false, true);
    assert_eq!(held(&simulation, question), [6]);
}
