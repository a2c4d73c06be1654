//! Why a model or the runtime cannot be used, with the mend.

use std::{io, path::PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error(
        "no model folder was found; looked for a folder `models` in {}: run `npm run setup` \
         in the project, install Rummage again, or set RUMMAGE_ASSETS",
        listed(searched)
    )]
    NoAssets { searched: Vec<PathBuf> },
    #[error(
        "there is no model {id:?} in {}; installed: {}; to be fetched: {}",
        dir.display(),
        listed_or_none(known),
        listed_or_none(fetchable),
    )]
    Unknown { id: String, dir: PathBuf, known: Vec<String>, fetchable: Vec<String> },
    #[error("{ensemble} is several models side by side, of which {part} is missing")]
    PartMissing { ensemble: String, part: String },
    #[error(
        "{} is no model that can be imported: {wanting}. A folder is wanted that holds an ONNX \
         file and tokenizer.json, as a hub's page of the model offers them", path.display()
    )]
    NotImportable { path: PathBuf, wanting: String },
    #[error("there is a model {id} already: remove it first, or give the other one another name")]
    Taken { id: String },
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error(
        "ONNX Runtime is missing from {}: run `npm run setup` in the project, install Rummage \
         again, or name the library in ORT_DYLIB_PATH",
        path.display()
    )]
    NoRuntime { path: PathBuf },
    #[error("{} does not describe a model: {source}", path.display())]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("{} does not describe a model: {field} {must}", path.display())]
    Invalid { path: PathBuf, field: &'static str, must: &'static str },
    #[error(
        "{file} of {model} is missing from {}: run `npm run setup` in the project, or install \
         Rummage again",
        dir.display()
    )]
    FileMissing { model: String, file: String, dir: PathBuf },
    #[error(
        "{file} of {model} in {} has {found} bytes where {expected} belong: delete it and run \
         `npm run setup` in the project, or install Rummage again",
        dir.display()
    )]
    FileCut { model: String, file: String, dir: PathBuf, expected: u64, found: u64 },
    #[error(
        "{file} of {model} in {} is not the file it should be (SHA-256 {found}, not {expected}): \
         delete it and run `npm run setup` in the project, or install Rummage again",
        dir.display()
    )]
    FileChanged { model: String, file: String, dir: PathBuf, expected: String, found: String },
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
}

fn listed(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

fn listed_or_none(ids: &[String]) -> String {
    if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
}
