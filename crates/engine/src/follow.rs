//! From folders to the queue: scans what is followed, at the start and when told
//! that something changed, and writes what it met into the catalog.

use std::{
    collections::HashSet,
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use rummage_catalog::{CatalogError, Observation, Root, SeenFiles, Stamp};
use rummage_corpus::SourcePath;
use rummage_watch::{
    Change, Found, Lookout, Pace, Rules, Seen, WatchError, Watcher, scan, scan_below,
};
use tokio::{sync::mpsc, time::Instant};

use crate::{EngineError, problem::ProblemKind, shared::Shared};

/// What the task that follows is told.
#[derive(Debug)]
pub(crate) enum Call {
    /// Follow this root from now on. A scan of it was announced.
    Add(Root),
    Remove(SourcePath),
    /// The ignore rules have changed. A scan of every root was announced.
    Rules,
}

/// Whether changes are followed as they happen, or each root is scanned once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Following {
    Live,
    Once,
}

/// What was met is written down in groups of this many.
const GROUP: usize = 1000;

/// Every root is scanned again after this long, for changes that no watch told.
const RECONCILE: Duration = Duration::from_secs(3600);

/// The same where changes cannot be watched, a root is away or a scan failed.
const RECONCILE_SOON: Duration = Duration::from_secs(120);

/// Changes are told when a path was quiet for this long, and after the second at
/// the latest.
const PACE: Pace = Pace { quiet: Duration::from_millis(300), at_most: Duration::from_secs(2) };

pub(crate) async fn run(
    shared: Arc<Shared>,
    mut calls: mpsc::Receiver<Call>,
    following: Following,
) {
    let mut stop = shared.stop();
    let (watcher, mut changes) = match following {
        Following::Live => start_watcher(&shared),
        Following::Once => (None, mpsc::channel(1).1),
    };
    let mut task = Follower {
        unwatched: following == Following::Live && watcher.is_none(),
        shared,
        watcher,
        awaited: HashSet::new(),
    };
    let mut next = Instant::now() + RECONCILE;
    loop {
        if task.needs_another_look() {
            next = next.min(Instant::now() + RECONCILE_SOON);
        }
        tokio::select! {
            () = stop.wait() => return,
            Some(call) = calls.recv() => task.obey(call).await,
            Some(change) = changes.recv() => task.notice(change).await,
            () = tokio::time::sleep_until(next), if following == Following::Live => {
                next = Instant::now() + RECONCILE;
                task.scan_all().await;
            }
        }
    }
}

struct Follower {
    shared: Arc<Shared>,
    watcher: Option<Watcher>,
    /// Some changes are not told as they happen.
    unwatched: bool,
    /// Roots whose announced first scan waits for the watcher.
    awaited: HashSet<SourcePath>,
}

impl Follower {
    async fn obey(&mut self, call: Call) {
        match call {
            Call::Add(root) => match &self.watcher {
                // The watcher asks for the scan once it has set its watch, so that
                // nothing falls between the two.
                Some(watcher) => {
                    watcher.add(root.path.as_path());
                    if !self.awaited.insert(root.path) {
                        self.shared.scan_ended();
                    }
                }
                None => {
                    self.scan(root).await;
                    self.shared.scan_ended();
                }
            },
            Call::Remove(path) => {
                if let Some(watcher) = &self.watcher {
                    watcher.remove(path.as_path());
                }
                self.first_scan_ended(&path);
            }
            Call::Rules => {
                if let Some(watcher) = &self.watcher {
                    watcher.set_rules(rules(&self.shared));
                }
                self.scan_all().await;
                self.shared.scan_ended();
            }
        }
    }

    async fn notice(&mut self, change: Change) {
        match change {
            Change::Touched { root, paths } => touched(&self.shared, &root, paths).await,
            Change::Rescan { root, .. } => {
                self.scan_at(&root).await;
                self.first_scan_ended(&root);
            }
            Change::Limited { root, error } => {
                self.unwatched = true;
                self.shared.problems.set(
                    ProblemKind::Watching,
                    error.to_string(),
                    "Meanwhile Rummage looks at its folders every two minutes.".to_owned(),
                );
                self.scan_at(&root).await;
                self.first_scan_ended(&root);
            }
        }
    }

    fn first_scan_ended(&mut self, root: &SourcePath) {
        if self.awaited.remove(root) {
            self.shared.scan_ended();
        }
    }

    fn needs_another_look(&self) -> bool {
        let roots = self.shared.catalog.roots().unwrap_or_default();
        self.unwatched
            || roots.iter().any(|root| root.away.is_some())
            || self.shared.problems.stands(ProblemKind::Scanning)
    }

    async fn scan_all(&self) {
        for root in self.shared.catalog.roots().unwrap_or_default() {
            self.scan(root).await;
        }
    }

    /// Scans the root at that path, if it is still followed.
    async fn scan_at(&self, path: &SourcePath) {
        let roots = self.shared.catalog.roots().unwrap_or_default();
        if let Some(root) = roots.into_iter().find(|root| root.path == *path) {
            self.scan(root).await;
        }
    }

    /// A root that was away lost its watch; it is set anew when the root is back.
    async fn scan(&self, root: Root) {
        let path = root.path.clone();
        if scan_root(&self.shared, root).await
            && let Some(watcher) = &self.watcher
        {
            watcher.add(path.as_path());
        }
    }
}

fn start_watcher(shared: &Shared) -> (Option<Watcher>, mpsc::Receiver<Change>) {
    match Watcher::start(std::iter::empty::<PathBuf>(), rules(shared), PACE) {
        Ok((watcher, changes)) => (Some(watcher), changes),
        Err(error) => {
            shared.problems.set(ProblemKind::Watching, error.to_string(), String::new());
            (None, mpsc::channel(1).1)
        }
    }
}

/// The app-wide rules; a pattern that cannot be read becomes a standing problem.
pub(crate) fn rules(shared: &Shared) -> Rules {
    let (rules, errors) = Rules::new(&shared.settings.borrow().files.ignore);
    if let Some(error) = errors.first() {
        shared.problems.set(
            ProblemKind::Settings,
            error.to_string(),
            format!("Mend it in the settings or in {}.", shared.folder.settings().display()),
        );
    }
    rules
}

/// Scans one root on a thread for blocking work; failures become its state or a
/// standing problem. Says whether the root was away and is back.
async fn scan_root(shared: &Arc<Shared>, root: Root) -> bool {
    let _clock = shared.counters.scan.enter();
    let scanning = shared.clone();
    let scanned = tokio::task::spawn_blocking(move || {
        let away = match reconcile(&scanning, &root, None) {
            Ok(()) => None,
            Err(Failure::Root(error)) => Some(error.to_string()),
            Err(Failure::Catalog(error)) => return Err(error),
        };
        if away != root.away {
            scanning.catalog.set_away(root.id, away.as_deref())?;
        }
        Ok(root.away.is_some() && away.is_none())
    });
    told(shared, scanned.await).unwrap_or(false)
}

/// Looks again at the paths that changed below a root.
async fn touched(shared: &Arc<Shared>, path: &SourcePath, paths: Vec<SourcePath>) {
    let roots = shared.catalog.roots().unwrap_or_default();
    let Some(root) = roots.into_iter().find(|root| root.path == *path) else { return };
    let looking = shared.clone();
    let looked = tokio::task::spawn_blocking(move || match look_again(&looking, &root, &paths) {
        Ok(()) => Ok(()),
        Err(Failure::Root(error)) => looking.catalog.set_away(root.id, Some(&error.to_string())),
        Err(Failure::Catalog(error)) => Err(error),
    });
    told(shared, looked.await);
}

/// What came of it; a failure becomes a standing problem, a success clears it.
fn told<T>(
    shared: &Shared,
    done: Result<Result<T, CatalogError>, tokio::task::JoinError>,
) -> Option<T> {
    let done = done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    let done = match done {
        Ok(done) => {
            shared.problems.clear(ProblemKind::Scanning);
            Some(done)
        }
        Err(error) => {
            shared.problems.set_error(ProblemKind::Scanning, &EngineError::from(error));
            None
        }
    };
    shared.wake();
    done
}

enum Failure {
    /// The root itself cannot be looked at: what is known of it stays.
    Root(WatchError),
    Catalog(CatalogError),
}

impl From<WatchError> for Failure {
    fn from(error: WatchError) -> Self {
        Self::Root(error)
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        Self::Catalog(error)
    }
}

/// Makes the catalog agree with what lies below `folder`, or the whole root.
fn reconcile(shared: &Shared, root: &Root, folder: Option<&Path>) -> Result<(), Failure> {
    let rules = rules(shared);
    let stop = shared.stop();
    let mut intake = Intake::new(shared, root);
    let mut on = |found| {
        if stop.is_set() {
            return ControlFlow::Break(());
        }
        intake.take(found)
    };
    let root_path = root.path.as_path();
    match folder {
        None => scan(root_path, &rules, &mut on)?,
        Some(folder) => scan_below(root_path, folder, &rules, &mut on)?,
    }
    if stop.is_set() {
        // Half a scan says nothing about what it did not meet.
        return Ok(());
    }
    let Some(seen) = intake.finish()? else { return Ok(()) };
    if folder.is_none() && is_empty_mount_point(shared, root)? {
        return Err(Failure::Root(WatchError::RootGone {
            root: root_path.to_owned(),
            source: io::Error::new(io::ErrorKind::NotFound, "its disk is not there"),
        }));
    }
    let retired =
        shared.catalog.retire_unseen(root.id, &folder.unwrap_or(root_path).into(), &seen)?;
    shared.counters.removed.fetch_add(retired, Relaxed);
    Ok(())
}

/// A disk that is not there leaves an empty folder of another disk in its place.
fn is_empty_mount_point(shared: &Shared, root: &Root) -> Result<bool, CatalogError> {
    let path = root.path.as_path();
    let is_empty = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    let Some(known) = shared.catalog.device_of(root.id)?.filter(|_| is_empty) else {
        return Ok(false);
    };
    Ok(device(path).is_some_and(|device| device != known))
}

#[cfg(unix)]
fn device(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|metadata| std::os::unix::fs::MetadataExt::dev(&metadata))
}

#[cfg(not(unix))]
fn device(_: &Path) -> Option<u64> {
    None
}

fn look_again(shared: &Shared, root: &Root, paths: &[SourcePath]) -> Result<(), Failure> {
    let rules = rules(shared);
    let mut lookout = Lookout::new(root.path.as_path(), &rules);
    let own = shared.folder.path();
    for path in paths.iter().filter(|path| !path.as_path().starts_with(own)) {
        match lookout.look(path.as_path())? {
            Seen::Folder => reconcile(shared, root, Some(path.as_path()))?,
            Seen::Nothing => {
                let retired = shared.catalog.retire_path(path)?;
                shared.counters.removed.fetch_add(retired, Relaxed);
            }
            Seen::File(stamp) => {
                let mut intake = Intake::new(shared, root);
                let _ = intake.take(Found::File { path: path.clone(), stamp });
                intake.finish()?;
            }
            Seen::Unreadable(error) => {
                let mut intake = Intake::new(shared, root);
                let _ = intake.take(Found::Unreadable { path: path.clone(), error });
                intake.finish()?;
            }
        }
    }
    Ok(())
}

/// Writes what a scan meets into the catalog, in groups.
struct Intake<'a> {
    shared: &'a Shared,
    root: &'a Root,
    group: Vec<Observation>,
    seen: SeenFiles,
    failed: Option<CatalogError>,
    /// The root is no longer followed.
    unwanted: bool,
}

impl<'a> Intake<'a> {
    fn new(shared: &'a Shared, root: &'a Root) -> Self {
        Self {
            shared,
            root,
            group: Vec::new(),
            seen: SeenFiles::default(),
            failed: None,
            unwanted: false,
        }
    }

    fn take(&mut self, found: Found) -> ControlFlow<()> {
        // Rummage's own data may lie in a followed folder: it must not feed on itself.
        if found.path().as_path().starts_with(self.shared.folder.path()) {
            return ControlFlow::Continue(());
        }
        self.group.push(match found {
            Found::File { path, stamp } => Observation::File {
                path,
                stamp: Stamp {
                    bytes: stamp.bytes,
                    modified_ns: stamp.modified_ns,
                    inode: stamp.inode,
                    device: stamp.device,
                },
            },
            Found::Unreadable { path, error } => {
                let reason = format!("it cannot be read ({error}): check who may read it");
                Observation::Unreadable { path, reason }
            }
        });
        if self.group.len() >= GROUP {
            self.write();
        }
        if self.failed.is_some() || self.unwanted {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn write(&mut self) {
        let group = std::mem::take(&mut self.group);
        match self.shared.catalog.observe(self.root.id, &group, &mut self.seen) {
            Ok(Some(observed)) => {
                let counters = &self.shared.counters;
                counters.seen.fetch_add(group.len() as u64, Relaxed);
                counters.unchanged.fetch_add(observed.unchanged, Relaxed);
                counters.failed.fetch_add(observed.unreadable, Relaxed);
                if observed.queued > 0 {
                    self.shared.wake();
                }
            }
            Ok(None) => self.unwanted = true,
            Err(error) => self.failed = Some(error),
        }
    }

    /// All that was met; `None` where the root is no longer followed.
    fn finish(mut self) -> Result<Option<SeenFiles>, CatalogError> {
        self.write();
        match self.failed {
            Some(error) => Err(error),
            None => Ok((!self.unwanted).then_some(self.seen)),
        }
    }
}
