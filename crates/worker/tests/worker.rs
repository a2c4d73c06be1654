//! A started worker and both ends of its conversation.

use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use rummage_protocol::{EmbedRequest, Embedded, Reply, Request, encode, read_frame};
use rummage_testkit::{TinyModel, runtime_library, tiny_model};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_rummage-worker");

pub struct Worker {
    pub child: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
}

impl Worker {
    pub fn start(arguments: &[&str]) -> Self {
        Self::spawn(Command::new(PROGRAM).args(arguments))
    }

    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the worker starts");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("stdout is piped");
        Self { child, stdin, stdout }
    }

    /// Past the handshake, with the model in that folder.
    pub fn embedding(model: &Path) -> Self {
        let mut worker = Self::start(&embed_arguments(model, &runtime_library()));
        let hello = worker.reply();
        assert!(matches!(hello, Some(Reply::Hello(_))), "{hello:?}");
        worker
    }

    /// All in one write, so that they come in together.
    pub fn send(&mut self, requests: &[Request]) {
        let frames: Vec<u8> =
            requests.iter().flat_map(|request| encode(request).unwrap()).collect();
        self.write(&frames);
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().expect("stdin is open").write_all(bytes).expect("the worker reads");
    }

    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// `None` when the worker has closed its stdout.
    pub fn reply(&mut self) -> Option<Reply> {
        read_frame(&mut self.stdout).expect("the worker writes whole frames")
    }

    pub fn vectors(&mut self) -> Embedded {
        match self.reply() {
            Some(Reply::Embedded(embedded)) => embedded,
            other => panic!("vectors, not {other:?}"),
        }
    }

    /// The exit code, and what was printed to stderr.
    pub fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().expect("stderr is piped");
        stderr.read_to_string(&mut said).expect("stderr is text");
        (self.child.wait().expect("the worker ends").code(), said)
    }
}

/// A failed test leaves no worker behind.
impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn embed_arguments<'a>(model: &'a Path, runtime: &'a Path) -> [&'a str; 8] {
    let text = |path: &'a Path| path.to_str().expect("the test's paths are text");
    ["--role", "embed", "--threads", "1", "--model", text(model), "--runtime", text(runtime)]
}

pub fn model() -> (tempfile::TempDir, TinyModel) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let model = tiny_model(folder.path(), 1);
    (folder, model)
}

pub fn embed(lease: u64, urgent: bool, token_ids: Vec<Vec<u32>>) -> Request {
    embed_with(1, lease, urgent, token_ids)
}

/// For the tiny model of that seed.
pub fn embed_with(seed: u64, lease: u64, urgent: bool, token_ids: Vec<Vec<u32>>) -> Request {
    let model = fingerprint(seed);
    Request::Embed(EmbedRequest { lease, model, urgent, tokens_per_call: 16, token_ids })
}

/// Of the tiny model of that seed.
pub fn fingerprint(seed: u64) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let model = tiny_model(folder.path(), seed);
    rummage_models::Model::open(&model.folder).expect("a tiny model is whole").fingerprint()
}

/// So many model calls that what is sent with it comes in long before it is done.
pub fn long_lease(lease: u64) -> Request {
    embed(lease, false, vec![vec![7; 16]; 60_000])
}
