//! What has happened and was not told yet. Bounded and pure: no clock, no
//! thread, no channel.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rummage_corpus::SourcePath;

use crate::{Change, RescanReason, WatchError};

/// Paths kept for a root before they become one rescan. A scan of a folder of
/// ordinary size costs less than looking at more paths one by one.
const MAX_PATHS: usize = 4096;

/// How long to wait for more before telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Told once nothing has happened for this long.
    pub quiet: Duration,
    /// Told at the latest this long after the first thing happened.
    pub at_most: Duration,
}

impl Default for Pace {
    /// A program that saves in several steps is done in 300 ms; a person who
    /// waits for a file to be found still takes 2 s for prompt.
    fn default() -> Self {
        Self { quiet: Duration::from_millis(300), at_most: Duration::from_secs(2) }
    }
}

/// Invariant: no root has more than [`MAX_PATHS`] paths, and none beside a rescan.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    roots: BTreeMap<PathBuf, Untold>,
    /// When the first and the last thing happened; `None` while there is nothing to tell.
    since: Option<(Instant, Instant)>,
}

#[derive(Debug, Default)]
struct Untold {
    limited: Option<WatchError>,
    rescan: Option<RescanReason>,
    paths: BTreeSet<PathBuf>,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    pub(crate) fn touch(&mut self, root: &Path, path: PathBuf, now: Instant) {
        let untold = self.untold(root, now);
        if untold.rescan.is_some() {
            return;
        }
        untold.paths.insert(path);
        if untold.paths.len() > MAX_PATHS {
            untold.rescan_for(RescanReason::Backlog);
        }
    }

    pub(crate) fn rescan(&mut self, root: &Path, reason: RescanReason, now: Instant) {
        self.untold(root, now).rescan_for(reason);
    }

    pub(crate) fn limit(&mut self, root: &Path, error: WatchError, now: Instant) {
        self.untold(root, now).limited = Some(error);
    }

    pub(crate) fn forget(&mut self, root: &Path) {
        self.roots.remove(root);
        self.settle();
    }

    /// When the next change is to be told.
    pub(crate) fn due(&self, pace: Pace) -> Option<Instant> {
        self.since.map(|(first, last)| (last + pace.quiet).min(first + pace.at_most))
    }

    /// One change, taken out.
    pub(crate) fn take(&mut self) -> Option<Change> {
        let mut entry = self.roots.first_entry()?;
        let root = SourcePath::new(entry.key().clone());
        let untold = entry.get_mut();
        let change = if let Some(error) = untold.limited.take() {
            Change::Limited { root, error }
        } else if let Some(reason) = untold.rescan.take() {
            Change::Rescan { root, reason }
        } else {
            Change::Touched { root, paths: topmost(std::mem::take(&mut untold.paths)) }
        };
        if untold.rescan.is_none() && untold.paths.is_empty() {
            entry.remove();
        }
        self.settle();
        Some(change)
    }

    fn untold(&mut self, root: &Path, now: Instant) -> &mut Untold {
        let first = self.since.map_or(now, |(first, _)| first);
        self.since = Some((first, now));
        self.roots.entry(root.to_owned()).or_default()
    }

    fn settle(&mut self) {
        if self.roots.is_empty() {
            self.since = None;
        }
    }
}

impl Untold {
    fn rescan_for(&mut self, reason: RescanReason) {
        self.paths.clear();
        self.rescan.get_or_insert(reason);
    }
}

/// Without the paths below another of them: whoever looks at a folder scans below it.
fn topmost(paths: BTreeSet<PathBuf>) -> Vec<SourcePath> {
    let mut kept: Vec<SourcePath> = Vec::new();
    // In their order a path comes right before all that lies below it.
    for path in paths {
        if !kept.last().is_some_and(|above| path.starts_with(above)) {
            kept.push(path.into());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "/root";

    fn touched(pending: &mut Pending, paths: &[&str]) {
        for path in paths {
            pending.touch(Path::new(ROOT), path.into(), Instant::now());
        }
    }

    fn check_paths(input: &[&str], expected: &[&str]) {
        let mut pending = Pending::default();
        touched(&mut pending, input);
        match pending.take() {
            Some(Change::Touched { paths, .. }) => {
                assert_eq!(paths, expected.iter().map(SourcePath::new).collect::<Vec<_>>());
            }
            other => panic!("{other:?}"),
        }
        assert!(pending.is_empty());
    }

    #[test]
    fn a_path_is_told_once_and_not_beside_its_folder() {
        check_paths(&["/root/b", "/root/a", "/root/b"], &["/root/a", "/root/b"]);
        check_paths(&["/root/a/b", "/root/a", "/root/a.b"], &["/root/a", "/root/a.b"]);
    }

    #[test]
    fn too_many_paths_become_one_rescan_and_stay_one() {
        let mut pending = Pending::default();
        for number in 0..=MAX_PATHS {
            touched(&mut pending, &[&format!("/root/{number}")]);
        }
        touched(&mut pending, &["/root/later"]);
        let told = pending.take();
        assert!(
            matches!(told, Some(Change::Rescan { reason: RescanReason::Backlog, .. })),
            "{told:?}"
        );
        assert!(pending.take().is_none());
    }

    #[test]
    fn a_limit_is_told_beside_the_rescan() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        pending.rescan(Path::new(ROOT), RescanReason::Overflow, now);
        pending.limit(Path::new(ROOT), WatchError::RootKind { root: ROOT.into() }, now);
        assert!(matches!(pending.take(), Some(Change::Limited { .. })));
        assert!(matches!(pending.take(), Some(Change::Rescan { .. })));
        assert!(pending.take().is_none());
    }

    #[test]
    fn it_waits_for_quiet_but_not_for_ever() {
        let pace = Pace { quiet: Duration::from_millis(300), at_most: Duration::from_secs(2) };
        let (mut pending, start) = (Pending::default(), Instant::now());
        assert_eq!(pending.due(pace), None);
        for tenth in 0..30 {
            let now = start + Duration::from_millis(tenth * 100);
            pending.touch(Path::new(ROOT), "/root/a".into(), now);
            assert_eq!(pending.due(pace), Some((now + pace.quiet).min(start + pace.at_most)));
        }
        pending.forget(Path::new(ROOT));
        assert_eq!(pending.due(pace), None);
    }
}
