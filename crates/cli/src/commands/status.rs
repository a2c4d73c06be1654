//! `rummage status`.

use std::io::Write;

use super::open_to_read;
use crate::{arguments::Common, shapes::StatusReport, text};

pub async fn status(common: &Common, out: &mut dyn Write) -> anyhow::Result<()> {
    let engine = open_to_read(common).await?;
    let data = engine.data_folder().path().to_owned();
    let (status, totals) = (engine.status()?, engine.totals());
    engine.close().await;
    if common.json {
        serde_json::to_writer(&mut *out, &StatusReport::new(&data, status, &totals))?;
        writeln!(out)?;
    } else {
        text::status(out, &data.display().to_string(), &status)?;
    }
    Ok(())
}
