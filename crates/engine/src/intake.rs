//! What a look at folders met, written into the catalog: a whole root, one folder of
//! it, or the paths that are said to have changed.

use std::{
    collections::HashSet, fs, io, ops::ControlFlow, path::Path, sync::atomic::Ordering::Relaxed,
};

use rummage_catalog::{CatalogError, Circumstances, Observation, Root, SeenFiles, Stamp};
use rummage_corpus::SourcePath;
use rummage_settings::reason_of_default;
use rummage_watch::{Found, Lookout, Rule, Seen, WatchError, scan, scan_below};

use crate::{follow::rules, shared::Shared};

/// What was met is written down in groups of this many.
const GROUP: usize = 1000;

pub(crate) enum Failure {
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
/// `eager`: failures that another try may mend are tried again.
pub(crate) fn reconcile(
    shared: &Shared,
    root: &Root,
    folder: Option<&Path>,
    eager: bool,
) -> Result<(), Failure> {
    let rules = rules(shared);
    let stop = shared.stop();
    let mut intake = Intake::new(shared, root, eager)?;
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
    let is_empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    let Some(known) = shared.catalog.device_of(root.id)?.filter(|_| is_empty) else {
        return Ok(false);
    };
    Ok(device(path).is_some_and(|device| device != known))
}

#[cfg(unix)]
fn device(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| std::os::unix::fs::MetadataExt::dev(&metadata))
}

#[cfg(not(unix))]
fn device(_: &Path) -> Option<u64> {
    None
}

/// Looks at paths that are said to have changed. What is there is taken down before
/// what is gone leaves, so that a moved file is known again.
pub(crate) fn look_again(
    shared: &Shared,
    root: &Root,
    paths: &[SourcePath],
) -> Result<(), Failure> {
    let rules = rules(shared);
    let mut lookout = Lookout::new(root.path.as_path(), &rules);
    let mut here = Intake::new(shared, root, true)?;
    let mut left_out = Intake::new(shared, root, true)?;
    let (mut folders, mut gone) = (Vec::new(), Vec::new());
    let own = shared.folder.path();
    for path in paths.iter().filter(|path| !path.as_path().starts_with(own)) {
        let path = path.clone();
        let _ = match lookout.look(path.as_path())? {
            Seen::Folder => {
                folders.push(path);
                continue;
            }
            Seen::Nothing => {
                gone.push(path);
                continue;
            }
            Seen::File(stamp) => here.take(Found::File { path, stamp }),
            Seen::Unreadable(error) => here.take(Found::Unreadable { path, error }),
            Seen::LeftOut { is_folder, rule } => {
                gone.push(path.clone());
                left_out.take(Found::LeftOut { path, is_folder, rule })
            }
        };
    }
    here.finish()?;
    for folder in folders {
        reconcile(shared, root, Some(folder.as_path()), true)?;
    }
    let retired = shared.catalog.retire_paths(root.id, &gone)?;
    shared.counters.removed.fetch_add(retired, Relaxed);
    left_out.finish()?;
    Ok(())
}

/// Writes what a scan meets into the catalog, in groups.
struct Intake<'a> {
    shared: &'a Shared,
    root: &'a Root,
    eager: bool,
    /// What is followed by itself is left out of no other root.
    roots: HashSet<SourcePath>,
    group: Vec<Observation>,
    seen: SeenFiles,
    failed: Option<CatalogError>,
    /// The root is no longer followed.
    unwanted: bool,
}

impl<'a> Intake<'a> {
    fn new(shared: &'a Shared, root: &'a Root, eager: bool) -> Result<Self, CatalogError> {
        let roots = shared.catalog.roots()?.into_iter().map(|root| root.path).collect();
        Ok(Self {
            shared,
            root,
            eager,
            roots,
            group: Vec::new(),
            seen: SeenFiles::default(),
            failed: None,
            unwanted: false,
        })
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
            Found::LeftOut { path, .. } if self.roots.contains(&path) => {
                return ControlFlow::Continue(());
            }
            Found::LeftOut { path, is_folder, rule } => {
                Observation::LeftOut { path, is_folder, rule: in_words(&rule) }
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
        if group.is_empty() {
            return;
        }
        let circumstances = Circumstances { eager: self.eager, is_gone: &is_gone };
        let catalog = &self.shared.catalog;
        match catalog.observe(self.root.id, &group, circumstances, &mut self.seen) {
            Ok(Some(observed)) => {
                let counters = &self.shared.counters;
                counters.seen.fetch_add(group.len() as u64 - observed.left_out, Relaxed);
                counters.unchanged.fetch_add(observed.unchanged + observed.moved, Relaxed);
                counters.failed.fetch_add(observed.unreadable, Relaxed);
                if observed.queued + observed.moved > 0 {
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

/// Nothing has this path, rather than: it may not be looked at.
pub(crate) fn is_gone(path: &SourcePath) -> bool {
    let absent = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    fs::symlink_metadata(path).is_err_and(|error| absent.contains(&error.kind()))
}

/// A default pattern comes with the reason why nobody searches there.
fn in_words(rule: &Rule) -> String {
    match rule {
        Rule::Pattern(pattern) => match reason_of_default(pattern) {
            Some(reason) => format!("{rule} ({reason})"),
            None => rule.to_string(),
        },
        _ => rule.to_string(),
    }
}
