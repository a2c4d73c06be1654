//! The model in use: what cuts and tokenises here, and what its workers need. It may be
//! several single models side by side.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rummage_cache::Maker;
use rummage_chunk::{ChunkSize, Tokenizer};
use rummage_corpus::ContentHash;
use rummage_models::{Assets, Blend, Model, ModelError};
use rummage_pool::ServedModel;
use rummage_protocol::ModelIdentity;
use rummage_settings::Settings;
use rummage_store::VectorSpace;

/// A model whose tokenizers are loaded. The networks themselves are loaded by workers
/// alone. Cheap to clone.
#[derive(Clone)]
pub(crate) struct LoadedModel {
    pub id: String,
    pub name: String,
    /// Of its vectors.
    pub identity: ModelIdentity,
    parts: Arc<[Part]>,
    cutter: Cutter,
    pub runtime_library: PathBuf,
}

/// A single model, and how much of a vector it makes.
pub(crate) struct Part {
    model: Model,
    pub maker: Maker,
    tokenizer: Tokenizer,
    share: f64,
}

/// What texts are cut by: the default model's tokenizer wherever that is installed, so
/// that passages stay what they are when another model is chosen.
#[derive(Clone)]
struct Cutter {
    tokenizer: Tokenizer,
    /// Of its file.
    sha256: String,
    /// As much as its model reads at once.
    tokens: usize,
    /// As much as every part reads.
    most_tokens: usize,
}

impl LoadedModel {
    /// What is missing for words is an error; what is missing for meaning alone
    /// comes beside the model.
    pub fn open(assets: &Assets, id: &str) -> Result<(Self, Option<ModelError>), ModelError> {
        Self::load(assets, assets.blend(id)?)
    }

    /// The one that makes the vectors with this fingerprint, if it is installed whole.
    pub fn of_fingerprint(assets: &Assets, fingerprint: &str) -> Option<Self> {
        let loaded = Self::load(assets, assets.blend_of(fingerprint)?);
        loaded.ok().filter(|(_, missing)| missing.is_none()).map(|(model, _)| model)
    }

    /// One that need not be among the installed.
    pub fn single(assets: &Assets, model: Model) -> Result<Self, ModelError> {
        match Self::load(assets, Blend::single(model))? {
            (model, None) => Ok(model),
            (_, Some(missing)) => Err(missing),
        }
    }

    fn load(assets: &Assets, blend: Blend) -> Result<(Self, Option<ModelError>), ModelError> {
        let incomplete = blend.check().err();
        let (runtime_library, no_runtime) = match assets.runtime_library() {
            Ok(path) => (path, None),
            Err(ModelError::NoRuntime { path }) => {
                (path.clone(), Some(ModelError::NoRuntime { path }))
            }
            Err(error) => return Err(error),
        };
        let identity = ModelIdentity { fingerprint: blend.fingerprint(), dims: blend.dims() };
        let most_tokens = blend.max_tokens();
        let Blend { id, name, parts } = blend;
        let parts = parts.into_iter().map(|part| Part::load(part.model, part.share));
        let parts: Arc<[Part]> = match parts.collect::<Result<_, _>>() {
            Ok(parts) => parts,
            // The missing or cut file is the better explanation.
            Err(error) => return Err(incomplete.unwrap_or(error)),
        };
        let cutter = Cutter::find(assets, &parts, most_tokens);
        let loaded = Self { id, name, identity, parts, cutter, runtime_library };
        Ok((loaded, incomplete.or(no_runtime)))
    }

    /// The single models that it is made of.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// One vector of the parts' unit vectors of one text, in their order.
    pub fn join<'a>(&self, vectors: impl IntoIterator<Item = &'a [f32]>) -> Vec<f32> {
        let mut joined = Vec::with_capacity(self.identity.dims as usize);
        for (part, vector) in self.parts.iter().zip(vectors) {
            let weight = part.share.sqrt() as f32;
            joined.extend(vector.iter().map(|number| number * weight));
        }
        joined
    }

    /// What texts are cut by.
    pub fn cutter(&self) -> &Tokenizer {
        &self.cutter.tokenizer
    }

    /// How large passages are by these settings: as much as the default model reads at
    /// once, or less; no more than this one reads.
    pub fn chunk_size(&self, settings: &Settings) -> ChunkSize {
        let Cutter { tokens, most_tokens, .. } = self.cutter;
        let tokens = settings.passages.tokens.unwrap_or(tokens).min(most_tokens);
        ChunkSize { tokens, overlap: 0 }
    }

    /// The tokens of the longest passage that it reads.
    pub fn longest_passage(&self) -> usize {
        self.cutter.most_tokens
    }

    /// Names how files are cut: another name means cutting them anew.
    pub fn cutting(&self, settings: &Settings) -> String {
        let tokens = self.chunk_size(settings).tokens.to_string();
        let extractor = rummage_extract::VERSION.to_string();
        let chunker = rummage_chunk::VERSION.to_string();
        let parts = [&self.cutter.sha256, &tokens, &extractor, &chunker];
        ContentHash::of_parts(parts.map(|part| part.as_bytes())).to_string()
    }

    pub fn space(&self) -> VectorSpace {
        VectorSpace { fingerprint: self.identity.fingerprint.clone(), dims: self.identity.dims }
    }

    /// What workers load for it.
    pub fn served(&self) -> impl Iterator<Item = ServedModel> {
        self.parts.iter().map(|part| ServedModel {
            dir: part.model.dir().to_owned(),
            identity: ModelIdentity {
                fingerprint: part.maker.fingerprint.clone(),
                dims: part.maker.dims,
            },
        })
    }

    /// The size of the networks' files; 0 for one that is missing.
    pub fn bytes(&self) -> u64 {
        let size = |part: &Part| part.model.onnx().metadata().map_or(0, |file| file.len());
        self.parts.iter().map(size).sum()
    }

    /// Whether a word is one of its vocabulary, and not put together of pieces.
    pub fn knows(&self, word: &str) -> bool {
        self.parts.iter().any(|part| part.tokenizer.knows(word))
    }

    /// How well it knows the language of a text, 0 to 1: as well as its parts, by their
    /// shares.
    pub fn fit(&self, text: &str) -> f64 {
        self.parts.iter().map(|part| part.share * part.fit(text)).sum()
    }
}

impl Part {
    fn load(model: Model, share: f64) -> Result<Self, ModelError> {
        let (path, spec) = (model.tokenizer(), &model.spec);
        let tokenizer = load_tokenizer(&model, spec.max_tokens)
            .map_err(|source| ModelError::Unreadable { path, source })?;
        let (fingerprint, id) = (model.fingerprint(), spec.id.clone());
        let maker = Maker { fingerprint, id, dims: spec.dims };
        Ok(Self { model, maker, tokenizer, share })
    }

    /// What is loaded of it.
    pub fn files(&self) -> [PathBuf; 2] {
        [self.model.onnx(), self.model.tokenizer()]
    }

    /// Where these lie.
    pub fn dir(&self) -> &Path {
        self.model.dir()
    }

    pub fn passage_tokens(&self, text: &str) -> Vec<u32> {
        self.tokens(&self.model.spec.passage_prefix, text)
    }

    pub fn query_tokens(&self, text: &str) -> Vec<u32> {
        self.tokens(&self.model.spec.query_prefix, text)
    }

    /// One of several languages is taken to know all.
    fn fit(&self, text: &str) -> f64 {
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

impl Cutter {
    fn find(assets: &Assets, parts: &[Part], most_tokens: usize) -> Self {
        let default = assets.model(&Settings::default().model).ok();
        let of = |model: &Model, tokenizer: Tokenizer| {
            let pin = model.spec.files.get("tokenizer.json");
            let sha256 = pin.map(|pin| pin.sha256.clone()).unwrap_or_default();
            Self { tokenizer, sha256, tokens: model.spec.max_tokens, most_tokens }
        };
        let default = default.and_then(|model| {
            // A person may choose longer passages than it reads for a model that does.
            let max_tokens = most_tokens.max(model.spec.max_tokens);
            let loaded = parts
                .iter()
                .find(|part| part.model == model && part.tokenizer.max_tokens() == max_tokens);
            let tokenizer = match loaded {
                Some(part) => part.tokenizer.clone(),
                None => load_tokenizer(&model, max_tokens).ok()?,
            };
            Some(of(&model, tokenizer))
        });
        default.unwrap_or_else(|| of(&parts[0].model, parts[0].tokenizer.clone()))
    }
}

fn load_tokenizer(model: &Model, max_tokens: usize) -> std::io::Result<Tokenizer> {
    Tokenizer::from_file(&model.tokenizer(), max_tokens).map_err(std::io::Error::other)
}
