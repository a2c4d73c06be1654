//! The tokens of words, each found once: a text is made of some thousands of them over and
//! over, and looking one up takes a hundredth of the time.

use std::collections::HashMap;

/// A longer word is hardly met twice.
const LONGEST_CACHED_BYTES: usize = 48;

/// Some 9 MB; more words than a person uses, and then the cache begins anew.
const MAX_CACHED_WORDS: usize = 1 << 16;

/// The token ids of each word that was met so far.
pub(crate) struct WordTokens<'a> {
    tokenizer: &'a tokenizers::Tokenizer,
    known: Known,
}

/// What is kept of it from one text to the next.
pub(crate) type Known = HashMap<Box<str>, Box<[u32]>>;

impl<'a> WordTokens<'a> {
    pub fn new(tokenizer: &'a tokenizers::Tokenizer, known: Known) -> Self {
        Self { tokenizer, known }
    }

    /// `None` for a word that is not worth keeping, or that the tokenizer gives up on.
    pub fn of(&mut self, word: &str) -> Option<&[u32]> {
        if word.len() > LONGEST_CACHED_BYTES {
            return None;
        }
        if !self.known.contains_key(word) {
            if self.known.len() >= MAX_CACHED_WORDS {
                self.known.clear();
            }
            self.known.insert(word.into(), encode(self.tokenizer, word)?.into());
        }
        self.known.get(word).map(AsRef::as_ref)
    }

    /// Those of a text, without special tokens, added to `ids` word by word until there are
    /// `most` or more. `None` where the tokenizer gives up on a word. Right where it cuts at
    /// white space and at each mark of ASCII punctuation by itself.
    pub fn of_text(&mut self, text: &str, most: usize, ids: &mut Vec<u32>) -> Option<()> {
        for (_, word) in words(text) {
            match self.of(word) {
                Some(its) => ids.extend(its),
                None => ids.extend(encode(self.tokenizer, word)?),
            }
            if ids.len() >= most {
                break;
            }
        }
        Some(())
    }

    pub fn into_known(self) -> Known {
        self.known
    }
}

/// Without special tokens. Some tokenizers give up on some texts.
fn encode(tokenizer: &tokenizers::Tokenizer, text: &str) -> Option<Vec<u32>> {
    let encoding = tokenizer.encode_fast(text, false).ok()?;
    Some(encoding.get_ids().to_vec())
}

/// Runs of other characters and single ASCII punctuation marks, with their offsets. White
/// space is what BERT takes for it: other characters of control join what is around them.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes[at..].iter().take_while(|byte| is_blank(byte)).count();
        let in_word = |byte: &&u8| !is_blank(byte) && !byte.is_ascii_punctuation();
        let word_bytes = bytes[at..].iter().take_while(in_word).count();
        let start = at;
        at = bytes.len().min(start + word_bytes.max(1));
        (start < at).then(|| (start, &text[start..at]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_white_space_and_punctuation() {
        let found: Vec<_> = words(" don't—say \n(é)").collect();
        assert_eq!(found, [(1, "don"), (4, "'"), (5, "t—say"), (14, "("), (15, "é"), (17, ")")]);
        assert_eq!(words(" \n").next(), None);
    }
}
