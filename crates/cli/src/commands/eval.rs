//! `rummage eval DIR`: how good search is on a collection with human judgements, by the
//! way that a person's files take: written to a folder, indexed, searched.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use rummage_engine::{
    DataFolder, Engine, Following, FoundFile, JUDGED, Mode, ModeScores, Options, Query, Scores,
    settings::Settings,
};
use serde::{Deserialize, Serialize};

use super::{data_folder, index::wait};
use crate::{Failure, arguments::Common};

#[derive(Debug, Serialize)]
pub struct EvalReport {
    pub collection: String,
    pub model: String,
    pub documents: usize,
    pub queries: usize,
    pub modes: Vec<ModeReport>,
    pub passages: PassageReport,
    /// What the largest worker with the model takes.
    pub worker_bytes: u64,
    /// Of the index alone.
    pub disk_bytes: u64,
}

#[derive(Debug, Serialize)]
pub struct PassageReport {
    pub total: u64,
    /// By workers; the rest was in the cache.
    pub embedded: u64,
    /// From reading the first back to keeping the last vector.
    pub embed_seconds: f64,
}

#[derive(Debug, Serialize)]
pub struct ModeReport {
    pub mode: Mode,
    #[serde(rename = "ndcg@10")]
    pub ndcg: f64,
    #[serde(rename = "recall@10")]
    pub recall: f64,
    #[serde(rename = "mrr@10")]
    pub mrr: f64,
    /// Milliseconds a query at the median.
    pub p50_ms: f64,
}

impl From<ModeScores> for ModeReport {
    fn from(ModeScores { mode, scores, p50_ms }: ModeScores) -> Self {
        let Scores { ndcg, recall, mrr } = scores;
        Self { mode, ndcg, recall, mrr, p50_ms }
    }
}

pub async fn eval(
    common: &Common,
    dir: &Path,
    models: &[String],
    cache: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let collection = Collection::read(dir)?;
    let (there, all) = collection.answers();
    if there < all && !common.quiet {
        let percent = 100 * there / all;
        eprintln!(
            "corpus.jsonl holds {there} of the {all} documents that answer ({percent} %): no score can be good."
        );
    }
    let unknown = collection.unknown_queries();
    if unknown > 0 && !common.quiet {
        eprintln!("qrels.tsv judges {unknown} queries that queries.jsonl does not hold.");
    }
    let scratch = tempfile::tempdir().context("no temporary folder could be made")?;
    let paths = collection.write_documents(&scratch.path().join("documents"))?;
    let models = if models.is_empty() { vec![Settings::default().model] } else { models.to_vec() };
    let mut reports = Vec::new();
    for model in &models {
        let data = scratch.path().join(format!("data{}", reports.len()));
        fs::create_dir_all(&data)?;
        let settings = Settings { model: model.clone(), ..Settings::default() };
        settings.save(&DataFolder::new(data.clone()).settings())?;
        // Models and vectors of earlier are those of the person.
        let lender = data_folder(common).ok();
        let options = Options { lender, cache, ..Options::new(data, Some(Following::Once)) };
        let engine = Engine::open(options).await?;
        let report = measure(&engine, common, &collection, &paths).await;
        engine.close().await;
        let report = report.with_context(|| format!("the model {model}"))?;
        if common.json {
            serde_json::to_writer(&mut *out, &report)?;
            writeln!(out)?;
        }
        reports.push(report);
    }
    if !common.json {
        write_table(out, &reports)?;
    }
    Ok(())
}

/// All models side by side.
fn write_table(out: &mut dyn Write, reports: &[EvalReport]) -> anyhow::Result<()> {
    let Some(EvalReport { collection, documents, queries, .. }) = reports.first() else {
        return Ok(());
    };
    let width = reports.iter().map(|report| report.model.len()).max().unwrap_or(0).max(5);
    writeln!(out, "{collection}: {documents} documents, {queries} judged queries")?;
    let modes = reports.iter().map(|report| (report.model.as_str(), &report.modes[..]));
    write_modes(out, width, modes)?;
    writeln!(out, "{:<width$}  passages  embedded  a second  worker MB  index MB", "model")?;
    for EvalReport { model, passages, worker_bytes, disk_bytes, .. } in reports {
        let PassageReport { total, embedded, embed_seconds } = passages;
        let speed = match *embedded {
            0 => "–".to_owned(),
            embedded => format!("{:.0}", embedded as f64 / embed_seconds.max(1e-3)),
        };
        let [worker, index] = [*worker_bytes, *disk_bytes].map(|bytes| bytes.div_ceil(1 << 20));
        write!(out, "{model:<width$}  {total:>8}  {embedded:>8}  {speed:>8}  ")?;
        writeln!(out, "{worker:>9}  {index:>8}")?;
    }
    Ok(())
}

/// The scores of models, `width` letters wide in their names.
pub(super) fn write_modes<'a>(
    out: &mut dyn Write,
    width: usize,
    models: impl Iterator<Item = (&'a str, &'a [ModeReport])>,
) -> anyhow::Result<()> {
    writeln!(out, "{:<width$}  mode      nDCG@10  recall@10  MRR@10  ms a query", "model")?;
    for (model, modes) in models {
        for ModeReport { mode, ndcg, recall, mrr, p50_ms } in modes {
            let mode = format!("{mode:?}").to_lowercase();
            write!(out, "{model:<width$}  {mode:<8}  ")?;
            writeln!(out, "{ndcg:>7.4}  {recall:>9.4}  {mrr:>6.4}  {p50_ms:>10.1}")?;
        }
    }
    Ok(())
}

async fn measure(
    engine: &Engine,
    common: &Common,
    collection: &Collection,
    paths: &HashMap<PathBuf, usize>,
) -> anyhow::Result<EvalReport> {
    let folder = paths.keys().next().and_then(|path| path.parent()).context("no documents")?;
    engine.follow(&[folder.to_owned()]).await?;
    wait(engine, common).await?;
    engine.warm_up().await;
    let mut modes = Vec::new();
    for mode in [Mode::Hybrid, Mode::Keyword, Mode::Meaning] {
        modes.push(measure_mode(engine, collection, paths, mode).await?);
    }
    let (status, totals) = (engine.status()?, engine.totals());
    let workers = status.pool.workers.iter().filter(|worker| worker.role != "extract");
    Ok(EvalReport {
        passages: PassageReport {
            total: status.counts.passages,
            embedded: totals.embedded,
            embed_seconds: totals.embed_seconds,
        },
        worker_bytes: workers.map(|worker| worker.memory_bytes).max().unwrap_or(0),
        disk_bytes: status.disk_bytes,
        collection: collection.name.clone(),
        model: status.model.map(|model| model.id).unwrap_or_default(),
        documents: collection.documents.len(),
        queries: collection.judged().count(),
        modes,
    })
}

async fn measure_mode(
    engine: &Engine,
    collection: &Collection,
    paths: &HashMap<PathBuf, usize>,
    mode: Mode,
) -> anyhow::Result<ModeReport> {
    let mut answers = Vec::new();
    for (query, judgements) in collection.judged() {
        // What looks like an operator is a word of the collection's.
        let plain: String =
            query.text.chars().map(|c| if "\":".contains(c) { ' ' } else { c }).collect();
        let plain = plain.replace(" -", " ");
        let query = Query { mode, limit: JUDGED, ..Query::parse(plain.trim_start_matches('-'))? };
        let answer = engine.search(&query).await?;
        let found = answer.files.iter().flat_map(FoundFile::paths);
        let gains: Vec<f64> = found
            .take(JUDGED)
            .filter_map(|path| collection.documents.get(*paths.get(path.as_path())?))
            .map(|document| judgements.get(document.id.as_str()).copied().unwrap_or(0.0))
            .collect();
        let scores = Scores::of(&gains, judgements.values().copied().collect());
        answers.push((scores, answer.took.as_secs_f64() * 1e3));
    }
    Ok(ModeScores::of(mode, &answers).into())
}

/// A collection in the form of BEIR.
struct Collection {
    name: String,
    documents: Vec<Entry>,
    queries: Vec<Entry>,
    /// Gains by query and document.
    judgements: HashMap<String, HashMap<String, f64>>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: String,
    text: String,
}

impl Collection {
    fn read(dir: &Path) -> anyhow::Result<Self> {
        if !dir.is_dir() {
            return Err(Failure::Usage(format!("{} is no folder", dir.display())).into());
        }
        let collection = Self {
            name: dir.file_name().unwrap_or(dir.as_os_str()).to_string_lossy().into_owned(),
            documents: entries(&dir.join("corpus.jsonl"))?,
            queries: entries(&dir.join("queries.jsonl"))?,
            judgements: judgements(&dir.join("qrels.tsv"))?,
        };
        if collection.documents.is_empty() || collection.judged().next().is_none() {
            bail!("{} holds no judged query", dir.display());
        }
        Ok(collection)
    }

    /// The queries for which anything is right.
    fn judged(&self) -> impl Iterator<Item = (&Entry, &HashMap<String, f64>)> {
        self.queries.iter().filter_map(|query| {
            let judgements = self.judgements.get(&query.id)?;
            judgements.values().any(|gain| *gain > 0.0).then_some((query, judgements))
        })
    }

    /// Documents that answer a judged query: those that are there, and all.
    fn answers(&self) -> (usize, usize) {
        let there: HashSet<_> = self.documents.iter().map(|document| &document.id).collect();
        let answers = self.judged().flat_map(|(_, judgements)| judgements);
        let answers: HashSet<_> =
            answers.filter(|(_, gain)| **gain > 0.0).map(|(document, _)| document).collect();
        (answers.intersection(&there).count(), answers.len())
    }

    /// Queries that are judged and not there.
    fn unknown_queries(&self) -> usize {
        let there: HashSet<_> = self.queries.iter().map(|query| &query.id).collect();
        self.judgements.keys().filter(|query| !there.contains(query)).count()
    }

    /// One file a document; which is whose.
    fn write_documents(&self, folder: &Path) -> anyhow::Result<HashMap<PathBuf, usize>> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let mut paths = HashMap::with_capacity(self.documents.len());
        for (number, document) in self.documents.iter().enumerate() {
            let path = folder.join(format!("document{number}.txt"));
            let title = document.title.trim();
            let break_ = if title.is_empty() { "" } else { "\n\n" };
            fs::write(&path, format!("{title}{break_}{}\n", document.text))?;
            paths.insert(path, number);
        }
        Ok(paths)
    }
}

fn entries(path: &Path) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for (number, line) in lines(path)? {
        let entry = serde_json::from_str(&line)
            .with_context(|| format!("{}, line {number}", path.display()))?;
        entries.push(entry);
    }
    Ok(entries)
}

/// Query, document and gain, or query, a word without meaning, document and gain.
fn judgements(path: &Path) -> anyhow::Result<HashMap<String, HashMap<String, f64>>> {
    let mut judgements: HashMap<String, HashMap<String, f64>> = HashMap::new();
    for (number, line) in lines(path)? {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (query, document, gain) = match fields[..] {
            [query, document, gain] | [query, _, document, gain] => (query, document, gain),
            _ => bail!("{}, line {number}: three or four columns are wanted", path.display()),
        };
        match gain.parse::<f64>() {
            Ok(gain) => {
                let of_query = judgements.entry(query.to_owned()).or_default();
                of_query.insert(document.to_owned(), gain.max(0.0));
            }
            // A line of headings.
            Err(_) if number == 1 => {}
            Err(error) => {
                return Err(error).with_context(|| format!("{}, line {number}", path.display()));
            }
        }
    }
    Ok(judgements)
}

fn lines(path: &Path) -> anyhow::Result<Vec<(usize, String)>> {
    let file = File::open(path).with_context(|| format!("{}", path.display()))?;
    let lines: Vec<_> = BufReader::new(file)
        .lines()
        .collect::<Result<_, _>>()
        .with_context(|| format!("{}", path.display()))?;
    Ok((1..).zip(lines).filter(|(_, line)| !line.trim().is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_judgements_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("qrels.tsv");
        fs::write(&path, "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1 0 d2 -1\n").unwrap();
        let read = judgements(&path).unwrap();
        assert_eq!(read["q1"], HashMap::from([("d1".to_owned(), 2.0), ("d2".to_owned(), 0.0)]));
        fs::write(&path, "q1\td1\t2\nq1 d2 much\n").unwrap();
        assert!(judgements(&path).unwrap_err().to_string().contains("line 2"));
    }
}
