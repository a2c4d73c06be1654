//! Other settings while the pool runs: who goes on, who is replaced, who has to go
//! at once.

use std::time::Instant;

use rummage_protocol::{EmbedRequest, Request, Role};

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
        let other_models = config.embed.as_ref().map(|embed| &embed.models)
            != self.config.embed.as_ref().map(|embed| &embed.models);
        let other_limit = config.limits.hard_memory_bytes != self.config.limits.hard_memory_bytes;
        self.config = config;
        if other_embedding {
            (self.running, self.unfit) = (None, None);
        }
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
                let why = match other_models && duty.is_of_model() {
                    true => Why::OtherModels,
                    false => Why::Settings,
                };
                match self.workers[&id].state {
                    State::Starting if anew || self.is_misplaced(id) => {
                        self.kill(id, why, now);
                    }
                    State::Ready if anew || self.is_misplaced(id) => {
                        self.expire(id, why);
                    }
                    _ => {}
                }
            }
            if other_models && duty.is_of_model() {
                self.drop_unserved(duty);
            }
        }
    }

    /// What waits for a model that nobody is to load any more is answered with that.
    /// What is in work is finished: each lease says whose vectors it wants.
    fn drop_unserved(&mut self, duty: Duty) {
        for lease in std::mem::take(&mut self.team(duty).waiting) {
            let unserved = self.leases.get(&lease).and_then(|held| self.unserved(&held.request));
            match unserved {
                None => self.team(duty).waiting.push_back(lease),
                Some(error) => {
                    self.leases.remove(&lease);
                    self.answer(lease, Err(error));
                }
            }
        }
    }

    /// Why nobody is to do this, if so: it is for a model that workers do not load.
    pub(super) fn unserved(&self, request: &Request) -> Option<JobError> {
        let Request::Embed(EmbedRequest { model, .. }) = request else { return None };
        let embed = self.config.embed.as_ref()?;
        let role = Role::Embed;
        let reason = Why::OtherModels.to_string();
        (!embed.serves(model)).then_some(JobError::Unavailable { role, reason })
    }

    /// It runs at another priority than one that were started now.
    fn is_misplaced(&self, id: WorkerId) -> bool {
        let (worker, pace) = (&self.workers[&id], self.config.pace);
        pace != Pace::Paused && worker.niceness != pace.niceness(worker.duty)
    }
}
