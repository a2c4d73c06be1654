//! How many workers there are, and who gets the next lease.

use std::time::{Duration, Instant};

use rummage_protocol::{LeaseId, Request};

use super::{
    Action, Supervisor, Why, WorkerId, cost,
    worker::{State, Worker},
};
use crate::{Duty, Pace, allowance::Allowed};

/// Questions that one worker may hold.
const QUERY_DEPTH: usize = 8;

/// One lease worked on and one fetched ahead, so that the worker never waits for
/// the pipe.
const EMBED_DEPTH: usize = 2;

/// A file is read in a fraction of a millisecond, hence the deeper queue.
const EXTRACT_DEPTH: usize = 16;

impl Supervisor {
    /// Starts and retires workers until their number is right.
    pub(super) fn staff(&mut self, duty: Duty, now: Instant) {
        let (desired, keep) = self.strength(duty, now);
        // The expiring go when their successors are there, or when none is needed.
        let surplus = (self.count(duty, State::Ready) + self.count(duty, State::Expiring))
            .saturating_sub(desired);
        for id in self.in_state(duty, State::Expiring).into_iter().take(surplus) {
            self.let_go(id, now);
        }
        let idle = self.config.limits.idle;
        for id in self.in_state(duty, State::Ready) {
            let worker = &self.workers[&id];
            let silent = now.saturating_duration_since(worker.since);
            let may_go = match duty {
                Duty::Query => !self.keeps_query_worker(now),
                Duty::Embed => true,
                Duty::Extract => false,
            };
            if may_go && worker.leases.is_empty() && silent >= idle {
                self.dismiss(id, Why::Idle, now);
            }
        }
        let mut ready = self.in_state(duty, State::Ready);
        ready.sort_by_key(|id| self.workers[id].leases.len());
        let starting = self.in_state(duty, State::Starting);
        let surplus = (ready.len() + starting.len()).saturating_sub(keep);
        // Those that have not begun to work first.
        for id in starting.into_iter().rev().take(surplus) {
            self.kill(id, Why::Surplus, now);
        }
        let surplus = ready.len().saturating_sub(keep);
        for id in ready.into_iter().take(surplus) {
            self.dismiss(id, Why::Surplus, now);
        }
        // One spare at a time, so that memory never holds two of everyone.
        let spares = if self.count(duty, State::Expiring) > 0 { 1 } else { usize::MAX };
        let at_once = self.team(duty).starts_allowed(now).min(spares);
        let mut starting = self.count(duty, State::Starting);
        while self.count(duty, State::Ready) + starting < desired.min(keep) && starting < at_once {
            starting += 1;
            self.spawn(duty, now);
        }
    }

    /// How many workers there is need of, and how many there may be.
    fn strength(&mut self, duty: Duty, now: Instant) -> (usize, usize) {
        match duty {
            Duty::Query => {
                let needed = self.keeps_query_worker(now) || self.need(duty) > 0;
                let keep = usize::from(self.config.embed.is_some());
                (usize::from(needed).min(keep), keep)
            }
            Duty::Extract => (self.config.extract.workers, self.config.extract.workers),
            Duty::Embed => {
                let Allowed { keep, active, .. } = self.allowed(now);
                (active.min(self.need(duty)), keep)
            }
        }
    }

    /// Leases that wait for the team or are in its hands; one more than none while
    /// no worker can be had, so that starting is tried until it works again.
    fn need(&mut self, duty: Duty) -> usize {
        let of_duty = self.workers.values().filter(|worker| worker.duty == duty);
        let held: usize = of_duty.map(|worker| worker.leases.len()).sum();
        let team = self.team(duty);
        (held + team.waiting.len()).max(usize::from(team.unavailable.is_some()))
    }

    fn keeps_query_worker(&self, now: Instant) -> bool {
        let quiet = self.asked.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let keep = self.config.embed.as_ref().is_some_and(|embed| embed.keep_query_worker);
        keep && quiet < self.config.limits.rest
    }

    pub(super) fn wanted(&self) -> usize {
        self.config.embed.as_ref().map_or(0, |embed| embed.workers)
    }

    pub(super) fn allowed(&self, now: Instant) -> Allowed {
        self.allowance.of(self.wanted(), self.config.pace, now)
    }

    fn spawn(&mut self, duty: Duty, now: Instant) {
        let id = WorkerId(self.next_worker);
        self.next_worker += 1;
        let pace = self.config.pace;
        let accelerated = duty.is_of_model() && self.accelerator().is_some();
        let worker = Worker::new(duty, pace, accelerated, self.team(duty), now);
        self.workers.insert(id, worker);
        self.actions.push(Action::Spawn { worker: id, duty });
    }

    /// Gives waiting leases to the workers with the least in hand.
    pub(super) fn hand_out(&mut self, duty: Duty, now: Instant) {
        let mut place = 0;
        while let Some(lease) = self.team(duty).waiting.get(place).copied() {
            match self.next_free(duty, lease, now) {
                Some(worker) => {
                    self.team(duty).waiting.remove(place);
                    self.send(worker, lease, now);
                }
                // While models change, those behind it may be for one that workers have.
                None => place += 1,
            }
        }
    }

    fn next_free(&self, duty: Duty, lease: LeaseId, now: Instant) -> Option<WorkerId> {
        let request = &self.leases.get(&lease)?.request;
        let of = |duty, depth, active| self.least_laden(duty, request, depth, active);
        match duty {
            Duty::Query => of(Duty::Query, QUERY_DEPTH, usize::MAX)
                // None ready, or all full: whoever has the model may answer.
                .or_else(|| of(Duty::Embed, QUERY_DEPTH, usize::MAX)),
            Duty::Embed => of(duty, EMBED_DEPTH, self.allowed(now).active),
            Duty::Extract if self.config.pace == Pace::Paused => None,
            Duty::Extract => of(duty, EXTRACT_DEPTH, usize::MAX),
        }
    }

    /// The worker with the least to do that may take this lease too, `active`
    /// workers at most being at work.
    fn least_laden(
        &self,
        duty: Duty,
        request: &Request,
        depth: usize,
        active: usize,
    ) -> Option<WorkerId> {
        let of_duty = || self.workers.iter().filter(|(_, worker)| worker.duty == duty);
        let at_work = of_duty().filter(|(_, worker)| !worker.leases.is_empty()).count();
        let load = |worker: &Worker| -> usize {
            let held = worker.leases.iter().filter_map(|id| self.leases.get(id));
            held.map(|lease| cost(&lease.request)).sum()
        };
        of_duty()
            .filter(|(_, worker)| {
                let rests = worker.leases.is_empty();
                worker.works()
                    && worker.can(request)
                    && worker.leases.len() < depth
                    && !self.reads_pictures(worker)
                    && if rests { at_work < active } else { at_work <= active }
            })
            .min_by_key(|(id, worker)| (load(worker), **id))
            .map(|(id, _)| *id)
    }

    /// Whatever it was given behind those would wait for minutes.
    fn reads_pictures(&self, worker: &Worker) -> bool {
        let mut held = worker.leases.iter().filter_map(|id| self.leases.get(id));
        held.any(|lease| lease.request.reads_pictures())
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
}
