//! The bare ONNX Runtime loop that indexing is measured against: the same model
//! over the same passages with nothing around it. No protocol, no store, no file;
//! texts are cut and tokenised before the clock starts.
//!
//! `bare_loop FOLDER MODEL RUNTIME [PROCESSES THREADS TOKENS_A_CALL]` reads every
//! file of a flat folder and prints passages a second. Without the last three it
//! tries the settings that are best on one machine or another, and prints each.
//! `bench/indexing.mjs` runs it beside the real thing.

use std::{
    env, fs,
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use ort::{
    session::{Session, builder::GraphOptimizationLevel},
    value::Tensor,
};
use rummage_chunk::{ChunkSize, Tokenizer, chunk};
use rummage_extract::extract;
use rummage_models::Model;

/// Processes, threads a process, tokens a call. A call of one token a call holds
/// one text.
const SETTINGS: [(usize, usize, usize); 5] =
    [(1, 2, 8192), (1, 2, 1), (2, 1, 8192), (2, 1, 256), (2, 1, 1)];

fn main() {
    // SAFETY: the program begins here; no other thread has been started.
    unsafe { rummage_worker::silence_runtime() };
    let args: Vec<String> = env::args().skip(1).collect();
    let [folder, model, runtime, rest @ ..] = args.as_slice() else {
        eprintln!("bare_loop FOLDER MODEL RUNTIME [PROCESSES THREADS TOKENS_A_CALL]");
        std::process::exit(2);
    };
    let number = |place: usize| rest.get(place).map(|text| text.parse().expect("a number"));
    match (number(0), number(1), number(2), number(3), number(4)) {
        // One of the processes: its share of the texts.
        (Some(share), Some(shares), Some(threads), Some(tokens), Some(_)) => {
            work(folder, model, runtime, (share, shares), threads, tokens);
        }
        (Some(processes), Some(threads), Some(tokens), ..) => {
            measure(&args[..3], processes, threads, tokens);
        }
        _ => {
            for (processes, threads, tokens) in SETTINGS {
                measure(&args[..3], processes, threads, tokens);
            }
        }
    }
}

/// Starts the processes, lets them load, and times them from the common start to
/// the last end.
fn measure(paths: &[String], processes: usize, threads: usize, tokens: usize) {
    let program = env::current_exe().expect("a running program has a path");
    let mut children: Vec<Child> = (0..processes)
        .map(|share| {
            let numbers = [share, processes, threads, tokens, 0].map(|number| number.to_string());
            Command::new(&program)
                .args(paths)
                .args(numbers)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("this program starts again")
        })
        .collect();
    let mut texts = 0;
    for child in &mut children {
        texts += line(child).parse::<usize>().expect("ready, with its number of texts");
    }
    let start = Instant::now();
    for child in &mut children {
        child.stdin.as_mut().expect("piped").write_all(b"\n").expect("it listens");
    }
    for child in &mut children {
        line(child);
        child.wait().expect("it ends");
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{processes} × {threads} threads, {tokens} tokens a call: {texts} passages in {seconds:.1} s = {:.1} passages/s",
        texts as f64 / seconds
    );
}

/// One line of a child's stdout, read byte by byte so that none is taken ahead.
fn line(child: &mut Child) -> String {
    use std::io::Read;
    let stdout = child.stdout.as_mut().expect("piped");
    let (mut text, mut byte) = (Vec::new(), [0]);
    while stdout.read(&mut byte).expect("it speaks") == 1 && byte[0] != b'\n' {
        text.push(byte[0]);
    }
    String::from_utf8(text).expect("it speaks UTF-8")
}

fn work(
    folder: &str,
    model: &str,
    runtime: &str,
    (share, shares): (usize, usize),
    threads: usize,
    tokens_per_call: usize,
) {
    let model = Model::open(model).expect("a model folder");
    let tokenizer = Tokenizer::from_file(&model.tokenizer(), model.spec.max_tokens);
    let tokenizer = tokenizer.expect("a tokenizer");
    let mut texts = tokenized(Path::new(folder), &tokenizer);
    texts.sort_by_key(|ids| std::cmp::Reverse(ids.len()));
    let texts: Vec<_> = texts.into_iter().skip(share).step_by(shares).collect();
    let mut session = session(Path::new(runtime), &model, threads).expect("the model loads");
    run(&mut session, &texts[..1]);
    println!("{}", texts.len());
    std::io::stdin().read_line(&mut String::new()).expect("the start");
    let mut rest = texts.as_slice();
    while let Some(longest) = rest.first() {
        let (call, after) = rest.split_at((tokens_per_call / longest.len()).clamp(1, rest.len()));
        run(&mut session, call);
        rest = after;
    }
    println!("done");
}

fn session(
    runtime: &Path,
    model: &Model,
    threads: usize,
) -> Result<Session, Box<dyn std::error::Error>> {
    let environment = ort::init_from(runtime)?.with_telemetry(false).build()?;
    Ok(Session::builder(&environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(threads)?
        .commit_from_file(model.onnx())?)
}

/// Every passage of every file, as the index would have it.
fn tokenized(folder: &Path, tokenizer: &Tokenizer) -> Vec<Vec<u32>> {
    let size = ChunkSize { tokens: tokenizer.max_tokens(), overlap: 0 };
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        if let Ok(document) = extract(&path.into(), &bytes) {
            let passages = chunk(&document, tokenizer, &size);
            texts.extend(passages.iter().map(|passage| {
                tokenizer.encode(&rummage_corpus::model_input(&passage.context, &passage.text))
            }));
        }
    }
    texts
}

fn run(session: &mut Session, texts: &[Vec<u32>]) {
    let width = texts.iter().map(Vec::len).max().unwrap_or(0);
    let mut ids = vec![0i64; texts.len() * width];
    let mut mask = ids.clone();
    for (row, text) in texts.iter().enumerate() {
        for (column, id) in text.iter().enumerate() {
            ids[row * width + column] = i64::from(*id);
            mask[row * width + column] = 1;
        }
    }
    let types = vec![0i64; ids.len()];
    let tensor = |values| Tensor::from_array(([texts.len(), width], values)).expect("it fits");
    let outputs = session
        .run(ort::inputs![
            "input_ids" => tensor(ids),
            "attention_mask" => tensor(mask),
            "token_type_ids" => tensor(types),
        ])
        .expect("the model runs");
    let (_, values) = outputs[0].try_extract_tensor::<f32>().expect("numbers");
    assert!(values[0].is_finite());
}
