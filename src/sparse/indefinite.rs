//! The indefinite form: common weight, and a term that hardens.

use super::ascent::{Ascent, NEW_COLUMNS};
use super::layers::Layers;
use crate::assignment::NONE;
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;

/// h(X) = f(X) − c·Σ w_ij X_ij² with w_ij = (w_i + w_j)/2 the [weights](Layers) of the vertices.
///
/// Half its gradient is H = V(X) − c·w∘X, and h(X + t(Q − X)) = (1 − t)²h(X) + 2t(1 − t)⟨H, Q⟩ + t²h(Q).
pub(super) struct Indefinite<'a> {
    pub layers: &'a Layers,
    pub c: f64,
}

impl Indefinite<'_> {
    fn weight(&self, i: usize, j: usize) -> f64 {
        self.c * 0.5 * (self.layers.weights.0[i] + self.layers.weights.1[j])
    }

    pub fn ascent(&self, x: &SparseMatrix, stop: &Stop) -> Ascent {
        // Most columns have no entry: their weights are not looked up.
        let harden = |i: usize, j: usize, entry: f64| if entry > 0.0 { self.weight(i, j) * entry } else { 0.0 };
        let values = self.layers.votes(x, NEW_COLUMNS, stop, |i, j, entry, votes| votes - harden(i, j, entry));
        Ascent::of(x, values)
    }

    /// h(Q) − 2⟨H, Q⟩ + h(X), half the curvature of h towards the matching Q.
    pub fn curvature(&self, partners: &[u32], at_x: f64, at_q: f64) -> f64 {
        let matched = partners.iter().enumerate().filter(|&(_, &j)| j != NONE);
        let diagonal: f64 = matched.map(|(i, &j)| self.weight(i, j as usize)).sum();
        self.layers.value(partners) - diagonal - 2.0 * at_q + at_x
    }
}
