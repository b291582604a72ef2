//! X along a path, as squares of grey in the order of the hidden permutation.

use crate::experiment::canvas::{Canvas, Drawn, Figure};
use crate::experiment::chart::GREY;
use crate::experiment::graph_matching::path::{Entry, Stage};
use plotters::prelude::{BLACK, DrawingBackend, RGBColor};
use plotters::style::text_anchor::HPos;

/// Panels beside one another, one a weight.
pub(super) struct Heat<'a> {
    pub stages: &'a [Stage],
    pub entries: &'a [Entry],
}

const SIDE: f64 = 360.0;
const GAP: f64 = 30.0;

impl Heat<'_> {
    fn weights(&self) -> Vec<f64> {
        let mut weights: Vec<f64> = self.entries.iter().map(|entry| entry.weight).collect();
        weights.dedup();
        weights
    }
}

impl Figure for Heat<'_> {
    fn size(&self) -> (u32, u32) {
        let panels = self.weights().len().max(1) as u32;
        (48 + (SIDE + GAP) as u32 * panels, 210 + SIDE as u32)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B> {
        canvas.text("X along the penalized path", (24.0, 34.0), 25.0, true, HPos::Left, BLACK)?;
        let n = self.stages.first().map_or(1, |stage| stage.n);
        for (index, weight) in self.weights().into_iter().enumerate() {
            let (left, top) = (24.0 + (SIDE + GAP) * index as f64, 110.0);
            let stage = self.stages.iter().find(|stage| stage.weight == weight);
            let penalty = stage.map_or(0.0, |stage| stage.penalty);
            let right = stage.map_or(0.0, |stage| 100.0 * stage.node_correctness);
            let name = if weight == 0.0 { "relaxation, λ = 0".to_string() } else { format!("λ = {weight:.3}") };
            canvas.text(&name, (left, top - 44.0), 18.0, true, HPos::Left, BLACK)?;
            let text = format!("P = {penalty:.1}; rounded: {right:.0} % right");
            canvas.text(&text, (left, top - 18.0), 16.0, false, HPos::Left, BLACK)?;
            let corners = [(left, top), (left + SIDE, top), (left + SIDE, top + SIDE), (left, top + SIDE), (left, top)];
            canvas.line(&corners, GREY, 1.0, &[])?;
            let cell = SIDE / n as f64;
            for entry in self.entries.iter().filter(|entry| entry.weight == weight) {
                // The square root shows small entries.
                let shade = (255.0 * (1.0 - entry.x.clamp(0.0, 1.0).sqrt())).round() as u8;
                let corner = (left + cell * entry.column as f64, top + cell * entry.row as f64);
                let opposite = (corner.0 + cell, corner.1 + cell);
                canvas.rectangle(corner, opposite, RGBColor(shade, shade, shade))?;
            }
        }
        let Some(Stage { n, p, rho, .. }) = self.stages.first() else { return Ok(()) };
        let caption = format!(
            "One run: correlated Erdős–Rényi graphs, n = {n}, p = {p}, correlation {rho}. Rows: vertices of A; columns: their true partners, so that the diagonal is right."
        );
        canvas.text(&caption, (24.0, SIDE + 150.0), 16.0, false, HPos::Left, GREY)?;
        let caption = "White is 0 and black is 1, by the square root; entries below 0.02 are white. Path by itself: no look ahead, no polish.";
        canvas.text(caption, (24.0, SIDE + 176.0), 16.0, false, HPos::Left, GREY)
    }
}
