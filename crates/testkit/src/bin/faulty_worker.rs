//! A worker that speaks the protocol, answers with made-up vectors and plain
//! file contents, and does wrong what the script in its environment says (see
//! `rummage_testkit::faults`). Tests of the worker pool start it in the place of
//! the real one: it takes the same command line, of which only `--role` matters
//! to it, and whether `--provider` is there. It knows no model and no parser.

use std::{
    env,
    fs::{self, OpenOptions},
    io::{self, Write},
    process, thread,
    time::Duration,
};

use rummage_corpus::{ContentHash, Document, Structure};
use rummage_protocol::{
    EmbedRequest, Embedded, ExtractRequest, Extracted, Hello, ModelIdentity, Outcome, Reply,
    Request, Role, Running, SkipReason, VERSION, encode, exit, read_frame, write_frame,
};
use rummage_testkit::{
    faults::{FAULTS, FAULTS_ONCE, FAULTY_DIMS, FAULTY_FINGERPRINT, Fault, Script},
    vector_of,
};

fn main() {
    let script = env::var(FAULTS).unwrap_or_default();
    let script: Script =
        script.parse().unwrap_or_else(|error| panic!("no sense in {FAULTS}: {error:?}"));
    let dims = env::var(FAULTY_DIMS).map_or(32, |dims| dims.parse().expect("dims is a number"));
    let mut worker = FaultyWorker { script, dims, leaked: Vec::new() };
    worker.shake_hands();
    let mut ordinal = 0;
    while let Some(request) = read_frame(&mut io::stdin()).expect("the app writes whole frames") {
        ordinal += 1;
        worker.answer(ordinal, &request);
    }
    worker.end()
}

struct FaultyWorker {
    script: Script,
    dims: usize,
    /// Memory that is taken and never given back.
    leaked: Vec<Vec<u8>>,
}

impl FaultyWorker {
    fn shake_hands(&self) {
        if self.script.holds(&Fault::Silent) && armed() {
            self.hang();
        }
        if self.script.holds(&Fault::Refuse) && armed() {
            send(&Reply::Refused("the script says so".to_owned()));
            process::exit(exit::REFUSED);
        }
        let accelerated = env::args().any(|argument| argument == "--provider");
        if accelerated && self.script.holds(&Fault::Driver) && armed() {
            kill_itself();
        }
        let wrong = self.script.holds(&Fault::WrongVersion) && armed();
        let role = role();
        let model = || ModelIdentity {
            fingerprint: env::var(FAULTY_FINGERPRINT).unwrap_or_else(|_| "faulty".to_owned()),
            dims: self.dims as u32,
        };
        let models = if role == Role::Embed { vec![model()] } else { Vec::new() };
        let (version, running) = (VERSION + u32::from(wrong), Running::default());
        send(&Reply::Hello(Hello { version, role, models, running }));
    }

    fn answer(&mut self, ordinal: u64, request: &Request) {
        let lease = request.lease();
        let mut replies = vec![match request {
            Request::Embed(request) => Reply::Embedded(embed(request, self.dims)),
            Request::Extract(request) => Reply::Extracted(Box::new(extract(request))),
        }];
        let faults: Vec<Fault> = self.script.strikes(ordinal, request).cloned().collect();
        for fault in faults {
            if !armed() {
                continue;
            }
            match fault {
                Fault::Exit(code) => process::exit(code),
                Fault::Kill => kill_itself(),
                Fault::Poison { .. } | Fault::PoisonPath(_) => std::process::abort(),
                Fault::Hang => self.hang(),
                Fault::Drop => replies.clear(),
                Fault::Fail => {
                    replies = vec![Reply::Failed { lease, reason: "scripted".to_owned() }];
                }
                Fault::Garbage => write_and_exit(&[0xff; 64]),
                Fault::HalfFrame => {
                    let frame = encode(&replies[0]).expect("a test's reply fits a frame");
                    write_and_exit(&frame[..frame.len() / 2]);
                }
                Fault::Twice => replies.extend_from_within(..),
                Fault::Stranger => {
                    replies = vec![Reply::Failed {
                        lease: lease.wrapping_add(1_000_000),
                        reason: "nobody gave this lease".to_owned(),
                    }]
                }
                Fault::Late(time) => thread::sleep(time),
                // Filled with ones: pages of zeros would not count as used.
                Fault::Leak { mebibytes } => self.leaked.push(vec![1; mebibytes << 20]),
                Fault::Refuse
                | Fault::Silent
                | Fault::WrongVersion
                | Fault::Driver
                | Fault::Deaf => {}
            }
        }
        replies.iter().for_each(send);
    }

    fn hang(&self) -> ! {
        io::copy(&mut io::stdin(), &mut io::sink()).expect("stdin can be read");
        self.end()
    }

    fn end(&self) -> ! {
        if self.script.holds(&Fault::Deaf) && armed() {
            // Bounded, so that a failed test leaves nothing behind for long.
            thread::sleep(Duration::from_secs(60));
        }
        process::exit(exit::DONE)
    }
}

fn role() -> Role {
    let mut arguments = env::args().skip_while(|argument| argument != "--role").skip(1);
    match arguments.next().as_deref() {
        Some("embed") => Role::Embed,
        Some("extract") => Role::Extract,
        other => panic!("--role is embed or extract, not {other:?}"),
    }
}

/// Whether a fault may strike; it counts as struck when this says yes.
fn armed() -> bool {
    env::var_os(FAULTS_ONCE)
        .is_none_or(|marker| OpenOptions::new().write(true).create_new(true).open(marker).is_ok())
}

fn embed(request: &EmbedRequest, dims: usize) -> Embedded {
    let values = request.token_ids.iter().flat_map(|ids| vector_of(ids, dims)).collect();
    Embedded { lease: request.lease, dims: dims as u32, values }
}

fn extract(request: &ExtractRequest) -> Extracted {
    let outcome = match fs::read(&request.path) {
        Ok(bytes) if bytes.is_empty() => Outcome::Skipped(SkipReason::Empty),
        Ok(bytes) => Outcome::Text {
            hash: ContentHash::of(&bytes),
            document: Document::plain(String::from_utf8_lossy(&bytes), Structure::Prose),
        },
        Err(error) => Outcome::Unreadable {
            reason: error.to_string(),
            missing: error.kind() == io::ErrorKind::NotFound,
        },
    };
    Extracted { lease: request.lease, outcome }
}

/// A reader that is gone is the app's death, not a fault of this program.
fn send(reply: &Reply) {
    if write_frame(&mut io::stdout(), reply).is_err() {
        process::exit(exit::DONE);
    }
}

fn write_and_exit(bytes: &[u8]) -> ! {
    let mut stdout = io::stdout();
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
    process::exit(1)
}

fn kill_itself() -> ! {
    #[cfg(unix)]
    // SAFETY: sends a signal, touches no memory.
    unsafe {
        libc::raise(libc::SIGKILL);
    }
    process::abort()
}
