//! The pool as people see it.

use std::time::Instant;

use super::{Supervisor, worker::State};
use crate::{PoolStatus, WorkerState, WorkerStatus, allowance::in_mebibytes};

impl Supervisor {
    pub fn status(&self, now: Instant) -> PoolStatus {
        let limits = &self.config.limits;
        let workers = self.workers.values().map(|worker| WorkerStatus {
            duty: worker.duty,
            pid: worker.pid,
            state: match worker.state {
                State::Starting => WorkerState::Starting,
                State::Ready if worker.leases.is_empty() => WorkerState::Idle,
                State::Ready => WorkerState::Busy,
                State::Expiring => WorkerState::Expiring,
                State::Retiring | State::Leaving | State::Refusing | State::Killed => {
                    WorkerState::Retiring
                }
            },
            memory_bytes: in_mebibytes(worker.weight.bytes),
            resident_bytes: in_mebibytes(worker.weight.resident_bytes),
            soft_limit_bytes: in_mebibytes(worker.soft_limit(limits)),
            hard_limit_bytes: in_mebibytes(worker.hard_limit(limits)),
            jobs: worker.jobs,
            passages: worker.passages,
            restarts: worker.restarts,
            started: worker.started,
            last_end: worker.last_end.clone(),
        });
        let allowed = self.allowed(now);
        let model_unavailable = || {
            let reason = [&self.query, &self.embed].into_iter().find_map(|t| t.unavailable.clone());
            reason.filter(|_| !self.workers.values().any(|w| w.works() && w.duty.is_of_model()))
        };
        PoolStatus {
            workers: workers.collect(),
            planned_restarts: self.planned_restarts,
            crash_restarts: self.crash_restarts,
            embedded: self.embedded,
            extracted: self.extracted,
            ends: self.ends.iter().cloned().collect(),
            wanted: self.wanted(),
            allowed: allowed.active,
            held_back: allowed.why,
            machine: self.machine.in_mebibytes(),
            whole_limit_bytes: limits.whole_memory_bytes,
            running: self.running(),
            embed_unavailable: model_unavailable(),
            extract_unavailable: self.extract.unavailable.clone(),
        }
    }
}
