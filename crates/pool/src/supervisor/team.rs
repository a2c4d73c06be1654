//! The workers of one duty as a team: what waits for them, and when the next one
//! may be started.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use rummage_protocol::LeaseId;

use super::Why;

/// The least and the most that is waited before the next start.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// So many crashes in a row cost the least pause only: as many workers as it
/// takes to find one deadly passage in a lease of ordinary size.
const CHEAP_CRASHES: u32 = 8;

/// Failed starts in a row after which the duty counts as unavailable and waiting
/// jobs are told so, while starting is still tried. With the pauses between them
/// these take more than a second: whoever kills workers meanwhile is no reason.
const STARTS_BEFORE_UNAVAILABLE: u32 = 5;

#[derive(Debug, Default)]
pub(super) struct Team {
    pub waiting: VecDeque<LeaseId>,
    /// Workers in a row that ended before their handshake.
    failed_starts: u32,
    /// Workers in a row that crashed before they proved stable.
    crashes: u32,
    start_after: Option<Instant>,
    pub unavailable: Option<String>,
    /// Workers that had to be replaced so far: the number of the next successor.
    pub replaced: u64,
    /// Why the last of them had to go.
    pub last_end: Option<Why>,
}

/// How a worker was when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Its handshake never came.
    Nothing,
    Greeted,
    /// It worked long enough to show that workers can.
    Stable,
}

impl Team {
    /// A worker has crashed: the next start waits, ever longer while they go on
    /// crashing. `true` when those who wait are to be told that none can be had.
    pub fn note_crash(&mut self, proof: Proof, now: Instant) -> bool {
        match proof {
            Proof::Nothing => self.failed_starts += 1,
            Proof::Greeted => self.crashes += 1,
            Proof::Stable => self.crashes = 1,
        }
        let doublings =
            self.failed_starts.saturating_sub(1).max(self.crashes.saturating_sub(CHEAP_CRASHES));
        let wait = BACKOFF.0.saturating_mul(2u32.saturating_pow(doublings.min(16)));
        self.start_after = Some(now + wait.min(BACKOFF.1));
        self.failed_starts >= STARTS_BEFORE_UNAVAILABLE
            && proof == Proof::Nothing
            && self.unavailable.is_none()
    }

    /// A handshake was fine.
    pub fn note_greeting(&mut self) {
        self.failed_starts = 0;
        self.unavailable = None;
        if self.crashes == 0 {
            self.start_after = None;
        }
    }

    /// A worker has done a lease: whoever could not be had before can be now.
    pub fn note_work(&mut self, proof: Proof) {
        self.failed_starts = 0;
        self.unavailable = None;
        if proof == Proof::Stable {
            self.crashes = 0;
        }
    }

    /// How many may be starting at a time, now: none while a pause holds, one
    /// while workers are not known to hold out.
    pub fn starts_allowed(&self, now: Instant) -> usize {
        match self.start_after {
            Some(after) if now < after => 0,
            _ if self.failed_starts > 0 || self.crashes > CHEAP_CRASHES => 1,
            _ => usize::MAX,
        }
    }

    /// Forgets all failures: what starts from now on is started otherwise.
    pub fn begin_anew(&mut self) {
        self.failed_starts = 0;
        self.crashes = 0;
        self.start_after = None;
        self.unavailable = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts as often as allowed for `span`, each crash with this proof.
    fn starts_within(span: Duration, proof: Proof) -> u32 {
        let (mut team, start) = (Team::default(), Instant::now());
        let (mut now, mut starts) = (start, 0);
        while now - start < span {
            if team.starts_allowed(now) > 0 {
                starts += 1;
                team.note_crash(proof, now);
            }
            now += Duration::from_millis(50);
        }
        starts
    }

    #[test]
    fn crashing_workers_never_make_a_storm() {
        let hour = Duration::from_secs(3600);
        assert!(starts_within(hour, Proof::Nothing) < 3600 / 10 + 10);
        assert!(starts_within(hour, Proof::Greeted) < 3600 / 10 + 20);
    }

    #[test]
    fn a_stable_worker_is_replaced_at_once() {
        let (mut team, now) = (Team::default(), Instant::now());
        for _ in 0..1000 {
            assert!(!team.note_crash(Proof::Stable, now));
            assert_eq!(team.starts_allowed(now), 0);
            assert_eq!(team.starts_allowed(now + BACKOFF.0), usize::MAX);
        }
    }

    #[test]
    fn those_who_wait_are_told_once() {
        let (mut team, now) = (Team::default(), Instant::now());
        let told: Vec<bool> = (0..7)
            .map(|_| {
                let told = team.note_crash(Proof::Nothing, now);
                if told {
                    team.unavailable = Some("none".into());
                }
                told
            })
            .collect();
        assert_eq!(told, [false, false, false, false, true, false, false]);
    }
}
