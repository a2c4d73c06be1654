//! Messages (EML) and mailboxes (MBOX), by mail-parser. A message is its subject,
//! a few lines of its head, its text, and the text of what is attached to it; in a
//! mailbox each message is a part of its own.

use std::{borrow::Cow, io::Cursor};

use mail_parser::{
    Address, Message, MessageParser, MimeHeaders, PartType, mailbox::mbox::MessageIterator,
};
use rummage_corpus::{Caveat, Document, SourcePath, Structure};

use crate::{Depth, Means, NoText, guarded, html, joined::Joined, package::Budget};

const FORMAT: &str = "mail message";

/// The head of a message is looked at this far.
const HEAD_BYTES: usize = 4096;

/// Lines that only a message's head has; others have a subject or a date, too.
const TELLING: &[&str] = &["received", "message-id", "mime-version", "return-path", "delivered-to"];

/// Whether the bytes begin with the head of a message. A file that is called one
/// needs to say less.
pub(crate) fn is_message(bytes: &[u8], called_so: bool) -> bool {
    let names = head_names(bytes);
    let has = |name: &str| names.iter().any(|found| found == name);
    let telling = TELLING.iter().filter(|name| has(name)).count();
    let common = ["from", "to", "subject", "date"].iter().filter(|name| has(name)).count();
    if called_so { telling + common >= 1 } else { telling >= 1 && has("from") && common >= 2 }
}

/// Whether the bytes begin as a mailbox does: a line `From …`, then a message.
pub(crate) fn is_mailbox(bytes: &[u8]) -> bool {
    bytes.starts_with(b"From ")
        && bytes.iter().position(|byte| *byte == b'\n').is_some_and(|end| {
            let names = head_names(&bytes[end + 1..]);
            names.iter().any(|name| name == "from") && names.len() >= 2
        })
}

/// The names of the lines of a head, in lower case; none where it is no head.
fn head_names(bytes: &[u8]) -> Vec<String> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let mut names = Vec::new();
    for line in head.split(|byte| *byte == b'\n') {
        if line.is_empty() || line == b"\r" {
            break;
        }
        if line[0] == b' ' || line[0] == b'\t' {
            continue;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { break };
        let name = &line[..colon];
        if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        {
            break;
        }
        names.push(String::from_utf8_lossy(name).to_ascii_lowercase());
    }
    names
}

pub(crate) fn read_message(
    bytes: &[u8],
    depth: Depth,
    budget: &Budget,
) -> Result<Document, NoText> {
    let message = parse(bytes)?;
    let title = message.subject().map(crate::single_spaced).filter(|title| !title.is_empty());
    let mut attachments = Attachments::default();
    let document = document(&message, depth, budget, &mut attachments);
    Ok(Document { title, caveats: attachments.caveats(), ..document })
}

fn parse(bytes: &[u8]) -> Result<Message<'_>, NoText> {
    guarded(FORMAT, || {
        let reason = "it has no head".to_owned();
        let message = MessageParser::default().parse(bytes);
        message.ok_or(NoText::Damaged { format: FORMAT, reason })
    })
}

pub(crate) fn read_mailbox(
    bytes: &[u8],
    depth: Depth,
    budget: &Budget,
) -> Result<Document, NoText> {
    let mut joined = Joined::default();
    let mut attachments = Attachments::default();
    // Reading from memory does not fail.
    for raw in MessageIterator::new(Cursor::new(bytes)).flatten() {
        if let Ok(message) = parse(raw.contents()) {
            joined.append(document(&message, depth, budget, &mut attachments));
        }
    }
    Ok(Document { caveats: attachments.caveats(), ..joined.finish() })
}

/// What is attached to messages, counted.
#[derive(Default)]
struct Attachments {
    all: usize,
    /// Those that hold no text to be read.
    unread: usize,
}

impl Attachments {
    fn caveats(&self) -> Vec<Caveat> {
        Caveat::unread(self.unread, self.all).into_iter().collect()
    }
}

fn document(
    message: &Message<'_>,
    depth: Depth,
    budget: &Budget,
    attachments: &mut Attachments,
) -> Document {
    let mut texts = vec![head(message)];
    texts.extend(message.text_bodies().filter_map(|part| match &part.body {
        PartType::Html(page) => Some(html::read(page, false).text),
        PartType::Text(words) => Some(words.replace("\r\n", "\n").trim_end().to_owned()),
        _ => None,
    }));
    let mut attached = Vec::new();
    for part in message.attachments() {
        let name = part.attachment_name().unwrap_or_default().to_owned();
        attachments.all += 1;
        match attachment(&name, &part.body, depth, budget, attachments) {
            Ok(document) => attached.push((name, document)),
            Err(_) => {
                attachments.unread += 1;
                if !name.is_empty() {
                    // A picture is at least found by its name.
                    texts.push(format!("Attached: {name}"));
                }
            }
        }
    }
    texts.retain(|text| !text.is_empty());
    let text = texts.join("\n\n");
    let mut joined = Joined::default();
    joined.push(1, message.subject().unwrap_or_default(), Document::plain(text, Structure::Prose));
    for (name, document) in attached {
        joined.push(2, if name.is_empty() { "Attached" } else { &name }, document);
    }
    joined.finish()
}

/// What stands above the text for a reader.
fn head(message: &Message<'_>) -> String {
    let people = |label: &str, address: Option<&Address<'_>>| {
        let names: Vec<Cow<'_, str>> = address?
            .iter()
            .filter_map(|person| match (&person.name, &person.address) {
                (Some(name), Some(address)) => Some(format!("{name} <{address}>").into()),
                (name, address) => name.clone().or_else(|| address.clone()),
            })
            .collect();
        (!names.is_empty()).then(|| format!("{label}: {}", names.join(", ")))
    };
    let date = message.date().map(|date| {
        format!(
            "Date: {:04}-{:02}-{:02} {:02}:{:02}",
            date.year, date.month, date.day, date.hour, date.minute
        )
    });
    let lines = [
        people("From", message.from()),
        people("To", message.to()),
        people("Cc", message.cc()),
        date,
    ];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn attachment(
    name: &str,
    body: &PartType<'_>,
    depth: Depth,
    budget: &Budget,
    attachments: &mut Attachments,
) -> Result<Document, NoText> {
    if depth == Depth::Inside {
        return Err(NoText::Binary);
    }
    let path = SourcePath::new(name);
    let read = |bytes: &[u8]| crate::read(&path, bytes, Depth::Inside, budget, Means::default());
    match body {
        PartType::Text(text) => read(text.as_bytes()),
        PartType::Html(page) => Ok(html::read(page, false)),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => read(bytes),
        PartType::Message(message) => Ok(document(message, Depth::Inside, budget, attachments)),
        PartType::Multipart(_) => Err(NoText::Empty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract;

    const PLAIN: &str = "From: A Person <a@example.org>\r\nTo: b@example.org\r\n\
        Date: Fri, 3 Jan 2025 10:20:00 +0000\r\nMessage-ID: <1@example.org>\r\n\
        Subject: =?utf-8?q?The_r=C3=B6of?=\r\n\r\nIt leaks.\r\nStill.\r\n";

    const HEAD: &str = "From: A Person <a@example.org>\nTo: b@example.org\nDate: 2025-01-03 10:20";

    #[track_caller]
    fn check(name: &str, bytes: &str, expected: &str) {
        let document = extract(&SourcePath::new(name), bytes.as_bytes()).unwrap();
        assert_eq!(document.text, expected, "{name}");
    }

    #[test]
    fn a_message_is_known_by_its_head() {
        assert!(is_message(PLAIN.as_bytes(), false));
        assert!(is_message(b"Subject: a\n\nb", true));
        assert!(!is_message(b"Subject: a\n\nb", false));
        assert!(!is_message(b"From: here to there\nTo: you\n\nDear", false));
        assert!(!is_message(b"no: head\nat all", false));
        assert!(!is_mailbox(b"From the beginning\nit was: so"));
    }

    #[test]
    fn a_message_is_its_subject_head_and_text() {
        check("roof", PLAIN, &format!("The röof\n\n{HEAD}\n\nIt leaks.\nStill."));
        let document = extract(&SourcePath::new("roof.eml"), PLAIN.as_bytes()).unwrap();
        assert_eq!(document.title.as_deref(), Some("The röof"));
    }

    #[test]
    fn what_is_attached_is_read() {
        let message = "Subject: Files\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n\
            --x\nContent-Type: text/html\n\n<p>See <b>below</b>.\n\
            --x\nContent-Type: text/markdown\nContent-Disposition: attachment; filename=a.md\n\n# Tiles\n\nred\n\
            --x\nContent-Type: image/png\nContent-Disposition: attachment; filename=b.png\n\
            Content-Transfer-Encoding: base64\n\niVBORw0KGgo=\n\
            --x\nContent-Type: message/rfc822\n\nSubject: Inner\nFrom: c@example.org\n\ndeep\n--x--\n";
        check(
            "files.eml",
            message,
            "Files\n\nSee below.\n\nAttached: b.png\n\na.md\n\n# Tiles\n\nred\n\nAttached\n\nInner\n\n\
             From: c@example.org\n\ndeep",
        );
    }

    #[test]
    fn each_message_of_a_mailbox_is_a_part() {
        let mailbox = format!(
            "From a@example.org Fri Jan  3 10:20:00 2025\n{PLAIN}\n\
             From a@example.org Fri Jan  3 10:21:00 2025\n{}",
            PLAIN.replace("It leaks.", ">From above.")
        );
        let document = extract(&SourcePath::new("old"), mailbox.as_bytes()).unwrap();
        let message = |words| format!("The röof\n\n{HEAD}\n\n{words}\nStill.");
        assert_eq!(document.text, [message("It leaks."), message("From above.")].join("\n\n"));
        assert_eq!(document.parts.len(), 1);
        assert!(document.text[document.parts[0].at..].starts_with("The röof"));
    }
}
