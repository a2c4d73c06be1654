//! How text becomes the words of the keyword index.
//!
//! The same analysis reads passages, queries and the texts that results show,
//! so what the index found is what gets highlighted.

use lancedb::index::scalar::FtsIndexBuilder;
use rummage_corpus::Span;

/// A word as the index knows it, and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Lower case, stemmed, without accents.
    pub stem: String,
    /// Bytes of the text.
    pub span: Span,
}

/// The words of a text, in its order.
pub fn words(text: &str) -> Vec<Word> {
    let mut analyzer = index_parameters().build().expect("the parameters are constant and valid");
    let mut stream = analyzer.token_stream_for_doc(text);
    let mut words = Vec::new();
    while stream.advance() {
        let token = stream.token();
        words.push(Word {
            stem: token.text.clone(),
            span: Span::new(token.offset_from, token.offset_to),
        });
    }
    words
}

/// - Words are cut as Unicode says, with dictionaries for Chinese, Japanese and
///   the scripts of South-East Asia, and again at everything that is no letter or
///   digit, so that `snake_case` and `file.name` are found by their parts.
/// - Stop words stay, or "The Who" would be an empty query.
/// - Positions are kept, since quoted phrases need them.
///
/// Known limit: stemming comes before the accents go, so a word whose stem
/// depends on its last letters may differ from its accented form: "resume" does
/// not find "résumé".
pub(crate) fn index_parameters() -> FtsIndexBuilder {
    FtsIndexBuilder::default()
        .base_tokenizer("icu/split".to_owned())
        .stem(true)
        .remove_stop_words(false)
        .ascii_folding(true)
        .with_position(true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let stems: Vec<_> = words(text).into_iter().map(|word| word.stem).collect();
        assert_eq!(stems, expected, "{text:?}");
    }

    #[test]
    fn words_are_found_in_any_form_and_script() {
        check("Running runs, RUN!", &["run", "run", "run"]);
        check("The Who", &["the", "who"]);
        check("Zürich Zurich", &["zurich", "zurich"]);
        check("parse_config(file.rs)", &["pars", "config", "file", "rs"]);
        check("今日は世界", &["今日", "は", "世界"]);
        check("  …!? ", &[]);
    }

    proptest! {
        #[test]
        fn spans_are_in_order_and_on_character_bounds(text in ".{0,200}") {
            let mut end = 0;
            for word in words(&text) {
                prop_assert!(word.span.start >= end && word.span.end > word.span.start);
                prop_assert!(text.get(word.span.start..word.span.end).is_some());
                end = word.span.end;
            }
        }
    }
}
