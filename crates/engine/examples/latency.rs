//! How long questions take while Rummage indexes at full speed, beside an idle one.
//!
//!     latency IDLE-FOLDER BUSY-FOLDER QUERIES.jsonl [hybrid|keyword|meaning]
//!
//! Indexes the first folder, asks with nothing else to do, then asks while the
//! second is being indexed, then again with nothing to do. Each line of the
//! queries is an object with `text`. Prints medians and 95th percentiles in
//! milliseconds.

use std::{
    env, fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use rummage_engine::{Engine, Following, Mode, Options, Query, settings::IndexingMode};

/// Between two questions, so that they are those of a person, not of a flood.
const PAUSE: Duration = Duration::from_millis(100);

/// Questions asked of an idle app.
const IDLE: usize = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // SAFETY: no thread has been started yet.
    unsafe { rummage_engine::prepare_process() };
    tokio::runtime::Runtime::new()?.block_on(measure())
}

async fn measure() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { idle, busy, queries, mode } = Arguments::read()?;
    let queries = read_queries(&queries, mode)?;
    let data = tempfile::tempdir()?;
    let engine = Engine::open(Options::new(data.path().to_owned(), Some(Following::Live))).await?;
    let mut settings = engine.settings();
    settings.indexing.mode = IndexingMode::Full;
    engine.save_settings(settings).await?;
    engine.follow(&[idle]).await?;
    engine.settled().await.map_err(|problem| problem.message)?;
    let before = ask(&engine, &queries, |asked| asked < IDLE).await?;
    print("idle", &before);
    engine.follow(&[busy]).await?;
    // Until words are in and vectors are made.
    let mut status = engine.status_changes().ok_or("it indexes")?;
    status.wait_for(|status| status.counts.worded > 0).await?;
    let during = ask(&engine, &queries, |_| {
        status.borrow().counts.queued() > 0 && status.borrow().counts.worded > 0
    })
    .await?;
    print("indexing", &during);
    engine.settled().await.map_err(|problem| problem.message)?;
    let after = ask(&engine, &queries, |asked| asked < IDLE).await?;
    print("idle again", &after);
    engine.close().await;
    println!(
        "p95 while indexing: {:.2} times that of the idle app before, {:.2} times that after",
        percentile(&during, 95) / percentile(&before, 95),
        percentile(&during, 95) / percentile(&after, 95),
    );
    Ok(())
}

struct Arguments {
    idle: PathBuf,
    busy: PathBuf,
    queries: PathBuf,
    mode: Mode,
}

impl Arguments {
    fn read() -> Result<Self, &'static str> {
        const USAGE: &str =
            "latency IDLE-FOLDER BUSY-FOLDER QUERIES.jsonl [hybrid|keyword|meaning]";
        let mut given = env::args().skip(1);
        let mut path = || given.next().map(PathBuf::from).ok_or(USAGE);
        let (idle, busy, queries) = (path()?, path()?, path()?);
        let mode = match given.next().as_deref() {
            None | Some("hybrid") => Mode::Hybrid,
            Some("keyword") => Mode::Keyword,
            Some("meaning") => Mode::Meaning,
            Some(_) => return Err(USAGE),
        };
        Ok(Self { idle, busy, queries, mode })
    }
}

fn read_queries(path: &PathBuf, mode: Mode) -> Result<Vec<Query>, Box<dyn std::error::Error>> {
    let text = fs::read_to_string(path)?;
    let query = |line| {
        let object: serde_json::Value = serde_json::from_str(line)?;
        let text = object["text"].as_str().ok_or("a query without text")?;
        Ok(Query { mode, ..Query::parse(text)? })
    };
    text.lines().map(query).collect()
}

/// Sorted times in milliseconds.
async fn ask(
    engine: &Engine,
    queries: &[Query],
    go_on: impl Fn(usize) -> bool,
) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let mut times = Vec::new();
    for query in queries.iter().cycle() {
        if !go_on(times.len()) {
            break;
        }
        let start = Instant::now();
        let answer = engine.search(query).await?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        if let Some(notice) = answer.notice {
            return Err(notice.into());
        }
        tokio::time::sleep(PAUSE).await;
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

fn percentile(times: &[f64], percent: usize) -> f64 {
    times.get(times.len() * percent / 100).copied().unwrap_or(f64::NAN)
}

fn print(what: &str, times: &[f64]) {
    println!(
        "{what}: {} questions, median {:.1} ms, p95 {:.1} ms, worst {:.1} ms",
        times.len(),
        percentile(times, 50),
        percentile(times, 95),
        times.last().copied().unwrap_or(f64::NAN),
    );
}
