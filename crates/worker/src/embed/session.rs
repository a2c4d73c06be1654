//! A model in ONNX Runtime: loading it, and one call.

use std::{borrow::Cow, path::Path};

use ort::{
    session::{Session, SessionInputValue},
    value::{Tensor, ValueType},
};
use rummage_models::{Model, Pooling};

use super::{calls::Sharing, runtime::Runtime, vectors::pool};
use crate::WorkerError;

/// Any model that ONNX Runtime can run.
#[derive(Debug)]
pub struct OnnxModel {
    session: Session,
    inputs: Vec<Input>,
    output: String,
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

impl OnnxModel {
    /// Runs the model's file, or a graph that knows no padding in its place.
    pub fn open(
        model: &Model,
        simpler: Option<Vec<u8>>,
        runtime: &Runtime,
    ) -> Result<Self, WorkerError> {
        let path = model.onnx();
        let (session, pads) = session(runtime, &path, simpler)
            .map_err(|source| WorkerError::Graph { path: path.clone(), source })?;
        Self::of(model, session, pads)
    }

    fn of(model: &Model, session: Session, pads: bool) -> Result<Self, WorkerError> {
        let path = model.onnx();
        let inputs = inputs(&session, &path)?;
        let output = output(&session, &path, model.spec.dims)?;
        Ok(Self { session, inputs, output, pads })
    }

    pub const fn sharing(&self) -> Sharing {
        if self.pads { Sharing::Padded } else { Sharing::OneLength }
    }

    /// One model call: a unit vector a text, `dims` numbers each, in their order.
    pub fn call(
        &mut self,
        texts: &[&[u32]],
        dims: usize,
        pooling: Pooling,
    ) -> Result<Vec<f32>, WorkerError> {
        // A width of zero is no tensor.
        let width = texts.iter().map(|text| text.len()).max().unwrap_or(0).max(1);
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
            if !pool(&states[..text.len() * dims], dims, pooling, &mut values) {
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
fn session(
    runtime: &Runtime,
    model: &Path,
    simpler: Option<Vec<u8>>,
) -> ort::Result<(Session, bool)> {
    if let Some(graph) = simpler
        && let Ok(session) = runtime.builder()?.commit_from_memory(&graph)
    {
        return Ok((session, false));
    }
    Ok((runtime.builder()?.commit_from_file(model)?, true))
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
