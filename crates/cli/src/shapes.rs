//! The JSON that scripts read. Fields may be added here, never renamed.

use std::path::Path;

use jiff::Timestamp;
use rummage_engine::{
    Alike, Answer, Arithmetic, Coverage, EndView, FileRow, FoundFile, Kept, LegScore, Lookups,
    Mark, MemoryView, Mode, ModelPresence, ModelView, PassageHit, Status, SwitchStatus, Totals,
    VectorIndexState, WorkerView,
};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct IndexReport {
    pub files: IndexedFiles,
    pub passages: IndexedPassages,
    pub seconds: f64,
    pub stages: Stages,
}

#[derive(Debug, Serialize)]
pub struct IndexedFiles {
    /// Below the given paths and wanted.
    pub seen: u64,
    pub indexed: u64,
    pub skipped: u64,
    pub failed: u64,
    pub unchanged: u64,
    pub removed: u64,
}

#[derive(Debug, Serialize)]
pub struct IndexedPassages {
    /// In the whole index.
    pub total: u64,
    pub embedded: u64,
    pub reused: u64,
}

/// Seconds in which anything was in a stage; they run side by side.
#[derive(Debug, Serialize)]
pub struct Stages {
    pub scan: f64,
    pub extract: f64,
    pub chunk: f64,
    pub tokenise: f64,
    pub embed: f64,
    pub store: f64,
    /// Part of `store`.
    pub full_text: f64,
}

impl IndexReport {
    pub fn new(totals: &Totals, status: &Status, seconds: f64) -> Self {
        Self {
            files: IndexedFiles {
                seen: totals.seen,
                indexed: totals.indexed,
                skipped: totals.skipped,
                failed: totals.failed,
                unchanged: totals.unchanged,
                removed: totals.removed,
            },
            passages: IndexedPassages {
                total: status.counts.passages,
                embedded: totals.embedded,
                reused: totals.reused,
            },
            seconds,
            stages: Stages {
                scan: totals.scan_seconds,
                extract: totals.extract_seconds,
                chunk: totals.chunk_seconds,
                tokenise: totals.tokenise_seconds,
                embed: totals.embed_seconds,
                store: totals.store_seconds,
                full_text: totals.full_text_seconds,
            },
        }
    }
}

#[derive(Debug, Serialize)]
pub struct SearchReport<'a> {
    pub query: &'a str,
    pub mode: Mode,
    pub took_ms: f64,
    pub coverage: CoverageReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<&'a str>,
    pub results: Vec<FileReport<'a>>,
}

#[derive(Debug, Serialize)]
pub struct CoverageReport {
    pub searched: u64,
    pub known: u64,
    pub meaning: u64,
}

impl From<Coverage> for CoverageReport {
    fn from(coverage: Coverage) -> Self {
        let Coverage { known, searched, meaning } = coverage;
        Self { searched, known, meaning }
    }
}

#[derive(Debug, Serialize)]
pub struct FileReport<'a> {
    pub path: String,
    pub score: f32,
    pub modified: Option<String>,
    pub passages: Vec<PassageReport<'a>>,
    /// Other files that hold the same passage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alike: Vec<AlikeReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain: Option<ExplainReport>,
}

#[derive(Debug, Serialize)]
pub struct AlikeReport {
    pub path: String,
    /// All of its contents are the same.
    pub copy: bool,
}

/// `sum = meaning_share × meaning.z + (1 − meaning_share) × keyword.z + name`, or the
/// one leg that there is plus the name; the result's score is the sum on a scale from
/// 0 to 1.
#[derive(Debug, Serialize)]
pub struct ExplainReport {
    pub keyword: Option<LegReport>,
    pub meaning: Option<LegReport>,
    pub meaning_share: f64,
    pub name: f64,
    pub sum: f64,
}

/// `z = (score − mean) / deviation`, over all files that came into question.
#[derive(Debug, Serialize)]
pub struct LegReport {
    pub score: f64,
    pub mean: f64,
    pub deviation: f64,
    pub z: f64,
}

impl From<LegScore> for LegReport {
    fn from(leg: LegScore) -> Self {
        let LegScore { score, mean, deviation, z } = leg;
        Self { score, mean, deviation, z }
    }
}

impl From<Arithmetic> for ExplainReport {
    fn from(arithmetic: Arithmetic) -> Self {
        let Arithmetic { keyword, meaning, meaning_share, name, score } = arithmetic;
        let (keyword, meaning) = (keyword.map(LegReport::from), meaning.map(LegReport::from));
        Self { keyword, meaning, meaning_share, name, sum: score }
    }
}

#[derive(Debug, Serialize)]
pub struct PassageReport<'a> {
    pub text: &'a str,
    /// Bytes of the whole passage in the document's text.
    pub start: usize,
    pub end: usize,
    pub page: Option<u32>,
    pub score: f32,
    /// Bytes `[start, end)` of `text`.
    pub highlights: &'a [(usize, usize)],
    pub context: &'a str,
    pub why: WhyReport<'a>,
}

#[derive(Debug, Serialize)]
pub struct WhyReport<'a> {
    pub keyword: Option<KeywordReport<'a>>,
    pub meaning: Option<MeaningReport>,
}

#[derive(Debug, Serialize)]
pub struct KeywordReport<'a> {
    pub rank: usize,
    pub score: f32,
    pub terms: &'a [String],
}

#[derive(Debug, Serialize)]
pub struct MeaningReport {
    pub rank: Option<usize>,
    pub similarity: f32,
}

impl<'a> SearchReport<'a> {
    pub fn new(query: &'a str, answer: &'a Answer, explain: bool) -> Self {
        Self {
            query,
            mode: answer.mode,
            took_ms: answer.took.as_secs_f64() * 1e3,
            coverage: answer.coverage.into(),
            notice: answer.notice.as_deref(),
            results: answer.files.iter().map(|file| FileReport::new(file, explain)).collect(),
        }
    }
}

impl<'a> FileReport<'a> {
    fn new(file: &'a FoundFile, explain: bool) -> Self {
        let alike = |alike: &Alike| AlikeReport {
            path: alike.path.display().to_string(),
            copy: alike.is_copy,
        };
        Self {
            path: file.path.display().to_string(),
            score: file.hit.score,
            modified: iso(file.modified_ns),
            passages: file.hit.passages.iter().map(PassageReport::new).collect(),
            alike: file.alike.iter().map(alike).collect(),
            explain: explain.then(|| file.hit.arithmetic.into()),
        }
    }
}

impl<'a> PassageReport<'a> {
    fn new(passage: &'a PassageHit) -> Self {
        let why = &passage.why;
        Self {
            text: &passage.text,
            start: passage.span.start,
            end: passage.span.end,
            page: passage.page,
            score: passage.score,
            highlights: &passage.highlights,
            context: &passage.context,
            why: WhyReport {
                keyword: why.keyword.as_ref().map(|why| KeywordReport {
                    rank: why.rank,
                    score: why.score,
                    terms: &why.terms,
                }),
                meaning: why
                    .meaning
                    .map(|why| MeaningReport { rank: why.rank, similarity: why.similarity }),
            },
        }
    }
}

#[derive(Debug, Serialize)]
pub struct StatusReport {
    pub data: String,
    pub model: Option<ModelReport>,
    /// A model whose vectors are being made, to take its place.
    pub switching: Option<SwitchReport>,
    /// How vectors are searched.
    pub index: Option<IndexStateReport>,
    pub coverage: CoverageReport,
    pub files: StateCounts,
    pub queue: QueueReport,
    pub folders: Vec<FolderReport>,
    pub pool: PoolReport,
    pub workers: Vec<WorkerReport>,
    pub restarts: RestartReport,
    pub cache: CacheReport,
    pub disk_bytes: DiskReport,
    pub problems: Vec<ProblemReport>,
}

/// The workers together: how many may embed, the app's memory, what ended and why.
#[derive(Debug, Serialize)]
pub struct PoolReport {
    pub wanted: usize,
    pub allowed: usize,
    pub held_back: Option<String>,
    pub memory: MemoryView,
    /// What the model runs on, where a worker has told.
    pub provider: Option<String>,
    pub ends: Vec<EndView>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum IndexStateReport {
    Exact {
        rows: usize,
    },
    Approximate {
        rows_indexed: usize,
        rows_fresh: usize,
        recall_at_10: f32,
        nprobes: usize,
        refine: u32,
    },
    Refused {
        rows: usize,
        recall_at_10: f32,
    },
}

impl From<VectorIndexState> for IndexStateReport {
    fn from(state: VectorIndexState) -> Self {
        use VectorIndexState as State;
        match state {
            State::Exact { rows } => Self::Exact { rows },
            State::Approximate { rows_indexed, rows_fresh, recall_at_10, nprobes, refine } => {
                Self::Approximate { rows_indexed, rows_fresh, recall_at_10, nprobes, refine }
            }
            State::Refused { rows, recall_at_10 } => Self::Refused { rows, recall_at_10 },
        }
    }
}

#[derive(Debug, Serialize)]
pub struct ModelReport {
    pub id: String,
    pub fingerprint: String,
    pub dims: u32,
}

#[derive(Debug, Serialize)]
pub struct SwitchReport {
    pub id: String,
    /// Files that have all their vectors, and how many there are.
    pub done: u64,
    pub total: u64,
}

impl From<SwitchStatus> for SwitchReport {
    fn from(switching: SwitchStatus) -> Self {
        let SwitchStatus { id, done, total, .. } = switching;
        Self { id, done, total }
    }
}

#[derive(Debug, Serialize)]
pub struct StateCounts {
    pub indexed: u64,
    pub queued: u64,
    pub skipped: u64,
    pub failed: u64,
    /// Files and whole folders that rules leave out; none of the others.
    pub left_out: u64,
}

#[derive(Debug, Serialize)]
pub struct QueueReport {
    /// Files still to be read.
    pub pending: u64,
    /// Files whose words are searchable and whose vectors are being made.
    pub in_flight: u64,
}

#[derive(Debug, Serialize)]
pub struct FolderReport {
    pub path: String,
    pub files: u64,
    pub indexed: u64,
    /// Why it cannot be read now, if so.
    pub away: Option<String>,
    /// What is new there waits.
    pub paused: bool,
}

#[derive(Debug, Serialize)]
pub struct WorkerReport {
    pub role: String,
    pub pid: Option<u32>,
    pub state: String,
    pub rss_bytes: u64,
    /// What the limits are held against: memory with what is shared in parts.
    pub memory_bytes: u64,
    pub soft_limit_bytes: u64,
    pub hard_limit_bytes: u64,
    pub jobs: u64,
    pub passages: u64,
    pub restarts: u64,
    pub last_end: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct RestartReport {
    pub planned: u64,
    pub crash: u64,
}

/// How often a vector was looked for in the cache and found, or not, ever.
#[derive(Debug, Serialize)]
pub struct CacheReport {
    pub hits: u64,
    pub misses: u64,
}

#[derive(Debug, Serialize)]
pub struct DiskReport {
    pub total: u64,
}

#[derive(Debug, Serialize)]
pub struct ProblemReport {
    pub kind: &'static str,
    pub message: String,
    pub mend: String,
}

impl StatusReport {
    pub fn new(data: &Path, status: Status, kept: &[Kept]) -> Self {
        let counts = status.counts;
        Self {
            data: data.display().to_string(),
            model: status.model.map(|model| ModelReport {
                id: model.id,
                fingerprint: model.fingerprint,
                dims: model.dims,
            }),
            index: status.vector_index.map(IndexStateReport::from),
            coverage: status.coverage.into(),
            files: StateCounts {
                indexed: counts.indexed,
                queued: counts.queued(),
                skipped: counts.skipped,
                failed: counts.failed,
                left_out: counts.left_out,
            },
            queue: QueueReport { pending: counts.pending, in_flight: counts.worded },
            folders: status
                .roots
                .into_iter()
                .map(|root| FolderReport {
                    path: root.root.path.display().to_string(),
                    files: root.counts.known(),
                    indexed: root.counts.indexed,
                    away: root.root.away,
                    paused: root.root.paused,
                })
                .collect(),
            pool: PoolReport {
                wanted: status.pool.wanted,
                allowed: status.pool.allowed,
                held_back: status.pool.held_back,
                memory: status.pool.memory,
                provider: status.pool.provider,
                ends: status.pool.ends,
            },
            workers: status.pool.workers.into_iter().map(WorkerReport::from).collect(),
            restarts: RestartReport {
                planned: status.pool.planned_restarts,
                crash: status.pool.crash_restarts,
            },
            cache: CacheReport {
                hits: kept.iter().map(|kept| kept.ever.hits).sum(),
                misses: kept.iter().map(|kept| kept.ever.misses).sum(),
            },
            switching: status.switching.map(SwitchReport::from),
            disk_bytes: DiskReport { total: status.disk_bytes },
            problems: status
                .problems
                .into_iter()
                .map(|problem| ProblemReport {
                    kind: problem.kind.name(),
                    message: problem.message,
                    mend: problem.mend,
                })
                .collect(),
        }
    }
}

impl From<WorkerView> for WorkerReport {
    fn from(worker: WorkerView) -> Self {
        Self {
            role: worker.role,
            pid: worker.pid,
            state: worker.state,
            rss_bytes: worker.resident_bytes,
            memory_bytes: worker.memory_bytes,
            soft_limit_bytes: worker.soft_limit_bytes,
            hard_limit_bytes: worker.hard_limit_bytes,
            jobs: worker.jobs,
            passages: worker.passages,
            restarts: worker.restarts,
            last_end: worker.last_end,
        }
    }
}

#[derive(Debug, Serialize)]
pub struct FileLine<'a> {
    pub path: String,
    pub state: &'static str,
    pub reason: Option<&'a str>,
    pub passages: u64,
    pub bytes: u64,
    /// A whole folder, with all below it.
    pub folder: bool,
    /// How often it failed in a row.
    pub tries: u32,
    /// When it is read again by itself.
    pub again: Option<String>,
}

impl<'a> FileLine<'a> {
    pub fn new(file: &'a FileRow) -> Self {
        Self {
            path: file.path.display().to_string(),
            state: file.state.name(),
            reason: file.reason.as_deref(),
            passages: file.passages,
            bytes: file.bytes,
            folder: file.is_folder,
            tries: file.tries,
            again: file.again.and_then(|seconds| iso(seconds.checked_mul(1_000_000_000)?)),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct CacheStats {
    pub entries: u64,
    /// Of the entries alone, and of the whole file.
    pub bytes: u64,
    pub disk_bytes: u64,
    pub models: Vec<CachedModel>,
}

#[derive(Debug, Serialize)]
pub struct CachedModel {
    pub model: String,
    pub fingerprint: String,
    pub dims: u32,
    pub entries: u64,
    pub bytes: u64,
    /// Of the run that looked last.
    pub run: LookupReport,
    pub ever: LookupReport,
}

#[derive(Debug, Serialize)]
pub struct LookupReport {
    pub hits: u64,
    pub misses: u64,
    /// 0 to 1; `null` where nothing was looked for.
    pub rate: Option<f64>,
}

impl From<Lookups> for LookupReport {
    fn from(lookups: Lookups) -> Self {
        Self { hits: lookups.hits, misses: lookups.misses, rate: lookups.rate() }
    }
}

impl CacheStats {
    pub fn new(kept: &[Kept], disk_bytes: u64) -> Self {
        let model = |kept: &Kept| CachedModel {
            model: kept.maker.id.clone(),
            fingerprint: kept.maker.fingerprint.clone(),
            dims: kept.maker.dims,
            entries: kept.entries,
            bytes: kept.bytes,
            run: kept.last_run.into(),
            ever: kept.ever.into(),
        };
        Self {
            entries: kept.iter().map(|kept| kept.entries).sum(),
            bytes: kept.iter().map(|kept| kept.bytes).sum(),
            disk_bytes,
            models: kept.iter().map(model).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct ModelLine<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub license: &'a str,
    pub languages: &'a [String],
    pub dims: u32,
    pub bytes: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartLine<'a>>,
    pub state: &'static str,
    pub reason: Option<&'a str>,
    pub active: bool,
    /// The settings name it.
    pub chosen: bool,
}

#[derive(Debug, Serialize)]
pub struct PartLine<'a> {
    pub model: &'a str,
    pub share: f64,
}

impl<'a> ModelLine<'a> {
    pub fn new(view: &'a ModelView) -> Self {
        let part = |(model, share): &'a (String, f64)| PartLine { model, share: *share };
        Self {
            id: &view.id,
            name: &view.name,
            license: &view.license,
            languages: &view.languages,
            dims: view.dims,
            bytes: view.bytes,
            parts: view.parts.iter().map(part).collect(),
            state: view.state.name(),
            reason: match &view.state {
                ModelPresence::Broken(reason) => Some(reason),
                ModelPresence::Installed | ModelPresence::Known => None,
            },
            active: view.is_active,
            chosen: view.is_chosen,
        }
    }
}

#[derive(Debug, Serialize)]
pub struct MarkLine<'a> {
    pub question: &'a str,
    pub path: String,
    pub grade: &'static str,
    /// The latest time, ISO 8601.
    pub at: Option<String>,
}

impl<'a> MarkLine<'a> {
    pub fn new(mark: &'a Mark) -> Self {
        Self {
            question: &mark.question,
            path: mark.path.display().to_string(),
            grade: mark.grade.name(),
            at: iso(mark.at.saturating_mul(1_000_000_000)),
        }
    }
}

/// ISO 8601 in UTC, to the second; `None` for a time out of all bounds.
fn iso(nanoseconds: i64) -> Option<String> {
    let time = Timestamp::from_nanosecond(nanoseconds.into()).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_iso() {
        assert_eq!(iso(1_735_689_600_000_000_000).as_deref(), Some("2025-01-01T00:00:00Z"));
    }
}
