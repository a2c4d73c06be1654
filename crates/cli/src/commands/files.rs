//! `rummage files`: the ledger.

use std::{io::Write, path::PathBuf};

use rummage_corpus::FileId;
use rummage_engine::{EngineError, FileFilter, FileRow};

use super::{open_to_read, tell_all_but_last};
use crate::{arguments::Common, shapes::FileLine, text};

/// Rows read at a time, so that millions take no memory.
const PAGE: usize = 1000;

pub async fn files(
    common: &Common,
    filter: &FileFilter,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let engine = open_to_read(common).await?;
    let (mut next, mut is_any) = (Some(FileId(0)), false);
    while let Some(after) = next {
        let page = engine.find_files(filter, after, PAGE)?;
        for file in &page.rows {
            show(common, file, out)?;
        }
        is_any |= !page.rows.is_empty();
        next = page.next;
    }
    engine.close().await;
    if !is_any && !common.quiet && !common.json {
        let is_all = *filter == FileFilter::default();
        eprintln!("{}", if is_all { "There are no files yet." } else { "No file matches." });
    }
    Ok(())
}

/// What became of each path. Those that nothing is known of are errors, told after the
/// others.
pub async fn account(
    common: &Common,
    paths: &[PathBuf],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let engine = open_to_read(common).await?;
    let mut unknown = Vec::new();
    for path in paths {
        match engine.account_of(path)? {
            Some(file) => show(common, &file, out)?,
            None => unknown.push(EngineError::unknown_file(path)),
        }
    }
    engine.close().await;
    tell_all_but_last(unknown).map_or(Ok(()), |error| Err(error.into()))
}

fn show(common: &Common, file: &FileRow, out: &mut dyn Write) -> anyhow::Result<()> {
    if common.json {
        serde_json::to_writer(&mut *out, &FileLine::new(file))?;
        writeln!(out)?;
    } else {
        text::file(out, file)?;
    }
    Ok(())
}
