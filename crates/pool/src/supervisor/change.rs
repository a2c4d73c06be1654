//! Other settings while the pool runs: who goes on, who is replaced, who has to go
//! at once.

use std::time::Instant;

use super::{Supervisor, Why, WorkerId, worker::State};
use crate::{Duty, EmbedConfig, JobError, Pace, PoolConfig};

impl Supervisor {
    pub(super) fn configure(&mut self, config: PoolConfig, now: Instant) {
        let kind = |config: &PoolConfig| {
            let embed = config.embed.clone();
            embed.map(|embed| EmbedConfig { workers: 0, keep_query_worker: false, ..embed })
        };
        let other_program = config.program != self.config.program;
        let other_embedding = other_program || kind(&config) != kind(&self.config);
        let other_vectors = config.embed.as_ref().map(|embed| &embed.identity)
            != self.config.embed.as_ref().map(|embed| &embed.identity);
        let other_limit = config.limits.hard_memory_bytes != self.config.limits.hard_memory_bytes;
        self.config = config;
        for duty in Duty::ALL {
            let anew = match duty {
                Duty::Query | Duty::Embed => other_embedding,
                // A reading worker was told its limit when it started.
                Duty::Extract => other_program || other_limit,
            };
            if anew {
                self.team(duty).begin_anew();
            }
            for id in self.ids(duty) {
                match self.workers[&id].state {
                    // Vectors of the old model must not answer leases of the new.
                    _ if other_vectors && duty.is_of_model() => {
                        self.abandon(id);
                        self.kill(id, Why::OtherModel, now);
                    }
                    State::Starting if anew || self.is_misplaced(id) => {
                        self.kill(id, Why::Settings, now);
                    }
                    State::Ready if anew || self.is_misplaced(id) => {
                        self.expire(id, Why::Settings);
                    }
                    _ => {}
                }
            }
            if other_vectors && duty.is_of_model() {
                // What waits was made for the old model.
                self.make_unavailable(duty, "another model is used now");
                self.team(duty).unavailable = None;
            }
        }
    }

    /// It runs at another priority than one that were started now.
    fn is_misplaced(&self, id: WorkerId) -> bool {
        let (worker, pace) = (&self.workers[&id], self.config.pace);
        pace != Pace::Paused && worker.niceness != pace.niceness(worker.duty)
    }

    /// What it holds was made for a model that is no longer used.
    fn abandon(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let role = worker.duty.role();
        for lease in std::mem::take(&mut worker.leases) {
            self.leases.remove(&lease);
            let reason = Why::OtherModel.to_string();
            self.answer(lease, Err(JobError::Unavailable { role, reason }));
        }
    }
}
