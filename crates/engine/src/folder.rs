//! The data folder: what lies where in it, and who may write.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rummage_store::Store;

use crate::EngineError;

/// Names of everything that Rummage keeps.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where the platform keeps an app's data; `None` for a user without a home.
    pub fn of_platform() -> Option<PathBuf> {
        directories::ProjectDirs::from("", "", "rummage").map(|dirs| dirs.data_dir().to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn settings(&self) -> PathBuf {
        self.path.join("settings.toml")
    }

    /// Settings and measurements of another folder, for the same to be done here.
    ///
    /// # Errors
    /// They are there and cannot be copied.
    pub fn take_settings_of(&self, other: &Self) -> io::Result<()> {
        for (from, to) in [(other.settings(), self.settings()), (other.tuning(), self.tuning())] {
            match fs::copy(from, to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn catalog(&self) -> PathBuf {
        self.path.join("catalog.sqlite")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path.join("index")
    }

    /// Removes what the store keeps, and nothing else: a folder of that name may be a
    /// person's own, where a data folder was chosen that holds other things.
    ///
    /// For whoever has the lock and has closed the store.
    pub(crate) fn remove_store(&self) -> Result<(), EngineError> {
        Store::remove(&self.store()).map_err(|source| EngineError::folder(&self.path, source))
    }

    /// Removes a cache that could not be opened.
    pub(crate) fn remove_cache(&self) -> Result<(), EngineError> {
        for end in ["", "-wal", "-shm"] {
            let mut file = self.cache().into_os_string();
            file.push(end);
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(EngineError::folder(&self.path, error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What was measured on this machine.
    pub(crate) fn tuning(&self) -> PathBuf {
        self.path.join("tuning.json")
    }

    /// Where a person may put an ONNX Runtime of their own.
    pub fn runtime(&self) -> PathBuf {
        self.path.join("runtime")
    }

    /// Models that a person added.
    pub(crate) fn models(&self) -> PathBuf {
        self.path.join("models")
    }

    /// Vectors that were computed once.
    pub(crate) fn cache(&self) -> PathBuf {
        self.path.join("vectors.sqlite")
    }

    /// What the indexing process says of itself, for others to show.
    pub(crate) fn live(&self) -> PathBuf {
        self.path.join("live.json")
    }

    /// Whether any process has the folder for writing.
    pub(crate) fn is_locked(&self) -> bool {
        File::open(self.path.join(LOCK)).is_ok_and(|file| file.try_lock_shared().is_err())
    }

    /// Takes the folder for writing, making it where there is none.
    pub(crate) fn lock(&self) -> Result<Lock, EngineError> {
        let failed = |source: io::Error| EngineError::folder(&self.path, source);
        fs::create_dir_all(&self.path).map_err(failed)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path.join(LOCK))
            .map_err(failed)?;
        // A process that only asks holds it for a moment, too.
        for _ in 0..ASKS {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::WouldBlock) => std::thread::sleep(ASK_AGAIN),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
        Err(EngineError::Busy { path: self.path.clone() })
    }
}

const ASKS: u32 = 5;
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// The system frees it when the process ends, however it ends.
const LOCK: &str = "writer.lock";

/// The folder is this process's to write until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}
