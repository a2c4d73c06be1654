//! Following roots: the system's reports, thinned and gathered, as a bounded
//! stream of [`Change`].
//!
//! Two threads meet here. The system's thread only notes what happened, in
//! memory that is bounded. The watcher's own thread sets watches and tells
//! changes once it has been quiet. Neither waits for the receiver: while the
//! channel is full, more is gathered, and too much becomes a rescan.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use notify::{
    Config, Event, EventKind, RecommendedWatcher,
    event::{AccessKind, AccessMode},
};
use rummage_corpus::SourcePath;
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};

use crate::{
    Pace, Rules, WatchError,
    pending::Pending,
    rules::is_ignore_file,
    watches::{Following, Root, Watches},
};

/// Changes told and not yet received. Each is a whole batch; the rest waits in
/// the watcher, where batches merge.
const CHANNEL_CHANGES: usize = 16;

/// How soon a full channel is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// What a caller is to do about a root.
#[derive(Debug)]
pub enum Change {
    /// Look at these paths again, in [`Lookout`](crate::Lookout)'s way. None lies
    /// below another.
    Touched { root: SourcePath, paths: Vec<SourcePath> },
    /// Scan the whole root: which paths changed is not known.
    Rescan { root: SourcePath, reason: RescanReason },
    /// The root, or part of it, is not followed from now on: scan it now and then.
    /// Adding it again tries again.
    Limited { root: SourcePath, error: WatchError },
}

/// Why a root must be scanned.
#[derive(Debug)]
pub enum RescanReason {
    /// The root was added and is followed from now on.
    Started,
    /// Its watch had to be set again, after a gap.
    Renewed,
    /// The system had more changes than it keeps.
    Overflow,
    /// More changed than is kept here until the receiver takes it.
    Backlog,
    /// The system could not say what changed.
    Fault(WatchError),
}

/// Follows roots until dropped. Dropping joins its thread.
#[derive(Debug)]
pub struct Watcher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Something for the watcher's thread to do.
    woken: Condvar,
}

#[derive(Debug)]
struct State {
    roots: Vec<Root>,
    roots_changed: bool,
    rules: Rules,
    pending: Pending,
    stopping: bool,
}

impl Watcher {
    /// Starts following. Every root is answered with one [`Change`] soon:
    /// [`Change::Rescan`], upon which the caller scans it without missing
    /// anything, or [`Change::Limited`].
    ///
    /// # Errors
    ///
    /// The system starts no further thread.
    pub fn start(
        roots: impl IntoIterator<Item = PathBuf>,
        rules: Rules,
        pace: Pace,
    ) -> Result<(Self, Receiver<Change>), WatchError> {
        let roots: Vec<_> = roots.into_iter().map(Root::new).collect();
        let state = State {
            roots_changed: !roots.is_empty(),
            roots,
            rules,
            pending: Pending::default(),
            stopping: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), woken: Condvar::new() });
        let (sender, receiver) = channel(CHANNEL_CHANGES);
        let thread = thread::Builder::new()
            .name("watch".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || shared.run(&sender, pace)
            })
            .map_err(|source| WatchError::Thread { source })?;
        Ok((Self { shared, thread: Some(thread) }, receiver))
    }

    /// Follows one more root, answered as in [`Watcher::start`]. Adding a root
    /// again sets its watch anew, as it must be once the folder was replaced.
    pub fn add(&self, root: &Path) {
        let root = Root::new(root.to_owned());
        self.shared.change(|state| {
            state.roots.retain(|other| other.given != root.given);
            state.roots.push(root);
            state.roots_changed = true;
        });
    }

    /// Follows a root no more. Changes told before may still be received.
    pub fn remove(&self, root: &Path) {
        self.shared.change(|state| {
            state.roots.retain(|other| other.given != root);
            state.roots_changed = true;
            state.pending.forget(root);
        });
    }

    /// From now on changes are thinned by these rules. What they newly let in is
    /// for the caller to scan.
    pub fn set_rules(&self, rules: Rules) {
        self.shared.change(|state| state.rules = rules);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.change(|state| state.stopping = true);
        if let Some(thread) = self.thread.take() {
            // A panic there was already reported by its thread.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the watcher's state panics")
    }

    fn change(&self, how: impl FnOnce(&mut State)) {
        how(&mut self.lock());
        self.woken.notify_one();
    }

    /// The watcher's own thread.
    fn run(self: &Arc<Self>, changes: &Sender<Change>, pace: Pace) {
        let mut watches = None;
        let mut state = self.lock();
        while !state.stopping && !changes.is_closed() {
            if std::mem::take(&mut state.roots_changed) {
                let roots = state.roots.clone();
                // A root that is added again meanwhile is fresh again.
                state.roots.iter_mut().for_each(Root::settle);
                // Setting a watch takes long in a large folder, and the system's
                // thread must be able to note events meanwhile.
                drop(state);
                let outcomes = self.follow(&mut watches, &roots);
                state = self.lock();
                state.tell(outcomes);
                continue;
            }
            let now = Instant::now();
            state = match state.pending.due(pace) {
                None => self.woken.wait(state).expect("no holder of the watcher's state panics"),
                Some(due) if due > now => self.wait(state, due - now),
                Some(_) => match changes.try_reserve() {
                    Ok(permit) => {
                        if let Some(change) = state.pending.take() {
                            permit.send(change);
                        }
                        state
                    }
                    Err(TrySendError::Full(())) => self.wait(state, RETRY),
                    Err(TrySendError::Closed(())) => return,
                },
            };
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        self.woken.wait_timeout(state, time).expect("no holder of the watcher's state panics").0
    }

    fn follow(
        self: &Arc<Self>,
        watches: &mut Option<Watches<RecommendedWatcher>>,
        roots: &[Root],
    ) -> Vec<(PathBuf, Following)> {
        if watches.is_none() {
            let shared = Arc::clone(self);
            let note = move |event| shared.note(event);
            // Links are not followed: what they lead to is another root's, or nobody's.
            let config = Config::default().with_follow_symlinks(false);
            match notify::Watcher::new(note, config) {
                Ok(system) => *watches = Some(Watches::new(system)),
                Err(error) => return all_failed(roots, error),
            }
        }
        watches.as_mut().map(|watches| watches.follow(roots)).unwrap_or_default()
    }

    /// The system's thread: what happened is noted and nothing is waited for.
    fn note(&self, event: notify::Result<Event>) {
        if event.as_ref().is_ok_and(|event| is_mere_reading(&event.kind)) {
            return;
        }
        let mut state = self.lock();
        let was_empty = state.pending.is_empty();
        state.note(event, Instant::now());
        // Later things only put off the time that the thread already waits for.
        if was_empty && !state.pending.is_empty() {
            self.woken.notify_one();
        }
    }
}

impl State {
    fn note(&mut self, event: notify::Result<Event>, now: Instant) {
        match event {
            Ok(event) if event.need_rescan() => {
                for root in affected(&self.roots, &event.paths) {
                    self.pending.rescan(&root.given, RescanReason::Overflow, now);
                }
            }
            Ok(event) => {
                for path in event.paths {
                    self.touch(&path, now);
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for root in affected(&self.roots, &error.paths) {
                    match WatchError::of_watch(root.given.clone(), Arc::clone(&error)) {
                        error @ WatchError::TooManyFolders { .. } => {
                            self.pending.limit(&root.given, error, now);
                        }
                        error => {
                            self.pending.rescan(&root.given, RescanReason::Fault(error), now);
                        }
                    }
                }
            }
        }
    }

    fn touch(&mut self, reported: &Path, now: Instant) {
        // A changed ignore file changes its whole folder.
        let reported = match reported.parent() {
            Some(folder) if is_ignore_file(reported) => folder,
            _ => reported,
        };
        for root in &self.roots {
            if let Some(path) = root.named(reported)
                && self.rules.allows(&root.given, &path, false)
            {
                self.pending.touch(&root.given, path, now);
            }
        }
    }

    fn tell(&mut self, outcomes: Vec<(PathBuf, Following)>) {
        let now = Instant::now();
        for (given, following) in outcomes {
            // It may have been removed meanwhile.
            if self.roots.iter().any(|root| root.given == given) {
                match following {
                    Following::Anew(reason) => self.pending.rescan(&given, reason, now),
                    Following::Failed(error) => self.pending.limit(&given, error, now),
                }
            }
        }
    }
}

/// The roots in which one of the paths lies; all roots where there are no paths.
fn affected<'a>(roots: &'a [Root], paths: &'a [PathBuf]) -> impl Iterator<Item = &'a Root> {
    roots
        .iter()
        .filter(|root| paths.is_empty() || paths.iter().any(|path| root.named(path).is_some()))
}

fn all_failed(roots: &[Root], error: notify::Error) -> Vec<(PathBuf, Following)> {
    let error = Arc::new(error);
    roots
        .iter()
        .map(|root| {
            let error = WatchError::of_watch(root.given.clone(), Arc::clone(&error));
            (root.given.clone(), Following::Failed(error))
        })
        .collect()
}

/// Opening and reading change nothing; indexing itself does both all the time.
fn is_mere_reading(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if *access != AccessKind::Close(AccessMode::Write))
}
