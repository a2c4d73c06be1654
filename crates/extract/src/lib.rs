//! Bytes to [`Document`]: which format, which encoding, what text, which headings
//! and pages.
//!
//! Synchronous, and pure but for the clock. It opens no file, starts no process, keeps
//! no state and knows nothing of passages, workers or the store; who reads letters in
//! pictures for it, its caller says. Its own readers take time and
//! memory that grow linearly with the bytes, and no nesting makes them recurse; a
//! library's reader may panic or worse, which is why this runs in a worker.

mod archive;
mod binary;
mod encoding;
mod epub;
mod format;
mod html;
mod joined;
mod json;
mod kind;
mod mail;
mod markdown;
mod notebook;
mod office;
mod package;
mod page;
mod pdf;
mod prose;
mod rtf;
mod table;
mod xml;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use rummage_corpus::{Caveat, Document, SourcePath, Structure};

use format::Format;
use kind::Kind;
use package::Budget;
use page::Page;

/// Raised whenever the same bytes give another answer than before, so that files
/// read by an older extractor can be read anew.
pub const VERSION: u32 = 4;

/// Why a file gives no document. None of these is a fault of the program: they are
/// what is to be said of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoText {
    /// No bytes, or nothing but white space and markup.
    #[error("it holds no text")]
    Empty,
    /// No format and no encoding that is known.
    #[error("its contents are not text that can be read")]
    Binary,
    /// An image, or pages that are images.
    #[error("no text: needs OCR")]
    NeedsOcr,
    /// The same, in a format that [`Eyes`] are not shown.
    #[error("no text: needs OCR, which does not read pictures in this format")]
    OtherPicture,
    /// Whoever was to read the letters in its pictures could not.
    #[error("the letters in it could not be recognised: {reason}")]
    Unrecognised { reason: String },
    #[error("it is protected by a password")]
    Protected,
    #[error("what is packed in it is larger than {limit} bytes")]
    UnpacksTooLarge { limit: u64 },
    /// It begins as `format` does, and then is none.
    #[error("this {format} is damaged: {reason}")]
    Damaged { format: &'static str, reason: String },
}

/// Whether a file lies on the disk or in another file. Archives in archives and
/// what is attached to attached messages stay shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    File,
    Inside,
}

/// Finds the text of a file. What the bytes are decides; the path tells the kind of
/// plain text, and is not opened.
///
/// The text of a UTF-8 file without a byte order mark is the file byte for byte,
/// save for formats in which that is not what a reader would see: HTML, notebooks,
/// JSON with escaped letters.
pub fn extract(path: &SourcePath, bytes: &[u8]) -> Result<Document, NoText> {
    extract_with(path, bytes, Means::default())
}

/// What extraction may use.
#[derive(Clone, Copy, Default)]
pub struct Means<'a> {
    /// Who reads the letters of a file that is a picture, or of pages that are.
    pub eyes: Option<&'a dyn Eyes>,
    /// What can be read page by page is read no longer than that. The document says
    /// how far it goes.
    pub until: Option<Instant>,
}

/// Optical character recognition.
pub trait Eyes {
    /// The text in a picture, in lines: PNG, JPEG, TIFF, GIF, WebP, BMP, JPEG 2000 or
    /// PNM by its first bytes. An error is in words for people, to follow on a colon.
    fn read(&self, picture: &[u8]) -> Result<String, String>;
}

/// As [`extract`], with more means. What lies in archives and messages is read
/// without them.
pub fn extract_with(path: &SourcePath, bytes: &[u8], means: Means<'_>) -> Result<Document, NoText> {
    read(path, bytes, Depth::File, &Budget::new(), means)
}

fn read(
    path: &SourcePath,
    bytes: &[u8],
    depth: Depth,
    budget: &Budget,
    means: Means<'_>,
) -> Result<Document, NoText> {
    let document = match format::of(path, bytes) {
        Format::Pdf => pdf::read(bytes, means)?,
        Format::Docx => office::read_docx(bytes, budget)?,
        Format::Pptx => office::read_pptx(bytes, budget)?,
        Format::Xlsx => office::read_xlsx(bytes, budget)?,
        Format::Xlsb => office::read_xlsb(bytes, budget)?,
        Format::Xls => office::read_xls(bytes)?,
        Format::Odf => office::read_odf(bytes, budget)?,
        Format::Epub => epub::read(bytes, budget)?,
        Format::Rtf => rtf::read(bytes),
        Format::Message => mail::read_message(bytes, depth, budget)?,
        Format::Mailbox => mail::read_mailbox(bytes, depth, budget)?,
        Format::Zip | Format::Tar | Format::Gzip if depth == Depth::Inside => {
            return Err(NoText::Binary);
        }
        Format::Zip => archive::read_zip(path, bytes, budget)?,
        Format::Tar => archive::read_tar(bytes, budget)?,
        Format::Gzip => archive::read_gzip(path, bytes, budget)?,
        Format::Image => picture(bytes, means.eyes)?,
        Format::OtherImage => return Err(NoText::OtherPicture),
        Format::Protected => return Err(NoText::Protected),
        Format::Text => read_text(path, bytes)?,
    };
    if document.text.trim().is_empty() { Err(NoText::Empty) } else { Ok(document) }
}

/// The text in a picture, as one page.
fn picture(bytes: &[u8], eyes: Option<&dyn Eyes>) -> Result<Document, NoText> {
    let eyes = eyes.ok_or(NoText::NeedsOcr)?;
    let text = eyes.read(bytes).map_err(|reason| NoText::Unrecognised { reason })?;
    let mut page = Page::default();
    page.push_lines(&text);
    Ok(Document { caveats: vec![Caveat::Recognised { pages: 1 }], ..page.finish() })
}

fn read_text(path: &SourcePath, bytes: &[u8]) -> Result<Document, NoText> {
    let text = encoding::decode(bytes).ok_or(NoText::Binary)?;
    Ok(match kind::of(path, &text) {
        Kind::Html => html::read(&text, path.extension().starts_with("xht")),
        Kind::Markdown => markdown::read(text),
        Kind::Notebook => notebook::read(text),
        Kind::Json => json::read(text),
        Kind::Table => table::read(text),
        Kind::Source(language) => Document::plain(text, Structure::Source(language)),
        Kind::Code => Document::plain(text, Structure::Code),
        Kind::Prose => prose::read(text),
    })
}

/// Runs a library's reader. One that panics says as much as one that fails: a
/// spoiled file has led it where its makers have not been.
fn guarded<T>(format: &'static str, read: impl FnOnce() -> Result<T, NoText>) -> Result<T, NoText> {
    // What a reader has half-changed is dropped with it.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(NoText::Damaged { format, reason: "its parser gave up".to_owned() })
    })
}

/// A title or a heading on one line.
fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rummage_corpus::Language;

    use super::*;

    fn document(name: &str, bytes: &[u8]) -> Document {
        extract(&SourcePath::new(name), bytes).unwrap_or_else(|reason| panic!("{name}: {reason}"))
    }

    #[test]
    fn nothing_to_read_is_empty() {
        for (name, bytes) in [
            ("a.txt", &b""[..]),
            ("a.txt", b" \r\n\t"),
            ("a.txt", b"\xef\xbb\xbf\n"),
            ("a.html", b"<script>let a = 1</script>"),
        ] {
            assert_eq!(extract(&SourcePath::new(name), bytes), Err(NoText::Empty), "{bytes:?}");
        }
    }

    #[test]
    fn a_picture_needs_ocr_whatever_its_name() {
        let picture = extract(&SourcePath::new("a.txt"), b"\x89PNG\r\n\x1a\n...");
        assert_eq!(picture, Err(NoText::NeedsOcr));
        let other = extract(&SourcePath::new("a.txt"), b"\0\0\0\x20ftypheic");
        assert_eq!(other, Err(NoText::OtherPicture));
        let film = extract(&SourcePath::new("a.txt"), b"\0\0\0\x20ftypisom");
        assert_eq!(film, Err(NoText::Binary));
    }

    #[test]
    fn the_kind_says_how_a_text_is_built() {
        assert_eq!(document("a.md", b"# A\n\ntext").title.as_deref(), Some("A"));
        assert_eq!(document("a.md", b"# A\n\ntext").structure, Structure::Markdown);
        assert_eq!(document("a.rs", b"fn main() {}").structure, Structure::Source(Language::Rust));
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
            if let Ok(document) = extract(&SourcePath::new(name), &bytes) {
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
