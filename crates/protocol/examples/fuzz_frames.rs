//! Spoils sound frames, over and over, and reads what comes of them:
//!
//!     fuzz_frames SECONDS
//!
//! What panics, takes longer than a second each of three times, or is read as a message
//! that is not written and read again as the same, is named by its number.

use std::{
    panic::catch_unwind,
    time::{Duration, Instant},
};

use rummage_corpus::{Caveat, ContentHash, Document, Heading, SourcePath, Structure};
use rummage_protocol::{
    EmbedRequest, Embedded, ExtractRequest, Extracted, FrameError, Hello, Outcome, Reply, Request,
    Role, Running, SkipReason, VERSION, encode, read_frame,
};
use serde::{Serialize, de::DeserializeOwned};

const SLOW: Duration = Duration::from_secs(1);

fn main() {
    let seconds = std::env::args().nth(1).and_then(|seconds| seconds.parse().ok());
    let seconds = Duration::from_secs(seconds.expect("usage: fuzz_frames SECONDS"));
    std::panic::set_hook(Box::new(|_| {}));
    let (requests, replies) = (requests(), replies());
    let began = Instant::now();
    let (mut round, mut read, mut findings) = (0, 0_u64, 0_u64);
    while began.elapsed() < seconds {
        let mut chance = Chance(round);
        let of_requests = chance.below(2) == 0;
        let seeds = if of_requests { &requests } else { &replies };
        let mut bytes = seeds[chance.below(seeds.len())].clone();
        spoil(&mut bytes, &mut chance);
        let check = || if of_requests { check::<Request>(&bytes) } else { check::<Reply>(&bytes) };
        // A busy machine makes one try slow, hardly three.
        let quick = || {
            let start = Instant::now();
            (catch_unwind(check), start.elapsed() < SLOW)
        };
        match (0..3).map(|_| quick()).find(|(found, is_quick)| found.is_err() || *is_quick) {
            Some((Ok(Ok(is_read)), _)) => read += u64::from(is_read),
            Some((Ok(Err(())), _)) => named(&mut findings, round, "changed"),
            Some((Err(_), _)) => named(&mut findings, round, "panicked"),
            None => named(&mut findings, round, "took long"),
        }
        round += 1;
    }
    println!("{round} streams, {read} read, {findings} findings");
}

fn named(findings: &mut u64, round: u64, what: &str) {
    *findings += 1;
    println!("{what}: {round}");
}

/// Reads messages until the stream ends or errs; says whether there was one. An error:
/// a message that is another once it is written and read.
fn check<M: Serialize + DeserializeOwned>(mut stream: &[u8]) -> Result<bool, ()> {
    let mut is_read = false;
    while let Ok(Some(message)) = read_frame::<M>(&mut stream) {
        is_read = true;
        // Bytes, since a number may be none and then equals nothing.
        let written = encode(&message).map_err(drop)?;
        let again: Result<Option<M>, FrameError> = read_frame(&mut written.as_slice());
        let again = again.map_err(drop)?.ok_or(())?;
        if encode(&again).map_err(drop)? != written {
            return Err(());
        }
    }
    Ok(is_read)
}

fn requests() -> Vec<Vec<u8>> {
    let path = SourcePath::new("/notes/roof.pdf");
    let ocr = Some("eng+deu".to_owned());
    let token_ids = vec![vec![101, 2054, 102], vec![101, 300_000, 102]];
    let model = "1a6a2f49bfb2886c".to_owned();
    let embed = EmbedRequest { lease: 300, model, urgent: true, tokens_per_call: 256, token_ids };
    let extract = ExtractRequest { lease: 7, path, max_bytes: 1 << 25, ocr, patience_ms: 20_000 };
    frames(&[Request::Embed(embed), Request::Extract(extract)])
}

fn replies() -> Vec<Vec<u8>> {
    let document = Document {
        title: Some("Roof".to_owned()),
        headings: vec![Heading { level: 1, text: "Tiles".to_owned(), at: 3 }],
        pages: vec![0, 9],
        caveats: vec![Caveat::Scanned { pages: 1, of: 3 }],
        ..Document::plain("Ein Döner, 漢字", Structure::Prose)
    };
    let hash = ContentHash::of(b"roof");
    let outcomes = [
        Outcome::Text { hash, document },
        Outcome::Skipped(SkipReason::TooLarge { bytes: 1 << 40, limit: 1 << 25 }),
        Outcome::Unreadable { reason: "denied".to_owned(), missing: false },
    ];
    let extracted =
        outcomes.map(|outcome| Reply::Extracted(Box::new(Extracted { lease: 1, outcome })));
    let embedded = Embedded { lease: 9, dims: 3, values: vec![0.5, -0.25, f32::NAN] };
    let others = [
        Reply::Hello(Hello {
            version: VERSION,
            role: Role::Extract,
            models: vec![],
            running: Running::default(),
        }),
        Reply::Embedded(embedded),
        Reply::Failed { lease: 2, reason: "damaged".to_owned() },
    ];
    frames(&[extracted.as_slice(), &others].concat())
}

/// Each message by itself, and all in a row.
fn frames<M: Serialize>(messages: &[M]) -> Vec<Vec<u8>> {
    let frame = |message| encode(message).expect("a message of ours is a frame");
    let mut frames: Vec<_> = messages.iter().map(frame).collect();
    frames.push(frames.concat());
    frames
}

fn spoil(bytes: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        let end = (at + chance.below(12)).min(bytes.len());
        match chance.below(6) {
            0 if at < bytes.len() => bytes[at] = chance.below(256) as u8,
            // The length, which stands at the front.
            1 => {
                let nth = chance.below(bytes.len().min(4));
                if let Some(byte) = bytes.get_mut(nth) {
                    *byte = byte.wrapping_add(chance.below(256) as u8);
                }
            }
            2 => drop(bytes.drain(at..end)),
            3 => bytes.truncate(at),
            // A count that says: very many.
            4 => drop(bytes.splice(at..at, vec![0xff; chance.below(10)])),
            _ => {
                let part = bytes[at..end].repeat(chance.below(9));
                bytes.splice(at..at, part);
            }
        }
    }
}

/// Numbers that look like chance and are the same each time (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % end.max(1) as u64) as usize
    }
}
