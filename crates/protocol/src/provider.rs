//! What a model's network runs on.

use serde::{Deserialize, Serialize};

/// One of ONNX Runtime's execution providers. Which of them a library has depends on how
/// that was built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The processor, which every build has.
    #[default]
    Cpu,
    Cuda,
    CoreMl,
    DirectMl,
    OpenVino,
}

impl Provider {
    pub const ALL: [Self; 5] =
        [Self::Cpu, Self::Cuda, Self::CoreMl, Self::DirectMl, Self::OpenVino];

    /// As a command line has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::CoreMl => "coreml",
            Self::DirectMl => "directml",
            Self::OpenVino => "openvino",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }

    /// As its makers write it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Cpu => "the processor",
            Self::Cuda => "CUDA",
            Self::CoreMl => "CoreML",
            Self::DirectMl => "DirectML",
            Self::OpenVino => "OpenVINO",
        }
    }
}

/// What an embedding worker's models run on. A worker that reads files has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub provider: Provider,
    /// Why that is not all that was asked for, for people.
    pub fallback: Option<String>,
}
