//! `rummage index`, `retry`, `forget`, `pause` and `resume`: what writes.

use std::{io::Write, path::PathBuf, time::Instant};

use rummage_engine::{Engine, EngineError, Following};

use super::{open, open_to_index, tell_all_but_last};
use crate::{Failure, arguments::Common, progress::Progress, shapes::IndexReport, text};

pub async fn index(
    common: &Common,
    paths: &[PathBuf],
    cache: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let start = Instant::now();
    let engine = open(common, Some(Following::Once), cache).await?;
    let result = follow_and_wait(&engine, common, paths).await;
    let report = engine
        .status()
        .map(|status| IndexReport::new(&engine.totals(), &status, start.elapsed().as_secs_f64()));
    engine.close().await;
    // Whatever ended the work, what was done is told.
    let report = report?;
    if common.json {
        serde_json::to_writer(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        text::index(out, &report)?;
    }
    result
}

async fn follow_and_wait(
    engine: &Engine,
    common: &Common,
    paths: &[PathBuf],
) -> anyhow::Result<()> {
    let added = engine.follow(paths).await?;
    if !common.quiet {
        for path in &added.resumed {
            eprintln!("{} was paused, and goes on.", text::path(path));
        }
        for problem in &engine.status()?.problems {
            eprintln!("rummage: {} {}", problem.message, problem.mend);
        }
    }
    // Unless there is a worse one.
    let last = tell_all_but_last(added.refused);
    let waited = wait(engine, common).await;
    match (last, waited) {
        (None, waited) => waited,
        (Some(last), Ok(())) => Err(last.into()),
        (Some(last), Err(error)) => {
            eprintln!("rummage: {last}");
            Err(error)
        }
    }
}

/// Waits for the end of the work, an unmendable problem or an interruption.
pub(super) async fn wait(engine: &Engine, common: &Common) -> anyhow::Result<()> {
    let mut progress = Progress::new(common.quiet);
    let mut changes = engine.status_changes().ok_or(EngineError::Closed)?;
    let settled = engine.settled();
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(settled, interrupted);
    let result = loop {
        tokio::select! {
            settled = &mut settled => break match settled {
                Ok(()) => Ok(()),
                Err(problem) => {
                    Err(Failure::Problem { message: problem.message, mend: problem.mend }.into())
                }
            },
            _ = &mut interrupted => break Err(Failure::Interrupted.into()),
            Ok(()) = changes.changed() => progress.show(&changes.borrow_and_update()),
        }
    };
    progress.end();
    result
}

pub async fn retry(common: &Common, paths: &[PathBuf], out: &mut dyn Write) -> anyhow::Result<()> {
    let engine = open_to_index(common).await?;
    let result = retry_and_wait(&engine, common, paths, out).await;
    engine.close().await;
    result
}

async fn retry_and_wait(
    engine: &Engine,
    common: &Common,
    paths: &[PathBuf],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let retried = engine.retry(paths).await?;
    let waited = wait(engine, common).await;
    let failed = engine.status()?.counts.failed;
    if common.json {
        let report = serde_json::json!({ "retried": retried, "failed": failed });
        serde_json::to_writer(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        text::retry(out, retried, failed)?;
    }
    waited
}

pub async fn forget(common: &Common, paths: &[PathBuf], out: &mut dyn Write) -> anyhow::Result<()> {
    let engine = open_to_index(common).await?;
    let result = forget_all(&engine, common, paths, out).await;
    engine.close().await;
    result
}

async fn forget_all(
    engine: &Engine,
    common: &Common,
    paths: &[PathBuf],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for path in paths {
        engine.forget(path).await?;
        if !common.json {
            writeln!(out, "{} is no longer followed.", path.display())?;
        }
    }
    wait(engine, common).await?;
    if common.json {
        let forgotten: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        serde_json::to_writer(&mut *out, &serde_json::json!({ "forgotten": forgotten }))?;
        writeln!(out)?;
    }
    Ok(())
}

pub async fn pause(common: &Common, paths: &[PathBuf], out: &mut dyn Write) -> anyhow::Result<()> {
    let engine = open_to_index(common).await?;
    let result = set_paused(&engine, common, paths, true, out).await;
    engine.close().await;
    result
}

pub async fn resume(common: &Common, paths: &[PathBuf], out: &mut dyn Write) -> anyhow::Result<()> {
    let engine = open_to_index(common).await?;
    let result = async {
        set_paused(&engine, common, paths, false, out).await?;
        // What came meanwhile was not looked at.
        engine.follow(paths).await?;
        wait(&engine, common).await
    };
    let result = result.await;
    engine.close().await;
    result
}

async fn set_paused(
    engine: &Engine,
    common: &Common,
    paths: &[PathBuf],
    paused: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for path in paths {
        engine.set_paused(path, paused).await?;
        if !common.json {
            let now = if paused { "is paused: what is new there waits" } else { "goes on" };
            writeln!(out, "{} {now}.", path.display())?;
        }
    }
    if common.json {
        let what = if paused { "paused" } else { "resumed" };
        let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        serde_json::to_writer(&mut *out, &serde_json::json!({ what: paths }))?;
        writeln!(out)?;
    }
    Ok(())
}
