//! Where the tokens of a text begin, found once, so that the tokens of any part
//! of it are counted by two searches.

use std::collections::HashMap;

use text_splitter::ChunkSizer;

use crate::Tokenizer;

/// No word in any vocabulary is longer. A longer token stands for something
/// unknown (in WordPiece one token can be a whole line), which counts as several,
/// or a passage of such would have no end.
const LONGEST_TOKEN_BYTES: usize = 32;

/// A longer word is hardly met twice.
const LONGEST_CACHED_BYTES: usize = 48;

/// Some 4 MB; more words than a person uses, and then the cache begins anew.
const MAX_CACHED_WORDS: usize = 1 << 16;

/// The tokens of one text. It also counts those of any slice of that very text,
/// which it knows by its address.
pub(crate) struct TokenStarts<'a> {
    text: &'a str,
    tokenizer: &'a Tokenizer,
    /// Byte offsets in the text, in order.
    starts: Vec<u32>,
}

impl<'a> TokenStarts<'a> {
    /// Texts are blocks, far below 4 GiB.
    pub fn new(text: &'a str, tokenizer: &'a Tokenizer) -> Self {
        Self { text, tokenizer, starts: tokenizer.starts(text) }
    }

    /// How many tokens begin between two places of the text, in bytes.
    pub fn between(&self, start: usize, end: usize) -> usize {
        let before = |offset| self.starts.partition_point(|start| (*start as usize) < offset);
        before(end) - before(start)
    }

    /// Up to where this many tokens go that begin at `from` or behind it.
    pub fn reach(&self, from: usize, tokens: usize) -> usize {
        let before = self.starts.partition_point(|start| (*start as usize) < from);
        let end = self.starts.get(before + tokens).map_or(self.text.len(), |end| *end as usize);
        self.text.floor_char_boundary(end)
    }

    /// The beginning of the text that holds this many tokens.
    pub fn first(&self, tokens: usize) -> &'a str {
        let end = self.starts.get(tokens).map_or(self.text.len(), |start| *start as usize);
        &self.text[..self.text.floor_char_boundary(end)]
    }
}

impl ChunkSizer for TokenStarts<'_> {
    fn size(&self, part: &str) -> usize {
        let at = (part.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize);
        match at {
            Some(at) if at + part.len() <= self.text.len() => self.between(at, at + part.len()),
            _ => self.tokenizer.count(part),
        }
    }
}

/// How many tokens each word has that was met so far.
#[derive(Debug, Default)]
pub(crate) struct WordCounts(HashMap<Box<str>, u8>);

impl WordCounts {
    fn of(&mut self, word: &str, tokens: impl FnOnce() -> usize) -> usize {
        if let Some(count) = self.0.get(word) {
            return (*count).into();
        }
        if self.0.len() >= MAX_CACHED_WORDS {
            self.0.clear();
        }
        // A byte has at most a few tokens and a cached word few bytes.
        let count = u8::try_from(tokens()).unwrap_or(u8::MAX);
        self.0.insert(word.into(), count);
        count.into()
    }
}

/// Token starts of a text word by word, most of them from the cache. `encode`
/// gives the token spans of a word that is not there. Right where the tokenizer
/// itself cuts at white space and at each mark of ASCII punctuation.
pub(crate) fn starts_by_word(
    text: &str,
    counts: &mut WordCounts,
    encode: impl Fn(&str) -> Vec<(usize, usize)>,
) -> Vec<u32> {
    let mut starts = Vec::with_capacity(text.len() / 4);
    for (at, word) in words(text) {
        if word.len() == 1 && word.as_bytes()[0].is_ascii_punctuation() {
            starts.push(at as u32);
        } else if word.len() <= LONGEST_CACHED_BYTES {
            let count = counts.of(word, || encode(word).len());
            starts.extend((0..count).map(|nth| (at + nth * word.len() / count) as u32));
        } else {
            push_starts(&mut starts, at, encode(word));
        }
    }
    starts
}

/// Token starts of a text as its tokenizer gave them.
pub(crate) fn starts_of_spans(spans: Vec<(usize, usize)>) -> Vec<u32> {
    let mut starts = Vec::with_capacity(spans.len());
    push_starts(&mut starts, 0, spans);
    starts.sort_unstable();
    starts
}

fn push_starts(starts: &mut Vec<u32>, at: usize, spans: Vec<(usize, usize)>) {
    for (start, end) in spans {
        let parts = (start..end.max(start + 1)).step_by(LONGEST_TOKEN_BYTES);
        starts.extend(parts.map(|part| (at + part) as u32));
    }
}

/// Runs of other characters and single ASCII punctuation marks, with their offsets.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let in_word = |byte: &&u8| !byte.is_ascii_whitespace() && !byte.is_ascii_punctuation();
        let word_bytes = bytes[at..].iter().take_while(in_word).count();
        let start = at;
        at = bytes.len().min(start + word_bytes.max(1));
        (start < at).then(|| (start, &text[start..at]))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tokenizer::testing::tokenizer;

    #[test]
    fn words_end_at_white_space_and_punctuation() {
        let found: Vec<_> = words(" don't—say \n(é)").collect();
        assert_eq!(found, [(1, "don"), (4, "'"), (5, "t—say"), (14, "("), (15, "é"), (17, ")")]);
        assert_eq!(words(" \n").next(), None);
    }

    #[test]
    fn an_unknown_word_counts_by_its_length() {
        let text = "x".repeat(1000);
        let tokenizer = tokenizer();
        assert_eq!(tokenizer.count(&text), 1);
        assert_eq!(
            TokenStarts::new(&text, &tokenizer).size(&text),
            1000_usize.div_ceil(LONGEST_TOKEN_BYTES)
        );
    }

    #[test]
    fn starts_are_bytes() {
        assert_eq!(tokenizer().starts("é, 漢漢 one"), [0, 2, 4, 7, 11]);
        let long = "漢".repeat(20);
        let expected: Vec<u32> = (0..20).map(|nth| 3 * nth).collect();
        assert_eq!(tokenizer().starts(&long), expected);
    }

    #[test]
    fn a_text_from_elsewhere_is_counted_too() {
        let (tokenizer, text) = (tokenizer(), "one two".to_owned());
        let starts = TokenStarts::new(&text, &tokenizer);
        assert_eq!(starts.size("one two three"), 3);
        assert_eq!(starts.size(&text[4..]), 1);
        assert_eq!(starts.size(""), 0);
        assert_eq!((starts.first(1), starts.first(9)), ("one ", "one two"));
    }

    proptest! {
        #[test]
        fn the_cache_counts_as_the_tokenizer_does(text in "([a-zéß]{0,6}[ ,.\n漢—-]){0,60}") {
            let tokenizer = tokenizer();
            let starts = TokenStarts::new(&text, &tokenizer);
            prop_assert_eq!(starts.size(&text), tokenizer.count(&text));
            prop_assert!(starts.starts.is_sorted());
        }
    }
}
