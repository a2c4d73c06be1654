//! How a stage goes on: pass after pass over its queue, with a rest in between
//! where there is nothing to do or something failed.

use std::time::Duration;

use tokio::sync::futures::Notified;

use crate::shared::Stop;

/// The queue is looked at this often even if nobody says that it changed.
const LOOK: Duration = Duration::from_secs(30);

/// After a failure the same work is not tried again sooner.
const PAUSE: Duration = Duration::from_secs(2);

/// What taking the queue once from its beginning to its end came to.
pub(crate) enum Pass {
    /// It was empty from the start.
    Idle,
    Worked,
    /// Something failed, and stands as a problem; or all is to stop.
    Interrupted,
}

impl Pass {
    /// Rests as long as this pass asks for. `work` was taken before the pass, so
    /// that what changed during it is not missed.
    pub async fn rest(self, stop: &mut Stop, work: Notified<'_>) {
        match self {
            Pass::Worked => {}
            Pass::Idle => tokio::select! {
                () = stop.wait() => {}
                () = work => {}
                () = tokio::time::sleep(LOOK) => {}
            },
            Pass::Interrupted => tokio::select! {
                () = stop.wait() => {}
                () = tokio::time::sleep(PAUSE) => {}
            },
        }
    }
}
