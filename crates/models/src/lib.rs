//! The model catalogue: what a model folder holds, whether it is whole, and where
//! model folders and the ONNX Runtime library lie.
//!
//! It loads no model and knows nothing of ONNX or tokenizers: it hands out paths.
//!
//! A model folder holds `model.json` (a [`ModelSpec`]), `model.onnx` and
//! `tokenizer.json`, and whatever else the spec pins.

mod assets;
mod error;
mod model;
mod spec;

pub use assets::{Assets, Surroundings};
pub use error::ModelError;
pub use model::Model;
pub use spec::{FilePin, ModelSpec, PackageSource, Pooling};
