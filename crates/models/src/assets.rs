//! Where model folders and the ONNX Runtime library lie: beside an installed
//! program, or in the checkout it was built in.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    Model, ModelError, ModelSpec,
    model::{has_spec, read_spec},
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
                Ok(Self { dir: dir.clone(), runtime })
            }
            None => Err(ModelError::NoAssets { searched }),
        }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
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
    /// model's other files are there is for [`Assets::model`] to say.
    pub fn models(&self) -> Vec<Result<ModelSpec, ModelError>> {
        let path = self.dir.join(MODELS);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(source) => return vec![Err(ModelError::Unreadable { path, source })],
        };
        let mut dirs: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        dirs.retain(|dir| has_spec(dir));
        dirs.sort();
        dirs.iter().map(|dir| read_spec(dir)).collect()
    }

    /// The model in the folder of that name.
    ///
    /// # Errors
    ///
    /// There is none, or its spec makes no sense. Whether its other files are there
    /// is for [`Model::check`] to say.
    pub fn model(&self, id: &str) -> Result<Model, ModelError> {
        let dir = self.dir.join(MODELS).join(id);
        if is_plain_name(id) && has_spec(&dir) {
            return Model::read(dir);
        }
        let known = self.models().into_iter().flatten().map(|spec| spec.id).collect();
        Err(ModelError::Unknown { id: id.to_owned(), dir: self.dir.join(MODELS), known })
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
    fn models_are_listed_and_a_broken_one_hides_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let models = dir.path().join(MODELS);
        write_model(&models, "b");
        write_model(&models, "a");
        fs::create_dir(models.join("no-model")).unwrap();
        fs::write(write_model(&models, "broken").join("model.json"), "{").unwrap();
        let assets = assets_in(dir.path(), None);
        let listed: Vec<_> = assets
            .models()
            .into_iter()
            .map(|spec| spec.map_or_else(|_| "!".to_owned(), |spec| spec.id))
            .collect();
        assert_eq!(listed, ["a", "b", "!"]);
        assert_eq!(assets.model("b").unwrap().spec.id, "b");
        assert!(matches!(assets.model("broken"), Err(ModelError::Malformed { .. })));
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
