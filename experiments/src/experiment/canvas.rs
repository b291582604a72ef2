//! What the figures are drawn with: one drawing code for SVG and PNG, with letters that need no font of the system.
//!
//! Sizes and places are in points of the figure; the PNG has [`PIXELS`] pixels a point.

use birkhoff::error::{Error, Result};
use birkhoff::io::write_atomically;
use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;
use std::sync::Once;

/// Something that can be drawn.
pub(super) trait Figure {
    /// Width and height.
    fn size(&self) -> (u32, u32);

    /// Draws it on a white canvas.
    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B>;
}

/// What drawing returns.
pub(super) type Drawn<B> = std::result::Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// A place.
pub(super) type Point = (f64, f64);

/// Pixels a point of the PNG.
const PIXELS: u32 = 2;

/// The PNG is drawn this much larger and averaged, because plotters' thick lines have jagged edges.
const OVERSAMPLING: u32 = 2;

const FONT: &str = "sans-serif";

/// Draws a figure into a file, atomically: PNG if its extension says so, else SVG.
pub(super) fn write(path: &Path, figure: &impl Figure) -> Result<()> {
    register_fonts();
    let is_png = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    let bytes = if is_png { png(figure) } else { svg(figure).map(String::into_bytes) };
    let bytes = bytes.map_err(|cause| Error::file(path, format!("the picture cannot be drawn: {cause}")))?;
    write_atomically(path, |file| file.write_all(&bytes))
}

/// DejaVu Sans under the name of the generic family, so that an SVG viewer takes its own sans-serif.
fn register_fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A font that cannot be read shows itself as an error when text is drawn.
        let _ = register_font(FONT, FontStyle::Normal, dejavu::sans::regular());
        let _ = register_font(FONT, FontStyle::Bold, dejavu::sans::bold());
    });
}

fn svg(figure: &impl Figure) -> std::result::Result<String, String> {
    let mut text = String::new();
    draw(figure, SVGBackend::with_string(&mut text, figure.size()), 1)?;
    Ok(text)
}

fn png(figure: &impl Figure) -> std::result::Result<Vec<u8>, String> {
    let scale = PIXELS * OVERSAMPLING;
    let (width, height) = figure.size();
    let mut fine = vec![0; 3 * (width * scale * height * scale) as usize];
    draw(figure, BitMapBackend::with_buffer(&mut fine, (width * scale, height * scale)), scale)?;
    let (width, height) = (width * PIXELS, height * PIXELS);
    let pixels = averaged(&fine, width as usize, height as usize);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The mean of each square of fine pixels.
fn averaged(fine: &[u8], width: usize, height: usize) -> Vec<u8> {
    let side = OVERSAMPLING as usize;
    let mut pixels = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let at = |k: usize| 3 * ((y * side + k / side) * width * side + x * side + k % side) + channel;
                let sum: usize = (0..side * side).map(|k| usize::from(fine[at(k)])).sum();
                pixels.push((sum / (side * side)) as u8);
            }
        }
    }
    pixels
}

fn draw<B: DrawingBackend>(figure: &impl Figure, backend: B, scale: u32) -> std::result::Result<(), String> {
    let canvas = Canvas { area: backend.into_drawing_area(), scale: f64::from(scale) };
    let drawn = canvas.area.fill(&WHITE).and_then(|()| figure.draw(&canvas)).and_then(|()| canvas.area.present());
    drawn.map_err(|error| error.to_string())
}

/// How the points of a line stand out without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
    Cross,
    Plus,
}

/// Where plotters draws.
pub(super) struct Canvas<B: DrawingBackend> {
    area: DrawingArea<B, Shift>,
    scale: f64,
}

impl<B: DrawingBackend> Canvas<B> {
    fn pixel(&self, (x, y): Point) -> (i32, i32) {
        ((x * self.scale).round() as i32, (y * self.scale).round() as i32)
    }

    fn stroke(&self, color: RGBColor, width: f64) -> ShapeStyle {
        color.stroke_width((width * self.scale).round().max(1.0) as u32)
    }

    /// A line of text; (0, 0.5) aligns its left end, (0.5, 0.5) its middle, (1, 0.5) its right end with the place.
    pub fn text(&self, text: &str, at: Point, size: f64, bold: bool, align: HPos, color: RGBColor) -> Drawn<B> {
        let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = FontDesc::new(FontFamily::Name(FONT), size * self.scale, style);
        let style = TextStyle::from(font).color(&color).pos(Pos::new(align, VPos::Center));
        self.area.draw(&Text::new(text.to_string(), self.pixel(at), style))
    }

    /// A line through the points; `dashes` are lengths drawn and left out in turn, none for a solid line.
    pub fn line(&self, points: &[Point], color: RGBColor, width: f64, dashes: &[f64]) -> Drawn<B> {
        for piece in dashed(points, dashes) {
            let pixels: Vec<_> = piece.into_iter().map(|point| self.pixel(point)).collect();
            self.area.draw(&PathElement::new(pixels, self.stroke(color, width)))?;
        }
        Ok(())
    }

    /// A filled rectangle between two opposite corners.
    pub fn rectangle(&self, a: Point, b: Point, color: RGBColor) -> Drawn<B> {
        self.area.draw(&Rectangle::new([self.pixel(a), self.pixel(b)], color.filled()))
    }

    /// A marker of the given half width.
    pub fn marker(&self, marker: Marker, (x, y): Point, r: f64, color: RGBColor) -> Drawn<B> {
        let polygon = |corners: &[Point]| {
            let corners: Vec<_> = corners.iter().map(|&(dx, dy)| self.pixel((x + r * dx, y + r * dy))).collect();
            self.area.draw(&Polygon::new(corners, color.filled()))
        };
        let strokes = |ends: [Point; 2]| {
            ends.iter().try_for_each(|&(dx, dy)| {
                self.line(&[(x - r * dx, y - r * dy), (x + r * dx, y + r * dy)], color, 2.6, &[])
            })
        };
        match marker {
            Marker::Circle => {
                self.area.draw(&Circle::new(self.pixel((x, y)), (r * self.scale).round() as i32, color.filled()))
            }
            Marker::Square => polygon(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
            Marker::Triangle => polygon(&[(-1.1, 0.9), (1.1, 0.9), (0.0, -1.2)]),
            Marker::TriangleDown => polygon(&[(-1.1, -0.9), (1.1, -0.9), (0.0, 1.2)]),
            Marker::Diamond => polygon(&[(-1.2, 0.0), (0.0, -1.2), (1.2, 0.0), (0.0, 1.2)]),
            Marker::Cross => strokes([(0.9, 0.9), (0.9, -0.9)]),
            Marker::Plus => strokes([(1.1, 0.0), (0.0, 1.1)]),
        }
    }
}

/// The pieces of a dashed line.
fn dashed(points: &[Point], dashes: &[f64]) -> Vec<Vec<Point>> {
    if dashes.is_empty() {
        return vec![points.to_vec()];
    }
    let (mut pieces, mut piece) = (Vec::new(), Vec::new());
    let (mut index, mut left) = (0, dashes[0]);
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = (x1 - x0).hypot(y1 - y0);
        let mut done = 0.0;
        while done < length {
            let to = (done + left).min(length);
            let at = |distance: f64| (x0 + (x1 - x0) * distance / length, y0 + (y1 - y0) * distance / length);
            if index % 2 == 0 {
                if piece.is_empty() {
                    piece.push(at(done));
                }
                piece.push(at(to));
            }
            left -= to - done;
            done = to;
            if left <= 1e-9 {
                if !piece.is_empty() {
                    pieces.push(std::mem::take(&mut piece));
                }
                index = (index + 1) % dashes.len();
                left = dashes[index];
            }
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_go_round_corners_and_cover_their_share() {
        let pieces = dashed(&[(0.0, 0.0), (3.0, 0.0), (3.0, 7.0)], &[2.0, 3.0]);
        assert_eq!(pieces, [vec![(0.0, 0.0), (2.0, 0.0)], vec![(3.0, 2.0), (3.0, 4.0)]]);
        let round = dashed(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)], &[4.0, 1.0]);
        assert_eq!(round, [vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]]);
    }

    #[test]
    fn averaging_takes_squares() {
        // Two fine rows of two pixels: one pixel of their mean.
        let fine = [0, 0, 0, 100, 0, 0, 100, 4, 0, 200, 4, 8];
        assert_eq!(averaged(&fine, 1, 1), [100, 2, 2]);
    }
}
