//! Bytes to [`Document`]: which encoding, which kind of file, what text, which
//! headings.
//!
//! Pure and synchronous. It opens no file, starts no process, keeps no state and
//! knows nothing of passages, workers or the store. Whatever the bytes are, it
//! returns: time and memory grow linearly with them and no nesting makes it recurse.

mod binary;
mod encoding;
mod html;
mod kind;
mod markdown;

use rummage_corpus::{Document, SourcePath, Structure};

use kind::Kind;

/// Raised whenever the same bytes give another answer than before, so that files
/// read by an older extractor can be read anew.
pub const VERSION: u32 = 1;

/// What the bytes of a file turned out to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extraction {
    Document(Document),
    Skipped(Skipped),
}

/// Why there is no document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// No bytes, or nothing but white space and markup.
    Empty,
    /// No text in an encoding that is known.
    Binary,
}

/// Finds the text of a file. The path only tells the kind of file; it is not opened.
///
/// The text of a UTF-8 file without a byte order mark is the file byte for byte,
/// HTML aside: there it is what a reader would see.
pub fn extract(path: &SourcePath, bytes: &[u8]) -> Extraction {
    let Some(text) = encoding::decode(bytes) else {
        return Extraction::Skipped(Skipped::Binary);
    };
    let document = match kind::of(path, &text) {
        Kind::Html => html::read(&text, path.extension().starts_with("xht")),
        Kind::Markdown => {
            let outline = markdown::outline(&text);
            Document {
                title: outline.title,
                structure: Structure::Markdown,
                text,
                headings: outline.headings,
                pages: Vec::new(),
            }
        }
        Kind::Code => plain(text, Structure::Code),
        Kind::Prose => plain(text, Structure::Prose),
    };
    if document.text.trim().is_empty() {
        Extraction::Skipped(Skipped::Empty)
    } else {
        Extraction::Document(document)
    }
}

fn plain(text: String, structure: Structure) -> Document {
    Document { title: None, structure, text, headings: Vec::new(), pages: Vec::new() }
}

/// A title or a heading on one line.
fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn document(name: &str, bytes: &[u8]) -> Document {
        match extract(&SourcePath::new(name), bytes) {
            Extraction::Document(document) => document,
            Extraction::Skipped(reason) => panic!("{name} was skipped: {reason:?}"),
        }
    }

    #[test]
    fn nothing_to_read_is_empty() {
        for (name, bytes) in [
            ("a.txt", &b""[..]),
            ("a.txt", b" \r\n\t"),
            ("a.txt", b"\xef\xbb\xbf\n"),
            ("a.html", b"<script>let a = 1</script>"),
        ] {
            let extraction = extract(&SourcePath::new(name), bytes);
            assert_eq!(extraction, Extraction::Skipped(Skipped::Empty), "{bytes:?}");
        }
    }

    #[test]
    fn a_picture_is_binary_whatever_its_name() {
        let extraction = extract(&SourcePath::new("a.txt"), b"\x89PNG\r\n\x1a\n...");
        assert_eq!(extraction, Extraction::Skipped(Skipped::Binary));
    }

    #[test]
    fn the_kind_says_how_a_text_is_built() {
        assert_eq!(document("a.md", b"# A\n\ntext").title.as_deref(), Some("A"));
        assert_eq!(document("a.md", b"# A\n\ntext").structure, Structure::Markdown);
        assert_eq!(document("a.rs", b"fn main() {}").structure, Structure::Code);
        assert_eq!(document("a.txt", b"# no heading").headings, []);
        assert_eq!(document("page", b"<!DOCTYPE html><p>seen</p>").text, "seen");
    }

    fn names() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["a.txt", "a.md", "a.html", "a.xhtml", "a.rs", "a"])
    }

    /// Bytes that lead deep into the parsers more often than plain noise does.
    fn markup() -> impl Strategy<Value = Vec<u8>> {
        let pieces = [
            "<h1>",
            "</h1>",
            "<h2",
            ">",
            "<p>",
            "<pre>",
            "\n",
            "</pre>",
            "<title>",
            "</title>",
            "<script>",
            "</script>",
            "<svg>",
            "<![CDATA[",
            "]]>",
            "<template>",
            "</template>",
            "<td>",
            "<br/>",
            "<img alt='é'>",
            "&amp;",
            "&nbsp;",
            "&#0;",
            "\0",
            "# a",
            "## ",
            "```",
            "===\n",
            "---\n",
            "title: x\n",
            "> ",
            "- ",
            "é",
            "漢字",
            " ",
            "word",
            "\u{feff}",
        ];
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..60)
            .prop_map(|pieces| pieces.concat().into_bytes())
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..400),
            "\\PC{0,200}".prop_map(String::into_bytes),
            markup(),
        ]
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer_whose_headings_lie_in_order(name in names(), bytes in bytes()) {
            if let Extraction::Document(document) = extract(&SourcePath::new(name), &bytes) {
                prop_assert!(!document.text.trim().is_empty());
                prop_assert!(document.headings.is_sorted_by_key(|heading| heading.at));
                for heading in &document.headings {
                    prop_assert!(document.text.is_char_boundary(heading.at));
                    prop_assert!(heading.at < document.text.len());
                    prop_assert!((1..=6).contains(&heading.level));
                    prop_assert!(!heading.text.is_empty());
                }
            }
        }

        #[test]
        fn a_utf8_text_comes_back_byte_for_byte(
            name in prop::sample::select(vec!["a.txt", "a.md", "a.rs", "a.csv"]),
            text in "[a-zäß漢😀 .#*\\r\\n\\t-]{0,200}[a-z]",
        ) {
            prop_assert_eq!(document(name, text.as_bytes()).text, text);
        }
    }
}
