//! The tiny model's `tokenizer.json`: WordPiece over common words and single
//! characters. A word that holds another character becomes `[UNK]`, so every
//! text has its tokens.

use serde_json::{Value, json};

use crate::WORDS;

/// The first entries of the vocabulary.
pub const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const CLS: usize = 2;
const SEP: usize = 3;

/// Every token; its place is its id.
pub fn vocabulary() -> Vec<String> {
    let letters = || ('!'..='~').filter(|letter| !letter.is_ascii_uppercase());
    let inner = || letters().filter(|letter| letter.is_ascii_alphanumeric());
    SPECIAL
        .iter()
        .map(ToString::to_string)
        .chain(letters().map(String::from))
        .chain(inner().map(|letter| format!("##{letter}")))
        .chain(WORDS.iter().filter(|word| word.len() > 1).map(ToString::to_string))
        .collect()
}

/// The file, in the format of the `tokenizers` library.
pub fn json(vocabulary: &[String], max_tokens: usize) -> Value {
    let ids: serde_json::Map<_, _> =
        vocabulary.iter().enumerate().map(|(id, token)| (token.clone(), json!(id))).collect();
    let special = |id: usize| {
        json!({ "id": id, "content": SPECIAL[id], "special": true, "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false })
    };
    let piece = |id: usize| json!({ "SpecialToken": { "id": SPECIAL[id], "type_id": 0 } });
    let text = |name: &str| json!({ "Sequence": { "id": name, "type_id": 0 } });
    let entry = |id: usize| json!({ "id": SPECIAL[id], "ids": [id], "tokens": [SPECIAL[id]] });
    json!({
        "version": "1.0",
        "truncation": { "direction": "Right", "max_length": max_tokens,
            "strategy": "LongestFirst", "stride": 0 },
        "padding": null,
        "added_tokens": (0..SPECIAL.len()).map(special).collect::<Vec<_>>(),
        "normalizer": { "type": "BertNormalizer", "clean_text": true,
            "handle_chinese_chars": true, "strip_accents": null, "lowercase": true },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [piece(CLS), text("A"), piece(SEP)],
            "pair": [piece(CLS), text("A"), piece(SEP), text("B"), piece(SEP)],
            "special_tokens": { "[CLS]": entry(CLS), "[SEP]": entry(SEP) },
        },
        "decoder": { "type": "WordPiece", "prefix": "##", "cleanup": true },
        "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": ids },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_token_has_one_id() {
        let vocabulary = vocabulary();
        assert_eq!(vocabulary.iter().collect::<HashSet<_>>().len(), vocabulary.len());
        assert_eq!(vocabulary[CLS], "[CLS]");
        assert_eq!(vocabulary[SEP], "[SEP]");
        assert!(vocabulary.contains(&"##z".to_owned()) && vocabulary.contains(&"~".to_owned()));
    }
}
