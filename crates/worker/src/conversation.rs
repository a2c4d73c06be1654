//! The conversation with the app: the handshake, then one reply a request, urgent
//! ones first. It knows streams, not processes, so a test can hold it in memory.

use std::{
    io::{Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use rummage_protocol::{
    EmbedRequest, FrameError, Hello, LeaseId, Reply, Request, Role, Running, VERSION, exit,
    read_frame, write_frame,
};

use crate::{
    Options, WorkerError,
    embed::{Embedders, Job, Step},
    extract::extract,
    queue::{Next, Queue},
};

/// The code with which Rust ends a program that panicked.
const PANICKED: i32 = 101;

/// Speaks the protocol until `reader` ends, and returns the exit code.
///
/// `ended` is called with the exit code on the reader's thread the moment that
/// nothing more can come. A program ends itself there, since this function still
/// finishes what it has: it returns when every request that came in whole is
/// answered.
pub fn serve(
    options: &Options,
    reader: impl Read + Send + 'static,
    writer: impl Write,
    ended: impl FnOnce(i32) + Send + 'static,
) -> i32 {
    let queue = Arc::new(Queue::default());
    // Before the model is loaded, so that a worker whose app is gone stops loading.
    let filled = Arc::clone(&queue);
    thread::spawn(move || {
        let read = || read_requests(reader, &filled);
        let code = catch_unwind(AssertUnwindSafe(read)).unwrap_or(PANICKED);
        ended(code);
        filled.end(code);
    });
    let mut conversation = Conversation { queue, writer };
    match Craft::learn(options) {
        // The app cannot be told when it no longer listens.
        Ok(craft) => conversation.hold(craft).unwrap_or(exit::DONE),
        Err(error) => {
            let _ = conversation.send(&Reply::Refused(error.to_string()));
            exit::REFUSED
        }
    }
}

/// Fills the queue until the stream ends; the exit code says how it did.
fn read_requests(mut reader: impl Read, queue: &Queue) -> i32 {
    loop {
        match read_frame(&mut reader) {
            Ok(Some(request)) => {
                if queue.push(request).is_err() {
                    eprintln!("rummage-worker: the app sends more than it may have outstanding");
                    return exit::PROTOCOL;
                }
            }
            // Half a frame: the app died while it wrote.
            Ok(None) | Err(FrameError::Cut) => return exit::DONE,
            Err(error) => {
                eprintln!("rummage-worker: {error}");
                return exit::PROTOCOL;
            }
        }
    }
}

/// What the worker was started to do, ready to do it.
enum Craft {
    Extract,
    Embed(Embedders),
}

impl Craft {
    fn learn(options: &Options) -> Result<Self, WorkerError> {
        match options {
            Options::Extract => Ok(Self::Extract),
            Options::Embed(options) => Embedders::open(options).map(Self::Embed),
        }
    }

    fn hello(&self) -> Hello {
        let (role, models, running) = match self {
            Self::Extract => (Role::Extract, Vec::new(), Running::default()),
            Self::Embed(embedders) => (Role::Embed, embedders.identities(), embedders.running()),
        };
        Hello { version: VERSION, role, models, running }
    }
}

struct Conversation<W> {
    queue: Arc<Queue>,
    writer: W,
}

impl<W: Write> Conversation<W> {
    fn hold(&mut self, mut craft: Craft) -> Result<i32, FrameError> {
        self.send(&Reply::Hello(craft.hello()))?;
        loop {
            match (&mut craft, self.queue.next()) {
                (_, Next::End(code)) => return Ok(code),
                (Craft::Extract, Next::Request(Request::Extract(request))) => {
                    self.answer(request.lease, &extract(&request))?;
                }
                (Craft::Embed(embedders), Next::Request(Request::Embed(request))) => {
                    self.embed(embedders, request)?;
                }
                (craft, Next::Request(request)) => {
                    let role = craft.hello().role.name();
                    let reason = format!("this worker's role is {role} alone");
                    self.send(&Reply::Failed { lease: request.lease(), reason })?;
                }
            }
        }
    }

    /// Answers the request, and before each further model call every urgent one
    /// that has come in since.
    fn embed(
        &mut self,
        embedders: &mut Embedders,
        request: EmbedRequest,
    ) -> Result<(), FrameError> {
        let (lease, urgent, model) = (request.lease, request.urgent, request.model.clone());
        let again = embedders.is_accelerated().then(|| request.clone());
        let mut job = match embedders.of(&model) {
            Ok(embedder) => Box::new(Job::new(request, embedder)),
            Err(error) => return self.send(&Reply::Failed { lease, reason: error.to_string() }),
        };
        loop {
            match embedders.of(&model).and_then(|embedder| job.step(embedder)) {
                Ok(Step::More(rest)) => job = rest,
                Ok(Step::Done(embedded)) => return self.answer(lease, &Reply::Embedded(embedded)),
                Err(error) => {
                    // That a card fails is no fault of the texts.
                    if let (WorkerError::Call(_) | WorkerError::Shape { .. }, Some(request)) =
                        (&error, again)
                        && embedders.fall_back(&error).is_ok()
                    {
                        eprintln!("rummage-worker: {error}; from here on by the processor");
                        return self.embed(embedders, request);
                    }
                    return self.send(&Reply::Failed { lease, reason: error.to_string() });
                }
            }
            // Urgent requests are short and keep their order among themselves.
            while !urgent && let Some(request) = self.queue.urgent() {
                self.embed(embedders, request)?;
            }
        }
    }

    fn send(&mut self, reply: &Reply) -> Result<(), FrameError> {
        write_frame(&mut self.writer, reply)
    }

    /// A reply over the frames' cap fails its lease instead.
    fn answer(&mut self, lease: LeaseId, reply: &Reply) -> Result<(), FrameError> {
        match self.send(reply) {
            Err(error @ FrameError::TooLong { .. }) => {
                self.send(&Reply::Failed { lease, reason: error.to_string() })
            }
            sent => sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Cursor},
        sync::mpsc,
    };

    use rummage_protocol::{ExtractRequest, Outcome, encode};
    use rummage_testkit::Tree;

    use super::*;

    /// All replies to these bytes, the exit code, and the code that `ended` heard.
    fn serve_all(stream: Vec<u8>) -> (Vec<Reply>, i32, i32) {
        let (heard, hearing) = mpsc::channel();
        let mut written = Vec::new();
        let ended = move |code| heard.send(code).unwrap();
        let code = serve(&Options::Extract, Cursor::new(stream), &mut written, ended);
        let mut written = written.as_slice();
        let replies = std::iter::from_fn(|| read_frame(&mut written).unwrap()).collect();
        (replies, code, hearing.recv().unwrap())
    }

    fn hello() -> Reply {
        Reply::Hello(Craft::Extract.hello())
    }

    #[test]
    fn every_request_is_answered_before_the_end() {
        let tree = Tree::with([("a.txt", "leek"), ("b.txt", "salt")]);
        let request = |lease, name| {
            let path = tree.source(name);
            let (max_bytes, patience_ms) = (100, 60_000);
            let request = ExtractRequest { lease, path, max_bytes, ocr: None, patience_ms };
            encode(&Request::Extract(request)).unwrap()
        };
        let stream = [request(1, "a.txt"), request(2, "b.txt")].concat();
        let (replies, code, heard) = serve_all(stream);
        assert_eq!((code, heard), (exit::DONE, exit::DONE));
        assert_eq!(replies[0], hello());
        let leases: Vec<LeaseId> = replies[1..]
            .iter()
            .map(|reply| match reply {
                Reply::Extracted(extracted) => {
                    assert!(matches!(extracted.outcome, Outcome::Text { .. }));
                    extracted.lease
                }
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(leases, [1, 2]);
    }

    #[test]
    fn an_ended_stream_is_told_from_a_broken_one() {
        assert_eq!(serve_all(vec![]), (vec![hello()], exit::DONE, exit::DONE));
        assert_eq!(serve_all(vec![9, 0]), (vec![hello()], exit::DONE, exit::DONE));
        assert_eq!(serve_all(vec![0xff; 8]), (vec![hello()], exit::PROTOCOL, exit::PROTOCOL));
    }

    #[test]
    fn a_reader_that_panics_ends_the_conversation() {
        struct Panics;
        impl Read for Panics {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("on purpose")
            }
        }
        assert_eq!(serve(&Options::Extract, Panics, io::sink(), |_| ()), PANICKED);
    }
}
