//! What the page may ask for. Everything that comes from it is checked here.

use std::path::{Path, PathBuf};

use rummage_corpus::{FileId, PassageId};
use rummage_engine::{Engine, EngineError, Grade, Library, ModelPresence, Query};
use tauri::{AppHandle, State};
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_opener::OpenerExt;
use tokio::sync::oneshot;

use crate::{
    desktop::{Desktop, start_at_login},
    dto::{
        AddReport, AppError, Comparison, FileFilter, FilePage, HealthSample, Mode, ModelView,
        NearestSentence, Preview, SearchAnswer, Settings, SettingsView, Status,
    },
    engine::{self, EngineCell},
};

/// Files in the longest answer.
const MOST_RESULTS: usize = 10_000;

/// Questions that the window offers.
const QUESTIONS: usize = 3;

/// The longest page of the ledger.
const MOST_ROWS: usize = 1000;

/// A longer query is no question.
const MOST_QUERY_BYTES: usize = 2000;

/// Passages asked about at once: more than a screen holds.
const MOST_PASSAGES: usize = 64;

type Reply<T> = Result<T, AppError>;

#[tauri::command]
pub async fn status(app: AppHandle, cell: State<'_, EngineCell>) -> Reply<Status> {
    cell.page_asks();
    // Asked once when the page is there, and whenever the person tries again.
    engine::open_again(&app);
    let engine = cell.get().await?;
    Ok(Status::of(&engine.status()?, &engine))
}

#[tauri::command]
pub async fn add_folders(cell: State<'_, EngineCell>, paths: Vec<PathBuf>) -> Reply<AddReport> {
    let engine = cell.get().await?;
    Ok(AddReport::from(engine.follow(&paths).await?))
}

#[tauri::command]
pub async fn pick_folders(app: AppHandle, cell: State<'_, EngineCell>) -> Reply<Option<AddReport>> {
    let engine = cell.get().await?;
    let (answer, picked) = oneshot::channel();
    app.dialog().file().set_title("Choose folders to search").pick_folders(|folders| {
        let _ = answer.send(folders);
    });
    let Some(folders) = picked.await.ok().flatten() else { return Ok(None) };
    let paths: Vec<PathBuf> =
        folders.into_iter().filter_map(|folder| folder.into_path().ok()).collect();
    Ok(Some(AddReport::from(engine.follow(&paths).await?)))
}

#[tauri::command]
pub async fn forget_folder(cell: State<'_, EngineCell>, path: PathBuf) -> Reply<()> {
    Ok(cell.get().await?.forget(&path).await?)
}

#[tauri::command]
pub async fn pause_folder(
    app: AppHandle,
    cell: State<'_, EngineCell>,
    path: PathBuf,
    paused: bool,
) -> Reply<()> {
    let engine = cell.get().await?;
    engine.set_paused(&path, paused).await?;
    engine::tell(&app, &engine);
    Ok(())
}

#[tauri::command]
pub async fn search(
    cell: State<'_, EngineCell>,
    query: String,
    limit: usize,
) -> Reply<SearchAnswer> {
    let engine = cell.get().await?;
    let mut parsed = parsed(&query)?;
    parsed.limit = limit.clamp(1, MOST_RESULTS);
    let answer = engine.search(&parsed).await?;
    // An answer without its marks is still one.
    let good = engine.good_results(&query).unwrap_or_default();
    Ok(SearchAnswer::new(query, answer, &good))
}

#[tauri::command]
pub async fn read_again(cell: State<'_, EngineCell>, path: PathBuf) -> Reply<u64> {
    Ok(cell.get().await?.read_again(&path).await?)
}

/// The size of a folder's files together.
#[tauri::command]
pub async fn folder_bytes(cell: State<'_, EngineCell>, path: PathBuf) -> Reply<u64> {
    Ok(cell.get().await?.bytes_of(&path)?)
}

/// Shows where all of it is kept.
#[tauri::command]
pub async fn reveal_data(app: AppHandle, cell: State<'_, EngineCell>) -> Reply<()> {
    let path = cell.get().await?.data_folder().settings();
    let path = if path.exists() { path } else { engine::data_folder() };
    let shown = app.opener().reveal_item_in_dir(&path);
    shown.map_err(|error| AppError::opening(&path.to_string_lossy(), &error))
}

/// Removes all that was indexed, and begins anew.
#[tauri::command]
pub async fn clear_data(app: AppHandle) -> Reply<()> {
    engine::clear(&app).await
}

fn parsed(query: &str) -> Reply<Query> {
    let bound = query.floor_char_boundary(MOST_QUERY_BYTES);
    Ok(Query::parse(&query[..bound]).map_err(EngineError::from)?)
}

/// What means the same as the passage at a place.
#[tauri::command]
pub async fn similar(
    cell: State<'_, EngineCell>,
    path: PathBuf,
    at: usize,
    limit: usize,
) -> Reply<SearchAnswer> {
    let engine = cell.get().await?;
    let answer = engine.similar(&path, Some(at), limit.clamp(1, MOST_RESULTS)).await?;
    Ok(SearchAnswer::new(String::new(), answer, &[]))
}

/// The sentence of each passage that is nearest to the question.
#[tauri::command]
pub async fn nearest_sentences(
    cell: State<'_, EngineCell>,
    query: String,
    passages: Vec<i64>,
) -> Reply<Vec<Option<NearestSentence>>> {
    let engine = cell.get().await?;
    let query = parsed(&query)?;
    let ids: Vec<_> = passages.into_iter().take(MOST_PASSAGES).map(PassageId::from_i64).collect();
    let nearest = engine.nearest_sentences(&query, &ids).await?;
    Ok(nearest.into_iter().map(|snippet| snippet.map(NearestSentence::from)).collect())
}

/// A file's text, from what is indexed of it: the file itself is not read.
#[tauri::command]
pub async fn preview(
    cell: State<'_, EngineCell>,
    path: PathBuf,
    at: usize,
    before: usize,
    after: usize,
) -> Reply<Preview> {
    let engine = cell.get().await?;
    Ok(Preview::from(engine.preview(&path, at, before, after).await?))
}

#[tauri::command]
pub async fn questions(cell: State<'_, EngineCell>) -> Reply<Vec<String>> {
    Ok(cell.get().await?.questions(QUESTIONS).await?)
}

/// Opens a file; where it answers a question, that is noted.
#[tauri::command]
pub async fn open_file(
    app: AppHandle,
    cell: State<'_, EngineCell>,
    path: PathBuf,
    question: Option<String>,
) -> Reply<()> {
    let opened = listed(&cell, &path).await?;
    // To open such a file is to run it; its folder shows it instead.
    let is_opened = !runs_when_opened(&path);
    let outcome = if !is_opened {
        app.opener().reveal_item_in_dir(&opened)
    } else {
        app.opener().open_path(&opened, None::<&str>)
    };
    outcome.map_err(|error| AppError::opening(&opened, &error))?;
    let question = question.filter(|question| is_opened && question.len() <= MOST_QUERY_BYTES);
    if let Some(question) = question {
        // The file is open: that this could not be noted is of no concern to anybody.
        let _ = cell.get().await?.note_opened(&question, &path);
    }
    Ok(())
}

/// Says that a file is a good answer to a question, or takes that back.
#[tauri::command]
pub async fn mark_good(
    cell: State<'_, EngineCell>,
    question: String,
    path: PathBuf,
    good: bool,
) -> Reply<()> {
    let engine = cell.get().await?;
    if question.len() > MOST_QUERY_BYTES {
        return Err(AppError::usage("this question is too long to be kept".to_owned()));
    }
    if engine.file_at(&path)?.is_none() {
        // The page's paths are answers; no other is looked at on the disk.
        return Err(EngineError::NotFollowed { path }.into());
    }
    if good {
        engine.mark(&question, &path, Grade::Good)?;
    } else {
        engine.unmark(&question, &path)?;
    }
    Ok(())
}

/// Forgets which results were opened and marked good.
#[tauri::command]
pub async fn clear_marks(
    desktop: State<'_, Desktop>,
    cell: State<'_, EngineCell>,
) -> Reply<SettingsView> {
    let engine = cell.get().await?;
    engine.clear_marks()?;
    Ok(SettingsView::of(&engine, &desktop))
}

/// Files that the desktop would run, as they are known by their names. What rules leave
/// out may be a link to one.
fn runs_when_opened(path: &Path) -> bool {
    const ANYWHERE: &[&str] = &["app", "command", "desktop", "exe", "jar", "lnk"];
    const ON_WINDOWS: &[&str] = &[
        "bat", "cmd", "com", "hta", "js", "jse", "msi", "pif", "ps1", "reg", "scr", "url", "vbe",
        "vbs", "wsf", "wsh",
    ];
    let runs = |path: &Path| {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let extension = extension.as_str();
        ANYWHERE.contains(&extension) || cfg!(windows) && ON_WINDOWS.contains(&extension)
    };
    runs(path) || path.canonicalize().is_ok_and(|real| runs(&real))
}

#[tauri::command]
pub async fn reveal_file(app: AppHandle, cell: State<'_, EngineCell>, path: PathBuf) -> Reply<()> {
    let path = listed(&cell, &path).await?;
    app.opener().reveal_item_in_dir(&path).map_err(|error| AppError::opening(&path, &error))
}

/// Only what stands in the ledger is opened and shown, whatever the page asks.
async fn listed(cell: &EngineCell, path: &Path) -> Reply<String> {
    let engine = cell.get().await?;
    let row = engine.file_at(path)?;
    let row = row.ok_or_else(|| EngineError::NotFollowed { path: path.to_owned() })?;
    if !row.path.as_path().exists() {
        return Err(AppError::gone(&row.path));
    }
    Ok(row.path.as_path().to_string_lossy().into_owned())
}

#[tauri::command]
pub async fn files(
    cell: State<'_, EngineCell>,
    filter: FileFilter,
    after: i64,
    limit: usize,
) -> Reply<FilePage> {
    let engine = cell.get().await?;
    let page = engine.find_files(&filter.try_into()?, FileId(after), limit.min(MOST_ROWS))?;
    Ok(FilePage::new(&page, &engine))
}

#[tauri::command]
pub async fn retry_file(cell: State<'_, EngineCell>, id: i64) -> Reply<()> {
    Ok(cell.get().await?.retry_file(FileId(id)).await?)
}

#[tauri::command]
pub async fn retry_files(cell: State<'_, EngineCell>, filter: FileFilter) -> Reply<u64> {
    Ok(cell.get().await?.retry_found(&filter.try_into()?).await?)
}

#[tauri::command]
pub async fn include_file(cell: State<'_, EngineCell>, id: i64) -> Reply<()> {
    let engine = cell.get().await?;
    let row = engine.file(FileId(id))?;
    let row = row.ok_or_else(|| AppError::usage("it is no longer in the list".to_owned()))?;
    Ok(engine.include(row.path.as_path()).await?)
}

#[tauri::command]
pub async fn health_history(cell: State<'_, EngineCell>) -> Reply<Vec<HealthSample>> {
    let samples = cell.get().await?.health_history();
    Ok(samples.into_iter().map(HealthSample::from).collect())
}

#[tauri::command]
pub async fn set_mode(app: AppHandle, cell: State<'_, EngineCell>, mode: Mode) -> Reply<()> {
    let engine = cell.get().await?;
    let mut settings = engine.settings();
    settings.indexing.mode = mode.into();
    engine.save_settings(settings).await?;
    engine::tell(&app, &engine);
    Ok(())
}

#[tauri::command]
pub async fn settings(
    desktop: State<'_, Desktop>,
    cell: State<'_, EngineCell>,
) -> Reply<SettingsView> {
    Ok(SettingsView::of(&*cell.get().await?, &desktop))
}

/// What the desktop refuses is not saved.
#[tauri::command]
pub async fn save_settings(
    app: AppHandle,
    desktop: State<'_, Desktop>,
    cell: State<'_, EngineCell>,
    settings: Settings,
) -> Reply<SettingsView> {
    let engine = cell.get().await?;
    let (before, at_login) = (engine.settings(), settings.start_at_login());
    let settings = settings.apply_to(before.clone())?;
    if settings.window != before.window {
        desktop.apply(&app, &settings.window).await.map_err(|error| AppError::shortcut(&error))?;
    }
    start_at_login(at_login).map_err(|error| AppError::login(&error))?;
    engine.save_settings(settings).await?;
    engine::tell(&app, &engine);
    Ok(SettingsView::of(&engine, &desktop))
}

/// Measures within a minute how this machine embeds fastest, and works by that. The page
/// hears of every turn.
#[tauri::command]
pub async fn tune(
    app: AppHandle,
    desktop: State<'_, Desktop>,
    cell: State<'_, EngineCell>,
) -> Reply<SettingsView> {
    engine::tune(&app).await?;
    let engine = cell.get().await?;
    Ok(SettingsView::of(&engine, &desktop))
}

#[tauri::command]
pub fn stop_tuning(cell: State<'_, EngineCell>) {
    cell.stop_tuning();
}

/// Models that are here, and those that are known.
#[tauri::command]
pub async fn models(cell: State<'_, EngineCell>) -> Reply<Vec<ModelView>> {
    let views = library(&*cell.get().await?)?.list()?;
    Ok(views.into_iter().map(ModelView::from).collect())
}

/// Only one that is here can be used. It takes its place once it has all vectors.
#[tauri::command]
pub async fn use_model(app: AppHandle, cell: State<'_, EngineCell>, id: String) -> Reply<()> {
    let engine = cell.get().await?;
    listed_model(&library(&engine)?, &id, &ModelPresence::Installed)?;
    engine.use_model(&id).await?;
    engine::tell(&app, &engine);
    Ok(())
}

/// Takes a model from a folder that the person picks. Gives its id; nothing when none was
/// picked.
#[tauri::command]
pub async fn import_model(app: AppHandle, cell: State<'_, EngineCell>) -> Reply<Option<String>> {
    let library = library(&*cell.get().await?)?;
    let (answer, picked) = oneshot::channel();
    app.dialog().file().set_title("Choose the folder of a model").pick_folder(|folder| {
        let _ = answer.send(folder);
    });
    let Some(folder) = picked.await.ok().flatten() else { return Ok(None) };
    let folder = folder.into_path().map_err(|error| AppError::usage(error.to_string()))?;
    Ok(Some(library.import(folder, None).await?))
}

/// Gets a known model from its hub; the page hears how far that is. Stopped, it ends
/// without an error, and what had come is gone.
#[tauri::command]
pub async fn fetch_model(app: AppHandle, cell: State<'_, EngineCell>, id: String) -> Reply<()> {
    let library = library(&*cell.get().await?)?;
    listed_model(&library, &id, &ModelPresence::Known)?;
    engine::fetch(&app, &library, &id).await
}

#[tauri::command]
pub fn stop_fetching(cell: State<'_, EngineCell>) {
    cell.stop_fetching();
}

/// Deletes a model that the person added and that nothing uses.
#[tauri::command]
pub async fn remove_model(cell: State<'_, EngineCell>, id: String) -> Reply<()> {
    Ok(library(&*cell.get().await?)?.remove(&id)?)
}

/// Measures the installed models side by side; the page hears of every step. Stopped, it
/// gives nothing.
#[tauri::command]
pub async fn compare_models(app: AppHandle) -> Reply<Option<Comparison>> {
    engine::compare(&app).await
}

#[tauri::command]
pub fn stop_comparing(cell: State<'_, EngineCell>) {
    cell.stop_comparing();
}

fn library(engine: &Engine) -> Reply<Library> {
    Ok(engine.library().ok_or(EngineError::NoModel)?)
}

/// Only a model of the list, in that state, is used and fetched, whatever the page asks.
fn listed_model(library: &Library, id: &str, state: &ModelPresence) -> Reply<()> {
    let views = library.list()?;
    let is_listed = views.iter().any(|view| view.id == id && view.state == *state);
    let message = || format!("the model {id} is not {} here", state.name());
    if is_listed { Ok(()) } else { Err(AppError::usage(message())) }
}
