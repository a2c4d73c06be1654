//! A page of a PDF as a picture for optical character recognition: its images and its
//! filled shapes in greys. Lines, clips and shades are left out, since no letter is
//! made of them. It knows nothing of text.

use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Instant,
};

use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageData, ImageDrawProps,
    InterpreterCache, InterpreterSettings, LumaData, Paint, SoftMask, TransformExt,
    font::{Glyph, GlyphRun},
    hayro_syntax::page::Page,
    interpret_page,
    kurbo::{Affine, BezPath, PathEl, Point, Rect, flatten},
};

use super::is_over;

/// What Tesseract is trained on.
const DOTS_PER_INCH: f64 = 300.0;

/// A unit of a page is this part of an inch.
const UNITS_PER_INCH: f64 = 72.0;

/// Of the longer side; a larger page, such as a plan, is drawn with fewer.
const MAX_DOTS: f64 = 6000.0;

/// How far a curve may lie off its lines, in dots.
const TOLERANCE: f64 = 0.3;

/// A shape of more lines is no letter but a drawing.
const MAX_LINES: usize = 5000;

/// A curve that reaches further, in dots, is none either: its lines, of which there are
/// the more the longer it is, would find no room in memory.
const MAX_REACH: f64 = 10.0 * MAX_DOTS;

/// Each dot stands for at most so many times so many of a finer image.
const MAX_FINER: usize = 4;

const WHITE: u8 = 255;

/// The page as a PGM file. The error is in words for people.
pub(super) fn of(page: &Page<'_>, until: Option<Instant>) -> Result<Vec<u8>, String> {
    let (width, height) = page.render_dimensions();
    let (width, height) = (f64::from(width), f64::from(height));
    let scale = (DOTS_PER_INCH / UNITS_PER_INCH).min(MAX_DOTS / width.max(height));
    let dots = |units: f64| (units * scale).round().max(1.0) as usize;
    let mut canvas = Canvas::new(dots(width), dots(height), until);
    let drawn = catch_unwind(AssertUnwindSafe(|| {
        let (cache, settings) = (InterpreterCache::new(), InterpreterSettings::default());
        let place = Affine::scale(scale) * page.initial_transform(true).to_kurbo();
        let whole = Rect::new(0.0, 0.0, canvas.width as f64, canvas.height as f64);
        let mut context = Context::new(place, whole, &cache, page.xref(), settings);
        interpret_page(page, &mut context, &mut canvas);
    }));
    drawn.map(|()| canvas.into_pgm()).map_err(|_| "a page of it cannot be drawn".to_owned())
}

/// White at first; row by row from the top, a byte a dot.
struct Canvas {
    dots: Vec<u8>,
    width: usize,
    height: usize,
    until: Option<Instant>,
}

impl Canvas {
    fn new(width: usize, height: usize, until: Option<Instant>) -> Self {
        Self { dots: vec![WHITE; width * height], width, height, until }
    }

    fn into_pgm(self) -> Vec<u8> {
        let head = format!("P5 {} {} 255\n", self.width, self.height);
        [head.as_bytes(), &self.dots].concat()
    }

    /// hayro takes no other sign to stop.
    fn check_time(&self) {
        if is_over(self.until) {
            resume_unwind(Box::new("the page is not drawn in time"));
        }
    }

    /// From one coordinate to another, as far as those lie on a side of that length.
    fn span(from: f64, to: f64, side: usize) -> Range<usize> {
        // A cast keeps within bounds.
        let (from, to) = ((from.max(0.0)) as usize, to.max(0.0) as usize);
        from.min(side)..to.min(side)
    }

    /// The outline in straight lines; `None` for a drawing.
    fn lines(&self, path: &BezPath, place: Affine) -> Option<Vec<(Point, Point)>> {
        let path = place * path;
        if !is_bounded(&path) {
            return None;
        }
        let mut lines = Vec::new();
        let (mut first, mut last) = (Point::ZERO, Point::ZERO);
        flatten(path, TOLERANCE, |element| {
            let next = match element {
                PathEl::LineTo(to) => to,
                PathEl::MoveTo(_) | PathEl::ClosePath => first,
                PathEl::QuadTo(..) | PathEl::CurveTo(..) => return,
            };
            if lines.len() <= MAX_LINES {
                lines.push((last, next));
            } else {
                self.check_time();
            }
            last = next;
            if let PathEl::MoveTo(to) = element {
                (first, last) = (to, to);
            }
        });
        lines.push((last, first));
        (lines.len() <= MAX_LINES).then_some(lines)
    }

    /// What is inside by the non-zero rule becomes `grey`.
    fn fill(&mut self, path: &BezPath, place: Affine, grey: u8) {
        self.check_time();
        let Some(lines) = self.lines(path, place) else { return };
        let top = lines.iter().map(|(a, b)| a.y.min(b.y)).fold(f64::INFINITY, f64::min);
        let end = lines.iter().map(|(a, b)| a.y.max(b.y)).fold(f64::NEG_INFINITY, f64::max);
        for row in Self::span(top.floor(), end.ceil(), self.height) {
            let y = row as f64 + 0.5;
            let mut crossings: Vec<(f64, i32)> = lines
                .iter()
                .filter(|(a, b)| (a.y <= y) != (b.y <= y))
                .map(|(a, b)| {
                    let x = a.x + (y - a.y) * (b.x - a.x) / (b.y - a.y);
                    (x, if a.y < b.y { 1 } else { -1 })
                })
                .collect();
            crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut winding = 0;
            for pair in crossings.windows(2) {
                winding += pair[0].1;
                if winding != 0 {
                    let dots = Self::span(pair[0].0.round(), pair[1].0.round(), self.width);
                    self.dots[row * self.width..][dots].fill(grey);
                }
            }
        }
    }

    /// Paints an image of that size, whose dots `look` gives as grey and opacity.
    fn paint(
        &mut self,
        place: Affine,
        (width, height): (u32, u32),
        look: impl Fn(usize, usize) -> (u8, u8),
    ) {
        self.check_time();
        let (width, height) = (width as usize, height as usize);
        let inverse = place.inverse();
        if width == 0 || height == 0 || !inverse.is_finite() {
            return;
        }
        let bounds = place.transform_rect_bbox(Rect::new(0.0, 0.0, width as f64, height as f64));
        // So many of its dots come to one of the canvas, each way.
        let finer = inverse.determinant().abs().sqrt().ceil().clamp(1.0, MAX_FINER as f64);
        let steps = finer as usize;
        for y in Self::span(bounds.y0.floor(), bounds.y1.ceil(), self.height) {
            for x in Self::span(bounds.x0.floor(), bounds.x1.ceil(), self.width) {
                let (mut light, mut opacity) = (0, 0);
                for nth in 0..steps * steps {
                    let at = |dot: usize, step: usize| dot as f64 + (step as f64 + 0.5) / finer;
                    let seen = inverse * Point::new(at(x, nth % steps), at(y, nth / steps));
                    if seen.x < 0.0 || seen.y < 0.0 {
                        continue;
                    }
                    let (column, row) = (seen.x as usize, seen.y as usize);
                    if column < width && row < height {
                        let (grey, alpha) = look(column, row);
                        light += u32::from(grey) * u32::from(alpha);
                        opacity += u32::from(alpha);
                    }
                }
                let whole = 255 * (steps * steps) as u32;
                let dot = &mut self.dots[y * self.width + x];
                *dot = ((light + u32::from(*dot) * (whole - opacity)) / whole) as u8;
            }
        }
    }
}

/// Whether it can be made into lines, and these into rows of dots.
fn is_bounded(path: &BezPath) -> bool {
    let is_curve = |element: &PathEl| matches!(element, PathEl::QuadTo(..) | PathEl::CurveTo(..));
    let bounds = path.control_box();
    let is_near =
        [bounds.x0, bounds.y0, bounds.x1, bounds.y1].iter().all(|at| at.abs() < MAX_REACH);
    path.is_finite() && (is_near || !path.elements().iter().any(is_curve))
}

/// By the weights of ITU-R BT.601, in parts of 256.
fn grey([red, green, blue]: [u8; 3]) -> u8 {
    ((77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue)) >> 8) as u8
}

/// The grey of a colour that hides what is below it.
fn grey_of(paint: &Paint<'_>) -> Option<u8> {
    let Paint::Color(color) = paint else { return None };
    let [red, green, blue, alpha] = color.to_rgba().to_rgba8();
    (alpha > 127).then(|| grey([red, green, blue]))
}

fn scaled(place: Affine, (x, y): (f32, f32)) -> Affine {
    place * Affine::scale_non_uniform(x.into(), y.into())
}

impl Device<'_> for Canvas {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, mode: &DrawMode) {
        if matches!(mode, DrawMode::Invisible) {
            return;
        }
        let Some(grey) = grey_of(&props.paint) else { return };
        for glyph in run.glyphs() {
            if let Glyph::Outline(outline) = &**glyph {
                self.fill(&outline.outline(), props.transform * glyph.transform(), grey);
            }
        }
    }

    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'_>, mode: &DrawMode) {
        if let (Some(grey), DrawMode::Fill(_) | DrawMode::FillAndStroke(..)) =
            (grey_of(&props.paint), mode)
        {
            self.fill(path, props.transform, grey);
        }
    }

    fn draw_image(&mut self, image: Image<'_, '_>, props: ImageDrawProps<'_>) {
        match image {
            Image::Stencil(stencil) => stencil.with_stencil(
                |LumaData { data, width, height, scale_factors, .. }, paint| {
                    let place = scaled(props.transform, scale_factors);
                    let grey = grey_of(paint).unwrap_or(0);
                    let look = |x, y| (grey, data[y * width as usize + x]);
                    self.paint(place, (width, height), look);
                },
                None,
            ),
            Image::Raster(raster) => raster.with_rgba(
                |image, alpha| {
                    let (width, height) = (image.width(), image.height());
                    let place = scaled(props.transform, image.scale_factors());
                    // A mask of another size is left out: it shapes, and says no letters.
                    let alpha =
                        alpha.filter(|alpha| (alpha.width, alpha.height) == (width, height));
                    self.paint(place, (width, height), |x, y| {
                        let at = y * width as usize + x;
                        let grey = match &image {
                            ImageData::Luma(luma) => luma.data[at],
                            ImageData::Rgb(rgb) => {
                                grey([rgb.data[3 * at], rgb.data[3 * at + 1], rgb.data[3 * at + 2]])
                            }
                        };
                        (grey, alpha.as_ref().map_or(255, |alpha| alpha.data[at]))
                    });
                },
                None,
            ),
        }
    }

    fn push_clip_path(&mut self, _: &ClipPath) {
        self.check_time();
    }

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {
        self.check_time();
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}

#[cfg(test)]
mod tests {
    use hayro_interpret::kurbo::Shape;

    use super::*;

    /// A canvas of six by four dots, as rows of `#` and `.`.
    #[track_caller]
    fn check(draw: impl FnOnce(&mut Canvas), expected: [&str; 4]) {
        let mut canvas = Canvas::new(6, 4, None);
        draw(&mut canvas);
        let found: Vec<String> = canvas
            .dots
            .chunks(6)
            .map(|row| row.iter().map(|dot| if *dot < 128 { '#' } else { '.' }).collect())
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn shapes_are_filled_and_keep_their_holes() {
        let shape = |rectangles: &[(Rect, bool)]| {
            let mut path = BezPath::new();
            for (rectangle, is_hole) in rectangles {
                let outline = rectangle.to_path(0.1);
                path.extend(if *is_hole { outline.reverse_subpaths() } else { outline });
            }
            path
        };
        let ring =
            shape(&[(Rect::new(1.0, 0.0, 5.0, 4.0), false), (Rect::new(2.0, 1.0, 4.0, 3.0), true)]);
        let expected = [".####.", ".#..#.", ".#..#.", ".####."];
        check(|canvas| canvas.fill(&ring, Affine::IDENTITY, 0), expected);
        let far = shape(&[(Rect::new(-1e9, 2.0, 1e9, 1e9), false)]);
        let expected = ["......", "......", "######", "######"];
        check(|canvas| canvas.fill(&far, Affine::IDENTITY, 0), expected);
    }

    #[test]
    fn shapes_without_bounds_paint_nothing() {
        for far in [9e17, 1e29, f64::MAX, f64::INFINITY, f64::NAN] {
            let mut path = BezPath::new();
            path.move_to((0.0, 0.0));
            path.curve_to((far, 0.0), (far, 4.0), (0.0, 4.0));
            check(|canvas| canvas.fill(&path, Affine::IDENTITY, 0), ["......"; 4]);
        }
    }

    /// Black where the column is 0.
    fn left(x: usize, _: usize) -> (u8, u8) {
        (if x == 0 { 0 } else { WHITE }, 255)
    }

    #[test]
    fn images_are_placed_turned_and_made_smaller() {
        let twice = Affine::translate((2.0, 0.0)) * Affine::scale(2.0);
        let expected = ["..##..", "..##..", "..##..", "..##.."];
        check(|canvas| canvas.paint(twice, (2, 2), left), expected);
        let turned = Affine::new([0.0, 2.0, -2.0, 0.0, 4.0, 0.0]);
        let expected = ["####..", "####..", "......", "......"];
        check(|canvas| canvas.paint(turned, (2, 2), left), expected);
        // Three of four dots are black.
        let half = Affine::scale(0.5);
        let most = |x: usize, y: usize| (if x + y == 2 { WHITE } else { 0 }, 255);
        check(|canvas| canvas.paint(half, (2, 2), most), ["#.....", "......", "......", "......"]);
    }

    #[test]
    fn what_is_clear_hides_nothing() {
        let clear = |_: usize, _: usize| (0, 0);
        check(|canvas| canvas.paint(Affine::scale(9.0), (1, 1), clear), ["......"; 4]);
    }

    #[test]
    fn places_without_extent_paint_nothing() {
        for place in [Affine::scale(0.0), Affine::scale(f64::NAN), Affine::scale(f64::INFINITY)] {
            check(|canvas| canvas.paint(place, (2, 2), left), ["......"; 4]);
        }
    }
}
