//! Results in words, for people at a terminal.

use std::io::{self, Write};

use rummage_corpus::{SourcePath, counted, grouped};
use rummage_engine::{
    Answer, Arithmetic, FileRow, FoundFile, Hardware, LegScore, ModelPresence, ModelView,
    PassageHit, Setting, Status, SwitchStatus, Trial, Tuning, VectorIndexState, WorkerView,
};

use crate::shapes::{CacheStats, CachedModel, FileLine, IndexReport, LookupReport};

/// A match is shown bold on a terminal and as it is elsewhere.
pub struct Marks {
    on: &'static str,
    off: &'static str,
}

impl Marks {
    pub fn new(terminal: bool) -> Self {
        if terminal { Self { on: "\u{1b}[1m", off: "\u{1b}[0m" } } else { Self { on: "", off: "" } }
    }
}

pub fn answer(
    out: &mut dyn Write,
    answer: &Answer,
    explain: bool,
    marks: &Marks,
) -> io::Result<()> {
    for (place, file) in answer.files.iter().enumerate() {
        writeln!(out, "{}. {}{}{}", place + 1, marks.on, path(&file.path), marks.off)?;
        if let Some(line) = alike(file) {
            writeln!(out, "   {line}")?;
        }
        if explain {
            self::explain(out, file)?;
        }
        for passage in &file.hit.passages {
            let page = passage.page.map(|page| format!("p. {page}: ")).unwrap_or_default();
            writeln!(out, "   {page}{}", passage_line(passage, marks))?;
        }
    }
    if answer.files.is_empty() {
        writeln!(out, "Nothing found.")?;
    }
    Ok(())
}

/// The other files that a result stands for.
fn alike(file: &FoundFile) -> Option<String> {
    let first = file.alike.first()?;
    let (kind, many) = if file.alike.iter().all(|alike| alike.is_copy) {
        ("identical copy", "identical copies")
    } else {
        ("file with the same passage", "files with the same passage")
    };
    Some(match file.alike.len() {
        1 => format!("and 1 {kind}: {}", path(&first.path)),
        count => format!("and {count} {many}, such as {}", path(&first.path)),
    })
}

/// The fusion's arithmetic, number by number.
fn explain(out: &mut dyn Write, file: &FoundFile) -> io::Result<()> {
    let Arithmetic { keyword, meaning, meaning_share, name, score } = file.hit.arithmetic;
    let mut parts = Vec::new();
    for (leg, share, called, measure) in [
        (keyword, 1.0 - meaning_share, "keyword", "BM25"),
        (meaning, meaning_share, "meaning", "cosine"),
    ] {
        let Some(LegScore { score, mean, deviation, z }) = leg else { continue };
        writeln!(
            out,
            "   {called}: {measure} {score:.3}, candidates {mean:.3} ± {deviation:.3}, z {z:+.2}"
        )?;
        parts.push(format!("{share:.2} × {z:+.2}"));
    }
    if name > 0.0 {
        writeln!(out, "   name: holds the query's words, {name:+.2}")?;
        parts.push(format!("{name:.2}"));
    }
    writeln!(out, "   {} = {score:+.2}, score {:.3}", parts.join(" + "), file.hit.score)?;
    for passage in &file.hit.passages {
        if let Some(why) = &passage.why.keyword {
            let terms = why.terms.join(", ");
            writeln!(out, "   rank {} by words: BM25 {:.3}, {terms}", why.rank, why.score)?;
        }
        if let Some(why) = passage.why.meaning {
            let rank = why.rank.map_or("not among the nearest".to_owned(), |r| format!("rank {r}"));
            writeln!(out, "   {rank} by meaning: cosine {:.3}", why.similarity)?;
        }
    }
    Ok(())
}

/// One line, control characters out: what a file says must not drive a terminal.
fn passage_line(passage: &PassageHit, marks: &Marks) -> String {
    let mut line = String::new();
    let mut at = 0;
    for (start, end) in &passage.highlights {
        line.push_str(&plain(&passage.text[at..*start]));
        line.push_str(marks.on);
        line.push_str(&plain(&passage.text[*start..*end]));
        line.push_str(marks.off);
        at = *end;
    }
    line.push_str(&plain(&passage.text[at..]));
    line
}

/// Names may hold anything, too.
pub fn path(path: &SourcePath) -> String {
    plain(&path.display().to_string())
}

pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

pub fn coverage(answer: &Answer) -> String {
    let coverage = answer.coverage;
    let mut line = format!(
        "{} · {} ms · searched {} of {}",
        files(answer.files.len() as u64),
        answer.took.as_millis(),
        grouped(coverage.searched),
        files(coverage.known)
    );
    if coverage.meaning < coverage.searched {
        line.push_str(&format!(" ({} by meaning)", grouped(coverage.meaning)));
    }
    line
}

pub fn index(out: &mut dyn Write, report: &IndexReport) -> io::Result<()> {
    let counts = &report.files;
    writeln!(
        out,
        "Indexed {} ({} unchanged, {} skipped, {} failed, {} removed) in {:.1} s.",
        files(counts.indexed),
        grouped(counts.unchanged),
        grouped(counts.skipped),
        grouped(counts.failed),
        grouped(counts.removed),
        report.seconds
    )?;
    writeln!(
        out,
        "{} in all: {} embedded now, {} reused.",
        passages(report.passages.total),
        grouped(report.passages.embedded),
        grouped(report.passages.reused)
    )?;
    if counts.failed > 0 {
        writeln!(out, "rummage files --state failed says why.")?;
    }
    Ok(())
}

pub fn retry(out: &mut dyn Write, retried: u64, failed: u64) -> io::Result<()> {
    writeln!(out, "Read {} again.", files(retried))?;
    if failed > 0 {
        let stand = if failed == 1 { "stands" } else { "stand" };
        writeln!(out, "{} {stand} as failed: rummage files --state failed", grouped(failed))?;
    }
    Ok(())
}

/// The table that measuring made; what was chosen stands first.
pub fn tuning(out: &mut dyn Write, tuning: &Tuning) -> io::Result<()> {
    let Hardware { processor, cores, .. } = &tuning.hardware;
    writeln!(out, "{processor}, {cores} cores; {} passages a turn", tuning.passages)?;
    writeln!(out, "Workers  Threads  Tokens a call  Passages/s  Turns")?;
    for trial in &tuning.table {
        let Trial { setting: Setting { workers, threads, tokens_per_call }, .. } = trial;
        let (rate, turns) = (trial.passages_per_second, trial.turns);
        let mark = if trial.setting == tuning.choice { "  chosen" } else { "" };
        writeln!(
            out,
            "{workers:>7}  {threads:>7}  {tokens_per_call:>13}  {rate:>10.1}  {turns:>5}{mark}"
        )?;
    }
    Ok(())
}

pub fn cache(out: &mut dyn Write, stats: &CacheStats) -> io::Result<()> {
    let rate = |lookups: &LookupReport| match lookups.rate {
        Some(rate) => {
            format!("{:.1} % of {}", 100.0 * rate, grouped(lookups.hits + lookups.misses))
        }
        None => "not asked".to_owned(),
    };
    for model in &stats.models {
        let CachedModel { entries, bytes, run, ever, .. } = model;
        let (entries, megabytes) = (grouped(*entries), megabytes(*bytes));
        writeln!(out, "{}: {entries} vectors, {megabytes} MB", model.model)?;
        writeln!(out, "  found in the last run {}, ever {}", rate(run), rate(ever))?;
    }
    let (entries, megabytes) = (grouped(stats.entries), megabytes(stats.disk_bytes));
    writeln!(out, "{entries} vectors in all, {megabytes} MB on the disk.")
}

pub fn models(out: &mut dyn Write, views: &[ModelView]) -> io::Result<()> {
    let width = views.iter().map(|view| view.id.len()).max().unwrap_or(0);
    for view in views {
        let ModelView { id, license, dims, .. } = view;
        let mark = if view.is_active { "*" } else { " " };
        let (languages, megabytes) = (view.languages.join(", "), megabytes(view.bytes));
        write!(out, "{mark} {id:<width$}  {dims:>4} numbers, {megabytes:>4} MB, {license}")?;
        if !languages.is_empty() {
            write!(out, ", {languages}")?;
        }
        match &view.state {
            ModelPresence::Installed if view.is_chosen && !view.is_active => {
                write!(out, "; chosen, its vectors are still being made")?;
            }
            ModelPresence::Installed => {}
            ModelPresence::Known => write!(out, "; to be had: rummage models fetch {id}")?,
            ModelPresence::Broken(reason) => write!(out, "; {reason}")?,
        }
        writeln!(out)?;
        if !view.parts.is_empty() {
            let parts: Vec<_> = view.parts.iter().map(|(part, _)| part.as_str()).collect();
            writeln!(out, "  {:<width$}  made of {}", "", parts.join(" and "))?;
        }
    }
    Ok(())
}

fn how_compared(index: VectorIndexState) -> String {
    match index {
        VectorIndexState::Exact { rows } => {
            format!("all {} vectors are compared", grouped(rows as u64))
        }
        VectorIndexState::Approximate { rows_indexed, rows_fresh, recall_at_10, .. } => format!(
            "an index of {} vectors finds {:.1} % of the ten nearest; {} newer ones are compared",
            grouped(rows_indexed as u64),
            recall_at_10 * 100.0,
            grouped(rows_fresh as u64)
        ),
        VectorIndexState::Refused { rows, recall_at_10 } => format!(
            "all {} vectors are compared: an index would find {:.1} % of the ten nearest",
            grouped(rows as u64),
            recall_at_10 * 100.0
        ),
    }
}

pub fn status(out: &mut dyn Write, data: &str, status: &Status) -> io::Result<()> {
    let counts = status.counts;
    for root in &status.roots {
        let state = match (&root.root.away, root.counts.queued()) {
            (Some(reason), _) => format!("away: {reason}"),
            (None, 0) if root.root.paused => "paused".to_owned(),
            (None, queued) if root.root.paused => format!("paused, {} wait", grouped(queued)),
            (None, 0) => "up to date".to_owned(),
            (None, queued) => format!("{} queued", grouped(queued)),
        };
        let known = files(root.counts.known());
        writeln!(out, "{}  {known}, {state}", root.root.path.display())?;
    }
    if status.roots.is_empty() {
        writeln!(out, "No folder is followed yet: rummage index FOLDER")?;
    }
    writeln!(
        out,
        "Files     {} indexed, {} queued, {} skipped, {} failed",
        grouped(counts.indexed),
        grouped(counts.queued()),
        grouped(counts.skipped),
        grouped(counts.failed)
    )?;
    if counts.left_out > 0 {
        writeln!(
            out,
            "          {} files and folders are left out by rules: rummage files --state skipped",
            grouped(counts.left_out)
        )?;
    }
    writeln!(out, "Passages  {}", grouped(counts.passages))?;
    if let Some(model) = &status.model {
        writeln!(out, "Model     {} ({} numbers a vector)", model.id, model.dims)?;
    }
    if let Some(SwitchStatus { id, done, total, .. }) = &status.switching {
        let [done, total] = [*done, *total].map(grouped);
        writeln!(
            out,
            "          {id} takes its place once it has read all: {done} of {total} files"
        )?;
    }
    if let Some(index) = status.vector_index {
        writeln!(out, "Meaning   {}", how_compared(index))?;
    }
    let pool = &status.pool;
    if let Some(why) = &pool.held_back {
        writeln!(out, "Pace      {} of {} workers embed: {why}", pool.allowed, pool.wanted)?;
    }
    for worker in &pool.workers {
        write_worker(out, worker)?;
    }
    if pool.memory.whole_bytes > 0 {
        let [whole, limit] = [pool.memory.whole_bytes, pool.memory.limit_bytes].map(megabytes);
        writeln!(out, "Memory    {whole} of {limit} MB, the workers and the app together")?;
    }
    writeln!(out, "Data      {data}, {} MB", megabytes(status.disk_bytes))?;
    for problem in &status.problems {
        writeln!(out, "Problem   {}", problem.message)?;
        if !problem.mend.is_empty() {
            writeln!(out, "          {}", problem.mend)?;
        }
    }
    Ok(())
}

fn write_worker(out: &mut dyn Write, worker: &WorkerView) -> io::Result<()> {
    let pid = worker.pid.map(|pid| pid.to_string()).unwrap_or_default();
    let [memory, limit] = [worker.memory_bytes, worker.soft_limit_bytes].map(megabytes);
    let done = if worker.role == "extract" { files } else { passages }(worker.passages);
    write!(
        out,
        "Worker    {} {pid} {}, {memory} of {limit} MB, {done}",
        worker.role, worker.state
    )?;
    if let Some(why) = &worker.last_end {
        write!(out, "; {}, the last: {why}", counted(worker.restarts, "restart", "restarts"))?;
    }
    writeln!(out)
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

pub fn file(out: &mut dyn Write, file: &FileRow) -> io::Result<()> {
    let line = FileLine::new(file);
    // A name may hold anything, line breaks too.
    let path = plain(&line.path);
    write!(out, "{:<8} {path}  ", line.state)?;
    match line.reason {
        Some(reason) => write!(out, "{}", plain(reason))?,
        None => write!(out, "{}", passages(line.passages))?,
    }
    if line.tries > 1 {
        write!(out, "; failed {} times", grouped(line.tries.into()))?;
    }
    if let Some(again) = &line.again {
        write!(out, "; read again at {again}")?;
    }
    writeln!(out)
}

fn files(number: u64) -> String {
    counted(number, "file", "files")
}

fn passages(number: u64) -> String {
    counted(number, "passage", "passages")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_cannot_drive_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a [2Jb c");
    }
}
