//! The bare ONNX Runtime loop that indexing is measured against: the same model
//! over the same passages with nothing around it. No protocol, no store, no file;
//! texts are cut and tokenised before the clock starts.
//!
//! `bare_loop FOLDER MODEL RUNTIME [PROCESSES THREADS TOKENS_A_CALL GRAPH]` reads every
//! file of a flat folder and prints passages a second. Without the last four it
//! tries the settings that are best on one machine or another, and prints each. GRAPH is
//! `plain`, the model's file as it is, or `simpler`, as the worker makes it for ONNX Runtime;
//! `encoder` is no graph, but the same loop around Rummage's own encoder.
//! `bare_loop FOLDER MODEL RUNTIME passages` prints the passages, a JSON text a line, with
//! `vectors` the encoder's vectors of them, as floats in their bytes, and with `graph` the
//! simpler graph.
//! `bench/indexing.mjs` and `bench/compare.mjs` run it beside the real thing.

use std::{
    env, fs,
    io::Write,
    num::NonZeroUsize,
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use ort::{
    session::{Session, builder::GraphOptimizationLevel},
    value::Tensor,
};
use rummage_chunk::{ChunkSize, Tokenizer, chunk};
use rummage_encoder::Encoder;
use rummage_extract::extract;
use rummage_models::{Model, Pooling};

/// Processes, threads a process, tokens a call. A call of one token a call holds
/// one text.
const SETTINGS: [(usize, usize, usize); 5] =
    [(1, 2, 8192), (1, 2, 1), (2, 1, 8192), (2, 1, 256), (2, 1, 1)];

const GRAPHS: [&str; 3] = ["plain", "simpler", "encoder"];

fn main() {
    // SAFETY: the program begins here; no other thread has been started.
    unsafe { rummage_worker::silence_runtime() };
    let args: Vec<String> = env::args().skip(1).collect();
    let [folder, model, runtime, rest @ ..] = args.as_slice() else {
        eprintln!("bare_loop FOLDER MODEL RUNTIME [PROCESSES THREADS TOKENS_A_CALL GRAPH]");
        std::process::exit(2);
    };
    let number = |text: &String| text.parse().expect("a number");
    match rest {
        [what] if what == "passages" => print_passages(folder, model),
        [what] if what == "graph" => {
            let file = fs::read(Model::open(model).expect("a model folder").onnx());
            let graph = rummage_worker::without_padding(&file.expect("the model's file"));
            let graph = graph.expect("a graph that can be simpler");
            std::io::stdout().write_all(&graph).expect("it is read");
        }
        [what] if what == "vectors" => print_vectors(folder, model),
        // One of the processes: its share of the texts.
        [share, shares, threads, tokens, graph] => {
            let share = (number(share), number(shares));
            work(folder, model, runtime, share, number(threads), number(tokens), graph);
        }
        [processes, threads, tokens, graph] => {
            measure(&args[..3], number(processes), number(threads), number(tokens), graph);
        }
        _ => {
            let graphs = if rummage_encoder::is_supported() { &GRAPHS[..] } else { &GRAPHS[..2] };
            for (processes, threads, tokens) in SETTINGS {
                for graph in graphs {
                    measure(&args[..3], processes, threads, tokens, graph);
                }
            }
        }
    }
}

fn print_passages(folder: &str, model: &str) {
    let model = Model::open(model).expect("a model folder");
    for text in texts(Path::new(folder), &tokenizer(&model)) {
        println!("{}", serde_json::to_string(&text).expect("a text is JSON"));
    }
}

fn print_vectors(folder: &str, model: &str) {
    let model = Model::open(model).expect("a model folder");
    assert_eq!(model.spec.pooling, Pooling::Mean, "this program knows no other");
    let mut encoder = encoder(&model, 1);
    let tokenizer = tokenizer(&model);
    let mut stdout = std::io::stdout().lock();
    for text in texts(Path::new(folder), &tokenizer) {
        let width = encoder.width();
        let mut vector = vec![0.0; width];
        let add = |states: &[f32]| {
            for state in states.chunks(width) {
                vector.iter_mut().zip(state).for_each(|(sum, number)| *sum += number);
            }
        };
        encoder.encode(&[&tokenizer.encode(&text)], add).expect("the tokenizer is the model's");
        let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        for number in vector {
            stdout.write_all(&(number / length).to_le_bytes()).expect("it is read");
        }
    }
}

fn encoder(model: &Model, threads: usize) -> Encoder {
    let file = fs::read(model.onnx()).expect("the model's file");
    let threads = NonZeroUsize::new(threads).expect("a number of threads");
    rummage_worker::encoder(model, &file, threads).expect("a model and a processor that it knows")
}

fn tokenizer(model: &Model) -> Tokenizer {
    let tokenizer = Tokenizer::from_file(&model.tokenizer(), model.spec.max_tokens);
    tokenizer.expect("a tokenizer")
}

/// Starts the processes, lets them load, and times them from the common start to
/// the last end.
fn measure(paths: &[String], processes: usize, threads: usize, tokens: usize, graph: &str) {
    let program = env::current_exe().expect("a running program has a path");
    let mut children: Vec<Child> = (0..processes)
        .map(|share| {
            let numbers = [share, processes, threads, tokens].map(|number| number.to_string());
            Command::new(&program)
                .args(paths)
                .args(numbers)
                .arg(graph)
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
        "{processes} × {threads} threads, {tokens} tokens a call, {graph} graph: {texts} passages in {seconds:.1} s = {:.1} passages/s",
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
    graph: &str,
) {
    let model = Model::open(model).expect("a model folder");
    let tokenizer = tokenizer(&model);
    let mut texts: Vec<Vec<u32>> =
        texts(Path::new(folder), &tokenizer).map(|text| tokenizer.encode(&text)).collect();
    texts.sort_by_key(|ids| std::cmp::Reverse(ids.len()));
    let texts: Vec<_> = texts.into_iter().skip(share).step_by(shares).collect();
    let simpler = (graph == "simpler").then(|| {
        let file = fs::read(model.onnx()).expect("the model's file");
        rummage_worker::without_padding(&file).expect("a graph that can be simpler")
    });
    let mut run: Box<dyn FnMut(&[Vec<u32>])> = if graph == "encoder" {
        let mut encoder = encoder(&model, threads);
        Box::new(move |texts| {
            let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
            let look = |states: &[f32]| assert!(states[0].is_finite());
            encoder.encode(&texts, look).expect("the tokenizer is the model's");
        })
    } else {
        let session = session(Path::new(runtime), &model, threads, simpler.as_deref());
        let mut session = session.expect("the model loads");
        Box::new(move |texts| run_session(&mut session, texts))
    };
    run(&texts[..1]);
    println!("{}", texts.len());
    std::io::stdin().read_line(&mut String::new()).expect("the start");
    let mut rest = texts.as_slice();
    while let Some(longest) = rest.first() {
        let mut size = (tokens_per_call / longest.len()).clamp(1, rest.len());
        if simpler.is_some() {
            // It knows no padding.
            size = rest[..size].iter().take_while(|text| text.len() == longest.len()).count();
        }
        let (call, after) = rest.split_at(size);
        run(call);
        rest = after;
    }
    println!("done");
}

fn session(
    runtime: &Path,
    model: &Model,
    threads: usize,
    graph: Option<&[u8]>,
) -> Result<Session, Box<dyn std::error::Error>> {
    let environment = ort::init_from(runtime)?.with_telemetry(false).build()?;
    let mut builder = Session::builder(&environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(threads)?;
    if graph.is_some() {
        builder = builder.with_disabled_optimizers("SkipLayerNormFusion")?;
    }
    Ok(match graph {
        Some(graph) => builder.commit_from_memory(graph)?,
        None => builder.commit_from_file(model.onnx())?,
    })
}

/// Every passage of every file, as the index would have it.
fn texts(folder: &Path, tokenizer: &Tokenizer) -> impl Iterator<Item = String> {
    let size = ChunkSize { tokens: tokenizer.max_tokens(), overlap: 0 };
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        if let Ok(document) = extract(&path.into(), &bytes) {
            let passages = chunk(&document, tokenizer, &size);
            texts.extend(
                passages
                    .iter()
                    .map(|passage| rummage_corpus::model_input(&passage.context, &passage.text)),
            );
        }
    }
    texts.into_iter()
}

fn run_session(session: &mut Session, texts: &[Vec<u32>]) {
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
    let mut feed = ort::inputs!["input_ids" => tensor(ids), "token_type_ids" => tensor(types)];
    if session.inputs().iter().any(|input| input.name() == "attention_mask") {
        feed.extend(ort::inputs!["attention_mask" => tensor(mask)]);
    }
    let outputs = session.run(feed).expect("the model runs");
    let (_, values) = outputs[0].try_extract_tensor::<f32>().expect("numbers");
    assert!(values[0].is_finite());
}
