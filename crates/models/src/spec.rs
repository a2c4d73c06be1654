//! `model.json`: all that must be known of a model to make vectors with it.

use std::{collections::BTreeMap, path::Path};

use rummage_corpus::ContentHash;
use serde::{Deserialize, Serialize};

use crate::ModelError;

/// The network.
pub(crate) const ONNX: &str = "model.onnx";
/// The tokenizer, in the format of Hugging Face's `tokenizers`.
pub(crate) const TOKENIZER: &str = "tokenizer.json";

/// What `model.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// Names the model in the settings and bears its folder's name: ASCII letters,
    /// digits, `-`, `_` and `.`.
    pub id: String,
    /// For people.
    pub name: String,
    /// SPDX expression.
    pub license: String,
    /// ISO 639-1 codes of the languages it was made for.
    pub languages: Vec<String>,
    /// Numbers a vector.
    pub dims: u32,
    /// Tokens the model reads of one text, special tokens included.
    pub max_tokens: usize,
    pub pooling: Pooling,
    /// Whether vectors are brought to length 1.
    pub normalize: bool,
    /// Put before a query.
    pub query_prefix: String,
    /// Put before a passage.
    pub passage_prefix: String,
    /// Every file of the model by its name in the folder.
    pub files: BTreeMap<String, FilePin>,
    /// Where the files come from; `None` for a folder that a person brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<PackageSource>,
}

/// How the vectors of a text's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// Their mean, padding left out.
    Mean,
    /// The first token's.
    Cls,
}

impl Pooling {
    pub const fn name(self) -> &'static str {
        match self {
            Pooling::Mean => "mean",
            Pooling::Cls => "cls",
        }
    }
}

/// By what a file is known to be the right one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePin {
    /// 64 lower-case hexadecimal digits.
    pub sha256: String,
    pub bytes: u64,
}

/// A package that carries the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageSource {
    /// `name@version`.
    pub npm: String,
    /// Of the package's archive.
    pub sha256: String,
    /// For each file of the model, its path in the archive.
    pub paths: BTreeMap<String, String>,
}

impl ModelSpec {
    /// From the text of a `model.json`; the path is for errors.
    ///
    /// # Errors
    ///
    /// The text is no JSON, lacks a field, or a field makes no sense.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ModelError> {
        let spec: Self = serde_json::from_str(text)
            .map_err(|source| ModelError::Malformed { path: path.to_owned(), source })?;
        match spec.flaw() {
            None => Ok(spec),
            Some((field, must)) => Err(ModelError::Invalid { path: path.to_owned(), field, must }),
        }
    }

    /// Which vectors this model makes: 16 hexadecimal digits that change with
    /// everything that changes a vector, and with nothing else. They are stored
    /// beside vectors, so they stay the same in every later version.
    pub fn fingerprint(&self) -> String {
        let [dims, max_tokens] =
            [u64::from(self.dims), self.max_tokens as u64].map(u64::to_le_bytes);
        let mut parts: Vec<&[u8]> = vec![
            &dims,
            &max_tokens,
            self.pooling.name().as_bytes(),
            if self.normalize { b"unit" } else { b"raw" },
            self.query_prefix.as_bytes(),
            self.passage_prefix.as_bytes(),
        ];
        for (name, pin) in &self.files {
            parts.extend([name.as_bytes(), pin.sha256.as_bytes()]);
        }
        let mut digits = ContentHash::of_parts(parts).to_string();
        digits.truncate(16);
        digits
    }

    /// The first field that makes no sense, and what it must be.
    fn flaw(&self) -> Option<(&'static str, &'static str)> {
        let pinned = |name: &str| self.files.contains_key(name);
        let is_hash = |text: &str| {
            text.len() == 64 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        };
        let checks = [
            (is_plain_name(&self.id), "id", "must be letters, digits, `-`, `_` and `.`"),
            (self.dims > 0, "dims", "must be above 0"),
            (self.max_tokens > 0, "max_tokens", "must be above 0"),
            (pinned(ONNX) && pinned(TOKENIZER), "files", "must name model.onnx and tokenizer.json"),
            (
                self.files.keys().all(|name| is_plain_name(name)),
                "files",
                "must be names of files in the model's own folder",
            ),
            (
                self.files.values().all(|pin| is_hash(&pin.sha256)),
                "files",
                "must have hashes of 64 lower-case hexadecimal digits",
            ),
        ];
        checks.into_iter().find(|(holds, ..)| !holds).map(|(_, field, must)| (field, must))
    }
}

/// Whether the name stays in its folder on every system: no separators, no `..`.
pub(crate) fn is_plain_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = include_str!("../../../assets/models/all-MiniLM-L6-v2/model.json");

    fn spec() -> ModelSpec {
        ModelSpec::parse(DEFAULT, Path::new("model.json")).unwrap()
    }

    #[test]
    fn the_default_model_is_described() {
        let spec = spec();
        assert_eq!((spec.id.as_str(), spec.dims, spec.max_tokens), ("all-MiniLM-L6-v2", 384, 256));
        let source = spec.source.unwrap();
        assert!(spec.files.keys().eq(source.paths.keys()));
    }

    #[test]
    fn a_spec_reads_back_from_what_it_writes() {
        let mut spec = spec();
        spec.source = None;
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(ModelSpec::parse(&text, Path::new("model.json")).unwrap(), spec);
    }

    /// A vector on someone's disk bears this fingerprint.
    #[test]
    fn the_default_models_fingerprint_never_changes() {
        assert_eq!(spec().fingerprint(), "1a6a2f49bfb2886c");
    }

    #[test]
    fn the_fingerprint_changes_with_what_changes_a_vector() {
        let check = |change: fn(&mut ModelSpec), expected: bool| {
            let mut changed = spec();
            change(&mut changed);
            assert_eq!(changed.fingerprint() != spec().fingerprint(), expected, "{changed:?}");
        };
        check(|spec| spec.pooling = Pooling::Cls, true);
        check(|spec| spec.normalize = false, true);
        check(|spec| spec.max_tokens = 512, true);
        check(|spec| spec.query_prefix = "query: ".into(), true);
        check(|spec| spec.passage_prefix = "query: ".into(), true);
        check(|spec| spec.files.get_mut(ONNX).unwrap().sha256 = "0".repeat(64), true);
        check(|spec| spec.name = "Mini".into(), false);
        check(|spec| spec.languages.clear(), false);
        check(|spec| spec.source = None, false);
    }

    fn check_flaw(change: fn(&mut ModelSpec), expected: &str) {
        let mut spec = spec();
        change(&mut spec);
        let text = serde_json::to_string(&spec).unwrap();
        match ModelSpec::parse(&text, Path::new("model.json")) {
            Err(ModelError::Invalid { field, .. }) => assert_eq!(field, expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        check_flaw(|spec| spec.id = "../x".into(), "id");
        check_flaw(|spec| spec.id = String::new(), "id");
        check_flaw(|spec| spec.dims = 0, "dims");
        check_flaw(|spec| spec.max_tokens = 0, "max_tokens");
        check_flaw(|spec| drop(spec.files.remove(TOKENIZER)), "files");
        check_flaw(|spec| spec.files.get_mut(ONNX).unwrap().sha256 = "AB".repeat(32), "files");
        check_flaw(
            |spec| {
                let pin = spec.files[ONNX].clone();
                spec.files.insert("../model.onnx".into(), pin);
            },
            "files",
        );
    }

    #[test]
    fn a_missing_field_is_named_with_its_file() {
        let error = ModelSpec::parse(r#"{"id": "x"}"#, Path::new("/m/model.json")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("/m/model.json") && text.contains("`name`"), "{text}");
    }
}
