//! The model in ONNX Runtime: loading it, and one call.

use std::{borrow::Cow, fs, path::Path};

use ort::{
    session::{Session, SessionInputValue},
    value::{Tensor, ValueType},
};
use rummage_models::{Model, Pooling};
use rummage_protocol::ModelIdentity;

use super::{graph, runtime::Runtime, vectors::pool};
use crate::{WorkerError, timings};

/// A loaded model that has already answered once.
#[derive(Debug)]
pub struct Embedder {
    session: Session,
    inputs: Vec<Input>,
    output: String,
    identity: ModelIdentity,
    max_tokens: usize,
    pooling: Pooling,
    /// Texts of different lengths may share a call; else the graph knows no padding.
    pads: bool,
}

/// What models of this family ask for; each declares the ones it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Ids,
    /// 1 for a token, 0 for padding.
    Mask,
    /// All 0: there is one text, not a pair.
    Segments,
}

impl Input {
    fn named(name: &str) -> Option<Self> {
        [Self::Ids, Self::Mask, Self::Segments].into_iter().find(|input| input.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Ids => "input_ids",
            Self::Mask => "attention_mask",
            Self::Segments => "token_type_ids",
        }
    }
}

impl Embedder {
    /// Loads the model and runs it once, so that what cannot work is refused before
    /// the first lease.
    pub fn open(folder: &Path, runtime: &Runtime) -> Result<Self, WorkerError> {
        let model = Model::open(folder)?;
        let path = model.onnx();
        let (session, pads) = session(runtime, &path)
            .map_err(|source| WorkerError::Graph { path: path.clone(), source })?;
        timings::end_of("session");
        let mut embedder = Self::of(&model, session, pads)?;
        // Every vocabulary has a token 0; what it means does not matter here.
        let warmed_up = embedder.call(&[&[0]]);
        timings::end_of("first_call");
        match warmed_up {
            Ok(_) | Err(WorkerError::NoDirection { .. }) => Ok(embedder),
            Err(WorkerError::Call(source)) => Err(WorkerError::Graph { path, source }),
            Err(error) => Err(error),
        }
    }

    fn of(model: &Model, session: Session, pads: bool) -> Result<Self, WorkerError> {
        let (path, dims) = (model.onnx(), model.spec.dims);
        Ok(Self {
            inputs: inputs(&session, &path)?,
            output: output(&session, &path, dims)?,
            session,
            identity: ModelIdentity { fingerprint: model.fingerprint(), dims },
            max_tokens: model.spec.max_tokens,
            pooling: model.spec.pooling,
            pads,
        })
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

    /// Whether texts of different lengths may share a call.
    pub const fn pads(&self) -> bool {
        self.pads
    }

    /// One model call: a unit vector a text, `dims` numbers each, in their order.
    pub fn call(&mut self, texts: &[&[u32]]) -> Result<Vec<f32>, WorkerError> {
        // A width of zero is no tensor.
        let width = texts.iter().map(|text| text.len()).max().unwrap_or(0).max(1);
        let dims = self.dims();
        let feed = self.inputs.iter().map(|&input| {
            let tensor = Tensor::from_array(([texts.len(), width], numbers(input, texts, width)))?;
            Ok((Cow::from(input.name()), SessionInputValue::from(tensor)))
        });
        let feed = feed.collect::<ort::Result<Vec<_>>>().map_err(WorkerError::Call)?;
        let outputs = self.session.run(feed).map_err(WorkerError::Call)?;
        let (shape, states) =
            outputs[self.output.as_str()].try_extract_tensor::<f32>().map_err(WorkerError::Call)?;
        if **shape != [texts.len() as i64, width as i64, dims as i64] {
            return Err(WorkerError::Shape { shape: shape.to_vec() });
        }
        let mut values = Vec::with_capacity(texts.len() * dims);
        for (at, (text, states)) in texts.iter().zip(states.chunks_exact(width * dims)).enumerate()
        {
            if !pool(&states[..text.len() * dims], dims, self.pooling, &mut values) {
                return Err(WorkerError::NoDirection { text: at, tokens: text.len() });
            }
        }
        Ok(values)
    }
}

/// What one input holds for these texts, each padded to `width` tokens.
fn numbers(input: Input, texts: &[&[u32]], width: usize) -> Vec<i64> {
    let mut numbers = vec![0; texts.len() * width];
    for (row, text) in numbers.chunks_exact_mut(width).zip(texts) {
        match input {
            Input::Ids => row.iter_mut().zip(*text).for_each(|(to, &id)| *to = i64::from(id)),
            Input::Mask => row[..text.len()].fill(1),
            Input::Segments => {}
        }
    }
    numbers
}

/// The session, and whether it knows padding.
fn session(runtime: &Runtime, model: &Path) -> ort::Result<(Session, bool)> {
    // It is simpler for the processor: other providers want wide calls, and know the
    // nodes of attention where they do not know that operator.
    if !runtime.is_accelerated()
        && let Some(graph) = simpler_graph(model)
        && let Ok(session) = runtime.builder()?.commit_from_memory(&graph)
    {
        return Ok((session, false));
    }
    Ok((runtime.builder()?.commit_from_file(model)?, true))
}

/// A larger file is run as it is: for a moment there are two of it in memory.
const LARGEST_GRAPH: u64 = 256 << 20;

/// What cannot be read here, ONNX Runtime gives its own words for.
fn simpler_graph(model: &Path) -> Option<Vec<u8>> {
    if fs::metadata(model).ok()?.len() > LARGEST_GRAPH {
        return None;
    }
    graph::without_padding(&fs::read(model).ok()?)
}

fn inputs(session: &Session, path: &Path) -> Result<Vec<Input>, WorkerError> {
    let named = |name: &str| {
        Input::named(name)
            .ok_or_else(|| WorkerError::Input { path: path.to_owned(), name: name.to_owned() })
    };
    session.inputs().iter().map(|input| named(input.name())).collect()
}

/// The output with a vector a token: `last_hidden_state` where there is one of
/// the right width, else the first of the right width.
fn output(session: &Session, path: &Path, dims: u32) -> Result<String, WorkerError> {
    let fits = |kind: &ValueType| match kind {
        // -1 stands for a length that the file leaves open.
        ValueType::Tensor { shape, .. } => {
            shape.len() == 3 && [-1, i64::from(dims)].contains(&shape[2])
        }
        _ => false,
    };
    let mut fitting: Vec<&str> =
        session.outputs().iter().filter(|o| fits(o.dtype())).map(|o| o.name()).collect();
    fitting.sort_by_key(|name| *name != "last_hidden_state");
    let first = fitting.first().map(|name| (*name).to_owned());
    first.ok_or_else(|| WorkerError::Output { path: path.to_owned(), dims })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use rummage_protocol::Provider;
    use rummage_testkit::{Dice, runtime_library};

    use super::*;
    use crate::EmbedOptions;

    #[test]
    fn the_simpler_graph_gives_the_same_vectors() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models");
        let model = Model::open(folder.join("all-MiniLM-L6-v2")).expect("run `npm run setup`");
        let runtime = Runtime::load(&EmbedOptions {
            models: Vec::new(),
            runtime: runtime_library(),
            provider: Provider::Cpu,
            own_runtime: None,
            threads: NonZeroUsize::MIN,
        });
        let runtime = runtime.unwrap();
        let plain = runtime.builder().unwrap().commit_from_file(model.onnx()).unwrap();
        let mut plain = Embedder::of(&model, plain, true).unwrap();
        let (simpler, pads) = session(&runtime, &model.onnx()).unwrap();
        assert!(!pads, "the default model's graph is known by heart");
        let mut simpler = Embedder::of(&model, simpler, pads).unwrap();
        let mut dice = Dice::new(5);
        for length in [1, 2, 7, 64, 256] {
            let text: Vec<u32> = (0..length).map(|_| 1000 + dice.below(20_000) as u32).collect();
            let [one, other] =
                [&mut plain, &mut simpler].map(|embedder| embedder.call(&[&text]).unwrap());
            let cosine: f32 = one.iter().zip(&other).map(|(a, b)| a * b).sum();
            // In eight bits, the least difference may round another way.
            assert!(cosine > 0.99, "{cosine} at {length} tokens");
        }
    }
}
