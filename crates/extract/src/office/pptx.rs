//! PowerPoint presentations (PPTX and its kinds). A slide is a page.

use std::collections::HashMap;

use rummage_corpus::Document;

use super::runs::{self, HeadingStyles};
use crate::{
    NoText,
    package::{Budget, Package, resolve},
    page::{Break, Page},
    xml::{self, Node},
};

const FORMAT: &str = "PowerPoint presentation";

const PRESENTATION: &str = "ppt/presentation.xml";

pub(crate) fn read(bytes: &[u8], budget: &Budget) -> Result<Document, NoText> {
    let mut package = Package::open(FORMAT, bytes, budget)?;
    let mut page = Page::default();
    if let Some(title) = super::title(FORMAT, &mut package) {
        page.push_title(&title);
    }
    let styles = HeadingStyles::default();
    for slide in slides(&mut package)? {
        page.begin_page();
        if let Some(bytes) = package.read_if_there(&slide)? {
            runs::read(FORMAT, &bytes, &styles, &mut page)?;
        }
        for link in links(&mut package, &slide)?.into_values() {
            if link.has_text {
                page.break_at_least(Break::Paragraph);
                if let Some(bytes) = package.read_if_there(&link.target)? {
                    runs::read(FORMAT, &bytes, &styles, &mut page)?;
                }
            }
        }
    }
    Ok(page.finish())
}

/// The names of the slides' files, in the order in which they are shown.
fn slides(package: &mut Package<'_>) -> Result<Vec<String>, NoText> {
    let links = links(package, PRESENTATION)?;
    let mut slides = Vec::new();
    let presentation = package.read(PRESENTATION)?;
    xml::walk(FORMAT, &presentation, |node| {
        if let Node::Open(element) = node
            && element.name() == "sldId"
            // Its plain `id` is a number, the relation's the other one.
            && let Some(link) = element.attributes("id").find_map(|id| links.get(&id))
        {
            slides.push(link.target.clone());
        }
    })?;
    Ok(slides)
}

struct Link {
    target: String,
    /// Notes, comments and diagrams, whose text belongs to the slide.
    has_text: bool,
}

/// What a file of the package links to, by the link's name.
fn links(package: &mut Package<'_>, name: &str) -> Result<HashMap<String, Link>, NoText> {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let mut links = HashMap::new();
    let Some(bytes) = package.read_if_there(&format!("{folder}/_rels/{file}.rels"))? else {
        return Ok(links);
    };
    xml::walk(FORMAT, &bytes, |node| {
        if let Node::Open(element) = node
            && element.name() == "Relationship"
        {
            let attribute = |name| element.attribute(name).unwrap_or_default();
            let kind = attribute("Type");
            let has_text = ["/notesSlide", "/comments", "/diagramData"]
                .iter()
                .any(|ending| kind.ends_with(ending));
            let target = resolve(name, &attribute("Target"));
            links.insert(attribute("Id"), Link { target, has_text });
        }
    })?;
    Ok(links)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::testing::zip;

    #[test]
    fn slides_are_pages_in_their_order() {
        let slide = |title: &str, text: &str| {
            format!(
                "<p:sld><p:sp><p:nvPr><p:ph type='title'/></p:nvPr><a:p><a:t>{title}</a:t></a:p></p:sp>\
                 <p:sp><p:nvPr><p:ph/></p:nvPr><a:p><a:t>{text}</a:t></a:p>\
                 <a:p><a:fld type='slidenum'><a:t>7</a:t></a:fld></a:p></p:sp></p:sld>"
            )
        };
        let bytes = zip([
            (
                "ppt/presentation.xml",
                "<p:presentation><p:sldIdLst><p:sldId id='256' r:id='r2'/><p:sldId id='257' r:id='r1'/>\
                 </p:sldIdLst></p:presentation>".to_owned(),
            ),
            (
                "ppt/_rels/presentation.xml.rels",
                "<R><Relationship Id='r1' Target='slides/slide1.xml'/>\
                 <Relationship Id='r2' Target='/ppt/slides/slide2.xml'/></R>".to_owned(),
            ),
            (
                "ppt/slides/_rels/slide1.xml.rels",
                "<R><Relationship Id='a' Type='x/notesSlide' Target='../notes/n.xml'/></R>".to_owned(),
            ),
            ("ppt/notes/n.xml", "<a:p><a:t>say this</a:t></a:p>".to_owned()),
            ("ppt/slides/slide1.xml", slide("Last", "end")),
            ("ppt/slides/slide2.xml", slide("First", "begin")),
        ]);
        let document = read(&bytes, &Budget::new()).unwrap();
        assert_eq!(document.text, "First\n\nbegin\n\nLast\n\nend\n\nsay this");
        assert_eq!(document.pages, [0, 14]);
        let headings: Vec<_> = document.headings.iter().map(|heading| &*heading.text).collect();
        assert_eq!(headings, ["First", "Last"]);
    }
}
