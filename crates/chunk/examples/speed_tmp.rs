use std::time::Instant;
use rummage_chunk::*;
use rummage_corpus::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let tok = Tokenizer::from_file(args[1].as_ref(), 256).unwrap();
    let docs: Vec<String> = std::fs::read_to_string(&args[2]).unwrap().lines().map(|l| {
        let v: serde_json::Value = serde_json::from_str(l).unwrap();
        v["text"].as_str().unwrap().to_owned()
    }).collect();
    let bytes: usize = docs.iter().map(|d| d.len()).sum();
    let joined = docs.join("\n\n");
    let doc = |s, t: &str| Document { title: None, structure: s, text: t.to_owned(), headings: vec![], pages: vec![] };
    let mb = |n: usize, t: Instant| n as f64 / 1e6 / t.elapsed().as_secs_f64();
    let ds: Vec<_> = docs.iter().map(|d| doc(Structure::Prose, d)).collect();
    for round in 0..2 {
        let t = Instant::now();
        let p: Vec<Passage> = ds.iter().flat_map(|d| chunk(d, &tok, &ChunkSize::default())).collect();
        println!("round {round}: each {:.1} MB/s, {} passages", mb(bytes, t), p.len());
        let t = Instant::now();
        let n: usize = p.iter().map(|p| tok.encode(&p.text).len()).sum();
        let over = p.iter().filter(|p| tok.count(&p.text) > 254).count();
        println!("encode+count {:.1} MB/s, {n} tokens, {over} over", mb(bytes*2, t));
        for s in [Structure::Prose, Structure::Code, Structure::Markdown] {
            let d = doc(s, &joined);
            let t = Instant::now();
            let p = chunk(&d, &tok, &ChunkSize::default());
            println!("joined {s:?} {:.1} MB/s, {} passages", mb(bytes, t), p.len());
        }
        for (name, text) in [("one line", joined.replace('\n', " ")), ("no space", joined.replace(char::is_whitespace, "")), ("han", "漢字文".repeat(1_000_000)), ("hexes", "0a1b".repeat(2_000_000)), ("stars", "*a ".repeat(300_000)), ("newlines", "a\n\n".repeat(1_000_000)), ("quotes", "> > - a\n".repeat(200_000))] {
            let s = if name == "stars" || name == "quotes" { Structure::Markdown } else { Structure::Prose };
            let d = doc(s, &text);
            let t = Instant::now();
            let p = chunk(&d, &tok, &ChunkSize::default());
            println!("{name} {:.1} MB/s, {} passages, longest {}", mb(text.len(), t), p.len(), p.iter().map(|p| p.text.len()).max().unwrap());
        }
    }
}
