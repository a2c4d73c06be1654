//! `rummage marks`: what a person made of answers, by which `rummage eval` judges models.

use std::{io::Write, path::Path};

use rummage_engine::{Engine, EngineError, Grade, Mark};

use super::{open_to_index, open_to_read};
use crate::{arguments::Common, shapes::MarkLine, text};

pub async fn list(common: &Common, out: &mut dyn Write) -> anyhow::Result<()> {
    let engine = open_to_read(common).await?;
    let marks = engine.marks();
    engine.close().await;
    let marks = marks?;
    let mut question = None;
    for mark in &marks {
        if common.json {
            serde_json::to_writer(&mut *out, &MarkLine::new(mark))?;
            writeln!(out)?;
            continue;
        }
        let Mark { question: asked, path, grade, .. } = mark;
        if question != Some(asked) {
            writeln!(out, "{}", text::plain(asked))?;
            question = Some(asked);
        }
        writeln!(out, "  {:<6}  {}", grade.name(), text::path(path))?;
    }
    if marks.is_empty() && !common.json {
        writeln!(out, "Nothing is marked yet.")?;
    }
    Ok(())
}

pub async fn add(
    common: &Common,
    question: &str,
    file: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    change(common, |engine| engine.mark(question, file, Grade::Good)).await?;
    tell(
        common,
        serde_json::json!({ "marked": file.display().to_string() }),
        "It is marked good.",
        out,
    )
}

pub async fn remove(
    common: &Common,
    question: &str,
    file: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let was = change(common, |engine| engine.unmark(question, file)).await?;
    let words = if was { "It is marked no more." } else { "It was not marked." };
    tell(common, serde_json::json!({ "unmarked": u8::from(was) }), words, out)
}

pub async fn clear(common: &Common, out: &mut dyn Write) -> anyhow::Result<()> {
    let cleared = change(common, Engine::clear_marks).await?;
    let words = format!("{} forgotten.", rummage_corpus::counted(cleared, "mark", "marks"));
    tell(common, serde_json::json!({ "cleared": cleared }), &words, out)
}

async fn change<T>(
    common: &Common,
    change: impl FnOnce(&Engine) -> Result<T, EngineError>,
) -> anyhow::Result<T> {
    let engine = open_to_index(common).await?;
    let changed = change(&engine);
    engine.close().await;
    Ok(changed?)
}

fn tell(
    common: &Common,
    report: serde_json::Value,
    words: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    if common.json {
        serde_json::to_writer(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{words}")?;
    }
    Ok(())
}
