//! The model catalogue: what a model folder holds, whether it is whole, and where
//! model folders and the ONNX Runtime library lie.
//!
//! It loads no model and knows nothing of ONNX or tokenizers: it hands out paths.
//!
//! A model folder holds `model.json` (a [`ModelSpec`]), `model.onnx` and
//! `tokenizer.json`, and whatever else the spec pins. The folder of an ensemble holds
//! a `model.json` alone (an [`EnsembleSpec`]). Models that are not here may be in the
//! [`catalogue`](catalogue::entries), with where they are to be had.

mod assets;
pub mod catalogue;
mod ensemble;
mod error;
mod import;
mod model;
mod spec;

pub use assets::{Assets, Surroundings, runtime_in};
pub use ensemble::{Blend, EnsembleSpec, Part, PartSpec};
pub use error::ModelError;
pub use import::{Found, Staged, describe, describe_with, precisions};
pub use model::{Described, Model};
pub use spec::{FilePin, ModelSpec, PackageSource, Pooling};
