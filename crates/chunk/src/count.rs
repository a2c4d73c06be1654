//! Where the tokens of a text begin, found once, so that the tokens of any part
//! of it are counted by two searches.

use text_splitter::ChunkSizer;

use crate::{
    Tokenizer,
    words::{WordTokens, words},
};

/// No word in any vocabulary is longer. A longer token stands for something
/// unknown (in WordPiece one token can be a whole line), which counts as several,
/// or a passage of such would have no end.
const LONGEST_TOKEN_BYTES: usize = 32;

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

/// Token starts of a text word by word, most of them from the cache. `encode`
/// gives the token spans of a word that is too long for it. Right where the tokenizer
/// itself cuts at white space and at each mark of ASCII punctuation.
pub(crate) fn starts_by_word(
    text: &str,
    tokens: &mut WordTokens,
    encode: impl Fn(&str) -> Vec<(usize, usize)>,
) -> Vec<u32> {
    let mut starts = Vec::with_capacity(text.len() / 4);
    for (at, word) in words(text) {
        match tokens.of(word) {
            Some(ids) => {
                let count = ids.len();
                starts.extend((0..count).map(|nth| (at + nth * word.len() / count) as u32));
            }
            None => push_starts(&mut starts, at, encode(word)),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tokenizer::testing::tokenizer;

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
