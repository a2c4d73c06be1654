//! Every fault alone and every pair of faults, over random schedules in simulated
//! time: each lease ends once, starts make no storm, nothing waits for ever, no
//! worker is left over.
//!
//! Unlike in `schedules`, workers behave of themselves: they take time to start
//! and to work, and faults strike by chance. The clock jumps from event to event.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    path::PathBuf,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use rummage_pool::{
    Duty, EmbedConfig, ExtractConfig, JobError, Limits, Pace, PoolConfig, ServedModel, Weight,
    supervisor::{Action, Event, Supervisor, WorkerId},
};
use rummage_protocol::{
    EmbedRequest, Embedded, ExtractRequest, Extracted, Hello, LeaseId, ModelIdentity, Outcome,
    Reply, Request, Role, Running, SkipReason, VERSION,
};
use rummage_testkit::Dice;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Takes 40 MB more with each lease.
    Leak,
    Hang,
    Exit,
    Kill,
    Garbage,
    HalfFrame,
    /// Answers within the deadline, but late.
    Late,
    /// Answers after the deadline, when it is being killed for that.
    TooLate,
    Twice,
    Stranger,
    /// Refuses this one lease.
    Fail,
    /// Gives no answer and goes on.
    Drop,
    Refuse,
    Silent,
    WrongVersion,
    /// Does not end when it is told to.
    Deaf,
    /// Some leases kill whoever works on them.
    Poison,
}

use Fault::*;

const FAULTS: [Fault; 17] = [
    Leak,
    Hang,
    Exit,
    Kill,
    Garbage,
    HalfFrame,
    Late,
    TooLate,
    Twice,
    Stranger,
    Fail,
    Drop,
    Refuse,
    Silent,
    WrongVersion,
    Deaf,
    Poison,
];

/// With these alone every lease must be done, not merely answered.
const HARMLESS: [Fault; 5] = [Leak, Late, Twice, Stranger, Deaf];

const LEASES: u64 = 60;

/// No schedule may take longer; workers that nobody can start are given up sooner.
const PATIENCE: Duration = Duration::from_secs(3 * 3600);

/// What will happen, unless the worker is gone by then.
#[derive(Debug)]
enum Coming {
    Greeting(WorkerId),
    /// The worker has worked on what it held first.
    Worked(WorkerId),
    End(WorkerId),
    Submit,
    Tick,
}

struct SimulatedWorker {
    duty: Duty,
    greeted: bool,
    held: VecDeque<Request>,
    working: bool,
    hangs: bool,
    told_to_end: bool,
    mebibytes: u64,
    /// Said as the last thing, when it is killed.
    last_reply: Option<Reply>,
}

struct Simulation<'a> {
    supervisor: Supervisor,
    faults: &'a [Fault],
    always: bool,
    dice: Dice,
    now: Instant,
    coming: BTreeMap<(Instant, u64), Coming>,
    sequence: u64,
    workers: HashMap<WorkerId, SimulatedWorker>,
    answers: HashMap<LeaseId, Vec<Result<Reply, JobError>>>,
    /// When workers were started, and when leases ended.
    starts: Vec<Instant>,
    ends: Vec<Instant>,
}

fn identity() -> ModelIdentity {
    ModelIdentity { fingerprint: "test".into(), dims: 1 }
}

fn config() -> PoolConfig {
    PoolConfig {
        embed: Some(EmbedConfig {
            workers: 2,
            keep_query_worker: true,
            threads_per_worker: 1,
            runtime_library: PathBuf::new(),
            accelerator: None,
            models: vec![ServedModel { dir: PathBuf::new(), identity: identity() }],
        }),
        extract: ExtractConfig { workers: 1 },
        program: PathBuf::new(),
        limits: Limits { passages: 50, ..Limits::new(8 << 30, 300 << 20) },
        pace: Pace::Full,
    }
}

impl<'a> Simulation<'a> {
    fn new(faults: &'a [Fault], seed: u64) -> Self {
        let now = Instant::now();
        let mut simulation = Self {
            supervisor: Supervisor::new(config()),
            faults,
            always: seed.is_multiple_of(4),
            dice: Dice::new(seed),
            now,
            coming: BTreeMap::new(),
            sequence: 0,
            workers: HashMap::new(),
            answers: HashMap::new(),
            starts: Vec::new(),
            ends: Vec::new(),
        };
        simulation.in_ms(0, Coming::Tick);
        for _ in 0..LEASES {
            let at = simulation.up_to(20_000);
            simulation.in_ms(at, Coming::Submit);
        }
        simulation
    }

    fn up_to(&mut self, most: u64) -> u64 {
        self.dice.below(most as usize) as u64
    }

    /// A fault that strikes by chance, one in so many times; in some schedules
    /// every time.
    fn strikes(&mut self, fault: Fault, one_in: usize) -> bool {
        self.faults.contains(&fault) && (self.always || self.dice.below(one_in) == 0)
    }

    fn in_ms(&mut self, milliseconds: u64, coming: Coming) {
        self.sequence += 1;
        let at = self.now + Duration::from_millis(milliseconds);
        self.coming.insert((at, self.sequence), coming);
    }

    fn run(&mut self) {
        let start = self.now;
        while (self.answers.len() as u64) < LEASES {
            assert!(self.now - start < PATIENCE, "leases wait for ever");
            self.step();
        }
        self.tell(Event::Close);
        let closed = self.now;
        while !self.workers.is_empty() {
            assert!(self.now - closed < Duration::from_secs(60), "a worker is left over");
            self.step();
        }
        assert!(self.supervisor.is_empty(), "the supervisor still counts workers");
    }

    fn step(&mut self) {
        let ((at, _), coming) = self.coming.pop_first().expect("ticks go on");
        self.now = at;
        match coming {
            Coming::Tick => {
                let all: Vec<_> = self.workers.iter().map(|(id, w)| (*id, w.mebibytes)).collect();
                for (worker, mebibytes) in all {
                    let bytes = mebibytes << 20;
                    let weight = Weight { bytes, resident_bytes: bytes };
                    self.tell(Event::Weighed { worker, weight });
                }
                self.tell(Event::Tick);
                self.in_ms(250, Coming::Tick);
            }
            Coming::Submit => self.submit(),
            Coming::Greeting(worker) => self.greet(worker),
            Coming::Worked(worker) => self.worked(worker),
            Coming::End(worker) => {
                let Some(gone) = self.workers.remove(&worker) else { return };
                if let Some(reply) = gone.last_reply {
                    self.tell(Event::Said { worker, reply });
                }
                self.tell(Event::Ended {
                    worker,
                    last_words: "its last words".into(),
                    killed: false,
                });
            }
        }
    }

    fn submit(&mut self) {
        let lease = self.sequence;
        self.sequence += 1;
        let request = match self.dice.below(8) {
            0 => Request::Extract(ExtractRequest {
                lease,
                path: PathBuf::from("/f").into(),
                max_bytes: 1,
                ocr: None,
                patience_ms: 1,
            }),
            kind => Request::Embed(EmbedRequest {
                lease,
                model: identity().fingerprint,
                urgent: kind == 1,
                tokens_per_call: 8,
                token_ids: vec![vec![1; 1 + self.dice.below(64)]],
            }),
        };
        self.tell(Event::Submit { request, suspect: false });
    }

    fn greet(&mut self, worker: WorkerId) {
        if !self.workers.contains_key(&worker) || self.strikes(Silent, 2) {
            return;
        }
        if self.strikes(Refuse, 2) {
            self.tell(Event::Said { worker, reply: Reply::Refused("no model".into()) });
            return self.in_ms(5, Coming::End(worker));
        }
        let version = if self.strikes(WrongVersion, 2) { VERSION + 1 } else { VERSION };
        let Some(simulated) = self.workers.get_mut(&worker) else { return };
        let role = simulated.duty.role();
        simulated.greeted = true;
        let models = if role == Role::Embed { vec![identity()] } else { Vec::new() };
        let reply = Reply::Hello(Hello { version, role, models, running: Running::default() });
        self.tell(Event::Said { worker, reply });
        self.tell_weight(worker);
    }

    fn tell_weight(&mut self, worker: WorkerId) {
        let Some(simulated) = self.workers.get(&worker) else { return };
        let bytes = simulated.mebibytes << 20;
        self.tell(Event::Weighed { worker, weight: Weight { bytes, resident_bytes: bytes } });
    }

    /// Begins with what it holds first, if it is free.
    fn work(&mut self, worker: WorkerId) {
        let time = 50 + self.up_to(300);
        let late = if self.strikes(Late, 3) { 10_000 } else { 0 };
        let Some(simulated) = self.workers.get_mut(&worker) else { return };
        if !simulated.working && !simulated.hangs && !simulated.held.is_empty() {
            simulated.working = true;
            self.in_ms(time + late, Coming::Worked(worker));
        }
    }

    fn worked(&mut self, worker: WorkerId) {
        let Some(simulated) = self.workers.get_mut(&worker) else { return };
        simulated.working = false;
        let Some(request) = simulated.held.pop_front() else { return };
        let lease = request.lease();
        if self.faults.contains(&Leak) {
            self.workers.get_mut(&worker).unwrap().mebibytes += 40;
        }
        let is_poison = self.faults.contains(&Poison) && lease.is_multiple_of(7);
        let dies = [Exit, Kill, Garbage, HalfFrame];
        if is_poison || dies.into_iter().any(|fault| self.strikes(fault, 9)) {
            return self.in_ms(1, Coming::End(worker));
        }
        if self.strikes(Hang, 9) {
            self.workers.get_mut(&worker).unwrap().hangs = true;
            return;
        }
        if self.strikes(TooLate, 9) {
            let simulated = self.workers.get_mut(&worker).unwrap();
            simulated.hangs = true;
            simulated.last_reply = Some(done(&request));
            return;
        }
        if self.strikes(Stranger, 4) {
            let reply = Reply::Failed { lease: lease + 1_000_000, reason: "whose?".into() };
            self.tell(Event::Said { worker, reply });
        }
        let reply = if self.strikes(Fail, 5) {
            Reply::Failed { lease, reason: "it does not like it".into() }
        } else {
            done(&request)
        };
        if !self.strikes(Drop, 9) {
            let times = if self.strikes(Twice, 3) { 2 } else { 1 };
            for _ in 0..times {
                self.tell(Event::Said { worker, reply: reply.clone() });
            }
        }
        self.work(worker);
    }

    fn tell(&mut self, event: Event) {
        for action in self.supervisor.handle(event, self.now) {
            match action {
                Action::Spawn { worker, duty } => self.spawn(worker, duty),
                Action::Send { worker, request } => {
                    let simulated = self.workers.get_mut(&worker).expect("sent to the living");
                    assert!(simulated.greeted && !simulated.told_to_end);
                    simulated.held.push_back(request);
                    self.work(worker);
                }
                Action::Retire { worker } => {
                    self.workers.get_mut(&worker).expect("alive").told_to_end = true;
                    if !self.faults.contains(&Deaf) {
                        self.in_ms(5, Coming::End(worker));
                    }
                }
                Action::Kill { worker, .. } => self.in_ms(5, Coming::End(worker)),
                Action::Answer { lease, result } => {
                    self.ends.push(self.now);
                    let answers = self.answers.entry(lease).or_default();
                    answers.push(result);
                    assert_eq!(answers.len(), 1, "lease {lease} was answered twice");
                }
            }
        }
    }

    fn spawn(&mut self, worker: WorkerId, duty: Duty) {
        self.starts.push(self.now);
        let simulated = SimulatedWorker {
            duty,
            greeted: false,
            held: VecDeque::new(),
            working: false,
            hangs: false,
            told_to_end: false,
            mebibytes: 60,
            last_reply: None,
        };
        self.workers.insert(worker, simulated);
        let time = 200 + self.up_to(600);
        self.in_ms(time, Coming::Greeting(worker));
    }

    /// In every minute: some starts for each duty, and beyond these one for each
    /// lease that ended.
    fn check_storms(&self) {
        const FREE: usize = 3 * 18;
        for (first, start) in self.starts.iter().enumerate() {
            let within = |at: &&Instant| **at >= *start && **at - *start < Duration::from_secs(60);
            let starts = self.starts[first..].iter().filter(within).count();
            let ends = self.ends.iter().filter(within).count();
            assert!(starts <= FREE + ends, "{starts} starts and {ends} leases in a minute");
        }
    }
}

fn done(request: &Request) -> Reply {
    match request {
        Request::Embed(request) => {
            Reply::Embedded(Embedded { lease: request.lease, dims: 1, values: vec![1.0] })
        }
        Request::Extract(request) => Reply::Extracted(Box::new(Extracted {
            lease: request.lease,
            outcome: Outcome::Skipped(SkipReason::Empty),
        })),
    }
}

fn check(faults: &[Fault], seed: u64) {
    let mut simulation = Simulation::new(faults, seed);
    simulation.run();
    simulation.check_storms();
    if faults.iter().all(|fault| HARMLESS.contains(fault)) {
        let undone = simulation.answers.values().flatten().filter(|answer| answer.is_err()).count();
        assert_eq!(undone, 0, "{faults:?} cost leases");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_fault_alone_and_in_pairs(seed in any::<u64>()) {
        for (at, first) in FAULTS.into_iter().enumerate() {
            for second in &FAULTS[at..] {
                let pair = [first, *second];
                let outcome = std::panic::catch_unwind(|| check(&pair, seed));
                prop_assert!(outcome.is_ok(), "{pair:?} with seed {seed}");
            }
        }
    }
}
