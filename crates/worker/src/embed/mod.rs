//! Token ids to unit vectors: loaded models, and leases worked off one model call at a
//! time. It knows no text and no tokenizer.

mod calls;
mod embedder;
mod graph;
mod job;
mod runtime;
mod session;
mod vectors;

use std::path::PathBuf;

use rummage_protocol::{ModelIdentity, Running};

use crate::{EmbedOptions, WorkerError, timings};
pub use embedder::{Embedder, encoder};
pub use graph::without_padding;
pub use job::{Job, Step};
use runtime::Runtimes;

/// The models that this worker has loaded. Each lease says whose it is.
#[derive(Debug)]
pub struct Embedders {
    models: Vec<Embedder>,
    runtimes: Runtimes,
    folders: Vec<PathBuf>,
}

impl Embedders {
    /// Loads all of them, one after the other. What they cannot run on is told, and they
    /// run on the processor.
    pub fn open(options: &EmbedOptions) -> Result<Self, WorkerError> {
        let mut runtimes = Runtimes::of(options)?;
        let folders = options.models.clone();
        let models = match open(&folders, &mut runtimes) {
            Err(error) if runtimes.is_accelerated() => {
                runtimes.fall_back(&error);
                open(&folders, &mut runtimes)?
            }
            opened => opened?,
        };
        timings::tell();
        Ok(Self { models, runtimes, folders })
    }

    pub fn running(&self) -> Running {
        self.runtimes.running()
    }

    /// Models run on something else than the processor.
    pub fn is_accelerated(&self) -> bool {
        self.runtimes.is_accelerated()
    }

    /// From here on models run on the processor: what they ran on has failed, as a card
    /// does that went to sleep or whose memory another program has taken.
    pub fn fall_back(&mut self, error: &WorkerError) -> Result<(), WorkerError> {
        self.runtimes.fall_back(error);
        // First what holds on to the card.
        self.models.clear();
        self.models = open(&self.folders, &mut self.runtimes)?;
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

fn open(folders: &[PathBuf], runtimes: &mut Runtimes) -> Result<Vec<Embedder>, WorkerError> {
    folders.iter().map(|folder| Embedder::open(folder, runtimes)).collect()
}
