//! The model in use: what cuts and tokenises here, and what its workers need.

use std::path::{Path, PathBuf};

use rummage_chunk::{ChunkSize, Tokenizer};
use rummage_corpus::ContentHash;
use rummage_models::{Assets, Model, ModelError};
use rummage_pool::EmbedConfig;
use rummage_protocol::ModelIdentity;
use rummage_settings::{Resolved, Settings};
use rummage_store::VectorSpace;

/// A model whose tokenizer is loaded. The network itself is loaded by workers
/// alone. Cheap to clone.
#[derive(Clone)]
pub(crate) struct LoadedModel {
    pub model: Model,
    pub tokenizer: Tokenizer,
    pub identity: ModelIdentity,
    runtime_library: PathBuf,
}

impl LoadedModel {
    /// What is missing for words is an error; what is missing for meaning alone
    /// comes beside the model.
    pub fn open(assets: &Assets, id: &str) -> Result<(Self, Option<ModelError>), ModelError> {
        let model = assets.model(id)?;
        let incomplete = model.check().err();
        let (runtime_library, no_runtime) = match assets.runtime_library() {
            Ok(path) => (path, None),
            Err(ModelError::NoRuntime { path }) => {
                (path.clone(), Some(ModelError::NoRuntime { path }))
            }
            Err(error) => return Err(error),
        };
        let max_tokens = model.spec.max_tokens;
        let tokenizer = match Tokenizer::from_file(&model.tokenizer(), max_tokens) {
            Ok(tokenizer) => tokenizer,
            // The missing or cut file is the better explanation.
            Err(error) => {
                return Err(incomplete.unwrap_or_else(|| ModelError::Unreadable {
                    path: model.tokenizer(),
                    source: std::io::Error::other(error),
                }));
            }
        };
        let identity = ModelIdentity { fingerprint: model.fingerprint(), dims: model.spec.dims };
        let loaded = Self { model, tokenizer, identity, runtime_library };
        Ok((loaded, incomplete.or(no_runtime)))
    }

    /// How large passages are by these settings: as much as the model reads at once, or
    /// less.
    pub fn chunk_size(&self, settings: &Settings) -> ChunkSize {
        let most = self.model.spec.max_tokens;
        ChunkSize { tokens: settings.passages.tokens.unwrap_or(most).min(most), overlap: 0 }
    }

    /// Names how files are cut: another name means cutting them anew.
    pub fn cutting(&self, settings: &Settings) -> String {
        let tokenizer = self.model.spec.files.get("tokenizer.json");
        let tokenizer = tokenizer.map_or("", |pin| &pin.sha256);
        let tokens = self.chunk_size(settings).tokens.to_string();
        let extractor = rummage_extract::VERSION.to_string();
        let chunker = rummage_chunk::VERSION.to_string();
        let parts = [tokenizer, &tokens, &extractor, &chunker].map(str::as_bytes);
        ContentHash::of_parts(parts).to_string()
    }

    pub fn space(&self) -> VectorSpace {
        VectorSpace { fingerprint: self.identity.fingerprint.clone(), dims: self.identity.dims }
    }

    /// The size of the model's file; 0 while that is missing.
    pub fn bytes(&self) -> u64 {
        self.model.onnx().metadata().map_or(0, |metadata| metadata.len())
    }

    /// The ONNX Runtime library.
    pub fn runtime_library(&self) -> &Path {
        &self.runtime_library
    }

    pub fn workers(&self, numbers: Resolved) -> EmbedConfig {
        EmbedConfig {
            workers: numbers.pool_size,
            keep_query_worker: true,
            threads_per_worker: numbers.threads_per_worker,
            model_dir: self.model.dir().to_owned(),
            runtime_library: self.runtime_library.clone(),
            identity: self.identity.clone(),
        }
    }

    pub fn passage_tokens(&self, text: &str) -> Vec<u32> {
        self.tokens(&self.model.spec.passage_prefix, text)
    }

    pub fn query_tokens(&self, text: &str) -> Vec<u32> {
        self.tokens(&self.model.spec.query_prefix, text)
    }

    /// How well the model knows the language of a text, 0 to 1. One of several
    /// languages is taken to know all.
    pub fn fit(&self, text: &str) -> f64 {
        if self.model.spec.languages.len() > 1 {
            return 1.0;
        }
        rummage_search::fit(text, |word| self.tokenizer.count(word))
    }

    fn tokens(&self, prefix: &str, text: &str) -> Vec<u32> {
        if prefix.is_empty() {
            self.tokenizer.encode(text)
        } else {
            self.tokenizer.encode(&format!("{prefix}{text}"))
        }
    }
}
