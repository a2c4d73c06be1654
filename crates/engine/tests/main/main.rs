//! The engine as a whole, with real workers, a tiny real model and a real store.

mod comparing;
mod driving;
mod following;
#[cfg(unix)]
mod hostile;
#[cfg(unix)]
mod killing;
mod ledger;
mod models;
#[cfg(unix)]
mod poison;
#[cfg(unix)]
mod power;
mod preview;
#[cfg(unix)]
mod scans;
mod setting;
mod spoiled;
mod tuning;
mod words;

use std::{fs, path::PathBuf, time::Duration};

use rummage_engine::{Engine, Following, FoundFile, Options, Query, Status, Surroundings};
use rummage_testkit::{runtime_library, tiny_model, worker_program};
use tempfile::TempDir;

/// Longer than anything here should take; what waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// A data folder and a tiny model, for engines one after the other.
struct Home {
    dir: TempDir,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        tiny_model(&dir.path().join("assets/models/tiny-1"), 1);
        fs::create_dir(dir.path().join("data")).unwrap();
        fs::write(dir.path().join("data/settings.toml"), "model = \"tiny-1\"\n").unwrap();
        Self { dir }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn options(&self, following: Following) -> Options {
        let mut options = Options::new(self.data(), Some(following));
        options.surroundings = Surroundings {
            assets: Some(self.dir.path().join("assets")),
            runtime: Some(runtime_library()),
            program: None,
        };
        options.worker_program = Some(worker_program());
        options
    }

    async fn open(&self, following: Following) -> Engine {
        Engine::open(self.options(following)).await.unwrap()
    }

    /// An engine that only reads.
    async fn reader(&self) -> Engine {
        let options = Options { indexing: None, ..self.options(Following::Once) };
        Engine::open(options).await.unwrap()
    }
}

async fn settled(engine: &Engine) {
    let settled = tokio::time::timeout(PATIENCE, engine.settled()).await;
    settled.expect("it settles in time").expect("nothing stands in the way");
}

/// Waits for a status in which something is so.
async fn until(engine: &Engine, what: &str, is_so: impl Fn(&Status) -> bool) {
    let mut changes = engine.status_changes().unwrap();
    let waited = tokio::time::timeout(PATIENCE, changes.wait_for(|status| is_so(status))).await;
    waited.unwrap_or_else(|_| panic!("never: {what}")).unwrap();
}

/// The names of the files that the words find.
async fn names(engine: &Engine, words: &str) -> Vec<String> {
    let query = Query::parse(&format!("\"{words}\"")).unwrap();
    let answer = engine.search(&query).await.unwrap();
    let paths = answer.files.iter().flat_map(FoundFile::paths);
    paths.map(|path| path.name().into_owned()).collect()
}
