//! Rich Text Format to text. Its control words are few that matter; letters come
//! as bytes in the code page of their font, or as numbers of UTF-16.

mod codepage;
mod token;

use std::collections::HashMap;

use encoding_rs::Encoding;
use rummage_corpus::Document;

use crate::page::{Break, Page};
use token::{Token, Tokens};

/// RTF always gives a document: what is no control word is text.
pub(crate) fn read(bytes: &[u8]) -> Document {
    let mut reader = Reader::new();
    for token in Tokens::new(bytes) {
        reader.take(token);
    }
    reader.write_bytes();
    reader.page.finish()
}

/// What a group inherits and its end takes back.
#[derive(Clone)]
struct State {
    place: Place,
    hidden: bool,
    encoding: &'static Encoding,
    /// Letters for older programs behind each number.
    fallback: usize,
    in_table: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Title,
    Fonts,
    /// Colours, styles, pictures: nothing that is read.
    Unseen,
}

struct Reader {
    page: Page,
    state: State,
    outer: Vec<State>,
    /// The encoding of each font that names a character set.
    fonts: HashMap<i32, &'static Encoding>,
    font: i32,
    /// Letters of the current encoding; some take several bytes.
    bytes: Vec<u8>,
    /// Halves of a letter in UTF-16.
    units: Vec<u16>,
    /// Letters to pass over, since a number stood for them.
    skip: usize,
    /// The next control word names a destination that need not be known.
    optional: bool,
}

impl Reader {
    fn new() -> Self {
        Self {
            page: Page::default(),
            state: State {
                place: Place::Text,
                hidden: false,
                encoding: encoding_rs::WINDOWS_1252,
                fallback: 1,
                in_table: false,
            },
            outer: Vec::new(),
            fonts: HashMap::new(),
            font: 0,
            bytes: Vec::new(),
            units: Vec::new(),
            skip: 0,
            optional: false,
        }
    }

    fn take(&mut self, token: Token<'_>) {
        match token {
            Token::Byte(_) if self.skip > 0 => self.skip -= 1,
            Token::Byte(byte) => {
                self.write_units();
                self.bytes.push(byte);
            }
            Token::Open => {
                self.write_bytes();
                self.skip = 0;
                self.outer.push(self.state.clone());
            }
            Token::Close => {
                self.write_bytes();
                self.skip = 0;
                if let Some(state) = self.outer.pop() {
                    if self.state.place == Place::Title && state.place != Place::Title {
                        self.page.close_title();
                    }
                    self.state = state;
                }
            }
            Token::Optional => self.optional = true,
            Token::Word("u", Some(unit)) => {
                self.write_letters();
                // Written as a signed number of 16 bits.
                self.units.push(unit as u16);
                self.skip = self.state.fallback;
                return;
            }
            Token::Word(word, number) => {
                self.write_bytes();
                self.word(word, number);
            }
        }
        self.optional &= matches!(token, Token::Optional);
    }

    fn word(&mut self, word: &str, number: Option<i32>) {
        let on = number != Some(0);
        match word {
            "fonttbl" => self.state.place = Place::Fonts,
            "info" | "stylesheet" | "colortbl" | "pict" | "filetbl" | "listtable" | "objdata"
            | "fldinst" | "bkmkstart" | "bkmkend" | "datafield" | "revtbl" | "xe" | "tc" => {
                self.state.place = Place::Unseen;
            }
            "title" if self.state.place == Place::Unseen => self.state.place = Place::Title,
            "shppict" | "shptxt" | "footnote" | "annotation" | "ud" if self.optional => {}
            _ if self.optional => self.state.place = Place::Unseen,
            "f" => {
                self.font = number.unwrap_or(0);
                if let Some(encoding) = self.fonts.get(&self.font) {
                    self.state.encoding = encoding;
                }
            }
            "fcharset" if self.state.place == Place::Fonts => {
                if let Some(encoding) = codepage::of_charset(number.unwrap_or(0)) {
                    self.fonts.insert(self.font, encoding);
                }
            }
            "ansicpg" => self.state.encoding = codepage::of_number(number.unwrap_or(0)),
            "mac" => self.state.encoding = encoding_rs::MACINTOSH,
            "uc" => self.state.fallback = number.unwrap_or(1).clamp(0, 8) as usize,
            "v" => self.state.hidden = on,
            "intbl" => self.state.in_table = true,
            "pard" => self.state.in_table = false,
            _ if self.state.place == Place::Text => self.layout(word, number),
            _ => {}
        }
    }

    /// What stands for white space, or for a letter.
    fn layout(&mut self, word: &str, number: Option<i32>) {
        let break_ = match word {
            "par" if self.state.in_table => Break::Line,
            "par" | "sect" | "page" => {
                self.page.close_heading();
                Break::Paragraph
            }
            "line" => Break::Line,
            "tab" | "cell" | "nestcell" => Break::Cell,
            "row" | "nestrow" => Break::Line,
            "outlinelevel" => {
                return self.page.open_heading((number.unwrap_or(0).clamp(0, 5) + 1) as u8);
            }
            _ => {
                let sign = match word {
                    "emdash" => "—",
                    "endash" => "–",
                    "lquote" => "‘",
                    "rquote" => "’",
                    "ldblquote" => "“",
                    "rdblquote" => "”",
                    "bullet" => "•",
                    "~" | "emspace" | "enspace" => " ",
                    "_" => "-",
                    _ => return,
                };
                return self.push(sign);
            }
        };
        self.page.break_at_least(break_);
    }

    fn push(&mut self, text: &str) {
        match self.state.place {
            Place::Text if !self.state.hidden => self.page.push(text),
            Place::Title => self.page.push_title(text),
            _ => {}
        }
    }

    fn write_bytes(&mut self) {
        self.write_units();
        self.write_letters();
    }

    fn write_letters(&mut self) {
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            let text = self.state.encoding.decode_without_bom_handling(&bytes).0;
            self.push(&text);
        }
    }

    fn write_units(&mut self) {
        if !self.units.is_empty() {
            let text = String::from_utf16_lossy(&std::mem::take(&mut self.units));
            self.push(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rtf: &str, expected: &str) {
        assert_eq!(read(rtf.as_bytes()).text, expected, "{rtf}");
    }

    #[test]
    fn paragraphs_and_tables_keep_their_form() {
        check(
            "{\\rtf1\\ansi One {\\b two}\\line three\\par\nfour\\tab five}",
            "One two\nthree\n\nfour\tfive",
        );
        check(
            "{\\rtf1\\trowd\\intbl a\\cell b\\cell\\row\\intbl c\\cell\\row\\pard d\\par e}",
            "a\tb\nc\nd\n\ne",
        );
    }

    #[test]
    fn letters_are_read_in_their_encoding() {
        check("{\\rtf1\\ansicpg1252 Z\\'fcrich \\emdash\\~{\\'80}}", "Zürich — €");
        check("{\\rtf1{\\fonttbl{\\f1\\fcharset204 Times;}}\\f1 \\'cc\\'e8\\'f0}", "Мир");
        check("{\\rtf1\\ansicpg932 \\'93\\'fa\\'96\\'7b}", "日本");
        check("{\\rtf1 \\u8364?\\uc0\\u-10179\\u-8704 a\\uc1\\u246\\'f6b}", "€😀aöb");
    }

    #[test]
    fn what_is_not_shown_is_left_out() {
        check(
            "{\\rtf1{\\stylesheet{\\s1 Heading;}}{\\*\\generator X;}{\\pict 0a0b}{\\v no\\v0 yes}\
             {\\field{\\*\\fldinst HYPERLINK}{\\fldrslt link}}\\bin3 xyz!}",
            "yeslink!",
        );
    }

    #[test]
    fn the_title_and_headings_are_found() {
        let document =
            read(b"{\\rtf1{\\info{\\title The guide}{\\author no}}{\\outlinelevel1 One\\par}text}");
        assert_eq!(document.title.as_deref(), Some("The guide"));
        assert_eq!((document.headings[0].level, &*document.headings[0].text), (2, "One"));
        assert_eq!(document.text, "One\n\ntext");
    }

    #[test]
    fn broken_rtf_is_read_as_far_as_it_goes() {
        check("{\\rtf1 a", "a");
        check("{\\rtf1 a}}}b\\'", "ab");
        check("{\\rtf1 \\bin99999 a", "");
        check("{\\rtf1 \\u99999999999999999999 a\\u", "a");
        assert_eq!(read("{".repeat(200_000).as_bytes()).text, "");
    }
}
