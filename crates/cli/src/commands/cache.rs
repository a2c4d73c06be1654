//! `rummage cache`: what is kept of vectors that were computed once.

use std::io::Write;

use rummage_engine::{Cache, DataFolder, open_cache};

use super::data_folder;
use crate::{Failure, arguments::Common, shapes::CacheStats, text};

pub fn stats(common: &Common, out: &mut dyn Write) -> anyhow::Result<()> {
    let cache = existing(common)?;
    let kept = cache.as_ref().map(Cache::kept).transpose()?.unwrap_or_default();
    let stats = CacheStats::new(&kept, cache.as_ref().map_or(0, Cache::disk_bytes));
    if common.json {
        serde_json::to_writer(&mut *out, &stats)?;
        writeln!(out)?;
    } else {
        text::cache(out, &stats)?;
    }
    Ok(())
}

pub fn clear(common: &Common, model: Option<&str>, out: &mut dyn Write) -> anyhow::Result<()> {
    let cache = existing(common)?;
    let kept = cache.as_ref().map(Cache::kept).transpose()?.unwrap_or_default();
    if let Some(model) = model
        && !kept.iter().any(|kept| kept.maker.id == model || kept.maker.fingerprint == model)
    {
        let known: Vec<_> = kept.iter().map(|kept| kept.maker.id.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(Failure::Usage(format!("nothing is kept of {model}; there is {known}")).into());
    }
    let cleared = cache.map(|cache| cache.clear(model)).transpose()?.unwrap_or_default();
    if common.json {
        serde_json::to_writer(&mut *out, &serde_json::json!({ "cleared": cleared }))?;
        writeln!(out)?;
    } else {
        writeln!(out, "{} vectors are forgotten.", rummage_corpus::grouped(cleared))?;
    }
    Ok(())
}

fn existing(common: &Common) -> anyhow::Result<Option<Cache>> {
    Ok(open_cache(&DataFolder::new(data_folder(common)?))?)
}
