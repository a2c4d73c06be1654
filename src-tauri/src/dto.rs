//! The shapes that the page knows (ui/src/lib/backend/types.ts), from the
//! engine's own.

use std::path::Path;

use jiff::Timestamp;
use rummage_corpus::SourcePath;
use rummage_engine::{
    Added, Answer, Counts, Engine, EngineError, FoundFile, ModelState, PassageHit,
    settings::{Auto, Field, SettingsError},
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    roots: Vec<RootStatus>,
    coverage: Coverage,
    counts: StateCounts,
    indexing: Option<Indexing>,
    workers: Vec<Worker>,
    model: Model,
    problems: Vec<Problem>,
    disk_bytes: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Coverage {
    known: u64,
    searched: u64,
    meaning: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct StateCounts {
    indexed: u64,
    queued: u64,
    skipped: u64,
    failed: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Indexing {
    done: u64,
    total: u64,
    files_per_second: f64,
    passages_per_second: f64,
    seconds_left: Option<f64>,
    current: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Worker {
    role: String,
    pid: Option<u32>,
    state: String,
    rss_bytes: u64,
    jobs: u64,
    restarts: u64,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Model {
    id: String,
    name: String,
    dims: u32,
    /// loading, ready, missing or failed
    state: &'static str,
    message: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    kind: String,
    message: String,
    mend: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct RootStatus {
    path: String,
    name: String,
    files: u64,
    indexed: u64,
    queued: u64,
    skipped: u64,
    failed: u64,
    /// watching, scanning or away
    state: &'static str,
    message: Option<String>,
}

impl From<rummage_engine::Coverage> for Coverage {
    fn from(coverage: rummage_engine::Coverage) -> Self {
        let rummage_engine::Coverage { known, searched, meaning } = coverage;
        Self { known, searched, meaning }
    }
}

impl From<&Counts> for StateCounts {
    fn from(counts: &Counts) -> Self {
        Self {
            indexed: counts.indexed,
            queued: counts.queued(),
            skipped: counts.skipped,
            failed: counts.failed,
        }
    }
}

impl From<&rummage_engine::Status> for Status {
    fn from(status: &rummage_engine::Status) -> Self {
        let indexing = status.progress.map(|progress| Indexing {
            done: progress.done,
            total: progress.total,
            files_per_second: progress.files_per_second,
            passages_per_second: progress.passages_per_second,
            seconds_left: progress.seconds_left,
            current: status.current.clone(),
        });
        let workers = status.pool.workers.iter().map(|worker| Worker {
            role: worker.role.clone(),
            pid: worker.pid,
            state: worker.state.clone(),
            rss_bytes: worker.memory_bytes,
            jobs: worker.jobs,
            restarts: worker.restarts,
        });
        let problems = status.problems.iter().map(|problem| Problem {
            kind: problem.kind.name().to_owned(),
            message: problem.message.clone(),
            mend: problem.mend.clone(),
        });
        Self {
            roots: status.roots.iter().map(|root| RootStatus::new(root, status.scanning)).collect(),
            coverage: status.coverage.into(),
            counts: StateCounts::from(&status.counts),
            indexing,
            workers: workers.collect(),
            model: Model::of(status),
            problems: problems.collect(),
            disk_bytes: status.disk_bytes,
        }
    }
}

impl Status {
    /// The engine's status; one that only reads says why.
    pub fn of(status: &rummage_engine::Status, engine: &Engine) -> Self {
        let mut shown = Self::from(status);
        if !engine.indexes() {
            let error = EngineError::Busy { path: engine.data_folder().path().to_owned() };
            shown.problems.push(Problem {
                kind: error.kind().name().to_owned(),
                message: error.to_string(),
                mend: error.mend().unwrap_or_default(),
            });
        }
        shown
    }
}

impl Model {
    fn of(status: &rummage_engine::Status) -> Self {
        let Some(model) = &status.model else {
            return Self { state: "missing", ..Self::default() };
        };
        let (state, message) = match &model.state {
            ModelState::Loading => ("loading", None),
            ModelState::Ready => ("ready", None),
            ModelState::Failed(reason) => ("failed", Some(reason.clone())),
        };
        let (id, name) = (model.id.clone(), model.name.clone());
        Self { id, name, dims: model.dims, state, message }
    }
}

impl RootStatus {
    fn new(root: &rummage_engine::RootStatus, scanning: bool) -> Self {
        let counts = StateCounts::from(&root.counts);
        let state = match &root.root.away {
            Some(_) => "away",
            None if scanning => "scanning",
            None => "watching",
        };
        Self {
            path: root.root.path.display().to_string(),
            name: root.root.path.name().into_owned(),
            files: root.counts.known(),
            indexed: counts.indexed,
            queued: counts.queued,
            skipped: counts.skipped,
            failed: counts.failed,
            state,
            message: root.root.away.clone(),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct AddReport {
    added: Vec<String>,
    refused: Vec<Refused>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Refused {
    path: String,
    reason: String,
}

impl From<Added> for AddReport {
    fn from(added: Added) -> Self {
        let shown = |path: &SourcePath| path.display().to_string();
        let known = added
            .known
            .iter()
            .map(|path| Refused { path: shown(path), reason: "it is followed already".to_owned() });
        let refused = added.refused.iter().map(|error| match error {
            EngineError::Path { path, reason } => {
                Refused { path: path.display().to_string(), reason: reason.clone() }
            }
            error => Refused { path: String::new(), reason: error.to_string() },
        });
        Self {
            added: added.added.iter().map(shown).collect(),
            refused: known.chain(refused).collect(),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchAnswer {
    query: String,
    took_ms: f64,
    mode: rummage_engine::Mode,
    notice: Option<String>,
    coverage: Coverage,
    results: Vec<FileResult>,
}

#[derive(Debug, Clone, Serialize)]
pub struct FileResult {
    path: String,
    name: String,
    folder: String,
    modified: Option<String>,
    score: f32,
    passages: Vec<PassageResult>,
}

#[derive(Debug, Clone, Serialize)]
pub struct PassageResult {
    text: String,
    context: String,
    start: usize,
    end: usize,
    page: Option<u32>,
    /// Units of UTF-16, as the page's strings count.
    highlights: Vec<(usize, usize)>,
    why: Why,
}

#[derive(Debug, Clone, Serialize)]
pub struct Why {
    keyword: Option<KeywordReason>,
    meaning: Option<MeaningReason>,
}

#[derive(Debug, Clone, Serialize)]
pub struct KeywordReason {
    rank: usize,
    score: f32,
    terms: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct MeaningReason {
    rank: Option<usize>,
    similarity: f32,
}

impl SearchAnswer {
    pub fn new(query: String, answer: Answer) -> Self {
        Self {
            query,
            took_ms: answer.took.as_secs_f64() * 1e3,
            mode: answer.mode,
            notice: answer.notice,
            coverage: answer.coverage.into(),
            results: answer.files.into_iter().map(FileResult::from).collect(),
        }
    }
}

impl From<FoundFile> for FileResult {
    fn from(file: FoundFile) -> Self {
        let folder = file.path.as_path().parent().map(Path::display);
        Self {
            path: file.path.display().to_string(),
            name: file.path.name().into_owned(),
            folder: folder.map(|folder| folder.to_string()).unwrap_or_default(),
            modified: iso(file.modified_ns),
            score: file.hit.score,
            passages: file.hit.passages.into_iter().map(PassageResult::from).collect(),
        }
    }
}

impl From<PassageHit> for PassageResult {
    fn from(passage: PassageHit) -> Self {
        let keyword = passage.why.keyword.map(|why| KeywordReason {
            rank: why.rank,
            score: why.score,
            terms: why.terms,
        });
        let meaning = passage
            .why
            .meaning
            .map(|why| MeaningReason { rank: why.rank, similarity: why.similarity });
        Self {
            highlights: utf16(&passage.text, &passage.highlights),
            text: passage.text,
            context: passage.context,
            start: passage.span.start,
            end: passage.span.end,
            page: passage.page,
            why: Why { keyword, meaning },
        }
    }
}

/// Byte ranges of `text`, in order and apart, as ranges of UTF-16 units.
fn utf16(text: &str, ranges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let units = |from: usize, to: usize| text[from..to].encode_utf16().count();
    let (mut byte, mut unit) = (0, 0);
    let mut step = |to: usize| {
        unit += units(byte, to);
        byte = to;
        unit
    };
    ranges.iter().map(|(start, end)| (step(*start), step(*end))).collect()
}

fn iso(nanoseconds: i64) -> Option<String> {
    Timestamp::from_nanosecond(nanoseconds.into()).ok().map(|time| time.to_string())
}

#[derive(Debug, Clone, Serialize)]
pub struct FileRow {
    path: String,
    state: &'static str,
    reason: Option<String>,
    passages: u64,
    bytes: u64,
}

impl From<&rummage_engine::FileRow> for FileRow {
    fn from(row: &rummage_engine::FileRow) -> Self {
        let (reason, passages, bytes) = (row.reason.clone(), row.passages, row.bytes);
        let state = row.state.name();
        Self { path: row.path.display().to_string(), state, reason, passages, bytes }
    }
}

/// A number, or `"auto"`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Number {
    Fixed(usize),
    Auto(AutoWord),
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AutoWord {
    Auto,
}

impl From<Auto<usize>> for Number {
    fn from(number: Auto<usize>) -> Self {
        match number {
            Auto::Auto => Number::Auto(AutoWord::Auto),
            Auto::Fixed(value) => Number::Fixed(value),
        }
    }
}

impl From<Number> for Auto<usize> {
    fn from(number: Number) -> Self {
        match number {
            Number::Auto(_) => Auto::Auto,
            Number::Fixed(value) => Auto::Fixed(value),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    pool_size: Number,
    threads_per_worker: Number,
    passages_per_lease: Number,
    tokens_per_call: Number,
    max_file_megabytes: u64,
    ignore: Vec<String>,
}

impl Settings {
    /// These on top of what the page does not show.
    pub fn apply_to(
        self,
        mut settings: rummage_engine::settings::Settings,
    ) -> Result<rummage_engine::settings::Settings, AppError> {
        settings.pool.size = self.pool_size.into();
        settings.pool.threads_per_worker = self.threads_per_worker.into();
        settings.batch.passages_per_lease = self.passages_per_lease.into();
        settings.batch.tokens_per_call = self.tokens_per_call.into();
        settings.files.max_megabytes = self.max_file_megabytes;
        settings.files.ignore = self.ignore;
        match settings.validate().into_iter().next() {
            Some(error) => Err(AppError::field(error.field, error.message())),
            None => Ok(settings),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingsView {
    settings: Settings,
    auto: AutoNumbers,
    limits: Limits,
    data_dir: String,
    settings_file: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoNumbers {
    pool_size: usize,
    threads_per_worker: usize,
    passages_per_lease: usize,
    tokens_per_call: usize,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    pool_size: (u64, u64),
    threads_per_worker: (u64, u64),
    passages_per_lease: (u64, u64),
    tokens_per_call: (u64, u64),
    max_file_megabytes: (u64, u64),
}

impl SettingsView {
    pub fn of(engine: &Engine) -> Self {
        let settings = engine.settings();
        let auto = engine.auto();
        let range = |field: Field| field.range().unwrap_or((0, u64::MAX));
        Self {
            settings: Settings {
                pool_size: settings.pool.size.into(),
                threads_per_worker: settings.pool.threads_per_worker.into(),
                passages_per_lease: settings.batch.passages_per_lease.into(),
                tokens_per_call: settings.batch.tokens_per_call.into(),
                max_file_megabytes: settings.files.max_megabytes,
                ignore: settings.files.ignore,
            },
            auto: AutoNumbers {
                pool_size: auto.pool_size,
                threads_per_worker: auto.threads_per_worker,
                passages_per_lease: auto.passages_per_lease,
                tokens_per_call: auto.tokens_per_call,
            },
            limits: Limits {
                pool_size: range(Field::PoolSize),
                threads_per_worker: range(Field::ThreadsPerWorker),
                passages_per_lease: range(Field::PassagesPerLease),
                tokens_per_call: range(Field::TokensPerCall),
                max_file_megabytes: range(Field::MaxMegabytes),
            },
            data_dir: engine.data_folder().path().display().to_string(),
            settings_file: engine.data_folder().settings().display().to_string(),
        }
    }
}

/// What every command is refused with.
#[derive(Debug, Clone, Serialize)]
pub struct AppError {
    pub kind: &'static str,
    /// The setting it is about, by the page's name for it.
    pub field: Option<&'static str>,
    pub message: String,
    pub mend: Option<String>,
}

impl AppError {
    pub fn usage(message: String) -> Self {
        Self { kind: "usage", field: None, message, mend: None }
    }

    pub fn gone(path: &SourcePath) -> Self {
        Self::usage(format!("{} is no longer there", path.display()))
    }

    pub fn opening(path: &str, error: &dyn std::error::Error) -> Self {
        Self {
            kind: "failed",
            field: None,
            message: format!("{path} cannot be opened: {error}"),
            mend: Some("Choose a program for such files in your desktop's settings.".to_owned()),
        }
    }

    fn field(field: Field, message: String) -> Self {
        let name = match field {
            Field::PoolSize => Some("poolSize"),
            Field::ThreadsPerWorker => Some("threadsPerWorker"),
            Field::PassagesPerLease => Some("passagesPerLease"),
            Field::TokensPerCall => Some("tokensPerCall"),
            Field::MaxMegabytes => Some("maxFileMegabytes"),
            Field::Ignore => Some("ignore"),
            Field::Model => None,
        };
        Self { kind: "usage", field: name, message, mend: None }
    }
}

impl From<EngineError> for AppError {
    fn from(error: EngineError) -> Self {
        if let EngineError::Settings(SettingsError::Invalid { errors }) = &error
            && let Some(first) = errors.first()
        {
            return Self::field(first.field, first.message());
        }
        let (kind, mend) = (error.kind().name(), error.mend());
        Self { kind, field: None, message: error.to_string(), mend }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highlights_count_as_the_page_counts() {
        let text = "😀 größer";
        let start = text.find('g').unwrap();
        assert_eq!(utf16(text, &[(0, 4), (start, text.len())]), [(0, 2), (3, 9)]);
    }

    #[test]
    fn auto_is_a_word_and_a_number_a_number() {
        let read = |json: &str| serde_json::from_str::<Number>(json).map(Auto::from).ok();
        assert_eq!(read("\"auto\""), Some(Auto::Auto));
        assert_eq!(read("3"), Some(Auto::Fixed(3)));
        assert_eq!(read("\"many\""), None);
    }
}
