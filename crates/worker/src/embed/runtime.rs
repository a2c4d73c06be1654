//! ONNX Runtime: whether and which library is loaded, and what its sessions run on. What was
//! asked for and cannot be had costs a word, never the worker.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use ort::{
    environment::Environment,
    ep::{self, ExecutionProvider, ExecutionProviderDispatch},
    session::{
        Session,
        builder::{GraphOptimizationLevel, SessionBuilder},
    },
};
use rummage_protocol::{Provider, Running};

use crate::{EmbedOptions, WorkerError, timings};

/// ONNX Runtime, loaded once something needs it.
#[derive(Debug)]
pub struct Runtimes {
    options: EmbedOptions,
    loaded: Option<Runtime>,
}

impl Runtimes {
    /// Loaded at once where models are to run on something else than the processor.
    pub fn of(options: &EmbedOptions) -> Result<Self, WorkerError> {
        let mut runtimes = Self { options: options.clone(), loaded: None };
        if options.provider != Provider::Cpu {
            runtimes.loaded()?;
        }
        Ok(runtimes)
    }

    pub fn loaded(&mut self) -> Result<&Runtime, WorkerError> {
        let runtime = match self.loaded.take() {
            Some(runtime) => runtime,
            None => {
                let runtime = Runtime::load(&self.options)?;
                timings::end_of("runtime");
                runtime
            }
        };
        Ok(self.loaded.insert(runtime))
    }

    #[cfg(test)]
    pub const fn is_loaded(&self) -> bool {
        self.loaded.is_some()
    }

    /// Threads that one model call uses.
    pub const fn threads(&self) -> NonZeroUsize {
        self.options.threads
    }

    /// Models run on something else than the processor.
    pub fn is_accelerated(&self) -> bool {
        self.running().provider != Provider::Cpu
    }

    pub fn running(&self) -> Running {
        self.loaded.as_ref().map(|runtime| runtime.running.clone()).unwrap_or_default()
    }

    /// The models cannot be run on what they were to.
    pub fn fall_back(&mut self, error: &WorkerError) {
        if let Some(runtime) = &mut self.loaded {
            let label = runtime.running.provider.label();
            runtime.run_on_processor(format!("{label} cannot be used: {}", error.reason()));
        }
    }
}

/// The loaded library.
#[derive(Debug)]
pub struct Runtime {
    environment: Environment,
    library: PathBuf,
    threads: usize,
    running: Running,
}

impl Runtime {
    /// Loads the person's own library where one is named and can be loaded, else ours.
    fn load(options: &EmbedOptions) -> Result<Self, WorkerError> {
        let own = options.own_runtime.as_ref().map(|own| (own, environment(own)));
        let (library, environment, fallback) = match own {
            Some((own, Ok(environment))) => (own, environment, None),
            Some((_, Err(error))) => {
                (&options.runtime, environment(&options.runtime)?, Some(error.reason()))
            }
            None => (&options.runtime, environment(&options.runtime)?, None),
        };
        let running = Running { provider: options.provider, fallback };
        let (library, threads) = (library.clone(), options.threads.get());
        let mut runtime = Self { environment, library, threads, running };
        if !runtime.has(options.provider) {
            let library = runtime.library.display();
            let why = format!("{library} was built without {}", options.provider.label());
            runtime.run_on_processor(why);
        }
        Ok(runtime)
    }

    /// What went wrong first says most.
    fn run_on_processor(&mut self, why: String) {
        self.running.provider = Provider::Cpu;
        self.running.fallback.get_or_insert(why);
    }

    fn has(&self, provider: Provider) -> bool {
        let available = match provider {
            Provider::Cpu => Ok(true),
            Provider::Cuda => ep::CUDA::is_available(),
            Provider::CoreMl => ep::CoreML::is_available(),
            Provider::DirectMl => ep::DirectML::is_available(),
            Provider::OpenVino => ep::OpenVINO::is_available(),
        };
        available.unwrap_or(false)
    }

    /// For a session on all that was asked for.
    pub fn builder(&self) -> ort::Result<SessionBuilder> {
        let builder = Session::builder(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            // That fusion's kernel takes twice as long as the three nodes that it replaces.
            .with_disabled_optimizers("SkipLayerNormFusion")?
            .with_intra_threads(self.threads)?
            .with_inter_threads(1)?
            // A plan of memory is kept for each shape of a call, and texts come in all
            // lengths: with plans the process takes 1.6 to 1.8 times the memory above
            // the loaded model's and is no faster. The arena stays: without it wide
            // calls take twice as long.
            .with_memory_pattern(false)?
            // Several workers share the cores: two threads that spin while they wait
            // use half as much processor time again.
            .with_intra_op_spinning(false)?;
        match self.accelerator() {
            Some(accelerator) => {
                Ok(builder.with_execution_providers([accelerator.error_on_failure()])?)
            }
            None => Ok(builder),
        }
    }

    fn accelerator(&self) -> Option<ExecutionProviderDispatch> {
        match self.running.provider {
            Provider::Cpu => None,
            // Several workers share the card.
            Provider::Cuda => Some(
                ep::CUDA::default()
                    .with_arena_extend_strategy(ep::ArenaExtendStrategy::SameAsRequested)
                    .build(),
            ),
            Provider::CoreMl => Some(ep::CoreML::default().build()),
            Provider::DirectMl => Some(ep::DirectML::default().build()),
            Provider::OpenVino => {
                Some(ep::OpenVINO::default().with_num_threads(self.threads).build())
            }
        }
    }
}

/// ONNX Runtime allows one environment a process, which must not be dropped.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

fn environment(library: &Path) -> Result<Environment, WorkerError> {
    let mut environment = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*environment {
        return Ok(environment.clone());
    }
    let path = library.to_owned();
    let made = ort::init_from(library)
        .map_err(|source| WorkerError::Library { path: path.clone(), source })?
        .with_name("rummage")
        .with_telemetry(false)
        .build()
        .map_err(|source| WorkerError::Runtime { path, source })?;
    Ok(environment.insert(made).clone())
}
