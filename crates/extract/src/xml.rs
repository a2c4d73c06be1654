//! XML as a row of openings, texts and closings, each known by its local name. It
//! builds no tree and expands no entities but the five that XML itself has, so
//! neither depth nor a chain of entities costs anything.

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

use crate::{NoText, encoding};

/// One step through an XML text.
pub(crate) enum Node<'a> {
    Open(Element<'a>),
    Text(&'a str),
    /// By local name. An element that closes itself is opened and closed.
    Close(&'a str),
}

pub(crate) struct Element<'a>(&'a BytesStart<'a>);

impl Element<'_> {
    pub fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// The attribute of this local name, in whatever namespace.
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.attributes(name).next()
    }

    /// All attributes of this local name.
    pub fn attributes(&self, name: &str) -> impl Iterator<Item = String> {
        let mut attributes = self.0.attributes();
        attributes.with_checks(false);
        attributes
            .flatten()
            .filter(move |attribute| attribute.key.local_name().into_inner() == name)
            .map(|attribute| unescape(&attribute.value))
    }
}

/// Walks through `bytes`. XML that breaks off has been walked as far as it is sound.
pub(crate) fn walk(
    format: &'static str,
    bytes: &[u8],
    mut visit: impl FnMut(Node<'_>),
) -> Result<(), NoText> {
    let damaged = |reason: String| NoText::Damaged { format, reason };
    let text = encoding::decode(bytes).ok_or_else(|| damaged("its XML is no text".to_owned()))?;
    let mut reader = Reader::from_str(&text);
    reader.config_mut().allow_dangling_amp = true;
    reader.config_mut().allow_unmatched_ends = true;
    reader.config_mut().check_end_names = false;
    let mut elements = 0_usize;
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                elements += 1;
                visit(Node::Open(Element(&start)));
            }
            Ok(Event::Empty(start)) => {
                elements += 1;
                visit(Node::Open(Element(&start)));
                visit(Node::Close(start.local_name().into_inner()));
            }
            Ok(Event::End(end)) => visit(Node::Close(end.local_name().into_inner())),
            Ok(Event::Text(text)) => visit(Node::Text(&text.xml10_content())),
            Ok(Event::CData(text)) => visit(Node::Text(&text.xml10_content())),
            Ok(Event::GeneralRef(reference)) => {
                let char = reference.resolve_char_ref().ok().flatten();
                if let Some(char) = char {
                    visit(Node::Text(char.encode_utf8(&mut [0; 4])));
                } else if let Some(text) = resolve_predefined_entity(&reference.xml10_content()) {
                    visit(Node::Text(text));
                }
            }
            Ok(Event::Eof) => return Ok(()),
            Ok(_) => {}
            Err(_) if elements > 1 => return Ok(()),
            Err(error) => return Err(damaged(format!("its XML is broken: {error}"))),
        }
    }
}

fn unescape(value: &str) -> String {
    quick_xml::escape::unescape(value).map_or_else(|_| value.to_owned(), |value| value.into_owned())
}

/// The text of the first element of this name, on one line; for small texts such
/// as a document's title.
pub(crate) fn first_text(format: &'static str, bytes: &[u8], name: &str) -> Option<String> {
    let mut text = String::new();
    let (mut inside, mut done) = (false, false);
    let walked = walk(format, bytes, |node| match node {
        Node::Open(element) if element.name() == name => inside = !done,
        Node::Text(part) if inside => text.push_str(part),
        Node::Close(closed) if closed == name => (inside, done) = (false, true),
        _ => {}
    });
    let text = crate::single_spaced(&text);
    walked.ok().and((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(xml: &str) -> String {
        let mut steps = String::new();
        let walked = walk("XML", xml.as_bytes(), |node| match node {
            Node::Open(element) => {
                let named = element.attribute("id").unwrap_or_default();
                steps.push_str(&format!("<{}{named}>", element.name()));
            }
            Node::Text(text) => steps.push_str(text),
            Node::Close(name) => steps.push_str(&format!("</{name}>")),
        });
        walked.map_or_else(|reason| reason.to_string(), |()| steps)
    }

    #[track_caller]
    fn check(xml: &str, expected: &str) {
        assert_eq!(steps(xml), expected, "{xml}");
    }

    #[test]
    fn names_lose_their_namespace() {
        check("<w:p w:id='7'><w:t>a</w:t><br/></w:p>", "<p7><t>a</t><br></br></p>");
    }

    #[test]
    fn entities_of_xml_are_read_and_no_others() {
        check("<a id='&lt;'>&amp;&#65;&#x42;<![CDATA[<&]]></a>", "<a<>&AB<&</a>");
        let bomb = "<!DOCTYPE a [<!ENTITY b 'xxxx'><!ENTITY c '&b;&b;'>]><a>&c;&b;</a>";
        check(bomb, "<a></a>");
    }

    #[test]
    fn broken_xml_is_read_as_far_as_it_goes() {
        check("<a><b>one</b><c", "<a><b>one</b>");
        check("<a>one</b></a></a>", "<a>one</b></a></a>");
        assert!(steps("<").contains("broken"));
    }

    #[test]
    fn depth_costs_nothing() {
        assert!(walk("XML", "<a>".repeat(200_000).as_bytes(), |_| {}).is_ok());
    }

    #[test]
    fn the_first_text_of_a_name_is_found() {
        let xml = b"<m><title> The\n guide </title><title>no</title></m>";
        assert_eq!(first_text("XML", xml, "title").as_deref(), Some("The guide"));
        assert_eq!(first_text("XML", xml, "name"), None);
    }
}
