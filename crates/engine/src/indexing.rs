//! The threads that index: a runtime of their own, which gives way to others, so
//! that a question never waits in one line with what is being written.

use std::io;

use thread_priority::{ThreadPriority, set_current_thread_priority};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// What waits for the disk or for a worker shares these threads; what computes
/// gets threads beside them.
const THREADS: usize = 2;

/// Of 100, where 50 is ordinary: before the workers, which are further down, and
/// behind whoever asks.
const PRIORITY: u8 = 36;

/// Runs until it is dropped.
pub(crate) struct Indexing {
    runtime: Option<Runtime>,
}

impl Indexing {
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("indexing")
            .on_thread_start(give_way)
            .enable_all()
            .build()?;
        Ok(Self { runtime: Some(runtime) })
    }

    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.runtime.as_ref().expect("there until the drop").spawn(task)
    }
}

impl Drop for Indexing {
    fn drop(&mut self) {
        // Within another runtime no thread may wait for the end of this one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Best effort: where the system refuses, indexing is as important as the rest.
fn give_way() {
    let priority = PRIORITY.try_into().map(ThreadPriority::Crossplatform);
    let _ = priority.map(set_current_thread_priority);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn niceness() -> i32 {
        // SAFETY: asks for a number.
        unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
    }

    #[tokio::test]
    async fn what_indexes_gives_way_and_nothing_else_does() {
        let (ours, indexing) = (niceness(), Indexing::start().unwrap());
        let (tell, told) = tokio::sync::oneshot::channel();
        let blocking = async move {
            let computing = tokio::task::spawn_blocking(niceness).await;
            let _ = tell.send((niceness(), computing.unwrap()));
        };
        indexing.spawn(blocking).await.unwrap();
        let (waiting, computing) = told.await.unwrap();
        assert!(waiting > ours && computing > ours, "{ours} {waiting} {computing}");
        assert_eq!(niceness(), ours);
    }
}
