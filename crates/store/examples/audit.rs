//! Counts what a store holds, row by row: every passage and every vector must be
//! there once, and each passage must have its own vector.
//!
//!     audit STORE-FOLDER
//!
//! Prints an object; ends with code 1 where something is there twice or missing.

use std::{collections::HashMap, process::ExitCode};

use arrow::{
    array::{Array, AsArray},
    datatypes::Int64Type,
};
use futures::TryStreamExt;
use lancedb::{
    Connection,
    query::{ExecutableQuery, QueryBase, Select},
};

/// How often each id is there, and the hash it is there with.
type Rows = HashMap<i64, (u64, String)>;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let Some(dir) = std::env::args().nth(1) else { return Err("audit STORE-FOLDER".into()) };
    let store = lancedb::connect(&dir).execute().await?;
    let (mut passages, mut vectors) = (Rows::new(), Rows::new());
    for name in store.table_names().execute().await? {
        let into = if name == "passages" { &mut passages } else { &mut vectors };
        count(&store, &name, into).await?;
    }
    let twice = |rows: &Rows| rows.values().filter(|(times, _)| *times > 1).count();
    let without = passages
        .iter()
        .filter(|(id, (_, hash))| vectors.get(id).is_none_or(|(_, of_vector)| of_vector != hash));
    let (without, twice) = (without.count(), twice(&passages) + twice(&vectors));
    println!(
        r#"{{"passages":{},"vectors":{},"twice":{twice},"without_vector":{without}}}"#,
        passages.len(),
        vectors.len()
    );
    Ok(ExitCode::from(u8::from(twice + without > 0)))
}

async fn count(
    store: &Connection,
    name: &str,
    rows: &mut Rows,
) -> Result<(), Box<dyn std::error::Error>> {
    let table = store.open_table(name).execute().await?;
    let mut batches = table.query().select(Select::columns(&["id", "hash"])).execute().await?;
    while let Some(batch) = batches.try_next().await? {
        let ids = batch["id"].as_primitive::<Int64Type>();
        let hashes = batch["hash"].as_string::<i32>();
        for row in 0..batch.num_rows() {
            let (times, hash) = rows.entry(ids.value(row)).or_default();
            *times += 1;
            *hash = hashes.value(row).to_owned();
        }
        assert_eq!(ids.null_count(), 0);
    }
    Ok(())
}
