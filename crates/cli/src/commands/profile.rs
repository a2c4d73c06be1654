//! `rummage profile`: where the time of loading and of indexing goes, and whether it
//! became more since an older report.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context;
use rummage_engine::{
    DataFolder, Engine, Following, Hardware, LoadProfiler, LoadTimes, Options, Totals,
};

use super::{data_folder, index::wait};
use crate::{
    Failure,
    arguments::{Common, ProfileCommand, ProfileOptions},
    profile::{
        calibration, gate,
        gate::Slower,
        picture,
        report::{Kind, Measure, Report, Unit},
        summary::Summary,
    },
};

/// What loading should not take more than, warm.
const LOAD_TARGETS: [(&str, f64); 3] =
    [("first vector", 350.0), ("first encode", 20.0), ("memory", 150.0)];

pub async fn profile(
    common: &Common,
    command: &ProfileCommand,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match command {
        ProfileCommand::Load { cold, options } => {
            let before = baseline(options, Kind::Load)?;
            let engine_options = Options::new(data_folder(common)?, None);
            let profiler = LoadProfiler::open(&engine_options)?;
            let cold = *cold;
            let measure = || load(&profiler, options.runs.unwrap_or(10), cold);
            let mut report = tokio::task::block_in_place(measure)?;
            let mut slower = judge(before.as_ref(), &report, options)?;
            for _ in 0..gate::ROUNDS {
                if slower.is_empty() {
                    break;
                }
                again(common, &slower);
                report = report.joined(tokio::task::block_in_place(measure)?);
                slower = judge(before.as_ref(), &report, options)?;
            }
            report.advice = load_advice(&report);
            note_other_machine(common, before.as_ref(), &report);
            tell(common, options, &report, &slower, out)
        }
        ProfileCommand::Index { paths, options } => {
            let before = baseline(options, Kind::Index)?;
            let runs = options.runs.unwrap_or(3);
            let mut report = index(common, paths, runs).await?;
            let mut slower = judge(before.as_ref(), &report, options)?;
            for _ in 0..gate::ROUNDS {
                if slower.is_empty() {
                    break;
                }
                again(common, &slower);
                report = report.joined(index(common, paths, runs).await?);
                slower = judge(before.as_ref(), &report, options)?;
            }
            note_other_machine(common, before.as_ref(), &report);
            tell(common, options, &report, &slower, out)
        }
    }
}

fn baseline(options: &ProfileOptions, kind: Kind) -> anyhow::Result<Option<Report>> {
    options.baseline.as_deref().map(|path| Report::read(path, kind)).transpose()
}

fn judge(
    before: Option<&Report>,
    now: &Report,
    options: &ProfileOptions,
) -> anyhow::Result<Vec<Slower>> {
    let Some(before) = before else { return Ok(Vec::new()) };
    if (&before.model, before.cold) != (&now.model, now.cold) {
        let with = if before.cold { " with --cold" } else { "" };
        return Err(Failure::Usage(format!(
            "the baseline is of {}{with}: compare with one of the same kind",
            before.model
        ))
        .into());
    }
    Ok(gate::judge(before, now, options.threshold))
}

fn again(common: &Common, slower: &[Slower]) {
    if !common.quiet {
        let names: Vec<&str> = slower.iter().map(|slower| slower.name.as_str()).collect();
        eprintln!("Looks slower: {}. Measuring again.", names.join(", "));
    }
}

/// How fast a machine is as a whole is taken out of what is compared; that one stage is to
/// another on it as on the next machine is not certain.
fn note_other_machine(common: &Common, before: Option<&Report>, now: &Report) {
    let Some(before) = before.filter(|_| !common.quiet) else { return };
    if (&before.processor, before.cores) != (&now.processor, now.cores) {
        eprintln!(
            "The baseline was made on another machine ({}, {} cores), and may differ for that alone.",
            before.processor, before.cores
        );
    }
}

/// Keeps the report, shows it, and fails where something became slower.
fn tell(
    common: &Common,
    options: &ProfileOptions,
    report: &Report,
    slower: &[Slower],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let keep = |path: &Path, bytes: &[u8]| {
        fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))
    };
    if let Some(path) = &options.output {
        keep(path, &serde_json::to_vec_pretty(report)?)?;
    }
    if let Some(path) = &options.picture {
        keep(path, picture::draw(report).as_bytes())?;
    }
    if common.json {
        serde_json::to_writer(&mut *out, report)?;
        writeln!(out)?;
    } else {
        report.write(out)?;
    }
    let Some(baseline) = options.baseline.as_deref() else { return Ok(()) };
    if slower.is_empty() {
        if !common.quiet {
            eprintln!(
                "Nothing takes more than {} times what it took in {}.",
                options.threshold,
                baseline.display()
            );
        }
        return Ok(());
    }
    let mut table =
        String::from("slower than before (in brackets with the machine's own speed taken out):");
    for Slower { name, unit, before, now, ratio } in slower {
        let (unit, plain) = (unit.name(), now / before);
        table.push_str(&format!(
            "\n  {name:<16} {before:.1} → {now:.1} {unit}, {plain:.2} ({ratio:.2}) times"
        ));
    }
    let mend = format!(
        "The older report is {}; --threshold says how much is let pass.",
        baseline.display()
    );
    Err(Failure::Problem { message: table, mend }.into())
}

/// How fast the machine was during each run: what the fixed work took just before and
/// just after it.
struct Calibrations {
    before: f64,
    of_runs: Vec<f64>,
}

impl Calibrations {
    fn begin() -> Self {
        Self { before: calibration::milliseconds(), of_runs: Vec::new() }
    }

    fn run_ended(&mut self) {
        let after = calibration::milliseconds();
        self.of_runs.push(f64::midpoint(self.before, after));
        self.before = after;
    }
}

fn load(profiler: &LoadProfiler, runs: usize, cold: bool) -> anyhow::Result<Report> {
    let mut times = Vec::new();
    if !cold {
        // Brings the files into the system's cache.
        profiler.load()?;
    }
    let mut calibrations = Calibrations::begin();
    for _ in 0..runs {
        if cold && !profiler.forget_files() {
            let why = "this system cannot be told to forget files: --cold works on Linux";
            return Err(Failure::Usage(why.to_owned()).into());
        }
        times.push(profiler.load()?);
        calibrations.run_ended();
    }
    let stage = |name, of: fn(&LoadTimes) -> f64| {
        measure(name, Unit::Milliseconds, times.iter().map(|times| of(times) * 1e3).collect())
    };
    let megabytes = |times: &LoadTimes| times.resident_bytes as f64 / f64::from(1 << 20);
    let measures = vec![
        stage("process start", |times| times.process),
        stage("runtime", |times| times.runtime),
        stage("session", |times| times.session),
        stage("first call", |times| times.first_call),
        stage("tokenizer", |times| times.tokenizer),
        stage("first encode", |times| times.first_encode),
        stage("second encode", |times| times.second_encode),
        stage("first vector", |times| times.first_vector),
        measure("memory", Unit::Megabytes, times.iter().map(megabytes).collect()),
    ];
    let hardware = profiler.hardware();
    let mut report =
        report(Kind::Load, Some(&hardware), profiler.model_id(), calibrations, measures);
    (report.cold, report.runs) = (cold, runs);
    if !cold {
        report.hold_against(&LOAD_TARGETS);
    }
    Ok(report)
}

fn measure(name: &str, unit: Unit, samples: Vec<f64>) -> Measure {
    Measure { name: name.to_owned(), unit, summary: Summary::of(samples) }
}

fn report(
    kind: Kind,
    hardware: Option<&Hardware>,
    model: &str,
    calibrations: Calibrations,
    measures: Vec<Measure>,
) -> Report {
    Report {
        kind,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        processor: hardware.map(|hardware| hardware.processor.clone()).unwrap_or_default(),
        cores: hardware.map_or(0, |hardware| hardware.cores),
        model: model.to_owned(),
        cold: false,
        runs: 0,
        calibration: Summary::of(calibrations.of_runs),
        measures,
        memory: Vec::new(),
        targets: Vec::new(),
        advice: Vec::new(),
    }
}

fn load_advice(report: &Report) -> Vec<String> {
    let stages = ["process start", "runtime", "session", "first call"];
    let all: f64 = stages.iter().map(|stage| report.median(stage)).sum();
    let largest = stages.into_iter().max_by(|a, b| report.median(a).total_cmp(&report.median(b)));
    let mut advice = Vec::new();
    if let Some(stage) = largest {
        let what = match stage {
            "process start" => "starting the process: a virus scanner or a slow disk may do that",
            "runtime" => "ONNX Runtime's library: it comes from the disk the first time",
            "session" => "the model itself: a smaller one loads faster, as does one in int8",
            _ => "the model's first call",
        };
        let share = 100.0 * report.median(stage) / all.max(1e-9);
        advice.push(format!("{share:.0} % of loading is {what}."));
    }
    if report.targets.iter().any(|target| target.name == "memory" && !target.met) {
        advice.push("A worker takes much memory: fewer of them fit (pool.size).".to_owned());
    }
    advice
}

/// What one run of indexing came to.
struct IndexRun {
    seconds: f64,
    totals: Totals,
    restarts: u64,
    memory: Vec<(f64, u64)>,
}

async fn index(common: &Common, paths: &[PathBuf], runs: usize) -> anyhow::Result<Report> {
    let data = data_folder(common)?;
    let (mut calibrations, mut done) = (Calibrations::begin(), Vec::new());
    let (mut model, mut hardware, mut tuned) = (String::new(), None, false);
    for _ in 0..runs {
        let scratch = tempfile::tempdir().context("no temporary folder could be made")?;
        DataFolder::new(scratch.path().to_owned())
            .take_settings_of(&DataFolder::new(data.clone()))
            .context("the settings could not be copied")?;
        let start = Instant::now();
        // Models come from there; vectors that were computed before do not.
        let options = Options {
            lender: Some(data.clone()),
            cache: false,
            ..Options::new(scratch.path().to_owned(), Some(Following::Once))
        };
        let engine = Engine::open(options).await?;
        let run = index_once(&engine, common, paths, start).await;
        tuned = engine.tuning().is_some();
        hardware = engine.hardware();
        model = engine.status()?.model.map(|model| model.id).unwrap_or_default();
        engine.close().await;
        done.push(run?);
        calibrations.run_ended();
    }
    let mut report =
        report(Kind::Index, hardware.as_ref(), &model, calibrations, index_measures(&done));
    report.runs = runs;
    report.memory = done.pop().map(|run| run.memory).unwrap_or_default();
    report.advice = index_advice(&report, tuned);
    Ok(report)
}

async fn index_once(
    engine: &Engine,
    common: &Common,
    paths: &[PathBuf],
    start: Instant,
) -> anyhow::Result<IndexRun> {
    if let Some(refused) = engine.follow(paths).await?.refused.pop() {
        return Err(refused.into());
    }
    wait(engine, common).await?;
    let seconds = start.elapsed().as_secs_f64();
    let status = engine.status()?;
    let samples = engine.health_history();
    let first = samples.first().map_or(0, |sample| sample.at_ms);
    // The first sample is taken a moment after the start.
    let memory = samples.iter().filter(|sample| sample.memory_bytes > 0);
    let memory = memory.map(|sample| ((sample.at_ms - first) as f64 / 1e3, sample.memory_bytes));
    let restarts = status.pool.planned_restarts + status.pool.crash_restarts;
    Ok(IndexRun { seconds, totals: engine.totals(), restarts, memory: memory.collect() })
}

fn index_measures(runs: &[IndexRun]) -> Vec<Measure> {
    let of = |name, unit, of: fn(&IndexRun) -> f64| {
        measure(name, unit, runs.iter().map(of).collect::<Vec<_>>())
    };
    let ms = |name, seconds: fn(&IndexRun) -> f64| {
        measure(name, Unit::Milliseconds, runs.iter().map(|run| seconds(run) * 1e3).collect())
    };
    let mut measures = vec![
        ms("all", |run| run.seconds),
        ms("scan", |run| run.totals.scan_seconds),
        ms("extract", |run| run.totals.extract_seconds),
        ms("chunk", |run| run.totals.chunk_seconds),
        ms("tokenise", |run| run.totals.tokenise_seconds),
        ms("embed", |run| run.totals.embed_seconds),
        ms("store", |run| run.totals.store_seconds - run.totals.full_text_seconds),
        ms("full text", |run| run.totals.full_text_seconds),
        of("files a second", Unit::Count, |run| run.totals.indexed as f64 / run.seconds),
        of("passages a second", Unit::Count, |run| {
            (run.totals.embedded + run.totals.reused) as f64 / run.seconds
        }),
        of("restarts/1,000 files", Unit::Count, |run| {
            1e3 * run.restarts as f64 / run.totals.indexed.max(1) as f64
        }),
        of("known passages %", Unit::Count, |run| {
            let all = run.totals.embedded + run.totals.reused;
            100.0 * run.totals.reused as f64 / all.max(1) as f64
        }),
    ];
    let most = |run: &IndexRun| run.memory.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0);
    // A run that was too short for a sample says nothing of memory.
    if runs.iter().all(|run| most(run) > 0) {
        let megabytes = runs.iter().map(|run| most(run) as f64 / f64::from(1 << 20)).collect();
        measures.push(measure("most memory", Unit::Megabytes, megabytes));
    }
    measures
}

fn index_advice(report: &Report, tuned: bool) -> Vec<String> {
    let mut advice = Vec::new();
    if !tuned {
        advice.push(
            "This computer has not been measured: `rummage tune` finds its best number of \
             workers, threads and tokens a call."
                .to_owned(),
        );
    }
    let share = |stage| report.median(stage) / report.median("all").max(1e-9);
    if share("embed") > 0.7 {
        advice.push(format!(
            "The model is at work {:.0} % of the time: more cores, or a smaller model, would \
             help; nothing else would help much.",
            100.0 * share("embed")
        ));
    }
    if share("extract") > 0.7 {
        advice.push(format!(
            "Files are being read {:.0} % of the time: `rummage files` shows which are large, and \
             the ignore patterns leave out what need not be found.",
            100.0 * share("extract")
        ));
    }
    if report.median("restarts/1,000 files") > 5.0 {
        advice.push(
            "Workers are replaced often: `rummage status` says why, and more memory a worker \
             (pool.memory_megabytes) makes it rarer."
                .to_owned(),
        );
    }
    advice
}
