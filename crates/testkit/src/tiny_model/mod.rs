//! A model folder small enough to make and load in milliseconds, which ONNX
//! Runtime runs like any other. Its vectors mean little: texts that share words
//! are near each other, and that is all.
//!
//! It does not know the crate that reads such folders; the tests of that crate
//! and of the worker show that the two agree.

mod onnx;
mod tokenizer;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::Dice;

/// Numbers a vector of the tiny model.
const DIMS: usize = 32;
/// Tokens of a text that the tiny model reads, special tokens included.
const MAX_TOKENS: usize = 64;

/// What [`tiny_model`] made.
#[derive(Debug, Clone)]
pub struct TinyModel {
    pub folder: PathBuf,
    /// Numbers a vector.
    pub dims: usize,
    /// Tokens of a text that it reads, special tokens included.
    pub max_tokens: usize,
    /// Token ids are below this.
    pub vocabulary: usize,
}

/// Writes `model.json`, `model.onnx` and `tokenizer.json` into the folder `into`,
/// which is made if need be. The same seed gives the same bytes; another seed
/// gives another model, with another fingerprint and other vectors.
///
/// # Panics
/// When the folder cannot be written.
pub fn tiny_model(into: &Path, seed: u64) -> TinyModel {
    let vocabulary = tokenizer::vocabulary();
    let files = [
        ("model.onnx", onnx::lookup(vocabulary.len(), DIMS, &table(vocabulary.len(), seed))),
        ("tokenizer.json", tokenizer::json(&vocabulary, MAX_TOKENS).to_string().into_bytes()),
    ];
    let pins: serde_json::Map<_, _> = files
        .iter()
        .map(|(name, bytes)| {
            let sha256 = Sha256::digest(bytes).into_iter().map(|byte| format!("{byte:02x}"));
            let pin = json!({ "sha256": sha256.collect::<String>(), "bytes": bytes.len() });
            ((*name).to_owned(), pin)
        })
        .collect();
    let spec = json!({
        "id": format!("tiny-{seed}"),
        "name": "Tiny test model",
        "license": "Apache-2.0",
        "dims": DIMS,
        "max_tokens": MAX_TOKENS,
        "pooling": "mean",
        "normalize": true,
        "query_prefix": "",
        "passage_prefix": "",
        "languages": ["en"],
        "files": pins,
    });
    let write = |name: &str, bytes: &[u8]| {
        let path = into.join(name);
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    };
    fs::create_dir_all(into).unwrap_or_else(|error| panic!("{}: {error}", into.display()));
    files.iter().for_each(|(name, bytes)| write(name, bytes));
    write("model.json", spec.to_string().as_bytes());
    TinyModel {
        folder: into.to_owned(),
        dims: DIMS,
        max_tokens: MAX_TOKENS,
        vocabulary: vocabulary.len(),
    }
}

/// One pseudo-random row a token. The special tokens, which every text has,
/// weigh little, or all texts would be alike.
fn table(vocabulary: usize, seed: u64) -> Vec<f32> {
    let mut dice = Dice::new(seed);
    let weight = |at: usize| if at / DIMS < tokenizer::SPECIAL.len() { 0.05 } else { 1.0 };
    (0..vocabulary * DIMS).map(|at| dice.signed() * weight(at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(seed: u64) -> Vec<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let model = tiny_model(&folder.path().join("a/b"), seed);
        ["model.json", "model.onnx", "tokenizer.json"]
            .map(|name| fs::read(model.folder.join(name)).unwrap())
            .into()
    }

    #[test]
    fn a_seed_gives_one_model() {
        let (one, other) = (bytes(1), bytes(2));
        assert_eq!(one, bytes(1));
        assert_ne!(one[0], other[0]);
        assert_ne!(one[1], other[1]);
        assert_eq!(one[2], other[2], "the vocabulary is the same for all seeds");
    }
}
