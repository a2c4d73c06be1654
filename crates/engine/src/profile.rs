//! Loading the model, watched from outside: a worker of its own is started as the pool
//! starts one, and asked one question. It needs no index and opens none.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use rummage_models::Assets;
use rummage_pool::Accelerator;
use rummage_protocol::{EmbedRequest, FrameError, Reply, Request, read_frame, write_frame};
use rummage_settings::Settings;
use tempfile::NamedTempFile;

use crate::{
    DataFolder, EngineError, Hardware, Options, absolute,
    model::{LoadedModel, Part},
    shared::accelerator,
    worker_program,
};

/// What the worker is told by, and what it writes: see its `TIMINGS`.
const TIMINGS: &str = "RUMMAGE_TIMINGS";

/// As a person asks.
const QUESTION: &str = "What did we decide about the roof of the north wing?";

/// Times in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LoadTimes {
    /// From starting the process to the program's first line.
    pub process: f64,
    /// ONNX Runtime's library.
    pub runtime: f64,
    /// The model's graph.
    pub session: f64,
    /// The worker's own first call, of one token.
    pub first_call: f64,
    /// The tokenizers, in the app, beside all these.
    pub tokenizer: f64,
    /// A question's vector after that, there and back, and the same once more.
    pub first_encode: f64,
    pub second_encode: f64,
    /// From starting the process to the question's vector.
    pub first_vector: f64,
    /// What the worker holds then, with what it shares with others counted whole: what
    /// others there are must make no difference.
    pub resident_bytes: u64,
}

/// What loads the model over and over.
pub struct LoadProfiler {
    assets: Assets,
    model: LoadedModel,
    program: PathBuf,
    threads: usize,
    accelerator: Option<Accelerator>,
}

impl LoadProfiler {
    /// For the model that the data folder's settings name.
    ///
    /// # Errors
    /// A model, ONNX Runtime or worker program that is missing.
    pub fn open(options: &Options) -> Result<Self, EngineError> {
        let folder = DataFolder::new(absolute(&options.data)?);
        let settings = Settings::load(&folder.settings()).settings;
        let assets = Assets::find_in(&options.surroundings)?.with_added(folder.models());
        let (model, missing) = LoadedModel::open(&assets, &settings.model)?;
        if let Some(missing) = missing {
            return Err(missing.into());
        }
        let program = worker_program(options.worker_program.clone())?;
        let threads = settings.pool.threads_per_worker.unwrap_or(1);
        let accelerator = accelerator(&settings, &folder);
        Ok(Self { assets, model, program, threads, accelerator })
    }

    pub fn hardware(&self) -> Hardware {
        Hardware::of(&self.model, self.accelerator.as_ref())
    }

    pub fn model_id(&self) -> &str {
        &self.model.id
    }

    /// Loads once.
    ///
    /// # Errors
    /// The worker does not start, or refuses, with its words.
    pub fn load(&self) -> Result<LoadTimes, EngineError> {
        let mut times = LoadTimes::default();
        let start = Instant::now();
        drop(LoadedModel::open(&self.assets, &self.model.id)?);
        times.tokenizer = start.elapsed().as_secs_f64();
        let timings = NamedTempFile::new().map_err(|error| self.failed(error))?;
        let start = Instant::now();
        let mut worker = self.start(timings.path()).map_err(|error| self.failed(error))?;
        match self.hear(&mut worker)? {
            Reply::Hello(_) => {}
            Reply::Refused(reason) => return Err(self.failed(io::Error::other(reason))),
            other => return Err(self.failed(io::Error::other(format!("it said {other:?}")))),
        }
        let loaded = start.elapsed().as_secs_f64();
        times.first_encode = self.encode(&mut worker)?;
        times.first_vector = start.elapsed().as_secs_f64();
        times.second_encode = self.encode(&mut worker)?;
        let weight = rummage_pool::weigh(worker.child.id());
        times.resident_bytes = weight.map_or(0, |weight| weight.resident_bytes);
        // A worker that tells nothing has taken all of it to start.
        times.process = loaded;
        for (stage, seconds) in read_timings(timings.path()) {
            match stage.as_str() {
                "runtime" => times.runtime += seconds,
                "session" => times.session += seconds,
                "first_call" => times.first_call += seconds,
                "all" => times.process = (loaded - seconds).max(0.0),
                _ => {}
            }
        }
        Ok(times)
    }

    /// Lets the system forget what it keeps of the files that are loaded, as far as it
    /// does: what another process uses stays. `false` where there is no way to ask.
    pub fn forget_files(&self) -> bool {
        let files = self.model.parts().iter().flat_map(Part::files);
        let others = [self.program.clone(), self.model.runtime_library.clone()];
        files.chain(others).all(|file| forget(&file))
    }

    fn start(&self, timings: &Path) -> io::Result<Worker> {
        let mut command = Command::new(&self.program);
        command.args(["--role", "embed"]);
        for part in self.model.parts() {
            command.arg("--model").arg(part.dir());
        }
        let accelerator = self.accelerator.as_ref().map(Accelerator::arguments);
        let mut child = command
            .arg("--runtime")
            .arg(&self.model.runtime_library)
            .args(["--threads", &self.threads.to_string()])
            .args(accelerator.unwrap_or_default())
            .env(TIMINGS, timings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both were piped")
        };
        Ok(Worker { child, stdin: Some(stdin), stdout })
    }

    /// A question's vector, part by part.
    fn encode(&self, worker: &mut Worker) -> Result<f64, EngineError> {
        let start = Instant::now();
        for (lease, part) in (1..).zip(self.model.parts()) {
            let (model, token_ids) =
                (part.maker.fingerprint.clone(), vec![part.query_tokens(QUESTION)]);
            let request =
                EmbedRequest { lease, model, urgent: true, tokens_per_call: 256, token_ids };
            let stdin = worker.stdin.as_mut().expect("it is closed with the worker");
            write_frame(stdin, &Request::Embed(request))
                .map_err(|error| self.failed(io::Error::other(error)))?;
            match self.hear(worker)? {
                Reply::Embedded(reply) if reply.lease == lease => {}
                other => return Err(self.failed(io::Error::other(format!("it said {other:?}")))),
            }
        }
        Ok(start.elapsed().as_secs_f64())
    }

    fn hear(&self, worker: &mut Worker) -> Result<Reply, EngineError> {
        let heard: Result<Option<Reply>, FrameError> = read_frame(&mut worker.stdout);
        let ended = || io::Error::other("it ended without a word");
        heard
            .map_err(io::Error::other)
            .and_then(|reply| reply.ok_or_else(ended))
            .map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> EngineError {
        EngineError::Worker { path: self.program.clone(), source }
    }
}

/// Ends when it is dropped, and has ended then.
struct Worker {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line a stage: its name and its seconds.
fn read_timings(path: &Path) -> Vec<(String, f64)> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = |line: &str| {
        let (stage, seconds) = line.split_once(' ')?;
        Some((stage.to_owned(), seconds.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(target_os = "linux")]
fn forget(path: &Path) -> bool {
    use std::{fs::File, os::fd::AsRawFd};

    let Ok(file) = File::open(path) else { return false };
    // What is not on the disk yet cannot be forgotten.
    let _ = file.sync_all();
    // SAFETY: takes a descriptor of an open file and numbers.
    unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn forget(_: &Path) -> bool {
    false
}
