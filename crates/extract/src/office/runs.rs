//! The elements that text in DOCX and PPTX is made of. Word's and PowerPoint's
//! have the same local names: paragraphs `p`, runs of text `t`, tables `tbl`.

use std::collections::HashMap;

use crate::{
    NoText,
    page::{Break, Page},
    xml::{self, Element, Node},
};

/// The deepest heading that is told from others.
const MAX_LEVEL: u8 = 6;

/// Levels of headings by the names of paragraph styles.
pub(super) type HeadingStyles = HashMap<String, u8>;

/// Writes the text of one XML part onto the page.
pub(super) fn read(
    format: &'static str,
    bytes: &[u8],
    styles: &HeadingStyles,
    page: &mut Page,
) -> Result<(), NoText> {
    let mut runs =
        Runs { styles, page, in_text: false, unseen: 0, tables: 0, properties: 0, title: false };
    xml::walk(format, bytes, |node| match node {
        Node::Open(element) => runs.open(&element),
        Node::Text(text) => runs.text(text),
        Node::Close(name) => runs.close(name),
    })
}

struct Runs<'a> {
    styles: &'a HeadingStyles,
    page: &'a mut Page,
    in_text: bool,
    /// How deep in what is not shown, or shown a second time.
    unseen: usize,
    tables: usize,
    /// How deep in a paragraph's properties, where a `tab` is a tab stop.
    properties: usize,
    /// In the shape that holds a slide's title.
    title: bool,
}

impl Runs<'_> {
    fn open(&mut self, element: &Element<'_>) {
        let name = element.name();
        if self.unseen > 0 || is_unseen(element) {
            self.unseen += usize::from(is_unseen(element));
            return;
        }
        match name {
            "t" => self.in_text = true,
            "pPr" => self.properties += 1,
            "pStyle" => {
                let style = element.attribute("val").unwrap_or_default();
                if let Some(level) = self.styles.get(&style) {
                    self.page.open_heading(*level);
                }
            }
            "outlineLvl" => {
                // From 0; 9 is body text.
                let level = element.attribute("val").and_then(|level| level.parse::<u8>().ok());
                if let Some(level @ 0..=8) = level {
                    self.page.open_heading((level + 1).min(MAX_LEVEL));
                }
            }
            "ph" => {
                let kind = element.attribute("type").unwrap_or_default();
                self.title = matches!(kind.as_str(), "title" | "ctrTitle");
            }
            "p" if self.title => self.page.open_heading(1),
            "tab" if self.properties == 0 => self.page.break_at_least(Break::Cell),
            "br" | "cr" => self.page.break_at_least(Break::Line),
            "noBreakHyphen" => self.page.push("-"),
            "tbl" => {
                self.tables += 1;
                self.page.break_at_least(Break::Paragraph);
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_text && self.unseen == 0 {
            self.page.push(text);
        }
    }

    fn close(&mut self, name: &str) {
        if UNSEEN.contains(&name) {
            self.unseen = self.unseen.saturating_sub(1);
        }
        if self.unseen > 0 {
            return;
        }
        match name {
            "t" => self.in_text = false,
            "pPr" => self.properties = self.properties.saturating_sub(1),
            "p" if self.tables > 0 => self.page.break_at_least(Break::Space),
            "p" => self.page.close_heading(),
            "tc" => self.page.break_at_least(Break::Cell),
            "tr" => self.page.break_at_least(Break::Line),
            "tbl" => {
                self.tables = self.tables.saturating_sub(1);
                self.page.break_at_least(Break::Paragraph);
            }
            "sp" => self.title = false,
            _ => {}
        }
    }
}

/// What an older program would show instead of what was shown already, and fields
/// that hold the number of a slide.
const UNSEEN: &[&str] = &["Fallback", "fld"];

fn is_unseen(element: &Element<'_>) -> bool {
    UNSEEN.contains(&element.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(xml: &str, expected: &str) {
        let mut page = Page::default();
        read("XML", format!("<x>{xml}</x>").as_bytes(), &HeadingStyles::default(), &mut page)
            .unwrap();
        assert_eq!(page.finish().text, expected, "{xml}");
    }

    #[test]
    fn paragraphs_and_tables_keep_their_form() {
        check(
            "<p><r><t>one </t></r><r><t>two</t><br/><t>three</t></r></p><p><t>four</t></p>",
            "one two\nthree\n\nfour",
        );
        check("<p><pPr><tabs><tab/></tabs></pPr><t>a</t><tab/><t>b</t></p>", "a\tb");
        check(
            "<tbl><tr><tc><p><t>a</t></p></tc><tc><p><t>b</t></p><p><t>c</t></p></tc></tr>\
             <tr><tc><p><t>d</t></p></tc></tr></tbl><p><t>e</t></p>",
            "a\tb c\nd\n\ne",
        );
    }

    #[test]
    fn what_is_shown_once_is_read_once() {
        check("<Choice><t>a</t></Choice><Fallback><p><t>a</t></p></Fallback><t>b</t>", "ab");
        check(
            "<p><fld><t>12</t></fld><instrText>PAGE</instrText><delText>x</delText><t>a</t></p>",
            "a",
        );
    }
}
