//! The part of a passage that a result shows.

use std::collections::HashSet;

use rummage_corpus::Span;
use unicode_segmentation::UnicodeSegmentation;

use crate::terms::Match;

/// Characters that a snippet has at most: three or four lines.
const SNIPPET_CHARS: usize = 320;

/// Characters kept before the first match, so that it is read in its sentence.
const LEAD_CHARS: usize = 100;

/// A piece of a passage, with what is marked in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// Some 300 characters of the passage's text.
    pub text: String,
    /// The byte of the passage's text at which `text` begins.
    pub offset: usize,
    /// Bytes `start..end` of `text` to mark: in order, apart, on character bounds.
    pub highlights: Vec<(usize, usize)>,
}

impl Snippet {
    /// The piece of `text` around a part of it, which is marked as far as it fits.
    ///
    /// # Panics
    /// When `part` does not lie in `text` on character bounds.
    pub fn around(text: &str, part: Span) -> Snippet {
        let matches = [Match { term: 0, span: part }];
        let shown = window(text, &matches);
        let (start, end) = (part.start.max(shown.start), part.end.min(shown.end));
        let marked = (start < end).then(|| (start - shown.start, end - shown.start));
        Snippet {
            text: text[shown.start..shown.end].to_owned(),
            offset: shown.start,
            highlights: marked.into_iter().collect(),
        }
    }
}

/// The sentences of a text, without the space around them.
pub fn sentences(text: &str) -> Vec<Span> {
    let bounds = text.split_sentence_bound_indices();
    let spans = bounds.map(|(at, part)| trimmed(text, Span::new(at, at + part.len())));
    spans.filter(|span| span.start < span.end).collect()
}

/// The bytes of `text` to show: all of a short text, else a window around the most
/// matches, cut at a sentence or a word and free of space at its ends. Without
/// matches it is the beginning.
///
/// `matches` are in order, as [`Terms::find`](crate::terms::Terms::find) gives them.
pub(crate) fn window(text: &str, matches: &[Match]) -> Span {
    let chars = CharStarts::of(text);
    if chars.count() <= SNIPPET_CHARS {
        return trimmed(text, Span::new(0, text.len()));
    }
    let start = densest(&chars, matches).map_or(0, |found| lead_in(text, &chars, found));
    let end = cut_end(text, start, chars.forward(start, SNIPPET_CHARS));
    trimmed(text, Span::new(start, end))
}

/// The matches inside a window, as bytes of the window; those that overlap or have
/// nothing between them become one.
pub(crate) fn highlights(window: Span, matches: &[Match]) -> Vec<(usize, usize)> {
    let mut highlights: Vec<(usize, usize)> = Vec::new();
    for Match { span, .. } in matches {
        if span.start < window.start || span.end > window.end {
            continue;
        }
        let (start, end) = (span.start - window.start, span.end - window.start);
        match highlights.last_mut() {
            Some(last) if last.1 >= start => last.1 = last.1.max(end),
            _ => highlights.push((start, end)),
        }
    }
    highlights
}

/// Where each character begins, to count in characters and cut in bytes.
struct CharStarts {
    starts: Vec<usize>,
    end: usize,
}

impl CharStarts {
    fn of(text: &str) -> Self {
        Self { starts: text.char_indices().map(|(at, _)| at).collect(), end: text.len() }
    }

    fn count(&self) -> usize {
        self.starts.len()
    }

    fn forward(&self, byte: usize, chars: usize) -> usize {
        let index = self.starts.partition_point(|start| *start < byte);
        self.starts.get(index + chars).copied().unwrap_or(self.end)
    }

    fn back(&self, byte: usize, chars: usize) -> usize {
        let index = self.starts.partition_point(|start| *start < byte);
        self.starts.get(index.saturating_sub(chars)).copied().unwrap_or(self.end)
    }
}

/// The first match of the window that holds most: different words first, then
/// words at all, then the earlier one.
fn densest(chars: &CharStarts, matches: &[Match]) -> Option<Span> {
    let held = |first: usize| {
        let room = SNIPPET_CHARS - LEAD_CHARS;
        let end = chars.forward(matches[first].span.start, room);
        let inside = matches[first..].iter().take_while(|found| found.span.end <= end);
        let terms: HashSet<_> = inside.clone().map(|found| found.term).collect();
        (terms.len(), inside.count())
    };
    let best = (0..matches.len()).max_by_key(|first| (held(*first), std::cmp::Reverse(*first)))?;
    Some(matches[best].span)
}

/// The beginning of the match's sentence where it is near, else of a word before.
fn lead_in(text: &str, chars: &CharStarts, found: Span) -> usize {
    let earliest = chars.back(found.start, LEAD_CHARS);
    if earliest == 0 {
        return 0;
    }
    let before = &text[earliest..found.start];
    // What stands before the first bound belongs to a sentence that began earlier.
    let inside = |at: &usize| *at > 0;
    let sentence = before.split_sentence_bound_indices().map(|(at, _)| at).filter(inside).last();
    let word = || before.split_word_bound_indices().map(|(at, _)| at).find(inside);
    earliest + sentence.or_else(word).unwrap_or(0)
}

/// The last word's end that fits. A word longer than the window is cut.
fn cut_end(text: &str, start: usize, latest: usize) -> usize {
    if latest == text.len() {
        return latest;
    }
    let bounds = text[start..].split_word_bound_indices().map(|(at, _)| start + at);
    bounds.take_while(|at| *at <= latest).last().filter(|at| *at > start).unwrap_or(latest)
}

fn trimmed(text: &str, span: Span) -> Span {
    let shown = &text[span.start..span.end];
    let start = span.start + shown.len() - shown.trim_start().len();
    Span::new(start, start + shown.trim().len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::terms::Terms;
    use rummage_store::Words;

    fn shown<'a>(text: &'a str, query: &str) -> (&'a str, Vec<(usize, usize)>) {
        let terms = Terms::of(&Words { any: query.into(), ..Words::default() });
        let matches = terms.find(text);
        let window = window(text, &matches);
        (&text[window.start..window.end], highlights(window, &matches))
    }

    #[test]
    fn a_short_passage_is_shown_whole() {
        assert_eq!(shown("  one two three\n", "two"), ("one two three", vec![(4, 7)]));
    }

    #[test]
    fn a_long_passage_is_cut_around_its_words() {
        let filler = "Nothing of note happens here. ".repeat(30);
        let text = format!("{filler}The lighthouse keeper counts ships. {filler}");
        let (snippet, highlights) = shown(&text, "ships of the lighthouse");
        assert!(snippet.starts_with("The lighthouse keeper counts ships."), "{snippet}");
        let marked: Vec<_> = highlights.iter().map(|(a, b)| &snippet[*a..*b]).collect();
        assert_eq!(marked, ["lighthouse", "ships"]);
        assert!(!snippet.ends_with(' ') && text.contains(&format!("{snippet} ")), "{snippet}");
    }

    #[test]
    fn without_a_match_the_beginning_is_shown() {
        let text = "Word after word. ".repeat(60);
        let (snippet, highlights) = shown(&text, "absent");
        assert!(text.starts_with(snippet) && highlights.is_empty());
    }

    #[test]
    fn neighbours_are_marked_together() {
        assert_eq!(shown("北京上海", "上海 北京").1, [(0, 12)]);
    }

    proptest! {
        #[test]
        fn a_snippet_is_a_marked_piece_of_its_passage(
            text in "(?s)([a-dé上海 .\n]|lorem |ipsum. ){0,300}",
            query in "[a-d上海 ]{0,10}( lorem)?",
        ) {
            let (snippet, highlights) = shown(&text, &query);
            prop_assert!(snippet.chars().count() <= SNIPPET_CHARS);
            prop_assert_eq!(snippet.trim(), snippet);
            prop_assert_eq!(snippet.is_empty(), text.trim().is_empty());
            let mut end = 0;
            for (from, to) in highlights {
                prop_assert!(from >= end && to > from);
                prop_assert!(snippet.get(from..to).is_some());
                end = to;
            }
        }

        #[test]
        fn what_matches_is_shown(before in "[ab ]{0,600}", after in "[ab ]{0,600}") {
            let text = format!("{before} lighthouse {after}");
            let (snippet, highlights) = shown(&text, "lighthouse");
            prop_assert!(snippet.contains("lighthouse"), "{}", snippet);
            prop_assert_eq!(highlights.len(), 1);
        }
    }
}
