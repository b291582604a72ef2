//! Figures: they read results and never solve.
//!
//! Colours are those of Okabe and Ito, which colour-blind people tell apart; markers and dashes tell the lines
//! apart without colour.

use super::canvas::{self, Canvas, Drawn, Figure, Marker, Point};
use super::config::Experiment;
use super::summary::Summary;
use crate::error::Result;
use crate::recovery::Method;
use plotters::prelude::{BLACK, DrawingBackend, RGBColor};
use plotters::style::text_anchor::HPos;
use std::path::Path;

const GREY: RGBColor = RGBColor(110, 110, 110);
const LIGHT: RGBColor = RGBColor(225, 225, 225);

/// How a method is drawn: colour, width, dashes, marker.
fn style(method: Method) -> (RGBColor, f64, &'static [f64], Marker) {
    match method {
        Method::Relaxation => (RGBColor(86, 180, 233), 2.0, &[9.0, 5.0], Marker::Square),
        Method::Penalized => (RGBColor(213, 94, 0), 3.4, &[], Marker::Circle),
        Method::Faq => (RGBColor(0, 158, 115), 2.0, &[2.5, 3.5], Marker::Triangle),
        Method::RelaxationFaq => (RGBColor(0, 114, 178), 2.0, &[14.0, 4.0], Marker::Diamond),
        Method::ProjectedGradient => (RGBColor(230, 159, 0), 2.0, &[9.0, 3.0, 2.5, 3.0], Marker::TriangleDown),
        Method::ProjectedGradientExact => (RGBColor(204, 121, 167), 2.0, &[5.0, 3.0], Marker::Cross),
        Method::Sinkhorn => (BLACK, 1.6, &[1.5, 5.0], Marker::Plus),
    }
}

/// A rectangle of the canvas that shows a rectangle of numbers.
struct Axes {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: (f64, f64),
    y: (f64, f64),
}

impl Axes {
    fn place(&self, (x, y): Point) -> Point {
        let share = |v: f64, (low, high): (f64, f64)| if high > low { (v - low) / (high - low) } else { 0.5 };
        (
            self.left + (self.right - self.left) * share(x, self.x),
            self.bottom - (self.bottom - self.top) * share(y, self.y),
        )
    }

    /// A grid line and a label at each tick of the y axis, and the frame's two axes.
    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>, ticks: &[(f64, String)], size: f64) -> Drawn<B> {
        for (y, label) in ticks {
            let (_, y) = self.place((self.x.0, *y));
            canvas.line(&[(self.left, y), (self.right, y)], LIGHT, 1.0, &[])?;
            canvas.text(label, (self.left - 8.0, y), size, false, HPos::Right, BLACK)?;
        }
        let corners = [(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)];
        canvas.line(&corners, GREY, 1.2, &[])
    }

    fn x_tick<B: DrawingBackend>(&self, canvas: &Canvas<B>, x: f64, label: &str, size: f64) -> Drawn<B> {
        let (x, _) = self.place((x, self.y.0));
        canvas.line(&[(x, self.bottom), (x, self.bottom + 6.0)], GREY, 1.2, &[])?;
        canvas.text(label, (x, self.bottom + 20.0), size, false, HPos::Center, BLACK)
    }
}

/// Draws the share of vertices matched against the correlation, one line a method, with intervals.
///
/// # Errors
/// As [`write_atomically`](crate::io::write_atomically).
pub fn draw_recovery(path: &Path, experiment: &Experiment, summaries: &[Summary]) -> Result<()> {
    canvas::write(path, &Recovery { experiment, summaries })
}

struct Recovery<'a> {
    experiment: &'a Experiment,
    summaries: &'a [Summary],
}

impl Recovery<'_> {
    /// The correlations above 0 from left to right on a true scale; the null experiment stands apart behind them.
    fn positions(&self) -> Vec<(f64, f64)> {
        let mut levels = self.experiment.instances.rho.clone();
        levels.sort_by(|a, b| b.total_cmp(a));
        let signal = || levels.iter().copied().filter(|&rho| rho > 0.0);
        let (first, last) = (signal().next().unwrap_or(1.0), signal().next_back().unwrap_or(1.0));
        let width = if first > last { first - last } else { 1.0 };
        let place = |&rho: &f64| if rho > 0.0 { (first - rho) / width } else { 1.25 };
        levels.iter().map(|rho| (*rho, place(rho))).collect()
    }

    fn method<B: DrawingBackend>(&self, canvas: &Canvas<B>, axes: &Axes, index: usize, method: Method) -> Drawn<B> {
        let (color, width, dashes, marker) = style(method);
        // Methods that agree stand side by side.
        let shift = 7.0 * (index as f64 - 0.5 * (self.experiment.methods.len() as f64 - 1.0));
        let mut line = Vec::new();
        for (rho, x) in self.positions() {
            let row = self.summaries.iter().find(|row| (row.rho, row.method) == (rho, method));
            let Some(Summary {
                node_correctness: Some(mean),
                node_correctness_low: Some(low),
                node_correctness_high: Some(high),
                ..
            }) = row
            else {
                continue;
            };
            let at = |y: f64| {
                let (x, y) = axes.place((x, y));
                (x + shift, y)
            };
            canvas.line(&[at(*low), at(*high)], color, 1.6, &[])?;
            canvas.marker(marker, at(*mean), 6.0, color)?;
            if rho > 0.0 {
                line.push(at(*mean));
            }
        }
        canvas.line(&line, color, width, dashes)
    }

    fn legend<B: DrawingBackend>(&self, canvas: &Canvas<B>, left: f64, top: f64) -> Drawn<B> {
        for (index, &method) in self.experiment.methods.iter().enumerate() {
            let (color, width, dashes, marker) = style(method);
            let y = top + 34.0 * index as f64;
            canvas.line(&[(left, y), (left + 56.0, y)], color, width, dashes)?;
            canvas.marker(marker, (left + 28.0, y), 6.0, color)?;
            canvas.text(method.name(), (left + 68.0, y), 17.0, method == Method::default(), HPos::Left, BLACK)?;
        }
        Ok(())
    }
}

impl Figure for Recovery<'_> {
    fn size(&self) -> (u32, u32) {
        (1200, 720)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B> {
        let Experiment { trials, instances, .. } = self.experiment;
        let axes = Axes { left: 84.0, right: 840.0, top: 108.0, bottom: 560.0, x: (-0.06, 1.33), y: (-0.02, 1.03) };
        canvas.text("Which method finds the hidden permutation?", (24.0, 36.0), 25.0, true, HPos::Left, BLACK)?;
        canvas.text("share of vertices matched to their true partner", (24.0, 78.0), 18.0, false, HPos::Left, BLACK)?;
        let ticks: Vec<_> = (0..=5).map(|k| (f64::from(k) / 5.0, format!("{:.1}", f64::from(k) / 5.0))).collect();
        axes.draw(canvas, &ticks, 17.0)?;

        for (rho, x) in self.positions() {
            let label = if rho > 0.0 { format!("{rho}") } else { "0 (null)".to_string() };
            axes.x_tick(canvas, x, &label, 17.0)?;
        }
        if instances.rho.contains(&0.0) {
            let x = 1.125;
            canvas.line(&[axes.place((x, axes.y.0)), axes.place((x, axes.y.1))], GREY, 1.2, &[2.0, 5.0])?;
        }
        let chance = 1.0 / instances.n as f64;
        canvas.line(&[axes.place((axes.x.0, chance)), axes.place((axes.x.1, chance))], GREY, 1.2, &[6.0, 6.0])?;
        let (left, y) = axes.place((axes.x.0, chance));
        canvas.text("chance, 1/n", (left + 8.0, y - 13.0), 15.0, false, HPos::Left, GREY)?;

        for (index, &method) in self.experiment.methods.iter().enumerate() {
            self.method(canvas, &axes, index, method)?;
        }
        self.legend(canvas, 876.0, axes.top + 20.0)?;

        let middle = 0.5 * (axes.left + axes.right);
        let label = "correlation of the two graphs' edges (noise grows to the right)";
        canvas.text(label, (middle, axes.bottom + 54.0), 18.0, false, HPos::Center, BLACK)?;
        let (n, p) = (instances.n, instances.p);
        let caption = format!(
            "Correlated Erdős–Rényi graphs, n = {n}, p = {p}; mean of {trials} trials at each correlation, all methods on the same graphs."
        );
        canvas.text(&caption, (24.0, 664.0), 16.0, false, HPos::Left, GREY)?;
        let caption = "Bars: 95 % bootstrap interval of the mean. Methods stand side by side where they agree.";
        canvas.text(caption, (24.0, 690.0), 16.0, false, HPos::Left, GREY)
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
/// As [`write_atomically`](crate::io::write_atomically).
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
        let colors = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];
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
fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
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
fn ticks((low, high): (f64, f64), logarithmic: bool) -> Vec<(f64, String)> {
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
    fn every_method_has_a_look_of_its_own() {
        for (index, &a) in Method::ALL.iter().enumerate() {
            for &b in &Method::ALL[..index] {
                let (a, b) = (style(a), style(b));
                assert!(a.0 != b.0 && a.2 != b.2 && a.3 != b.3);
            }
        }
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
