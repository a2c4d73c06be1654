//! Who works, on what, and what happens when they do not: a state machine that
//! is told everything, the time included, and answers with what to do.
//!
//! Invariants, which the tests check over random schedules:
//! - every lease is answered exactly once;
//! - a reply counts only from the worker that holds the lease;
//! - a worker that died costs only the work in its hands, which is handed out again;
//! - failed starts are spaced out, ever further: no restart storm.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use rummage_protocol::{Hello, LeaseId, Reply, Request, Role, VERSION};

use crate::{JobError, PoolConfig, PoolStatus, WorkerState, WorkerStatus};

/// The least and the most that is waited after a failed start.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Failed starts in a row after which the role counts as unavailable and waiting
/// jobs are told so, while starting is still tried.
const STARTS_BEFORE_UNAVAILABLE: u32 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(pub u64);

/// What the supervisor is told.
#[derive(Debug)]
pub enum Event {
    /// A job, under a lease that no job had before. Its answer is owed once.
    Submit(Request),
    /// The worker said something.
    Said {
        worker: WorkerId,
        reply: Reply,
    },
    /// The worker is no more, for whatever cause; its process has been waited for.
    Ended {
        worker: WorkerId,
        last_words: String,
    },
    /// The process started for the worker. Resident bytes come as `Measured`.
    Started {
        worker: WorkerId,
        pid: Option<u32>,
    },
    Measured {
        worker: WorkerId,
        bytes: u64,
    },
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
        role: Role,
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
        why: &'static str,
    },
    Answer {
        lease: LeaseId,
        result: Result<Reply, JobError>,
    },
}

#[derive(Debug)]
struct Lease {
    request: Request,
    /// Workers that died while this may have been what they worked on.
    deaths: u32,
}

#[derive(Debug)]
struct Worker {
    role: Role,
    state: State,
    pid: Option<u32>,
    bytes: u64,
    /// Its handshake was fine.
    greeted: bool,
    jobs: u64,
    restarts: u64,
    /// What it holds, the first being worked on.
    leases: VecDeque<LeaseId>,
    /// Since when it starts, or works on its first lease.
    since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Ready,
    /// Works on until a successor is ready.
    Expiring,
    /// Finishes what it holds; its stdin closes then.
    Retiring,
    /// Told to end; its end is awaited.
    Leaving,
    /// Killed, or it said itself that it cannot work; its end is awaited.
    Condemned,
}

#[derive(Debug, Default)]
struct Team {
    urgent: VecDeque<LeaseId>,
    waiting: VecDeque<LeaseId>,
    failed_starts: u32,
    start_after: Option<Instant>,
    unavailable: Option<String>,
    /// Ended so far: the number of the next successor.
    ended: u64,
}

pub struct Supervisor {
    config: PoolConfig,
    workers: BTreeMap<WorkerId, Worker>,
    leases: HashMap<LeaseId, Lease>,
    embed: Team,
    extract: Team,
    next_worker: u64,
    planned_restarts: u64,
    crash_restarts: u64,
    closed: bool,
    actions: Vec<Action>,
}

impl Supervisor {
    pub fn new(config: PoolConfig) -> Self {
        Self {
            config,
            workers: BTreeMap::new(),
            leases: HashMap::new(),
            embed: Team::default(),
            extract: Team::default(),
            next_worker: 0,
            planned_restarts: 0,
            crash_restarts: 0,
            closed: false,
            actions: Vec::new(),
        }
    }

    /// Takes one event in and gives what is to be done about it.
    pub fn handle(&mut self, event: Event, now: Instant) -> Vec<Action> {
        match event {
            Event::Submit(request) => self.submit(request),
            Event::Said { worker, reply } => self.hear(worker, reply, now),
            Event::Ended { worker, last_words } => self.bury(worker, &last_words, now),
            Event::Started { worker, pid } => {
                if let Some(worker) = self.workers.get_mut(&worker) {
                    worker.pid = pid;
                }
            }
            Event::Measured { worker, bytes } => self.weigh(worker, bytes),
            Event::Configure(config) => self.configure(config),
            Event::Tick => self.check_deadlines(now),
            Event::Close => self.close(),
        }
        if !self.closed {
            for role in [Role::Extract, Role::Embed] {
                self.staff(role, now);
                self.hand_out(role, now);
            }
        }
        std::mem::take(&mut self.actions)
    }

    pub fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// No worker is left.
    pub fn is_empty(&self) -> bool {
        self.workers.is_empty()
    }

    pub fn status(&self) -> PoolStatus {
        let workers = self.workers.values().map(|worker| WorkerStatus {
            role: worker.role,
            pid: worker.pid,
            state: match worker.state {
                State::Starting => WorkerState::Starting,
                State::Ready | State::Expiring if worker.leases.is_empty() => WorkerState::Idle,
                State::Ready | State::Expiring => WorkerState::Busy,
                State::Retiring | State::Leaving | State::Condemned => WorkerState::Retiring,
            },
            memory_bytes: worker.bytes,
            jobs: worker.jobs,
            restarts: worker.restarts,
        });
        PoolStatus {
            workers: workers.collect(),
            planned_restarts: self.planned_restarts,
            crash_restarts: self.crash_restarts,
            embed_unavailable: self.embed.unavailable.clone(),
            extract_unavailable: self.extract.unavailable.clone(),
        }
    }

    fn submit(&mut self, request: Request) {
        let lease = request.lease();
        if self.closed {
            return self.answer(lease, Err(JobError::Closed));
        }
        let role = role_of(&request);
        if let Some(reason) = &self.team(role).unavailable {
            let reason = reason.clone();
            return self.answer(lease, Err(JobError::Unavailable { role, reason }));
        }
        let urgent = is_urgent(&request);
        self.leases.insert(lease, Lease { request, deaths: 0 });
        let team = self.team(role);
        if urgent { &mut team.urgent } else { &mut team.waiting }.push_back(lease);
    }

    fn hear(&mut self, id: WorkerId, reply: Reply, now: Instant) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        match reply {
            Reply::Hello(hello) => self.greet(id, &hello),
            Reply::Refused(reason) => {
                let role = worker.role;
                worker.state = State::Condemned;
                self.make_unavailable(role, &reason);
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

    fn greet(&mut self, id: WorkerId, hello: &Hello) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let role = worker.role;
        let expected = match role {
            Role::Embed => self.config.embed.as_ref().map(|embed| &embed.identity),
            Role::Extract => None,
        };
        if worker.state != State::Starting {
            return;
        }
        if hello.version != VERSION || hello.role != role || hello.model.as_ref() != expected {
            self.kill(id, "its handshake does not fit");
            self.make_unavailable(
                role,
                "the worker program is of another version or loads another model; install Rummage anew",
            );
            return;
        }
        worker.state = State::Ready;
        worker.greeted = true;
        let team = self.team(role);
        team.unavailable = None;
        team.start_after = None;
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
        let (role, done) =
            (worker.role, worker.state == State::Retiring && worker.leases.is_empty());
        // A worker that worked proves that starting works.
        self.team(role).failed_starts = 0;
        if done {
            self.retire(id);
        }
        self.leases.remove(&lease);
        self.answer(lease, result);
    }

    /// A worker has died. Its work is handed out again.
    fn bury(&mut self, id: WorkerId, last_words: &str, now: Instant) {
        let Some(worker) = self.workers.remove(&id) else { return };
        let role = worker.role;
        let planned = worker.state == State::Leaving;
        *(if planned { &mut self.planned_restarts } else { &mut self.crash_restarts }) += 1;
        self.team(role).ended += 1;
        // Back to the front, in the order they had. The first was being worked on
        // and so was every urgent one, perhaps: they bear the blame.
        for (place, lease) in worker.leases.iter().enumerate().rev() {
            self.hand_back(*lease, place == 0, last_words);
        }
        if planned || worker.jobs > 0 {
            return;
        }
        // It died before it did anything: the next one may, too.
        let team = self.team(role);
        team.failed_starts += 1;
        let failed = team.failed_starts;
        let wait = BACKOFF.0 * 2u32.pow(failed.min(10) - 1);
        team.start_after = Some(now + wait.min(BACKOFF.1));
        if failed >= STARTS_BEFORE_UNAVAILABLE && !worker.greeted && team.unavailable.is_none() {
            self.make_unavailable(role, last_words);
        }
    }

    fn hand_back(&mut self, id: LeaseId, worked_on: bool, last_words: &str) {
        let deadly = self.config.limits.deaths;
        let Some(lease) = self.leases.get_mut(&id) else { return };
        let urgent = is_urgent(&lease.request);
        if worked_on || urgent {
            lease.deaths += 1;
        }
        let (deaths, role) = (lease.deaths, role_of(&lease.request));
        if self.closed {
            self.leases.remove(&id);
            self.answer(id, Err(JobError::Closed));
        } else if deaths >= deadly {
            self.leases.remove(&id);
            let last_words = last_words.to_owned();
            self.answer(id, Err(JobError::Deadly { deaths, last_words }));
        } else {
            let team = self.team(role);
            if urgent { &mut team.urgent } else { &mut team.waiting }.push_front(id);
        }
    }

    fn weigh(&mut self, id: WorkerId, bytes: u64) {
        let (soft, hard) =
            (self.config.limits.soft_memory_bytes, self.config.limits.hard_memory_bytes);
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.bytes = bytes;
        if bytes > hard && worker.state != State::Condemned {
            self.kill(id, "it took more memory than its hard limit");
        } else if bytes > soft && worker.state == State::Ready {
            worker.state = State::Expiring;
        }
    }

    fn configure(&mut self, config: PoolConfig) {
        let restart = |role| match role {
            Role::Embed => {
                let kind = |config: &PoolConfig| {
                    config.embed.clone().map(|embed| crate::EmbedConfig { workers: 0, ..embed })
                };
                kind(&config) != kind(&self.config) || config.program != self.config.program
            }
            Role::Extract => config.program != self.config.program,
        };
        let restarts =
            [(Role::Embed, restart(Role::Embed)), (Role::Extract, restart(Role::Extract))];
        let other_vectors = config.embed.as_ref().map(|embed| &embed.identity)
            != self.config.embed.as_ref().map(|embed| &embed.identity);
        self.config = config;
        for (role, restart) in restarts {
            if !restart {
                continue;
            }
            *self.team(role) = Team {
                urgent: std::mem::take(&mut self.team(role).urgent),
                waiting: std::mem::take(&mut self.team(role).waiting),
                ended: self.team(role).ended,
                ..Team::default()
            };
            for id in self.ids(role) {
                let state = self.workers[&id].state;
                match state {
                    // Vectors of the old model must not answer leases of the new.
                    State::Starting => self.kill(id, "its settings have changed"),
                    _ if other_vectors && role == Role::Embed => {
                        self.kill(id, "another model is used now");
                    }
                    State::Ready => self.set_state(id, State::Expiring),
                    _ => {}
                }
            }
            if other_vectors && role == Role::Embed {
                // What waits was made for the old model.
                self.make_unavailable(role, "another model is used now");
                self.embed.unavailable = None;
            }
        }
    }

    fn check_deadlines(&mut self, now: Instant) {
        let limits = self.config.limits.clone();
        let overdue = self.workers.iter().filter_map(|(id, worker)| {
            let silent = now.saturating_duration_since(worker.since);
            let (limit, why) = match worker.state {
                State::Starting => (limits.start, "it took too long to start"),
                State::Leaving | State::Condemned => return None,
                _ if worker.leases.is_empty() => return None,
                _ if worker.role == Role::Embed => (limits.embed, "it did not answer in time"),
                _ => (limits.extract, "reading the file took longer than the limit"),
            };
            (silent > limit).then_some((*id, why))
        });
        for (id, why) in overdue.collect::<Vec<_>>() {
            self.kill(id, why);
        }
    }

    fn close(&mut self) {
        self.closed = true;
        for lease in std::mem::take(&mut self.leases).into_keys() {
            self.answer(lease, Err(JobError::Closed));
        }
        for id in self.workers.keys().copied().collect::<Vec<_>>() {
            self.retire(id);
        }
    }

    /// Starts and retires workers until their number is right.
    fn staff(&mut self, role: Role, now: Instant) {
        let target = self.config.target(role);
        let count = |supervisor: &Self, wanted: &[State]| {
            let of_role = supervisor.workers.values().filter(|worker| worker.role == role);
            of_role.filter(|worker| wanted.contains(&worker.state)).count()
        };
        // The expiring go when their successors are there.
        let ready = count(self, &[State::Ready]);
        let mut surplus = (ready + count(self, &[State::Expiring])).saturating_sub(target);
        for wanted in [State::Expiring, State::Ready] {
            for id in self.ids(role) {
                if surplus > 0 && self.workers[&id].state == wanted {
                    surplus -= 1;
                    self.set_state(id, State::Retiring);
                    if self.workers[&id].leases.is_empty() {
                        self.retire(id);
                    }
                }
            }
        }
        // A pause after failed starts holds for all starts of the role.
        if self.team(role).start_after.is_some_and(|after| now < after) {
            return;
        }
        let mut starting = count(self, &[State::Starting]);
        // After failures one worker tries alone.
        let at_once = if self.team(role).failed_starts > 0 { 1 } else { usize::MAX };
        while count(self, &[State::Ready]) + starting < target && starting < at_once {
            starting += 1;
            self.spawn(role, now);
        }
    }

    fn spawn(&mut self, role: Role, now: Instant) {
        let id = WorkerId(self.next_worker);
        self.next_worker += 1;
        let restarts = self.team(role).ended;
        self.workers.insert(
            id,
            Worker {
                role,
                state: State::Starting,
                pid: None,
                bytes: 0,
                greeted: false,
                jobs: 0,
                restarts,
                leases: VecDeque::new(),
                since: now,
            },
        );
        self.actions.push(Action::Spawn { worker: id, role });
    }

    /// Gives waiting leases to the workers with the least in hand.
    fn hand_out(&mut self, role: Role, now: Instant) {
        while let Some(lease) = self.team(role).urgent.front().copied() {
            let Some(worker) = self.least_laden(role, URGENT_DEPTH) else { break };
            self.team(role).urgent.pop_front();
            self.send(worker, lease, now);
        }
        while let Some(lease) = self.team(role).waiting.front().copied() {
            let Some(worker) = self.least_laden(role, depth(role)) else { break };
            self.team(role).waiting.pop_front();
            self.send(worker, lease, now);
        }
    }

    fn least_laden(&self, role: Role, depth: usize) -> Option<WorkerId> {
        let load = |worker: &Worker| -> usize {
            worker
                .leases
                .iter()
                .filter_map(|id| self.leases.get(id))
                .map(|l| cost(&l.request))
                .sum()
        };
        self.workers
            .iter()
            .filter(|(_, worker)| {
                worker.role == role
                    && matches!(worker.state, State::Ready | State::Expiring)
                    && worker.leases.len() < depth
            })
            .min_by_key(|(id, worker)| (load(worker), **id))
            .map(|(id, _)| *id)
    }

    fn send(&mut self, id: WorkerId, lease: LeaseId, now: Instant) {
        let (Some(worker), Some(held)) = (self.workers.get_mut(&id), self.leases.get(&lease))
        else {
            return;
        };
        if worker.leases.is_empty() {
            worker.since = now;
        }
        worker.leases.push_back(lease);
        self.actions.push(Action::Send { worker: id, request: held.request.clone() });
    }

    /// No worker of this kind can be had: those who wait for one are told.
    fn make_unavailable(&mut self, role: Role, reason: &str) {
        let team = self.team(role);
        team.unavailable = Some(reason.to_owned());
        let waiting: Vec<LeaseId> = team.urgent.drain(..).chain(team.waiting.drain(..)).collect();
        for lease in waiting {
            self.leases.remove(&lease);
            self.answer(lease, Err(JobError::Unavailable { role, reason: reason.to_owned() }));
        }
    }

    fn retire(&mut self, id: WorkerId) {
        self.set_state(id, State::Leaving);
        self.actions.push(Action::Retire { worker: id });
    }

    fn kill(&mut self, id: WorkerId, why: &'static str) {
        self.set_state(id, State::Condemned);
        self.actions.push(Action::Kill { worker: id, why });
    }

    fn set_state(&mut self, id: WorkerId, state: State) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.state = state;
        }
    }

    fn answer(&mut self, lease: LeaseId, result: Result<Reply, JobError>) {
        self.actions.push(Action::Answer { lease, result });
    }

    fn ids(&self, role: Role) -> Vec<WorkerId> {
        let of_role = self.workers.iter().filter(|(_, worker)| worker.role == role);
        of_role.map(|(id, _)| *id).collect()
    }

    fn team(&mut self, role: Role) -> &mut Team {
        match role {
            Role::Embed => &mut self.embed,
            Role::Extract => &mut self.extract,
        }
    }
}

/// An urgent lease goes to a worker that holds fewer than this many leases.
const URGENT_DEPTH: usize = 8;

/// Leases that a worker may hold: one worked on and others fetched ahead, so that
/// it never waits for the pipe. A file is read in a fraction of a millisecond,
/// hence the deeper queue.
const fn depth(role: Role) -> usize {
    match role {
        Role::Embed => 2,
        Role::Extract => 16,
    }
}

fn role_of(request: &Request) -> Role {
    match request {
        Request::Embed(_) => Role::Embed,
        Request::Extract(_) => Role::Extract,
    }
}

fn is_urgent(request: &Request) -> bool {
    matches!(request, Request::Embed(request) if request.urgent)
}

/// In tokens; a file counts as one.
fn cost(request: &Request) -> usize {
    match request {
        Request::Embed(request) => request.token_ids.iter().map(Vec::len).sum(),
        Request::Extract(_) => 1,
    }
}
