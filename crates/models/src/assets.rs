//! Where model folders and the ONNX Runtime library lie: beside an installed
//! program, or in the checkout it was built in. Models that a person added lie in a
//! folder of their own.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    Blend, Described, EnsembleSpec, Model, ModelError, Part, catalogue, model::has_spec,
    spec::is_plain_name,
};

const MODELS: &str = "models";

/// The library's place in the assets folder.
const RUNTIME: &str = if cfg!(windows) {
    "runtime/onnxruntime.dll"
} else if cfg!(target_os = "macos") {
    "runtime/libonnxruntime.dylib"
} else {
    "runtime/libonnxruntime.so"
};

/// The first ONNX Runtime library of a folder, by its name; its links are followed,
/// because a library looks for the rest of itself where it lies. `None` where there is
/// none, or no such folder.
pub fn runtime_in(dir: &Path) -> Option<PathBuf> {
    let names = fs::read_dir(dir).ok()?.flatten().map(|entry| entry.file_name());
    let mut names: Vec<_> = names.filter_map(|name| name.into_string().ok()).collect();
    names.sort();
    let library = dir.join(names.iter().find(|name| is_runtime(name))?);
    // Windows has no such links, and its real paths are such as few libraries expect.
    if cfg!(unix) { library.canonicalize().ok() } else { Some(library) }
}

/// Such as `libonnxruntime.so.1.31.1`; not `libonnxruntime_providers_cuda.so`.
fn is_runtime(name: &str) -> bool {
    let versioned = |name: &str, prefix: &str, kind: &str| {
        name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.') && rest.contains(kind))
    };
    if cfg!(windows) {
        name.eq_ignore_ascii_case("onnxruntime.dll")
    } else if cfg!(target_os = "macos") {
        versioned(name, "libonnxruntime", ".dylib")
    } else {
        versioned(name, "libonnxruntime", ".so")
    }
}

/// What of the environment decides where assets are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `RUMMAGE_ASSETS`: the assets folder itself; no other is looked at.
    pub assets: Option<PathBuf>,
    /// `ORT_DYLIB_PATH`: the ONNX Runtime library itself.
    pub runtime: Option<PathBuf>,
    /// The running program.
    pub program: Option<PathBuf>,
}

impl Surroundings {
    /// Those of this process. A variable that is set to nothing counts as not set.
    pub fn of_process() -> Self {
        let path = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            assets: path("RUMMAGE_ASSETS"),
            runtime: path("ORT_DYLIB_PATH"),
            program: env::current_exe().ok(),
        }
    }

    /// Folders that may be the assets folder, the likeliest first.
    fn candidates(&self) -> Vec<PathBuf> {
        if let Some(assets) = &self.assets {
            return vec![assets.clone()];
        }
        let Some(program) = &self.program else { return Vec::new() };
        // A link in a folder of programs leads to the installation.
        let program = program.canonicalize().unwrap_or_else(|_| program.clone());
        let Some(dir) = program.parent() else { return Vec::new() };
        let mut candidates = vec![dir.join("assets")];
        if let Some(prefix) = dir.parent() {
            for shared in ["lib/rummage", "lib/Rummage", "Resources"] {
                let shared = prefix.join(shared);
                candidates.extend([shared.join("assets"), shared]);
            }
        }
        candidates.extend(dir.ancestors().skip(1).map(|above| above.join("assets")));
        candidates
    }
}

/// The folder with `models/` and `runtime/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assets {
    dir: PathBuf,
    runtime: PathBuf,
    /// Models that a person added.
    added: Option<PathBuf>,
}

impl Assets {
    /// Looks around this process.
    ///
    /// # Errors
    ///
    /// As [`Assets::find_in`].
    pub fn find() -> Result<Self, ModelError> {
        Self::find_in(&Surroundings::of_process())
    }

    /// The first likely folder that holds a folder `models`.
    ///
    /// # Errors
    ///
    /// [`ModelError::NoAssets`] with every folder that was looked at.
    pub fn find_in(surroundings: &Surroundings) -> Result<Self, ModelError> {
        let searched = surroundings.candidates();
        match searched.iter().find(|dir| dir.join(MODELS).is_dir()) {
            Some(dir) => {
                let runtime = surroundings.runtime.clone().unwrap_or_else(|| dir.join(RUNTIME));
                Ok(Self { dir: dir.clone(), runtime, added: None })
            }
            None => Err(ModelError::NoAssets { searched }),
        }
    }

    /// With the models in that folder, which need not exist, besides.
    pub fn with_added(self, added: PathBuf) -> Self {
        Self { added: Some(added), ..self }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The folder of added models, where there is one.
    pub fn added(&self) -> Option<&Path> {
        self.added.as_deref()
    }

    /// The folders that hold model folders. What comes with Rummage comes first.
    fn shelves(&self) -> impl Iterator<Item = PathBuf> {
        std::iter::once(self.dir.join(MODELS)).chain(self.added.clone())
    }

    /// The ONNX Runtime library.
    ///
    /// # Errors
    ///
    /// [`ModelError::NoRuntime`] where it is missing.
    pub fn runtime_library(&self) -> Result<PathBuf, ModelError> {
        if self.runtime.is_file() {
            Ok(self.runtime.clone())
        } else {
            Err(ModelError::NoRuntime { path: self.runtime.clone() })
        }
    }

    /// What each model folder says, in the order of their names. Whether the
    /// model's other files are there is for [`Model::check`] to say.
    pub fn described(&self) -> Vec<Result<Described, ModelError>> {
        let entries = self.shelves().filter_map(|path| fs::read_dir(path).ok()).flatten();
        let mut dirs: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        dirs.retain(|dir| has_spec(dir));
        dirs.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
        dirs.iter().map(|dir| Described::read(dir)).collect()
    }

    /// Every ensemble that there may be, those of the catalogue included.
    pub fn ensembles(&self) -> Vec<EnsembleSpec> {
        let found =
            self.described().into_iter().flatten().filter_map(|described| match described {
                Described::Ensemble(spec) => Some(spec),
                Described::Model(_) => None,
            });
        let mut ensembles: Vec<_> = found.collect();
        for known in catalogue::ensembles() {
            if ensembles.iter().all(|spec| spec.id != known.id) {
                ensembles.push(known.clone());
            }
        }
        ensembles
    }

    /// The model in the folder of that name, alone.
    ///
    /// # Errors
    ///
    /// There is none, or its spec makes no sense. Whether its other files are there
    /// is for [`Model::check`] to say.
    pub fn model(&self, id: &str) -> Result<Model, ModelError> {
        match self.folder_of(id) {
            Some(dir) => Model::read(dir),
            None => Err(self.unknown(id)),
        }
    }

    /// What makes the vectors of that name: one model, or an ensemble of several.
    ///
    /// # Errors
    ///
    /// As [`Assets::model`], and [`ModelError::PartMissing`].
    pub fn blend(&self, id: &str) -> Result<Blend, ModelError> {
        let found = self.folder_of(id).map(|dir| Described::read(&dir)).transpose()?;
        let spec = match found {
            Some(Described::Model(model)) => return Ok(Blend::single(model)),
            Some(Described::Ensemble(spec)) => Some(spec),
            None => catalogue::ensembles().iter().find(|spec| spec.id == id).cloned(),
        };
        let spec = spec.ok_or_else(|| self.unknown(id))?;
        let parts = spec.parts.iter().map(|part| match self.model(&part.model) {
            Ok(model) => Ok(Part { model, share: part.share }),
            Err(ModelError::Unknown { .. }) => {
                Err(ModelError::PartMissing { ensemble: spec.id.clone(), part: part.model.clone() })
            }
            Err(error) => Err(error),
        });
        let parts = parts.collect::<Result<_, _>>()?;
        Ok(Blend { parts, id: spec.id.clone(), name: spec.name.clone() })
    }

    /// What makes the vectors with this fingerprint, if it is installed.
    pub fn blend_of(&self, fingerprint: &str) -> Option<Blend> {
        let ids = self.described().into_iter().flatten().map(|found| found.id().to_owned());
        let ids: Vec<_> = ids.chain(self.ensembles().into_iter().map(|spec| spec.id)).collect();
        let mut blends = ids.iter().filter_map(|id| self.blend(id).ok());
        blends.find(|blend| blend.fingerprint() == fingerprint)
    }

    fn folder_of(&self, id: &str) -> Option<PathBuf> {
        let mut folders = self.shelves().map(|shelf| shelf.join(id));
        is_plain_name(id).then(|| folders.find(|dir| has_spec(dir))).flatten()
    }

    fn unknown(&self, id: &str) -> ModelError {
        let known = self.described().into_iter().flatten().map(|found| found.id().to_owned());
        let known: Vec<_> = known.collect();
        let fetchable = catalogue::entries().iter().map(|entry| entry.id.clone());
        let fetchable = fetchable.filter(|id| !known.contains(id)).collect();
        ModelError::Unknown { id: id.to_owned(), dir: self.dir.join(MODELS), known, fetchable }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::write_model;

    /// Puts a model at `assets`, and looks from `program`, both below one folder.
    fn check(assets: &str, program: &str, expected: bool) {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        write_model(&dir.join(assets).join(MODELS), "tiny");
        let program = Some(dir.join(program));
        let found = Assets::find_in(&Surroundings { program, ..Surroundings::default() });
        match found {
            Ok(found) if expected => assert_eq!(found.dir(), dir.join(assets)),
            Err(ModelError::NoAssets { searched }) if !expected => assert!(!searched.is_empty()),
            other => panic!("{assets} from {program:?}: {other:?}", program = dir),
        }
    }

    #[test]
    fn assets_are_found_where_they_are_installed() {
        check("bin/assets", "bin/rummage", true);
        check("lib/rummage", "bin/rummage", true);
        check("lib/Rummage/assets", "bin/rummage", true);
        check("App/Contents/Resources/assets", "App/Contents/MacOS/rummage", true);
        check("elsewhere/assets", "bin/rummage", false);
    }

    #[test]
    fn a_checkout_is_found_from_its_build_output() {
        check("repo/assets", "repo/target/debug/rummage", true);
        check("repo/assets", "repo/target/debug/deps/test-0123", true);
    }

    #[test]
    fn the_variable_wins_over_all_else() {
        let dir = tempfile::tempdir().unwrap();
        write_model(&dir.path().join("bin/assets/models"), "tiny");
        write_model(&dir.path().join("chosen/models"), "tiny");
        let mut surroundings = Surroundings {
            assets: Some(dir.path().join("chosen")),
            program: Some(dir.path().join("bin/rummage")),
            runtime: None,
        };
        let found = Assets::find_in(&surroundings).unwrap();
        assert_eq!(found.dir(), dir.path().join("chosen"));
        surroundings.assets = Some(dir.path().join("wrong"));
        let error = Assets::find_in(&surroundings).unwrap_err();
        assert!(error.to_string().contains("wrong"), "{error}");
    }

    fn assets_in(dir: &Path, runtime: Option<PathBuf>) -> Assets {
        let assets = Some(dir.to_owned());
        Assets::find_in(&Surroundings { assets, runtime, program: None }).unwrap()
    }

    #[test]
    fn a_missing_runtime_is_named_with_the_mend() {
        let dir = tempfile::tempdir().unwrap();
        write_model(&dir.path().join(MODELS), "tiny");
        let error = assets_in(dir.path(), None).runtime_library().unwrap_err();
        assert!(error.to_string().contains("npm run setup"), "{error}");
        fs::create_dir(dir.path().join("runtime")).unwrap();
        fs::write(dir.path().join(RUNTIME), "").unwrap();
        assert_eq!(
            assets_in(dir.path(), None).runtime_library().unwrap(),
            dir.path().join(RUNTIME)
        );
        let own = assets_in(dir.path(), Some(dir.path().join("own.so")));
        assert!(
            matches!(own.runtime_library(), Err(ModelError::NoRuntime { path }) if path.ends_with("own.so"))
        );
    }

    #[test]
    fn a_runtime_is_told_from_what_lies_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(runtime_in(&dir.path().join("none")), None);
        for name in ["libonnxruntime_providers_cuda.so", "libonnxruntime4j.so", "README"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(runtime_in(dir.path()), None);
        let name = Path::new(RUNTIME).file_name().unwrap();
        let library = dir.path().canonicalize().unwrap().join(name);
        fs::write(&library, "").unwrap();
        let found = runtime_in(dir.path()).unwrap();
        assert_eq!(found.canonicalize().unwrap(), library.canonicalize().unwrap());
        #[cfg(unix)]
        {
            let other = tempfile::tempdir().unwrap();
            std::os::unix::fs::symlink(&library, other.path().join(name)).unwrap();
            assert_eq!(runtime_in(other.path()).unwrap(), library);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_runtime_may_bear_its_version() {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().canonicalize().unwrap().join("libonnxruntime.so.1.31.1");
        fs::write(&library, "").unwrap();
        assert_eq!(runtime_in(dir.path()), Some(library));
    }

    #[test]
    fn models_are_listed_and_a_broken_one_hides_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let models = dir.path().join(MODELS);
        write_model(&models, "b");
        write_model(&models, "a");
        fs::create_dir(models.join("no-model")).unwrap();
        fs::write(write_model(&models, "broken").join("model.json"), "{").unwrap();
        let assets = assets_in(dir.path(), None);
        let listed: Vec<_> = assets
            .described()
            .into_iter()
            .map(|found| found.map_or_else(|_| "!".to_owned(), |found| found.id().to_owned()))
            .collect();
        assert_eq!(listed, ["a", "b", "!"]);
        assert_eq!(assets.model("b").unwrap().spec.id, "b");
        assert!(matches!(assets.model("broken"), Err(ModelError::Malformed { .. })));
    }

    #[test]
    fn an_ensemble_is_known_by_its_parts_wherever_they_lie() {
        let dir = tempfile::tempdir().unwrap();
        write_model(&dir.path().join(MODELS), "a");
        let added = dir.path().join("added");
        let assets = assets_in(dir.path(), None).with_added(added.clone());
        let both = added.join("both");
        fs::create_dir_all(&both).unwrap();
        let text = r#"{"id": "both", "name": "Both", "parts": [
            {"model": "a", "share": 0.25}, {"model": "b", "share": 0.75}]}"#;
        fs::write(both.join("model.json"), text).unwrap();
        match assets.blend("both") {
            Err(ModelError::PartMissing { part, .. }) => assert_eq!(part, "b"),
            other => panic!("{other:?}"),
        }
        write_model(&added, "b");
        let blend = assets.blend("both").unwrap();
        assert_eq!(blend.parts.iter().map(|part| part.share).collect::<Vec<_>>(), [0.25, 0.75]);
        assert_eq!(assets.blend_of(&blend.fingerprint()).unwrap().id, "both");
        let single = assets.blend("a").unwrap();
        assert_eq!(single.parts.len(), 1);
        assert_eq!(assets.blend_of("0000"), None);
    }

    #[test]
    fn an_unknown_model_is_answered_with_the_known_ones() {
        let dir = tempfile::tempdir().unwrap();
        write_model(&dir.path().join(MODELS), "tiny");
        for id in ["huge", "", "..", "../models/tiny"] {
            match assets_in(dir.path(), None).model(id) {
                Err(ModelError::Unknown { known, .. }) => assert_eq!(known, ["tiny"]),
                other => panic!("{id}: {other:?}"),
            }
        }
    }
}
