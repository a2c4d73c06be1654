//! `rummage files`: the ledger.

use std::io::Write;

use rummage_corpus::FileId;

use super::open_to_read;
use crate::{
    arguments::{Common, State},
    shapes::FileLine,
    text,
};

/// Rows read at a time, so that millions take no memory.
const PAGE: usize = 1000;

pub async fn files(
    common: &Common,
    state: Option<State>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let engine = open_to_read(common).await?;
    let mut after = FileId(0);
    loop {
        let page = engine.files(state.map(Into::into), after, PAGE)?;
        for file in &page {
            if common.json {
                serde_json::to_writer(&mut *out, &FileLine::new(file))?;
                writeln!(out)?;
            } else {
                text::file(out, file)?;
            }
        }
        match page.last() {
            Some(last) => after = last.file,
            None => break,
        }
    }
    engine.close().await;
    Ok(())
}
