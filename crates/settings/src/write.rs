//! From settings to the file: at once or not at all, and without losing a word
//! that a person wrote there.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value as Toml};

use crate::{Field, Settings, SettingsError, field::Value, read::value_of};

const HEAD: &str = "# Settings of Rummage. A setting that is not named here has its default.\n\n";

/// Before a line of a list.
const INDENT: &str = "\n    ";

impl Settings {
    /// Writes what the file would not already be read as; comments, order and
    /// unknown keys stay. A file that cannot be parsed is kept beside the new
    /// one, as `settings.toml.broken-1` or the next number that is free.
    ///
    /// # Errors
    ///
    /// A setting is not valid, or the file system refuses. The file is then as it was.
    pub fn save(&self, path: &Path) -> Result<(), SettingsError> {
        let errors = self.validate();
        if !errors.is_empty() {
            return Err(SettingsError::Invalid { errors });
        }
        // Where the file is a link, what it leads to is written.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let old = match fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(SettingsError::Read { path, source }),
        };
        let text = match &old {
            None => self.edit(HEAD),
            Some(bytes) => std::str::from_utf8(bytes).ok().and_then(|text| self.edit(text)),
        };
        let text = match text {
            Some(text) => text,
            None => {
                keep_aside(&path, old.as_deref().unwrap_or_default())?;
                self.edit(HEAD).unwrap_or_else(|| HEAD.to_owned())
            }
        };
        if old.as_deref() == Some(text.as_bytes()) {
            return Ok(());
        }
        replace(&path, text.as_bytes()).map_err(|source| SettingsError::Write { path, source })
    }

    /// The text with these settings in it; `None` where it cannot be parsed.
    fn edit(&self, text: &str) -> Option<String> {
        // What stands before the first key of an empty file would end up last.
        let (head, text) = if text == HEAD { (HEAD, "") } else { ("", text) };
        let mut document: DocumentMut = text.parse().ok()?;
        for field in Field::ALL {
            let wanted = self.get(field);
            if read_as(find(&document, field), field) != wanted {
                put(&mut document, field, &wanted);
            }
        }
        Some(format!("{head}{document}"))
    }
}

/// What a load would make of this item.
fn read_as(item: Option<&Item>, field: Field) -> Value {
    let mut settings = Settings::default();
    if let Some(value) = item.and_then(value_of) {
        settings.set(field, value);
    }
    settings.get(field)
}

fn find(document: &DocumentMut, field: Field) -> Option<&Item> {
    match field.place() {
        (None, name) => document.get(name),
        (Some(section), name) => document.get(section)?.as_table_like()?.get(name),
    }
}

fn put(document: &mut DocumentMut, field: Field, value: &Value) {
    let (section, name) = field.place();
    let table: &mut dyn TableLike = match section {
        None => document.as_table_mut(),
        Some(section) => {
            let item = document.entry(section).or_insert_with(|| Item::Table(Table::new()));
            if !item.is_table_like() {
                *item = Item::Table(Table::new());
            }
            item.as_table_like_mut().expect("made a table above")
        }
    };
    let old = table.get(name).and_then(Item::as_value);
    let mut new = to_toml(value, old.and_then(Toml::as_array));
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            // A comment behind the value stays behind it.
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        None => {
            table.insert(name, Item::Value(new));
            let inline =
                section.and_then(|section| document.get_mut(section)?.as_inline_table_mut());
            if let Some(inline) = inline {
                // Else the new entry stands behind the old last one's closing space.
                inline.fmt();
            }
        }
    }
}

fn to_toml(value: &Value, old: Option<&Array>) -> Toml {
    match value {
        Value::Number(number) => (*number).into(),
        Value::Switch(is_on) => (*is_on).into(),
        Value::Text(text) => text.into(),
        Value::List(lines) => Toml::Array(list(lines, old)),
    }
}

/// The lines, one to a line. Those that the old list has keep the comments above them.
fn list(lines: &[String], old: Option<&Array>) -> Array {
    let kept: HashMap<_, _> =
        old.into_iter().flatten().filter_map(|line| Some((line.as_str()?, line))).collect();
    let mut array = Array::new();
    for line in lines {
        array.push_formatted(match kept.get(line.as_str()) {
            Some(old) => (*old).clone(),
            None => Toml::from(line).decorated(INDENT, ""),
        });
    }
    match old.filter(|old| !old.is_empty()) {
        Some(old) => {
            array.set_trailing(old.trailing().clone());
            array.set_trailing_comma(old.trailing_comma());
        }
        None if !lines.is_empty() => {
            array.set_trailing("\n");
            array.set_trailing_comma(true);
        }
        None => {}
    }
    array
}

/// Copies what a person wrote to a name of its own before it is replaced.
fn keep_aside(path: &Path, bytes: &[u8]) -> Result<(), SettingsError> {
    for number in 1_u32.. {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".broken-{number}"));
        let aside = PathBuf::from(name);
        match OpenOptions::new().write(true).create_new(true).open(&aside) {
            Ok(mut file) => {
                return file
                    .write_all(bytes)
                    .and_then(|()| file.sync_all())
                    .map_err(|source| SettingsError::Write { path: aside, source });
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(SettingsError::Write { path: aside, source }),
        }
    }
    Ok(())
}

/// Puts the bytes there in one step that outlives a power cut.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    if let Ok(old) = fs::metadata(path) {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    // Only Unix lets a folder be opened and its new entry be made to last.
    if cfg!(unix) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Auto, BatchSettings, FileSettings, IndexingMode, IndexingSettings, PassageSettings,
        PoolSettings, Provider, RuntimeSettings, SearchSettings, WindowSettings,
    };

    struct Place {
        dir: tempfile::TempDir,
        path: PathBuf,
    }

    impl Place {
        fn new(text: Option<&str>) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("settings.toml");
            if let Some(text) = text {
                fs::write(&path, text).unwrap();
            }
            Self { dir, path }
        }

        fn text(&self) -> String {
            fs::read_to_string(&self.path).unwrap()
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.dir.path()).unwrap();
            let mut names: Vec<_> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    /// Loads the text, changes the settings, saves them, and compares the file.
    fn check(text: &str, change: fn(&mut Settings), expected: &str) {
        let place = Place::new(Some(text));
        let mut settings = Settings::load(&place.path).settings;
        change(&mut settings);
        settings.save(&place.path).unwrap();
        assert_eq!(place.text(), expected);
        assert_eq!(Settings::load(&place.path).settings, settings);
        assert_eq!(place.names(), ["settings.toml"]);
    }

    #[test]
    fn a_new_file_names_what_is_not_default() {
        let place = Place::new(None);
        let mut settings = Settings::default();
        settings.pool.size = Auto::Fixed(3);
        settings.files.ignore = vec!["*.log".into(), "*.bak".into()];
        settings.save(&place.path).unwrap();
        let expected =
            "[pool]\nsize = 3\n\n[files]\nignore = [\n    \"*.log\",\n    \"*.bak\",\n]\n";
        assert_eq!(place.text(), format!("{HEAD}{expected}"));
        assert_eq!(Settings::load(&place.path).settings, settings);
    }

    #[test]
    fn nothing_a_person_wrote_is_lost() {
        let text = "# mine\nfuture = true # keep\n\n[pool] # workers\n  size = 2 # two\n\n[else]\na = [1, 2]\n";
        check(text, |_| (), text);
        check(
            text,
            |settings| settings.pool.size = Auto::Fixed(4),
            &text.replace("size = 2", "size = 4"),
        );
        check(
            text,
            |settings| settings.pool.size = Auto::Auto,
            &text.replace("size = 2", "size = \"auto\""),
        );
    }

    #[test]
    fn a_list_keeps_the_comments_of_the_lines_that_stay() {
        check(
            "[files]\nignore = [\n    # noise\n    \"*.log\",\n    \"b\",\n    # last\n]\n",
            |settings| settings.files.ignore = vec!["new".into(), "*.log".into()],
            "[files]\nignore = [\n    \"new\",\n    # noise\n    \"*.log\",\n    # last\n]\n",
        );
    }

    #[test]
    fn other_spellings_stay() {
        check("pool.size = 2\n", |settings| settings.pool.size = Auto::Fixed(3), "pool.size = 3\n");
        check(
            "pool = { size = 2 }\n",
            |settings| settings.pool.threads_per_worker = Auto::Fixed(3),
            "pool = { size = 2, threads_per_worker = 3 }\n",
        );
    }

    #[test]
    fn a_broken_file_is_kept_beside_the_new_one() {
        let place = Place::new(Some("[pool\nsize = 3"));
        for expected in ["settings.toml.broken-1", "settings.toml.broken-2"] {
            fs::write(&place.path, "[pool\nsize = 3").unwrap();
            Settings::default().save(&place.path).unwrap();
            assert_eq!(place.text(), HEAD);
            let kept = fs::read_to_string(place.dir.path().join(expected)).unwrap();
            assert_eq!(kept, "[pool\nsize = 3");
        }
        assert_eq!(place.names().len(), 3, "{:?}", place.names());
    }

    #[test]
    fn settings_that_are_not_valid_are_not_written() {
        let place = Place::new(Some("# mine\n"));
        let mut settings = Settings::default();
        settings.pool.size = Auto::Fixed(17);
        settings.files.max_megabytes = 0;
        let Err(SettingsError::Invalid { errors }) = settings.save(&place.path) else { panic!() };
        let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
        assert_eq!(fields, [Field::PoolSize, Field::MaxMegabytes]);
        assert_eq!(place.text(), "# mine\n");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_replaced() {
        let place = Place::new(None);
        fs::create_dir(&place.path).unwrap();
        let saved = Settings::default().save(&place.path);
        assert!(matches!(saved, Err(SettingsError::Read { .. })), "{saved:?}");
        assert!(place.path.is_dir());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let place = Place::new(Some(""));
        fs::set_permissions(&place.path, PermissionsExt::from_mode(0o640)).unwrap();
        let link = place.dir.path().join("link.toml");
        symlink(&place.path, &link).unwrap();
        let settings = Settings { model: "other".into(), ..Settings::default() };
        settings.save(&link).unwrap();
        assert!(link.is_symlink());
        assert_eq!(Settings::load(&place.path).settings, settings);
        assert_eq!(fs::metadata(&place.path).unwrap().permissions().mode() & 0o777, 0o640);
    }

    fn settings() -> impl Strategy<Value = Settings> {
        let auto = |least: usize, most: usize| {
            prop_oneof![Just(Auto::Auto), (least..=most).prop_map(Auto::Fixed)]
        };
        let pool = (auto(1, 16), auto(1, 32), auto(128, 65536)).prop_map(
            |(size, threads_per_worker, memory_megabytes)| PoolSettings {
                size,
                threads_per_worker,
                memory_megabytes,
            },
        );
        let indexing = prop::sample::select(IndexingMode::ALL.to_vec())
            .prop_map(|mode| IndexingSettings { mode });
        let batch =
            (auto(1, 1024), auto(16, 65536)).prop_map(|(passages_per_lease, tokens_per_call)| {
                BatchSettings { passages_per_lease, tokens_per_call }
            });
        let runtime = prop::sample::select(Provider::ALL.to_vec())
            .prop_map(|provider| RuntimeSettings { provider });
        let passages = auto(32, 8192).prop_map(|tokens| PassageSettings { tokens });
        let ignore = prop::collection::vec("[!-~é]{1,8}", 0..5);
        let files = (1..=128_u64, any::<bool>(), "[a-z]{3}(\\+[a-z]{3}){0,2}", ignore).prop_map(
            |(max_megabytes, ocr, ocr_languages, ignore)| FileSettings {
                max_megabytes,
                ocr,
                ocr_languages,
                ignore,
            },
        );
        let window = (any::<bool>(), "([!-*,-~]{1,5}(\\+[!-*,-~]{1,5}){0,2})?")
            .prop_map(|(close_to_tray, shortcut)| WindowSettings { close_to_tray, shortcut });
        let search = any::<bool>().prop_map(|remember_opened| SearchSettings { remember_opened });
        let model = "[a-zA-Z0-9._-]{1,12}";
        (indexing, pool, batch, runtime, passages, files, search, window, model).prop_map(
            |(indexing, pool, batch, runtime, passages, files, search, window, model)| Settings {
                indexing,
                pool,
                batch,
                runtime,
                passages,
                files,
                search,
                window,
                model,
            },
        )
    }

    proptest! {
        // Each case waits for the disk several times.
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn what_is_saved_is_loaded(first in settings(), second in settings()) {
            let place = Place::new(None);
            for settings in [&first, &second] {
                settings.save(&place.path).unwrap();
                let loaded = Settings::load(&place.path);
                prop_assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
                prop_assert_eq!(&loaded.settings, settings);
            }
        }
    }
}
