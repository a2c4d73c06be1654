//! PDF to text, page by page. hayro interprets the pages and names each glyph's
//! letter and place; which letters make words, lines and paragraphs is decided in
//! [`layout`]. A page without letters is drawn as a [`picture`] for whoever can read
//! those; otherwise pictures are never decoded.

mod layout;
mod picture;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Instant,
};

use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, SoftMask,
    font::{Glyph as Shape, GlyphRun},
    hayro_cmap::{BfString, WritingMode},
    hayro_syntax::{DecryptionError, LoadPdfError, Pdf, page::Page as PdfPage},
    interpret_page,
    kurbo::{Affine, BezPath, Point, Rect},
};
use rummage_corpus::{Caveat, Document};

use crate::{Means, NoText, encoding, guarded, package::MAX_UNPACKED_BYTES, page::Page};
use layout::{Glyph, Layout};

const FORMAT: &str = "PDF";

/// Strokes, texts and pictures of one page, each counted by how deep it lies in
/// others. Detailed maps have some hundred thousand.
const MAX_DRAWN: usize = 2_000_000;

/// Text of more than this many bytes in one file is made by a machine for machines.
const MAX_TEXT_BYTES: usize = 64 << 20;

pub(crate) fn read(bytes: &[u8], means: Means<'_>) -> Result<Document, NoText> {
    let pdf = guarded(FORMAT, || {
        Pdf::new(bytes.to_vec()).map_err(|error| match error {
            LoadPdfError::Decryption(DecryptionError::PasswordProtected) => NoText::Protected,
            LoadPdfError::Decryption(_) => damaged("it is encrypted in a way that is not known"),
            LoadPdfError::Invalid => damaged("it is cut off, or no PDF after all"),
        })
    })?;
    let mut page = Page::default();
    if let Some(title) = pdf.metadata().title.as_deref().and_then(text_string) {
        page.push_title(&title);
    }
    let mut text = Text::new(page, means.until);
    let mut pages = Pages { all: pdf.pages().len(), ..Pages::default() };
    let cache = InterpreterCache::new();
    for page in pdf.pages().iter() {
        if pages.read > 0 && is_over(means.until) {
            break;
        }
        text.begin_page();
        let is_sound = read_page(page, &cache, &mut text);
        let is_in_time = match is_sound {
            true => !text.is_scan() || pages.take_scan(page, means, &mut text.layout),
            false => !is_over(means.until),
        };
        if !is_in_time {
            break;
        }
        pages.read += 1;
        pages.damaged += usize::from(!is_sound);
        if text.layout.len() > MAX_TEXT_BYTES {
            return Err(NoText::UnpacksTooLarge { limit: MAX_UNPACKED_BYTES });
        }
    }
    pages.judge(text.layout.finish())
}

fn damaged(reason: &str) -> NoText {
    NoText::Damaged { format: FORMAT, reason: reason.to_owned() }
}

fn is_over(until: Option<Instant>) -> bool {
    until.is_some_and(|until| Instant::now() >= until)
}

/// Says whether the page is sound. One on which hayro stumbles, or that draws without
/// end, is read up to there.
fn read_page<'a>(page: &PdfPage<'a>, cache: &InterpreterCache<'a>, text: &mut Text) -> bool {
    let settings = InterpreterSettings::default();
    // Only images and clips would ask for the size of the page.
    let everywhere = Rect::new(-1e6, -1e6, 1e6, 1e6);
    let mut context = Context::new(Affine::IDENTITY, everywhere, cache, page.xref(), settings);
    // Nothing of ours is half-changed by a panic.
    catch_unwind(AssertUnwindSafe(|| interpret_page(page, &mut context, text))).is_ok()
}

/// What became of the pages.
#[derive(Default)]
struct Pages {
    all: usize,
    read: usize,
    damaged: usize,
    /// Pages whose letters are pictures, and were not read.
    scanned: usize,
    recognised: usize,
    /// Why the first of those was not.
    unrecognised: Option<String>,
}

impl Pages {
    /// `false` where only the clock kept its letters from being read.
    fn take_scan(&mut self, page: &PdfPage<'_>, means: Means<'_>, layout: &mut Layout) -> bool {
        let Some(eyes) = means.eyes else {
            self.scanned += 1;
            return true;
        };
        match picture::of(page, means.until).and_then(|picture| eyes.read(&picture)) {
            Ok(text) => {
                layout.push_lines(&text);
                self.recognised += 1;
            }
            Err(_) if is_over(means.until) => return false,
            Err(reason) => {
                self.scanned += 1;
                self.unrecognised.get_or_insert(reason);
            }
        }
        true
    }

    /// The document with what it lacks, or why it is none.
    fn judge(self, document: Document) -> Result<Document, NoText> {
        let of = self.all;
        if document.text.is_empty() {
            return Err(match self.unrecognised {
                Some(reason) => NoText::Unrecognised { reason },
                None if self.scanned > 0 => NoText::NeedsOcr,
                None if of == 0 => damaged("it has no pages"),
                None if self.damaged > 0 => damaged("its pages cannot be read"),
                None if self.read < of => damaged("its first pages take too long"),
                None => NoText::Empty,
            });
        }
        let caveats = [
            (self.read < of).then_some(Caveat::Cut { pages: self.read, of }),
            (self.damaged > 0).then_some(Caveat::Damaged { pages: self.damaged, of }),
            (self.scanned > 0).then_some(match self.unrecognised {
                Some(reason) => Caveat::Unrecognised { pages: self.scanned, of, reason },
                None => Caveat::Scanned { pages: self.scanned, of },
            }),
            (self.recognised > 0).then_some(Caveat::Recognised { pages: self.recognised }),
        ];
        Ok(Document { caveats: caveats.into_iter().flatten().collect(), ..document })
    }
}

/// A string of the document's properties: UTF-16 or UTF-8 with a mark, else Latin.
fn text_string(bytes: &[u8]) -> Option<String> {
    if bytes.starts_with(b"\xfe\xff") || bytes.starts_with(b"\xff\xfe") {
        return encoding::decode(bytes);
    }
    Some(
        String::from_utf8(bytes.to_vec())
            .unwrap_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect()),
    )
}

/// What is drawn, as far as it is letters.
struct Text {
    layout: Layout,
    /// When reading is to end.
    until: Option<Instant>,
    /// Letters on the page so far, those that show.
    letters: usize,
    /// Pictures on it, and glyphs whose letter the file does not tell.
    unnamed: usize,
    /// All that is drawn on it.
    drawn: usize,
    /// How many clips are in force: each form in a form brings one.
    depth: usize,
    /// Of letters that are drawings, how far the last ones went, smoothed.
    advance: f64,
}

impl Text {
    fn new(page: Page, until: Option<Instant>) -> Self {
        Self {
            layout: Layout::new(page),
            until,
            letters: 0,
            unnamed: 0,
            drawn: 0,
            depth: 0,
            advance: 0.0,
        }
    }

    fn begin_page(&mut self) {
        self.layout.begin_page();
        (self.letters, self.unnamed, self.drawn, self.depth) = (0, 0, 0, 0);
    }

    /// Whether what letters the page has, it has in pictures.
    fn is_scan(&self) -> bool {
        self.letters == 0 && self.unnamed > 0
    }

    /// A page that draws itself would be drawn 2⁵⁰ times, and a sound one may take too
    /// long. hayro takes no other sign to stop.
    fn count(&mut self) {
        self.drawn += 1 + self.depth;
        if self.drawn > MAX_DRAWN || is_over(self.until) {
            resume_unwind(Box::new("the page draws without end"));
        }
    }

    /// A font of drawings may have a unit of any size, so the height of its letters
    /// is known from their width: on the average they are about half as wide as high.
    fn height_of_drawing(&mut self, advance: f64) -> f64 {
        let is_other = !(0.2..5.0).contains(&(advance / self.advance));
        self.advance = if is_other { advance } else { 0.9 * self.advance + 0.1 * advance };
        2.0 * self.advance
    }
}

/// The letters that a glyph stands for, where the file tells.
fn letters(glyph: &Shape<'_>) -> Option<String> {
    match glyph.as_unicode() {
        Some(BfString::Char(char)) => Some(char.to_string()),
        Some(BfString::String(text)) => Some(text),
        None if matches!(glyph, Shape::Type3(_)) => letters_of_code(glyph.char_code()),
        None => None,
    }
}

/// TeX's bitmap fonts tell nothing, but have letters at their places in ASCII and
/// Latin-1, and ligatures at either of two places before them.
fn letters_of_code(code: u32) -> Option<String> {
    Some(match code {
        11 | 27 => "ff".to_owned(),
        12 | 28 => "fi".to_owned(),
        13 | 29 => "fl".to_owned(),
        14 | 30 => "ffi".to_owned(),
        15 | 31 => "ffl".to_owned(),
        0x21..=0x7e | 0xc0..=0xff => char::from_u32(code)?.to_string(),
        _ => return None,
    })
}

impl Device<'_> for Text {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, mode: &DrawMode) {
        self.count();
        // Text that is filled and outlined comes twice.
        if matches!(mode, DrawMode::Stroke(_)) {
            return;
        }
        for glyph in run.glyphs() {
            let Some(text) = letters(glyph) else {
                self.unnamed += 1;
                continue;
            };
            self.letters += usize::from(!text.trim().is_empty());
            // Glyphs are drawn a thousand units large.
            let place = props.transform * glyph.transform();
            let at = |x: f64, y: f64| place * Point::new(x, y);
            let start = at(0.0, 0.0);
            let mut height = (at(0.0, 1000.0) - start).hypot();
            let advance = match &**glyph {
                Shape::Outline(outline) => outline.advance_width(),
                Shape::Type3(drawing) => drawing.advance_width(),
            };
            let end = match run.writing_mode() {
                WritingMode::Horizontal => at(advance.unwrap_or(500.0).into(), 0.0),
                WritingMode::Vertical => at(0.0, -1000.0),
            };
            if matches!(**glyph, Shape::Type3(_)) {
                height = height.max(self.height_of_drawing((end - start).hypot()));
            }
            self.layout.push(&Glyph { text: &text, start, end, height });
        }
    }

    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {
        self.count();
        self.unnamed += 1;
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {
        self.count();
    }

    fn push_clip_path(&mut self, _: &ClipPath) {
        self.count();
        self.depth += 1;
    }

    fn push_clip_rect(&mut self, _: &Rect) {
        self.count();
        self.depth += 1;
    }

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {
        self.count();
    }

    fn pop_clip(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn pop_transparency_group(&mut self) {}
}
