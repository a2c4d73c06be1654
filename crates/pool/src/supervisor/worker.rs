//! One worker as the supervisor knows it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use rummage_protocol::{LeaseId, Request};

use super::{
    Why,
    team::{Proof, Team},
};
use crate::{Duty, Limits, Pace, Weight};

/// A worker that did so many leases, or was ready for so long, is stable: its
/// end says nothing about the next one.
const STABLE_JOBS: u64 = 8;
const STABLE_FOR: Duration = Duration::from_secs(20);

/// A worker is never past its soft limit before it holds this much more than when
/// it was new: a model may be larger than the limits foresaw, which then grow.
const LEAST_GROWTH: u64 = 64 << 20;

#[derive(Debug)]
pub(super) struct Worker {
    pub duty: Duty,
    pub state: State,
    pub pid: Option<u32>,
    pub weight: Weight,
    /// What it held when it was first measured after its handshake.
    base: Option<u64>,
    /// The models that it has loaded, by their fingerprints.
    pub models: Vec<String>,
    /// Since when its handshake was fine.
    pub ready: Option<Instant>,
    /// Leases done.
    pub jobs: u64,
    /// Passages, or files, done.
    pub passages: u64,
    pub restarts: u64,
    pub last_end: Option<Why>,
    /// What it holds, the first being worked on.
    pub leases: VecDeque<LeaseId>,
    /// Since when it starts, works on its first lease, or is to end.
    pub since: Instant,
    pub started: Instant,
    /// Why it is to go, once it is.
    pub why: Option<Why>,
    /// What it was started with.
    pub niceness: u8,
    /// It was to run its models on something else than the processor.
    pub accelerated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Starting,
    Ready,
    /// Works on until a successor is ready.
    Expiring,
    /// Finishes what it holds; its stdin closes then.
    Retiring,
    /// Told to end; its end is awaited.
    Leaving,
    /// It said itself that it cannot work; its end is awaited.
    Refusing,
    /// Killed; its end is awaited.
    Killed,
}

impl Worker {
    pub fn new(duty: Duty, pace: Pace, accelerated: bool, team: &Team, now: Instant) -> Self {
        Self {
            duty,
            state: State::Starting,
            pid: None,
            weight: Weight::default(),
            base: None,
            models: Vec::new(),
            ready: None,
            jobs: 0,
            passages: 0,
            restarts: team.replaced,
            last_end: team.last_end.clone(),
            leases: VecDeque::new(),
            since: now,
            started: now,
            why: None,
            niceness: pace.niceness(duty),
            accelerated,
        }
    }

    /// May be given work.
    pub fn works(&self) -> bool {
        matches!(self.state, State::Ready | State::Expiring)
    }

    /// Can do what this request asks.
    pub fn can(&self, request: &Request) -> bool {
        match request {
            Request::Embed(request) => self.models.contains(&request.model),
            Request::Extract(_) => self.duty == Duty::Extract,
        }
    }

    /// What it holds now; why it has to go for that, if it has to.
    pub fn weigh(&mut self, weight: Weight, limits: &Limits) -> Option<Why> {
        self.weight = weight;
        let bytes = weight.bytes;
        if self.ready.is_some() {
            self.base.get_or_insert(bytes);
        }
        let (soft, hard) = (self.soft_limit(limits), self.hard_limit(limits));
        // Only what is there after the handshake tells whether a model is just large.
        let loading = self.base.is_none();
        if bytes > hard && !loading && self.state != State::Killed {
            Some(Why::HardMemory { bytes, limit: hard })
        } else if bytes > soft && self.state == State::Ready {
            Some(Why::SoftMemory { bytes, limit: soft })
        } else {
            None
        }
    }

    pub fn soft_limit(&self, limits: &Limits) -> u64 {
        let base = self.base.unwrap_or(0);
        limits.soft_memory_bytes.max(base + LEAST_GROWTH)
    }

    pub fn hard_limit(&self, limits: &Limits) -> u64 {
        limits.hard_memory_bytes.max(self.soft_limit(limits).saturating_mul(2))
    }

    /// More than half used up: to be renewed when that disturbs no one.
    pub fn is_worn(&self, limits: &Limits) -> bool {
        let base = self.base.unwrap_or(self.weight.bytes);
        let room = self.soft_limit(limits).saturating_sub(base);
        self.weight.bytes > base + room / 2 || self.passages >= limits.passages / 2
    }

    pub fn proof(&self, now: Instant) -> Proof {
        match self.ready {
            None => Proof::Nothing,
            Some(at)
                if self.jobs >= STABLE_JOBS || now.saturating_duration_since(at) >= STABLE_FOR =>
            {
                Proof::Stable
            }
            Some(_) => Proof::Greeted,
        }
    }
}
