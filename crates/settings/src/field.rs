//! The fields one by one: their names in the file, and what each may be.

use std::fmt;

use crate::{IndexingMode, Provider};

/// A single setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    Model,
    IndexingMode,
    PoolSize,
    ThreadsPerWorker,
    MemoryMegabytes,
    PassagesPerLease,
    TokensPerCall,
    Provider,
    PassageTokens,
    MaxMegabytes,
    Ocr,
    OcrLanguages,
    Ignore,
    RememberOpened,
    CloseToTray,
    Shortcut,
}

/// What a field may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    AutoOr { least: i64, most: i64 },
    Number { least: i64, most: i64 },
    Switch,
    Mode,
    Provider,
    Id,
    Languages,
    Patterns,
    Keys,
}

/// A value of any field, as the file holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Number(i64),
    Switch(bool),
    Text(String),
    List(Vec<String>),
}

impl Field {
    /// In the order in which they are written.
    pub const ALL: [Self; 16] = [
        Self::Model,
        Self::IndexingMode,
        Self::PoolSize,
        Self::ThreadsPerWorker,
        Self::MemoryMegabytes,
        Self::PassagesPerLease,
        Self::TokensPerCall,
        Self::Provider,
        Self::PassageTokens,
        Self::MaxMegabytes,
        Self::Ocr,
        Self::OcrLanguages,
        Self::Ignore,
        Self::RememberOpened,
        Self::CloseToTray,
        Self::Shortcut,
    ];

    /// The name in the file, with its section: `pool.size`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::IndexingMode => "indexing.mode",
            Self::PoolSize => "pool.size",
            Self::ThreadsPerWorker => "pool.threads_per_worker",
            Self::MemoryMegabytes => "pool.memory_megabytes",
            Self::PassagesPerLease => "batch.passages_per_lease",
            Self::TokensPerCall => "batch.tokens_per_call",
            Self::Provider => "runtime.provider",
            Self::PassageTokens => "passages.tokens",
            Self::MaxMegabytes => "files.max_megabytes",
            Self::Ocr => "files.ocr",
            Self::OcrLanguages => "files.ocr_languages",
            Self::Ignore => "files.ignore",
            Self::RememberOpened => "search.remember_opened",
            Self::CloseToTray => "window.close_to_tray",
            Self::Shortcut => "window.shortcut",
        }
    }

    /// The least and the most a number may be; `None` for a field that is no number.
    pub const fn range(self) -> Option<(u64, u64)> {
        match self.kind() {
            Kind::AutoOr { least, most } | Kind::Number { least, most } => {
                Some((least.unsigned_abs(), most.unsigned_abs()))
            }
            Kind::Switch
            | Kind::Mode
            | Kind::Provider
            | Kind::Id
            | Kind::Languages
            | Kind::Patterns
            | Kind::Keys => None,
        }
    }

    pub(crate) fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.key() == key)
    }

    /// The section, where there is one, and the name in it.
    pub(crate) fn place(self) -> (Option<&'static str>, &'static str) {
        match self.key().split_once('.') {
            Some((section, name)) => (Some(section), name),
            None => (None, self.key()),
        }
    }

    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Model => Kind::Id,
            Self::IndexingMode => Kind::Mode,
            Self::Provider => Kind::Provider,
            Self::PoolSize => Kind::AutoOr { least: 1, most: 16 },
            Self::ThreadsPerWorker => Kind::AutoOr { least: 1, most: 32 },
            // Less than the smallest model takes would only ever replace workers.
            Self::MemoryMegabytes => Kind::AutoOr { least: 128, most: 65536 },
            Self::PassagesPerLease => Kind::AutoOr { least: 1, most: 1024 },
            Self::TokensPerCall => Kind::AutoOr { least: 16, most: 65536 },
            // From a sentence to more than any small model reads.
            Self::PassageTokens => Kind::AutoOr { least: 32, most: 8192 },
            Self::MaxMegabytes => Kind::Number { least: 1, most: 128 },
            Self::Ocr | Self::RememberOpened | Self::CloseToTray => Kind::Switch,
            Self::OcrLanguages => Kind::Languages,
            Self::Ignore => Kind::Patterns,
            Self::Shortcut => Kind::Keys,
        }
    }

    pub(crate) fn allows(self, value: &Value) -> bool {
        match (self.kind(), value) {
            (Kind::AutoOr { .. }, Value::Text(text)) => text == "auto",
            (
                Kind::AutoOr { least, most } | Kind::Number { least, most },
                Value::Number(number),
            ) => (least..=most).contains(number),
            (Kind::Switch, Value::Switch(_)) => true,
            (Kind::Mode, Value::Text(name)) => IndexingMode::of_name(name).is_some(),
            (Kind::Provider, Value::Text(name)) => Provider::of_name(name).is_some(),
            (Kind::Id, Value::Text(id)) => {
                !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic())
            }
            (Kind::Keys, Value::Text(keys)) => keys.is_empty() || keys.split('+').all(is_key),
            (Kind::Languages, Value::Text(names)) => names.split('+').all(is_language),
            (Kind::Patterns, Value::List(lines)) => lines
                .iter()
                .all(|line| !line.trim().is_empty() && !line.contains(['\n', '\r', '\0'])),
            _ => false,
        }
    }
}

/// Such as `Ctrl` or `Space`. Whether there is such a key, who listens for it says.
fn is_key(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Such as `eng`, `chi_sim` or `script/Latin`. It goes on a command line, so it must
/// not look like an option.
fn is_language(name: &str) -> bool {
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"_/-".contains(&byte);
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(may_stand)
}

/// What the value must be, to end a sentence that names the field.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AutoOr { least, most } => {
                write!(f, "\"auto\" or a whole number from {least} to {most}")
            }
            Self::Number { least, most } => write!(f, "a whole number from {least} to {most}"),
            Self::Switch => f.write_str("true or false"),
            Self::Mode => f.write_str("\"full\", \"considerate\" or \"paused\""),
            Self::Provider => {
                f.write_str("\"cpu\", \"cuda\", \"coreml\", \"directml\" or \"openvino\"")
            }
            Self::Id => f.write_str("the id of a model, in letters, digits and marks"),
            Self::Keys => f.write_str("keys joined by +, such as \"Ctrl+Alt+Space\", or empty"),
            Self::Languages => f.write_str("Tesseract's names of languages, such as \"eng+deu\""),
            Self::Patterns => {
                f.write_str("a list of ignore patterns, none empty, each on one line")
            }
        }
    }
}

/// As the file would have it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Switch(is_on) => write!(f, "{is_on}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(lines) => write!(f, "{lines:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    #[test]
    fn every_field_is_known_by_its_key_and_allows_its_default() {
        for field in Field::ALL {
            assert_eq!(Field::of_key(field.key()), Some(field));
            assert!(field.allows(&Settings::default().get(field)), "{field:?}");
        }
    }

    fn check(field: Field, value: impl Into<Value>, expected: bool) {
        let value = value.into();
        assert_eq!(field.allows(&value), expected, "{field:?} {value}");
    }

    impl From<i64> for Value {
        fn from(number: i64) -> Self {
            Self::Number(number)
        }
    }

    impl From<&str> for Value {
        fn from(text: &str) -> Self {
            Self::Text(text.to_owned())
        }
    }

    #[test]
    fn a_range_holds_its_ends_and_nothing_outside() {
        for field in Field::ALL {
            let Some((least, most)) = field.range() else { continue };
            let (least, most) = (least as i64, most as i64);
            check(field, least, true);
            check(field, most, true);
            check(field, least - 1, false);
            check(field, most + 1, false);
            check(field, i64::MIN, false);
        }
    }

    #[test]
    fn only_some_fields_are_automatic() {
        check(Field::PoolSize, "auto", true);
        check(Field::PoolSize, "Auto", false);
        check(Field::IndexingMode, "paused", true);
        check(Field::IndexingMode, "auto", false);
        check(Field::IndexingMode, 1, false);
        for provider in Provider::ALL {
            check(Field::Provider, provider.name(), true);
            assert!(Kind::Provider.to_string().contains(&format!("{:?}", provider.name())));
        }
        check(Field::Provider, "CUDA", false);
        check(Field::Provider, "auto", false);
        check(Field::MaxMegabytes, "auto", false);
        check(Field::Model, 7, false);
        check(Field::Model, "", false);
        check(Field::Ignore, Value::List(vec!["*.log".into(), " ".into()]), false);
        check(Field::Ignore, Value::List(vec!["a\nb".into()]), false);
        check(Field::Ignore, Value::List(Vec::new()), true);
        check(Field::Ocr, Value::Switch(true), true);
        check(Field::Ocr, "true", false);
        check(Field::OcrLanguages, "eng+chi_sim+script/Latin", true);
        for right in ["", "Ctrl+Alt+Space", "F9"] {
            check(Field::Shortcut, right, true);
        }
        for wrong in ["+", "Ctrl+", "Ctrl + A"] {
            check(Field::Shortcut, wrong, false);
        }
        for wrong in ["", "eng+", "--psm", "eng deu"] {
            check(Field::OcrLanguages, wrong, false);
        }
    }
}
