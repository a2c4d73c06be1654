//! What survives a power cut. LanceDB writes its files and leaves them to the system,
//! which may keep them in memory for half a minute and write them in any order.
//!
//! [`Disk::sync`] brings what was written since the last time onto the disk and then
//! notes, in a file of its own, which version of each table that is. Whatever came
//! after the noted version is taken for never written: it may be whole, after a mere
//! crash, or in shreds, after a power cut, and nothing tells the two apart. So
//! opening drops it. Nobody misses it: the catalog is told only after a sync.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Mutex,
};

use crate::{StoreError, beside};

/// Names a table's versions, one line a table: `name version`.
const NOTE: &str = "synced";

/// Where a table that cannot be opened is kept, for whoever wants to look into it.
const DAMAGED: &str = "damaged";

/// The versions of tables, by the names of their folders.
pub(crate) type Versions = BTreeMap<String, u64>;

/// The folder of the tables, and what of it is known to be on the disk.
#[derive(Debug)]
pub(crate) struct Disk {
    dir: PathBuf,
    synced: Mutex<HashSet<PathBuf>>,
}

impl Disk {
    /// Nothing is known to be on the disk at first: after a crash of the app alone,
    /// the system may still hold what was there before.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, synced: Mutex::default() }
    }

    /// Everything in these tables is on the disk once this returns, and opening will
    /// take them up at these versions. Costs a sync of each new file and changed
    /// folder. Nothing may be written meanwhile.
    pub fn sync(&self, versions: &Versions) -> Result<(), StoreError> {
        let failed = |source| StoreError::Sync { path: self.dir.clone(), source };
        self.sync_all(versions).map_err(failed)
    }

    fn sync_all(&self, versions: &Versions) -> io::Result<()> {
        let mut synced = self.synced.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut found = HashSet::new();
        for table in versions.keys() {
            sync_below(&self.dir.join(table), &synced, &mut found)?;
        }
        if found.iter().any(|path| !synced.contains(path)) || !self.dir.join(NOTE).exists() {
            sync_folder(&self.dir)?;
            write_note(&self.dir, versions)?;
        }
        // What is there no more is forgotten with this.
        *synced = found;
        Ok(())
    }
}

/// Syncs each file below the folder that is not among `synced`, and each folder in
/// which there are such; gathers all of them in `found`.
fn sync_below(
    folder: &Path,
    synced: &HashSet<PathBuf>,
    found: &mut HashSet<PathBuf>,
) -> io::Result<()> {
    let mut is_changed = !synced.contains(folder);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            is_changed |= !synced.contains(&path);
            sync_below(&path, synced, found)?;
        } else if path.extension().is_none_or(|extension| extension != "json") {
            // The one JSON file is a hint for stores that are slow to list, and is
            // written over again and again.
            if !synced.contains(&path) {
                is_changed = true;
                sync_file(&path)?;
            }
            found.insert(path);
        }
    }
    if is_changed {
        sync_folder(folder)?;
    }
    found.insert(folder.to_owned());
    Ok(())
}

fn sync_file(path: &Path) -> io::Result<()> {
    // Windows syncs only what is open for writing.
    File::options().read(true).write(cfg!(windows)).open(path)?.sync_all()
}

/// So that the names in it are on the disk, too. Not every file system has that.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        synced => synced,
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn write_note(dir: &Path, versions: &Versions) -> io::Result<()> {
    // Tables of other models stay as they were noted.
    let mut all = read_note(dir);
    all.extend(versions.clone());
    let fresh = dir.join(NOTE).with_extension("fresh");
    let mut file = File::create(&fresh)?;
    for (table, version) in all {
        writeln!(file, "{table} {version}")?;
    }
    file.sync_all()?;
    drop(file);
    fs::rename(&fresh, dir.join(NOTE))?;
    sync_folder(dir)
}

/// Empty where there is none yet, as in a folder that an older Rummage made.
fn read_note(dir: &Path) -> Versions {
    let text = fs::read_to_string(dir.join(NOTE)).unwrap_or_default();
    let versions = text.lines().filter_map(|line| {
        let (table, version) = line.rsplit_once(' ')?;
        Some((table.to_owned(), version.parse().ok()?))
    });
    versions.collect()
}

/// Drops what was written to a table after the version that was noted last. Only
/// for the process that writes.
pub(crate) fn roll_back(table: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Sync { path: table.to_owned(), source };
    let (Some(dir), Some(name)) = (table.parent(), table.file_name()) else { return Ok(()) };
    let noted = read_note(dir);
    let Some(noted) = noted.get(&*name.to_string_lossy()) else { return Ok(()) };
    let versions = table.join("_versions");
    let entries = match fs::read_dir(&versions) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    let later: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| version_of(path).is_some_and(|version| version > *noted))
        .collect();
    later.iter().try_for_each(fs::remove_file).map_err(failed)
}

/// The version that a manifest is of. Their names count down, so that the newest
/// comes first in a list.
fn version_of(manifest: &Path) -> Option<u64> {
    if manifest.extension()? != "manifest" {
        return None;
    }
    let name = manifest.file_stem()?.to_str()?;
    (name.len() == 20).then(|| name.parse().ok().map(|number: u64| u64::MAX - number))?
}

/// Removes the tables that are noted, what lies beside them, and the note last: whatever
/// else is in the folder is not ours.
pub(crate) fn remove(dir: &Path) -> io::Result<()> {
    if !dir.join(NOTE).is_file() {
        return Ok(());
    }
    for name in read_note(dir).into_keys() {
        let table = Path::new(&name);
        if table.components().count() == 1 && table.extension().is_some_and(|of| of == "lance") {
            remove_table(&dir.join(table))?;
        }
    }
    gone(fs::remove_dir_all(dir.join(DAMAGED)))?;
    fs::remove_file(dir.join(NOTE))?;
    // Fails where there is something else.
    let _ = fs::remove_dir(dir);
    Ok(())
}

/// Removes a table, if it is there, and what lies beside it.
pub(crate) fn remove_table(table: &Path) -> io::Result<()> {
    gone(fs::remove_dir_all(table))?;
    beside::remove(table)
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Takes a table that cannot be opened out of the way. The one that was there from
/// an earlier time goes.
pub(crate) fn set_aside(table: &Path) -> Result<(), StoreError> {
    let move_away = || {
        let dir = table.parent().unwrap_or(table).join(DAMAGED);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir(&dir)?;
        fs::rename(table, dir.join(table.file_name().unwrap_or_default()))
    };
    move_away().map_err(|source| StoreError::Sync { path: table.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_told_by_version() {
        let check = |name, expected| assert_eq!(version_of(Path::new(name)), expected, "{name}");
        check("18446744073709551614.manifest", Some(1));
        check("18446744073709551611.manifest", Some(4));
        check("latest_version_hint.json", None);
        check("7.manifest", None);
    }

    #[test]
    fn only_what_is_noted_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let beside = ["passages.words", "passages.texts", "vectors_a.flat"];
        let ours = ["passages.lance", "vectors_a.lance", "damaged"].iter().chain(&beside);
        let theirs = ["notes.lance", "photos", "book.txt.lance"];
        for name in ours.chain(&theirs) {
            fs::create_dir_all(dir.path().join(name).join("data")).unwrap();
        }
        let names = || {
            let entries = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
            entries.map(|name| name.into_string().unwrap()).collect::<HashSet<_>>()
        };
        let all = names();
        remove(dir.path()).unwrap();
        assert_eq!(names(), all, "without a note nothing is ours");
        let noted = ["passages.lance", "vectors_a.lance", "photos", "../x.lance"];
        let versions = noted.map(|name| (name.to_owned(), 1));
        write_note(dir.path(), &Versions::from(versions)).unwrap();
        remove(dir.path()).unwrap();
        assert_eq!(names(), HashSet::from(theirs.map(str::to_owned)));
        remove(&dir.path().join("nowhere")).unwrap();
    }

    #[test]
    fn notes_of_other_tables_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let note = |table: &str, version| {
            write_note(dir.path(), &Versions::from([(table.to_owned(), version)])).unwrap();
        };
        note("passages.lance", 3);
        note("vectors a.lance", 5);
        note("passages.lance", 4);
        let expected = [("passages.lance".to_owned(), 4), ("vectors a.lance".to_owned(), 5)];
        assert_eq!(read_note(dir.path()), Versions::from(expected));
    }
}
