//! OpenDocument texts, spreadsheets, presentations and drawings (ODT, ODS, ODP,
//! ODG and their templates). A slide is a page.

use rummage_corpus::Document;

use crate::{
    NoText,
    package::{Budget, Package},
    page::{Break, Page},
    xml::{self, Element, Node},
};

const FORMAT: &str = "OpenDocument file";

pub(crate) fn read(bytes: &[u8], budget: &Budget) -> Result<Document, NoText> {
    let mut package = Package::open(FORMAT, bytes, budget)?;
    let manifest = package.read_if_there("META-INF/manifest.xml")?.unwrap_or_default();
    if memchr::memmem::find(&manifest, b"encryption-data").is_some() {
        return Err(NoText::Protected);
    }
    let mut page = Page::default();
    let properties = package.read_if_there("meta.xml")?;
    if let Some(title) = properties.and_then(|bytes| xml::first_text(FORMAT, &bytes, "title")) {
        page.push_title(&title);
    }
    let mut content = Content { page, ..Content::default() };
    xml::walk(FORMAT, &package.read("content.xml")?, |node| match node {
        Node::Open(element) => content.open(&element),
        Node::Text(text) => content.text(text),
        Node::Close(name) => content.close(name),
    })?;
    Ok(content.page.finish())
}

#[derive(Default)]
struct Content {
    page: Page,
    /// How deep in paragraphs and headings: there alone is text.
    paragraphs: usize,
    /// How deep in what is not shown.
    unseen: usize,
    cells: usize,
    in_presentation: bool,
    /// In the frame that holds a slide's title.
    in_title: bool,
}

/// Deleted text that is still noted, and the signs that stand for a note.
const UNSEEN: &[&str] = &["tracked-changes", "note-citation", "scripts", "settings"];

impl Content {
    fn open(&mut self, element: &Element<'_>) {
        let name = element.name();
        if UNSEEN.contains(&name) {
            self.unseen += 1;
        }
        match name {
            "presentation" => self.in_presentation = true,
            "page" if self.in_presentation => self.page.begin_page(),
            "table" => self.page.break_at_least(Break::Paragraph),
            "note" | "annotation" => self.page.break_at_least(Break::Space),
            "table-cell" | "covered-table-cell" => self.cells += 1,
            "frame" => {
                self.in_title = element.attributes("class").any(|class| class == "title");
            }
            "h" => {
                self.paragraphs += 1;
                let level = element.attribute("outline-level").and_then(|level| level.parse().ok());
                self.page.open_heading(level.unwrap_or(1_u8).clamp(1, 6));
            }
            "p" => {
                self.paragraphs += 1;
                if self.in_title {
                    self.page.open_heading(1);
                }
            }
            "tab" => self.page.break_at_least(Break::Cell),
            "s" => self.page.break_at_least(Break::Space),
            "line-break" => self.page.break_at_least(Break::Line),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.paragraphs > 0 && self.unseen == 0 {
            self.page.push(text);
        }
    }

    fn close(&mut self, name: &str) {
        if UNSEEN.contains(&name) {
            self.unseen = self.unseen.saturating_sub(1);
        }
        match name {
            "h" | "p" => {
                self.paragraphs = self.paragraphs.saturating_sub(1);
                if self.cells > 0 {
                    self.page.break_at_least(Break::Space);
                } else {
                    self.page.close_heading();
                }
            }
            "table-cell" | "covered-table-cell" => {
                self.cells = self.cells.saturating_sub(1);
                self.page.break_at_least(Break::Cell);
            }
            "table-row" => self.page.break_at_least(Break::Line),
            "table" => self.page.break_at_least(Break::Paragraph),
            "frame" => self.in_title = false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::testing::zip;

    fn document(content: &str) -> Document {
        let bytes = zip([
            ("meta.xml", "<m><dc:title>The guide</dc:title></m>"),
            (
                "content.xml",
                &format!("<office:document-content>{content}</office:document-content>"),
            ),
        ]);
        read(&bytes, &Budget::new()).unwrap()
    }

    #[track_caller]
    fn check(content: &str, expected: &str) {
        assert_eq!(document(content).text, expected, "{content}");
    }

    #[test]
    fn texts_keep_their_form() {
        check(
            "<text:h text:outline-level='2'>One</text:h><text:p>a<text:tab/>b<text:s/>c\
             <text:line-break/><text:span>d</text:span>e</text:p><text:p>f</text:p>",
            "One\n\na\tb c\nde\n\nf",
        );
        let heading = &document("<text:h text:outline-level='2'>One</text:h>").headings[0];
        assert_eq!((heading.level, &*heading.text), (2, "One"));
        assert_eq!(document("<text:p>a</text:p>").title.as_deref(), Some("The guide"));
    }

    #[test]
    fn tables_keep_rows_and_cells() {
        check(
            "<table:table table:name='A'><table:table-row><table:table-cell><text:p>a</text:p>\
             <text:p>b</text:p></table:table-cell><table:table-cell><text:p>c</text:p></table:table-cell>\
             </table:table-row><table:table-row><table:table-cell><text:p>d</text:p></table:table-cell>\
             </table:table-row></table:table><text:p>e</text:p>",
            "a b\tc\nd\n\ne",
        );
    }

    #[test]
    fn what_was_deleted_stays_so() {
        check(
            "<text:tracked-changes><text:p>no</text:p></text:tracked-changes><text:p>a<text:note>\
             <text:note-citation>1</text:note-citation><text:note-body><text:p>note</text:p>\
             </text:note-body></text:note></text:p>",
            "a note",
        );
    }

    #[test]
    fn a_slide_is_a_page() {
        let slides = document(
            "<office:presentation><draw:page><draw:frame presentation:class='title'><text:p>One</text:p>\
             </draw:frame><draw:frame><text:p>a</text:p></draw:frame></draw:page>\
             <draw:page><text:p>b</text:p></draw:page></office:presentation>",
        );
        assert_eq!((slides.text.as_str(), &*slides.pages), ("One\n\na\n\nb", &[0, 8][..]));
        assert_eq!(slides.headings[0].text, "One");
    }

    #[test]
    fn an_encrypted_file_is_protected() {
        let manifest = "<manifest:manifest><manifest:encryption-data/></manifest:manifest>";
        let bytes = zip([("META-INF/manifest.xml", manifest), ("content.xml", "\x01\x02")]);
        assert_eq!(read(&bytes, &Budget::new()), Err(NoText::Protected));
    }
}
