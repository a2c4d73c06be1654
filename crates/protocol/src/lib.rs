//! What the app and its worker processes say to each other over the worker's
//! stdin and stdout. It knows nothing of processes, models or parsers.
//!
//! A conversation is a row of frames (see [`frame`]). The worker speaks first:
//! [`Reply::Hello`] once it can work, or [`Reply::Refused`] with the reason.
//! After that the app sends [`Request`]s and the worker answers each with one
//! [`Reply`] that bears the same lease. Replies may come in another order than
//! the requests, since an urgent request overtakes. The end of stdin is the end
//! of the worker.

mod frame;
mod provider;

use rummage_corpus::{ContentHash, Document, SourcePath};
use serde::{Deserialize, Serialize};

pub use frame::{FrameError, MAX_FRAME_BYTES, decode, encode, read_frame, write_frame};
pub use provider::{Provider, Running};

/// Raised with every change to these types. Both sides are built together, so
/// any difference means a mixed installation and the handshake ends.
pub const VERSION: u32 = 5;

/// How a worker's life ended, as its exit code.
pub mod exit {
    /// Stdin closed: the app is done with this worker.
    pub const DONE: i32 = 0;
    /// The command line makes no sense.
    pub const USAGE: i32 = 2;
    /// The model or ONNX Runtime could not be loaded; [`Reply::Refused`](super::Reply) said why.
    pub const REFUSED: i32 = 3;
    /// A frame from the app could not be read.
    pub const PROTOCOL: i32 = 4;
}

/// One unit of work, counted by the app. A worker only repeats it.
pub type LeaseId = u64;

/// What a worker was started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Reads files and finds their text.
    Extract,
    /// Turns token ids into vectors.
    Embed,
}

impl Role {
    pub const fn name(self) -> &'static str {
        match self {
            Role::Extract => "extract",
            Role::Embed => "embed",
        }
    }
}

/// From the app to a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    Embed(EmbedRequest),
    Extract(ExtractRequest),
}

/// Texts to embed, as the token ids of one of the models that the handshake named,
/// special tokens included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmbedRequest {
    pub lease: LeaseId,
    /// The fingerprint of that model.
    pub model: String,
    /// Urgent requests (a person waits) are answered before all others, between
    /// two model calls.
    pub urgent: bool,
    /// At most this many tokens, padding included, go through the model in one
    /// call; a single longer text still goes alone.
    pub tokens_per_call: u32,
    /// One row a text.
    pub token_ids: Vec<Vec<u32>>,
}

/// A file to read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExtractRequest {
    pub lease: LeaseId,
    pub path: SourcePath,
    /// A file with more bytes is not read.
    pub max_bytes: u64,
    /// Letters in pictures are read as these languages, in Tesseract's names joined by
    /// `+`; `None`: they are not read.
    pub ocr: Option<String>,
    /// Past this many milliseconds the worker ends reading by itself with what it has
    /// so far, where the format lets it.
    pub patience_ms: u64,
}

/// From a worker to the app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    Hello(Hello),
    /// The worker cannot work and ends; the reason is for people.
    Refused(String),
    Embedded(Embedded),
    Extracted(Box<Extracted>),
    /// This lease cannot be done and another try would end the same; the worker lives on.
    Failed {
        lease: LeaseId,
        reason: String,
    },
}

/// The handshake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub version: u32,
    pub role: Role,
    /// Those that an embedding worker has loaded, in the order it was given them.
    pub models: Vec<ModelIdentity>,
    /// What these run on.
    pub running: Running,
}

/// Which vectors a worker makes. Vectors of different fingerprints never mix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    pub fingerprint: String,
    /// Numbers a vector.
    pub dims: u32,
}

/// Unit vectors, row by row in the order of the request's texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Embedded {
    pub lease: LeaseId,
    pub dims: u32,
    /// `dims` numbers a text.
    pub values: Vec<f32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extracted {
    pub lease: LeaseId,
    pub outcome: Outcome,
}

/// What became of a file. Every case is an answer, none an error: a bad file is
/// data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    Text {
        hash: ContentHash,
        document: Document,
    },
    /// There is nothing here that could be searched, by rule.
    Skipped(SkipReason),
    /// The file could not be read; the operating system's words.
    Unreadable {
        reason: String,
        missing: bool,
    },
}

/// Why a file holds nothing to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SkipReason {
    Empty,
    /// Its bytes are no text that can be read.
    Binary,
    TooLarge {
        bytes: u64,
        limit: u64,
    },
    /// A pipe, a socket, a device.
    NotAFile,
    /// An image or a scan: letters in it are pictures.
    NeedsOcr,
    /// The same, and Tesseract, which was to read them, is not installed.
    NeedsTesseract,
    /// A picture in a format that Tesseract does not read.
    OtherPicture,
    /// A password keeps it shut.
    Protected,
    /// What is packed in it is larger than this many bytes.
    UnpacksTooLarge {
        limit: u64,
    },
}

impl Request {
    /// Whether letters in pictures are to be read, which takes longer by far.
    pub const fn reads_pictures(&self) -> bool {
        matches!(self, Request::Extract(ExtractRequest { ocr: Some(_), .. }))
    }

    pub const fn lease(&self) -> LeaseId {
        match self {
            Request::Embed(request) => request.lease,
            Request::Extract(request) => request.lease,
        }
    }
}
