//! The shapes that the page knows (ui/src/lib/backend/types.ts), from the
//! engine's own; and what every command is refused with.

mod answer;
mod compare;
mod ledger;
mod models;
mod pool;
mod preview;
mod settings;
mod status;
mod tuning;

use rummage_corpus::SourcePath;
use rummage_engine::{
    EngineError,
    settings::{Field, SettingsError},
};
use serde::Serialize;

use crate::shortcut::ShortcutError;

pub use answer::{NearestSentence, SearchAnswer};
pub use compare::{CompareStep, Comparison, Marks};
pub use ledger::{FileFilter, FilePage};
pub use models::{FetchStep, ModelView};
pub use pool::{HealthSample, Mode};
pub use preview::Preview;
pub use settings::{Settings, SettingsView};
pub use status::{AddReport, Status};
pub use tuning::{TuneStep, Tuning};

use answer::{folder_of, iso};
use pool::Pool;
use status::Coverage;

/// What every command is refused with.
#[derive(Debug, Clone, Serialize)]
pub struct AppError {
    pub kind: &'static str,
    /// The setting it is about, by the page's name for it.
    pub field: Option<&'static str>,
    pub message: String,
    pub mend: Option<String>,
}

impl AppError {
    pub fn usage(message: String) -> Self {
        Self { kind: "usage", field: None, message, mend: None }
    }

    pub fn gone(path: &SourcePath) -> Self {
        Self::usage(format!("{} is no longer there", path.display()))
    }

    pub fn opening(path: &str, error: &dyn std::error::Error) -> Self {
        Self {
            kind: "failed",
            field: None,
            message: format!("{path} cannot be opened: {error}"),
            mend: Some("Choose a program for such files in your desktop's settings.".to_owned()),
        }
    }

    pub fn shortcut(error: &ShortcutError) -> Self {
        Self::field(Field::Shortcut, error.to_string())
    }

    pub fn login(error: &dyn std::error::Error) -> Self {
        Self { kind: "failed", field: Some("startAtLogin"), message: error.to_string(), mend: None }
    }

    fn field(field: Field, message: String) -> Self {
        let name = match field {
            Field::IndexingMode => Some("mode"),
            Field::PoolSize => Some("poolSize"),
            Field::ThreadsPerWorker => Some("threadsPerWorker"),
            Field::MemoryMegabytes => Some("memoryMegabytes"),
            Field::PassagesPerLease => Some("passagesPerLease"),
            Field::TokensPerCall => Some("tokensPerCall"),
            Field::Provider => Some("provider"),
            Field::PassageTokens => Some("passageTokens"),
            Field::MaxMegabytes => Some("maxFileMegabytes"),
            Field::Ocr => Some("ocr"),
            Field::Ignore => Some("ignore"),
            Field::RememberOpened => Some("rememberOpened"),
            Field::CloseToTray => Some("closeToTray"),
            Field::Shortcut => Some("shortcut"),
            Field::Model | Field::OcrLanguages => None,
        };
        Self { kind: "usage", field: name, message, mend: None }
    }
}

impl From<EngineError> for AppError {
    fn from(error: EngineError) -> Self {
        if let EngineError::Settings(SettingsError::Invalid { errors }) = &error
            && let Some(first) = errors.first()
        {
            return Self::field(first.field, first.message());
        }
        let (kind, mend) = (error.kind().name(), error.mend());
        Self { kind, field: None, message: error.to_string(), mend }
    }
}
