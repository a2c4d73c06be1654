//! Runs the program in an installation of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rummage_testkit::{runtime_library, tiny_model, worker_program};
use serde_json::Value;
use tempfile::TempDir;

/// A data folder, a tiny model and the programs.
pub struct Installation {
    dir: TempDir,
}

/// What a run left.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Installation {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        tiny_model(&dir.path().join("assets/models/tiny-1"), 1);
        let installation = Self { dir };
        fs::create_dir(installation.data()).unwrap();
        installation.set("model = \"tiny-1\"\n");
        installation
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn model_file(&self, name: &str) -> PathBuf {
        self.dir.path().join("assets/models/tiny-1").join(name)
    }

    pub fn settings(&self) -> PathBuf {
        self.data().join("settings.toml")
    }

    /// Writes the settings file.
    pub fn set(&self, text: &str) {
        fs::write(self.settings(), text).unwrap();
    }

    pub fn command(&self) -> Command {
        self.command_of(
            Path::new(env!("CARGO_BIN_EXE_rummage")),
            &worker_program(),
            &runtime_library(),
        )
    }

    pub fn command_of(&self, rummage: &Path, worker: &Path, runtime: &Path) -> Command {
        let mut command = Command::new(rummage);
        command
            .env("RUMMAGE_DATA", self.data())
            .env("RUMMAGE_ASSETS", self.dir.path().join("assets"))
            .env("RUMMAGE_WORKER", worker)
            .env("ORT_DYLIB_PATH", runtime)
            .stdin(Stdio::null());
        command
    }

    pub fn run<A: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        Run::of(self.command().args(args))
    }

    pub fn index(&self, path: &Path) -> Value {
        self.run([Path::new("index"), Path::new("--json"), path]).json()
    }

    pub fn status(&self) -> Value {
        self.run(["status", "--json"]).json()
    }

    /// The paths that a query finds, best first.
    pub fn find(&self, query: &str, mode: &str) -> Vec<String> {
        let answer = self.run(["search", "--json", "--mode", mode, "-k", "100", query]).json();
        let results = answer["results"].as_array().unwrap();
        results.iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect()
    }

    /// The ledger's line of the file with that name.
    pub fn ledger(&self, name: &str) -> Value {
        let run = self.run(["files", "--json"]);
        let mut lines = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let named = lines.find(|line| line["path"].as_str().unwrap().ends_with(name));
        named.unwrap_or_else(|| panic!("{name} is not in the ledger: {}", run.stdout))
    }
}

impl Run {
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    pub fn json(self) -> Value {
        let run = self.succeeded();
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
    }
}
