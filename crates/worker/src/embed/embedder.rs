//! A loaded model, whatever runs it.

use std::{fs, num::NonZeroUsize, path::Path};

use rummage_encoder::Encoder;
use rummage_models::{Model, Pooling};
use rummage_protocol::ModelIdentity;

use super::{
    calls::{Sharing, plan},
    graph,
    runtime::Runtimes,
    session::OnnxModel,
    vectors::pool,
};
use crate::{WorkerError, timings};

/// A loaded model that has already answered once.
#[derive(Debug)]
pub struct Embedder {
    engine: Engine,
    identity: ModelIdentity,
    max_tokens: usize,
    pooling: Pooling,
}

#[derive(Debug)]
enum Engine {
    /// Ours, for what it knows on processors that it knows.
    Encoder {
        encoder: Encoder,
        threads: usize,
    },
    Onnx(OnnxModel),
}

impl Embedder {
    /// Loads the model and runs it once, so that what cannot work is refused before
    /// the first lease. ONNX Runtime is loaded if it is needed and was not before.
    pub fn open(folder: &Path, runtimes: &mut Runtimes) -> Result<Self, WorkerError> {
        let model = Model::open(folder)?;
        let engine = Engine::open(&model, runtimes)?;
        timings::end_of("session");
        let mut embedder = Self::of(&model, engine);
        // Every vocabulary has a token 0; what it means does not matter here.
        let warmed_up = embedder.call(&[&[0]]);
        timings::end_of("first_call");
        match warmed_up {
            Ok(_) | Err(WorkerError::NoDirection { .. }) => Ok(embedder),
            Err(WorkerError::Call(source)) => {
                Err(WorkerError::Graph { path: model.onnx(), source })
            }
            Err(error) => Err(error),
        }
    }

    fn of(model: &Model, engine: Engine) -> Self {
        let dims = model.spec.dims;
        Self {
            engine,
            identity: ModelIdentity { fingerprint: model.fingerprint(), dims },
            max_tokens: model.spec.max_tokens,
            pooling: model.spec.pooling,
        }
    }

    pub fn identity(&self) -> ModelIdentity {
        self.identity.clone()
    }

    /// Whether this is the model with that fingerprint.
    pub fn is(&self, fingerprint: &str) -> bool {
        self.identity.fingerprint == fingerprint
    }

    /// Numbers a vector.
    pub const fn dims(&self) -> usize {
        self.identity.dims as usize
    }

    /// Tokens of a text that the model reads.
    pub const fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Which texts of these lengths, in tokens, are to share a call.
    pub fn plan(&self, lengths: &[usize], tokens_per_call: usize) -> Vec<Vec<usize>> {
        match &self.engine {
            // Each thread takes whole texts, so there must be enough of them.
            Engine::Encoder { threads, .. } => {
                plan(lengths, tokens_per_call.saturating_mul(*threads), Sharing::Free)
            }
            Engine::Onnx(onnx) => plan(lengths, tokens_per_call, onnx.sharing()),
        }
    }

    /// One model call: a unit vector a text, `dims` numbers each, in their order.
    pub fn call(&mut self, texts: &[&[u32]]) -> Result<Vec<f32>, WorkerError> {
        let (dims, pooling) = (self.dims(), self.pooling);
        match &mut self.engine {
            Engine::Encoder { encoder, .. } => encode(encoder, texts, pooling),
            Engine::Onnx(onnx) => onnx.call(texts, dims, pooling),
        }
    }
}

/// A larger file is run as it is, unread: for a moment there are up to three of it in memory.
const LARGEST_FILE: u64 = 256 << 20;

impl Engine {
    fn open(model: &Model, runtimes: &mut Runtimes) -> Result<Self, WorkerError> {
        let mut graph = None;
        // Other devices want wide calls, and know the nodes of the file where they do not
        // know a simpler graph's.
        if !runtimes.is_accelerated()
            && let Some(file) = read(&model.onnx())
        {
            let threads = runtimes.threads();
            if let Some(encoder) = encoder(model, &file, threads) {
                return Ok(Self::Encoder { encoder, threads: threads.get() });
            }
            graph = graph::without_padding(&file);
        }
        timings::end_of("session");
        OnnxModel::open(model, graph, runtimes.loaded()?).map(Self::Onnx)
    }
}

/// What cannot be read here, ONNX Runtime gives its own words for.
fn read(path: &Path) -> Option<Vec<u8>> {
    let fits = fs::metadata(path).ok()?.len() <= LARGEST_FILE;
    if fits { fs::read(path).ok() } else { None }
}

/// Our own encoder of this model, whose file this is. `None` where it knows that kind of
/// model or of processor not.
pub fn encoder(model: &Model, file: &[u8], threads: NonZeroUsize) -> Option<Encoder> {
    if !rummage_encoder::is_supported() {
        return None;
    }
    let encoder = Encoder::new(&graph::bert(file)?, threads)?;
    let fits = encoder.width() == model.spec.dims as usize
        && encoder.max_tokens() >= model.spec.max_tokens;
    fits.then_some(encoder)
}

fn encode(
    encoder: &mut Encoder,
    texts: &[&[u32]],
    pooling: Pooling,
) -> Result<Vec<f32>, WorkerError> {
    let width = encoder.width();
    let mut values = Vec::with_capacity(texts.len() * width);
    let (mut at, mut without) = (0, None);
    encoder.encode(texts, |states| {
        if !pool(states, width, pooling, &mut values) {
            let tokens = states.len() / width;
            without.get_or_insert(WorkerError::NoDirection { text: at, tokens });
        }
        at += 1;
    })?;
    without.map_or(Ok(values), Err)
}

#[cfg(test)]
mod tests {
    use rummage_protocol::Provider;
    use rummage_testkit::{Dice, runtime_library};

    use super::*;
    use crate::EmbedOptions;

    fn default_model() -> Model {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models");
        Model::open(folder.join("all-MiniLM-L6-v2")).expect("run `npm run setup`")
    }

    fn runtimes(threads: usize) -> Runtimes {
        let options = EmbedOptions {
            models: Vec::new(),
            runtime: runtime_library(),
            provider: Provider::Cpu,
            own_runtime: None,
            threads: NonZeroUsize::new(threads).unwrap(),
        };
        Runtimes::of(&options).unwrap()
    }

    fn skipped() -> bool {
        let skipped = !rummage_encoder::is_supported();
        if skipped {
            eprintln!("skipped: the encoder is not for this processor");
        }
        skipped
    }

    /// Made-up texts of all lengths.
    fn texts() -> Vec<Vec<u32>> {
        let mut dice = Dice::new(5);
        let mut text = |length| (0..length).map(|_| 1000 + dice.below(20_000) as u32).collect();
        [1, 2, 7, 64, 65, 150, 256].map(&mut text).into()
    }

    /// Each by itself.
    fn vectors(mut embedder: Embedder) -> Vec<Vec<f32>> {
        texts().iter().map(|text| embedder.call(&[text]).unwrap()).collect()
    }

    fn check_alike(one: &[Vec<f32>], other: &[Vec<f32>], least: f32) {
        for ((one, other), text) in one.iter().zip(other).zip(texts()) {
            let cosine: f32 = one.iter().zip(other).map(|(a, b)| a * b).sum();
            assert!(cosine > least, "{cosine} at {} tokens", text.len());
        }
    }

    /// By ONNX Runtime, from the file as it is.
    fn by_the_file_as_it_is(model: &Model) -> Vec<Vec<f32>> {
        let mut runtimes = runtimes(1);
        let onnx = OnnxModel::open(model, None, runtimes.loaded().unwrap()).unwrap();
        assert_eq!(onnx.sharing(), Sharing::Padded);
        vectors(Embedder::of(model, Engine::Onnx(onnx)))
    }

    #[test]
    fn the_simpler_graph_gives_the_same_vectors() {
        let model = default_model();
        let file = fs::read(model.onnx()).unwrap();
        let mut runtimes = runtimes(1);
        let graph = graph::without_padding(&file);
        let onnx = OnnxModel::open(&model, graph, runtimes.loaded().unwrap()).unwrap();
        assert_eq!(onnx.sharing(), Sharing::OneLength, "the default model is known by heart");
        let simpler = vectors(Embedder::of(&model, Engine::Onnx(onnx)));
        // In eight bits, the least difference may round another way.
        check_alike(&by_the_file_as_it_is(&model), &simpler, 0.99);
    }

    #[test]
    fn the_encoder_gives_the_same_vectors_without_onnx_runtime() {
        if skipped() {
            return;
        }
        let model = default_model();
        let mut runtimes = runtimes(1);
        let engine = Engine::open(&model, &mut runtimes).unwrap();
        assert!(matches!(engine, Engine::Encoder { .. }), "the default model is known by heart");
        assert!(!runtimes.is_loaded());
        // Both round, and each in its own way.
        check_alike(&by_the_file_as_it_is(&model), &vectors(Embedder::of(&model, engine)), 0.98);
    }

    #[test]
    fn what_shares_a_call_changes_nothing_in_the_encoder() {
        if skipped() {
            return;
        }
        let model = default_model();
        let alone =
            vectors(Embedder::open(model.onnx().parent().unwrap(), &mut runtimes(1)).unwrap());
        let mut embedder =
            Embedder::open(model.onnx().parent().unwrap(), &mut runtimes(3)).unwrap();
        let (texts, dims) = (texts(), embedder.dims());
        let together = embedder.call(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let together: Vec<_> = together.unwrap().chunks(dims).map(<[f32]>::to_vec).collect();
        assert_eq!(together, alone);
        let error = embedder.call(&[&[30_522]]).unwrap_err();
        assert_eq!(error.to_string(), "the model knows no token 30522");
    }
}
