//! How many embedding workers the machine has room for: a plain function over
//! what was measured and the time, without knowing where either comes from.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::Pace;

/// What the machine and the app's own processes take, measured together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Machine {
    /// What programs can still get without swapping; the system's cache counts
    /// as free, since it gives way.
    pub available_bytes: u64,
    pub total_bytes: u64,
    /// The app, its workers and its web view.
    pub whole_bytes: u64,
    /// `whole_bytes` shares memory out among those who share it (PSS); else each
    /// process counts all it maps (RSS).
    pub is_pss: bool,
    /// The processor time that other programs take, of all there is: 0 to 1.
    pub others: f32,
    pub on_battery: bool,
}

impl Machine {
    /// In units worth telling.
    pub(crate) fn in_mebibytes(self) -> Self {
        Self {
            available_bytes: self.available_bytes.div_ceil(STEP) * STEP,
            whole_bytes: in_mebibytes(self.whole_bytes),
            others: 0.0,
            ..self
        }
    }
}

/// The machine's free memory moves all the time: this much is worth telling.
const STEP: u64 = 64 << 20;

/// Rounded up to whole units of 2²⁰ bytes.
pub(crate) const fn in_mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20) << 20
}

/// Why fewer workers run than are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBack {
    Paused,
    /// The machine's memory is short.
    MachineMemory,
    /// The app's own memory is past its limit.
    OwnMemory,
    Battery,
    /// Somebody is working on this machine.
    InUse,
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paused => "paused",
            Self::MachineMemory => "this computer's memory is short",
            Self::OwnMemory => "Rummage is at its memory limit",
            Self::Battery => "on battery",
            Self::InUse => "this computer is in use",
        })
    }
}

/// Memory that is left to others: this part of it all, within these bounds.
const RESERVE_PART: u64 = 20;
const RESERVE: (u64, u64) = (256 << 20, 1 << 30);

/// Between two steps down, so that the first one shows in what is measured.
const STEP_DOWN: Duration = Duration::from_secs(4);

/// Room must have been there for this long before a step up.
const STEP_UP: Duration = Duration::from_secs(20);

/// Others' part of the processor from which the machine counts as in use, below
/// which it no longer does, and for how long each must hold.
const IN_USE: (f32, Duration) = (0.35, Duration::from_secs(4));
const NOT_IN_USE: (f32, Duration) = (0.20, Duration::from_secs(20));

/// How many workers may be, and do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// Processes that memory allows.
    pub keep: usize,
    /// Of these, so many may work; the others rest.
    pub active: usize,
    pub why: Option<HeldBack>,
}

/// The embedding workers as they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Embedding {
    pub wanted: usize,
    /// Those that work or are being started.
    pub running: usize,
    /// What one of them takes, as far as is known.
    pub worker_bytes: u64,
    /// The limit of [`Machine::whole_bytes`].
    pub whole_limit_bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Allowance {
    /// At most so many, for want of memory; and which memory.
    cap: Option<(usize, HeldBack)>,
    /// The last step of `cap`.
    stepped: Option<Instant>,
    /// Since when there has been room for one more.
    roomy: Option<Instant>,
    in_use: bool,
    /// Since when the others have been on the other side of the bound.
    turning: Option<Instant>,
    /// A question was asked.
    asked: Option<Instant>,
    on_battery: bool,
}

/// After a question the person is likely to ask the next.
const ASKING: Duration = Duration::from_secs(10);

impl Allowance {
    pub const fn new() -> Self {
        Self {
            cap: None,
            stepped: None,
            roomy: None,
            in_use: false,
            turning: None,
            asked: None,
            on_battery: false,
        }
    }

    pub fn note_question(&mut self, now: Instant) {
        self.asked = Some(now);
    }

    /// What is allowed of `wanted` workers.
    pub fn of(&self, wanted: usize, pace: Pace, now: Instant) -> Allowed {
        let asking = self.asked.is_some_and(|at| now.saturating_duration_since(at) < ASKING);
        let half = wanted.div_ceil(2);
        let considerate = match pace {
            Pace::Paused => Some((0, HeldBack::Paused)),
            Pace::Considerate if self.on_battery => Some((half, HeldBack::Battery)),
            Pace::Considerate if self.in_use || asking => Some((half, HeldBack::InUse)),
            Pace::Considerate | Pace::Full => None,
        };
        let least = [considerate, self.cap].into_iter().flatten().min_by_key(|(cap, _)| *cap);
        let (active, why) = match least {
            Some((cap, why)) if cap < wanted => (cap, Some(why)),
            _ => (wanted, None),
        };
        Allowed { keep: self.cap.map_or(wanted, |(cap, _)| cap.min(wanted)), active, why }
    }

    /// Takes a measurement in.
    pub fn observe(&mut self, machine: &Machine, pool: &Embedding, now: Instant) {
        self.on_battery = machine.on_battery;
        self.observe_others(machine.others, now);
        if machine.total_bytes == 0 {
            return;
        }
        let reserve = (machine.total_bytes / RESERVE_PART).clamp(RESERVE.0, RESERVE.1);
        let short = if machine.available_bytes < reserve {
            // Close to swapping not even one may stay.
            Some((usize::from(machine.available_bytes >= reserve / 2), HeldBack::MachineMemory))
        } else if machine.whole_bytes > pool.whole_limit_bytes {
            Some((1, HeldBack::OwnMemory))
        } else {
            None
        };
        if let Some((least, why)) = short {
            self.roomy = None;
            if self.stepped.is_none_or(|at| now.saturating_duration_since(at) >= STEP_DOWN) {
                // Never up while memory is short, whatever the least would be.
                let most = self.cap.map_or(pool.wanted, |(cap, _)| cap);
                let fewer = pool.running.saturating_sub(1).max(least);
                self.cap = Some((fewer.min(most), why));
                self.stepped = Some(now);
            }
            return;
        }
        let Some((cap, why)) = self.cap else { return };
        let each = pool.worker_bytes;
        let roomy = machine.available_bytes > reserve + 2 * each
            && machine.whole_bytes + each + each / 2 < pool.whole_limit_bytes;
        if !roomy {
            self.roomy = None;
        } else if now.saturating_duration_since(*self.roomy.get_or_insert(now)) >= STEP_UP {
            self.roomy = Some(now);
            self.stepped = Some(now);
            self.cap = (cap + 1 < pool.wanted).then_some((cap + 1, why));
        }
    }

    fn observe_others(&mut self, others: f32, now: Instant) {
        let (beyond, time) = if self.in_use {
            (others < NOT_IN_USE.0, NOT_IN_USE.1)
        } else {
            (others > IN_USE.0, IN_USE.1)
        };
        if !beyond {
            self.turning = None;
        } else if now.saturating_duration_since(*self.turning.get_or_insert(now)) >= time {
            self.in_use = !self.in_use;
            self.turning = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;
    const WORKER: u64 = 100 << 20;

    fn embedding(running: usize) -> Embedding {
        Embedding { wanted: 4, running, worker_bytes: WORKER, whole_limit_bytes: 2 * GIB }
    }

    /// Measures for `seconds`, once a second, with as many workers as allowed.
    struct Run {
        allowance: Allowance,
        now: Instant,
        pace: Pace,
    }

    impl Run {
        fn new(pace: Pace) -> Self {
            Self { allowance: Allowance::new(), now: Instant::now(), pace }
        }

        fn measure(&mut self, seconds: u64, machine: Machine) -> (usize, Option<HeldBack>) {
            for _ in 0..seconds {
                let running = self.allowance.of(4, self.pace, self.now).active;
                self.now += Duration::from_secs(1);
                self.allowance.observe(&machine, &embedding(running), self.now);
            }
            let allowed = self.allowance.of(4, self.pace, self.now);
            assert!(allowed.active <= allowed.keep);
            (allowed.active, allowed.why)
        }
    }

    fn roomy() -> Machine {
        Machine { available_bytes: 4 * GIB, total_bytes: 8 * GIB, ..Machine::default() }
    }

    #[test]
    fn short_memory_shrinks_the_pool_step_by_step_and_room_grows_it_again() {
        let mut run = Run::new(Pace::Full);
        assert_eq!(run.measure(60, roomy()), (4, None));
        let short = Machine { available_bytes: 300 << 20, ..roomy() };
        assert_eq!(run.measure(1, short), (3, Some(HeldBack::MachineMemory)));
        assert_eq!(run.measure(30, short), (1, Some(HeldBack::MachineMemory)));
        let worse = Machine { available_bytes: 100 << 20, ..roomy() };
        assert_eq!(run.measure(5, worse), (0, Some(HeldBack::MachineMemory)));
        assert_eq!(run.measure(10, roomy()).0, 0, "not at once");
        assert_eq!(run.measure(200, roomy()), (4, None));
    }

    #[test]
    fn memory_that_workers_take_and_give_back_makes_no_swing() {
        // Room for none: whoever starts brings memory below the reserve again.
        for free in [100, 200, 300, 400, 500, 600] {
            let mut allowance = Allowance::new();
            let (mut now, mut starts, mut running) = (Instant::now(), 0, 0);
            for _ in 0..3600 {
                now += Duration::from_secs(1);
                let allowed = allowance.of(4, Pace::Full, now).active;
                starts += allowed.saturating_sub(running);
                running = allowed;
                let available_bytes = (free << 20) - (running as u64 * WORKER).min(free << 20);
                let machine = Machine { available_bytes, ..roomy() };
                allowance.observe(&machine, &embedding(running), now);
            }
            assert!(starts <= 6, "{starts} starts in an hour with {free} MB free");
        }
    }

    #[test]
    fn a_cache_that_fills_memory_is_no_alarm() {
        // What the system calls available counts the cache; only that is looked at.
        let mut run = Run::new(Pace::Full);
        assert_eq!(run.measure(600, Machine { available_bytes: GIB, ..roomy() }), (4, None));
    }

    #[test]
    fn between_the_bounds_nothing_swings() {
        let mut run = Run::new(Pace::Full);
        run.measure(30, Machine { available_bytes: 300 << 20, ..roomy() });
        // No alarm, and not room enough for one more.
        let between = Machine { available_bytes: 500 << 20, ..roomy() };
        assert_eq!(run.measure(600, between).0, 1);
    }

    #[test]
    fn the_apps_own_limit_leaves_one_worker() {
        let mut run = Run::new(Pace::Full);
        let large = Machine { whole_bytes: 3 * GIB, ..roomy() };
        assert_eq!(run.measure(600, large), (1, Some(HeldBack::OwnMemory)));
    }

    #[test]
    fn the_considerate_give_way_and_the_full_do_not() {
        for (machine, why) in [
            (Machine { others: 0.6, ..roomy() }, HeldBack::InUse),
            (Machine { on_battery: true, ..roomy() }, HeldBack::Battery),
        ] {
            assert_eq!(Run::new(Pace::Considerate).measure(10, machine), (2, Some(why)));
            assert_eq!(Run::new(Pace::Full).measure(10, machine), (4, None));
            assert_eq!(Run::new(Pace::Paused).measure(10, machine), (0, Some(HeldBack::Paused)));
        }
    }

    #[test]
    fn a_short_burst_of_others_changes_nothing_and_calm_must_last() {
        let mut run = Run::new(Pace::Considerate);
        let busy = Machine { others: 0.9, ..roomy() };
        assert_eq!(run.measure(3, busy).0, 4);
        assert_eq!(run.measure(1, roomy()).0, 4);
        assert_eq!(run.measure(3, busy).0, 4);
        assert_eq!(run.measure(10, busy).0, 2);
        assert_eq!(run.measure(15, roomy()).0, 2);
        assert_eq!(run.measure(10, roomy()).0, 4);
    }

    #[test]
    fn a_question_makes_room_for_a_while() {
        let mut run = Run::new(Pace::Considerate);
        run.allowance.note_question(run.now);
        assert_eq!(run.measure(5, roomy()), (2, Some(HeldBack::InUse)));
        assert_eq!(run.measure(10, roomy()), (4, None));
    }
}
