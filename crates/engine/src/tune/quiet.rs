//! Keeps indexing still while the machine is measured.

use std::{sync::Arc, time::Duration};

use rummage_pool::{Duty, WorkerState};

use crate::{EngineError, shared::Shared};

/// What is in work when measuring begins is waited for no longer than this.
const SETTLING: Duration = Duration::from_secs(10);

/// Indexing waits for as long as this is there; one measuring at a time.
pub(crate) struct Quiet {
    shared: Arc<Shared>,
    is_over: bool,
}

impl Quiet {
    pub async fn begin(shared: &Arc<Shared>) -> Result<Self, EngineError> {
        if !shared.begin_measuring() {
            return Err(EngineError::Measuring);
        }
        let quiet = Self { shared: shared.clone(), is_over: false };
        shared.configure_pool().await;
        let mut status = shared.pool.status();
        let at_rest = status.wait_for(|status| {
            let of_indexing = status.workers.iter().filter(|worker| worker.duty != Duty::Query);
            of_indexing.into_iter().all(|worker| worker.state != WorkerState::Busy)
        });
        // A scan may take its minutes; then it is measured beside it.
        let _ = tokio::time::timeout(SETTLING, at_rest).await;
        Ok(quiet)
    }

    pub async fn end(mut self) {
        self.shared.end_measuring();
        self.shared.configure_pool().await;
        self.is_over = true;
        self.shared.wake();
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if !self.is_over {
            // It failed, or whoever asked has gone.
            let shared = self.shared.clone();
            shared.end_measuring();
            tokio::spawn(async move { shared.configure_pool().await });
        }
    }
}
