//! Matrices as squares of grey, side by side.

use crate::experiment::canvas::{Canvas, Drawn, Figure};
use crate::experiment::chart::GREY;
use crate::experiment::graph_matching::config::describe;
use crate::experiment::graph_matching::path::{Entry, Stage};
use plotters::prelude::{BLACK, DrawingBackend, RGBColor};
use plotters::style::text_anchor::HPos;

/// A title, panels, and two lines below.
pub(super) struct Heat {
    pub title: String,
    pub panels: Vec<HeatPanel>,
    pub captions: [String; 2],
}

/// An n × n matrix with entries in [0, 1].
pub(super) struct HeatPanel {
    pub name: String,
    pub text: String,
    pub n: usize,
    /// (row, column, entry); others are 0.
    pub entries: Vec<(usize, usize, f64)>,
}

/// Shades of grey: as many as can be told apart.
const SHADES: f64 = 32.0;

const SIDE: f64 = 360.0;
const GAP: f64 = 30.0;

/// X along a path, in the order of the hidden permutation.
pub(super) fn path(stages: &[Stage], entries: &[Entry]) -> Heat {
    let panel = |shown: &[Entry]| {
        let weight = shown[0].weight;
        let stage = stages.iter().find(|stage| stage.weight == weight);
        let penalty = stage.map_or(0.0, |stage| stage.penalty);
        let right = stage.map_or(0.0, |stage| 100.0 * stage.node_correctness);
        HeatPanel {
            name: if weight == 0.0 { "relaxation, λ = 0".to_string() } else { format!("λ = {weight:.3}") },
            text: format!("P = {penalty:.1}; rounded: {right:.0} % right"),
            n: stage.map_or(1, |stage| stage.n),
            entries: shown.iter().map(|entry| (entry.row, entry.column, entry.x)).collect(),
        }
    };
    let which = stages.first().map_or(String::new(), |stage| {
        format!("One run: correlated Erdős–Rényi graphs, {}, correlation {}. ", describe((stage.n, stage.p)), stage.rho)
    });
    Heat {
        title: "X along the penalized path".into(),
        panels: entries.chunk_by(|a, b| a.weight == b.weight).map(panel).collect(),
        captions: [
            format!("{which}Rows: vertices of A; columns: their true partners, so that the diagonal is right."),
            "White is 0 and black is 1, by the square root; entries below 0.02 are white. Path by itself: no look ahead, no polish.".into(),
        ],
    }
}

impl Figure for Heat {
    fn size(&self) -> (u32, u32) {
        (48 + (SIDE + GAP) as u32 * self.panels.len().max(1) as u32, 210 + SIDE as u32)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B> {
        canvas.text(&self.title, (24.0, 34.0), 25.0, true, HPos::Left, BLACK)?;
        for (index, panel) in self.panels.iter().enumerate() {
            let (left, top) = (24.0 + (SIDE + GAP) * index as f64, 110.0);
            canvas.text(&panel.name, (left, top - 44.0), 18.0, true, HPos::Left, BLACK)?;
            canvas.text(&panel.text, (left, top - 18.0), 16.0, false, HPos::Left, BLACK)?;
            let corners = [(left, top), (left + SIDE, top), (left + SIDE, top + SIDE), (left, top + SIDE), (left, top)];
            canvas.line(&corners, GREY, 1.0, &[])?;
            let cell = SIDE / panel.n as f64;
            // The square root shows small entries. Those of one shade become one path on the page.
            let shade = |entry: f64| (SHADES * (1.0 - entry.clamp(0.0, 1.0).sqrt())).round();
            let mut entries = panel.entries.clone();
            entries.sort_by(|a, b| shade(b.2).total_cmp(&shade(a.2)));
            for (row, column, entry) in entries {
                let shade = (255.0 / SHADES * shade(entry)).round() as u8;
                let corner = (left + cell * column as f64, top + cell * row as f64);
                canvas.rectangle(corner, (corner.0 + cell, corner.1 + cell), RGBColor(shade, shade, shade))?;
            }
        }
        for (line, caption) in self.captions.iter().enumerate() {
            canvas.text(caption, (24.0, SIDE + 150.0 + 26.0 * line as f64), 16.0, false, HPos::Left, GREY)?;
        }
        Ok(())
    }
}
