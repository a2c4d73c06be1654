//! Pictures of letters, read by eyes that see what a test wants them to, and documents
//! that say what they lack.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use rummage_corpus::{Caveat, Document, SourcePath};
use rummage_extract::{Eyes, Means, NoText, extract, extract_with};

use crate::seeds::{pdf, stream};

/// Answers always the same, and keeps what it was shown.
struct Fake {
    answer: Result<String, String>,
    shown: RefCell<Vec<Vec<u8>>>,
}

impl Fake {
    fn new(answer: Result<&str, &str>) -> Self {
        let answer = answer.map(str::to_owned).map_err(str::to_owned);
        Self { answer, shown: RefCell::default() }
    }

    fn look_at(&self, bytes: &[u8]) -> Result<Document, NoText> {
        extract_with(&SourcePath::new("a"), bytes, Means { eyes: Some(self), until: None })
    }
}

impl Eyes for Fake {
    fn read(&self, picture: &[u8]) -> Result<String, String> {
        self.shown.borrow_mut().push(picture.to_vec());
        self.answer.clone()
    }
}

const TEXT: &str = "BT /F 12 Tf 9 9 Td (One) Tj ET";

/// A dot of black on a page of one inch, 72 units.
const SCAN: &str = "q 36 0 0 36 0 36 cm /I Do Q";

/// A PDF of pages with these contents, which may use a font `F` and a picture `I`.
fn pages(contents: &[&str]) -> Vec<u8> {
    let kids: Vec<_> = (0..contents.len()).map(|nth| format!("{} 0 R", 6 + 2 * nth)).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!(
            "<</Type/Pages/Count {}/Kids[{}]/Resources 3 0 R/MediaBox[0 0 72 72]>>",
            contents.len(),
            kids.join(" ")
        ),
        "<</Font<</F 4 0 R>>/XObject<</I 5 0 R>>>>".to_owned(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
        stream(
            "/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8",
            "\0",
        ),
    ];
    for (nth, contents) in contents.iter().enumerate() {
        objects.push(format!("<</Type/Page/Parent 2 0 R/Contents {} 0 R>>", 7 + 2 * nth));
        objects.push(stream("", contents));
    }
    pdf(&objects, "")
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

#[test]
fn a_picture_is_shown_as_it_is() {
    let eyes = Fake::new(Ok("Dear\nroof-\ner,\n\nit leaks.\n\x0c"));
    let document = eyes.look_at(PNG).unwrap();
    assert_eq!(document.text, "Dear\nroofer,\n\nit leaks.");
    assert_eq!(document.caveats, [Caveat::Recognised { pages: 1 }]);
    assert_eq!(*eyes.shown.borrow(), [PNG]);
}

#[test]
fn only_pages_without_letters_are_shown_and_their_text_stands_in_its_place() {
    let eyes = Fake::new(Ok("scanned"));
    let document = eyes.look_at(&pages(&[TEXT, SCAN, "", TEXT])).unwrap();
    assert_eq!(document.text, "One\n\nscanned\n\nOne");
    assert_eq!(document.pages, [0, 5, 14, 14]);
    assert_eq!(document.caveats, [Caveat::Recognised { pages: 1 }]);
    assert_eq!(eyes.shown.borrow().len(), 1);
}

#[test]
fn a_page_is_drawn_in_greys_at_300_dots_an_inch() {
    let eyes = Fake::new(Ok("scanned"));
    eyes.look_at(&pages(&[SCAN])).unwrap();
    let shown = eyes.shown.borrow();
    let head = b"P5 300 300 255\n";
    let dots = shown[0].strip_prefix(head).expect("a PGM file");
    assert_eq!(dots.len(), 300 * 300);
    let at = |x: usize, y: usize| dots[y * 300 + x];
    assert_eq!((at(20, 20), at(200, 20), at(20, 200)), (0, 255, 255));
}

#[test]
fn eyes_that_see_nothing_or_fail_are_told_apart() {
    let nothing = Fake::new(Ok(" \n"));
    assert_eq!(nothing.look_at(PNG), Err(NoText::Empty));
    assert_eq!(nothing.look_at(&pages(&[SCAN])), Err(NoText::Empty));
    let failing = Fake::new(Err("no language"));
    let reason = || NoText::Unrecognised { reason: "no language".to_owned() };
    assert_eq!(failing.look_at(PNG), Err(reason()));
    assert_eq!(failing.look_at(&pages(&[SCAN])), Err(reason()));
    let half = failing.look_at(&pages(&[TEXT, SCAN])).unwrap();
    let reason = "no language".to_owned();
    assert_eq!(half.caveats, [Caveat::Unrecognised { pages: 1, of: 2, reason }]);
}

#[test]
fn without_eyes_a_document_says_how_much_of_it_is_scanned() {
    let found = |contents: &[&str]| extract(&SourcePath::new("a"), &pages(contents));
    assert_eq!(found(&[SCAN, SCAN]), Err(NoText::NeedsOcr));
    assert_eq!(found(&[TEXT, SCAN]).unwrap().caveats, [Caveat::Scanned { pages: 1, of: 2 }]);
    assert_eq!(found(&[TEXT, ""]).unwrap().caveats, []);
}

#[test]
fn reading_ends_in_time_with_the_pages_read_so_far() {
    let read = |until| {
        let means = Means { eyes: None, until: Some(until) };
        extract_with(&SourcePath::new("a"), &pages(&[TEXT; 3]), means)
    };
    let now = Instant::now();
    assert_eq!(read(now + Duration::from_secs(600)).unwrap().caveats, []);
    // The first page is begun in any case, and not finished.
    let reason = "its first pages take too long".to_owned();
    assert_eq!(read(now), Err(NoText::Damaged { format: "PDF", reason }));
}
