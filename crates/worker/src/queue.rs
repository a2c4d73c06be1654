//! Requests that have come in and wait. It knows two kinds, urgent and not, and
//! how the row of them ended.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use rummage_protocol::{EmbedRequest, Request};

/// The app keeps a few requests outstanding. More than this many is no queue but
/// an app gone wrong; the reader must not wait for room, since then it would not
/// see stdin close.
const MOST_WAITING: usize = 1024;

/// More than [`MOST_WAITING`] requests wait.
#[derive(Debug, PartialEq, Eq)]
pub struct Overfull;

/// What comes next.
#[derive(Debug, PartialEq)]
pub enum Next {
    Request(Request),
    /// Nothing more: everything was taken, and no more comes. With the exit code.
    End(i32),
}

/// Filled by the reader's thread, emptied by the one that works.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    urgent: VecDeque<EmbedRequest>,
    others: VecDeque<Request>,
    end: Option<i32>,
}

impl Queue {
    pub fn push(&self, request: Request) -> Result<(), Overfull> {
        let mut waiting = self.lock();
        if waiting.urgent.len() + waiting.others.len() >= MOST_WAITING {
            return Err(Overfull);
        }
        match request {
            Request::Embed(request) if request.urgent => waiting.urgent.push_back(request),
            request => waiting.others.push_back(request),
        }
        self.changed.notify_one();
        Ok(())
    }

    /// No more requests come; what waits is still handed out.
    pub fn end(&self, code: i32) {
        self.lock().end = Some(code);
        self.changed.notify_one();
    }

    /// Waits for the next request: an urgent one if there is one, else the oldest.
    pub fn next(&self) -> Next {
        let idle = |waiting: &mut Waiting| {
            waiting.urgent.is_empty() && waiting.others.is_empty() && waiting.end.is_none()
        };
        let mut waiting =
            self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        if let Some(request) = waiting.urgent.pop_front() {
            return Next::Request(Request::Embed(request));
        }
        match (waiting.others.pop_front(), waiting.end) {
            (Some(request), _) => Next::Request(request),
            (None, Some(code)) => Next::End(code),
            (None, None) => unreachable!("the wait ends with a request or the end"),
        }
    }

    /// The next urgent request, without waiting.
    pub fn urgent(&self) -> Option<EmbedRequest> {
        self.lock().urgent.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No code panics while it holds the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(lease: u64, urgent: bool) -> Request {
        let (model, token_ids) = (String::new(), vec![]);
        Request::Embed(EmbedRequest { lease, model, urgent, tokens_per_call: 8, token_ids })
    }

    #[test]
    fn urgent_requests_overtake_and_each_kind_keeps_its_order() {
        let queue = Queue::default();
        for (lease, urgent) in [(1, false), (2, true), (3, false), (4, true)] {
            queue.push(request(lease, urgent)).unwrap();
        }
        queue.end(7);
        for (lease, urgent) in [(2, true), (4, true), (1, false), (3, false)] {
            assert_eq!(queue.next(), Next::Request(request(lease, urgent)));
        }
        assert_eq!(queue.next(), Next::End(7));
    }

    #[test]
    fn only_urgent_requests_are_taken_as_urgent() {
        let queue = Queue::default();
        queue.push(request(1, false)).unwrap();
        assert_eq!(queue.urgent(), None);
        queue.push(request(2, true)).unwrap();
        assert_eq!(queue.urgent().map(|request| request.lease), Some(2));
    }

    #[test]
    fn a_request_wakes_who_waits() {
        let queue = Queue::default();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.next());
            queue.push(request(1, false)).unwrap();
            assert_eq!(waiting.join().unwrap(), Next::Request(request(1, false)));
            let waiting = scope.spawn(|| queue.next());
            queue.end(0);
            assert_eq!(waiting.join().unwrap(), Next::End(0));
        });
    }

    #[test]
    fn a_flood_is_refused() {
        let queue = Queue::default();
        (0..MOST_WAITING as u64)
            .for_each(|lease| queue.push(request(lease, lease % 2 == 0)).unwrap());
        assert_eq!(queue.push(request(0, true)), Err(Overfull));
    }
}
