//! A model's tokenizer, from its `tokenizer.json`. It knows no models: how many
//! tokens one reads is a number given to it.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    count::{starts_by_word, starts_of_spans},
    words::{Known, WordTokens},
};

/// What goes wrong with a tokenizer's file.
#[derive(Debug, thiserror::Error)]
pub enum ChunkError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{} is no tokenizer that can be used", path.display())]
    Tokenizer { path: PathBuf, source: tokenizers::Error },
    #[error("{} adds {special_tokens} special tokens, and the model reads {max_tokens}", path.display())]
    NoRoom { path: PathBuf, special_tokens: usize, max_tokens: usize },
}

/// Turns text into the token ids that a model reads. Clones share everything.
#[derive(Clone)]
pub struct Tokenizer(Arc<Shared>);

struct Shared {
    inner: tokenizers::Tokenizer,
    max_tokens: usize,
    /// The special tokens before a text, and behind it.
    opening: Vec<u32>,
    closing: Vec<u32>,
    /// What stands for a special token where a text holds it.
    added: Vec<String>,
    /// Whether going word by word gives what the tokenizer gives.
    by_word: bool,
    /// One for each thread at work, warm from earlier texts.
    known: Mutex<Vec<Known>>,
}

/// A text on which tokenizers differ that do not cut at white space and
/// punctuation, or that have tokens for white space.
const PROBE: &str = "The (well-known) test:\n\n\tit isn't \"new\", is it?  Na\u{ef}ve \u{2014} 3.14% \
    snake_case a=b c+d <e> $5 x|y ~z^2 `w` it... -> != :: {[#@&*/\\;]}";

/// A letter of a script (Ugaritic) that next to no vocabulary has.
const UNKNOWN: &str = "\u{10380}";

impl Tokenizer {
    /// Reads a `tokenizer.json`. What it says of cutting and padding is left out:
    /// texts are cut to `max_tokens`, special tokens included, and never padded.
    pub fn from_file(path: &Path, max_tokens: usize) -> Result<Self, ChunkError> {
        let json = std::fs::read(path)
            .map_err(|source| ChunkError::Read { path: path.to_owned(), source })?;
        Self::from_json(path, &json, max_tokens)
    }

    fn from_json(path: &Path, json: &[u8], max_tokens: usize) -> Result<Self, ChunkError> {
        let unusable = |source| ChunkError::Tokenizer { path: path.to_owned(), source };
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(unusable)?;
        inner.with_truncation(None).map_err(unusable)?.with_padding(None);
        // A vocabulary without a token for the unknown fails on the first such word.
        inner.encode_fast(UNKNOWN, false).map_err(unusable)?;

        let probe = inner.encode("a", true).map_err(unusable)?;
        let (ids, special) = (probe.get_ids(), probe.get_special_tokens_mask());
        let before = special.iter().take_while(|flag| **flag == 1).count();
        let behind = special[before..].iter().rev().take_while(|flag| **flag == 1).count();
        let (opening, closing) = (ids[..before].to_vec(), ids[ids.len() - behind..].to_vec());
        let special_tokens = opening.len() + closing.len();
        if max_tokens <= special_tokens {
            let path = path.to_owned();
            return Err(ChunkError::NoRoom { path, special_tokens, max_tokens });
        }

        let added = inner.get_added_tokens_decoder();
        // Such a one may be written in other ways than its own.
        let added_as_written = added.values().all(|token| !token.normalized)
            // They are looked for in every text.
            && added.len() <= 16;
        let added = added.into_values().map(|token| token.content).collect();
        let probe = inner.encode_fast(PROBE, false).map_err(unusable)?;
        let mut by_word = Vec::new();
        let probed = WordTokens::new(&inner, Known::new()).of_text(PROBE, usize::MAX, &mut by_word);
        let by_word = added_as_written && probed.is_some() && by_word == probe.get_ids();
        let known = Mutex::default();
        Ok(Self(Arc::new(Shared { inner, max_tokens, opening, closing, added, by_word, known })))
    }

    /// The token ids of a text, special tokens included. A text too long for the
    /// model loses its end, not its closing special tokens.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let Shared { inner, max_tokens, opening, closing, added, by_word, .. } = &*self.0;
        let by_words = || {
            (*by_word && !added.iter().any(|added| text.contains(added))).then_some(())?;
            let mut ids = opening.clone();
            // One more than there is room for, so that it is seen to be cut.
            let most = max_tokens - closing.len() + 1;
            self.with_words(|words| words.of_text(text, most, &mut ids))?;
            ids.extend(closing);
            Some(ids)
        };
        let mut ids = by_words().unwrap_or_else(|| {
            let encoding = inner.encode_fast(text, true);
            // Some tokenizers give up on some texts; an empty text they all take.
            let encoding = encoding.or_else(|_| inner.encode_fast("", true));
            encoding.map(|encoding| encoding.get_ids().to_vec()).unwrap_or_default()
        });
        if ids.len() > *max_tokens {
            ids.truncate(max_tokens - closing.len());
            ids.extend(closing);
        }
        ids
    }

    /// How many tokens a text has of its own, without special tokens and uncut.
    pub fn count(&self, text: &str) -> usize {
        self.0.inner.encode_fast(text, false).map_or(0, |encoding| encoding.len())
    }

    /// Whether a word is one token, and not put together of several.
    pub fn knows(&self, word: &str) -> bool {
        let Ok(encoding) = self.0.inner.encode_fast(word, false) else { return false };
        let &[id] = encoding.get_ids() else { return false };
        // One may stand for whatever is unknown.
        let token = self.0.inner.id_to_token(id).unwrap_or_default();
        let token = token.trim_start_matches(['▁', 'Ġ']);
        token == word || token == word.to_lowercase()
    }

    /// The most tokens that [`Tokenizer::encode`] gives.
    pub fn max_tokens(&self) -> usize {
        self.0.max_tokens
    }

    /// How many special tokens [`Tokenizer::encode`] adds to a text.
    pub fn special_tokens(&self) -> usize {
        self.0.opening.len() + self.0.closing.len()
    }

    /// Where the tokens of a text begin, as byte offsets in order.
    pub(crate) fn starts(&self, text: &str) -> Vec<u32> {
        let encode = |text: &str| spans(&self.0.inner, text);
        if !self.0.by_word {
            return starts_of_spans(encode(text));
        }
        self.with_words(|words| starts_by_word(text, words, encode))
    }

    fn with_words<T>(&self, work: impl FnOnce(&mut WordTokens) -> T) -> T {
        let known = || self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known_so_far = known().pop().unwrap_or_default();
        let mut words = WordTokens::new(&self.0.inner, known_so_far);
        let done = work(&mut words);
        known().push(words.into_known());
        done
    }
}

/// The bytes of each token; where the tokenizer gives up, of the text as one.
fn spans(tokenizer: &tokenizers::Tokenizer, text: &str) -> Vec<(usize, usize)> {
    tokenizer
        .encode(text, false)
        .map_or_else(|_| vec![(0, text.len())], |encoding| encoding.get_offsets().to_vec())
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizer").field("max_tokens", &self.0.max_tokens).finish_non_exhaustive()
    }
}

/// A tokenizer small enough to read: the words one to four, letters, marks.
#[cfg(test)]
pub(crate) mod testing {
    use serde_json::{Value, json};

    use super::*;

    pub const CLS: u32 = 1;
    pub const SEP: u32 = 2;

    pub fn json() -> Value {
        let words = ["[UNK]", "[CLS]", "[SEP]", "one", "two", "three", "four", "guide"];
        let letters = ('a'..='z').flat_map(|letter| [letter.to_string(), format!("##{letter}")]);
        let marks = ".,:;!?'\"()-#*>`_=|[]%/›—漢0123456789".chars().map(String::from);
        let vocabulary = words.map(String::from).into_iter().chain(letters).chain(marks);
        let vocabulary: serde_json::Map<_, _> =
            vocabulary.enumerate().map(|(id, word)| (word, id.into())).collect();
        json!({
            "version": "1.0",
            "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
            "padding": {"strategy": {"Fixed": 4}, "direction": "Right", "pad_to_multiple_of": null,
                        "pad_id": 0, "pad_type_id": 0, "pad_token": "[UNK]"},
            "added_tokens": [],
            "normalizer": {"type": "BertNormalizer", "clean_text": true,
                           "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                           {"Sequence": {"id": "A", "type_id": 0}},
                           {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [CLS], "tokens": ["[CLS]"]},
                                   "[SEP]": {"id": "[SEP]", "ids": [SEP], "tokens": ["[SEP]"]}}},
            "decoder": null,
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100, "vocab": vocabulary},
        })
    }

    pub fn read(json: &Value, max_tokens: usize) -> Result<Tokenizer, ChunkError> {
        let json = serde_json::to_vec(json).expect("JSON is written");
        Tokenizer::from_json(Path::new("tokenizer.json"), &json, max_tokens)
    }

    pub fn tokenizer() -> Tokenizer {
        read(&json(), 256).expect("the test tokenizer is sound")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        testing::{CLS, SEP},
        *,
    };

    #[test]
    fn what_the_file_says_of_cutting_and_padding_is_left_out() {
        let tokenizer = testing::tokenizer();
        assert_eq!(tokenizer.encode("One two, three four"), [CLS, 3, 4, 61, 5, 6, SEP]);
        assert_eq!(tokenizer.encode(""), [CLS, SEP]);
        assert_eq!((tokenizer.count("one two"), tokenizer.special_tokens()), (2, 2));
    }

    #[test]
    fn a_long_text_keeps_its_closing_token() {
        let tokenizer = testing::read(&testing::json(), 5).unwrap();
        assert_eq!(tokenizer.encode("one two three four one"), [CLS, 3, 4, 5, SEP]);
        assert_eq!(tokenizer.count("one two three four one"), 5);
    }

    #[test]
    fn words_of_the_vocabulary_are_known() {
        let tokenizer = testing::tokenizer();
        for word in ["one", "Two", "guide"] {
            assert!(tokenizer.knows(word), "{word}");
        }
        // Of pieces, of an unknown letter, of two words, of none.
        for word in ["onetwo", "é", "⁂", "one two", ""] {
            assert!(!tokenizer.knows(word), "{word}");
        }
    }

    #[test]
    fn a_tokenizer_with_tokens_for_white_space_is_not_counted_by_word() {
        assert!(testing::tokenizer().0.by_word);
        let mut json = testing::json();
        json["pre_tokenizer"] = serde_json::json!({
            "type": "Split", "pattern": {"Regex": "\\s+"}, "behavior": "Isolated", "invert": false
        });
        let tokenizer = testing::read(&json, 256).unwrap();
        assert!(!tokenizer.0.by_word);
        assert_eq!(tokenizer.starts("one two"), [0, 3, 4]);
    }

    /// The one of the default model, as set-up left it in the checkout.
    fn default_tokenizer() -> Tokenizer {
        let path = "../../assets/models/all-MiniLM-L6-v2/tokenizer.json";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        Tokenizer::from_file(&path, 256).expect("run `npm run setup`")
    }

    #[test]
    fn what_looks_like_a_special_token_is_taken_as_the_tokenizer_takes_it() {
        let tokenizer = default_tokenizer();
        for text in ["a [SEP] b", "[MASK]", "[sep] a", "a[CLS"] {
            let expected = tokenizer.0.inner.encode(text, true).unwrap();
            assert_eq!(tokenizer.encode(text), expected.get_ids(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn word_by_word_a_text_has_the_tokens_that_the_tokenizer_gives(
            text in any::<String>(),
            words in "([a-zA-Zéßς\u{301}漢0-9\\x00-\\x1f\u{a0}\u{ad}—\u{3000}]{0,9}[ ,.\n\\[\\]'-]){0,300}",
        ) {
            thread_local!(static TOKENIZER: Tokenizer = default_tokenizer());
            TOKENIZER.with(|tokenizer| {
                assert!(tokenizer.0.by_word);
                for text in [&text, &words] {
                    let expected = tokenizer.0.inner.encode(text.as_str(), true).unwrap();
                    let mut expected = expected.get_ids().to_vec();
                    if expected.len() > 256 {
                        expected.truncate(255);
                        expected.push(102);
                    }
                    prop_assert_eq!(tokenizer.encode(text), expected);
                }
                Ok(())
            })?;
        }
    }

    #[test]
    fn a_tokenizer_that_cannot_work_is_refused() {
        let path = Path::new("no/such/tokenizer.json");
        assert!(matches!(Tokenizer::from_file(path, 256), Err(ChunkError::Read { .. })));
        let nonsense = Tokenizer::from_json(path, b"{}", 256);
        assert!(matches!(nonsense, Err(ChunkError::Tokenizer { .. })));
        let no_room = testing::read(&testing::json(), 2);
        assert!(matches!(no_room, Err(ChunkError::NoRoom { special_tokens: 2, .. })));
        let mut json = testing::json();
        json["model"]["vocab"] = serde_json::json!({"[CLS]": 1, "[SEP]": 2, "a": 3});
        assert!(matches!(testing::read(&json, 256), Err(ChunkError::Tokenizer { .. })));
    }
}
