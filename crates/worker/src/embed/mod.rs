//! Token ids to unit vectors: the models' sessions, and leases worked off one
//! model call at a time. It knows no text and no tokenizer.

mod calls;
mod graph;
mod job;
mod runtime;
mod session;
mod vectors;

use rummage_protocol::{ModelIdentity, Running};

use crate::{EmbedOptions, WorkerError, timings};
use runtime::Runtime;

pub use graph::without_padding;
pub use job::{Job, Step};
pub use session::Embedder;

/// The models that this worker has loaded. Each lease says whose it is.
#[derive(Debug)]
pub struct Embedders {
    models: Vec<Embedder>,
    running: Running,
}

impl Embedders {
    /// Loads all of them, one after the other. What they cannot run on is told, and they
    /// run on the processor.
    pub fn open(options: &EmbedOptions) -> Result<Self, WorkerError> {
        let mut runtime = Runtime::load(options)?;
        timings::end_of("runtime");
        let open = |runtime: &Runtime| {
            let models = options.models.iter().map(|model| Embedder::open(model, runtime));
            models.collect::<Result<Vec<_>, _>>()
        };
        let models = match open(&runtime) {
            Err(error) if runtime.is_accelerated() => {
                runtime.fall_back(&error);
                open(&runtime)?
            }
            opened => opened?,
        };
        timings::tell();
        Ok(Self { models, running: runtime.running() })
    }

    pub fn running(&self) -> &Running {
        &self.running
    }

    pub fn identities(&self) -> Vec<ModelIdentity> {
        self.models.iter().map(Embedder::identity).collect()
    }

    /// The model with this fingerprint.
    pub fn of(&mut self, model: &str) -> Result<&mut Embedder, WorkerError> {
        let not_loaded = || WorkerError::NotLoaded { model: model.to_owned() };
        self.models.iter_mut().find(|embedder| embedder.is(model)).ok_or_else(not_loaded)
    }
}
