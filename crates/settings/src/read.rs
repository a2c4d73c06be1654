//! From the file to settings. Whatever it holds, settings come of it.

use std::{fs, io, ops::Range, path::Path};

use toml_edit::{Document, Item, TableLike};

use crate::{Field, FieldError, Settings, Warning, field::Value};

/// Settings, and what of the file was passed over.
#[derive(Debug)]
pub struct Loaded {
    pub settings: Settings,
    pub warnings: Vec<Warning>,
}

impl Settings {
    /// Reads the file and changes nothing. A missing file means the defaults; so
    /// does, for each setting, what cannot be taken, with a warning.
    pub fn load(path: &Path) -> Loaded {
        let unread = |warnings| Loaded { settings: Self::default(), warnings };
        match fs::read(path) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => parse(&text, path),
                Err(error) => {
                    let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                    unread(vec![Warning::Broken {
                        path: path.to_owned(),
                        line: line_at(valid, valid.len()),
                        problem: "this is no UTF-8 text".to_owned(),
                    }])
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => unread(Vec::new()),
            Err(source) => unread(vec![Warning::Unreadable { path: path.to_owned(), source }]),
        }
    }
}

fn parse(text: &str, path: &Path) -> Loaded {
    let mut reader = Reader { text, path, settings: Settings::default(), warnings: Vec::new() };
    match Document::parse(text) {
        Ok(document) => reader.table(document.as_table(), ""),
        Err(error) => reader.warnings.push(Warning::Broken {
            path: path.to_owned(),
            line: reader.line(error.span()),
            problem: error.message().lines().collect::<Vec<_>>().join(", "),
        }),
    }
    Loaded { settings: reader.settings, warnings: reader.warnings }
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    settings: Settings,
    warnings: Vec<Warning>,
}

impl Reader<'_> {
    fn table(&mut self, table: &dyn TableLike, section: &str) {
        for (name, item) in table.iter() {
            let key = format!("{section}{name}");
            // An item made of several lines has no place of its own; its name has.
            let span = table.key(name).and_then(|key| key.span()).or_else(|| item.span());
            match (Field::of_key(&key), item.as_table_like()) {
                (Some(field), _) => self.field(field, item, span),
                (None, Some(inner)) if section.is_empty() && is_section(name) => {
                    self.table(inner, &format!("{name}."));
                }
                (None, _) => self.warnings.push(Warning::Unknown {
                    path: self.path.to_owned(),
                    line: self.line(span),
                    key,
                }),
            }
        }
    }

    fn field(&mut self, field: Field, item: &Item, span: Option<Range<usize>>) {
        if value_of(item).is_some_and(|value| self.settings.set(field, value)) {
            return;
        }
        let found = match value_of(item) {
            Some(value) => value.to_string(),
            None => item.to_string().trim().to_owned(),
        };
        let error = FieldError { field, found };
        let (path, line) = (self.path.to_owned(), self.line(span));
        self.warnings.push(Warning::Value { path, line, error });
    }

    fn line(&self, span: Option<Range<usize>>) -> usize {
        line_at(self.text.as_bytes(), span.map_or(0, |span| span.start))
    }
}

fn is_section(name: &str) -> bool {
    Field::ALL.iter().any(|field| field.place().0 == Some(name))
}

/// `None` for what no field may be.
pub(crate) fn value_of(item: &Item) -> Option<Value> {
    if let Some(number) = item.as_integer() {
        return Some(Value::Number(number));
    }
    if let Some(is_on) = item.as_bool() {
        return Some(Value::Switch(is_on));
    }
    if let Some(text) = item.as_str() {
        return Some(Value::Text(text.to_owned()));
    }
    let lines = item.as_array()?.iter().map(|line| line.as_str().map(ToOwned::to_owned));
    lines.collect::<Option<_>>().map(Value::List)
}

/// Counted from 1.
fn line_at(text: &[u8], offset: usize) -> usize {
    text.iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Auto, IndexingMode, Provider};

    fn read(text: &str) -> Loaded {
        parse(text, Path::new("settings.toml"))
    }

    /// The warnings a text gives, each by a part of its words.
    fn check_warnings(text: &str, expected: &[&[&str]]) {
        let warnings: Vec<_> = read(text).warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
        for (warning, parts) in warnings.iter().zip(expected) {
            for part in *parts {
                assert!(warning.contains(part), "{part:?} in {warning:?}");
            }
        }
    }

    #[test]
    fn every_setting_is_read() {
        let loaded = read(
            r#"
            model = "other"
            [indexing]
            mode = "paused"
            [pool]
            size = 3
            threads_per_worker = "auto"
            memory_megabytes = 500
            [batch]
            passages_per_lease = 64
            tokens_per_call = 512
            [runtime]
            provider = "openvino"
            [passages]
            tokens = 128
            [files]
            max_megabytes = 8
            ocr = true
            ocr_languages = "deu+eng"
            ignore = ["*.log", "!keep.log"]
            "#,
        );
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        let settings = loaded.settings;
        assert_eq!(settings.model, "other");
        assert_eq!(settings.indexing.mode, IndexingMode::Paused);
        assert_eq!(settings.pool.memory_megabytes, Auto::Fixed(500));
        assert_eq!(settings.pool.size, Auto::Fixed(3));
        assert_eq!(settings.pool.threads_per_worker, Auto::Auto);
        assert_eq!(settings.batch.passages_per_lease, Auto::Fixed(64));
        assert_eq!(settings.batch.tokens_per_call, Auto::Fixed(512));
        assert_eq!(settings.runtime.provider, Provider::OpenVino);
        assert_eq!(settings.passages.tokens, Auto::Fixed(128));
        assert_eq!(settings.files.max_megabytes, 8);
        assert_eq!(settings.files.ocr(), Some("deu+eng"));
        assert_eq!(settings.files.ignore, ["*.log", "!keep.log"]);
    }

    #[test]
    fn other_spellings_of_a_section_are_read() {
        for text in ["pool.size = 3", "pool = { size = 3 }", "\u{feff}[pool]\r\nsize = 3\r\n"] {
            let loaded = read(text);
            assert!(loaded.warnings.is_empty(), "{text:?}: {:?}", loaded.warnings);
            assert_eq!(loaded.settings.pool.size, Auto::Fixed(3), "{text:?}");
        }
    }

    #[test]
    fn a_wrong_value_has_its_default_and_spoils_no_other() {
        let text = "[pool]\nsize = 99\nthreads_per_worker = 2\n";
        check_warnings(
            text,
            &[&["settings.toml", "line 2", "pool.size is 99", "from 1 to 16", "\"auto\""]],
        );
        assert_eq!(read(text).settings.pool.size, Auto::Auto);
        assert_eq!(read(text).settings.pool.threads_per_worker, Auto::Fixed(2));
        check_warnings(
            "[runtime]\nprovider = \"gpu\"",
            &[&["line 2", "runtime.provider is \"gpu\"", "\"cuda\""]],
        );
        check_warnings("model = 1.5", &[&["line 1", "model is 1.5"]]);
        check_warnings("[files]\nignore = [1]", &[&["line 2", "files.ignore is [1]"]]);
        check_warnings("[model]\na = 1", &[&["line 1", "model"]]);
    }

    #[test]
    fn an_unknown_key_is_named() {
        check_warnings(
            "colour = 1\n[pool]\nsizes = 2\n[pools]\nsize = 3",
            &[&["line 1", "colour"], &["line 3", "pool.sizes"], &["line 4", "pools"]],
        );
        check_warnings("pool = 3", &[&["line 1", "no setting pool"]]);
    }

    #[test]
    fn a_broken_file_gives_the_defaults_and_the_line() {
        let text = "model = \"x\"\n[pool\nsize = 3";
        check_warnings(text, &[&["settings.toml", "line 2", "stays as it is"]]);
        assert_eq!(read(text).settings, Settings::default());
    }

    #[test]
    fn files_that_cannot_be_read_give_the_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let check = |path: &Path, expected: fn(&[Warning]) -> bool| {
            let loaded = Settings::load(path);
            assert_eq!(loaded.settings, Settings::default());
            assert!(expected(&loaded.warnings), "{:?}", loaded.warnings);
        };
        check(&dir.path().join("missing"), |warnings| warnings.is_empty());
        check(dir.path(), |warnings| matches!(warnings, [Warning::Unreadable { .. }]));
        let latin = dir.path().join("latin.toml");
        fs::write(&latin, b"# fine\nmodel = \"caf\xe9\"").unwrap();
        check(&latin, |warnings| matches!(warnings, [Warning::Broken { line: 2, .. }]));
    }

    proptest! {
        #[test]
        fn whatever_the_file_holds_valid_settings_come_of_it(
            text in "(model|pool|batch|runtime|provider|cuda|files|passages|tokens|ocr|ocr_languages|true|size|\\.|ignore|=|\\[|\\]|\\{|\\}|\"|auto|-?[0-9]{1,20}|\n|,| |é)*"
        ) {
            prop_assert_eq!(read(&text).settings.validate(), []);
        }
    }
}
