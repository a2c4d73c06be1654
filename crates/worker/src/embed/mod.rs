//! Token ids to unit vectors: the models' sessions, and leases worked off one
//! model call at a time. It knows no text and no tokenizer.

mod calls;
mod graph;
mod job;
mod runtime;
mod session;
mod vectors;

use std::path::PathBuf;

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
    runtime: Runtime,
    folders: Vec<PathBuf>,
}

impl Embedders {
    /// Loads all of them, one after the other. What they cannot run on is told, and they
    /// run on the processor.
    pub fn open(options: &EmbedOptions) -> Result<Self, WorkerError> {
        let mut runtime = Runtime::load(options)?;
        timings::end_of("runtime");
        let folders = options.models.clone();
        let models = match open(&folders, &runtime) {
            Err(error) if runtime.is_accelerated() => {
                runtime.fall_back(&error);
                open(&folders, &runtime)?
            }
            opened => opened?,
        };
        timings::tell();
        Ok(Self { models, runtime, folders })
    }

    pub fn running(&self) -> &Running {
        self.runtime.running()
    }

    /// Models run on something else than the processor.
    pub fn is_accelerated(&self) -> bool {
        self.runtime.is_accelerated()
    }

    /// From here on models run on the processor: what they ran on has failed, as a card
    /// does that went to sleep or whose memory another program has taken.
    pub fn fall_back(&mut self, error: &WorkerError) -> Result<(), WorkerError> {
        self.runtime.fall_back(error);
        // First what holds on to the card.
        self.models.clear();
        self.models = open(&self.folders, &self.runtime)?;
        Ok(())
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

fn open(folders: &[PathBuf], runtime: &Runtime) -> Result<Vec<Embedder>, WorkerError> {
    folders.iter().map(|folder| Embedder::open(folder, runtime)).collect()
}
