//! What figures are made of: axes, ticks, lines and markers that differ in more than colour, panels. They read results
//! and never solve.
//!
//! Colours are those of Okabe and Ito, which colour-blind people tell apart; markers and dashes tell the lines
//! apart without colour.

use super::canvas::{self, Canvas, Drawn, Figure, Marker, Point};
use birkhoff::error::Result;
use plotters::prelude::{BLACK, DrawingBackend, RGBColor};
use plotters::style::text_anchor::HPos;
use std::path::Path;

pub(super) const GREY: RGBColor = RGBColor(110, 110, 110);
pub(super) const LIGHT: RGBColor = RGBColor(225, 225, 225);

pub(super) const SKY: RGBColor = RGBColor(86, 180, 233);
pub(super) const VERMILION: RGBColor = RGBColor(213, 94, 0);
pub(super) const GREEN: RGBColor = RGBColor(0, 158, 115);
pub(super) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(super) const ORANGE: RGBColor = RGBColor(230, 159, 0);
pub(super) const PURPLE: RGBColor = RGBColor(204, 121, 167);

/// How a line is drawn: colour, width, dashes, marker.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub color: RGBColor,
    pub width: f64,
    pub dashes: &'static [f64],
    pub marker: Marker,
}

impl Look {
    /// Lines with a marker at each point and an upright bar for its interval (low, high).
    pub fn series<B: DrawingBackend>(self, canvas: &Canvas<B>, points: &[(Point, f64, f64)]) -> Drawn<B> {
        for &((x, y), low, high) in points {
            canvas.line(&[(x, low), (x, high)], self.color, 1.6, &[])?;
            canvas.marker(self.marker, (x, y), 6.0, self.color)?;
        }
        let line: Vec<Point> = points.iter().map(|point| point.0).collect();
        canvas.line(&line, self.color, self.width, self.dashes)
    }

    /// The sample of a legend, with its name.
    pub fn legend<B: DrawingBackend>(self, canvas: &Canvas<B>, (left, y): Point, name: &str, bold: bool) -> Drawn<B> {
        canvas.line(&[(left, y), (left + 56.0, y)], self.color, self.width, self.dashes)?;
        canvas.marker(self.marker, (left + 28.0, y), 6.0, self.color)?;
        canvas.text(&in_words(name), (left + 68.0, y), 17.0, bold, HPos::Left, BLACK)
    }
}

/// What pictures call what files and options call by an identifier; anything else is as it is.
pub(super) fn in_words(name: &str) -> String {
    let known = match name {
        "faq" => "FAQ",
        "relaxation-faq" => "relaxation, then FAQ",
        "penalized" => "penalized path",
        "projected-gradient-exact" => "projected gradient, exact",
        "sgd" => "stochastic gradient",
        "sinkhorn" => "Sinkhorn scaling",
        "near-vertex" => "near a vertex",
        "outside-vector" => "outside, vector output",
        "outside-scalar" => "outside, scalar output",
        "inside-vector" => "inside, vector output",
        "inside-scalar" => "inside, scalar output",
        "path-frobenius" => "path, Frobenius penalty",
        "path-entropy" => "path, entropy penalty",
        _ if name.contains(' ') => name,
        _ => return name.replacen("path-", "path, ", 1).replace('-', " "),
    };
    known.to_string()
}

/// A rectangle of the canvas that shows a rectangle of numbers.
pub(super) struct Axes {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    pub x: (f64, f64),
    pub y: (f64, f64),
}

impl Axes {
    pub fn place(&self, (x, y): Point) -> Point {
        let share = |v: f64, (low, high): (f64, f64)| if high > low { (v - low) / (high - low) } else { 0.5 };
        (
            self.left + (self.right - self.left) * share(x, self.x),
            self.bottom - (self.bottom - self.top) * share(y, self.y),
        )
    }

    /// A grid line and a label at each tick of the y axis, and the frame's two axes.
    pub fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>, ticks: &[(f64, String)], size: f64) -> Drawn<B> {
        for (y, label) in ticks {
            let (_, y) = self.place((self.x.0, *y));
            canvas.line(&[(self.left, y), (self.right, y)], LIGHT, 1.0, &[])?;
            canvas.text(label, (self.left - 8.0, y), size, false, HPos::Right, BLACK)?;
        }
        let corners = [(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)];
        canvas.line(&corners, GREY, 1.2, &[])
    }

    pub fn x_tick<B: DrawingBackend>(&self, canvas: &Canvas<B>, x: f64, label: &str, size: f64) -> Drawn<B> {
        let (x, _) = self.place((x, self.y.0));
        canvas.line(&[(x, self.bottom), (x, self.bottom + 6.0)], GREY, 1.2, &[])?;
        canvas.text(label, (x, self.bottom + 20.0), size, false, HPos::Center, BLACK)
    }
}

/// One quantity of [`draw_panels`].
#[derive(Debug, Clone)]
pub struct Panel {
    /// What it is.
    pub label: &'static str,
    /// Whether the scale is logarithmic; numbers that are not positive are left out then.
    pub logarithmic: bool,
    /// Where it is what.
    pub points: Vec<(f64, f64)>,
}

/// Draws quantities one below the other over the same x axis.
///
/// # Errors
/// As [`write_atomically`](birkhoff::io::write_atomically).
pub fn draw_panels(path: &Path, title: &str, x_label: &str, panels: &[Panel]) -> Result<()> {
    canvas::write(path, &Panels { title, x_label, panels })
}

struct Panels<'a> {
    title: &'a str,
    x_label: &'a str,
    panels: &'a [Panel],
}

const PANEL_HEIGHT: f64 = 200.0;

impl Figure for Panels<'_> {
    fn size(&self) -> (u32, u32) {
        (1000, 130 + (PANEL_HEIGHT as u32) * self.panels.len() as u32)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B> {
        canvas.text(self.title, (24.0, 32.0), 21.0, true, HPos::Left, BLACK)?;
        let x = extent(self.panels.iter().flat_map(|panel| panel.points.iter().map(|point| point.0)));
        let colors = [BLUE, VERMILION, GREEN, PURPLE];
        let mut bottom = 0.0;
        for (index, (panel, &color)) in self.panels.iter().zip(colors.iter().cycle()).enumerate() {
            let top = 64.0 + PANEL_HEIGHT * index as f64;
            bottom = top + PANEL_HEIGHT - 26.0;
            let scaled = |y: f64| if panel.logarithmic { y.log10() } else { y };
            let points = panel.points.iter().map(|&(x, y)| (x, scaled(y))).filter(|(_, y)| y.is_finite());
            let points: Vec<Point> = points.collect();
            let y = extent(points.iter().map(|point| point.1));
            let margin = 0.06 * (y.1 - y.0);
            let axes = Axes { left: 116.0, right: 970.0, top: top + 28.0, bottom, x, y: (y.0 - margin, y.1 + margin) };
            let unit = if panel.logarithmic { " (log scale)" } else { "" };
            canvas.text(&format!("{}{unit}", panel.label), (24.0, top + 10.0), 17.0, false, HPos::Left, color)?;
            axes.draw(canvas, &ticks(y, panel.logarithmic), 15.0)?;
            let places: Vec<Point> = points.iter().map(|&point| axes.place(point)).collect();
            canvas.line(&places, color, 2.0, &[])?;
            if let [only] = places[..] {
                canvas.marker(Marker::Circle, only, 4.0, color)?;
            }
            if index + 1 == self.panels.len() {
                for (x, label) in ticks(x, false) {
                    axes.x_tick(canvas, x, &label, 15.0)?;
                }
            }
        }
        canvas.text(self.x_label, (543.0, bottom + 48.0), 17.0, false, HPos::Center, BLACK)
    }
}

/// The smallest and largest number, a little apart where they agree; (0, 1) without numbers.
pub(super) fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    if high - low > 1e-12 * low.abs().max(high.abs()) {
        return (low, high);
    }
    let margin = if low == 0.0 { 1.0 } else { 0.1 * low.abs() };
    (low - margin, high + margin)
}

/// Round numbers in low..high, at most six; on a logarithmic axis the numbers are exponents of 10.
pub(super) fn ticks((low, high): (f64, f64), logarithmic: bool) -> Vec<(f64, String)> {
    let rough = (high - low) / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = round.into_iter().find(|&step| step >= rough * (1.0 - 1e-9)).unwrap_or(rough);
    let step = if logarithmic { step.max(1.0).ceil() } else { step };
    let first = (low / step).ceil();
    let values = (0..7).map(|k| (first + f64::from(k)) * step).take_while(|&y| y <= high + 1e-9 * step);
    let digits = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    let label = |y: f64| match y {
        _ if logarithmic => format!("1e{y:.0}"),
        0.0 => "0".to_string(),
        _ if low.abs().max(high.abs()) >= 1e6 || step < 1e-4 => format!("{y:.2e}"),
        _ => format!("{y:.digits$}"),
    };
    values.map(|y| (y, label(y))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(range: (f64, f64), logarithmic: bool) -> Vec<String> {
        ticks(range, logarithmic).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn legends_have_words_and_no_identifiers() {
        for method in birkhoff::recovery::Method::ALL {
            let words = in_words(method.name());
            assert!(!words.contains('-') && words.chars().count() <= 26, "{words}");
        }
        assert_eq!(in_words("path-4-restarts"), "path, 4 restarts");
        assert_eq!(in_words("λ = 0.068, half of λ₁"), "λ = 0.068, half of λ₁");
        assert_eq!(in_words("the start that suits, two-way"), "the start that suits, two-way");
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(
            labels((0.0, 1.0), false),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"].map(|l| if l == "0.0" { "0" } else { l })
        );
        assert_eq!(labels((3.0, 27.0), false), ["5", "10", "15", "20", "25"]);
        assert_eq!(labels((-4.5, 2.0), true), ["1e-4", "1e-2", "1e0", "1e2"]);
        assert_eq!(labels((-0.3, 0.4), true), ["1e0"]);
    }

    #[test]
    fn an_extent_is_never_empty() {
        assert_eq!(extent([].into_iter()), (0.0, 1.0));
        assert_eq!(extent([0.0, 0.0].into_iter()), (-1.0, 1.0));
        let (low, high) = extent([5.0].into_iter());
        assert!(low < 5.0 && 5.0 < high);
    }

    #[test]
    fn both_formats_come_from_the_same_drawing_and_bear_odd_data() {
        let folder = tempfile::tempdir().unwrap();
        let panel = |points| Panel { label: "gap", logarithmic: true, points };
        for points in [vec![], vec![(1.0, 0.0)], vec![(1.0, 2.0)], vec![(1.0, 1e-300), (2.0, 1e300), (3.0, f64::NAN)]] {
            for name in ["a.svg", "a.png"] {
                draw_panels(&folder.path().join(name), "title", "x", &[panel(points.clone())]).unwrap();
            }
        }
        let png = std::fs::read(folder.path().join("a.png")).unwrap();
        assert!(png.starts_with(b"\x89PNG"));
        assert!(std::fs::read_to_string(folder.path().join("a.svg")).unwrap().contains("(log scale)"));
    }
}
