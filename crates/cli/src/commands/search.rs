//! `rummage search`: one query, or one a line. `rummage similar`: a file in its place.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal, Write},
    path::{Component, Path},
};

use anyhow::Context;
use rummage_engine::{Answer, Engine, EngineError, Query};
use serde_json::json;

use super::open_to_read;
use crate::{
    arguments::{Common, SearchArguments},
    shapes::SearchReport,
    text::{self, Marks},
};

pub async fn search(
    common: &Common,
    search: &SearchArguments,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let text = search.text();
    // A query that cannot be read is an error before anything is opened.
    let query = text.as_deref().map(|text| parse(text, search)).transpose()?;
    let engine = open_to_read(common).await?;
    let result = match (&search.batch, query, &text) {
        (Some(file), ..) => batch(&engine, search, file, out).await,
        (None, Some(query), Some(text)) => {
            one(&engine, common, text, &query, search.explain, out).await
        }
        _ => unreachable!("the grammar asks for a query or a batch"),
    };
    engine.close().await;
    result
}

pub async fn similar(
    common: &Common,
    file: &Path,
    limit: u16,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let engine = open_to_read(common).await?;
    let answer = match engine.account_of(file) {
        Ok(Some(row)) => engine.similar(row.path.as_path(), None, limit.into()).await,
        Ok(None) => Err(EngineError::unknown_file(file)),
        Err(error) => Err(error),
    };
    let shown = answer
        .map_err(Into::into)
        .and_then(|answer| show(common, &file.to_string_lossy(), &answer, false, out));
    engine.close().await;
    shown
}

async fn one(
    engine: &Engine,
    common: &Common,
    text: &str,
    query: &Query,
    explain: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    show(common, text, &engine.search(query).await?, explain, out)
}

fn show(
    common: &Common,
    text: &str,
    answer: &Answer,
    explain: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    if common.json {
        serde_json::to_writer(&mut *out, &SearchReport::new(text, answer, explain))?;
        writeln!(out)?;
        return Ok(());
    }
    // What results are is said before them.
    if let Some(notice) = answer.notice.as_ref().filter(|_| !common.quiet) {
        eprintln!("{notice}");
    }
    text::answer(out, answer, explain, &Marks::new(io::stdout().is_terminal()))?;
    if !common.quiet {
        out.flush()?;
        eprintln!("{}", text::coverage(answer));
    }
    Ok(())
}

async fn batch(
    engine: &Engine,
    search: &SearchArguments,
    file: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    // Every query of a batch is answered with the model, the first one too.
    engine.warm_up().await;
    let lines: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let opened = File::open(file).with_context(|| format!("{}", file.display()))?;
        Box::new(BufReader::new(opened))
    };
    for line in lines.split(b'\n') {
        let line = line.with_context(|| format!("{}", file.display()))?;
        // A line that is no UTF-8 is a query all the same.
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches('\r');
        // One line that cannot be read must not cost the others their answers.
        match parse(text, search) {
            Ok(query) => {
                let answer = engine.search(&query).await?;
                serde_json::to_writer(
                    &mut *out,
                    &SearchReport::new(text, &answer, search.explain),
                )?;
            }
            Err(error) => {
                let error = error.to_string();
                serde_json::to_writer(&mut *out, &json!({ "query": text, "error": error }))?;
            }
        }
        writeln!(out)?;
        out.flush()?;
    }
    Ok(())
}

/// A path that begins where one stands is that; any other is taken as it is within a query.
fn place(under: &str) -> String {
    let path = Path::new(under);
    match path.components().next() {
        Some(Component::CurDir | Component::ParentDir) => {
            let real = path.canonicalize().or_else(|_| std::path::absolute(path));
            real.map_or_else(|_| under.to_owned(), |real| real.to_string_lossy().into_owned())
        }
        _ => under.to_owned(),
    }
}

/// The query's own operators, and the command line's, which win.
fn parse(text: &str, search: &SearchArguments) -> Result<Query, EngineError> {
    let mut query = Query::parse(text)?;
    for under in query.filter.under.iter_mut().chain(&mut query.filter.not_under) {
        *under = place(under);
    }
    if !search.under.is_empty() {
        query.filter.under = search.under.iter().map(|under| place(under)).collect();
    }
    for types in &search.types {
        query.filter.types.extend(Query::parse(&format!("type:\"{types}\""))?.filter.types);
    }
    // Dates are read as they are within a query.
    let date = |operator: &str, value: &str| Query::parse(&format!("{operator}:{value}"));
    if let Some(after) = &search.after {
        query.filter.after = date("after", after)?.filter.after;
    }
    if let Some(before) = &search.before {
        query.filter.before = date("before", before)?.filter.before;
    }
    query.mode = search.mode.into();
    query.limit = search.limit.into();
    Ok(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_a_shell_writes_them() {
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(place("."), here.to_string_lossy());
        assert_eq!(place("./src"), here.join("src").to_string_lossy());
        assert_eq!(place("../cli/src"), here.join("src").to_string_lossy());
        for as_it_is in ["notes", "notes/2024", "/home/you", "nowhere.d", ".hidden"] {
            assert_eq!(place(as_it_is), as_it_is);
        }
    }
}
