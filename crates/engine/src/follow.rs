//! When folders are looked through: at the start, when told that something changed,
//! now and then where nobody tells, and when failures are due again. What a look
//! meets is [`intake`](crate::intake)'s.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use rummage_catalog::{CatalogError, Root};
use rummage_corpus::SourcePath;
use rummage_watch::{Change, Pace, RescanReason, Rules, Watcher};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    EngineError,
    away::Looks,
    clock,
    intake::{Failure, look_again, reconcile},
    problem::ProblemKind,
    shared::Shared,
};

/// What the task that follows is told.
#[derive(Debug)]
pub(crate) enum Call {
    /// Follow this root from now on. A scan of it was announced. `eager`: a person
    /// asked for it, so that failures are tried again.
    Add {
        root: Root,
        eager: bool,
    },
    Remove(SourcePath),
    /// The ignore rules have changed, or folders are to be looked at again. A scan of
    /// every root was announced.
    Rules,
}

/// Whether changes are followed as they happen, or each root is scanned once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Following {
    Live,
    Once,
}

/// Every root is scanned again after this long, for changes that no watch told.
const RECONCILE: Duration = Duration::from_secs(3600);

/// The same where changes cannot be watched, a root is away or a scan failed.
const RECONCILE_SOON: Duration = Duration::from_secs(120);

/// Whether a root that was away is back is asked this often: a disk that was plugged
/// in is to be followed while its owner still looks.
const LOOK_FOR_AWAY: Duration = Duration::from_secs(3);

/// Failures that are due again are looked for at least this often: while the machine
/// sleeps, the time of day goes on and timers do not.
const LOOK_FOR_DUE: Duration = Duration::from_secs(300);

/// Changes are told when a path was quiet for this long, and after the second at
/// the latest: a deleted file is to leave the results within a second, even while
/// others keep changing.
const PACE: Pace = Pace { quiet: Duration::from_millis(200), at_most: Duration::from_millis(700) };

pub(crate) async fn run(
    shared: Arc<Shared>,
    mut calls: mpsc::Receiver<Call>,
    following: Following,
) {
    let mut stop = shared.stop();
    let (watcher, mut changes, unwatched) = match following {
        Following::Live => start_watcher(&shared),
        Following::Once => (None, mpsc::channel(1).1, None),
    };
    let mut task =
        Follower { unwatched, shared, watcher, awaited: HashMap::new(), looks: Looks::default() };
    let mut next = Instant::now() + RECONCILE;
    let mut look_for_away = interval(LOOK_FOR_AWAY);
    look_for_away.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let away = task.any_away();
        if away || task.needs_another_look() {
            next = next.min(Instant::now() + RECONCILE_SOON);
        }
        let due = task.retry_due();
        tokio::select! {
            () = stop.wait() => return,
            Some(call) = calls.recv() => task.obey(call).await,
            Some(change) = changes.recv() => task.notice(change).await,
            () = tokio::time::sleep_until(next), if following == Following::Live => {
                next = Instant::now() + RECONCILE;
                task.scan_all(false).await;
            }
            _ = look_for_away.tick(), if away && following == Following::Live => {
                task.look_for_away();
            }
            Some(back) = task.looks.next() => task.scan_at(&back, true).await,
            () = tokio::time::sleep(due), if following == Following::Live => {}
        }
    }
}

struct Follower {
    shared: Arc<Shared>,
    watcher: Option<Watcher>,
    /// Why no change is told as it happens, if so.
    unwatched: Option<String>,
    /// Roots whose announced first scan waits for the watcher, and whether that is
    /// to be an eager one.
    awaited: HashMap<SourcePath, bool>,
    looks: Looks,
}

impl Follower {
    async fn obey(&mut self, call: Call) {
        match call {
            Call::Add { root, eager } => match &self.watcher {
                // The watcher asks for the scan once it has set its watch, so that
                // nothing falls between the two.
                Some(watcher) => {
                    watcher.add(root.path.as_path());
                    let before = self.awaited.remove(&root.path);
                    if before.is_some() {
                        self.shared.scan_ended();
                    }
                    self.awaited.insert(root.path, eager || before == Some(true));
                }
                None => {
                    if let Some(why) = &self.unwatched {
                        self.shared.limited().insert(root.path.clone(), why.clone());
                    }
                    self.scan(root, eager).await;
                    self.shared.scan_ended();
                }
            },
            Call::Remove(path) => {
                if let Some(watcher) = &self.watcher {
                    watcher.remove(path.as_path());
                }
                self.first_scan_ended(&path);
                self.is_followed_again(&path);
            }
            Call::Rules => {
                if let Some(watcher) = &self.watcher {
                    watcher.set_rules(rules(&self.shared));
                }
                self.scan_all(true).await;
                self.shared.scan_ended();
            }
        }
    }

    async fn notice(&mut self, change: Change) {
        match change {
            Change::Touched { root, paths } => touched(&self.shared, &root, paths).await,
            Change::Rescan { root, reason } => {
                if matches!(reason, RescanReason::Started | RescanReason::Renewed) {
                    self.is_followed_again(&root);
                }
                self.first_scan(&root).await;
            }
            Change::Limited { root, error } => {
                self.shared.limited().insert(root.clone(), error.to_string());
                self.shared.problems.set(
                    ProblemKind::Watching,
                    error.to_string(),
                    "Meanwhile Rummage looks at its folders every two minutes.".to_owned(),
                );
                self.first_scan(&root).await;
            }
        }
    }

    async fn first_scan(&mut self, root: &SourcePath) {
        let eager = self.awaited.get(root).copied().unwrap_or(false);
        self.scan_at(root, eager).await;
        self.first_scan_ended(root);
    }

    fn first_scan_ended(&mut self, root: &SourcePath) {
        if self.awaited.remove(root).is_some() {
            self.shared.scan_ended();
        }
    }

    fn is_followed_again(&mut self, root: &SourcePath) {
        let mut limited = self.shared.limited();
        if limited.remove(root).is_some() && limited.is_empty() && self.unwatched.is_none() {
            self.shared.problems.clear(ProblemKind::Watching);
            self.shared.touch();
        }
    }

    /// Queues the failures that are due; how long it is until the next ones are.
    fn retry_due(&self) -> Duration {
        let now = clock::now();
        if self.shared.catalog.retry_due(now).is_ok_and(|queued| queued > 0) {
            self.shared.wake();
        }
        let next = self.shared.catalog.next_try().ok().flatten();
        let wait = next
            .map_or(LOOK_FOR_DUE, |next| Duration::from_secs((next - now).max(1).unsigned_abs()));
        wait.min(LOOK_FOR_DUE)
    }

    fn any_away(&self) -> bool {
        let roots = self.shared.catalog.roots().unwrap_or_default();
        roots.iter().any(|root| root.away.is_some())
    }

    fn needs_another_look(&self) -> bool {
        self.unwatched.is_some()
            || !self.shared.limited().is_empty()
            || self.shared.problems.stands(ProblemKind::Scanning)
    }

    fn look_for_away(&mut self) {
        let roots = self.shared.catalog.roots().unwrap_or_default();
        for root in roots.into_iter().filter(|root| root.away.is_some()) {
            self.looks.begin(root.path);
        }
    }

    async fn scan_all(&self, eager: bool) {
        for root in self.shared.catalog.roots().unwrap_or_default() {
            // A scan would wait where a look already does.
            if !self.looks.is_looking_at(&root.path) {
                self.scan(root, eager).await;
            }
        }
    }

    /// Scans the root at that path, if it is still followed.
    async fn scan_at(&self, path: &SourcePath, eager: bool) {
        let roots = self.shared.catalog.roots().unwrap_or_default();
        if let Some(root) = roots.into_iter().find(|root| root.path == *path) {
            self.scan(root, eager).await;
        }
    }

    /// A root that was away lost its watch; it is set anew when the root is back.
    async fn scan(&self, root: Root, eager: bool) {
        let path = root.path.clone();
        // What failed because its root was away is read now.
        let eager = eager || root.away.is_some();
        if scan_root(&self.shared, root, eager).await
            && let Some(watcher) = &self.watcher
        {
            watcher.add(path.as_path());
        }
    }
}

/// The watcher and what it tells, or why there is none.
fn start_watcher(shared: &Shared) -> (Option<Watcher>, mpsc::Receiver<Change>, Option<String>) {
    match Watcher::start(std::iter::empty::<PathBuf>(), rules(shared), PACE) {
        Ok((watcher, changes)) => (Some(watcher), changes, None),
        Err(error) => {
            shared.problems.set(ProblemKind::Watching, error.to_string(), String::new());
            (None, mpsc::channel(1).1, Some(error.to_string()))
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
async fn scan_root(shared: &Arc<Shared>, root: Root, eager: bool) -> bool {
    let _clock = shared.counters.scan.enter();
    let scanning = shared.clone();
    let scanned = tokio::task::spawn_blocking(move || {
        let away = match reconcile(&scanning, &root, None, eager) {
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
