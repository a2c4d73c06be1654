//! Whether something met below a root is wanted: by its kind, by the app-wide rules,
//! and by the ignore files between the root and it.
//!
//! Ignore files are layered: an inner folder's lines win over an outer one's, and of the
//! three kinds all of one's layers over all of the next one's, as ripgrep has it.

use std::{
    fs::{self, FileType},
    path::{Path, PathBuf},
    sync::Arc,
};

use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};

use crate::rules::{IGNORE_FILES, Rule, Rules};

/// A longer ignore file was not written by a person, and costs memory many times
/// its size.
const MAX_IGNORE_FILE_BYTES: u64 = 1 << 20;

/// The layers that hold in one folder. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layers(Option<Arc<Layer>>);

#[derive(Debug)]
struct Layer {
    above: Layers,
    /// In the order of [`IGNORE_FILES`].
    files: [Gitignore; IGNORE_FILES.len()],
}

/// An ignore file that cannot be read to its end: a pipe in its place would hold
/// up the reader for ever. What its folder holds is not known.
#[derive(Debug)]
pub(crate) struct Trap(pub PathBuf);

impl Layers {
    /// Those that hold in `folder`, where `self` holds in the folder above it.
    /// Lines that cannot be understood are passed over.
    pub fn within(&self, folder: &Path) -> Result<Self, Trap> {
        let mut is_new = false;
        let mut files = [const { None }; IGNORE_FILES.len()];
        for (name, file) in IGNORE_FILES.iter().zip(&mut files) {
            let path = folder.join(name);
            let Ok(found) = fs::metadata(&path) else { continue };
            if found.is_dir() {
                continue;
            }
            if !found.is_file() || found.len() > MAX_IGNORE_FILE_BYTES {
                return Err(Trap(path));
            }
            let mut lines = GitignoreBuilder::new(folder);
            lines.add(path);
            *file = lines.build().ok();
            is_new = true;
        }
        if !is_new {
            return Ok(self.clone());
        }
        let files = files.map(|file| file.unwrap_or_else(Gitignore::empty));
        Ok(Self(Some(Arc::new(Layer { above: self.clone(), files }))))
    }

    /// The line that leaves this path of the folder out, if one does.
    pub fn rule(&self, path: &Path, is_dir: bool) -> Option<Rule> {
        for kind in 0..IGNORE_FILES.len() {
            let mut layers = self;
            while let Some(layer) = &layers.0 {
                match layer.files[kind].matched(path, is_dir) {
                    Match::Ignore(line) => {
                        let file = line.from().map(Path::to_owned).unwrap_or_default();
                        return Some(Rule::Line { file, line: line.original().to_owned() });
                    }
                    Match::Whitelist(_) => return None,
                    Match::None => layers = &layer.above,
                }
            }
        }
        None
    }
}

/// What something met below a root counts as.
#[derive(Debug)]
pub(crate) enum Wanted {
    File,
    /// With the layers that hold in it.
    Folder(Layers),
    No(Rule),
}

/// Judges a path by its kind, links not followed. Its folders are wanted, and
/// `layers` holds in the innermost of them.
pub(crate) fn judge(
    rules: &Rules,
    root: &Path,
    path: &Path,
    kind: FileType,
    layers: &Layers,
) -> Wanted {
    if !kind.is_file() && !kind.is_dir() {
        return Wanted::No(if kind.is_symlink() { Rule::Link } else { Rule::Special });
    }
    let below = path.strip_prefix(root).unwrap_or(path);
    if let Some(rule) =
        rules.rule(below, kind.is_dir()).or_else(|| layers.rule(path, kind.is_dir()))
    {
        return Wanted::No(rule);
    }
    if kind.is_file() {
        return Wanted::File;
    }
    match layers.within(path) {
        Ok(within) => Wanted::Folder(within),
        Err(Trap(file)) => Wanted::No(Rule::Trap(file)),
    }
}
