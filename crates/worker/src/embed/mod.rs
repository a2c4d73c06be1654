//! Token ids to unit vectors: the models' sessions, and leases worked off one
//! model call at a time. It knows no text and no tokenizer.

mod calls;
mod graph;
mod job;
mod session;
mod vectors;

use rummage_protocol::ModelIdentity;

use crate::{EmbedOptions, WorkerError, timings};

pub use graph::without_padding;
pub use job::{Job, Step};
pub use session::Embedder;

/// The models that this worker has loaded. Each lease says whose it is.
#[derive(Debug)]
pub struct Embedders(Vec<Embedder>);

impl Embedders {
    /// Loads all of them, one after the other.
    pub fn open(options: &EmbedOptions) -> Result<Self, WorkerError> {
        let open = |model| Embedder::open(model, &options.runtime, options.threads.get());
        let open = options.models.iter().map(|model| open(model)).collect::<Result<_, _>>()?;
        timings::tell();
        Ok(Self(open))
    }

    pub fn identities(&self) -> Vec<ModelIdentity> {
        self.0.iter().map(Embedder::identity).collect()
    }

    /// The model with this fingerprint.
    pub fn of(&mut self, model: &str) -> Result<&mut Embedder, WorkerError> {
        let not_loaded = || WorkerError::NotLoaded { model: model.to_owned() };
        self.0.iter_mut().find(|embedder| embedder.is(model)).ok_or_else(not_loaded)
    }
}
