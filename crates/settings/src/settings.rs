//! The settings themselves, and by what value each is valid.

use crate::{Field, FieldError, field::Value, ignore::default_ignore};

/// Left to the app, or a number of the person's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Auto<T> {
    /// `"auto"` in the file.
    #[default]
    Auto,
    Fixed(T),
}

impl<T> Auto<T> {
    pub fn unwrap_or(self, automatic: T) -> T {
        match self {
            Auto::Auto => automatic,
            Auto::Fixed(value) => value,
        }
    }
}

/// All that a person can set. [`Field`] names each and says its range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub indexing: IndexingSettings,
    pub pool: PoolSettings,
    pub batch: BatchSettings,
    pub runtime: RuntimeSettings,
    pub passages: PassageSettings,
    pub files: FileSettings,
    pub search: SearchSettings,
    pub window: WindowSettings,
    /// Id of the embedding model.
    pub model: String,
}

/// How much of the machine indexing takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexingSettings {
    pub mode: IndexingMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IndexingMode {
    /// All workers, whatever else the machine does.
    Full,
    /// Gives way while the machine is on battery or in use.
    #[default]
    Considerate,
    /// Nothing is read or embedded.
    Paused,
}

impl IndexingMode {
    pub const ALL: [Self; 3] = [Self::Full, Self::Considerate, Self::Paused];

    /// As the file has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Considerate => "considerate",
            Self::Paused => "paused",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// The worker processes that embed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolSettings {
    /// Processes.
    pub size: Auto<usize>,
    pub threads_per_worker: Auto<usize>,
    /// In units of 2²⁰ bytes: past it a worker is replaced, past twice that killed.
    pub memory_megabytes: Auto<usize>,
}

/// How much work goes at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchSettings {
    /// Passages a worker holds; what a crash costs at most.
    pub passages_per_lease: Auto<usize>,
    /// Tokens, padding included, that go through the model in one call.
    pub tokens_per_call: Auto<usize>,
}

/// How the model is run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuntimeSettings {
    pub provider: Provider,
}

/// What the model runs on: an execution provider of ONNX Runtime. Whether there is one
/// on this machine, only trying tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provider {
    /// The processor.
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

    /// As the file has it.
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

    /// Whether ONNX Runtime is built with it for this system at all.
    pub const fn is_of_this_system(self) -> bool {
        match self {
            Self::Cpu => true,
            Self::CoreMl => cfg!(target_os = "macos"),
            Self::DirectMl => cfg!(windows),
            Self::Cuda | Self::OpenVino => cfg!(not(target_os = "macos")),
        }
    }
}

/// How texts are cut. A change cuts every file anew.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PassageSettings {
    /// The most tokens of a passage; `auto` is what the model reads at once, and no
    /// more than that is ever used.
    pub tokens: Auto<usize>,
}

/// Which files are read, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSettings {
    /// In units of 2²⁰ bytes; a larger file is skipped, with that reason.
    pub max_megabytes: u64,
    /// Whether letters in pictures and scans are read, with an installed Tesseract.
    pub ocr: bool,
    /// Tesseract's names of the languages in them, joined by `+`.
    pub ocr_languages: String,
    /// In the syntax of a `.gitignore`, relative to each chosen folder.
    pub ignore: Vec<String>,
}

/// What is kept of the questions asked in the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchSettings {
    /// Whether it is noted which results were opened, for search to be judged by.
    pub remember_opened: bool,
}

/// How the window lives on the desktop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowSettings {
    /// Whether a closed window leaves the program in the tray, where there is one.
    pub close_to_tray: bool,
    /// The keys that bring the window forward from anywhere, joined by `+`; empty for
    /// none.
    pub shortcut: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            indexing: IndexingSettings::default(),
            pool: PoolSettings::default(),
            batch: BatchSettings::default(),
            runtime: RuntimeSettings::default(),
            passages: PassageSettings::default(),
            files: FileSettings::default(),
            search: SearchSettings::default(),
            window: WindowSettings::default(),
            model: "all-MiniLM-L6-v2".to_owned(),
        }
    }
}

impl Default for FileSettings {
    fn default() -> Self {
        Self {
            max_megabytes: 32,
            ocr: false,
            ocr_languages: "eng".to_owned(),
            ignore: default_ignore(),
        }
    }
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self { remember_opened: true }
    }
}

impl Default for WindowSettings {
    fn default() -> Self {
        Self { close_to_tray: true, shortcut: "Ctrl+Alt+Space".to_owned() }
    }
}

impl FileSettings {
    pub const fn max_bytes(&self) -> u64 {
        self.max_megabytes << 20
    }

    /// The languages in pictures, where those are to be read.
    pub fn ocr(&self) -> Option<&str> {
        self.ocr.then_some(&self.ocr_languages)
    }
}

impl Settings {
    /// Every field that may not have its value; empty where all is well.
    pub fn validate(&self) -> Vec<FieldError> {
        let wrong = |field: Field| {
            let found = self.get(field);
            (!field.allows(&found)).then(|| FieldError { field, found: found.to_string() })
        };
        Field::ALL.into_iter().filter_map(wrong).collect()
    }

    pub(crate) fn get(&self, field: Field) -> Value {
        let auto = |number: Auto<usize>| match number {
            Auto::Auto => Value::Text("auto".to_owned()),
            Auto::Fixed(number) => Value::Number(i64::try_from(number).unwrap_or(i64::MAX)),
        };
        match field {
            Field::IndexingMode => Value::Text(self.indexing.mode.name().to_owned()),
            Field::PoolSize => auto(self.pool.size),
            Field::ThreadsPerWorker => auto(self.pool.threads_per_worker),
            Field::MemoryMegabytes => auto(self.pool.memory_megabytes),
            Field::PassagesPerLease => auto(self.batch.passages_per_lease),
            Field::TokensPerCall => auto(self.batch.tokens_per_call),
            Field::Provider => Value::Text(self.runtime.provider.name().to_owned()),
            Field::PassageTokens => auto(self.passages.tokens),
            Field::MaxMegabytes => {
                Value::Number(i64::try_from(self.files.max_megabytes).unwrap_or(i64::MAX))
            }
            Field::Ocr => Value::Switch(self.files.ocr),
            Field::OcrLanguages => Value::Text(self.files.ocr_languages.clone()),
            Field::Ignore => Value::List(self.files.ignore.clone()),
            Field::RememberOpened => Value::Switch(self.search.remember_opened),
            Field::CloseToTray => Value::Switch(self.window.close_to_tray),
            Field::Shortcut => Value::Text(self.window.shortcut.clone()),
            Field::Model => Value::Text(self.model.clone()),
        }
    }

    /// Takes a value that the field allows; any other changes nothing and gives `false`.
    pub(crate) fn set(&mut self, field: Field, value: Value) -> bool {
        if !field.allows(&value) {
            return false;
        }
        match (field, value) {
            (Field::IndexingMode, Value::Text(name)) => {
                self.indexing.mode = IndexingMode::of_name(&name).unwrap_or_default();
            }
            (Field::PoolSize, value) => self.pool.size = value.auto(),
            (Field::ThreadsPerWorker, value) => self.pool.threads_per_worker = value.auto(),
            (Field::MemoryMegabytes, value) => self.pool.memory_megabytes = value.auto(),
            (Field::PassagesPerLease, value) => self.batch.passages_per_lease = value.auto(),
            (Field::TokensPerCall, value) => self.batch.tokens_per_call = value.auto(),
            (Field::Provider, Value::Text(name)) => {
                self.runtime.provider = Provider::of_name(&name).unwrap_or_default();
            }
            (Field::PassageTokens, value) => self.passages.tokens = value.auto(),
            (Field::MaxMegabytes, Value::Number(number)) => {
                self.files.max_megabytes = number.unsigned_abs();
            }
            (Field::Ocr, Value::Switch(is_on)) => self.files.ocr = is_on,
            (Field::OcrLanguages, Value::Text(names)) => self.files.ocr_languages = names,
            (Field::Ignore, Value::List(lines)) => self.files.ignore = lines,
            (Field::RememberOpened, Value::Switch(is_on)) => self.search.remember_opened = is_on,
            (Field::CloseToTray, Value::Switch(is_on)) => self.window.close_to_tray = is_on,
            (Field::Shortcut, Value::Text(keys)) => self.window.shortcut = keys,
            (Field::Model, Value::Text(id)) => self.model = id,
            _ => return false,
        }
        true
    }
}

impl Value {
    /// For a value that such a field allows.
    fn auto(self) -> Auto<usize> {
        match self {
            Value::Number(number) => usize::try_from(number).map_or(Auto::Auto, Auto::Fixed),
            Value::Switch(_) | Value::Text(_) | Value::List(_) => Auto::Auto,
        }
    }
}
