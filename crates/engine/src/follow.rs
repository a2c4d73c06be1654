//! From folders to the queue: scans what is followed, at the start and when told
//! that something changed, and writes what it met into the catalog.

use std::{
    collections::HashSet,
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
use tokio::sync::mpsc;

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

/// The same where changes cannot be watched at all.
const RECONCILE_UNWATCHED: Duration = Duration::from_secs(120);

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
    let mut unwatched = following == Following::Live && watcher.is_none();
    // Roots whose announced first scan waits for the watcher.
    let mut awaited = HashSet::new();
    loop {
        let interval = if unwatched { RECONCILE_UNWATCHED } else { RECONCILE };
        tokio::select! {
            () = stop.wait() => return,
            Some(call) = calls.recv() => match call {
                Call::Add(root) => {
                    // The watcher asks for the scan once it has set its watch, so
                    // that nothing falls between the two.
                    if let Some(watcher) = &watcher {
                        watcher.add(root.path.as_path());
                        if !awaited.insert(root.path) {
                            shared.scan_ended();
                        }
                    } else {
                        scan_root(&shared, root).await;
                        shared.scan_ended();
                    }
                }
                Call::Remove(path) => {
                    if let Some(watcher) = &watcher {
                        watcher.remove(path.as_path());
                    }
                    if awaited.remove(&path) {
                        shared.scan_ended();
                    }
                }
                Call::Rules => {
                    if let Some(watcher) = &watcher {
                        watcher.set_rules(rules(&shared));
                    }
                    scan_all(&shared).await;
                    shared.scan_ended();
                }
            },
            Some(change) = changes.recv() => match change {
                Change::Rescan { root, .. } => {
                    rescan(&shared, &root).await;
                    if awaited.remove(&root) {
                        shared.scan_ended();
                    }
                }
                Change::Touched { root, paths } => touched(&shared, &root, paths).await,
                Change::Limited { root, error } => {
                    unwatched = true;
                    shared.problems.set(
                        ProblemKind::Watching,
                        error.to_string(),
                        "Until then Rummage looks at the folder every two minutes.".to_owned(),
                    );
                    rescan(&shared, &root).await;
                    if awaited.remove(&root) {
                        shared.scan_ended();
                    }
                }
            },
            () = tokio::time::sleep(interval), if following == Following::Live => {
                scan_all(&shared).await;
            }
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

async fn rescan(shared: &Arc<Shared>, path: &SourcePath) {
    // A root may have been removed since its change was told.
    let roots = shared.catalog.roots().unwrap_or_default();
    if let Some(root) = roots.into_iter().find(|root| root.path == *path) {
        scan_root(shared, root).await;
    }
}

async fn scan_all(shared: &Arc<Shared>) {
    for root in shared.catalog.roots().unwrap_or_default() {
        scan_root(shared, root).await;
    }
}

/// Scans one root on a thread for blocking work; failures become its state or a
/// standing problem.
async fn scan_root(shared: &Arc<Shared>, root: Root) {
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
        Ok(())
    })
    .await;
    report(shared, scanned);
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
    })
    .await;
    report(shared, looked);
}

fn report(shared: &Shared, done: Result<Result<(), CatalogError>, tokio::task::JoinError>) {
    match done {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            shared.problems.set_error(ProblemKind::Writing, &EngineError::from(error));
        }
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
    shared.wake();
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
    let retired =
        shared.catalog.retire_unseen(root.id, &folder.unwrap_or(root_path).into(), &seen)?;
    shared.counters.removed.fetch_add(retired, Relaxed);
    Ok(())
}

fn look_again(shared: &Shared, root: &Root, paths: &[SourcePath]) -> Result<(), Failure> {
    let rules = rules(shared);
    let mut lookout = Lookout::new(root.path.as_path(), &rules);
    for path in paths {
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
        self.shared.counters.seen.fetch_add(group.len() as u64, Relaxed);
        match self.shared.catalog.observe(self.root.id, &group, &mut self.seen) {
            Ok(Some(observed)) => {
                self.shared.counters.unchanged.fetch_add(observed.unchanged, Relaxed);
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
