//! What was found.

use jiff::Timestamp;
use rummage_corpus::SourcePath;
use rummage_engine::{Alike, Answer, FoundFile, PassageHit, Snippet};
use serde::Serialize;

use super::Coverage;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchAnswer {
    query: String,
    took_ms: f64,
    mode: rummage_engine::Mode,
    notice: Option<String>,
    coverage: Coverage,
    /// The paths that were marked good for this question.
    good: Vec<String>,
    results: Vec<FileResult>,
}

#[derive(Debug, Clone, Serialize)]
pub struct FileResult {
    path: String,
    name: String,
    folder: String,
    modified: Option<String>,
    score: f32,
    /// Its name holds words of the query, and counts for it.
    named: bool,
    passages: Vec<PassageResult>,
    arithmetic: Arithmetic,
    alike: Vec<AlikeFile>,
}

/// How a file's score came about.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Arithmetic {
    keyword: Option<LegScore>,
    meaning: Option<LegScore>,
    meaning_share: f64,
    name: f64,
    score: f64,
}

#[derive(Debug, Clone, Serialize)]
pub struct LegScore {
    score: f64,
    mean: f64,
    deviation: f64,
    z: f64,
}

#[derive(Debug, Clone, Serialize)]
pub struct AlikeFile {
    path: String,
    name: String,
    folder: String,
    copy: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct PassageResult {
    id: i64,
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
    /// `good`: what was marked good for this query.
    pub fn new(query: String, answer: Answer, good: &[SourcePath]) -> Self {
        Self {
            query,
            took_ms: answer.took.as_secs_f64() * 1e3,
            mode: answer.mode,
            notice: answer.notice,
            coverage: answer.coverage.into(),
            good: good.iter().map(|path| path.display().to_string()).collect(),
            results: answer.files.into_iter().map(FileResult::from).collect(),
        }
    }
}

impl From<FoundFile> for FileResult {
    fn from(file: FoundFile) -> Self {
        Self {
            path: file.path.display().to_string(),
            name: file.path.name().into_owned(),
            folder: folder_of(&file.path),
            modified: iso(file.modified_ns),
            score: file.hit.score,
            named: file.hit.arithmetic.name > 0.0,
            arithmetic: file.hit.arithmetic.into(),
            passages: file.hit.passages.into_iter().map(PassageResult::from).collect(),
            alike: file.alike.into_iter().map(AlikeFile::from).collect(),
        }
    }
}

impl From<rummage_engine::Arithmetic> for Arithmetic {
    fn from(arithmetic: rummage_engine::Arithmetic) -> Self {
        let rummage_engine::Arithmetic { keyword, meaning, meaning_share, name, score } =
            arithmetic;
        let leg = |leg: rummage_engine::LegScore| LegScore {
            score: leg.score,
            mean: leg.mean,
            deviation: leg.deviation,
            z: leg.z,
        };
        Self { keyword: keyword.map(leg), meaning: meaning.map(leg), meaning_share, name, score }
    }
}

impl From<Alike> for AlikeFile {
    fn from(alike: Alike) -> Self {
        Self {
            path: alike.path.display().to_string(),
            name: alike.path.name().into_owned(),
            folder: folder_of(&alike.path),
            copy: alike.is_copy,
        }
    }
}

pub(super) fn folder_of(path: &SourcePath) -> String {
    path.as_path().parent().map(|folder| folder.display().to_string()).unwrap_or_default()
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
            id: passage.id.to_i64(),
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

/// How a passage reads around the sentence that is nearest to the question.
#[derive(Debug, Clone, Serialize)]
pub struct NearestSentence {
    text: String,
    /// As in a [`PassageResult`].
    highlights: Vec<(usize, usize)>,
}

impl From<Snippet> for NearestSentence {
    fn from(snippet: Snippet) -> Self {
        let Snippet { text, highlights, .. } = snippet;
        Self { highlights: utf16(&text, &highlights), text }
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

pub(super) fn iso(nanoseconds: i64) -> Option<String> {
    Timestamp::from_nanosecond(nanoseconds.into()).ok().map(|time| time.to_string())
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
}
