//! The figure: what is recovered against the noise.

use super::config::Experiment;
use super::summary::Summary;
use crate::error::Result;
use crate::experiment::canvas::{self, Canvas, Drawn, Figure, Marker};
use crate::experiment::chart::{Axes, BLUE, GREEN, GREY, Look, ORANGE, PURPLE, SKY, VERMILION};
use crate::recovery::Method;
use plotters::prelude::{BLACK, DrawingBackend};
use plotters::style::text_anchor::HPos;
use std::path::Path;

fn look(method: Method) -> Look {
    let look = |color, width, dashes, marker| Look { color, width, dashes, marker };
    match method {
        Method::Relaxation => look(SKY, 2.0, &[9.0, 5.0], Marker::Square),
        Method::Penalized => look(VERMILION, 3.4, &[], Marker::Circle),
        Method::Faq => look(GREEN, 2.0, &[2.5, 3.5], Marker::Triangle),
        Method::RelaxationFaq => look(BLUE, 2.0, &[14.0, 4.0], Marker::Diamond),
        Method::ProjectedGradient => look(ORANGE, 2.0, &[9.0, 3.0, 2.5, 3.0], Marker::TriangleDown),
        Method::ProjectedGradientExact => look(PURPLE, 2.0, &[5.0, 3.0], Marker::Cross),
        Method::Sinkhorn => look(BLACK, 1.6, &[1.5, 5.0], Marker::Plus),
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
        // Methods that agree stand side by side.
        let shift = 7.0 * (index as f64 - 0.5 * (self.experiment.methods.len() as f64 - 1.0));
        let (mut signal, mut null) = (Vec::new(), Vec::new());
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
            let point = (at(*mean), at(*low).1, at(*high).1);
            if rho > 0.0 { signal.push(point) } else { null.push(point) }
        }
        look(method).series(canvas, &signal)?;
        look(method).series(canvas, &null)
    }

    fn legend<B: DrawingBackend>(&self, canvas: &Canvas<B>, left: f64, top: f64) -> Drawn<B> {
        for (index, &method) in self.experiment.methods.iter().enumerate() {
            let y = top + 34.0 * index as f64;
            look(method).legend(canvas, (left, y), method.name(), method == Method::default())?;
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
