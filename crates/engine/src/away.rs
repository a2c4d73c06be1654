//! Whether roots that are away are back: looks at them that nothing has to wait for.
//! What to do about one that is back is [`follow`](crate::follow)'s.

use std::{
    collections::HashSet,
    fs,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rummage_corpus::SourcePath;
use tokio::task::JoinSet;

use crate::intake::is_gone;

/// A drive that does not say by then whether something is there is taken at the catalog's
/// word by whoever only asks.
pub(crate) const LOOK_WAIT: Duration = Duration::from_millis(200);

/// Looks at roots that are away, one at most in flight for each. A drive on a network
/// that does not answer keeps its look waiting, and nothing else.
#[derive(Default)]
pub(crate) struct Looks {
    looking_at: HashSet<SourcePath>,
    looks: JoinSet<(SourcePath, bool)>,
}

impl Looks {
    pub(crate) fn begin(&mut self, root: SourcePath) {
        self.begin_with(root, is_back);
    }

    fn begin_with(
        &mut self,
        root: SourcePath,
        is_back: impl FnOnce(&SourcePath) -> bool + Send + 'static,
    ) {
        if self.looking_at.insert(root.clone()) {
            self.looks.spawn_blocking(move || {
                let is_back = is_back(&root);
                (root, is_back)
            });
        }
    }

    pub(crate) fn is_looking_at(&self, root: &SourcePath) -> bool {
        self.looking_at.contains(root)
    }

    /// The next root that seems to be back; `None` once no look is in flight. Safe to
    /// cancel.
    pub(crate) async fn next(&mut self) -> Option<SourcePath> {
        while let Some(done) = self.looks.join_next().await {
            let (root, is_back) =
                done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
            self.looking_at.remove(&root);
            if is_back {
                return Some(root);
            }
        }
        None
    }
}

/// A file, or a folder that holds anything: where a disk is not plugged in, an empty
/// folder may stand in its place.
fn is_back(root: &SourcePath) -> bool {
    let root = root.as_path();
    root.is_file() || fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some())
}

/// Those of the roots that are not there, as far as their drives say so at once. Blocks for as
/// long as that.
pub(crate) fn gone(roots: impl IntoIterator<Item = SourcePath>) -> HashSet<SourcePath> {
    let (tell, told) = mpsc::channel();
    for root in roots {
        let tell = tell.clone();
        thread::spawn(move || is_gone(&root).then(|| tell.send(root)));
    }
    drop(tell);
    let until = Instant::now() + LOOK_WAIT;
    let mut gone = HashSet::new();
    while let Ok(root) = told.recv_timeout(until.saturating_duration_since(Instant::now())) {
        gone.insert(root);
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_root_that_hangs_holds_up_no_other_and_is_looked_at_once() {
        let (hanging, other) = (SourcePath::new("/hangs"), SourcePath::new("/other"));
        let (answer, wait) = mpsc::channel::<bool>();
        let mut looks = Looks::default();
        looks.begin_with(hanging.clone(), move |_| wait.recv().unwrap());
        looks.begin_with(hanging.clone(), |_| panic!("a look is in flight"));
        looks.begin_with(other.clone(), |_| true);
        assert_eq!(looks.next().await.as_ref(), Some(&other));
        assert!(looks.is_looking_at(&hanging) && !looks.is_looking_at(&other));

        answer.send(true).unwrap();
        assert_eq!(looks.next().await.as_ref(), Some(&hanging));
        assert!(!looks.is_looking_at(&hanging));
        looks.begin_with(hanging, |_| false);
        assert_eq!(looks.next().await, None);
    }
}
