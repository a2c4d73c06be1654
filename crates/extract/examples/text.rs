//! Prints what extraction makes of files, as one JSON object a line, for
//! bench/formats.mjs and for a look by hand:
//!
//!     text FILE...        or the files' names on stdin, one a line

use std::{
    io::{BufRead, Write},
    panic::catch_unwind,
    time::Instant,
};

use rummage_corpus::SourcePath;
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let stdin = std::io::stdin().lock().lines();
    let files: Box<dyn Iterator<Item = std::io::Result<String>>> =
        if named.is_empty() { Box::new(stdin) } else { Box::new(named.into_iter().map(Ok)) };
    let mut out = std::io::stdout().lock();
    for file in files {
        writeln!(out, "{}", found(&file?))?;
    }
    Ok(())
}

fn found(file: &str) -> Value {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => return json!({"file": file, "reason": error.to_string()}),
    };
    let start = Instant::now();
    let path = SourcePath::new(file);
    let found = catch_unwind(|| rummage_extract::extract(&path, &bytes));
    let seconds = start.elapsed().as_secs_f64();
    match found {
        Ok(Ok(document)) => json!({
            "file": file,
            "seconds": seconds,
            "title": document.title,
            "headings": document.headings.len(),
            "pages": document.pages.len(),
            "text": document.text,
        }),
        Ok(Err(reason)) => json!({"file": file, "seconds": seconds, "reason": reason.to_string()}),
        Err(_) => json!({"file": file, "seconds": seconds, "reason": "the parser gave up"}),
    }
}
