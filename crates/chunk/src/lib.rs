//! [`Document`] to [`Passage`]s, sized by the tokens of the model that will read
//! them.
//!
//! Pure, save for the one reading of a tokenizer's file. It knows nothing of
//! models beyond that file and a length, nor where passages go. A document is
//! tokenised once, block by block, so that time grows linearly with its length
//! and memory beside the passages stays bounded, whatever the text is.

mod block;
mod context;
mod count;
mod cut;
mod grammar;
mod tokenizer;
mod words;

use rummage_corpus::{ContentHash, Document, Passage, Span};

use context::Contexts;
use cut::Cutter;
pub use tokenizer::{ChunkError, Tokenizer};

/// Of the way texts are cut: raised when other passages come of the same text.
pub const VERSION: u32 = 4;

/// A document's passages are numbered below this; see `PassageId`.
const MAX_PASSAGES: usize = 1 << 20;

/// The context may take one token in this many.
const CONTEXT_SHARE: usize = 8;

/// How large passages are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkSize {
    /// The most tokens of a passage, its context and the model's special tokens
    /// included. No more than the model reads is ever used.
    pub tokens: usize,
    /// Tokens of a passage that the next one repeats, at most; no more than half
    /// a passage.
    pub overlap: usize,
}

impl Default for ChunkSize {
    /// 256 tokens, as far as the small sentence models were trained; no overlap.
    fn default() -> Self {
        Self { tokens: 256, overlap: 0 }
    }
}

/// Cuts a document where its structure suggests: between sections, paragraphs,
/// lines, sentences, words, in this order of liking; programs between functions,
/// statements, lines. Only a word that is longer than a passage is cut itself. A
/// title on a line of its own stays with the beginning of its text, a paragraph that is
/// cut leaves no rest of a few words, and no brace or attribute of a program stands alone
/// where it fits to what is beside it.
///
/// Without overlap the passages hold every character of the text that is not
/// white space exactly once, in order; a text of white space has none. The
/// exception is a text of more than 2²⁰ passages, whose rest is left out.
pub fn chunk(document: &Document, tokenizer: &Tokenizer, size: &ChunkSize) -> Vec<Passage> {
    let tokens = size.tokens.min(tokenizer.max_tokens());
    let has_context = document.title.is_some() || !document.headings.is_empty();
    let context_tokens = if has_context { tokens / CONTEXT_SHARE } else { 0 };
    let capacity = tokens.saturating_sub(tokenizer.special_tokens() + context_tokens).max(1);
    let overlap = size.overlap.min(capacity / 2);

    let mut contexts = Contexts::new(document, tokenizer, context_tokens);
    let cutter = Cutter { document, tokenizer, capacity, overlap };
    cutter
        .spans(MAX_PASSAGES)
        .into_iter()
        .enumerate()
        .map(|(ordinal, span)| passage(document, ordinal, span, &mut contexts))
        .collect()
}

fn passage(
    document: &Document,
    ordinal: usize,
    span: Span,
    contexts: &mut Contexts<'_>,
) -> Passage {
    let text = &document.text[span.start..span.end];
    let context = contexts.of(span.start + (text.len() - text.trim_start().len()));
    let pages_begun = document.pages.partition_point(|start| *start <= span.start);
    Passage {
        // Below MAX_PASSAGES.
        ordinal: ordinal as u32,
        span,
        text: text.to_owned(),
        hash: ContentHash::of_parts([context.as_bytes(), text.as_bytes()]),
        context,
        page: (!document.pages.is_empty()).then_some(pages_begun.max(1) as u32),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rummage_corpus::{Heading, Language, Part, Structure, model_input};

    use super::*;
    use crate::tokenizer::testing::tokenizer;

    fn document(structure: Structure, text: &str) -> Document {
        Document::plain(text, structure)
    }

    fn size(tokens: usize) -> ChunkSize {
        ChunkSize { tokens, overlap: 0 }
    }

    fn texts(document: &Document, tokens: usize) -> Vec<String> {
        let passages = chunk(document, &tokenizer(), &size(tokens));
        passages.into_iter().map(|passage| passage.text).collect()
    }

    #[track_caller]
    fn check(structure: Structure, text: &str, tokens: usize, expected: &[&str]) {
        assert_eq!(texts(&document(structure, text), tokens), expected, "{text}");
    }

    /// Every character that is not white space lies in one passage, in order.
    #[track_caller]
    fn check_coverage(document: &Document, passages: &[Passage]) {
        let mut end = 0;
        for (ordinal, passage) in passages.iter().enumerate() {
            let Span { start, end: passage_end } = passage.span;
            assert_eq!(passage.ordinal as usize, ordinal);
            assert_eq!(passage.text, document.text[start..passage_end]);
            assert!(!passage.text.trim().is_empty());
            let between = &document.text[end..start];
            assert!(between.trim().is_empty(), "lost: {between:?}");
            end = passage_end;
        }
        let rest = &document.text[end..];
        assert!(rest.trim().is_empty(), "lost: {rest:?}");
    }

    #[test]
    fn a_text_that_fits_is_one_passage() {
        check(Structure::Prose, "  one two three\n", 8, &["one two three"]);
        check(Structure::Prose, " \n\t", 8, &[]);
        check(Structure::Prose, "", 8, &[]);
    }

    #[test]
    fn cuts_follow_the_structure() {
        let prose = "one two. three four.\n\none two three four.";
        check(Structure::Prose, prose, 9, &["one two. three four.", "one two three four."]);
        let sentences = "One two. Three four. One";
        check(Structure::Prose, sentences, 7, &["One two.", "Three four. One"]);
        let code = "one:\n    two\n    three\n\n    four\n    one";
        check(Structure::Code, code, 6, &["one:\n    two\n    three", "    four\n    one"]);
        let markdown = "# one\n\ntwo three\n\n## four\n\none";
        check(Structure::Markdown, markdown, 8, &["# one\n\ntwo three", "## four\n\none"]);
    }

    #[test]
    fn a_title_stays_with_its_text() {
        let sentence = "One two three four. ";
        let text = format!("One two three\n\n{}", sentence.repeat(4).trim());
        // In halves, so that no rest of a few words remains.
        let first = format!("One two three\n\n{}", sentence.repeat(2).trim());
        check(Structure::Prose, &text, 18, &[&first, sentence.repeat(2).trim()]);
        check(Structure::Markdown, &text, 18, &[&first, sentence.repeat(2).trim()]);
        // As far as there is room, if the text is longer.
        let text = format!("One two three\n{}", sentence.repeat(10).trim());
        assert_eq!(texts(&document(Structure::Prose, &text), 18)[0], first.replace("\n\n", "\n"));
        // A last line above a heading is not its title.
        let body = sentence.repeat(3);
        let text = format!("{body}\n\none\n\nTwo {body}");
        let at = text.find("Two").unwrap();
        let heading = Heading { level: 1, text: "Two".into(), at };
        let parted = Document { headings: vec![heading], ..document(Structure::Prose, &text) };
        let passages = chunk(&parted, &tokenizer(), &size(18));
        assert!(passages.iter().any(|passage| passage.span.start == at), "{passages:?}");
    }

    #[test]
    fn a_cut_paragraph_leaves_no_rest_of_a_few_words() {
        let sentence = "One two three four. ";
        let paragraph = |sentences| sentence.repeat(sentences).trim().to_owned();
        for structure in [Structure::Prose, Structure::Markdown] {
            // Four sentences fit, so cut where they are full they would be 4 and 1.
            check(structure, &paragraph(5), 22, &[&paragraph(3), &paragraph(2)]);
            // A paragraph of its own stays one, however short.
            let text = format!("{}\n\n{}", paragraph(4), paragraph(1));
            check(structure, &text, 22, &[&paragraph(4), &paragraph(1)]);
            // As does what lies behind it.
            let text = format!("{}\n\n{}", paragraph(9), paragraph(4));
            let [four, three, two] = [4, 3, 2].map(paragraph);
            check(structure, &text, 22, &[&four, &three, &two, &four]);
        }
    }

    #[test]
    fn programs_are_cut_between_their_functions() {
        let function = |name| format!("fn {name}() {{\n    one();\n\n    two();\n}}");
        let text = ["one", "two", "three"].map(function).join("\n\n");
        let functions = ["one", "two", "three"].map(function);
        let expected = functions.each_ref().map(String::as_str);
        check(Structure::Source(Language::Rust), &text, 22, &expected);
    }

    #[test]
    fn no_scrap_of_a_program_stands_alone() {
        let calls = "    one();\n    two();\n    three();\n    four();\n";
        let text = format!("#[test]\nfn one() {{\n{}}}\n\nfn two() {{}}\n", calls.repeat(8));
        let document = document(Structure::Source(Language::Rust), &text);
        for tokens in [24, 32, 48] {
            let passages = chunk(&document, &tokenizer(), &size(tokens));
            check_coverage(&document, &passages);
            assert!(passages.len() > 2, "{passages:?}");
            for Passage { text, .. } in &passages {
                assert!(!["#[test]", "{", "}"].contains(&text.trim()), "{passages:?}");
            }
        }
    }

    #[test]
    fn every_language_has_its_grammar() {
        let code = "a = 1\n\nb = 2\n".repeat(20);
        for language in LANGUAGES {
            let document = document(Structure::Source(language), &code);
            let passages = chunk(&document, &tokenizer(), &size(16));
            assert!(passages.len() > 1, "{language:?}");
            check_coverage(&document, &passages);
        }
    }

    const LANGUAGES: [Language; 13] = [
        Language::Bash,
        Language::C,
        Language::CSharp,
        Language::Cpp,
        Language::Go,
        Language::Java,
        Language::JavaScript,
        Language::Php,
        Language::Python,
        Language::Ruby,
        Language::Rust,
        Language::Tsx,
        Language::TypeScript,
    ];

    #[test]
    fn no_passage_lies_across_two_parts() {
        let parts = vec![Part { at: 9, structure: Structure::Markdown }];
        let document = Document { parts, ..document(Structure::Prose, "one two\n\n# three") };
        let passages = chunk(&document, &tokenizer(), &size(100));
        let texts: Vec<_> = passages.iter().map(|passage| passage.text.as_str()).collect();
        assert_eq!(texts, ["one two", "# three"]);
        check_coverage(&document, &passages);
    }

    #[test]
    fn a_word_longer_than_a_passage_is_cut_and_kept() {
        let document = document(Structure::Prose, &"x".repeat(5000));
        let passages = chunk(&document, &tokenizer(), &size(16));
        assert!(passages.len() > 1);
        check_coverage(&document, &passages);
    }

    #[test]
    fn a_long_line_is_cut_into_passages_of_bounded_length() {
        let cases = ["one two three four ", "onetwothree", "one, ", "é", "one\n"];
        for piece in cases {
            let document = document(Structure::Prose, &piece.repeat(1_000_000 / piece.len()));
            let passages = chunk(&document, &tokenizer(), &ChunkSize::default());
            check_coverage(&document, &passages);
            assert!(passages.iter().all(|passage| passage.span.len() <= 10_000), "{piece}");
        }
    }

    #[test]
    fn the_context_names_the_sections_above_a_passage() {
        let body = ["four"; 14].join(" ");
        let text = format!("# one\n\ntwo\n\n## three\n\n{body}\n\ntwo two two two");
        let heading = |level, text: &str, at| Heading { level, text: text.into(), at };
        let markdown = Document {
            title: Some("one".into()),
            headings: vec![heading(1, "one", 0), heading(2, "three", 12)],
            ..document(Structure::Markdown, &text)
        };
        let passages = chunk(&markdown, &tokenizer(), &size(24));
        let found: Vec<_> =
            passages.iter().map(|p| (p.context.as_str(), p.text.as_str())).collect();
        let second = format!("## three\n\n{body}");
        assert_eq!(
            found,
            [("", "# one\n\ntwo"), ("one", &second), ("one › three", "two two two two")]
        );
        let parts = ["one › three".as_bytes(), b"two two two two"];
        assert_eq!(passages[2].hash, ContentHash::of_parts(parts));
    }

    #[test]
    fn a_passage_knows_its_page() {
        let pages = vec![0, 8];
        let document = Document { pages, ..document(Structure::Prose, "one two\nthree four") };
        let passages = chunk(&document, &tokenizer(), &size(4));
        assert_eq!(
            passages.iter().map(|passage| passage.page).collect::<Vec<_>>(),
            [Some(1), Some(2)]
        );
    }

    #[test]
    fn overlap_repeats_the_end_of_a_passage() {
        let document = document(Structure::Prose, "one two three four one two three four");
        let passages = chunk(&document, &tokenizer(), &ChunkSize { tokens: 6, overlap: 1 });
        assert!(passages.len() > 2);
        for pair in passages.windows(2) {
            assert!(pair[1].span.start < pair[0].span.end, "{pair:?}");
        }
    }

    fn structures() -> impl Strategy<Value = Structure> {
        let source = prop::sample::select(LANGUAGES.to_vec()).prop_map(Structure::Source);
        let plain = vec![Structure::Prose, Structure::Markdown, Structure::Code];
        prop_oneof![3 => prop::sample::select(plain), 1 => source]
    }

    proptest! {
        #[test]
        fn no_text_is_lost(structure in structures(), text in "\\PC{0,300}", tokens in 0usize..40) {
            let document = document(structure, &text);
            check_coverage(&document, &chunk(&document, &tokenizer(), &size(tokens)));
        }

        #[test]
        fn no_markup_is_lost(
            structure in structures(),
            text in "([#>*`_|=-]{1,3} ?|[a-f]{1,6}[ .,]|\r?\n(    |\t)?|\n\n|é漢|\\[a\\]\\(b\\)){0,80}",
            tokens in 4usize..40,
        ) {
            let document = document(structure, &text);
            check_coverage(&document, &chunk(&document, &tokenizer(), &size(tokens)));
        }

        #[test]
        fn the_model_reads_every_passage_whole(
            structure in structures(),
            title in prop::option::of("[a-f]{1,5}( [a-f]{1,5}){0,9}"),
            text in "([a-f]{1,5}[ .,]?[ \n]){1,200}",
            tokens in 16usize..60,
        ) {
            let tokenizer = tokenizer();
            let document = Document { title, ..document(structure, &text) };
            for passage in chunk(&document, &tokenizer, &size(tokens)) {
                let input = model_input(&passage.context, &passage.text);
                prop_assert!(tokenizer.count(&input) + tokenizer.special_tokens() <= tokens);
            }
        }
    }
}
