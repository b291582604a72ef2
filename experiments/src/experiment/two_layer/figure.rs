//! The figures: success, trajectories, landscapes.

use super::config::{Experiment, Method, Network};
use super::landscapes::{DRAWN, Point as LandscapePoint};
use super::summary::Summary;
use super::trajectories::{FOLLOWED, Quantity, Trajectory, followed_noise};
use crate::experiment::canvas::{self, Canvas, Drawn, Figure, Marker, Point};
use crate::experiment::chart::{Axes, BLUE, GREEN, GREY, Look, ORANGE, SKY, VERMILION, extent, in_words, ticks};
use birkhoff::error::Result;
use plotters::prelude::{BLACK, DrawingBackend};
use plotters::style::text_anchor::HPos;
use std::path::Path;

fn look(method: Method) -> Look {
    let look = |color, width, dashes, marker| Look { color, width, dashes, marker };
    match method {
        Method::Relaxation => look(SKY, 2.0, &[9.0, 5.0], Marker::Square),
        Method::Penalized => look(VERMILION, 3.4, &[], Marker::Circle),
        Method::ProjectedGradient => look(ORANGE, 2.0, &[9.0, 3.0, 2.5, 3.0], Marker::TriangleDown),
        Method::Sgd => look(GREEN, 2.0, &[2.5, 3.5], Marker::Triangle),
    }
}

/// The methods' names in a row.
fn legend<B: DrawingBackend>(canvas: &Canvas<B>, methods: &[Method], left: f64, y: f64) -> Drawn<B> {
    for (index, &method) in methods.iter().enumerate() {
        look(method).legend(canvas, (left + 270.0 * index as f64, y), method.name(), method == Method::Penalized)?;
    }
    Ok(())
}

/// Draws what is recovered and what is certified against dimension and noise.
pub(in crate::experiment) fn draw_success(path: &Path, experiment: &Experiment, summaries: &[Summary]) -> Result<()> {
    canvas::write(path, &Success { experiment, summaries })
}

struct Success<'a> {
    experiment: &'a Experiment,
    summaries: &'a [Summary],
}

/// A row of panels: its title, the levels on the x axis, and what stands on the y axis.
struct Row {
    title: String,
    levels: Vec<((usize, f64), String)>,
    axis: &'static str,
    of: fn(&Summary) -> Option<(f64, f64, f64)>,
}

const COLUMN: f64 = 330.0;
const ROW: f64 = 300.0;

impl Success<'_> {
    fn rows(&self) -> [Row; 4] {
        let instances = &self.experiment.instances;
        let d = instances.noise_dimension;
        let dimensions = || instances.dimensions.iter().map(|&d| ((d, 0.0), d.to_string())).collect();
        let noise = || instances.noise.iter().map(|&noise| ((d, noise), noise.to_string())).collect();
        let recovered = |row: &Summary| Some((row.recovered?, row.recovered_low?, row.recovered_high?));
        let polished = |row: &Summary| Some((row.polished?, row.polished_low?, row.polished_high?));
        let certified = |row: &Summary| Some((row.certified?, row.certified_low?, row.certified_high?));
        [
            Row {
                title: "Hidden permutation found, share of the trials; teacher without noise".into(),
                levels: dimensions(),
                axis: "dimension d",
                of: recovered,
            },
            Row {
                title: "The same after swaps of pairs, as long as one lowers the loss".into(),
                levels: dimensions(),
                axis: "dimension d",
                of: polished,
            },
            Row {
                title: format!("Hidden permutation found, share of the trials; d = {d}"),
                levels: noise(),
                axis: "noise in the teacher",
                of: recovered,
            },
            Row {
                title: format!("X certified to be near one permutation before rounding, share of the trials; d = {d}"),
                levels: noise(),
                axis: "noise in the teacher",
                of: certified,
            },
        ]
    }

    fn panel<B: DrawingBackend>(&self, canvas: &Canvas<B>, row: &Row, network: Network, at: Point) -> Drawn<B> {
        let last = row.levels.len() as f64 - 1.0;
        let axes = Axes {
            left: at.0,
            right: at.0 + COLUMN - 70.0,
            top: at.1,
            bottom: at.1 + ROW - 120.0,
            x: (-0.4, last + 0.4),
            y: (-0.05, 1.05),
        };
        axes.draw(canvas, &[(0.0, "0".into()), (0.5, "0.5".into()), (1.0, "1".into())], 15.0)?;
        for (place, (_, label)) in row.levels.iter().enumerate() {
            axes.x_tick(canvas, place as f64, label, 15.0)?;
        }
        let methods = &self.experiment.methods;
        for (index, &method) in methods.iter().enumerate() {
            // Methods that agree stand side by side.
            let shift = 9.0 * (index as f64 - 0.5 * (methods.len() as f64 - 1.0));
            let point = |(place, &((d, noise), _)): (usize, &((usize, f64), String))| {
                let key = (network, d, noise, method);
                let found = self.summaries.iter().find(|row| (row.network, row.d, row.noise, row.method) == key)?;
                let (share, low, high) = (row.of)(found)?;
                let on = |y: f64| axes.place((place as f64, y));
                Some(((on(share).0 + shift, on(share).1), on(low).1, on(high).1))
            };
            let points: Vec<_> = row.levels.iter().enumerate().filter_map(point).collect();
            look(method).series(canvas, &points)?;
        }
        canvas.text(row.axis, (0.5 * (axes.left + axes.right), axes.bottom + 44.0), 15.0, false, HPos::Center, BLACK)
    }
}

impl Figure for Success<'_> {
    fn size(&self) -> (u32, u32) {
        (60 + COLUMN as u32 * self.experiment.networks.len().max(3) as u32, 210 + 4 * ROW as u32)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B> {
        canvas.text(
            "Two-layer networks: which method finds the permutation?",
            (24.0, 36.0),
            25.0,
            true,
            HPos::Left,
            BLACK,
        )?;
        legend(canvas, &self.experiment.methods, 24.0, 76.0)?;
        for (index, row) in self.rows().iter().enumerate() {
            let top = 120.0 + ROW * index as f64;
            canvas.text(&row.title, (24.0, top), 17.0, true, HPos::Left, BLACK)?;
            for (column, &network) in self.experiment.networks.iter().enumerate() {
                let left = 70.0 + COLUMN * column as f64;
                let name = format!("{}, {}", in_words(network.name()), network.formula());
                canvas.text(&name, (left, top + 28.0), 16.0, false, HPos::Left, GREY)?;
                self.panel(canvas, row, network, (left, top + 46.0))?;
            }
        }
        let trials = self.experiment.trials;
        let y = 150.0 + 4.0 * ROW;
        let caption = format!(
            "{trials} trials at each point, all methods on the same networks; bars: 95 % Wilson interval. Methods stand side by side where they agree."
        );
        canvas.text(&caption, (24.0, y), 16.0, false, HPos::Left, GREY)?;
        let caption =
            "W is d × d Gaussian; the teacher is (1 − noise)·permutation + noise·(random doubly stochastic matrix).";
        canvas.text(caption, (24.0, y + 26.0), 16.0, false, HPos::Left, GREY)
    }
}

/// Draws value, penalty and distance along the runs: medians and quartiles.
pub(in crate::experiment) fn draw_trajectories(
    path: &Path,
    experiment: &Experiment,
    rows: &[Trajectory],
) -> Result<()> {
    canvas::write(path, &Trajectories { experiment, rows })
}

struct Trajectories<'a> {
    experiment: &'a Experiment,
    rows: &'a [Trajectory],
}

impl Figure for Trajectories<'_> {
    fn size(&self) -> (u32, u32) {
        (1160, 1010)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B> {
        let (d, noise) = (self.experiment.instances.noise_dimension, followed_noise(self.experiment));
        let trials = self.rows.iter().map(|row| row.trials).max().unwrap_or(0);
        let title = format!("How the runs go: {}, {}, d = {d}", in_words(FOLLOWED.name()), FOLLOWED.formula());
        canvas.text(&title, (24.0, 36.0), 25.0, true, HPos::Left, BLACK)?;
        legend(canvas, &self.experiment.methods, 24.0, 76.0)?;
        let x = extent(self.rows.iter().map(|row| row.step as f64));
        for (index, quantity) in Quantity::ALL.into_iter().enumerate() {
            let top = 116.0 + 270.0 * index as f64;
            let label = match quantity {
                Quantity::Value => "loss f(X), relative to the barycenter's",
                Quantity::Penalty => "penalty P(X): 0 at permutations only",
                Quantity::Distance => "distance to the teacher, ‖X − T‖",
            };
            canvas.text(label, (24.0, top), 17.0, true, HPos::Left, BLACK)?;
            let shown = || self.rows.iter().filter(move |row| row.quantity == quantity);
            let y = extent(shown().flat_map(|row| [row.low, row.high]).chain([0.0]));
            let margin = 0.05 * (y.1 - y.0);
            let y = (y.0 - margin, y.1 + margin);
            let axes = Axes { left: 90.0, right: 1120.0, top: top + 20.0, bottom: top + 220.0, x, y };
            axes.draw(canvas, &ticks(y, false), 15.0)?;
            for (x, label) in ticks(x, false) {
                axes.x_tick(canvas, x, &label, 15.0)?;
            }
            for &method in &self.experiment.methods {
                let look = look(method);
                let line = |of: fn(&Trajectory) -> f64| -> Vec<Point> {
                    shown()
                        .filter(|row| row.method == method)
                        .map(|row| axes.place((row.step as f64, of(row))))
                        .collect()
                };
                canvas.line(&line(|row| row.low), look.color, 1.0, &[])?;
                canvas.line(&line(|row| row.high), look.color, 1.0, &[])?;
                let median = line(|row| row.median);
                canvas.line(&median, look.color, look.width, look.dashes)?;
                for point in median.iter().step_by(20).chain(median.last()) {
                    canvas.marker(look.marker, *point, 5.0, look.color)?;
                }
            }
        }
        canvas.text("step", (605.0, 946.0), 17.0, false, HPos::Center, BLACK)?;
        let caption = format!(
            "Median (thick) and quartiles (thin) of {trials} trials, noise {noise} in the teacher; a run that has ended stays where it is."
        );
        canvas.text(&caption, (24.0, 984.0), 16.0, false, HPos::Left, GREY)
    }
}

/// Draws f + λP on D_2.
pub(in crate::experiment) fn draw_landscapes(path: &Path, points: &[LandscapePoint]) -> Result<()> {
    canvas::write(path, &Landscapes { points })
}

struct Landscapes<'a> {
    points: &'a [LandscapePoint],
}

/// How the weights are drawn, from the smallest.
pub(in crate::experiment) const WEIGHTS: [Look; 5] = [
    Look { color: BLACK, width: 1.6, dashes: &[], marker: Marker::Plus },
    Look { color: SKY, width: 2.0, dashes: &[9.0, 5.0], marker: Marker::Square },
    Look { color: VERMILION, width: 3.2, dashes: &[], marker: Marker::Circle },
    Look { color: BLUE, width: 2.0, dashes: &[14.0, 4.0], marker: Marker::Diamond },
    Look { color: GREEN, width: 2.0, dashes: &[2.5, 3.5], marker: Marker::Triangle },
];

impl Landscapes<'_> {
    fn panel<B: DrawingBackend>(&self, canvas: &Canvas<B>, (network, tau): (Network, f64), at: Point) -> Drawn<B> {
        let shown: Vec<_> = self.points.iter().filter(|point| (point.network, point.tau) == (network, tau)).collect();
        let mut weights: Vec<(f64, &str)> = Vec::new();
        for point in &shown {
            if !weights.contains(&(point.weight, &point.threshold)) {
                weights.push((point.weight, &point.threshold));
            }
        }
        let y = extent(shown.iter().map(|point| point.total));
        let margin = 0.05 * (y.1 - y.0);
        let y = (y.0 - margin, y.1 + margin);
        let axes = Axes { left: at.0, right: at.0 + 480.0, top: at.1, bottom: at.1 + 300.0, x: (-0.02, 1.02), y };
        let teacher = format!("{}, {}; teacher at τ = {tau}", in_words(network.name()), network.formula());
        canvas.text(&teacher, (at.0 - 50.0, at.1 - 22.0), 17.0, true, HPos::Left, BLACK)?;
        axes.draw(canvas, &ticks(y, false), 15.0)?;
        for (x, label) in [(0.0, "0"), (0.5, "0.5"), (1.0, "1")] {
            axes.x_tick(canvas, x, label, 15.0)?;
        }
        canvas.text("q", (at.0 + 240.0, at.1 + 338.0), 17.0, false, HPos::Center, BLACK)?;
        for (index, (&(weight, threshold), look)) in weights.iter().zip(WEIGHTS).enumerate() {
            let curve: Vec<_> = shown.iter().filter(|point| point.weight == weight).collect();
            let line: Vec<Point> = curve.iter().map(|point| axes.place((point.q, point.total))).collect();
            canvas.line(&line, look.color, look.width, look.dashes)?;
            let lowest = curve.iter().map(|point| point.total).fold(f64::INFINITY, f64::min);
            for point in curve.iter().filter(|point| point.total <= lowest + 1e-9) {
                canvas.marker(look.marker, axes.place((point.q, point.total)), 6.0, look.color)?;
            }
            let place = (at.0 - 40.0 + 280.0 * (index % 2) as f64, at.1 + 368.0 + 26.0 * (index / 2) as f64);
            canvas.line(&[place, (place.0 + 40.0, place.1)], look.color, look.width, look.dashes)?;
            canvas.marker(look.marker, (place.0 + 20.0, place.1), 5.0, look.color)?;
            let name = match threshold {
                _ if weight == 0.0 => "λ = 0".to_string(),
                "" => format!("λ = {weight}"),
                _ => format!("λ = {weight:.3}, {threshold}"),
            };
            canvas.text(&name, (place.0 + 50.0, place.1), 14.0, false, HPos::Left, BLACK)?;
        }
        Ok(())
    }
}

impl Figure for Landscapes<'_> {
    fn size(&self) -> (u32, u32) {
        (1200, 1130)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B> {
        let title = "f + λP on the segment of the 2 × 2 doubly stochastic matrices";
        canvas.text(title, (24.0, 36.0), 25.0, true, HPos::Left, BLACK)?;
        for (index, drawn) in DRAWN.into_iter().enumerate() {
            let at = (90.0 + 580.0 * (index % 2) as f64, 106.0 + 490.0 * (index / 2) as f64);
            self.panel(canvas, drawn, at)?;
        }
        let caption = "W = I, v = (1, 1), x ~ N(0, I); X = [[q, 1 − q], [1 − q, q]], the teacher likewise with τ. Markers: global minima.";
        canvas.text(caption, (24.0, 1076.0), 16.0, false, HPos::Left, GREY)?;
        let caption = "Closed forms, computed exactly: there are no trials and no intervals.";
        canvas.text(caption, (24.0, 1102.0), 16.0, false, HPos::Left, GREY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_a_look_of_its_own() {
        for (index, &a) in Method::ALL.iter().enumerate() {
            for &b in &Method::ALL[..index] {
                let (a, b) = (look(a), look(b));
                assert!(a.color != b.color && a.dashes != b.dashes && a.marker != b.marker);
            }
        }
    }
}
