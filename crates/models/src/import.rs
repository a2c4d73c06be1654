//! A folder that a person has, as a model hub lays it out, to a model folder of ours.
//!
//! Nothing of it is believed to work: whoever calls lets a worker load what was staged
//! before it is kept. Staging is a folder beside the place where it will be, so that
//! keeping it is one renaming: no half model is ever found there.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    FilePin, Model, ModelError, ModelSpec, Pooling,
    model::{SPEC, has_spec, sha256},
    spec::{ONNX, TOKENIZER, is_plain_name},
};

/// Where a hub's folder may have the network; smaller ones first.
const NETWORKS: [&str; 6] = [
    "model.onnx",
    "onnx/model_quantized.onnx",
    "onnx/model_int8.onnx",
    "model_quantized.onnx",
    "model_int8.onnx",
    "onnx/model.onnx",
];

/// Where it may have both precisions of one network: eight bits, and all of them.
const QUANTIZED: [&str; 4] = [
    "onnx/model_quantized.onnx",
    "onnx/model_int8.onnx",
    "model_quantized.onnx",
    "model_int8.onnx",
];
const FULL: [&str; 2] = ["onnx/model.onnx", "model.onnx"];

/// Read of a text where no file says how many tokens a model reads.
const MAX_TOKENS: u64 = 512;

/// A file that says more has no limit in mind.
const MOST_TOKENS: u64 = 1 << 20;

/// A model in a folder of any layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub spec: ModelSpec,
    /// Where each of its files lies.
    files: BTreeMap<String, PathBuf>,
}

/// Looks into a folder: a model folder of ours, or one as a hub lays it out. Reads
/// every file through for its hash. Without `id` the folder's name is the model's.
///
/// # Errors
///
/// [`ModelError::NotImportable`] with what is wanting; or a file cannot be read, or is
/// not the one that the folder's `model.json` pins.
pub fn describe(dir: &Path, id: Option<&str>) -> Result<Found, ModelError> {
    describe_with(dir, id, None)
}

/// Both precisions of the network in a hub's folder; nothing where there is one or none.
pub fn precisions(dir: &Path) -> Vec<PathBuf> {
    let first = |names: &[&str]| names.iter().map(|name| dir.join(name)).find(|p| p.is_file());
    match (first(&QUANTIZED), first(&FULL)) {
        (Some(quantized), Some(full)) if !has_spec(dir) => vec![quantized, full],
        _ => Vec::new(),
    }
}

/// The same with the network that was chosen of several.
///
/// # Errors
///
/// As [`describe`].
pub fn describe_with(
    dir: &Path,
    id: Option<&str>,
    network: Option<&Path>,
) -> Result<Found, ModelError> {
    if has_spec(dir) {
        let model = Model::open(dir)?;
        model.verify()?;
        let mut spec = ModelSpec { source: None, ..model.spec };
        if let Some(id) = id {
            spec.id = id.to_owned();
        }
        let files = spec.files.keys().map(|name| (name.clone(), dir.join(name))).collect();
        return checked(dir, Found { spec, files });
    }
    let wanting = |wanting: &str| ModelError::NotImportable {
        path: dir.to_owned(),
        wanting: wanting.to_owned(),
    };
    if !dir.is_dir() {
        return Err(wanting("it is no folder"));
    }
    let network = network.map(Path::to_owned).or_else(|| usual_network(dir));
    let network = network.ok_or_else(|| wanting("it holds no ONNX file"))?;
    let tokenizer = dir.join(TOKENIZER);
    if !tokenizer.is_file() {
        return Err(wanting("it holds no tokenizer.json"));
    }
    let about = About::read(dir);
    let dims = about.number("config.json", &["hidden_size", "dim", "d_model"]);
    let dims = dims.ok_or_else(|| wanting("no config.json says its hidden_size"))?;
    let folder = std::path::absolute(dir).ok();
    let folder = folder.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let id = id.unwrap_or(&folder).to_owned();
    let mut files =
        BTreeMap::from([(ONNX.to_owned(), network.clone()), (TOKENIZER.to_owned(), tokenizer)]);
    // Weights beside the network are named in it.
    let weights = PathBuf::from(format!("{}_data", network.display()));
    if let Some(name) = weights.file_name().filter(|_| weights.is_file()) {
        files.insert(name.to_string_lossy().into_owned(), weights.clone());
    }
    let pins = files.iter().map(|(name, path)| Ok((name.clone(), pin(path)?)));
    let spec = ModelSpec {
        name: id.clone(),
        id,
        license: about.front("license").first().cloned().unwrap_or_else(|| "unknown".to_owned()),
        languages: about.front("language"),
        dims: u32::try_from(dims).unwrap_or(u32::MAX),
        max_tokens: about.max_tokens(),
        pooling: about.pooling(),
        normalize: true,
        query_prefix: about.prompt(&["query", "s2p_query"]),
        passage_prefix: about.prompt(&["passage", "document"]),
        files: pins.collect::<Result<_, ModelError>>()?,
        source: None,
    };
    checked(dir, Found { spec, files })
}

fn checked(dir: &Path, found: Found) -> Result<Found, ModelError> {
    // As a reader of its `model.json` will.
    let text = serde_json::to_string(&found.spec).unwrap_or_default();
    ModelSpec::parse(&text, &dir.join(SPEC)).map(|_| found)
}

/// The first of the usual places, or the only network at the top.
fn usual_network(dir: &Path) -> Option<PathBuf> {
    let usual = NETWORKS.iter().map(|name| dir.join(name)).find(|path| path.is_file());
    usual.or_else(|| {
        let entries = fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path());
        let mut networks = entries.filter(|path| path.extension().is_some_and(|e| e == "onnx"));
        networks.next().filter(|_| networks.next().is_none())
    })
}

fn pin(path: &Path) -> Result<FilePin, ModelError> {
    let failed = |source| ModelError::Unreadable { path: path.to_owned(), source };
    let bytes = path.metadata().map_err(failed)?.len();
    Ok(FilePin { sha256: sha256(path).map_err(failed)?, bytes })
}

/// What the small files of a hub's folder say. Each may be missing.
struct About {
    files: BTreeMap<&'static str, Value>,
    /// The lines between the two `---` at the head of its page.
    front: String,
}

const SMALL_FILES: [&str; 5] = [
    "config.json",
    "tokenizer_config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
];

impl About {
    fn read(dir: &Path) -> Self {
        let read = |name: &'static str| {
            let text = fs::read_to_string(dir.join(name)).ok()?;
            Some((name, serde_json::from_str(&text).ok()?))
        };
        let page = fs::read_to_string(dir.join("README.md")).unwrap_or_default();
        let front = page.strip_prefix("---").and_then(|page| page.split_once("\n---"));
        let front = front.map_or_else(String::new, |(front, _)| front.to_owned());
        Self { files: SMALL_FILES.into_iter().filter_map(read).collect(), front }
    }

    fn number(&self, file: &str, fields: &[&str]) -> Option<u64> {
        fields.iter().find_map(|field| self.files.get(file)?.get(field)?.as_u64())
    }

    fn max_tokens(&self) -> usize {
        let told = [
            ("sentence_bert_config.json", "max_seq_length"),
            ("tokenizer_config.json", "model_max_length"),
            ("config.json", "max_position_embeddings"),
        ];
        let mut told = told.iter().filter_map(|(file, field)| self.number(file, &[field]));
        let told = told.find(|tokens| (1..MOST_TOKENS).contains(tokens));
        told.unwrap_or(MAX_TOKENS) as usize
    }

    fn pooling(&self) -> Pooling {
        let pooling = self.files.get("1_Pooling/config.json");
        let is = |field| pooling.and_then(|pooling| pooling.get(field)?.as_bool()) == Some(true);
        if is("pooling_mode_cls_token") { Pooling::Cls } else { Pooling::Mean }
    }

    fn prompt(&self, names: &[&str]) -> String {
        let prompts = self.files.get("config_sentence_transformers.json");
        let prompts = prompts.and_then(|file| file.get("prompts"));
        let prompt = names.iter().find_map(|name| prompts?.get(name)?.as_str());
        prompt.unwrap_or_default().to_owned()
    }

    /// `name: value`, or a list below `name:`.
    fn front(&self, name: &str) -> Vec<String> {
        let mut lines = self.front.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        match value.map(str::trim) {
            None => Vec::new(),
            Some("") => {
                let items = lines.map_while(|line| line.trim_start().strip_prefix("- "));
                items.map(|item| item.trim().to_owned()).collect()
            }
            Some(value) => vec![value.to_owned()],
        }
    }
}

/// A model that is whole and not yet in its place. Dropped, it goes.
#[derive(Debug)]
pub struct Staged {
    dir: PathBuf,
    place: PathBuf,
    is_kept: bool,
}

impl Staged {
    /// Copies what was found into a folder beside its place in `added`.
    ///
    /// # Errors
    ///
    /// [`ModelError::Taken`], or something cannot be written or read.
    pub fn copy(found: &Found, added: &Path) -> Result<Self, ModelError> {
        let staged = Self::begin(&found.spec.id, added)?;
        for (name, from) in &found.files {
            let to = staged.dir.join(name);
            let copied = fs::copy(from, &to).and_then(|_| sync(&to));
            copied.map_err(|source| ModelError::Unwritable { path: to, source })?;
        }
        staged.describe(&found.spec)?;
        Ok(staged)
    }

    /// A folder for the files of a model that is yet to come: what an earlier try left
    /// there is in it.
    ///
    /// # Errors
    ///
    /// As [`Staged::copy`].
    pub fn begin(id: &str, added: &Path) -> Result<Self, ModelError> {
        let place = added.join(id);
        if !is_plain_name(id) || place.exists() {
            return Err(ModelError::Taken { id: id.to_owned() });
        }
        // No model has such a name.
        let dir = added.join(format!(".{id}"));
        fs::create_dir_all(&dir)
            .map_err(|source| ModelError::Unwritable { path: dir.clone(), source })?;
        Ok(Self { dir, place, is_kept: false })
    }

    /// Writes its `model.json`.
    pub fn describe(&self, spec: &ModelSpec) -> Result<(), ModelError> {
        let path = self.dir.join(SPEC);
        let text = serde_json::to_string_pretty(spec).unwrap_or_default();
        let written = fs::write(&path, text).and_then(|()| sync(&path));
        written.map_err(|source| ModelError::Unwritable { path, source })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Leaves what is there for another try.
    pub fn put_off(mut self) {
        self.is_kept = true;
    }

    /// Puts it in its place, whole.
    pub fn keep(mut self) -> Result<Model, ModelError> {
        fs::rename(&self.dir, &self.place)
            .map_err(|source| ModelError::Unwritable { path: self.place.clone(), source })?;
        self.is_kept = true;
        Model::open(&self.place)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

fn sync(path: &Path) -> std::io::Result<()> {
    // Windows syncs only what is open for writing.
    File::options().read(true).write(cfg!(windows)).open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder as a hub lays it out, with these small files besides.
    fn hub(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let usual = [
            ("onnx/model_quantized.onnx", "graph"),
            ("tokenizer.json", "words"),
            ("config.json", r#"{"hidden_size": 384, "max_position_embeddings": 512}"#),
        ];
        for (name, text) in usual.iter().chain(files) {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn a_hubs_folder_says_what_its_model_is() {
        let plain = describe(hub(&[]).path(), Some("mine")).unwrap().spec;
        assert_eq!((plain.id.as_str(), plain.dims, plain.max_tokens), ("mine", 384, 512));
        assert_eq!((plain.pooling, plain.license.as_str()), (Pooling::Mean, "unknown"));
        let told = hub(&[
            ("1_Pooling/config.json", r#"{"pooling_mode_cls_token": true}"#),
            ("sentence_bert_config.json", r#"{"max_seq_length": 128}"#),
            (
                "config_sentence_transformers.json",
                r#"{"prompts": {"query": "q: ", "passage": ""}}"#,
            ),
            ("README.md", "---\nlicense: mit\nlanguage:\n- en\n- de\ntags:\n- x\n---\n# It\n"),
        ]);
        let told = describe(told.path(), Some("mine")).unwrap().spec;
        assert_eq!((told.pooling, told.max_tokens), (Pooling::Cls, 128));
        assert_eq!((told.query_prefix.as_str(), told.license.as_str()), ("q: ", "mit"));
        assert_eq!(told.languages, ["en", "de"]);
    }

    #[test]
    fn of_two_precisions_the_chosen_one_is_taken() {
        let dir = hub(&[("onnx/model.onnx", "all of the graph")]);
        let [quantized, full] =
            ["model_quantized.onnx", "model.onnx"].map(|name| dir.path().join("onnx").join(name));
        assert_eq!(precisions(dir.path()), [quantized, full.clone()]);
        let bytes = |network| {
            let found = describe_with(dir.path(), Some("mine"), network).unwrap();
            found.spec.files[ONNX].bytes
        };
        assert_eq!((bytes(None), bytes(Some(&full))), (5, 16));
        assert_eq!(precisions(hub(&[]).path()), Vec::<PathBuf>::new());
    }

    #[test]
    fn what_is_wanting_is_named() {
        let check = |file: &str, word: &str| {
            let dir = hub(&[]);
            fs::remove_file(dir.path().join(file)).unwrap();
            let error = describe(dir.path(), Some("mine")).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        };
        check("onnx/model_quantized.onnx", "no ONNX file");
        check("tokenizer.json", "no tokenizer.json");
        check("config.json", "hidden_size");
        let error = describe(hub(&[]).path(), Some("../mine")).unwrap_err().to_string();
        assert!(error.contains("letters"), "{error}");
    }

    #[test]
    fn a_staged_model_is_kept_whole_or_goes() {
        let (from, added) = (hub(&[]), tempfile::tempdir().unwrap());
        let found = describe(from.path(), Some("mine")).unwrap();
        let staged = Staged::copy(&found, added.path()).unwrap();
        assert!(!added.path().join("mine").exists());
        drop(staged);
        assert_eq!(fs::read_dir(added.path()).unwrap().count(), 0);
        let model = Staged::copy(&found, added.path()).unwrap().keep().unwrap();
        model.verify().unwrap();
        assert_eq!(model.spec, found.spec);
        let taken = Staged::copy(&found, added.path());
        assert!(matches!(taken, Err(ModelError::Taken { .. })), "{taken:?}");
    }
}
