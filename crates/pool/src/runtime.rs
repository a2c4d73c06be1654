//! The thread that a pool lives on: events in, actions out, memory measured.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rummage_corpus::SourcePath;
use rummage_protocol::{EmbedRequest, Embedded, ExtractRequest, LeaseId, Outcome, Reply, Request};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    JobError, Machine, PoolConfig, PoolStatus, Weight,
    machine::Gauge,
    patience,
    process::{self, Reins},
    supervisor::{Action, Event, Supervisor, WorkerId},
};

/// How often deadlines are looked at and workers are weighed, while there is work
/// and while there is none.
const TICK: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));

/// How often the whole machine is looked at, likewise.
const LOOK: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(15));

/// Jobs that wait for the pool's thread to take them; whoever submits more waits.
const INTAKE: usize = 64;

/// What workers may have said before it is heard; they wait beyond that.
const EVENTS: usize = 64;

/// On closing, workers have this long to end by themselves.
const CLOSE_GRACE: Duration = Duration::from_millis(1000);

/// After a kill, the system has this long to say that they have ended.
const KILL_GRACE: Duration = Duration::from_millis(500);

type Answer = Result<Reply, JobError>;

/// What is known of texts that are to be embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Somebody waits: they overtake all others.
    Urgent,
    Fresh,
    /// They are part of a job that workers died over.
    Suspect,
}

enum Call {
    Submit { request: Request, suspect: bool, answer: oneshot::Sender<Answer> },
    Configure(PoolConfig),
    Close,
}

/// A running pool. A cheap clone is another handle on the same pool, which ends
/// with [`Pool::close`] or with its last handle.
#[derive(Clone)]
pub struct Pool {
    calls: mpsc::Sender<Call>,
    status: watch::Receiver<PoolStatus>,
    next_lease: Arc<AtomicU64>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Pool {
    /// Starts the workers. They load while the caller goes on.
    ///
    /// # Panics
    /// If the system gives no thread.
    pub fn start(config: PoolConfig) -> Self {
        let (calls, inbox) = mpsc::channel(INTAKE);
        let (publish, status) = watch::channel(PoolStatus::default());
        let thread = std::thread::Builder::new()
            .name("pool".into())
            .spawn(move || {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime on one thread needs nothing that could be missing")
                    .block_on(run(config, inbox, publish));
            })
            .expect("a thread for the pool");
        Self {
            calls,
            status,
            next_lease: Arc::default(),
            thread: Arc::new(Mutex::new(Some(thread))),
        }
    }

    /// A model's vectors, by its fingerprint, for texts given as its token ids, in their
    /// order.
    pub async fn embed(
        &self,
        model: &str,
        token_ids: Vec<Vec<u32>>,
        tokens_per_call: u32,
        standing: Standing,
    ) -> Result<Embedded, JobError> {
        let lease = self.lease();
        let texts = token_ids.len();
        let urgent = standing == Standing::Urgent;
        let suspect = standing == Standing::Suspect;
        let model = model.to_owned();
        let request = EmbedRequest { lease, model, urgent, tokens_per_call, token_ids };
        match self.submit(Request::Embed(request), suspect).await? {
            Reply::Embedded(reply) if reply.values.len() == texts * reply.dims as usize => {
                Ok(reply)
            }
            _ => Err(JobError::Refused(String::from("the worker gave another number of vectors"))),
        }
    }

    /// The text of the file at `path`, or why there is none.
    /// With `ocr`, letters in pictures are read as these languages, which takes its time.
    pub async fn extract(
        &self,
        path: SourcePath,
        max_bytes: u64,
        ocr: Option<String>,
    ) -> Result<Outcome, JobError> {
        let lease = self.lease();
        let patience = if ocr.is_some() { patience::OCR } else { patience::READ };
        let patience_ms = patience.as_millis() as u64;
        let request = ExtractRequest { lease, path, max_bytes, ocr, patience_ms };
        match self.submit(Request::Extract(request), false).await? {
            Reply::Extracted(reply) => Ok(reply.outcome),
            _ => Err(JobError::Refused(String::from("the worker answered something else"))),
        }
    }

    /// Applies other numbers and limits. Running leases are not disturbed, except
    /// by a change of model.
    pub async fn configure(&self, config: PoolConfig) {
        let _ = self.calls.send(Call::Configure(config)).await;
    }

    /// The pool as it is now; the receiver tells of changes, at most one a tick.
    pub fn status(&self) -> watch::Receiver<PoolStatus> {
        self.status.clone()
    }

    /// Ends all workers, gently, then not. Jobs under way end with
    /// [`JobError::Closed`]. Takes at most some two seconds.
    pub async fn close(&self) {
        let _ = self.calls.send(Call::Close).await;
        let thread = self.thread.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(thread) = thread {
            // The thread ends within CLOSE_GRACE and a kill.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }

    fn lease(&self) -> LeaseId {
        self.next_lease.fetch_add(1, Ordering::Relaxed)
    }

    async fn submit(&self, request: Request, suspect: bool) -> Answer {
        let (answer, answered) = oneshot::channel();
        let call = Call::Submit { request, suspect, answer };
        self.calls.send(call).await.map_err(|_| JobError::Closed)?;
        answered.await.unwrap_or(Err(JobError::Closed))
    }
}

/// What was measured at one time.
struct Measurement {
    gauge: Gauge,
    weights: Vec<(WorkerId, Weight)>,
    machine: Option<Machine>,
}

struct Runtime {
    supervisor: Supervisor,
    events: mpsc::Sender<Event>,
    reins: HashMap<WorkerId, Reins>,
    pids: HashMap<WorkerId, u32>,
    answers: HashMap<LeaseId, oneshot::Sender<Answer>>,
    /// Away while it measures, on a thread beside.
    gauge: Option<Gauge>,
    /// When the machine is looked at next.
    next_look: Instant,
}

async fn run(
    config: PoolConfig,
    mut calls: mpsc::Receiver<Call>,
    status: watch::Sender<PoolStatus>,
) {
    let (events, mut inbox) = mpsc::channel(EVENTS);
    let mut runtime = Runtime {
        supervisor: Supervisor::new(config),
        events,
        reins: HashMap::new(),
        pids: HashMap::new(),
        answers: HashMap::new(),
        gauge: Some(Gauge::new()),
        next_look: Instant::now(),
    };
    let (measured, mut measurements) = mpsc::channel(1);
    let mut next_tick = tokio::time::Instant::now();
    loop {
        tokio::select! {
            call = calls.recv() => match call {
                Some(Call::Submit { request, suspect, answer }) => {
                    if !runtime.supervisor.is_busy() {
                        // The slow tick of an idle pool may be far off.
                        next_tick = next_tick.min(tokio::time::Instant::now() + TICK.0);
                        runtime.next_look = runtime.next_look.min(Instant::now() + LOOK.0);
                    }
                    runtime.answers.insert(request.lease(), answer);
                    runtime.apply(Event::Submit { request, suspect });
                }
                Some(Call::Configure(config)) => runtime.apply(Event::Configure(config)),
                Some(Call::Close) | None => break,
            },
            Some(event) = inbox.recv() => runtime.apply(event),
            Some(measurement) = measurements.recv() => runtime.take_in(measurement),
            () = tokio::time::sleep_until(next_tick) => {
                let busy = runtime.supervisor.is_busy();
                next_tick = tokio::time::Instant::now() + if busy { TICK.0 } else { TICK.1 };
                runtime.measure(busy, &measured);
                runtime.apply(Event::Tick);
                let now = runtime.supervisor.status(Instant::now());
                status.send_if_modified(|before| {
                    let changed = *before != now;
                    *before = now;
                    changed
                });
            }
        }
    }
    runtime.apply(Event::Close);
    if !runtime.ended(&mut inbox, CLOSE_GRACE).await {
        for reins in runtime.reins.values_mut() {
            reins.kill(String::from("it did not end in time"));
        }
        // The system does not refuse this; what it delays is killed once more as
        // its task is dropped with this runtime.
        runtime.ended(&mut inbox, KILL_GRACE).await;
    }
}

impl Runtime {
    /// Whether all workers have ended within this time.
    async fn ended(&mut self, inbox: &mut mpsc::Receiver<Event>, within: Duration) -> bool {
        let ending = async {
            while !self.supervisor.is_empty() {
                match inbox.recv().await {
                    Some(event) => self.apply(event),
                    None => break,
                }
            }
        };
        tokio::time::timeout(within, ending).await.is_ok()
    }

    fn apply(&mut self, event: Event) {
        match &event {
            Event::Started { worker, pid: Some(pid) } => {
                self.pids.insert(*worker, *pid);
            }
            Event::Ended { worker, .. } => {
                self.pids.remove(worker);
                self.reins.remove(worker);
            }
            _ => {}
        }
        for action in self.supervisor.handle(event, Instant::now()) {
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Spawn { worker, duty } => {
                let events = self.events.clone();
                let (config, accelerator) =
                    (self.supervisor.config(), self.supervisor.accelerator());
                let reins = process::start(worker, duty, config, accelerator, events);
                self.reins.insert(worker, reins);
            }
            Action::Send { worker, request } => {
                if let Some(reins) = self.reins.get(&worker) {
                    reins.send(request);
                }
            }
            Action::Kill { worker, why } => {
                if let Some(reins) = self.reins.get_mut(&worker) {
                    reins.kill(why.to_string());
                }
            }
            Action::Retire { worker } => {
                if let Some(reins) = self.reins.get_mut(&worker) {
                    reins.retire();
                }
            }
            Action::Answer { lease, result } => {
                if let Some(answer) = self.answers.remove(&lease) {
                    // Whoever asked may have gone.
                    let _ = answer.send(result);
                }
            }
        }
    }

    /// Measures on a thread beside: that takes milliseconds, which a question may
    /// not have to wait for.
    fn measure(&mut self, busy: bool, measured: &mpsc::Sender<Measurement>) {
        let Some(mut gauge) = self.gauge.take() else { return };
        let now = Instant::now();
        let look = now >= self.next_look;
        if look {
            self.next_look = now + if busy { LOOK.0 } else { LOOK.1 };
        }
        let (pids, measured) = (self.pids.clone(), measured.clone());
        tokio::task::spawn_blocking(move || {
            let weigh = |(worker, pid)| Some((worker, gauge.weigh(pid)?));
            let weights = pids.into_iter().filter_map(weigh).collect();
            let machine = look.then(|| gauge.machine()).flatten();
            // The pool may have ended.
            let _ = measured.blocking_send(Measurement { gauge, weights, machine });
        });
    }

    fn take_in(&mut self, measurement: Measurement) {
        self.gauge = Some(measurement.gauge);
        for (worker, weight) in measurement.weights {
            self.apply(Event::Weighed { worker, weight });
        }
        if let Some(machine) = measurement.machine {
            self.apply(Event::Measured(machine));
        }
    }
}
