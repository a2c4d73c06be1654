//! What a measured number holds for: this processor, this ONNX Runtime, this model.
//! On any other it is measured again.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use rummage_corpus::ContentHash;
use rummage_pool::Accelerator;
use rummage_protocol::Provider;
use serde::{Deserialize, Serialize};

use crate::{cores, model::LoadedModel};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// As the processor calls itself; empty where the system does not tell.
    pub processor: String,
    /// What it can do that a model's speed hangs on.
    pub instructions: Vec<String>,
    /// Those that this process may use.
    pub cores: usize,
    /// 16 digits that differ from one build of ONNX Runtime to the next; where our own
    /// encoder runs the models that it knows, with its revision.
    pub runtime: String,
    /// What the model ran on.
    #[serde(default)]
    pub provider: Provider,
    /// The model's fingerprint.
    pub model: String,
}

/// The first pages of a library hold the id that its linker gave it.
const HEAD_BYTES: u64 = 64 << 10;

impl Hardware {
    pub(crate) fn of(model: &LoadedModel, accelerator: Option<&Accelerator>) -> Self {
        let own = accelerator.and_then(|accelerator| accelerator.library.as_ref());
        let library = own.unwrap_or(&model.runtime_library);
        let provider = accelerator.map_or(Provider::Cpu, |accelerator| accelerator.provider);
        let mut runtime = runtime_id(library).unwrap_or_default();
        if provider == Provider::Cpu && rummage_encoder::is_supported() {
            runtime.push_str(&format!("-{}", rummage_encoder::REVISION));
        }
        Self {
            processor: rummage_pool::processor_name().unwrap_or_default(),
            instructions: instructions().into_iter().map(str::to_owned).collect(),
            cores: cores(),
            runtime,
            provider,
            model: model.identity.fingerprint.clone(),
        }
    }
}

/// The processor has instructions for sums of products of bytes, which is what models in
/// eight bits are fast by.
pub(crate) fn multiplies_bytes() -> bool {
    instructions().iter().any(|name| ["avx-vnni", "avx512-vnni", "dotprod"].contains(name))
}

/// The library's size and head, hashed: reading all of it would take longer than
/// opening the app may.
fn runtime_id(library: &Path) -> io::Result<String> {
    let file = File::open(library)?;
    let bytes = file.metadata()?.len().to_le_bytes();
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head)?;
    let mut digits = ContentHash::of_parts([bytes.as_slice(), &head]).to_string();
    digits.truncate(16);
    Ok(digits)
}

#[cfg(target_arch = "x86_64")]
fn instructions() -> Vec<&'static str> {
    [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("avx-vnni", is_x86_feature_detected!("avxvnni")),
        ("avx512", is_x86_feature_detected!("avx512bw")),
        ("avx512-vnni", is_x86_feature_detected!("avx512vnni")),
    ]
    .into_iter()
    .filter_map(|(name, there)| there.then_some(name))
    .collect()
}

#[cfg(target_arch = "aarch64")]
fn instructions() -> Vec<&'static str> {
    [
        ("dotprod", std::arch::is_aarch64_feature_detected!("dotprod")),
        ("i8mm", std::arch::is_aarch64_feature_detected!("i8mm")),
    ]
    .into_iter()
    .filter_map(|(name, there)| there.then_some(name))
    .collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn instructions() -> Vec<&'static str> {
    Vec::new()
}
