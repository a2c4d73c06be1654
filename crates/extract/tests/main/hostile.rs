//! Files made to hang, to swell or to kill whatever reads them.

use rummage_corpus::SourcePath;
use rummage_extract::{NoText, extract};

use crate::seeds::{pack, pdf, pdf_of, stream};

#[track_caller]
fn check(name: &str, bytes: &[u8], expected: Result<&str, NoText>) {
    let found = extract(&SourcePath::new(name), bytes).map(|document| document.text);
    assert_eq!(found, expected.map(str::to_owned), "{name}");
}

fn is_damaged(name: &str, bytes: &[u8]) -> bool {
    matches!(extract(&SourcePath::new(name), bytes), Err(NoText::Damaged { .. }))
}

fn package(entries: &[(&str, &str)]) -> Vec<u8> {
    let entries: Vec<_> =
        entries.iter().map(|(name, text)| (*name, text.as_bytes().to_vec())).collect();
    pack(&entries)
}

#[test]
fn a_file_without_bytes_is_empty_whatever_its_name() {
    for name in ["a.pdf", "a.docx", "a.epub", "a.zip", "a.eml", "a.json", "a"] {
        check(name, b"", Err(NoText::Empty));
    }
}

#[test]
fn a_pdf_behind_a_password_is_protected() {
    let mut bytes = pdf_of(&["(One) Tj"]);
    let trailer = bytes.windows(9).rposition(|part| part == b"/Root 1 0").unwrap();
    let encryption = format!(
        "/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<{}>/U<{}>>>/ID[<00><00>]",
        "11".repeat(32),
        "22".repeat(32)
    );
    bytes.splice(trailer..trailer, encryption.bytes());
    check("a.pdf", &bytes, Err(NoText::Protected));
}

#[test]
fn a_zip_behind_a_password_is_protected() {
    let mut bytes = package(&[("a.txt", "one")]);
    // The first bit of the flags, in the entry's own head and in the directory.
    bytes[6] |= 1;
    let directory = bytes.windows(4).position(|part| part == b"PK\x01\x02").unwrap();
    bytes[directory + 8] |= 1;
    check("a.zip", &bytes, Err(NoText::Protected));
}

#[test]
fn an_office_file_behind_a_password_is_protected() {
    let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    bytes.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    check("a.docx", &bytes, Err(NoText::Protected));
}

#[test]
fn pages_have_numbers_and_their_order() {
    let bytes = pdf_of(&["(One) Tj", "(tw-) Tj 0 -14 Td (ofold) Tj", "(three) Tj"]);
    let document = extract(&SourcePath::new("a.pdf"), &bytes).unwrap();
    assert_eq!(document.text, "One\n\ntwofold\n\nthree");
    assert_eq!(document.pages, [0, 5, 14]);
}

#[test]
fn a_page_without_letters_needs_ocr() {
    let image = stream(
        "/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8",
        "x",
    );
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Count 1/Kids[3 0 R]>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>"
            .to_owned(),
        stream("", "q 9 0 0 9 0 0 cm /I Do Q"),
        image,
    ];
    check("a.pdf", &pdf(&objects, ""), Err(NoText::NeedsOcr));
    check("a.pdf", &pdf_of(&[""]), Err(NoText::Empty));
}

#[test]
fn a_pdf_whose_objects_loop_ends() {
    let catalog = "<</Type/Catalog/Pages 2 0 R>>".to_owned();
    let own_child = ["<</Type/Pages/Count 1/Kids[2 0 R]>>".to_owned()];
    let each_other = [
        "<</Type/Pages/Count 1/Kids[3 0 R]/Parent 3 0 R>>".to_owned(),
        "<</Type/Pages/Count 1/Kids[2 0 R]/Parent 2 0 R>>".to_owned(),
    ];
    let own_form = [
        "<</Type/Pages/Count 1/Kids[3 0 R]>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources 6 0 R>>".to_owned(),
        stream("", "/X Do"),
        stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources 6 0 R", "/X Do /X Do"),
        "<</XObject<</X 5 0 R>>>>".to_owned(),
    ];
    let own_length = [
        "<</Type/Pages/Count 1/Kids[3 0 R]>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/Contents 4 0 R>>".to_owned(),
        "<</Length 4 0 R>>\nstream\nBT ET\nendstream".to_owned(),
    ];
    let cases: [&[String]; 4] = [&own_child, &each_other, &own_form, &own_length];
    for (nth, rest) in cases.into_iter().enumerate() {
        let objects: Vec<_> = [catalog.clone()].into_iter().chain(rest.iter().cloned()).collect();
        let found = extract(&SourcePath::new("a.pdf"), &pdf(&objects, ""));
        assert!(found.is_err(), "{nth}: {found:?}");
    }
    let table_before_itself = pdf(std::slice::from_ref(&catalog), "/Prev 9");
    assert!(extract(&SourcePath::new("a.pdf"), &table_before_itself).is_err());
}

#[test]
fn a_hundred_thousand_pages_are_read() {
    let kids: Vec<_> = (6..100_006).map(|number| format!("{number} 0 R")).collect();
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Count 100000/Kids[{}]/Resources 5 0 R>>", kids.join(" ")),
        stream("", "BT /F 1 Tf (a) Tj ET"),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
        "<</Font<</F 4 0 R>>>>".to_owned(),
    ];
    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 3 0 R>>".to_owned();
    let objects: Vec<_> = objects.into_iter().chain(std::iter::repeat_n(page, 100_000)).collect();
    let document = extract(&SourcePath::new("a.pdf"), &pdf(&objects, "")).unwrap();
    assert_eq!(document.pages.len(), 100_000);
    assert_eq!(document.text.len(), 3 * 100_000 - 2);
}

#[test]
fn deep_nesting_is_no_danger() {
    let deep = "[".repeat(100_000);
    let objects = ["<</Type/Catalog/Pages 2 0 R>>".to_owned(), format!("<</Kids {deep}>>")];
    assert!(extract(&SourcePath::new("a.pdf"), &pdf(&objects, "")).is_err());
    let page = pdf_of(&[&format!("{deep} TJ (One) Tj")]);
    check("a.pdf", &page, Err(NoText::Empty));
    let xml = "<w:p>".repeat(100_000);
    check("a.docx", &package(&[("word/document.xml", &xml)]), Err(NoText::Empty));
    let json = format!("{{\"cells\":{deep}");
    assert!(extract(&SourcePath::new("a.ipynb"), json.as_bytes()).is_ok());
    let parts = "Content-Type: multipart/mixed; boundary=x\n\n--x\n".repeat(10_000);
    let message = format!("From: a\nSubject: b\nMIME-Version: 1.0\n{parts}");
    assert!(extract(&SourcePath::new("a.eml"), message.as_bytes()).is_ok());
}

#[test]
fn entities_are_not_expanded() {
    let entities: String =
        (1..30).map(|nth| format!("<!ENTITY e{nth} '&e{0};&e{0};'>", nth - 1)).collect();
    let xml = format!(
        "<?xml version='1.0'?><!DOCTYPE w [<!ENTITY e0 'lol'>{entities}]>\
         <w:document><w:p><w:t>One&e29;</w:t></w:p></w:document>"
    );
    check("a.docx", &package(&[("word/document.xml", &xml)]), Ok("One"));
    let xml = xml.replace("w:document", "office:d").replace("w:p", "text:p");
    let kind = ("mimetype", "application/vnd.oasis.opendocument.text");
    let odt = package(&[kind, ("content.xml", &xml.replace("w:t>", "text:span>"))]);
    check("a.odt", &odt, Ok("One"));
}

#[test]
fn a_page_that_claims_to_be_huge_is_read() {
    let far = "9".repeat(15);
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Count 4294967295/Kids[3 0 R]>>".to_owned(),
        format!(
            "<</Type/Page/MediaBox[-{far} -{far} {far} {far}]/Contents 4 0 R\
             /Resources<</Font<</F 5 0 R>>>>>>"
        ),
        stream("", &format!("BT /F {far} Tf {far} -{far} Td (One) Tj ET")),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    check("a.pdf", &pdf(&objects, ""), Ok("One"));
}

#[test]
fn one_giant_line_is_read() {
    let line = "word ".repeat(10 << 20);
    let found = extract(&SourcePath::new("a.txt"), line.as_bytes()).unwrap();
    assert_eq!(found.text.len(), line.len());
    let json = format!("[{}1]", "1,".repeat(4 << 20));
    assert!(extract(&SourcePath::new("a.json"), json.as_bytes()).is_ok());
}

#[test]
fn half_a_file_gives_what_it_holds_or_a_reason() {
    for seed in crate::seeds::all() {
        let bytes = seed.bytes();
        match extract(&SourcePath::new(seed.name()), &bytes[..bytes.len() / 2]) {
            Ok(document) => assert!(!document.text.trim().is_empty(), "{}", seed.name()),
            Err(reason) => assert!(!reason.to_string().is_empty(), "{}", seed.name()),
        }
    }
}

#[test]
fn what_is_no_more_than_its_beginning_is_damaged() {
    for (name, start) in
        [("a.pdf", "%PDF-1.7\n"), ("a.docx", "PK\x03\x04"), ("a.epub", "PK\x03\x04")]
    {
        assert!(is_damaged(name, start.as_bytes()), "{name}");
    }
}
