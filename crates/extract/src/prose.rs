//! Plain text that is no program. It has no marks, but one habit: a title on a line
//! of its own, and an empty line below.

use rummage_corpus::{Document, Heading, Structure};

use crate::single_spaced;

/// A longer first line is a paragraph.
const TITLE_CHARS: usize = 200;

pub(crate) fn read(text: String) -> Document {
    let title = title(&text).map(|(at, title)| Heading { level: 1, text: title, at });
    Document {
        title: title.as_ref().map(|title| title.text.clone()),
        headings: title.into_iter().collect(),
        ..Document::plain(text, Structure::Prose)
    }
}

/// The first line, where it looks like a title, and where it begins. A line that ends
/// with a comma or a colon greets somebody or begins a list.
fn title(text: &str) -> Option<(usize, String)> {
    let at = text.len() - text.trim_start().len();
    let (line, below) = text[at..].split_once('\n')?;
    let (blank, body) = below.split_once('\n')?;
    let title = single_spaced(line);
    let is_title = blank.trim().is_empty()
        && !body.trim().is_empty()
        && title.chars().any(char::is_alphanumeric)
        && title.chars().count() <= TITLE_CHARS
        && !title.ends_with([',', ':', ';', '，', '：', '、']);
    is_title.then_some((at, title))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let document = read(text.to_owned());
        assert_eq!(document.title.as_deref(), expected, "{text:?}");
        assert_eq!(document.text, text);
    }

    #[test]
    fn a_line_above_an_empty_one_is_a_title() {
        check("The harbour\n\nShips come.", Some("The harbour"));
        check("\n The  harbour \r\n\r\nShips.", Some("The harbour"));
        assert_eq!(read("\n a\n\nb".into()).headings[0].at, 2);
    }

    #[test]
    fn other_first_lines_are_text() {
        check("Ships come\nand go.\n\nThey do.", None);
        check("Dear reader,\n\nships come.", None);
        check("A line\n\n", None);
        check("A line", None);
        check("-----\n\ntext", None);
        check(&format!("{}\n\ntext", "long ".repeat(50)), None);
        check("", None);
    }
}
