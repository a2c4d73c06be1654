//! A model folder on disk.

use std::{
    fmt::Write,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{
    EnsembleSpec, FilePin, ModelError, ModelSpec,
    spec::{ONNX, TOKENIZER},
};

/// Describes the model in its folder.
pub(crate) const SPEC: &str = "model.json";

/// A model as its folder describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    pub spec: ModelSpec,
    dir: PathBuf,
}

impl Model {
    /// Reads the folder's spec alone.
    ///
    /// # Errors
    ///
    /// The spec is missing or makes no sense.
    pub fn read(dir: impl Into<PathBuf>) -> Result<Self, ModelError> {
        let dir = dir.into();
        Ok(Self { spec: read_spec(&dir)?, dir })
    }

    /// Reads the folder's spec and looks at each pinned file. The contents are not
    /// read: see [`Model::verify`].
    ///
    /// # Errors
    ///
    /// The spec or a file is missing, cut short, or makes no sense.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, ModelError> {
        let model = Self::read(dir)?;
        model.check()?;
        Ok(model)
    }

    /// Looks at each pinned file: whether it is there, whole.
    ///
    /// # Errors
    ///
    /// A file is missing or cut short.
    pub fn check(&self) -> Result<(), ModelError> {
        self.spec.files.iter().try_for_each(|(name, pin)| self.check_size(name, pin))
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The network.
    pub fn onnx(&self) -> PathBuf {
        self.dir.join(ONNX)
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> PathBuf {
        self.dir.join(TOKENIZER)
    }

    /// See [`ModelSpec::fingerprint`].
    pub fn fingerprint(&self) -> String {
        self.spec.fingerprint()
    }

    /// Reads every file through and compares it with its pin. Costs about as long
    /// as hashing the model's bytes: a tenth of a second for the default one.
    ///
    /// # Errors
    ///
    /// A file cannot be read or is not the pinned one.
    pub fn verify(&self) -> Result<(), ModelError> {
        for (name, pin) in &self.spec.files {
            self.check_size(name, pin)?;
            let path = self.dir.join(name);
            let found = sha256(&path).map_err(|source| ModelError::Unreadable { path, source })?;
            if found != pin.sha256 {
                return Err(ModelError::FileChanged {
                    model: self.spec.id.clone(),
                    file: name.clone(),
                    dir: self.dir.clone(),
                    expected: pin.sha256.clone(),
                    found,
                });
            }
        }
        Ok(())
    }

    fn check_size(&self, name: &str, pin: &FilePin) -> Result<(), ModelError> {
        let (model, file, dir) = (self.spec.id.clone(), name.to_owned(), self.dir.clone());
        let path = dir.join(name);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() && metadata.len() == pin.bytes => Ok(()),
            Ok(metadata) if metadata.is_file() => {
                let (expected, found) = (pin.bytes, metadata.len());
                Err(ModelError::FileCut { model, file, dir, expected, found })
            }
            Ok(_) => Err(ModelError::FileMissing { model, file, dir }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(ModelError::FileMissing { model, file, dir })
            }
            Err(source) => Err(ModelError::Unreadable { path, source }),
        }
    }
}

/// What a model folder's `model.json` describes.
#[derive(Debug, Clone, PartialEq)]
pub enum Described {
    Model(Model),
    Ensemble(EnsembleSpec),
}

impl Described {
    /// Reads the folder's `model.json` alone.
    pub(crate) fn read(dir: &Path) -> Result<Self, ModelError> {
        let path = dir.join(SPEC);
        let text = fs::read_to_string(&path)
            .map_err(|source| ModelError::Unreadable { path: path.clone(), source })?;
        let fields: serde_json::Value = serde_json::from_str(&text)
            .map_err(|source| ModelError::Malformed { path: path.clone(), source })?;
        if fields.get("parts").is_some() {
            return EnsembleSpec::parse(&text, &path).map(Self::Ensemble);
        }
        let spec = ModelSpec::parse(&text, &path)?;
        Ok(Self::Model(Model { spec, dir: dir.to_owned() }))
    }

    pub fn id(&self) -> &str {
        match self {
            Self::Model(model) => &model.spec.id,
            Self::Ensemble(spec) => &spec.id,
        }
    }
}

/// The spec of a model folder, whose other files may be missing.
fn read_spec(dir: &Path) -> Result<ModelSpec, ModelError> {
    let path = dir.join(SPEC);
    match fs::read_to_string(&path) {
        Ok(text) => ModelSpec::parse(&text, &path),
        Err(source) => Err(ModelError::Unreadable { path, source }),
    }
}

/// Whether a folder is meant to be a model.
pub(crate) fn has_spec(dir: &Path) -> bool {
    dir.join(SPEC).is_file()
}

/// 64 lower-case hexadecimal digits.
pub(crate) fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    Ok(hasher.finalize().iter().fold(String::with_capacity(64), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    }))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// SHA-256 of `graph` and of `words`, by `sha256sum`.
    const GRAPH: &str = "eef93e1d14482804277fca0172464032d1a4fdbcc338524059fa1e861454ad4d";
    const WORDS: &str = "dba36bffa5cab0f922d087a3aeb179f9d4e745df40b323e1b1471402848c8a3e";

    /// A small model folder in `parent`.
    pub(crate) fn write_model(parent: &Path, id: &str) -> PathBuf {
        let dir = parent.join(id);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(ONNX), "graph").unwrap();
        fs::write(dir.join(TOKENIZER), "words").unwrap();
        let spec = format!(
            r#"{{"id": "{id}", "name": "Tiny", "license": "MIT", "languages": ["en"], "dims": 4,
                "max_tokens": 8, "pooling": "cls", "normalize": true, "query_prefix": "",
                "passage_prefix": "", "files": {{
                    "{ONNX}": {{"sha256": "{GRAPH}", "bytes": 5}},
                    "{TOKENIZER}": {{"sha256": "{WORDS}", "bytes": 5}}}}}}"#
        );
        fs::write(dir.join(SPEC), spec).unwrap();
        dir
    }

    /// Opens and verifies a model after a change of its folder.
    fn after(change: impl FnOnce(&Path)) -> Result<(), ModelError> {
        let parent = tempfile::tempdir().unwrap();
        let dir = write_model(parent.path(), "tiny");
        change(&dir);
        Model::open(&dir)?.verify()
    }

    #[test]
    fn a_whole_model_opens_and_verifies() {
        after(|_| ()).unwrap();
    }

    #[test]
    fn a_missing_file_is_named_with_the_mend() {
        let error = after(|dir| fs::remove_file(dir.join(ONNX)).unwrap()).unwrap_err();
        let text = error.to_string();
        for part in ["model.onnx of tiny is missing", "npm run setup"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_file_that_was_cut_short_is_seen_on_opening() {
        let error = after(|dir| fs::write(dir.join(TOKENIZER), "wor").unwrap()).unwrap_err();
        assert!(
            matches!(&error, ModelError::FileCut { file, expected: 5, found: 3, .. } if file == TOKENIZER),
            "{error}"
        );
    }

    #[test]
    fn a_changed_file_of_the_same_size_is_seen_on_verifying() {
        let error = after(|dir| fs::write(dir.join(ONNX), "grapf").unwrap()).unwrap_err();
        assert!(
            matches!(&error, ModelError::FileChanged { file, expected, .. } if file == ONNX && expected == GRAPH),
            "{error}"
        );
    }

    #[test]
    fn a_folder_without_a_spec_is_no_model() {
        let error = after(|dir| fs::remove_file(dir.join(SPEC)).unwrap()).unwrap_err();
        assert!(matches!(error, ModelError::Unreadable { .. }), "{error}");
        let error = after(|dir| fs::write(dir.join(SPEC), "{").unwrap()).unwrap_err();
        assert!(matches!(error, ModelError::Malformed { .. }), "{error}");
    }
}
