//! `rummage models`: which models there are, and which is used.

use std::{
    io::{self, IsTerminal, Write},
    path::Path,
    time::{Duration, Instant},
};

use rummage_engine::{Engine, Fetched, Following, Library, Options};

use super::{data_folder, index::wait, open_to_index};
use crate::{arguments::Common, shapes::ModelLine, text};

/// How far a fetch is, is told this often.
const TELL_EVERY: Duration = Duration::from_millis(500);

pub fn list(common: &Common, out: &mut dyn Write) -> anyhow::Result<()> {
    let views = library(common)?.list()?;
    if common.json {
        for view in &views {
            serde_json::to_writer(&mut *out, &ModelLine::new(view))?;
            writeln!(out)?;
        }
    } else {
        text::models(out, &views)?;
    }
    Ok(())
}

pub async fn choose(common: &Common, id: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let start = Instant::now();
    let engine = open_to_index(common).await?;
    let result = choose_and_wait(&engine, common, id).await;
    let totals = engine.totals();
    engine.close().await;
    result?;
    let (embedded, reused) = (totals.embedded, totals.reused);
    let seconds = start.elapsed().as_secs_f64();
    if common.json {
        let report = serde_json::json!({
            "model": id,
            "passages": { "embedded": embedded, "reused": reused },
            "seconds": seconds,
        });
        serde_json::to_writer(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        let embedded = rummage_corpus::grouped(embedded);
        writeln!(out, "{id} is used now: {embedded} passages embedded, in {seconds:.1} s.")?;
    }
    Ok(())
}

async fn choose_and_wait(engine: &Engine, common: &Common, id: &str) -> anyhow::Result<()> {
    engine.use_model(id).await?;
    wait(engine, common).await
}

pub async fn import(
    common: &Common,
    dir: &Path,
    id: Option<&str>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let id = library(common)?.import(dir.to_owned(), id).await?;
    tell(common, "imported", std::slice::from_ref(&id), out)
}

pub async fn fetch(common: &Common, id: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut told = None;
    let show = |model: &str, Fetched { done, total }: Fetched| {
        let is_due = told.is_none_or(|at: Instant| at.elapsed() >= TELL_EVERY) || done == total;
        if common.quiet || !is_due {
            return;
        }
        told = Some(Instant::now());
        let [done, total] = [done, total].map(|bytes| bytes.div_ceil(1_000_000));
        // One line that is written over, where somebody looks at it.
        let end = if io::stderr().is_terminal() { "\r" } else { "\n" };
        eprint!("{model}: {done} of {total} MB{end}");
    };
    let came = library(common)?.fetch(id, show).await;
    if !common.quiet && io::stderr().is_terminal() {
        eprintln!();
    }
    tell(common, "fetched", &came?, out)
}

pub fn remove(common: &Common, id: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    library(common)?.remove(id)?;
    tell(common, "removed", &[id.to_owned()], out)
}

fn tell(common: &Common, what: &str, ids: &[String], out: &mut dyn Write) -> anyhow::Result<()> {
    if common.json {
        serde_json::to_writer(&mut *out, &serde_json::json!({ what: ids }))?;
        writeln!(out)?;
    } else if ids.is_empty() {
        writeln!(out, "It is here already.")?;
    } else {
        writeln!(out, "{} {what}.", ids.join(" and "))?;
    }
    Ok(())
}

fn library(common: &Common) -> anyhow::Result<Library> {
    let options = Options::new(data_folder(common)?, Some(Following::Once));
    Ok(Library::open(&options)?)
}
