//! The settings that the page shows, what *auto* stands for, and their limits.

use rummage_engine::{
    Engine,
    settings::{Auto, Field, FieldError, Provider},
};
use serde::{Deserialize, Serialize};

use super::{AppError, Marks, Mode, Tuning};
use crate::desktop::{Desktop, starts_at_login};

/// A number, or `"auto"`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Number {
    Fixed(usize),
    Auto(AutoWord),
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AutoWord {
    Auto,
}

impl From<Auto<usize>> for Number {
    fn from(number: Auto<usize>) -> Self {
        match number {
            Auto::Auto => Number::Auto(AutoWord::Auto),
            Auto::Fixed(value) => Number::Fixed(value),
        }
    }
}

impl From<Number> for Auto<usize> {
    fn from(number: Number) -> Self {
        match number {
            Number::Auto(_) => Auto::Auto,
            Number::Fixed(value) => Auto::Fixed(value),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    mode: Mode,
    pool_size: Number,
    threads_per_worker: Number,
    memory_megabytes: Number,
    passages_per_lease: Number,
    tokens_per_call: Number,
    provider: String,
    passage_tokens: Number,
    max_file_megabytes: u64,
    ocr: bool,
    ignore: Vec<String>,
    remember_opened: bool,
    close_to_tray: bool,
    shortcut: String,
    start_at_login: bool,
}

impl Settings {
    pub const fn start_at_login(&self) -> bool {
        self.start_at_login
    }

    /// These on top of what the page does not show.
    pub fn apply_to(
        self,
        mut settings: rummage_engine::settings::Settings,
    ) -> Result<rummage_engine::settings::Settings, AppError> {
        settings.indexing.mode = self.mode.into();
        settings.pool.size = self.pool_size.into();
        settings.pool.threads_per_worker = self.threads_per_worker.into();
        settings.pool.memory_megabytes = self.memory_megabytes.into();
        settings.batch.passages_per_lease = self.passages_per_lease.into();
        settings.batch.tokens_per_call = self.tokens_per_call.into();
        settings.runtime.provider = match Provider::of_name(&self.provider) {
            Some(provider) => provider,
            None => return Err(refused(Field::Provider, self.provider)),
        };
        settings.passages.tokens = self.passage_tokens.into();
        settings.files.max_megabytes = self.max_file_megabytes;
        settings.files.ocr = self.ocr;
        settings.files.ignore = self.ignore;
        settings.search.remember_opened = self.remember_opened;
        settings.window.close_to_tray = self.close_to_tray;
        settings.window.shortcut = self.shortcut;
        match settings.validate().into_iter().next() {
            Some(error) => Err(AppError::field(error.field, error.message())),
            None => Ok(settings),
        }
    }
}

fn refused(field: Field, found: String) -> AppError {
    AppError::field(field, FieldError { field, found }.message())
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingsView {
    settings: Settings,
    auto: AutoNumbers,
    /// The numbers of `auto` that were measured here.
    measured: Vec<&'static str>,
    /// What was measured here, if anything was.
    tuning: Option<Tuning>,
    /// What is kept of results opened and marked good.
    marks: Marks,
    limits: Limits,
    /// Those that there are for this system.
    providers: Vec<&'static str>,
    /// Where an ONNX Runtime of the person's own is looked for.
    runtime_dir: String,
    /// Reading text in pictures needs it.
    has_tesseract: bool,
    /// Closing to it needs it.
    has_tray: bool,
    /// Why the keys do not summon, if so.
    shortcut_refused: Option<String>,
    data_dir: String,
    settings_file: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoNumbers {
    pool_size: usize,
    threads_per_worker: usize,
    memory_megabytes: usize,
    passages_per_lease: usize,
    tokens_per_call: usize,
    passage_tokens: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    pool_size: (u64, u64),
    threads_per_worker: (u64, u64),
    memory_megabytes: (u64, u64),
    passages_per_lease: (u64, u64),
    tokens_per_call: (u64, u64),
    passage_tokens: (u64, u64),
    max_file_megabytes: (u64, u64),
}

impl SettingsView {
    pub fn of(engine: &Engine, desktop: &Desktop) -> Self {
        let settings = engine.settings();
        let auto = engine.auto();
        let range = |field: Field| field.range().unwrap_or((0, u64::MAX));
        let (least, most) = range(Field::PassageTokens);
        // The model reads no longer ones.
        let longest = engine.longest_passage().map_or(most, |tokens| most.min(tokens as u64));
        Self {
            settings: Settings {
                mode: settings.indexing.mode.into(),
                pool_size: settings.pool.size.into(),
                threads_per_worker: settings.pool.threads_per_worker.into(),
                memory_megabytes: settings.pool.memory_megabytes.into(),
                passages_per_lease: settings.batch.passages_per_lease.into(),
                tokens_per_call: settings.batch.tokens_per_call.into(),
                provider: settings.runtime.provider.name().to_owned(),
                passage_tokens: settings.passages.tokens.into(),
                max_file_megabytes: settings.files.max_megabytes,
                ocr: settings.files.ocr,
                ignore: settings.files.ignore,
                remember_opened: settings.search.remember_opened,
                close_to_tray: settings.window.close_to_tray,
                shortcut: settings.window.shortcut,
                start_at_login: starts_at_login(),
            },
            auto: AutoNumbers {
                pool_size: auto.pool_size,
                threads_per_worker: auto.threads_per_worker,
                memory_megabytes: auto.memory_megabytes,
                passages_per_lease: auto.passages_per_lease,
                tokens_per_call: auto.tokens_per_call,
                passage_tokens: engine.usual_passage().map_or(longest, |tokens| tokens as u64),
            },
            measured: match engine.tuning() {
                Some(_) => vec!["poolSize", "threadsPerWorker", "tokensPerCall"],
                None => Vec::new(),
            },
            tuning: engine.tuning().map(Tuning::from),
            // Settings must open whatever is wrong with what they tell.
            marks: engine.count_marks().unwrap_or_default().into(),
            limits: Limits {
                pool_size: range(Field::PoolSize),
                threads_per_worker: range(Field::ThreadsPerWorker),
                memory_megabytes: range(Field::MemoryMegabytes),
                passages_per_lease: range(Field::PassagesPerLease),
                tokens_per_call: range(Field::TokensPerCall),
                passage_tokens: (least, longest.max(least)),
                max_file_megabytes: range(Field::MaxMegabytes),
            },
            providers: providers(settings.runtime.provider),
            runtime_dir: engine.data_folder().runtime().display().to_string(),
            has_tesseract: is_program("tesseract"),
            has_tray: desktop.has_tray(),
            shortcut_refused: desktop.refused().map(|error| error.to_string()),
            data_dir: engine.data_folder().path().display().to_string(),
            settings_file: engine.data_folder().settings().display().to_string(),
        }
    }
}

/// The chosen one is among them, whatever the settings file says.
fn providers(chosen: Provider) -> Vec<&'static str> {
    let may_be = |provider: &Provider| provider.is_of_this_system() || *provider == chosen;
    Provider::ALL.into_iter().filter(may_be).map(Provider::name).collect()
}

/// Whether a program of this name would be found by whoever starts it.
fn is_program(name: &str) -> bool {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(&name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_can_be_seen() {
        for provider in Provider::ALL {
            let names = providers(provider);
            assert!(names.contains(&"cpu") && names.contains(&provider.name()), "{names:?}");
        }
    }

    #[test]
    fn auto_is_a_word_and_a_number_a_number() {
        let read = |json: &str| serde_json::from_str::<Number>(json).map(Auto::from).ok();
        assert_eq!(read("\"auto\""), Some(Auto::Auto));
        assert_eq!(read("3"), Some(Auto::Fixed(3)));
        assert_eq!(read("\"many\""), None);
    }
}
