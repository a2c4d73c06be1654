//! Where a text is cut. It knows structure and tokens, not titles or hashes.

use std::ops::Range;

use rummage_corpus::{Document, Span, Structure};
use text_splitter::{ChunkConfig, MarkdownSplitter, TextSplitter};
use unicode_segmentation::UnicodeSegmentation;

use crate::{Tokenizer, block, count::TokenStarts, grammar};

/// A line of at most one token in this many that a passage may have is looked at
/// as the title of what follows.
const TITLE_SHARE: usize = 4;

/// A passage of a program with no more words than this says nothing by itself.
const SCRAP_WORDS: usize = 3;

/// How a document is cut into passages.
pub(crate) struct Cutter<'a> {
    pub document: &'a Document,
    pub tokenizer: &'a Tokenizer,
    /// The most tokens of a passage.
    pub capacity: usize,
    /// Tokens that a passage may repeat of the one before.
    pub overlap: usize,
}

impl Cutter<'_> {
    /// Where the first `most` passages lie. None lies across two parts of the document.
    pub fn spans(&self, most: usize) -> Vec<Span> {
        let mut spans = Vec::new();
        for (range, structure) in parts(self.document) {
            let before = spans.len();
            self.push_spans(range, structure, most, &mut spans);
            match structure {
                Structure::Prose | Structure::Markdown => {
                    self.even_out(&mut spans[before..], structure);
                }
                Structure::Code | Structure::Source(_) => {
                    let scattered = spans.split_off(before);
                    self.join_scraps(scattered, &mut spans);
                }
            }
        }
        spans.truncate(most);
        spans
    }

    fn push_spans(
        &self,
        part: Range<usize>,
        structure: Structure,
        most: usize,
        spans: &mut Vec<Span>,
    ) {
        let text = &self.document.text[..part.end];
        let mut start = part.start;
        while start < part.end && spans.len() < most {
            let end = block::end(text, start, self.capacity);
            let mut found = self.spans_of_block(start..end, structure);
            // A block's last passage ends where the block was cut. It is found anew in
            // the next block, together with what follows it.
            let last = found.last().map(|span| span.start);
            let again = last.filter(|last| *last > start && end < part.end);
            found.truncate(found.len() - usize::from(again.is_some()));
            start = again.unwrap_or(end);
            spans.append(&mut found);
        }
    }

    fn spans_of_block(&self, block: Range<usize>, structure: Structure) -> Vec<Span> {
        let starts = TokenStarts::new(&self.document.text[block.clone()], self.tokenizer);
        let mut spans = Vec::new();
        let mut from = block.start;
        while from < block.end {
            let found = self.split(from..block.end, structure, &starts);
            from = self.push_until_title(found, block.clone(), structure, &starts, &mut spans);
        }
        spans
    }

    /// Takes passages as they were found, up to one that is but the title of the
    /// next. That one is taken with the beginning of its text; returns where the
    /// rest begins, to be split anew.
    fn push_until_title(
        &self,
        found: Vec<Span>,
        block: Range<usize>,
        structure: Structure,
        starts: &TokenStarts<'_>,
        spans: &mut Vec<Span>,
    ) -> usize {
        for (nth, span) in found.iter().enumerate() {
            let cut = found
                .get(nth + 1)
                .filter(|next| self.is_title(*span, **next, structure, starts, block.start))
                .and_then(|next| self.cut_behind_title(*span, *next, &block, starts));
            if let Some(cut) = cut {
                let text = &self.document.text[span.start..cut];
                spans.push(Span::new(span.start, span.start + text.trim_end().len()));
                return cut;
            }
            spans.push(*span);
        }
        block.end
    }

    /// Whether the one passage is a short line, and the next the text below it.
    fn is_title(
        &self,
        span: Span,
        next: Span,
        structure: Structure,
        starts: &TokenStarts<'_>,
        block: usize,
    ) -> bool {
        let text = &self.document.text;
        let begins_with_words = match structure {
            Structure::Prose => true,
            // Not a list, a table or a fence, which would be torn.
            Structure::Markdown => text[next.start..].starts_with(char::is_alphabetic),
            Structure::Code | Structure::Source(_) => false,
        };
        begins_with_words
            && line_before(text, span).is_some()
            && !text[span.start..span.end].contains('\n')
            && text[span.end..].starts_with(['\n', '\r'])
            && starts.between(span.start - block, span.end - block) * TITLE_SHARE <= self.capacity
            && self.document.headings.binary_search_by_key(&next.start, |found| found.at).is_err()
    }

    /// Where a cut paragraph would leave a rest of a few words, that and the passage before
    /// it become as long as each other. What a model makes of so few words is near to
    /// many questions: on German paragraphs, cut for a model that hardly knows German,
    /// such rests cost .03 of nDCG@10.
    fn even_out(&self, spans: &mut [Span], structure: Structure) {
        let text = &self.document.text;
        let is_paragraph_break =
            |gap: Option<&str>| gap.is_none_or(|gap| gap.matches('\n').count() > 1);
        for nth in 1..spans.len() {
            let (first, last) = (spans[nth - 1], spans[nth]);
            let next = spans.get(nth + 1).map_or(text.len(), |next| next.start);
            let ends = nth + 1 == spans.len() || is_paragraph_break(text.get(last.end..next));
            if !ends || is_paragraph_break(text.get(first.end..last.start)) {
                continue;
            }
            if let Some((first, last)) = self.halves(first, last, structure) {
                (spans[nth - 1], spans[nth]) = (first, last);
            }
        }
    }

    /// Of what is longer than a passage, its opening brace or its attribute may be left alone,
    /// and what a model makes of so little is near to many questions. It goes with what
    /// follows, or, as a closing brace, with what is before it, where that fits.
    fn join_scraps(&self, spans: Vec<Span>, joined: &mut Vec<Span>) {
        let text = &self.document.text;
        let fits = |both: &Span| self.tokenizer.count(&text[both.start..both.end]) <= self.capacity;
        let first = joined.len();
        let mut spans = spans.into_iter().peekable();
        let mut begun = None;
        while let Some(mut span) = spans.next() {
            span.start = begun.take().unwrap_or(span.start);
            let shown = &text[span.start..span.end];
            if shown.unicode_words().nth(SCRAP_WORDS).is_none() {
                let with_next = spans.peek().map(|next| Span::new(span.start, next.end));
                let with_next = with_next.filter(fits);
                let with_last = joined[first..].last().map(|last| Span::new(last.start, span.end));
                let with_last = with_last.filter(fits);
                let closes = shown.trim_start().starts_with(['}', ')', ']']);
                match with_last {
                    Some(both) if closes || with_next.is_none() => {
                        joined.pop();
                        joined.push(both);
                        continue;
                    }
                    _ => {}
                }
                if with_next.is_some() {
                    begun = Some(span.start);
                    continue;
                }
            }
            joined.push(span);
        }
    }

    /// Two passages cut anew, for the fewest tokens each that still make two of them; `None`
    /// if they are no more even so.
    fn halves(&self, first: Span, last: Span, structure: Structure) -> Option<(Span, Span)> {
        let range = first.start..last.end;
        let starts = TokenStarts::new(&self.document.text[range.clone()], self.tokenizer);
        let tokens = |span: Span| starts.between(span.start - range.start, span.end - range.start);
        let uneven = |first, last| tokens(first).abs_diff(tokens(last));
        let mut found = None;
        // What passages share must be less than one of them.
        let least = (tokens(first).max(tokens(last)) / 2).max(self.overlap);
        let (mut too_few, mut enough) = (least, self.capacity);
        while enough - too_few > 1 {
            let capacity = usize::midpoint(too_few, enough);
            let cutter = Cutter { capacity, ..*self };
            match cutter.split(range.clone(), structure, &starts).as_slice() {
                &[first, last] => {
                    enough = capacity;
                    found = Some((first, last));
                }
                _ => too_few = capacity,
            }
        }
        found.filter(|(a, b)| uneven(*a, *b) < uneven(first, last))
    }

    /// Behind which sentence a title's text is cut: in halves, where title and
    /// paragraph make two passages; else as far as a passage goes.
    fn cut_behind_title(
        &self,
        title: Span,
        next: Span,
        block: &Range<usize>,
        starts: &TokenStarts<'_>,
    ) -> Option<usize> {
        let text = &self.document.text[..block.end];
        let tokens = |end: usize| starts.between(title.start - block.start, end - block.start);
        let paragraph = text[next.start..].find("\n\n").map_or(block.end, |at| next.start + at);
        let whole = tokens(paragraph);
        let wanted = if whole <= 2 * self.capacity { whole.div_ceil(2) } else { self.capacity };
        let furthest = block.start + starts.reach(title.start - block.start, self.capacity);
        let room = text.get(next.start..furthest.min(paragraph))?;
        let sentences = room.split_sentence_bound_indices().skip(1).map(|(at, _)| at);
        let fits = |cut: &usize| {
            tokens(*cut) <= self.capacity
                && (whole > 2 * self.capacity || whole - tokens(*cut) <= self.capacity)
        };
        sentences
            .map(|at| next.start + at)
            .filter(fits)
            .min_by_key(|cut| tokens(*cut).abs_diff(wanted))
            .or_else(|| {
                let words = room.rfind(char::is_whitespace)?;
                (words > 0).then_some(next.start + words)
            })
    }

    fn split(
        &self,
        range: Range<usize>,
        structure: Structure,
        starts: &TokenStarts<'_>,
    ) -> Vec<Span> {
        let text = &self.document.text[range.clone()];
        let config = ChunkConfig::new(self.capacity)
            .with_sizer(starts)
            .with_overlap(self.overlap)
            .expect("the overlap is below the capacity, which is at least 1");
        let span =
            |(at, part): (usize, &str)| Span::new(range.start + at, range.start + at + part.len());
        let line = |part| with_indentation(&self.document.text, span(part));
        match structure {
            Structure::Markdown => {
                MarkdownSplitter::new(config).chunk_indices(text).map(span).collect()
            }
            Structure::Prose => TextSplitter::new(config).chunk_indices(text).map(span).collect(),
            Structure::Code => TextSplitter::new(config).chunk_indices(text).map(line).collect(),
            Structure::Source(language) => match grammar::splitter(language, config) {
                Some(splitter) => splitter.chunk_indices(text).map(line).collect(),
                None => self.split(range, Structure::Code, starts),
            },
        }
    }
}

/// The parts of a document and how each is built.
fn parts(document: &Document) -> impl Iterator<Item = (Range<usize>, Structure)> {
    let starts = std::iter::once((0, document.structure))
        .chain(document.parts.iter().map(|part| (part.at, part.structure)));
    let ends =
        document.parts.iter().map(|part| part.at).chain(std::iter::once(document.text.len()));
    starts.zip(ends).map(|((start, structure), end)| (start..end, structure))
}

/// The indentation of a first line is part of how code reads.
fn with_indentation(text: &str, span: Span) -> Span {
    match line_before(text, span) {
        Some(before) => Span::new(before.len(), span.end),
        None => span,
    }
}

/// The text up to the line that a span begins; `None` for one that begins within a line.
fn line_before(text: &str, span: Span) -> Option<&str> {
    let before = text[..span.start].trim_end_matches([' ', '\t']);
    (before.is_empty() || before.ends_with(['\n', '\r'])).then_some(before)
}
