//! The figures: what is recovered against the noise, and ρ₅₀ against the size.

use super::config::{Experiment, Kind, describe};
use super::summary::Summary;
use crate::experiment::canvas::{self, Canvas, Drawn, Figure, Marker};
use crate::experiment::chart::{Axes, BLUE, GREEN, GREY, Look, ORANGE, PURPLE, SKY, VERMILION};
use birkhoff::error::Result;
use birkhoff::recovery::Method;
use plotters::prelude::{BLACK, DrawingBackend};
use plotters::style::text_anchor::HPos;
use std::path::Path;

fn method_look(method: Method) -> Look {
    let look = |color, width, dashes, marker| Look { color, width, dashes, marker };
    match method {
        Method::Relaxation => look(SKY, 2.0, &[9.0, 5.0], Marker::Square),
        Method::Penalized => look(VERMILION, 3.4, &[], Marker::Circle),
        Method::Faq => look(GREEN, 2.0, &[2.5, 3.5], Marker::Triangle),
        Method::RelaxationFaq => look(BLUE, 2.0, &[14.0, 4.0], Marker::Diamond),
        Method::ProjectedGradient => look(ORANGE, 2.0, &[9.0, 3.0, 2.5, 3.0], Marker::TriangleDown),
        Method::ProjectedGradientExact => look(PURPLE, 2.0, &[5.0, 3.0], Marker::Cross),
        _ => look(BLACK, 1.6, &[1.5, 5.0], Marker::Plus),
    }
}

/// A method's look, or that of a variant by its place among the variants: those of the methods that are seldom drawn
/// beside them.
pub(in crate::experiment) fn look(experiment: &Experiment, name: &str) -> Look {
    if let Some(method) = Method::ALL.into_iter().find(|method| method.name() == name) {
        return method_look(method);
    }
    let place = experiment.variants.iter().position(|variant| variant.name == name).unwrap_or(0);
    match place % 4 {
        0 => method_look(Method::ProjectedGradient),
        1 => method_look(Method::ProjectedGradientExact),
        2 => method_look(Method::Sinkhorn),
        _ => Look { color: GREY, width: 2.6, dashes: &[3.0, 2.0], marker: Marker::Square },
    }
}

/// What is drawn, and what is written about it.
pub(in crate::experiment) struct Recovery<'a> {
    pub experiment: &'a Experiment,
    pub summaries: &'a [Summary],
    /// The contestants that are drawn.
    pub names: Vec<String>,
    pub title: &'a str,
}

/// Draws the share of vertices matched against the correlation, one line a method, with intervals; one panel for each
/// size and density.
///
/// # Errors
/// As [`write_atomically`](birkhoff::io::write_atomically).
pub(in crate::experiment) fn draw_recovery(path: &Path, experiment: &Experiment, summaries: &[Summary]) -> Result<()> {
    let title = "Which method finds the hidden permutation?";
    canvas::write(path, &Recovery { experiment, summaries, names: experiment.names(), title })
}

impl Recovery<'_> {
    /// The correlations above 0 from left to right on a true scale; the null experiment stands apart behind them.
    fn positions(&self) -> Vec<(f64, f64)> {
        let mut levels = self.experiment.instances.rho.clone();
        levels.sort_by(|a, b| b.total_cmp(a));
        let place = |&rho: &f64| if rho > 0.0 { self.place(rho) } else { 1.25 };
        levels.iter().map(|rho| (*rho, place(rho))).collect()
    }

    fn place(&self, rho: f64) -> f64 {
        let levels = || self.experiment.instances.rho.iter().copied().filter(|&rho| rho > 0.0);
        let (first, last) = (levels().fold(0.0, f64::max), levels().fold(1.0, f64::min));
        (first - rho) / if first > last { first - last } else { 1.0 }
    }

    fn method<B: DrawingBackend>(&self, canvas: &Canvas<B>, axes: &Axes, kind: Kind, index: usize) -> Drawn<B> {
        let method = self.names[index].as_str();
        // Methods that agree stand side by side.
        let spread = if self.columns() > 1 { 5.0 } else { 7.0 };
        let shift = spread * (index as f64 - 0.5 * (self.names.len() as f64 - 1.0));
        let (mut signal, mut null) = (Vec::new(), Vec::new());
        for (rho, x) in self.positions() {
            let of = |row: &&Summary| (row.n, row.p) == kind && row.rho == rho && row.method == method;
            let Some(Summary {
                node_correctness: Some(mean),
                node_correctness_low: Some(low),
                node_correctness_high: Some(high),
                ..
            }) = self.summaries.iter().find(of)
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
        let look = look(self.experiment, method);
        look.series(canvas, &signal)?;
        look.series(canvas, &null)
    }

    fn columns(&self) -> usize {
        self.experiment.instances.kinds().len().min(2)
    }

    fn rows(&self) -> usize {
        self.experiment.instances.kinds().len().div_ceil(self.columns().max(1))
    }

    fn panel<B: DrawingBackend>(&self, canvas: &Canvas<B>, axes: &Axes, kind: Kind) -> Drawn<B> {
        let ticks: Vec<_> = (0..=5).map(|k| (f64::from(k) / 5.0, format!("{:.1}", f64::from(k) / 5.0))).collect();
        axes.draw(canvas, &ticks, 17.0)?;
        for (rho, x) in self.positions() {
            let label = if rho > 0.0 { format!("{rho}") } else { "0 (null)".to_string() };
            axes.x_tick(canvas, x, &label, 17.0)?;
        }
        if self.experiment.instances.rho.contains(&0.0) {
            let x = 1.125;
            canvas.line(&[axes.place((x, axes.y.0)), axes.place((x, axes.y.1))], GREY, 1.2, &[2.0, 5.0])?;
        }
        let chance = 1.0 / kind.0 as f64;
        canvas.line(&[axes.place((axes.x.0, chance)), axes.place((axes.x.1, chance))], GREY, 1.2, &[6.0, 6.0])?;
        let (left, y) = axes.place((axes.x.0, chance));
        canvas.text("chance, 1/n", (left + 8.0, y - 13.0), 15.0, false, HPos::Left, GREY)?;
        let limit = limit(kind.0 as f64);
        let place = self.place(limit);
        if (0.0..=1.06).contains(&place) {
            let (x, top) = axes.place((place, axes.y.1));
            canvas.line(&[(x, top), (x, axes.bottom)], BLACK, 1.6, &[10.0, 3.0, 2.0, 3.0])?;
            canvas.text(&format!("limit {limit:.2}"), (x, top - 10.0), 15.0, false, HPos::Center, BLACK)?;
        }
        (0..self.names.len()).try_for_each(|index| self.method(canvas, axes, kind, index))
    }
}

/// Below this correlation nothing recovers the permutation exactly, in the Gaussian analogue: nρ² = 4 ln n (Wu, Xu, Yu
/// 2022).
pub(in crate::experiment) fn limit(n: f64) -> f64 {
    (4.0 * n.ln() / n).sqrt()
}

/// The height of a panel of many, its labels included.
const ROW: f64 = 400.0;

impl Figure for Recovery<'_> {
    fn size(&self) -> (u32, u32) {
        if self.columns() * self.rows() == 1 { (1200, 720) } else { (1500, 180 + ROW as u32 * self.rows() as u32) }
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B> {
        let Experiment { trials, instances, .. } = self.experiment;
        let kinds = instances.kinds();
        canvas.text(self.title, (24.0, 36.0), 25.0, true, HPos::Left, BLACK)?;
        canvas.text("share of vertices matched to their true partner", (24.0, 78.0), 18.0, false, HPos::Left, BLACK)?;
        let (x, y) = (if instances.rho.contains(&0.0) { (-0.06, 1.33) } else { (-0.06, 1.06) }, (-0.02, 1.03));
        let x_label = "correlation of the two graphs' edges (noise grows to the right)";
        let mut bottom = 560.0;
        if let [kind] = kinds[..] {
            let axes = Axes { left: 84.0, right: 840.0, top: 108.0, bottom, x, y };
            self.panel(canvas, &axes, kind)?;
            canvas.text(x_label, (462.0, bottom + 54.0), 18.0, false, HPos::Center, BLACK)?;
            self.legend(canvas, 876.0, axes.top + 20.0)?;
        } else {
            let width = 1190.0 / self.columns() as f64;
            for (index, &kind) in kinds.iter().enumerate() {
                let left = 74.0 + width * (index % self.columns()) as f64;
                let top = 140.0 + ROW * (index / self.columns()) as f64;
                bottom = top + ROW - 110.0;
                canvas.text(&describe(kind), (left, top - 30.0), 18.0, true, HPos::Left, BLACK)?;
                self.panel(canvas, &Axes { left, right: left + width - 70.0, top, bottom, x, y }, kind)?;
                canvas.text(
                    "correlation",
                    (left + 0.5 * width - 35.0, bottom + 46.0),
                    17.0,
                    false,
                    HPos::Center,
                    BLACK,
                )?;
            }
            self.legend(canvas, 1230.0, 160.0)?;
        }
        let (which, at) = match kinds[..] {
            [kind] => (format!("{}; ", describe(kind)), 664.0),
            _ => (String::new(), bottom + 92.0),
        };
        let caption = format!(
            "{}, {which}mean of {trials} trials at each correlation, all methods on the same graphs.",
            instances.model.title()
        );
        canvas.text(&caption, (24.0, at), 16.0, false, HPos::Left, GREY)?;
        let caption = "Bars: 95 % bootstrap interval of the mean. Methods stand side by side where they agree.";
        let about = " Limit: nρ² = 4 ln n, for exact recovery in the Gaussian analogue.";
        let limits = kinds.iter().any(|kind| (0.0..=1.06).contains(&self.place(limit(kind.0 as f64))));
        let caption = format!("{caption}{}", if limits { about } else { "" });
        canvas.text(&caption, (24.0, at + 26.0), 16.0, false, HPos::Left, GREY)
    }
}

impl Recovery<'_> {
    fn legend<B: DrawingBackend>(&self, canvas: &Canvas<B>, left: f64, top: f64) -> Drawn<B> {
        for (index, name) in self.names.iter().enumerate() {
            let y = top + 34.0 * index as f64;
            look(self.experiment, name).legend(canvas, (left, y), name, name == Method::default().name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_a_look_of_its_own() {
        for (index, &a) in Method::ALL.iter().enumerate() {
            for &b in &Method::ALL[..index] {
                let (a, b) = (method_look(a), method_look(b));
                assert!(a.color != b.color && a.dashes != b.dashes && a.marker != b.marker);
            }
        }
    }

    #[test]
    fn the_limit_is_the_one_of_the_formula() {
        assert!((limit(100.0) - 0.4292).abs() < 1e-4);
    }
}
