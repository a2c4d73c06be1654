//! The settings file, parsed once into validated types.
//!
//! It knows what a setting may be and how it is written down. What a setting
//! does, whether a model of that name exists and whether an ignore pattern can be
//! understood is for others to say; so is where the file lies.

mod auto;
mod error;
mod field;
mod ignore;
mod read;
mod settings;
mod write;

pub use auto::{Resolved, auto};
pub use error::{FieldError, SettingsError, Warning};
pub use field::Field;
pub use ignore::{default_ignore, reason_of_default};
pub use read::Loaded;
pub use settings::{
    Auto, BatchSettings, FileSettings, IndexingMode, IndexingSettings, PassageSettings,
    PoolSettings, Provider, RuntimeSettings, SearchSettings, Settings, WindowSettings,
};
