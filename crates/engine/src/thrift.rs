//! Memory that the app gives back: what the allocator keeps for later, and the pages
//! of programs and libraries that were needed to start and are not now.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rummage_pool::{PoolStatus, WorkerState};

use crate::shared::Shared;

/// Nothing has been done for so long: now it is worth it.
const IDLE: Duration = Duration::from_secs(60);

/// While something is being done it is worth it less often. What is in use comes
/// back within a few milliseconds.
const BUSY: Duration = Duration::from_secs(120);

/// How often it is looked whether anything is being done; the first time, when
/// starting is over.
const LOOK: Duration = Duration::from_secs(5);

/// Gives memory back after the start, now and then while the app works, and once
/// in each idle time, until told to stop.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop();
    let pool = shared.pool.status();
    let (mut done, mut since) = (None, Instant::now());
    let (mut last, mut at_rest) = (None::<Instant>, false);
    loop {
        tokio::select! {
            () = stop.wait() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = jobs_at_rest(&pool.borrow());
        let busy = now.is_none() || now != done || shared.is_scanning();
        let is_due = if busy {
            (done, since, at_rest) = (now, Instant::now(), false);
            last.is_none_or(|at| at.elapsed() >= BUSY)
        } else {
            !at_rest && since.elapsed() >= IDLE
        };
        if is_due {
            (last, at_rest) = (Some(Instant::now()), !busy);
            let _ = tokio::task::spawn_blocking(give_back).await;
        }
    }
}

/// Leases done by the workers that are there; `None` while one is at work.
fn jobs_at_rest(status: &PoolStatus) -> Option<u64> {
    let rests = |state| matches!(state, WorkerState::Idle | WorkerState::Retiring);
    let at_rest = status.workers.iter().all(|worker| rests(worker.state));
    at_rest.then(|| status.workers.iter().map(|worker| worker.jobs).sum())
}

#[cfg(target_os = "linux")]
fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: looks through the allocator's own lists under its own locks.
    unsafe {
        libc::malloc_trim(0);
    }
    // SAFETY: the callback has the type that is asked for, and needs no data. The
    // loader's lock is held meanwhile: nothing is loaded or unloaded.
    unsafe {
        libc::dl_iterate_phdr(Some(give_back_clean_pages), std::ptr::null_mut());
    }
}

#[cfg(not(target_os = "linux"))]
fn give_back() {}

/// Lets go of the pages of one program or library that hold what its file holds:
/// those of segments that nobody may write to. Whoever touches them again gets the
/// same bytes from the file, mostly still in the system's cache.
///
/// What the loader writes addresses into lies in segments that were writable, and
/// is left alone, though it can only be read by now.
#[cfg(target_os = "linux")]
unsafe extern "C" fn give_back_clean_pages(
    info: *mut libc::dl_phdr_info,
    _: libc::size_t,
    _: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the loader hands over a filled-in structure, and the table it names
    // is mapped as long as its lock is held.
    unsafe {
        let info = &*info;
        if !info.dlpi_phdr.is_null() {
            let segments = std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum));
            let page = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap_or(4096);
            for segment in segments {
                if segment.p_type == libc::PT_LOAD && segment.p_flags & libc::PF_W == 0 {
                    let start = info.dlpi_addr as usize + segment.p_vaddr as usize;
                    let end = start + segment.p_filesz as usize;
                    // Whole pages only: the last one may be shared with the next
                    // segment.
                    let (start, end) = (start.next_multiple_of(page), end / page * page);
                    if start < end {
                        libc::madvise(start as *mut _, end - start, libc::MADV_DONTNEED);
                    }
                }
            }
        }
    }
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Pages of this process that are in memory and of files.
    fn file_pages() -> u64 {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split_whitespace().nth(2).unwrap().parse().unwrap()
    }

    #[test]
    fn what_is_given_back_comes_again() {
        let words: Vec<String> = (0..1000).map(|n| format!("{n}")).collect();
        let before = file_pages();
        give_back();
        assert!(file_pages() < before, "{before}");
        assert_eq!(words, (0..1000).map(|n| format!("{n}")).collect::<Vec<_>>());
    }
}
