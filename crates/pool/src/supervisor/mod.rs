//! Who works, on what, and what happens when they do not: a state machine that
//! is told everything, the time included, and answers with what to do.
//!
//! Invariants, which the tests check over random schedules:
//! - every lease is answered exactly once;
//! - a reply counts only from the worker that holds the lease;
//! - a worker that died costs only the work in its hands, which is handed out again;
//! - starts are spaced out while workers crash, ever further: no restart storm;
//! - a worker that was told to end and stays is killed.

mod change;
mod report;
mod staffing;
mod team;
mod why;
mod worker;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use rummage_protocol::{Hello, LeaseId, Provider, Reply, Request, Role, Running, VERSION};

use self::{
    team::Team,
    worker::{State, Worker},
};
use crate::{
    Accelerator, Duty, End, JobError, Machine, PoolConfig, Weight,
    allowance::{Allowance, Embedding, in_mebibytes},
};

pub use self::why::Why;

/// Ends that are remembered for people.
const ENDS: usize = 20;

/// A worker is renewed ahead of time when nothing was to do for this long.
const QUIET: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(pub u64);

/// What the supervisor is told.
#[derive(Debug)]
pub enum Event {
    /// A job, under a lease that no job had before. Its answer is owed once.
    Submit {
        request: Request,
        /// It is part of a job that workers died over: one more death decides.
        suspect: bool,
    },
    /// The worker said something.
    Said {
        worker: WorkerId,
        reply: Reply,
    },
    /// The worker is no more, for whatever cause; its process has been waited for.
    Ended {
        worker: WorkerId,
        last_words: String,
        /// By a person or the system, not by what it did.
        killed: bool,
    },
    /// The process started for the worker. Its memory comes as `Weighed`.
    Started {
        worker: WorkerId,
        pid: Option<u32>,
    },
    /// What the worker's process holds, in bytes.
    Weighed {
        worker: WorkerId,
        weight: Weight,
    },
    /// What the machine has to spare.
    Measured(Machine),
    Configure(PoolConfig),
    /// Time has passed.
    Tick,
    /// Everything is over: answer what is owed and let all workers go.
    Close,
}

/// What is to be done, in order.
#[derive(Debug, PartialEq)]
pub enum Action {
    Spawn {
        worker: WorkerId,
        duty: Duty,
    },
    Send {
        worker: WorkerId,
        request: Request,
    },
    /// Close its stdin: it ends by itself.
    Retire {
        worker: WorkerId,
    },
    Kill {
        worker: WorkerId,
        why: Why,
    },
    Answer {
        lease: LeaseId,
        result: Result<Reply, JobError>,
    },
}

#[derive(Debug)]
struct Lease {
    request: Request,
    /// Workers that died while this was what they worked on.
    deaths: u32,
    /// How surely it is what they died of: [`OWN_DEATH`] or [`KILLED`] for each.
    blame: u32,
    /// With so much blame it is given up.
    deadly: u32,
}

/// A worker that was killed from outside tells half as much of its lease as one that
/// ended itself: the system kills when memory runs short, whoever took it.
const KILLED: u32 = 1;
const OWN_DEATH: u32 = 2;

pub struct Supervisor {
    config: PoolConfig,
    workers: BTreeMap<WorkerId, Worker>,
    leases: HashMap<LeaseId, Lease>,
    query: Team,
    embed: Team,
    extract: Team,
    allowance: Allowance,
    machine: Machine,
    /// What an embedding worker was last seen to take.
    worker_bytes: Option<u64>,
    /// When the last question came, or the pool began.
    asked: Option<Instant>,
    /// What the last worker to load the models runs them on.
    running: Option<Running>,
    /// Why the accelerator is done without: a worker died while it loaded there.
    unfit: Option<String>,
    next_worker: u64,
    planned_restarts: u64,
    crash_restarts: u64,
    /// Passages and files that workers have done.
    embedded: u64,
    extracted: u64,
    /// The newest first.
    ends: VecDeque<End>,
    closed: bool,
    actions: Vec<Action>,
}

impl Supervisor {
    pub fn new(config: PoolConfig) -> Self {
        Self {
            config,
            workers: BTreeMap::new(),
            leases: HashMap::new(),
            query: Team::default(),
            embed: Team::default(),
            extract: Team::default(),
            allowance: Allowance::new(),
            machine: Machine::default(),
            worker_bytes: None,
            asked: None,
            running: None,
            unfit: None,
            next_worker: 0,
            planned_restarts: 0,
            crash_restarts: 0,
            embedded: 0,
            extracted: 0,
            ends: VecDeque::new(),
            closed: false,
            actions: Vec::new(),
        }
    }

    /// Takes one event in and gives what is to be done about it.
    pub fn handle(&mut self, event: Event, now: Instant) -> Vec<Action> {
        self.asked.get_or_insert(now);
        match event {
            Event::Submit { request, suspect } => self.submit(request, suspect, now),
            Event::Said { worker, reply } => self.hear(worker, reply, now),
            Event::Ended { worker, last_words, killed } => {
                self.bury(worker, last_words, killed, now);
            }
            Event::Started { worker, pid } => {
                if let Some(worker) = self.workers.get_mut(&worker) {
                    worker.pid = pid;
                }
            }
            Event::Weighed { worker, weight } => self.weigh(worker, weight, now),
            Event::Measured(machine) => self.measure(machine, now),
            Event::Configure(config) => self.configure(config, now),
            Event::Tick => {
                self.check_deadlines(now);
                self.renew_worn(now);
            }
            Event::Close => self.close(now),
        }
        if !self.closed {
            for duty in Duty::ALL {
                self.staff(duty, now);
                self.hand_out(duty, now);
            }
        }
        std::mem::take(&mut self.actions)
    }

    pub fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// What workers that are started now are to run models on, if not the processor.
    pub fn accelerator(&self) -> Option<&Accelerator> {
        let embed = self.config.embed.as_ref().filter(|_| self.unfit.is_none());
        embed.and_then(|embed| embed.accelerator.as_ref())
    }

    /// What models run on, as far as a worker has told.
    fn running(&self) -> Option<Running> {
        let on_processor =
            |why: &String| Running { provider: Provider::Cpu, fallback: Some(why.clone()) };
        self.running.clone().map(|running| self.unfit.as_ref().map_or(running, on_processor))
    }

    /// No worker is left.
    pub fn is_empty(&self) -> bool {
        self.workers.is_empty()
    }

    /// Leases are in work or wait.
    pub fn is_busy(&self) -> bool {
        !self.leases.is_empty()
    }

    fn submit(&mut self, request: Request, suspect: bool, now: Instant) {
        let lease = request.lease();
        if self.closed {
            return self.answer(lease, Err(JobError::Closed));
        }
        let duty = duty_of(&request);
        if duty == Duty::Query {
            self.asked = Some(now);
            self.allowance.note_question(now);
        }
        if let Some(error) = self.unserved(&request) {
            return self.answer(lease, Err(error));
        }
        if let Some(reason) = self.unavailable(duty, &request) {
            let role = duty.role();
            return self.answer(lease, Err(JobError::Unavailable { role, reason }));
        }
        let deadly = OWN_DEATH * if suspect { 1 } else { self.config.limits.deaths };
        self.leases.insert(lease, Lease { request, deaths: 0, blame: 0, deadly });
        self.team(duty).waiting.push_back(lease);
    }

    /// Why nobody does this now, as far as is known. One worker that can is enough,
    /// and any that has the model may answer a question.
    fn unavailable(&mut self, duty: Duty, request: &Request) -> Option<String> {
        if duty.is_of_model() && self.config.embed.is_none() {
            return Some(String::from("no model is loaded"));
        }
        let can = |worker: &Worker| {
            let stands_in = duty == Duty::Query && worker.duty == Duty::Embed;
            worker.works() && (worker.duty == duty || stands_in) && worker.can(request)
        };
        let somebody_can = self.workers.values().any(can);
        self.team(duty).unavailable.clone().filter(|_| !somebody_can)
    }

    fn hear(&mut self, id: WorkerId, reply: Reply, now: Instant) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        match reply {
            Reply::Hello(hello) => self.greet(id, &hello, now),
            Reply::Refused(reason) => {
                let duty = worker.duty;
                worker.why = Some(Why::Crash(reason.clone()));
                self.set_state(id, State::Refusing, now);
                self.make_unavailable(duty, &reason);
            }
            Reply::Failed { lease, reason } => {
                self.take(id, lease, Err(JobError::Refused(reason)), now);
            }
            Reply::Embedded(embedded) => {
                self.take(id, embedded.lease, Ok(Reply::Embedded(embedded)), now);
            }
            Reply::Extracted(extracted) => {
                self.take(id, extracted.lease, Ok(Reply::Extracted(extracted)), now);
            }
        }
    }

    fn greet(&mut self, id: WorkerId, hello: &Hello, now: Instant) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let duty = worker.duty;
        let embed = self.config.embed.as_ref().filter(|_| duty.is_of_model());
        let expected = embed.map_or(&[][..], |embed| &embed.models);
        let expected = expected.iter().map(|served| &served.identity);
        if worker.state != State::Starting {
            return;
        }
        if hello.version != VERSION
            || hello.role != duty.role()
            || !hello.models.iter().eq(expected)
        {
            self.kill(id, Why::Handshake, now);
            self.make_unavailable(
                duty,
                "the worker program is of another version or loads other models; install Rummage anew",
            );
            return;
        }
        worker.state = State::Ready;
        worker.models = hello.models.iter().map(|model| model.fingerprint.clone()).collect();
        worker.ready = Some(now);
        worker.since = now;
        if duty.is_of_model() {
            self.running = Some(hello.running.clone());
        }
        for other in Duty::ALL {
            // Where one starts, others of its role will, too.
            if other.role() == duty.role() {
                self.team(other).note_greeting();
            }
        }
    }

    /// A reply to a lease: counts only while this worker holds it.
    fn take(
        &mut self,
        id: WorkerId,
        lease: LeaseId,
        result: Result<Reply, JobError>,
        now: Instant,
    ) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let Some(held) = worker.leases.iter().position(|held| *held == lease) else { return };
        worker.leases.remove(held);
        if held == 0 {
            worker.since = now;
        }
        worker.jobs += 1;
        if let Some(lease) = self.leases.remove(&lease).filter(|_| result.is_ok()) {
            let passages = passages(&lease.request);
            worker.passages += passages;
            match duty_of(&lease.request) {
                Duty::Query => {}
                Duty::Embed => self.embedded += passages,
                Duty::Extract => self.extracted += passages,
            }
        }
        let (duty, state, passages) = (worker.duty, worker.state, worker.passages);
        let (idle, proof) = (worker.leases.is_empty(), worker.proof(now));
        self.team(duty).note_work(proof);
        if state == State::Retiring && idle {
            self.retire(id, now);
        } else if state == State::Ready && passages >= self.config.limits.passages {
            self.expire(id, Why::Passages(passages));
        }
        self.answer(lease, result);
    }

    /// A worker has ended. Its work is handed out again.
    fn bury(&mut self, id: WorkerId, last_words: String, killed: bool, now: Instant) {
        let Some(worker) = self.workers.remove(&id) else { return };
        let duty = worker.duty;
        // One that was told to leave and did has its reason; any other crashed.
        let told = worker.why.clone().filter(|why| match worker.state {
            State::Leaving | State::Killed | State::Refusing => true,
            State::Starting | State::Ready | State::Expiring | State::Retiring => why.is_crash(),
        });
        let why = told.unwrap_or_else(|| Why::Crash(last_words.clone()));
        self.remember(&worker, why.clone(), now);
        let planned = !why.is_crash();
        if worker.accelerated && worker.ready.is_none() && !planned {
            // A driver may take the whole process with it.
            self.unfit.get_or_insert(format!("a worker ended while it loaded: {why}"));
        }
        if planned {
            self.planned_restarts += u64::from(why.is_planned_restart());
        } else {
            self.crash_restarts += 1;
        }
        let team = self.team(duty);
        if why.is_crash() || why.is_planned_restart() {
            team.replaced += 1;
            team.last_end = Some(why);
        }
        let tell = !planned && team.note_crash(worker.proof(now), now);
        // Back to the front, in the order they had. The first was being worked on,
        // or a question that had overtaken it: they bear the blame.
        let blame = if killed { KILLED } else { OWN_DEATH };
        for (place, lease) in worker.leases.iter().enumerate().rev() {
            let overtook = duty == Duty::Embed && self.is_question(*lease);
            let is_blamed = !planned && (place == 0 || overtook);
            self.hand_back(*lease, is_blamed.then_some(blame), &last_words);
        }
        if tell {
            self.make_unavailable(duty, &last_words);
        }
    }

    fn is_question(&self, lease: LeaseId) -> bool {
        self.leases.get(&lease).is_some_and(|lease| duty_of(&lease.request) == Duty::Query)
    }

    fn remember(&mut self, worker: &Worker, why: Why, now: Instant) {
        self.ends.truncate(ENDS - 1);
        self.ends.push_front(End {
            at: now,
            duty: worker.duty,
            pid: worker.pid,
            why,
            passages: worker.passages,
            memory_bytes: in_mebibytes(worker.weight.bytes),
        });
    }

    fn hand_back(&mut self, id: LeaseId, blame: Option<u32>, last_words: &str) {
        let Some(lease) = self.leases.get_mut(&id) else { return };
        let duty = duty_of(&lease.request);
        lease.deaths += u32::from(blame.is_some());
        lease.blame += blame.unwrap_or(0);
        let (deaths, given_up) = (lease.deaths, lease.blame >= lease.deadly);
        let unserved = self.leases.get(&id).and_then(|lease| self.unserved(&lease.request));
        if self.closed {
            self.leases.remove(&id);
            self.answer(id, Err(JobError::Closed));
        } else if given_up {
            self.leases.remove(&id);
            let last_words = last_words.to_owned();
            self.answer(id, Err(JobError::Deadly { deaths, last_words }));
        } else if let Some(error) = unserved {
            self.leases.remove(&id);
            self.answer(id, Err(error));
        } else {
            self.team(duty).waiting.push_front(id);
        }
    }

    fn weigh(&mut self, id: WorkerId, weight: Weight, now: Instant) {
        let limits = &self.config.limits;
        let Some(worker) = self.workers.get_mut(&id) else { return };
        match worker.weigh(weight, limits) {
            Some(why @ Why::HardMemory { .. }) => self.kill(id, why, now),
            Some(why) => self.expire(id, why),
            None => {}
        }
    }

    fn measure(&mut self, machine: Machine, now: Instant) {
        self.machine = machine;
        let of_embed = || self.workers.values().filter(|worker| worker.duty == Duty::Embed);
        let runs = |worker: &&Worker| worker.works() || worker.state == State::Starting;
        let heaviest = of_embed().map(|worker| worker.weight.bytes).max();
        self.worker_bytes = heaviest.or(self.worker_bytes);
        let limits = &self.config.limits;
        let embedding = Embedding {
            wanted: self.wanted(),
            running: of_embed().filter(runs).count(),
            worker_bytes: self.worker_bytes.unwrap_or(limits.soft_memory_bytes),
            whole_limit_bytes: limits.whole_memory_bytes,
        };
        self.allowance.observe(&machine, &embedding, now);
    }

    fn check_deadlines(&mut self, now: Instant) {
        let limits = self.config.limits.clone();
        // The system may take its time to end one that waits for a broken disk. Its
        // work does not wait with it.
        let stuck = self.workers.iter().filter(|(_, worker)| {
            worker.state == State::Killed
                && now.saturating_duration_since(worker.since) > limits.leave
        });
        for id in stuck.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.bury(id, String::from("it was killed and has not ended yet"), false, now);
        }
        let overdue = self.workers.iter().filter_map(|(id, worker)| {
            let (limit, why): (_, fn(Duration) -> Why) = match worker.state {
                State::Starting => (limits.start, Why::StartedTooLong),
                State::Leaving | State::Refusing => (limits.leave, Why::Stayed),
                State::Killed => return None,
                State::Ready | State::Expiring | State::Retiring => {
                    let lease = self.leases.get(worker.leases.front()?)?;
                    match worker.duty.role() {
                        Role::Extract if lease.request.reads_pictures() => {
                            (limits.ocr, Why::SlowFile)
                        }
                        Role::Extract => (limits.extract, Why::SlowFile),
                        Role::Embed => {
                            let tokens = u32::try_from(cost(&lease.request)).unwrap_or(u32::MAX);
                            let compute = limits.embed_token.saturating_mul(tokens);
                            (limits.embed.saturating_add(compute), Why::Overdue)
                        }
                    }
                }
            };
            let silent = now.saturating_duration_since(worker.since);
            (silent > limit).then(|| (*id, why(limit)))
        });
        for (id, why) in overdue.collect::<Vec<_>>() {
            self.kill(id, why, now);
        }
    }

    /// Workers that are half used up make way while that disturbs no one.
    fn renew_worn(&mut self, now: Instant) {
        let limits = &self.config.limits;
        let worn = self.workers.iter().find(|(_, worker)| {
            worker.state == State::Ready
                && worker.leases.is_empty()
                && now.saturating_duration_since(worker.since) >= QUIET
                && worker.is_worn(limits)
        });
        if let Some((&id, _)) = worn {
            self.expire(id, Why::Worn);
        }
    }

    fn close(&mut self, now: Instant) {
        self.closed = true;
        for duty in Duty::ALL {
            self.team(duty).waiting.clear();
        }
        for lease in std::mem::take(&mut self.leases).into_keys() {
            self.answer(lease, Err(JobError::Closed));
        }
        for id in self.workers.keys().copied().collect::<Vec<_>>() {
            if let Some(worker) = self.workers.get_mut(&id) {
                worker.why.get_or_insert(Why::Closing);
            }
            if self.workers[&id].state != State::Killed {
                self.retire(id, now);
            }
        }
    }

    /// No worker of this kind can be had: those who wait for one are told.
    fn make_unavailable(&mut self, duty: Duty, reason: &str) {
        self.team(duty).unavailable = Some(reason.to_owned());
        let role = duty.role();
        for id in std::mem::take(&mut self.team(duty).waiting) {
            let Some(lease) = self.leases.remove(&id) else { continue };
            match self.unavailable(duty, &lease.request) {
                Some(reason) => self.answer(id, Err(JobError::Unavailable { role, reason })),
                None => {
                    self.leases.insert(id, lease);
                    self.team(duty).waiting.push_back(id);
                }
            }
        }
    }

    /// It works on until a successor is ready.
    fn expire(&mut self, id: WorkerId, why: Why) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.state = State::Expiring;
            worker.why = Some(why);
        }
    }

    fn dismiss(&mut self, id: WorkerId, why: Why, now: Instant) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.why = Some(why);
        }
        self.let_go(id, now);
    }

    /// It finishes what it holds and ends.
    fn let_go(&mut self, id: WorkerId, now: Instant) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.state = State::Retiring;
        if worker.leases.is_empty() {
            self.retire(id, now);
        }
    }

    fn retire(&mut self, id: WorkerId, now: Instant) {
        self.set_state(id, State::Leaving, now);
        self.actions.push(Action::Retire { worker: id });
    }

    fn kill(&mut self, id: WorkerId, why: Why, now: Instant) {
        self.set_state(id, State::Killed, now);
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.why = Some(why.clone());
        }
        self.actions.push(Action::Kill { worker: id, why });
    }

    fn set_state(&mut self, id: WorkerId, state: State, now: Instant) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.state = state;
            worker.since = now;
        }
    }

    fn answer(&mut self, lease: LeaseId, result: Result<Reply, JobError>) {
        self.actions.push(Action::Answer { lease, result });
    }

    fn count(&self, duty: Duty, state: State) -> usize {
        self.in_state(duty, state).len()
    }

    fn in_state(&self, duty: Duty, state: State) -> Vec<WorkerId> {
        let all = self.workers.iter();
        all.filter(|(_, w)| w.duty == duty && w.state == state).map(|(id, _)| *id).collect()
    }

    fn ids(&self, duty: Duty) -> Vec<WorkerId> {
        let of_duty = self.workers.iter().filter(|(_, worker)| worker.duty == duty);
        of_duty.map(|(id, _)| *id).collect()
    }

    fn team(&mut self, duty: Duty) -> &mut Team {
        match duty {
            Duty::Query => &mut self.query,
            Duty::Embed => &mut self.embed,
            Duty::Extract => &mut self.extract,
        }
    }
}

fn duty_of(request: &Request) -> Duty {
    match request {
        Request::Embed(request) if request.urgent => Duty::Query,
        Request::Embed(_) => Duty::Embed,
        Request::Extract(_) => Duty::Extract,
    }
}

/// In tokens; a file counts as one.
fn cost(request: &Request) -> usize {
    match request {
        Request::Embed(request) => request.token_ids.iter().map(Vec::len).sum(),
        Request::Extract(_) => 1,
    }
}

fn passages(request: &Request) -> u64 {
    match request {
        Request::Embed(request) => request.token_ids.len() as u64,
        Request::Extract(_) => 1,
    }
}
