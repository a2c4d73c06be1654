//! `rummage status`.

use std::io::Write;

use rummage_engine::{Cache, open_cache};

use super::open_to_read;
use crate::{arguments::Common, shapes::StatusReport, text};

pub async fn status(common: &Common, out: &mut dyn Write) -> anyhow::Result<()> {
    let engine = open_to_read(common).await?;
    let data = engine.data_folder().path().to_owned();
    let status = engine.status()?;
    let cache = open_cache(engine.data_folder())?;
    engine.close().await;
    if common.json {
        let kept = cache.as_ref().map(Cache::kept).transpose()?.unwrap_or_default();
        serde_json::to_writer(&mut *out, &StatusReport::new(&data, status, &kept))?;
        writeln!(out)?;
    } else {
        text::status(out, &data.display().to_string(), &status)?;
    }
    Ok(())
}
