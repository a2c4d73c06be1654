//! One worker process: starting it, its pipes, its last words, its end.
//!
//! Each worker is attended by one task, which owns the process. The task ends
//! when the process has been waited for, after it has told so.

use std::{
    collections::VecDeque,
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rummage_protocol::{FrameError, MAX_FRAME_BYTES, Reply, Request, Role, decode, encode};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    sync::{mpsc, oneshot},
};

use crate::{
    Accelerator, Duty, PoolConfig,
    supervisor::{Event, WorkerId},
};

/// Lines of a worker's stderr that are kept for the error that it may end with.
const LAST_LINES: usize = 128;

/// A longer line of stderr counts as several: it is for people.
const LINE_BYTES: u64 = 1000;

/// Room for what a worker is told ahead; the supervisor bounds it to fewer.
const REQUESTS: usize = 64;

/// After its stdout has ended, a worker has this long to end as well.
const END_GRACE: Duration = Duration::from_secs(1);

/// How a running worker is told what to do.
pub(crate) struct Reins {
    requests: Option<mpsc::Sender<Request>>,
    kill: Option<oneshot::Sender<String>>,
}

impl Reins {
    /// Never waits: the supervisor hands out fewer requests than there is room for.
    /// A worker that has ended takes none; its end is told as an event.
    pub(crate) fn send(&self, request: Request) {
        if let Some(requests) = &self.requests {
            let _ = requests.try_send(request);
        }
    }

    /// Closes the worker's stdin, upon which it ends.
    pub(crate) fn retire(&mut self) {
        self.requests = None;
    }

    pub(crate) fn kill(&mut self, why: String) {
        if let Some(kill) = self.kill.take() {
            let _ = kill.send(why);
        }
    }
}

/// Starts the worker; its task tells everything else as events.
pub(crate) fn start(
    worker: WorkerId,
    duty: Duty,
    config: &PoolConfig,
    accelerator: Option<&Accelerator>,
    events: mpsc::Sender<Event>,
) -> Reins {
    let (requests, inbox) = mpsc::channel(REQUESTS);
    let (kill, killed) = oneshot::channel();
    match command(duty, config, accelerator).spawn() {
        Ok(child) => {
            #[cfg(windows)]
            end_with_app(&child);
            tokio::spawn(attend(worker, child, inbox, killed, events));
        }
        Err(error) => {
            let last_words = format!("{} cannot be started: {error}", config.program.display());
            tokio::spawn(async move {
                let _ = events.send(Event::Ended { worker, last_words, killed: false }).await;
            });
        }
    }
    Reins { requests: Some(requests), kill: Some(kill) }
}

/// Puts the worker into a group of processes that the system ends when this
/// program does, however it does. Best effort: the end of stdin holds as well.
#[cfg(windows)]
fn end_with_app(child: &Child) {
    use std::sync::LazyLock;

    use win32job::{ExtendedLimitInfo, Job};

    static GROUP: LazyLock<Option<Job>> = LazyLock::new(|| {
        let mut limits = ExtendedLimitInfo::new();
        limits.limit_kill_on_job_close();
        Job::create_with_limit_info(&limits).ok()
    });
    if let (Some(group), Some(process)) = (&*GROUP, child.raw_handle()) {
        let _ = group.assign_process(process as isize);
    }
}

fn command(duty: Duty, config: &PoolConfig, accelerator: Option<&Accelerator>) -> Command {
    let mut command = Command::new(&config.program);
    command.args(["--role", duty.role().name()]);
    command.arg("--nice").arg(config.pace.niceness(duty).to_string());
    match (duty.role(), &config.embed) {
        (Role::Embed, Some(embed)) => {
            for model in &embed.models {
                command.arg("--model").arg(&model.dir);
            }
            command.arg("--runtime").arg(&embed.runtime_library);
            command.arg("--threads").arg(embed.threads_per_worker.to_string());
            command.args(accelerator.map(Accelerator::arguments).unwrap_or_default());
        }
        _ => {
            // Measuring comes too late for a parser that takes all there is.
            command.arg("--memory-limit").arg(config.limits.hard_memory_bytes.to_string());
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // Ctrl+C in a terminal is for the app, which lets its workers finish.
    #[cfg(unix)]
    command.process_group(0);
    #[cfg(windows)]
    {
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        const BELOW_NORMAL_PRIORITY_CLASS: u32 = 0x4000;
        const IDLE_PRIORITY_CLASS: u32 = 0x40;
        let priority = match config.pace.niceness(duty) {
            0 => 0,
            19 => IDLE_PRIORITY_CLASS,
            _ => BELOW_NORMAL_PRIORITY_CLASS,
        };
        command.creation_flags(CREATE_NO_WINDOW | priority);
    }
    command
}

async fn attend(
    worker: WorkerId,
    mut child: Child,
    inbox: mpsc::Receiver<Request>,
    mut killed: oneshot::Receiver<String>,
    events: mpsc::Sender<Event>,
) {
    let pid = child.id();
    let _ = events.send(Event::Started { worker, pid }).await;
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        unreachable!("all three were piped");
    };
    let tail = tokio::spawn(keep_last_lines(stderr));
    let writing = tokio::spawn(write_requests(stdin, inbox));
    let cause = tokio::select! {
        cause = read_replies(worker, stdout, &events) => cause,
        Ok(why) = &mut killed => Some(format!("killed: {why}")),
    };
    // After a broken frame nothing it says can be trusted; after the end of its
    // stdout it says nothing more. Either way it is over.
    let status = match cause {
        Some(_) => None,
        None => tokio::time::timeout(END_GRACE, child.wait()).await.ok(),
    };
    if status.is_none() {
        let _ = child.kill().await;
    }
    writing.abort();
    let lines = tail.await.unwrap_or_default();
    let killed = matches!(status, Some(Ok(status)) if was_killed(status));
    let ending = match (cause, status) {
        (Some(cause), _) => cause,
        (None, Some(Ok(status))) => ending_of(status),
        (None, Some(Err(error))) => format!("it cannot be waited for: {error}"),
        (None, None) => String::from("it fell silent"),
    };
    let last_words =
        if lines.is_empty() { ending } else { format!("{ending}; it said: {}", lines.trim_end()) };
    let _ = events.send(Event::Ended { worker, last_words, killed }).await;
}

/// From outside: no program ends itself that way. Other systems do not tell.
fn was_killed(status: ExitStatus) -> bool {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status) == Some(9);
    #[cfg(not(unix))]
    {
        let _ = status;
        false
    }
}

/// In words for people.
fn ending_of(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("it was ended by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("it exited with code {code}"),
        None => status.to_string(),
    }
}

/// Passes requests on until there are no more; stdin closes with that. A pipe
/// that breaks is a worker that has ended, which its reader sees too.
async fn write_requests(mut stdin: ChildStdin, mut inbox: mpsc::Receiver<Request>) {
    while let Some(request) = inbox.recv().await {
        let Ok(frame) = encode(&request) else { return };
        if stdin.write_all(&frame).await.is_err() {
            return;
        }
    }
}

/// Tells every reply on; returns why it cannot go on, `None` at the stream's end.
async fn read_replies(
    worker: WorkerId,
    stdout: ChildStdout,
    events: &mpsc::Sender<Event>,
) -> Option<String> {
    let mut stdout = BufReader::with_capacity(64 << 10, stdout);
    loop {
        match read_reply(&mut stdout).await {
            Ok(Some(reply)) => {
                if events.send(Event::Said { worker, reply }).await.is_err() {
                    return Some(String::from("the pool is gone"));
                }
            }
            Ok(None) => return None,
            // Half a frame is what a dying worker leaves; its exit says more.
            Err(FrameError::Cut) => return None,
            Err(error) => return Some(format!("it broke the protocol: {error}")),
        }
    }
}

async fn read_reply(stdout: &mut BufReader<ChildStdout>) -> Result<Option<Reply>, FrameError> {
    let mut length = [0; 4];
    if let Err(error) = stdout.read_exact(&mut length).await {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => Ok(None),
            _ => Err(error.into()),
        };
    }
    let bytes = u32::from_le_bytes(length) as usize;
    if bytes > MAX_FRAME_BYTES {
        return Err(FrameError::TooLong { bytes });
    }
    // Grows with what really comes, so that a garbage length takes no memory.
    let mut body = Vec::new();
    let read = stdout.take(bytes as u64).read_to_end(&mut body).await?;
    if read < bytes {
        return Err(FrameError::Cut);
    }
    decode(&body).map(Some)
}

/// The last lines that the worker wrote to stderr, read to its end so that the
/// worker is never held up by it.
async fn keep_last_lines(stderr: ChildStderr) -> String {
    let mut lines: VecDeque<String> = VecDeque::new();
    let mut stderr = BufReader::new(stderr);
    let mut line = Vec::new();
    // A line that is longer goes on as the next one: nothing grows without bound.
    while (&mut stderr)
        .take(LINE_BYTES)
        .read_until(b'\n', &mut line)
        .await
        .is_ok_and(|read| read > 0)
    {
        if lines.len() == LAST_LINES {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
    Vec::from(lines).join("\n")
}
