//! Memory that an idle app gives back: what the allocator keeps for later, and the
//! pages of programs and libraries that were needed to start and are not now.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rummage_pool::{PoolStatus, WorkerState};

use crate::shared::Shared;

/// Nothing has been done for so long: now it is worth it.
const IDLE: Duration = Duration::from_secs(60);

/// How often it is looked whether anything is being done.
const LOOK: Duration = Duration::from_secs(15);

/// Gives memory back once in each idle time, until told to stop.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop();
    let pool = shared.pool.status();
    let (mut done, mut since) = (0, Instant::now());
    let mut given_back = false;
    loop {
        tokio::select! {
            () = stop.wait() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = jobs(&pool.borrow());
        if now != Some(done) || shared.is_scanning() {
            (done, since) = (now.unwrap_or_default(), Instant::now());
            given_back = false;
        } else if !given_back && since.elapsed() >= IDLE {
            given_back = true;
            let _ = tokio::task::spawn_blocking(give_back).await;
        }
    }
}

/// Passages and files done by all workers so far; `None` while one is at work.
fn jobs(status: &PoolStatus) -> Option<u64> {
    let rests = |state| matches!(state, WorkerState::Idle | WorkerState::Retiring);
    let at_rest = status.workers.iter().all(|worker| rests(worker.state));
    at_rest.then_some(status.embedded + status.extracted)
}

#[cfg(target_os = "linux")]
fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: looks through the allocator's own lists under its own locks.
    unsafe {
        libc::malloc_trim(0);
    }
    let Ok(smaps) = std::fs::read_to_string("/proc/self/smaps") else { return };
    for (address, bytes) in clean_file_mappings(&smaps) {
        // SAFETY: the mapping is of a file, cannot be written to and holds no page
        // of its own: whoever touches it again gets the same bytes from the file.
        // Should it have made way for another since, then for one that a library
        // was loaded to or a file was mapped to, of which the same holds: what
        // is written to comes without a file's name, by the allocator.
        unsafe {
            libc::madvise(address as *mut libc::c_void, bytes, libc::MADV_DONTNEED);
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn give_back() {}

/// Addresses and sizes of the programs' and libraries' mappings that hold nothing
/// but what their files hold.
#[cfg(any(test, target_os = "linux"))]
fn clean_file_mappings(smaps: &str) -> Vec<(usize, usize)> {
    let mut mappings = Vec::new();
    let mut current = None;
    for line in smaps.lines() {
        if let Some(mapping) = mapping(line) {
            current = mapping;
        } else if line.starts_with("Anonymous:")
            && line.split_whitespace().nth(1) == Some("0")
            && let Some(clean) = current.take()
        {
            mappings.push(clean);
        }
    }
    mappings
}

/// The head line of a mapping: `Some(None)` for one that is not to be touched,
/// `None` for any other line.
#[cfg(any(test, target_os = "linux"))]
fn mapping(line: &str) -> Option<Option<(usize, usize)>> {
    let mut words = line.split_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let from = usize::from_str_radix(from, 16).ok()?;
    let to = usize::from_str_radix(to, 16).ok()?;
    let permissions = words.next()?;
    let path = words.nth(3).unwrap_or_default();
    let is_of_file = matches!(permissions, "r-xp" | "r--p") && path.starts_with('/');
    Some(is_of_file.then_some((from, to - from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_file_holds_is_given_back() {
        let smaps = "\
55d000-55e000 r--p 00000000 fe:00 12 /usr/bin/app
Anonymous:             0 kB
55e000-560000 r-xp 00001000 fe:00 12 /usr/bin/app
Rss:                   8 kB
Anonymous:             0 kB
55f000-560000 r--p 00002000 fe:00 12 /usr/bin/app
Anonymous:             4 kB
560000-561000 r-xp 00003000 fe:00 12 /usr/lib/patched.so
Anonymous:             4 kB
561000-562000 rw-p 00003000 fe:00 12 /usr/bin/app
Anonymous:             0 kB
562000-563000 r-xp 00000000 00:00 0
Anonymous:             0 kB
563000-564000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
";
        assert_eq!(clean_file_mappings(smaps), [(0x55d000, 0x1000), (0x55e000, 0x2000)]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_was_given_back_comes_again() {
        let before: Vec<u32> = (0..1000).map(|n| n * n).collect();
        give_back();
        assert_eq!(before, (0..1000).map(|n| n * n).collect::<Vec<u32>>());
        let held = std::fs::read_to_string("/proc/self/smaps").unwrap();
        assert!(!clean_file_mappings(&held).is_empty(), "the code is still mapped");
    }
}
