//! What processes take and what the machine has to spare; the only user of the
//! libraries that tell.

use std::collections::HashSet;

use starship_battery::{Manager, State};
use sysinfo::{CpuRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::{Machine, Weight};

pub(crate) struct Gauge {
    /// `None` where the system tells nothing: memory is then not supervised.
    system: Option<System>,
    batteries: Option<Manager>,
    /// This process.
    own: Option<Pid>,
}

impl Gauge {
    pub fn new() -> Self {
        Self {
            system: System::new().ok(),
            batteries: Manager::new().ok(),
            own: sysinfo::get_current_pid().ok(),
        }
    }

    /// What the process holds; takes about a millisecond.
    pub fn weigh(&mut self, pid: u32) -> Option<Weight> {
        if let Some(weight) = weight(pid) {
            return Some(weight);
        }
        let (system, pid) = (self.system.as_mut()?, Pid::from_u32(pid));
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[pid]),
            false,
            ProcessRefreshKind::nothing().with_memory(),
        );
        let bytes = system.process(pid)?.memory();
        Some(Weight { bytes, resident_bytes: bytes })
    }

    /// Looks at all processes, which takes some milliseconds. Processor time is
    /// that since the last call; the first one gives none.
    pub fn machine(&mut self) -> Option<Machine> {
        let on_battery = self.on_battery();
        let (system, own) = (self.system.as_mut()?, self.own?);
        system.refresh_memory();
        system.refresh_cpu_usage();
        system.refresh_processes_specifics(
            ProcessesToUpdate::All,
            true,
            ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks(),
        );
        let whole: Vec<_> =
            descendants(system, own).into_iter().filter_map(|pid| system.process(pid)).collect();
        let cores = system.cpus().len().max(1) as f32;
        let ours: f32 = whole.iter().map(|process| process.cpu_usage()).sum::<f32>() / cores;
        let is_pss = weight(own.as_u32()).is_some();
        let bytes = |process: &sysinfo::Process| {
            weight(process.pid().as_u32()).map_or_else(|| process.memory(), |weight| weight.bytes)
        };
        let (total_bytes, available_bytes) = memory(system);
        Some(Machine {
            available_bytes,
            total_bytes,
            whole_bytes: whole.into_iter().map(bytes).sum(),
            is_pss,
            others: ((system.global_cpu_usage() - ours) / 100.0).clamp(0.0, 1.0),
            on_battery,
        })
    }

    /// A machine without a battery is never on it.
    fn on_battery(&self) -> bool {
        let batteries = self.batteries.as_ref().and_then(|manager| manager.batteries().ok());
        batteries.into_iter().flatten().flatten().any(|one| one.state() == State::Discharging)
    }
}

/// The memory that the machine has, in bytes; `None` where the system does not tell.
pub fn memory_bytes() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    Some(memory(&system).0).filter(|bytes| *bytes > 0)
}

/// As the processor calls itself; `None` where the system does not tell.
pub fn processor_name() -> Option<String> {
    let mut system = System::new().ok()?;
    system.refresh_cpu_list(CpuRefreshKind::nothing());
    let name = system.cpus().first()?.brand().trim().to_owned();
    (!name.is_empty()).then_some(name)
}

/// What a process holds; `None` where it is gone or the system does not tell.
pub fn weigh(pid: u32) -> Option<Weight> {
    weight(pid).or_else(|| Gauge::new().weigh(pid))
}

/// All of it and what is still to be had, of the machine or of the group of
/// processes that this one is confined to.
fn memory(system: &System) -> (u64, u64) {
    let (total, available) = (system.total_memory(), system.available_memory());
    match system.cgroup_limits() {
        // Its free memory does not count the cache, which gives way.
        Some(limits) if limits.total_memory > 0 && limits.total_memory < total => {
            let left = limits.total_memory.saturating_sub(limits.rss);
            (limits.total_memory, left.min(available))
        }
        _ => (total, available),
    }
}

fn descendants(system: &System, own: Pid) -> HashSet<Pid> {
    let mut whole = HashSet::from([own]);
    loop {
        let children: Vec<Pid> = system
            .processes()
            .values()
            .filter(|process| process.parent().is_some_and(|parent| whole.contains(&parent)))
            .map(|process| process.pid())
            .filter(|pid| !whole.contains(pid))
            .collect();
        if children.is_empty() {
            return whole;
        }
        whole.extend(children);
    }
}

/// `None` where the system does not tell, or the process is gone.
#[cfg(target_os = "linux")]
fn weight(pid: u32) -> Option<Weight> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes << 10)
    };
    Some(Weight { bytes: bytes("Pss:")?, resident_bytes: bytes("Rss:")? })
}

#[cfg(not(target_os = "linux"))]
fn weight(_: u32) -> Option<Weight> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_weighed_and_part_of_the_whole() {
        let (mut gauge, ballast) = (Gauge::new(), vec![1_u8; 8 << 20]);
        let weight = gauge.weigh(std::process::id()).unwrap();
        let own = weight.bytes;
        let machine = gauge.machine().unwrap();
        assert!(own >= ballast.len() as u64 && own <= weight.resident_bytes, "{weight:?}");
        assert!(machine.whole_bytes >= own / 2, "{own} {machine:?}");
        assert!(machine.available_bytes <= machine.total_bytes);
        assert!((0.0..=1.0).contains(&machine.others));
    }

    #[test]
    fn nobody_holds_nothing() {
        assert_eq!(Gauge::new().weigh(u32::MAX - 1), None);
    }
}
