//! A small sound file of each format, and ways to spoil it.

use std::io::{Cursor, Write};

use flate2::{Compression, write::GzEncoder};
use zip::{ZipWriter, write::SimpleFileOptions};

/// A file, or the entries of a package: those are spoiled before they are packed,
/// or the checksum would be all that is ever tried.
#[derive(Clone)]
pub enum Seed {
    File(&'static str, Vec<u8>),
    Package(&'static str, Vec<(&'static str, Vec<u8>)>),
}

impl Seed {
    pub fn name(&self) -> &'static str {
        match self {
            Seed::File(name, _) | Seed::Package(name, _) => name,
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Seed::File(_, bytes) => bytes.clone(),
            Seed::Package(_, entries) => pack(entries),
        }
    }

    /// The file with some of its bytes changed, moved, repeated or gone.
    pub fn spoiled(&self, chance: &mut Chance) -> Vec<u8> {
        let mut seed = self.clone();
        match &mut seed {
            Seed::Package(_, entries) if chance.below(8) > 0 => {
                let nth = chance.below(entries.len());
                spoil(&mut entries[nth].1, chance);
                seed.bytes()
            }
            _ => {
                let mut bytes = seed.bytes();
                spoil(&mut bytes, chance);
                bytes
            }
        }
    }
}

/// Numbers that look like chance and are the same each time (SplitMix64).
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % end.max(1) as u64) as usize
    }
}

/// Numbers and marks that parsers stumble over.
const TRAPS: &[&str] = &[
    "0",
    "-1",
    "255",
    "65536",
    "4294967295",
    "99999999999999999999",
    "<",
    ">",
    "</",
    "&",
    "&#0;",
    "{",
    "}",
    "\\",
    "\\bin9",
    "\\u",
    "(",
    ")",
    "<<",
    ">>",
    "[",
    "]",
    "/",
    " 0 R",
    "stream\n",
    "endobj",
    "\0",
    "\u{feff}",
    "\r\n\r\n",
    "--x",
    "=?utf-8?b?",
    "\u{10ffff}",
];

fn spoil(bytes: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..=chance.below(6) {
        let length = bytes.len();
        let at = chance.below(length + 1);
        let end = (at + chance.below(40)).min(length);
        match chance.below(7) {
            0 if at < length => bytes[at] = chance.below(256) as u8,
            1 => drop(bytes.drain(at..end)),
            2 => {
                let part = bytes[at..end].to_vec();
                let to = chance.below(length + 1);
                bytes.splice(to..to, part);
            }
            3 => {
                let part = bytes[at..end].repeat(chance.below(50));
                bytes.splice(at..at, part);
            }
            4 => bytes.truncate(at),
            _ => {
                let trap = TRAPS[chance.below(TRAPS.len())];
                bytes.splice(at..end.min(at + chance.below(3)), trap.bytes());
            }
        }
    }
}

pub fn pack(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A PDF of these objects, numbered from 1, the first of which is the catalog.
pub fn pdf(objects: &[String], trailer: &str) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (nth, object) in objects.iter().enumerate() {
        offsets.push(bytes.len());
        write!(bytes, "{} 0 obj\n{object}\nendobj\n", nth + 1).unwrap();
    }
    let start = bytes.len();
    write!(bytes, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).unwrap();
    for offset in offsets {
        writeln!(bytes, "{offset:010} 00000 n ").unwrap();
    }
    let size = objects.len() + 1;
    write!(bytes, "trailer\n<</Size {size}/Root 1 0 R{trailer}>>\nstartxref\n{start}\n%%EOF\n")
        .unwrap();
    bytes
}

pub fn stream(dictionary: &str, contents: &str) -> String {
    format!("<<{dictionary}/Length {}>>\nstream\n{contents}\nendstream", contents.len())
}

/// One page for each text.
pub fn pdf_of(texts: &[&str]) -> Vec<u8> {
    let kids: Vec<_> = (0..texts.len()).map(|nth| format!("{} 0 R", 4 + 2 * nth)).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Count {}/Kids[{}]>>", texts.len(), kids.join(" ")),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    for (nth, text) in texts.iter().enumerate() {
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {} 0 R\
             /Resources<</Font<</F 3 0 R>>>>>>",
            5 + 2 * nth
        ));
        objects.push(stream("", &format!("BT /F 12 Tf 72 700 Td {text} ET")));
    }
    pdf(&objects, "")
}

pub fn all() -> Vec<Seed> {
    let entries = |entries: &[(&'static str, &str)]| {
        entries.iter().map(|(name, text)| (*name, text.as_bytes().to_vec())).collect::<Vec<_>>()
    };
    let docx = entries(&[
        (
            "word/styles.xml",
            "<w:styles><w:style w:styleId='H'><w:name w:val='heading 1'/></w:style></w:styles>",
        ),
        (
            "word/document.xml",
            "<?xml version='1.0'?><w:document><w:p><w:pPr><w:pStyle w:val='H'/></w:pPr><w:r><w:t>Roof</w:t></w:r></w:p>\
             <w:tbl><w:tr><w:tc><w:p><w:t>a&amp;b</w:t></w:p></w:tc></w:tr></w:tbl></w:document>",
        ),
    ]);
    let pptx = entries(&[
        ("ppt/presentation.xml", "<p:p><p:sldId id='1' r:id='r1'/></p:p>"),
        ("ppt/_rels/presentation.xml.rels", "<R><Relationship Id='r1' Target='slides/s.xml'/></R>"),
        (
            "ppt/slides/s.xml",
            "<p:sld><p:sp><p:ph type='title'/><a:p><a:t>Roof</a:t></a:p></p:sp></p:sld>",
        ),
    ]);
    let xlsx = entries(&[
        (
            "_rels/.rels",
            "<Relationships><Relationship Id='r1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument' Target='xl/workbook.xml'/></Relationships>",
        ),
        (
            "xl/workbook.xml",
            "<workbook xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'>\
             <sheets><sheet name='A' sheetId='1' r:id='r1'/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships><Relationship Id='r1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet' Target='worksheets/s.xml'/></Relationships>",
        ),
        ("xl/sharedStrings.xml", "<sst><si><t>roof</t></si></sst>"),
        (
            "xl/worksheets/s.xml",
            "<worksheet><dimension ref='A1:B2'/><sheetData><row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1'><v>1.5</v></c></row></sheetData></worksheet>",
        ),
    ]);
    let odt = entries(&[
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        (
            "content.xml",
            "<office:d><text:h text:outline-level='1'>Roof</text:h><table:table><table:table-row><table:table-cell>\
             <text:p>a<text:s/>b</text:p></table:table-cell></table:table-row></table:table></office:d>",
        ),
    ]);
    let epub = entries(&[
        ("META-INF/container.xml", "<c><rootfile full-path='b.opf'/></c>"),
        (
            "b.opf",
            "<p><dc:title>Roof</dc:title><item id='a' href='a.xhtml' media-type='application/xhtml+xml'/><itemref idref='a'/></p>",
        ),
        ("a.xhtml", "<html><body><h1>One</h1><pre>two</pre></body></html>"),
    ]);
    let message = "From: a@example.org\nSubject: =?utf-8?q?R=C3=B6of?=\nMIME-Version: 1.0\n\
        Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/html\n\n<p>a\n\
        --x\nContent-Type: message/rfc822\n\nSubject: b\n\nc\n\
        --x\nContent-Disposition: attachment; filename=a.rtf\nContent-Transfer-Encoding: base64\n\ne1xydGYxIGF9\n--x--\n";
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(5);
    tar.append_data(&mut header, "notes.md", &b"# One"[..]).unwrap();
    let tar = tar.into_inner().unwrap();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&tar).unwrap();
    vec![
        Seed::File("a.pdf", pdf_of(&["(One) Tj", "[(t)-20(w)-900(o)]TJ T* (three) '"])),
        Seed::Package("a.docx", docx),
        Seed::Package("a.pptx", pptx),
        Seed::Package("a.xlsx", xlsx),
        Seed::Package("a.odt", odt),
        Seed::Package("a.epub", epub),
        Seed::File(
            "a.rtf",
            b"{\\rtf1\\ansi{\\fonttbl{\\f1\\fcharset204 A;}}\\f1 \\'cc\\u8364?{\\*\\x y}\\par b}".to_vec(),
        ),
        Seed::File("a.html", b"<title>a</title><h1>b<p>c&amp;<table><td>d<svg><![CDATA[e]]>".to_vec()),
        Seed::File("a.md", b"---\ntitle: a\n---\n# b\n\n> c\n\n```\nd\n```\n".to_vec()),
        Seed::File("a.eml", message.as_bytes().to_vec()),
        Seed::File("a.mbox", format!("From a Fri Jan  3 10:20:00 2025\n{message}").into_bytes()),
        Seed::File(
            "a.ipynb",
            br#"{"cells":[{"cell_type":"code","source":["a\n"]}],"metadata":{"kernelspec":{"language":"r"}}}"#.to_vec(),
        ),
        Seed::File("a.json", br#"{"a":["\u00e9\ud83d\ude00",{"b":1}]}"#.to_vec()),
        Seed::File("a.csv", b"name;price\nroof;1\n".to_vec()),
        Seed::Package("a.zip", entries(&[("a.txt", "one"), ("b.html", "<p>two")])),
        Seed::File("a.tar", tar),
        Seed::File("a.tgz", gzip.finish().unwrap()),
    ]
}
