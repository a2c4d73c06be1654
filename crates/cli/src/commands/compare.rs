//! `rummage eval` without a collection: the installed models side by side, on the person's
//! own files and by the person's own marks.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rummage_corpus::{counted, grouped};
use rummage_engine::{
    CompareStage, CompareStep, ComparedModel, Comparison, Engine, EngineError, ErrorKind,
};
use serde::Serialize;

use super::{
    eval::{ModeReport, write_modes},
    open_to_index, open_to_read,
};
use crate::{Failure, arguments::Common};

/// With fewer questions, one more may turn the figures.
const FEW: usize = 5;

/// How often it is told how far vectors are made, where there is no bar.
const TELL_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, Serialize)]
struct CompareReport<'a> {
    collection: &'static str,
    model: &'a str,
    active: bool,
    queries: usize,
    marks: MarksReport,
    /// Empty where nothing is judged.
    modes: Vec<ModeReport>,
    passages: PassagesReport,
    passages_per_second: Option<f64>,
    question_ms: Option<f64>,
    worker_bytes: Option<u64>,
    model_bytes: u64,
    /// Of one passage.
    vector_bytes: u64,
    /// Why nothing could be measured.
    error: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct MarksReport {
    opened: u64,
    good: u64,
}

#[derive(Debug, Serialize)]
struct PassagesReport {
    total: u64,
    /// In files that do not have all of this model's vectors.
    lacking: Option<u64>,
}

pub async fn compare(
    common: &Common,
    models: &[String],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let engine = if models.is_empty() {
        open_to_read(common).await?
    } else {
        open_to_prepare(common).await?
    };
    let measured = measure(&engine, common, models).await;
    engine.close().await;
    let comparison = measured?;
    if common.json {
        for model in &comparison.models {
            serde_json::to_writer(&mut *out, &CompareReport::new(&comparison, model))?;
            writeln!(out)?;
        }
        return Ok(());
    }
    write_tables(out, &comparison, !models.is_empty())
}

async fn measure(
    engine: &Engine,
    common: &Common,
    models: &[String],
) -> anyhow::Result<Comparison> {
    let mut told = Told::new(common.quiet);
    let measured = tokio::select! {
        measured = engine.compare(models, |step| told.tell(&step)) => {
            measured.map_err(anyhow::Error::from)
        }
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted.into()),
    };
    told.end();
    measured
}

impl<'a> CompareReport<'a> {
    fn new(comparison: &Comparison, model: &'a ComparedModel) -> Self {
        let marks = comparison.marks;
        let figures = model.figures.as_ref().ok();
        Self {
            collection: "marks",
            model: &model.id,
            active: model.is_active,
            queries: comparison.questions,
            marks: MarksReport { opened: marks.opened, good: marks.good },
            modes: modes(model),
            passages: PassagesReport {
                total: comparison.passages,
                lacking: figures.map(|figures| figures.lacking),
            },
            passages_per_second: figures.map(|figures| figures.passages_per_second),
            question_ms: figures.map(|figures| figures.question_ms),
            worker_bytes: figures.map(|figures| figures.memory_bytes),
            model_bytes: model.model_bytes,
            vector_bytes: model.vector_bytes,
            error: model.figures.as_ref().err().map(String::as_str),
        }
    }
}

/// To have vectors made. Where another process writes, there may be none to make.
async fn open_to_prepare(common: &Common) -> anyhow::Result<Engine> {
    let opened = open_to_index(common).await;
    let is_busy = |error: &EngineError| error.kind() == ErrorKind::Busy;
    match &opened {
        Err(error) if error.downcast_ref().is_some_and(is_busy) => open_to_read(common).await,
        _ => opened,
    }
}

fn modes(model: &ComparedModel) -> Vec<ModeReport> {
    let modes = model.figures.iter().flat_map(|figures| &figures.modes);
    modes.map(|mode| ModeReport::from(*mode)).collect()
}

fn write_tables(
    out: &mut dyn Write,
    comparison: &Comparison,
    models_were_named: bool,
) -> anyhow::Result<()> {
    let Comparison { marks, questions, models, is_disturbed, .. } = comparison;
    let width = models.iter().map(|model| model.id.len()).max().unwrap_or(0).max(5);
    if *questions == 0 {
        writeln!(
            out,
            "No question has marks yet, so answers are not judged: open results in the window, \
             mark them good, or run: rummage marks add QUERY FILE"
        )?;
    } else {
        writeln!(
            out,
            "Your marks: {}, {} opened, {} marked good",
            counted(*questions as u64, "question", "questions"),
            counted(marks.opened, "result", "results"),
            grouped(marks.good)
        )?;
        if *questions < FEW {
            writeln!(out, "These are few: one more question may turn the figures.")?;
        }
        let judged: Vec<_> = models.iter().map(|model| (model.id.as_str(), modes(model))).collect();
        write_modes(out, width, judged.iter().map(|(id, modes)| (*id, &modes[..])))?;
    }
    writeln!(
        out,
        "{:<width$}  passages/s  ms a question  worker MB  model MB  bytes a passage",
        "model"
    )?;
    for model in models {
        let ComparedModel { id, figures, model_bytes, vector_bytes, .. } = model;
        let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
        match figures {
            Ok(figures) => {
                let (rate, question) = (figures.passages_per_second, figures.question_ms);
                write!(out, "{id:<width$}  {rate:>10.1}  {question:>13.1}  ")?;
                write!(out, "{:>9}  ", megabytes(figures.memory_bytes))?;
                writeln!(out, "{:>8}  {vector_bytes:>15}", megabytes(*model_bytes))?;
            }
            Err(reason) => writeln!(out, "{id:<width$}  {reason}")?,
        }
    }
    if *is_disturbed {
        writeln!(
            out,
            "Another process works on this index, so speeds are lower than they could be."
        )?;
    }
    for model in models {
        let Ok(figures) = &model.figures else { continue };
        if figures.lacking > 0 {
            let passages = counted(figures.lacking, "passage", "passages");
            write!(out, "{} lacks the vectors of {passages}", model.id)?;
            if models_were_named {
                writeln!(out, ", which cannot be made.")?;
            } else {
                writeln!(
                    out,
                    "{}; rummage eval --model {} makes them.",
                    if figures.modes.is_empty() { ", so it is not judged" } else { "" },
                    model.id
                )?;
            }
        }
    }
    Ok(())
}

/// A bar on a terminal, a line for whatever begins elsewhere.
enum Told {
    Quiet,
    Bar(ProgressBar),
    Lines { last: Option<(Instant, CompareStep)> },
}

impl Told {
    fn new(quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines { last: None };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {msg}");
        Self::Bar(bar.with_style(style.expect("the template is constant")))
    }

    fn tell(&mut self, step: &CompareStep) {
        match self {
            Self::Quiet => {}
            Self::Bar(bar) => {
                let (done, most) = match step.stage {
                    CompareStage::Indexing => (0, 0),
                    CompareStage::Preparing { done, total, .. } => (done, total),
                    CompareStage::Speed | CompareStage::Quality => {
                        (step.done as u64, step.most as u64)
                    }
                };
                bar.set_length(most);
                bar.set_position(done);
                bar.set_message(line(step));
            }
            Self::Lines { last } => {
                let is_told = last.as_ref().is_some_and(|(at, told)| {
                    let same =
                        std::mem::discriminant(&told.stage) == std::mem::discriminant(&step.stage);
                    // Vectors take their time; all else is told when it begins.
                    let is_late = matches!(step.stage, CompareStage::Preparing { .. })
                        && told.stage != step.stage
                        && at.elapsed() >= TELL_EVERY;
                    told.model == step.model && same && !is_late
                });
                if !is_told {
                    eprintln!("{}", line(step));
                    *last = Some((Instant::now(), step.clone()));
                }
            }
        }
    }

    fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn line(step: &CompareStep) -> String {
    let model = &step.model;
    match step.stage {
        CompareStage::Indexing => format!("{model}: new files are indexed first"),
        CompareStage::Preparing { total: 0, passages, .. } => {
            format!("{model}: {} passages lack its vectors, which are made now", grouped(passages))
        }
        CompareStage::Preparing { done, total, .. } => {
            let (done, total) = (grouped(done), grouped(total));
            format!("{model}: {done} of {total} files have its vectors")
        }
        CompareStage::Speed => format!("{model}: how fast it reads"),
        CompareStage::Quality => format!("{model}: how good its answers are"),
    }
}
