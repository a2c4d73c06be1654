//! The models that there are: those that are installed and those that are known, and
//! how one comes and goes. It needs no index: models lie in a folder of their own, and
//! which one is used is for the settings to say.

use std::{path::PathBuf, time::Duration};

use rummage_catalog::Catalog;
use rummage_fetch::{Pin, fetch};
use rummage_models::{
    Assets, Blend, Described, Model, ModelError, Staged,
    catalogue::{self, Entry},
    describe_with, precisions,
};
use rummage_settings::Settings;
use rummage_store::{Store, VectorSpace};

use crate::{
    Engine, EngineError, Options, absolute, folder::DataFolder, hardware::multiplies_bytes,
    model::LoadedModel, proof, worker_program,
};

/// The models of one data folder.
pub struct Library {
    folder: DataFolder,
    assets: Assets,
    worker_program: Option<PathBuf>,
    /// Of the process that writes the index, where that is ours.
    writes: bool,
}

/// A model or an ensemble, for people to choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelView {
    pub id: String,
    pub name: String,
    /// SPDX expressions, one for each license that its parts are under.
    pub license: String,
    pub languages: Vec<String>,
    /// Numbers a vector.
    pub dims: u32,
    /// Of its files.
    pub bytes: u64,
    /// For an ensemble the ids of its parts, with the share of each; else empty.
    pub parts: Vec<(String, f64)>,
    pub state: ModelPresence,
    /// What a fetch would get, model by model; empty for what is here or can only be imported.
    pub offers: Vec<Offer>,
    /// Questions are answered with it.
    pub is_active: bool,
    /// The settings name it: it is active, or will be once it has all vectors.
    pub is_chosen: bool,
    /// It was added by the person, and neither it nor what it is a part of is in use.
    pub can_remove: bool,
}

/// A model that its hub has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub id: String,
    /// Its files lie below it.
    pub address: String,
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelPresence {
    Installed,
    /// With what is wrong.
    Broken(String),
    /// It is not here and can be fetched.
    Known,
}

impl ModelPresence {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Broken(_) => "broken",
            Self::Known => "known",
        }
    }
}

/// How far a fetch is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    pub done: u64,
    pub total: u64,
}

impl Library {
    /// Of the data folder that these options name, which need not exist.
    pub fn open(options: &Options) -> Result<Self, EngineError> {
        let folder = DataFolder::new(absolute(&options.data)?);
        let assets = Assets::find_in(&options.surroundings)?.with_added(folder.models());
        let worker_program = options.worker_program.clone();
        Ok(Self { folder, assets, worker_program, writes: false })
    }

    /// Installed models first, in the order of their names, then those that are known.
    pub fn list(&self) -> Result<Vec<ModelView>, EngineError> {
        let active = self.active_fingerprint()?;
        let chosen = Settings::load(&self.folder.settings()).settings.model;
        let mut views: Vec<ModelView> = Vec::new();
        for found in self.assets.described() {
            match found {
                Ok(Described::Model(model)) => views.push(of_model(model)),
                Ok(Described::Ensemble(_)) => {}
                // It names its file.
                Err(error) => views.push(broken(error)),
            }
        }
        for entry in catalogue::entries() {
            // One that no hub offers comes with a checkout or not at all.
            if entry.on_hub().is_some() && views.iter().all(|view| view.id != entry.id) {
                views.push(of_entry(entry));
            }
        }
        for spec in self.assets.ensembles() {
            let of = |part: &str| views.iter().find(|view| view.id == part);
            let parts: Vec<_> = spec.parts.iter().map(|part| of(&part.model)).collect();
            views.push(of_ensemble(&spec, &parts));
        }
        for view in &mut views {
            view.is_chosen = view.id == chosen;
            let blend = self.assets.blend(&view.id).ok();
            let fingerprint = blend.as_ref().map(Blend::fingerprint);
            // Before anything is indexed, the chosen one is what will be used.
            view.is_active = match &active {
                Some(active) => fingerprint.as_ref() == Some(active),
                None => view.is_chosen,
            };
        }
        let removable: Vec<bool> = views.iter().map(|view| self.can_remove(&views, view)).collect();
        for (view, can_remove) in views.iter_mut().zip(removable) {
            view.can_remove = can_remove;
        }
        views.sort_by(|a, b| {
            let key = |view: &ModelView| view.state == ModelPresence::Known;
            key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
        });
        Ok(views)
    }

    /// Takes a model from a folder, as ours or as a hub lays it out; `id` names it
    /// otherwise than its folder. It is kept only if a worker can embed with it. Where the
    /// folder holds it in eight bits and in full, and this processor has no instructions
    /// for the products of bytes, both are measured, and the faster one is taken. Gives
    /// its id.
    ///
    /// # Errors
    /// [`EngineError::Model`] with what is wanting, [`EngineError::Job`] with why no worker
    /// can have it; nothing was changed.
    pub async fn import(&self, dir: PathBuf, id: Option<&str>) -> Result<String, EngineError> {
        // Where it has them, eight bits are two to three times as fast.
        let to_measure = if multiplies_bytes() { Vec::new() } else { precisions(&dir) };
        self.import_fastest(dir, id, to_measure).await
    }

    /// The fastest of these networks; without any, the usual one.
    async fn import_fastest(
        &self,
        dir: PathBuf,
        id: Option<&str>,
        networks: Vec<PathBuf>,
    ) -> Result<String, EngineError> {
        let mut fastest: Option<(Duration, PathBuf)> = None;
        for network in networks {
            let staged = self.stage(dir.clone(), id, Some(network.clone())).await?;
            // One that does not work has lost.
            let Ok(took) = self.prove(&staged).await else { continue };
            if fastest.as_ref().is_none_or(|(least, _)| took < *least) {
                fastest = Some((took, network));
            }
        }
        let staged = self.stage(dir, id, fastest.map(|(_, network)| network)).await?;
        self.prove(&staged).await?;
        Ok(staged.keep()?.spec.id)
    }

    async fn stage(
        &self,
        dir: PathBuf,
        id: Option<&str>,
        network: Option<PathBuf>,
    ) -> Result<Staged, EngineError> {
        let (id, added) = (id.map(str::to_owned), self.folder.models());
        let taken = self.assets.clone();
        let staging = tokio::task::spawn_blocking(move || {
            let found = describe_with(&dir, id.as_deref(), network.as_deref())?;
            free(&taken, &found.spec.id)?;
            Staged::copy(&found, &added)
        });
        // The task is never cancelled; it ends early only by a panic.
        let staged = staging.await;
        Ok(staged.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?)
    }

    /// Fetches a known model from its hub, or all parts of an ensemble that are missing.
    /// `progress` hears how far each file's model is. Gives the ids of what came.
    ///
    /// # Errors
    /// [`EngineError::Fetch`]: what had come is kept, and another call goes on from there.
    pub async fn fetch(
        &self,
        id: &str,
        mut progress: impl FnMut(&str, Fetched),
    ) -> Result<Vec<String>, EngineError> {
        let ensemble = self.assets.ensembles().into_iter().find(|spec| spec.id == id);
        let wanted = match ensemble {
            Some(spec) => spec.parts.into_iter().map(|part| part.model).collect(),
            None => vec![id.to_owned()],
        };
        let is_here = |id: &String| self.assets.model(id).is_ok_and(|model| model.check().is_ok());
        let mut came = Vec::new();
        for id in wanted.into_iter().filter(|id| !is_here(id)) {
            let entry = catalogue::entry(&id).ok_or_else(|| self.unknown(&id))?;
            self.fetch_entry(entry, |fetched| progress(&id, fetched)).await?;
            came.push(id);
        }
        Ok(came)
    }

    async fn fetch_entry(
        &self,
        entry: &Entry,
        mut progress: impl FnMut(Fetched),
    ) -> Result<(), EngineError> {
        free(&self.assets, &entry.id)?;
        let (hub, build) = entry.on_hub().ok_or_else(|| self.unknown(&entry.id))?;
        let staged = Staged::begin(&entry.id, &self.folder.models())?;
        let (mut before, total) = (0, build.bytes());
        for (name, source) in &build.files {
            let pin = Pin { sha256: source.sha256.clone(), bytes: source.bytes };
            let url = format!("{hub}{}", source.path);
            let told = |bytes| progress(Fetched { done: before + bytes, total });
            if let Err(error) = fetch(&url, &staged.dir().join(name), &pin, told).await {
                // For the next try.
                staged.put_off();
                return Err(error.into());
            }
            before += source.bytes;
        }
        staged.describe(&entry.spec(build))?;
        if let Err(error) = self.prove(&staged).await {
            // The files are what they should be: what failed is this computer, now.
            staged.put_off();
            return Err(error);
        }
        staged.keep()?;
        Ok(())
    }

    /// Deletes a model that was imported or fetched, with its vectors in the index, unless
    /// another process writes that. Those in the cache stay, should it come back.
    ///
    /// # Errors
    /// [`EngineError::InUse`] and [`EngineError::ComesWithRummage`].
    pub fn remove(&self, id: &str) -> Result<(), EngineError> {
        let views = self.list()?;
        let view = views.iter().find(|view| view.id == id);
        let view = view.filter(|view| view.state != ModelPresence::Known);
        view.ok_or_else(|| self.unknown(id))?;
        if let Some(needed) = needed_by(&views, id) {
            return Err(EngineError::InUse { id: id.to_owned(), by: needed.id.clone() });
        }
        let place =
            self.added(id).ok_or_else(|| EngineError::ComesWithRummage { id: id.to_owned() })?;
        let vectors = Model::open(&place).ok();
        let failed = |source| EngineError::folder(&place, source);
        std::fs::remove_dir_all(&place).map_err(failed)?;
        if let Some(model) = vectors.filter(|_| self.writes || !self.folder.is_locked()) {
            let space = VectorSpace { fingerprint: model.fingerprint(), dims: model.spec.dims };
            Store::remove_table(&self.folder.store(), &space).map_err(failed)?;
        }
        Ok(())
    }

    /// The folder of a model that a person added.
    fn added(&self, id: &str) -> Option<PathBuf> {
        let place = self.folder.models().join(id);
        // Without a name it would be the folder of all of them.
        (!id.is_empty() && place.is_dir()).then_some(place)
    }

    fn can_remove(&self, views: &[ModelView], view: &ModelView) -> bool {
        let is_here = view.state != ModelPresence::Known;
        is_here && self.added(&view.id).is_some() && needed_by(views, &view.id).is_none()
    }

    /// How long a text takes, at best.
    async fn prove(&self, staged: &Staged) -> Result<Duration, EngineError> {
        let model = LoadedModel::single(&self.assets, Model::open(staged.dir())?)?;
        let program = worker_program(self.worker_program.clone())?;
        proof::prove(&program, &model).await
    }

    fn active_fingerprint(&self) -> Result<Option<String>, EngineError> {
        let catalog = Catalog::open_reader(&self.folder.catalog())?;
        Ok(catalog.map(|catalog| catalog.model()).transpose()?.flatten())
    }

    fn unknown(&self, id: &str) -> EngineError {
        match self.assets.model(id) {
            Err(error) => error.into(),
            Ok(_) => ModelError::Taken { id: id.to_owned() }.into(),
        }
    }
}

impl Engine {
    /// The models of this data folder.
    pub fn library(&self) -> Option<Library> {
        let shared = &self.shared;
        Some(Library {
            folder: shared.folder.clone(),
            assets: shared.assets.clone()?,
            worker_program: Some(shared.worker_program.clone()),
            writes: shared.following.is_some(),
        })
    }

    /// Answers questions with another model as soon as it has the vectors of all that is
    /// indexed; until then with the one in use.
    ///
    /// # Errors
    /// As [`Engine::save_settings`].
    pub async fn use_model(&self, id: &str) -> Result<(), EngineError> {
        let model = id.to_owned();
        self.save_settings(Settings { model, ..self.settings() }).await
    }
}

/// What is in use, or is to be, and is this model or has it as a part.
fn needed_by<'a>(views: &'a [ModelView], id: &str) -> Option<&'a ModelView> {
    let mut needed = views.iter().filter(|view| view.is_active || view.is_chosen);
    needed.find(|view| view.id == id || view.parts.iter().any(|(part, _)| part == id))
}

/// No model has that name.
fn free(assets: &Assets, id: &str) -> Result<(), ModelError> {
    let is_taken = assets.described().into_iter().flatten().any(|found| found.id() == id)
        || assets.ensembles().iter().any(|spec| spec.id == id);
    if is_taken { Err(ModelError::Taken { id: id.to_owned() }) } else { Ok(()) }
}

fn of_model(model: Model) -> ModelView {
    let state = match model.check() {
        Ok(()) => ModelPresence::Installed,
        Err(error) => ModelPresence::Broken(error.to_string()),
    };
    let spec = model.spec;
    ModelView {
        bytes: spec.files.values().map(|pin| pin.bytes).sum(),
        id: spec.id,
        name: spec.name,
        license: spec.license,
        languages: spec.languages,
        dims: spec.dims,
        parts: Vec::new(),
        state,
        offers: Vec::new(),
        is_active: false,
        is_chosen: false,
        can_remove: false,
    }
}

fn of_entry(entry: &Entry) -> ModelView {
    let build = entry.on_hub().map(|(_, build)| build).unwrap_or(&entry.builds[0]);
    let offer = entry.on_hub().map(|(hub, build)| Offer {
        id: entry.id.clone(),
        address: hub.to_owned(),
        bytes: build.bytes(),
    });
    ModelView {
        id: entry.id.clone(),
        name: entry.name.clone(),
        license: entry.license.clone(),
        languages: entry.languages.clone(),
        dims: entry.dims,
        bytes: build.bytes(),
        parts: Vec::new(),
        state: ModelPresence::Known,
        offers: offer.into_iter().collect(),
        is_active: false,
        is_chosen: false,
        can_remove: false,
    }
}

/// As far as its parts are known.
fn of_ensemble(spec: &rummage_models::EnsembleSpec, parts: &[Option<&ModelView>]) -> ModelView {
    let known: Vec<&ModelView> = parts.iter().copied().flatten().collect();
    let missing = spec.parts.iter().zip(parts).find(|(_, view)| view.is_none());
    let state = match missing {
        Some((part, _)) => ModelPresence::Broken(format!("there is no model {}", part.model)),
        None => {
            let worst = known.iter().map(|part| &part.state);
            let worst = worst.max_by_key(|state| match state {
                ModelPresence::Installed => 0,
                ModelPresence::Known => 1,
                ModelPresence::Broken(_) => 2,
            });
            worst.cloned().unwrap_or(ModelPresence::Installed)
        }
    };
    let mut licenses: Vec<_> = known.iter().map(|part| part.license.as_str()).collect();
    licenses.dedup();
    let mut languages: Vec<_> = known.iter().flat_map(|part| part.languages.clone()).collect();
    languages.sort();
    languages.dedup();
    ModelView {
        id: spec.id.clone(),
        name: spec.name.clone(),
        license: licenses.join(" AND "),
        languages,
        dims: known.iter().map(|part| part.dims).sum(),
        bytes: known.iter().map(|part| part.bytes).sum(),
        parts: spec.parts.iter().map(|part| (part.model.clone(), part.share)).collect(),
        offers: match state {
            ModelPresence::Known => known.iter().flat_map(|part| part.offers.clone()).collect(),
            ModelPresence::Installed | ModelPresence::Broken(_) => Vec::new(),
        },
        state,
        is_active: false,
        is_chosen: false,
        can_remove: false,
    }
}

fn broken(error: ModelError) -> ModelView {
    let folder = match &error {
        ModelError::Malformed { path, .. }
        | ModelError::Invalid { path, .. }
        | ModelError::Unreadable { path, .. } => path.parent().and_then(|path| path.file_name()),
        _ => None,
    };
    let id = folder.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    ModelView {
        name: id.clone(),
        id,
        license: String::new(),
        languages: Vec::new(),
        dims: 0,
        bytes: 0,
        parts: Vec::new(),
        state: ModelPresence::Broken(error.to_string()),
        offers: Vec::new(),
        is_active: false,
        is_chosen: false,
        can_remove: false,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{BufRead, BufReader, Write},
        net::TcpListener,
        path::Path,
        thread,
    };

    use rummage_models::{Surroundings, catalogue::Build};
    use rummage_testkit::{runtime_library, tiny_model, worker_program};

    use super::*;

    /// Serves the files of a folder, until the test's process ends.
    fn serve(dir: &Path) -> String {
        let (listener, dir) = (TcpListener::bind("127.0.0.1:0").unwrap(), dir.to_owned());
        let address = format!("http://{}/", listener.local_addr().unwrap());
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let lines = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
                let request = lines.collect::<Vec<_>>();
                let path = request[0].split(' ').nth(1).unwrap_or_default();
                let (status, body) = match fs::read(dir.join(path.trim_start_matches('/'))) {
                    Ok(body) => ("200 OK", body),
                    Err(_) => ("404 Not Found", Vec::new()),
                };
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n");
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            }
        });
        address
    }

    /// The tiny model of that folder as an entry of the catalogue, on that hub.
    fn entry(dir: &Path, hub: &str) -> Entry {
        let spec = Model::open(dir).unwrap().spec;
        let files = spec.files.iter().map(|(name, pin)| {
            let (sha256, bytes) = (pin.sha256.clone(), pin.bytes);
            (name.clone(), catalogue::Source { path: name.clone(), sha256, bytes })
        });
        let files = files.collect();
        Entry {
            id: "fetched".to_owned(),
            name: spec.name,
            license: spec.license,
            languages: spec.languages,
            dims: spec.dims,
            max_tokens: spec.max_tokens,
            pooling: spec.pooling,
            normalize: spec.normalize,
            query_prefix: spec.query_prefix,
            passage_prefix: spec.passage_prefix,
            builds: vec![Build { hub: Some(hub.to_owned()), pypi: None, sha256: None, files }],
        }
    }

    fn library(dir: &Path) -> Library {
        tiny_model(&dir.join("assets/models/tiny-1"), 1);
        let surroundings = Surroundings {
            assets: Some(dir.join("assets")),
            runtime: Some(runtime_library()),
            program: None,
        };
        let worker_program = Some(worker_program());
        let options = Options::new(dir.join("data"), None);
        Library::open(&Options { surroundings, worker_program, ..options }).unwrap()
    }

    #[tokio::test]
    async fn a_fetched_model_is_whole_and_works() {
        let (dir, hub) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        tiny_model(hub.path(), 5);
        let library = library(dir.path());
        let entry = entry(hub.path(), &serve(hub.path()));
        let mut told = Vec::new();
        library.fetch_entry(&entry, |fetched| told.push(fetched)).await.unwrap();
        let last = told.last().unwrap();
        assert_eq!((last.done, last.total), (entry.builds[0].bytes(), entry.builds[0].bytes()));
        let view = library.list().unwrap().into_iter().find(|view| view.id == "fetched");
        assert_eq!(view.unwrap().state, ModelPresence::Installed);
        library.assets.model("fetched").unwrap().verify().unwrap();
        library.remove("fetched").unwrap();
    }

    #[tokio::test]
    async fn of_two_precisions_the_one_that_works_is_kept() {
        let (dir, hub) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let library = library(dir.path());
        let model = tiny_model(hub.path(), 5);
        fs::remove_file(hub.path().join("model.json")).unwrap();
        fs::create_dir(hub.path().join("onnx")).unwrap();
        let full = hub.path().join("onnx/model.onnx");
        fs::rename(hub.path().join("model.onnx"), &full).unwrap();
        fs::write(hub.path().join("onnx/model_quantized.onnx"), "no graph").unwrap();
        let config = format!(r#"{{"hidden_size": {}}}"#, model.dims);
        fs::write(hub.path().join("config.json"), config).unwrap();
        let import = |networks| library.import_fastest(hub.path().into(), Some("mine"), networks);
        // Unmeasured, it is the smaller one or none.
        import(Vec::new()).await.unwrap_err();
        import(precisions(hub.path())).await.unwrap();
        let kept = library.assets.model("mine").unwrap();
        assert_eq!(fs::read(kept.onnx()).unwrap(), fs::read(full).unwrap());
    }

    #[test]
    fn what_a_fetch_would_get_is_told_beforehand() {
        let dir = tempfile::tempdir().unwrap();
        let views = library(dir.path()).list().unwrap();
        let offers = |id: &str| &views.iter().find(|view| view.id == id).unwrap().offers;
        assert_eq!(offers("tiny-1"), &[]);
        let entry = catalogue::entry("bge-small-en-v1.5").unwrap();
        let (hub, build) = entry.on_hub().unwrap();
        let (id, address) = (entry.id.clone(), hub.to_owned());
        let offer = Offer { id, address, bytes: build.bytes() };
        assert_eq!(offers(&entry.id), std::slice::from_ref(&offer));
        assert!(offers("better").contains(&offer), "{:?}", offers("better"));
    }

    #[tokio::test]
    async fn another_file_and_no_server_leave_nothing() {
        let (dir, hub) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        tiny_model(hub.path(), 5);
        let library = library(dir.path());
        let mut entry = entry(hub.path(), &serve(hub.path()));
        entry.builds[0].files.get_mut("model.onnx").unwrap().sha256 = "0".repeat(64);
        let error = library.fetch_entry(&entry, |_| ()).await.unwrap_err();
        assert!(error.to_string().contains("another file"), "{error}");
        let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        entry.builds[0].hub = Some(format!("http://{gone}/"));
        let error = library.fetch_entry(&entry, |_| ()).await.unwrap_err();
        assert!(error.mend().unwrap().contains("network"), "{error}");
        assert!(library.list().unwrap().iter().all(|view| view.id != "fetched"));
    }
}
