//! Cutting a long text into blocks that are tokenised and split one at a time.

use std::ops::Range;

use rummage_corpus::Document;

/// Large beside a passage (1 KiB or so), so that few cuts are forced; small
/// enough that splitting, which looks at the rest of its text for each passage,
/// stays quick.
const BLOCK_BYTES: usize = 64 << 10;

/// Where a block may end, best first: before a heading, behind an empty line, a
/// line, a word.
pub(crate) fn blocks(document: &Document) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let block = start..end_of_block(document, start);
        start = block.end;
        (!block.is_empty()).then_some(block)
    })
}

fn end_of_block(document: &Document, start: usize) -> usize {
    let text = &document.text;
    if text.len() - start <= BLOCK_BYTES {
        return text.len();
    }
    let latest = text.floor_char_boundary(start + BLOCK_BYTES);
    // Not in the first half, so that every block is worth its while.
    let earliest = text.floor_char_boundary(start + BLOCK_BYTES / 2);
    let headings = &document.headings;
    let heading = headings[..headings.partition_point(|heading| heading.at <= latest)].last();
    if let Some(heading) = heading.filter(|heading| heading.at > earliest) {
        return heading.at;
    }
    let window = &text[earliest..latest];
    ["\n\n", "\n\r\n", "\n"]
        .iter()
        .find_map(|gap| window.rfind(gap).map(|at| earliest + at + gap.len()))
        .or_else(|| window.rfind(char::is_whitespace).map(|at| earliest + at))
        .filter(|end| *end > start)
        .unwrap_or(latest)
}

#[cfg(test)]
mod tests {
    use rummage_corpus::{Heading, Structure};

    use super::*;

    #[track_caller]
    fn check(text: String, headings: Vec<Heading>, first_end: usize) {
        let document =
            Document { title: None, structure: Structure::Prose, text, headings, pages: vec![] };
        let blocks: Vec<_> = blocks(&document).collect();
        assert_eq!(blocks.first().map(|block| block.end), Some(first_end));
        let mut end = 0;
        for block in blocks {
            assert_eq!(block.start, end);
            assert!(block.len() <= BLOCK_BYTES);
            end = block.end;
        }
        assert_eq!(end, document.text.len());
    }

    #[test]
    fn a_block_ends_at_the_best_place() {
        let long = "word ".repeat(10_000);
        check("short".into(), vec![], 5);
        check(format!("{long}{long}"), vec![], 65_534);
        check(format!("{long}\nb {long}"), vec![], 50_001);
        check(format!("{long}\n\nb\n{long}"), vec![], 50_002);
        check(format!("{long}\r\n\r\nb\n{long}"), vec![], 50_004);
        let heading = Heading { level: 1, text: "b".into(), at: 50_002 };
        check(format!("{long}\n\nb\n\nc{long}"), vec![heading], 50_002);
        check("é".repeat(200_000), vec![], 65_536);
        check("漢".repeat(100_000), vec![], 65_535);
    }
}
