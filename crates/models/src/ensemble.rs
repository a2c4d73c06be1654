//! Several models used as one: a text's vector is theirs side by side.
//!
//! Each part's unit vector is multiplied by the square root of its share, so the
//! product of two such vectors is the mean of the parts' cosines, weighted by shares,
//! and they have length 1 like any other. Whoever stores and compares vectors need
//! not know of it.

use std::path::Path;

use rummage_corpus::ContentHash;
use serde::{Deserialize, Serialize};

use crate::{Model, ModelError, spec::is_plain_name};

/// What the `model.json` of an ensemble says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsembleSpec {
    /// As [`ModelSpec::id`](crate::ModelSpec::id).
    pub id: String,
    /// For people.
    pub name: String,
    pub parts: Vec<PartSpec>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartSpec {
    /// The part's id.
    pub model: String,
    /// Of the similarity; all shares add up to 1. Cosines of one model lie closer
    /// together than those of another, so equal say does not mean equal shares.
    pub share: f64,
}

/// How far from 1 the sum of shares may be, for they are written with few digits.
const ROUNDING: f64 = 1e-6;

impl EnsembleSpec {
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

    fn flaw(&self) -> Option<(&'static str, &'static str)> {
        let parts = &self.parts;
        let sum: f64 = parts.iter().map(|part| part.share).sum();
        let doubled = parts
            .iter()
            .enumerate()
            .any(|(place, part)| parts[..place].iter().any(|other| other.model == part.model));
        let checks = [
            (is_plain_name(&self.id), "id", "must be letters, digits, `-`, `_` and `.`"),
            (parts.len() > 1, "parts", "must be two models or more"),
            (!doubled, "parts", "must name each model once"),
            (parts.iter().all(|part| part.model != self.id), "parts", "must be other models"),
            (parts.iter().all(|part| part.share > 0.0), "parts", "must have shares above 0"),
            ((sum - 1.0).abs() < ROUNDING, "parts", "must have shares that add up to 1"),
        ];
        checks.into_iter().find(|(holds, ..)| !holds).map(|(_, field, must)| (field, must))
    }
}

/// What vectors are made with: one model, or several side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Blend {
    pub id: String,
    pub name: String,
    /// At least one; shares add up to 1.
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub model: Model,
    pub share: f64,
}

impl Blend {
    /// Of one model alone.
    pub fn single(model: Model) -> Self {
        let (id, name) = (model.spec.id.clone(), model.spec.name.clone());
        Self { id, name, parts: vec![Part { model, share: 1.0 }] }
    }

    /// Which vectors this makes; a single model's are its own. As
    /// [`ModelSpec::fingerprint`](crate::ModelSpec::fingerprint), it stays the same in
    /// every later version.
    pub fn fingerprint(&self) -> String {
        if let [part] = self.parts.as_slice() {
            return part.model.fingerprint();
        }
        let fingerprints: Vec<_> = self.parts.iter().map(|part| part.model.fingerprint()).collect();
        let shares: Vec<_> = self.parts.iter().map(|part| part.share.to_le_bytes()).collect();
        let mut bytes: Vec<&[u8]> = vec![b"side by side"];
        for (fingerprint, share) in fingerprints.iter().zip(&shares) {
            bytes.extend([fingerprint.as_bytes(), share]);
        }
        let mut digits = ContentHash::of_parts(bytes).to_string();
        digits.truncate(16);
        digits
    }

    /// Numbers a vector.
    pub fn dims(&self) -> u32 {
        self.parts.iter().map(|part| part.model.spec.dims).sum()
    }

    /// Tokens of a text that all parts read, special tokens included.
    pub fn max_tokens(&self) -> usize {
        self.parts.iter().map(|part| part.model.spec.max_tokens).min().unwrap_or(0)
    }

    /// Looks at each file of each part.
    ///
    /// # Errors
    ///
    /// A file is missing or cut short.
    pub fn check(&self) -> Result<(), ModelError> {
        self.parts.iter().try_for_each(|part| part.model.check())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::write_model;

    fn parse(parts: &str) -> Result<EnsembleSpec, ModelError> {
        let text = format!(r#"{{"id": "both", "name": "Both", "parts": {parts}}}"#);
        EnsembleSpec::parse(&text, Path::new("model.json"))
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let part = |model: &str, share: f64| format!(r#"{{"model": "{model}", "share": {share}}}"#);
        let check = |parts: &[String], word: &str| {
            let error = parse(&format!("[{}]", parts.join(", "))).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        };
        check(&[part("a", 1.0)], "two models");
        check(&[part("a", 0.5), part("a", 0.5)], "once");
        check(&[part("both", 0.5), part("a", 0.5)], "other models");
        check(&[part("b", 1.5), part("a", -0.5)], "above 0");
        check(&[part("b", 0.5), part("a", 0.6)], "add up to 1");
        assert_eq!(
            parse(&format!("[{}, {}]", part("a", 0.4), part("b", 0.6))).unwrap().parts.len(),
            2
        );
    }

    #[test]
    fn a_fingerprint_is_of_the_parts_and_their_shares() {
        let dir = tempfile::tempdir().unwrap();
        let model = |id: &str| Model::open(write_model(dir.path(), id)).unwrap();
        let blend = |shares: [f64; 2]| {
            let parts = shares.map(|share| Part { model: model("a"), share }).to_vec();
            Blend { id: "both".into(), name: "Both".into(), parts }
        };
        let single = Blend::single(model("a"));
        assert_eq!(single.fingerprint(), model("a").fingerprint());
        assert_eq!(blend([0.5, 0.5]).fingerprint(), blend([0.5, 0.5]).fingerprint());
        assert_ne!(blend([0.5, 0.5]).fingerprint(), blend([0.4, 0.6]).fingerprint());
        assert_ne!(blend([0.5, 0.5]).fingerprint(), single.fingerprint());
        assert_eq!((blend([0.5, 0.5]).dims(), single.dims()), (8, 4));
    }
}
